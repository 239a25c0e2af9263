//! The whole rollback on a real Neo4j, with the Qdrant double over gRPC beside it. Counts are taken past the adapters.

use neo4rs::{Graph, query};
use rollback_stores::qdrant_double::QdrantDouble;
use serde_json::{Value, json};
use sqlx::Row as _;
use tokio::sync::Mutex;

use crate::app::{App, step};
use crate::contents;
use crate::deployment::{Deployment, Layout};
use crate::production::chapters;
use crate::validation::found_right;

/// The database is one; tests that count all of it go one after another.
pub static NEO4J: Mutex<()> = Mutex::const_new(());

/// How to reach the server of the tests: address, user, password.
pub fn login() -> [String; 3] {
    ["URI", "USER", "PASSWORD"].map(|word| {
        let name = format!("STEPBACK_TEST_NEO4J_{word}");
        std::env::var(&name).unwrap_or_else(|_| {
            panic!(
                "{name} is not set, so no real Neo4j can be asked: run `cargo xtask test --only http`, which starts one"
            )
        })
    })
}

/// A plain client of the driver's.
pub struct Neo4j(Graph);

impl Neo4j {
    /// Connects to the server and empties it.
    pub async fn emptied([uri, user, password]: &[String; 3]) -> Self {
        let graph = Graph::new(uri, user.as_str(), password.as_str()).unwrap();
        graph.run(query("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")).await.unwrap();
        let it = Self(graph);
        assert_eq!(it.count("MATCH (n)").await, 0);
        it
    }

    pub async fn count(&self, pattern: &str) -> i64 {
        let mut rows = self.0.execute(query(&format!("{pattern} RETURN count(*) AS total"))).await.unwrap();
        rows.next().await.unwrap().unwrap().get("total").unwrap()
    }

    /// Every node and relationship of production by content, in one order.
    pub async fn content(&self) -> Vec<String> {
        let told = |n: &str| format!("[apoc.coll.sort(labels({n})), [k IN apoc.coll.sort(keys({n})) | [k, {n}[k]]]]");
        let (n, a, b) = (told("n"), told("a"), told("b"));
        let mut found = Vec::new();
        for text in [
            format!("MATCH (n) WHERE NOT n:staging RETURN apoc.convert.toJson({n}) AS row"),
            format!(
                "MATCH (a)-[r]->(b) WHERE NOT a:staging AND NOT b:staging \
                 RETURN apoc.convert.toJson([{a}, type(r), [k IN apoc.coll.sort(keys(r)) | [k, r[k]]], {b}]) AS row"
            ),
        ] {
            let mut rows = self.0.execute(query(&text)).await.unwrap();
            while let Some(row) = rows.next().await.unwrap() {
                found.push(row.get::<String>("row").unwrap());
            }
        }
        found.sort_unstable();
        found
    }

    /// No label, property or constraint of an import is left.
    async fn is_free_of_the_import(&self) {
        assert_eq!(self.count("MATCH (n:`UNIQUE IMPORT LABEL`)").await, 0);
        assert_eq!(self.count("MATCH (n) WHERE n.`UNIQUE IMPORT ID` IS NOT NULL").await, 0);
        let mut rows =
            self.0.execute(query("SHOW CONSTRAINTS YIELD labelsOrTypes RETURN labelsOrTypes")).await.unwrap();
        while let Some(row) = rows.next().await.unwrap() {
            let labels: Vec<String> = row.get("labelsOrTypes").unwrap();
            assert!(!labels.iter().any(|label| label == "UNIQUE IMPORT LABEL"), "{labels:?}");
        }
    }

    /// What every node and relationship outside of `staged` is, in one order.
    async fn production(&self, staged: &str) -> Vec<String> {
        let nodes =
            format!("MATCH (n) WHERE NOT ({staged}) RETURN apoc.convert.toJson([labels(n), properties(n)]) AS row");
        let ends = format!("{} AND {}", not(staged, "a"), not(staged, "b"));
        let relationships = format!(
            "MATCH (a)-[r]->(b) WHERE {ends} RETURN apoc.convert.toJson([elementId(a), type(r), elementId(b), properties(r)]) AS row"
        );
        let mut found = Vec::new();
        for text in [nodes, relationships] {
            let mut rows = self.0.execute(query(&text)).await.unwrap();
            while let Some(row) = rows.next().await.unwrap() {
                found.push(row.get::<String>("row").unwrap());
            }
        }
        found.sort_unstable();
        found
    }
}

