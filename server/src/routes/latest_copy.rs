//! How the backup and the stores are.

use axum::Json;
use axum::extract::State;
use rollback_types::{BackupHealth, Page, Problem, StoreReport};

use crate::problem::ApiProblem;
use crate::state::AppState;

/// latest-copy on the ladder of proofs. Files that did not change since they were proven are not read again.
#[utoipa::path(get, path = "/api/v1/latest-copy", tag = "backups", responses(
    (status = 200, body = BackupHealth),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub async fn latest_copy(State(state): State<AppState>) -> Result<Json<BackupHealth>, ApiProblem> {
    Ok(Json(state.service.latest_copy(false).await?))
}

/// The three stores, asked at the same time.
#[utoipa::path(get, path = "/api/v1/stores", tag = "stores", responses((status = 200, body = Page<StoreReport>)))]
pub async fn stores(State(state): State<AppState>) -> Json<Page<StoreReport>> {
    Json(Page { items: state.service.stores().await, next_cursor: None })
}
