//! Whole runs through a proxy: from the start of every step on, the line to a server is cut, silent, half, slow or late. Each
//! run ends in a decision or goes through; in clear weather it is tried again, and then everything is as an undisturbed run
//! leaves it. The connections serve on, and no task is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use rollback_stores::qdrant_double::QdrantDouble;
use serde_json::json;
use stepback_server::config::Config;

use crate::app::App;
use crate::contents;
use crate::deployment::Deployment;
use crate::production::chapters;
use crate::rollback_servers::{NEO4J, Neo4j, demo_on, login, the_registry_says_so};

#[path = "../../../crates/rollback-stores/tests/proxy_weather/proxy.rs"]
#[allow(dead_code, reason = "the adapters' tests use all of it")]
mod proxy;

use proxy::{Proxy, Weather};

/// The steps of a rollback that restores what differs.
const STEPS: [&str; 11] = [
    "identify",
    "mark",
    "drop_chapters",
    "delete_points",
    "delete_nodes",
    "verify_copy",
    "restore_sqlite",
    "restore_qdrant",
    "restore_neo4j",
    "finish",
    "validate",
];

const WEATHERS: [Weather; 9] = [
    Weather::Refused,
    Weather::ResetOnAnswer,
    Weather::ResetAfter(200),
    Weather::Silence,
    Weather::NoAnswer,
    Weather::HalfAnswer(200),
    Weather::HalfClosed(200),
    Weather::Slow(2_000),
    Weather::Late(Duration::from_millis(100)),
];

/// A run takes seconds, and minutes where every try runs into its time-out: one that takes this long hangs.
const LONGEST: Duration = Duration::from_secs(180);

/// The ways to one server, which have one weather.
struct Line(Vec<Proxy>);

impl Line {
    async fn set(&self, weather: Weather) {
        for proxy in &self.0 {
            proxy.set(weather);
            if weather == Weather::Refused {
                proxy.closed().await;
            }
        }
    }

    async fn heal(&self) {
        for proxy in &self.0 {
            proxy.heal().await;
        }
    }
}

/// What became of a run.
struct Run {
    state: String,
    /// The steps that somebody was asked about.
    asked: BTreeSet<String>,
}

/// Rolls the failed version back; from the start of `at` on there is this weather, until a decision is asked for.
async fn roll_back_in(config: &Config, failed: &str, line: &Line, at: &str, weather: Weather) -> Run {
    let app = App::start(config).await;
    app.get("/api/v1/stores").await.json(200);
    let at_rest = app.tasks();
    let id = app.begin(failed, "in bad weather").await;
    let mut events = app.events(id).await;
    let mut asked = BTreeSet::new();
    while let Some(message) = events.next().await {
        match message.kind() {
            "step_started" if message.data["step"] == at && asked.is_empty() => line.set(weather).await,
            "decision_needed" => {
                line.heal().await;
                for step in message.data["steps"].as_array().unwrap() {
                    asked.insert(step.as_str().unwrap().to_owned());
                    let answer = app.decide(id, &json!({ "step": step, "decision": "retry" })).await;
                    // Of two that failed, the second may have been asked about again meanwhile.
                    assert!([200, 409].contains(&answer.status), "{}", answer.body);
                }
            }
            _ => {}
        }
    }
    line.heal().await;
    let run = app.run(id).await;
    // The pool serves on, and nothing that the run began goes on.
    for store in app.get("/api/v1/stores").await.json(200)["items"].as_array().unwrap() {
        assert_eq!(store["status"], "up", "{at}, {weather:?}: {store}");
    }
    app.plan_of("validate", "production").await;
    while app.tasks() > at_rest {
        tokio::task::yield_now().await;
    }
    app.kill().await;
    Run { state: run["state"].as_str().unwrap().to_owned(), asked }
}

/// What must hold of every run, whatever the weather was.
#[track_caller]
fn went_well(run: &Run, at: &str, weather: Weather) {
    // Only the validation may have met weather that nobody was asked about: what it could not check it names.
    let through = run.state == "completed" || (run.asked.is_empty() && run.state == "completed_with_findings");
    assert!(through, "{at}, {weather:?}: {} after {:?}", run.state, run.asked);
}

/// Everything that a run left, by content.
#[derive(Debug, PartialEq)]
struct Left {
    collections: BTreeMap<String, Option<String>>,
    aliases: Vec<(String, String)>,
    chapters: Vec<String>,
    tables: BTreeSet<String>,
    graph: Vec<String>,
}

impl Left {
    async fn of(d: &Deployment, double: &QdrantDouble, graph: Vec<String>) -> Self {
        let names = double.collection_names();
        the_registry_says_so(d).await;
        Self {
            collections: names.into_iter().map(|name| (name.clone(), double.content(&name))).collect(),
            aliases: double.alias_pairs(),
            chapters: chapters(&d.path("metadata.db")).await,
            tables: contents::tables(d).await.into_keys().collect(),
            graph,
        }
    }
}

