//! Reading an export in order to load it: checked as a whole first, then piece by piece.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use backup_formats::cypher_export::{
    CypherValue, ExportError, ExportForm, ExportReader, Item, NodeBatch, NodeKey, RelationshipBatch,
};
use rollback::store::{Fault, OnProgress, StoreError};
use rollback_types::StoreKind;
use tokio::sync::mpsc;

use super::check_name;
use super::schema_text::SchemaRule;
use super::values::check_property;

/// What a whole and loadable export says of itself.
#[derive(Debug)]
pub(crate) struct ExportFacts {
    pub(crate) form: ExportForm,
    pub(crate) nodes: u64,
    pub(crate) relationships: u64,
    /// Statements that make constraints and indexes; neither the temporary one nor the server's own.
    pub(crate) schema: Vec<String>,
}

/// Batches of an export in its order, as they stand in the file.
pub(crate) enum ImportItem {
    Schema(String),
    Nodes(NodeBatch),
    Relationships(RelationshipBatch),
}

/// A hash of a node's key, 8 bytes in place of any length. Two nodes of one hash are refused when the export is checked, so that
/// none is ever taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct KeyHash(u64);

impl KeyHash {
    /// Of properties in any order.
    fn new<'a>(label: &str, mut named: Vec<(&'a String, &'a CypherValue)>) -> Self {
        named.sort_unstable_by_key(|(name, _)| *name);
        let mut hasher = Text(DefaultHasher::new());
        // None can fail: nothing but the hasher is written to.
        let _ = write!(hasher, "{label}\0");
        for (name, value) in named {
            let _ = write!(hasher, "{name:?}\0{value}\0");
        }
        Self(hasher.0.finish())
    }
}

/// How a node is found again.
#[derive(Clone, Debug)]
pub(crate) struct NodeKeys {
    whole: KeyHash,
    /// By some of its key's properties. A node that several constraints hold for is written with the properties of all of them, and
    /// its relationships name those of one.
    parts: Vec<KeyHash>,
}

/// With more properties in a key its pairs are too many, and nobody has so many constraints on one node.
const MOST_PROPERTIES: usize = 6;
/// Constraints of one label that are remembered. The rest of a longer list finds no node.
const MOST_CONSTRAINTS: usize = 32;

impl NodeKeys {
    /// Its parts are its single properties, its pairs, and what is the whole of a constraint. All subsets would be exponentially many;
    /// the constraints alone would not do, as an export may have lost the statement of one.
    fn new(key: &NodeKey, values: &[CypherValue], constraints: &[Vec<String>]) -> Self {
        let named: Vec<_> = key.properties.iter().zip(values).collect();
        let hash = |some: Vec<_>| KeyHash::new(&key.label, some);
        let mut parts = Vec::new();
        if named.len() > 1 {
            parts.extend(named.iter().map(|one| hash(vec![*one])));
        }
        if (3..=MOST_PROPERTIES).contains(&named.len()) {
            let pairs = named.iter().enumerate().flat_map(|(at, one)| named[..at].iter().map(|two| vec![*one, *two]));
            parts.extend(pairs.map(hash));
        }
        for constraint in constraints.iter().filter(|constraint| constraint.len() < named.len()) {
            let some: Vec<_> = named.iter().filter(|(name, _)| constraint.contains(*name)).copied().collect();
            if some.len() == constraint.len() {
                parts.push(hash(some));
            }
        }
        // Each once: one that comes twice would be taken for two nodes'.
        parts.sort_unstable();
        parts.dedup();
        Self { parts, whole: hash(named) }
    }
}

struct Text(DefaultHasher);

impl std::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// What is known of the nodes so far, such as the store's own ids: 16 bytes a node and the map's own room.
#[derive(Debug)]
pub(crate) struct KeyedNodes<V> {
    whole: HashMap<KeyHash, V>,
    /// Nothing where more than one node has this part.
    parts: HashMap<KeyHash, Option<V>>,
    /// Properties of the constraints that several make up, by label.
    constraints: HashMap<String, Vec<Vec<String>>>,
    /// A node came. Constraints behind it would hold for some nodes only.
    begun: bool,
}

