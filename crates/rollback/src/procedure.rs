//! The procedure as a pure state machine: which event may follow which.
//!
//! The engine asks it before every entry of the journal, so that an order the document does not allow can be neither
//! carried out nor recorded.

use std::collections::BTreeMap;

use rollback_types::{Decision, EventKind, RunKind, RunState, Step};

/// Where one step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Pending,
    Running {
        attempt: u32,
    },
    Through {
        attempt: u32,
        /// A person left its work undone.
        given_up: bool,
    },
    Failed {
        attempt: u32,
    },
    /// A person chose to try again; the step has not begun yet.
    ToRetry {
        attempt: u32,
    },
    /// A person chose to skip it; not recorded as skipped yet.
    ToSkip {
        attempt: u32,
    },
}

/// Where the run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    New,
    Running,
    Asking,
    Aborting,
    /// The process ended in the middle: a person may resume the run, or give it up.
    Interrupted,
    /// So it ended, and so it stays: only notes follow.
    Ended(RunState),
}

/// A run, as far as the order of its events is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Procedure {
    kind: RunKind,
    course: Course,
    /// A person has decided to abort, whatever came after it.
    aborting: bool,
    steps: BTreeMap<Step, Phase>,
}

/// The event may not follow what came before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event} may not follow: {because}")]
pub struct IllegalTransition {
    /// The event's kind.
    pub event: String,
    /// Why not.
    pub because: String,
}

impl Procedure {
    /// A run of this kind to which nothing has happened.
    pub fn new(kind: RunKind) -> Self {
        let steps = kind.steps().into_iter().map(|s| (s, Phase::Pending)).collect();
        Self { kind, course: Course::New, aborting: false, steps }
    }

