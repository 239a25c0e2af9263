//! One suite for every graph: the embedded one, and a real Neo4j.
//!
//! Every test loads what it needs under labels, types and ids of its own and takes it away again, so that a database
//! with other data in it serves as well, as long as nobody else changes it meanwhile. Except for restores: they replace
//! everything, and refuse to begin on a database that is not empty.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its own functions too")]

mod copies;
mod embedded;
mod embedded_copies;
mod model;
mod neo4j;
mod neo4j_copies;
mod neo4j_faults;
mod neo4j_tools;
mod offenders;
mod sample;
mod suite;