impl<V> Default for KeyedNodes<V> {
    fn default() -> Self {
        Self { whole: HashMap::new(), parts: HashMap::new(), constraints: HashMap::new(), begun: false }
    }
}

impl<V: Copy> KeyedNodes<V> {
    /// Remembers by which properties nodes may be named, from a statement that stands before all nodes.
    pub(crate) fn learn(&mut self, statement: &str) {
        let Some((label, mut properties)) = SchemaRule::read(statement).and_then(SchemaRule::into_node_key) else {
            return;
        };
        properties.sort_unstable();
        properties.dedup();
        if self.begun || properties.len() < 2 {
            return;
        }
        let known = self.constraints.entry(label).or_default();
        if known.len() < MOST_CONSTRAINTS && !known.contains(&properties) {
            known.push(properties);
        }
    }

    /// How a node will be found again.
    pub(crate) fn keys(&mut self, key: &NodeKey, values: &[CypherValue]) -> NodeKeys {
        self.begun = true;
        NodeKeys::new(key, values, self.constraints.get(&key.label).map_or(&[], Vec::as_slice))
    }

    /// False when there is one of that key already.
    pub(crate) fn insert(&mut self, keys: &NodeKeys, value: V) -> bool {
        for part in &keys.parts {
            self.parts.entry(*part).and_modify(|one| *one = None).or_insert(Some(value));
        }
        self.whole.insert(keys.whole, value).is_none()
    }

    /// The one node that this can mean.
    pub(crate) fn get(&self, key: &NodeKey, values: &[CypherValue]) -> Option<V> {
        let hash = KeyHash::new(&key.label, key.properties.iter().zip(values).collect());
        match (self.whole.get(&hash), self.parts.get(&hash)) {
            (Some(value), None) => Some(*value),
            (None, Some(value)) => *value,
            _ => None,
        }
    }
}

/// Reads the export to its end and refuses one that could not be loaded as a whole.
pub(crate) async fn check_export(path: &Path) -> Result<ExportFacts, StoreError> {
    let owned = path.to_owned();
    tokio::task::spawn_blocking(move || check(&owned))
        .await
        .map_err(|e| refusal(path, Fault::Unexpected, format!("reading it was interrupted: {e}")))?
}

fn check(path: &Path) -> Result<ExportFacts, StoreError> {
    let mut reader = open(path)?;
    let mut facts = ExportFacts { form: reader.form(), nodes: 0, relationships: 0, schema: Vec::new() };
    let mut nodes = KeyedNodes::default();
    while let Some(item) = next_checked(&mut reader, path)? {
        match item {
            ImportItem::Schema(statement) => {
                nodes.learn(&statement);
                facts.schema.push(statement);
            }
            ImportItem::Nodes(batch) => {
                facts.nodes += batch.rows.len() as u64;
                for row in &batch.rows {
                    let keys = nodes.keys(&batch.key, &row.key);
                    if !nodes.insert(&keys, ()) {
                        return Err(damaged(
                            path,
                            format!("two nodes have the key {}", key_text(&batch.key, &row.key)),
                        ));
                    }
                }
            }
            ImportItem::Relationships(batch) => {
                facts.relationships += batch.rows.len() as u64;
                for row in &batch.rows {
                    for (key, values) in [(&batch.start, &row.start), (&batch.end, &row.end)] {
                        if nodes.get(key, values).is_none() {
                            return Err(no_such_end(path, key, values));
                        }
                    }
                }
            }
        }
    }
    Ok(facts)
}

