//! Registry, operation log and chapters: HybridFlow's `metadata.db`.

use std::fmt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rollback_types::{
    Inventory, Layout, OperationRow, Page, RollbackTarget, StagingCounts, StateCount, Timestamp, VersionCourse,
    VersionId, VersionQuery, VersionRow, VersionState,
};

use super::{CopyTaken, Engine, Probe, Removal, StoreError};

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

/// What an abort found in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbortNoted {
    /// The version stays `rolling_back`, with the message; the run's log row is closed.
    Noted,
    /// No row of this run is open in the log: noted before, or it never marked the version.
    NothingOpen,
    /// The run's log row is closed; the version was left alone, for the reason given ("its state is rolled_back, …").
    NotHeld(String),
}

/// A row that a rollback by Stepback, this one or another on the same registry, wrote into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMark {
    /// As in [`MarkRequest`].
    pub run_key: String,
    /// The run holds the version: its row is in progress, and nothing has closed it.
    pub open: bool,
    /// The run has finished the version.
    pub completed: bool,
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

/// What changes with every commit to the registry's file: what was read after one of two equal stamps was taken, and before the
/// other, still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryStamp(
    /// The store's own word for it.
    pub String,
);

/// Which versions that went into production [`RecordStore::committed_since`] looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedQuery {
    /// After this moment; without one, all.
    pub since: Option<Timestamp>,
    /// What is to be after it.
    pub by: CommittedBy,
    /// Not this one.
    pub except: Option<VersionId>,
}

/// By which time a committed version is told to be later than another moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommittedBy {
    /// When it was made. Archived ones count, for their data once went into production. One whose time cannot be told counts
    /// unless it is archived: better named than not.
    Made,
    /// When its row was last written. Only what is in production now counts, and only where its time can be told.
    Written,
}

/// Versions whose data is in production, or once was; safety backups are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedVersions {
    /// All of them.
    pub count: u64,
    /// The newest, newest first; at most [`CommittedVersions::NAMED`].
    pub newest: Vec<VersionId>,
}

impl CommittedVersions {
    /// How many are named, however many there are.
    pub const NAMED: usize = 200;

    /// Adds the next older one.
    pub fn add(&mut self, id: VersionId) {
        self.count += 1;
        if self.newest.len() < Self::NAMED {
            self.newest.push(id);
        }
    }
}

impl CommittedQuery {
    /// The states that are looked for.
    pub fn states(&self) -> Vec<VersionState> {
        let mut states = vec![VersionState::Committed, VersionState::InUse, VersionState::Restored];
        states.extend((self.by == CommittedBy::Made).then_some(VersionState::Archived));
        states
    }

