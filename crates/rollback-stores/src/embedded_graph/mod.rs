//! The embedded graph: nodes and relationships in tables of one SQLite file, for when no Neo4j is configured.
//!
//! It counts and deletes as Neo4j does behind the same trait, and loads and exports. It knows no Cypher.

#[macro_use]
mod selection;

mod checks;
mod errors;
mod export;
mod loader;
mod restore;
mod schema;
mod scratch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use async_trait::async_trait;
use futures::stream::BoxStream;
use rollback::store::{
    CopyTaken, Engine, Fault, GraphCheck, GraphScope, GraphStore, OnProgress, Probe, StagingSelector, StoreError,
};
use rollback_types::quantity::counted;
use rollback_types::{Inventory, StagingCounts};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row, Sqlite, Transaction};

use crate::file_id::FileId;
use crate::graph_data::{check_export, check_selectors, inventory_name, is_safety_backup_label, schema_line};
use crate::returning::may_return;

pub use export::GraphItem;
pub use scratch::ScratchGraphs;

/// The longest wait for another program's lock, and for a free connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that nobody needs gives its memory back: a thread, and pages of the file.
const IDLE: Duration = Duration::from_secs(60);

/// A graph in an SQLite file of our own.
pub struct EmbeddedGraph {
    path: PathBuf,
    /// Of the file that is there; an open one goes on working after it was moved away or replaced.
    opened: Mutex<Option<(FileId, SqlitePool)>>,
}

impl EmbeddedGraph {
    /// The graph in this file, which is opened when first asked and must exist then. Needs a Tokio runtime.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), opened: Mutex::default() }
    }

    /// The graph in this file, made empty if there is none.
    ///
    /// # Errors
    /// SQLite's; [`Fault::Foreign`] for a database that is not ours.
    pub async fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        schema::create(&path).await.map_err(|e| errors::store_error(&path, "creating the embedded graph", &e))?;
        let graph = Self::at(path);
        graph.begin("opening the embedded graph").await?;
        Ok(graph)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the file; the WAL is folded back into it.
    pub async fn close(&self) {
        let opened = self.opened().clone();
        if let Some((_, pool)) = opened {
            pool.close().await;
        }
    }

    fn opened(&self) -> MutexGuard<'_, Option<(FileId, SqlitePool)>> {
        // What a panic left there is whole all the same.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file_id(&self, operation: &str) -> Result<FileId, StoreError> {
        match std::fs::metadata(&self.path) {
            Ok(found) => Ok(FileId::from(&found)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(self.fault(operation, Fault::Missing, "there is no such file"))
            }
            Err(e) => Err(self.error(operation, &sqlx::Error::Io(e))),
        }
    }

    /// Connections to the file that is there now, and which file that is.
    fn pool(&self, operation: &str) -> Result<(SqlitePool, FileId), StoreError> {
        let file = self.file_id(operation)?;
        let mut opened = self.opened();
        // Those to another file end when nobody holds them any more.
        let (_, pool) = match opened.take() {
            Some((before, pool)) if before == file => opened.insert((file, pool)),
            _ => opened.insert((file, pool_of(&self.path))),
        };
        Ok((pool.clone(), file))
    }

    /// A transaction that sees one state of the graph from its first read on.
    async fn begin(&self, operation: &str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let (pool, file) = self.pool(operation)?;
        let opened = async {
            let mut tx = pool.begin().await?;
            let ours = schema::is_ours(&mut tx).await?;
            Ok((tx, ours))
        };
        self.checked(operation, opened.await, file)
    }

    /// A transaction that writes: it waits for its lock at once, not in the middle.
    async fn begin_write(&self, operation: &str) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let (pool, file) = self.pool(operation)?;
        let opened = async {
            // Asked first: not even a lock is taken on a foreign file.
            let ours = schema::is_ours(&mut *pool.acquire().await?).await?;
            Ok((pool.begin_with("BEGIN IMMEDIATE").await?, ours))
        };
        self.checked(operation, opened.await, file)
    }

    fn checked<T>(
        &self,
        operation: &str,
        opened: Result<(T, bool), sqlx::Error>,
        file: FileId,
    ) -> Result<T, StoreError> {
        match opened {
            Ok((tx, true)) if self.file_id(operation)? == file => Ok(tx),
            Ok((_, true)) => Err(self.fault(operation, Fault::Busy, "the file was replaced by another just now")),
            Ok((_, false)) => {
                let detail = "the file is an SQLite database, but not one of Stepback's graphs";
                Err(self.fault(operation, Fault::Foreign, detail))
            }
            Err(e) => Err(self.error(operation, &e)),
        }
    }

    fn error(&self, operation: &str, error: &sqlx::Error) -> StoreError {
        errors::store_error(&self.path, operation, error)
    }

    fn fault(&self, operation: &str, fault: Fault, detail: impl Into<String>) -> StoreError {
        errors::fault(&self.path, operation, fault, detail)
    }

    fn check(&self, selectors: &[StagingSelector], operation: &str) -> Result<Selected, StoreError> {
        check_selectors(selectors, &self.engine().location, operation)?;
        let (mut labels, mut suffixes) = (Vec::new(), Vec::new());
        for selector in selectors {
            match selector {
                StagingSelector::Label(label) => labels.push(label.as_str()),
                StagingSelector::IdSuffix(suffix) => suffixes.push(suffix.as_str()),
            }
        }
        Ok(Selected {
            labels: serde_json::json!(labels).to_string(),
            suffixes: serde_json::json!(suffixes).to_string(),
        })
    }
}

