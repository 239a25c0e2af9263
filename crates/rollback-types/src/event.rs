//! What happens in a run, as numbered events, and how far a step is, as progress.
//!
//! Events are numbered from 1 without gaps, journalled before they are shown, and never change. Progress is neither
//! numbered nor journalled: after an interruption the stores are counted again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Note, PlanDigest, RunId, RunKind, RunState, Step, StoreKind, Timestamp, VersionId};

/// One entry of a run's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// 1, 2, 3, … without gaps within a run; the `id` of the event stream.
    pub number: u64,
    /// The run.
    pub run_id: RunId,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

#[cfg(target_arch = "wasm32")]
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        crate::browser::event(from)
    }
}

/// What happened. A reader ignores kinds it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The run exists; nothing was done yet.
    RunStarted {
        /// What kind of run.
        kind: RunKind,
        /// Its version.
        version_id: VersionId,
        /// The plan that was confirmed.
        plan_digest: PlanDigest,
        /// Why, in the operator's words.
        reason: String,
        /// Who.
        actor: String,
        /// Who approved the plan, where that is asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approved_by: Vec<String>,
    },
    /// The step begins; journalled before its effect.
    StepStarted {
        /// Which.
        step: Step,
        /// 1, or more after a retry by decision.
        attempt: u32,
    },
    /// Something worth knowing on the way.
    StepNote {
        /// Which.
        step: Step,
        /// One sentence.
        message: String,
    },
    /// The step is about to change so many units. In the journal before the change: after an interruption, this tells
    /// whether production may have been touched.
    StepActs {
        /// Which.
        step: Step,
        /// Units counted before the change; of a restore those that the copy brings.
        units: u64,
    },
    /// Something that the run's end must tell, though the step did not fail.
    StepFinding {
        /// Which.
        step: Step,
        /// One sentence.
        message: String,
    },
    /// A passing fault: the step waits and tries again by itself.
    StepRetrying {
        /// Which.
        step: Step,
        /// How often it has failed so far.
        failures: u32,
        /// The wait before the next try.
        wait_ms: u64,
        /// The fault.
        error: StepError,
    },
    /// Done, and its check proved it.
    StepCompleted {
        /// Which.
        step: Step,
        /// There was nothing left to do.
        found_absent: bool,
        /// Rows, points, nodes or bytes handled, where it counts any.
        count: Option<u64>,
        /// What was really done, in one sentence.
        outcome: String,
    },
    /// Not done, with its reason (by plan or by decision).
    StepSkipped {
        /// Which.
        step: Step,
        /// Why.
        reason: String,
        /// A person chose it, after a failure.
        by_decision: bool,
    },
    /// Failed for good: siblings finish, then the run asks.
    StepFailed {
        /// Which.
        step: Step,
        /// Why.
        error: StepError,
    },
    /// The run waits for a person.
    DecisionNeeded {
        /// The failed steps.
        steps: Vec<Step>,
    },
    /// A person decided.
    DecisionMade {
        /// For which step.
        step: Step,
        /// What.
        decision: Decision,
        /// Why; required for a skip.
        reason: Option<String>,
        /// Who.
        actor: String,
    },
    /// What the validation found; follows its step's beginning.
    Validated {
        /// The checks and the search.
        report: Box<crate::ValidationReport>,
    },
    /// The process had ended in the middle; found at the next start.
    RunInterrupted {
        /// What that means for the data.
        message: String,
        /// The process wrote this itself as it stopped. Otherwise the next one found it, at any time afterwards.
        #[serde(default)]
        stopped: bool,
    },
    /// After an interruption, a person had what is left planned again, and confirmed it.
    RunResumed {
        /// The plan of the rest.
        plan_digest: PlanDigest,
        /// Steps that were through and are done again, because what they proved did not outlive the process.
        again: Vec<Step>,
        /// Why.
        reason: String,
        /// Who.
        actor: String,
        /// As in `run_started`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approved_by: Vec<String>,
    },
    /// After an interruption, a person gave the run up. It is *aborted* then.
    RunAbandoned {
        /// Why.
        reason: String,
        /// Who.
        actor: String,
        /// What that left, in one or two sentences.
        summary: String,
    },
    /// The last event of what the run itself did.
    RunEnded {
        /// Completed, completed with findings, or aborted.
        state: RunState,
        /// What the run did, in one or two sentences.
        summary: String,
        /// What was found, a sentence each; runs of earlier versions have it in the summary.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<String>,
    },
    /// After its end a person added something. The run stays as it ended.
    RunAnnotated {
        /// What.
        notes: Vec<Note>,
        /// Who.
        actor: String,
    },
    /// A kind this reader does not know.
    #[serde(other)]
    Unknown,
}

impl EventKind {
    /// The run does nothing after it. What may still follow: an interrupted run is resumed or abandoned, and people add
    /// notes to a run that is over.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::RunEnded { .. } | Self::RunInterrupted { .. } | Self::RunAbandoned { .. })
    }

    /// The step it speaks of.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::StepStarted { step, .. }
            | Self::StepNote { step, .. }
            | Self::StepActs { step, .. }
            | Self::StepFinding { step, .. }
            | Self::StepRetrying { step, .. }
            | Self::StepCompleted { step, .. }
            | Self::StepSkipped { step, .. }
            | Self::StepFailed { step, .. }
            | Self::DecisionMade { step, .. } => Some(*step),
            _ => None,
        }
    }
}

/// A fault of a step: what happened, what is safe, what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepError {
    /// A word for machines: `unreachable`, `timeout`, `authentication`, `busy`, `changed`, …
    pub code: String,
    /// The store it came from, if any.
    pub store: Option<StoreKind>,
    /// What happened, with host and operation.
    pub message: String,
    /// What is safe.
    pub safe: String,
    /// What to do next.
    pub remedy: String,
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a person may decide about a failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Try the step again.
    Retry,
    /// Go on without it; another tool has done it.
    Skip,
    /// Only lanes of step 7: put this run's way back in again, so that the store is as it was before the step.
    WayBack,
    /// End the run; the version stays `rolling_back` and is offered as "take over".
    Abort,
}

impl Decision {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::WayBack => "way_back",
            Self::Abort => "abort",
        }
    }
}

/// How far a step is, at least once a second while it is at work. Throttled, unnumbered, never journalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Which.
    pub step: Step,
    /// Units handled.
    pub done: u64,
    /// Units in all; constant within a step. 0: nothing of what the step counts is handled yet.
    pub total: u64,
    /// What it does beside that, in words: what comes before the count or after it, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doing: Option<String>,
}

/// What a subscriber of a run receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(Deserialize))]
#[serde(untagged)]
pub enum StreamItem {
    /// A numbered event.
    Event(Event),
    /// How far a step is.
    Progress(Progress),
}
