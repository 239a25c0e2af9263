//! What earlier runs left behind: ways back of restores that did not end well, and changes that nobody has ended yet.

use rollback_types::{BackupSource, Event, EventKind, RunId, RunQuery, RunState, RunSummary, Step, StoreKind};

use super::Planner;
use crate::journal::{Journal, JournalError};

/// A restore that was cut short leaves a store half restored: what it held is in that run's way back, and nowhere else.
pub(super) async fn earlier_ways_back(planner: &Planner<'_>) -> Vec<(RunId, Vec<StoreKind>)> {
    let query = RunQuery { limit: Some(50), ..RunQuery::default() };
    // Told to help, beside what is refused without it: a journal that cannot be read refuses the plan elsewhere.
    let Ok(page) = planner.journal.runs(&query).await else { return Vec::new() };
    let mut found = Vec::new();
    for run in page.items {
        let Ok(Some(record)) = planner.journal.run(run.id).await else { continue };
        let source = BackupSource::WayBack(record.run_key);
        let stores = planner.verifier.folders().stores(&source);
        match (run.state.ended_well(), stores.is_empty()) {
            (true, false) => break,
            (false, false) if !run.state.is_active() => found.push((run.id, stores)),
            _ => {}
        }
    }
    found
}

/// Other runs that stand still after they had begun to change the stores.
pub(super) async fn interrupted_amid_change(planner: &Planner<'_>) -> Result<Vec<RunSummary>, JournalError> {
    let mut found = Vec::new();
    if planner.rest.is_some() {
        // Which of several is resumed first is for the person to choose.
        return Ok(found);
    }
    let mut query = RunQuery { state: Some(RunState::Interrupted), limit: Some(200), ..RunQuery::default() };
    loop {
        let page = planner.journal.runs(&query).await?;
        for run in page.items {
            if run.kind.changes_stores() && has_begun(planner.journal, run.id).await? {
                found.push(run);
            }
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(found),
        }
    }
}

/// It has changed something, or was about to: its step 2 writes into the registry, and every other says when it acts.
async fn has_begun(journal: &dyn Journal, run: RunId) -> Result<bool, JournalError> {
    const PAGE: u32 = 500;
    let acts = |event: &Event| {
        matches!(event.kind, EventKind::StepActs { .. } | EventKind::StepStarted { step: Step::Mark, .. })
    };
    let mut after = 0;
    loop {
        let events = journal.events(run, after, PAGE).await?;
        match events.last() {
            _ if events.iter().any(acts) => return Ok(true),
            Some(last) => after = last.number,
            None => return Ok(false),
        }
    }
}
