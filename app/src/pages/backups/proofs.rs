//! The proofs of one backup: the ladder, its files, every rung, earlier looks.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, Rung, Timestamp};

use super::rungs::RungsTable;
use super::trend::Trend;
use crate::components::{Column, CopyableId, DataTable, LadderGrid, StoreName, Time, TimeStyle};
use crate::format;

/// Closed until somebody wants to know.
#[component]
pub(super) fn Proofs(
    health: BackupHealth,
    /// When all its files were last restored into a scratch place.
    tried: Option<Timestamp>,
) -> impl IntoView {
    let files = health.files.iter().map(file).collect_view();
    let name = health.source.name().into_owned();
    let took =
        (health.took_ms > 0).then(|| format!(" · the last full proof took {}", format::duration(health.took_ms)));
    view! {
        <details class="proofs">
            <summary>
                "Proofs and files" <span class="sr">" of "<bdi>{format::visible(&name)}</bdi></span>
            </summary>
            <div class="body">
                <div class="verdict-lines">
                    {health.intact.then(|| view! { <p class="foreign">{format::visible(&health.verdict)}</p> })}
                    <p class="small muted">{trial(tried)}</p>
                </div>
                <LadderGrid health=health.clone() />
                <Trend history=health.history.clone() />
            </div>
            <DataTable
                label=format!("Files of {name}")
                columns=vec![
                    Column::text("Store"),
                    Column::text("File"),
                    Column::text("SHA-256"),
                    Column::text("Proven up to"),
                    Column::number("Size"),
                    Column::number("Written"),
                ]
                class="stack files"
            >
                {files}
            </DataTable>
            <RungsTable health=health.clone() />
            <p class="small muted folder">
                "Looked at "
                <Time at=health.checked_at />
                {took}
                " · in "
                <bdi class="foreign">
                    <code>{format::visible(&health.folder)}</code>
                </bdi>
            </p>
        </details>
    }
}

fn trial(tried: Option<Timestamp>) -> impl IntoView + use<> {
    match tried {
        Some(at) => view! { "Last proven by a trial restore "<Time at=at style=TimeStyle::Relative />"." }.into_any(),
        None => view! { "Not proven by a trial restore as it is now." }.into_any(),
    }
}

fn file(f: &BackupFile) -> impl IntoView + use<> {
    let name = f.path.rsplit('/').next().unwrap_or(&f.path).to_owned();
    let hash = f.sha256.clone().map(|hash| {
        let shown = format!("{}…", format::clip(&hash, 12).trim_end_matches('…'));
        view! { <CopyableId text=hash shown=shown what=format!("SHA-256 of {name}") /> }
    });
    let proven = f.highest_proven().map_or("nothing", Rung::title);
    view! {
        <tr>
            <td>
                <StoreName store=f.store />
            </td>
            <td class="wide foreign">
                <code>{format::visible(&name)}</code>
            </td>
            <td class="wide">{hash.map_or_else(|| "not computed yet".into_any(), IntoAny::into_any)}</td>
            <td data-label="proven up to">{proven}</td>
            <td class="num">{f.bytes.map_or_else(|| "–".to_owned(), format::bytes)}</td>
            <td class="num muted">{f.modified_at.map(|at| view! { <Time at=at style=TimeStyle::Absolute /> })}</td>
        </tr>
    }
}
