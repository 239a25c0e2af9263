//! Starting a run, and deciding about a failed step.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rollback_types::{Decision, EventKind, PlanRequest, RunId, RunKind, RunView, StartRequest, Step, Timestamp};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::{Answer, LiveRun, RollbackService, recorder};
use crate::context::{RunSpec, Shared};
use crate::engine::{DecisionRequest, Engine};
use crate::error::ServiceError;
use crate::journal::NewRun;
use crate::plan::{Facts, Planned};

/// How long a decision may wait for the run to take it; a run that asks takes it at once.
const DECISION_WAIT: Duration = Duration::from_secs(10);

/// How long a start waits for the trial of a backup to end.
const TRIAL_WAIT: Duration = Duration::from_secs(20);

/// Takes a run out of the list of live ones, however its engine ends.
struct RemoveWhenDropped {
    live: Arc<Mutex<HashMap<RunId, LiveRun>>>,
    id: RunId,
}

impl Drop for RemoveWhenDropped {
    fn drop(&mut self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Bounds of a reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;

impl RollbackService {
    /// Plans again, compares, and starts the run, which then belongs to the service and not to the caller.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for the request itself, [`ServiceError::ActiveRun`], [`ServiceError::Stale`] with
    /// the difference, [`ServiceError::Refused`]; else what planning and the journal say. Nothing was started then.
    pub async fn start(self: &Arc<Self>, request: &StartRequest, actor: &str) -> Answer<RunView> {
        // A caller that hangs up must not stop a start half way between journal and engine.
        let (service, request, actor) = (self.clone(), request.clone(), actor.to_owned());
        match tokio::spawn(async move { service.start_to_end(&request, &actor).await }).await {
            Ok(answer) => answer,
            Err(e) => {
                tracing::error!(error = %e, "a start ended by a panic");
                let said = "The start failed by a defect in Stepback. If a run was opened, the history shows it.";
                Err(ServiceError::Conflict(said.into()))
            }
        }
    }

    async fn start_to_end(&self, request: &StartRequest, actor: &str) -> Answer<RunView> {
        let reason = checked_reason(&request.reason)?;
        if request.kind.needs_typed_name() && request.confirm_version_id != request.version_id {
            let what = match request.kind {
                RunKind::Rollback => "id of the version to roll back",
                _ => "name of what the plan is about",
            };
            let said = format!("confirm_version_id is not the version_id: type the full {what}");
            return Err(ServiceError::Invalid(said));
        }
        let _one_at_a_time = self.starting.lock().await;
        // Held until the run is in the journal, from when on no trial begins.
        let Ok(_no_trial) = tokio::time::timeout(TRIAL_WAIT, self.looking.lock()).await else {
            let said = "A backup is being read and tried just now, which must not happen during a run. It ends by itself; start \
                        again in a minute.";
            return Err(ServiceError::Conflict(said.into()));
        };
        self.interrupt_orphan(|run| self.launched_here(run)).await?;
        if let Some(active) = self.journal.active_run().await? {
            return Err(ServiceError::ActiveRun(active.id));
        }
        let plan_request = PlanRequest {
            kind: request.kind,
            version_id: request.version_id.clone(),
            restore: request.restore.clone(),
            acknowledgements: request.acknowledgements.clone(),
        };
        let planned = self.planner().plan(&plan_request).await?;
        let now = planned.facts.clone();
        self.remember(&planned.plan.digest, now.clone());
        if planned.plan.digest.0 != request.plan_digest {
            let before = self.remembered(&request.plan_digest);
            let differences = before.map(|b| Facts::differences(&b, &now)).unwrap_or_default();
            return Err(ServiceError::Stale { differences, plan: Box::new(planned.plan) });
        }
        if !planned.plan.startable {
            let refusals = planned.plan.refusals.clone();
            return Err(ServiceError::Refused { refusals, plan: Box::new(planned.plan) });
        }
        self.launch(planned, reason, actor).await
    }

    async fn launch(&self, planned: Planned, reason: String, actor: &str) -> Answer<RunView> {
        let plan = &planned.plan;
        let kind = plan.kind;
        if kind == RunKind::Rollback && planned.target.is_none() {
            let refusals = plan.refusals.clone();
            return Err(ServiceError::Refused { refusals, plan: Box::new(planned.plan) });
        }
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
                actor: actor.to_owned(),
                run_key: run_key.clone(),
                at,
            })
            .await?;
        let id = summary.id;
        let (mut recorder, events) = recorder(id, kind, self.journal.clone());
        let (decide, decisions) = mpsc::channel(8);
        self.live.lock().unwrap_or_else(PoisonError::into_inner).insert(id, LiveRun { events, decisions: decide });
        self.launched.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        let first = recorder
            .record(EventKind::RunStarted {
                kind,
                version_id: plan.version_id.clone(),
                plan_digest: plan.digest.clone(),
                reason: reason.clone(),
                actor: actor.to_owned(),
            })
            .await;
        if let Err(e) = first {
            self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            return Err(match e {
                crate::recorder::RecordError::Journal(e) => e.into(),
                e @ crate::recorder::RecordError::Illegal(_) => ServiceError::Conflict(e.to_string()),
            });
        }
        let shared = Arc::new(Shared {
            stores: self.stores.clone(),
            settings: self.settings.clone(),
            verifier: self.verifier.clone(),
            spec: RunSpec::new(id, run_key, reason, &planned),
            verified: std::sync::Mutex::default(),
            attempted: std::sync::Mutex::default(),
            done: std::sync::Mutex::default(),
            findings: std::sync::Mutex::default(),
            schema_before: std::sync::Mutex::default(),
            way_back_wanted: std::sync::Mutex::default(),
            last_search_us: self.last_search_us().await,
            journal: self.journal.clone(),
            checksums: tokio::sync::Mutex::default(),
        });
        let engine = Engine { recorder, shared, decisions, skip_reasons: BTreeMap::new(), skipped: Vec::new() };
        let live = self.live.clone();
        tokio::spawn(async move {
            // Also when the engine ends by a panic: then the run is nobody's, and is interrupted at the next look.
            let _gone = RemoveWhenDropped { live, id };
            match engine.run().await {
                Ok(state) => tracing::info!(run = %id, state = state.as_str(), "run ended"),
                Err(e) => tracing::error!(run = %id, error = %e, "run halted: it cannot be journalled"),
            }
        });
        self.run(id).await
    }