fn not(staged: &str, name: &str) -> String {
    format!("NOT ({})", staged.replace("n.", &format!("{name}.")).replace("n:", &format!("{name}:")))
}

/// A new latest-copy of servers, from which all three stores are restored, and put back as they were.
#[tokio::test]
async fn a_damaged_production_is_restored_on_servers_and_put_back() {
    let _alone = NEO4J.lock().await;
    let login = login();
    let neo4j = Neo4j::emptied(&login).await;
    let double = QdrantDouble::start().unwrap();
    let d = demo_on(&login, &double, &[]).await;
    let app = App::start(&d.config()).await;
    // The demo's own copies are the servers' too.
    let tried = app.post("/api/v1/backups/latest-copy/verify", &json!({"trial": true})).await.json(200);
    assert!(tried["verdict"].as_str().unwrap().contains("were restored on trial"), "{tried}");
    app.carry_out("rollback", &d.failed).await;
    let copied = app.carry_out("make_backup", "latest-copy").await;
    assert_eq!(copied["state"], "completed", "{copied}");
    let now = async || {
        let chapters = chapters(&d.path("metadata.db")).await;
        (neo4j.content().await, double.content("textbook_chunks"), chapters)
    };
    let good = now().await;

    for damage in [
        "MATCH (n:Paragraph) WITH n LIMIT 7 DETACH DELETE n",
        "MATCH (n:Chapter) WITH n LIMIT 1 SET n.title = 'a \"quoted\"; title'",
        "CREATE (:Paragraph {chunk_id: 'nobody:ch1:1'})",
        "MATCH ()-[r:NEXT]->() WITH r LIMIT 5 DELETE r",
    ] {
        neo4j.0.run(query(damage)).await.unwrap();
    }
    let stray =
        rollback_stores::vector_point::VectorPoint::of_chunk("nobody:ch1:2", None, Default::default(), vec![0.5; 32]);
    assert!(double.upsert_points("textbook_chunks", [stray]));
    d.run("UPDATE chapter_metadata SET content_hash = 'changed' WHERE rowid < 4").await;
    let bad = now().await;
    assert!(bad.0 != good.0 && bad.1 != good.1 && bad.2 != good.2, "all three differ");

    let run = app.carry_out("restore_production", "latest-copy").await;
    assert!(run["state"] == "completed" && found_right(&run), "{run}");
    for word in ["restore_sqlite", "restore_qdrant", "restore_neo4j"] {
        assert_eq!(step(&run, word)["state"], "done", "{run}");
    }
    assert!(now().await == good, "production is not what latest-copy holds");
    neo4j.is_free_of_the_import().await;
    assert_eq!(double.collection_names(), ["textbook_chunks"], "no scratch collection stays");

    let tried = app.post("/api/v1/backups/latest-copy/verify", &json!({"trial": true})).await.json(200);
    assert!(tried["verdict"].as_str().unwrap().contains("were restored on trial"), "{tried}");
    assert!(now().await == good, "a trial touches nothing");

    let undone = app.carry_out("undo_restore", &format!("run-{}", run["id"])).await;
    assert!(undone["state"].as_str().unwrap().starts_with("completed"), "{undone}");
    assert!(now().await == bad, "the undo did not bring back what there was");
}

#[tokio::test]
async fn the_shared_layout_is_rolled_back_on_servers() {
    on_servers(Layout::Shared, |_| "n:staging".to_owned(), |_| "textbook_chunks_staging".to_owned()).await;
}

#[tokio::test]
async fn the_per_version_layout_is_rolled_back_on_servers() {
    let staged = |version: &str| {
        ["id", "chunk_id", "paragraph_id"]
            .map(|name| format!("coalesce(n.{name} ENDS WITH '::{version}', false)"))
            .join(" OR ")
    };
    on_servers(Layout::PerVersion, staged, |version| format!("textbook_chunks_{version}")).await;
}

