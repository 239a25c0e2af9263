//! Backups on the ladder of proofs.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::{Extension, Json};
use rollback::Actor;
use rollback_types::{BackupHealth, Page, Problem, StoreKind};
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
    Extension(actor): Extension<Actor>,
    name: PathText,
    ApiJson(body): ApiJson<VerifyBody>,
) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.verify_backup(&name.0, body.trial, None, &actor).await?))
}

/// Which files are meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrustBody {
    /// The SHA-256 of each file that was replaced, as it was seen, by store: all that `replaced` of the backup names.
    #[schema(example = json!({ "neo4j": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }))]
    sha256: BTreeMap<StoreKind, String>,
    /// Why they are the right ones: 3 to 500 characters, for the journal and the audit.
    #[schema(example = "exported anew by hand")]
    reason: String,
}

impl TrustBody {
    /// As [`BackupHealth::replaced_as_seen`] writes it.
    fn seen(&self) -> String {
        let words: Vec<String> = StoreKind::ALL
            .into_iter()
            .filter_map(|store| Some(format!("{}={}", store.as_str(), self.sha256.get(&store)?.to_ascii_lowercase())))
            .collect();
        words.join(",")
    }
}

/// Says that files of a backup which took others' places, with no checksum on record, are the right ones (`replaced` of the
/// backup names them). They are read again first, and trusted only if they are what was seen.
#[utoipa::path(post, path = "/api/v1/backups/{name}/trust", tag = "backups", request_body = TrustBody,
    params(("name" = String, Path, description = "`latest-copy` or a kept version's id")),
    responses(
        (status = 200, body = BackupHealth),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "a run is active, no file of it was replaced, or the files are not the ones that were seen"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn trust_backup(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    name: PathText,
    ApiJson(body): ApiJson<TrustBody>,
) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.trust_backup(&name.0, &body.seen(), &body.reason, &actor).await?))
}
