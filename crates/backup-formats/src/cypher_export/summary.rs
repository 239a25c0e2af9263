//! What an export holds, counted without keeping any of it.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{CypherValue, ExportError, ExportForm, ExportReader, Item, NodeBatch};
use crate::qdrant_snapshot::{IdSetFingerprint, PointId};

/// The label of the nodes that have a point in the vector store each.
const PARAGRAPH: &str = "Paragraph";
/// The property a point's id is made from.
const CHUNK_ID: &str = "chunk_id";

/// What a whole export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSummary {
    /// How it is stored.
    pub form: ExportForm,
    /// Size of the file.
    pub bytes: u64,
    /// Nodes it creates.
    pub nodes: u64,
    /// Relationships it creates.
    pub relationships: u64,
    /// Nodes by label; a node with two labels counts for both. Without the import label.
    pub labels: BTreeMap<String, u64>,
    /// The points that belong to its paragraphs.
    pub paragraphs: ParagraphPoints,
    /// Relationships by type.
    pub relationship_types: BTreeMap<String, u64>,
    /// Statements that make constraints and indexes, in the file's order, without the temporary
    /// import constraint. One is missing when [`ExportForm::lacks_a_schema_statement`] says so.
    pub schema_statements: Vec<String>,
    /// Statements that are none of an export's. What they do is not counted, so a summary with any
    /// is no proof of what a restore would give.
    pub other_statements: u64,
}

/// The points that the vector store must hold for the nodes labelled `Paragraph`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ParagraphPoints {
    /// The point ids made from each paragraph's `chunk_id`, to be compared with those of a
    /// [`SnapshotSummary`](crate::qdrant_snapshot::SnapshotSummary). An id that two paragraphs share
    /// is counted twice, so it makes this differ from every set.
    pub ids: IdSetFingerprint,
    /// Paragraphs whose `chunk_id` is missing or no text. No point can belong to them.
    pub without_chunk_id: u64,
    /// Paragraphs left out of all the above because they have the label that was to be excluded.
    pub excluded: u64,
}

/// Reads an export to its end. `on_progress` is told the bytes of the file read so far, after each
/// statement.
///
/// # Errors
/// See [`ExportReader`]: an export that is cut or damaged has no summary.
pub fn summarize(reader: impl Read + Send, on_progress: impl FnMut(u64)) -> Result<ExportSummary, ExportError> {
    summarize_content(reader, None, on_progress)
}

/// As [`summarize`], with the paragraphs that have the label `exclude_label` (staging data) left out of
/// [`ExportSummary::paragraphs`]. All other counts are of the whole file.
///
/// # Errors
/// As [`summarize`].
pub fn summarize_content(
    reader: impl Read + Send,
    exclude_label: Option<&str>,
    mut on_progress: impl FnMut(u64),
) -> Result<ExportSummary, ExportError> {
    let mut reader = ExportReader::new(reader)?;
    let mut summary = ExportSummary {
        form: reader.form(),
        bytes: 0,
        nodes: 0,
        relationships: 0,
        labels: BTreeMap::new(),
        paragraphs: ParagraphPoints::default(),
        relationship_types: BTreeMap::new(),
        schema_statements: Vec::new(),
        other_statements: 0,
    };
    while let Some(item) = reader.next_item()? {
        summary.add(item, exclude_label);
        on_progress(reader.bytes_read());
    }
    summary.bytes = reader.bytes_read();
    Ok(summary)
}

impl ExportSummary {
    fn add(&mut self, item: Item, exclude_label: Option<&str>) {
        match item {
            Item::NodeBatch(batch) => {
                self.paragraphs.add(&batch, exclude_label);
                let count = batch.rows.len() as u64;
                self.nodes += count;
                for label in batch.labels {
                    *self.labels.entry(label).or_default() += count;
                }
            }
            Item::RelationshipBatch(batch) => {
                let count = batch.rows.len() as u64;
                self.relationships += count;
                *self.relationship_types.entry(batch.rel_type).or_default() += count;
            }
            item if item.is_import_schema() => {}
            Item::SchemaStatement(text) => self.schema_statements.push(text),
            // Settings of the shell change no data.
            Item::Other(text) if !text.starts_with(':') => self.other_statements += 1,
            Item::Other(_) | Item::Begin | Item::Commit | Item::AwaitIndexes(_) | Item::Cleanup(_) => {}
        }
    }
}

impl ParagraphPoints {
    fn add(&mut self, batch: &NodeBatch, exclude_label: Option<&str>) {
        let has = |label: &str| batch.labels.iter().any(|own| own == label);
        if !has(PARAGRAPH) {
            return;
        }
        if exclude_label.is_some_and(has) {
            self.excluded += batch.rows.len() as u64;
            return;
        }
        for row in &batch.rows {
            match row.properties.get(CHUNK_ID) {
                Some(CypherValue::String(chunk_id)) => self.ids.insert(&PointId::of_chunk(chunk_id)),
                _ => self.without_chunk_id += 1,
            }
        }
    }
}