/// A demo loaded into the two servers.
pub async fn demo_on([uri, user, password]: &[String; 3], double: &QdrantDouble, more: &[&str]) -> Deployment {
    let (url, rest) = (double.grpc_url(), double.rest_url());
    let qdrant = ["--qdrant-url", &url, "--qdrant-rest-url", &rest];
    let neo4j = ["--neo4j-uri", uri, "--neo4j-user", user, "--neo4j-password", password];
    Deployment::on_servers(&[&qdrant, &neo4j[..], more].concat()).await
}

async fn on_servers(layout: Layout, staged: impl Fn(&str) -> String, collection: impl Fn(&str) -> String) {
    let _alone = NEO4J.lock().await;
    let login = login();
    let neo4j = Neo4j::emptied(&login).await;
    let double = QdrantDouble::start().unwrap();
    let d = demo_on(&login, &double, &["--layout", layout.word()]).await;
    assert!(!d.path("vectors.db").exists() && !d.path("graph.db").exists());
    let (staged, collection) = (staged(&d.failed), collection(&d.failed));

    let [all, staged_nodes] = [neo4j.count("MATCH (n)").await, neo4j.count(&format!("MATCH (n) WHERE {staged}")).await];
    assert_eq!((all, staged_nodes), (2_600, 1_100));
    let production = neo4j.production(&staged).await;
    let crossing = "MATCH (a)-[r]->(b) WHERE ";
    let crossing = neo4j.count(&format!("{crossing} ({}) <> ({})", not(&staged, "a"), not(&staged, "b"))).await;
    let staged_points = double.points(&collection).unwrap();
    let (names, aliases) = (double.collection_names(), double.alias_pairs());
    let other_points = |name: &String| (name.clone(), double.points(name));
    let others: Vec<_> = names.iter().filter(|name| **name != collection).map(other_points).collect();
    let chapters = contents::tables(&d).await["chapter_metadata"].clone();

    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let stores = &plan["stores"];
    assert_eq!((&stores["qdrant"]["engine"], &stores["neo4j"]["engine"]), (&"Qdrant".into(), &"Neo4j".into()));
    assert_eq!(stores["qdrant"]["staging"]["points"], staged_points);
    assert_eq!(stores["neo4j"]["staging"]["nodes"], staged_nodes);
    assert_eq!(stores["neo4j"]["staging"]["crossing_relationships"], crossing);
    assert_eq!(neo4j.count("MATCH (n)").await, all, "planning changes nothing");

    let run = app.roll_back(&d.failed, "the nightly validation failed").await;
    assert_eq!(run["state"], "completed", "{run}");
    assert_eq!(
        (&step(&run, "delete_points")["state"], &step(&run, "delete_nodes")["state"]),
        (&"done".into(), &"done".into())
    );
    assert_eq!(step(&run, "delete_nodes")["done"], staged_nodes);

    assert_eq!(neo4j.count("MATCH (n)").await, all - staged_nodes);
    assert_eq!(neo4j.count(&format!("MATCH (n) WHERE {staged}")).await, 0);
    assert!(neo4j.production(&staged).await == production, "production is another than before");
    assert_eq!(double.points(&collection), None);
    let left: Vec<_> = double.collection_names().iter().map(other_points).collect();
    assert_eq!((left, double.alias_pairs()), (others, aliases));

    let tables = contents::tables(&d).await;
    assert_eq!(tables["chapter_metadata"], chapters);
    assert!(!tables.contains_key("chapter_metadata_staging"));
    the_registry_says_so(&d).await;
    let version: Value = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    assert_eq!(version["status"], "rolled_back");
}

pub async fn the_registry_says_so(d: &Deployment) {
    let mut file = d.metadata().await;
    let state: String = sqlx::query_scalar("SELECT status FROM version_registry WHERE version_id = ?")
        .bind(&d.failed)
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(state, "rolled_back");
    let log = "SELECT status FROM operation_log WHERE version_id = ? AND operation_type = 'rollback' ORDER BY id";
    let log = sqlx::query(log).bind(&d.failed).fetch_all(&mut file).await.unwrap();
    let log: Vec<String> = log.iter().map(|row| row.get("status")).collect();
    assert_eq!(log, ["in_progress", "completed"]);
}
