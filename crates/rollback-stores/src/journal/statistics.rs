//! How long steps and runs took: noted as events arrive; steps are read as medians.

use std::collections::BTreeMap;

use rollback::journal::{CompletedRun, median};
use rollback_types::{Event, EventKind, RunKind, Step, StepDuration, Timestamp};
use sqlx::{Row, SqliteConnection, SqlitePool};

/// Medians look at this many of the latest completed runs.
const LATEST: i64 = 200;

/// Takes an event into account, in the transaction that writes it. A step took as long as all its tries were at work; of one
/// that was cut off, until the run's last sign.
pub(super) async fn note(tx: &mut SqliteConnection, event: &Event, last_sign: Timestamp) -> Result<(), sqlx::Error> {
    const ENDS: &str = "UPDATE step_times SET worked_ms = worked_ms + MAX(?1 - started_at, 0), ended_at = ?1 \
                        WHERE run_id = ?2 AND ended_at IS NULL AND (?3 IS NULL OR step = ?3)";
    let (sql, at, step) = match &event.kind {
        EventKind::StepStarted { step, .. } => {
            let sql = "INSERT INTO step_times (started_at, run_id, step) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET started_at = excluded.started_at, ended_at = NULL";
            (sql, event.at, Some(step))
        }
        EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } => (ENDS, event.at, Some(step)),
        EventKind::RunInterrupted { .. } => (ENDS, last_sign, None),
        EventKind::StepSkipped { step, .. } => {
            ("DELETE FROM step_times WHERE ?1 IS NOT NULL AND run_id = ?2 AND step = ?3", event.at, Some(step))
        }
        _ => return Ok(()),
    };
    let query = sqlx::query(sql).bind(at.unix_ms()).bind(event.run_id.0).bind(step.map(|step| step.as_str()));
    query.execute(tx).await.map(|_| ())
}

/// In the document's order; steps that no completed run has done are left out.
pub(super) async fn step_durations(pool: &SqlitePool) -> Result<Vec<StepDuration>, sqlx::Error> {
    let sql = "SELECT step, worked_ms AS ms FROM step_times WHERE ended_at IS NOT NULL AND run_id IN \
               (SELECT id FROM runs WHERE state IN ('completed', 'completed_with_findings') ORDER BY id DESC LIMIT ?)";
    let mut durations: BTreeMap<Step, Vec<u64>> = BTreeMap::new();
    for row in sqlx::query(sql).bind(LATEST).fetch_all(pool).await? {
        let (word, ms): (String, i64) = (row.try_get("step")?, row.try_get("ms")?);
        if let Some(step) = Step::parse(&word) {
            durations.entry(step).or_default().push(ms.cast_unsigned());
        }
    }
    let found = durations.into_iter().filter_map(|(step, all)| {
        Some(StepDuration {
            step,
            runs: all.len() as u64,
            median_ms: median(all)?,
            documented_ms: u64::from(step.documented_seconds()) * 1_000,
        })
    });
    Ok(found.collect())
}

/// Newest first.
pub(super) async fn completed_runs(
    pool: &SqlitePool,
    kind: RunKind,
    limit: u32,
) -> Result<Vec<CompletedRun>, sqlx::Error> {
    let sql = "SELECT MAX(ended_at - started_at - waited_ms - stood_still_ms, 0) AS ms, \
               CASE WHEN json_valid(plan_json) THEN json_extract(plan_json, '$.stores') END AS stores \
               FROM runs WHERE kind = ? AND ended_at IS NOT NULL AND \
               state IN ('completed', 'completed_with_findings') ORDER BY id DESC LIMIT ?";
    let rows = sqlx::query(sql).bind(kind.as_str()).bind(limit).fetch_all(pool).await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let took_ms = row.try_get::<i64, _>("ms")?.cast_unsigned();
        let stores_json = row.try_get::<Option<String>, _>("stores")?.unwrap_or_default();
        Ok(CompletedRun { took_ms, stores_json })
    };
    rows.iter().map(read).collect()
}
