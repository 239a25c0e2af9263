//! What is staged, store by store, beside production.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{Inventory, StagedInStore, StoreKind};

use crate::components::{Card, Icon, IconName, Meter, StoreName};
use crate::format;

/// The card, for the overview and for one version.
#[component]
pub fn StagedCard(
    staged: Vec<StagedInStore>,
    /// A rollback would remove it; else it is somebody else's, or nobody can tell.
    goes: bool,
) -> impl IntoView {
    let production = production(&staged);
    let rows = staged.iter().map(row).collect_view();
    let nothing = staged.iter().all(|s| s.staging.as_ref().is_some_and(|c| !c.present));
    let tag = match (nothing, goes) {
        (true, _) => "nothing is staged",
        (false, true) => "would go in a rollback",
        (false, false) => "as it is now",
    };
    view! {
        <Card
            title="Staged data"
            aside=view! { <span class="tag">{tag}</span> }.into_any()
            footer=view! { {production.unwrap_or_else(|| "Production could not be counted.".to_owned())} }.into_any()
        >
            <ul class="staged">{rows}</ul>
        </Card>
    }
}

fn unit(store: StoreKind) -> &'static str {
    match store {
        StoreKind::Sqlite => "chapters",
        StoreKind::Qdrant => "points",
        StoreKind::Neo4j => "nodes",
    }
}

fn units(inventory: &Inventory) -> Option<u64> {
    inventory.rows.or(inventory.points).or(inventory.nodes)
}

/// "Bars compare with production: 220 chapters, …".
fn production(staged: &[StagedInStore]) -> Option<String> {
    let parts: Vec<_> = staged
        .iter()
        .filter_map(|s| Some(format::counted(s.production.as_ref().and_then(units)?, unit(s.store))))
        .collect();
    (!parts.is_empty()).then(|| format!("Bars compare with production: {}.", parts.join(", ")))
}

fn row(s: &StagedInStore) -> impl IntoView + use<> {
    let store = s.store;
    let whole = s.production.as_ref().and_then(units);
    let content = match (&s.staging, &s.problem) {
        (None, problem) => {
            let text = problem.clone().unwrap_or_else(|| "It could not be counted.".to_owned());
            view! {
                <p class="problem foreign">
                    <Icon name=IconName::Warning />
                    {format::visible(&text)}
                </p>
            }
            .into_any()
        }
        (Some(c), _) if !c.present => view! { <p class="muted">"nothing staged"</p> }.into_any(),
        (Some(c), problem) => {
            let n = c.units();
            let text = format::counted(n, unit(store));
            let label = format!("{text} staged in {store}, against production");
            let also = c.relationships.map(|r| {
                let crossing = c
                    .crossing_relationships
                    .filter(|n| *n > 0)
                    .map(|n| format!(", {} of them to production nodes", format::count(n)))
                    .unwrap_or_default();
                format!("and {}{crossing}", format::counted(r, "relationships"))
            });
            view! {
                <Meter label=label percent=format::percent(n, whole.unwrap_or(n)) store=store />
                <span class="num">
                    <b>{format::count(n)}</b>
                    " "
                    <span class="muted">{if n == 1 { unit(store).trim_end_matches('s') } else { unit(store) }}</span>
                </span>
                <p class="why foreign">
                    <code>{format::clip(&format::visible(&c.name), 160)}</code>
                    {also.map(|a| format!(" {a}"))}
                    {problem.as_deref().map(|p| format!(" · {}", format::visible(p)))}
                </p>
            }
            .into_any()
        }
    };
    view! {
        <li>
            <StoreName store=store />
            {content}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_names_only_what_was_counted() {
        let counted = StagedInStore {
            store: StoreKind::Qdrant,
            staging: None,
            production: Some(Inventory { points: Some(36_216), ..Inventory::default() }),
            problem: None,
        };
        let silent = StagedInStore { store: StoreKind::Neo4j, production: None, ..counted.clone() };
        assert_eq!(
            production(&[counted, silent.clone()]).as_deref(),
            Some("Bars compare with production: 36,216 points.")
        );
        assert_eq!(production(&[silent]), None);
    }
}
