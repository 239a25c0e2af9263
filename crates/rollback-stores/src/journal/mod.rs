//! The journal: an SQLite file of our own, in WAL mode and fully synchronous.
//!
//! An event is on the disk when [`SqliteJournal::append`](rollback::journal::Journal::append) returns. That only one
//! run is active, and that events have no gap, is kept by the database: a unique index and a check inside the
//! transaction that writes. The file is never deleted and never overwritten, however broken it is. A hash chain over all
//! entries, kept in the same transactions, tells a changed, missing or added one.

mod chain;
mod check;
mod export;
mod listing;
mod open;
mod reader;
mod run_row;
mod statistics;

use std::path::Path;

use async_trait::async_trait;
use rollback::journal::{CompletedRun, Journal, JournalError, KnownHash, NewRun, RunRecord};
use rollback_types::{
    BackupCheck, Event, Page, PlanDigest, RunCount, RunId, RunKind, RunQuery, RunState, RunSummary, StepDuration,
    Timestamp, VersionId,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

pub use chain::{BadHead, Head};
use chain::{Content, Entry, Opening};
pub use check::{ChainFault, ChainReport, FaultKind};
pub use export::ExportError;
use open::Place;
pub use open::SqliteJournalConfig;
pub use reader::JournalReader;

/// Rows of a page when no limit is given, and the most.
const PAGE: (u32, u32) = (50, 200);

/// The columns of a [`RunSummary`].
const SUMMARY: &str = "id, kind, version_id, state, reason, actor, plan_digest, started_at, ended_at, waited_ms, stood_still_ms, last_sign_at, summary, last_event";

/// The [`Journal`] over an SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteJournal {
    pool: SqlitePool,
    place: Place,
}

