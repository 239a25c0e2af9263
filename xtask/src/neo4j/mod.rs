//! A real Neo4j (Community, with APOC core) for the tests, from Maven Central.

mod distribution;
mod server;

pub use distribution::{Distribution, VERSION};
pub use server::Server;
