//! One file a command.

pub mod bench;
pub mod build;
pub mod fuzz;
pub mod neo4j;
pub mod run;
pub mod screenshots;
pub mod test;
