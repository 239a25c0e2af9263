//! The audit: who did what, and who tried to.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, TryStreamExt as _};
use rollback_types::{AuditOutcome, AuditQuery, AuditRow, Cursor, Page, Problem, Timestamp};

use crate::problem::{ApiProblem, QueryPairs};
use crate::state::AppState;

/// Rows, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access",
    params(
        ("actor" = Option<String>, Query, description = "only of this actor"),
        ("action" = Option<String>, Query, description = "only where the action holds this text"),
        ("outcome" = Option<AuditOutcome>, Query, description = "only with this outcome"),
        ("since" = Option<Timestamp>, Query, description = "only from this moment on"),
        ("until" = Option<Timestamp>, Query, description = "only before this moment"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "rows a page, 50 when absent", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, body = Page<AuditRow>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list_audit(State(state): State<AppState>, pairs: QueryPairs) -> Result<Json<Page<AuditRow>>, ApiProblem> {
    pairs.only(&["actor", "action", "outcome", "since", "until", "cursor", "limit"])?;
    let query = AuditQuery {
        cursor: pairs.last("cursor").map(|c| Cursor(c.to_owned())),
        limit: pairs.limit()?,
        ..filter(&pairs)?
    };
    Ok(Json(state.access.audit_page(&query).await?))
}

/// All rows that a filter finds, oldest first, one line of JSON each.
#[utoipa::path(get, path = "/api/v1/audit.ndjson", tag = "access",
    params(
        ("actor" = Option<String>, Query, description = "only of this actor"),
        ("action" = Option<String>, Query, description = "only where the action holds this text"),
        ("outcome" = Option<AuditOutcome>, Query, description = "only with this outcome"),
        ("since" = Option<Timestamp>, Query, description = "only from this moment on"),
        ("until" = Option<Timestamp>, Query, description = "only before this moment"),
    ),
    responses(
        (status = 200, content_type = "application/x-ndjson", body = String, description = "an attachment"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn download_audit(State(state): State<AppState>, pairs: QueryPairs) -> Result<Response, ApiProblem> {
    pairs.only(&["actor", "action", "outcome", "since", "until"])?;
    let rows = state.access.audit_all(filter(&pairs)?);
    // A row that cannot be read breaks the answer off: a download that looks whole must be whole.
    let lines = rows.map_err(std::io::Error::other).map(|row| {
        let mut line = serde_json::to_vec(&row?).map_err(std::io::Error::other)?;
        line.push(b'\n');
        Ok::<_, std::io::Error>(Bytes::from(line))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"stepback-audit.ndjson\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn filter(pairs: &QueryPairs) -> Result<AuditQuery, ApiProblem> {
    let text = |key| pairs.last(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let outcome = match text("outcome") {
        None => None,
        Some(word) => Some(AuditOutcome::parse(&word).ok_or_else(|| {
            let words: Vec<_> = AuditOutcome::ALL.iter().map(|o| o.as_str()).collect();
            ApiProblem::invalid(format!("outcome: allowed are {}", words.join(", ")))
        })?),
    };
    Ok(AuditQuery {
        actor: text("actor"),
        action: text("action"),
        outcome,
        since: pairs.moment("since")?,
        until: pairs.moment("until")?,
        cursor: None,
        limit: None,
    })
}
