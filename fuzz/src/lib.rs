//! What the fuzz targets compare: everything here panics when a reader or writer breaks a promise.

pub mod graph;
pub mod trickle;
