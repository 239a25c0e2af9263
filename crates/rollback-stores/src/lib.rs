//! The adapters.

pub mod embedded_graph;
pub mod graph_data;
pub mod neo4j;

pub mod embedded_vectors;
mod file_id;
pub mod host;
pub mod journal;
pub mod qdrant;
#[cfg(feature = "qdrant-double")]
pub mod qdrant_double;
mod returning;
pub mod secret;
pub mod sqlite;
pub mod vector_point;
