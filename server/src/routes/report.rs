//! A run's report, what people add to it, and two runs side by side.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{NoteRequest, Problem, RunComparison, RunId, RunReport};

use crate::problem::{ApiJson, ApiProblem, PathText, QueryPairs};
use crate::report_markdown::report_markdown;
use crate::state::AppState;

/// What a run did and what people say of it. Of a run that is not over: so far.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunReport, description = "an attachment"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn report(State(state): State<AppState>, id: PathText) -> Result<Response, ApiProblem> {
    let id = id.run_id()?;
    let name = format!("attachment; filename=\"run-{id}-report.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(state.service.report(id).await?)).into_response())
}

/// The same as Markdown.
#[utoipa::path(get, path = "/api/v1/runs/{id}/report.md", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, content_type = "text/markdown", body = String, description = "an attachment"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn report_as_markdown(State(state): State<AppState>, id: PathText) -> Result<Response, ApiProblem> {
    let id = id.run_id()?;
    let text = report_markdown(&state.service.report(id).await?);
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"run-{id}-report.md\"")),
    ];
    Ok((headers, text).into_response())
}

/// Adds root cause, lessons, remarks and ticks of the "after" checklist to the report of a run that is over.
///
/// All notes of a request are one entry of the journal. A later root cause supersedes an earlier one, which is kept. What
/// stands already is not written again.
#[utoipa::path(post, path = "/api/v1/runs/{id}/notes", tag = "runs", request_body = NoteRequest,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunReport),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the run is not over"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn add_notes(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(request): ApiJson<NoteRequest>,
) -> Result<Json<RunReport>, ApiProblem> {
    Ok(Json(state.service.annotate(id.run_id()?, &request, &actor).await?))
}

/// Two runs side by side: facts, steps with the difference of their durations, counts.
#[utoipa::path(get, path = "/api/v1/runs/compare", tag = "runs",
    params(
        ("a" = i64, Query, description = "the first run's number"),
        ("b" = i64, Query, description = "the second run's number"),
    ),
    responses(
        (status = 200, body = RunComparison),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn compare_runs(State(state): State<AppState>, pairs: QueryPairs) -> Result<Json<RunComparison>, ApiProblem> {
    pairs.only(&["a", "b"])?;
    let run = |key: &str| -> Result<RunId, ApiProblem> {
        let given = pairs.last(key).and_then(|text| text.parse().ok());
        given.ok_or_else(|| ApiProblem::invalid(format!("{key}: the number of a run is needed")))
    };
    Ok(Json(state.service.compare(run("a")?, run("b")?).await?))
}
