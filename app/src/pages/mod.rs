//! One module a page.

#[cfg(feature = "ssr")]
pub mod approvals;
#[cfg(feature = "ssr")]
pub mod audit;
#[cfg(feature = "ssr")]
pub mod backups;
#[cfg(feature = "ssr")]
pub mod compare;
#[cfg(feature = "ssr")]
pub mod history;
#[cfg(feature = "ssr")]
pub mod not_found;
#[cfg(feature = "ssr")]
mod outcome;
#[cfg(feature = "ssr")]
pub mod overview;
#[cfg(feature = "ssr")]
pub mod password;
#[cfg(feature = "ssr")]
pub mod people;
pub mod plan;
#[cfg(feature = "ssr")]
pub mod report;
pub mod run;
#[cfg(feature = "ssr")]
mod run_rows;
#[cfg(feature = "ssr")]
pub mod setup;
pub mod sign_in;
#[cfg(feature = "ssr")]
mod staged;
#[cfg(feature = "ssr")]
pub mod styleguide;
#[cfg(feature = "ssr")]
pub mod version;
#[cfg(feature = "ssr")]
pub mod versions;
#[cfg(feature = "ssr")]
pub mod welcome;
