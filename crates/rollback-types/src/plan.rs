//! What a rollback would do, computed and shown, changing nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    BackupHealth, BackupSource, Layout, OperationRow, PlanDigest, RunId, RunKind, Step, StoreKind, Timestamp,
    VersionId, VersionRow,
};

/// What to plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// What kind of run; a rollback when absent.
    #[serde(default)]
    pub kind: RunKind,
    /// The version to roll back. Of other kinds the subject: `latest-copy` or a kept version to restore from, `run-12`
    /// whose restore is undone, `production` or a version to validate, `latest-copy` to make anew.
    pub version_id: String,
    /// The stores to restore; absent: as the evidence recommends.
    #[serde(default)]
    pub restore: Option<Vec<StoreKind>>,
    /// Codes of acknowledgements given.
    #[serde(default)]
    pub acknowledgements: Vec<String>,
}

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// As in the plan.
    #[serde(default)]
    pub kind: RunKind,
    /// As in the plan.
    pub version_id: String,
    /// The plan that was read.
    pub plan_digest: String,
    /// The version id, typed once more by the person.
    pub confirm_version_id: String,
    /// Why; shown in the registry, the log and the history. 3 to 500 characters.
    pub reason: String,
    /// Stores to restore, as in the plan.
    #[serde(default)]
    pub restore: Option<Vec<StoreKind>>,
    /// Codes of acknowledgements given.
    #[serde(default)]
    pub acknowledgements: Vec<String>,
}

/// The confirmation of the plan for what is left of an interrupted run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// The plan that was read.
    pub plan_digest: String,
    /// Why; 3 to 500 characters.
    pub reason: String,
    /// Codes of acknowledgements given.
    #[serde(default)]
    pub acknowledgements: Vec<String>,
}

/// Something that forbids the start, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// A word for machines: `baseline`, `not_a_candidate`, `production_differs`, …
    pub code: String,
    /// What is wrong and what to do, in a sentence or two.
    pub message: String,
    /// What is planned can never be started, whatever is done about the stores: the version is none that is rolled back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// The run that stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

impl Refusal {
    /// A refusal that somebody can do something about.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), lasting: false, run: None }
    }

    /// Whatever is done, it stays so.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }

    /// This run stands in the way.
    #[must_use]
    pub fn because_of(mut self, run: RunId) -> Self {
        self.run = Some(run);
        self
    }
}

/// Something a person must have seen before the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Acknowledgement {
    /// A word for machines, with the names it is about: `other_candidates:v6_minor_…,v7_minor_…`.
    pub code: String,
    /// What is to be acknowledged.
    pub message: String,
}

/// An acknowledgement, and whether it was given with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AcknowledgementView {
    /// What is asked.
    #[serde(flatten)]
    pub asked: Acknowledgement,
    /// It was given.
    pub given: bool,
}

/// Staging data of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StagingCounts {
    /// There is staging data or an empty place for it.
    pub present: bool,
    /// The table, collection, or how nodes are told: `chapter_metadata_staging`, `:staging`, `id ends with ::v2`.
    pub name: String,
    /// SQLite: rows that go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
    /// Qdrant: points that go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub points: Option<u64>,
    /// Neo4j: nodes that go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nodes: Option<u64>,
    /// Neo4j: relationships that go, the crossing ones among them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relationships: Option<u64>,
    /// Neo4j: relationships between a staging and a production node; they go too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub crossing_relationships: Option<u64>,
    /// SQLite: the rows' own `version` column, with counts. Qdrant, per-version: the payload's `version_id`.
    #[serde(default)]
    pub versions: BTreeMap<String, u64>,
}

impl StagingCounts {
    /// The count in the store's own unit.
    pub fn units(&self) -> u64 {
        self.rows.or(self.points).or(self.nodes).unwrap_or(0)
    }
}

/// What there is, by one store's means of counting: production, or a copy of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inventory {
    /// The table, collection or file that was counted.
    pub name: String,
    /// SQLite: chapters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
    /// Qdrant: points, exact.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub points: Option<u64>,
    /// Neo4j: nodes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nodes: Option<u64>,
    /// Neo4j: relationships.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub relationships: Option<u64>,
    /// SQLite: SHA-256 over `textbook_id, chapter_number, content_hash` of every chapter, in that order; Qdrant: a
    /// fingerprint of the set of ids that knows no order. Lower-case hex; absent where it cannot be had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub digest: Option<String>,
    /// Neo4j: nodes per label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub labels: BTreeMap<String, u64>,
    /// Neo4j: relationships per type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub types: BTreeMap<String, u64>,
}

