//! A run as it is seen: the same fold over events on the server and in the browser.

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind, Progress, StepError};
use crate::{
    Decision, LogLine, PlanDigest, RunId, RunKind, Step, StepState, StoreKind, Timestamp, ValidationReport, VersionId,
};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// At work.
    Running,
    /// Waits for a person.
    NeedsDecision,
    /// The process ended in the middle.
    Interrupted,
    /// All steps through.
    Completed,
    /// All steps through, and a check afterwards found something.
    CompletedWithFindings,
    /// A person ended it after a failure.
    Aborted,
}

impl RunState {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NeedsDecision => "needs_decision",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::CompletedWithFindings => "completed_with_findings",
            Self::Aborted => "aborted",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Running,
            Self::NeedsDecision,
            Self::Interrupted,
            Self::Completed,
            Self::CompletedWithFindings,
            Self::Aborted,
        ]
        .into_iter()
        .find(|s| s.as_str() == word)
    }

    /// All steps through.
    pub fn ended_well(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithFindings)
    }

    /// The run does nothing more, and cannot be resumed.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithFindings | Self::Aborted)
    }

    /// Running or waiting for a person: no other run may start.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::NeedsDecision)
    }
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// Its number.
    pub id: RunId,
    /// What kind.
    pub kind: RunKind,
    /// Its version.
    pub version_id: VersionId,
    /// Where it stands.
    pub state: RunState,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who started it.
    pub actor: String,
    /// The confirmed plan.
    pub plan_digest: PlanDigest,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `ended_at - started_at`.
    pub duration_ms: Option<u64>,
    /// What it did, once ended.
    pub summary: Option<String>,
    /// The number of its last event.
    pub last_event: u64,
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
    /// Units handled.
    pub done: Option<u64>,
    /// Units in all.
    pub total: Option<u64>,
    /// What `done` and `total` count.
    pub unit: Option<String>,
    /// When it began; after a decision to retry, when that try began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What was done, or why it was skipped.
    pub outcome: Option<String>,
    /// The last fault, while it matters.
    pub error: Option<StepError>,
    /// What a person may decide now; empty unless the run asks about this step.
    pub decisions: Vec<Decision>,
}

impl StepView {
    fn new(step: Step) -> Self {
        Self {
            step,
            number: step.number(),
            lane: step.lane(),
            title: step.title().to_owned(),
            state: StepState::Pending,
            done: None,
            total: None,
            unit: step.unit().map(str::to_owned),
            started_at: None,
            ended_at: None,
            outcome: None,
            error: None,
            decisions: Vec::new(),
        }
    }

    /// `ended_at - started_at`, once both are known.
    pub fn duration_ms(&self) -> Option<u64> {
        Some(self.ended_at?.since_ms(self.started_at?))
    }
}

/// A run with its steps and its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The log so far.
    pub log: Vec<LogLine>,
}

impl RunView {
    /// A run of which nothing is known yet but its summary; feed it all its events.
    pub fn new(mut run: RunSummary) -> Self {
        run.last_event = 0;
        let steps = run.kind.steps().into_iter().map(StepView::new).collect();
        Self { run, steps, validation: None, log: Vec::new() }
    }

