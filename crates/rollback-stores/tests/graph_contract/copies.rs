//! Exports and restores: what every graph must do with them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use backup_formats::checksums::Sha256Digest;
use backup_formats::cypher_export::{
    CypherValue, ExportNode, ExportRelationship, ExportSummary, ExportWriter, UniqueKey, summarize,
};
use rollback::store::{Fault, GraphStore, OnProgress};
use rollback_types::Inventory;
use tempfile::TempDir;

/// A graph that a test may fill and empty as a whole.
#[async_trait]
pub trait WholeGraph: Sync {
    fn store(&self) -> &dyn GraphStore;
    /// Fills the empty graph with everything a graph can hold, staging nodes among it: [`EVERYTHING`].
    async fn fill(&self, folder: &Path);
    /// Every node and relationship as text, read without the store. Sorted.
    async fn read(&self) -> Vec<String>;
}

/// Nodes and relationships of [`WholeGraph::fill`].
pub const EVERYTHING: (u64, u64) = (6, 7);

const REAL: &str = include_str!("../../../backup-formats/tests/fixtures/neo4j-5.26-export-small.cypher");
const REAL_PLAIN: &str =
    include_str!("../../../backup-formats/tests/fixtures/neo4j-5.26-export-small-cypher-shell-plain.txt");

pub fn quiet() -> OnProgress {
    Arc::new(|_, _| {})
}

/// What an export's file holds. Built by the export writer.
#[derive(Default)]
pub struct File {
    pub schema: Vec<String>,
    pub keys: Vec<UniqueKey>,
    pub nodes: Vec<ExportNode>,
    pub relationships: Vec<ExportRelationship>,
}

impl File {
    pub fn node(&mut self, labels: &[&str], properties: &[(&str, &str)]) -> i64 {
        let id = self.nodes.len() as i64 + 1;
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.nodes.push(ExportNode { id, labels, properties: literals(properties) });
        id
    }

    pub fn relationship(&mut self, start: i64, rel_type: &str, end: i64, properties: &[(&str, &str)]) {
        let rel_type = rel_type.to_owned();
        self.relationships.push(ExportRelationship { start, end, rel_type, properties: literals(properties) });
    }

    pub fn write(self, path: &Path) {
        let out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        let mut writer = ExportWriter::new(out, &self.schema, self.keys).unwrap();
        self.nodes.iter().for_each(|node| writer.node(node).unwrap());
        self.relationships.iter().for_each(|relationship| writer.relationship(relationship).unwrap());
        writer.finish().unwrap();
    }
}

/// Values as Cypher literals.
fn literals(properties: &[(&str, &str)]) -> std::collections::BTreeMap<String, CypherValue> {
    properties.iter().map(|(name, value)| ((*name).to_owned(), value.parse().unwrap())).collect()
}

pub fn summary_of(path: &Path) -> ExportSummary {
    summarize(std::fs::File::open(path).unwrap(), |_| ()).unwrap()
}

pub async fn run(graph: &dyn WholeGraph) {
    let folder = tempfile::tempdir().unwrap();
    empty(graph, &folder).await;
    what_was_exported_comes_back(graph, &folder).await;
    the_real_export_is_restored_in_every_form(graph, &folder).await;
    the_missing_statement_is_known_from_the_present_schema(graph, &folder).await;
    a_bad_file_is_refused_and_nothing_goes(graph, &folder).await;
    an_export_never_overwrites(graph, &folder).await;
    a_large_graph_comes_in_many_batches(graph, &folder).await;
    long_texts_come_back(graph, &folder).await;
    empty(graph, &folder).await;
}

/// Restores nothing: neither data nor schema.
pub async fn empty(graph: &dyn WholeGraph, folder: &TempDir) {
    let path = folder.path().join("nothing.cypher");
    File::default().write(&path);
    let inventory = graph.store().restore_export(&path, quiet()).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(0), Some(0)));
    assert_eq!(graph.store().schema_lines().await.unwrap(), [""; 0]);
    assert_eq!(graph.read().await, [""; 0]);
}

