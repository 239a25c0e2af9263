//! What Neo4j's own tools write is read here, and what is written here is read by them: APOC's export, the real cypher-shell.

use std::path::Path;
use std::process::Command;

use neo4rs::query;
use rollback::store::Fault;

use super::copies::{self, WholeGraph, quiet};
use super::neo4j::{WRITING, config};
use super::neo4j_copies::WholeNeo4j;

/// As HybridFlow's script asks for it.
const EXPORT_ALL: &str = "CALL apoc.export.cypher.all(null, {stream: true, format: 'cypher-shell'}) \
                          YIELD cypherStatements RETURN cypherStatements AS text";

/// The real cypher-shell runs a file, and stops at the first statement that fails.
fn cypher_shell(file: &Path) {
    let jars = std::env::var("STEPBACK_TEST_CYPHER_SHELL").unwrap_or_else(|_| {
        panic!(
            "STEPBACK_TEST_CYPHER_SHELL is not set (the class path of cypher-shell): run `cargo xtask test --only contract`, \
             or take the variables that `cargo xtask neo4j` prints"
        )
    });
    let login = config();
    let mut java = Command::new("java");
    java.args(["-cp", &jars, "org.neo4j.shell.Main", "--non-interactive", "--fail-fast"]);
    java.args(["-a", &login.uri, "-u", &login.user, "-p", login.password.expose(), "--file"]).arg(file);
    let output = java.output().expect("java can be started");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "cypher-shell: {}\n{said}", output.status);
}

async fn apoc_export(bench: &WholeNeo4j) -> String {
    let mut rows = bench.raw.execute(query(EXPORT_ALL)).await.unwrap();
    let mut text = String::new();
    while let Some(row) = rows.next().await.unwrap() {
        text.push_str(&row.get::<String>("text").unwrap());
    }
    text
}

/// Values of every kind, and names that need quoting. Where a name holds a backtick, and of a number that is none, APOC writes
/// what neither Neo4j nor anybody else can read.
const APOC_CAN: [&str; 7] = [
    "CREATE CONSTRAINT one FOR (n:Paragraph) REQUIRE n.chunk_id IS UNIQUE",
    "CREATE CONSTRAINT two FOR (n:`odd label`) REQUIRE (n.i, n.f) IS UNIQUE",
    "CREATE FULLTEXT INDEX texts FOR (n:Paragraph|`odd label`) ON EACH [n.text, n.`odd key`]",
    "CREATE FULLTEXT INDEX between FOR ()-[r:NEXT|SELF]-() ON EACH [r.note]",
    // It leaves the names of these out.
    "CREATE INDEX FOR ()-[r:NEXT]-() ON (r.weight)",
    "CREATE TEXT INDEX FOR (n:Chapter) ON (n.title)",
    "CREATE (e:Paragraph:`odd label` {
       chunk_id: 'c1', text: $nasty, i: 9223372036854775807, f: 1.0E-7, whole: 3.0, b: true, d: date('2024-02-29'),
       far: date('+999999999-12-31'), lt: localtime('10:11'), t: time('10:11:12.000000013+02:00'),
       before: datetime('2024-10-27T02:30:00+02:00[Europe/Berlin]'),
       after: datetime('2024-10-27T02:30:00+01:00[Europe/Berlin]'), utc: datetime('2024-01-01T00:00:00.5Z'),
       ldt: localdatetime('-0044-03-15T12:00:00'), du: duration('P1Y2M3DT4H5M6.789S'), neg: duration('PT-0.5S'),
       p2: point({x: 1.5, y: -2.5}), p3: point({x: 1, y: 2, z: 3}), w2: point({longitude: 13.4, latitude: 52.5}),
       w3: point({longitude: 1, latitude: 2, height: 3}), ints: [1, -2], floats: [1.0, 1.0E22],
       texts: [$nasty, '', '\"'], truths: [true, false], empty: [], dates: [date('2024-01-02'), date('2024-01-03')],
       points: [point({x: 1, y: 2})], spans: [duration('P1D'), duration('PT1S')], `odd key`: 'v' })
     CREATE (s:Paragraph:staging {chunk_id: 'c2::v2'}), (bare), (:latest_copy20251227 {id: 1}),
            (:Twin {a: 1}), (:Twin {a: 1}),
            (e)-[:NEXT {weight: 0.5, on: date('2024-01-02'), note: $nasty}]->(s),
            (e)-[:NEXT {weight: 0.5}]->(s), (e)-[:NEXT {weight: 0.5}]->(s), (s)-[:`PREV odd`]->(e),
            (bare)-[:SELF]->(bare), (bare)-[:SELF]->(bare), (e)-[:SELF {list: ['a', '\"']}]->(e)",
];
const NASTY: &str = "q \" ' ` \\ \\n \n\r\t ; // :begin\n:commit\n /* */ $rows {x} ü 日本 🙂 \u{1} \\u0041";

#[tokio::test]
async fn an_export_by_apoc_is_restored_as_it_comes_and_as_cypher_shell_prints_it() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    for statement in APOC_CAN {
        bench.raw.run(query(statement).param("nasty", NASTY)).await.unwrap();
    }
    let (before, schema) = (bench.read().await, bench.store().schema_lines().await.unwrap());
    let export = apoc_export(&bench).await;
    // In plain format: a header, and the text between quotes, where only quotes are changed.
    let printed = format!("cypherStatements\n\"{}\"\n", export.replace('"', "\\\""));
    for (name, text) in [("apoc.cypher", &export), ("printed.cypher", &printed)] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let summary = copies::summary_of(&path);
        assert_eq!((summary.nodes, summary.relationships, summary.other_statements), (6, 7, 0), "{name}");
        copies::empty(&bench, &folder).await;
        bench.store().restore_export(&path, quiet()).await.unwrap();
        assert_eq!(bench.read().await, before, "{name}");
        assert_eq!(bench.store().schema_lines().await.unwrap(), schema, "{name}");
    }
    copies::empty(&bench, &folder).await;
}

/// Such an export is good for nothing, which is to be known before anything goes.
#[tokio::test]
async fn what_apoc_writes_so_that_nothing_can_read_it_is_refused_and_nothing_goes() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    bench.fill(folder.path()).await;
    let (before, schema) = (bench.read().await, bench.store().schema_lines().await.unwrap());
    let path = folder.path().join("apoc.cypher");
    std::fs::write(&path, apoc_export(&bench).await).unwrap();
    let error = bench.store().restore_export(&path, quiet()).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Corrupt | Fault::Refused), "{error}");
    assert_eq!(bench.read().await, before);
    assert_eq!(bench.store().schema_lines().await.unwrap(), schema);
    copies::empty(&bench, &folder).await;
}

#[tokio::test]
async fn our_export_is_read_back_by_the_real_cypher_shell() {
    let _writing = WRITING.lock().await;
    let bench = WholeNeo4j::new().await;
    let folder = tempfile::tempdir().unwrap();
    bench.fill(folder.path()).await;
    let (before, schema) = (bench.read().await, bench.store().schema_lines().await.unwrap());
    let path = folder.path().join("ours.cypher");
    bench.store().export(&path, quiet()).await.unwrap();

    copies::empty(&bench, &folder).await;
    cypher_shell(&path);
    assert_eq!(bench.read().await, before);
    assert_eq!(bench.store().schema_lines().await.unwrap(), schema);
    copies::empty(&bench, &folder).await;
}
