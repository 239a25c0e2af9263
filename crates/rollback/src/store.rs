//! The stores in the domain's words. Adapters live in `rollback-stores`; each passes the same contract suite.
//!
//! Every call that leaves the process has a connect and a request time-out inside the adapter. Names built from version
//! ids come from a [`RollbackTarget`] and are quoted or bound all the same.

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use backup_formats::qdrant_snapshot::IdSetFingerprint;
use rollback_types::{
    Inventory, Layout, OperationRow, Page, RollbackTarget, StagingCounts, StateCount, StepError, StoreKind, VersionId,
    VersionQuery, VersionRow, VersionState,
};

/// What kind of fault a store reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection: refused, no route, name unknown, closed in the middle.
    Unreachable,
    /// No answer in time. What was asked may have been done all the same.
    TimedOut,
    /// The login was refused.
    Authentication,
    /// Locked or busy: `SQLITE_BUSY`, a deadlock, a server that sheds load.
    Busy,
    /// The server failed inside (5xx, `Internal`, transient database errors).
    ServerFailed,
    /// A table, collection or file that must be there is not.
    Missing,
    /// Not what it claims to be: no SQLite file, malformed, failed its integrity check.
    Corrupt,
    /// A healthy file or server that is not HybridFlow's.
    Foreign,
    /// May not be written.
    ReadOnly,
    /// No space left.
    Full,
    /// A conditional change met another state than expected: somebody else was here.
    Changed,
    /// The store refused what was asked (a syntax it does not know, a right that is missing).
    Refused,
    /// An answer that makes no sense.
    Unexpected,
}

impl Fault {
    /// Worth trying again by itself, after a pause.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Busy | Self::ServerFailed)
    }

    /// The word for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
            Self::Authentication => "authentication",
            Self::Busy => "busy",
            Self::ServerFailed => "server_failed",
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::ReadOnly => "read_only",
            Self::Full => "disk_full",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Unexpected => "unexpected",
        }
    }
}

/// A store did not do what was asked. Names host, operation and remedy; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{store} at {endpoint}: {operation} failed: {detail}")]
pub struct StoreError {
    /// Which store.
    pub store: StoreKind,
    /// File, or scheme, host and port; no user, no password.
    pub endpoint: String,
    /// What was asked, as a gerund or noun: `counting points`, `dropping chapter_metadata_staging`.
    pub operation: String,
    /// What kind of fault.
    pub fault: Fault,
    /// What the store said, shortened to something readable.
    pub detail: String,
}

impl StoreError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        let place = &self.endpoint;
        // Embedded stores are files: there is no server to look at.
        let file = !place.contains("://");
        match (self.fault, self.store) {
            (Fault::Unreachable, _) if file => format!("Check that the file {place} exists and can be read."),
            (Fault::Unreachable, store) => format!(
                "Check that {store} runs at {place} (docker ps; docker restart hybridflow-{}) and try again.",
                store.as_str()
            ),
            (Fault::Authentication, store) => {
                format!("Check the user and password (or key) configured for {store}, then try again.")
            }
            (Fault::Busy | Fault::ServerFailed | Fault::TimedOut, _) if file => {
                format!(
                    "Another program holds a lock on {place}: let it finish (is an ingestion running?), then try again."
                )
            }
            (Fault::TimedOut, store) => format!(
                "{store} at {place} is slow or hangs: look at its load and its log, then try again. What was asked may \
                 have been done; Stepback counts again before it goes on."
            ),
            (Fault::Busy | Fault::ServerFailed, store) => {
                format!("Look at the log of {store} at {place}, wait a moment and try again.")
            }
            (Fault::Missing, _) => {
                format!("Check that {place} is the right deployment and that its set-up was finished.")
            }
            (Fault::Corrupt, _) => {
                format!("Do not write to {place}. Keep a copy as it is, and restore it from a proven backup.")
            }
            (Fault::Foreign, _) => format!("Check the configuration: {place} is not a HybridFlow store."),
            (Fault::ReadOnly, _) => format!("Give Stepback's user the right to write {place}, then try again."),
            (Fault::Full, _) => format!("Free some space on the disk of {place}, then try again."),
            (Fault::Changed, _) => "Look at the version again: somebody or something else changed it.".to_owned(),
            (Fault::Refused | Fault::Unexpected, _) if file => {
                format!(
                    "Look at {place} with the program sqlite3: does it open, and is it what the configuration means?"
                )
            }
            (Fault::Refused | Fault::Unexpected, store) => {
                format!("Check that the version of {store} at {place} is one Stepback supports, and see its log.")
            }
        }
    }

    /// As a step's error: what happened, what is safe, what to do next.
    pub fn into_step_error(self, safe: impl Into<String>) -> StepError {
        StepError {
            code: self.fault.code().to_owned(),
            store: Some(self.store),
            message: self.to_string(),
            safe: safe.into(),
            remedy: self.remedy(),
        }
    }
}

