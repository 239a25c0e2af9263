//! Steps 2 and 8 and the note of an abort: the only changes to the registry and its log.
//!
//! Each is one `BEGIN IMMEDIATE` transaction with a conditional update, read back after the commit. A repeated step
//! finds the log row of its own run and changes nothing.

use rollback::store::{AbortNoted, AbortRequest, Fault, FinishRequest, MarkRequest, Marked, StoreError};
use rollback_types::{Layout, RollbackTarget, Timestamp};
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::cell::{Cell, NONE};
use super::clock::{iso_local, spaced_utc};
use super::connect::{Connections, close_after};
use super::fault::Asked;
use super::shape::{Columns, LOG, LogForm, REGISTRY, Shape};

const ROLLING_BACK: &str = "rolling_back";
const ROLLED_BACK: &str = "rolled_back";

/// Step 2.
pub(super) async fn rolling_back(
    connections: &Connections,
    local_offset_s: i32,
    request: &MarkRequest,
) -> Result<Marked, StoreError> {
    let asked = Asked::new(connections.path(), format!("marking {} as rolling_back", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = rolling_back_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn rolling_back_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &MarkRequest,
) -> Result<Marked, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let state = run.state(&mut tx).await?;
    let own = run.log_rows(&mut tx, form).await?;
    if let (ROLLING_BACK, true, Some(row)) =
        (state.as_str(), is_open(&own), own.iter().find(|r| r.status == "in_progress"))
    {
        return Ok(Marked { log_id: row.id, repeated: true });
    }
    if state != request.expected.as_str() {
        return Err(run.changed(&state, &format!("{}, as the plan saw it", request.expected)));
    }
    let message = format!("Rollback initiated due to: {}", request.reason);
    run.update(&mut tx, &shape, registry, request.expected.as_str(), ROLLING_BACK, &message).await?;
    if state == ROLLING_BACK {
        run.close_earlier(&mut tx, form, log).await?;
    }
    let entry = Entry { status: "in_progress", text: &message, error: None, completed: false };
    let log_id = run.insert(&mut tx, form, log, &entry).await?;
    tx.commit().await.map_err(|e| asked.sql(e))?;
    run.read_back(connection, form, ROLLING_BACK, log_id).await?;
    Ok(Marked { log_id, repeated: false })
}

/// Step 8; returns the id of the row `completed`.
pub(super) async fn rolled_back(
    connections: &Connections,
    local_offset_s: i32,
    request: &FinishRequest,
) -> Result<i64, StoreError> {
    let asked = Asked::new(connections.path(), format!("marking {} as rolled_back", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = rolled_back_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn rolled_back_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &FinishRequest,
) -> Result<i64, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let state = run.state(&mut tx).await?;
    let own = run.log_rows(&mut tx, form).await?;
    if let (ROLLED_BACK, Some(row)) = (state.as_str(), own.iter().find(|r| r.status == "completed")) {
        return Ok(row.id);
    }
    if state != ROLLING_BACK {
        return Err(run.changed(&state, ROLLING_BACK));
    }
    // A run that has finished keeps its first row `in_progress`, with the row `completed` beside it.
    if !is_open(&own) {
        let said = "this run's row in the operation log is closed or gone: another rollback took the version over; nothing was \
                    changed";
        return Err(asked.fault(Fault::Changed, said));
    }
    let message = format!("Rollback completed successfully. Reason: {}", request.reason);
    run.update(&mut tx, &shape, registry, ROLLING_BACK, ROLLED_BACK, &message).await?;
    let entry = Entry { status: "completed", text: &request.details, error: None, completed: true };
    let log_id = run.insert(&mut tx, form, log, &entry).await?;
    for row in own.iter().filter(|r| r.status == "in_progress") {
        run.close(&mut tx, form, log, row, None).await?;
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    run.read_back(connection, form, ROLLED_BACK, log_id).await?;
    Ok(log_id)
}

/// After an abort.
pub(super) async fn note_abort(
    connections: &Connections,
    local_offset_s: i32,
    request: &AbortRequest,
) -> Result<AbortNoted, StoreError> {
    let asked = Asked::new(connections.path(), format!("noting the abort of {}", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = note_abort_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn note_abort_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &AbortRequest,
) -> Result<AbortNoted, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let own = run.log_rows(&mut tx, form).await?;
    let open: Vec<_> = own.iter().filter(|r| r.status == "in_progress").collect();
    if !is_open(&own) {
        // Noted before, or never marked by this run: then the row is somebody else's.
        return Ok(AbortNoted::NothingOpen);
    }
    let noted = match run.state(&mut tx).await {
        Ok(state) if state == ROLLING_BACK => {
            run.update(&mut tx, &shape, registry, ROLLING_BACK, ROLLING_BACK, &request.message).await?;
            AbortNoted::Noted
        }
        // Somebody went on by hand. The row in the log is this run's all the same, and must not stay open for ever.
        Ok(state) => AbortNoted::NotHeld(format!("its state is {}", super::cell::cut(state))),
        Err(error) if error.fault == Fault::Changed => {
            AbortNoted::NotHeld("the registry does not have it exactly once any more".to_owned())
        }
        Err(error) => return Err(error),
    };
    for row in open {
        run.close(&mut tx, form, log, row, Some(&request.message)).await?;
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    Ok(noted)
}

/// A row of the log that this run wrote.
struct OwnRow {
    id: i64,
    status: String,
    began: Option<Timestamp>,
}

/// The run's row is in progress, and it has not finished.
fn is_open(own: &[OwnRow]) -> bool {
    own.iter().any(|r| r.status == "in_progress") && !own.iter().any(|r| r.status == "completed")
}

/// A row to be written.
struct Entry<'a> {
    status: &'a str,
    text: &'a str,
    error: Option<&'a str>,
    completed: bool,
}

/// What all three share.
struct Run<'a> {
    target: &'a RollbackTarget,
    key: &'a str,
    local_offset_s: i32,
    asked: &'a Asked,
}

impl Run<'_> {
    /// The state of exactly one row.
    async fn state(&self, tx: &mut SqliteConnection) -> Result<String, StoreError> {
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

    fn changed(&self, found: &str, wanted: &str) -> StoreError {
        let found = super::cell::cut(found.to_owned());
        self.asked.fault(Fault::Changed, format!("its state is {found}, not {wanted}; nothing was changed"))
    }

    /// The conditional update. That the target is no baseline and no safety backup is asked here once more, in SQL.
    async fn update(
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
    async fn log_rows(&self, tx: &mut SqliteConnection, form: LogForm) -> Result<Vec<OwnRow>, StoreError> {
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

    async fn insert(
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
    async fn close(
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
    async fn close_earlier(&self, tx: &mut SqliteConnection, form: LogForm, log: &Columns) -> Result<(), StoreError> {
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
    async fn read_back(
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