impl SqliteJournal {
    /// Opens the journal, makes it (folder 0700, file 0600) when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`JournalError::Full`] when the disk is full; [`JournalError::Unusable`] when the file is locked, corrupt, another
    /// program's, of a newer Stepback, or may not be written.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        Self::open_with(&SqliteJournalConfig::new(path.as_ref())).await
    }

    /// As [`Self::open`], with all settings.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(config: &SqliteJournalConfig) -> Result<Self, JournalError> {
        let (pool, place) = open::open(config).await?;
        Ok(Self { pool, place })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// Closes all connections, so that the file is whole without its `-wal`.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    fn sql(&self, error: sqlx::Error) -> JournalError {
        self.place.sql(error)
    }

    /// A broken unique index on active runs tells which run is active.
    async fn active_or(&self, error: sqlx::Error) -> JournalError {
        let taken = matches!(&error, sqlx::Error::Database(db) if db.message().contains("one_active_run"));
        if !taken {
            return self.sql(error);
        }
        match self.active_run().await {
            Ok(Some(run)) => JournalError::ActiveRun(run.id),
            // It ended between our attempt and the look at it.
            Ok(None) => self.place.unusable("another run was active a moment ago; try again"),
            Err(e) => e,
        }
    }

    fn summary_of(&self, row: &SqliteRow) -> Result<RunSummary, JournalError> {
        let word = |column: &str| row.try_get::<String, _>(column).map_err(|e| self.sql(e));
        let time = |column: &str| row.try_get::<Option<i64>, _>(column).map_err(|e| self.sql(e));
        let id = RunId(row.try_get("id").map_err(|e| self.sql(e))?);
        let (kind, state) = (word("kind")?, word("state")?);
        let started_at = Timestamp::from_unix_ms(time("started_at")?.unwrap_or(0));
        let ended_at = time("ended_at")?.map(Timestamp::from_unix_ms);
        let stood_still_ms = time("stood_still_ms")?.unwrap_or(0).cast_unsigned();
        let waited_ms = time("waited_ms")?.unwrap_or(0).cast_unsigned();
        let mut summary = RunSummary {
            id,
            kind: RunKind::parse(&kind)
                .ok_or_else(|| self.place.unusable(format!("run #{id} is of an unknown kind, {kind}")))?,
            version_id: VersionId::new(word("version_id")?),
            state: RunState::parse(&state)
                .ok_or_else(|| self.place.unusable(format!("run #{id} is in an unknown state, {state}")))?,
            reason: word("reason")?,
            actor: word("actor")?,
            plan_digest: PlanDigest(word("plan_digest")?),
            started_at,
            ended_at,
            duration_ms: None,
            waited_ms,
            stood_still_ms,
            last_sign_at: time("last_sign_at")?.map(Timestamp::from_unix_ms),
            summary: row.try_get("summary").map_err(|e| self.sql(e))?,
            last_event: row.try_get::<i64, _>("last_event").map_err(|e| self.sql(e))?.cast_unsigned(),
        };
        summary.duration_ms = ended_at.map(|end| summary.worked_ms(end));
        Ok(summary)
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn open_run(&self, run: &NewRun) -> Result<RunSummary, JournalError> {
        self.place.still_there()?;
        let sql = "INSERT INTO runs (kind, version_id, state, reason, actor, plan_digest, plan_json, run_key, started_at) \
                   VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?) RETURNING id, kind, version_id, state, reason, actor, \
                   plan_digest, started_at, ended_at, waited_ms, stood_still_ms, last_sign_at, summary, last_event";
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.sql(e))?;
        let inserted = sqlx::query(sql)
            .bind(run.kind.as_str())
            .bind(run.version_id.as_str())
            .bind(&run.reason)
            .bind(&run.actor)
            .bind(&run.plan_digest.0)
            .bind(&run.plan_json)
            .bind(&run.run_key)
            .bind(run.at.unix_ms())
            .fetch_one(&mut *tx)
            .await;
        let summary = match inserted {
            Ok(row) => self.summary_of(&row)?,
            Err(e) => {
                drop(tx);
                return Err(self.active_or(e).await);
            }
        };
        let entry = Entry {
            run: summary.id.0,
            number: 0,
            state: Some(summary.state.as_str().to_owned()),
            content: Content::Run(Opening::of(run)),
        };
        chain::add(&mut tx, &self.place, &entry).await?;
        tx.commit().await.map_err(|e| self.sql(e))?;
        Ok(summary)
    }

    async fn append(&self, event: &Event, state: RunState) -> Result<(), JournalError> {
        self.place.still_there()?;
        let run = event.run_id;
        let body = serde_json::to_string(event).map_err(|e| self.place.unusable(e.to_string()))?;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.sql(e))?;
        let before = self.before(&mut tx, event).await?;
        let last = before.last;
        if last.checked_add(1) != Some(event.number) {
            return Err(JournalError::Gap { run, last, got: event.number });
        }
        sqlx::query("INSERT INTO events (run_id, number, at, body) VALUES (?, ?, ?, ?)")
            .bind(run.0)
            .bind(event.number.cast_signed())
            .bind(event.at.unix_ms())
            .bind(&body)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        chain::add(&mut tx, &self.place, &chain::event(run, event.number, event.at, state, &body)).await?;
        statistics::note(&mut tx, event, before.last_sign(event)).await.map_err(|e| self.sql(e))?;
        if let Err(e) = run_row::update(&mut tx, event, &before, state).await {
            drop(tx);
            return Err(self.active_or(e).await);
        }
        tx.commit().await.map_err(|e| self.sql(e))
    }

    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, JournalError> {
        let rows =
            sqlx::query("SELECT number, body FROM events WHERE run_id = ? AND number > ? ORDER BY number LIMIT ?")
                .bind(run.0)
                .bind(i64::try_from(after).unwrap_or(i64::MAX))
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.sql(e))?;
        let read = |row: &SqliteRow| {
            let body: String = row.try_get("body").map_err(|e| self.sql(e))?;
            serde_json::from_str(&body).map_err(|e| {
                let number = row.try_get::<i64, _>("number").unwrap_or_default();
                self.place.unusable(format!("event {number} of run #{run} cannot be read: {e}"))
            })
        };
        rows.iter().map(read).collect()
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        let sql = "SELECT *, run_key, plan_json FROM runs WHERE id = ?";
        let row = sqlx::query(sql).bind(id.0).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(RunRecord {
            summary: self.summary_of(&row)?,
            run_key: row.try_get("run_key").map_err(|e| self.sql(e))?,
            plan_json: row.try_get("plan_json").map_err(|e| self.sql(e))?,
        }))
    }

    async fn run_with_key(&self, run_key: &str) -> Result<Option<RunId>, JournalError> {
        let id: Option<i64> = sqlx::query_scalar("SELECT id FROM runs WHERE run_key = ?")
            .bind(run_key)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        Ok(id.map(RunId))
    }

    async fn runs(&self, query: &RunQuery) -> Result<Page<RunSummary>, JournalError> {
        listing::runs(self, query).await
    }

    async fn run_counts(&self, query: &RunQuery) -> Result<Option<Vec<RunCount>>, JournalError> {
        listing::counts(self, query).await
    }

    async fn active_run(&self) -> Result<Option<RunSummary>, JournalError> {
        let sql = format!("SELECT {SUMMARY} FROM runs WHERE state IN ('running', 'needs_decision')");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))?;
        row.as_ref().map(|row| self.summary_of(row)).transpose()
    }

    async fn step_durations(&self) -> Result<Vec<StepDuration>, JournalError> {
        statistics::step_durations(&self.pool).await.map_err(|e| self.sql(e))
    }

    async fn completed_runs(&self, kind: RunKind, limit: u32) -> Result<Vec<CompletedRun>, JournalError> {
        statistics::completed_runs(&self.pool, kind, limit).await.map_err(|e| self.sql(e))
    }

    async fn known_hash(&self, path: &str) -> Result<Option<KnownHash>, JournalError> {
        let row = sqlx::query("SELECT * FROM file_hashes WHERE path = ?")
            .bind(path)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        let read = |row: &SqliteRow| -> Result<KnownHash, sqlx::Error> {
            Ok(KnownHash {
                path: row.try_get("path")?,
                sha256: row.try_get("sha256")?,
                bytes: row.try_get::<i64, _>("bytes")?.cast_unsigned(),
                modified_ns: row.try_get("modified_ns")?,
                inode: row.try_get::<i64, _>("inode")?.cast_unsigned(),
                hashed_at: Timestamp::from_unix_ms(row.try_get("hashed_at")?),
                first_sha256: row.try_get("first_sha256")?,
                first_at: Timestamp::from_unix_ms(row.try_get("first_at")?),
            })
        };
        row.as_ref().map(read).transpose().map_err(|e| self.sql(e))
    }

    async fn record_hash(&self, hash: &KnownHash) -> Result<(), JournalError> {
        // The first hash ever seen is never overwritten: that is what makes it worth trusting.
        let sql = "INSERT INTO file_hashes (path, sha256, bytes, modified_ns, inode, hashed_at, first_sha256, first_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, \
                   bytes = excluded.bytes, modified_ns = excluded.modified_ns, inode = excluded.inode, \
                   hashed_at = excluded.hashed_at";
        sqlx::query(sql)
            .bind(&hash.path)
            .bind(&hash.sha256)
            .bind(hash.bytes.cast_signed())
            .bind(hash.modified_ns)
            .bind(hash.inode.cast_signed())
            .bind(hash.hashed_at.unix_ms())
            .bind(&hash.first_sha256)
            .bind(hash.first_at.unix_ms())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|e| self.sql(e))
    }

    async fn remembered(&self, key: &str) -> Result<Option<String>, JournalError> {
        let sql = "SELECT value FROM remembered WHERE key = ?";
        sqlx::query_scalar(sql).bind(key).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))
    }

    async fn remember(&self, key: &str, json: &str) -> Result<(), JournalError> {
        let sql = "INSERT INTO remembered (key, value) VALUES (?, ?) \
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).bind(key).bind(json).execute(&self.pool).await.map(|_| ()).map_err(|e| self.sql(e))
    }

    async fn backup_checks(&self, backup: &str, limit: u32) -> Result<Vec<BackupCheck>, JournalError> {
        let sql = "SELECT body FROM backup_checks WHERE backup = ? ORDER BY id DESC LIMIT ?";
        let rows: Vec<String> =
            sqlx::query_scalar(sql).bind(backup).bind(limit).fetch_all(&self.pool).await.map_err(|e| self.sql(e))?;
        let read = |body: &String| serde_json::from_str(body).map_err(|e| self.place.unusable(e.to_string()));
        rows.iter().map(read).collect()
    }

    async fn record_backup_check(&self, backup: &str, check: &BackupCheck) -> Result<(), JournalError> {
        let body = serde_json::to_string(check).map_err(|e| self.place.unusable(e.to_string()))?;
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.sql(e))?;
        sqlx::query("INSERT INTO backup_checks (backup, at, body) VALUES (?, ?, ?)")
            .bind(backup)
            .bind(check.at.unix_ms())
            .bind(body)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        // The trend needs no more than a year of a look every few hours.
        sqlx::query(
            "DELETE FROM backup_checks WHERE backup = ?1 AND id <= \
             (SELECT id FROM backup_checks WHERE backup = ?1 ORDER BY id DESC LIMIT 1 OFFSET 2000)",
        )
        .bind(backup)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.sql(e))?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    async fn probe(&self) -> Result<(), JournalError> {
        self.place.still_there()?;
        sqlx::query("INSERT INTO probe (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at")
            .bind(Timestamp::now().unix_ms())
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|e| self.sql(e))
    }
}
