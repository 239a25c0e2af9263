//! A run as lists show it.

use serde::{Deserialize, Serialize};

use crate::{EventKind, PlanDigest, RunId, RunKind, Timestamp, VersionId};

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

/// What passed between an event of a run and the one before it: the one rule of how its time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It was at work.
    Work,
    /// It waited for a person's decision.
    Wait,
    /// Nobody was at work on it: its process had ended.
    Standstill,
}

impl Passed {
    /// By the state in which the run was, and the event that ended it.
    pub fn until(event: &EventKind, before: RunState) -> Self {
        match event {
            // Whatever it did when its process ended: when that was, nobody saw.
            EventKind::RunInterrupted { stopped: false, .. }
            | EventKind::RunResumed { .. }
            | EventKind::RunAbandoned { .. } => Self::Standstill,
            _ if before == RunState::NeedsDecision => Self::Wait,
            _ => Self::Work,
        }
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
    /// How long it was at work: `ended_at - started_at`, less the time in which it waited for a decision or stood still.
    pub duration_ms: Option<u64>,
    /// How long it waited for people to decide.
    #[serde(default)]
    pub waited_ms: u64,
    /// How long nobody was at work on it after interruptions.
    #[serde(default)]
    pub stood_still_ms: u64,
    /// While it is interrupted: its last sign of life. That it was interrupted may have been found much later.
    #[serde(default)]
    pub last_sign_at: Option<Timestamp>,
    /// What it did, once ended: one sentence, and how much was found. Store by store the steps' outcomes tell it.
    pub summary: Option<String>,
    /// The number of its last event.
    pub last_event: u64,
}

impl RunSummary {
    /// How long it has been at work until then, where that is after all its waits and interruptions.
    pub fn worked_ms(&self, until: Timestamp) -> u64 {
        until.since_ms(self.started_at).saturating_sub(self.stood_still_ms + self.waited_ms)
    }
}
