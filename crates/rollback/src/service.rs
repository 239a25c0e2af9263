//! The one service behind both doors: plan, start, decide, look, subscribe.

mod approvals;
mod backups;
mod kept;
mod last_word;
mod log;
mod look;
mod registry_look;
mod report;
mod resume;
mod runs;
mod seen;
mod start;
mod time_left;
mod views_kept;

pub(crate) use self::last_word::LastWord;
pub use self::seen::seen;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use rollback_types::{
    Difference, EventKind, PlanDigest, PlanRequest, RollbackPlan, RunId, RunKind, RunQuery, RunState, StreamItem,
    Timestamp, VersionId,
};
use tokio::sync::{broadcast, mpsc, watch};

use crate::approvers::{Approvers, Nobody};
use crate::backup::{BackupFolders, BackupVerifier, Trials};
use crate::engine::DecisionRequest;
use crate::error::ServiceError;
use crate::journal::{Journal, JournalError};
use crate::journal_pages;
use crate::plan::earlier_runs::has_begun;
use crate::plan::{Facts, Planner};
use crate::recorder::Recorder;
use crate::settings::Settings;
use crate::stores::Stores;
use crate::story::{Story, interruption};

type Answer<T> = Result<T, ServiceError>;

/// Plans whose facts are kept for a difference; more than a few people can read at a time.
const REMEMBERED_PLANS: usize = 64;

/// Plans, starts and watches rollbacks of one deployment. Cheap to share in an `Arc`.
#[derive(Debug)]
pub struct RollbackService {
    stores: Stores,
    journal: Arc<dyn Journal>,
    verifier: Arc<BackupVerifier>,
    settings: Settings,
    /// Whose word about a plan counts.
    approvers: Arc<dyn Approvers>,
    /// Runs with an engine at work in this process.
    live: Arc<Mutex<HashMap<RunId, LiveRun>>>,
    /// Runs that were started here. An active run that is none of these may be another process's.
    launched: Mutex<HashSet<RunId>>,
    /// Why runs halted that could not be journalled: what the journal is told once it can be written again.
    halted: Arc<Mutex<HashMap<RunId, String>>>,
    /// One start at a time in this process; the journal's unique index guards against other processes.
    starting: tokio::sync::Mutex<()>,
    /// What the overview counted last.
    counted: tokio::sync::Mutex<Option<look::Counted>>,
    /// What the overview read of the registry last.
    registry_kept: tokio::sync::Mutex<Option<registry_look::Kept>>,
    /// The runs that were read last.
    views_kept: views_kept::ViewsKept,
    /// What the newest run that looked at production said of it.
    word_kept: tokio::sync::Mutex<Option<last_word::Kept>>,
    /// Held while a backup is read and tried. No run starts meanwhile.
    looking: tokio::sync::Mutex<()>,
    /// The latest plans, oldest first.
    /// With the moment at which each was last found to be the plan.
    plans: Mutex<Vec<(PlanDigest, Facts, Timestamp)>>,
    /// Turns true when Stepback is to stop.
    stopping: watch::Sender<bool>,
    /// One change of the requests for approval at a time.
    approving: tokio::sync::Mutex<()>,
    /// One writer of events that is no engine at a time: each gets the number after the last event.
    noting: tokio::sync::Mutex<()>,
    /// Told whenever an engine has ended.
    ended: Arc<tokio::sync::Notify>,
}

/// How to reach the engine of a run.
#[derive(Clone, Debug)]
struct LiveRun {
    events: broadcast::Sender<StreamItem>,
    decisions: mpsc::Sender<DecisionRequest>,
}

impl RollbackService {
    /// A service over these stores; starts nothing by itself. Call [`recover`](Self::recover) once at start-up.
    pub fn new(stores: Stores, journal: Arc<dyn Journal>, folders: BackupFolders, settings: Settings) -> Self {
        let trials = Trials { stores: stores.clone(), settings: settings.clone() };
        let verifier = Arc::new(BackupVerifier::new(folders, trials, journal.clone()));
        Self {
            stores,
            journal,
            verifier,
            settings,
            approvers: Arc::new(Nobody),
            live: Arc::default(),
            launched: Mutex::default(),
            halted: Arc::default(),
            starting: tokio::sync::Mutex::default(),
            counted: tokio::sync::Mutex::default(),
            registry_kept: tokio::sync::Mutex::default(),
            views_kept: views_kept::ViewsKept::default(),
            word_kept: tokio::sync::Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            plans: Mutex::default(),
            stopping: watch::Sender::new(false),
            ended: Arc::default(),
            approving: tokio::sync::Mutex::default(),
            noting: tokio::sync::Mutex::default(),
        }
    }

