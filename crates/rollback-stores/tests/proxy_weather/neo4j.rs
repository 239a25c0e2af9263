//! A real Neo4j behind a proxy.

use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use rollback::store::{GraphCheck, GraphScope, GraphStore, OnProgress, StagingSelector, StoreError};
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};
use rollback_stores::secret::Secret;
use tokio::sync::Mutex;

use crate::proxy::{Proxy, Weather};
use crate::{WEATHERS, in_time, is_weather, no_task_is_left};

/// The database is one: who counts or replaces all of it does so alone.
static ALONE: Mutex<()> = Mutex::const_new(());

fn config() -> Neo4jConfig {
    let read = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set, so no real Neo4j can be asked: run `cargo xtask test --only contract`, which starts one")
        })
    };
    let password = Secret::new(read("STEPBACK_TEST_NEO4J_PASSWORD"));
    Neo4jConfig::new(read("STEPBACK_TEST_NEO4J_URI"), read("STEPBACK_TEST_NEO4J_USER"), password)
}

/// A plain client, past proxy and adapter.
fn past_the_proxy() -> neo4rs::Graph {
    let config = config();
    neo4rs::Graph::new(config.uri, config.user, config.password.expose()).unwrap()
}

async fn run(graph: &neo4rs::Graph, statement: &str) {
    graph.run(neo4rs::query(statement)).await.unwrap();
}

async fn count(graph: &neo4rs::Graph, pattern: &str) -> i64 {
    let mut rows = graph.execute(neo4rs::query(&format!("MATCH {pattern} RETURN count(*) AS n"))).await.unwrap();
    rows.next().await.unwrap().unwrap().get("n").unwrap()
}

/// A store whose way to the server goes through a proxy.
struct Line {
    proxy: Proxy,
    graph: Neo4jGraph,
    folder: tempfile::TempDir,
}

impl Line {
    async fn new() -> Self {
        let mut config = config();
        let server = config.uri.split_once("://").unwrap().1.to_socket_addrs().unwrap().next().unwrap();
        let proxy = Proxy::to(server).await;
        config.uri = format!("bolt://{}", proxy.address);
        config.connect_timeout = Duration::from_secs(4);
        config.request_timeout = Duration::from_secs(4);
        config.long_timeout = Duration::from_secs(8);
        Self { proxy, graph: Neo4jGraph::new(config), folder: tempfile::tempdir().unwrap() }
    }

    async fn set(&self, weather: Weather) {
        self.proxy.set(weather);
        if weather == Weather::Refused {
            self.proxy.closed().await;
        }
    }
}

fn quiet() -> OnProgress {
    Arc::new(|_, _| {})
}

fn staging() -> StagingSelector {
    StagingSelector::Label("staging".to_owned())
}

fn production() -> GraphScope {
    GraphScope::Production(vec![staging()])
}

type Call = for<'a> fn(&'a Line) -> BoxFuture<'a, Result<(), StoreError>>;

/// Every call of the trait but those that change the graph.
const LOOKS: [(&str, Call); 7] = [
    ("probe", |l| async { l.graph.probe().await.map(drop) }.boxed()),
    ("staging", |l| async { l.graph.staging(&staging()).await.map(|s| assert_eq!(s.nodes, Some(40))) }.boxed()),
    ("production", |l| async { l.graph.production(&[staging()]).await.map(drop) }.boxed()),
    ("schema_lines", |l| async { l.graph.schema_lines().await.map(drop) }.boxed()),
    ("paragraphs", |l| {
        async {
            let all: Vec<_> = l.graph.paragraphs(&production()).try_collect().await?;
            assert_eq!(all.len(), 60, "half a list is no list");
            Ok(())
        }
        .boxed()
    }),
    ("offenders", |l| {
        async {
            let all: Vec<_> = l.graph.offenders(GraphCheck::Orphans, &production()).try_collect().await?;
            assert_eq!(all.len(), 60, "half a list is no list");
            Ok(())
        }
        .boxed()
    }),
    ("export", |l| {
        async {
            let path = l.folder.path().join("taken.cypher");
            let taken = l.graph.export(&path, quiet()).await;
            assert_eq!(path.exists(), taken.is_ok(), "half a file stays");
            if path.exists() {
                std::fs::remove_file(path).unwrap();
            }
            taken.map(drop)
        }
        .boxed()
    }),
];

async fn filled(graph: &neo4rs::Graph) {
    run(graph, "MATCH (n) DETACH DELETE n").await;
    run(graph, "UNWIND range(1, 60) AS i CREATE (:Paragraph {chunk_id: 'p' + i})").await;
    run(graph, "UNWIND range(1, 40) AS i CREATE (:Paragraph:staging {chunk_id: 's' + i})").await;
}

