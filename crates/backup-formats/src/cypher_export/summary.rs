//! What an export holds, counted without keeping any of it.

use std::collections::BTreeMap;
use std::io::Read;

use serde::{Deserialize, Serialize};

use super::{ExportError, ExportForm, ExportReader, Item};

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
    /// Relationships by type.
    pub relationship_types: BTreeMap<String, u64>,
    /// Statements that make constraints and indexes, in the file's order, without the temporary
    /// import constraint. One is missing when [`ExportForm::lacks_a_schema_statement`] says so.
    pub schema_statements: Vec<String>,
    /// Statements that are none of an export's. What they do is not counted, so a summary with any
    /// is no proof of what a restore would give.
    pub other_statements: u64,
}

/// Reads an export to its end. `on_progress` is told the bytes of the file read so far, after each
/// statement.
///
/// # Errors
/// See [`ExportReader`]: an export that is cut or damaged has no summary.
pub fn summarize(reader: impl Read + Send, mut on_progress: impl FnMut(u64)) -> Result<ExportSummary, ExportError> {
    let mut reader = ExportReader::new(reader)?;
    let mut summary = ExportSummary {
        form: reader.form(),
        bytes: 0,
        nodes: 0,
        relationships: 0,
        labels: BTreeMap::new(),
        relationship_types: BTreeMap::new(),
        schema_statements: Vec::new(),
        other_statements: 0,
    };
    while let Some(item) = reader.next_item()? {
        summary.add(item);
        on_progress(reader.bytes_read());
    }
    summary.bytes = reader.bytes_read();
    Ok(summary)
}

impl ExportSummary {
    fn add(&mut self, item: Item) {
        match item {
            Item::NodeBatch(batch) => {
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
