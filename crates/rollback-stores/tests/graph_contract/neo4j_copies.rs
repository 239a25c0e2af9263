//! Exports and restores of a real Neo4j. They replace the whole database, so they begin only with an empty one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use neo4rs::query;
use rollback::store::{Fault, GraphScope, GraphStore, OnProgress};
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};

use super::copies::{self, File, WholeGraph, large, quiet};
use super::neo4j::{WRITING, config};
use super::neo4j_faults::{Line, Proxy};
use super::offenders;

/// The whole database, and a way to it past the store.
pub struct WholeNeo4j {
    graph: Neo4jGraph,
    pub raw: neo4rs::Graph,
}

impl WholeNeo4j {
    pub async fn new() -> Self {
        Self::by(config()).await
    }

    /// `config` may lead through a proxy; the independent reader never does.
    async fn by(through: Neo4jConfig) -> Self {
        let direct = config();
        let raw = neo4rs::Graph::new(direct.uri, direct.user, direct.password.expose()).unwrap();
        let bench = Self { graph: Neo4jGraph::new(through), raw };
        assert!(
            bench.read().await.is_empty(),
            "the database is not empty, and restores would replace it: run `cargo xtask neo4j` for one of the tests' own"
        );
        bench
    }

    async fn run(&self, statement: &str) {
        self.raw.run(query(statement)).await.unwrap();
    }

    async fn count(&self, statement: &str) -> i64 {
        let mut rows = self.raw.execute(query(statement)).await.unwrap();
        rows.next().await.unwrap().unwrap().get("total").unwrap()
    }
}

#[async_trait]
impl WholeGraph for WholeNeo4j {
    fn store(&self) -> &dyn GraphStore {
        &self.graph
    }

