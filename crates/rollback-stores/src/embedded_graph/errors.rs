//! SQLite's errors in the domain's words.

use std::path::Path;

use rollback::store::{Fault, StoreError};
use rollback_types::StoreKind;

pub(super) fn store_error(path: &Path, operation: &str, error: &sqlx::Error) -> StoreError {
    fault(path, operation, classify(path, error), error.to_string())
}

pub(super) fn fault(path: &Path, operation: &str, fault: Fault, detail: impl Into<String>) -> StoreError {
    StoreError {
        store: StoreKind::Neo4j,
        endpoint: path.display().to_string(),
        operation: operation.to_owned(),
        fault,
        detail: detail.into(),
    }
}

fn classify(path: &Path, error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::PoolTimedOut => Fault::Busy,
        sqlx::Error::Io(_) => Fault::ServerFailed,
        sqlx::Error::Database(e) => {
            // The low byte is the primary code, https://www.sqlite.org/rescode.html
            match e.code().and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff) {
                Some(5 | 6) => Fault::Busy,
                Some(3 | 8 | 23) => Fault::ReadOnly,
                Some(10) => Fault::ServerFailed,
                Some(11 | 26) => Fault::Corrupt,
                Some(13) => Fault::Full,
                // It is there and cannot be opened: rights.
                Some(14) if path.exists() => Fault::ReadOnly,
                Some(14) => Fault::Missing,
                Some(19) => Fault::Refused,
                _ => Fault::Unexpected,
            }
        }
        _ => Fault::Unexpected,
    }
}
