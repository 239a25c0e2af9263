//! A graph in memory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use backup_formats::cypher_export::CypherValue;
use futures::stream::BoxStream;
use rollback_types::{Inventory, StagingCounts, StoreKind};

use super::copies::{file_error, graph_inventory, read_export, schema_lines, taken, write_export};
use super::data::{Data, Edge, Node};
use super::faults::{FaultPlan, Moment};
use crate::store::{
    CopyTaken, Engine, Fault, GraphCheck, GraphScope, GraphStore, OnProgress, Probe, ScratchGraph, StagingSelector,
    StoreError,
};

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

    async fn check(&self, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        self.faults.pass(StoreKind::Neo4j, operation, moment).await
    }
}

#[async_trait]
impl GraphStore for FakeGraph {
    fn engine(&self) -> Engine {
        Engine { name: "fake", location: "fake://neo4j".into() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        self.check("probe_graph", Moment::Before).await?;
        Ok(Probe { version: None, detail: "in memory".into(), warning: None })
    }

    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError> {
        self.check("staging_nodes", Moment::Before).await?;
        let data = self.data();
        let staged = |id: &u32| data.nodes.get(id).is_some_and(|n| n.is_selected(selector));
        let nodes = data.nodes.keys().filter(|id| staged(id)).count() as u64;
        let touching = data.relationships.iter().filter(|e| staged(&e.from) || staged(&e.to)).count() as u64;
        let crossing = data.relationships.iter().filter(|e| staged(&e.from) != staged(&e.to)).count() as u64;
        Ok(StagingCounts {
            present: nodes > 0,
            name: selector.to_string(),
            nodes: Some(nodes),
            relationships: Some(touching),
            crossing_relationships: Some(crossing),
            ..StagingCounts::default()
        })
    }

    async fn production(&self, staging: &[StagingSelector]) -> Result<Inventory, StoreError> {
        self.check("production_nodes", Moment::Before).await?;
        let data = self.data();
        let scope = GraphScope::Production(staging.to_vec());
        let ours = |id: &u32| data.nodes.get(id).is_some_and(|n| n.is_in(&scope));
        let nodes = data.nodes.iter().filter(|(id, _)| ours(id)).map(|(_, n)| n);
        let relationships = data.relationships.iter().filter(|e| ours(&e.from) && ours(&e.to));
        Ok(graph_inventory("graph", nodes, relationships))
    }

    async fn delete_batch(&self, selector: &StagingSelector, limit: u32) -> Result<u64, StoreError> {
        self.check("delete_batch", Moment::Before).await?;
        let gone = {
            let mut data = self.data();
            let staged = data.nodes.iter().filter(|(_, n)| n.is_selected(selector)).map(|(id, _)| *id);
            let ids: BTreeSet<u32> = staged.take(limit as usize).collect();
            data.remove_nodes(&ids);
            ids.len() as u64
        };
        self.check("delete_batch", Moment::After).await?;
        Ok(gone)
    }

    async fn export(&self, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        self.check("export", Moment::Before).await?;
        let taken = {
            let data = self.data();
            let total = (data.nodes.len() + data.relationships.len()) as u64;
            let inventory = graph_inventory("graph", data.nodes.values(), data.relationships.iter());
            let written = write_export(to, data.nodes.iter(), data.relationships.iter());
            progress(total, total);
            written.and_then(|()| taken(to, inventory))
        };
        self.check("export", Moment::After).await?;
        taken.map_err(|e| file_error(StoreKind::Neo4j, "exporting the graph", to, &e))
    }

    async fn restore_export(&self, from: &Path, progress: OnProgress) -> Result<Inventory, StoreError> {
        self.check("restore_export", Moment::Before).await?;
        // As with a real server, the old graph is gone before the file is read to its end.
        {
            let mut data = self.data();
            data.nodes.clear();
            data.relationships.clear();
        }
        let (nodes, relationships) =
            read_export(from).map_err(|e| file_error(StoreKind::Neo4j, "restoring the graph", from, &e))?;
        let total = (nodes.len() + relationships.len()) as u64;
        let inventory = graph_inventory("graph", nodes.values(), relationships.iter());
        {
            let mut data = self.data();
            (data.nodes, data.relationships) = (nodes, relationships);
        }
        progress(total, total);
        self.check("restore_export", Moment::After).await?;
        Ok(inventory)
    }

    async fn schema_lines(&self) -> Result<Vec<String>, StoreError> {
        self.check("schema_lines", Moment::Before).await?;
        Ok(schema_lines())
    }

    fn paragraphs(&self, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        let data = self.data();
        let paragraphs = data.nodes.values().filter(|n| n.is("Paragraph") && n.is_in(scope));
        let ids = paragraphs.map(|n| n.text("chunk_id").unwrap_or("(no chunk_id)").to_owned()).collect();
        self.faults.stream(StoreKind::Neo4j, "paragraphs", ids)
    }

    fn offenders(&self, check: GraphCheck, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        let data = self.data();
        let ids = data.nodes.iter().filter(|(_, n)| n.is("Paragraph") && n.is_in(scope));
        let offending = ids.filter(|(id, _)| offends(&data, check, scope, **id));
        let told = |n: &Node| n.text("chunk_id").or(n.text("id")).unwrap_or("(no id)").to_owned();
        self.faults.stream(StoreKind::Neo4j, "offenders", offending.map(|(_, n)| told(n)).collect())
    }
}

const PARENTS: [&str; 4] = ["HAS_PARAGRAPH", "HAS_SUBSUBSECTION", "HAS_SUBSECTION", "HAS_SECTION"];

fn offends(data: &Data, check: GraphCheck, scope: &GraphScope, id: u32) -> bool {
    let chain = |e: &&Edge| e.from == id && (e.kind == "NEXT" || e.kind == "PREV");
    match check {
        GraphCheck::Orphans => !data.relationships.iter().any(|e| e.to == id && PARENTS.contains(&e.kind.as_str())),
        GraphCheck::Unreachable => !is_reachable(data, scope, id),
        GraphCheck::ChainLeaves => {
            data.relationships.iter().filter(chain).any(|e| !data.nodes.get(&e.to).is_some_and(|n| n.is_in(scope)))
        }
        GraphCheck::NextWithoutPrev => data
            .relationships
            .iter()
            .filter(|e| e.from == id && e.kind == "NEXT")
            .any(|e| !data.relationships.contains(&Edge::new("PREV", e.to, id))),
        GraphCheck::CrossReferences => match data.nodes.get(&id).and_then(|n| n.properties.get("cross_references")) {
            None | Some(CypherValue::Null | CypherValue::List(_)) => false,
            Some(CypherValue::String(text)) => serde_json::from_str::<Vec<serde_json::Value>>(text).is_err(),
            Some(_) => true,
        },
    }
}

/// Some chapter of the scope is among its ancestors.
fn is_reachable(data: &Data, scope: &GraphScope, id: u32) -> bool {
    let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
    while let Some(id) = open.pop() {
        if data.nodes.get(&id).is_some_and(|n| n.is("Chapter") && n.is_in(scope)) {
            return true;
        }
        let parents = data.relationships.iter().filter(|e| e.to == id);
        let up = parents.filter(|e| e.kind == "CONTAINS" || PARENTS.contains(&e.kind.as_str())).map(|e| e.from);
        open.extend(up.filter(|id| seen.insert(*id)));
    }
    false
}

/// Counts an export without loading it anywhere.
#[derive(Debug)]
pub(super) struct FakeScratch(Arc<FaultPlan>);

impl FakeScratch {
    pub(super) fn new(faults: Arc<FaultPlan>) -> Self {
        Self(faults)
    }
}

#[async_trait]
impl ScratchGraph for FakeScratch {
    async fn try_export(&self, export: &Path, _folder: &Path, _progress: OnProgress) -> Result<Inventory, StoreError> {
        self.0.pass(StoreKind::Neo4j, "try_export", Moment::Before).await?;
        let failed = |detail: String| StoreError {
            store: StoreKind::Neo4j,
            endpoint: export.display().to_string(),
            operation: "trying out an export".into(),
            fault: Fault::Corrupt,
            detail,
        };
        let file = std::fs::File::open(export).map_err(|e| failed(e.to_string()))?;
        let summary = backup_formats::cypher_export::summarize(file, |_| {}).map_err(|e| failed(e.to_string()))?;
        self.0.pass(StoreKind::Neo4j, "try_export", Moment::After).await?;
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
