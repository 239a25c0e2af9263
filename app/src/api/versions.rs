//! The registry: lists and single versions.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use rollback_types::{Page, StateCount, VersionCourse, VersionDetail, VersionId, VersionQuery, VersionRow};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::runs::Drawings;

#[cfg(feature = "ssr")]
use super::{refused, service};

/// A page of versions, and how many there are of each state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionList {
    /// The rows.
    pub page: Page<VersionRow>,
    /// The states of all versions that the search finds, whichever states are asked for.
    pub counts: Vec<StateCount>,
    /// All versions over time, whatever is asked for.
    pub course: VersionCourse,
    /// How their figures grew; absent when too few have any.
    pub chart: Option<Drawings>,
    /// Bytes of the backups of the versions that have one; absent where the backups cannot be listed.
    pub kept: Option<HashMap<VersionId, u64>>,
}

/// A page of versions.
#[server(name = ListVersions, prefix = "/rpc", endpoint = "versions", input = GetUrl, output = Json)]
pub async fn list_versions(query: VersionQuery) -> Result<VersionList, ApiError> {
    let service = service()?;
    // Where the backups cannot be listed their own page says so.
    let kept = service.kept_sizes().await.ok();
    let mut named: Vec<VersionId> = kept.iter().flat_map(HashMap::keys).cloned().collect();
    named.sort();
    let search = query.q.as_deref().filter(|q| !q.is_empty());
    let (page, counts, course) =
        futures::join!(service.versions(&query), service.state_counts(search), service.course(&named));
    let (page, counts, course) = (page.map_err(refused)?, counts.map_err(refused)?, course.map_err(refused)?);
    // A list without its picture is still the list.
    let chart = drawings(&course, kept.as_ref()).unwrap_or_default();
    Ok(VersionList { page, counts, course, chart, kept })
}

#[cfg(feature = "ssr")]
fn drawings(
    course: &VersionCourse,
    kept: Option<&HashMap<VersionId, u64>>,
) -> Result<Option<Drawings>, crate::charts::ChartError> {
    use crate::charts::{Room, versions_chart};
    use crate::pages::versions::RetentionWindow;

    let window = RetentionWindow::of(course, kept);
    let window = window.as_ref().map(|window| &window.id);
    let wide = versions_chart("versions-chart", &course.versions, kept, window, Room::Wide)?;
    let narrow = versions_chart("versions-chart-narrow", &course.versions, kept, window, Room::Narrow)?;
    Ok(wide.zip(narrow).map(|(wide, narrow)| Drawings { wide, narrow }))
}

/// One version.
#[server(name = GetVersion, prefix = "/rpc", endpoint = "version", input = GetUrl, output = Json)]
pub async fn get_version(id: String) -> Result<VersionDetail, ApiError> {
    service()?.version(&id).await.map_err(refused)
}
