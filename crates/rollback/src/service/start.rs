//! Starting a run, and deciding about a failed step.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rollback_types::quantity::counted;
use rollback_types::{
    Decision, EventKind, PlanRequest, Role, RunId, RunKind, RunView, StartRequest, Step, StreamItem, Timestamp,
    VersionId,
};
use sha2::{Digest, Sha256};
use tokio::sync::{MutexGuard, broadcast, mpsc, oneshot};

use super::{Answer, LiveRun, RollbackService, recorder};
use crate::Actor;
use crate::context::{RunSpec, Shared};
use crate::engine::{DecisionRequest, Engine, Undecided};
use crate::error::ServiceError;
use crate::journal::NewRun;
use crate::plan::{Facts, Planned};
use crate::recorder::{RecordError, Recorder};

/// How long a decision may wait for the run to take it; a run that asks takes it at once.
const DECISION_WAIT: Duration = Duration::from_secs(10);

/// How long a start waits for the trial of a backup to end.
const TRIAL_WAIT: Duration = Duration::from_secs(20);

/// The log tells of a start that waited for longer.
const TOLD_WAIT: Duration = Duration::from_secs(1);

/// Takes a run out of the list of live ones, however its engine ends.
struct RemoveWhenDropped {
    live: Arc<Mutex<HashMap<RunId, LiveRun>>>,
    ended: Arc<tokio::sync::Notify>,
    id: RunId,
}

impl Drop for RemoveWhenDropped {
    fn drop(&mut self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.ended.notify_waiters();
    }
}

/// While it is there, nothing else starts.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    _starts: MutexGuard<'a, ()>,
    _trials: MutexGuard<'a, ()>,
}

/// What a run knows of itself when it begins: nothing, or what the journal tells of it.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub attempted: BTreeMap<Step, u64>,
    pub done: BTreeMap<Step, String>,
    pub findings: Vec<String>,
    pub skipped: Vec<Step>,
    pub skip_reasons: BTreeMap<Step, String>,
    pub way_back_wanted: BTreeSet<Step>,
}

/// Bounds of a reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

impl RollbackService {
    /// Plans again, compares, and starts the run, which then belongs to the service and not to the caller.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::Invalid`] for the request itself, [`ServiceError::ActiveRun`], [`ServiceError::Stale`] with
    /// the difference, [`ServiceError::Refused`]; else what planning and the journal say. Nothing was started then.
    pub async fn start(self: &Arc<Self>, request: &StartRequest, actor: &Actor) -> Answer<RunView> {
        // A caller that hangs up must not stop a start half way between journal and engine.
        let (service, request, actor) = (self.clone(), request.clone(), actor.clone());
        to_its_end(async move { service.start_to_end(&request, &actor).await }).await
    }

    async fn start_to_end(&self, request: &StartRequest, actor: &Actor) -> Answer<RunView> {
        may_start(actor, request)?;
        let reason = checked_reason(&request.reason)?;
        if request.kind.needs_typed_name() && request.confirm_version_id != request.version_id {
            let what = match request.kind {
                RunKind::Rollback => "of the version to roll back",
                _ => "of what the plan is about",
            };
            let said = format!("The name that was typed is not the one {what}. Type all of it, as the plan shows it.");
            return Err(ServiceError::field("/confirm_version_id", said));
        }
        let _alone = self.alone().await?;
        let plan_request = PlanRequest {
            kind: request.kind,
            version_id: request.version_id.clone(),
            restore: request.restore.clone(),
            acknowledgements: request.acknowledgements.clone(),
        };
        let planned = self.planner().plan(&plan_request).await?;
        let planned = self.confirmed(planned, &request.plan_digest).await?;
        self.launch(planned, reason, actor).await
    }

