//! Which runs of Stepback, on this machine or another, wrote rows about a version into the log, and which of them holds it.

use rollback::store::{RunMark, StoreError};
use rollback_types::RollbackTarget;
use sqlx::SqliteConnection;

use super::cell::Cell;
use super::fault::Asked;
use super::shape::{LogForm, Shape};

/// How a row's `details` end: `… [Stepback run 0123abcd]`.
const MARKER: &str = "[Stepback run ";

/// One entry for each run, by its oldest row.
pub(super) async fn of_version(
    connection: &mut SqliteConnection,
    shape: &Shape,
    target: &RollbackTarget,
    asked: &Asked,
) -> Result<Vec<RunMark>, StoreError> {
    if shape.log.is_none() {
        return Ok(Vec::new());
    }
    let sql = match shape.log_form() {
        LogForm::Specification => {
            "SELECT status, details AS told FROM operation_log WHERE version_id = ? AND operation_type = 'rollback' \
             ORDER BY rowid"
        }
        LogForm::Pipeline => {
            "SELECT status, CASE WHEN json_valid(metadata_json) THEN json_extract(metadata_json, '$.run_key') END AS told \
             FROM operation_log WHERE version_id = ? AND operation_type = 'rollback' ORDER BY rowid"
        }
    };
    let rows = sqlx::query(sql).bind(target.as_str()).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let mut marks: Vec<RunMark> = Vec::new();
    for row in rows {
        let text = |column: &str| Cell::read(&row, column).map(Cell::into_text).map_err(|e| asked.sql(e));
        let (Some(status), Some(told)) = (text("status")?, text("told")?) else { continue };
        let key = match shape.log_form() {
            LogForm::Pipeline => Some(told.as_str()),
            LogForm::Specification => told.rsplit_once(MARKER).and_then(|(_, rest)| rest.strip_suffix(']')),
        };
        let Some(key) = key.filter(|key| !key.is_empty()) else { continue };
        let at = marks.iter().position(|m| m.run_key == key).unwrap_or_else(|| {
            marks.push(RunMark { run_key: key.to_owned(), open: false, completed: false });
            marks.len() - 1
        });
        if let Some(mark) = marks.get_mut(at) {
            mark.completed |= status == "completed";
            // A row that was closed well stays `in_progress`, with one `completed` beside it, as the runbook has it.
            mark.open = !mark.completed && (mark.open || status == "in_progress");
        }
    }
    Ok(marks)
}
