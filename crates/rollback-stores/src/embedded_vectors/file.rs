//! The file: its schema, opening it, and what SQLite's errors mean.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rollback::store::{Fault, StoreError};
use rollback_types::StoreKind;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};

/// Marks the file as ours: the bytes of `SBvc`.
const APPLICATION_ID: i32 = 0x5342_7663;
/// The schema's number; a file with another is refused.
const SCHEMA_VERSION: i32 = 1;
/// How long to wait for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// The two indexes answer counts and id lists without touching the rows, which carry 3 KB of vector each.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS collections (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL CHECK (dim > 0),
    distance TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS points (
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    chunk_id TEXT,
    version_id TEXT,
    payload TEXT NOT NULL,
    vector BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS points_by_id ON points (collection_id, id);
CREATE INDEX IF NOT EXISTS points_by_version ON points (collection_id, version_id);
CREATE TABLE IF NOT EXISTS aliases (
    alias TEXT PRIMARY KEY,
    collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE
);
";

/// The file, not kept open.
#[derive(Clone, Debug)]
pub(super) struct VectorFile {
    path: PathBuf,
}

impl VectorFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn location(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn error(&self, operation: &str, fault: Fault, detail: impl Into<String>) -> StoreError {
        StoreError {
            store: StoreKind::Qdrant,
            endpoint: self.location(),
            operation: operation.to_owned(),
            fault,
            detail: detail.into(),
        }
    }

    /// What a driver error means.
    pub(super) fn failed(&self, operation: &str, error: &sqlx::Error) -> StoreError {
        let fault = match error {
            sqlx::Error::Database(db) => {
                // The low byte of SQLite's extended codes is the primary one.
                match db.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
                    Some(5 | 6) => Fault::Busy,
                    Some(8) => Fault::ReadOnly,
                    Some(10 | 14) => Fault::Unreachable,
                    Some(11 | 26) => Fault::Corrupt,
                    Some(13) => Fault::Full,
                    Some(3 | 23) => Fault::Refused,
                    _ => Fault::Unexpected,
                }
            }
            sqlx::Error::Io(_) => Fault::Unreachable,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::Corrupt,
            _ => Fault::Unexpected,
        };
        self.error(operation, fault, error.to_string())
    }

    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(&self.path).busy_timeout(BUSY_TIMEOUT).foreign_keys(true)
    }

    fn must_exist(&self, operation: &str) -> Result<(), StoreError> {
        match self.path.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.error(
                operation,
                Fault::Missing,
                "the embedded vector store has no file yet: set the address of a server ([qdrant] url), or make a demo \
                 deployment (stepback demo)",
            )),
            Err(error) => Err(self.error(operation, Fault::Unreachable, error.to_string())),
        }
    }

    /// For reading only; a missing file is an error.
    pub(super) async fn reader(&self, operation: &str) -> Result<SqliteConnection, StoreError> {
        self.must_exist(operation)?;
        self.open(operation, self.options().read_only(true)).await
    }

    /// For changes to a file that is there.
    pub(super) async fn writer(&self, operation: &str) -> Result<SqliteConnection, StoreError> {
        self.must_exist(operation)?;
        self.open(operation, self.options().synchronous(SqliteSynchronous::Full)).await
    }

    /// Opens it for writing. A file that is missing or blank (left by an interrupted first try) gets its schema.
    pub(super) async fn open_or_create(&self, operation: &str) -> Result<SqliteConnection, StoreError> {
        let failed = |e: sqlx::Error| self.failed(operation, &e);
        let exists = self.path.try_exists().map_err(|e| self.error(operation, Fault::Unreachable, e.to_string()))?;
        if exists {
            let mut db = SqliteConnection::connect_with(&self.options()).await.map_err(failed)?;
            let (application, objects): (i32, i64) = sqlx::query_as(
                "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)",
            )
            .fetch_one(&mut db)
            .await
            .map_err(failed)?;
            db.close().await.map_err(failed)?;
            if (application, objects) != (0, 0) {
                return self.writer(operation).await;
            }
        }
        let options = self
            .options()
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut db = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        sqlx::raw_sql(SCHEMA).execute(&mut *change).await.map_err(failed)?;
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
        sqlx::raw_sql(sqlx::AssertSqlSafe(marks)).execute(&mut *change).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(db)
    }

    async fn open(&self, operation: &str, options: SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
        let failed = |e: sqlx::Error| self.failed(operation, &e);
        let mut db = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let application: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut db).await.map_err(failed)?;
        if application != APPLICATION_ID {
            return Err(self.error(operation, Fault::Foreign, "the file is no embedded vector store"));
        }
        let version: i32 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut db).await.map_err(failed)?;
        if version != SCHEMA_VERSION {
            let detail = format!("the file has schema {version}, this Stepback knows {SCHEMA_VERSION}");
            return Err(self.error(operation, Fault::Foreign, detail));
        }
        Ok(db)
    }
}