/// Reads the export in a thread of its own. The last message is an error, or there was none. `on_bytes` is told the
/// bytes read, and the file's size.
pub(crate) fn read_export(path: PathBuf, on_bytes: OnProgress) -> mpsc::Receiver<Result<ImportItem, StoreError>> {
    // Batches are of twenty rows as APOC writes them: enough to keep both sides busy, little to hold.
    let (sender, receiver) = mpsc::channel(256);
    tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
        let read = || {
            let mut reader = open(&path)?;
            while let Some(item) = next_checked(&mut reader, &path)? {
                on_bytes(reader.bytes_read(), size);
                if sender.blocking_send(Ok(item)).is_err() {
                    // Nobody listens: the load failed, or was given up.
                    return Ok(());
                }
            }
            on_bytes(reader.bytes_read(), size);
            Ok(())
        };
        if let Err(error) = read() {
            let _nobody_listens = sender.blocking_send(Err(error));
        }
    });
    receiver
}

fn open(path: &Path) -> Result<ExportReader<'static>, StoreError> {
    ExportReader::open(path).map_err(|e| unreadable(path, &e))
}

/// The next item that does something; `None` behind the end of a whole export.
fn next_checked(reader: &mut ExportReader<'_>, path: &Path) -> Result<Option<ImportItem>, StoreError> {
    while let Some(item) = reader.next_item().map_err(|e| unreadable(path, &e))? {
        let item = match item {
            item if item.is_import_schema() => continue,
            Item::Begin | Item::Commit | Item::AwaitIndexes(_) | Item::Cleanup(_) => continue,
            // Settings of the shell change no data.
            Item::Other(text) if text.starts_with(':') => continue,
            Item::Other(text) => {
                let start: String = text.chars().take(80).collect();
                return Err(damaged(path, format!("it holds a statement that is none of an export's: {start}")));
            }
            Item::SchemaStatement(text) => match SchemaRule::read(&text) {
                Some(rule) if rule.is_lookup() => continue,
                Some(_) => ImportItem::Schema(text),
                None => return Err(damaged(path, format!("it holds a schema statement that is not known: {text}"))),
            },
            Item::NodeBatch(batch) => {
                batch.labels.iter().try_for_each(|label| check_name(label)).map_err(|e| damaged(path, e))?;
                let rows = batch.rows.iter().map(|row| &row.properties);
                check_rows(rows).map_err(|e| damaged(path, e))?;
                ImportItem::Nodes(batch)
            }
            Item::RelationshipBatch(batch) => {
                check_name(&batch.rel_type).map_err(|e| damaged(path, e))?;
                let rows = batch.rows.iter().map(|row| &row.properties);
                check_rows(rows).map_err(|e| damaged(path, e))?;
                ImportItem::Relationships(batch)
            }
        };
        return Ok(Some(item));
    }
    Ok(None)
}

fn check_rows<'a>(rows: impl Iterator<Item = &'a BTreeMap<String, CypherValue>>) -> Result<(), String> {
    for (name, value) in rows.flatten() {
        check_property(value).map_err(|e| format!("the property {name} cannot be one: {e}"))?;
        // Only these are named in a statement's text, all others are parameters.
        if !value.is_plain() {
            check_name(name)?;
        }
    }
    Ok(())
}

pub(crate) fn two_of_a_key(path: &Path, key: &NodeKey, values: &[CypherValue]) -> StoreError {
    damaged(path, format!("two nodes have the key {}", key_text(key, values)))
}

pub(crate) fn no_such_end(path: &Path, key: &NodeKey, values: &[CypherValue]) -> StoreError {
    let key = key_text(key, values);
    damaged(path, format!("a relationship ends at a node that does not come before it, or at more than one: {key}"))
}

fn key_text(key: &NodeKey, values: &[CypherValue]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!(":{} {}", key.label, values.join(", "))
}

fn unreadable(path: &Path, error: &ExportError) -> StoreError {
    let fault = match error {
        ExportError::Io(e) if e.kind() == std::io::ErrorKind::NotFound => Fault::Missing,
        ExportError::Io(_) => Fault::ServerFailed,
        ExportError::Cut { .. } | ExportError::Syntax { .. } => Fault::Corrupt,
    };
    refusal(path, fault, error.to_string())
}

