//! The registry: lists and single versions.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::{Page, StateCount, VersionDetail, VersionId, VersionQuery, VersionRow};
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
    /// Bytes of the backups of the versions that have one.
    pub kept: HashMap<VersionId, u64>,
}

/// A page of versions.
#[server(name = ListVersions, prefix = "/rpc", endpoint = "versions", input = GetUrl, output = Json)]
pub async fn list_versions(query: VersionQuery) -> Result<VersionList, ApiError> {
    let service = service()?;
    let (page, counts, kept) = futures::join!(service.versions(&query), service.state_counts(), service.kept_sizes());
    let (page, counts) = (page.map_err(refused)?, counts.map_err(refused)?);
    // Where the backups cannot be listed their own page says so.
    let kept = kept.unwrap_or_default();
    // A list without its picture is still the list.
    let chart = crate::charts::versions_chart("versions-chart", &page.items, &kept).unwrap_or_default();
    Ok(VersionList { page, counts, chart, kept })
}

/// One version.
#[server(name = GetVersion, prefix = "/rpc", endpoint = "version", input = GetUrl, output = Json)]
pub async fn get_version(id: String) -> Result<VersionDetail, ApiError> {
    service()?.version(&id).await.map_err(refused)
}
