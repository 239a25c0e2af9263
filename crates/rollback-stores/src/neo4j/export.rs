//! The whole graph as an export.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use backup_formats::cypher_export::{CypherValue, ExportNode, ExportRelationship};
use neo4rs::{BoltMap, BoltType, Query, Row, query};
use rollback::store::{CopyTaken, Fault, OnProgress, StoreError};

use super::connection::{Patience, Transaction};
use super::values::{Received, from_text, received};
use super::{Neo4jGraph, schema, statements};
use crate::graph_data::{Batches, ExportFile, ExportFileError, Piece, weight};

/// Rows handled together: those that hold a value without a literal share one question for its text.
const CHUNK: usize = 1_000;
/// Bytes of rows with which a chunk ends all the same.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// Rows of one shape written one after the other: a multiple of what shares a statement in the file.
const ROWS_OF_A_SHAPE: usize = 200;
/// Rows that wait for others of their shape.
const ROWS_HELD: usize = 10_000;
const OPERATION: &str = "exporting the graph";

/// A node or a relationship as it was read.
struct Fetched {
    id: i64,
    what: What,
    properties: BTreeMap<String, CypherValue>,
}

enum What {
    Node { labels: Vec<String> },
    Relationship { start: i64, end: i64, rel_type: String },
}

/// A value that the server must write as text.
struct Ask {
    /// Its place in the chunk.
    row: usize,
    property: String,
    function: &'static str,
    is_list: bool,
}

#[derive(Default)]
struct Chunk {
    rows: Vec<Fetched>,
    asks: Vec<Ask>,
    bytes: usize,
}

/// What is kept of each node: 8 bytes for its id and 4 for its set of labels, and the map's own room. Relationships
/// are written by the kinds of their ends, and one whose end was not written is noticed.
#[derive(Default)]
struct Written {
    label_sets: HashMap<Vec<String>, u32>,
    set_of: HashMap<i64, u32>,
}

impl Neo4jGraph {
    /// Reads the graph in one transaction. Neo4j gives it what is committed at each moment: what others write meanwhile
    /// may be in the export or not. A relationship between nodes that came too late for it is an error.
    pub(super) async fn write_export(&self, to: &Path, progress: &OnProgress) -> Result<CopyTaken, ExportFileError> {
        let mut txn = self.connector.begin(Patience::Long, OPERATION).await?;
        let (schema, unique_keys) = schema::for_export(schema::present(&mut txn).await?);
        let nodes = txn.row(statements::all_nodes()).await?;
        let relationships = txn.row(statements::all_relationships()).await?;
        let total = txn.count(&nodes, "total")? + txn.count(&relationships, "total")?;
        let mut file = ExportFile::begin(to, false, schema, unique_keys);
        progress(0, total);
        let sent = async {
            send_all(&mut txn, &mut file, &|done| progress(done, total.max(done))).await?;
            txn.commit().await?;
            Ok(())
        };
        match sent.await {
            Ok(()) => file.finish().await,
            Err(error) => {
                file.abandon().await;
                Err(error)
            }
        }
    }
}

