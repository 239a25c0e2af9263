//! What the pages show beside plans and runs.

use serde::{Deserialize, Serialize};

use crate::{
    BackupHealth, Inventory, Layout, OperationRow, RunId, RunSummary, StagingCounts, StoreKind, StoreReport, Timestamp,
    Trigger, VersionId, VersionRow, VersionState,
};

/// Can a rollback be started right now?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// How good the news is.
    pub level: VerdictLevel,
    /// One sentence, in bold on the page: "You can roll back now."
    pub headline: String,
    /// The reasons, in one sentence each.
    pub reasons: Vec<String>,
    /// What to do next, when something is wrong.
    pub remedy: Option<String>,
}

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerdictLevel {
    /// A rollback can start.
    Ready,
    /// Nothing is staged or failed: nothing to do.
    Quiet,
    /// A run is active; it has the floor.
    Running,
    /// Something needs a look first.
    Attention,
    /// A rollback cannot start.
    Blocked,
}

/// Staging and production of one store, as far as they could be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StagedInStore {
    /// Which store.
    pub store: StoreKind,
    /// What is staged; absent when it could not be counted.
    pub staging: Option<StagingCounts>,
    /// Production; absent when it could not be counted.
    pub production: Option<Inventory>,
    /// Why not.
    pub problem: Option<String>,
}

/// The first page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Can I roll back right now?
    pub verdict: Verdict,
    /// The run at work or waiting, if any.
    pub active_run: Option<RunSummary>,
    /// The newest run that was interrupted and waits to be resumed or abandoned, if any.
    #[serde(default)]
    pub interrupted_run: Option<RunSummary>,
    /// All of those, the newest first. A run whose version a later one took over is not among them.
    #[serde(default)]
    pub interrupted_runs: Vec<RunSummary>,
    /// The three stores.
    pub stores: Vec<StoreReport>,
    /// latest-copy, as last proven; absent until the first proof is through.
    pub latest_copy: Option<BackupHealth>,
    /// Versions that may be rolled back, the most urgent first; at most 20. What a run has in hand, active or interrupted, is not
    /// among them.
    pub candidates: Vec<VersionRow>,
    /// How many of those there are.
    pub candidate_count: u64,
    /// What is staged, store by store.
    pub staged: Vec<StagedInStore>,
    /// Whose staging data that is, in the per-version layout. In the shared one there is one place for all versions.
    #[serde(default)]
    pub staged_of: Option<VersionId>,
    /// The latest runs; at most 5.
    pub recent_runs: Vec<RunSummary>,
    /// Requests for approval that wait for another person.
    #[serde(default)]
    pub open_approvals: u64,
    /// The layout found.
    pub layout: Option<Layout>,
    /// The deployment's name, by configuration.
    pub deployment: String,
    /// When this was put together.
    pub at: Timestamp,
}

/// That the overview, or another page, says something else than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// What the overview says now, as a checksum: the same while nothing changes but times.
    pub seen: String,
    /// What it and all other pages say, as a checksum: versions, runs, backups and approvals too.
    pub everywhere: String,
    /// When that was first seen.
    pub at: Timestamp,
}

/// Everything about one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionDetail {
    /// The registry row.
    #[serde(flatten)]
    pub version: VersionRow,
    /// Whether it can be rolled back, or why not, in words.
    pub rollback: String,
    /// The rollback of it that was interrupted, and that no later one took over.
    #[serde(default)]
    pub interrupted_run: Option<RunId>,
    /// What suggests a rollback of it, with where that was seen; of versions that can be rolled back.
    #[serde(default)]
    pub triggers: Vec<Trigger>,
    /// What is staged of it, store by store.
    pub staging: Vec<StagedInStore>,
    /// The latest entries of the operation log about it, newest first; at most 200.
    pub operations: Vec<OperationRow>,
    /// Runs about it, newest first; at most 20.
    pub runs: Vec<RunSummary>,
    /// The layout found.
    pub layout: Layout,
}

/// How many versions have a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateCount {
    /// The state.
    pub status: VersionState,
    /// How many.
    pub count: u64,
}

/// Which runs to list; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunQuery {
    /// Only runs in this state.
    #[serde(default)]
    pub state: Option<crate::RunState>,
    /// Only runs of this kind.
    #[serde(default)]
    pub kind: Option<crate::RunKind>,
    /// Only runs about this version.
    #[serde(default)]
    pub version_id: Option<String>,
    /// Only runs with this text in reason, version or who started it, in any case of its letters.
    #[serde(default)]
    pub search: Option<String>,
    /// Only runs that began at this moment or later.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Only runs that began before this moment.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<crate::Cursor>,
    /// Rows a page, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// How many runs there are of a state and a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCount {
    /// The state.
    pub state: crate::RunState,
    /// The kind.
    pub kind: crate::RunKind,
    /// So many.
    pub count: u64,
}

/// How long a step took in earlier runs that completed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepDuration {
    /// Which.
    pub step: crate::Step,
    /// The median.
    pub median_ms: u64,
    /// Of how many runs.
    pub runs: u64,
    /// The document's estimate.
    pub documented_ms: u64,
}
