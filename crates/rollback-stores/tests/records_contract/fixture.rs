//! Deployments in a temporary folder, in both layouts and both journal modes, and an independent look into them.

use std::path::{Path, PathBuf};

use rollback_stores::sqlite::{SqliteRecords, SqliteRecordsConfig};
use rollback_types::{RollbackTarget, VersionId};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use tempfile::TempDir;

pub const SHARED: &str = "
CREATE TABLE version_registry(id INTEGER PRIMARY KEY AUTOINCREMENT, version_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
  created_at TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT DEFAULT CURRENT_TIMESTAMP, status_message TEXT,
  metadata_snapshot_path TEXT, qdrant_snapshot_path TEXT, neo4j_snapshot_path TEXT, chapter_count INTEGER,
  paragraph_count INTEGER, validation_passed INTEGER, committed_by TEXT, notes TEXT);
CREATE TABLE operation_log(id INTEGER PRIMARY KEY AUTOINCREMENT, version_id TEXT NOT NULL REFERENCES version_registry(version_id),
  operation_type TEXT NOT NULL, status TEXT NOT NULL, details TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP, completed_at TEXT);";

pub const PIPELINE: &str = include_str!("../fixtures/pipeline-registry.sql");

pub const CHAPTERS: &str =
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, textbook_id TEXT NOT NULL, chapter_number TEXT NOT NULL,
  title TEXT, content_hash TEXT, version TEXT, ingestion_timestamp TEXT, source_file_path TEXT, chunk_count INTEGER,
  quality_score REAL, UNIQUE(textbook_id, chapter_number));";

/// What each contract test runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub per_version: bool,
    pub wal: bool,
}

pub const KINDS: [Kind; 4] = [
    Kind { per_version: false, wal: false },
    Kind { per_version: false, wal: true },
    Kind { per_version: true, wal: false },
    Kind { per_version: true, wal: true },
];

impl Kind {
    /// The version that may be rolled back.
    pub fn target(self) -> RollbackTarget {
        target(if self.per_version { "staging20261123_141850" } else { "v3_minor_20261101_120000" })
    }

    pub fn staging_table(self) -> &'static str {
        if self.per_version { "chapter_metadata_staging20261123_141850" } else { "chapter_metadata_staging" }
    }
}

pub fn target(id: &str) -> RollbackTarget {
    RollbackTarget::new(&VersionId::new(id)).unwrap()
}

/// A `metadata.db` of its own.
pub struct Deployment {
    pub dir: TempDir,
    pub path: PathBuf,
    pub records: SqliteRecords,
}

