//! The registry: lists and single versions.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::{Page, StateCount, VersionDetail, VersionQuery, VersionRow};
use serde::{Deserialize, Serialize};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::{refused, service};

/// A page of versions, and how many there are of each state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionList {
    /// The rows.
    pub page: Page<VersionRow>,
    /// The states of all versions, whatever is filtered.
    pub counts: Vec<StateCount>,
    /// How the rows' figures grew, as SVG; absent when too few have any. Its texts are escaped.
    pub chart: Option<String>,
}

/// A page of versions.
#[server(name = ListVersions, prefix = "/rpc", endpoint = "versions", input = GetUrl, output = Json)]
pub async fn list_versions(query: VersionQuery) -> Result<VersionList, ApiError> {
    let service = service()?;
    let page = service.versions(&query).await.map_err(refused)?;
    let counts = service.state_counts().await.map_err(refused)?;
    // A list without its picture is still the list.
    let chart = crate::charts::versions_chart("versions-chart", &page.items).unwrap_or_default();
    Ok(VersionList { page, counts, chart })
}

/// One version.
#[server(name = GetVersion, prefix = "/rpc", endpoint = "version", input = GetUrl, output = Json)]
pub async fn get_version(id: String) -> Result<VersionDetail, ApiError> {
    service()?.version(&id).await.map_err(refused)
}
