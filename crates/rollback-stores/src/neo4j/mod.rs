//! Neo4j over Bolt.

mod checks;
mod connection;
mod errors;
mod export;
mod loader;
mod restore;
mod schema;
mod statements;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use rollback::store::{
    CopyTaken, Engine, GraphCheck, GraphScope, GraphStore, OnProgress, Probe, StagingSelector, StoreError,
};
use rollback_types::quantity::counted;
use rollback_types::{Inventory, StagingCounts};

use crate::graph_data::{check_selectors, inventory_name, is_safety_backup_label, selectors_of};
use crate::secret::Secret;
use connection::{Connector, Patience};

pub use loader::{LoadInto, Neo4jLoader};

/// Where Neo4j is and how to log in.
#[derive(Clone, Debug)]
pub struct Neo4jConfig {
    /// `bolt://host:7687`; also `neo4j://`, and with `+s` or `+ssc` for TLS with or without a proven certificate.
    pub uri: String,
    /// The user, usually `neo4j`.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// The database; `None` is the user's home database. Community has only `neo4j`.
    pub database: Option<String>,
    /// The longest wait for a connection, its handshake and the login.
    pub connect_timeout: Duration,
    /// The longest wait for counting.
    pub request_timeout: Duration,
    /// The longest wait for one batch of deletes or of rows to load.
    pub long_timeout: Duration,
}

impl Neo4jConfig {
    /// The usual time-outs: 5 s to connect, 30 s to count, 600 s for heavy work.
    pub fn new(uri: impl Into<String>, user: impl Into<String>, password: Secret) -> Self {
        Self {
            uri: uri.into(),
            user: user.into(),
            password,
            database: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            long_timeout: Duration::from_secs(600),
        }
    }
}

/// A graph in Neo4j 5 or later. Connects when first asked, and again after every failure.
pub struct Neo4jGraph {
    connector: Connector,
}

impl Neo4jGraph {
    /// Only remembers the configuration; a wrong one is reported by the first call.
    pub fn new(config: Neo4jConfig) -> Self {
        Self { connector: Connector::new(config) }
    }
}

