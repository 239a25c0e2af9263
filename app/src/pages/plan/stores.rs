//! Store by store: what goes, and whether production needs a restore.

use leptos::prelude::*;
use rollback_types::{Inventory, RollbackPlan, StagingCounts, StoreKind, StorePlan};

use super::sentences;
use crate::components::{Badge, Card, Icon, IconName, Meter, StoreName, Tone};
use crate::format;

/// What is staged and goes, beside production, which stays.
#[component]
pub fn GoesCard(
    /// The plan.
    plan: RollbackPlan,
) -> impl IntoView {
    let rows = StoreKind::ALL.into_iter().map(|s| goes_row(s, plan.stores.get(s))).collect_view();
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
        <div class="scroll" tabindex="0" role="region" aria-label="What goes, by store">
            <table class="stack goes">
                <thead>
                    <tr>
                        <th scope="col">"Store"</th>
                        <th scope="col">"What goes"</th>
                        <th scope="col" class="num">
                            "Staged"
                        </th>
                        <th scope="col" class="num">
                            "Production, stays"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
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

fn deed(store: StoreKind, known: bool, staging: &StagingCounts) -> &'static str {
    match (staging.present, store) {
        _ if !known => "could not be counted",
        (false, _) => "nothing is staged here",
        (true, StoreKind::Sqlite) => "dropped",
        (true, StoreKind::Qdrant) => "deleted; aliases stay as they are",
        (true, StoreKind::Neo4j) => "deleted in batches",
    }
}

fn goes_row(store: StoreKind, plan: &StorePlan) -> impl IntoView + use<> {
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
    let production = plan.production.clone().map_or_else(
        || view! { "unknown" }.into_any(),
        |p| amounts(&[(p.rows, "rows"), (p.points, "points"), (p.nodes, "nodes")], p.relationships),
    );
    let embedded = (plan.engine == "embedded").then_some(" (embedded)");
    view! {
        <tr>
            <td>
                <StoreName store=store />
                <span class="muted small">{embedded}</span>
            </td>
            <td class="wide">
                {(!staging.name.is_empty()).then(|| view! { <code class="foreign">{format::visible(&staging.name)}</code> })}
                <span class="under">{deed(store, known, &staging)}</span>
                {trouble}
            </td>
            <td class="num" data-label="Staged">
                <b>{staged}</b>
                <Meter label=format!("{store}: staged, in percent of production") percent=percent store=store />
            </td>
            <td class="num" data-label="Production, stays">
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

/// Production against latest-copy, and what follows from it.
#[component]
pub fn RestoreCard(
    /// The plan.
    plan: RollbackPlan,
) -> impl IntoView {
    let any = StoreKind::ALL.into_iter().any(|s| plan.stores.get(s).restore);
    let unknown = StoreKind::ALL.into_iter().any(|s| plan.stores.get(s).differs.is_none());
    let differs = StoreKind::ALL.into_iter().any(|s| plan.stores.get(s).differs == Some(true));
    let (tone, icon, word) = if differs {
        (Tone::Bad, IconName::Cross, "production differs")
    } else if unknown {
        (Tone::Warn, IconName::Question, "not known")
    } else {
        (Tone::Good, IconName::Check, "not needed")
    };
    let rows = StoreKind::ALL.into_iter().map(|s| restore_row(s, plan.stores.get(s))).collect_view();
    let footer = if differs && !any {
        "Where production differs it has to be restored, which this version of Stepback cannot do yet. The refusal above \
         says what to do."
    } else if unknown {
        "Where production or latest-copy could not be read nothing can be recommended."
    } else {
        "Production equals latest-copy: the evidence recommends restoring nothing, and step 7 is skipped with this proof."
    };
    view! {
        <Card
            title="Restore from latest-copy?"
            aside=view! { <Badge tone=tone icon=icon text=word /> }.into_any()
            footer=view! { <p>{footer}</p> }.into_any()
        >
            <div class="scroll" tabindex="0" role="region" aria-label="Production against latest-copy, by store">
                <table class="stack restore">
                    <thead>
                        <tr>
                            <th scope="col">"Store"</th>
                            <th scope="col">"Production against latest-copy"</th>
                            <th scope="col">"Evidence"</th>
                            <th scope="col">"Restore"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </Card>
    }
}

fn restore_row(store: StoreKind, plan: &StorePlan) -> impl IntoView + use<> {
    let (tone, icon, word) = match plan.differs {
        Some(true) => (Tone::Bad, IconName::Cross, "differs"),
        Some(false) => (Tone::Good, IconName::Check, "equal"),
        None => (Tone::Warn, IconName::Question, "not known"),
    };
    let restore = match (plan.restore, plan.restore_recommended) {
        (true, _) => "part of this plan",
        (false, true) => "recommended",
        (false, false) => "no",
    };
    view! {
        <tr>
            <td>
                <StoreName store=store />
            </td>
            <td>
                <Badge tone=tone icon=icon text=word />
            </td>
            <td class="wide foreign">{format::visible(&plan.evidence)}</td>
            <td data-label="Restore">{restore}</td>
        </tr>
    }
}
