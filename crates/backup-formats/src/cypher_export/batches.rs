//! What a statement of an export does: schema, a batch of nodes or relationships, clean-up.

use std::collections::BTreeMap;

use super::lexer::{LexResult, Lexer};
use super::values::{CypherValue, take_value};
use super::{IMPORT_CONSTRAINT, IMPORT_LABEL};

/// One thing an export says, in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `:begin`. Also given once for [`HybridFlowScript`](super::ExportForm::HybridFlowScript),
    /// which lost it.
    Begin,
    /// `:commit`
    Commit,
    /// A statement that makes or drops a constraint or an index, without its semicolon. Use
    /// [`is_import_schema`](Item::is_import_schema) to leave the temporary one out.
    SchemaStatement(String),
    /// `CALL db.awaitIndexes(…)`, without its semicolon.
    AwaitIndexes(String),
    /// Nodes of one shape.
    NodeBatch(NodeBatch),
    /// Relationships of one shape.
    RelationshipBatch(RelationshipBatch),
    /// The statement that takes the import marks off again, without its semicolon. It works on
    /// 20,000 nodes or fewer, so there may be several.
    Cleanup(String),
    /// Any other statement or command, as it stands. Not counted by [`summarize`](super::summarize).
    Other(String),
}

impl Item {
    /// True for the statements that make and drop the temporary import constraint.
    pub fn is_import_schema(&self) -> bool {
        matches!(self, Self::SchemaStatement(text)
            if text.contains(IMPORT_CONSTRAINT) || text.contains(IMPORT_LABEL))
    }
}

/// How the nodes of a batch are found again by the relationships that follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    /// The label that has the uniqueness constraint, or [`IMPORT_LABEL`].
    pub label: String,
    /// The properties that identify a node, in the pattern's order; [`IMPORT_ID`](super::IMPORT_ID)
    /// alone for the temporary key.
    pub properties: Vec<String>,
}

impl NodeKey {
    /// True for the temporary key, which exists only while importing.
    pub fn is_import_id(&self) -> bool {
        self.label == IMPORT_LABEL
    }
}

/// Nodes of one shape: the same labels and the same kind of key.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeBatch {
    /// All labels the nodes have after the import: the key's label first, then the others as
    /// written. Never [`IMPORT_LABEL`].
    pub labels: Vec<String>,
    /// What identifies each row.
    pub key: NodeKey,
    /// One entry a node.
    pub rows: Vec<NodeRow>,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// The values of the key's properties, in its order; never empty.
    pub key: Vec<CypherValue>,
    /// All properties the node has after the import: those of the key among them, unless it is the
    /// temporary one.
    pub properties: BTreeMap<String, CypherValue>,
}

/// Relationships of one shape: the same type, and ends with the same kinds of key.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationshipBatch {
    /// The type.
    pub rel_type: String,
    /// What identifies the nodes they leave.
    pub start: NodeKey,
    /// What identifies the nodes they reach.
    pub end: NodeKey,
    /// One entry a relationship.
    pub rows: Vec<RelationshipRow>,
}

/// One relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationshipRow {
    /// The values of the start key's properties.
    pub start: Vec<CypherValue>,
    /// The values of the end key's properties.
    pub end: Vec<CypherValue>,
    /// The relationship's properties.
    pub properties: BTreeMap<String, CypherValue>,
}

/// Reads one statement; `None` for one of unknown kind. One that begins like a batch but holds
/// values that cannot be read is an error.
pub(crate) fn recognise(text: &str) -> LexResult<Option<Item>> {
    let mut lexer = Lexer::new(text);
    if lexer.take_word("UNWIND") {
        return take_batch(&mut lexer);
    }
    let mut call = lexer.clone();
    let item = if is_schema(&mut lexer.clone()) {
        Item::SchemaStatement(text.to_owned())
    } else if call.take_word("CALL") && call.take_word("db") && call.take(b'.') && call.take_word("awaitIndexes") {
        Item::AwaitIndexes(text.to_owned())
    } else if lexer.take_word("MATCH") && text.contains(IMPORT_LABEL) && text.contains("REMOVE") {
        Item::Cleanup(text.to_owned())
    } else {
        return Ok(None);
    };
    Ok(Some(item))
}