    /// Takes in one event. Stale numbers and unknown kinds change nothing but, for the latter, the last number.
    /// Returns whether the event was new.
    pub fn apply(&mut self, event: &Event) -> bool {
        if event.number <= self.run.last_event || event.run_id != self.run.id {
            return false;
        }
        self.run.last_event = event.number;
        let at = event.at;
        match &event.kind {
            EventKind::RunStarted { .. } => self.run.state = RunState::Running,
            EventKind::StepStarted { step, .. } => {
                self.run.state = RunState::Running;
                self.change(*step, |s| {
                    s.state = StepState::Running;
                    s.started_at = Some(at);
                    s.ended_at = None;
                    (s.done, s.total, s.outcome, s.error) = (None, None, None, None);
                    s.decisions.clear();
                });
            }
            EventKind::StepNote { .. }
            | EventKind::StepActs { .. }
            | EventKind::StepFinding { .. }
            | EventKind::RunAnnotated { .. }
            | EventKind::Unknown => {}
            EventKind::Validated { report } => self.validation = Some(*report.clone()),
            EventKind::StepRetrying { step, error, .. } => self.change(*step, |s| s.error = Some(error.clone())),
            EventKind::StepCompleted { step, found_absent, count, outcome } => self.change(*step, |s| {
                s.state = if *found_absent { StepState::FoundAbsent } else { StepState::Done };
                s.ended_at = Some(at);
                s.outcome = Some(outcome.clone());
                s.error = None;
                if count.is_some() {
                    (s.done, s.total) = (*count, *count);
                }
            }),
            EventKind::StepSkipped { step, reason, .. } => self.change(*step, |s| {
                s.state = StepState::Skipped;
                s.started_at.get_or_insert(at);
                s.ended_at = Some(at);
                s.outcome = Some(format!("skipped: {reason}"));
                s.error = None;
                s.decisions.clear();
            }),
            EventKind::StepFailed { step, error } => self.change(*step, |s| {
                s.state = StepState::Failed;
                s.ended_at = Some(at);
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
            EventKind::DecisionMade { step, .. } => {
                self.change(*step, |s| s.decisions.clear());
                if self.steps.iter().all(|s| s.decisions.is_empty()) {
                    self.run.state = RunState::Running;
                }
            }
            EventKind::RunInterrupted { .. } => {
                self.end(RunState::Interrupted, at);
                for s in self.steps.iter_mut().filter(|s| s.state == StepState::Running) {
                    s.state = StepState::Interrupted;
                    s.ended_at = Some(at);
                }
            }
            EventKind::RunResumed { .. } => {
                self.run.state = RunState::Running;
                (self.run.ended_at, self.run.duration_ms, self.run.summary) = (None, None, None);
            }
            EventKind::RunAbandoned { summary, .. } => {
                self.run.summary = Some(summary.clone());
                self.end(RunState::Aborted, at);
            }
            EventKind::RunEnded { state, summary } => {
                self.run.summary = Some(summary.clone());
                self.end(*state, at);
            }
        }
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
                s.done = Some(s.done.unwrap_or(0).max(progress.done));
                s.total = Some(s.total.unwrap_or(0).max(progress.total));
            }
        });
    }

    /// The view of one step.
    pub fn step(&self, step: Step) -> Option<&StepView> {
        self.steps.iter().find(|s| s.step == step)
    }

    fn change(&mut self, step: Step, f: impl FnOnce(&mut StepView)) {
        if let Some(s) = self.steps.iter_mut().find(|s| s.step == step) {
            f(s);
        }
    }

    fn end(&mut self, state: RunState, at: Timestamp) {
        self.run.state = state;
        self.run.ended_at = Some(at);
        self.run.duration_ms = Some(at.since_ms(self.run.started_at));
        for s in &mut self.steps {
            s.decisions.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Note;
    use proptest::prelude::*;

    #[test]
    fn a_long_log_is_cut_at_its_beginning() {
        let mut v = view();
        for number in 1..=5 {
            let kind = EventKind::StepNote { step: Step::Mark, message: number.to_string() };
            v.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(2_000), kind });
        }
        v.keep_last_lines(2);
        assert_eq!(v.log.iter().map(|line| line.number).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(v.run.last_event, 5);
    }

    fn view() -> RunView {
        RunView::new(RunSummary {
            id: RunId(7),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            state: RunState::Running,
            reason: "r".into(),
            actor: "a".into(),
            plan_digest: PlanDigest("d".into()),
            started_at: Timestamp::from_unix_ms(1_000),
            ended_at: None,
            duration_ms: None,
            summary: None,
            last_event: 0,
        })
    }

    fn kinds() -> Vec<EventKind> {
        let error = StepError {
            code: "timeout".into(),
            store: None,
            message: "m".into(),
            safe: "s".into(),
            remedy: "r".into(),
        };
        vec![
            EventKind::StepStarted { step: Step::Identify, attempt: 1 },
            EventKind::StepFailed { step: Step::Identify, error },
            EventKind::DecisionNeeded { steps: vec![Step::Identify] },
            EventKind::DecisionMade {
                step: Step::Identify,
                decision: Decision::Retry,
                reason: None,
                actor: "a".into(),
            },
            EventKind::StepStarted { step: Step::Identify, attempt: 2 },
            EventKind::StepCompleted { step: Step::Identify, found_absent: false, count: None, outcome: "o".into() },
            EventKind::RunEnded { state: RunState::Completed, summary: "s".into() },
        ]
    }

    proptest! {
        /// Duplicates and stale replays, at any place, change nothing.
        #[test]
        fn duplicates_are_harmless(repeats in proptest::collection::vec(0usize..7, 0..20)) {
            let events: Vec<Event> = kinds().into_iter().zip(1..).map(|(kind, number)| Event {
                number, run_id: RunId(7), at: Timestamp::from_unix_ms(1_000 + number as i64), kind,
            }).collect();
            let mut plain = view();
            events.iter().for_each(|e| { plain.apply(e); });
            let mut noisy = view();
            for (i, e) in events.iter().enumerate() {
                noisy.apply(e);
                for r in &repeats { if *r <= i { prop_assert!(!noisy.apply(&events[*r])); } }
            }
            prop_assert_eq!(plain, noisy);
        }
    }

    #[test]
    fn a_failed_step_may_be_decided_until_it_is() {
        let mut v = view();
        for (kind, number) in kinds().into_iter().zip(1..).take(3) {
            v.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(2_000), kind });
        }
        assert_eq!(v.run.state, RunState::NeedsDecision);
        assert_eq!(v.steps[0].decisions, [Decision::Retry, Decision::Abort]);
    }

    #[test]
    fn a_note_after_the_end_changes_nothing_but_the_log() {
        let mut v = view();
        let event = |number, kind| Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(9_000), kind };
        v.apply(&event(1, EventKind::RunEnded { state: RunState::Aborted, summary: "s".into() }));
        let before = v.clone();
        let notes = vec![Note::RootCause { text: "a full disk".into() }];
        assert!(v.apply(&event(2, EventKind::RunAnnotated { notes, actor: "ada".into() })));
        assert_eq!(v.log.last().map(|l| l.text.as_str()), Some("ada added to the report: root cause"));
        v.log.pop();
        v.run.last_event = 1;
        assert_eq!(v, before);
    }

    #[test]
    fn an_unknown_kind_moves_only_the_number() {
        let text = r#"{"number":1,"run_id":7,"at":"2026-01-01T00:00:00Z","type":"teleported","to":"mars"}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        let mut v = view();
        assert!(v.apply(&event));
        assert_eq!((v.run.last_event, v.log.len()), (1, 0));
    }

    #[test]
    fn progress_never_goes_back() {
        let mut v = view();
        v.apply(&Event {
            number: 1,
            run_id: RunId(7),
            at: Timestamp::from_unix_ms(2_000),
            kind: EventKind::StepStarted { step: Step::DeleteNodes, attempt: 1 },
        });
        v.apply_progress(&Progress { step: Step::DeleteNodes, done: 10, total: 20 });
        v.apply_progress(&Progress { step: Step::DeleteNodes, done: 5, total: 20 });
        assert_eq!(v.step(Step::DeleteNodes).unwrap().done, Some(10));
        v.apply_progress(&Progress { step: Step::Finish, done: 5, total: 20 });
        assert_eq!(v.step(Step::Finish).unwrap().done, None);
    }
}
