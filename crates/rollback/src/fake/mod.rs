//! In-memory stores with a fault plan, for tests here and in the server.
//!
//! [`FakeDeployment`] is a small HybridFlow deployment in the shared layout, with a failed version staged in all three
//! stores and a latest-copy that equals production. Every operation can be made to fail, before or after its effect,
//! while a given step is at work.

mod deployment;
mod faults;
mod graph;
mod journal;
mod records;
mod vectors;

pub use deployment::{FAILED, FakeDeployment};
pub use faults::{FaultPlan, Moment};
pub use journal::FakeJournal;
