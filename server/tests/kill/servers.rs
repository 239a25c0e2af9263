//! The same on servers: a real Neo4j, and the Qdrant double, which both live on while the program dies.

use rollback_stores::qdrant_double::{Call, QdrantDouble};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::child::{Server, run, start_request};
use crate::place::{Contents, Place, ended, resume};
use crate::proxy::{Proxy, Weather};
use crate::{the_journal_is_sound, the_story_has_no_gap};

/// How to reach the server of the tests: address, user, password.
fn login() -> [String; 3] {
    ["URI", "USER", "PASSWORD"].map(|word| {
        let name = format!("STEPBACK_TEST_NEO4J_{word}");
        std::env::var(&name).unwrap_or_else(|_| {
            panic!(
                "{name} is not set, so no real Neo4j can be asked: run `cargo xtask test --only http`, which starts one"
            )
        })
    })
}

/// A demo on fresh servers.
struct Servers {
    place: Place,
    double: QdrantDouble,
    failed: String,
}

/// What is left, read past the program.
#[derive(Debug, PartialEq)]
struct Left {
    /// Labels, properties and relationships of every node.
    graph: Vec<String>,
    collections: Vec<(String, Option<String>)>,
    aliases: Vec<(String, String)>,
}

async fn rows(statement: &str) -> Vec<String> {
    let [uri, user, password] = login();
    let graph = neo4rs::Graph::new(uri, user, password).unwrap();
    let mut stream = graph.execute(neo4rs::query(statement)).await.unwrap();
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await.unwrap() {
        rows.push(row.get::<String>("row").unwrap());
    }
    rows.sort_unstable();
    rows
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl Servers {
    /// Settings' lines that take the place of others, for what leads to the servers.
    fn through(replaced: impl FnOnce(&QdrantDouble) -> Vec<(String, String)>) -> Self {
        let it = Self::new();
        let settings = it.place.path("stepback.toml");
        let mut text = std::fs::read_to_string(&settings).unwrap();
        for (from, to) in replaced(&it.double) {
            assert!(text.contains(&from), "{from} is not in {text}");
            text = text.replace(&from, &to);
        }
        std::fs::write(&settings, text).unwrap();
        it
    }

    fn new() -> Self {
        let [uri, user, password] = login();
        block_on(rows("MATCH (n) DETACH DELETE n RETURN DISTINCT 'gone' AS row"));
        let double = QdrantDouble::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (demo, url, rest) = (folder.path().to_str().unwrap().to_owned(), double.grpc_url(), double.rest_url());
        let qdrant = ["demo", &demo, "--qdrant-url", &url, "--qdrant-rest-url", &rest];
        let neo4j = ["--neo4j-uri", &uri, "--neo4j-user", &user, "--neo4j-password", &password];
        let (code, said) = run(&[&qdrant[..], &neo4j].concat());
        assert_eq!(code, 0, "{said}");
        let settings = folder.path().join("stepback.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        // A trial at some moment would take time from the runs that are killed here.
        let text = text.replace("trial_restore_every = \"7d\"", "trial_restore_every = \"off\"");
        std::fs::write(&settings, text).unwrap();
        let token = ["token", "create", "kill", "--role", "administrator", "--config", settings.to_str().unwrap()];
        let (0, token) = run(&token) else { panic!("no token") };
        let place = Place { folder, token: token.trim().to_owned() };
        let mut it = Self { place, double, failed: String::new() };
        let server = it.place.server();
        let versions = server.client.ask(200, "GET", "/api/v1/versions?limit=200", None);
        let candidate = versions["items"].as_array().unwrap().iter().find(|v| v["candidacy"]["kind"] == "candidate");
        it.failed = candidate.unwrap()["version_id"].as_str().unwrap().to_owned();
        server.kill();
        it
    }

    fn begin(&self, server: &Server) -> i64 {
        let plan = serde_json::json!({ "version_id": self.failed });
        let plan = server.client.ask(200, "POST", "/api/v1/plans", Some(&plan));
        server.client.ask(201, "POST", "/api/v1/runs", Some(&start_request(&plan)))["id"].as_i64().unwrap()
    }

    fn left(&self) -> (Left, Contents) {
        let told = "apoc.coll.sort(labels(n)), [k IN apoc.coll.sort(keys(n)) | [k, n[k]]]";
        let near =
            "apoc.coll.sort([(n)-[r]->(m) | type(r) + ' ' + apoc.convert.toJson(coalesce(m.chunk_id, m.id, ''))])";
        let graph = format!("MATCH (n) RETURN apoc.convert.toJson([{told}, {near}]) AS row");
        let names = self.double.collection_names();
        let left = Left {
            graph: block_on(rows(&graph)),
            collections: names.into_iter().map(|name| (name.clone(), self.double.content(&name))).collect(),
            aliases: self.double.alias_pairs(),
        };
        (left, Contents::of(&self.place))
    }
}

/// The graph is one; tests that replace it go one after another.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn a_rollback_on_servers_killed_at_every_third_event() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let servers = Servers::new();
    let server = servers.place.server();
    let id = servers.begin(&server);
    let whole = ended(&server, id);
    server.kill();
    let (expected, records) = servers.left();
    let mut interrupted = 0;
    for number in (1..=whole["last_event"].as_u64().unwrap()).step_by(3) {
        let servers = Servers::new();
        let server = servers.place.server();
        let id = servers.begin(&server);
        server.client.events(id, |event: &Value| event["number"].as_u64().unwrap() >= number);
        server.kill();

        let server = servers.place.server();
        let was = server.client.ask(200, "GET", &format!("/api/v1/runs/{id}"), None)["state"] == "interrupted";
        if was {
            resume(&server, id);
            interrupted += 1;
        }
        let view = ended(&server, id);
        assert_eq!(view["state"], whole["state"], "{view:#}");
        the_story_has_no_gap(&server.client.events(id, |_| false), was);
        server.kill();
        the_journal_is_sound(&servers.place);
        let (left, now) = servers.left();
        assert_eq!(left, expected, "killed after event {number}");
        assert_eq!(now.difference(&records), None, "killed after event {number}");
    }
    assert!(interrupted > 0, "no run was interrupted: the kills proved nothing");
}

/// Qdrant and Neo4j behind proxies, with time-outs that a test can wait for.
struct Weathered {
    servers: Servers,
    qdrant: Proxy,
    neo4j: Proxy,
    weather: Runtime,
}

impl Weathered {
    fn new() -> Self {
        let weather = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let [uri, ..] = login();
        let bolt = uri.split_once("://").unwrap().1.parse().unwrap();
        let neo4j = weather.block_on(Proxy::to(bolt));
        let mut qdrant = None;
        let servers = Servers::through(|double| {
            let grpc = double.grpc_url().trim_start_matches("http://").parse().unwrap();
            let proxy = qdrant.insert(weather.block_on(Proxy::to(grpc)));
            let limits = "connect_timeout_ms = 2000\nrequest_timeout_ms = 3000\nlong_timeout_ms = 4000\n";
            vec![
                (
                    format!("\nurl = \"{}\"\n", double.grpc_url()),
                    format!("\nurl = \"http://{}\"\n{limits}", proxy.address),
                ),
                (format!("uri = \"{uri}\"\n"), format!("uri = \"bolt://{}\"\n{limits}", neo4j.address)),
            ]
        });
        Self { qdrant: qdrant.unwrap(), servers, neo4j, weather }
    }

    /// The step tries again by itself, in growing pauses, then asks; in clear weather it is tried again, and the run ends as
    /// an undisturbed one.
    fn asks_and_ends_well(&self, server: &Server, id: i64, step: &str, proxy: &Proxy) {
        let events = server.client.events(id, |event| event["type"] == "decision_needed");
        let waits: Vec<u64> = events
            .iter()
            .filter(|event| event["type"] == "step_retrying")
            .map(|event| event["wait_ms"].as_u64().unwrap())
            .collect();
        assert!(waits.len() >= 3 && waits.is_sorted(), "{step}: {waits:?}");
        let last = events.last().unwrap();
        assert_eq!((&last["type"], &last["steps"]), (&"decision_needed".into(), &json!([step])));
        self.weather.block_on(proxy.heal());
        let retry = json!({ "step": step, "decision": "retry" });
        server.client.ask(200, "POST", &format!("/api/v1/runs/{id}/decision"), Some(&retry));
        let mut asks = 0;
        server.client.events(id, |event| {
            asks += usize::from(event["type"] == "decision_needed");
            asks > 1
        });
        let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{id}"), None);
        assert_eq!(view["state"], "completed", "{view:#}");
    }
}

#[test]
fn a_store_that_goes_away_in_its_step_is_asked_about_and_tried_again() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let undisturbed = Servers::new();
    let server = undisturbed.place.server();
    let id = undisturbed.begin(&server);
    ended(&server, id);
    server.kill();
    let (expected, records) = undisturbed.left();

    for weather in [Weather::ResetOnAnswer, Weather::NoAnswer] {
        let w = Weathered::new();
        let server = w.servers.place.server();
        // Held in the middle of step 4, so that the weather changes there and nowhere else.
        let gate = w.servers.double.hold_next(Call::DeleteCollection);
        let id = w.servers.begin(&server);
        w.weather.block_on(gate.reached());
        w.qdrant.set(weather);
        gate.open();
        w.asks_and_ends_well(&server, id, "delete_points", &w.qdrant);
        server.kill();
        let (left, now) = w.servers.left();
        assert_eq!(left, expected, "{weather:?}");
        assert_eq!(now.difference(&records), None, "{weather:?}");
    }

    for weather in [Weather::ResetOnAnswer, Weather::NoAnswer] {
        let w = Weathered::new();
        let server = w.servers.place.server();
        // Somebody else's locks keep step 5 from its end until the weather has changed.
        let [uri, user, password] = login();
        let graph = neo4rs::Graph::new(uri, user, password).unwrap();
        let mut lock = w.weather.block_on(graph.start_txn()).unwrap();
        let take = neo4rs::query("MATCH (n:staging) SET n.locked = true");
        w.weather.block_on(lock.run(take)).unwrap();
        let id = w.servers.begin(&server);
        server.client.events(id, |event| event["type"] == "step_started" && event["step"] == "delete_nodes");
        w.neo4j.set(weather);
        w.weather.block_on(lock.rollback()).unwrap();
        w.asks_and_ends_well(&server, id, "delete_nodes", &w.neo4j);
        server.kill();
        let (left, now) = w.servers.left();
        assert_eq!(left, expected, "{weather:?}");
        assert_eq!(now.difference(&records), None, "{weather:?}");
    }
}