fn is_schema(lexer: &mut Lexer<'_>) -> bool {
    const KINDS: [&str; 7] = ["RANGE", "FULLTEXT", "TEXT", "POINT", "VECTOR", "LOOKUP", "BTREE"];
    if lexer.take_word("CREATE") {
        if lexer.take_word("CONSTRAINT") {
            return true;
        }
        let _kind_may_be_missing = KINDS.iter().any(|kind| lexer.take_word(kind));
        return lexer.take_word("INDEX");
    }
    lexer.take_word("DROP") && (lexer.take_word("CONSTRAINT") || lexer.take_word("INDEX"))
}

/// `(variable:Label{property: row.field, …})`
struct NodePattern {
    variable: String,
    labels: Vec<String>,
    /// Property, and the path of the row's field it is taken from.
    key: Vec<(String, Vec<String>)>,
}

impl NodePattern {
    /// A key needs one label to be found by, and a field for each property.
    fn node_key(&self) -> Option<NodeKey> {
        let label = self.labels.first()?.clone();
        let properties: Vec<_> = self.key.iter().map(|(property, _)| property.clone()).collect();
        (!properties.is_empty()).then_some(NodeKey { label, properties })
    }
}

/// The rest of an `UNWIND` statement. `None` when its shape is none of APOC's.
fn take_batch(lexer: &mut Lexer<'_>) -> LexResult<Option<Item>> {
    if lexer.peek() != Some(b'[') {
        return Ok(None);
    }
    let rows_at = lexer.clone();
    let CypherValue::List(rows) = take_value(lexer)? else {
        return Ok(None);
    };
    if !lexer.take_word("AS") {
        return lexer.error("`AS` is expected after the rows");
    }
    let row = lexer.take_name()?.into_owned();
    let mut maps = Vec::with_capacity(rows.len());
    for value in rows {
        match value {
            CypherValue::Map(map) => maps.push(map),
            _ => return Ok(None),
        }
    }
    // From here on only the shape can differ, and an unknown shape is no error.
    let Ok(tail) = take_tail(lexer, &row) else {
        return Ok(None);
    };
    match tail {
        Tail::Nodes(pattern, more) => node_batch(&pattern, more, maps),
        Tail::Relationships { start, end, rel_type } => relationship_batch(&start, &end, rel_type, maps),
    }
    .or_else(|what| rows_at.error(what))
}

enum Tail {
    Nodes(NodePattern, Vec<String>),
    Relationships { start: NodePattern, end: NodePattern, rel_type: String },
}

fn take_tail(lexer: &mut Lexer<'_>, row: &str) -> LexResult<Tail> {
    let tail = if take_create(lexer) {
        let pattern = take_node_pattern(lexer, row)?;
        let mut labels = Vec::new();
        while lexer.take_word("SET") {
            take_variable(lexer, &pattern.variable)?;
            if lexer.peek() == Some(b':') {
                labels.extend(take_labels(lexer)?);
            } else {
                take_add_properties(lexer, row)?;
            }
        }
        Tail::Nodes(pattern, labels)
    } else {
        let start = take_match(lexer, row)?;
        let end = take_match(lexer, row)?;
        if !take_create(lexer) {
            return lexer.error("`CREATE` is expected here");
        }
        lexer.expect(b'(')?;
        take_variable(lexer, &start.variable)?;
        for byte in *b")-[" {
            lexer.expect(byte)?;
        }
        let relationship = lexer.take_name()?.into_owned();
        lexer.expect(b':')?;
        let rel_type = lexer.take_name()?.into_owned();
        for byte in *b"]->(" {
            lexer.expect(byte)?;
        }
        take_variable(lexer, &end.variable)?;
        lexer.expect(b')')?;
        if lexer.take_word("SET") {
            take_variable(lexer, &relationship)?;
            take_add_properties(lexer, row)?;
        }
        Tail::Relationships { start, end, rel_type }
    };
    if lexer.at_end() { Ok(tail) } else { lexer.error("more follows than an export holds") }
}

fn take_create(lexer: &mut Lexer<'_>) -> bool {
    lexer.take_word("CREATE") || lexer.take_word("MERGE")
}

fn take_match(lexer: &mut Lexer<'_>, row: &str) -> LexResult<NodePattern> {
    if lexer.take_word("MATCH") {
        return take_node_pattern(lexer, row);
    }
    lexer.error("`MATCH` is expected here")
}

fn take_variable(lexer: &mut Lexer<'_>, variable: &str) -> LexResult<()> {
    if lexer.take_name()? == variable {
        return Ok(());
    }
    lexer.error(format!("the variable `{variable}` is expected here"))
}

