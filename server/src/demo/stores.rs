//! Filling the stores: embedded files, or real servers.

use std::path::Path;
use std::sync::Arc;

use rollback::store::{StoreError, VectorStore as _};
use rollback_stores::embedded_graph::EmbeddedGraph;
use rollback_stores::embedded_vectors::EmbeddedVectors;
use rollback_stores::neo4j::{LoadInto, Neo4jConfig, Neo4jGraph};
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::secret::Secret;
use rollback_stores::vector_point::VectorPoint;

use super::backups::write_snapshot;
use super::error::{DemoError, doing};
use super::graph::{Graph, SCHEMA};
use super::part::{DemoPoint, Part};

/// The collection of which a server makes the backups' snapshots.
const SCRATCH: &str = "stepback_demo_scratch";

/// A collection to be made, with the parts whose points it holds.
#[derive(Debug)]
pub(super) struct Collection<'a> {
    pub name: String,
    pub parts: Vec<&'a Part<'a>>,
}

/// Where the vectors go.
#[derive(Debug)]
pub(super) enum VectorTarget {
    Embedded(EmbeddedVectors),
    Server(Box<QdrantVectors>),
}

impl VectorTarget {
    pub fn embedded(folder: &Path) -> Self {
        Self::Embedded(EmbeddedVectors::new(folder.join("vectors.db")))
    }

    pub fn server(url: &str, rest_url: Option<&str>, api_key: Option<&str>) -> Result<Self, DemoError> {
        let config = QdrantConfig {
            rest_url: rest_url.map(str::to_owned),
            api_key: api_key.map(Secret::new),
            ..QdrantConfig::new(url)
        };
        Ok(Self::Server(Box::new(QdrantVectors::new(config)?)))
    }

    /// A snapshot of these parts' points in the form that the store restores. A server makes it of a collection of its own,
    /// which goes again whatever happens.
    pub async fn snapshot(&self, path: &Path, parts: &[Part<'_>], dimensions: u32) -> Result<(), DemoError> {
        let store = match self {
            Self::Embedded(_) => {
                let written = write_snapshot(path, parts, dimensions);
                return written.map(|_| ()).map_err(doing(format!("writing {}", path.display())));
            }
            Self::Server(store) => store,
        };
        store.delete_collection(SCRATCH, u64::MAX).await?;
        let points = parts.iter().flat_map(|part| part.points(dimensions)).map(wire);
        let taken = match store.load_collection(SCRATCH, u64::from(dimensions), points).await {
            Ok(_) => store.take_snapshot(SCRATCH, path, Arc::new(|_, _| {})).await,
            Err(error) => Err(error),
        };
        // The first error is the one worth telling; what it leaves goes with the next try.
        let removed = store.delete_collection(SCRATCH, u64::MAX).await;
        taken?;
        removed?;
        Ok(())
    }

    /// Makes the collections, then the aliases; returns the points written.
    pub async fn load(
        &self,
        collections: &[Collection<'_>],
        aliases: &[(String, String)],
        dimensions: u32,
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        for collection in collections {
            tracing::info!(collection = collection.name, "writing vectors");
            let points = collection.parts.iter().flat_map(|part| part.points(dimensions)).map(wire);
            written += match self {
                Self::Embedded(store) => {
                    store.create_collection(&collection.name, dimensions).await?;
                    store.insert_points(&collection.name, points).await?
                }
                Self::Server(store) => store.load_collection(&collection.name, u64::from(dimensions), points).await?,
            };
        }
        for (alias, collection) in aliases {
            match self {
                Self::Embedded(store) => store.set_alias(alias, collection).await?,
                Self::Server(store) => store.set_alias(alias, collection).await?,
            }
        }
        Ok(written)
    }
}

fn wire(point: DemoPoint) -> VectorPoint {
    VectorPoint::of_chunk(&point.chunk_id, point.version_id.as_deref(), point.payload, point.vector)
}

/// Where the graph goes.
#[derive(Debug)]
pub(super) enum GraphTarget {
    Embedded(EmbeddedGraph),
    Server(Box<Neo4jGraph>),
}

impl GraphTarget {
    pub async fn embedded(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::Embedded(EmbeddedGraph::open_or_create(folder.join("graph.db")).await?))
    }

    pub fn server(uri: &str, user: &str, password: &str) -> Self {
        Self::Server(Box::new(Neo4jGraph::new(Neo4jConfig::new(uri, user, Secret::new(password)))))
    }

    /// Writes everything and lets go of the file; returns nodes and relationships written.
    pub async fn load(self, graph: &Graph<'_>) -> Result<(u64, u64), StoreError> {
        tracing::info!("writing the graph");
        let schema: Vec<String> = SCHEMA.iter().map(|s| (*s).to_owned()).collect();
        match self {
            Self::Embedded(store) => {
                let nodes = store.insert_nodes(graph.nodes()).await?;
                let relationships = store.insert_relationships(graph.relationships()).await?;
                store.set_schema(&schema).await?;
                store.close().await;
                Ok((nodes, relationships))
            }
            Self::Server(store) => {
                let mut loader = store.loader(LoadInto::EmptyDatabase).await?;
                let nodes = loader.load_nodes(graph.nodes()).await?;
                let relationships = loader.load_relationships(graph.relationships()).await?;
                loader.load_schema(&schema).await?;
                Ok((nodes, relationships))
            }
        }
    }
}
