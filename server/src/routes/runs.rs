//! Runs: start, list, look, decide.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{
    Cursor, Decision, LogLevel, LogPart, LogQuery, Page, Problem, ResumeRequest, RollbackPlan, RunKind, RunQuery,
    RunState, RunSummary, RunView, StartRequest, Step, StepState, StoreKind, Timestamp,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problem::{ApiJson, ApiProblem, PathText, QueryPairs};
use crate::state::AppState;

/// Runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs",
    params(
        ("state" = Option<RunState>, Query, description = "only runs in this state"),
        ("kind" = Option<RunKind>, Query, description = "only runs of this kind"),
        ("version_id" = Option<String>, Query, description = "only runs about this version"),
        ("q" = Option<String>, Query, description = "only runs with this text in reason, version or who started it"),
        ("since" = Option<Timestamp>, Query, description = "only runs that began at this moment or later"),
        ("until" = Option<Timestamp>, Query, description = "only runs that began before this moment"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "rows a page, 50 when absent", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, body = Page<RunSummary>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn list_runs(State(state): State<AppState>, pairs: QueryPairs) -> Result<Json<Page<RunSummary>>, ApiProblem> {
    pairs.only(&["state", "kind", "version_id", "q", "since", "until", "cursor", "limit"])?;
    let run_state = match pairs.last("state") {
        None => None,
        Some(word) => Some(RunState::parse(word).ok_or_else(|| {
            ApiProblem::invalid(
                "state: allowed are running, needs_decision, interrupted, completed, completed_with_findings, aborted",
            )
        })?),
    };
    let kind = match pairs.last("kind") {
        None => None,
        Some(word) => Some(RunKind::parse(word).ok_or_else(|| {
            let known = RunKind::ALL.map(RunKind::as_str).join(", ");
            ApiProblem::invalid(format!("kind: allowed are {known}"))
        })?),
    };
    let query = RunQuery {
        state: run_state,
        kind,
        version_id: pairs.last("version_id").map(str::to_owned),
        search: pairs.last("q").map(str::to_owned),
        since: pairs.moment("since")?,
        until: pairs.moment("until")?,
        cursor: pairs.last("cursor").map(|c| Cursor(c.to_owned())),
        limit: pairs.limit()?,
    };
    Ok(Json(state.service.runs(&query).await?))
}

/// Starts the run that a plan described. The plan is made again first; if its digest differs, nothing starts.
#[utoipa::path(post, path = "/api/v1/runs", tag = "runs", request_body = StartRequest, responses(
    (status = 201, body = RunView, headers(("location" = String, description = "the run"))),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json",
        description = "`stale-plan` with the new plan and the difference, or `active-run` naming the run"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "the plan is not startable"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn start_run(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(request): ApiJson<StartRequest>,
) -> Result<Response, ApiProblem> {
    let view = state.service.start(&request, &actor).await?;
    let location = format!("/api/v1/runs/{}", view.run.id);
    let mut response = (StatusCode::CREATED, Json(view)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// One run with its steps and its log.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one_run(State(state): State<AppState>, id: PathText) -> Result<Json<RunView>, ApiProblem> {
    Ok(Json(state.service.run(id.run_id()?).await?))
}

/// How one run stands: what a list says of it. Small, for those who ask again and again.
#[utoipa::path(get, path = "/api/v1/runs/{id}/summary", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunSummary),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn run_summary(State(state): State<AppState>, id: PathText) -> Result<Json<RunSummary>, ApiProblem> {
    Ok(Json(state.service.run_summary(id.run_id()?).await?))
}

/// A part of a run's log: the last lines that fit, or with `after` the first.
#[utoipa::path(get, path = "/api/v1/runs/{id}/log", tag = "runs",
    params(
        ("id" = i64, Path, description = "the run's number"),
        ("q" = Option<String>, Query, description = "only lines that hold this text, whatever its case"),
        ("level" = Option<LogLevel>, Query, description = "only lines at least as loud as this"),
        ("before" = Option<u64>, Query, description = "only lines before the event of this number"),
        ("after" = Option<u64>, Query, description = "only lines after the event of this number; not together with `before`"),
        ("limit" = Option<u32>, Query, description = "lines at most, 400 when absent", minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, body = LogPart),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn log(State(state): State<AppState>, id: PathText, pairs: QueryPairs) -> Result<Json<LogPart>, ApiProblem> {
    pairs.only(&["q", "level", "before", "after", "limit"])?;
    let number = |name: &str| {
        let parsed = pairs.last(name).map(|text| text.parse::<u64>());
        parsed.transpose().map_err(|_| ApiProblem::invalid(format!("{name}: allowed is an event's number")))
    };
    let limit = match pairs.last("limit") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| ApiProblem::invalid("limit: allowed is 1 to 1000"))?),
    };
    let level = match pairs.last("level") {
        None => None,
        Some("info") => Some(LogLevel::Info),
        Some("warning") => Some(LogLevel::Warning),
        Some("error") => Some(LogLevel::Error),
        Some(_) => return Err(ApiProblem::invalid("level: allowed is info, warning or error")),
    };
    let query = LogQuery {
        text: pairs.last("q").map(str::to_owned),
        level,
        before: number("before")?,
        after: number("after")?,
        limit,
    };
    Ok(Json(state.service.log(id.run_id()?, &query).await?))
}

