//! Whose word about a plan counts. The service keeps who said it; who may still say it, the people's own register knows.

use std::fmt;

use async_trait::async_trait;

/// It could not be found out whose word counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApproversError(pub String);

/// Those who may approve a plan.
#[async_trait]
pub trait Approvers: fmt::Debug + Send + Sync {
    /// This person is there, may sign in, and has a role that approves: now, whatever was so when they said their word.
    ///
    /// # Errors
    /// It cannot be found out; then no word counts.
    async fn may_approve(&self, name: &str) -> Result<bool, ApproversError>;
}

/// For a service that was told of nobody: no word counts.
#[derive(Debug)]
pub(crate) struct Nobody;

#[async_trait]
impl Approvers for Nobody {
    async fn may_approve(&self, _name: &str) -> Result<bool, ApproversError> {
        Ok(false)
    }
}