impl fmt::Debug for Neo4jGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neo4jGraph")
            .field("endpoint", &self.connector.endpoint())
            .field("database", &self.connector.config().database)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl GraphStore for Neo4jGraph {
    fn engine(&self) -> Engine {
        Engine { name: "Neo4j", location: self.connector.endpoint().to_owned() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let mut txn = self.connector.begin(Patience::Request, "asking for its version").await?;
        let component = txn.row(statements::components()).await?;
        let version: String = txn.value(&component, "version")?;
        let edition: String = txn.value(&component, "edition")?;
        let nodes = txn.row(statements::all_nodes()).await?;
        let nodes = txn.count(&nodes, "total")?;
        let relationships = txn.row(statements::all_relationships()).await?;
        let relationships = txn.count(&relationships, "total")?;
        txn.commit().await?;
        Ok(Probe {
            detail: format!(
                "{edition} edition, {}, {}",
                counted(nodes, "nodes"),
                counted(relationships, "relationships")
            ),
            warning: too_old(&version),
            version: Some(version),
        })
    }

    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError> {
        let operation = format!("counting staging nodes ({selector})");
        check_selectors(std::slice::from_ref(selector), self.connector.endpoint(), &operation)?;
        let mut txn = self.connector.begin(Patience::Request, &operation).await?;
        let nodes = txn.row(statements::staging_nodes(selector)).await?;
        let nodes = txn.count(&nodes, "total")?;
        let outgoing = txn.row(statements::outgoing(selector)).await?;
        let incoming = txn.row(statements::incoming_from_production(selector)).await?;
        let incoming = txn.count(&incoming, "total")?;
        let relationships = txn.count(&outgoing, "total")? + incoming;
        let crossing = txn.count(&outgoing, "crossing")? + incoming;
        txn.commit().await?;
        Ok(StagingCounts {
            present: nodes > 0,
            name: selector.to_string(),
            nodes: Some(nodes),
            relationships: Some(relationships),
            crossing_relationships: Some(crossing),
            ..StagingCounts::default()
        })
    }

    async fn production(&self, staging: &[StagingSelector]) -> Result<Inventory, StoreError> {
        let operation = "counting production nodes";
        check_selectors(staging, self.connector.endpoint(), operation)?;
        // One transaction; yet Neo4j reads what is committed at each moment, so only a quiet graph gives one picture.
        let mut txn = self.connector.begin(Patience::Request, operation).await?;
        let (mut nodes, mut labels) = (0, BTreeMap::new());
        for row in txn.rows(statements::production_nodes(staging)).await? {
            let total = txn.count(&row, "total")?;
            nodes += total;
            for label in txn.value::<Vec<String>>(&row, "labels")? {
                if !is_safety_backup_label(&label) {
                    *labels.entry(label).or_default() += total;
                }
            }
        }
        let (mut relationships, mut types) = (0, BTreeMap::new());
        for row in txn.rows(statements::production_relationships(staging)).await? {
            let total = txn.count(&row, "total")?;
            relationships += total;
            types.insert(txn.value(&row, "type")?, total);
        }
        txn.commit().await?;
        Ok(Inventory {
            name: inventory_name(staging),
            nodes: Some(nodes),
            relationships: Some(relationships),
            labels,
            types,
            ..Inventory::default()
        })
    }

    async fn delete_batch(&self, selector: &StagingSelector, limit: u32) -> Result<u64, StoreError> {
        let operation = format!("deleting staging nodes ({selector})");
        check_selectors(std::slice::from_ref(selector), self.connector.endpoint(), &operation)?;
        let mut txn = self.connector.begin(Patience::Long, &operation).await?;
        let row = txn.row(statements::delete_batch(selector, limit)).await?;
        let deleted = txn.count(&row, "total")?;
        txn.commit().await?;
        Ok(deleted)
    }

    async fn export(&self, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        self.write_export(to, &progress).await.map_err(|e| e.into_store_error(to))
    }

    async fn restore_export(&self, from: &Path, progress: OnProgress) -> Result<Inventory, StoreError> {
        self.load_export(from, &progress).await
    }

    async fn schema_lines(&self) -> Result<Vec<String>, StoreError> {
        let mut txn = self.connector.begin(Patience::Request, "reading constraints and indexes").await?;
        let present = schema::present(&mut txn).await?;
        txn.commit().await?;
        Ok(schema::lines(&present))
    }

    fn paragraphs(&self, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        match check_selectors(selectors_of(scope), self.connector.endpoint(), "listing paragraphs") {
            Ok(()) => checks::paragraphs(&self.connector, scope),
            Err(refused) => stream::iter([Err(refused)]).boxed(),
        }
    }

    fn offenders(&self, check: GraphCheck, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        match check_selectors(selectors_of(scope), self.connector.endpoint(), "validating the graph") {
            Ok(()) => checks::offenders(&self.connector, check, scope),
            Err(refused) => stream::iter([Err(refused)]).boxed(),
        }
    }
}

/// The statements are written for Neo4j 5 and the calendar versions after it.
fn too_old(version: &str) -> Option<String> {
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major < 5).then(|| format!("Neo4j {version} is older than 5, for which Stepback is made: update it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_password() {
        let mut config = Neo4jConfig::new("bolt://neo4j:swordfish@localhost", "neo4j", Secret::new("swordfish"));
        config.database = Some("neo4j".to_owned());
        let graph = Neo4jGraph::new(config.clone());
        assert!(!format!("{graph:?}").contains("swordfish"));
        assert!(!format!("{:?}", config.password).contains("swordfish"));
        assert_eq!(graph.engine().location, "bolt://localhost:7687");
    }

    #[test]
    fn only_versions_before_5_are_too_old() {
        assert!(too_old("4.4.38").is_some());
        assert_eq!(too_old("5.15.0"), None);
        assert_eq!(too_old("2025.09.0"), None);
    }
}
