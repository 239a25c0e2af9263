//! After an interruption: what is left is planned again and confirmed again, or the run is given up.

use std::sync::Arc;

use rollback_types::{
    Event, EventKind, ResumeRequest, Role, RollbackPlan, RollbackTarget, RunId, RunKind, RunState, RunView, Step,
    Timestamp,
};

use super::start::{Memory, checked_reason, to_its_end};
use super::{Answer, RollbackService};
use crate::Actor;
use crate::context::RunSpec;
use crate::error::ServiceError;
use crate::journal::{JournalError, RunRecord};
use crate::plan::{Planned, Planner, Rest};
use crate::recorder::Recorder;
use crate::steps;
use crate::store::{AbortNoted, AbortRequest};
use crate::story::{RESTORE_BEGUN, Story};

/// Of an abandoned run whose events cannot be read.
const UNREADABLE: &str = " What it had done cannot be told: its record in the journal is damaged, and `stepback journal check` says \
                          where. Count all three stores before anything else is done with this version.";

impl RollbackService {
    /// The plan of what is left of an interrupted run; changes nothing. `acknowledgements` are those given beside the ones
    /// of the first plan.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::Conflict`] when the run is not interrupted; else as `plan`.
    pub async fn resume_plan(&self, id: RunId, acknowledgements: &[String]) -> Answer<RollbackPlan> {
        let story = self.interrupted(id).await?;
        let (planned, _) = self.plan_rest(&story, acknowledgements).await?;
        self.remember(&planned.plan.digest, planned.facts);
        Ok(planned.plan)
    }

    /// Goes on with an interrupted run, by the plan of what is left.
    ///
    /// # Errors
    /// As [`start`](Self::start), and [`ServiceError::Conflict`] when the run is not interrupted.
    pub async fn resume(self: &Arc<Self>, id: RunId, request: &ResumeRequest, actor: &Actor) -> Answer<RunView> {
        let (service, request, actor) = (self.clone(), request.clone(), actor.clone());
        to_its_end(async move { service.resume_to_end(id, &request, &actor).await }).await
    }

    async fn resume_to_end(&self, id: RunId, request: &ResumeRequest, actor: &Actor) -> Answer<RunView> {
        actor.must_be(Role::Operator, "resume a run")?;
        self.must_be_for(id, actor).await?;
        let reason = checked_reason(&request.reason)?;
        let _alone = self.alone().await?;
        let story = self.interrupted(id).await?;
        let summary = &story.record.summary;
        let (planned, again) = self.plan_rest(&story, &request.acknowledgements).await?;
        let planned = self.confirmed(planned, &request.plan_digest).await?;
        let approved_by = self.approved_by(&planned.plan, &reason, actor).await?;
        let (events, _) = tokio::sync::broadcast::channel(1_024);
        let recorder = Recorder::resumed(&story, self.journal.clone(), events.clone());
        let first = EventKind::RunResumed {
            plan_digest: planned.plan.digest.clone(),
            again,
            reason,
            actor: actor.name().to_owned(),
            approved_by,
        };
        // Registry and log speak of one run: in the words with which it began.
        let spec = RunSpec::new(id, story.record.run_key.clone(), summary.reason.clone(), &planned);
        let memory = Memory {
            attempted: story.attempted,
            done: story.done,
            findings: story.findings,
            skipped: story.skipped,
            skip_reasons: story.skip_reasons,
            way_back_wanted: story.way_back_wanted,
        };
        if self.approvals_required(planned.plan.kind) > 0 {
            self.approval_used(&planned.plan.digest, id).await;
        }
        self.carry_out(recorder, events, first, spec, memory).await?;
        self.run(id).await
    }