/// `+= row.properties`
fn take_add_properties(lexer: &mut Lexer<'_>, row: &str) -> LexResult<()> {
    lexer.expect(b'+')?;
    lexer.expect(b'=')?;
    if take_field(lexer, row)? == ["properties"] {
        return Ok(());
    }
    lexer.error("`row.properties` is expected here")
}

fn take_labels(lexer: &mut Lexer<'_>) -> LexResult<Vec<String>> {
    let mut labels = Vec::new();
    while lexer.take(b':') {
        labels.push(lexer.take_name()?.into_owned());
    }
    Ok(labels)
}

/// `row.field` or `row.start.field`; gives what follows the row's name.
fn take_field(lexer: &mut Lexer<'_>, row: &str) -> LexResult<Vec<String>> {
    take_variable(lexer, row)?;
    let mut path = Vec::new();
    while lexer.take(b'.') {
        path.push(lexer.take_name()?.into_owned());
    }
    Ok(path)
}

fn take_node_pattern(lexer: &mut Lexer<'_>, row: &str) -> LexResult<NodePattern> {
    lexer.expect(b'(')?;
    let variable = lexer.take_name()?.into_owned();
    let labels = take_labels(lexer)?;
    let mut key = Vec::new();
    lexer.expect(b'{')?;
    loop {
        let property = lexer.take_name()?.into_owned();
        lexer.expect(b':')?;
        key.push((property, take_field(lexer, row)?));
        if !lexer.take(b',') {
            break;
        }
    }
    lexer.expect(b'}')?;
    lexer.expect(b')')?;
    Ok(NodePattern { variable, labels, key })
}

type Row = BTreeMap<String, CypherValue>;

fn node_batch(pattern: &NodePattern, more_labels: Vec<String>, maps: Vec<Row>) -> Result<Option<Item>, String> {
    let Some(key) = pattern.node_key() else {
        return Ok(None);
    };
    let mut labels: Vec<String> = Vec::new();
    for label in pattern.labels.iter().cloned().chain(more_labels) {
        if label != IMPORT_LABEL && !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut rows = Vec::with_capacity(maps.len());
    for mut map in maps {
        let mut properties = take_properties(&mut map)?;
        let values = take_key(&pattern.key, &[], &map)?;
        if !key.is_import_id() {
            for (property, value) in key.properties.iter().zip(&values) {
                properties.entry(property.clone()).or_insert_with(|| value.clone());
            }
        }
        rows.push(NodeRow { key: values, properties });
    }
    Ok(Some(Item::NodeBatch(NodeBatch { labels, key, rows })))
}

fn relationship_batch(
    start: &NodePattern,
    end: &NodePattern,
    rel_type: String,
    maps: Vec<Row>,
) -> Result<Option<Item>, String> {
    let (Some(start_key), Some(end_key)) = (start.node_key(), end.node_key()) else {
        return Ok(None);
    };
    let mut rows = Vec::with_capacity(maps.len());
    for mut map in maps {
        let properties = take_properties(&mut map)?;
        rows.push(RelationshipRow {
            start: take_key(&start.key, &["start"], &map)?,
            end: take_key(&end.key, &["end"], &map)?,
            properties,
        });
    }
    Ok(Some(Item::RelationshipBatch(RelationshipBatch { rel_type, start: start_key, end: end_key, rows })))
}

fn take_properties(row: &mut Row) -> Result<Row, String> {
    match row.remove("properties") {
        Some(CypherValue::Map(properties)) => Ok(properties),
        None => Ok(Row::new()),
        Some(_) => Err("a row's `properties` are no map".to_owned()),
    }
}

/// The key's values from a row: `row.field` for a node, `row.start.field` for a relationship's end.
fn take_key(key: &[(String, Vec<String>)], prefix: &[&str], row: &Row) -> Result<Vec<CypherValue>, String> {
    let take = |path: &[String]| -> Option<CypherValue> {
        let (field, within) = path.split_last()?;
        if within != prefix {
            return None;
        }
        match within.first() {
            None => row.get(field).cloned(),
            Some(end) => match row.get(end) {
                Some(CypherValue::Map(map)) => map.get(field).cloned(),
                _ => None,
            },
        }
    };
    key.iter()
        .map(|(_, path)| take(path).ok_or_else(|| format!("a row has no value for `row.{}`", path.join("."))))
        .collect()
}
