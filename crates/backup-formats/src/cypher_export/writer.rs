//! Writing an export in the form APOC gives it, as a stream.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use super::lexer::quote_name;
use super::literals::write_map;
use super::statements::{PieceKind, StatementReader};
use super::values::CypherValue;
use super::{IMPORT_CONSTRAINT, IMPORT_ID, IMPORT_LABEL};

/// Rows in one `UNWIND`, as APOC has it.
const ROWS: usize = 20;
/// Bytes of rows behind which an `UNWIND` ends all the same: long texts must not make a statement that nobody reads.
const BYTES: usize = 1024 * 1024;
/// Nodes or relationships in one transaction, and nodes in one clean-up, as APOC has it.
const TRANSACTION: u64 = 20_000;

/// A node to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportNode {
    /// Identifies the node within this export.
    pub id: i64,
    /// Its labels, in any order.
    pub labels: Vec<String>,
    /// Its properties.
    pub properties: BTreeMap<String, CypherValue>,
}

/// A relationship to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportRelationship {
    /// The id of the node it leaves.
    pub start: i64,
    /// The id of the node it reaches.
    pub end: i64,
    /// Its type.
    pub rel_type: String,
    /// Its properties.
    pub properties: BTreeMap<String, CypherValue>,
}

/// A uniqueness constraint by which nodes can be found: those that have the label and a string or an
/// integer in the property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKey {
    /// The constraint's label.
    pub label: String,
    /// The constraint's only property.
    pub property: String,
}

/// How much was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportCounts {
    /// Nodes.
    pub nodes: u64,
    /// Relationships.
    pub relationships: u64,
}

/// Why an export could not be written. The file is not whole then, and every reader can see that.
#[derive(Debug, thiserror::Error)]
pub enum ExportWriteError {
    /// The file could not be written.
    #[error(
        "the graph export could not be written: {0}. The database was not changed; the unfinished file can be deleted. Make room or correct the rights, then try again"
    )]
    Io(#[from] io::Error),
    /// A schema statement is not exactly one statement.
    #[error("the graph export was not written: {0:?} is not exactly one schema statement. Nothing was changed")]
    NotOneStatement(String),
    /// Nodes must all come before the first relationship.
    #[error("the graph export was not finished: a node came after a relationship. The database was not changed")]
    NodeAfterRelationship,
}

/// Writes an export piece by piece: [`new`](Self::new), every [`node`](Self::node), every
/// [`relationship`](Self::relationship), [`finish`](Self::finish). Nodes and relationships of one
/// shape that come one after the other share a statement, so sort by shape for a small file.
///
/// The import constraint and the clean-up are always written, so that a cut can be seen wherever it
/// falls. Memory: twenty rows or a megabyte of them, and the keys of all nodes found by a [`UniqueKey`].
pub struct ExportWriter<W> {
    out: W,
    unique_keys: Vec<UniqueKey>,
    /// How each node that is not found by its import id is found: key and value, by id.
    found_by: HashMap<i64, (usize, CypherValue)>,
    rows: Vec<String>,
    /// Bytes of these.
    bytes: usize,
    /// What follows the rows gathered so far.
    shape: String,
    relationships_began: bool,
    in_transaction: u64,
    marked: u64,
    counts: ExportCounts,
}

impl<W: Write> ExportWriter<W> {
    /// Writes the schema. `schema` are statements without semicolons; `unique_keys` the uniqueness
    /// constraints among them by which nodes may be found again. Buffer `out`.
    ///
    /// # Errors
    /// When writing fails, or one of `schema` is not exactly one statement.
    pub fn new(mut out: W, schema: &[String], unique_keys: Vec<UniqueKey>) -> Result<Self, ExportWriteError> {
        out.write_all(b":begin\n")?;
        for statement in schema {
            if !is_one_statement(statement) {
                return Err(ExportWriteError::NotOneStatement(statement.clone()));
            }
            writeln!(out, "{statement};")?;
        }
        writeln!(
            out,
            "CREATE CONSTRAINT {IMPORT_CONSTRAINT} FOR (node:`{IMPORT_LABEL}`) REQUIRE (node.`{IMPORT_ID}`) IS UNIQUE;"
        )?;
        out.write_all(b":commit\nCALL db.awaitIndexes(300);\n")?;
        Ok(Self {
            out,
            // A row has a field of this name already.
            unique_keys: unique_keys.into_iter().filter(|key| key.property != "properties").collect(),
            found_by: HashMap::new(),
            rows: Vec::new(),
            bytes: 0,
            shape: String::new(),
            relationships_began: false,
            in_transaction: 0,
            marked: 0,
            counts: ExportCounts::default(),
        })
    }