    /// Gives an interrupted run up: it is aborted then. The version stays as it is, and is offered as "take over".
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::Invalid`] for the reason, [`ServiceError::NotFound`],
    /// [`ServiceError::Conflict`] when the run is not interrupted, the registry's or the journal's.
    pub async fn abandon(self: &Arc<Self>, id: RunId, reason: &str, actor: &Actor) -> Answer<RunView> {
        let (service, reason, actor) = (self.clone(), reason.to_owned(), actor.clone());
        to_its_end(async move { service.abandon_to_end(id, &reason, &actor).await }).await
    }

    async fn abandon_to_end(&self, id: RunId, reason: &str, actor: &Actor) -> Answer<RunView> {
        actor.must_be(Role::Operator, "abandon a run")?;
        self.must_be_for(id, actor).await?;
        let reason = checked_reason(reason)?;
        let _one_at_a_time = self.starting.lock().await;
        let (record, last, begun, told) = match self.interrupted(id).await {
            Ok(story) => {
                let marked = story.procedure.through().contains(&Step::Mark);
                let restored = story.attempted.keys().any(|step| step.is_restore());
                let told = if restored { RESTORE_BEGUN } else { "" };
                (story.record, story.last, marked || story.procedure.in_hand().contains(&Step::Mark), told)
            }
            // What it did cannot be told any more. It must not stand in everybody's way for ever because of that.
            Err(ServiceError::Journal(unreadable @ JournalError::Unusable { .. })) => {
                let record = self.record(id).await?;
                if record.summary.state != RunState::Interrupted || self.live(id).is_some() {
                    return Err(ServiceError::Journal(unreadable));
                }
                let last = record.summary.last_event;
                (record, last, true, UNREADABLE)
            }
            Err(error) => return Err(error),
        };
        let left = self.tell_registry(&record, begun, &reason).await?;
        let summary = format!("Abandoned after an interruption. {left}{told}");
        let kind = EventKind::RunAbandoned { reason, actor: actor.name().to_owned(), summary };
        let event = Event { number: last + 1, run_id: id, at: Timestamp::now(), kind };
        self.journal.append(&event, RunState::Aborted).await?;
        self.run(id).await
    }

    /// Writes the end of a rollback into the registry; says what that left.
    async fn tell_registry(&self, record: &RunRecord, begun: bool, reason: &str) -> Answer<String> {
        let summary = &record.summary;
        let target = RollbackTarget::new(&summary.version_id).ok();
        let (RunKind::Rollback, true, Some(target)) = (summary.kind, begun, target) else {
            return Ok("Nothing was written into the registry by it.".to_owned());
        };
        let marks = self.stores.records.marks(&target).await?;
        match marks.iter().find(|m| m.run_key == record.run_key) {
            Some(own) if own.completed => Ok("The version is rolled_back: the run had finished it.".to_owned()),
            Some(own) if own.open => {
                let message = format!("Rollback abandoned: {reason}");
                let run_key = record.run_key.clone();
                let request = AbortRequest { target, run_key, message };
                Ok(match self.stores.records.note_abort(&request).await? {
                    AbortNoted::Noted => "The version stays rolling_back and is offered as “take over”.".to_owned(),
                    AbortNoted::NothingOpen => "Its row in the operation log is closed.".to_owned(),
                    AbortNoted::NotHeld(why) => format!(
                        "The version was changed by somebody else meanwhile, and left as it is: {why}. The run's row in the \
                         operation log is closed."
                    ),
                })
            }
            Some(_) => Ok("The version is not held by this run: its row in the operation log is closed.".to_owned()),
            None => Ok("The registry has no row of this run.".to_owned()),
        }
    }

    /// The run as the journal tells it, if it is interrupted.
    async fn interrupted(&self, id: RunId) -> Answer<Story> {
        self.interrupt_halted().await?;
        let story = Story::read(self.journal.as_ref(), id).await?;
        if story.procedure.is_interrupted() && self.live(id).is_none() {
            return Ok(story);
        }
        let state = story.record.summary.state.as_str().replace('_', " ");
        Err(ServiceError::Conflict(format!(
            "Run #{id} is {state}. Only an interrupted run can be resumed or abandoned."
        )))
    }

    pub(super) async fn plan_rest_of(&self, id: RunId, acknowledgements: &[String]) -> Answer<Planned> {
        let story = self.interrupted(id).await?;
        Ok(self.plan_rest(&story, acknowledgements).await?.0)
    }

    async fn plan_rest(&self, story: &Story, acknowledgements: &[String]) -> Answer<(Planned, Vec<Step>)> {
        if story.procedure.was_to_be_aborted() {
            let id = story.record.summary.id;
            let said = format!("Run #{id} was being aborted when it was interrupted: it can only be abandoned.");
            return Err(ServiceError::Conflict(said));
        }
        let again = self.to_be_done_again(story).await?;
        let rest = Rest::of(story, again)?;
        let planner = Planner { rest: Some(&rest), ..self.planner() };
        let planned = planner.plan(&rest.request(acknowledgements)).await?;
        Ok((planned, rest.again))
    }

    /// Steps that were through, whose proof did not outlive the process, and which later steps need.
    async fn to_be_done_again(&self, story: &Story) -> Answer<Vec<Step>> {
        let through = story.procedure.through();
        let left = |step: &Step| !through.contains(step);
        let steps = story.record.summary.kind.steps();
        let mut again = Vec::new();
        if steps.iter().any(|s| s.is_restore() && left(s)) {
            again.push(Step::VerifyCopy);
        }
        if steps.contains(&Step::SwapCopy) && left(&Step::SwapCopy) {
            let (folders, key) = (self.verifier.folders().clone(), story.record.run_key.clone());
            let subject = story.record.summary.version_id.clone();
            let swapped = tokio::task::spawn_blocking(move || steps::is_swapped_in(&folders, &subject, &key)).await;
            // Production, or latest-copy, may have changed meanwhile: a copy is of the moment at which it is swapped in.
            if !swapped.map_err(|e| ServiceError::Conflict(e.to_string()))? {
                again.extend([Step::CopySqlite, Step::CopyQdrant, Step::CopyNeo4j, Step::ProveCopy]);
            }
        }
        again.retain(|step| through.contains(step));
        Ok(again)
    }
}
