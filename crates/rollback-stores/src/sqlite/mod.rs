//! HybridFlow's `metadata.db`: the registry and its log in both layouts, and the chapters.
//!
//! The file is not ours. Viewing opens it read-only, and writes only where a writer died amid a transaction: SQLite then
//! rolls that back, as for any program that opens the file. Only steps 2, 3, 7 and 8 and the note of an abort open it for
//! writing, each for one transaction. Only a restore makes tables and indexes, and only the copy's; nothing migrates, or
//! changes a pragma that outlives its connection. Whatever a column holds is shown: values of the wrong type become
//! `oddities`, never errors, and never hide a row.

mod back_up;
mod catalog;
mod cell;
mod chapters;
mod clock;
mod committed;
mod connect;
mod content;
mod copy_file;
mod course;
mod ddl;
mod differences;
mod drop_staging;
mod fault;
mod lists;
mod marks;
mod new_file;
mod oplog;
mod order;
mod restore;
mod run_marks;
mod run_rows;
mod shape;
mod stamp;
mod swap;
mod versions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rollback::store::{
    AbortNoted, AbortRequest, CommittedQuery, CommittedVersions, CopyTaken, Engine, EvidenceCopy, Fault, FinishRequest,
    MarkRequest, Marked, Probe, RecordCopy, RecordStore, RegistrySchema, RegistryStamp, Removal, RunMark, StoreError,
};
use rollback_types::quantity::counted;
use rollback_types::{
    Inventory, OperationRow, Page, RollbackTarget, StagingCounts, StateCount, VersionCourse, VersionId, VersionQuery,
    VersionRow, VersionState,
};
use sqlx::{Connection, Sqlite, Transaction};

use catalog::{Catalog, MAIN};
use connect::{Connections, close_after, copy_reader};
use differences::Side;
use fault::{Asked, is_busy};
use lists::Lists;
use shape::{CHAPTERS, REGISTRY, Shape};

/// What [`SqliteRecords`] needs to know.
#[derive(Clone, Debug)]
pub struct SqliteRecordsConfig {
    /// The file `metadata.db`. It need not exist yet.
    pub path: PathBuf,
    /// Seconds east of UTC on the machine the pipeline runs on: its `T` times are local and carry no zone.
    pub local_offset_s: i32,
    /// States beyond the known ones from which a rollback is offered (`rollback.extra_states`).
    pub extra_states: Vec<String>,
    /// How long to wait for another program's lock.
    pub busy_timeout: Duration,
}

impl SqliteRecordsConfig {
    /// UTC, no further states, five seconds of patience.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), local_offset_s: 0, extra_states: Vec::new(), busy_timeout: Duration::from_secs(5) }
    }
}

/// The [`RecordStore`] over an SQLite file.
#[derive(Debug)]
pub struct SqliteRecords {
    config: SqliteRecordsConfig,
    connections: Connections,
    lists: Lists,
}

impl SqliteRecords {
    /// Opens nothing yet: each call looks whether the file is there and which one it is.
    pub fn new(config: SqliteRecordsConfig) -> Self {
        // Absolute, so that neither a change of directory nor a name such as `file:x` can lead elsewhere.
        let path = absolute(&config.path);
        Self { connections: Connections::new(path, config.busy_timeout), config, lists: Lists::default() }
    }

