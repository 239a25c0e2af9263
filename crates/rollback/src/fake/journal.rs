//! A journal in memory, which outlives the service, and can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rollback_types::{
    BackupCheck, Event, EventKind, Page, Passed, RunCount, RunId, RunKind, RunQuery, RunState, RunSummary, StepDuration,
};

use tokio::sync::Notify;

use super::faults::FaultPlan;
use crate::journal::{CompletedRun, Journal, JournalError, KnownHash, NewRun, RunRecord};

#[derive(Debug, Default)]
struct State {
    runs: BTreeMap<RunId, (RunRecord, Vec<Event>)>,
    hashes: BTreeMap<String, KnownHash>,
    remembered: BTreeMap<String, String>,
    checks: BTreeMap<String, Vec<BackupCheck>>,
    /// Runs whose events cannot be read.
    damaged: BTreeSet<RunId>,
    /// Appends that still succeed; `None`: all.
    appends_left: Option<u32>,
    /// The read that is held next: which, who is told that it was reached, and who lets it go.
    held: Option<(JournalRead, Arc<Notify>, Arc<Notify>)>,
}

/// A read of the journal that can be held after its answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalRead {
    /// Of a run's events, where there are no more.
    NoMoreEvents,
    /// Of a run.
    Run,
    /// Of the run that is active.
    Active,
}

/// Runs and events in memory.
#[derive(Debug)]
pub struct FakeJournal {
    state: Mutex<State>,
    faults: Arc<FaultPlan>,
}

impl FakeJournal {
    pub(super) fn new(faults: Arc<FaultPlan>) -> Self {
        Self { state: Mutex::default(), faults }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After so many more entries its disk is full; `None`: there is space again.
    pub fn fill_up_after(&self, appends: Option<u32>) {
        self.state().appends_left = appends;
    }

    /// From now on no event of this run can be read.
    pub fn damage(&self, run: RunId) {
        self.state().damaged.insert(run);
    }

    /// Holds the next such read between its answer and its reader. The first is told when it is reached; the second lets it go.
    pub fn hold(&self, read: JournalRead) -> (Arc<Notify>, Arc<Notify>) {
        let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        self.state().held = Some((read, reached.clone(), go.clone()));
        (reached, go)
    }

    async fn wait_if_held(&self, read: JournalRead) {
        let held = {
            let mut state = self.state();
            if state.held.as_ref().is_some_and(|(which, ..)| *which == read) { state.held.take() } else { None }
        };
        if let Some((_, reached, go)) = held {
            reached.notify_one();
            go.notified().await;
        }
    }

    /// All events of a run.
    pub fn all_events(&self, run: RunId) -> Vec<Event> {
        self.state().runs.get(&run).map(|(_, events)| events.clone()).unwrap_or_default()
    }
}

#[async_trait]
impl Journal for FakeJournal {
    async fn open_run(&self, run: &NewRun) -> Result<RunSummary, JournalError> {
        let mut state = self.state();
        if let Some((id, _)) = state.runs.iter().find(|(_, (r, _))| r.summary.state.is_active()) {
            return Err(JournalError::ActiveRun(*id));
        }
        let id = RunId(state.runs.len() as i64 + 1);
        let summary = RunSummary {
            id,
            kind: run.kind,
            version_id: run.version_id.clone(),
            state: RunState::Running,
            reason: run.reason.clone(),
            actor: run.actor.clone(),
            plan_digest: run.plan_digest.clone(),
            started_at: run.at,
            ended_at: None,
            duration_ms: None,
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 0,
        };
        let record =
            RunRecord { summary: summary.clone(), run_key: run.run_key.clone(), plan_json: run.plan_json.clone() };
        state.runs.insert(id, (record, Vec::new()));
        Ok(summary)
    }

    async fn append(&self, event: &Event, run_state: RunState) -> Result<(), JournalError> {
        let mut state = self.state();
        match &mut state.appends_left {
            Some(0) => return Err(JournalError::Full { path: "fake".into() }),
            Some(left) => *left -= 1,
            None => {}
        }
        let other = state.runs.iter().find(|(id, (r, _))| **id != event.run_id && r.summary.state.is_active());
        let other = other.map(|(id, _)| *id).filter(|_| run_state.is_active());
        let Some((record, events)) = state.runs.get_mut(&event.run_id) else {
            return Err(JournalError::NoSuchRun(event.run_id));
        };
        let last = events.len() as u64;
        if event.number != last + 1 {
            return Err(JournalError::Gap { run: event.run_id, last, got: event.number });
        }
        if let Some(other) = other {
            return Err(JournalError::ActiveRun(other));
        }
        match &event.kind {
            EventKind::StepStarted { step, .. } => self.faults.started(*step),
            EventKind::StepCompleted { step, .. }
            | EventKind::StepFailed { step, .. }
            | EventKind::StepSkipped { step, .. } => self.faults.ended(*step),
            _ => {}
        }
        let run = &mut record.summary;
        let since = events.last().map_or(run.started_at, |e: &Event| e.at);
        let passed = Passed::until(&event.kind, run.state);
        match passed {
            Passed::Work => {}
            Passed::Wait => run.waited_ms += event.at.since_ms(since),
            Passed::Standstill => run.stood_still_ms += event.at.since_ms(since),
        }
        let last_sign = if passed == Passed::Standstill { since } else { event.at };
        match &event.kind {
            EventKind::RunInterrupted { message, .. } => {
                (run.last_sign_at, run.summary) = (Some(last_sign), Some(message.clone()));
            }
            EventKind::RunAbandoned { summary, .. } | EventKind::RunEnded { summary, .. } => {
                (run.last_sign_at, run.summary) = (None, Some(summary.clone()));
            }
            _ if run_state.is_active() => (run.last_sign_at, run.summary) = (None, None),
            _ => {}
        }
        record.summary.state = run_state;
        record.summary.last_event = event.number;
        if event.kind.is_terminal() {
            record.summary.ended_at = Some(event.at);
            record.summary.duration_ms = Some(record.summary.worked_ms(event.at));
        } else if run_state.is_active() {
            (record.summary.ended_at, record.summary.duration_ms) = (None, None);
        }
        events.push(event.clone());
        Ok(())
    }

    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, JournalError> {
        let found: Vec<Event> = {
            let state = self.state();
            if state.damaged.contains(&run) {
                let detail = format!("an event of run #{run} cannot be read");
                return Err(JournalError::Unusable { path: "fake".into(), detail });
            }
            let events = state.runs.get(&run).map(|(_, events)| events.as_slice()).unwrap_or_default();
            events.iter().filter(|e| e.number > after).take(limit as usize).cloned().collect()
        };
        if found.is_empty() {
            self.wait_if_held(JournalRead::NoMoreEvents).await;
        }
        Ok(found)
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        let found = self.state().runs.get(&id).map(|(record, _)| record.clone());
        self.wait_if_held(JournalRead::Run).await;
        Ok(found)
    }

