//! Step 3: the staged chapters go, after a copy of them was kept as evidence.

use std::path::Path;
use std::time::Duration;

use rollback::store::{EvidenceCopy, Fault, Removal, StoreError};
use rollback_types::{Inventory, RollbackTarget};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::catalog::MAIN;
use super::chapters::{count, find_table, inventory, staging_name};
use super::connect::{Connections, close_after, uri};
use super::fault::Asked;
use super::new_file::Unfinished;
use super::shape::{Shape, quoted};

/// The evidence's file name inside the run's folder.
const EVIDENCE: &str = "chapters_staging.db";

/// Drops the staging table. Production is counted and hashed before and after inside the same transaction; were it to
/// differ, everything would be undone.
pub(super) async fn drop_table(
    connections: &Connections,
    target: &RollbackTarget,
    at_most: u64,
) -> Result<Removal, StoreError> {
    let asked = Asked::new(connections.path(), format!("dropping the staging table of {target}"));
    let mut connection = connections.writer(&asked).await?;
    let done = drop_in(&mut connection, target, at_most, &asked).await;
    close_after(connection, done).await
}

async fn drop_in(
    connection: &mut SqliteConnection,
    target: &RollbackTarget,
    at_most: u64,
    asked: &Asked,
) -> Result<Removal, StoreError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    // Without a registry the layout is a guess, and a guess drops nothing.
    shape.need_registry(asked)?;
    let name = staging_name(shape.layout, target);
    let Some(table) = find_table(&mut tx, &name, asked).await? else { return Ok(Removal::Absent) };
    let rows = count(&mut tx, &table, asked).await?;
    if rows > at_most {
        let said =
            format!("{at_most} rows were counted, now there are {rows}: something is writing; nothing was dropped");
        return Err(asked.fault(Fault::Changed, said));
    }
    let before = production(&mut tx, &shape, asked).await?;
    sqlx::query(AssertSqlSafe(format!("DROP TABLE {}", quoted(&table))))
        .execute(&mut *tx)
        .await
        .map_err(|e| asked.sql(e))?;
    if production(&mut tx, &shape, asked).await? != before {
        return Err(asked.fault(
            Fault::Changed,
            "the production chapters would have changed with it (does a trigger stand behind?); nothing was dropped",
        ));
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    if find_table(connection, &name, asked).await?.is_some() {
        return Err(asked.fault(Fault::Changed, format!("{table} is there again after it was dropped")));
    }
    Ok(Removal::Removed(rows))
}

async fn production(
    connection: &mut SqliteConnection,
    shape: &Shape,
    asked: &Asked,
) -> Result<Option<Inventory>, StoreError> {
    match &shape.chapters {
        Some(columns) => inventory(connection, MAIN, columns, asked).await.map(Some),
        None => Ok(None),
    }
}

/// Copies the staged rows into a database of their own. Written beside its final name, proven by counting, flushed to
/// the disk, then renamed: a file of that name is always whole.
pub(super) async fn save_evidence(
    connections: &Connections,
    busy_timeout: Duration,
    target: &RollbackTarget,
    folder: &Path,
) -> Result<Option<EvidenceCopy>, StoreError> {
    let asked = Asked::new(connections.path(), format!("looking for the staging table of {target}"));
    let table = {
        let mut reader = connections.reader(&asked).await?;
        let shape = Shape::load(&mut reader, &asked).await?;
        shape.need_registry(&asked)?;
        find_table(&mut reader, &staging_name(shape.layout, target), &asked).await?
    };
    let Some(table) = table else { return Ok(None) };

    let path = folder.join(EVIDENCE);
    let asked = Asked::new(&path, format!("copying {table} as evidence"));
    let part = Unfinished::beside(&path).map_err(|e| asked.io(&e))?;
    let options = SqliteConnectOptions::new()
        .filename(part.path())
        .create_if_missing(false)
        .foreign_keys(false)
        .busy_timeout(busy_timeout);
    let mut copy = SqliteConnection::connect_with(&options).await.map_err(|e| asked.sql(e))?;
    sqlx::query("ATTACH ? AS live")
        .bind(uri(connections.path(), "?mode=ro"))
        .execute(&mut copy)
        .await
        .map_err(|e| asked.sql(e))?;
    let mut tx = copy.begin().await.map_err(|e| asked.sql(e))?;
    let name = quoted(&table);
    sqlx::query(AssertSqlSafe(format!("CREATE TABLE main.{name} AS SELECT * FROM live.{name}")))
        .execute(&mut *tx)
        .await
        .map_err(|e| asked.sql(e))?;
    let sql = format!("SELECT (SELECT COUNT(*) FROM live.{name}), (SELECT COUNT(*) FROM main.{name})");
    let (staged, copied): (i64, i64) =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *tx).await.map_err(|e| asked.sql(e))?;
    tx.commit().await.map_err(|e| asked.sql(e))?;
    copy.close().await.map_err(|e| asked.sql(e))?;
    if staged != copied {
        return Err(asked.fault(Fault::Unexpected, format!("{copied} rows were copied of {staged}")));
    }
    part.publish(&path).map_err(|e| asked.io(&e))?;
    Ok(Some(EvidenceCopy { path, rows: u64::try_from(copied).unwrap_or(0) }))
}
