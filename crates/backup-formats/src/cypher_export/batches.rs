//! Reads a statement of an export: which of the items it is, with the rows of a batch.

use std::collections::BTreeMap;

use super::IMPORT_LABEL;
use super::items::{Item, NodeBatch, NodeKey, NodeRow, RelationshipBatch, RelationshipRow};
use super::lexer::{LexError, LexResult, Lexer};
use super::rows::{PROPERTIES, Row, take_rows};
use super::values::CypherValue;

/// A list that `:param` set for the statements that follow.
#[derive(Debug)]
pub(crate) struct Parameter {
    name: String,
    /// The list's text.
    pub(crate) list: String,
    /// Where the list begins in the command.
    pub(crate) offset: usize,
}

impl Parameter {
    /// Reads `:param name => [`; `None` for every other command.
    pub(crate) fn of_command(command: &str) -> Option<Self> {
        let mut lexer = Lexer::new(command);
        let set = lexer.take(b':') && lexer.take_word("param");
        let name = if set { lexer.take_name().ok()? } else { return None };
        let is_list = lexer.take(b'=') && lexer.take(b'>') && lexer.peek() == Some(b'[');
        let offset = lexer.offset();
        is_list.then(|| Self { name: name.into_owned(), list: command[offset..].to_owned(), offset })
    }
}

/// Where an error is.
#[derive(Debug)]
pub(crate) enum Wrong {
    Statement(LexError),
    /// In the list of the parameter that the statement uses.
    Parameter(LexError),
}

/// Reads one statement; `None` for one of unknown kind. One that begins like a batch but holds
/// values that cannot be read is an error.
pub(crate) fn recognise(text: &str, parameter: Option<&Parameter>) -> Result<Option<Item>, Wrong> {
    let mut lexer = Lexer::new(text);
    if lexer.take_word("UNWIND") {
        if lexer.peek() == Some(b'[') {
            let rows_at = lexer.clone();
            let rows = take_rows(&mut lexer).map_err(Wrong::Statement)?;
            let batch = take_batch(&mut lexer, rows).map_err(Wrong::Statement)?;
            return batch.or_else(|what| rows_at.error(what)).map_err(Wrong::Statement);
        }
        let Some(parameter) = parameter.filter(|parameter| takes_parameter(&mut lexer, &parameter.name)) else {
            return Ok(None);
        };
        let mut list = Lexer::new(&parameter.list);
        let rows = take_rows(&mut list).and_then(|rows| {
            list.take(b';');
            if list.at_end() { Ok(rows) } else { list.error("nothing more is expected behind the list") }
        });
        let batch = take_batch(&mut lexer, rows.map_err(Wrong::Parameter)?).map_err(Wrong::Statement)?;
        return batch.or_else(|what| Lexer::new(&parameter.list).error(what)).map_err(Wrong::Parameter);
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

/// `$name`
fn takes_parameter(lexer: &mut Lexer<'_>, name: &str) -> bool {
    lexer.take(b'$') && lexer.take_name().is_ok_and(|own| own == name)
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

    /// The row's fields that the key is taken from, which must all stand `within`. Each is taken out of
    /// its row, so a pattern that uses one twice is of unknown shape.
    fn fields(&self, within: Option<&str>) -> Option<Vec<&str>> {
        let mut fields: Vec<&str> = Vec::with_capacity(self.key.len());
        for (_, path) in &self.key {
            let (field, before) = path.split_last()?;
            let stands_within = before.iter().map(String::as_str).eq(within);
            if !stands_within || fields.contains(&field.as_str()) {
                return None;
            }
            fields.push(field);
        }
        Some(fields)
    }
}

/// What stands behind the rows of an `UNWIND`, and both together. `None` when the shape is none of APOC's;
/// the inner error is about the rows.
fn take_batch(lexer: &mut Lexer<'_>, rows: Option<Vec<Row<'_>>>) -> LexResult<Result<Option<Item>, String>> {
    if !lexer.take_word("AS") {
        return lexer.error("`AS` is expected after the rows");
    }
    let row = lexer.take_name()?.into_owned();
    // From here on only the shape can differ, and an unknown shape is no error.
    let (Some(rows), Ok(tail)) = (rows, take_tail(lexer, &row)) else {
        return Ok(Ok(None));
    };
    Ok(match tail {
        Tail::Nodes(pattern, more) => node_batch(&pattern, more, rows),
        Tail::Relationships { start, end, rel_type } => relationship_batch(&start, &end, rel_type, rows),
    })
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

fn node_batch(pattern: &NodePattern, more_labels: Vec<String>, rows: Vec<Row<'_>>) -> Result<Option<Item>, String> {
    let (Some(key), Some(fields)) = (pattern.node_key(), pattern.fields(None)) else {
        return Ok(None);
    };
    let mut labels: Vec<String> = Vec::new();
    for label in pattern.labels.iter().cloned().chain(more_labels) {
        if label != IMPORT_LABEL && !labels.contains(&label) {
            labels.push(label);
        }
    }
    let rows = rows.into_iter().map(|mut row| {
        let mut properties = take_properties(&mut row)?;
        let values = take_key(&fields, None, &mut row)?;
        if !key.is_import_id() {
            for (property, value) in key.properties.iter().zip(&values) {
                properties.entry(property.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(NodeRow { key: values, properties })
    });
    let rows = rows.collect::<Result<_, String>>()?;
    Ok(Some(Item::NodeBatch(NodeBatch { labels, key, rows })))
}

fn relationship_batch(
    start: &NodePattern,
    end: &NodePattern,
    rel_type: String,
    rows: Vec<Row<'_>>,
) -> Result<Option<Item>, String> {
    let (Some(start_key), Some(end_key)) = (start.node_key(), end.node_key()) else {
        return Ok(None);
    };
    let (Some(start), Some(end)) = (start.fields(Some("start")), end.fields(Some("end"))) else {
        return Ok(None);
    };
    let rows = rows.into_iter().map(|mut row| {
        Ok(RelationshipRow {
            start: take_key(&start, Some("start"), &mut row)?,
            end: take_key(&end, Some("end"), &mut row)?,
            properties: take_properties(&mut row)?,
        })
    });
    let rows = rows.collect::<Result<_, String>>()?;
    Ok(Some(Item::RelationshipBatch(RelationshipBatch { rel_type, start: start_key, end: end_key, rows })))
}

fn take_properties(row: &mut Row<'_>) -> Result<BTreeMap<String, CypherValue>, String> {
    row.take_properties().ok_or_else(|| format!("a row's `{PROPERTIES}` are no map"))
}

/// The key's values from a row: `row.field` for a node, `row.start.field` for a relationship's end.
fn take_key(fields: &[&str], within: Option<&str>, row: &mut Row<'_>) -> Result<Vec<CypherValue>, String> {
    let values = fields.iter().map(|field| {
        row.take_value(within, field).ok_or_else(|| {
            let dot = if within.is_some() { "." } else { "" };
            format!("a row has no value for `row.{}{dot}{field}`", within.unwrap_or_default())
        })
    });
    values.collect()
}
