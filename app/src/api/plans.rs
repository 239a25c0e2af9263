//! What a run of any kind would do.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
#[cfg(feature = "ssr")]
use rollback_types::{Difference, PlanDigest};
use rollback_types::{RollbackPlan, RunKind};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{chosen, refused, service};

/// Plans a run; changes nothing. `restore` is a word of [`crate::choice`]; empty: as the evidence recommends.
#[server(name = PlanRollback, prefix = "/rpc", endpoint = "plan", input = GetUrl, output = Json)]
pub async fn plan_rollback(
    version_id: String,
    #[server(default)] kind: RunKind,
    #[server(default)] restore: String,
) -> Result<RollbackPlan, ApiError> {
    let restore = chosen(&restore).map_err(refused)?;
    let request = rollback_types::PlanRequest { kind, version_id, restore, acknowledgements: Vec::new() };
    service()?.plan(&request).await.map_err(refused)
}

/// What differs between a plan that was read and the one of now; `None` where the server does not know them any more.
#[cfg(feature = "ssr")]
pub fn differences_since(read: &str, now: &PlanDigest) -> Option<Vec<Difference>> {
    service().ok()?.differences_since(read, now)
}

/// The run about this version that began after the plan was read, where the journal knows one.
#[cfg(feature = "ssr")]
pub async fn run_since(read: &str, version_id: &rollback_types::VersionId) -> Option<rollback_types::RunId> {
    // It only helps to understand what changed: a journal that cannot be read is told elsewhere on the page.
    service().ok()?.run_since(read, version_id).await.ok().flatten()
}
