//! One module a page.

pub mod approvals;
pub mod audit;
pub mod backups;
pub mod history;
pub mod not_found;
pub mod overview;
pub mod people;
pub mod plan;
pub mod run;
mod run_rows;
pub mod sign_in;
mod staged;
pub mod version;
pub mod versions;
pub mod welcome;