    /// No other start, no trial of a backup, no active run: until what this gives is dropped.
    pub(super) async fn alone(&self) -> Answer<Alone<'_>> {
        let starts = self.starting.lock().await;
        if self.is_stopping() {
            let said = "Stepback is stopping. Start again when it is back.";
            return Err(ServiceError::Conflict(said.into()));
        }
        // Held until the run is in the journal, from when on no trial begins.
        let asked = std::time::Instant::now();
        let Ok(trials) = tokio::time::timeout(TRIAL_WAIT, self.looking.lock()).await else {
            let said = "A backup is being read and tried just now, which must not happen during a run. It ends by itself; start \
                        again in a minute.";
            return Err(ServiceError::Conflict(said.into()));
        };
        let waited = asked.elapsed();
        if waited > TOLD_WAIT {
            tracing::info!(waited_ms = waited.as_millis(), "a start waited until the look at a backup had ended");
        }
        self.interrupt_halted().await?;
        if let Some(active) = self.journal.active_run().await? {
            return Err(ServiceError::ActiveRun(active.id));
        }
        Ok(Alone { _starts: starts, _trials: trials })
    }

    /// The plan of now is the one that was read, and nothing refuses it.
    pub(super) async fn confirmed(&self, planned: Planned, digest: &str) -> Answer<Planned> {
        let now = planned.facts.clone();
        self.remember(&planned.plan.digest, now.clone());
        if planned.plan.digest.0 != digest {
            let before = self.remembered(digest);
            let differences = before.map(|b| Facts::differences(&b, &now)).unwrap_or_default();
            // Told to help: what changed is told whether or not the journal can be read.
            let since = self.changed_since(digest).await.ok().flatten();
            return Err(ServiceError::Stale { differences, plan: Box::new(planned.plan), since });
        }
        if !planned.plan.startable {
            let refusals = planned.plan.refusals.clone();
            return Err(ServiceError::Refused { refusals, plan: Box::new(planned.plan) });
        }
        Ok(planned)
    }

    async fn launch(&self, planned: Planned, reason: String, actor: &Actor) -> Answer<RunView> {
        let plan = &planned.plan;
        let kind = plan.kind;
        if kind == RunKind::Rollback && planned.target.is_none() {
            let refusals = plan.refusals.clone();
            return Err(ServiceError::Refused { refusals, plan: Box::new(planned.plan) });
        }
        let approved_by = self.approved_by(plan, &reason, actor).await?;
        let at = Timestamp::now();
        let run_key = run_key(&plan.digest.0, at);
        let plan_json = serde_json::to_string(plan).map_err(|e| ServiceError::Conflict(e.to_string()))?;
        let summary = self
            .journal
            .open_run(&NewRun {
                kind,
                version_id: plan.version_id.clone(),
                plan_digest: plan.digest.clone(),
                plan_json,
                reason: reason.clone(),
                actor: actor.name().to_owned(),
                run_key: run_key.clone(),
                at,
            })
            .await?;
        let id = summary.id;
        let (recorder, events) = recorder(id, kind, self.journal.clone());
        let first = EventKind::RunStarted {
            kind,
            version_id: plan.version_id.clone(),
            plan_digest: plan.digest.clone(),
            reason: reason.clone(),
            actor: actor.name().to_owned(),
            approved_by,
        };
        let digest = plan.digest.clone();
        let spec = RunSpec::new(id, run_key, reason, &planned);
        if self.approvals_required(kind) > 0 {
            self.approval_used(&digest, id).await;
        }
        self.carry_out(recorder, events, first, spec, Memory::default()).await?;
        self.run(id).await
    }

    /// Records the first event of an engine, and lets it go. The run belongs to the service from then on.
    pub(super) async fn carry_out(
        &self,
        mut recorder: Recorder,
        events: broadcast::Sender<StreamItem>,
        first: EventKind,
        spec: RunSpec,
        memory: Memory,
    ) -> Answer<()> {
        let id = spec.run_id;
        let (decide, decisions) = mpsc::channel(8);
        self.live.lock().unwrap_or_else(PoisonError::into_inner).insert(id, LiveRun { events, decisions: decide });
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        // Also when the engine ends by a panic: then the run is nobody's, and is interrupted at the next look.
        let gone = RemoveWhenDropped { live: self.live.clone(), ended: self.ended.clone(), id };
        recorder.record(first).await.map_err(|e| match e {
            RecordError::Journal(e) => e.into(),
            e @ (RecordError::Illegal(_) | RecordError::Stopping) => ServiceError::Conflict(e.to_string()),
        })?;
        // It is carried on: why it halted before says nothing of another interruption.
        self.halted.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let shared = Arc::new(Shared {
            stores: self.stores.clone(),
            settings: self.settings.clone(),
            verifier: self.verifier.clone(),
            spec,
            verified: Mutex::default(),
            begun_before: memory.attempted.keys().copied().collect(),
            attempted: Mutex::new(memory.attempted),
            done: Mutex::new(memory.done),
            findings: Mutex::new(memory.findings),
            schema_before: Mutex::default(),
            way_back_wanted: Mutex::new(memory.way_back_wanted),
            last_search_us: self.last_search_us().await,
            journal: self.journal.clone(),
            checksums: tokio::sync::Mutex::default(),
            stopping: self.stopping.subscribe(),
        });
        let engine = Engine { recorder, shared, decisions, skip_reasons: memory.skip_reasons, skipped: memory.skipped };
        let halted = self.halted.clone();
        tokio::spawn(async move {
            let _gone = gone;
            match engine.run().await {
                Ok(state) => tracing::info!(run = %id, state = state.as_str(), "run ended"),
                Err(e) => {
                    tracing::error!(run = %id, error = %e, "run halted: it cannot be journalled");
                    let why = format!("it could not be journalled: {e}");
                    halted.lock().unwrap_or_else(PoisonError::into_inner).insert(id, why);
                }
            }
        });
        Ok(())
    }

    /// Whatever is done about a run that recovers from the baseline is an administrator's.
    pub(super) async fn must_be_for(&self, id: RunId, actor: &Actor) -> Answer<()> {
        let run = self.record(id).await?.summary;
        if is_disaster_recovery(run.kind, run.version_id.as_str()) {
            actor.must_be(Role::Administrator, "decide about a restore from the baseline")?;
        }
        Ok(())
    }

    /// The time of the last sound search test; without it the next one is just the first.
    async fn last_search_us(&self) -> Option<u64> {
        self.journal.remembered(crate::steps::SEARCH_KEY).await.ok().flatten()?.parse().ok()
    }

    /// A person's decision about a failed step, whichever of its failures was read.
    ///
    /// # Errors
    /// As [`decide_about`](Self::decide_about), but for [`ServiceError::FailedAgain`].
    pub async fn decide(
        &self,
        id: RunId,
        step: Step,
        decision: Decision,
        reason: Option<String>,
        actor: &Actor,
    ) -> Answer<RunView> {
        self.decide_about(id, (step, None), decision, reason, actor).await
    }

    /// A person's decision about a failed step; beside the step which of its tries they saw fail, where that is known.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] when nothing is asked about that step,
    /// [`ServiceError::FailedAgain`] when a later try of it failed than the one that was read, and [`ServiceError::Invalid`] for a
    /// skip without a reason.
    pub async fn decide_about(
        &self,
        id: RunId,
        (step, failed_try): (Step, Option<u32>),
        decision: Decision,
        reason: Option<String>,
        actor: &Actor,
    ) -> Answer<RunView> {
        actor.must_be(Role::Operator, "decide about a run")?;
        self.must_be_for(id, actor).await?;
        let reason = match reason.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty()) {
            Some(reason) => Some(checked_reason(&reason)?),
            None if decision == Decision::Skip => {
                return Err(ServiceError::field("/reason", "To skip a step, give a reason of 3 to 500 characters."));
            }
            None => None,
        };
        let view = self.run(id).await?;
        let Some(live) = self.live(id) else {
            let state = view.run.state.as_str().replace('_', " ");
            return Err(ServiceError::Conflict(format!("Run #{id} is {state}; there is nothing to decide.")));
        };
        let offered = view.step(step).map(|s| s.decisions.clone()).unwrap_or_default();
        if !offered.contains(&decision) {
            let said = match offered.as_slice() {
                [] => format!("Run #{id} asks nothing about {step} now."),
                some => {
                    let words: Vec<_> = some.iter().map(|d| d.as_str()).collect();
                    format!("{step} cannot be decided so; possible: {}.", words.join(", "))
                }
            };
            return Err(ServiceError::Conflict(said));
        }
        let tries = view.step(step).map_or(0, |s| s.tries.len());
        if failed_try.is_some_and(|read| read == 0 || read as usize > tries) {
            let said = format!("Try {} of {step} never was: its last is try {tries}.", failed_try.unwrap_or_default());
            return Err(ServiceError::field("/failure", said));
        }
        let (answer, answered) = oneshot::channel();
        let request = DecisionRequest { step, decision, reason, actor: actor.name().to_owned(), failed_try, answer };
        let gone = || ServiceError::Conflict(format!("Run #{id} ended before the decision reached it."));
        live.decisions.send(request).await.map_err(|_| gone())?;
        match tokio::time::timeout(DECISION_WAIT, answered).await {
            Ok(Ok(Ok(()))) => self.run(id).await,
            Ok(Ok(Err(Undecided::FailedAgain))) => {
                let now = self.run(id).await?;
                // Somebody may have decided about the new failure by now, and the step may be at work again.
                let error = now.step(step).and_then(|s| s.error.clone());
                let gone_on =
                    format!("{step} has failed again since you read it: nothing was decided. It goes on by now.");
                Err(error.map_or(ServiceError::Conflict(gone_on), |error| ServiceError::FailedAgain { step, error }))
            }
            Ok(Ok(Err(Undecided::NotNow(why)))) => {
                Err(ServiceError::Conflict(format!("That cannot be decided now: {why}.")))
            }
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(ServiceError::Conflict(format!("Run #{id} is at work and asks nothing about {step} now."))),
        }
    }
}

