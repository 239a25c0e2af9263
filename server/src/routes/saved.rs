//! What a run left in its folder: its way back, and the lists of its validation.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::stream;
use rollback::{Actor, ServiceError};
use rollback_types::{OffenderKind, Problem, RunId, StoreKind, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use utoipa::ToSchema;

use crate::problem::{ApiJson, ApiProblem, PathText};
use crate::state::AppState;

/// Read at a time from a list.
const CHUNK: usize = 64 * 1024;

/// What a run saved before it restored.
#[derive(Debug, Serialize, ToSchema)]
pub struct WayBackView {
    /// The run.
    run_id: RunId,
    /// The stores it holds.
    stores: Vec<StoreKind>,
    /// Bytes of its files.
    bytes: u64,
    /// Its folder.
    folder: String,
    /// When it goes by itself; absent while the run is not over.
    kept_until: Option<Timestamp>,
}

/// What a run can be undone with.
#[utoipa::path(get, path = "/api/v1/runs/{id}/way-back", tag = "runs",
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 200, body = WayBackView),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "no such run, or it has no way back"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn way_back(State(state): State<AppState>, id: PathText) -> Result<Json<WayBackView>, ApiProblem> {
    let run_id = id.run_id()?;
    let Some(saved) = state.service.way_back(run_id).await? else {
        let said = format!("Run #{run_id} has no way back: it restored nothing, or its way back was removed.");
        return Err(ServiceError::NotFound(said).into());
    };
    Ok(Json(WayBackView {
        run_id,
        stores: saved.stores,
        bytes: saved.bytes,
        folder: saved.folder.display().to_string(),
        kept_until: saved.kept_until,
    }))
}

/// The confirmation of a removal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveBody {
    /// The run's number, given once more.
    confirm_run: RunId,
}

/// Removes what a run saved: it cannot be undone after that.
#[utoipa::path(delete, path = "/api/v1/runs/{id}/way-back", tag = "runs", request_body = RemoveBody,
    params(("id" = i64, Path, description = "the run's number")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "a run is active"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn remove_way_back(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    id: PathText,
    ApiJson(body): ApiJson<RemoveBody>,
) -> Result<StatusCode, ApiProblem> {
    let run_id = id.run_id()?;
    if body.confirm_run != run_id {
        return Err(ApiProblem::invalid(format!("confirm_run: allowed is {run_id}, the run of this address")));
    }
    state.service.remove_way_back(run_id, &actor).await?;
    tracing::info!(run = %run_id, "the way back of a run was removed by a person");
    Ok(StatusCode::NO_CONTENT)
}

/// All ids that a run's validation found to offend in one way, one a line.
#[utoipa::path(get, path = "/api/v1/runs/{id}/validation/{kind}", tag = "runs",
    params(
        ("id" = i64, Path, description = "the run's number"),
        ("kind" = OffenderKind, Path, description = "the way of offending, such as `missing-in-neo4j`"),
    ),
    responses(
        (status = 200, content_type = "text/plain; charset=utf-8", body = String, description = "an attachment"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn offenders(
    State(state): State<AppState>,
    parts: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<Response, ApiProblem> {
    let Path((id, kind)) = parts.map_err(|rejection| ApiProblem::invalid(rejection.body_text()))?;
    let run_id = PathText(id).run_id()?;
    // Only a word of the list becomes part of a path.
    let kind = OffenderKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| {
        let words: Vec<_> = OffenderKind::ALL.iter().map(|k| k.as_str()).collect();
        ApiProblem::invalid(format!("kind: allowed are {}", words.join(", ")))
    })?;
    let path = state.service.offenders_file(run_id, kind).await?;
    let file = tokio::fs::File::open(&path)
        .await
        .map_err(|error| ServiceError::Conflict(format!("{} cannot be read: {error}.", path.display())))?;
    let lines = stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), file)))
    });
    let name = format!("attachment; filename=\"run-{run_id}-{}\"", kind.file_name());
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(lines)).into_response())
}
