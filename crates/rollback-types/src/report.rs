//! A run's report: what happened, for those who were not there. Made from the journal alone, but for the way back, which
//! is as it is now.

use serde::{Deserialize, Serialize};

use crate::note::{AfterItem, Wording, Written};
use crate::{
    BackupSource, CheckItem, Decision, Layout, RunSummary, Step, StepError, StepState, StoreKind, StoreOutcome,
    TimeEstimate, Timestamp, Trigger, ValidationReport, ValidationVerdict, VersionRow,
};

/// A count before the run and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountChange {
    /// What is counted: `staged points`, `production nodes`.
    pub what: String,
    /// As the confirmed plan counted it; absent when it could not.
    pub before: Option<u64>,
    /// As the run proved it; absent when it proved nothing about it.
    pub after: Option<u64>,
}

/// What the run did to one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreBalance {
    /// Which.
    pub store: StoreKind,
    /// Staged data, then production.
    pub counts: Vec<CountChange>,
    /// By what the figures after the run are known, or why they are not.
    pub proof: String,
    /// The plan's evidence: does production differ from the copy?
    pub evidence: String,
    /// A restore of it was part of the plan.
    pub restore_planned: bool,
}

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepOutcome {
    /// Which.
    pub step: Step,
    /// 1 to 8, as in the document.
    pub number: u8,
    /// Its name.
    pub title: String,
    /// Where it stands.
    pub state: StepState,
    /// What was done, or why it was skipped.
    pub outcome: Option<String>,
    /// The fault it ended with.
    pub error: Option<StepError>,
    /// How often it was begun.
    pub attempts: u32,
    /// When its first try began.
    pub started_at: Option<Timestamp>,
    /// How long all its tries were at work; absent when it did no work.
    pub took_ms: Option<u64>,
    /// The document's estimate.
    pub documented_ms: u64,
    /// The median of completed runs here.
    pub median_ms: Option<u64>,
}

/// A person's decision about a failed step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionTaken {
    /// When.
    pub at: Timestamp,
    /// For which step.
    pub step: Step,
    /// What.
    pub decision: Decision,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: String,
}

/// The process ended in the middle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Interruption {
    /// The run's last sign of life before it.
    #[serde(default)]
    pub last_sign_at: Option<Timestamp>,
    /// When it was found.
    pub at: Timestamp,
    /// What that meant for the data.
    pub message: String,
    /// How a person ended it.
    pub ended: Option<InterruptionEnd>,
}

/// What became of an interrupted run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InterruptionEnd {
    /// Taken up again, or given up.
    pub resumed: bool,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Who approved the plan of what was left.
    pub approved_by: Vec<String>,
}

/// What the run saved before it restored, as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SavedWayBack {
    /// The stores it holds.
    pub stores: Vec<StoreKind>,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it goes by itself; absent while the run is not over.
    pub kept_until: Option<Timestamp>,
}

/// How an item of the "after" checklist stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AfterState {
    /// The run's evidence says yes.
    Proven,
    /// The run's evidence says no: nobody can tick it.
    Disproven,
    /// The evidence does not tell, and a person says yes.
    Ticked,
    /// The evidence does not tell, and nobody says yes.
    Open,
}

/// An item of the "after" checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AfterCheck {
    /// Which.
    pub item: AfterItem,
    /// The document's words.
    pub title: String,
    /// How it stands.
    pub state: AfterState,
    /// The evidence, or what is missing.
    pub detail: String,
    /// Who said the last word about it, where a person did.
    pub by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

impl AfterCheck {
    /// A person may tick it, or take the tick back.
    pub fn is_for_person(&self) -> bool {
        matches!(self.state, AfterState::Ticked | AfterState::Open) && !self.item.is_text()
    }
}

