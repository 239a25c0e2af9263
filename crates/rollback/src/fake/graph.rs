//! A graph in memory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rollback_types::{Inventory, StagingCounts, StoreKind};

use super::deployment::Data;
use super::faults::{FaultPlan, Moment};
use crate::store::{Engine, Fault, GraphStore, OnProgress, Probe, ScratchGraph, StagingSelector, StoreError};

#[derive(Debug)]
pub(super) struct FakeGraph {
    data: Arc<Mutex<Data>>,
    faults: Arc<FaultPlan>,
}

impl FakeGraph {
    pub(super) fn new(data: Arc<Mutex<Data>>, faults: Arc<FaultPlan>) -> Self {
        Self { data, faults }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        self.faults.check(StoreKind::Neo4j, operation, moment)
    }
}

#[async_trait]
impl GraphStore for FakeGraph {
    fn engine(&self) -> Engine {
        Engine { name: "fake", location: "fake://neo4j".into() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        self.check("probe_graph", Moment::Before)?;
        Ok(Probe { version: None, detail: "in memory".into(), warning: None })
    }

    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError> {
        self.check("staging_nodes", Moment::Before)?;
        let data = self.data();
        let staged = |id: &u32| data.nodes.get(id).is_some_and(|n| n.staging);
        let nodes = data.nodes.values().filter(|n| n.staging).count() as u64;
        let touching = data.relationships.iter().filter(|(a, b)| staged(a) || staged(b)).count() as u64;
        let crossing = data.relationships.iter().filter(|(a, b)| staged(a) != staged(b)).count() as u64;
        Ok(StagingCounts {
            present: nodes > 0,
            name: selector.to_string(),
            nodes: Some(nodes),
            relationships: Some(touching),
            crossing_relationships: Some(crossing),
            ..StagingCounts::default()
        })
    }

    async fn production(&self, _staging: &[StagingSelector]) -> Result<Inventory, StoreError> {
        self.check("production_nodes", Moment::Before)?;
        let data = self.data();
        let staged = |id: &u32| data.nodes.get(id).is_some_and(|n| n.staging);
        let relationships = data.relationships.iter().filter(|(a, b)| !staged(a) && !staged(b)).count() as u64;
        let mut inventory =
            Inventory { name: "graph".into(), relationships: Some(relationships), ..Inventory::default() };
        for node in data.nodes.values().filter(|n| !n.staging) {
            *inventory.labels.entry(node.label.to_owned()).or_default() += 1;
            *inventory.nodes.get_or_insert(0) += 1;
        }
        if relationships > 0 {
            inventory.types.insert("NEXT".into(), relationships);
        }
        Ok(inventory)
    }

    async fn delete_batch(&self, _selector: &StagingSelector, limit: u32) -> Result<u64, StoreError> {
        self.check("delete_batch", Moment::Before)?;
        let gone = {
            let mut data = self.data();
            let ids: Vec<u32> =
                data.nodes.iter().filter(|(_, n)| n.staging).map(|(id, _)| *id).take(limit as usize).collect();
            data.relationships.retain(|(a, b)| !ids.contains(a) && !ids.contains(b));
            data.nodes.retain(|id, _| !ids.contains(id));
            ids.len() as u64
        };
        self.check("delete_batch", Moment::After)?;
        Ok(gone)
    }
}

/// Counts an export without loading it anywhere.
#[derive(Debug)]
pub(super) struct FakeScratch;

#[async_trait]
impl ScratchGraph for FakeScratch {
    async fn try_export(&self, export: &Path, _folder: &Path, _progress: OnProgress) -> Result<Inventory, StoreError> {
        let failed = |detail: String| StoreError {
            store: StoreKind::Neo4j,
            endpoint: export.display().to_string(),
            operation: "trying out an export".into(),
            fault: Fault::Corrupt,
            detail,
        };
        let file = std::fs::File::open(export).map_err(|e| failed(e.to_string()))?;
        let summary = backup_formats::cypher_export::summarize(file, |_| {}).map_err(|e| failed(e.to_string()))?;
        Ok(Inventory {
            name: "scratch".into(),
            nodes: Some(summary.nodes),
            relationships: Some(summary.relationships),
            labels: summary.labels,
            types: summary.relationship_types,
            ..Inventory::default()
        })
    }
}
