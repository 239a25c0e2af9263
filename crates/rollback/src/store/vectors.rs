//! Collections of vectors: Qdrant, or embedded.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use backup_formats::qdrant_snapshot::IdSetFingerprint;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

use super::{CopyTaken, Engine, OnProgress, Probe, Removal, StoreError};

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

/// Whose form a snapshot has: neither can restore the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotForm {
    /// The embedded vector store's.
    Embedded,
    /// A Qdrant server's.
    Qdrant,
}

/// What kind of vectors a collection, or a snapshot, holds. One of another kind cannot be restored into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorShape {
    /// Their dimensions.
    pub size: u64,
    /// How they are compared, in Qdrant's word: `Cosine`, `Dot`, …
    pub distance: String,
}

impl fmt::Display for VectorShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dimensions ({})", self.size, self.distance)
    }
}

/// Collections of vectors: Qdrant, or embedded.
#[async_trait]
pub trait VectorStore: Send + Sync + fmt::Debug {
    /// What answers.
    fn engine(&self) -> Engine;
    /// The form of the snapshots that it takes and restores.
    fn snapshot_form(&self) -> SnapshotForm;
    /// How it is; tests the login too.
    async fn probe(&self) -> Result<Probe, StoreError>;
    /// Names of all collections, aliases not among them; sorted.
    async fn collections(&self) -> Result<Vec<String>, StoreError>;
    /// All aliases; sorted.
    async fn aliases(&self) -> Result<Vec<Alias>, StoreError>;
    /// Exact number of points; `None` when no collection has that name. Aliases are not followed.
    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError>;
    /// What kind of vectors it holds; `None` when no collection has that name, or it holds several kinds.
    async fn shape(&self, collection: &str) -> Result<Option<VectorShape>, StoreError>;
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

    /// A snapshot of the collection in a file, streamed to disk and compared with the server's checksum. Nothing of it
    /// stays on the server. `to` must not exist. Progress is in bytes.
    async fn take_snapshot(&self, collection: &str, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError>;
    /// Puts a snapshot in the collection's place, which may be missing; never through an alias. Waits until the collection
    /// is at rest, streams the file with its checksum, waits for the end, and removes what was uploaded. The caller has proven the
    /// file, and counts afterwards: a server can answer *ok* and hold the wrong data. Progress is in bytes.
    async fn restore_snapshot(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<(), StoreError>;
    /// Every point, in pages, in no order.
    fn points(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>>;
    /// Up to `count` stored points with their vectors, spread over the collection as far as that is cheap.
    async fn sample(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError>;
    /// Ids of the nearest neighbours of a vector, nearest first.
    async fn nearest(&self, collection: &str, vector: &[f32], limit: u32) -> Result<Vec<String>, StoreError>;
}

/// A point without its vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointRef {
    /// A number or a UUID, as text.
    pub id: String,
    /// The payload's `chunk_id`.
    pub chunk_id: Option<String>,
    /// The payload's `version_id`.
    pub version_id: Option<String>,
}

/// A point with its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredVector {
    /// As in [`PointRef`].
    pub id: String,
    /// The vector.
    pub vector: Vec<f32>,
}
