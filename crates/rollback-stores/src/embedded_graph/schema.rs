//! The tables of the embedded graph.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::BUSY_TIMEOUT;

/// `SBgr` in the file's header: an embedded graph of Stepback's, first shape.
const APPLICATION_ID: i64 = 0x5342_6772;

/// Properties are JSON. The three texts are what a suffix selector looks at, as Neo4j's `toStringOrNull` gives them.
const TABLES: &str = "
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS nodes (
  id INTEGER PRIMARY KEY,
  id_text TEXT,
  chunk_id_text TEXT,
  paragraph_id_text TEXT,
  properties TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS node_labels (
  label TEXT NOT NULL,
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  PRIMARY KEY (label, node_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS node_labels_by_node ON node_labels(node_id);
CREATE TABLE IF NOT EXISTS relationships (
  id INTEGER PRIMARY KEY,
  start_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  end_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  properties TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS relationships_by_start ON relationships(start_id);
CREATE INDEX IF NOT EXISTS relationships_by_end ON relationships(end_id);
CREATE TABLE IF NOT EXISTS schema_statements (
  position INTEGER PRIMARY KEY,
  statement TEXT NOT NULL
) STRICT;
PRAGMA application_id = 1396860786;
COMMIT;
";

/// Makes the file, or what is missing in a blank one that an interrupted call left. Any other file stays as it is.
pub(super) async fn create(path: &Path) -> Result<(), sqlx::Error> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .connect()
        .await?;
    let objects: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut connection).await?;
    if objects == 0 {
        // Only now, because it writes into the file.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&mut connection).await?;
        sqlx::raw_sql(TABLES).execute(&mut connection).await?;
    }
    connection.close().await
}

/// Is the open file an embedded graph?
pub(super) async fn is_ours(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(connection).await?;
    Ok(id == APPLICATION_ID)
}

/// The statements that make constraints and indexes in Neo4j, as the last load brought them. Kept for exports only.
pub(super) async fn statements(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'schema_statements')")
            .fetch_one(&mut *connection)
            .await?;
    if !there {
        // A graph of before there was the table.
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT statement FROM schema_statements ORDER BY position").fetch_all(connection).await
}

pub(super) async fn keep_statements(
    connection: &mut SqliteConnection,
    statements: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS schema_statements (position INTEGER PRIMARY KEY, statement TEXT NOT NULL) STRICT",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM schema_statements").execute(&mut *connection).await?;
    for statement in statements {
        sqlx::query("INSERT INTO schema_statements (statement) VALUES (?1)")
            .bind(statement)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Children first: then no row has any to be deleted with it.
pub(super) async fn delete_everything(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in ["DELETE FROM relationships", "DELETE FROM node_labels", "DELETE FROM nodes"] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_written_as_it_is_read() {
        assert!(TABLES.contains(&format!("application_id = {APPLICATION_ID};")));
    }
}
