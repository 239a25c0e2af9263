//! The rollback procedure: what a plan holds, how a run goes, and what it asks of the stores.
//!
//! Names no driver and no web type. The specification is HybridFlow's runbook; where that is unsafe or silent, the
//! documents of each module say what is done instead and why.

pub mod error;
pub mod journal;
pub mod service;
pub mod store;

pub use error::ServiceError;
pub use service::RollbackService;