/// What answers in a store's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// `SQLite`, `Qdrant`, `Neo4j`, or `embedded`.
    pub name: &'static str,
    /// File, or scheme, host and port; no secret.
    pub location: String,
}

/// What a store answered when asked how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The engine's version, where it tells.
    pub version: Option<String>,
    /// What was seen, in one sentence: `2 collections, 1 alias`.
    pub detail: String,
    /// It works, but something is wrong with it (a missing table, a mixed layout): what, and what to do.
    pub warning: Option<String>,
}

/// Something was removed, or there was nothing to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It was there, with so many rows or points, and is proven gone.
    Removed(u64),
    /// It was not there.
    Absent,
}

/// How the registry's file is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrySchema {
    /// Which layout.
    pub layout: Layout,
    /// What is missing or odd, each as a sentence: a missing table, the pipeline's added column.
    pub findings: Vec<String>,
    /// Step 2 and 8 can be carried out: both tables are there with the columns they need.
    pub writable_shape: bool,
}

/// Step 2's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRequest {
    /// The version.
    pub target: RollbackTarget,
    /// The state the plan saw; the update is conditional on it.
    pub expected: VersionState,
    /// The operator's reason.
    pub reason: String,
    /// Unique for the run; written into the log row, so that a repeated step finds its own row.
    pub run_key: String,
}

/// Step 2's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The `operation_log` row.
    pub log_id: i64,
    /// It had been done before, by this very run.
    pub repeated: bool,
}

/// Step 8's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishRequest {
    /// The version.
    pub target: RollbackTarget,
    /// The operator's reason.
    pub reason: String,
    /// As in [`MarkRequest`].
    pub run_key: String,
    /// What was really done, for the log row.
    pub details: String,
}

/// The request of an abort: the state stays `rolling_back`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortRequest {
    /// The version.
    pub target: RollbackTarget,
    /// As in [`MarkRequest`].
    pub run_key: String,
    /// Names the step and the error.
    pub message: String,
}

/// A copy of staged rows, kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceCopy {
    /// The file: an SQLite database with the staging table.
    pub path: PathBuf,
    /// Rows in it, proven by counting.
    pub rows: u64,
}

/// What an SQLite backup file turned out to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordCopy {
    /// `PRAGMA integrity_check` said anything but `ok`, or rows violate their foreign keys: the first findings.
    pub faults: Vec<String>,
    /// Its chapters; absent when it has no `chapter_metadata`.
    pub chapters: Option<Inventory>,
}

/// Registry, operation log and chapters: HybridFlow's `metadata.db`. Never migrated, never altered in shape.
#[async_trait]
pub trait RecordStore: Send + Sync + fmt::Debug {
    /// What answers.
    fn engine(&self) -> Engine;
    /// How it is.
    async fn probe(&self) -> Result<Probe, StoreError>;
    /// How it is laid out, detected anew (it can change under us).
    async fn schema(&self) -> Result<RegistrySchema, StoreError>;
    /// A page of versions, filtered and sorted in SQL by keyset.
    async fn versions(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError>;
    /// One version.
    async fn version(&self, id: &VersionId) -> Result<Option<VersionRow>, StoreError>;
    /// How many versions have each state.
    async fn state_counts(&self) -> Result<Vec<StateCount>, StoreError>;
    /// The latest log entries about a version, newest first.
    async fn operations(&self, id: &VersionId, limit: u32) -> Result<Vec<OperationRow>, StoreError>;
    /// Log entries in progress that are not a rollback: signs of an ingestion. `rollback_start` rows that stay
    /// `pending` are none. Newest first, at most 20.
    async fn open_operations(&self) -> Result<Vec<OperationRow>, StoreError>;
    /// Somebody else holds a write lock on the file right now.
    async fn is_write_locked(&self) -> Result<bool, StoreError>;

    /// Staged chapters. In the per-version layout usually absent: ingestion rewrites `chapter_metadata` in place.
    async fn staging(&self, target: &RollbackTarget) -> Result<StagingCounts, StoreError>;
    /// Production chapters with their digest.
    async fn production(&self) -> Result<Inventory, StoreError>;
    /// Opens an SQLite backup read-only: `integrity_check`, `foreign_key_check`, and its chapters.
    async fn inspect_copy(&self, path: &Path) -> Result<RecordCopy, StoreError>;

    /// Step 2, in one `BEGIN IMMEDIATE` transaction, read back. Refuses the baseline in its SQL as well.
    async fn mark_rolling_back(&self, request: &MarkRequest) -> Result<Marked, StoreError>;
    /// Copies the staged rows into `folder`; `None` when there is no staging table.
    async fn save_staging(&self, target: &RollbackTarget, folder: &Path) -> Result<Option<EvidenceCopy>, StoreError>;
    /// Step 3. Drops nothing when the table holds more than `at_most` rows ([`Fault::Changed`]); proves that it is gone
    /// from `sqlite_master`.
    async fn drop_staging(&self, target: &RollbackTarget, at_most: u64) -> Result<Removal, StoreError>;
    /// Step 8, in one transaction, read back; returns the new log row's id (or that of an earlier, equal call).
    async fn mark_rolled_back(&self, request: &FinishRequest) -> Result<i64, StoreError>;
    /// After an abort: the message, and the run's log row failed. The state stays `rolling_back`. Changes nothing when
    /// this run never marked the version.
    async fn note_abort(&self, request: &AbortRequest) -> Result<(), StoreError>;
}

/// A second name of a collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias {
    /// The alias.
    pub alias: String,
    /// The collection it points to.
    pub collection: String,
}

