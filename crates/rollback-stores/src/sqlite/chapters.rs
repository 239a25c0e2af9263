//! Chapters: what is staged, what production holds, and what a backup copy holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use rollback::store::{Fault, RecordCopy, StoreError};
use rollback_types::{Inventory, Layout, RollbackTarget, StagingCounts};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::catalog::MAIN;
use super::cell::{Cell, NONE, cut};
use super::connect::copy_reader;
use super::fault::{Asked, result_code};
use super::shape::{CHAPTERS, Columns, DIGESTED, LOG, REGISTRY, columns, quoted};

/// The staging table of a version. A [`RollbackTarget`] is safe inside a name, and the prefix keeps it apart from
/// `chapter_metadata` itself.
pub(super) fn staging_name(layout: Layout, target: &RollbackTarget) -> String {
    match layout {
        Layout::Shared | Layout::Mixed => format!("{CHAPTERS}_staging"),
        Layout::PerVersion => format!("{CHAPTERS}_{target}"),
    }
}

/// The table of this name as the file spells it; `None` when nothing has that name. SQLite's names know no case.
pub(super) async fn find_table(
    connection: &mut SqliteConnection,
    name: &str,
    asked: &Asked,
) -> Result<Option<String>, StoreError> {
    let row =
        sqlx::query("SELECT name, type FROM sqlite_master WHERE lower(name) = lower(?) AND type IN ('table', 'view')")
            .bind(name)
            .fetch_optional(connection)
            .await
            .map_err(|e| asked.sql(e))?;
    let Some(row) = row else { return Ok(None) };
    let kind: String = row.try_get("type").map_err(|e| asked.sql(e))?;
    if kind != "table" {
        return Err(asked.fault(Fault::Refused, format!("{name} is a {kind}, not a table; Stepback leaves it alone")));
    }
    row.try_get("name").map(Some).map_err(|e| asked.sql(e))
}

