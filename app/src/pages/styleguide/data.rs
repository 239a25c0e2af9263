//! Data: tables, differences, the ladder, stores, meters and charts.

use leptos::prelude::*;
use rollback_types::{StoreKind, VersionId, VersionState};

use super::specimens::{LONG_VERSION, VERSION, ago, backup};
use crate::components::{
    Card, Change, Column, DataTable, Diff, LadderGlyph, LadderGrid, Meter, StoreDot, StoreName, Time, TimeStyle,
    VersionBadge, VersionLink,
};

/// A table and its list on a phone; a difference.
#[component]
pub(super) fn DataSection() -> impl IntoView {
    let row = |id: &str, state: &str, chapters: u32, minutes: u64| {
        view! {
            <tr>
                <td class="wide">
                    <VersionLink id=VersionId::new(id) />
                    <span class="under">"hotfix ch. 12 (2nd try)"</span>
                </td>
                <td>
                    <VersionBadge state=VersionState::from(state) />
                </td>
                <td class="num" data-unit="chapters">
                    {chapters}
                </td>
                <td class="num muted">
                    <Time at=ago(minutes) style=TimeStyle::Relative />
                </td>
                <td class="action">
                    <a class="btn small" href="#card-table-and-diff" aria-label=format!("Plan rollback of {id}")>
                        "Plan rollback"
                    </a>
                </td>
            </tr>
        }
    };
    let changes = vec![
        Change { what: "Points staged in Qdrant".into(), before: Some("1,198".into()), now: Some("1,204".into()) },
        Change { what: "Note".into(), before: Some(String::new()), now: Some("by hand, on Monday".into()) },
        Change { what: "Alias of production".into(), before: Some("textbook_chunks_latest".into()), now: None },
    ];
    view! {
        <Card title="Table and diff">
            <DataTable
                label="Specimen of a table"
                columns=vec![
                    Column::text("Version"),
                    Column::text("State"),
                    Column::number("Chapters"),
                    Column::number("Changed"),
                    Column::unseen("What can be done"),
                ]
            >
                {row(VERSION, "validating_failed", 18, 38)}
                {row(LONG_VERSION, "committed", 112, 60 * 24 * 5)}
            </DataTable>
            <Diff label="Specimen of a difference" changes=changes before="When you read it" now="Now" />
        </Card>
    }
}

/// A backup on the ladder: in full, and as the glyph of lists.
#[component]
pub(super) fn LadderSection() -> impl IntoView {
    view! {
        <Card title="Ladder of proofs">
            <div class="body">
                <p class="specimens">
                    <LadderGlyph health=backup() />
                    <span>"In lists: a row for each store, a mark for each rung."</span>
                </p>
                <LadderGrid health=backup() />
            </div>
        </Card>
    }
}

/// The stores' colours, and what is drawn with them.
#[component]
pub(super) fn StoresSection() -> impl IntoView {
    let stores = StoreKind::ALL
        .into_iter()
        .zip([100_u8, 62, 7])
        .map(|(store, percent)| {
            let label = format!("Specimen of {}", store.title());
            view! {
                <li>
                    <StoreName store=store />
                    <Meter label=label percent=percent store=Some(store) />
                    <span class="num">{format!("{percent} %")}</span>
                </li>
            }
        })
        .collect_view();
    let dots = StoreKind::ALL.into_iter().map(|store| view! { <StoreDot store=store /> }).collect_view();
    view! {
        <Card title="Stores and meters">
            <ul class="staged">{stores}</ul>
            <div class="body">
                <Meter label="Specimen that belongs to no store" percent=35_u8 />
                <p class="specimens">
                    {dots} <i class="dot" aria-hidden="true"></i> "Dots of the stores; the last one is of none."
                </p>
            </div>
        </Card>
    }
}
