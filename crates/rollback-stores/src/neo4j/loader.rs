//! Loading nodes and relationships: rows as parameters under a few constant texts, a couple of thousand at a time.

use std::collections::{BTreeMap, HashMap};

use neo4rs::{BoltMap, BoltType, query};
use rollback::store::{Fault, StoreError};

use super::connection::Patience;
use super::{Neo4jGraph, schema, statements};
use crate::graph_data::{GraphNode, GraphRelationship, Properties, ROWS_PER_REQUEST, SchemaRule, check_name};

/// What may be in the database before a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadInto {
    /// Nothing: a database with nodes is refused.
    EmptyDatabase,
    /// Anything: what is loaded comes beside it.
    AnyDatabase,
}

/// Loads nodes first, then the relationships between them. Each request is a transaction of its own: after an error a
/// part is there.
#[derive(Debug)]
pub struct Neo4jLoader<'g> {
    graph: &'g Neo4jGraph,
    element_ids: HashMap<i64, String>,
}

impl Neo4jGraph {
    /// Begins a load.
    ///
    /// # Errors
    /// The server's; [`Fault::Refused`] when the database holds nodes and should not.
    pub async fn loader(&self, into: LoadInto) -> Result<Neo4jLoader<'_>, StoreError> {
        if into == LoadInto::EmptyDatabase {
            let operation = "loading a graph";
            let mut txn = self.connector.begin(Patience::Request, operation).await?;
            let row = txn.row(statements::all_nodes()).await?;
            let nodes = txn.count(&row, "total")?;
            txn.commit().await?;
            if nodes > 0 {
                let detail =
                    format!("the database holds {nodes} nodes already; nothing was changed. Load into an empty one");
                return Err(self.connector.fault(operation, Fault::Refused, detail));
            }
        }
        Ok(Neo4jLoader { graph: self, element_ids: HashMap::new() })
    }
}

impl Neo4jLoader<'_> {
    /// Makes those of the constraints and indexes that are not there yet, and waits until they are filled.
    ///
    /// # Errors
    /// The server's.
    pub async fn load_schema(&self, statements: &[String]) -> Result<(), StoreError> {
        let (connector, operation) = (&self.graph.connector, "making constraints and indexes");
        let mut txn = connector.begin(Patience::Request, operation).await?;
        let present = schema::present(&mut txn).await?;
        txn.commit().await?;
        let there: Vec<_> =
            present.iter().filter_map(|rule| SchemaRule::read(&rule.statement)).map(|r| r.key).collect();
        let missing = |statement: &&String| SchemaRule::read(statement).is_none_or(|rule| !there.contains(&rule.key));
        let missing: Vec<String> = statements.iter().filter(missing).cloned().collect();
        schema::make(connector, &missing, operation).await?;
        schema::settle(connector, operation).await
    }

    /// Creates the nodes and remembers their ids for [`load_relationships`](Self::load_relationships); returns how many.
    ///
    /// # Errors
    /// The server's; [`Fault::Refused`] for a label or value that Neo4j cannot hold.
    pub async fn load_nodes(&mut self, nodes: impl IntoIterator<Item = GraphNode>) -> Result<u64, StoreError> {
        let mut by_labels: BTreeMap<Vec<String>, Vec<BoltType>> = BTreeMap::new();
        let mut loaded = 0;
        for mut node in nodes {
            node.labels.sort_unstable();
            node.labels.dedup();
            node.labels.iter().try_for_each(|label| check_name(label)).map_err(|e| self.refused(e))?;
            let row = self.row([("id", BoltType::from(node.id))], node.properties)?;
            let rows = by_labels.entry(node.labels.clone()).or_default();
            rows.push(row);
            if rows.len() == ROWS_PER_REQUEST {
                let rows = std::mem::take(rows);
                loaded += self.create_nodes(&node.labels, rows).await?;
            }
        }
        for (labels, rows) in by_labels {
            loaded += self.create_nodes(&labels, rows).await?;
        }
        Ok(loaded)
    }

    /// Creates the relationships between nodes of this load; returns how many.
    ///
    /// # Errors
    /// The server's; [`Fault::Refused`] for an end that was not loaded, or a type or value that Neo4j cannot hold.
    pub async fn load_relationships(
        &mut self,
        relationships: impl IntoIterator<Item = GraphRelationship>,
    ) -> Result<u64, StoreError> {
        let mut by_type: BTreeMap<String, Vec<BoltType>> = BTreeMap::new();
        let mut loaded = 0;
        for relationship in relationships {
            check_name(&relationship.rel_type).map_err(|e| self.refused(e))?;
            let ends = [("start", self.end(relationship.start)?), ("end", self.end(relationship.end)?)];
            let row = self.row(ends, relationship.properties)?;
            let rows = by_type.entry(relationship.rel_type.clone()).or_default();
            rows.push(row);
            if rows.len() == ROWS_PER_REQUEST {
                let rows = std::mem::take(rows);
                loaded += self.create_relationships(&relationship.rel_type, rows).await?;
            }
        }
        for (rel_type, rows) in by_type {
            loaded += self.create_relationships(&rel_type, rows).await?;
        }
        Ok(loaded)
    }

    async fn create_nodes(&mut self, labels: &[String], rows: Vec<BoltType>) -> Result<u64, StoreError> {
        let wanted = rows.len();
        let mut txn = self.graph.connector.begin(Patience::Long, "loading nodes").await?;
        let statement = query(&statements::create_nodes(labels)).param("rows", rows);
        let created = txn.rows(statement).await?;
        for row in &created {
            self.element_ids.insert(txn.value(row, "id")?, txn.value(row, "element_id")?);
        }
        if created.len() != wanted {
            return Err(txn.unexpected(format!("{} nodes were made of {wanted}", created.len())));
        }
        txn.commit().await?;
        Ok(created.len() as u64)
    }

    async fn create_relationships(&self, rel_type: &str, rows: Vec<BoltType>) -> Result<u64, StoreError> {
        let wanted = rows.len() as u64;
        let mut txn = self.graph.connector.begin(Patience::Long, "loading relationships").await?;
        let row = txn.row(query(&statements::create_relationships(rel_type)).param("rows", rows)).await?;
        let created = txn.count(&row, "total")?;
        if created != wanted {
            return Err(txn.unexpected(format!("{created} relationships were made of {wanted}")));
        }
        txn.commit().await?;
        Ok(created)
    }

    fn end(&self, id: i64) -> Result<BoltType, StoreError> {
        match self.element_ids.get(&id) {
            Some(element_id) => Ok(element_id.as_str().into()),
            None => Err(self.refused(format!("a relationship ends at node {id}, which was not loaded"))),
        }
    }

    fn row<const N: usize>(&self, keys: [(&str, BoltType); N], properties: Properties) -> Result<BoltType, StoreError> {
        let mut values = BoltMap::with_capacity(properties.len());
        for (name, value) in properties {
            let bolt = BoltType::try_from(value).map_err(|e| self.refused(format!("the property {name}: {e}")))?;
            values.put(name.into(), bolt);
        }
        let mut row: BoltMap = keys.into_iter().map(|(key, value)| (key.into(), value)).collect();
        row.put("properties".into(), BoltType::Map(values));
        Ok(BoltType::Map(row))
    }

    fn refused(&self, detail: impl Into<String>) -> StoreError {
        self.graph.connector.fault("loading a graph", Fault::Refused, detail)
    }
}