    /// The same service, which asks these whose word about a plan counts. Without them nobody's does.
    #[must_use]
    pub fn with_approvers(self, approvers: Arc<dyn Approvers>) -> Self {
        Self { approvers, ..self }
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Runs that an earlier process left running become *interrupted*: they are never shown as running again. Call it
    /// only while no other process uses the journal.
    ///
    /// # Errors
    /// The journal's.
    pub async fn recover(&self) -> Answer<Option<RunId>> {
        let _guard = self.starting.lock().await;
        self.interrupt_orphan(|_| true).await
    }

    /// Takes no new work, lets the batches in hand finish, and marks what is not through as interrupted. Returns when no run
    /// is at work, or after `within`.
    pub async fn stop(&self, within: std::time::Duration) {
        self.stopping.send_replace(true);
        let none_left = async {
            loop {
                let ended = self.ended.notified();
                if self.live.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                    return;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(within, none_left).await.is_err() {
            tracing::warn!("a run did not come to rest in time; it is found interrupted at the next start");
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// What a rollback would do; changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the registry's or the journal's error. Other stores' errors are in the plan.
    pub async fn plan(&self, request: &PlanRequest) -> Answer<RollbackPlan> {
        self.interrupt_halted().await?;
        let planned = self.planner().plan(request).await?;
        self.remember(&planned.plan.digest, planned.facts);
        Ok(planned.plan)
    }

    fn planner(&self) -> Planner<'_> {
        Planner {
            stores: &self.stores,
            journal: self.journal.as_ref(),
            verifier: &self.verifier,
            settings: &self.settings,
            rest: None,
        }
    }

    fn remember(&self, digest: &PlanDigest, facts: Facts) {
        self.remember_of(digest, facts, Timestamp::now());
    }

    fn remember_of(&self, digest: &PlanDigest, facts: Facts, at: Timestamp) {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(d, ..)| d != digest);
        if plans.len() >= REMEMBERED_PLANS {
            plans.remove(0);
        }
        plans.push((digest.clone(), facts, at));
    }

    fn remembered(&self, digest: &str) -> Option<Facts> {
        self.remembered_of(digest).map(|(facts, _)| facts)
    }

    fn remembered_of(&self, digest: &str) -> Option<(Facts, Timestamp)> {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().find(|(d, ..)| d.0 == digest).map(|(_, f, at)| (f.clone(), *at))
    }

    /// What differs between a plan that was read and the one of now; `None` where one of them is not remembered any more.
    pub fn differences_since(&self, read: &str, now: &PlanDigest) -> Option<Vec<Difference>> {
        let ((before, at), now) = (self.remembered_of(read)?, self.remembered(&now.0)?);
        let differences = Facts::differences(&before, &now);
        // It is still being read: what others plan meanwhile must not push it out.
        self.remember_of(&PlanDigest(read.to_owned()), before, at);
        Some(differences)
    }

    /// The newest run about this version, that changes the stores, of those that began after the plan was read. `None` where there
    /// is none, or where the plan is not remembered any more.
    ///
    /// # Errors
    /// The journal's.
    pub async fn run_since(&self, read: &str, version_id: &VersionId) -> Answer<Option<RunId>> {
        let Some((_, at)) = self.remembered_of(read) else { return Ok(None) };
        let query = RunQuery { version_id: Some(version_id.to_string()), since: Some(at), ..RunQuery::default() };
        let page = self.journal.runs(&query).await?;
        Ok(page.items.iter().find(|r| r.version_id == *version_id && r.kind.changes_stores()).map(|r| r.id))
    }

    /// The newest run about whatever it may be, that has begun to change the stores, of those that began after the plan was read.
    /// `None` as of [`run_since`](Self::run_since).
    async fn changed_since(&self, read: &str) -> Result<Option<RunId>, JournalError> {
        let Some((_, at)) = self.remembered_of(read) else { return Ok(None) };
        let query = RunQuery { since: Some(at), ..RunQuery::default() };
        let mut runs = journal_pages::runs(self.journal.as_ref(), query);
        while let Some(run) = runs.try_next().await? {
            if run.kind.changes_stores() && has_begun(self.journal.as_ref(), run.id).await? {
                return Ok(Some(run.id));
            }
        }
        Ok(None)
    }

    fn launched_here(&self, id: RunId) -> bool {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    fn live(&self, id: RunId) -> Option<LiveRun> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// An active run in the journal without an engine here was left by a process that ended, or by a journal that
    /// failed: it is written down as interrupted, if `is_ours`.
    async fn interrupt_orphan(&self, is_ours: impl Fn(RunId) -> bool) -> Answer<Option<RunId>> {
        let _one_at_a_time = self.noting.lock().await;
        let Some(seen) = self.journal.active_run().await? else { return Ok(None) };
        if self.live(seen.id).is_some() || !is_ours(seen.id) {
            return Ok(None);
        }
        // Its engine may have gone on, and ended it, between the two looks: then the journal says so by now.
        let now = self.journal.active_run().await?;
        let Some(mut run) = now.filter(|now| (now.id, now.last_event) == (seen.id, seen.last_event)) else {
            return Ok(None);
        };
        if run.last_event == 0 {
            // The process ended between the run's row and its first event: the story begins with its beginning all the same.
            let kind = EventKind::RunStarted {
                kind: run.kind,
                version_id: run.version_id.clone(),
                plan_digest: run.plan_digest.clone(),
                reason: run.reason.clone(),
                actor: run.actor.clone(),
                approved_by: Vec::new(),
            };
            let event = rollback_types::Event { number: 1, run_id: run.id, at: run.started_at, kind };
            self.journal.append(&event, RunState::Running).await?;
            run.last_event = 1;
        }
        let halted = self.halted.lock().unwrap_or_else(PoisonError::into_inner).get(&run.id).cloned();
        let cause = halted.unwrap_or_else(|| "the process that carried it out ended".to_owned());
        let message = match Story::read(self.journal.as_ref(), run.id).await {
            Ok(story) => interruption(&story.procedure, &cause),
            // Whatever is wrong with its events: it is not shown as running.
            Err(e) => format!("The run was interrupted: {cause}. What it had done cannot be told: {e}"),
        };
        let kind = EventKind::RunInterrupted { message, stopped: false };
        let event = rollback_types::Event {
            number: run.last_event + 1,
            run_id: run.id,
            at: rollback_types::Timestamp::now(),
            kind,
        };
        self.journal.append(&event, RunState::Interrupted).await?;
        Ok(Some(run.id))
    }

    /// A run that halted here because the journal failed must not stand in the way for ever: as soon as the journal can be
    /// written again it is interrupted, and can be resumed or given up.
    async fn interrupt_halted(&self) -> Answer<()> {
        self.interrupt_orphan(|run| self.launched_here(run)).await.map(drop)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// The journal's, or a cursor that is not one of ours.
    pub async fn runs(&self, query: &RunQuery) -> Answer<rollback_types::Page<rollback_types::RunSummary>> {
        let mut page = self.journal.runs(query).await?;
        for run in &mut page.items {
            self.tell_orphan(run).await;
        }
        Ok(page)
    }

    /// How many runs of each state and kind fit, as the journal counts them; `None` where it does not. An orphan counts as it is
    /// shown.
    ///
    /// # Errors
    /// The journal's.
    pub async fn run_counts(&self, query: &RunQuery) -> Answer<Option<Vec<rollback_types::RunCount>>> {
        let Some(mut counts) = self.journal.run_counts(query).await? else { return Ok(None) };
        for state in [RunState::Running, RunState::NeedsDecision] {
            if !counts.iter().any(|c| c.state == state) {
                continue;
            }
            // Only one run is active at a time: a page holds them all.
            let of_state = RunQuery { state: Some(state), kind: None, cursor: None, limit: None, ..query.clone() };
            for mut run in self.journal.runs(&of_state).await?.items {
                self.tell_orphan(&mut run).await;
                if run.state != state {
                    recount(&mut counts, state, &run);
                }
            }
        }
        Ok(Some(counts))
    }

    /// A run that was started here and has no engine any more: it has ended, or will be found interrupted.
    fn is_left(&self, id: RunId) -> bool {
        self.launched_here(id) && self.live(id).is_none()
    }

    /// A run that the journal calls active but nobody carries out is shown as interrupted, also before that could be
    /// written down.
    async fn tell_orphan(&self, run: &mut rollback_types::RunSummary) {
        while run.state.is_active() && self.is_left(run.id) {
            // Its engine may have ended it since it was read: what an engine says last is in the journal before it goes.
            match self.journal.run(run.id).await {
                Ok(Some(now)) if now.summary.last_event != run.last_event => *run = now.summary,
                _ => run.state = RunState::Interrupted,
            }
        }
    }
}

/// Counts a run as what it is now.
fn recount(counts: &mut Vec<rollback_types::RunCount>, before: RunState, run: &rollback_types::RunSummary) {
    let was = counts.iter_mut().find(|c| c.kind == run.kind && c.state == before && c.count > 0);
    let Some(was) = was else { return };
    was.count -= 1;
    match counts.iter_mut().find(|c| c.kind == run.kind && c.state == run.state) {
        Some(now) => now.count += 1,
        None => counts.push(rollback_types::RunCount { state: run.state, kind: run.kind, count: 1 }),
    }
    counts.retain(|c| c.count > 0);
}

/// A recorder with the channel its events are published on.
fn recorder(run: RunId, kind: RunKind, journal: Arc<dyn Journal>) -> (Recorder, broadcast::Sender<StreamItem>) {
    let (tx, _) = broadcast::channel(1_024);
    (Recorder::new(run, kind, journal, tx.clone()), tx)
}