async fn send_all(
    txn: &mut Transaction<'_>,
    file: &mut ExportFile,
    on_rows: &(dyn Fn(u64) + Send + Sync),
) -> Result<(), ExportFileError> {
    let (mut done, mut written) = (0, Written::default());
    for reading in [Reading::Nodes, Reading::Relationships] {
        let mut batches = Batches::new(ROWS_OF_A_SHAPE, ROWS_HELD);
        let mut rows = txn.open(query(reading.statement())).await?;
        let mut more = true;
        while more {
            let mut chunk = Chunk::default();
            while chunk.rows.len() < CHUNK && chunk.bytes < CHUNK_BYTES {
                let Some(row) = txn.next(&mut rows).await? else {
                    more = false;
                    break;
                };
                chunk.add(txn, &row, reading)?;
            }
            let rows = chunk.complete(txn, reading).await?;
            done += rows.len() as u64;
            for row in rows {
                let shape = written.shape(&row).ok_or_else(|| changed(txn))?;
                let bytes = weight(row.properties.values());
                if let Some((_, batch)) = batches.push(shape, row.into_piece(), bytes) {
                    file.send(batch).await?;
                }
            }
            on_rows(done);
        }
        while let Some((_, batch)) = batches.pop() {
            file.send(batch).await?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Reading {
    Nodes,
    Relationships,
}

impl Reading {
    fn statement(self) -> &'static str {
        match self {
            Self::Nodes => "MATCH (n) RETURN id(n) AS id, labels(n) AS labels, properties(n) AS properties",
            Self::Relationships => {
                "MATCH (a)-[r]->(b) RETURN id(r) AS id, id(a) AS start, id(b) AS end, type(r) AS type, \
                 properties(r) AS properties"
            }
        }
    }

    /// `number`, `texts`: a property's text, or those of its members. Null when it is not there any more.
    fn asking(self, asks: Vec<BoltType>) -> Query {
        let pattern = match self {
            Self::Nodes => "(x)",
            Self::Relationships => "()-[x]->()",
        };
        query(&format!(
            "UNWIND $asks AS ask MATCH {pattern} WHERE id(x) = ask.id \
             RETURN ask.number AS number, CASE WHEN ask.is_list THEN [v IN x[ask.property] | toString(v)] \
             ELSE [toString(x[ask.property])] END AS texts"
        ))
        .param("asks", asks)
    }
}

impl Chunk {
    fn add(&mut self, txn: &Transaction<'_>, row: &Row, reading: Reading) -> Result<(), StoreError> {
        let mut properties = BTreeMap::new();
        for (name, value) in txn.value::<BoltMap>(row, "properties")?.value {
            match received(value).map_err(|e| txn.unexpected(format!("{}: {e}", name.value)))? {
                Received::Plain(value) => {
                    properties.insert(name.value, value);
                }
                Received::AsText { function, is_list } => {
                    self.asks.push(Ask { row: self.rows.len(), property: name.value, function, is_list });
                }
            }
        }
        let what = match reading {
            Reading::Nodes => {
                let mut labels: Vec<String> = txn.value(row, "labels")?;
                labels.sort_unstable();
                What::Node { labels }
            }
            Reading::Relationships => What::Relationship {
                start: txn.value(row, "start")?,
                end: txn.value(row, "end")?,
                rel_type: txn.value(row, "type")?,
            },
        };
        self.bytes += weight(properties.values());
        self.rows.push(Fetched { id: txn.value(row, "id")?, what, properties });
        Ok(())
    }

    /// Fills in what has no literal.
    async fn complete(self, txn: &mut Transaction<'_>, reading: Reading) -> Result<Vec<Fetched>, StoreError> {
        let Self { mut rows, asks, .. } = self;
        if asks.is_empty() {
            return Ok(rows);
        }
        let questions = (0i64..).zip(&asks).map(|(number, ask)| {
            let question = [
                ("number", number.into()),
                ("id", rows[ask.row].id.into()),
                ("property", ask.property.as_str().into()),
                ("is_list", ask.is_list.into()),
            ];
            BoltType::Map(question.into_iter().map(|(name, value): (&str, BoltType)| (name.into(), value)).collect())
        });
        let questions = questions.collect();
        let answers = txn.rows(reading.asking(questions)).await?;
        let mut open = asks.len();
        for answer in answers {
            let number: usize = txn.value(&answer, "number")?;
            let texts: Option<Vec<Option<String>>> = txn.value(&answer, "texts")?;
            let ask = asks.get(number).ok_or_else(|| txn.unexpected(format!("an answer to no question: {number}")))?;
            let texts: Vec<String> = texts.into_iter().flatten().flatten().collect();
            if !ask.is_list && texts.len() != 1 {
                return Err(changed(txn));
            }
            let values: Result<Vec<_>, _> = texts.into_iter().map(|text| from_text(ask.function, text)).collect();
            let mut values = values.map_err(|e| txn.unexpected(format!("{}: {e}", ask.property)))?;
            let value = match values.pop() {
                Some(value) if !ask.is_list => value,
                last => CypherValue::List(values.into_iter().chain(last).collect()),
            };
            rows[ask.row].properties.insert(ask.property.clone(), value);
            open = open.checked_sub(1).ok_or_else(|| txn.unexpected("more answers than questions".to_owned()))?;
        }
        if open > 0 { Err(changed(txn)) } else { Ok(rows) }
    }
}

impl Fetched {
    fn into_piece(self) -> Piece {
        match self.what {
            What::Node { labels } => Piece::Node(ExportNode { id: self.id, labels, properties: self.properties }),
            What::Relationship { start, end, rel_type } => {
                Piece::Relationship(ExportRelationship { start, end, rel_type, properties: self.properties })
            }
        }
    }
}

impl Written {
    /// What tells which rows can share a statement. `None`: an end was never written.
    fn shape(&mut self, row: &Fetched) -> Option<(String, u32, u32)> {
        match &row.what {
            What::Node { labels } => {
                let set = match self.label_sets.get(labels) {
                    Some(set) => *set,
                    None => {
                        let set = u32::try_from(self.label_sets.len()).ok()?;
                        self.label_sets.insert(labels.clone(), set);
                        set
                    }
                };
                self.set_of.insert(row.id, set);
                Some((String::new(), set, 0))
            }
            What::Relationship { start, end, rel_type } => {
                Some((rel_type.clone(), *self.set_of.get(start)?, *self.set_of.get(end)?))
            }
        }
    }
}

fn changed(txn: &Transaction<'_>) -> StoreError {
    txn.fault(
        Fault::Changed,
        "the graph was changed while it was exported, so that the export would not be whole. Nothing was changed by \
         this; wait until nobody writes and try again",
    )
}
