//! Approvals: asking for one, reading the plan it is about, and one's word about it.

use axum::extract::State;
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{Approval, Problem, ResumeRequest, StartRequest, VoteRequest};

use crate::problem::{ApiJson, ApiProblem, PathText};
use crate::state::AppState;

/// The requests for approval, newest first, without their plans.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals", responses(
    (status = 200, body = Vec<Approval>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_approvals(State(state): State<AppState>) -> Result<Json<Vec<Approval>>, ApiProblem> {
    Ok(Json(state.service.approvals().await?))
}

/// Asks for approval of the plan that would be started by this very request.
#[utoipa::path(post, path = "/api/v1/approvals", tag = "approvals", request_body = StartRequest, responses(
    (status = 200, body = Approval, description = "the request; one that is open already is given back as it is"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the plan is stale, or no approval is needed"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn ask_approval(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(request): ApiJson<StartRequest>,
) -> Result<Json<Approval>, ApiProblem> {
    Ok(Json(state.service.ask_approval(&request, &actor).await?))
}

/// Asks for approval of the plan of what is left of an interrupted run.
#[utoipa::path(post, path = "/api/v1/runs/{id}/approval", tag = "approvals", request_body = ResumeRequest,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = Approval),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn ask_resume_approval(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(request): ApiJson<ResumeRequest>,
) -> Result<Json<Approval>, ApiProblem> {
    Ok(Json(state.service.ask_resume_approval(id.run_id()?, &request, &actor).await?))
}

/// One request, with its plan as it was when approval was asked for.
#[utoipa::path(get, path = "/api/v1/approvals/{digest}", tag = "approvals",
    params(("digest" = String, Path, description = "the plan's digest")),
    responses(
        (status = 200, body = Approval),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one_approval(State(state): State<AppState>, digest: PathText) -> Result<Json<Approval>, ApiProblem> {
    Ok(Json(state.service.approval(&digest.0).await?))
}

/// One's word about another person's request. Tokens have none.
#[utoipa::path(post, path = "/api/v1/approvals/{digest}/vote", tag = "approvals", request_body = VoteRequest,
    params(("digest" = String, Path, description = "the plan's digest")),
    responses(
        (status = 200, body = Approval),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "one's own, decided already, or a token"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn vote(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    digest: PathText,
    ApiJson(request): ApiJson<VoteRequest>,
) -> Result<Json<Approval>, ApiProblem> {
    Ok(Json(state.service.vote(&digest.0, &request, &actor).await?))
}
