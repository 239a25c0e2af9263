//! The same on servers: a real Neo4j, and the Qdrant double, which both live on while the program dies.

use std::time::{Duration, Instant};

use rollback_stores::qdrant_double::{Call, QdrantDouble};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::child::Server;
use crate::place::{Base, Contents, Story, ended};
use crate::proxy::{Proxy, Weather};
use crate::{Death, Moments, die_and_live, shares};

/// Random kills of one day: as many as fit into a few minutes. `STEPBACK_KILLS_ON_SERVERS=200` are all.
const USUAL_KILLS: u32 = 24;

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

/// A demo on fresh servers, prepared for a run.
struct Servers {
    base: Base,
    double: QdrantDouble,
}

/// What is left, read past the program.
#[derive(Debug, PartialEq)]
struct Left {
    /// Labels, properties and relationships of every node.
    graph: Vec<String>,
    /// Indexes and constraints but for their names, which a server may make up.
    schema: Vec<String>,
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
        let it = Self::new(Story::Rollback);
        let settings = it.base.place.path("stepback.toml");
        let mut text = std::fs::read_to_string(&settings).unwrap();
        for (from, to) in replaced(&it.double) {
            assert!(text.contains(&from), "{from} is not in {text}");
            text = text.replace(&from, &to);
        }
        std::fs::write(&settings, text).unwrap();
        it
    }

    fn new(story: Story) -> Self {
        let [uri, user, password] = login();
        block_on(rows("MATCH (n) DETACH DELETE n RETURN DISTINCT 'gone' AS row"));
        let double = QdrantDouble::start().unwrap();
        let (url, rest) = (double.grpc_url(), double.rest_url());
        let qdrant = ["--qdrant-url", &url, "--qdrant-rest-url", &rest];
        let neo4j = ["--neo4j-uri", &uri, "--neo4j-user", &user, "--neo4j-password", &password];
        let base = Base::of(story, &[&qdrant[..], &neo4j].concat());
        let settings = base.place.path("stepback.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        // A trial at some moment would take time from the runs that are killed here.
        let text = text.replace("trial_restore_every = \"7d\"", "trial_restore_every = \"off\"");
        std::fs::write(&settings, text).unwrap();
        Self { base, double }
    }

    fn left(&self) -> (Left, Contents) {
        let told = "apoc.coll.sort(labels(n)), [k IN apoc.coll.sort(keys(n)) | [k, n[k]]]";
        let near =
            "apoc.coll.sort([(n)-[r]->(m) | type(r) + ' ' + apoc.convert.toJson(coalesce(m.chunk_id, m.id, ''))])";
        let graph = format!("MATCH (n) RETURN apoc.convert.toJson([{told}, {near}]) AS row");
        let schema = |what: &str| {
            let told = "[type, entityType, labelsOrTypes, properties]";
            let which = "YIELD type, entityType, labelsOrTypes, properties";
            block_on(rows(&format!("SHOW {what} {which} RETURN apoc.convert.toJson({told}) AS row")))
        };
        let names = self.double.collection_names();
        let left = Left {
            graph: block_on(rows(&graph)),
            schema: [schema("INDEXES"), schema("CONSTRAINTS")].concat(),
            collections: names.into_iter().map(|name| (name.clone(), self.double.content(&name))).collect(),
            aliases: self.double.alias_pairs(),
        };
        (left, Contents::of(&self.base.place))
    }
}

/// How a run on servers ended that nothing disturbed.
struct Whole {
    state: String,
    events: u64,
    took: Duration,
    left: Left,
    records: Contents,
}

impl Whole {
    fn of(story: Story) -> Self {
        let servers = Servers::new(story);
        let server = servers.base.place.server();
        let begun = Instant::now();
        let id = servers.base.begin(&server);
        let view = ended(&server, id);
        let took = begun.elapsed();
        server.kill();
        let (state, events) = (view["state"].as_str().unwrap().to_owned(), view["last_event"].as_u64().unwrap());
        let (left, records) = servers.left();
        Self { state, events, took, left, records }
    }

    /// Kills a run on fresh servers and takes it up again; whether it was interrupted at all.
    fn survives(&self, story: Story, death: Death) -> bool {
        let servers = Servers::new(story);
        let interrupted = die_and_live(&servers.base, &servers.base.place, &self.state, death);
        let (left, records) = servers.left();
        assert_eq!(left, self.left, "{story:?}, {death:?}");
        assert_eq!(records.difference(&self.records), None, "{story:?}, {death:?}");
        interrupted
    }
}

/// The graph is one; tests that replace it go one after another.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn a_rollback_on_servers_killed_at_every_third_event() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let whole = Whole::of(Story::Rollback);
    let deaths = (1..=whole.events).step_by(3).map(Death::AfterEvent);
    let interrupted = deaths.filter(|death| whole.survives(Story::Rollback, *death)).count();
    assert!(interrupted > 0, "no run was interrupted: the kills proved nothing");
}

/// `STEPBACK_KILLS_ON_SERVERS` moments, spread over the kinds of run. All of them take long: the graph is one.
#[test]
fn runs_on_servers_killed_at_random_moments() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let mut moments = Moments::new();
    let (mut kills, mut interrupted) = (0, 0);
    for (story, share) in shares("STEPBACK_KILLS_ON_SERVERS", USUAL_KILLS) {
        let whole = Whole::of(story);
        for _ in 0..share {
            interrupted += usize::from(whole.survives(story, moments.within(whole.took)));
        }
        kills += share;
    }
    eprintln!("{interrupted} of {kills} runs were interrupted");
    assert!(kills < 12 || interrupted > 0, "no run was interrupted: the kills proved nothing");
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
    let whole = Whole::of(Story::Rollback);

    for weather in [Weather::ResetOnAnswer, Weather::NoAnswer] {
        let w = Weathered::new();
        let server = w.servers.base.place.server();
        // Held in the middle of step 4, so that the weather changes there and nowhere else.
        let gate = w.servers.double.hold_next(Call::DeleteCollection);
        let id = w.servers.base.begin(&server);
        w.weather.block_on(gate.reached());
        w.qdrant.set(weather);
        gate.open();
        w.asks_and_ends_well(&server, id, "delete_points", &w.qdrant);
        server.kill();
        let (left, now) = w.servers.left();
        assert_eq!(left, whole.left, "{weather:?}");
        assert_eq!(now.difference(&whole.records), None, "{weather:?}");
    }

    for weather in [Weather::ResetOnAnswer, Weather::NoAnswer] {
        let w = Weathered::new();
        let server = w.servers.base.place.server();
        // Somebody else's locks keep step 5 from its end until the weather has changed.
        let [uri, user, password] = login();
        let graph = neo4rs::Graph::new(uri, user, password).unwrap();
        let mut lock = w.weather.block_on(graph.start_txn()).unwrap();
        let take = neo4rs::query("MATCH (n:staging) SET n.locked = true");
        w.weather.block_on(lock.run(take)).unwrap();
        let id = w.servers.base.begin(&server);
        server.client.events(id, |event| event["type"] == "step_started" && event["step"] == "delete_nodes");
        w.neo4j.set(weather);
        w.weather.block_on(lock.rollback()).unwrap();
        w.asks_and_ends_well(&server, id, "delete_nodes", &w.neo4j);
        server.kill();
        let (left, now) = w.servers.left();
        assert_eq!(left, whole.left, "{weather:?}");
        assert_eq!(now.difference(&whole.records), None, "{weather:?}");
    }
}
