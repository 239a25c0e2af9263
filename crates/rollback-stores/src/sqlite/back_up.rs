//! A copy of the whole database as it is at one moment.

use std::path::{Path, PathBuf};

use backup_formats::checksums::sha256_reader;
use rollback::store::{CopyTaken, Fault, StoreError};
use rollback_types::{Inventory, VersionId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::chapters::{integrity, inventory};
use super::connect::{Connections, copy_reader, uri};
use super::fault::{Asked, cannot_open, result_code};
use super::new_file::Unfinished;
use super::shape::{CHAPTERS, columns, quoted};

/// Copies the database into a file that appears at `to` only when it is whole and proven. With `safety`, that safety
/// backup's chapters are in it as production's.
pub(super) async fn back_up(
    connections: &Connections,
    to: &Path,
    safety: Option<&VersionId>,
) -> Result<CopyTaken, StoreError> {
    let asked = Asked::new(to, format!("copying {}", connections.path().display()));
    refuse_existing(to, &asked)?;
    let part = Unfinished::beside(to).map_err(|e| asked.io(&e))?;
    vacuum_into(connections, part.path(), &asked).await?;
    if let Some(backup) = safety {
        safety_in_place(part.path(), backup, &asked).await?;
    }
    let inventory = proven(part.path(), connections, &asked).await?;
    let (bytes, sha256) = hashed(part.path().to_owned(), &asked).await?;
    refuse_existing(to, &asked)?;
    part.publish(to).map_err(|e| asked.io(&e))?;
    Ok(CopyTaken { path: to.to_owned(), bytes, sha256, inventory })
}

/// Writes what is committed, of the log beside the file too, into an empty file. One statement is one moment.
pub(super) async fn vacuum_into(connections: &Connections, file: &Path, asked: &Asked) -> Result<(), StoreError> {
    let live = Asked::new(connections.path(), format!("copying it to {}", file.display()));
    let mut reader = connections.reader(&live).await?;
    match sqlx::query("VACUUM INTO ?").bind(uri(file, "")).execute(&mut *reader).await {
        Ok(_) => Ok(()),
        // No space, no right to write, no way to open: the new file's fault, for the database was open already.
        Err(e) if matches!(result_code(&e), FULL | READ_ONLY) || cannot_open(&e) => Err(asked.sql(e)),
        Err(e) => Err(live.sql(e)),
    }
}

/// `SQLITE_READONLY`, without an extension that tells of a dead writer's journal.
const READ_ONLY: i32 = 8;
/// `SQLITE_FULL`.
const FULL: i32 = 13;

/// `integrity_check` of a new copy, and its chapters.
async fn proven(file: &Path, connections: &Connections, asked: &Asked) -> Result<Inventory, StoreError> {
    let mut copy = copy_reader(file, connections.busy_timeout(), asked).await?;
    let faults = integrity(&mut copy, "main", asked).await?;
    if let Some(first) = faults.first() {
        return Err(
            asked.fault(Fault::Corrupt, format!("the copy failed its integrity check and was not kept: {first}"))
        );
    }
    let chapters = columns(&mut copy, CHAPTERS, asked).await?;
    if chapters.is_empty() {
        return Ok(Inventory { name: CHAPTERS.to_owned(), ..Inventory::default() });
    }
    inventory(&mut copy, "main", &chapters, asked).await
}

/// The safety backup's table has the columns of `chapter_metadata`, and none of its constraints.
async fn safety_in_place(file: &Path, backup: &VersionId, asked: &Asked) -> Result<(), StoreError> {
    let sql = |e: sqlx::Error| asked.sql(e);
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    let mut copy = options.connect().await.map_err(sql)?;
    let wanted = format!("{CHAPTERS}_{backup}");
    let named = "SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)";
    let table: Option<String> = sqlx::query_scalar(named).bind(&wanted).fetch_optional(&mut copy).await.map_err(sql)?;
    let Some(table) = table.filter(|_| backup.is_safety_backup()) else {
        return Err(asked.fault(Fault::Missing, format!("there is no safety backup in a table {wanted}")));
    };
    let common = "SELECT a.name FROM pragma_table_info(?1) AS a JOIN pragma_table_info(?2) AS b ON lower(a.name) = lower(b.name)";
    let columns: Vec<String> =
        sqlx::query_scalar(common).bind(CHAPTERS).bind(&table).fetch_all(&mut copy).await.map_err(sql)?;
    if let Some(missing) = DIGESTED.iter().find(|c| !columns.iter().any(|found| found.eq_ignore_ascii_case(c))) {
        return Err(asked.fault(Fault::Foreign, format!("the table {table} has no column {missing}")));
    }
    let columns = columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(", ");
    let (chapters, table) = (quoted(CHAPTERS), quoted(&table));
    let mut tx = copy.begin().await.map_err(sql)?;
    for statement in [
        format!("DELETE FROM {chapters}"),
        format!("INSERT INTO {chapters} ({columns}) SELECT {columns} FROM {table}"),
        format!("DROP TABLE {table}"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *tx).await.map_err(sql)?;
    }
    tx.commit().await.map_err(sql)?;
    copy.close().await.map_err(sql)
}

/// Without these columns nothing could be compared.
const DIGESTED: [&str; 3] = ["textbook_id", "chapter_number", "content_hash"];

async fn hashed(file: PathBuf, asked: &Asked) -> Result<(u64, String), StoreError> {
    let hashing = tokio::task::spawn_blocking(move || {
        let mut bytes = 0;
        let digest = sha256_reader(std::fs::File::open(file)?, |read| bytes = read)?;
        Ok((bytes, digest.to_string()))
    });
    match hashing.await {
        Ok(hashed) => hashed.map_err(|e| asked.io(&e)),
        Err(e) => Err(asked.fault(Fault::Unexpected, format!("the copy could not be hashed: {e}"))),
    }
}

fn refuse_existing(to: &Path, asked: &Asked) -> Result<(), StoreError> {
    match to.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(asked.io(&e)),
        Ok(_) => Err(asked.fault(Fault::Refused, "there is a file of that name already; it was left as it is")),
    }
}
