//! The whole graph as a stream, and as an export in APOC's cypher-shell form.

use std::path::Path;
use std::sync::Arc;

use backup_formats::cypher_export::{ExportCounts, ExportNode, ExportRelationship, UniqueKey};
use futures::TryStreamExt;
use rollback::store::{CopyTaken, Fault, OnProgress, StoreError};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use super::EmbeddedGraph;
use crate::graph_data::{ExportFile, ExportFileError, GraphNode, GraphRelationship, Piece, cypher_map};

/// Rows handed to the writer at a time.
const CHUNK: usize = 500;

/// A piece of the graph: first all nodes, then all relationships.
#[derive(Clone, Debug, PartialEq)]
pub enum GraphItem {
    /// A node.
    Node(GraphNode),
    /// A relationship.
    Relationship(GraphRelationship),
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
    /// [`ExportFileError`]; nothing is at `path` then that was not there before.
    pub async fn export_to(
        &self,
        path: &Path,
        schema: &[String],
        unique_keys: Vec<UniqueKey>,
    ) -> Result<ExportCounts, ExportFileError> {
        let quiet: OnProgress = Arc::new(|_, _| {});
        let inventory = self.write_file(path, true, schema.to_vec(), unique_keys, &quiet).await?.inventory;
        Ok(ExportCounts {
            nodes: inventory.nodes.unwrap_or_default(),
            relationships: inventory.relationships.unwrap_or_default(),
        })
    }

    pub(super) async fn write_file(
        &self,
        path: &Path,
        replace: bool,
        schema: Vec<String>,
        unique_keys: Vec<UniqueKey>,
        progress: &OnProgress,
    ) -> Result<CopyTaken, ExportFileError> {
        let total = self.count_rows().await?;
        progress(0, total);
        let (items, received) = mpsc::channel(CHUNK);
        let mut file = ExportFile::begin(path, replace, schema, unique_keys);
        let writing = send_all(&mut file, received, |done| progress(done, total.max(done)));
        let (read, written) = tokio::join!(self.stream(items), writing);
        // The writer's error comes first: it is why the reader stopped.
        match written.and(read.map_err(ExportFileError::from)) {
            Ok(()) => file.finish().await,
            Err(error) => {
                file.abandon().await;
                Err(error)
            }
        }
    }

    async fn count_rows(&self) -> Result<u64, StoreError> {
        let operation = "counting the whole graph";
        let mut tx = self.begin(operation).await?;
        sqlx::query("SELECT (SELECT count(*) FROM nodes) + (SELECT count(*) FROM relationships) AS total")
            .fetch_one(&mut *tx)
            .await
            .and_then(|row| super::count(&row, "total"))
            .map_err(|e| self.error(operation, &e))
    }
}

/// Returns early when the writer stops, and so tells the reader to stop.
async fn send_all(
    file: &mut ExportFile,
    mut received: mpsc::Receiver<GraphItem>,
    on_rows: impl Fn(u64),
) -> Result<(), ExportFileError> {
    let mut done = 0;
    let mut chunk = Vec::with_capacity(CHUNK);
    while received.recv_many(&mut chunk, CHUNK).await > 0 {
        done += chunk.len() as u64;
        file.send(chunk.drain(..).map(piece).collect()).await?;
        on_rows(done);
    }
    Ok(())
}

fn piece(item: GraphItem) -> Piece {
    match item {
        GraphItem::Node(node) => {
            Piece::Node(ExportNode { id: node.id, labels: node.labels, properties: cypher_map(node.properties) })
        }
        GraphItem::Relationship(relationship) => Piece::Relationship(ExportRelationship {
            start: relationship.start,
            end: relationship.end,
            rel_type: relationship.rel_type,
            properties: cypher_map(relationship.properties),
        }),
    }
}

/// JSON in a text column.
fn parsed<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(row.try_get(column)?)
        .map_err(|e| sqlx::Error::ColumnDecode { index: column.to_owned(), source: e.into() })
}
