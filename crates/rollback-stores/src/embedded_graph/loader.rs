//! Loading nodes and relationships: all of one kind in one transaction, a couple of thousand rows a statement.

use rollback::store::{Fault, StoreError};
use serde::Serialize;
use serde_json::Value;
use sqlx::sqlite::SqliteConnection;

use super::EmbeddedGraph;
use crate::graph_data::{GraphNode, GraphRelationship, Properties, ROWS_PER_REQUEST, check_name};

#[derive(Serialize)]
pub(super) struct NodeRow {
    id: i64,
    labels: Vec<String>,
    id_text: Option<String>,
    chunk_id_text: Option<String>,
    paragraph_id_text: Option<String>,
    properties: String,
}

#[derive(Serialize)]
pub(super) struct RelationshipRow {
    start: i64,
    end: i64,
    #[serde(rename = "type")]
    rel_type: String,
    properties: String,
}

impl EmbeddedGraph {
    /// Inserts nodes, all or none; returns how many.
    ///
    /// # Errors
    /// SQLite's; [`Fault::Refused`] for an id that is there already or a label that Neo4j could not hold.
    pub async fn insert_nodes(&self, nodes: impl IntoIterator<Item = GraphNode>) -> Result<u64, StoreError> {
        let operation = "loading nodes";
        let mut tx = self.begin_write(operation).await?;
        let (mut batch, mut inserted) = (Vec::with_capacity(ROWS_PER_REQUEST), 0);
        for node in nodes {
            node.labels
                .iter()
                .try_for_each(|label| check_name(label))
                .map_err(|detail| self.fault(operation, Fault::Refused, detail))?;
            batch.push(self.node_row(node.id, node.labels, node.properties, operation)?);
            if batch.len() == ROWS_PER_REQUEST {
                inserted += self.insert_node_rows(&mut tx, &batch, operation).await?;
                batch.clear();
            }
        }
        inserted += self.insert_node_rows(&mut tx, &batch, operation).await?;
        tx.commit().await.map_err(|e| self.error(operation, &e))?;
        Ok(inserted)
    }

    /// Inserts relationships, all or none; returns how many.
    ///
    /// # Errors
    /// SQLite's; [`Fault::Refused`] for an end that is not there.
    pub async fn insert_relationships(
        &self,
        relationships: impl IntoIterator<Item = GraphRelationship>,
    ) -> Result<u64, StoreError> {
        let operation = "loading relationships";
        let mut tx = self.begin_write(operation).await?;
        let (mut batch, mut inserted) = (Vec::with_capacity(ROWS_PER_REQUEST), 0);
        for relationship in relationships {
            check_name(&relationship.rel_type).map_err(|detail| self.fault(operation, Fault::Refused, detail))?;
            let GraphRelationship { start, end, rel_type, properties } = relationship;
            batch.push(self.relationship_row(start, end, rel_type, properties, operation)?);
            if batch.len() == ROWS_PER_REQUEST {
                inserted += self.insert_relationship_rows(&mut tx, &batch, operation).await?;
                batch.clear();
            }
        }
        inserted += self.insert_relationship_rows(&mut tx, &batch, operation).await?;
        tx.commit().await.map_err(|e| self.error(operation, &e))?;
        Ok(inserted)
    }

    pub(super) fn node_row(
        &self,
        id: i64,
        labels: Vec<String>,
        properties: Properties,
        operation: &str,
    ) -> Result<NodeRow, StoreError> {
        let text = |name| properties.get(name).and_then(text_or_null);
        Ok(NodeRow {
            id,
            id_text: text("id"),
            chunk_id_text: text("chunk_id"),
            paragraph_id_text: text("paragraph_id"),
            labels,
            properties: self.json(&without_nulls(properties), operation)?,
        })
    }

    pub(super) fn relationship_row(
        &self,
        start: i64,
        end: i64,
        rel_type: String,
        properties: Properties,
        operation: &str,
    ) -> Result<RelationshipRow, StoreError> {
        let properties = self.json(&without_nulls(properties), operation)?;
        Ok(RelationshipRow { start, end, rel_type, properties })
    }

    pub(super) async fn insert_node_rows(
        &self,
        tx: &mut SqliteConnection,
        rows: &[NodeRow],
        operation: &str,
    ) -> Result<u64, StoreError> {
        let rows = self.json(rows, operation)?;
        let insert = async {
            let done = sqlx::query(
                "INSERT INTO nodes (id, id_text, chunk_id_text, paragraph_id_text, properties)
                 SELECT value ->> 'id', value ->> 'id_text', value ->> 'chunk_id_text', value ->> 'paragraph_id_text',
                        value ->> 'properties'
                 FROM json_each(?1)",
            )
            .bind(&rows)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT OR IGNORE INTO node_labels (label, node_id)
                 SELECT l.value, n.value ->> 'id' FROM json_each(?1) AS n, json_each(n.value, '$.labels') AS l",
            )
            .bind(&rows)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected())
        };
        insert.await.map_err(|e| self.error(operation, &e))
    }

    pub(super) async fn insert_relationship_rows(
        &self,
        tx: &mut SqliteConnection,
        rows: &[RelationshipRow],
        operation: &str,
    ) -> Result<u64, StoreError> {
        sqlx::query(
            "INSERT INTO relationships (start_id, end_id, type, properties)
             SELECT value ->> 'start', value ->> 'end', value ->> 'type', value ->> 'properties' FROM json_each(?1)",
        )
        .bind(self.json(rows, operation)?)
        .execute(tx)
        .await
        .map(|done| done.rows_affected())
        .map_err(|e| self.error(operation, &e))
    }

    fn json<T: Serialize + ?Sized>(&self, value: &T, operation: &str) -> Result<String, StoreError> {
        serde_json::to_string(value).map_err(|e| self.fault(operation, Fault::Refused, e.to_string()))
    }
}

/// As in Neo4j, where a null property is one that is not there.
fn without_nulls(mut properties: Properties) -> Properties {
    properties.retain(|_, value| !value.is_null());
    properties
}

/// As Neo4j's `toStringOrNull`.
fn text_or_null(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