pub(super) fn checked_reason(reason: &str) -> Answer<String> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if !REASON.contains(&length) {
        let (least, most) = (REASON.start(), REASON.end());
        let has = counted(length as u64, "characters");
        return Err(ServiceError::field("/reason", format!("The reason has {has}; {least} to {most} are allowed.")));
    }
    if reason.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(ServiceError::field("/reason", "The reason has control characters in it, which are not allowed."));
    }
    Ok(reason.to_owned())
}

/// A caller that hangs up must not stop what it began half way.
pub(super) async fn to_its_end<T: Send + 'static>(work: impl Future<Output = Answer<T>> + Send + 'static) -> Answer<T> {
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(e) => {
            tracing::error!(error = %e, "a request ended by a panic");
            let said = "That failed by a defect in Stepback. If a run was opened, the history shows it.";
            Err(ServiceError::Conflict(said.into()))
        }
    }
}

/// Disaster recovery is an administrator's: it takes production back to the baseline.
fn may_start(actor: &Actor, request: &StartRequest) -> Answer<()> {
    actor.must_be(Role::Operator, "start a run")?;
    if is_disaster_recovery(request.kind, &request.version_id) {
        actor.must_be(Role::Administrator, "restore production from the baseline")?;
    }
    Ok(())
}

/// A restore from `v1_baseline` or one of its kind.
pub(super) fn is_disaster_recovery(kind: RunKind, subject: &str) -> bool {
    kind == RunKind::RestoreProduction && VersionId::new(subject).is_baseline()
}

/// Unique over all journals of this deployment: digest, moment and process make two equal ones practically
/// impossible, and the registry's log stays readable.
fn run_key(digest: &str, at: Timestamp) -> String {
    let mut hash = Sha256::new();
    hash.update(digest);
    hash.update(at.unix_ms().to_be_bytes());
    hash.update(std::process::id().to_be_bytes());
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map(|d| d.as_nanos()).unwrap_or(0);
    hash.update(nanos.to_be_bytes());
    hex::encode(hash.finalize()).chars().take(16).collect()
}