    /// Takes the event in, or says why it may not happen now. `self` is unchanged after an error.
    ///
    /// # Errors
    /// [`IllegalTransition`].
    pub fn apply(&mut self, event: &EventKind) -> Result<(), IllegalTransition> {
        let illegal = |because: String| IllegalTransition { event: word(event), because };
        let expect = |course: Course, allowed: &[Course]| {
            if allowed.contains(&course) { Ok(()) } else { Err(illegal(format!("the run is {course:?}"))) }
        };
        match event {
            EventKind::RunStarted { .. } => {
                expect(self.course, &[Course::New])?;
                self.course = Course::Running;
            }
            EventKind::StepStarted { step, attempt } => {
                expect(self.course, &[Course::Running])?;
                self.stage_open(*step).map_err(illegal)?;
                let allowed = match self.phase(*step) {
                    Phase::Pending => *attempt == 1,
                    Phase::ToRetry { attempt: before } => *attempt == before + 1,
                    _ => false,
                };
                if !allowed {
                    return Err(illegal(format!("{step} is {:?}", self.phase(*step))));
                }
                self.steps.insert(*step, Phase::Running { attempt: *attempt });
            }
            EventKind::StepNote { step, .. }
            | EventKind::StepFinding { step, .. }
            | EventKind::StepActs { step, .. }
            | EventKind::StepRetrying { step, .. } => {
                expect(self.course, &[Course::Running])?;
                self.running(*step).map_err(illegal)?;
            }
            EventKind::Validated { .. } => {
                expect(self.course, &[Course::Running])?;
                self.running(Step::Validate).map_err(illegal)?;
            }
            EventKind::StepCompleted { step, .. } => {
                expect(self.course, &[Course::Running])?;
                let attempt = self.running(*step).map_err(illegal)?;
                self.steps.insert(*step, Phase::Through { attempt, given_up: false });
            }
            EventKind::StepFailed { step, .. } => {
                expect(self.course, &[Course::Running])?;
                let attempt = self.running(*step).map_err(illegal)?;
                self.steps.insert(*step, Phase::Failed { attempt });
            }
            EventKind::StepSkipped { step, by_decision, .. } => {
                expect(self.course, &[Course::Running])?;
                let allowed = match (self.phase(*step), by_decision) {
                    (Phase::ToSkip { .. }, true) => true,
                    // A lane of step 7 finds by looking that there is nothing to restore, or puts the way back in again.
                    (Phase::Running { .. }, _) if step.is_restore() => true,
                    // A safety backup has no copy of the graph.
                    (Phase::Running { .. }, false) => *step == Step::CopyNeo4j,
                    _ => false,
                };
                if !allowed {
                    return Err(illegal(format!("{step} is {:?}", self.phase(*step))));
                }
                let attempt = self.attempts(*step);
                self.steps.insert(*step, Phase::Through { attempt, given_up: *by_decision });
            }
            EventKind::DecisionNeeded { steps } => {
                expect(self.course, &[Course::Running])?;
                let failed: Vec<Step> = self.with(|p| matches!(p, Phase::Failed { .. }));
                if !self.with(|p| matches!(p, Phase::Running { .. })).is_empty() {
                    return Err(illegal("a step is still at work".into()));
                }
                if failed.is_empty() || failed != *steps {
                    return Err(illegal(format!("the failed steps are {failed:?}")));
                }
                self.course = Course::Asking;
            }
            EventKind::DecisionMade { step, decision, reason, .. } => {
                expect(self.course, &[Course::Asking])?;
                let Phase::Failed { attempt } = self.phase(*step) else {
                    return Err(illegal(format!("{step} is {:?}", self.phase(*step))));
                };
                match decision {
                    Decision::Retry => {
                        self.steps.insert(*step, Phase::ToRetry { attempt });
                    }
                    Decision::WayBack if !step.is_restore() => {
                        return Err(illegal(format!("{step} has no way back")));
                    }
                    Decision::WayBack => {
                        self.steps.insert(*step, Phase::ToRetry { attempt });
                    }
                    Decision::Skip if !step.may_be_skipped() => {
                        return Err(illegal(format!("{step} may not be skipped")));
                    }
                    Decision::Skip if reason.as_ref().is_none_or(|r| r.trim().is_empty()) => {
                        return Err(illegal("a skip needs a reason".into()));
                    }
                    Decision::Skip => {
                        self.steps.insert(*step, Phase::ToSkip { attempt });
                    }
                    Decision::Abort => {
                        self.course = Course::Aborting;
                        self.aborting = true;
                    }
                }
                if self.course == Course::Asking && self.with(|p| matches!(p, Phase::Failed { .. })).is_empty() {
                    self.course = Course::Running;
                }
            }
            EventKind::RunInterrupted { .. } => {
                expect(self.course, &[Course::New, Course::Running, Course::Asking, Course::Aborting])?;
                self.course = Course::Interrupted;
            }
            EventKind::RunResumed { again, .. } => {
                expect(self.course, &[Course::Interrupted])?;
                if self.aborting {
                    return Err(illegal("an abort was decided".into()));
                }
                if let Some(step) = again.iter().find(|s| !s.may_be_done_again()) {
                    return Err(illegal(format!("{step} is not done twice")));
                }
                for (step, phase) in &mut self.steps {
                    *phase = match *phase {
                        Phase::Running { attempt } | Phase::Failed { attempt } => Phase::ToRetry { attempt },
                        Phase::Through { attempt, .. } if again.contains(step) => Phase::ToRetry { attempt },
                        other => other,
                    };
                }
                self.course = Course::Running;
            }
            EventKind::RunAbandoned { .. } => {
                expect(self.course, &[Course::Interrupted])?;
                self.course = Course::Ended(RunState::Aborted);
            }
            EventKind::RunEnded { state, .. } => {
                let all_through = self.steps.values().all(|p| matches!(p, Phase::Through { .. }));
                let fits = match state {
                    RunState::Completed | RunState::CompletedWithFindings => {
                        self.course == Course::Running && all_through
                    }
                    RunState::Aborted => self.course == Course::Aborting,
                    _ => false,
                };
                if !fits {
                    return Err(illegal(format!("the run is {:?} and cannot end as {}", self.course, state.as_str())));
                }
                self.course = Course::Ended(*state);
            }
            EventKind::RunAnnotated { notes, .. } => {
                if !matches!(self.course, Course::Ended(_)) {
                    return Err(illegal(format!("the run is {:?}, and notes follow its end", self.course)));
                }
                if notes.is_empty() {
                    return Err(illegal("it says nothing".into()));
                }
            }
            EventKind::Unknown => return Err(illegal("it is of no known kind".into())),
        }
        Ok(())
    }

