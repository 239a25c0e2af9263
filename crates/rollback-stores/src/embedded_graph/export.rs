//! The whole graph as a stream, and as an export in APOC's cypher-shell form.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use backup_formats::cypher_export::{
    CypherValue, ExportCounts, ExportNode, ExportRelationship, ExportWriteError, ExportWriter, UniqueKey,
};
use futures::TryStreamExt;
use rollback::store::{Fault, StoreError};
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use super::EmbeddedGraph;
use crate::graph_data::{GraphNode, GraphRelationship};

/// A piece of the graph: first all nodes, then all relationships.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphItem {
    /// A node.
    Node(GraphNode),
    /// A relationship.
    Relationship(GraphRelationship),
}

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The graph could not be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// The file could not be written.
    #[error("{path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong, and what to do.
        source: ExportWriteError,
    },
    /// The writing task ended early.
    #[error("the graph export was not finished: {0}. The graph was not changed; the unfinished file can be deleted")]
    Interrupted(String),
}

impl EmbeddedGraph {
    /// Sends the whole graph as it is at one moment, nodes of the same labels one after the other. Ends early, without
    /// an error, when the receiver is closed.
    ///
    /// # Errors
    /// SQLite's.
    pub async fn stream(&self, items: mpsc::Sender<GraphItem>) -> Result<(), StoreError> {
        let operation = "reading the whole graph";
        let mut tx = self.begin(operation).await?;
        let read = async {
            let mut nodes = sqlx::query(
                "SELECT id, properties,
                        (SELECT json_group_array(label ORDER BY label) FROM node_labels WHERE node_id = nodes.id) AS labels
                 FROM nodes ORDER BY labels, id",
            )
            .fetch(&mut *tx);
            while let Some(row) = nodes.try_next().await? {
                let node = GraphNode {
                    id: row.try_get("id")?,
                    labels: parsed(&row, "labels")?,
                    properties: parsed(&row, "properties")?,
                };
                if items.send(GraphItem::Node(node)).await.is_err() {
                    return Ok(());
                }
            }
            drop(nodes);
            let mut relationships =
                sqlx::query("SELECT start_id, end_id, type, properties FROM relationships ORDER BY type, id")
                    .fetch(&mut *tx);
            while let Some(row) = relationships.try_next().await? {
                let relationship = GraphRelationship {
                    start: row.try_get("start_id")?,
                    end: row.try_get("end_id")?,
                    rel_type: row.try_get("type")?,
                    properties: parsed(&row, "properties")?,
                };
                if items.send(GraphItem::Relationship(relationship)).await.is_err() {
                    return Ok(());
                }
            }
            Ok(())
        };
        read.await.map_err(|e| match e {
            sqlx::Error::ColumnDecode { .. } => self.fault(operation, Fault::Corrupt, e.to_string()),
            e => self.error(operation, &e),
        })
    }

    /// Writes the whole graph, as it is at one moment, into a new or overwritten file. `schema` are the statements a
    /// restore begins with; `unique_keys` the constraints among them by which nodes are found again.
    ///
    /// # Errors
    /// [`ExportError`]; the file is not whole then, which every reader of exports can see.
    pub async fn export_to(
        &self,
        path: &Path,
        schema: &[String],
        unique_keys: Vec<UniqueKey>,
    ) -> Result<ExportCounts, ExportError> {
        let failed = |source| ExportError::Write { path: path.to_owned(), source };
        let (items, receiver) = mpsc::channel(1_000);
        let (target, schema) = (path.to_owned(), schema.to_vec());
        let writing = tokio::task::spawn_blocking(move || write_items(&target, &schema, unique_keys, receiver));
        let read = self.stream(items).await;
        // The writer's error comes first: it is why the reader stopped.
        let writer = writing.await.map_err(|e| ExportError::Interrupted(e.to_string()))?.map_err(failed)?;
        // Only what was read to its end gets the end of an export.
        read?;
        tokio::task::spawn_blocking(move || finish(writer))
            .await
            .map_err(|e| ExportError::Interrupted(e.to_string()))?
            .map_err(failed)
    }
}

type FileWriter = ExportWriter<BufWriter<File>>;

fn write_items(
    path: &Path,
    schema: &[String],
    unique_keys: Vec<UniqueKey>,
    mut items: mpsc::Receiver<GraphItem>,
) -> Result<FileWriter, ExportWriteError> {
    let mut writer = ExportWriter::new(BufWriter::new(File::create(path)?), schema, unique_keys)?;
    while let Some(item) = items.blocking_recv() {
        match item {
            GraphItem::Node(node) => writer.node(&ExportNode {
                id: node.id,
                labels: node.labels,
                properties: cypher_map(node.properties),
            })?,
            GraphItem::Relationship(relationship) => writer.relationship(&ExportRelationship {
                start: relationship.start,
                end: relationship.end,
                rel_type: relationship.rel_type,
                properties: cypher_map(relationship.properties),
            })?,
        }
    }
    Ok(writer)
}

fn finish(writer: FileWriter) -> Result<ExportCounts, ExportWriteError> {
    let (buffer, counts) = writer.finish()?;
    let file = buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(counts)
}

fn cypher_map<M: IntoIterator<Item = (String, Value)>>(properties: M) -> BTreeMap<String, CypherValue> {
    properties.into_iter().map(|(name, value)| (name, cypher_value(value))).collect()
}

fn cypher_value(value: Value) -> CypherValue {
    match value {
        Value::Null => CypherValue::Null,
        Value::Bool(truth) => CypherValue::Bool(truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => CypherValue::Integer(integer),
            // JSON's numbers without a fraction beyond 64 bits are floats in Cypher too.
            None => CypherValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => CypherValue::String(text),
        Value::Array(values) => CypherValue::List(values.into_iter().map(cypher_value).collect()),
        Value::Object(map) => CypherValue::Map(cypher_map(map)),
    }
}

/// JSON in a text column.
fn parsed<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?)
        .map_err(|e| sqlx::Error::ColumnDecode { index: column.to_owned(), source: e.into() })
}
