//! Collections in memory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use backup_formats::checksums::Sha256Digest;
use backup_formats::qdrant_snapshot::IdSetFingerprint;
use futures::stream::BoxStream;
use rollback_types::StoreKind;

use super::copies::{file_error, point_id, points_inventory, read_snapshot, taken, write_snapshot};
use super::data::{Collection, Data, Point};
use super::faults::{FaultPlan, Moment};
use crate::store::{
    Alias, CollectionStatus, CopyTaken, Engine, Fault, OnProgress, PointRef, Probe, Removal, SnapshotForm, StoreError,
    StoredVector, VectorShape, VectorStore,
};

#[derive(Debug)]
pub(super) struct FakeVectors {
    data: Arc<Mutex<Data>>,
    faults: Arc<FaultPlan>,
}

impl FakeVectors {
    pub(super) fn new(data: Arc<Mutex<Data>>, faults: Arc<FaultPlan>) -> Self {
        Self { data, faults }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn check(&self, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        self.faults.pass(StoreKind::Qdrant, operation, moment).await
    }

    fn missing(&self, collection: &str) -> StoreError {
        StoreError {
            store: StoreKind::Qdrant,
            endpoint: "fake://qdrant".into(),
            operation: format!("reading {collection}"),
            fault: Fault::Missing,
            detail: format!("there is no collection {collection}"),
        }
    }
}

#[async_trait]
impl VectorStore for FakeVectors {
    fn engine(&self) -> Engine {
        Engine { name: "fake", location: "fake://qdrant".into() }
    }

    fn snapshot_form(&self) -> SnapshotForm {
        self.data().snapshot_form
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        self.check("probe_vectors", Moment::Before).await?;
        Ok(Probe { version: None, detail: "in memory".into(), warning: None })
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.check("collections", Moment::Before).await?;
        Ok(self.data().collections.keys().cloned().collect())
    }

    async fn aliases(&self) -> Result<Vec<Alias>, StoreError> {
        self.check("aliases", Moment::Before).await?;
        let data = self.data();
        Ok(data.aliases.iter().map(|(a, c)| Alias { alias: a.clone(), collection: c.clone() }).collect())
    }

    async fn shape(&self, collection: &str) -> Result<Option<VectorShape>, StoreError> {
        self.check("shape", Moment::Before).await?;
        let data = self.data();
        let first = data.collections.get(collection).and_then(|points| points.values().next());
        Ok(first.map(|point| VectorShape { size: point.vector.len() as u64, distance: "Cosine".into() }))
    }

    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError> {
        self.check("count", Moment::Before).await?;
        Ok(self.data().collections.get(collection).map(|p| p.len() as u64))
    }

    async fn count_of_version(&self, collection: &str, version_id: &str) -> Result<u64, StoreError> {
        self.check("count_of_version", Moment::Before).await?;
        let data = self.data();
        let points = data.collections.get(collection).ok_or_else(|| self.missing(collection))?;
        Ok(points.values().filter(|p| p.version_id.as_deref() == Some(version_id)).count() as u64)
    }

    async fn id_fingerprint(&self, collection: &str) -> Result<Option<IdSetFingerprint>, StoreError> {
        self.check("id_fingerprint", Moment::Before).await?;
        let data = self.data();
        let ids = |points: &Collection| points.iter().map(|(id, p)| point_id(*id, p)).collect::<Vec<_>>();
        Ok(data.collections.get(collection).map(|points| ids(points).iter().collect()))
    }

    async fn status(&self, collection: &str) -> Result<Option<CollectionStatus>, StoreError> {
        self.check("status", Moment::Before).await?;
        Ok(self.data().collections.contains_key(collection).then_some(CollectionStatus::Ready))
    }

    async fn delete_collection(&self, collection: &str, at_most: u64) -> Result<Removal, StoreError> {
        self.check("delete_collection", Moment::Before).await?;
        let held = self.data().collections.get(collection).map_or(0, |points| points.len() as u64);
        if held > at_most {
            return Err(StoreError {
                fault: Fault::Changed,
                detail: format!("it holds {held} points"),
                ..self.missing(collection)
            });
        }
        let gone = {
            let mut data = self.data();
            data.aliases.retain(|_, c| c != collection);
            data.collections.remove(collection)
        };
        self.check("delete_collection", Moment::After).await?;
        Ok(gone.map_or(Removal::Absent, |points| Removal::Removed(points.len() as u64)))
    }

    async fn take_snapshot(&self, collection: &str, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        self.check("take_snapshot", Moment::Before).await?;
        let points = self.data().collections.get(collection).cloned().ok_or_else(|| self.missing(collection))?;
        let taken = write_snapshot(to, &points)
            .and_then(|()| taken(to, points_inventory(collection, &points)))
            .map_err(|e| file_error(StoreKind::Qdrant, "taking a snapshot", to, &e))?;
        progress(taken.bytes, taken.bytes);
        self.check("take_snapshot", Moment::After).await?;
        Ok(taken)
    }

    async fn restore_snapshot(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<(), StoreError> {
        self.check("restore_snapshot", Moment::Before).await?;
        let refused = |e: &std::io::Error| file_error(StoreKind::Qdrant, "restoring a snapshot", from, e);
        let bytes = std::fs::read(from).map_err(|e| refused(&e))?;
        let found = Sha256Digest::of(&bytes).to_string();
        if found != sha256 || self.data().aliases.contains_key(collection) {
            return Err(StoreError {
                fault: Fault::Refused,
                ..refused(&std::io::Error::other(format!("{collection} is an alias, or the checksum is {found}")))
            });
        }
        let points = read_snapshot(from).map_err(|e| refused(&e))?;
        self.data().collections.insert(collection.to_owned(), points);
        progress(bytes.len() as u64, bytes.len() as u64);
        self.check("restore_snapshot", Moment::After).await
    }

    fn points(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>> {
        let Some(points) = self.data().collections.get(collection).cloned() else {
            return Box::pin(futures::stream::iter([Err(self.missing(collection))]));
        };
        let told = |(id, point): (u64, Point)| PointRef {
            id: id.to_string(),
            chunk_id: point.chunk_id,
            version_id: point.version_id,
        };
        self.faults.stream(StoreKind::Qdrant, "points", points.into_iter().map(told).collect())
    }

    async fn sample(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError> {
        self.check("sample", Moment::Before).await?;
        let data = self.data();
        let points = data.collections.get(collection).ok_or_else(|| self.missing(collection))?;
        let step = points.len().div_ceil((count as usize).max(1)).max(1);
        let spread = points.iter().step_by(step).take(count as usize);
        Ok(spread.map(|(id, point)| StoredVector { id: id.to_string(), vector: point.vector.clone() }).collect())
    }

    async fn nearest(&self, collection: &str, vector: &[f32], limit: u32) -> Result<Vec<String>, StoreError> {
        self.check("nearest", Moment::Before).await?;
        let data = self.data();
        let points = data.collections.get(collection).ok_or_else(|| self.missing(collection))?;
        let near = |id: &u64, point: &Point| (cosine(&point.vector, vector), *id);
        let mut found: Vec<(f32, u64)> =
            points.iter().filter(|(_, p)| p.indexed).map(|(id, point)| near(id, point)).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        Ok(found.into_iter().take(limit as usize).map(|(_, id)| id.to_string()).collect())
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
