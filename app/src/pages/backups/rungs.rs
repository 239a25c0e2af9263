//! Every rung of every file, with what was seen, when, and how long it took.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{BackupHealth, RungResult, StoreKind};

use crate::components::badge::rung_look;
use crate::components::{Badge, Column, DataTable, StoreName, Time};
use crate::format;

/// The table behind the ladder's grid.
#[component]
pub(super) fn RungsTable(health: BackupHealth) -> impl IntoView {
    let name = health.source.name().into_owned();
    let rows = health
        .files
        .iter()
        .flat_map(|f| f.rungs.iter().map(|r| row(f.store, r, health.replaced.contains(&f.store))))
        .collect_view();
    view! {
        <details class="figures">
            <summary>"What was seen on each rung"</summary>
            <DataTable
                label=format!("Rungs of {name}")
                columns=vec![
                    Column::text("Store"),
                    Column::text("Rung"),
                    Column::text("State"),
                    Column::text("Seen"),
                    Column::text("When"),
                    Column::number("Took"),
                ]
                class="stack rungs"
            >
                {rows}
            </DataTable>
        </details>
    }
}

fn row(store: StoreKind, r: &RungResult, replaced: bool) -> impl IntoView + use<> {
    let (tone, icon, word) = rung_look(Some(r.state), replaced);
    view! {
        <tr>
            <td>
                <StoreName store=store />
            </td>
            <td>{r.rung.title()}</td>
            <td class="state">
                <Badge tone=tone icon=icon text=word.to_owned() />
            </td>
            <td class="wide foreign">{format::visible(&r.detail)}</td>
            <td class="muted">{r.checked_at.map(|at| view! { <Time at=at /> })}</td>
            <td class="num muted">{r.took_ms.map(format::duration)}</td>
        </tr>
    }
}
