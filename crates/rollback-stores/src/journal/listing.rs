//! Lists of runs, newest first.

use rollback::journal::JournalError;
use rollback_types::{Cursor, Page, RunCount, RunKind, RunQuery, RunState, RunSummary};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use super::{PAGE, SUMMARY, SqliteJournal};

/// Runs that one page of a search looks through by itself; the next page goes on after them.
const LOOKED_THROUGH: usize = 20_000;

pub(super) async fn runs(journal: &SqliteJournal, query: &RunQuery) -> Result<Page<RunSummary>, JournalError> {
    let limit = query.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let below = match &query.cursor {
        Some(cursor) => Some(cursor.0.parse::<i64>().map_err(|_| JournalError::BadCursor)?),
        None => None,
    };
    match query.search.as_deref().filter(|text| !text.is_empty()) {
        // SQLite folds the case of ASCII alone, which is all there is to fold here.
        Some(text) if text.is_ascii() => page(journal, query, below, limit, Some(text)).await,
        Some(text) => searched(journal, query, below, limit, &text.to_lowercase()).await,
        None => page(journal, query, below, limit, None).await,
    }
}

/// One page. `text` is looked for in any case of its letters.
async fn page(
    journal: &SqliteJournal,
    query: &RunQuery,
    below: Option<i64>,
    limit: u32,
    text: Option<&str>,
) -> Result<Page<RunSummary>, JournalError> {
    let mut sql = QueryBuilder::<Sqlite>::new(format!("SELECT {SUMMARY} FROM runs WHERE 1"));
    if let Some(below) = below {
        sql.push(" AND id < ").push_bind(below);
    }
    if let Some(state) = query.state {
        sql.push(" AND state = ").push_bind(state.as_str());
    }
    if let Some(kind) = query.kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    push_filters(&mut sql, query, text);
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit) + 1);
    let rows = sql.build().fetch_all(&journal.pool).await.map_err(|e| journal.sql(e))?;
    let mut items = rows.iter().map(|row| journal.summary_of(row)).collect::<Result<Vec<_>, _>>()?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next_cursor = items.last().filter(|_| more).map(|last| Cursor(last.id.to_string()));
    Ok(Page { items, next_cursor })
}

/// How many of each state and kind fit; nothing for text whose case SQLite does not know.
pub(super) async fn counts(journal: &SqliteJournal, query: &RunQuery) -> Result<Option<Vec<RunCount>>, JournalError> {
    let text = query.search.as_deref().filter(|text| !text.is_empty());
    if text.is_some_and(|text| !text.is_ascii()) {
        return Ok(None);
    }
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT state, kind, COUNT(*) AS n FROM runs WHERE 1");
    push_filters(&mut sql, query, text);
    sql.push(" GROUP BY state, kind");
    let rows = sql.build().fetch_all(&journal.pool).await.map_err(|e| journal.sql(e))?;
    let read = |row: &SqliteRow| -> Result<Option<RunCount>, sqlx::Error> {
        let (state, kind): (String, String) = (row.try_get("state")?, row.try_get("kind")?);
        let count = row.try_get::<i64, _>("n")?.unsigned_abs();
        // What a later Stepback wrote has no chip here.
        let known = RunState::parse(&state).zip(RunKind::parse(&kind));
        Ok(known.map(|(state, kind)| RunCount { state, kind, count }))
    };
    let counts: Result<Vec<_>, _> = rows.iter().filter_map(|row| read(row).transpose()).collect();
    counts.map(Some).map_err(|e| journal.sql(e))
}

/// All that narrows a list and its counts alike.
fn push_filters(sql: &mut QueryBuilder<Sqlite>, query: &RunQuery, text: Option<&str>) {
    if let Some(version) = &query.version_id {
        sql.push(" AND version_id = ").push_bind(version.clone());
    }
    if let Some(since) = query.since {
        sql.push(" AND started_at >= ").push_bind(since.unix_ms());
    }
    if let Some(until) = query.until {
        sql.push(" AND started_at < ").push_bind(until.unix_ms());
    }
    if let Some(text) = text {
        // `instr` and not LIKE: what was typed is text, not a pattern.
        sql.push(" AND (0");
        for column in ["reason", "version_id", "actor"] {
            sql.push(format!(" OR instr(lower({column}), lower(")).push_bind(text.to_owned()).push(")) > 0");
        }
        sql.push(")");
    }
}

/// Text beyond ASCII, whose case SQLite does not know: the runs are read and compared here, up to a bound.
async fn searched(
    journal: &SqliteJournal,
    query: &RunQuery,
    below: Option<i64>,
    limit: u32,
    text: &str,
) -> Result<Page<RunSummary>, JournalError> {
    let holds = |run: &RunSummary| {
        [run.reason.as_str(), run.version_id.as_str(), run.actor.as_str()]
            .iter()
            .any(|field| field.to_lowercase().contains(text))
    };
    let (mut items, mut below, mut looked) = (Vec::new(), below, 0);
    loop {
        let read = page(journal, query, below, PAGE.1, None).await?;
        looked += read.items.len();
        let more = read.next_cursor.is_some();
        for run in read.items {
            below = Some(run.id.0);
            if holds(&run) {
                items.push(run);
                if items.len() == limit as usize {
                    // There may be nothing more: then the next page is empty, and says so.
                    let next_cursor = below.map(|id| Cursor(id.to_string()));
                    return Ok(Page { items, next_cursor });
                }
            }
        }
        if !more {
            return Ok(Page { items, next_cursor: None });
        }
        if looked >= LOOKED_THROUGH {
            return Ok(Page { items, next_cursor: below.map(|id| Cursor(id.to_string())) });
        }
    }
}
