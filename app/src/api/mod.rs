//! Server functions: the page's door to the service, thin, by area and verb. They live under `/rpc`; the JSON for
//! machines is the server's own (`/api/v1`).
#![allow(missing_docs, reason = "the macro makes undocumented types and fields of every server function")]

pub mod backups;
pub mod error;
pub mod overview;
pub mod plans;
pub mod runs;
pub mod versions;

pub use error::ApiError;

#[cfg(feature = "ssr")]
pub use error::{refused, service};
