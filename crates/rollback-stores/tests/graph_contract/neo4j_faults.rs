//! Bad weather around Neo4j.

use std::time::Duration;

use rollback::store::{Fault, GraphStore, StagingSelector};
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};
use rollback_stores::secret::Secret;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::neo4j::{RealNeo4j, WRITING, config};
use super::sample::{Names, textbook};
use super::suite::{self, Bench};

fn nowhere(port: u16) -> Neo4jConfig {
    let mut config = Neo4jConfig::new(format!("bolt://127.0.0.1:{port}"), "neo4j", Secret::new("swordfish"));
    config.connect_timeout = Duration::from_millis(300);
    config
}

#[tokio::test]
async fn a_wrong_login_is_told_and_no_password_shown() {
    let mut config = config();
    // A user of its own: the server locks a user out after a few wrong passwords.
    config.user = "nobody".to_owned();
    config.password = Secret::new("swordfish");
    let error = Neo4jGraph::new(config).probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Authentication, "{error}");
    assert!(!format!("{error} {error:?} {}", error.remedy()).contains("swordfish"));
}

#[tokio::test]
async fn a_missing_database_is_told() {
    let mut config = config();
    config.database = Some("nosuchdatabase".to_owned());
    let error = Neo4jGraph::new(config).probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Missing, "{error}");
}

#[tokio::test]
async fn a_refused_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Neo4jGraph::new(nowhere(port)).probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    assert_eq!(error.endpoint, format!("bolt://127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_listener_that_says_nothing_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Nobody accepts: the kernel does, and then there is silence.
    let graph = Neo4jGraph::new(nowhere(port));
    let selector = StagingSelector::Label("staging".to_owned());
    // Far longer than the time-out, far shorter than for ever: a hang must fail the test and not stop it.
    let limit = Duration::from_secs(60);
    let counting = tokio::time::timeout(limit, graph.staging(&selector)).await.expect("it hangs");
    assert_eq!(counting.unwrap_err().fault, Fault::TimedOut);
    let deleting = tokio::time::timeout(limit, graph.delete_batch(&selector, 1)).await.expect("it hangs");
    assert_eq!(deleting.unwrap_err().fault, Fault::TimedOut);
}

#[tokio::test]
async fn what_is_no_bolt_server_is_foreign() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    });
    let mut config = nowhere(port);
    config.connect_timeout = Duration::from_secs(20);
    let error = Neo4jGraph::new(config).probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Foreign, "{error}");
    answering.abort();
}

#[tokio::test]
async fn a_wrong_uri_is_refused_by_the_first_call() {
    for uri in ["http://localhost:7474", "bolt://", "not a uri at all", ""] {
        let graph = Neo4jGraph::new(Neo4jConfig::new(uri, "neo4j", Secret::new("swordfish")));
        let error = graph.probe().await.unwrap_err();
        assert_eq!(error.fault, Fault::Refused, "{uri}: {error}");
    }
}

/// Passes bytes to the real server until told to cut, and again after that.
pub struct Proxy {
    pub port: u16,
    pub state: watch::Sender<Line>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Line {
    Open,
    Cut,
    Stalled,
}

impl Proxy {
    pub async fn new(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, seen) = watch::channel(Line::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), seen.clone()));
            }
        });
        Self { port, state }
    }
}

async fn pass(mut client: TcpStream, server: String, mut line: watch::Receiver<Line>) {
    if *line.borrow() == Line::Cut {
        return;
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let now = *line.borrow_and_update();
        match now {
            Line::Cut => return,
            Line::Stalled => line.changed().await.unwrap(),
            Line::Open => {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                    _ = line.changed() => {}
                }
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_reached_again() {
    let mut config = config();
    let server = config.uri.trim_start_matches("bolt://").to_owned();
    let proxy = Proxy::new(server).await;
    config.uri = format!("bolt://127.0.0.1:{}", proxy.port);
    let graph = Neo4jGraph::new(config);
    graph.probe().await.unwrap();
    proxy.state.send_replace(Line::Cut);
    let error = graph.probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Unreachable, "{error}");
    proxy.state.send_replace(Line::Open);
    graph.probe().await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_answering_times_out_and_is_reached_again() {
    let mut config = config();
    let server = config.uri.trim_start_matches("bolt://").to_owned();
    let proxy = Proxy::new(server).await;
    config.uri = format!("bolt://127.0.0.1:{}", proxy.port);
    config.connect_timeout = Duration::from_secs(3);
    let graph = Neo4jGraph::new(config);
    graph.probe().await.unwrap();
    proxy.state.send_replace(Line::Stalled);
    let error = graph.probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::TimedOut, "{error}");
    proxy.state.send_replace(Line::Open);
    graph.probe().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_waits_for_a_lock_times_out_and_is_rolled_back() {
    let _writing = WRITING.lock().await;
    let names = Names::new();
    let mut config = config();
    let login = (config.uri.clone(), config.user.clone(), config.password.expose().to_owned());
    let patient = RealNeo4j(Neo4jGraph::new(config.clone()));
    patient.load(textbook(&names)).await;
    config.long_timeout = Duration::from_secs(3);
    let graph = Neo4jGraph::new(config);
    let staging = StagingSelector::Label(names.of("staging"));

    // Somebody else holds locks on all nodes.
    let other = neo4rs::Graph::new(login.0, login.1, login.2).unwrap();
    let mut lock = other.start_txn().await.unwrap();
    lock.run(neo4rs::query(&format!("MATCH (n:`{}`) SET n.locked = true", names.everything()))).await.unwrap();
    let error = graph.delete_batch(&staging, 10).await.unwrap_err();
    // The server may notice first, if its own limit is shorter.
    assert!(matches!(error.fault, Fault::TimedOut | Fault::Busy), "{error}");
    lock.rollback().await.unwrap();

    assert_eq!(graph.staging(&staging).await.unwrap().nodes, Some(5), "nothing went");
    // With the first batch's transaction still open this would wait for its locks in vain.
    assert_eq!(patient.0.delete_batch(&staging, 10).await.unwrap(), 5);
    suite::clean_up(&patient, &names).await;
}

#[tokio::test]
async fn the_routing_scheme_and_a_named_database_serve_a_single_server() {
    let mut config = config();
    config.uri = config.uri.replacen("bolt://", "neo4j://", 1);
    config.database = Some("neo4j".to_owned());
    let graph = Neo4jGraph::new(config.clone());
    graph.probe().await.unwrap();
    assert_eq!(graph.engine().location, config.uri);
}

#[tokio::test]
async fn tls_towards_a_server_without_it_is_an_error_and_no_panic() {
    for scheme in ["bolt+s://", "bolt+ssc://", "neo4j+s://"] {
        let mut config = config();
        config.uri = config.uri.replacen("bolt://", scheme, 1);
        let error = Neo4jGraph::new(config).probe().await.unwrap_err();
        assert_eq!(error.fault, Fault::Unreachable, "{scheme}: {error}");
    }
}