/// Opened when first asked.
fn pool_of(path: &Path) -> SqlitePool {
    // No journal mode here: setting it would write into a file that may not be ours. The file keeps its own.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(BUSY_TIMEOUT)
        .idle_timeout(IDLE)
        .after_release(may_return)
        .connect_lazy_with(options)
}

/// Selectors as the two JSON lists that `with_staging!` binds.
struct Selected {
    labels: String,
    suffixes: String,
}

fn count(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    let count: i64 = row.try_get(column)?;
    u64::try_from(count).map_err(|e| sqlx::Error::ColumnDecode { index: column.to_owned(), source: e.into() })
}

impl fmt::Debug for EmbeddedGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedGraph").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl GraphStore for EmbeddedGraph {
    fn engine(&self) -> Engine {
        Engine { name: "embedded", location: self.path.display().to_string() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let operation = "opening the embedded graph";
        let mut tx = self.begin(operation).await?;
        let read = sqlx::query(
            "SELECT sqlite_version() AS version, (SELECT count(*) FROM nodes) AS nodes,
                    (SELECT count(*) FROM relationships) AS relationships",
        )
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| {
            Ok((row.try_get::<String, _>("version")?, count(&row, "nodes")?, count(&row, "relationships")?))
        });
        let (version, nodes, relationships) = read.map_err(|e| self.error(operation, &e))?;
        Ok(Probe {
            version: Some(format!("SQLite {version}")),
            detail: format!("{}, {}", counted(nodes, "nodes"), counted(relationships, "relationships")),
            warning: None,
        })
    }

    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError> {
        let operation = format!("counting staging nodes ({selector})");
        let selected = self.check(std::slice::from_ref(selector), &operation)?;
        let mut tx = self.begin(&operation).await?;
        let read = sqlx::query(with_staging!(
            "SELECT (SELECT count(*) FROM staging) AS nodes, count(*) AS relationships,
                    coalesce(sum(leaves <> reaches), 0) AS crossing
             FROM (SELECT start_id IN staging AS leaves, end_id IN staging AS reaches FROM relationships)
             WHERE leaves OR reaches"
        ))
        .bind(selected.labels)
        .bind(selected.suffixes)
        .fetch_one(&mut *tx)
        .await
        .and_then(|row| Ok((count(&row, "nodes")?, count(&row, "relationships")?, count(&row, "crossing")?)));
        let (nodes, relationships, crossing) = read.map_err(|e| self.error(&operation, &e))?;
        Ok(StagingCounts {
            present: nodes > 0,
            name: selector.to_string(),
            nodes: Some(nodes),
            relationships: Some(relationships),
            crossing_relationships: Some(crossing),
            ..StagingCounts::default()
        })
    }

    async fn production(&self, staging: &[StagingSelector]) -> Result<Inventory, StoreError> {
        let operation = "counting production nodes";
        let selected = self.check(staging, operation)?;
        let mut tx = self.begin(operation).await?;
        let mut inventory = Inventory { name: inventory_name(staging), ..Inventory::default() };
        let (mut nodes, mut relationships) = (0, 0);
        let read = async {
            let rows = sqlx::query(with_staging!(
                "SELECT 'nodes' AS what, '' AS name, count(*) AS total FROM nodes WHERE id NOT IN staging
                 UNION ALL
                 SELECT 'label', label, count(*) FROM node_labels WHERE node_id NOT IN staging GROUP BY label
                 UNION ALL
                 SELECT 'type', type, count(*) FROM relationships
                 WHERE start_id NOT IN staging AND end_id NOT IN staging GROUP BY type"
            ))
            .bind(selected.labels)
            .bind(selected.suffixes)
            .fetch_all(&mut *tx)
            .await?;
            for row in rows {
                let (what, name): (String, String) = (row.try_get("what")?, row.try_get("name")?);
                let total = count(&row, "total")?;
                match what.as_str() {
                    "nodes" => nodes = total,
                    "type" => {
                        relationships += total;
                        inventory.types.insert(name, total);
                    }
                    _ if is_safety_backup_label(&name) => {}
                    _ => {
                        inventory.labels.insert(name, total);
                    }
                }
            }
            Ok(())
        };
        read.await.map_err(|e| self.error(operation, &e))?;
        inventory.nodes = Some(nodes);
        inventory.relationships = Some(relationships);
        Ok(inventory)
    }

    async fn delete_batch(&self, selector: &StagingSelector, limit: u32) -> Result<u64, StoreError> {
        let operation = format!("deleting staging nodes ({selector})");
        let selected = self.check(std::slice::from_ref(selector), &operation)?;
        let mut tx = self.begin_write(&operation).await?;
        let deleted = async {
            let done = sqlx::query(with_staging!("DELETE FROM nodes WHERE id IN (SELECT id FROM staging LIMIT ?3)"))
                .bind(selected.labels)
                .bind(selected.suffixes)
                .bind(limit)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(done.rows_affected())
        };
        deleted.await.map_err(|e| self.error(&operation, &e))
    }

    async fn export(&self, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        let schema = self.kept_schema("exporting the graph").await?;
        // Nothing here keeps a property unique, so every node is found by the import's own id.
        self.write_file(to, false, schema, Vec::new(), &progress).await.map_err(|e| e.into_store_error(to))
    }

    async fn restore_export(&self, from: &Path, progress: OnProgress) -> Result<Inventory, StoreError> {
        let facts = check_export(from).await?;
        let total = facts.nodes + facts.relationships;
        progress(0, total);
        self.load_export(from, facts.form, &|done| progress(done, total), Arc::new(|_, _| {})).await?;
        self.production(&[]).await
    }

    async fn schema_lines(&self) -> Result<Vec<String>, StoreError> {
        let statements = self.kept_schema("reading constraints and indexes").await?;
        let mut lines: Vec<String> = statements.iter().map(|statement| schema_line(statement)).collect();
        lines.sort_unstable();
        Ok(lines)
    }

    fn paragraphs(&self, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        self.list_paragraphs(scope)
    }

    fn offenders(&self, check: GraphCheck, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>> {
        self.list_offenders(check, scope)
    }
}
