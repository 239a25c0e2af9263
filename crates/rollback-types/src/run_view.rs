//! A run as it is seen: the same fold over events on the server and in the browser.

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, Progress, StepError};
use crate::{Decision, LogLine, Passed, RunState, RunSummary, Step, StepState, StoreKind, Timestamp, ValidationReport};

/// One try of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Try {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; of an interrupted one, the run's last sign of life.
    pub ended_at: Option<Timestamp>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepView {
    /// Which.
    pub step: Step,
    /// 1 to 8.
    pub number: u8,
    /// The store of a lane.
    pub lane: Option<StoreKind>,
    /// The name on the page.
    pub title: String,
    /// Where it stands.
    pub state: StepState,
    /// It has begun to change its store, in this try or an earlier one.
    #[serde(default)]
    pub acted: bool,
    /// Units handled.
    pub done: Option<u64>,
    /// Units in all.
    pub total: Option<u64>,
    /// What `done` and `total` count.
    pub unit: Option<String>,
    /// What it does beside that, in words; only of a step at work, and only for who follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doing: Option<String>,
    /// When it began; after a decision to retry, when that try began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// All its tries, oldest first: a person may have it tried again, and a resumed run does.
    #[serde(default)]
    pub tries: Vec<Try>,
    /// What was done, or why it was skipped.
    pub outcome: Option<String>,
    /// The last fault, while it matters.
    pub error: Option<StepError>,
    /// What a person may decide now; empty unless the run asks about this step.
    pub decisions: Vec<Decision>,
    /// What was decided about it since it failed; known only to who has seen all events.
    #[serde(skip)]
    pub decided: Option<Decision>,
}

impl StepView {
    fn new(step: Step) -> Self {
        Self {
            step,
            number: step.number(),
            lane: step.lane(),
            title: step.title().to_owned(),
            state: StepState::Pending,
            acted: false,
            done: None,
            total: None,
            unit: step.unit().map(str::to_owned),
            doing: None,
            started_at: None,
            ended_at: None,
            tries: Vec::new(),
            outcome: None,
            error: None,
            decisions: Vec::new(),
            decided: None,
        }
    }

    /// It began to change its store, and a person then decided to leave it there: what the store holds is not known.
    pub fn was_left_begun(&self) -> bool {
        let outcome = self.outcome.as_deref().unwrap_or_default();
        self.acted && self.state == StepState::Skipped && outcome.starts_with("skipped: by decision: ")
    }

    /// How long all its tries were at work, once the last has ended; absent when it was never begun.
    pub fn duration_ms(&self) -> Option<u64> {
        self.tries.last()?.ended_at?;
        Some(self.tries.iter().filter_map(|t| Some(t.ended_at?.since_ms(t.started_at))).sum())
    }

    fn end(&mut self, state: StepState, at: Timestamp) {
        self.state = state;
        self.ended_at = Some(at);
        self.doing = None;
        if let Some(open) = self.tries.last_mut().filter(|t| t.ended_at.is_none()) {
            open.ended_at = Some(at);
        }
    }
}

/// A time in which a run was not at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// It waited for a decision; otherwise it stood still.
    pub waited: bool,
}

/// A run with its steps and its log. The browser reads of a validation its verdict alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunView {
    /// What lists show too.
    #[serde(flatten)]
    pub run: RunSummary,
    /// The steps of the run's kind, in the document's order; step 7 as three lanes.
    pub steps: Vec<StepView>,
    /// What the validation found, once it is through.
    #[serde(default)]
    pub validation: Option<ValidationReport>,
    /// What the steps told for the end, and what was left undone; a sentence each.
    #[serde(default)]
    pub findings: Vec<String>,
    /// The log so far.
    pub log: Vec<LogLine>,
    /// When the last event was.
    #[serde(default)]
    pub last_event_at: Option<Timestamp>,
    /// When it was not at work, oldest first; known only to who has seen all events.
    #[serde(skip)]
    pub pauses: Vec<Pause>,
    /// While it is interrupted: failed steps about which it waited for a decision when its process ended.
    #[serde(skip)]
    pub undecided: Vec<Step>,
}

#[cfg(target_arch = "wasm32")]
impl<'de> Deserialize<'de> for RunView {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::browser::run(from)
    }
}