/// A run's whole log as text, a line an event.
#[utoipa::path(get, path = "/api/v1/runs/{id}/log.txt", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, content_type = "text/plain; charset=utf-8", body = String, description = "an attachment"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn log_text(State(state): State<AppState>, id: PathText) -> Result<Response, ApiProblem> {
    let id = id.run_id()?;
    let text = state.service.log_text(id).await?;
    let name = format!("attachment; filename=\"run-{id}.log\"");
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(text)).into_response())
}

/// A decision about a failed step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionBody {
    /// The step: its number, 1 to 8, or its word (`delete_points`).
    step: StepReference,
    /// For step 7: whose lane, when more than one asks.
    lane: Option<StoreKind>,
    /// What is decided.
    decision: Decision,
    /// Why; required for a skip, 3 to 500 characters.
    reason: Option<String>,
    /// Which try of the step you saw fail, counted from 1: the length of its `tries` in the run that you read. Where it is given
    /// and a later try has failed since, nothing is decided (`failed-again`).
    failure: Option<u32>,
}

/// A step by number or by word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StepReference {
    /// 1 to 8.
    Number(u8),
    /// `delete_points`, or the number as text.
    Word(String),
}

impl DecisionBody {
    /// The step meant; of step 7's lanes the one that failed.
    fn step(&self, view: &RunView) -> Result<Step, ApiProblem> {
        let number = match &self.step {
            StepReference::Number(n) => *n,
            StepReference::Word(word) => match (Step::parse(word), word.parse()) {
                (Some(step), _) => return Ok(step),
                (None, Ok(number)) => number,
                (None, Err(_)) => {
                    let words: Vec<_> = view.run.kind.steps().iter().map(|s| s.as_str()).collect();
                    return Err(ApiProblem::invalid(format!(
                        "step: allowed are numbers of its steps, or {}",
                        words.join(", ")
                    )));
                }
            },
        };
        let fits = |s: &Step| s.number() == number && self.lane.is_none_or(|lane| s.lane() == Some(lane));
        let failed = view.steps.iter().filter(|s| s.state == StepState::Failed).map(|s| s.step);
        let failed: Vec<Step> = failed.filter(fits).collect();
        if failed.len() > 1 {
            return Err(ApiProblem::invalid("lane: more than one lane of this step asks; name the store"));
        }
        failed
            .first()
            .copied()
            .or_else(|| view.run.kind.steps().into_iter().find(fits))
            .ok_or_else(|| ApiProblem::invalid("step: allowed are numbers of its steps; lane: the store of that step"))
    }
}

/// Decides about a failed step: retry, skip (3 to 5 and 7 only, with a reason), put the store's way back in again (7 only),
/// or abort the run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/decision", tag = "runs", request_body = DecisionBody,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", 
            description = "nothing is asked about that step now, or `failed-again`: it has failed again since you read it"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn decide(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(body): ApiJson<DecisionBody>,
) -> Result<Json<RunView>, ApiProblem> {
    let id = id.run_id()?;
    let view = state.service.run(id).await?;
    let step = body.step(&view)?;
    Ok(Json(state.service.decide_about(id, (step, body.failure), body.decision, body.reason, &actor).await?))
}

/// What is left of an interrupted run, planned again. Changes nothing.
#[utoipa::path(get, path = "/api/v1/runs/{id}/plan", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RollbackPlan),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the run is not interrupted"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn resume_plan(State(state): State<AppState>, id: PathText) -> Result<Json<RollbackPlan>, ApiProblem> {
    Ok(Json(state.service.resume_plan(id.run_id()?, &[]).await?))
}

/// Takes an interrupted run up again, as its plan of the rest describes. That plan is made again first; if its digest
/// differs, nothing starts.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", tag = "runs", request_body = ResumeRequest,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "the run is not interrupted, another one is active, or `stale-plan` with the new plan"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "the plan is not startable"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn resume(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(request): ApiJson<ResumeRequest>,
) -> Result<Json<RunView>, ApiProblem> {
    Ok(Json(state.service.resume(id.run_id()?, &request, &actor).await?))
}

/// Why a run is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbandonBody {
    /// 3 to 500 characters.
    reason: String,
}

/// Gives an interrupted run up. What it did stays done, and its version can be taken over by another run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/abandon", tag = "runs", request_body = AbandonBody,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = RunView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the run is not interrupted"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn abandon(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(body): ApiJson<AbandonBody>,
) -> Result<Json<RunView>, ApiProblem> {
    Ok(Json(state.service.abandon(id.run_id()?, &body.reason, &actor).await?))
}