/// A harmed production in a Qdrant double, and the graph embedded: made once, copied for each run.
struct OnQdrant {
    d: Deployment,
    double: QdrantDouble,
}

impl OnQdrant {
    async fn new() -> Self {
        let double = QdrantDouble::start().unwrap();
        let (url, rest) = (double.grpc_url(), double.rest_url());
        let d = Deployment::on_servers(&["--contaminated", "--qdrant-url", &url, "--qdrant-rest-url", &rest]).await;
        Self { d, double }
    }

    async fn roll_back(&self, at: &str, weather: Weather) -> (Run, Left) {
        let (d, double) = (self.d.copied(), QdrantDouble::copy_of(&self.double).unwrap());
        let ways = [double.grpc_url(), double.rest_url()].map(|url| url.trim_start_matches("http://").parse().unwrap());
        let line = Line(vec![Proxy::to(ways[0]).await, Proxy::to(ways[1]).await]);
        let mut config = d.config();
        config.qdrant.url = Some(format!("http://{}", line.0[0].address));
        config.qdrant.rest_url = Some(format!("http://{}", line.0[1].address));
        config.qdrant.connect_timeout = Duration::from_secs(1);
        config.qdrant.request_timeout = Duration::from_secs(2);
        config.qdrant.long_timeout = Duration::from_secs(3);
        let run = roll_back_in(&config, &d.failed, &line, at, weather).await;
        let (nodes, relationships) = crate::production::graph(&d).await;
        let left = Left::of(&d, &double, [nodes, relationships].concat()).await;
        (run, left)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_in_every_weather_of_qdrant_ends_as_in_clear_weather() {
    let model = &OnQdrant::new().await;
    let (clear, expected) = model.roll_back("nothing", Weather::Clear).await;
    assert_eq!((clear.state.as_str(), clear.asked.len()), ("completed", 0));
    let cases = STEPS.into_iter().flat_map(|at| WEATHERS.map(|weather| (at, weather)));
    // Most of a run in bad weather is waiting.
    let mut runs = stream::iter(cases)
        .map(|(at, weather)| async move {
            let run = tokio::time::timeout(LONGEST, model.roll_back(at, weather)).await;
            (at, weather, run.unwrap_or_else(|_| panic!("it hangs: {at}, {weather:?}")))
        })
        .buffer_unordered(12);
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    while let Some((at, weather, (run, left))) = runs.next().await {
        went_well(&run, at, weather);
        assert!(left == expected, "{at}, {weather:?}: it ends otherwise than in clear weather: {left:#?}");
        for step in run.asked {
            *asked.entry(step).or_default() += 1;
        }
    }
    // The weather was bad where it matters: these two steps cannot be done without the server.
    for step in ["delete_points", "restore_qdrant"] {
        assert!(asked.get(step).is_some_and(|times| *times >= 5), "{step}: {asked:?}");
    }
}

/// The same with a real Neo4j, of which there is one: fewer cases, one after another.
#[tokio::test]
async fn steps_in_bad_weather_of_neo4j_end_as_in_clear_weather() {
    let _alone = NEO4J.lock().await;
    let login = login();
    let server = login[0].split_once("://").unwrap().1.parse().unwrap();
    let on_neo4j = async |at: &str, weather: Weather| {
        let neo4j = Neo4j::emptied(&login).await;
        let double = QdrantDouble::start().unwrap();
        let d = demo_on(&login, &double, &["--contaminated"]).await;
        let line = Line(vec![Proxy::to(server).await]);
        let mut config = d.config();
        config.neo4j.uri = Some(format!("bolt://{}", line.0[0].address));
        config.neo4j.connect_timeout = Duration::from_secs(2);
        config.neo4j.request_timeout = Duration::from_secs(3);
        config.neo4j.long_timeout = Duration::from_secs(4);
        let run = tokio::time::timeout(LONGEST, roll_back_in(&config, &d.failed, &line, at, weather)).await;
        let run = run.unwrap_or_else(|_| panic!("it hangs: {at}, {weather:?}"));
        let left = Left::of(&d, &double, neo4j.content().await).await;
        assert_eq!(neo4j.count("MATCH (n:staging)").await, 0);
        (run, left)
    };
    let (clear, expected) = on_neo4j("nothing", Weather::Clear).await;
    assert_eq!((clear.state.as_str(), clear.asked.len()), ("completed", 0));
    let mut asked = BTreeSet::new();
    for (at, weather) in [
        ("mark", Weather::Refused),
        ("delete_nodes", Weather::ResetOnAnswer),
        ("delete_nodes", Weather::HalfAnswer(200)),
        ("restore_neo4j", Weather::NoAnswer),
        ("restore_neo4j", Weather::ResetAfter(200)),
    ] {
        let (run, left) = on_neo4j(at, weather).await;
        went_well(&run, at, weather);
        assert!(left == expected, "{at}, {weather:?}: it ends otherwise than in clear weather: {left:#?}");
        asked.extend(run.asked);
    }
    for step in ["delete_nodes", "restore_neo4j"] {
        assert!(asked.contains(step), "{step}: {asked:?}");
    }
}
