//! A graph put in the place of the one that is there: in one transaction, so that it is the old one or the new.

use std::path::Path;

use backup_formats::cypher_export::ExportForm;
use rollback::store::{OnProgress, StoreError};
use sqlx::sqlite::SqliteConnection;

use super::EmbeddedGraph;
use super::loader::{NodeRow, RelationshipRow};
use super::schema;
use crate::graph_data::{
    BYTES_PER_REQUEST, ImportItem, KeyedNodes, Properties, ROWS_PER_REQUEST, SchemaRule, no_such_end, read_export,
    to_json, two_of_a_key, weight,
};

const OPERATION: &str = "restoring the graph";

impl EmbeddedGraph {
    /// `on_rows` is told the nodes and relationships loaded so far, `on_bytes` the bytes of the export read so far, and
    /// its size.
    pub(super) async fn load_export(
        &self,
        from: &Path,
        form: ExportForm,
        on_rows: &(dyn Fn(u64) + Send + Sync),
        on_bytes: OnProgress,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_write(OPERATION).await?;
        let present = schema::statements(&mut tx).await.map_err(|e| self.error(OPERATION, &e))?;
        schema::delete_everything(&mut tx).await.map_err(|e| self.error(OPERATION, &e))?;
        let mut import = Import {
            graph: self,
            tx: &mut tx,
            from,
            loaded: KeyedNodes::default(),
            nodes: Vec::with_capacity(ROWS_PER_REQUEST),
            relationships: Vec::with_capacity(ROWS_PER_REQUEST),
            bytes: 0,
            next_id: 1,
            done: 0,
            on_rows,
        };
        let mut statements = Vec::new();
        let mut items = read_export(from.to_owned(), on_bytes);
        while let Some(item) = items.recv().await {
            import.add(item?, &mut statements).await?;
        }
        import.insert_nodes().await?;
        import.insert_relationships().await?;
        if form.lacks_a_schema_statement() {
            let wanted: Vec<_> = statements.iter().filter_map(|text| SchemaRule::read(text)).collect();
            let named = |text: &str| {
                SchemaRule::read(text).is_some_and(|rule| {
                    wanted
                        .iter()
                        .any(|wanted| wanted.key == rule.key || wanted.name.is_some() && wanted.name == rule.name)
                })
            };
            statements.extend(present.into_iter().filter(|text| !named(text)));
        }
        schema::keep_statements(&mut tx, &statements).await.map_err(|e| self.error(OPERATION, &e))?;
        tx.commit().await.map_err(|e| self.error(OPERATION, &e))
    }

    /// Keeps the statements that make constraints and indexes, for exports to come. The embedded graph has neither.
    ///
    /// # Errors
    /// SQLite's.
    pub async fn set_schema(&self, statements: &[String]) -> Result<(), StoreError> {
        let operation = "keeping the graph's schema";
        let mut tx = self.begin_write(operation).await?;
        schema::keep_statements(&mut tx, statements).await.map_err(|e| self.error(operation, &e))?;
        tx.commit().await.map_err(|e| self.error(operation, &e))
    }

    /// The statements kept.
    pub(super) async fn kept_schema(&self, operation: &str) -> Result<Vec<String>, StoreError> {
        let mut tx = self.begin(operation).await?;
        schema::statements(&mut tx).await.map_err(|e| self.error(operation, &e))
    }
}

/// An import under way.
struct Import<'g> {
    graph: &'g EmbeddedGraph,
    tx: &'g mut SqliteConnection,
    from: &'g Path,
    loaded: KeyedNodes<i64>,
    nodes: Vec<NodeRow>,
    relationships: Vec<RelationshipRow>,
    /// Of the rows that wait.
    bytes: usize,
    next_id: i64,
    done: u64,
    on_rows: &'g (dyn Fn(u64) + Send + Sync),
}

impl Import<'_> {
    async fn add(&mut self, item: ImportItem, statements: &mut Vec<String>) -> Result<(), StoreError> {
        match item {
            ImportItem::Schema(statement) => {
                self.loaded.learn(&statement);
                statements.push(statement);
            }
            ImportItem::Nodes(batch) => {
                for row in batch.rows {
                    let keys = self.loaded.keys(&batch.key, &row.key);
                    if !self.loaded.insert(&keys, self.next_id) {
                        return Err(two_of_a_key(self.from, &batch.key, &row.key));
                    }
                    self.bytes += weight(row.properties.values());
                    let properties: Properties =
                        row.properties.into_iter().map(|(name, value)| (name, to_json(value))).collect();
                    let node = self.graph.node_row(self.next_id, batch.labels.clone(), properties, OPERATION)?;
                    self.nodes.push(node);
                    self.next_id += 1;
                    if self.nodes.len() >= ROWS_PER_REQUEST || self.bytes >= BYTES_PER_REQUEST {
                        self.insert_nodes().await?;
                    }
                }
            }
            ImportItem::Relationships(batch) => {
                self.insert_nodes().await?;
                for row in batch.rows {
                    let end =
                        |key, values| self.loaded.get(key, values).ok_or_else(|| no_such_end(self.from, key, values));
                    let (start, end) = (end(&batch.start, &row.start)?, end(&batch.end, &row.end)?);
                    self.bytes += weight(row.properties.values());
                    let properties: Properties =
                        row.properties.into_iter().map(|(name, value)| (name, to_json(value))).collect();
                    let row = self.graph.relationship_row(start, end, batch.rel_type.clone(), properties, OPERATION)?;
                    self.relationships.push(row);
                    if self.relationships.len() >= ROWS_PER_REQUEST || self.bytes >= BYTES_PER_REQUEST {
                        self.insert_relationships().await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn insert_nodes(&mut self) -> Result<(), StoreError> {
        if !self.nodes.is_empty() {
            self.done += self.graph.insert_node_rows(self.tx, &self.nodes, OPERATION).await?;
            self.nodes.clear();
            self.bytes = 0;
            (self.on_rows)(self.done);
        }
        Ok(())
    }

    async fn insert_relationships(&mut self) -> Result<(), StoreError> {
        if !self.relationships.is_empty() {
            self.done += self.graph.insert_relationship_rows(self.tx, &self.relationships, OPERATION).await?;
            self.relationships.clear();
            self.bytes = 0;
            (self.on_rows)(self.done);
        }
        Ok(())
    }
}
