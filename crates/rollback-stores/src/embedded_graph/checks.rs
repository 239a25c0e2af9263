//! What the validation asks of the graph.

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use rollback::store::{GraphCheck, GraphScope, StoreError};
use sqlx::Row;
use tokio::sync::mpsc;

use super::{EmbeddedGraph, errors};
use crate::graph_data::selectors_of;

/// `?3`: is the scope staging? What follows are conditions on the paragraph `n`.
macro_rules! offenders {
    ($conditions:literal) => {
        offenders!("", $conditions)
    };
    ($more_tables:literal, $conditions:literal) => {
        with_staging!(concat!(
            $more_tables,
            "SELECT coalesce(n.chunk_id_text, n.id_text, '(no id)') AS text
             FROM node_labels AS l JOIN nodes AS n ON n.id = l.node_id
             WHERE l.label = 'Paragraph' AND (n.id IN staging) = ?3 AND ",
            $conditions
        ))
    };
}

const PARAGRAPHS: &str = with_staging!(
    "SELECT coalesce(n.chunk_id_text, '(no chunk_id)') AS text
     FROM node_labels AS l JOIN nodes AS n ON n.id = l.node_id
     WHERE l.label = 'Paragraph' AND (n.id IN staging) = ?3"
);

const ORPHANS: &str = offenders!(
    "NOT EXISTS (
       SELECT 1 FROM relationships AS r WHERE r.end_id = n.id
       AND r.type IN ('HAS_PARAGRAPH', 'HAS_SUBSUBSECTION', 'HAS_SUBSECTION', 'HAS_SECTION')
     )"
);

const UNREACHABLE: &str = offenders!(
    ", down(start_id, end_id) AS (
       SELECT start_id, end_id FROM relationships
       WHERE type IN ('HAS_PARAGRAPH', 'HAS_SUBSUBSECTION', 'HAS_SUBSECTION', 'HAS_SECTION', 'CONTAINS')
     ), reached(id) AS (
       SELECT down.end_id FROM node_labels AS c JOIN down ON down.start_id = c.node_id WHERE c.label = 'Chapter'
       UNION
       SELECT down.end_id FROM reached JOIN down ON down.start_id = reached.id
     ) ",
    "n.id NOT IN reached"
);

const CHAIN_LEAVES: &str = offenders!(
    "EXISTS (
       SELECT 1 FROM relationships AS r WHERE r.start_id = n.id AND r.type IN ('NEXT', 'PREV')
       AND (r.end_id IN staging) <> ?3
     )"
);

const NEXT_WITHOUT_PREV: &str = offenders!(
    "EXISTS (
       SELECT 1 FROM relationships AS r WHERE r.start_id = n.id AND r.type = 'NEXT' AND NOT EXISTS (
         SELECT 1 FROM relationships AS back
         WHERE back.start_id = r.end_id AND back.end_id = n.id AND back.type = 'PREV'
       )
     )"
);

const CROSS_REFERENCES: &str = offenders!(
    "CASE json_type(n.properties, '$.cross_references')
       WHEN 'array' THEN FALSE
       WHEN 'null' THEN FALSE
       WHEN 'text' THEN CASE
         WHEN json_valid(n.properties ->> '$.cross_references')
           THEN json_type(n.properties ->> '$.cross_references') <> 'array'
         ELSE TRUE
       END
       ELSE json_type(n.properties, '$.cross_references') IS NOT NULL
     END"
);

impl EmbeddedGraph {
    pub(super) fn list_paragraphs(&self, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        self.texts(PARAGRAPHS, scope, "listing paragraphs")
    }

    pub(super) fn list_offenders(
        &self,
        check: GraphCheck,
        scope: &GraphScope,
    ) -> BoxStream<'_, Result<String, StoreError>> {
        let (statement, operation) = match check {
            GraphCheck::Orphans => (ORPHANS, "looking for paragraphs without a parent"),
            GraphCheck::Unreachable => (UNREACHABLE, "following the chapters down to their paragraphs"),
            GraphCheck::ChainLeaves => (CHAIN_LEAVES, "looking at the chains' ends"),
            GraphCheck::NextWithoutPrev => (NEXT_WITHOUT_PREV, "comparing NEXT with PREV"),
            GraphCheck::CrossReferences => (CROSS_REFERENCES, "looking at cross references"),
        };
        self.texts(statement, scope, operation)
    }

    /// The column `text` of every row.
    fn texts(
        &self,
        statement: &'static str,
        scope: &GraphScope,
        operation: &'static str,
    ) -> BoxStream<'_, Result<String, StoreError>> {
        let selected = self.check(selectors_of(scope), operation);
        let is_staging = matches!(scope, GraphScope::Staging(_));
        let begin = async move {
            let selected = selected?;
            let mut tx = self.begin(operation).await?;
            let (sender, receiver) = mpsc::channel(1_000);
            let path = self.path.clone();
            // Rows borrow their transaction, so both live in a task; it ends when nobody listens any more.
            tokio::spawn(async move {
                let query = sqlx::query(statement).bind(selected.labels).bind(selected.suffixes).bind(is_staging);
                let mut rows = query.fetch(&mut *tx).map(|row| row?.try_get::<String, _>("text"));
                while let Some(text) = rows.next().await {
                    let text = text.map_err(|e| errors::store_error(&path, operation, &e));
                    if sender.send(text).await.is_err() {
                        return;
                    }
                }
            });
            Ok(stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|text| (text, receiver)) }))
        };
        stream::once(begin).try_flatten().boxed()
    }
}