impl RunView {
    /// A run of which nothing is known yet but its summary; feed it all its events.
    pub fn new(mut run: RunSummary) -> Self {
        run.last_event = 0;
        (run.waited_ms, run.stood_still_ms, run.last_sign_at) = (0, 0, None);
        Self {
            steps: run.kind.steps().into_iter().map(StepView::new).collect(),
            run,
            validation: None,
            findings: Vec::new(),
            log: Vec::new(),
            last_event_at: None,
            pauses: Vec::new(),
            undecided: Vec::new(),
        }
    }

    /// Takes in one event. Stale numbers and unknown kinds change nothing but, for the latter, the last number.
    /// Returns whether the event was new.
    pub fn apply(&mut self, event: &Event) -> bool {
        if event.number <= self.run.last_event || event.run_id != self.run.id {
            return false;
        }
        let at = event.at;
        // Before its first event it was only opened, whatever its summary says of now.
        let before = if self.run.last_event == 0 { RunState::Running } else { self.run.state };
        let (passed, since) = (Passed::until(&event.kind, before), self.last_event_at.unwrap_or(self.run.started_at));
        self.pass(passed, since, at);
        self.run.last_event = event.number;
        match &event.kind {
            EventKind::RunStarted { .. } => self.run.state = RunState::Running,
            EventKind::StepStarted { step, .. } => {
                self.run.state = RunState::Running;
                self.change(*step, |s| {
                    s.state = StepState::Running;
                    s.started_at = Some(at);
                    s.ended_at = None;
                    s.tries.push(Try { started_at: at, ended_at: None });
                    (s.done, s.total, s.outcome, s.error, s.decided) = (None, None, None, None, None);
                    s.doing = None;
                    s.decisions.clear();
                });
            }
            EventKind::StepNote { .. } | EventKind::RunAnnotated { .. } | EventKind::Unknown => {}
            EventKind::StepActs { step, .. } => self.change(*step, |s| s.acted = true),
            EventKind::StepFinding { message, .. } => {
                if !self.findings.contains(message) {
                    self.findings.push(message.clone());
                }
            }
            EventKind::Validated { report } => self.validation = Some(*report.clone()),
            EventKind::StepRetrying { step, error, .. } => self.change(*step, |s| {
                s.error = Some(error.clone());
                s.doing = None;
            }),
            EventKind::StepCompleted { step, found_absent, count, outcome } => self.change(*step, |s| {
                s.end(if *found_absent { StepState::FoundAbsent } else { StepState::Done }, at);
                s.outcome = Some(outcome.clone());
                s.error = None;
                if count.is_some() {
                    (s.done, s.total) = (*count, *count);
                }
            }),
            EventKind::StepSkipped { step, reason, by_decision } => self.change(*step, |s| {
                if *by_decision {
                    // A skip is still known; of a way back that began, its start has taken the decision away.
                    s.decided.get_or_insert(Decision::WayBack);
                }
                s.started_at.get_or_insert(at);
                s.end(StepState::Skipped, at);
                s.outcome = Some(format!("skipped: {reason}"));
                s.error = None;
                s.decisions.clear();
            }),
            EventKind::StepFailed { step, error } => self.change(*step, |s| {
                s.end(StepState::Failed, at);
                s.error = Some(error.clone());
            }),
            EventKind::DecisionNeeded { steps } => {
                self.run.state = RunState::NeedsDecision;
                for step in steps {
                    self.change(*step, |s| {
                        s.decisions = vec![Decision::Retry, Decision::Abort];
                        if step.is_restore() {
                            s.decisions.insert(1, Decision::WayBack);
                        }
                        if step.may_be_skipped() {
                            s.decisions.insert(1, Decision::Skip);
                        }
                    });
                }
            }
            EventKind::DecisionMade { step, decision, .. } => {
                // An abort ends the run: nothing is asked about the others any more.
                for s in self.steps.iter_mut().filter(|s| s.step == *step || *decision == Decision::Abort) {
                    s.decisions.clear();
                }
                self.change(*step, |s| s.decided = Some(*decision));
                if self.steps.iter().all(|s| s.decisions.is_empty()) {
                    self.run.state = RunState::Running;
                }
            }
            EventKind::RunInterrupted { message, .. } => {
                let last_sign = if passed == Passed::Standstill { since } else { at };
                self.run.last_sign_at = Some(last_sign);
                self.run.summary = Some(message.clone());
                self.cut_off(Some(last_sign));
                self.end(RunState::Interrupted, at);
            }
            EventKind::RunResumed { .. } => {
                self.run.state = RunState::Running;
                // Whoever resumes it has every failed step done again about which nothing else was decided.
                for s in self.steps.iter_mut().filter(|s| s.state == StepState::Failed) {
                    s.decided.get_or_insert(Decision::Retry);
                }
                (self.run.ended_at, self.run.duration_ms, self.run.summary) = (None, None, None);
                (self.run.last_sign_at, self.undecided) = (None, Vec::new());
            }
            EventKind::RunAbandoned { summary, .. } => {
                self.run.summary = Some(summary.clone());
                (self.run.last_sign_at, self.undecided) = (None, Vec::new());
                self.end(RunState::Aborted, at);
            }
            EventKind::RunEnded { state, summary, findings } => {
                // Runs of earlier versions told them in the summary alone.
                if !findings.is_empty() {
                    self.findings.clone_from(findings);
                }
                self.run.summary = Some(summary.clone());
                self.end(*state, at);
            }
        }
        self.last_event_at = Some(at);
        self.log.extend(LogLine::of(event, self.run.started_at));
        true
    }

