//! The file: made for us alone, never another program's.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqlitePool};

use crate::AccessError;
use crate::returning::may_return;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Where the file is, and which inode it had when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    inode: u64,
}

impl Place {
    pub(crate) fn sql(&self, error: sqlx::Error) -> AccessError {
        by_error(&self.path, error)
    }

    pub(crate) fn unusable(&self, detail: impl Into<String>) -> AccessError {
        unusable(&self.path, detail)
    }

    /// An open database goes on working after its file was deleted; what is audited would be lost with it.
    pub(crate) fn still_there(&self) -> Result<(), AccessError> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.ino() == self.inode => Ok(()),
            Ok(_) => Err(self.unusable("the file was replaced by another; start Stepback again to use that one")),
            Err(e) => Err(self.unusable(format!("the file is gone ({e}); put it back, or start Stepback again"))),
        }
    }
}

pub(crate) async fn open(path: &Path, busy_timeout: Duration) -> Result<(SqlitePool, Place), AccessError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let inode = make_private(&path).map_err(|e| match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(&path),
        _ => unusable(&path, format!("{e}; give Stepback's user the right to read and write it and its folder")),
    })?;
    refuse_foreign(&path, busy_timeout).await?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: what was audited before something began is on the disk, also after a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(busy_timeout);
    let pool = SqlitePoolOptions::new()
        // Each holds a thread and pages of the file: what nobody needs goes, but for one, which need not be opened anew.
        .max_connections(4)
        .min_connections(1)
        .idle_timeout(Duration::from_secs(60))
        .acquire_timeout(busy_timeout + Duration::from_secs(5))
        .test_before_acquire(false)
        .after_release(may_return)
        .connect_with(options)
        .await
        .map_err(|e| by_error(&path, e))?;
    MIGRATIONS.run(&pool).await.map_err(|e| by_migration(&path, e))?;
    Ok((pool, Place { path, inode }))
}

/// Makes folder (0700) and file (0600) for us alone, and returns the file's inode.
fn make_private(path: &Path) -> io::Result<u64> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let found = file.metadata()?;
    if found.permissions().mode() & 0o077 != 0 {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(found.ino())
}

/// A path set wrongly must not turn another database into ours: look before anything is changed.
async fn refuse_foreign(path: &Path, busy_timeout: Duration) -> Result<(), AccessError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(false)
        .busy_timeout(busy_timeout);
    let mut connection = options.connect().await.map_err(|e| by_error(path, e))?;
    let (tables, ours): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COALESCE(SUM(name IN ('users', 'audit')), 0) FROM sqlite_master \
         WHERE type = 'table' AND name != '_sqlx_migrations'",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(|e| by_error(path, e))?;
    connection.close().await.map_err(|e| by_error(path, e))?;
    if tables > 0 && ours != 2 {
        return Err(unusable(path, "it is another program's database; move it away, or choose another data.dir"));
    }
    Ok(())
}

fn by_migration(path: &Path, error: MigrateError) -> AccessError {
    match error {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => by_error(path, e),
        MigrateError::VersionMissing(n) => {
            unusable(path, format!("a newer Stepback wrote it (its schema has step {n}); start that version"))
        }
        MigrateError::VersionMismatch(n) => unusable(
            path,
            format!("step {n} of its schema is not the one this Stepback knows; start the version that wrote it"),
        ),
        other => unusable(path, other.to_string()),
    }
}

fn by_error(path: &Path, error: sqlx::Error) -> AccessError {
    let sqlx::Error::Database(db) = &error else { return unusable(path, error.to_string()) };
    let code: i32 = db.code().and_then(|c| c.parse().ok()).unwrap_or(0);
    let said = db.message();
    match code & 0xff {
        13 => full(path),
        5 | 6 => unusable(path, format!("{said}: another program holds a lock on it; let it finish, then try again")),
        8 => unusable(path, format!("{said}; give Stepback's user the right to write it")),
        11 | 26 => unusable(path, format!("{said}; keep it for a look, and put a copy of it back that is whole")),
        14 => unusable(path, format!("{said}; look at the rights of its folder")),
        _ => unusable(path, format!("{said} (SQLite result code {code})")),
    }
}

/// Whether a unique index or a primary key refused the row.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(db) if db.is_unique_violation())
}

fn unusable(path: &Path, detail: impl Into<String>) -> AccessError {
    AccessError::Unusable { path: path.display().to_string(), detail: detail.into() }
}

fn full(path: &Path) -> AccessError {
    AccessError::Full { path: path.display().to_string() }
}
