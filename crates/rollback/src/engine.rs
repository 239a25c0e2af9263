//! Carries out a run: stage after stage, the steps of a stage side by side. The sole writer of the run's journal.

mod ending;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use rollback_types::{Decision, EventKind, RunState, Step, StepError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::context::{Halt, Message, Outcome, Shared, StepContext};
use crate::recorder::{RecordError, Recorder};
use crate::steps;
use crate::story::{BY_DECISION, skipped};

/// A person's decision, on its way to the engine.
#[derive(Debug)]
pub(crate) struct DecisionRequest {
    pub step: Step,
    pub decision: Decision,
    pub reason: Option<String>,
    pub actor: String,
    /// The try whose failure was read; `None` where that was not told.
    pub failed_try: Option<u32>,
    /// `Err`: why it is not possible now.
    pub answer: oneshot::Sender<Result<(), Undecided>>,
}

/// Why a decision was not taken.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// The step has failed again since.
    FailedAgain,
    /// It is not possible now, in words.
    NotNow(String),
}

/// How long the calls in hand may take once Stepback is to stop.
const STOP_WAIT: std::time::Duration = std::time::Duration::from_secs(6);

/// Messages waiting for the journal; a step that runs ahead of it waits.
const CHANNEL: usize = 64;

/// One run, from its first step to its last event.
#[derive(Debug)]
pub(crate) struct Engine {
    pub recorder: Recorder,
    pub shared: Arc<Shared>,
    pub decisions: mpsc::Receiver<DecisionRequest>,
    /// Why each step is to be skipped, in the words of the person who decided it.
    pub skip_reasons: BTreeMap<Step, String>,
    /// Steps that a person skipped.
    pub skipped: Vec<Step>,
}

impl Engine {
    /// Runs to the end, or until Stepback is to stop. The first event, `RunStarted` or `RunResumed`, is recorded already.
    pub(crate) async fn run(mut self) -> Result<RunState, RecordError> {
        match self.reach_end().await {
            Err(RecordError::Stopping) => {
                let message = crate::story::interruption(&self.recorder.procedure, "Stepback was stopped");
                self.recorder.record(EventKind::RunInterrupted { message, stopped: true }).await?;
                Ok(RunState::Interrupted)
            }
            other => other,
        }
    }

    async fn reach_end(&mut self) -> Result<RunState, RecordError> {
        for stage in self.shared.spec.kind.stages() {
            loop {
                for step in self.recorder.procedure.to_skip() {
                    let why = self.skip_reasons.remove(&step).unwrap_or_default();
                    let reason = format!("{BY_DECISION}{why}");
                    self.done(step, &skipped(&reason));
                    self.skipped.push(step);
                    self.recorder.record(EventKind::StepSkipped { step, reason, by_decision: true }).await?;
                }
                let starting = self.recorder.procedure.to_start(stage);
                if starting.is_empty() {
                    break;
                }
                let failed = self.run_side_by_side(&starting).await?;
                if !failed.is_empty() {
                    if let Some(aborted) = self.ask(&failed).await? {
                        return Ok(aborted);
                    }
                    continue;
                }
                break;
            }
        }
        self.complete().await
    }

