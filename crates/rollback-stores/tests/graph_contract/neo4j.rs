//! A real Neo4j.

use std::time::Duration;

use async_trait::async_trait;
use rollback::store::{Fault, GraphStore};
use rollback_stores::neo4j::{LoadInto, Neo4jConfig, Neo4jGraph};
use rollback_stores::secret::Secret;
use tokio::sync::Mutex;

use super::sample::{Names, Sample, textbook};
use super::suite::{self, Bench};

/// How to reach the server of the tests.
pub fn config() -> Neo4jConfig {
    let read = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| {
            panic!("{name} is not set, so no real Neo4j can be asked: run `cargo xtask test --only contract`, which starts one")
        })
    };
    let password = Secret::new(read("STEPBACK_TEST_NEO4J_PASSWORD"));
    let mut config = Neo4jConfig::new(read("STEPBACK_TEST_NEO4J_URI"), read("STEPBACK_TEST_NEO4J_USER"), password);
    // The server shares its machine with everything else the tests start.
    config.connect_timeout = Duration::from_secs(20);
    config
}

/// Held by a test that writes, because others count the whole database.
pub static WRITING: Mutex<()> = Mutex::const_new(());

pub struct RealNeo4j(pub Neo4jGraph);

#[async_trait]
impl Bench for RealNeo4j {
    fn store(&self) -> &dyn GraphStore {
        &self.0
    }

    async fn load(&self, sample: Sample) {
        let mut loader = self.0.loader(LoadInto::AnyDatabase).await.unwrap();
        let (nodes, relationships) = (sample.nodes.len() as u64, sample.relationships.len() as u64);
        assert_eq!(loader.load_nodes(sample.nodes).await.unwrap(), nodes);
        assert_eq!(loader.load_relationships(sample.relationships).await.unwrap(), relationships);
    }
}

#[tokio::test]
async fn the_contract_holds() {
    let _writing = WRITING.lock().await;
    let bench = RealNeo4j(Neo4jGraph::new(config()));
    suite::run(&bench).await;
    a_database_with_nodes_is_not_loaded_into(&bench).await;
    a_failed_load_says_what_and_changes_nothing(&bench).await;
}

async fn a_database_with_nodes_is_not_loaded_into(bench: &RealNeo4j) {
    let names = Names::new();
    bench.load(textbook(&names)).await;
    let error = bench.0.loader(LoadInto::EmptyDatabase).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    assert!(error.detail.contains("nothing was changed"), "{error}");
    suite::clean_up(bench, &names).await;
}

async fn a_failed_load_says_what_and_changes_nothing(bench: &RealNeo4j) {
    let names = Names::new();
    let mut sample = Sample::default();
    sample.node(&names, &[], serde_json::json!({"map": {"nested": 1}}));
    let before = bench.0.production(&[]).await.unwrap();
    let mut loader = bench.0.loader(LoadInto::AnyDatabase).await.unwrap();
    let error = loader.load_nodes(sample.nodes).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused, "Neo4j holds no maps as properties: {error}");
    assert_eq!(bench.0.production(&[]).await.unwrap(), before);
}