async fn comes_through(name: &str, call: Call, weather: Weather, warm: bool) {
    let line = Line::new().await;
    if warm {
        line.graph.probe().await.unwrap();
    }
    line.set(weather).await;
    let result = in_time(name, call(&line)).await;
    is_weather(name, weather, result);
    line.proxy.heal().await;
    if let Err(error) = in_time(name, call(&line)).await {
        panic!("{name} after {weather:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_look_comes_through_every_weather() {
    let _alone = ALONE.lock().await;
    {
        let direct = past_the_proxy();
        filled(&direct).await;
        let cases = LOOKS.iter().flat_map(|call| WEATHERS.map(|weather| (call, weather)));
        let cases = cases.flat_map(|(call, weather)| [(call, weather, false), (call, weather, true)]);
        stream::iter(cases)
            .for_each_concurrent(12, |((name, call), weather, warm)| comes_through(name, *call, weather, warm))
            .await;
        assert_eq!((count(&direct, "(n)").await, count(&direct, "(n:staging)").await), (100, 40));
    }
    no_task_is_left().await;
}

/// Cut at many places of the conversation, the answer to the commit among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_cut_anywhere_went_whole_or_not_at_all() {
    let _alone = ALONE.lock().await;
    {
        let direct = past_the_proxy();
        filled(&direct).await;
        let line = Line::new().await;
        for bytes in (0..).step_by(12) {
            line.graph.probe().await.unwrap();
            let before = count(&direct, "(n:staging)").await;
            line.set(Weather::ResetAfter(bytes)).await;
            let deleted = in_time("delete_batch", line.graph.delete_batch(&staging(), 1)).await;
            line.proxy.heal().await;
            let after = count(&direct, "(n:staging)").await;
            match deleted {
                Ok(n) => {
                    assert_eq!((n, before - after), (1, 1));
                    break;
                }
                Err(error) => {
                    assert!(error.fault.is_transient(), "after {bytes} bytes: {error}");
                    assert!(before - after <= 1, "more than the batch went");
                }
            }
        }
        for weather in WEATHERS {
            line.set(weather).await;
            let before = count(&direct, "(n:staging)").await;
            let deleted = in_time("delete_batch", line.graph.delete_batch(&staging(), 1)).await;
            is_weather("delete_batch", weather, deleted.map(drop));
            line.proxy.heal().await;
            assert!(before - count(&direct, "(n:staging)").await <= 1, "{weather:?}");
        }
        while in_time("delete_batch", line.graph.delete_batch(&staging(), 5)).await.unwrap() > 0 {}
        assert_eq!((count(&direct, "(n)").await, count(&direct, "(n:staging)").await), (60, 0));
    }
    no_task_is_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_cut_is_whole_after_the_next() {
    let _alone = ALONE.lock().await;
    {
        let direct = past_the_proxy();
        filled(&direct).await;
        run(
            &direct,
            "MATCH (a:Paragraph), (b:Paragraph) WHERE a.chunk_id = 'p1' AND b.chunk_id = 'p2' CREATE (a)-[:NEXT]->(b)",
        )
        .await;
        let line = Line::new().await;
        let export = line.folder.path().join("kept.cypher");
        line.graph.export(&export, quiet()).await.unwrap();
        for weather in [
            Weather::ResetOnAnswer,
            Weather::ResetAfter(150),
            Weather::ResetAfter(400),
            Weather::ResetAfter(800),
            Weather::HalfAnswer(600),
            Weather::NoAnswer,
        ] {
            line.set(weather).await;
            let restored = in_time("restore_export", line.graph.restore_export(Path::new(&export), quiet())).await;
            if let Err(error) = &restored {
                assert!(error.fault.is_transient(), "{weather:?}: {error}");
            }
            line.proxy.heal().await;
            let restored = in_time("restore_export", line.graph.restore_export(Path::new(&export), quiet())).await;
            assert_eq!(restored.unwrap().nodes, Some(100), "{weather:?}");
            let now = (count(&direct, "(n)").await, count(&direct, "()-[r]->()").await);
            assert_eq!(now, (100, 1), "{weather:?}");
            assert_eq!(count(&direct, "(n:`UNIQUE IMPORT LABEL`)").await, 0, "{weather:?}");
        }
        run(&direct, "MATCH (n) DETACH DELETE n").await;
    }
    no_task_is_left().await;
}