    /// Begins the steps, takes in what they tell, and returns when all have ended. A step that fails does not stop
    /// its siblings.
    async fn run_side_by_side(&mut self, starting: &[(Step, u32)]) -> Result<BTreeMap<Step, StepError>, RecordError> {
        let mut stopping = self.shared.stopping.clone();
        if *stopping.borrow() {
            return Err(RecordError::Stopping);
        }
        let (tx, mut rx) = mpsc::channel(CHANNEL);
        for (step, attempt) in starting {
            // In the journal before its effect.
            self.recorder.record(EventKind::StepStarted { step: *step, attempt: *attempt }).await?;
        }
        let mut tasks = JoinSet::new();
        for (step, _) in starting {
            let context = StepContext::new(self.shared.clone(), *step, tx.clone());
            tasks.spawn(attempt(*step, context, tx.clone()));
        }
        drop(tx);
        let mut failed = BTreeMap::new();
        let mut open: Vec<Step> = starting.iter().map(|(step, _)| *step).collect();
        let patience = async {
            if stopping.wait_for(|stopping| *stopping).await.is_err() {
                // Nobody is left who could ask for a stop.
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(STOP_WAIT).await;
        };
        tokio::pin!(patience);
        loop {
            let message = tokio::select! {
                biased;
                message = rx.recv() => message,
                // A call to a server that does not come back: what it did is looked at when the run is resumed.
                () = &mut patience => return Err(RecordError::Stopping),
            };
            let Some(message) = message else { break };
            if let Message::Ended { step, .. } = &message {
                open.retain(|s| s != step);
            }
            if let Err(error) = self.take_in(message, &mut failed).await {
                // The steps stop at their next message or check, before their next effect; wait for them, so that
                // nothing acts on after the run is given up.
                rx.close();
                while rx.recv().await.is_some() {}
                while tasks.join_next().await.is_some() {}
                return Err(error);
            }
        }
        while let Some(joined) = tasks.join_next().await {
            if let Err(e) = joined {
                tracing::error!(run = %self.shared.spec.run_id, error = %e, "a step ended by a panic");
            }
        }
        if *self.shared.stopping.borrow() {
            return Err(RecordError::Stopping);
        }
        // A step that panicked never told its end.
        for step in open {
            let error = StepError {
                code: "internal".into(),
                store: step.lane(),
                message: format!("{step} ended by a defect in Stepback"),
                safe: "What it had done is counted again when it is tried again.".into(),
                remedy: "Try it again; if it fails again, abort, and report the server's log.".into(),
            };
            self.recorder.record(EventKind::StepFailed { step, error: error.clone() }).await?;
            failed.insert(step, error);
        }
        Ok(failed)
    }

    async fn take_in(&mut self, message: Message, failed: &mut BTreeMap<Step, StepError>) -> Result<(), RecordError> {
        let kind = match message {
            Message::Progress(progress) => {
                self.recorder.show(progress);
                return Ok(());
            }
            Message::Note { step, message } => EventKind::StepNote { step, message },
            Message::Finding { step, message } => {
                self.shared.find(message.clone());
                EventKind::StepFinding { step, message }
            }
            Message::Acts { step, units, recorded } => {
                self.recorder.record(EventKind::StepActs { step, units }).await?;
                // A step that has ended by a panic waits for nothing.
                let _ = recorded.send(());
                return Ok(());
            }
            Message::Retrying { step, failures, wait, error } => {
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                EventKind::StepRetrying { step, failures, wait_ms, error }
            }
            Message::Validated(report) => EventKind::Validated { report },
            Message::Ended { step, result } => match result {
                Ok(Outcome::Done { count, said }) => {
                    self.done(step, &said);
                    EventKind::StepCompleted { step, found_absent: false, count, outcome: said }
                }
                Ok(Outcome::FoundAbsent { said }) => {
                    self.done(step, &said);
                    EventKind::StepCompleted { step, found_absent: true, count: None, outcome: said }
                }
                Ok(Outcome::NothingToRestore { proof }) => {
                    self.done(step, &skipped(&proof));
                    EventKind::StepSkipped { step, reason: proof, by_decision: false }
                }
                Ok(Outcome::WayBackRestored { said }) => {
                    self.done(step, &skipped(&said));
                    let message = format!("{step} was given up by decision: {said}.");
                    self.shared.find(message.clone());
                    self.recorder.record(EventKind::StepFinding { step, message }).await?;
                    EventKind::StepSkipped { step, reason: said, by_decision: true }
                }
                Err(Halt::Failed { error, .. }) => {
                    failed.insert(step, error.clone());
                    EventKind::StepFailed { step, error }
                }
                Err(Halt::EngineGone) => return Ok(()),
            },
        };
        self.recorder.record(kind).await
    }

    /// Asks about the failed steps until each is decided. `Some`: the run was aborted.
    async fn ask(&mut self, failed: &BTreeMap<Step, StepError>) -> Result<Option<RunState>, RecordError> {
        // A decision that was sent to an earlier question must not answer this one.
        while let Ok(late) = self.decisions.try_recv() {
            let _ = late.answer.send(Err(Undecided::NotNow("another decision about it came first".into())));
        }
        let steps = failed.keys().copied().collect();
        self.recorder.record(EventKind::DecisionNeeded { steps }).await?;
        let mut stopping = self.shared.stopping.clone();
        while !self.recorder.procedure.undecided().is_empty() {
            let request = tokio::select! {
                request = self.decisions.recv() => request,
                Ok(_) = stopping.wait_for(|stopping| *stopping) => return Err(RecordError::Stopping),
            };
            let Some(request) = request else {
                // The service is gone: the process ends. The journal says that a decision is needed.
                return std::future::pending().await;
            };
            let DecisionRequest { step, decision, reason, actor, failed_try, answer } = request;
            // Only here nothing can happen to the step between this look and the decision.
            if failed_try.is_some_and(|read| read != self.recorder.procedure.attempts(step)) {
                let _ = answer.send(Err(Undecided::FailedAgain));
                continue;
            }
            if let (Decision::Skip, Some(reason)) = (decision, &reason) {
                self.skip_reasons.insert(step, reason.clone());
            }
            {
                let mut wanted = self.shared.way_back_wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if decision == Decision::WayBack {
                    wanted.insert(step)
                } else {
                    wanted.remove(&step)
                };
            }
            let event = EventKind::DecisionMade { step, decision, reason, actor };
            match self.recorder.record(event).await {
                Ok(()) => {
                    let _ = answer.send(Ok(()));
                }
                Err(RecordError::Illegal(e)) => {
                    let _ = answer.send(Err(Undecided::NotNow(e.because)));
                }
                Err(e) => {
                    let _ = answer.send(Err(Undecided::NotNow(e.to_string())));
                    return Err(e);
                }
            }
            if self.recorder.procedure.is_aborting() {
                return self.abort(step, failed).await.map(Some);
            }
        }
        Ok(None)
    }

    fn done(&self, step: Step, said: &str) {
        self.shared.done.lock().unwrap_or_else(PoisonError::into_inner).insert(step, said.to_owned());
    }
}

/// Carries out a step, trying passing faults again after growing pauses, and tells its end.
async fn attempt(step: Step, mut context: StepContext, tx: mpsc::Sender<Message>) {
    let pauses = context.shared.settings.retry_pauses.clone();
    let mut failures = 0;
    let result = loop {
        match try_once(step, &mut context).await {
            Err(Halt::Failed { error, transient: true }) if pauses.len() > failures => {
                let wait = jittered(pauses.get(failures).copied().unwrap_or_default());
                failures += 1;
                let told = context.retrying(u32::try_from(failures).unwrap_or(u32::MAX), wait, error).await;
                if let Err(halt) = told {
                    break Err(halt);
                }
                context.pause(wait).await;
                if context.checkpoint().is_err() {
                    break Err(Halt::EngineGone);
                }
            }
            other => break other,
        }
    };
    // Closed only when the journal failed: then the engine has given the run up and wants no more.
    let _ = tx.send(Message::Ended { step, result }).await;
}

/// One try, which is never silent for longer than a second.
async fn try_once(step: Step, context: &mut StepContext) -> Result<Outcome, Halt> {
    let meter = context.meter().clone();
    meter.begin();
    tokio::select! {
        biased;
        result = steps::carry_out(step, context) => result,
        never = meter.beat() => match never {},
    }
}

/// Up to a quarter more, so that calls that failed together do not come back together.
fn jittered(pause: std::time::Duration) -> std::time::Duration {
    // The keys of a hasher differ each time; nothing here needs a better generator.
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8);
    pause + pause.mul_f64((random % 1_000) as f64 / 4_000.0)
}

#[cfg(test)]
mod tests {
    use super::jittered;
    use std::time::Duration;

    #[test]
    fn a_pause_is_never_shorter_and_at_most_a_quarter_longer() {
        let pause = Duration::from_secs(4);
        let all: std::collections::BTreeSet<Duration> = (0..100).map(|_| jittered(pause)).collect();
        assert!(all.len() > 1 && all.iter().all(|p| (pause..=pause * 5 / 4).contains(p)), "{all:?}");
        assert_eq!(jittered(Duration::ZERO), Duration::ZERO);
    }
}
