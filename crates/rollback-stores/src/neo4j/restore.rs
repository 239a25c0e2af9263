//! A graph put in the place of the one that is there.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use backup_formats::cypher_export::{NodeBatch, RelationshipBatch};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use neo4rs::{BoltMap, BoltType, query};
use rollback::store::{Fault, GraphStore, OnProgress, StoreError};
use rollback_types::Inventory;

use super::connection::Patience;
use super::values::{Calls, Prepared, prepare};
use super::{Neo4jGraph, schema, statements};
use crate::graph_data::{
    Batches, ImportItem, KeyedNodes, NodeKeys, ROWS_PER_REQUEST, check_export, no_such_end, read_export, weight,
};

/// Nodes deleted in one transaction, with their relationships.
const NODES_PER_WIPE: u32 = 5_000;
/// Rows that wait for others of their shape.
const ROWS_HELD: usize = 20_000;
/// Requests at a time: one is filled while the server works on another. More make two cores no faster.
const REQUESTS: usize = 2;
/// Relationships lock the nodes at both their ends, so two requests could meet in a deadlock (5.26 orders its locks, and
/// none was ever seen); the server then ends one of them. How often that one is tried.
const DEADLOCK_TRIES: u32 = 8;
const OPERATION: &str = "restoring the graph";

type NodeShape = (Vec<String>, Calls);
type RelationshipShape = (String, Calls);

impl Neo4jGraph {
    pub(super) async fn load_export(&self, from: &Path, progress: &OnProgress) -> Result<Inventory, StoreError> {
        // Whatever can be wrong with the file is found before anything goes.
        let facts = check_export(from).await?;
        schema::check(&self.connector, &facts.schema, "asking the server about the export's schema").await?;
        let total = facts.nodes + facts.relationships;
        progress(0, total);

        let keep_unnamed = facts.form.lacks_a_schema_statement();
        schema::clear(&self.connector, &facts.schema, keep_unnamed, "dropping constraints and indexes").await?;
        self.wipe(|| progress(0, total)).await?;

        let mut items = read_export(from.to_owned(), Arc::new(|_, _| {}));
        let mut import = Import {
            graph: self,
            from,
            loaded: KeyedNodes::default(),
            nodes: Batches::new(ROWS_PER_REQUEST, ROWS_HELD),
            relationships: Batches::new(ROWS_PER_REQUEST, ROWS_HELD),
            requests: FuturesUnordered::new(),
            done: 0,
            total,
            progress,
        };
        while let Some(item) = items.recv().await {
            match item? {
                ImportItem::Schema(statement) => import.loaded.learn(&statement),
                ImportItem::Nodes(batch) => import.add_nodes(batch).await?,
                ImportItem::Relationships(batch) => import.add_relationships(batch).await?,
            }
        }
        import.finish_nodes().await?;
        import.finish_relationships().await?;
        // Only now: filling an index once is quicker than keeping it up row by row.
        schema::make(&self.connector, &facts.schema, "making constraints and indexes").await?;
        schema::settle(&self.connector, "waiting for the indexes").await?;
        self.production(&[]).await
    }

    /// Deletes everything, a part in each transaction: all at once can exhaust the server's memory.
    async fn wipe(&self, after_each: impl Fn()) -> Result<(), StoreError> {
        loop {
            let mut txn = self.connector.begin(Patience::Long, "emptying the graph").await?;
            let row = txn.row(statements::delete_any(NODES_PER_WIPE)).await?;
            let deleted = txn.count(&row, "total")?;
            txn.commit().await?;
            after_each();
            if deleted == 0 {
                return Ok(());
            }
        }
    }

    /// Creates nodes in one transaction; gives their ids by the rows' keys.
    async fn create_nodes(&self, statement: String, keys: Vec<NodeKeys>, rows: Vec<BoltType>) -> Created {
        let mut txn = self.connector.begin(Patience::Long, OPERATION).await?;
        let answers = txn.rows(query(&statement).param("rows", rows)).await?;
        let mut ids = Vec::with_capacity(keys.len());
        for row in &answers {
            let number: usize = txn.value(row, "number")?;
            let key = keys.get(number).ok_or_else(|| txn.unexpected(format!("a row {number} that was not sent")))?;
            ids.push((key.clone(), txn.value(row, "id")?));
        }
        if ids.len() != keys.len() {
            return Err(txn.unexpected(format!("{} nodes were made of {}", ids.len(), keys.len())));
        }
        txn.commit().await?;
        Ok((ids.len() as u64, ids))
    }

