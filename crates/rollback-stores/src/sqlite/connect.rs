//! Connections to a file that is not ours: read-only and pooled for viewing, short-lived for the three steps that write.
//!
//! Nothing here creates a file or changes a journal mode. The file may appear late, vanish or be replaced while we
//! run: each call looks at its inode and opens anew when it is another file than before.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rollback::store::{Fault, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool};

use crate::file_id::FileId;

use super::fault::{Asked, cannot_open, left_by_dead_writer};

/// The way to one database file.
#[derive(Debug)]
pub(super) struct Connections {
    path: PathBuf,
    busy_timeout: Duration,
    readers: Mutex<Option<(FileId, SqlitePool)>>,
    writing: tokio::sync::Mutex<()>,
}

impl Connections {
    pub(super) fn new(path: PathBuf, busy_timeout: Duration) -> Self {
        Self { path, busy_timeout, readers: Mutex::new(None), writing: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long another program's lock is waited for.
    pub(super) fn busy_timeout(&self) -> Duration {
        self.busy_timeout
    }

    /// One of us at a time asks for the write lock: a lock of our own must not be taken for somebody else's.
    pub(super) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// A read-only connection. A transaction that a dead writer left half done is rolled back first, as `sqlite3` and the
    /// ingestion do by merely opening the file.
    pub(super) async fn reader(&self, asked: &Asked) -> Result<PoolConnection<Sqlite>, StoreError> {
        match self.try_reader(asked).await? {
            Ok(connection) => Ok(connection),
            Err(e) if left_by_dead_writer(&e) => {
                self.undo_dead_writer(asked).await?;
                self.try_reader(asked).await?.map_err(|e| asked.sql(e))
            }
            Err(e) => Err(asked.sql(e)),
        }
    }

    async fn try_reader(&self, asked: &Asked) -> Result<Result<PoolConnection<Sqlite>, sqlx::Error>, StoreError> {
        let id = file_id(&self.path, asked)?;
        if let Some(pool) = self.pool_of(id) {
            // A kept connection was looked through once. Only a journal beside the file is a reason to look again.
            return if has_beside(&self.path, "-journal") {
                first_look(&pool, asked).await
            } else {
                Ok(pool.acquire().await)
            };
        }
        Ok(match open_readers(&self.path, self.busy_timeout, asked).await? {
            Ok((connection, pool)) => {
                if let Some(pool) = pool {
                    *self.readers.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, pool));
                }
                Ok(connection)
            }
            Err(e) => Err(e),
        })
    }

    /// Lets SQLite roll back what a dead writer began. Its locks tell the dead from the living: a living writer's journal
    /// is left alone, and of two that come to do this one finds it done. Where we may not write, the error says who can.
    async fn undo_dead_writer(&self, asked: &Asked) -> Result<(), StoreError> {
        let mut writer = self.writer(asked).await?;
        let looked = sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut writer).await;
        let undone = looked.map(|_| ()).map_err(|e| asked.sql(e));
        if undone.is_ok() {
            tracing::warn!(file = %self.path.display(), "rolled back the transaction of a writer that died");
        }
        close_after(writer, undone).await
    }

    /// A connection that may write, for one short piece of work.
    pub(super) async fn writer(&self, asked: &Asked) -> Result<SqliteConnection, StoreError> {
        self.writer_waiting(self.busy_timeout, asked).await
    }

    /// The same, waiting for locks as long as told.
    pub(super) async fn writer_waiting(&self, wait: Duration, asked: &Asked) -> Result<SqliteConnection, StoreError> {
        file_id(&self.path, asked)?;
        // Foreign keys stay unenforced, as the pipeline has them: enforced, DROP TABLE would delete row by row first
        // and could fail on, or cascade to, tables that are none of this step's business.
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .foreign_keys(false)
            .busy_timeout(wait);
        SqliteConnection::connect_with(&options).await.map_err(|e| asked.sql(e))
    }

    fn pool_of(&self, id: FileId) -> Option<SqlitePool> {
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.as_ref().filter(|(known, _)| *known == id).map(|(_, pool)| pool.clone())
    }
}

/// Ends a writer after its work. Waits until a transaction that was given up is really undone, so that its lock is gone
/// when this returns.
pub(super) async fn close_after<T>(connection: SqliteConnection, done: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = connection.close().await {
        // What was committed was read back before; a connection that ends badly takes nothing of it away.
        tracing::warn!(%error, "a connection to the registry did not close cleanly");
    }
    done
}

