//! In-memory stores with a fault plan, for tests here and in the server.
//!
//! [`FakeDeployment`] is a small HybridFlow deployment in the shared layout (or, by
//! [`FakeDeployment::per_version`], in the other), with a failed version staged and a latest-copy that equals production. Every operation can be made to fail, before or after its effect,
//! while a given step is at work.

mod approvers;
mod copies;
mod data;
mod deployment;
mod faults;
mod graph;
mod journal;
mod plant;
mod records;
mod vectors;

pub use approvers::FakeApprovers;
pub use data::{COMMITTED_PER_VERSION, FAILED, FAILED_PER_VERSION};
pub use deployment::FakeDeployment;
pub use faults::{FaultPlan, Moment};
pub use journal::{FakeJournal, JournalRead};
