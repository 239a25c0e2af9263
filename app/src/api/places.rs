//! Where the palette can go: what is found by a part of its name.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
#[cfg(feature = "ssr")]
use rollback_types::{Role, RunQuery, VersionQuery};

use super::error::ApiError;
#[cfg(feature = "ssr")]
use crate::components::palette::Place;
use crate::components::palette::Places;
#[cfg(feature = "ssr")]
use crate::format;

#[cfg(feature = "ssr")]
use super::{actor, service};

/// Of each kind, at most so many.
#[cfg(feature = "ssr")]
const EACH: u32 = 6;
/// Letters of a label.
#[cfg(feature = "ssr")]
const LETTERS: usize = 120;

/// Versions, runs and backups whose names or reasons hold this text; for administrators people too.
#[server(name = FindPlaces, prefix = "/rpc", endpoint = "places", input = GetUrl, output = Json)]
pub async fn find_places(q: String) -> Result<Places, ApiError> {
    let (by, service) = (actor()?, service()?);
    let text = q.trim();
    if text.is_empty() {
        return Ok(Places { found: Vec::new(), complete: true });
    }
    let versions = VersionQuery { q: Some(text.to_owned()), limit: Some(EACH), ..VersionQuery::default() };
    let runs = RunQuery { search: Some(text.to_owned()), limit: Some(EACH), ..RunQuery::default() };
    let (versions, runs, backups, people) =
        futures::join!(service.versions(&versions), service.runs(&runs), service.backup_sources(), people(by.role()));
    // What cannot be asked is not found: the palette says so, and the rest can be reached.
    let complete = versions.is_ok() && runs.is_ok() && backups.is_ok() && people.is_ok();
    let place = |kind: &str, label: &str, href: String| Place {
        kind: kind.to_owned(),
        label: format::clip(&format::visible(label), LETTERS),
        href,
    };
    let versions = versions.into_iter().flat_map(|page| page.items).filter_map(|row| {
        let id = row.version_id.as_str();
        format::version_path(id).map(|href| place("Version", id, href))
    });
    let runs = runs.into_iter().flat_map(|page| page.items).map(|run| {
        place("Run", &format!("#{} · {} · {}", run.id, run.version_id, run.reason), format!("/runs/{}", run.id))
    });
    let backups = named(backups.into_iter().flatten().map(|source| source.name().into_owned()), text)
        .map(|name| place("Backup", &name, format!("/backups#backup-{}", format::anchor(&name))));
    let people = named(people.into_iter().flatten(), text)
        .map(|name| place("Person", &name, format!("/people#user-{}", format::anchor(&name))));
    Ok(Places { found: versions.chain(runs).chain(backups).chain(people).collect(), complete })
}

/// Those whose name holds the text, in any case of its letters.
#[cfg(feature = "ssr")]
fn named(names: impl Iterator<Item = String>, text: &str) -> impl Iterator<Item = String> {
    let wanted = text.to_lowercase();
    names.filter(move |name| name.to_lowercase().contains(&wanted)).take(EACH as usize)
}

/// The names of everybody; of nobody where that is not the reader's to know.
#[cfg(feature = "ssr")]
async fn people(role: Role) -> Result<Vec<String>, ApiError> {
    if !role.covers(Role::Administrator) {
        return Ok(Vec::new());
    }
    Ok(super::access::list_users().await?.into_iter().map(|user| user.name).collect())
}
