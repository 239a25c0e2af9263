//! Backups on the ladder of proofs.

use axum::extract::State;
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{BackupHealth, Page, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::problem::{ApiJson, ApiProblem, PathText};
use crate::state::AppState;

/// latest-copy first, then every kept version, newest first. Files that did not change since they were proven are not read
/// again.
#[utoipa::path(get, path = "/api/v1/backups", tag = "backups", responses(
    (status = 200, body = Page<BackupHealth>),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the folder cannot be read"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_backups(State(state): State<AppState>) -> Result<Json<Page<BackupHealth>>, ApiProblem> {
    Ok(Json(Page { items: state.service.backups().await?, next_cursor: None }))
}

/// One backup on the ladder.
#[utoipa::path(get, path = "/api/v1/backups/{name}", tag = "backups",
    params(("name" = String, Path, description = "`latest-copy` or a kept version's id")),
    responses(
        (status = 200, body = BackupHealth),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn one_backup(State(state): State<AppState>, name: PathText) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.backup(&name.0).await?))
}

/// How to verify.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyBody {
    /// Restore on trial too, into scratch places that are removed again.
    #[serde(default)]
    trial: bool,
}

/// Reads every file of a backup again, and with `trial` restores it into scratch places. Answers when it is done, which
/// takes minutes for large files; it goes on when the client hangs up. No run can be started meanwhile.
#[utoipa::path(post, path = "/api/v1/backups/{name}/verify", tag = "backups", request_body = VerifyBody,
    params(("name" = String, Path, description = "`latest-copy` or a kept version's id")),
    responses(
        (status = 200, body = BackupHealth),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "a run is active"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn verify_backup(
    State(state): State<AppState>,
    name: PathText,
    ApiJson(body): ApiJson<VerifyBody>,
) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.verify_backup(&name.0, body.trial, None).await?))
}

/// Says that files of a backup which took others' places, with no checksum on record, are the right ones (`replaced` of the
/// backup names them). They are read again first; what is trusted is what is there then.
#[utoipa::path(post, path = "/api/v1/backups/{name}/trust", tag = "backups",
    params(("name" = String, Path, description = "`latest-copy` or a kept version's id")),
    responses(
        (status = 200, body = BackupHealth),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "a run is active, or no file of it was replaced"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn trust_backup(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    name: PathText,
) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.trust_backup(&name.0, None, &actor).await?))
}
