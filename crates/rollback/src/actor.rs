//! Who acts. Every method of the service that changes something asks for it, and looks at the role itself: a door that
//! forgot its own check changes nothing.

use rollback_types::Role;

use crate::error::ServiceError;

/// Who acts, as the door has proven it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    name: String,
    role: Role,
}

impl Actor {
    /// Of this name, with this role.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role }
    }

    /// The name in the journal.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What they may do.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Has at least this role, or is told what lacks.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`].
    pub fn must_be(&self, least: Role, to: &'static str) -> Result<(), ServiceError> {
        if self.role.covers(least) {
            return Ok(());
        }
        Err(ServiceError::Forbidden { role: self.role, least, to })
    }
}
