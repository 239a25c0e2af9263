//! Exports and restores of the embedded graph, and trials of an export.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use rollback::store::{Fault, GraphStore, OnProgress, ScratchGraph};
use rollback_stores::embedded_graph::{EmbeddedGraph, ScratchGraphs};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;

use super::copies::{self, File, WholeGraph, large, quiet};
use super::offenders;

struct Embedded {
    graph: EmbeddedGraph,
    _folder: TempDir,
}

impl Embedded {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let graph = EmbeddedGraph::open_or_create(folder.path().join("graph.db")).await.unwrap();
        Self { graph, _folder: folder }
    }
}

#[async_trait]
impl WholeGraph for Embedded {
    fn store(&self) -> &dyn GraphStore {
        &self.graph
    }

    async fn fill(&self, folder: &Path) {
        let path = folder.join("fill.cypher");
        let schema = [
            "CREATE CONSTRAINT one FOR (n:Paragraph) REQUIRE (n.chunk_id) IS UNIQUE",
            "CREATE FULLTEXT INDEX two FOR (n:Paragraph|`odd label`) ON EACH [n.`text`]",
            "CREATE RANGE INDEX FOR ()-[r:NEXT]-() ON (r.weight)",
        ]
        .map(str::to_owned);
        let mut file = File { schema: schema.into(), ..File::default() };
        let everything = file.node(
            &["Paragraph", "odd label", "with `ticks`"],
            &[
                ("chunk_id", "'c1'"),
                ("text", r#"'q " \' ` \\ \n ; // :begin ü 日本 🙂'"#),
                ("i", "9223372036854775807"),
                ("f", "1.0E-7"),
                ("whole", "3.0"),
                ("nan", "NaN"),
                ("inf", "-Infinity"),
                ("b", "true"),
                ("d", "date('2024-02-29')"),
                ("dt", "datetime('2024-10-27T02:30:00.000000001+02:00[Europe/Berlin]')"),
                ("du", "duration('P1Y2M3DT4H5M6.789S')"),
                ("p", "point({x: 1.5, y: -0.0, crs: 'cartesian'})"),
                ("dates", "[date('2024-01-02'), date('2024-01-03')]"),
                ("floats", "[1.0, 1.0E22]"),
                ("empty", "[]"),
                ("odd `key", "'v'"),
            ],
        );
        let staged = file.node(&["Paragraph", "staging"], &[("chunk_id", "'c2::v2'")]);
        let bare = file.node(&[], &[]);
        file.node(&["latest_copy20251227"], &[("id", "1")]);
        file.node(&["Twin"], &[("a", "1")]);
        file.node(&["Twin"], &[("a", "1")]);
        file.relationship(everything, "NEXT", staged, &[("weight", "0.5"), ("on", "date('2024-01-02')")]);
        file.relationship(everything, "NEXT", staged, &[("weight", "0.5")]);
        file.relationship(everything, "NEXT", staged, &[("weight", "0.5")]);
        file.relationship(staged, "PREV `odd`", everything, &[]);
        file.relationship(bare, "SELF", bare, &[]);
        file.relationship(bare, "SELF", bare, &[]);
        file.relationship(everything, "SELF", everything, &[("list", "['a', '\"']")]);
        file.write(&path);
        self.graph.restore_export(&path, quiet()).await.unwrap();
    }

    async fn read(&self) -> Vec<String> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(self.graph.path())).await.unwrap();
        let node = "(SELECT n.properties || (SELECT json_group_array(label ORDER BY label) FROM node_labels
                     WHERE node_id = n.id) FROM nodes AS n WHERE n.id = ";
        let sql = format!(
            "SELECT {node} m.id) AS line FROM nodes AS m
             UNION ALL
             SELECT {node} r.start_id) || ' ' || r.type || r.properties || ' ' || {node} r.end_id) FROM relationships AS r"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        pool.close().await;
        let mut lines: Vec<String> = rows.iter().map(|row| row.get("line")).collect();
        lines.sort();
        lines
    }
}

#[tokio::test]
async fn copies_come_back() {
    copies::run(&Embedded::new().await).await;
}

#[tokio::test]
async fn faults_are_found() {
    offenders::run(&Embedded::new().await).await;
}

#[tokio::test]
async fn a_restore_that_is_given_up_leaves_the_old_graph() {
    let bench = Embedded::new().await;
    let folder = tempfile::tempdir().unwrap();
    bench.fill(folder.path()).await;
    let before = bench.read().await;
    let path = folder.path().join("large.cypher");
    large(&path);
    let (sender, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let progress: OnProgress = Arc::new(move |done, _| {
        if done > 2_000 {
            // Nobody may listen any more.
            let _ = sender.send(());
        }
    });
    tokio::select! {
        biased;
        _ = begun.recv() => {}
        ended = bench.graph.restore_export(&path, progress) => panic!("it was not given up: {ended:?}"),
    }
    assert_eq!(bench.read().await, before);
    bench.graph.restore_export(&path, quiet()).await.unwrap();
}

/// All that is in the folder.
fn names(folder: &TempDir) -> Vec<String> {
    std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn a_trial_counts_and_leaves_nothing() {
    let (folder, exports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = exports.path().join("large.cypher");
    let (nodes, relationships) = large(&path);
    let size = std::fs::metadata(&path).unwrap().len();
    let told = Arc::new(AtomicU64::new(0));
    let progress: OnProgress = Arc::new({
        let told = told.clone();
        move |done, total| {
            assert!(done <= total && total == size);
            told.store(done, Ordering::Relaxed);
        }
    });
    let inventory = ScratchGraphs.try_export(&path, folder.path(), progress).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(nodes), Some(relationships)));
    assert_eq!(inventory.labels["Paragraph"], 6_000);
    assert_eq!(told.load(Ordering::Relaxed), size);
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));

    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = ScratchGraphs.try_export(&path, folder.path(), quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Corrupt, "{error}");
    assert!(names(&folder).is_empty(), "{:?}", names(&folder));
    let missing = folder.path().join("no such folder");
    assert_eq!(ScratchGraphs.try_export(&path, &missing, quiet()).await.unwrap_err().fault, Fault::Missing);
}
