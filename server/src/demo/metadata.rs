//! `metadata.db` in both layouts.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use time::OffsetDateTime;

use super::outline::BOOKS;
use super::part::Part;
use super::prose;
use super::story::{Version, iso_local, spaced_utc};
use crate::cli::DemoLayout;

/// One row of `chapter_metadata`.
#[derive(Clone, Debug)]
pub(super) struct ChapterRow {
    pub textbook: &'static str,
    pub number: u32,
    pub title: String,
    pub hash: String,
    pub version: String,
    pub ingested: OffsetDateTime,
    pub chunks: usize,
    /// Per mille.
    pub quality: u32,
}

/// The rows of a part's chapters, in the books' order.
pub(super) fn chapter_rows(
    part: &Part<'_>,
    layout: DemoLayout,
    written_by: impl Fn(usize) -> (String, OffsetDateTime),
) -> Vec<ChapterRow> {
    let outline = part.outline;
    let mut chunks = vec![0_usize; outline.chapters.len()];
    outline.paragraphs.iter().for_each(|p| chunks[p.chapter] += 1);
    (0..outline.chapters.len())
        .filter(|c| part.has(*c))
        .map(|c| {
            let (version, ingested) = written_by(c);
            ChapterRow {
                textbook: BOOKS[outline.chapters[c].book].0,
                number: outline.chapters[c].number,
                title: prose::chapter_title(outline, c),
                hash: part.content_hash(c),
                version,
                ingested,
                // The pipeline's code never fills it.
                chunks: if layout == DemoLayout::PerVersion { 0 } else { chunks[c] },
                quality: 900 + (c as u32 * 37) % 100,
            }
        })
        .collect()
}

const SHARED: &str = "
CREATE TABLE version_registry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT DEFAULT CURRENT_TIMESTAMP,
    status_message TEXT,
    metadata_snapshot_path TEXT,
    qdrant_snapshot_path TEXT,
    neo4j_snapshot_path TEXT,
    chapter_count INTEGER,
    paragraph_count INTEGER,
    validation_passed BOOLEAN,
    committed_by TEXT,
    notes TEXT
);
CREATE TABLE operation_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id TEXT NOT NULL REFERENCES version_registry (version_id),
    operation_type TEXT NOT NULL,
    status TEXT NOT NULL,
    details TEXT,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP,
    completed_at TEXT
);";

const PER_VERSION: &str = "
CREATE TABLE version_registry (
    version_id TEXT PRIMARY KEY,
    timestamp TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT,
    commit_hash TEXT,
    sqlite_snapshot TEXT,
    qdrant_snapshot TEXT,
    neo4j_snapshot TEXT,
    chapters_count INTEGER DEFAULT 0,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE operation_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id TEXT NOT NULL REFERENCES version_registry (version_id),
    timestamp TEXT NOT NULL,
    operation_type TEXT NOT NULL,
    system TEXT NOT NULL,
    entity_type TEXT,
    entity_id TEXT,
    status TEXT NOT NULL,
    error_message TEXT,
    duration_ms INTEGER,
    diff_json TEXT,
    metadata_json TEXT
);";

/// A `metadata.db` being written.
#[derive(Debug)]
pub(super) struct Metadata {
    db: SqliteConnection,
    layout: DemoLayout,
}

impl Metadata {
    /// Makes the file with registry, log and `chapter_metadata`.
    pub async fn create(path: &Path, layout: DemoLayout) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut db = SqliteConnection::connect_with(&options).await?;
        let tables = match layout {
            DemoLayout::Shared => SHARED,
            DemoLayout::PerVersion => PER_VERSION,
        };
        sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut db).await?;
        let mut metadata = Self { db, layout };
        metadata.create_chapters("chapter_metadata").await?;
        Ok(metadata)
    }

    /// A table with chapters' columns. `name` is one of the demo's own.
    pub async fn create_chapters(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let sql = format!(
            "CREATE TABLE {name} (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                textbook_id TEXT NOT NULL,
                chapter_number INTEGER NOT NULL,
                title TEXT NOT NULL,
                content_hash TEXT NOT NULL,
                version TEXT,
                ingestion_timestamp TEXT,
                source_file_path TEXT,
                chunk_count INTEGER DEFAULT 0,
                quality_score REAL,
                UNIQUE (textbook_id, chapter_number)
            )"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.db).await?;
        Ok(())
    }

    /// The pipeline's safety copy of production: no constraints.
    pub async fn copy_chapters(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let sql = format!("CREATE TABLE \"{name}\" AS SELECT * FROM chapter_metadata");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.db).await?;
        Ok(())
    }

    pub async fn add_chapters(&mut self, table: &str, rows: &[ChapterRow]) -> Result<(), sqlx::Error> {
        let sql = format!(
            "INSERT INTO {table} (textbook_id, chapter_number, title, content_hash, version, ingestion_timestamp,
                source_file_path, chunk_count, quality_score) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        );
        let mut change = self.db.begin().await?;
        for row in rows {
            sqlx::query(AssertSqlSafe(sql.as_str()))
                .bind(row.textbook)
                .bind(row.number)
                .bind(&row.title)
                .bind(&row.hash)
                .bind(&row.version)
                .bind(match self.layout {
                    DemoLayout::Shared => spaced_utc(row.ingested),
                    DemoLayout::PerVersion => iso_local(row.ingested),
                })
                .bind(format!("processed/{}/chapter_{:03}.json", row.textbook, row.number))
                .bind(i64::try_from(row.chunks).unwrap_or_default())
                .bind(f64::from(row.quality) / 1_000.0)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await
    }

    /// What a failed ingestion does to production: another hash, in place.
    pub async fn rewrite_chapter(&mut self, row: &ChapterRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE chapter_metadata SET content_hash = ?1, version = ?2 WHERE textbook_id = ?3 AND chapter_number = ?4",
        )
        .bind(&row.hash)
        .bind(&row.version)
        .bind(row.textbook)
        .bind(row.number)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    /// Registry rows with their log.
    pub async fn add_versions(&mut self, versions: &[Version]) -> Result<(), sqlx::Error> {
        let layout = self.layout;
        let mut change = self.db.begin().await?;
        for version in versions {
            match layout {
                DemoLayout::Shared => add_shared(&mut change, version).await?,
                DemoLayout::PerVersion => add_per_version(&mut change, version).await?,
            }
        }
        change.commit().await
    }

    /// A whole copy under another name, by SQLite itself.
    pub async fn copy_to(&mut self, path: &Path) -> Result<(), sqlx::Error> {
        let path = path.to_str().ok_or_else(|| sqlx::Error::Configuration("the folder's name is no UTF-8".into()))?;
        sqlx::query("VACUUM INTO ?1").bind(path).execute(&mut self.db).await?;
        Ok(())
    }

    pub async fn close(self) -> Result<(), sqlx::Error> {
        self.db.close().await
    }
}