/// A read-only connection to a copy: a file nobody writes. Leaves no `-shm` or `-wal` behind where there is none.
pub(super) async fn copy_reader(
    path: &Path,
    busy_timeout: Duration,
    asked: &Asked,
) -> Result<PoolConnection<Sqlite>, StoreError> {
    file_id(path, asked)?;
    // With a journal beside it the copy may be half-written: SQLite tells, if it may look.
    if has_wal(path) || has_beside(path, "-journal") {
        return open_readers(path, busy_timeout, asked).await?.map(|(c, _)| c).map_err(|e| asked.sql(e));
    }
    let pool = reader_pool(path, busy_timeout, true);
    first_look(&pool, asked).await?.map_err(|e| asked.sql(e))
}

/// Opens a pool and looks into the file. The pool comes back only if it may be kept.
async fn open_readers(path: &Path, busy_timeout: Duration, asked: &Asked) -> Result<Opened, StoreError> {
    let pool = reader_pool(path, busy_timeout, false);
    Ok(match first_look(&pool, asked).await? {
        Ok(connection) => Ok((connection, Some(pool))),
        // In WAL mode even a reader needs shared memory beside the file, and in a read-only place cannot make it.
        // Without a log there is nothing to miss: read the file as it is, but look anew at each call.
        Err(e) if cannot_open(&e) && !has_wal(path) => {
            let pool = reader_pool(path, busy_timeout, true);
            first_look(&pool, asked).await?.map(|connection| (connection, None))
        }
        Err(e) => Err(e),
    })
}

/// A connection and the pool it came from, or what SQLite said.
type Opened = Result<(PoolConnection<Sqlite>, Option<SqlitePool>), sqlx::Error>;

fn reader_pool(path: &Path, busy_timeout: Duration, immutable: bool) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(immutable)
        .foreign_keys(false)
        .busy_timeout(busy_timeout);
    SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(busy_timeout + Duration::from_secs(5))
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        .connect_lazy_with(options)
}

/// SQLite opens anything; only the first read tells whether it is a database we can read.
async fn first_look(
    pool: &SqlitePool,
    asked: &Asked,
) -> Result<Result<PoolConnection<Sqlite>, sqlx::Error>, StoreError> {
    let mut connection = match pool.acquire().await {
        Ok(connection) => connection,
        Err(e) => return Ok(Err(e)),
    };
    match sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(&mut *connection).await {
        Ok(_) => {}
        Err(e) => return Ok(Err(e)),
    }
    refuse_utf16(&mut connection, asked).await?;
    Ok(Ok(connection))
}

/// Text is read as raw bytes, so that broken text does no harm: they must be UTF-8's.
pub(super) async fn refuse_utf16(connection: &mut SqliteConnection, asked: &Asked) -> Result<(), StoreError> {
    let encoding: String =
        sqlx::query_scalar("PRAGMA encoding").fetch_one(connection).await.map_err(|e| asked.sql(e))?;
    if encoding == "UTF-8" {
        return Ok(());
    }
    Err(asked.fault(Fault::Foreign, format!("its text is encoded as {encoding}; HybridFlow writes UTF-8")))
}

pub(super) fn file_id(path: &Path, asked: &Asked) -> Result<FileId, StoreError> {
    let found = std::fs::metadata(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => asked.fault(Fault::Missing, "there is no such file"),
        _ => asked.io(&e),
    })?;
    if !found.is_file() {
        return Err(asked.fault(Fault::Foreign, "it is no file"));
    }
    Ok(FileId::from(&found))
}

/// A log of committed changes lies beside the file.
pub(super) fn has_wal(path: &Path) -> bool {
    has_beside(path, "-wal")
}

/// Behind a link SQLite keeps its log beside the file itself.
fn has_beside(path: &Path, suffix: &str) -> bool {
    let file = std::fs::canonicalize(path);
    let mut name = file.as_deref().unwrap_or(path).as_os_str().to_owned();
    name.push(suffix);
    std::fs::metadata(name).is_ok_and(|m| m.len() > 0)
}

/// A file as SQLite's URI, with parameters (`?mode=ro`): for statements that take a file's name. Whatever is in the name
/// means only itself.
pub(super) fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            b if b.is_ascii_alphanumeric() => uri.push(char::from(*b)),
            b => uri.push_str(&format!("%{b:02x}")),
        }
    }
    uri + parameters
}
