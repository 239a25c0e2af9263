//! SQLite's errors in the domain's words.

use std::path::Path;

use rollback::store::{Fault, StoreError};
use rollback_types::StoreKind;

/// What is being asked of which file: everything an error must name.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    endpoint: String,
    operation: String,
}

impl Asked {
    pub(super) fn new(path: &Path, operation: impl Into<String>) -> Self {
        Self { endpoint: path.display().to_string(), operation: operation.into() }
    }

    /// A fault we found ourselves.
    pub(super) fn fault(&self, fault: Fault, detail: impl Into<String>) -> StoreError {
        StoreError {
            store: StoreKind::Sqlite,
            endpoint: self.endpoint.clone(),
            operation: self.operation.clone(),
            fault,
            detail: detail.into(),
        }
    }

    /// A fault SQLite or its driver reported.
    pub(super) fn sql(&self, error: sqlx::Error) -> StoreError {
        let (fault, detail) = match &error {
            sqlx::Error::Database(db) => by_code(result_code(&error), db.message()),
            sqlx::Error::PoolTimedOut => (Fault::Busy, "no connection became free in time".to_owned()),
            sqlx::Error::Io(e) => (io_fault(e), e.to_string()),
            other => (Fault::Unexpected, other.to_string()),
        };
        self.fault(fault, detail)
    }

    /// A fault of the file system.
    pub(super) fn io(&self, error: &std::io::Error) -> StoreError {
        self.fault(io_fault(error), error.to_string())
    }
}

/// SQLite's extended result code, where the error is SQLite's.
pub(super) fn result_code(error: &sqlx::Error) -> i32 {
    match error {
        sqlx::Error::Database(db) => db.code().and_then(|c| c.parse().ok()).unwrap_or(0),
        _ => 0,
    }
}

/// `SQLITE_BUSY` or `SQLITE_LOCKED`.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(result_code(error) & 0xff, 5 | 6)
}

/// `SQLITE_CANTOPEN`, and `SQLITE_READONLY_CANTINIT`: a WAL file's shared memory could not be made.
pub(super) fn cannot_open(error: &sqlx::Error) -> bool {
    let code = result_code(error);
    code & 0xff == 14 || code == 8 + (5 << 8)
}

/// `SQLITE_READONLY_ROLLBACK`: a reader met the journal of a writer that died; only a writer may roll it back.
pub(super) fn left_by_dead_writer(error: &sqlx::Error) -> bool {
    result_code(error) == DEAD_WRITER
}

const DEAD_WRITER: i32 = 8 + (3 << 8);

fn by_code(code: i32, message: &str) -> (Fault, String) {
    let message = message.to_owned();
    if code == DEAD_WRITER {
        let told = format!(
            "{message}: a writer died and left a journal beside the file; any program that opens it for writing \
             (sqlite3, or the ingestion) finishes that"
        );
        return (Fault::ReadOnly, told);
    }
    match code & 0xff {
        1 if message.starts_with("no such") => (Fault::Missing, message),
        1 if message.starts_with("unsupported file format") => (Fault::Foreign, message),
        3 | 8 => (Fault::ReadOnly, message),
        5 | 6 => (Fault::Busy, message),
        11 => (Fault::Corrupt, message),
        13 => (Fault::Full, message),
        14 => (Fault::Unreachable, message),
        19 | 23 => (Fault::Refused, message),
        26 => (Fault::Foreign, "the file is no SQLite database".to_owned()),
        _ => (Fault::Unexpected, format!("{message} (SQLite result code {code})")),
    }
}

fn io_fault(error: &std::io::Error) -> Fault {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Fault::Missing,
        ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::Full,
        _ => Fault::Unreachable,
    }
}
