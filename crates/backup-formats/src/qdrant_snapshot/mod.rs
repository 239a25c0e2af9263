//! A collection's snapshot, checked without a server, and the embedded vector store's own.
//!
//! A snapshot is a plain tar: `config.json`, `version.info`, and in a folder per shard
//! `segments/<uuid>.tar`, `wal/…` (sparse) and some settings. [`inspect`] reads it once from front
//! to end. What it finds proves structure and, where the layout of the point tables is known, the
//! exact set of point ids; flipped bits in vectors or payload only a checksum can see.

mod archive;
mod embedded;
mod id_tracker;
mod inspect;
mod point_id;

use std::io;

use serde::{Deserialize, Serialize};

pub use embedded::{SnapshotPoint, read_embedded_points, write_embedded_snapshot};
pub use inspect::{inspect, inspect_with_ids};
pub use point_id::{IdSetFingerprint, NotAPointId, PointId};

/// What a whole snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotSummary {
    /// Dimensions of the vectors; `None` when there are several kinds of vectors or none.
    pub vector_size: Option<u64>,
    /// The distance as the file names it, such as `Cosine`; `None` as for the size.
    pub distance: Option<String>,
    /// Content of `version.info`: of the snapshot's format, not of the server. `embedded-1` for the
    /// embedded store's own.
    pub version: Option<String>,
    /// How many points it holds.
    pub points: PointCount,
    /// The set of their ids; present exactly when the count is exact.
    pub ids: Option<IdSetFingerprint>,
    /// Size of the file.
    pub bytes: u64,
}

impl SnapshotSummary {
    /// The embedded vector store made it: no Qdrant server can restore it.
    pub fn is_embedded(&self) -> bool {
        self.version.as_deref().is_some_and(|version| version.starts_with("embedded-"))
    }
}

/// The number of points in a snapshot. Points that only the write-ahead log holds are not counted; a
/// server flushes before it makes a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointCount {
    /// Distinct ids. While a server optimises, a point may stand in two segments: it counts once.
    Exact(u64),
    /// The file may be good, but its layout is not one that can be counted offline. The reason.
    CantTell(String),
}

/// Why a snapshot cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file could not be read; nothing is known about its content.
    #[error(
        "the snapshot could not be read: {0}. Nothing was changed. Check the disk and the file's rights, then try again"
    )]
    Io(#[source] io::Error),
    /// The archive ends before its end mark.
    #[error(
        "the snapshot is cut: its archive ends after {bytes} bytes without an end mark. Nothing was changed. Do not restore from it: use another copy"
    )]
    Cut {
        /// Size of what there is.
        bytes: u64,
    },
    /// It is no snapshot, or parts of it are not as they must be.
    #[error(
        "the snapshot is damaged, near byte {bytes}: {what}. Nothing was changed. Do not restore from it: use another copy"
    )]
    Damaged {
        /// Bytes read when it was noticed.
        bytes: u64,
        /// What is wrong.
        what: String,
    },
}
