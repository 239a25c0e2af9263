//! Whose word about a plan counts: users who may sign in and have the role, as they are now.

use std::sync::Arc;

use access::Access;
use async_trait::async_trait;
use rollback::approvers::{Approvers, ApproversError};
use rollback_types::Role;

/// The users of this deployment.
#[derive(Debug)]
pub struct Users(pub Arc<Access>);

#[async_trait]
impl Approvers for Users {
    async fn may_approve(&self, name: &str) -> Result<bool, ApproversError> {
        let role = self.0.role_of_user(name).await.map_err(|error| ApproversError(error.to_string()))?;
        Ok(role.is_some_and(|role| role.covers(Role::Operator)))
    }
}
