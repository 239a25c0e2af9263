//! Plans.

use axum::Json;
use axum::extract::State;
use rollback_types::{PlanRequest, Problem, RollbackPlan};

use crate::problem::{ApiJson, ApiProblem};
use crate::state::AppState;

/// What a run of any kind would do. Changes nothing; a rollback's takes about a second, because staging is counted twice.
#[utoipa::path(post, path = "/api/v1/plans", tag = "plans", request_body = PlanRequest, responses(
    (status = 200, body = RollbackPlan, description = "the plan; `startable` says whether it may be started"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn make_plan(
    State(state): State<AppState>,
    ApiJson(request): ApiJson<PlanRequest>,
) -> Result<Json<RollbackPlan>, ApiProblem> {
    Ok(Json(state.service.plan(&request).await?))
}