/// What the plan says about one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorePlan {
    /// What answers: `SQLite`, `Qdrant`, `Neo4j`, or `embedded`.
    pub engine: String,
    /// It answered, and the login works.
    pub reachable: bool,
    /// What is wrong with it, if anything.
    pub problem: Option<String>,
    /// What goes.
    pub staging: StagingCounts,
    /// Production as it is; absent when it could not be counted.
    pub production: Option<Inventory>,
    /// What latest-copy holds; absent when it could not be read.
    pub latest_copy: Option<Inventory>,
    /// Production differs from latest-copy; absent when one of them could not be read.
    pub differs: Option<bool>,
    /// The evidence, in one sentence.
    pub evidence: String,
    /// The evidence recommends a restore.
    pub restore_recommended: bool,
    /// A restore is part of this plan.
    pub restore: bool,
    /// Why it cannot be restored from this copy, and what to do about it, whatever is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_restore: Option<String>,
}

/// The plan's three stores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "the names say it")]
pub struct StorePlans {
    pub sqlite: StorePlan,
    pub qdrant: StorePlan,
    pub neo4j: StorePlan,
}

impl StorePlans {
    /// The plan of one store.
    pub fn get(&self, store: StoreKind) -> &StorePlan {
        match store {
            StoreKind::Sqlite => &self.sqlite,
            StoreKind::Qdrant => &self.qdrant,
            StoreKind::Neo4j => &self.neo4j,
        }
    }
}

/// How an item of the checklist stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Evidence says yes.
    Proven,
    /// Evidence says no; the plan is refused.
    Failed,
    /// Worth a look; asks for an acknowledgement.
    Warning,
    /// Only a person can tell.
    ForPerson,
}

/// One item of the document's safety checklist, "before".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckItem {
    /// A word for machines: `candidate`, `not_baseline`, `latest_copy`, `disk`, `stores`, `no_ingestion`, `stakeholders`.
    pub code: String,
    /// The item as a sentence.
    pub title: String,
    /// How it stands.
    pub state: CheckState,
    /// The evidence.
    pub detail: String,
}

/// A trigger of the documents that the registry or the stores suggest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trigger {
    /// The document's words.
    pub title: String,
    /// Where it was seen.
    pub evidence: String,
}

/// Free and needed space on one file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiskSpace {
    /// A path on it, and what it is for.
    pub path: String,
    /// Bytes free.
    pub free_bytes: u64,
    /// Bytes needed.
    pub needed_bytes: u64,
}

/// How long it may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeEstimate {
    /// The document's: ten minutes without a restore.
    pub documented_ms: u64,
    /// The median of earlier completed runs here.
    pub median_ms: Option<u64>,
    /// How many runs that is.
    pub runs: u64,
}

/// One step as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedStep {
    /// Which.
    pub step: Step,
    /// 1 to 8.
    pub number: u8,
    /// Its name.
    pub title: String,
    /// What it will do, in one sentence.
    pub intent: String,
}

/// What a rollback would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RollbackPlan {
    /// What must be given back to start it.
    pub digest: PlanDigest,
    /// It is the plan of what is left of this interrupted run.
    #[serde(default)]
    pub resumes: Option<RunId>,
    /// The version.
    pub version_id: VersionId,
    /// It may be started: nothing refuses it, and every acknowledgement was given.
    pub startable: bool,
    /// What kind of run it plans.
    #[serde(default)]
    pub kind: RunKind,
    /// The backup that step 6 proves and step 7 restores from.
    #[serde(default)]
    pub source: Option<BackupSource>,
    /// Versions committed since that backup was made, newest first: a restore from it loses them. At most 200 are named.
    #[serde(default)]
    pub losses: Vec<VersionId>,
    /// How many older ones are lost beside those that are named.
    #[serde(default)]
    pub more_losses: u64,
    /// Bytes that the ways back will take, as estimated from the backup's files.
    #[serde(default)]
    pub way_back_bytes: u64,
    /// It continues an earlier rollback that did not finish.
    pub take_over: bool,
    /// What forbids it.
    pub refusals: Vec<Refusal>,
    /// What must be acknowledged.
    pub acknowledgements: Vec<AcknowledgementView>,
    /// The registry row; absent when there is none.
    pub version: Option<VersionRow>,
    /// The latest entries of the operation log about it.
    pub operations: Vec<OperationRow>,
    /// The layout found.
    pub layout: Option<Layout>,
    /// The triggers suggested, with evidence.
    pub triggers: Vec<Trigger>,
    /// Store by store.
    pub stores: StorePlans,
    /// latest-copy (of other kinds: the source) on the ladder.
    pub latest_copy: Option<BackupHealth>,
    /// The "before" checklist.
    pub checklist: Vec<CheckItem>,
    /// Space.
    pub disk: Vec<DiskSpace>,
    /// Time.
    pub time: TimeEstimate,
    /// The steps with what each will do.
    pub steps: Vec<PlannedStep>,
    /// When it was computed.
    pub planned_at: Timestamp,
    /// The time that took.
    pub took_ms: u64,
}

/// One field in which two plans differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// Where, as a JSON pointer into what the digest covers: `/stores/qdrant/staging/points`.
    pub field: String,
    /// What the confirmed plan said; absent where the server no longer has that plan.
    pub before: Option<String>,
    /// What is so now.
    pub now: Option<String>,
}
