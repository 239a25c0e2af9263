//! Every rung of every file, with what was seen, when, and how long it took.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{BackupHealth, RungResult, RungState, StoreKind};

use crate::components::{Badge, IconName, StoreName, Time, Tone};
use crate::format;

/// The table behind the ladder's grid.
#[component]
pub(super) fn RungsTable(health: BackupHealth) -> impl IntoView {
    let name = health.source.name().into_owned();
    let rows = health.files.iter().flat_map(|f| f.rungs.iter().map(|r| row(f.store, r))).collect_view();
    view! {
        <details class="figures">
            <summary>"What was seen on each rung"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Rungs of {name}")>
                <table class="stack rungs">
                    <thead>
                        <tr>
                            <th scope="col">"Store"</th>
                            <th scope="col">"Rung"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Seen"</th>
                            <th scope="col">"When"</th>
                            <th scope="col" class="num">
                                "Took"
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </details>
    }
}

fn row(store: StoreKind, r: &RungResult) -> impl IntoView + use<> {
    let (tone, icon, word) = match r.state {
        RungState::Passed => (Tone::Good, IconName::Check, "proven"),
        RungState::Failed => (Tone::Bad, IconName::Cross, "failed"),
        RungState::NotProven => (Tone::Idle, IconName::Dash, "not proven"),
    };
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
