//! Versions.

use axum::Json;
use axum::extract::State;
use rollback_types::{Cursor, Page, Problem, VersionDetail, VersionQuery, VersionRow, VersionSort, VersionState};

use crate::problem::{ApiProblem, PathText, QueryPairs};
use crate::state::AppState;

/// Versions, a page at a time.
#[utoipa::path(get, path = "/api/v1/versions", tag = "versions",
    params(
        ("status" = Option<String>, Query, description = "only these states, separated by commas"),
        ("q" = Option<String>, Query, description = "part of the id, the message or the notes"),
        ("sort" = inline(Option<VersionSort>), Query, description = "the order"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "rows a page, 50 when absent", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, body = Page<VersionRow>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list_versions(
    State(state): State<AppState>,
    pairs: QueryPairs,
) -> Result<Json<Page<VersionRow>>, ApiProblem> {
    pairs.only(&["status", "q", "sort", "cursor", "limit"])?;
    let statuses = pairs.0.iter().filter(|(k, _)| k == "status").flat_map(|(_, v)| v.split(','));
    let sort = match pairs.last("sort") {
        None => VersionSort::default(),
        Some(word) => VersionSort::parse(word).ok_or_else(|| {
            let words: Vec<_> = VersionSort::ALL.iter().map(|(_, w)| *w).collect();
            ApiProblem::invalid(format!("sort: allowed are {}", words.join(", ")))
        })?,
    };
    let query = VersionQuery {
        status: statuses.filter(|s| !s.is_empty()).map(VersionState::from).collect(),
        q: pairs.last("q").filter(|q| !q.is_empty()).map(str::to_owned),
        sort,
        cursor: pairs.last("cursor").map(|c| Cursor(c.to_owned())),
        limit: pairs.limit()?,
    };
    Ok(Json(state.service.versions(&query).await?))
}

/// Everything about one version: the registry row, what is staged store by store, its operation log, its runs.
#[utoipa::path(get, path = "/api/v1/versions/{id}", tag = "versions",
    params(("id" = String, Path, description = "the version id")),
    responses(
        (status = 200, body = VersionDetail),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one_version(State(state): State<AppState>, id: PathText) -> Result<Json<VersionDetail>, ApiProblem> {
    Ok(Json(state.service.version(&id.0).await?))
}
