//! The embedded graph.

use std::io::BufReader;

use async_trait::async_trait;
use backup_formats::cypher_export::summarize;
use rollback::store::{Fault, GraphStore, StagingSelector};
use rollback_stores::embedded_graph::{EmbeddedGraph, GraphItem};
use rollback_stores::graph_data::GraphNode;
use tempfile::TempDir;

use super::sample::{Names, Sample, textbook};
use super::suite::{self, Bench};

struct Embedded {
    graph: EmbeddedGraph,
    folder: TempDir,
}

impl Embedded {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let graph = EmbeddedGraph::open_or_create(folder.path().join("graph.db")).await.unwrap();
        Self { graph, folder }
    }
}

#[async_trait]
impl Bench for Embedded {
    fn store(&self) -> &dyn GraphStore {
        &self.graph
    }

    async fn load(&self, sample: Sample) {
        // Ids are the file's own: each load begins after the last.
        let offset = self.graph.production(&[]).await.unwrap().nodes.unwrap() as i64 * 10 + 10_000;
        let nodes = sample.nodes.into_iter().map(|node| GraphNode { id: node.id + offset, ..node });
        self.graph.insert_nodes(nodes).await.unwrap();
        let relationships = sample.relationships.into_iter().map(|mut relationship| {
            relationship.start += offset;
            relationship.end += offset;
            relationship
        });
        self.graph.insert_relationships(relationships).await.unwrap();
    }
}

#[tokio::test]
async fn the_contract_holds() {
    suite::run(&Embedded::new().await).await;
}

#[tokio::test]
async fn an_empty_graph_counts_nothing() {
    let bench = Embedded::new().await;
    assert_eq!(bench.graph.engine().name, "embedded");
    let inventory = bench.graph.production(&[]).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(0), Some(0)));
    assert!(inventory.labels.is_empty() && inventory.types.is_empty());
    assert_eq!(bench.graph.probe().await.unwrap().detail, "0 nodes, 0 relationships");
}

#[tokio::test]
async fn it_keeps_what_it_was_given_when_opened_again() {
    let bench = Embedded::new().await;
    let names = Names::new();
    let sample = textbook(&names);
    let mut expected = sample.nodes.clone();
    for node in &mut expected {
        node.labels.sort();
        node.properties.retain(|_, value| !value.is_null());
    }
    bench.graph.insert_nodes(sample.nodes).await.unwrap();
    bench.graph.insert_relationships(sample.relationships.clone()).await.unwrap();
    bench.graph.close().await;

    let again = EmbeddedGraph::open_or_create(bench.folder.path().join("graph.db")).await.unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let collecting = tokio::spawn(async move {
        let (mut nodes, mut relationships) = (Vec::new(), Vec::new());
        while let Some(item) = receiver.recv().await {
            match item {
                GraphItem::Node(node) => nodes.push(node),
                GraphItem::Relationship(relationship) => relationships.push(relationship),
            }
        }
        (nodes, relationships)
    });
    again.stream(sender).await.unwrap();
    let (mut nodes, relationships) = collecting.await.unwrap();
    nodes.sort_by_key(|node| node.id);
    assert_eq!(nodes, expected);
    assert_eq!(relationships.len(), sample.relationships.len());
    assert!(sample.relationships.iter().all(|relationship| relationships.contains(relationship)));
}

#[tokio::test]
async fn its_export_is_read_back_with_the_same_counts() {
    let bench = Embedded::new().await;
    let names = Names::new();
    bench.load(textbook(&names)).await;
    let path = bench.folder.path().join("graph.cypher");
    let counts = bench.graph.export_to(&path, &[], Vec::new()).await.unwrap();
    assert_eq!((counts.nodes, counts.relationships), (11, 11));
    let summary = summarize(BufReader::new(std::fs::File::open(&path).unwrap()), |_| ()).unwrap();
    assert_eq!((summary.nodes, summary.relationships), (11, 11));
}