impl Deployment {
    /// A file that does not exist yet, looked at with five and a half hours east of UTC.
    pub fn nowhere() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A name that an SQLite URI or a shell would take for something else.
        let path = dir.path().join("meta data%20#1?.db");
        Self { records: records(&path), dir, path }
    }

    pub async fn with(sql: &str) -> Self {
        let made = Self::nowhere();
        made.run(sql).await;
        made
    }

    /// Registry and log, production of five chapters, a staging table of three.
    pub async fn of(kind: Kind) -> Self {
        let made = Self::nowhere();
        if kind.wal {
            made.run("PRAGMA journal_mode = WAL").await;
        }
        made.run(if kind.per_version { PIPELINE } else { SHARED }).await;
        if !kind.per_version {
            made.run(
                "INSERT INTO version_registry (version_id, status, created_at, updated_at, status_message, chapter_count,
                   paragraph_count, validation_passed, committed_by, notes) VALUES
                 ('v1_baseline_20260901_120000','committed','2026-09-01 12:00:00','2026-09-01 13:00:00',NULL,5,36216,1,'ops','first'),
                 ('v2_major_20261001_120000','archived','2026-10-01 12:00:00','2026-10-02 13:00:00',NULL,5,36290,1,'ops',NULL),
                 ('v3_minor_20261101_120000','staging','2026-11-01 12:00:00','2026-11-01 13:00:00','Validation failed: 100% of _check_ 2',3,NULL,0,NULL,'Edition 9');
                 INSERT INTO operation_log (version_id, operation_type, status, details, created_at) VALUES
                 ('v3_minor_20261101_120000','validate','failed','check 2','2026-11-01 12:59:00');",
            )
            .await;
        }
        made.run(&format!("CREATE TABLE chapter_metadata{CHAPTERS}")).await;
        made.run(&format!("CREATE TABLE {}{CHAPTERS}", kind.staging_table())).await;
        made.run(
            "INSERT INTO chapter_metadata (textbook_id, chapter_number, content_hash, version) VALUES
             ('bailey','1','h1','v1'),('bailey','2','h2','v1'),('bailey','10','h10','v1'),('sabiston','1','s1','v1'),
             ('schwartz','1',NULL,'v1')",
        )
        .await;
        let target = kind.target();
        made.run(&format!(
            "INSERT INTO {} (textbook_id, chapter_number, content_hash, version) VALUES
             ('bailey','1','new','{target}'),('bailey','2','new','{target}'),('bailey','3','new',NULL)",
            kind.staging_table()
        ))
        .await;
        made
    }

    pub fn config(&self) -> SqliteRecordsConfig {
        config(&self.path)
    }

    /// Runs statements as another program would.
    pub async fn run(&self, sql: &str) {
        let mut other = self.other().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
    }

    /// Another program's connection.
    pub async fn other(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .foreign_keys(false)
            .connect()
            .await
            .unwrap()
    }

    /// One value, as text, read by another program.
    pub async fn value(&self, sql: &str) -> String {
        let mut other = self.other().await;
        let row =
            sqlx::query(AssertSqlSafe(format!("SELECT CAST(({sql}) AS TEXT)"))).fetch_one(&mut other).await.unwrap();
        row.get::<Option<String>, _>(0).unwrap_or_else(|| "NULL".to_owned())
    }

    /// A copy of the whole file, made by another program.
    pub async fn copied(&self) -> Self {
        let copy = Self::nowhere();
        let mut other = self.other().await;
        sqlx::query("VACUUM INTO ?").bind(copy.path.to_str().unwrap()).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
        copy
    }

    /// Every value of a table, with its type and, where there is one, its rowid.
    pub async fn table(&self, name: &str) -> Vec<String> {
        let mut other = self.other().await;
        let name = name.replace('"', "\"\"");
        let mut columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_xinfo(?) ORDER BY cid")
            .bind(name.replace("\"\"", "\""))
            .fetch_all(&mut other)
            .await
            .unwrap();
        let without: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pragma_table_list(?) WHERE wr = 1)")
            .bind(name.replace("\"\"", "\""))
            .fetch_one(&mut other)
            .await
            .unwrap();
        columns = columns.into_iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
        if !without {
            columns.insert(0, "rowid".to_owned());
        }
        let values: Vec<_> = columns.iter().map(|c| format!("typeof({c}) || ' ' || quote({c})")).collect();
        let sql = format!("SELECT CAST({} AS BLOB) FROM \"{name}\" ORDER BY 1", values.join(" || '|' || "));
        let rows: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut other).await.unwrap();
        rows.into_iter().map(|row| row.escape_ascii().to_string()).collect()
    }

    /// The schema as it was written, without what is SQLite's own.
    pub async fn schema(&self) -> Vec<String> {
        let mut other = self.other().await;
        sqlx::query_scalar("SELECT type || ' ' || name || ' ' || tbl_name || ' ' || sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY 1")
            .fetch_all(&mut other)
            .await
            .unwrap()
    }

    /// Registry, log and schema as one text: to see that nothing changed.
    pub async fn dump(&self) -> String {
        let mut other = self.other().await;
        let mut dump = String::new();
        for table in ["version_registry", "operation_log", "sqlite_master"] {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY rowid")))
                .fetch_all(&mut other)
                .await
                .unwrap();
            for row in rows {
                for column in 0..row.len() {
                    let value: Option<Vec<u8>> = row.try_get_unchecked(column).unwrap();
                    dump.push_str(&format!("{:?}|", value.map(|v| String::from_utf8_lossy(&v).into_owned())));
                }
                dump.push('\n');
            }
        }
        dump
    }
}

pub fn config(path: &Path) -> SqliteRecordsConfig {
    SqliteRecordsConfig {
        local_offset_s: 19_800,
        busy_timeout: std::time::Duration::from_millis(50),
        ..SqliteRecordsConfig::new(path)
    }
}

pub fn records(path: &Path) -> SqliteRecords {
    SqliteRecords::new(config(path))
}