    async fn run_with_key(&self, run_key: &str) -> Result<Option<RunId>, JournalError> {
        let of_key = |(record, _): &&(RunRecord, _)| record.run_key == run_key;
        Ok(self.state().runs.values().find(of_key).map(|(record, _)| record.summary.id))
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<RunSummary>, JournalError> {
        let asked = |run: &RunSummary| {
            let holds = |text: &str| {
                let text = text.to_lowercase();
                [run.reason.as_str(), run.version_id.as_str(), run.actor.as_str()]
                    .iter()
                    .any(|field| field.to_lowercase().contains(&text))
            };
            query.state.is_none_or(|state| run.state == state)
                && query.kind.is_none_or(|kind| run.kind == kind)
                && query.version_id.as_ref().is_none_or(|id| run.version_id.as_str() == id)
                && query.since.is_none_or(|since| run.started_at >= since)
                && query.until.is_none_or(|until| run.started_at < until)
                && query.search.as_deref().is_none_or(holds)
        };
        let most = query.limit.map_or(usize::MAX, |n| n as usize);
        let items = self.state().runs.values().rev().map(|(r, _)| r.summary.clone()).filter(asked).take(most).collect();
        Ok(Page { items, next_cursor: None })
    }

    async fn run_counts(&self, query: &RunQuery) -> Result<Option<Vec<RunCount>>, JournalError> {
        let all = RunQuery { state: None, kind: None, cursor: None, limit: None, ..query.clone() };
        let one = |run: RunSummary| RunCount { state: run.state, kind: run.kind, count: 1 };
        Ok(Some(self.runs(&all).await?.items.into_iter().map(one).collect()))
    }

    async fn active_run(&self) -> Result<Option<RunSummary>, JournalError> {
        let found = self.state().runs.values().map(|(r, _)| &r.summary).find(|s| s.state.is_active()).cloned();
        self.wait_if_held(JournalRead::Active).await;
        Ok(found)
    }

    async fn step_durations(&self) -> Result<Vec<StepDuration>, JournalError> {
        Ok(Vec::new())
    }

    async fn completed_runs(&self, kind: RunKind, limit: u32) -> Result<Vec<CompletedRun>, JournalError> {
        let state = self.state();
        let completed =
            |s: &RunSummary| s.kind == kind && matches!(s.state, RunState::Completed | RunState::CompletedWithFindings);
        let of = |(record, _): &(RunRecord, _)| {
            let took_ms = record.summary.duration_ms?;
            let plan: Option<serde_json::Value> = serde_json::from_str(&record.plan_json).ok();
            let stores_json = plan.and_then(|plan| plan.get("stores").map(ToString::to_string)).unwrap_or_default();
            Some(CompletedRun { took_ms, stores_json })
        };
        let found = state.runs.values().rev().filter(|(record, _)| completed(&record.summary)).filter_map(of);
        Ok(found.take(limit as usize).collect())
    }

    async fn known_hash(&self, path: &str) -> Result<Option<KnownHash>, JournalError> {
        Ok(self.state().hashes.get(path).cloned())
    }

    async fn record_hash(&self, hash: &KnownHash) -> Result<(), JournalError> {
        let mut hash = hash.clone();
        let mut state = self.state();
        // As the real one: the first hash ever seen is never overwritten.
        if let Some(known) = state.hashes.get(&hash.path) {
            (hash.first_sha256, hash.first_at) = (known.first_sha256.clone(), known.first_at);
        }
        state.hashes.insert(hash.path.clone(), hash);
        Ok(())
    }

    async fn remembered(&self, key: &str) -> Result<Option<String>, JournalError> {
        Ok(self.state().remembered.get(key).cloned())
    }

    async fn remember(&self, key: &str, json: &str) -> Result<(), JournalError> {
        self.state().remembered.insert(key.to_owned(), json.to_owned());
        Ok(())
    }

    async fn backup_checks(&self, backup: &str, limit: u32) -> Result<Vec<BackupCheck>, JournalError> {
        let state = self.state();
        let all = state.checks.get(backup).map(Vec::as_slice).unwrap_or_default();
        Ok(all.iter().rev().take(limit as usize).cloned().collect())
    }

    async fn record_backup_check(&self, backup: &str, check: &BackupCheck) -> Result<(), JournalError> {
        self.state().checks.entry(backup.to_owned()).or_default().push(check.clone());
        Ok(())
    }

    async fn probe(&self) -> Result<(), JournalError> {
        match self.state().appends_left {
            Some(0) => Err(JournalError::Full { path: "fake".into() }),
            _ => Ok(()),
        }
    }
}