    fn asked(&self, operation: impl Into<String>) -> Asked {
        Asked::new(self.connections.path(), operation)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Starts a read transaction on a connection, so that all that follows sees one state, and loads the shape.
macro_rules! read {
    ($self:ident, $asked:ident, |$tx:ident, $shape:ident| $body:expr) => {{
        let mut connection = $self.connections.reader(&$asked).await?;
        let mut $tx: Transaction<'_, Sqlite> = connection.begin().await.map_err(|e| $asked.sql(e))?;
        let $shape = Shape::load(&mut $tx, &$asked).await?;
        let found = $body;
        $tx.rollback().await.map_err(|e| $asked.sql(e))?;
        found
    }};
}

#[async_trait]
impl RecordStore for SqliteRecords {
    fn engine(&self) -> Engine {
        Engine { name: "SQLite", location: self.connections.path().display().to_string() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let asked = self.asked("looking at the database");
        read!(self, asked, |tx, shape| {
            let version: String =
                sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *tx).await.map_err(|e| asked.sql(e))?;
            let mut seen = Vec::new();
            for (table, there, what) in
                [(REGISTRY, shape.registry.is_some(), "versions"), (CHAPTERS, shape.chapters.is_some(), "chapters")]
            {
                if there {
                    seen.push(counted(chapters::count(&mut tx, table, &asked).await?, what));
                }
            }
            let findings = shape.report().findings;
            let detail = if seen.is_empty() { "no table of HybridFlow's".to_owned() } else { seen.join(", ") };
            Ok(Probe { version: Some(version), detail, warning: Some(findings.join("; ")).filter(|w| !w.is_empty()) })
        })
    }

    async fn schema(&self) -> Result<RegistrySchema, StoreError> {
        let asked = self.asked("reading the schema");
        read!(self, asked, |tx, shape| Ok(shape.report()))
    }

    async fn versions(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError> {
        let stamp = self.stamp().await;
        if let Some(page) = self.lists.page(stamp.as_ref(), query) {
            return Ok(page);
        }
        let page = self.versions_read_anew(query).await?;
        self.lists.keep_page(stamp.as_ref(), query, &page);
        Ok(page)
    }

    async fn versions_read_anew(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError> {
        let asked = self.asked("listing versions");
        read!(self, asked, |tx, shape| versions::page(&mut tx, &shape, query, &self.config, &asked).await)
    }

    async fn stamp(&self) -> Option<RegistryStamp> {
        let path = self.connections.path().to_owned();
        // A file system that hangs holds up a thread of its own.
        tokio::task::spawn_blocking(move || stamp::of(&path)).await.ok().flatten()
    }

    async fn committed_since(&self, query: &CommittedQuery) -> Result<CommittedVersions, StoreError> {
        let asked = self.asked("counting committed versions");
        read!(self, asked, |tx, shape| committed::since(&mut tx, &shape, query, &self.config, &asked).await)
    }

    async fn ids_in(&self, states: &[VersionState]) -> Result<Vec<(VersionId, VersionState)>, StoreError> {
        let asked = self.asked("listing the ids of versions");
        read!(self, asked, |tx, shape| versions::ids_in(&mut tx, &shape, states, &self.config, &asked).await)
    }

    async fn version(&self, id: &VersionId) -> Result<Option<VersionRow>, StoreError> {
        let asked = self.asked("reading a version");
        read!(self, asked, |tx, shape| versions::one(&mut tx, &shape, id, &self.config, &asked).await)
    }

    async fn state_counts(&self, search: Option<&str>) -> Result<Vec<StateCount>, StoreError> {
        let stamp = self.stamp().await;
        if let Some(counts) = self.lists.counts(stamp.as_ref(), search) {
            return Ok(counts);
        }
        let asked = self.asked("counting versions by state");
        let counts = read!(self, asked, |tx, shape| versions::state_counts(&mut tx, &shape, search, &asked).await)?;
        self.lists.keep_counts(stamp.as_ref(), search, &counts);
        Ok(counts)
    }

    async fn course(&self, named: &[VersionId]) -> Result<VersionCourse, StoreError> {
        let stamp = self.stamp().await;
        if let Some(course) = self.lists.course(stamp.as_ref(), named) {
            return Ok(course);
        }
        let asked = self.asked("reading the versions over time");
        let course = read!(self, asked, |tx, shape| course::of(&mut tx, &shape, named, &self.config, &asked).await)?;
        self.lists.keep_course(stamp.as_ref(), named, &course);
        Ok(course)
    }

    async fn operations(&self, id: &VersionId, limit: u32) -> Result<Vec<OperationRow>, StoreError> {
        let asked = self.asked("reading the operation log");
        let offset = self.config.local_offset_s;
        read!(self, asked, |tx, shape| oplog::of_version(&mut tx, &shape, id, limit, offset, &asked).await)
    }

    async fn open_operations(&self) -> Result<Vec<OperationRow>, StoreError> {
        let asked = self.asked("looking for operations in progress");
        let offset = self.config.local_offset_s;
        read!(self, asked, |tx, shape| oplog::open(&mut tx, &shape, offset, &asked).await)
    }

    async fn is_write_locked(&self) -> Result<bool, StoreError> {
        let asked = self.asked("looking for a write lock");
        let _alone = self.connections.alone().await;
        // Held open meanwhile: the last connection to a WAL file to close would tidy its log away, and looking must
        // change nothing.
        let mut reader = match self.connections.reader(&asked).await {
            Ok(reader) => reader,
            // Locked against readers as well.
            Err(e) if e.fault == Fault::Busy => return Ok(true),
            Err(e) => return Err(e),
        };
        match sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut *reader).await {
            Ok(_) => {}
            Err(e) if is_busy(&e) => return Ok(true),
            Err(e) => return Err(asked.sql(e)),
        }
        let mut writer = self.connections.writer_waiting(Duration::ZERO, &asked).await?;
        let locked = match writer.begin_with("BEGIN IMMEDIATE").await {
            Ok(tx) => tx.rollback().await.map(|()| false).map_err(|e| asked.sql(e)),
            Err(e) if is_busy(&e) => Ok(true),
            Err(e) => Err(asked.sql(e)),
        };
        close_after(writer, locked).await
    }

    async fn staging(&self, target: &RollbackTarget) -> Result<StagingCounts, StoreError> {
        let asked = self.asked("counting staged chapters");
        read!(self, asked, |tx, shape| {
            chapters::staging(&mut tx, chapters::staging_name(shape.layout, target), &asked).await
        })
    }

    async fn production(&self) -> Result<Inventory, StoreError> {
        let asked = self.asked("counting production chapters");
        read!(self, asked, |tx, shape| match &shape.chapters {
            Some(columns) => chapters::inventory(&mut tx, MAIN, columns, &asked).await,
            None => Err(shape.missing(CHAPTERS, &asked)),
        })
    }

    async fn inspect_copy(&self, path: &Path) -> Result<RecordCopy, StoreError> {
        let path = absolute(path);
        let asked = Asked::new(&path, "checking a copy of the database");
        chapters::inspect(&path, self.config.busy_timeout, &asked).await
    }

    async fn chapter_keys(&self, staged: Option<&RollbackTarget>) -> Result<Vec<String>, StoreError> {
        let asked = self.asked("listing chapters");
        read!(self, asked, |tx, shape| match staged {
            None if shape.chapters.is_none() => Err(shape.missing(CHAPTERS, &asked)),
            None => chapters::keys(&mut tx, CHAPTERS, &asked).await,
            Some(target) => {
                let name = chapters::staging_name(shape.layout, target);
                match chapters::find_table(&mut tx, &name, &asked).await? {
                    Some(table) => chapters::keys(&mut tx, &table, &asked).await,
                    None => Ok(Vec::new()),
                }
            }
        })
    }

    async fn shape_differences(&self, copy: &Path) -> Result<Vec<String>, StoreError> {
        let copy = absolute(copy);
        let asked = self.asked("comparing its tables with a copy's");
        let asked_of_copy = Asked::new(&copy, "comparing its tables with production's");
        let mut theirs = copy_reader(&copy, self.config.busy_timeout, &asked_of_copy).await?;
        let catalog = Catalog::load(&mut theirs, MAIN, &asked_of_copy).await?;
        let theirs = Side { connection: &mut theirs, catalog, asked: &asked_of_copy };
        read!(self, asked, |tx, _shape| {
            let catalog = Catalog::load(&mut tx, MAIN, &asked).await?;
            differences::between(Side { connection: &mut tx, catalog, asked: &asked }, theirs).await
        })
    }

    async fn back_up(&self, to: &Path) -> Result<CopyTaken, StoreError> {
        back_up::back_up(&self.connections, &absolute(to), None).await
    }

    async fn back_up_safety(&self, backup: &VersionId, to: &Path) -> Result<CopyTaken, StoreError> {
        back_up::back_up(&self.connections, &absolute(to), Some(backup)).await
    }

    async fn restore(&self, copy: &Path) -> Result<Inventory, StoreError> {
        let _alone = self.connections.alone().await;
        restore::restore(&self.connections, &absolute(copy)).await
    }

    async fn trial_restore(&self, copy: &Path, scratch: &Path) -> Result<Inventory, StoreError> {
        restore::try_out(&self.connections, &absolute(copy), &absolute(scratch)).await
    }

    async fn mark_rolling_back(&self, request: &MarkRequest) -> Result<Marked, StoreError> {
        let _alone = self.connections.alone().await;
        marks::rolling_back(&self.connections, self.config.local_offset_s, request).await
    }

    async fn save_staging(&self, target: &RollbackTarget, folder: &Path) -> Result<Option<EvidenceCopy>, StoreError> {
        drop_staging::save_evidence(&self.connections, self.config.busy_timeout, target, folder).await
    }

    async fn drop_staging(&self, target: &RollbackTarget, at_most: u64) -> Result<Removal, StoreError> {
        let _alone = self.connections.alone().await;
        drop_staging::drop_table(&self.connections, target, at_most).await
    }

    async fn mark_rolled_back(&self, request: &FinishRequest) -> Result<i64, StoreError> {
        let _alone = self.connections.alone().await;
        marks::rolled_back(&self.connections, self.config.local_offset_s, request).await
    }

    async fn note_abort(&self, request: &AbortRequest) -> Result<AbortNoted, StoreError> {
        let _alone = self.connections.alone().await;
        marks::note_abort(&self.connections, self.config.local_offset_s, request).await
    }

    async fn marks(&self, target: &RollbackTarget) -> Result<Vec<RunMark>, StoreError> {
        let asked = self.asked("reading which runs marked a version");
        read!(self, asked, |tx, shape| run_marks::of_version(&mut tx, &shape, target, &asked).await)
    }
}
