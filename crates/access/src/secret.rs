//! Values that must never be printed, and random ones.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::AccessError;

/// A token or key on its way to the one who may have it. `Debug` shows `***`; there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Bytes nobody can guess, from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AccessError::Unusable {
        path: "the system's source of random numbers".to_owned(),
        detail: error.to_string(),
    })?;
    Ok(bytes)
}

/// What is kept of a secret that is itself random: no one can search for it, so a fast hash is enough.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