    /// Writes a node. Marks left over from an unfinished import are no data and are left out.
    ///
    /// # Errors
    /// When writing fails, or a relationship was written before.
    pub fn node(&mut self, node: &ExportNode) -> Result<(), ExportWriteError> {
        if self.relationships_began {
            return Err(ExportWriteError::NodeAfterRelationship);
        }
        let mut properties = node.properties.clone();
        properties.remove(IMPORT_ID);
        let mut labels: Vec<&str> = node.labels.iter().map(String::as_str).collect();
        labels.retain(|label| *label != IMPORT_LABEL);
        labels.sort_unstable();
        labels.dedup();
        let key = self.unique_keys.iter().position(|key| {
            labels.contains(&key.label.as_str())
                && matches!(properties.get(&key.property), Some(CypherValue::String(_) | CypherValue::Integer(_)))
        });
        let found = key.and_then(|index| {
            let key = &self.unique_keys[index];
            Some((index, key, properties.remove(&key.property)?))
        });
        let (field, pattern) = match found {
            Some((index, key, value)) => {
                labels.retain(|label| *label != key.label);
                let property = quote_name(&key.property);
                let label = quote_name(&key.label);
                let field = format!("{property}:{value}");
                self.found_by.insert(node.id, (index, value));
                (field, format!("{label}{{{property}: row.{property}}}"))
            }
            None => {
                self.marked += 1;
                let pattern = format!("`{IMPORT_LABEL}`{{`{IMPORT_ID}`: row._id}}");
                (format!("_id:{}", node.id), pattern)
            }
        };
        let mut shape = format!("CREATE (n:{pattern}) SET n += row.properties");
        if !labels.is_empty() {
            shape.push_str(" SET n");
            for label in labels {
                shape.push(':');
                shape.push_str(&quote_name(label));
            }
        }
        self.counts.nodes += 1;
        self.add(shape, format!("{{{field}, properties:{}}}", map_text(&properties)))
    }

    /// Writes a relationship between two nodes written before.
    ///
    /// # Errors
    /// When writing fails.
    pub fn relationship(&mut self, relationship: &ExportRelationship) -> Result<(), ExportWriteError> {
        if !self.relationships_began {
            self.end_transaction()?;
            self.relationships_began = true;
        }
        let (start, start_pattern) = self.end_of(relationship.start, "start");
        let (end, end_pattern) = self.end_of(relationship.end, "end");
        let shape = format!(
            "MATCH (start:{start_pattern})\nMATCH (end:{end_pattern})\nCREATE (start)-[r:{}]->(end) SET r += row.properties",
            quote_name(&relationship.rel_type)
        );
        self.counts.relationships += 1;
        let properties = map_text(&relationship.properties);
        self.add(shape, format!("{{start: {start}, end: {end}, properties:{properties}}}"))
    }

    /// Writes what is left and the clean-up, flushes, and gives the destination back.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<(W, ExportCounts), ExportWriteError> {
        self.end_transaction()?;
        for _ in 0..self.marked.div_ceil(TRANSACTION).max(1) {
            writeln!(
                self.out,
                ":begin\nMATCH (n:`{IMPORT_LABEL}`)  WITH n LIMIT {TRANSACTION} REMOVE n:`{IMPORT_LABEL}` REMOVE n.`{IMPORT_ID}`;\n:commit"
            )?;
        }
        writeln!(self.out, ":begin\nDROP CONSTRAINT {IMPORT_CONSTRAINT};\n:commit")?;
        self.out.flush()?;
        Ok((self.out, self.counts))
    }

    /// A relationship's end: its place in the row, and the pattern that finds it.
    fn end_of(&self, id: i64, end: &str) -> (String, String) {
        match self.found_by.get(&id) {
            Some((index, value)) => {
                let key = &self.unique_keys[*index];
                let property = quote_name(&key.property);
                let label = quote_name(&key.label);
                (format!("{{{property}:{value}}}"), format!("{label}{{{property}: row.{end}.{property}}}"))
            }
            None => (format!("{{_id:{id}}}"), format!("`{IMPORT_LABEL}`{{`{IMPORT_ID}`: row.{end}._id}}")),
        }
    }

    fn add(&mut self, shape: String, row: String) -> Result<(), ExportWriteError> {
        if self.shape != shape || self.rows.len() == ROWS || self.bytes + row.len() > BYTES {
            self.end_statement()?;
            self.shape = shape;
        }
        self.bytes += row.len();
        self.rows.push(row);
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), ExportWriteError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        if self.in_transaction == 0 {
            self.out.write_all(b":begin\n")?;
        }
        writeln!(self.out, "UNWIND [{}] AS row\n{};", self.rows.join(", "), self.shape)?;
        self.in_transaction += self.rows.len() as u64;
        self.rows.clear();
        self.bytes = 0;
        if self.in_transaction >= TRANSACTION {
            self.out.write_all(b":commit\n")?;
            self.in_transaction = 0;
        }
        Ok(())
    }

    fn end_transaction(&mut self) -> Result<(), ExportWriteError> {
        self.end_statement()?;
        if self.in_transaction > 0 {
            self.out.write_all(b":commit\n")?;
            self.in_transaction = 0;
        }
        Ok(())
    }
}

fn map_text(map: &BTreeMap<String, CypherValue>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_map(&mut text, map);
    text
}

fn is_one_statement(statement: &str) -> bool {
    let text = format!("{statement};");
    let mut reader = StatementReader::new(text.as_bytes());
    let only = matches!(reader.next_piece(), Ok(Some(piece)) if piece.kind == PieceKind::Statement);
    only && matches!(reader.next_piece(), Ok(None))
}