pub(super) async fn count(connection: &mut SqliteConnection, table: &str, asked: &Asked) -> Result<u64, StoreError> {
    let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", quoted(table)));
    let n: i64 = sqlx::query_scalar(sql).fetch_one(connection).await.map_err(|e| asked.sql(e))?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// What is staged under a name.
pub(super) async fn staging(
    connection: &mut SqliteConnection,
    name: String,
    asked: &Asked,
) -> Result<StagingCounts, StoreError> {
    let Some(table) = find_table(connection, &name, asked).await? else {
        return Ok(StagingCounts { present: false, name, rows: Some(0), ..StagingCounts::default() });
    };
    let rows = count(connection, &table, asked).await?;
    let mut versions = BTreeMap::new();
    if columns(connection, &table, asked).await?.has("version") {
        let sql = format!("SELECT CAST(version AS TEXT) AS version, COUNT(*) AS n FROM {} GROUP BY 1", quoted(&table));
        let groups = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
        for group in groups {
            let version = Cell::read(&group, "version").map_err(|e| asked.sql(e))?.into_text();
            let n: i64 = group.try_get("n").map_err(|e| asked.sql(e))?;
            *versions.entry(version.map_or_else(|| NONE.to_owned(), cut)).or_insert(0) += u64::try_from(n).unwrap_or(0);
        }
    }
    Ok(StagingCounts { present: true, name: table, rows: Some(rows), versions, ..StagingCounts::default() })
}

/// The chapters of a table as `{textbook_id}:ch{chapter_number}`, sorted.
pub(super) async fn keys(
    connection: &mut SqliteConnection,
    table: &str,
    asked: &Asked,
) -> Result<Vec<String>, StoreError> {
    let lacking = columns(connection, table, asked).await?.lacking(&["textbook_id", "chapter_number"]);
    if !lacking.is_empty() {
        return Err(asked.fault(Fault::Missing, format!("{table} has no column {}", lacking.join(", "))));
    }
    let sql = format!(
        "SELECT CAST(textbook_id AS TEXT) AS textbook, CAST(chapter_number AS TEXT) AS chapter FROM {}",
        quoted(table)
    );
    let mut keys = Vec::new();
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(|e| asked.sql(e))? {
        let part = |column| Cell::read(&row, column).map(|cell| cell.into_text().unwrap_or_else(|| NONE.to_owned()));
        let textbook = part("textbook").map_err(|e| asked.sql(e))?;
        keys.push(format!("{textbook}:ch{}", part("chapter").map_err(|e| asked.sql(e))?));
    }
    keys.sort_unstable();
    Ok(keys)
}

/// Count and digest of the production chapters, in one reading.
///
/// The digest is SHA-256 over `textbook_id`, `chapter_number` and `content_hash` of each row, each as its text's bytes
/// behind their length (so no two tables share an encoding), NULL as a length no text has. Rows go by textbook, then
/// by number. A number stored as text counts the same as the number: what differs between a table and its copy is
/// content, not how SQLite happened to store it.
pub(super) async fn inventory(
    connection: &mut SqliteConnection,
    schema: &str,
    chapters: &Columns,
    asked: &Asked,
) -> Result<Inventory, StoreError> {
    let mut found = Inventory { name: CHAPTERS.to_owned(), ..Inventory::default() };
    if !chapters.lacking(&DIGESTED).is_empty() {
        let sql = format!("SELECT COUNT(*) FROM {schema}.{CHAPTERS}");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(|e| asked.sql(e))?;
        found.rows = u64::try_from(rows).ok();
        return Ok(found);
    }
    let sql = format!(
        "SELECT CAST(textbook_id AS BLOB) AS a, CAST(chapter_number AS BLOB) AS b, CAST(content_hash AS BLOB) AS c \
         FROM {schema}.{CHAPTERS} ORDER BY a, CAST(chapter_number AS INTEGER), b, c"
    );
    let (mut rows, mut digest) = (0, Sha256::new());
    let mut stream = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = stream.try_next().await.map_err(|e| asked.sql(e))? {
        rows += 1;
        for column in ["a", "b", "c"] {
            let value: Option<Vec<u8>> = row.try_get(column).map_err(|e| asked.sql(e))?;
            let length = value.as_ref().map_or(u64::MAX, |v| v.len() as u64);
            digest.update(length.to_be_bytes());
            digest.update(value.unwrap_or_default());
        }
    }
    found.rows = Some(rows);
    found.digest = Some(hex::encode(digest.finalize()));
    Ok(found)
}

/// Opens a backup copy and looks through all of it.
///
/// Foreign keys count for every table but the registry and the log: the pipeline does not enforce them, its log holds
/// rows of versions long gone, and a restore takes neither table from the copy.
pub(super) async fn inspect(path: &Path, busy_timeout: Duration, asked: &Asked) -> Result<RecordCopy, StoreError> {
    let mut connection = copy_reader(path, busy_timeout, asked).await?;
    let mut faults = integrity(&mut connection, MAIN, asked).await?;
    let chapters = match columns(&mut connection, CHAPTERS, asked).await {
        Ok(columns) if columns.has("textbook_id") || columns.has("id") => {
            inventory(&mut connection, MAIN, &columns, asked).await.map(Some)
        }
        Ok(_) => Ok(None),
        Err(e) => Err(e),
    };
    let chapters = match chapters {
        Ok(chapters) => chapters,
        // The pages that hold the chapters are among the broken ones: the faults tell.
        Err(e) if !faults.is_empty() || e.fault == Fault::Corrupt => {
            faults.push(format!("{CHAPTERS} cannot be read: {}", e.detail));
            None
        }
        Err(e) => return Err(e),
    };
    if faults.is_empty() {
        faults = all_broken_references(&mut connection, asked).await?;
    }
    Ok(RecordCopy { faults, chapters })
}

/// What `PRAGMA integrity_check` says of a whole database, but for `ok`: ten findings at most.
pub(super) async fn integrity(
    connection: &mut SqliteConnection,
    schema: &str,
    asked: &Asked,
) -> Result<Vec<String>, StoreError> {
    let sql = format!("PRAGMA {schema}.integrity_check(10)");
    match sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await {
        Ok(rows) => {
            let mut said = Vec::new();
            for row in &rows {
                said.extend(Cell::read(row, "integrity_check").map_err(|e| asked.sql(e))?.into_text());
            }
            said.retain(|line| line != "ok");
            Ok(said)
        }
        Err(e) if result_code(&e) & 0xff == 11 => Ok(vec![asked.sql(e).detail]),
        Err(e) => Err(asked.sql(e)),
    }
}

async fn all_broken_references(connection: &mut SqliteConnection, asked: &Asked) -> Result<Vec<String>, StoreError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) NOT IN (?, ?) AND name NOT LIKE 'sqlite\\_%' \
         ESCAPE '\\'",
    )
    .bind(REGISTRY)
    .bind(LOG)
    .fetch_all(&mut *connection)
    .await
    .map_err(|e| asked.sql(e))?;
    let mut faults = Vec::new();
    for table in tables {
        faults.extend(broken_references(connection, MAIN, &table, asked).await?.map(|broken| broken.told(&table)));
    }
    faults.truncate(10);
    Ok(faults)
}

/// Rows of a table that refer to rows that are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokenReferences {
    pub(super) rows: u64,
    /// One of the tables they refer to.
    parent: String,
}

impl BrokenReferences {
    pub(super) fn told(&self, table: &str) -> String {
        format!("{} rows of {table} refer to rows that {} does not have", self.rows, self.parent)
    }
}

/// `None` when there are none, or when it cannot be told.
pub(super) async fn broken_references(
    connection: &mut SqliteConnection,
    schema: &str,
    table: &str,
    asked: &Asked,
) -> Result<Option<BrokenReferences>, StoreError> {
    let sql = "SELECT COUNT(*) AS n, MIN(\"parent\") AS parent FROM pragma_foreign_key_check(?, ?)";
    match sqlx::query(sql).bind(table).bind(schema).fetch_one(connection).await {
        Ok(row) => {
            let n: i64 = row.try_get("n").map_err(|e| asked.sql(e))?;
            let parent = Cell::read(&row, "parent").map_err(|e| asked.sql(e))?.into_text().unwrap_or_default();
            let rows = u64::try_from(n).unwrap_or(0);
            Ok((rows > 0).then_some(BrokenReferences { rows, parent }))
        }
        // A reference to columns that are not unique: a flaw of the schema, not of the rows.
        Err(e) if result_code(&e) & 0xff == 1 => {
            tracing::debug!(%table, error = %e, "foreign keys could not be checked");
            Ok(None)
        }
        Err(e) => Err(asked.sql(e)),
    }
}
