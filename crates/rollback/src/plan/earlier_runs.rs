//! What earlier runs left behind: ways back of restores that did not end well, and changes that nobody has ended yet.

use rollback_types::{BackupSource, Event, EventKind, RunId, RunKind, RunQuery, RunState, RunSummary, Step, StoreKind};

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

/// Other runs that stand still after they had begun to change the stores, and that no later run has taken over.
pub(super) async fn interrupted_amid_change(planner: &Planner<'_>) -> Result<Vec<RunSummary>, JournalError> {
    let mut found = Vec::new();
    let resumed = planner.rest.map(|rest| rest.run);
    if let Some(run) = resumed
        && has_begun(planner.journal, run).await?
    {
        // Of several that have begun, which is resumed first is for the person to choose.
        return Ok(found);
    }
    let mut query = RunQuery { state: Some(RunState::Interrupted), limit: Some(200), ..RunQuery::default() };
    loop {
        let page = planner.journal.runs(&query).await?;
        for run in page.items {
            if Some(run.id) != resumed
                && run.kind.changes_stores()
                && has_begun(planner.journal, run.id).await?
                && taken_over_by(planner.journal, &run).await?.is_none()
            {
                found.push(run);
            }
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(found),
        }
    }
}

/// The newest later rollback of the same version that has begun: what this one had in hand is that one's since.
pub(crate) async fn taken_over_by(journal: &dyn Journal, run: &RunSummary) -> Result<Option<RunSummary>, JournalError> {
    if run.kind != RunKind::Rollback {
        return Ok(None);
    }
    let mut query = RunQuery {
        kind: Some(RunKind::Rollback),
        version_id: Some(run.version_id.to_string()),
        limit: Some(50),
        ..RunQuery::default()
    };
    loop {
        let page = journal.runs(&query).await?;
        for later in page.items {
            if later.id <= run.id {
                // Newest first: there is no later one left.
                return Ok(None);
            }
            if later.version_id == run.version_id && has_begun(journal, later.id).await? {
                return Ok(Some(later));
            }
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(None),
        }
    }
}

/// It has changed something, or was about to: its step 2 writes into the registry, and every other says when it acts. So has one
/// whose events cannot be read, for all that is known.
async fn has_begun(journal: &dyn Journal, run: RunId) -> Result<bool, JournalError> {
    const PAGE: u32 = 500;
    let acts = |event: &Event| {
        matches!(event.kind, EventKind::StepActs { .. } | EventKind::StepStarted { step: Step::Mark, .. })
    };
    let mut after = 0;
    loop {
        let events = match journal.events(run, after, PAGE).await {
            Err(JournalError::Unusable { .. }) if journal.probe().await.is_ok() => return Ok(true),
            events => events?,
        };
        match events.last() {
            _ if events.iter().any(acts) => return Ok(true),
            Some(last) => after = last.number,
            None => return Ok(false),
        }
    }
}