    /// The time of the last sound search test; without it the next one is just the first.
    async fn last_search_us(&self) -> Option<u64> {
        self.journal.remembered(crate::steps::SEARCH_KEY).await.ok().flatten()?.parse().ok()
    }

    /// A person's decision about a failed step.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] when nothing is asked about that step, and
    /// [`ServiceError::Invalid`] for a skip without a reason.
    pub async fn decide(
        &self,
        id: RunId,
        step: Step,
        decision: Decision,
        reason: Option<String>,
        actor: &str,
    ) -> Answer<RunView> {
        let reason = match reason.map(|r| r.trim().to_owned()).filter(|r| !r.is_empty()) {
            Some(reason) => Some(checked_reason(&reason)?),
            None if decision == Decision::Skip => {
                return Err(ServiceError::Invalid("reason: a skip needs one, 3 to 500 characters".into()));
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
        let (answer, answered) = oneshot::channel();
        let request = DecisionRequest { step, decision, reason, actor: actor.to_owned(), answer };
        let gone = || ServiceError::Conflict(format!("Run #{id} ended before the decision reached it."));
        live.decisions.send(request).await.map_err(|_| gone())?;
        match tokio::time::timeout(DECISION_WAIT, answered).await {
            Ok(Ok(Ok(()))) => self.run(id).await,
            Ok(Ok(Err(why))) => Err(ServiceError::Conflict(format!("That cannot be decided now: {why}."))),
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(ServiceError::Conflict(format!("Run #{id} is at work and asks nothing about {step} now."))),
        }
    }
}

fn checked_reason(reason: &str) -> Answer<String> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if !REASON.contains(&length) {
        let said = format!("reason: {length} characters, allowed are {} to {}", REASON.start(), REASON.end());
        return Err(ServiceError::Invalid(said));
    }
    if reason.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r')) {
        return Err(ServiceError::Invalid("reason: control characters are not allowed".into()));
    }
    Ok(reason.to_owned())
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