    /// A version in one of these states is one of them.
    pub fn takes(
        &self,
        id: &VersionId,
        state: &VersionState,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    ) -> bool {
        let later = match self.by {
            CommittedBy::Made => match (created_at, self.since) {
                (Some(created_at), Some(since)) => created_at > since,
                _ => *state != VersionState::Archived,
            },
            CommittedBy::Written => updated_at.max(created_at).is_some_and(|at| self.since.is_none_or(|s| at > s)),
        };
        later && !id.is_safety_backup() && self.except.as_ref() != Some(id)
    }
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
    /// A page of versions, filtered and sorted in SQL by keyset. To be looked at: it may come from what was read before.
    async fn versions(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError>;
    /// The same, always read from the database, and nothing of it kept: what a plan may rest on.
    async fn versions_read_anew(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError>;
    /// What tells whether the registry changed since; to be taken before what it shall stand for is read. `None` where nothing
    /// tells, or where the last change was so short a time ago that another might look the same.
    async fn stamp(&self) -> Option<RegistryStamp>;
    /// Versions that were committed after a moment, counted in one look however many there are; always read from the database.
    async fn committed_since(&self, query: &CommittedQuery) -> Result<CommittedVersions, StoreError>;
    /// Id and state of every version that is in one of these states, newest first, in one look however many there are.
    async fn ids_in(&self, states: &[VersionState]) -> Result<Vec<(VersionId, VersionState)>, StoreError>;
    /// One version.
    async fn version(&self, id: &VersionId) -> Result<Option<VersionRow>, StoreError>;
    /// How many versions have each state, of all or of those that a search finds ([`VersionQuery::q`]).
    async fn state_counts(&self, search: Option<&str>) -> Result<Vec<StateCount>, StoreError>;
    /// The versions over time: a sample that is bounded however many there are, and with it those of these ids. Of the latter
    /// also those whose time is not known; they stand first.
    async fn course(&self, named: &[VersionId]) -> Result<VersionCourse, StoreError>;
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

    /// Production's chapters, or those staged for a target, as `{textbook_id}:ch{chapter_number}`; sorted.
    async fn chapter_keys(&self, staged: Option<&RollbackTarget>) -> Result<Vec<String>, StoreError>;
    /// What of the copy's tables and columns is not as ours, each as a sentence: a restore would bring that along. Empty
    /// when both are alike. `version_registry` and `operation_log` are left out: they stay ours.
    async fn shape_differences(&self, copy: &Path) -> Result<Vec<String>, StoreError>;
    /// A copy of the whole database as it is at one moment, WAL included (`VACUUM INTO` or the online backup API),
    /// proven by `integrity_check`. `to` must not exist. Writers go on meanwhile.
    async fn back_up(&self, to: &Path) -> Result<CopyTaken, StoreError>;
    /// The same, with the chapters that a safety backup of the per-version layout holds (`chapter_metadata_latest_copy…`)
    /// in the place of production's. [`Fault::Missing`](super::Fault::Missing) when there is no such table.
    async fn back_up_safety(&self, backup: &VersionId, to: &Path) -> Result<CopyTaken, StoreError>;
    /// In one transaction against the attached copy, every table, index, view and trigger of the copy replaces ours,
    /// except `version_registry`, `operation_log`, and staging and safety-backup tables, which stay ours row for row. Readers see the
    /// old state or the new. The digest is compared with the copy's before the commit. Returns the chapters after it.
    async fn restore(&self, copy: &Path) -> Result<Inventory, StoreError>;
    /// The same into a copy of the live database at `scratch`, which is integrity-checked and removed again, also after an error.
    async fn trial_restore(&self, copy: &Path, scratch: &Path) -> Result<Inventory, StoreError>;

    /// Step 2, in one `BEGIN IMMEDIATE` transaction, read back. Refuses the baseline in its SQL as well.
    async fn mark_rolling_back(&self, request: &MarkRequest) -> Result<Marked, StoreError>;
    /// Copies the staged rows into `folder`; `None` when there is no staging table.
    async fn save_staging(&self, target: &RollbackTarget, folder: &Path) -> Result<Option<EvidenceCopy>, StoreError>;
    /// Step 3. Drops nothing when the table holds more than `at_most` rows ([`Fault::Changed`]); proves that it is gone
    /// from `sqlite_master`.
    async fn drop_staging(&self, target: &RollbackTarget, at_most: u64) -> Result<Removal, StoreError>;
    /// Step 8, in one transaction, read back; returns the new log row's id (or that of an earlier, equal call).
    async fn mark_rolled_back(&self, request: &FinishRequest) -> Result<i64, StoreError>;
    /// After an abort: the message, and the run's log row failed. The state stays `rolling_back`; where somebody has set another
    /// by hand meanwhile, or removed the row, that is left as it is. Changes nothing when this run never marked the version.
    async fn note_abort(&self, request: &AbortRequest) -> Result<AbortNoted, StoreError>;
    /// The rows that rollbacks of this version by Stepback wrote into the log, oldest first.
    async fn marks(&self, target: &RollbackTarget) -> Result<Vec<RunMark>, StoreError>;
}
