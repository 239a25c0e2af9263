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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_written_as_it_is_read() {
        assert!(TABLES.contains(&format!("application_id = {APPLICATION_ID};")));
    }
}
