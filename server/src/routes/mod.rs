//! Every address the server answers.

mod backups;
mod events;
mod health;
mod latest_copy;
mod pages;
mod plans;
mod runs;
mod saved;
mod versions;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, middleware};
use rollback_types::{Problem, ProblemKind};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::guard::guard;
use crate::problem::ApiProblem;
use crate::state::AppState;

pub(crate) use backups::{__path_list_backups, __path_one_backup, __path_verify_backup};
pub(crate) use events::__path_events;
pub(crate) use health::{__path_healthz, __path_readyz};
pub(crate) use latest_copy::{__path_latest_copy, __path_stores};
pub(crate) use plans::__path_make_plan;
pub(crate) use runs::{__path_decide, __path_list_runs, __path_one_run, __path_start_run};
pub(crate) use saved::{__path_offenders, __path_remove_way_back, __path_way_back};
pub(crate) use versions::{__path_list_versions, __path_one_version};

/// No request of ours is larger.
const MAX_BODY: usize = 64 * 1024;

/// The whole server: API, page, files.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/versions", get(versions::list_versions))
        .route("/versions/{id}", get(versions::one_version))
        .route("/latest-copy", get(latest_copy::latest_copy))
        .route("/backups", get(backups::list_backups))
        .route("/backups/{name}", get(backups::one_backup))
        .route("/backups/{name}/verify", post(backups::verify_backup))
        .route("/stores", get(latest_copy::stores))
        .route("/plans", post(plans::make_plan))
        .route("/runs", get(runs::list_runs).post(runs::start_run))
        .route("/runs/{id}", get(runs::one_run))
        .route("/runs/{id}/decision", post(runs::decide))
        .route("/runs/{id}/events", get(events::events))
        .route("/runs/{id}/way-back", get(saved::way_back).delete(saved::remove_way_back))
        .route("/runs/{id}/validation/{kind}", get(saved::offenders))
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest("/api/v1", api)
        .route("/api/openapi.json", get(openapi))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .merge(pages::routes(&state))
        .with_state(state)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn(guard))
}

async fn openapi() -> impl IntoResponse {
    axum::Json(crate::openapi::document())
}

async fn no_such_route() -> ApiProblem {
    let mut problem = Problem::new(ProblemKind::NotFound, "There is nothing at this address.");
    problem.remedy = Some("/api/openapi.json describes every address.".into());
    problem.into()
}

async fn wrong_method() -> ApiProblem {
    let mut problem = Problem::new(ProblemKind::MethodNotAllowed, "This address does not take that method.");
    problem.remedy = Some("/api/openapi.json describes every address.".into());
    problem.into()
}