async fn add_shared(db: &mut SqliteConnection, version: &Version) -> Result<(), sqlx::Error> {
    let full = !version.bare;
    let snapshot = |file: &str| version.kept.map(|_| format!("backups/{}/{file}", version.id));
    let count = |n: usize| i64::try_from(n).unwrap_or_default();
    sqlx::query(
        "INSERT INTO version_registry (version_id, status, created_at, updated_at, status_message, metadata_snapshot_path,
            qdrant_snapshot_path, neo4j_snapshot_path, chapter_count, paragraph_count, validation_passed, committed_by, notes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(&version.id)
    .bind(version.status)
    .bind(full.then(|| spaced_utc(version.created)))
    .bind(full.then(|| spaced_utc(version.updated)))
    .bind(version.message.as_ref().filter(|_| full))
    .bind(snapshot("metadata.db"))
    .bind(snapshot("textbook_chunks.snapshot"))
    .bind(snapshot("neo4j.cypher"))
    .bind(version.counts.filter(|_| full).map(|c| count(c.0)))
    .bind(version.counts.filter(|_| full).map(|c| count(c.1)))
    .bind(version.validation_passed.filter(|_| full))
    .bind(version.committed_by.filter(|_| full))
    .bind(version.notes.as_ref().filter(|_| full))
    .execute(&mut *db)
    .await?;
    for operation in &version.operations {
        let ended = operation.took_ms.map(|ms| operation.at + time::Duration::milliseconds(ms));
        sqlx::query(
            "INSERT INTO operation_log (version_id, operation_type, status, details, created_at, completed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&version.id)
        .bind(operation.kind)
        .bind(operation.status)
        .bind(&operation.details)
        .bind(spaced_utc(operation.at))
        .bind(ended.map(spaced_utc))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn add_per_version(db: &mut SqliteConnection, version: &Version) -> Result<(), sqlx::Error> {
    let full = !version.bare;
    let id = &version.id;
    // The names that the code registers, whether anything made them or not.
    let (table, label) = match id.split_once("baseline") {
        Some(_) => ("baseline".to_owned(), "baseline_labels".to_owned()),
        None if id.starts_with("latest_copy") => (format!("chapter_metadata_{id}"), "latest_copy".to_owned()),
        None => (format!("chapter_metadata_{id}"), id.clone()),
    };
    sqlx::query(
        "INSERT INTO version_registry (version_id, timestamp, status, description, commit_hash, sqlite_snapshot,
            qdrant_snapshot, neo4j_snapshot, chapters_count, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
    .bind(id)
    .bind(iso_local(version.created))
    .bind(version.status)
    .bind(version.notes.as_ref().filter(|_| full))
    .bind(version.commit_hash.as_ref().filter(|_| full))
    .bind(full.then_some(table))
    .bind(full.then(|| format!("textbook_chunks_{id}")))
    .bind(full.then_some(label))
    .bind(full.then(|| version.counts.map_or(0, |c| i64::try_from(c.0).unwrap_or_default())))
    .bind(full.then(|| spaced_utc(version.created)))
    .bind(full.then(|| iso_local(version.updated)))
    .execute(&mut *db)
    .await?;
    for operation in &version.operations {
        sqlx::query(
            "INSERT INTO operation_log (version_id, timestamp, operation_type, system, entity_type, entity_id, status,
                error_message, duration_ms) VALUES (?1, ?2, ?3, 'pipeline', ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(id)
        .bind(iso_local(operation.at))
        .bind(operation.kind)
        .bind(operation.entity.0)
        .bind(&operation.entity.1)
        .bind(operation.status)
        .bind(&operation.details)
        .bind(operation.took_ms.filter(|_| operation.entity.0 == "chapter"))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