    /// The state to write beside the event that was just taken in.
    pub fn run_state(&self) -> RunState {
        match self.course {
            Course::Ended(state) => state,
            Course::Interrupted => RunState::Interrupted,
            Course::Asking => RunState::NeedsDecision,
            Course::New | Course::Running | Course::Aborting => RunState::Running,
        }
    }

    /// Steps that failed and about which nothing was decided.
    pub fn undecided(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::Failed { .. }))
    }

    /// Steps that failed and that a person chose to try again; they have not begun again yet.
    pub fn to_retry(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::ToRetry { .. }))
    }

    /// Steps of the stage that a person chose to skip.
    pub fn to_skip(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::ToSkip { .. }))
    }

    /// Steps of this stage that are to begin now, with the attempt's number.
    pub fn to_start(&self, stage: &[Step]) -> Vec<(Step, u32)> {
        stage
            .iter()
            .filter_map(|s| match self.phase(*s) {
                Phase::Pending => Some((*s, 1)),
                Phase::ToRetry { attempt } => Some((*s, attempt + 1)),
                _ => None,
            })
            .collect()
    }

    /// The step is done, found absent or skipped.
    pub fn is_through(&self, step: Step) -> bool {
        matches!(self.phase(step), Phase::Through { .. })
    }

    /// Steps that are done, found absent or skipped.
    pub fn through(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::Through { .. }))
    }

    /// Steps that are through because a person decided that they are not to be done.
    pub fn given_up(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::Through { given_up: true, .. }))
    }

    /// Steps whose end is not recorded, though they began: what they did is not known.
    pub fn in_hand(&self) -> Vec<Step> {
        self.with(|p| matches!(p, Phase::Running { .. }))
    }

    /// A person had decided to abort before the process ended: the run can only be given up.
    pub fn was_to_be_aborted(&self) -> bool {
        self.aborting
    }

    /// The process ended in the middle, and nobody has decided about the run.
    pub fn is_interrupted(&self) -> bool {
        self.course == Course::Interrupted
    }

    /// The run does nothing more, and cannot be resumed: people may add notes.
    pub fn is_over(&self) -> bool {
        matches!(self.course, Course::Ended(_))
    }

    /// It asks people about the steps that failed.
    pub fn is_asking(&self) -> bool {
        self.course == Course::Asking
    }

    /// An abort was decided, and the run has not ended yet.
    pub fn is_aborting(&self) -> bool {
        self.course == Course::Aborting
    }

    fn phase(&self, step: Step) -> Phase {
        self.steps.get(&step).copied().unwrap_or(Phase::Pending)
    }

    /// How often it was begun.
    pub(crate) fn attempts(&self, step: Step) -> u32 {
        match self.phase(step) {
            Phase::Pending => 0,
            Phase::Running { attempt }
            | Phase::Through { attempt, .. }
            | Phase::Failed { attempt }
            | Phase::ToRetry { attempt }
            | Phase::ToSkip { attempt } => attempt,
        }
    }

    fn running(&self, step: Step) -> Result<u32, String> {
        match self.phase(step) {
            Phase::Running { attempt } => Ok(attempt),
            other => Err(format!("{step} is {other:?}")),
        }
    }

    fn stage_open(&self, step: Step) -> Result<(), String> {
        if !self.steps.contains_key(&step) {
            return Err(format!("a run of kind {} has no {step}", self.kind.as_str()));
        }
        let before = self.kind.stages().iter().take_while(|stage| !stage.contains(&step));
        match before.flat_map(|stage| stage.iter()).find(|s| !self.is_through(**s)) {
            Some(open) => Err(format!("{open} is not through")),
            None => Ok(()),
        }
    }

    fn with(&self, test: impl Fn(Phase) -> bool) -> Vec<Step> {
        self.kind.steps().into_iter().filter(|s| test(self.phase(*s))).collect()
    }
}

fn word(event: &EventKind) -> String {
    let step = event.step().map(|s| format!(" ({s})")).unwrap_or_default();
    let json = serde_json::to_value(event).unwrap_or_default();
    format!("{}{step}", json.get("type").and_then(|t| t.as_str()).unwrap_or("an event"))
}

#[cfg(test)]
mod tests;
