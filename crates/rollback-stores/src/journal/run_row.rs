//! What an event makes of its run's row: state, end, and the times in which it waited or stood still.

use rollback::journal::JournalError;
use rollback_types::{Event, EventKind, Passed, RunState, Timestamp};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::SqliteJournal;

/// How a run stood before an event.
pub(super) struct Before {
    /// The number of its last event.
    pub last: u64,
    state: RunState,
    /// When that event was, or the run's opening.
    at: Timestamp,
}

impl Before {
    fn passed(&self, event: &Event) -> Passed {
        Passed::until(&event.kind, self.state)
    }

    /// Until when the run was seen alive.
    pub(super) fn last_sign(&self, event: &Event) -> Timestamp {
        if self.passed(event) == Passed::Standstill { self.at } else { event.at }
    }
}

impl SqliteJournal {
    pub(super) async fn before(&self, tx: &mut SqliteConnection, event: &Event) -> Result<Before, JournalError> {
        let run = event.run_id;
        let sql = "SELECT last_event, state, COALESCE((SELECT at FROM events WHERE run_id = id AND number = last_event), \
                   started_at) AS at FROM runs WHERE id = ?";
        let row = sqlx::query(sql).bind(run.0).fetch_optional(tx).await.map_err(|e| self.sql(e))?;
        let row = row.ok_or(JournalError::NoSuchRun(run))?;
        let number = |column: &str| row.try_get::<i64, _>(column).map_err(|e| self.sql(e));
        let word: String = row.try_get("state").map_err(|e| self.sql(e))?;
        let state = RunState::parse(&word)
            .ok_or_else(|| self.place.unusable(format!("run #{run} is in an unknown state, {word}")))?;
        Ok(Before { last: number("last_event")?.cast_unsigned(), state, at: Timestamp::from_unix_ms(number("at")?) })
    }
}

/// What the event makes of its run's row.
pub(super) async fn update(
    tx: &mut SqliteConnection,
    event: &Event,
    before: &Before,
    state: RunState,
) -> Result<(), sqlx::Error> {
    let mut sql = QueryBuilder::<Sqlite>::new("UPDATE runs SET last_event = ");
    sql.push_bind(event.number.cast_signed()).push(", state = ").push_bind(state.as_str());
    let sum = match before.passed(event) {
        Passed::Work => None,
        Passed::Wait => Some("waited_ms"),
        Passed::Standstill => Some("stood_still_ms"),
    };
    if let Some(sum) = sum {
        sql.push(format!(", {sum} = {sum} + ")).push_bind(event.at.since_ms(before.at).cast_signed());
    }
    match &event.kind {
        EventKind::RunEnded { summary, .. } => {
            sql.push(", ended_at = ").push_bind(event.at.unix_ms());
            sql.push(", summary = ").push_bind(summary.clone());
        }
        EventKind::RunInterrupted { message, .. } => {
            sql.push(", ended_at = ").push_bind(event.at.unix_ms());
            sql.push(", summary = ").push_bind(message.clone());
            sql.push(", last_sign_at = ").push_bind(before.last_sign(event).unix_ms());
        }
        EventKind::RunAbandoned { summary, .. } => {
            sql.push(", ended_at = ").push_bind(event.at.unix_ms());
            sql.push(", summary = ").push_bind(summary.clone());
            sql.push(", last_sign_at = NULL");
        }
        _ if state.is_active() => {
            sql.push(", ended_at = NULL, summary = NULL, last_sign_at = NULL");
        }
        _ => {}
    }
    sql.push(" WHERE id = ").push_bind(event.run_id.0);
    sql.build().execute(tx).await.map(|_| ())
}
