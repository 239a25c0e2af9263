//! Reading `operation_log`.

use rollback::store::StoreError;
use rollback_types::{OperationRow, VersionId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::cell::{Cell, Fields, LONGEST};
use super::fault::Asked;
use super::shape::{Columns, LOG, LogForm, Shape};

/// The latest entries about a version, newest first.
pub(super) async fn of_version(
    connection: &mut SqliteConnection,
    shape: &Shape,
    id: &VersionId,
    limit: u32,
    local_offset_s: i32,
    asked: &Asked,
) -> Result<Vec<OperationRow>, StoreError> {
    let log = shape.need_log(asked)?;
    if !log.has("version_id") {
        return Ok(Vec::new());
    }
    let mut sql = selecting(log);
    sql.push(" WHERE l.version_id = ").push_bind(id.as_str().to_owned());
    read(connection, sql, limit, shape.log_form(), local_offset_s, asked).await
}

/// Entries in progress that are no rollback; see the trait.
pub(super) async fn open(
    connection: &mut SqliteConnection,
    shape: &Shape,
    local_offset_s: i32,
    asked: &Asked,
) -> Result<Vec<OperationRow>, StoreError> {
    let log = shape.need_log(asked)?;
    if !log.has("status") {
        return Ok(Vec::new());
    }
    let mut sql = selecting(log);
    sql.push(" WHERE lower(l.status) IN ('in_progress', 'running', 'started', 'pending')");
    if log.has("operation_type") {
        // Ours, the operator's, and the pipeline's `rollback_start`, which stays pending for ever.
        sql.push(" AND lower(substr(COALESCE(l.operation_type, ''), 1, 8)) <> 'rollback'");
    }
    if log.has("completed_at") {
        sql.push(" AND l.completed_at IS NULL");
    }
    read(connection, sql, 20, shape.log_form(), local_offset_s, asked).await
}

fn selecting(log: &Columns) -> QueryBuilder<Sqlite> {
    let column = |alias: &str, sources: &[&str]| match log.first(sources) {
        Some(c) => format!(
            "CASE WHEN typeof(l.{c}) IN ('text', 'blob') THEN substr(l.{c}, 1, {}) ELSE l.{c} END AS {alias}",
            LONGEST + 1
        ),
        None => format!("NULL AS {alias}"),
    };
    let columns = [
        column("operation_type", &["operation_type"]),
        column("status", &["status"]),
        column("details", &["details"]),
        column("created_at", &["created_at", "timestamp"]),
        column("completed_at", &["completed_at"]),
        column("system", &["system"]),
        column("entity_type", &["entity_type"]),
        column("entity_id", &["entity_id"]),
        column("error_message", &["error_message"]),
        column("duration_ms", &["duration_ms"]),
        column("metadata_json", &["metadata_json"]),
    ]
    .join(", ");
    let id = if log.has("version_id") { "l.version_id" } else { "NULL" };
    QueryBuilder::new(format!("SELECT l.rowid AS row_id, {id} AS version_id, {columns} FROM {LOG} l"))
}

async fn read(
    connection: &mut SqliteConnection,
    mut sql: QueryBuilder<Sqlite>,
    limit: u32,
    form: LogForm,
    local_offset_s: i32,
    asked: &Asked,
) -> Result<Vec<OperationRow>, StoreError> {
    sql.push(" ORDER BY l.rowid DESC LIMIT ").push_bind(i64::from(limit));
    let rows = sql.build().fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    rows.iter().map(|row| operation_of(row, form, local_offset_s).map_err(|e| asked.sql(e))).collect()
}

fn operation_of(row: &SqliteRow, form: LogForm, local_offset_s: i32) -> Result<OperationRow, sqlx::Error> {
    let mut fields = Fields::new(row);
    Ok(OperationRow {
        id: row.try_get("row_id")?,
        version_id: VersionId::new(fields.required("version_id")?),
        operation_type: fields.required("operation_type")?,
        status: fields.required("status")?,
        details: match form {
            LogForm::Specification => fields.short_text("details")?,
            LogForm::Pipeline => pipeline_details(row)?,
        },
        created_at: fields.time("created_at", local_offset_s)?,
        completed_at: fields.time("completed_at", local_offset_s)?,
    })
}

/// `pipeline · chapter bailey:ch1 · 226 ms · ['Count mismatch …']`: what the pipeline's columns say, in one line.
fn pipeline_details(row: &SqliteRow) -> Result<Option<String>, sqlx::Error> {
    let text = |column: &str| Cell::read(row, column).map(Cell::into_text);
    let entity: Vec<_> = [text("entity_type")?, text("entity_id")?].into_iter().flatten().collect();
    let parts = [
        text("system")?,
        Some(entity.join(" ")).filter(|e| !e.is_empty()),
        text("duration_ms")?.map(|ms| format!("{ms} ms")),
        text("error_message")?,
        text("metadata_json")?,
    ];
    let line: Vec<_> = parts.into_iter().flatten().collect();
    Ok(Some(line.join(" · ")).filter(|l| !l.is_empty()).map(super::cell::cut))
}