    async fn fill(&self, _folder: &Path) {
        for statement in [
            "CREATE CONSTRAINT one FOR (n:Paragraph) REQUIRE n.chunk_id IS UNIQUE",
            "CREATE CONSTRAINT FOR (n:`odd label`) REQUIRE (n.i, n.f) IS UNIQUE",
            "CREATE FULLTEXT INDEX `full ``text``` FOR (n:Paragraph|`odd label`) ON EACH [n.text, n.`odd ``key`] \
             OPTIONS {indexConfig: {`fulltext.analyzer`: 'english'}}",
            "CREATE FULLTEXT INDEX between FOR ()-[r:NEXT|SELF]-() ON EACH [r.note]",
            "CREATE INDEX FOR ()-[r:NEXT]-() ON (r.weight)",
            "CREATE TEXT INDEX FOR (n:Chapter) ON (n.title)",
            "CREATE POINT INDEX place FOR (n:Paragraph) ON (n.p2)",
            "CREATE INDEX FOR (n:Chapter) ON (n.book, n.number)",
            "CREATE VECTOR INDEX meaning FOR (n:Paragraph) ON (n.vector) OPTIONS {indexConfig: \
             {`vector.dimensions`: 3, `vector.similarity_function`: 'cosine'}}",
            "CREATE VECTOR INDEX FOR ()-[r:NEXT]-() ON (r.vector) OPTIONS {indexConfig: {`vector.dimensions`: 3}}",
            "CREATE CONSTRAINT joined FOR ()-[r:SELF]-() REQUIRE r.key IS UNIQUE",
            "CREATE CONSTRAINT FOR ()-[r:`PREV odd`]-() REQUIRE (r.a, r.b) IS UNIQUE",
            "CREATE TEXT INDEX FOR ()-[r:NEXT]-() ON (r.note)",
            "CREATE POINT INDEX FOR ()-[r:NEXT]-() ON (r.at)",
        ] {
            self.run(statement).await;
        }
        let nasty = "q \" ' ` \\ \\n \n\r\t ; // :begin\n:commit\n /* */ $rows {x} ü 日本 🙂 \u{1} \\u0041";
        let create = "CREATE (e:Paragraph:`odd label`:`with ``ticks``` {
              chunk_id: 'c1', text: $nasty, i: 9223372036854775807, f: 1.0E-7, whole: 3.0, nan: 0.0 / 0.0,
              inf: -1.0 / 0.0, b: true, d: date('2024-02-29'), far: date('+999999999-12-31'), lt: localtime('10:11'),
              t: time('10:11:12.000000013+02:00'), before: datetime('2024-10-27T02:30:00+02:00[Europe/Berlin]'),
              after: datetime('2024-10-27T02:30:00+01:00[Europe/Berlin]'), utc: datetime('2024-01-01T00:00:00.5Z'),
              ldt: localdatetime('-0044-03-15T12:00:00'), du: duration('P1Y2M3DT4H5M6.789S'), neg: duration('PT-0.5S'),
              p2: point({x: 1.5, y: -2.5}), p3: point({x: 1, y: 2, z: 3}),
              w2: point({longitude: 13.4, latitude: 52.5}), w3: point({longitude: 1, latitude: 2, height: 3}),
              ints: [1, -2], floats: [1.0, 1.0E22],
              vector: [0.1, -0.2, 0.3], texts: [$nasty, '', '\"'], truths: [true, false], empty: [],
              dates: [date('2024-01-02'), date('2024-01-03')], points: [point({x: 1, y: 2})],
              spans: [duration('P1D'), duration('PT1S')], `odd ``key`: 'v' })
            CREATE (s:Paragraph:staging {chunk_id: 'c2::v2'}), (bare), (:latest_copy20251227 {id: 1}),
                   (:Twin {a: 1}), (:Twin {a: 1}),
                   (e)-[:NEXT {weight: 0.5, on: date('2024-01-02'), note: $nasty}]->(s),
                   (e)-[:NEXT {weight: 0.5}]->(s), (e)-[:NEXT {weight: 0.5}]->(s), (s)-[:`PREV ``odd```]->(e),
                   (bare)-[:SELF]->(bare), (bare)-[:SELF]->(bare), (e)-[:SELF {list: ['a', '\"']}]->(e)";
        self.raw.run(query(create).param("nasty", nasty)).await.unwrap();
        // The reader must see what is to be compared.
        let lines = self.read().await.join("\n");
        for part in [
            "\"d DATE NOT NULL 2024-02-29\"",
            "after ZONED DATETIME NOT NULL 2024-10-27T02:30:00+01:00[Europe/Berlin]",
            "du DURATION NOT NULL P1Y2M3DT4H5M6.789S",
            "w3 POINT NOT NULL point({x: 1.0, y: 2.0, z: 3.0, crs: 'wgs-84-3d'})",
            "whole FLOAT NOT NULL 3.0",
            "nan FLOAT NOT NULL NaN",
            "|2024-01-02|2024-01-03",
            "on DATE NOT NULL 2024-01-02",
        ] {
            assert!(lines.contains(part), "{part} in {lines}");
        }
    }

    async fn read(&self) -> Vec<String> {
        let properties = |x: &str| {
            format!(
                "[k IN keys({x}) | k + ' ' + valueType({x}[k]) + ' ' + CASE WHEN valueType({x}[k]) STARTS WITH 'LIST' \
                 THEN reduce(t = '', v IN {x}[k] | t + '|' + toString(v)) ELSE toString({x}[k]) END]"
            )
        };
        let (mut lines, mut nodes) = (Vec::new(), HashMap::new());
        let statement = format!("MATCH (n) RETURN id(n) AS id, labels(n) AS labels, {} AS properties", properties("n"));
        let mut rows = self.raw.execute(query(&statement)).await.unwrap();
        while let Some(row) = rows.next().await.unwrap() {
            let mut labels: Vec<String> = row.get("labels").unwrap();
            let mut properties: Vec<String> = row.get("properties").unwrap();
            labels.sort();
            properties.sort();
            let line = format!("{labels:?} {properties:?}");
            nodes.insert(row.get::<i64>("id").unwrap(), line.clone());
            lines.push(line);
        }
        let statement = format!(
            "MATCH (a)-[r]->(b) RETURN id(a) AS start, id(b) AS end, type(r) AS type, {} AS properties",
            properties("r")
        );
        let mut rows = self.raw.execute(query(&statement)).await.unwrap();
        while let Some(row) = rows.next().await.unwrap() {
            let mut properties: Vec<String> = row.get("properties").unwrap();
            properties.sort();
            let end = |name| &nodes[&row.get::<i64>(name).unwrap()];
            let rel_type: String = row.get("type").unwrap();
            lines.push(format!("{} -{rel_type} {properties:?}-> {}", end("start"), end("end")));
        }
        lines.sort();
        lines
    }
}

#[tokio::test]
async fn copies_come_back() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    copies::run(&bench).await;
}

#[tokio::test]
async fn faults_are_found() {
    let _writing = WRITING.lock().await;
    offenders::run(&WholeNeo4j::new().await).await;
}

#[tokio::test]
async fn a_restore_that_dies_is_repeated_from_the_start() {
    let _writing = WRITING.lock().await;
    let mut through = config();
    let proxy = Arc::new(Proxy::new(through.uri.trim_start_matches("bolt://").to_owned()).await);
    through.uri = format!("bolt://127.0.0.1:{}", proxy.port);
    let bench = WholeNeo4j::by(through).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.cypher");
    let (nodes, relationships) = large(&path);
    // While nodes are made, and while relationships are.
    for cut_at in [2_000, nodes + 2_000] {
        let progress: OnProgress = Arc::new({
            let proxy = proxy.clone();
            move |done, _| {
                if done >= cut_at {
                    proxy.state.send_replace(Line::Cut);
                }
            }
        });
        let error = bench.graph.restore_export(&path, progress).await.unwrap_err();
        assert_eq!(error.fault, Fault::Unreachable, "{error}");
        assert!(!bench.read().await.is_empty(), "it died in the middle");
        proxy.state.send_replace(Line::Open);
        let inventory = bench.graph.restore_export(&path, quiet()).await.unwrap();
        assert_eq!((inventory.nodes, inventory.relationships), (Some(nodes), Some(relationships)));
        assert_eq!(bench.read().await.len() as u64, nodes + relationships);
        let marks = "MATCH (n) WHERE n:`UNIQUE IMPORT LABEL` OR n.`UNIQUE IMPORT ID` IS NOT NULL \
                     RETURN count(n) AS total";
        assert_eq!(bench.count(marks).await, 0);
        assert_eq!(bench.graph.schema_lines().await.unwrap().len(), 1);
    }
    copies::empty(&bench, &folder).await;
}