/// A run's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunReport {
    /// Which run, of what, why, by whom, when, and how it ended.
    pub run: RunSummary,
    /// Who approved the plan.
    pub approved_by: Vec<String>,
    /// The version as the plan saw it.
    pub version: Option<VersionRow>,
    /// The layout found.
    pub layout: Option<Layout>,
    /// It continued an earlier rollback.
    pub take_over: bool,
    /// The backup that was proven, and restored from where the plan said so.
    pub source: Option<BackupSource>,
    /// The triggers that the plan saw, with evidence.
    pub triggers: Vec<Trigger>,
    /// What was acknowledged before the start, in words.
    pub acknowledged: Vec<String>,
    /// The "before" checklist.
    pub before: Vec<CheckItem>,
    /// Store by store, in counts.
    pub stores: Vec<StoreBalance>,
    /// Store by store, in words.
    #[serde(default)]
    pub outcomes: Vec<StoreOutcome>,
    /// Step by step.
    pub steps: Vec<StepOutcome>,
    /// How long the whole was expected to take when it was planned.
    pub time: Option<TimeEstimate>,
    /// What people decided on the way, oldest first.
    pub decisions: Vec<DecisionTaken>,
    /// When its process ended in the middle, oldest first.
    pub interruptions: Vec<Interruption>,
    /// What steps told for the end.
    pub findings: Vec<String>,
    /// What the validation found.
    pub validation: Option<ValidationReport>,
    /// What it saved before it restored; absent when it saved nothing, or that is gone.
    pub way_back: Option<SavedWayBack>,
    /// Why it came to the run.
    pub root_cause: Option<Wording>,
    /// What is to be done otherwise.
    pub lessons: Option<Wording>,
    /// Anything else people wrote, oldest first.
    pub remarks: Vec<Written>,
    /// The "after" checklist.
    pub checklist: Vec<AfterCheck>,
    /// What this report could not tell, and why.
    pub gaps: Vec<String>,
    /// When it was made.
    pub made_at: Timestamp,
}

impl RunReport {
    /// No step follows: notes can be added.
    pub fn is_over(&self) -> bool {
        self.run.state.is_over()
    }
}

/// What is compared of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComparedRun {
    /// Which.
    pub run: RunSummary,
    /// Who approved the plan.
    pub approved_by: Vec<String>,
    /// The backup that was proven, and restored from where the plan said so.
    pub source: Option<BackupSource>,
    /// Stores that were restored.
    pub restored: Vec<StoreKind>,
    /// How many decisions people took.
    pub decisions: u64,
    /// How often it was interrupted.
    pub interruptions: u64,
    /// How many findings the steps told.
    pub findings: u64,
    /// What the validation said.
    pub validation: Option<ValidationVerdict>,
    /// Why it came to the run, in the words that stand now.
    #[serde(default)]
    pub root_cause: Option<String>,
    /// What is to be done otherwise, in the words that stand now.
    #[serde(default)]
    pub lessons: Option<String>,
}

/// A step in one of two runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComparedStep {
    /// Where it stands.
    pub state: StepState,
    /// What was done, or why it was skipped; its fault when it failed.
    pub outcome: Option<String>,
    /// How long all its tries were at work.
    pub took_ms: Option<u64>,
    /// How often it was begun.
    #[serde(default)]
    pub attempts: u32,
}

/// One step in both runs; absent in a run whose kind has no such step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepComparison {
    /// Which.
    pub step: Step,
    /// Its name.
    pub title: String,
    /// In the first.
    pub a: Option<ComparedStep>,
    /// In the second.
    pub b: Option<ComparedStep>,
    /// How much longer the second was at work, in milliseconds; negative when it was faster.
    pub longer_ms: Option<i64>,
}

/// One count in both runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountComparison {
    /// Of which store.
    pub store: StoreKind,
    /// What is counted.
    pub what: String,
    /// In the first.
    pub a: Option<CountChange>,
    /// In the second.
    pub b: Option<CountChange>,
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunComparison {
    /// The first.
    pub a: ComparedRun,
    /// The second.
    pub b: ComparedRun,
    /// How much longer the second was at work in all, in milliseconds; negative when it was faster.
    pub longer_ms: Option<i64>,
    /// Step by step, in the document's order.
    pub steps: Vec<StepComparison>,
    /// Store by store.
    pub counts: Vec<CountComparison>,
}
