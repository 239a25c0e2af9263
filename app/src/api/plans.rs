//! What a rollback would do.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::{RollbackPlan, RunKind, StoreKind};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{refused, service};

/// Plans a rollback; changes nothing. Without `restore`: as the evidence recommends.
#[server(name = PlanRollback, prefix = "/rpc", endpoint = "plan", input = GetUrl, output = Json)]
pub async fn plan_rollback(
    version_id: String,
    #[server(default)] kind: RunKind,
    #[server(default)] acknowledgements: Vec<String>,
    #[server(default)] restore: Option<Vec<StoreKind>>,
) -> Result<RollbackPlan, ApiError> {
    let request = rollback_types::PlanRequest { kind, version_id, restore, acknowledgements };
    service()?.plan(&request).await.map_err(refused)
}
