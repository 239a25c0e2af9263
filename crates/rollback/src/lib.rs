//! The rollback procedure: what a plan holds, how a run goes, and what it asks of the stores.
//!
//! Names no driver and no web type. The specification is HybridFlow's runbook; where that is unsafe or silent, the
//! documents of each module say what is done instead and why.

mod actor;
pub mod approvers;
pub mod backup;
mod context;
mod engine;
pub mod error;
#[cfg(feature = "fake")]
pub mod fake;
pub mod journal;
mod journal_pages;
mod meter;
pub mod names;
pub mod plan;
pub mod procedure;
mod recorder;
mod report;
pub mod service;
pub mod settings;
mod steps;
pub mod store;
pub mod stores;
mod story;
mod subscription;
mod time_left;
pub mod validation;
mod verdict;

pub use actor::Actor;
pub use error::ServiceError;
pub use service::{RollbackService, seen};
pub use settings::Settings;
pub use stores::Stores;
pub use time_left::{Overdue, TimeLeft};