    /// Keeps the last lines of the log only; the journal has them all.
    pub fn keep_last_lines(&mut self, most: usize) {
        let surplus = self.log.len().saturating_sub(most);
        self.log.drain(..surplus);
    }

    /// Takes in how far a step is. Never goes back, and never touches a step that is not at work.
    pub fn apply_progress(&mut self, progress: &Progress) {
        self.change(progress.step, |s| {
            if s.state == StepState::Running {
                s.doing.clone_from(&progress.doing);
                if progress.total > 0 {
                    s.done = Some(s.done.unwrap_or(0).max(progress.done));
                    s.total = Some(s.total.unwrap_or(0).max(progress.total));
                }
            }
        });
    }

    /// The view of one step.
    pub fn step(&self, step: Step) -> Option<&StepView> {
        self.steps.iter().find(|s| s.step == step)
    }

    /// Steps that were at work are so no more, and nobody is asked about those that failed. `last_sign`: until when they
    /// were seen at work, where that is known.
    pub fn cut_off(&mut self, last_sign: Option<Timestamp>) {
        for s in &mut self.steps {
            if !s.decisions.is_empty() {
                s.decisions.clear();
                self.undecided.push(s.step);
            }
            match (s.state, last_sign) {
                (StepState::Running, Some(at)) => s.end(StepState::Interrupted, at),
                (StepState::Running, None) => s.state = StepState::Interrupted,
                _ => {}
            }
        }
    }

    /// Counts what passed between two events.
    fn pass(&mut self, passed: Passed, from: Timestamp, until: Timestamp) {
        let waited = match passed {
            Passed::Work => return,
            Passed::Wait => true,
            Passed::Standstill => false,
        };
        let sum = if waited { &mut self.run.waited_ms } else { &mut self.run.stood_still_ms };
        *sum += until.since_ms(from);
        match self.pauses.last_mut().filter(|last| last.until == from && last.waited == waited) {
            Some(last) => last.until = until,
            None => self.pauses.push(Pause { from, until, waited }),
        }
    }

    /// How long it had been at work at a moment, without the times in which it waited or stood still.
    pub fn worked_ms_by(&self, at: Timestamp) -> u64 {
        let pauses = self.pauses.iter().map(|pause| at.min(pause.until).since_ms(pause.from));
        at.since_ms(self.run.started_at).saturating_sub(pauses.sum())
    }

    /// How long it has been at work by now; and since when it waits for a decision, while it does.
    pub fn worked_ms_now(&self, now: Timestamp) -> (u64, Option<Timestamp>) {
        let waits_since = self.last_event_at.filter(|_| self.run.state == RunState::NeedsDecision);
        (self.run.worked_ms(waits_since.unwrap_or(now)), waits_since)
    }

    fn change(&mut self, step: Step, f: impl FnOnce(&mut StepView)) {
        if let Some(s) = self.steps.iter_mut().find(|s| s.step == step) {
            f(s);
        }
    }

    fn end(&mut self, state: RunState, at: Timestamp) {
        self.run.state = state;
        self.run.ended_at = Some(at);
        self.run.duration_ms = Some(self.run.worked_ms(at));
    }
}

#[cfg(test)]
mod tests;
