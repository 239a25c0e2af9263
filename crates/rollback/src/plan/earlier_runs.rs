//! What earlier runs left behind: ways back of restores that did not end well, and changes that nobody has ended yet.

use futures::TryStreamExt;
use rollback_types::{BackupSource, Event, EventKind, RunId, RunKind, RunQuery, RunState, RunSummary, Step, StoreKind};

use super::Planner;
use crate::journal::{Journal, JournalError};
use crate::journal_pages;

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
    let query = RunQuery { state: Some(RunState::Interrupted), limit: Some(200), ..RunQuery::default() };
    let mut runs = journal_pages::runs(planner.journal, query);
    while let Some(run) = runs.try_next().await? {
        if Some(run.id) != resumed
            && run.kind.changes_stores()
            && has_begun(planner.journal, run.id).await?
            && taken_over_by(planner.journal, &run).await?.is_none()
        {
            found.push(run);
        }
    }
    Ok(found)
}

/// The newest later rollback of the same version that has begun: what this one had in hand is that one's since.
pub(crate) async fn taken_over_by(journal: &dyn Journal, run: &RunSummary) -> Result<Option<RunSummary>, JournalError> {
    if run.kind != RunKind::Rollback {
        return Ok(None);
    }
    let query = RunQuery {
        kind: Some(RunKind::Rollback),
        version_id: Some(run.version_id.to_string()),
        limit: Some(50),
        ..RunQuery::default()
    };
    let mut runs = journal_pages::runs(journal, query);
    while let Some(later) = runs.try_next().await?.filter(|later| later.id > run.id) {
        if later.version_id == run.version_id && has_begun(journal, later.id).await? {
            return Ok(Some(later));
        }
    }
    Ok(None)
}

/// It has changed something, or was about to: its step 2 writes into the registry, and every other says when it acts. So has one
/// whose events cannot be read, for all that is known.
pub(crate) async fn has_begun(journal: &dyn Journal, run: RunId) -> Result<bool, JournalError> {
    let acts = |event: &Event| {
        matches!(event.kind, EventKind::StepActs { .. } | EventKind::StepStarted { step: Step::Mark, .. })
    };
    let mut events = journal_pages::events(journal, run);
    loop {
        match events.try_next().await {
            Err(JournalError::Unusable { .. }) if journal.probe().await.is_ok() => return Ok(true),
            Ok(Some(event)) if acts(&event) => return Ok(true),
            Ok(Some(_)) => {}
            Ok(None) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
