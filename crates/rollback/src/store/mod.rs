//! The stores in the domain's words. Adapters live in `rollback-stores`; each passes the same contract suite.
//!
//! Every call that leaves the process has a connect and a request time-out inside the adapter. Names built from version
//! ids come from a [`RollbackTarget`](rollback_types::RollbackTarget) and are quoted or bound all the same.

mod fault;
mod graph;
mod records;
mod vectors;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rollback_types::Inventory;

pub use fault::{Fault, StoreError};
pub use graph::{GraphCheck, GraphScope, GraphStore, StagingSelector};
pub use records::{
    AbortNoted, AbortRequest, CommittedBy, CommittedQuery, CommittedVersions, EvidenceCopy, FinishRequest, MarkRequest,
    Marked, RecordCopy, RecordStore, RegistrySchema, RegistryStamp, RunMark,
};
pub use vectors::{Alias, CollectionStatus, PointRef, SnapshotForm, StoredVector, VectorShape, VectorStore};

/// Told the units handled and the units in all, from any thread. Must not block.
pub type OnProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A copy of its data that a store wrote into a file, complete and durable when it is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTaken {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of the file as written, lower-case hex.
    pub sha256: String,
    /// What it holds, counted while it was written or read back from it.
    pub inventory: Inventory,
}

/// What answers in a store's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// `SQLite`, `Qdrant`, `Neo4j`, or `embedded`.
    pub name: &'static str,
    /// File, or scheme, host and port; no secret.
    pub location: String,
}

impl Engine {
    /// The folder of its file; `None` of a server.
    pub fn folder(&self) -> Option<&Path> {
        let file = (!self.location.contains("://")).then(|| Path::new(&self.location))?;
        let folder = file.parent()?;
        Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    }
}

/// One file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Tells it from the others of this machine.
    pub file_system: u64,
    /// Bytes free for us.
    pub free_bytes: u64,
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

/// What the machine tells: space on its disks.
pub trait Host: Send + Sync + fmt::Debug {
    /// The file system that holds `path`, or will hold it once it is made.
    ///
    /// # Errors
    /// The operating system's.
    fn space(&self, path: &Path) -> std::io::Result<Space>;
    /// Two folders of one file system change their names in one call: each of the names is there at every moment.
    ///
    /// # Errors
    /// The operating system's; then nothing changed.
    fn exchange(&self, a: &Path, b: &Path) -> std::io::Result<()>;
}

/// A place apart from every real store, where a graph export is tried out.
#[async_trait]
pub trait ScratchGraph: Send + Sync + fmt::Debug {
    /// Loads the whole export into a graph of its own below `folder`, counts it, and removes it again, also after an
    /// error. Progress is in bytes of the export.
    async fn try_export(&self, export: &Path, folder: &Path, progress: OnProgress) -> Result<Inventory, StoreError>;
}
