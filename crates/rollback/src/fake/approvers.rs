//! People who may approve: everybody, but for those who may no longer.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::approvers::{Approvers, ApproversError};

/// Everybody may approve until it is taken from them.
#[derive(Debug, Default)]
pub struct FakeApprovers(Mutex<HashSet<String>>);

impl FakeApprovers {
    /// Takes it from somebody, as when they are disabled or get a lesser role.
    pub fn take_from(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    /// Gives it back.
    pub fn give_back(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[async_trait]
impl Approvers for FakeApprovers {
    async fn may_approve(&self, name: &str) -> Result<bool, ApproversError> {
        Ok(!self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name))
    }
}
