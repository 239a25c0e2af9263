//! A real Neo4j (Community, with APOC core) and its shell for the tests, from Maven Central.

mod distribution;
mod server;

pub use distribution::{Distribution, VERSION, shell_variable};
pub use server::Server;