fn damaged(path: &Path, detail: impl Into<String>) -> StoreError {
    refusal(path, Fault::Corrupt, detail)
}

/// The place is the export: it is what is wrong, not the store.
fn refusal(path: &Path, fault: Fault, detail: impl Into<String>) -> StoreError {
    StoreError {
        store: StoreKind::Neo4j,
        endpoint: path.display().to_string(),
        operation: "reading the graph's export".to_owned(),
        fault,
        detail: detail.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(properties: &[&str]) -> NodeKey {
        NodeKey { label: "Paragraph".into(), properties: properties.iter().map(|&name| name.to_owned()).collect() }
    }

    fn values(numbers: &[i64]) -> Vec<CypherValue> {
        numbers.iter().map(|number| CypherValue::from(*number)).collect()
    }

    fn put(nodes: &mut KeyedNodes<i64>, properties: &[&str], numbers: &[i64], value: i64) -> bool {
        let keys = nodes.keys(&key(properties), &values(numbers));
        nodes.insert(&keys, value)
    }

    #[test]
    fn a_node_is_found_by_its_key_in_any_order_and_by_a_part_that_is_its_own() {
        let mut nodes = KeyedNodes::default();
        assert!(put(&mut nodes, &["a", "b", "c"], &[1, 2, 3], 10));
        assert!(put(&mut nodes, &["a", "b", "c"], &[1, 5, 6], 20));
        assert!(put(&mut nodes, &["d"], &[1], 30));
        let get = |properties: &[&str], of: &[i64]| nodes.get(&key(properties), &values(of));
        assert_eq!(get(&["c", "a", "b"], &[3, 1, 2]), Some(10));
        assert_eq!((get(&["b"], &[2]), get(&["c", "a"], &[6, 1]), get(&["d"], &[1])), (Some(10), Some(20), Some(30)));
        assert_eq!(get(&["a"], &[1]), None, "two nodes have it");
        assert_eq!((get(&["b", "c"], &[2, 6]), get(&["d", "a"], &[1, 1]), get(&["b"], &[1])), (None, None, None));
        assert!(!put(&mut nodes, &["c", "b", "a"], &[3, 2, 1], 40), "it is there already");
    }

    #[test]
    fn a_long_key_has_few_parts_and_its_constraints_are_among_them() {
        let names: Vec<String> = (0..20).map(|n| format!("p{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let numbers: Vec<i64> = (0..20).collect();
        let mut nodes = KeyedNodes::default();
        nodes.learn("CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE (n.p9, n.p3, n.p4) IS UNIQUE");
        nodes.learn("CREATE CONSTRAINT FOR (n:Other) REQUIRE (n.p1, n.p2, n.p5) IS UNIQUE");
        nodes.learn("CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE (n.p1, n.x) IS UNIQUE");
        assert_eq!(nodes.keys(&key(&names), &values(&numbers)).parts.len(), 21, "each alone, and the constraint");
        // Too late: the nodes before it were not noted by it.
        nodes.learn("CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE (n.p6, n.p7) IS UNIQUE");
        assert!(put(&mut nodes, &names, &numbers, 10));
        // A pair that is a constraint as well is still one part.
        let mut pairs = KeyedNodes::default();
        pairs.learn("CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE (n.b, n.a) IS UNIQUE");
        assert!(put(&mut pairs, &["a", "b", "c"], &[1, 2, 3], 20));
        assert_eq!(pairs.get(&key(&["a", "b"]), &values(&[1, 2])), Some(20));
        let get = |properties: &[&str], of: &[i64]| nodes.get(&key(properties), &values(of));
        assert_eq!((get(&["p3", "p4", "p9"], &[3, 4, 9]), get(&["p17"], &[17])), (Some(10), Some(10)));
        assert_eq!((get(&["p1", "p2", "p5"], &[1, 2, 5]), get(&["p6", "p7"], &[6, 7])), (None, None));
    }
}
