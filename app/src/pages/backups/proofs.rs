//! The proofs of one backup: the ladder, its files, every rung, earlier looks.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, Rung, Timestamp};

use super::row::Tried;
use super::rungs::RungsTable;
use super::trend::Trend;
use crate::components::{Column, CopyableId, DataTable, LadderGrid, StoreName, Time, TimeStyle};
use crate::format;

/// Closed until somebody wants to know.
#[component]
pub(super) fn Proofs(
    health: BackupHealth,
    /// What is known of trial restores.
    tried: Tried,
) -> impl IntoView {
    let files = health.files.iter().map(file).collect_view();
    let name = health.source.name().into_owned();
    let read = read_to_the_end(&health);
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
                <LadderGrid health=health.clone() told=true />
                <Trend name=name.clone() history=health.history.clone() />
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
                {read}
                " · in "
                <bdi class="foreign">
                    <code>{format::visible(&health.folder)}</code>
                </bdi>
            </p>
        </details>
    }
}

fn trial(tried: Tried) -> impl IntoView {
    let said = match tried {
        Tried::Proven(at) => {
            return view! { "Last proven by a trial restore " <Time at=at style=TimeStyle::Relative /> "." }.into_any();
        }
        Tried::Failed => "A trial restore of it failed.",
        Tried::InPart => "Not all of its files were restored on trial as they are now.",
        Tried::AsItWas => "Not proven by a trial restore as it is now: a file changed since the last one.",
        Tried::NotLately => "Not proven by a trial restore, as far as earlier looks are remembered.",
        Tried::Never => "Not proven by a trial restore: none was made yet.",
    };
    said.into_any()
}

/// When every file was read to its end, and how long the slowest took: files that did not change are not read again at each
/// look. Nothing while one was not.
fn read_to_the_end(health: &BackupHealth) -> Option<impl IntoView + use<>> {
    let opened = |f: &BackupFile| f.rungs.iter().find(|r| r.rung == Rung::Opens)?.checked_at;
    let times: Option<Vec<Timestamp>> = health.files.iter().map(opened).collect();
    let oldest = times?.into_iter().min()?;
    let took = format::duration(health.took_ms);
    Some(view! {
        " · each file was read to its end on "
        <Time at=oldest style=TimeStyle::Absolute />
        {format!(" or later, the slowest in {took}")}
    })
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