/// Requests that run at the same time want the same two nodes, in opposite order.
#[tokio::test]
async fn requests_that_share_their_nodes_do_not_spoil_each_other() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hubs.cypher");
    let mut file = File::default();
    let hubs = [file.node(&["Hub"], &[]), file.node(&["Hub"], &[])];
    let leaves: Vec<i64> = (0..500).map(|_| file.node(&["Leaf"], &[])).collect();
    for number in 0..16_000 {
        // A request is of 2,000 rows: its first half belongs to one hub, its second to the other.
        let hub = hubs[(number / 1_000 + number / 2_000) % 2];
        file.relationship(hub, "LINK", leaves[number % 500], &[]);
    }
    file.write(&path);
    let inventory = bench.graph.restore_export(&path, quiet()).await.unwrap();
    assert_eq!((inventory.nodes, inventory.relationships), (Some(502), Some(16_000)));
    copies::empty(&bench, &folder).await;
}

/// Its transactions would hold locks on what the next one deletes.
#[tokio::test]
async fn a_restore_that_is_given_up_is_in_nobodys_way() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.cypher");
    let (nodes, relationships) = large(&path);
    for given_up_at in [2_000, nodes + 2_000, nodes + 6_000] {
        let (sender, mut begun) = tokio::sync::mpsc::unbounded_channel();
        let progress: OnProgress = Arc::new(move |done, _| {
            if done >= given_up_at {
                // Nobody may listen any more.
                let _ = sender.send(());
            }
        });
        tokio::select! {
            biased;
            _ = begun.recv() => {}
            ended = bench.graph.restore_export(&path, progress) => panic!("it was not given up: {ended:?}"),
        }
        // Far longer than it takes, far shorter than for ever.
        let restoring = bench.graph.restore_export(&path, quiet());
        let inventory = tokio::time::timeout(Duration::from_secs(120), restoring).await.expect("it waits").unwrap();
        assert_eq!((inventory.nodes, inventory.relationships), (Some(nodes), Some(relationships)));
    }
    copies::empty(&bench, &folder).await;
}

/// What only the server can know to be wrong is asked of it before anything goes.
#[tokio::test]
async fn a_schema_that_the_server_does_not_know_is_refused_first() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    bench.fill(folder.path()).await;
    let before = (bench.read().await, bench.graph.schema_lines().await.unwrap());
    let path = folder.path().join("odd.cypher");
    File { schema: vec!["CREATE CONSTRAINT FOR (n:A) REQUIRE (n.x) IS UNIQQE".to_owned()], ..File::default() }
        .write(&path);
    let error = bench.graph.restore_export(&path, quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "{error}");
    assert_eq!((bench.read().await, bench.graph.schema_lines().await.unwrap()), before);
    copies::empty(&bench, &folder).await;
}

/// Its transaction would keep the restore from dropping the constraint.
#[tokio::test]
async fn a_stream_that_is_given_up_holds_nothing() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.cypher");
    large(&path);
    bench.graph.restore_export(&path, quiet()).await.unwrap();
    let scope = GraphScope::Production(Vec::new());
    // Several at a time, so that each has a connection of its own.
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut paragraphs = bench.graph.paragraphs(&scope);
        paragraphs.next().await.unwrap().unwrap();
        streams.push(paragraphs);
    }
    drop(streams);
    // Far longer than it takes, far shorter than for ever.
    let restoring = bench.graph.restore_export(&path, quiet());
    tokio::time::timeout(Duration::from_secs(120), restoring).await.expect("it waits").unwrap();
    copies::empty(&bench, &folder).await;
}

/// An import by another tool that died leaves its marks: they are neither exported nor in the way.
#[tokio::test]
async fn marks_of_a_dead_import_are_left_behind() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    bench
        .run(
            "CREATE CONSTRAINT UNIQUE_IMPORT_NAME FOR (node:`UNIQUE IMPORT LABEL`) \
             REQUIRE (node.`UNIQUE IMPORT ID`) IS UNIQUE",
        )
        .await;
    bench.run("CREATE (:Paragraph:`UNIQUE IMPORT LABEL` {chunk_id: 'c1', `UNIQUE IMPORT ID`: 1})").await;
    let path = folder.path().join("marked.cypher");
    bench.graph.export(&path, quiet()).await.unwrap();
    assert_eq!(copies::summary_of(&path).schema_statements, [""; 0]);
    bench.graph.restore_export(&path, quiet()).await.unwrap();
    assert_eq!(bench.read().await, [r#"["Paragraph"] ["chunk_id STRING NOT NULL c1"]"#]);
    assert_eq!(bench.graph.schema_lines().await.unwrap(), [""; 0]);
    copies::empty(&bench, &folder).await;
}
