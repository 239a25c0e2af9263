//! Collections in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use backup_formats::qdrant_snapshot::{IdSetFingerprint, PointId};
use rollback_types::StoreKind;

use super::deployment::Data;
use super::faults::{FaultPlan, Moment};
use crate::store::{Alias, CollectionStatus, Engine, Probe, Removal, StoreError, VectorStore};

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

    fn check(&self, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        self.faults.check(StoreKind::Qdrant, operation, moment)
    }
}

#[async_trait]
impl VectorStore for FakeVectors {
    fn engine(&self) -> Engine {
        Engine { name: "fake", location: "fake://qdrant".into() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        self.check("probe_vectors", Moment::Before)?;
        Ok(Probe { version: None, detail: "in memory".into(), warning: None })
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.check("collections", Moment::Before)?;
        Ok(self.data().collections.keys().cloned().collect())
    }

    async fn aliases(&self) -> Result<Vec<Alias>, StoreError> {
        self.check("aliases", Moment::Before)?;
        let data = self.data();
        Ok(data.aliases.iter().map(|(a, c)| Alias { alias: a.clone(), collection: c.clone() }).collect())
    }

    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError> {
        self.check("count", Moment::Before)?;
        Ok(self.data().collections.get(collection).map(|p| p.len() as u64))
    }

    async fn count_of_version(&self, collection: &str, _version_id: &str) -> Result<u64, StoreError> {
        Ok(self.count(collection).await?.unwrap_or(0))
    }

    async fn id_fingerprint(&self, collection: &str) -> Result<Option<IdSetFingerprint>, StoreError> {
        self.check("id_fingerprint", Moment::Before)?;
        let data = self.data();
        let ids = |points: &Vec<u64>| points.iter().map(|id| PointId::Num(*id)).collect::<Vec<_>>();
        Ok(data.collections.get(collection).map(|points| ids(points).iter().collect()))
    }

    async fn status(&self, collection: &str) -> Result<Option<CollectionStatus>, StoreError> {
        self.check("status", Moment::Before)?;
        Ok(self.data().collections.contains_key(collection).then_some(CollectionStatus::Ready))
    }

    async fn delete_collection(&self, collection: &str, _at_most: u64) -> Result<Removal, StoreError> {
        self.check("delete_collection", Moment::Before)?;
        let gone = {
            let mut data = self.data();
            data.aliases.retain(|_, c| c != collection);
            data.collections.remove(collection)
        };
        self.check("delete_collection", Moment::After)?;
        Ok(gone.map_or(Removal::Absent, |points| Removal::Removed(points.len() as u64)))
    }
}
