//! What a run reads and writes of itself in the registry and its log: its version's row, and its own rows of the log, found again
//! by its key. Each call is part of its caller's transaction.

use rollback::store::{Fault, StoreError};
use rollback_types::{Layout, RollbackTarget, Timestamp};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::cell::{Cell, NONE};
use super::clock::{iso_local, spaced_utc};
use super::fault::Asked;
use super::shape::{Columns, LOG, LogForm, REGISTRY, Shape};

/// A row of the log that this run wrote.
pub(super) struct OwnRow {
    pub id: i64,
    pub status: String,
    began: Option<Timestamp>,
}

/// The run's row is in progress, and it has not finished.
pub(super) fn is_open(own: &[OwnRow]) -> bool {
    own.iter().any(|r| r.status == "in_progress") && !own.iter().any(|r| r.status == "completed")
}

/// A row to be written.
pub(super) struct Entry<'a> {
    pub status: &'a str,
    pub text: &'a str,
    pub error: Option<&'a str>,
    pub completed: bool,
}

/// A run, and what it asks of the two tables.
pub(super) struct Run<'a> {
    pub target: &'a RollbackTarget,
    pub key: &'a str,
    pub local_offset_s: i32,
    pub asked: &'a Asked,
}

impl Run<'_> {
    /// The state of exactly one row.
    pub(super) async fn state(&self, tx: &mut SqliteConnection) -> Result<String, StoreError> {
        let rows = sqlx::query("SELECT status FROM version_registry WHERE version_id = ? LIMIT 2")
            .bind(self.target.as_str())
            .fetch_all(tx)
            .await
            .map_err(|e| self.asked.sql(e))?;
        match rows.as_slice() {
            [row] => {
                let state = Cell::read(row, "status").map_err(|e| self.asked.sql(e))?;
                Ok(state.into_text().unwrap_or_else(|| NONE.to_owned()))
            }
            [] => Err(self.asked.fault(
                Fault::Changed,
                format!("the registry has no version {} any more; nothing was changed", self.target),
            )),
            _ => Err(self.asked.fault(
                Fault::Changed,
                format!("the registry has more than one row with the id {}; nothing was changed", self.target),
            )),
        }
    }

    pub(super) fn changed(&self, found: &str, wanted: &str) -> StoreError {
        let found = super::cell::cut(found.to_owned());
        self.asked.fault(Fault::Changed, format!("its state is {found}, not {wanted}; nothing was changed"))
    }

    /// The conditional update. That the target is no baseline and no safety backup is asked here once more, in SQL.
    pub(super) async fn update(
        &self,
        tx: &mut SqliteConnection,
        shape: &Shape,
        registry: &Columns,
        from: &str,
        to: &str,
        message: &str,
    ) -> Result<(), StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(format!("UPDATE {REGISTRY} SET status = "));
        sql.push_bind(to.to_owned());
        if registry.has("status_message") {
            sql.push(", status_message = ").push_bind(message.to_owned());
        }
        if registry.has("updated_at") {
            let now = match shape.layout {
                Layout::PerVersion => iso_local(Timestamp::now(), self.local_offset_s),
                Layout::Shared | Layout::Mixed => spaced_utc(Timestamp::now()),
            };
            sql.push(", updated_at = ").push_bind(now);
        }
        sql.push(" WHERE version_id = ").push_bind(self.target.as_str().to_owned());
        sql.push(" AND status = ").push_bind(from.to_owned());
        sql.push(
            " AND lower(trim(version_id)) <> 'v1_baseline' AND substr(lower(trim(version_id)), 1, 12) <> 'v1_baseline_' \
             AND substr(lower(trim(version_id)), 1, 11) <> 'latest_copy'",
        );
        let done = sql.build().execute(tx).await.map_err(|e| self.asked.sql(e))?;
        match done.rows_affected() {
            1 => Ok(()),
            n => Err(self.asked.fault(
                Fault::Changed,
                format!("{n} rows would have changed, where exactly one must; nothing was changed"),
            )),
        }
    }

    /// This run's rows of the log, oldest first.
    pub(super) async fn log_rows(&self, tx: &mut SqliteConnection, form: LogForm) -> Result<Vec<OwnRow>, StoreError> {
        let (sql, key) = match form {
            LogForm::Specification => (
                "SELECT rowid AS row_id, status, NULL AS began FROM operation_log WHERE version_id = ?1 AND \
                 operation_type = 'rollback' AND substr(details, -length(?2)) = ?2 ORDER BY rowid",
                self.marker(),
            ),
            LogForm::Pipeline => (
                "SELECT rowid AS row_id, status, timestamp AS began FROM operation_log WHERE version_id = ?1 AND \
                 operation_type = 'rollback' AND CASE WHEN json_valid(metadata_json) THEN \
                 json_extract(metadata_json, '$.run_key') END = ?2 ORDER BY rowid",
                self.key.to_owned(),
            ),
        };
        let rows =
            sqlx::query(sql).bind(self.target.as_str()).bind(key).fetch_all(tx).await.map_err(|e| self.asked.sql(e))?;
        let mut own = Vec::new();
        for row in rows {
            let text = |column: &str| Cell::read(&row, column).map(Cell::into_text).map_err(|e| self.asked.sql(e));
            own.push(OwnRow {
                id: row.try_get("row_id").map_err(|e| self.asked.sql(e))?,
                status: text("status")?.unwrap_or_default(),
                began: text("began")?.and_then(|t| Timestamp::parse_registry(&t, self.local_offset_s)),
            });
        }
        Ok(own)
    }

    /// The end of `details` by which a row of this run is found again.
    fn marker(&self) -> String {
        format!("[Stepback run {}]", self.key)
    }

    fn details(&self, text: &str) -> String {
        format!("{text} {}", self.marker())
    }

    fn metadata(&self, text: &str) -> String {
        serde_json::json!({ "run_key": self.key, "details": text }).to_string()
    }

    pub(super) async fn insert(
        &self,
        tx: &mut SqliteConnection,
        form: LogForm,
        log: &Columns,
        entry: &Entry<'_>,
    ) -> Result<i64, StoreError> {
        let now = Timestamp::now();
        let columns: Vec<_> = form.written().iter().copied().filter(|c| log.has(c)).collect();
        let mut sql = QueryBuilder::<Sqlite>::new(format!("INSERT INTO {LOG} ({}) VALUES (", columns.join(", ")));
        let mut values = sql.separated(", ");
        for column in columns {
            values.push_bind(match column {
                "version_id" | "entity_id" => Some(self.target.as_str().to_owned()),
                "operation_type" => Some("rollback".to_owned()),
                "status" => Some(entry.status.to_owned()),
                "details" => Some(self.details(entry.text)),
                "created_at" => Some(spaced_utc(now)),
                "completed_at" => entry.completed.then(|| spaced_utc(now)),
                "timestamp" => Some(iso_local(now, self.local_offset_s)),
                "system" => Some("stepback".to_owned()),
                "entity_type" => Some("version".to_owned()),
                "error_message" => entry.error.map(str::to_owned),
                "metadata_json" => Some(self.metadata(entry.text)),
                _ => None,
            });
        }
        sql.push(")");
        let done = sql.build().execute(tx).await.map_err(|e| self.asked.sql(e))?;
        Ok(done.last_insert_rowid())
    }

    /// Closes the run's row `in_progress`: with `error` it becomes `failed`; without, it only gets its end, and a row
    /// `completed` stands beside it, as the runbook has it.
    pub(super) async fn close(
        &self,
        tx: &mut SqliteConnection,
        form: LogForm,
        log: &Columns,
        row: &OwnRow,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let mut sql = QueryBuilder::<Sqlite>::new(format!("UPDATE {LOG} SET status = "));
        sql.push_bind(if error.is_some() { "failed" } else { "in_progress" });
        match form {
            LogForm::Specification => {
                if log.has("completed_at") {
                    sql.push(", completed_at = ").push_bind(spaced_utc(now));
                }
                if let Some(error) = error {
                    sql.push(", details = ").push_bind(self.details(error));
                }
            }
            LogForm::Pipeline => {
                if log.has("duration_ms") {
                    let ms = row.began.and_then(|began| i64::try_from(now.since_ms(began)).ok());
                    sql.push(", duration_ms = ").push_bind(ms);
                }
                if let Some(error) = error.filter(|_| log.has("error_message")) {
                    sql.push(", error_message = ").push_bind(error.to_owned());
                }
            }
        }
        sql.push(" WHERE rowid = ").push_bind(row.id);
        sql.build().execute(tx).await.map_err(|e| self.asked.sql(e))?;
        Ok(())
    }

    /// A take-over ends what an earlier run of ours left open: it will not come back. Other tools' rows stay as they are.
    pub(super) async fn close_earlier(
        &self,
        tx: &mut SqliteConnection,
        form: LogForm,
        log: &Columns,
    ) -> Result<(), StoreError> {
        let mut sql = QueryBuilder::<Sqlite>::new(format!("UPDATE {LOG} SET status = 'failed'"));
        let ours = match form {
            LogForm::Specification => {
                if log.has("completed_at") {
                    sql.push(", completed_at = ").push_bind(spaced_utc(Timestamp::now()));
                }
                "instr(details, '[Stepback run ') > 0"
            }
            LogForm::Pipeline => {
                if log.has("error_message") {
                    sql.push(", error_message = ").push_bind(format!("taken over by run {}", self.key));
                }
                "CASE WHEN json_valid(metadata_json) THEN json_extract(metadata_json, '$.run_key') END IS NOT NULL"
            }
        };
        sql.push(" WHERE operation_type = 'rollback' AND status = 'in_progress' AND version_id = ");
        sql.push_bind(self.target.as_str().to_owned()).push(" AND ").push(ours);
        sql.build().execute(tx).await.map_err(|e| self.asked.sql(e))?;
        Ok(())
    }

    /// What was committed is what is there.
    pub(super) async fn read_back(
        &self,
        connection: &mut SqliteConnection,
        form: LogForm,
        state: &str,
        log_id: i64,
    ) -> Result<(), StoreError> {
        let found = self.state(connection).await?;
        let logged = self.log_rows(connection, form).await?.iter().any(|r| r.id == log_id);
        if found == state && logged {
            return Ok(());
        }
        let log = if logged { "there" } else { "missing" };
        Err(self.asked.fault(
            Fault::Changed,
            format!("read back after the change, the state is {found} instead of {state} and the log row is {log}"),
        ))
    }
}