#[tokio::test]
async fn a_load_that_fails_leaves_nothing() {
    let bench = Embedded::new().await;
    let names = Names::new();
    let mut sample = textbook(&names);
    let twice = sample.nodes[0].clone();
    sample.nodes.push(twice);
    let error = bench.graph.insert_nodes(sample.nodes).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    assert_eq!(bench.graph.production(&[]).await.unwrap().nodes, Some(0));
    let error = bench.graph.insert_relationships(sample.relationships).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "the ends are not there: {error}");
}

#[tokio::test]
async fn wrong_files_are_told_apart_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let missing = EmbeddedGraph::at(folder.path().join("missing.db"));
    assert_eq!(missing.probe().await.unwrap_err().fault, Fault::Missing);
    assert!(!missing.path().exists());

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, vec![b'x'; 8192]).unwrap();
    assert_eq!(EmbeddedGraph::at(&garbage).probe().await.unwrap_err().fault, Fault::Corrupt);

    let foreign = folder.path().join("foreign.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
    let pool = sqlx::sqlite::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE chapter_metadata (id INTEGER)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&foreign).unwrap();
    let selector = StagingSelector::Label("staging".to_owned());
    let graph = EmbeddedGraph::at(&foreign);
    assert_eq!(graph.staging(&selector).await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(graph.delete_batch(&selector, 10).await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(EmbeddedGraph::open_or_create(&foreign).await.unwrap_err().fault, Fault::Foreign);
    graph.close().await;
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_was_moved_away_or_replaced_while_it_was_open_is_noticed() {
    let bench = Embedded::new().await;
    let sample = textbook(&Names::new());
    let held = sample.nodes.len() as u64;
    bench.graph.insert_nodes(sample.nodes).await.unwrap();
    let file = |name: &str| bench.folder.path().join(name);
    let rename = |from: &str, to: &str| {
        for beside in ["", "-wal", "-shm"] {
            let _ = std::fs::rename(file(&format!("{from}{beside}")), file(&format!("{to}{beside}")));
        }
    };
    let nodes = async || bench.graph.production(&[]).await.map(|inventory| inventory.nodes);
    assert_eq!(nodes().await.unwrap(), Some(held));

    rename("graph.db", "away.db");
    assert_eq!(nodes().await.unwrap_err().fault, Fault::Missing);
    std::fs::write(file("graph.db"), "no database at all ".repeat(1_000)).unwrap();
    assert_eq!(bench.graph.probe().await.unwrap_err().fault, Fault::Corrupt);
    std::fs::remove_file(file("graph.db")).unwrap();

    // Another graph in its place is the one that is asked; the first is again when it is back.
    EmbeddedGraph::open_or_create(file("graph.db")).await.unwrap().close().await;
    assert_eq!(nodes().await.unwrap(), Some(0));
    rename("graph.db", "other.db");
    rename("away.db", "graph.db");
    assert_eq!(nodes().await.unwrap(), Some(held));
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.db");
    std::fs::write(&path, "").unwrap();
    assert_eq!(EmbeddedGraph::at(&path).probe().await.unwrap_err().fault, Fault::Foreign);
    let graph = EmbeddedGraph::open_or_create(&path).await.unwrap();
    assert_eq!(graph.probe().await.unwrap().detail, "0 nodes, 0 relationships");
    let nowhere = folder.path().join("no such folder").join("graph.db");
    assert_eq!(EmbeddedGraph::open_or_create(nowhere).await.unwrap_err().fault, Fault::Missing);
}

#[tokio::test]
async fn another_writers_lock_is_busy_and_nothing_goes() {
    let bench = Embedded::new().await;
    let names = Names::new();
    bench.load(textbook(&names)).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(bench.graph.path());
    let pool = sqlx::sqlite::SqlitePool::connect_with(options).await.unwrap();
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let selector = StagingSelector::Label(names.of("staging"));
    assert_eq!(bench.graph.staging(&selector).await.unwrap().nodes, Some(5), "readers go on");
    assert_eq!(bench.graph.delete_batch(&selector, 10).await.unwrap_err().fault, Fault::Busy);
    lock.rollback().await.unwrap();
    assert_eq!(bench.graph.delete_batch(&selector, 10).await.unwrap(), 5);
}