/// A place for a file that is not there yet.
fn new_path(folder: &TempDir, name: &str) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    folder.path().join(format!("{}-{name}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

async fn restore_text(graph: &dyn WholeGraph, folder: &TempDir, text: &str) -> Inventory {
    let path = new_path(folder, "text.cypher");
    std::fs::write(&path, text).unwrap();
    graph.store().restore_export(&path, quiet()).await.unwrap()
}

async fn what_was_exported_comes_back(graph: &dyn WholeGraph, folder: &TempDir) {
    let store = graph.store();
    graph.fill(folder.path()).await;
    let (before, schema) = (graph.read().await, store.schema_lines().await.unwrap());
    assert_eq!(before.len() as u64, EVERYTHING.0 + EVERYTHING.1);
    assert!(schema.len() >= 3, "{schema:?}");

    let path = new_path(folder, "everything.cypher");
    let told = Arc::new(Mutex::new(Vec::new()));
    let progress: OnProgress = Arc::new({
        let told = told.clone();
        move |done, total| told.lock().unwrap().push((done, total))
    });
    let copy = store.export(&path, progress.clone()).await.unwrap();
    let total = EVERYTHING.0 + EVERYTHING.1;
    assert_eq!(told.lock().unwrap().last(), Some(&(total, total)));
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((&copy.path, copy.bytes), (&path, bytes.len() as u64));
    assert_eq!(copy.sha256, Sha256Digest::of(&bytes).to_string());
    let everything = store.production(&[]).await.unwrap();
    assert_eq!(copy.inventory, everything, "counted while written as it is counted in the store");
    assert_eq!(copy.inventory.labels.get("staging"), Some(&1), "what is staged is in it too");
    let summary = summary_of(&path);
    assert_eq!((summary.nodes, summary.relationships, summary.other_statements), (EVERYTHING.0, EVERYTHING.1, 0));
    assert_eq!(summary.schema_statements.len(), schema.len());

    // Something else in its place, with a schema that gets in the way.
    restore_text(graph, folder, REAL).await;
    assert_ne!(graph.read().await, before);
    told.lock().unwrap().clear();
    let restored = store.restore_export(&path, progress).await.unwrap();
    assert_eq!(told.lock().unwrap().last(), Some(&(total, total)));
    assert_eq!(restored, everything);
    assert_eq!(graph.read().await, before);
    assert_eq!(store.schema_lines().await.unwrap(), schema);

    // And once more from what was restored.
    let again = new_path(folder, "again.cypher");
    store.export(&again, quiet()).await.unwrap();
    let again = summary_of(&again);
    assert_eq!((again.labels, again.relationship_types), (summary.labels, summary.relationship_types));
}

async fn the_real_export_is_restored_in_every_form(graph: &dyn WholeGraph, folder: &TempDir) {
    let store = graph.store();
    let inventory = restore_text(graph, folder, REAL).await;
    assert_eq!((inventory.nodes, inventory.relationships), (Some(60), Some(148)));
    assert_eq!((inventory.labels["Paragraph"], inventory.labels["odd label"]), (50, 8));
    assert_eq!(inventory.types["PREV odd"], 49);
    let (real, schema) = (graph.read().await, store.schema_lines().await.unwrap());
    assert_eq!(schema.len(), 3, "{schema:?}");
    let script: String = REAL_PLAIN.split_inclusive('\n').skip(3).collect();
    for text in [REAL_PLAIN, &script] {
        assert_eq!(restore_text(graph, folder, text).await, inventory);
        assert_eq!(graph.read().await, real);
        assert_eq!(store.schema_lines().await.unwrap(), schema);
    }
}

/// The script cut the full-text index off. What is there is kept unless the file names it.
async fn the_missing_statement_is_known_from_the_present_schema(graph: &dyn WholeGraph, folder: &TempDir) {
    let store = graph.store();
    restore_text(graph, folder, REAL).await;
    let whole = store.schema_lines().await.unwrap();
    let path = new_path(folder, "other.cypher");
    let mut other = File::default();
    other.schema.push("CREATE CONSTRAINT small_chunk FOR (n:Paragraph) REQUIRE (n.number) IS UNIQUE".to_owned());
    other.write(&path);
    store.restore_export(&path, quiet()).await.unwrap();
    let script: String = REAL_PLAIN.split_inclusive('\n').skip(3).collect();
    restore_text(graph, folder, &script).await;
    let lines = store.schema_lines().await.unwrap();
    assert_eq!(lines.len(), 2, "the constraint of that name gave way: {lines:?}");
    assert!(lines.iter().all(|line| whole.contains(line)), "{lines:?}");
}

async fn a_bad_file_is_refused_and_nothing_goes(graph: &dyn WholeGraph, folder: &TempDir) {
    let store = graph.store();
    restore_text(graph, folder, REAL).await;
    let before = (graph.read().await, store.schema_lines().await.unwrap());
    let at = |part: &str| REAL.find(part).unwrap();
    for (what, text) in [
        ("cut in the middle", REAL[..at("PREV odd")].to_owned()),
        ("cut before the clean-up", REAL[..at("MATCH (n:`UNIQUE IMPORT LABEL`)")].to_owned()),
        ("empty", String::new()),
        ("another file", "SQLite format 3\0".to_owned()),
        ("an end that is no node", REAL.replace("start: {chunk_id:\"c7\"}", "start: {chunk_id:\"c77\"}")),
        ("two nodes of one key", REAL.replacen("{chunk_id:\"c7\"", "{chunk_id:\"c8\"", 1)),
        ("a statement of its own", REAL.replace("CALL db.awaitIndexes(300);", "MATCH (n) DETACH DELETE n;")),
        ("relationships before their nodes", relationships_first()),
        ("a broken word", REAL.replacen("UNWIND", "UNWYND", 1)),
        ("a broken schema", REAL.replacen("REQUIRE (node.chunk_id", "FOR (node:chunk_id", 1)),
        ("a function that is none of a value's", REAL.replace("date('2024-01-02')", "randomUUID('x')")),
        ("a nested list", REAL.replacen("[1.0, 2.5,", "[[1.0], 2.5,", 1)),
    ] {
        assert_ne!(text, REAL, "{what}");
        let path = new_path(folder, "bad.cypher");
        std::fs::write(&path, text).unwrap();
        let Err(error) = store.restore_export(&path, quiet()).await else { panic!("{what}: accepted") };
        assert!(matches!(error.fault, Fault::Corrupt | Fault::Refused), "{what}: {error}");
        assert_eq!((graph.read().await, store.schema_lines().await.unwrap()), before, "{what}");
    }
    let error = store.restore_export(&folder.path().join("missing"), quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Missing, "{error}");
    assert_eq!(graph.read().await, before.0);
}

/// The real export with a transaction of nodes and one of relationships in each other's place.
fn relationships_first() -> String {
    let mut parts: Vec<&str> = REAL.split_inclusive(":commit\n").collect();
    let first = |parts: &[&str], words: &str| parts.iter().position(|part| part.contains(words)).unwrap();
    let (nodes, relationships) = (first(&parts, "CREATE (n:"), first(&parts, "MATCH (start:"));
    parts.swap(nodes, relationships);
    parts.concat()
}

/// Twenty rows of them would be a statement that is too long to be read, and some thousands more than a server holds.
async fn long_texts_come_back(graph: &dyn WholeGraph, folder: &TempDir) {
    let path = new_path(folder, "long.cypher");
    let mut file = File::default();
    for number in 0..30 {
        let text = format!("'{number} {}'", "\u{fc}\\n;".repeat(150_000));
        let node = file.node(&["Paragraph"], &[("text", &text)]);
        file.relationship(node, "NEXT", node, &[("note", &text)]);
    }
    file.write(&path);
    let inventory = graph.store().restore_export(&path, quiet()).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(30), Some(30)));
    let before = graph.read().await;
    let copy = new_path(folder, "long-again.cypher");
    graph.store().export(&copy, quiet()).await.unwrap();
    empty(graph, folder).await;
    assert_eq!(graph.store().restore_export(&copy, quiet()).await.unwrap(), inventory);
    assert!(graph.read().await == before, "the texts are other ones");
}

