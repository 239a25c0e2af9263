//! One file a command.

pub mod neo4j;