/// Is a collection at rest?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionStatus {
    /// At rest: Qdrant's *green*.
    Ready,
    /// Optimising, or waiting to: *yellow*, *grey*. Deleting now can take long.
    Busy,
    /// *Red*: the server says that something is broken.
    Broken,
}

/// Collections of vectors: Qdrant, or embedded.
#[async_trait]
pub trait VectorStore: Send + Sync + fmt::Debug {
    /// What answers.
    fn engine(&self) -> Engine;
    /// How it is; tests the login too.
    async fn probe(&self) -> Result<Probe, StoreError>;
    /// Names of all collections, aliases not among them; sorted.
    async fn collections(&self) -> Result<Vec<String>, StoreError>;
    /// All aliases; sorted.
    async fn aliases(&self) -> Result<Vec<Alias>, StoreError>;
    /// Exact number of points; `None` when no collection has that name. Aliases are not followed.
    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError>;
    /// Exact number of points whose payload's `version_id` is this.
    async fn count_of_version(&self, collection: &str, version_id: &str) -> Result<u64, StoreError>;
    /// The set of ids, streamed, as an order-independent fingerprint; `None` when there is no such collection.
    async fn id_fingerprint(&self, collection: &str) -> Result<Option<IdSetFingerprint>, StoreError>;
    /// Is it at rest? `None` when there is no such collection.
    async fn status(&self, collection: &str) -> Result<Option<CollectionStatus>, StoreError>;
    /// Deletes a collection, never through an alias, nothing of one that holds more than `at_most` points
    /// ([`Fault::Changed`]), and proves that it is not in the list any more. Deleting a
    /// collection takes its aliases along: the caller has proven that there are none.
    async fn delete_collection(&self, collection: &str, at_most: u64) -> Result<Removal, StoreError>;
}

/// How staging nodes are told from the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StagingSelector {
    /// By a label: `:staging`.
    Label(String),
    /// By the end of `id`, `chunk_id` or `paragraph_id`: `::{version_id}`.
    IdSuffix(String),
}

impl fmt::Display for StagingSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, ":{label}"),
            Self::IdSuffix(suffix) => write!(f, "id ends with {suffix}"),
        }
    }
}

/// The graph: Neo4j, or embedded.
#[async_trait]
pub trait GraphStore: Send + Sync + fmt::Debug {
    /// What answers.
    fn engine(&self) -> Engine;
    /// How it is; tests the login too.
    async fn probe(&self) -> Result<Probe, StoreError>;
    /// Staging nodes, all relationships that touch one, and those among them whose other end is no staging node.
    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError>;
    /// Nodes and relationships outside all the selectors: in all, per label, per type. Labels that begin with
    /// `latest_copy` are left out (the pipeline's safety backup marks live nodes with them).
    async fn production(&self, staging: &[StagingSelector]) -> Result<Inventory, StoreError>;
    /// Deletes at most `limit` staging nodes with their relationships, in one transaction; returns how many went,
    /// 0 when none is left.
    async fn delete_batch(&self, selector: &StagingSelector, limit: u32) -> Result<u64, StoreError>;
}

/// What the machine tells: space on its disks.
pub trait Host: Send + Sync + fmt::Debug {
    /// Bytes free for us on the file system that holds `path`.
    ///
    /// # Errors
    /// The operating system's.
    fn free_bytes(&self, path: &Path) -> std::io::Result<u64>;
}