    /// Creates relationships in one transaction, again if it was the one to give way to another.
    async fn create_relationships(&self, statement: String, rows: Vec<BoltType>) -> Created {
        let wanted = rows.len() as u64;
        let mut tries = 1;
        loop {
            let mut txn = self.connector.begin(Patience::Long, OPERATION).await?;
            match txn.row(query(&statement).param("rows", rows.clone())).await {
                Ok(row) => {
                    let created = txn.count(&row, "total")?;
                    if created != wanted {
                        return Err(txn.unexpected(format!("{created} relationships were made of {wanted}")));
                    }
                    txn.commit().await?;
                    return Ok((created, Vec::new()));
                }
                // Nothing was committed. The other request goes on, and this one's locks are free for it now.
                Err(error) if error.fault == Fault::Busy && tries < DEADLOCK_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// How many were created, and the ids of nodes.
type Created = Result<(u64, Vec<(NodeKeys, i64)>), StoreError>;

type Request<'g> = Pin<Box<dyn Future<Output = Created> + Send + 'g>>;

/// An import under way.
struct Import<'g> {
    graph: &'g Neo4jGraph,
    from: &'g Path,
    loaded: KeyedNodes<i64>,
    /// How relationships name it, and its row.
    nodes: Batches<NodeShape, (NodeKeys, BoltType)>,
    relationships: Batches<RelationshipShape, BoltType>,
    requests: FuturesUnordered<Request<'g>>,
    done: u64,
    total: u64,
    progress: &'g OnProgress,
}

impl Import<'_> {
    async fn add_nodes(&mut self, batch: NodeBatch) -> Result<(), StoreError> {
        // A relationship's rows may wait while nodes are created, not the other way round.
        let NodeBatch { mut labels, key, rows } = batch;
        labels.sort_unstable();
        for row in rows {
            let keys = self.loaded.keys(&key, &row.key);
            let bytes = weight(row.properties.values());
            let (calls, row) = row_of(prepare(row.properties), []);
            if let Some((shape, rows)) = self.nodes.push((labels.clone(), calls), (keys, row), bytes) {
                self.create_nodes(&shape, rows).await?;
            }
        }
        Ok(())
    }

    async fn add_relationships(&mut self, batch: RelationshipBatch) -> Result<(), StoreError> {
        self.finish_nodes().await?;
        for row in batch.rows {
            let end = |key, values| {
                let id = self.loaded.get(key, values);
                id.map(BoltType::from).ok_or_else(|| no_such_end(self.from, key, values))
            };
            let ends = [("start", end(&batch.start, &row.start)?), ("end", end(&batch.end, &row.end)?)];
            let bytes = weight(row.properties.values());
            let (calls, row) = row_of(prepare(row.properties), ends);
            if let Some((shape, rows)) = self.relationships.push((batch.rel_type.clone(), calls), row, bytes) {
                self.create_relationships(&shape, rows).await?;
            }
        }
        Ok(())
    }

    async fn finish_nodes(&mut self) -> Result<(), StoreError> {
        let Some((mut shape, mut rows)) = self.nodes.pop() else {
            return Ok(());
        };
        loop {
            self.create_nodes(&shape, rows).await?;
            match self.nodes.pop() {
                Some(batch) => (shape, rows) = batch,
                None => return self.wait_until(0).await,
            }
        }
    }

    async fn finish_relationships(&mut self) -> Result<(), StoreError> {
        while let Some((shape, rows)) = self.relationships.pop() {
            self.create_relationships(&shape, rows).await?;
        }
        self.wait_until(0).await
    }

    async fn create_nodes(
        &mut self,
        (labels, calls): &NodeShape,
        rows: Vec<(NodeKeys, BoltType)>,
    ) -> Result<(), StoreError> {
        let (keys, mut rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        for (number, row) in (0i64..).zip(&mut rows) {
            if let BoltType::Map(row) = row {
                row.put("number".into(), number.into());
            }
        }
        let statement = statements::import_nodes(labels, calls);
        self.wait_until(REQUESTS - 1).await?;
        self.requests.push(Box::pin(self.graph.create_nodes(statement, keys, rows)));
        Ok(())
    }

    async fn create_relationships(
        &mut self,
        (rel_type, calls): &RelationshipShape,
        rows: Vec<BoltType>,
    ) -> Result<(), StoreError> {
        let statement = statements::import_relationships(rel_type, calls);
        self.wait_until(REQUESTS - 1).await?;
        self.requests.push(Box::pin(self.graph.create_relationships(statement, rows)));
        Ok(())
    }

    /// Until no more than so many requests are under way.
    async fn wait_until(&mut self, under_way: usize) -> Result<(), StoreError> {
        while self.requests.len() > under_way {
            let Some(created) = self.requests.next().await else { break };
            let (rows, ids) = created?;
            for (key, id) in ids {
                self.loaded.insert(&key, id);
            }
            self.done += rows;
            (self.progress)(self.done, self.total.max(self.done));
        }
        Ok(())
    }
}

fn row_of<const N: usize>(prepared: Prepared, more: [(&str, BoltType); N]) -> (Calls, BoltType) {
    let mut row: BoltMap = more.into_iter().map(|(name, value)| (name.into(), value)).collect();
    row.put("properties".into(), BoltType::Map(prepared.properties));
    if !prepared.calls.is_empty() {
        row.put("arguments".into(), BoltType::Map(prepared.arguments));
    }
    (prepared.calls, BoltType::Map(row))
}
