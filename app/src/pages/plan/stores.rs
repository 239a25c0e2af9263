//! Store by store: what goes, what comes in its place, and what stays.

use leptos::prelude::*;
use rollback_types::{Inventory, RollbackPlan, StagingCounts, Step, StoreKind, StorePlan};

use super::sentences;
use super::subject::Subject;
use crate::components::{Card, Column, DataTable, Icon, IconName, Meter, StoreName};
use crate::format;

/// What is staged and goes, beside production.
#[component]
pub fn GoesCard(
    /// The plan.
    plan: RollbackPlan,
) -> impl IntoView {
    // What is replaced in the same plan does not stay.
    let restores = |s: StoreKind| plan.stores.get(s).restore || plan.stores.get(s).restore_recommended;
    let production = if StoreKind::ALL.into_iter().any(restores) { "Production now" } else { "Production, stays" };
    let rows = StoreKind::ALL.into_iter();
    let rows =
        rows.map(|s| goes_row(s, plan.stores.get(s), sentences::left_behind(&plan, s), production)).collect_view();
    let notes: Vec<(IconName, String)> = [
        sentences::crossing(&plan.stores.neo4j.staging).map(|n| (IconName::Warning, n)),
        sentences::whose(&plan).map(|n| (IconName::Info, n)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let footer = (!notes.is_empty()).then(|| {
        notes
            .into_iter()
            .map(|(icon, note)| view! { <p class="note"><Icon name=icon /><span class="foreign">{note}</span></p> })
            .collect_view()
            .into_any()
    });
    let layout = plan.layout.map(|l| view! { <span class="tag">{l.title()}</span> }.into_any());
    let table = view! {
        <DataTable
            label="What goes, by store"
            columns=vec![
                Column::text("Store"),
                Column::text("What goes"),
                Column::number("Staged"),
                Column::number(production),
            ]
            class="stack goes"
        >
            {rows}
        </DataTable>
    };
    // An empty footer would be a stripe, so it is left out as a whole.
    match (layout, footer) {
        (layout, Some(footer)) => {
            view! { <Card title="What goes" aside=layout.unwrap_or_else(|| ().into_any()) footer=footer>{table}</Card> }
                .into_any()
        }
        (layout, None) => {
            view! { <Card title="What goes" aside=layout.unwrap_or_else(|| ().into_any())>{table}</Card> }.into_any()
        }
    }
}

fn deed(store: StoreKind, known: bool, staging: &StagingCounts, left_behind: Option<Step>) -> String {
    let said = match (staging.present, store, left_behind) {
        _ if !known => "could not be counted",
        (false, ..) => "nothing is staged here",
        (true, _, Some(step)) => return format!("stays: {step} is not among the steps left"),
        (true, StoreKind::Sqlite, None) => "dropped",
        (true, StoreKind::Qdrant, None) => "deleted; aliases stay as they are",
        (true, StoreKind::Neo4j, None) => "deleted in batches",
    };
    said.to_owned()
}

fn goes_row(
    store: StoreKind,
    plan: &StorePlan,
    left_behind: Option<Step>,
    column: &'static str,
) -> impl IntoView + use<> {
    let staging = plan.staging.clone();
    let percent = format::percent(staging.units(), plan.production.as_ref().map_or(0, units));
    let known = plan.reachable && plan.problem.is_none();
    let trouble = plan.problem.as_ref().map(|p| {
        view! {
            <span class="under bad foreign">
                <Icon name=IconName::Cross />
                " "
                {format::visible(p)}
            </span>
        }
    });
    let staged = if known {
        amounts(&[(staging.rows, "rows"), (staging.points, "points"), (staging.nodes, "nodes")], staging.relationships)
    } else {
        view! { "unknown" }.into_any()
    };
    let production = inventory(plan.production.as_ref());
    let embedded = (plan.engine == "embedded").then_some(" (embedded)");
    view! {
        <tr>
            <th scope="row">
                <StoreName store=store />
                <span class="muted small">{embedded}</span>
            </th>
            <td class="wide">
                {(!staging.name.is_empty()).then(|| view! { <code class="foreign">{format::visible(&staging.name)}</code> })}
                <span class="under">{deed(store, known, &staging, left_behind)}</span>
                {trouble}
            </td>
            <td class="num" data-label="Staged">
                <b>{staged}</b>
                <Meter label=format!("{store}: staged, in percent of production") percent=percent store=Some(store) />
            </td>
            <td class="num" data-label=column>
                {production}
            </td>
        </tr>
    }
}

fn units(inventory: &Inventory) -> u64 {
    inventory.rows.or(inventory.points).or(inventory.nodes).unwrap_or(0)
}

/// One line an amount.
fn amounts(counts: &[(Option<u64>, &'static str)], relationships: Option<u64>) -> AnyView {
    let lines: Vec<String> = counts
        .iter()
        .copied()
        .chain([(relationships, "relationships")])
        .filter_map(|(n, unit)| n.map(|n| format::counted(n, unit)))
        .collect();
    if lines.is_empty() {
        return view! { "–" }.into_any();
    }
    lines.into_iter().map(|l| view! { <span class="line">{l}</span> }).collect_view().into_any()
}

fn inventory(counted: Option<&Inventory>) -> AnyView {
    counted.map_or_else(
        || view! { "unknown" }.into_any(),
        |p| amounts(&[(p.rows, "rows"), (p.points, "points"), (p.nodes, "nodes")], p.relationships),
    )
}

/// A restore apart from a rollback: what production holds now, and what it will hold.
#[component]
pub fn ReplacedCard(
    /// The plan.
    plan: RollbackPlan,
) -> impl IntoView {
    let source = Subject::of(&plan).source();
    let rows = StoreKind::ALL
        .into_iter()
        .map(|store| {
            let p = plan.stores.get(store);
            let (after, word) = if p.restore && p.cannot_restore.is_some() {
                (view! { "as it is" }.into_any(), "cannot be replaced by this copy")
            } else if p.restore {
                (inventory(p.latest_copy.as_ref()), "replaced as a whole")
            } else {
                (view! { "as it is" }.into_any(), "stays as it is")
            };
            view! {
                <tr>
                    <th scope="row">
                        <StoreName store=store />
                    </th>
                    <td class="wide">
                        {word}
                        {(p.restore && store == StoreKind::Sqlite)
                            .then(|| view! { <span class="under">"the registry and the operation log stay, row for row"</span> })}
                        {(p.restore && store == StoreKind::Qdrant)
                            .then(|| view! { <span class="under">"aliases stay as they are"</span> })}
                    </td>
                    <td class="num" data-label="Now">
                        {inventory(p.production.as_ref())}
                    </td>
                    <td class="num" data-label="Then">
                        <b>{after}</b>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="What is replaced">
            <DataTable
                label="What is replaced, by store"
                columns=vec![
                    Column::text("Store"),
                    Column::text("Production"),
                    Column::number("Now"),
                    Column::number(format!("From {source}")),
                ]
                class="stack goes replaced"
            >
                {rows}
            </DataTable>
        </Card>
    }
}

/// A new backup: what is copied, beside what the present one holds.
#[component]
pub fn CopiesCard(
    /// The plan.
    plan: RollbackPlan,
) -> impl IntoView {
    let rows = StoreKind::ALL
        .into_iter()
        .map(|store| {
            let p = plan.stores.get(store);
            view! {
                <tr>
                    <th scope="row">
                        <StoreName store=store />
                    </th>
                    <td class="wide foreign">{format::visible(&p.evidence)}</td>
                    <td class="num" data-label="Production, copied">
                        <b>{inventory(p.production.as_ref())}</b>
                    </td>
                    <td class="num" data-label="latest-copy now">
                        {inventory(p.latest_copy.as_ref())}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card
            title="What is copied"
            footer=view! {
                <p>
                    "Production is only read. The present latest-copy stays in use until the new one is proven, and is kept beside it then."
                </p>
            }
                .into_any()
        >
            <DataTable
                label="What is copied, by store"
                columns=vec![
                    Column::text("Store"),
                    Column::text("Production against the present copy"),
                    Column::number("Production, copied"),
                    Column::number("latest-copy now"),
                ]
                class="stack goes replaced"
            >
                {rows}
            </DataTable>
        </Card>
    }
}