async fn an_export_never_overwrites(graph: &dyn WholeGraph, folder: &TempDir) {
    let path = new_path(folder, "there.cypher");
    std::fs::write(&path, "kept").unwrap();
    let error = graph.store().export(&path, quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "kept");
    let nowhere = folder.path().join("no such folder").join("graph.cypher");
    let error = graph.store().export(&nowhere, quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Missing, "{error}");
    let leftover = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let leftover: Vec<_> = leftover.filter(|name| name.to_string_lossy().ends_with(".part")).collect();
    assert!(leftover.is_empty(), "{leftover:?}");
}

/// 6,000 paragraphs in chains, found by a unique property, under chapters found by the import's own id.
pub fn large(path: &Path) -> (u64, u64) {
    let mut file = File::default();
    file.schema.push("CREATE CONSTRAINT large FOR (n:Paragraph) REQUIRE (n.chunk_id) IS UNIQUE".to_owned());
    file.keys.push(UniqueKey { label: "Paragraph".to_owned(), property: "chunk_id".to_owned() });
    let mut last = 0;
    for number in 0..6_000 {
        if number % 1_000 == 0 {
            last = 0;
            file.node(&["Chapter"], &[]);
        }
        let chapter = number / 1_000 * 1_001 + 1;
        let paragraph = file.node(&["Paragraph"], &[("chunk_id", &format!("'c{number}'")), ("n", &number.to_string())]);
        file.relationship(chapter, "HAS_PARAGRAPH", paragraph, &[]);
        if last > 0 {
            file.relationship(last, "NEXT", paragraph, &[("weight", "0.5")]);
        }
        last = paragraph;
    }
    let counts = (file.nodes.len() as u64, file.relationships.len() as u64);
    file.write(path);
    counts
}

async fn a_large_graph_comes_in_many_batches(graph: &dyn WholeGraph, folder: &TempDir) {
    let path = new_path(folder, "large.cypher");
    let (nodes, relationships) = large(&path);
    let inventory = graph.store().restore_export(&path, quiet()).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(nodes), Some(relationships)));
    let before = graph.read().await;
    let copy = new_path(folder, "copy.cypher");
    graph.store().export(&copy, quiet()).await.unwrap();
    assert_eq!(graph.store().restore_export(&copy, quiet()).await.unwrap(), inventory);
    assert_eq!(graph.read().await, before);
}
