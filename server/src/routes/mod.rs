//! Every address the server answers.

mod approvals;
mod audit;
mod backups;
mod entering;
mod events;
mod health;
mod latest_copy;
mod oidc;
mod pages;
mod people;
mod plans;
mod preferences;
pub mod rendering;
mod report;
mod runs;
mod saved;
mod session;
mod setup;
mod versions;

use std::sync::Arc;

use app::pages::versions::columns::ADDRESS as COLUMNS;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use rollback_types::{Problem, ProblemKind};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::access::door::{MAX_BODY, door};
use crate::access::rules::{ADMINISTRATOR, Guarded, OPERATOR, Rule, Rules, VIEWER};
use crate::access::{cookies, whole_removal};
use crate::config::CALLBACK;
use crate::problem::ApiProblem;
use crate::problem_page::for_people;
use crate::state::AppState;

pub(crate) use approvals::{
    __path_ask_approval, __path_ask_resume_approval, __path_list_approvals, __path_one_approval, __path_vote,
};
pub(crate) use audit::{__path_download_audit, __path_list_audit};
pub(crate) use backups::{__path_list_backups, __path_one_backup, __path_trust_backup, __path_verify_backup};
pub(crate) use events::{__path_changes, __path_events};
pub(crate) use health::{__path_healthz, __path_readyz};
pub(crate) use latest_copy::{__path_latest_copy, __path_stores};
pub(crate) use pages::show as show_page;
pub(crate) use people::{
    __path_add_user, __path_change_user, __path_list_tokens, __path_list_users, __path_make_token, __path_me,
    __path_revoke_token, __path_sign_out_user,
};
pub(crate) use plans::__path_make_plan;
pub(crate) use report::{__path_add_notes, __path_compare_runs, __path_report, __path_report_as_markdown};
pub(crate) use runs::{
    __path_abandon, __path_decide, __path_list_runs, __path_log, __path_log_text, __path_one_run, __path_resume,
    __path_resume_plan, __path_run_summary, __path_start_run,
};
pub(crate) use saved::{__path_offenders, __path_remove_way_back, __path_way_back};
pub(crate) use versions::{__path_list_versions, __path_one_version};

/// The whole server: API, page, files. Every request passes the door.
pub fn router(state: AppState) -> Router {
    let (router, rules) = guarded().into_parts();
    let state = AppState { rules: Arc::new(rules), ..state };
    router
        .fallback(pages::file_or_page)
        .with_state(state.clone())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(state.clone(), door))
        .layer(middleware::from_fn_with_state(state.clone(), for_people))
        // Around the door: what a problem says is read before it is compressed.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(cookies(&state.access))
        .layer(middleware::map_response(whole_removal))
}

/// Every route with its rule, but for the server functions, whose rules are a table of their own.
pub fn rules() -> Rules {
    guarded().into_parts().1
}

fn guarded() -> Guarded {
    let routes = Guarded::default()
        .get("/healthz", Rule::Public, health::healthz)
        .get("/readyz", Rule::Public, health::readyz)
        .get("/api/openapi.json", Rule::Public, openapi)
        .get("/session/oidc/begin", Rule::Public, oidc::to_provider)
        .get(CALLBACK, Rule::Public, oidc::from_provider)
        .post("/setup", ADMINISTRATOR, setup::examine)
        .post("/session/sign-in", Rule::Public, session::sign_in)
        .post("/session/welcome", Rule::Public, session::welcome)
        .post(COLUMNS, VIEWER, preferences::columns)
        .post("/session/sign-out", Rule::Public, session::sign_out)
        .post("/session/sign-out-everywhere", VIEWER, session::sign_out_everywhere)
        .post("/session/password", VIEWER, session::change_password)
        .get("/api/v1/me", VIEWER, people::me)
        .get("/api/v1/users", ADMINISTRATOR, people::list_users)
        .post("/api/v1/users", ADMINISTRATOR, people::add_user)
        .post("/api/v1/users/{name}", ADMINISTRATOR, people::change_user)
        .post("/api/v1/users/{name}/sign-out", ADMINISTRATOR, people::sign_out_user)
        .get("/api/v1/tokens", ADMINISTRATOR, people::list_tokens)
        .post("/api/v1/tokens", ADMINISTRATOR, people::make_token)
        .delete("/api/v1/tokens/{id}", ADMINISTRATOR, people::revoke_token)
        .get("/api/v1/audit", ADMINISTRATOR, audit::list_audit)
        .get("/api/v1/audit.ndjson", ADMINISTRATOR, audit::download_audit)
        .get("/api/v1/versions", VIEWER, versions::list_versions)
        .get("/api/v1/versions/{id}", VIEWER, versions::one_version)
        .get("/api/v1/latest-copy", VIEWER, latest_copy::latest_copy)
        .get("/api/v1/backups", VIEWER, backups::list_backups)
        .get("/api/v1/backups/{name}", VIEWER, backups::one_backup)
        .post("/api/v1/backups/{name}/verify", OPERATOR, backups::verify_backup)
        .get("/api/v1/changes", VIEWER, events::changes)
        .post("/api/v1/backups/{name}/trust", OPERATOR, backups::trust_backup)
        .get("/api/v1/stores", VIEWER, latest_copy::stores)
        .post("/api/v1/plans", OPERATOR, plans::make_plan)
        .get("/api/v1/runs", VIEWER, runs::list_runs)
        .post("/api/v1/runs", OPERATOR, runs::start_run)
        .get("/api/v1/runs/compare", VIEWER, report::compare_runs)
        .get("/api/v1/runs/{id}", VIEWER, runs::one_run)
        .get("/api/v1/runs/{id}/summary", VIEWER, runs::run_summary)
        .get("/api/v1/runs/{id}/report", VIEWER, report::report)
        .get("/api/v1/runs/{id}/report.md", VIEWER, report::report_as_markdown)
        .post("/api/v1/runs/{id}/notes", OPERATOR, report::add_notes)
        .post("/api/v1/runs/{id}/decision", OPERATOR, runs::decide)
        .get("/api/v1/runs/{id}/plan", VIEWER, runs::resume_plan)
        .post("/api/v1/runs/{id}/resume", OPERATOR, runs::resume)
        .post("/api/v1/runs/{id}/abandon", OPERATOR, runs::abandon)
        .post("/api/v1/runs/{id}/approval", OPERATOR, approvals::ask_resume_approval)
        .get("/api/v1/approvals", VIEWER, approvals::list_approvals)
        .post("/api/v1/approvals", OPERATOR, approvals::ask_approval)
        .get("/api/v1/approvals/{digest}", VIEWER, approvals::one_approval)
        .post("/api/v1/approvals/{digest}/vote", OPERATOR, approvals::vote)
        .get("/api/v1/runs/{id}/events", VIEWER, events::events)
        .get("/api/v1/runs/{id}/log", VIEWER, runs::log)
        .get("/api/v1/runs/{id}/log.txt", VIEWER, runs::log_text)
        .get("/api/v1/runs/{id}/way-back", VIEWER, saved::way_back)
        .delete("/api/v1/runs/{id}/way-back", ADMINISTRATOR, saved::remove_way_back)
        .get("/api/v1/runs/{id}/validation/{kind}", VIEWER, saved::offenders);
    pages::routes(routes)
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
