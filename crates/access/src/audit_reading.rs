//! The audit, read: a page at a time, newest first, or all of it, oldest first.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::Stream;
use futures::stream::try_unfold;
use rollback_types::{AuditOutcome, AuditQuery, AuditRow, Cursor, Page, SignInWay, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use crate::{Access, AccessError};

/// Rows of a page when no limit is given, and the most.
const PAGE: (u32, u32) = (50, 200);
/// Rows read at a time where all are asked for.
const BATCH: u32 = 500;

const ROWS: &str = "SELECT a.id, a.at, a.actor, a.role, a.via, a.address, a.action, m.subject, m.digest, m.reason, \
                    e.outcome, e.status, e.detail, e.at FROM audit a LEFT JOIN audit_matters m ON m.audit_id = a.id \
                    LEFT JOIN audit_ends e ON e.audit_id = a.id WHERE 1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
}

impl Access {
    /// One page, newest first. A page that is read on while rows are added repeats none and leaves none out.
    ///
    /// # Errors
    /// [`AccessError::BadCursor`], or the file's.
    pub async fn audit_page(&self, query: &AuditQuery) -> Result<Page<AuditRow>, AccessError> {
        let limit = query.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
        let below = match &query.cursor {
            Some(cursor) => Some(cursor.0.parse::<i64>().map_err(|_| AccessError::BadCursor)?),
            None => None,
        };
        let mut items = self.audit_rows(query, Order::NewestFirst, below, limit + 1).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| Cursor(last.id.to_string()));
        Ok(Page { items, next_cursor })
    }

    /// All rows of the query, oldest first, as they are read; its cursor and limit are not looked at. After an error
    /// nothing follows.
    pub fn audit_all(
        self: &Arc<Self>,
        query: AuditQuery,
    ) -> impl Stream<Item = Result<AuditRow, AccessError>> + Send + use<> {
        let start = (Arc::clone(self), query, None, VecDeque::new());
        try_unfold(start, |(access, query, mut after, mut read)| async move {
            if read.is_empty() {
                read = access.audit_rows(&query, Order::OldestFirst, after, BATCH).await?.into();
            }
            let Some(row) = read.pop_front() else { return Ok(None) };
            after = Some(row.id);
            Ok(Some((row, (access, query, after, read))))
        })
    }

    async fn audit_rows(
        &self,
        query: &AuditQuery,
        order: Order,
        beyond: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, AccessError> {
        let mut sql = QueryBuilder::<Sqlite>::new(ROWS);
        if let Some(beyond) = beyond {
            sql.push(if order == Order::NewestFirst { " AND a.id < " } else { " AND a.id > " }).push_bind(beyond);
        }
        if let Some(actor) = query.actor.as_deref().filter(|text| !text.is_empty()) {
            sql.push(" AND a.actor = ").push_bind(actor.to_owned());
        }
        if let Some(action) = query.action.as_deref().filter(|text| !text.is_empty()) {
            // INSTR, not LIKE: what was typed is text, not a pattern.
            sql.push(" AND INSTR(LOWER(a.action), ").push_bind(action.to_ascii_lowercase()).push(") > 0");
        }
        match query.outcome {
            None => {}
            Some(AuditOutcome::Begun) => {
                sql.push(" AND e.outcome IS NULL");
            }
            Some(outcome) => {
                sql.push(" AND e.outcome = ").push_bind(outcome.as_str());
            }
        }
        if let Some(since) = query.since {
            sql.push(" AND a.at >= ").push_bind(since.unix_ms());
        }
        if let Some(until) = query.until {
            sql.push(" AND a.at < ").push_bind(until.unix_ms());
        }
        sql.push(if order == Order::NewestFirst { " ORDER BY a.id DESC LIMIT " } else { " ORDER BY a.id LIMIT " });
        sql.push_bind(i64::from(limit));
        let rows = sql.build().fetch_all(&self.pool).await.map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.audit_row(row)).collect()
    }

    fn audit_row(&self, row: &SqliteRow) -> Result<AuditRow, AccessError> {
        let text = |i: usize| row.try_get::<Option<String>, _>(i).map_err(|e| self.sql(e));
        let number = |i: usize| row.try_get::<Option<i64>, _>(i).map_err(|e| self.sql(e));
        let unknown = |what: &str, word: &str| self.place.unusable(format!("{what} in the audit is unknown: {word}"));
        Ok(AuditRow {
            id: number(0)?.unwrap_or_default(),
            at: Timestamp::from_unix_ms(number(1)?.unwrap_or_default()),
            actor: text(2)?,
            role: text(3)?.map(|word| self.role(&word)).transpose()?,
            via: match text(4)? {
                Some(word) => Some(SignInWay::parse(&word).ok_or_else(|| unknown("a way of sign-in", &word))?),
                None => None,
            },
            address: text(5)?,
            action: text(6)?.unwrap_or_default(),
            subject: text(7)?,
            digest: text(8)?,
            reason: text(9)?,
            outcome: match text(10)? {
                Some(word) => AuditOutcome::parse(&word).ok_or_else(|| unknown("an outcome", &word))?,
                None => AuditOutcome::Begun,
            },
            status: number(11)?.and_then(|status| u16::try_from(status).ok()),
            detail: text(12)?,
            ended_at: number(13)?.map(Timestamp::from_unix_ms),
        })
    }
}
