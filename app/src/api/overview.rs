//! The first page.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::Overview;

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{refused, service};

/// Everything the first page shows. A store that is down is told inside.
#[server(name = GetOverview, prefix = "/rpc", endpoint = "overview", input = GetUrl, output = Json)]
pub async fn overview() -> Result<Overview, ApiError> {
    service()?.overview().await.map_err(refused)
}
