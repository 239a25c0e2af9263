//! Server functions: the page's door to the service, thin, by area and verb. They live under `/rpc`; the JSON for
//! machines is the server's own (`/api/v1`).
#![allow(missing_docs, reason = "the macro makes undocumented types and fields of every server function")]

pub mod access;
pub mod approvals;
pub mod backups;
pub mod error;
pub mod overview;
pub mod places;
pub mod plans;
pub mod reports;
pub mod runs;
pub mod versions;

pub use error::ApiError;

#[cfg(feature = "ssr")]
pub use error::{actor, refused, refused_form, service};

/// The stores that a form's or an address's word chooses.
///
/// # Errors
/// [`rollback::ServiceError::Invalid`] for a word that names no store.
#[cfg(feature = "ssr")]
pub fn chosen(word: &str) -> Result<crate::choice::Choice, rollback::ServiceError> {
    crate::choice::from_word(word)
        .map_err(|w| rollback::ServiceError::Invalid(format!("restore: {w:?} is no store, and not \"none\"")))
}
