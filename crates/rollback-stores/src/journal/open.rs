//! Opening the journal's file: ours alone, private, and never another program's database.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rollback::journal::JournalError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use super::chain;
use crate::returning::may_return;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// What [`super::SqliteJournal`] needs to know.
#[derive(Clone, Debug)]
pub struct SqliteJournalConfig {
    /// The file; made with its folder when it is not there.
    pub path: PathBuf,
    /// How long to wait for another program's lock.
    pub busy_timeout: Duration,
    /// The most pages of 4,096 bytes the file may grow to; no limit of ours when absent.
    pub max_pages: Option<u32>,
}

impl SqliteJournalConfig {
    /// Five seconds of patience, no limit.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), busy_timeout: Duration::from_secs(5), max_pages: None }
    }
}

/// A journal's file: where, and which inode it had when it was opened.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    inode: u64,
}

impl Place {
    pub(super) fn unusable(&self, detail: impl Into<String>) -> JournalError {
        unusable(&self.path, detail)
    }

    pub(super) fn sql(&self, error: sqlx::Error) -> JournalError {
        by_error(&self.path, error)
    }

    /// An open database goes on working after its file was deleted, and everything written is lost with it.
    pub(super) fn still_there(&self) -> Result<(), JournalError> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.ino() == self.inode => Ok(()),
            Ok(_) => Err(self.unusable("the file was replaced by another; start Stepback again to use that one")),
            Err(e) => Err(self.unusable(format!("the file is gone ({e}); put it back, or start Stepback again"))),
        }
    }
}

pub(super) async fn open(config: &SqliteJournalConfig) -> Result<(SqlitePool, Place), JournalError> {
    let path = std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone());
    let inode = make_private(&path).map_err(|e| match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(&path),
        _ => unusable(&path, format!("{e}; give Stepback's user the right to read and write it and its folder")),
    })?;
    refuse_foreign(&path, config.busy_timeout).await?;
    let mut options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: an event that was shown is on the disk, also after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(config.busy_timeout);
    if let Some(pages) = config.max_pages {
        options = options.pragma("max_page_count", pages.to_string());
    }
    let pool = SqlitePoolOptions::new()
        // Each holds a thread and pages of the file: what nobody needs goes, but for one, which need not be opened anew.
        .max_connections(4)
        .min_connections(1)
        .idle_timeout(Duration::from_secs(60))
        .acquire_timeout(config.busy_timeout + Duration::from_secs(5))
        .test_before_acquire(false)
        .after_release(may_return)
        .connect_with(options)
        .await
        .map_err(|e| by_error(&path, e))?;
    MIGRATIONS.run(&pool).await.map_err(|e| by_migration(&path, e))?;
    let place = Place { path, inode };
    chain::begin(&pool, &place).await?;
    Ok((pool, place))
}

/// Makes folder and file for us alone, and returns the file's inode.
fn make_private(path: &Path) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let found = file.metadata()?;
    // A file that was there may be readable by others: plans and reasons are not theirs to read.
    if found.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(found.ino())
}

/// A path set wrongly must not turn HybridFlow's database into a journal: look before anything is changed.
async fn refuse_foreign(path: &Path, busy_timeout: Duration) -> Result<(), JournalError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(false)
        .busy_timeout(busy_timeout);
    let mut connection = options.connect().await.map_err(|e| by_error(path, e))?;
    let (tables, ours): (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COALESCE(SUM(name IN ('_sqlx_migrations', 'runs', 'events')), 0) FROM sqlite_master WHERE type = 'table'")
            .fetch_one(&mut connection)
            .await
            .map_err(|e| by_error(path, e))?;
    connection.close().await.map_err(|e| by_error(path, e))?;
    if tables > 0 && ours == 0 {
        return Err(unusable(path, "it is another program's database; choose a file of its own for the journal"));
    }
    Ok(())
}

fn by_migration(path: &Path, error: MigrateError) -> JournalError {
    match error {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => by_error(path, e),
        MigrateError::VersionMissing(n) => unusable(
            path,
            format!(
                "it was written by a newer Stepback (its schema has step {n}); start that version, or choose another file"
            ),
        ),
        MigrateError::VersionMismatch(n) => unusable(
            path,
            format!("step {n} of its schema is not the one this Stepback knows; start the version that wrote it"),
        ),
        other => unusable(path, other.to_string()),
    }
}

pub(super) fn by_error(path: &Path, error: sqlx::Error) -> JournalError {
    let sqlx::Error::Database(db) = &error else { return unusable(path, error.to_string()) };
    let code: i32 = db.code().and_then(|c| c.parse().ok()).unwrap_or(0);
    let said = db.message();
    match code & 0xff {
        13 => full(path),
        5 | 6 => unusable(path, format!("{said}: another program holds a lock on it; let it finish, then try again")),
        8 => unusable(path, format!("{said}; give Stepback's user the right to write it")),
        11 | 26 => unusable(
            path,
            format!(
                "{said}; keep the file as it is for a look at it, and choose another one, or restore it from a backup"
            ),
        ),
        14 => unusable(path, format!("{said}; look at the rights of its folder")),
        _ => unusable(path, format!("{said} (SQLite result code {code})")),
    }
}

fn unusable(path: &Path, detail: impl Into<String>) -> JournalError {
    JournalError::Unusable { path: path.display().to_string(), detail: detail.into() }
}

fn full(path: &Path) -> JournalError {
    JournalError::Full { path: path.display().to_string() }
}
