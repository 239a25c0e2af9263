//! What is staged, store by store, beside production.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{Inventory, Layout, StagedInStore, StoreKind, VersionId};

use crate::components::{Card, Icon, IconName, Meter, StoreName};
use crate::format;

/// The card, for the overview and for one version.
#[component]
pub fn StagedCard(
    staged: Vec<StagedInStore>,
    /// A rollback would remove it; else it is somebody else's, or nobody can tell.
    goes: bool,
    /// Where staging data lives, if that is known.
    layout: Option<Layout>,
    /// The version it was counted for.
    of: Option<VersionId>,
) -> impl IntoView {
    let whose = whose(&staged, layout, of.as_ref()).map(|said| view! { <p class="whose foreign">{said}</p> });
    let production = production(&staged);
    // Nobody asked, as there is nothing to roll back.
    let unasked = staged.iter().all(|s| s.staging.is_none() && s.problem.is_none());
    let rows = if unasked {
        view! { <p class="body muted">"Not counted: there is no version here that can be rolled back."</p> }.into_any()
    } else {
        let rows = staged.iter().map(row).collect_view();
        view! { <ul class="staged">{rows}</ul> }.into_any()
    };
    let tag = tag(&staged, goes);
    view! {
        <Card
            title="Staged data"
            aside=view! { <span class="tag">{tag}</span> }.into_any()
            footer=view! { {production.unwrap_or_else(|| "Production could not be counted.".to_owned())} }.into_any()
        >
            {whose}
            {rows}
        </Card>
    }
}

fn tag(staged: &[StagedInStore], goes: bool) -> &'static str {
    let mut counts = staged.iter().map(|s| s.staging.as_ref());
    if counts.clone().flatten().any(|c| c.present) {
        if goes { "would go in a rollback" } else { "as it is now" }
    } else if counts.all(|c| c.is_some()) {
        "nothing is staged"
    } else {
        "not counted"
    }
}

/// Whose it is, as far as it can be told; nothing where nothing is staged.
fn whose(staged: &[StagedInStore], layout: Option<Layout>, of: Option<&VersionId>) -> Option<String> {
    const NAMED: usize = 3;
    let name = |id: &str| format::short_id(&format::visible(id));
    let there = |s: &&StagedInStore| s.staging.as_ref().is_some_and(|c| c.present && c.units() > 0);
    let there: Vec<&StagedInStore> = staged.iter().filter(there).collect();
    if there.is_empty() {
        return None;
    }
    if layout? == Layout::PerVersion {
        return of.map(|id| format!("What {} has staged; no other version’s is counted here.", name(id.as_str())));
    }
    let rows = there.iter().find(|s| s.store == StoreKind::Sqlite).and_then(|s| s.staging.as_ref());
    let named: Vec<_> = rows.iter().flat_map(|c| &c.versions).filter(|(_, n)| **n > 0).collect();
    if named.is_empty() {
        return Some("One place for all versions: whose this is, is not known.".to_owned());
    }
    let mut names: Vec<String> = named
        .iter()
        .take(NAMED)
        .map(|(id, n)| format!("{} ({})", name(id), format::counted(**n, "chapters")))
        .collect();
    if named.len() > NAMED {
        names.push(format!("{} more", format::count((named.len() - NAMED) as u64)));
    }
    let others = match there.iter().any(|s| s.store != StoreKind::Sqlite) {
        true => " Whose the rest is, is not known.",
        false => "",
    };
    Some(format!("One place for all versions. Its chapters name {}.{others}", names.join(" and ")))
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

/// "Bars compare with production: 220 chapters, …"; where nothing is staged there are no bars.
fn production(staged: &[StagedInStore]) -> Option<String> {
    let parts: Vec<_> = staged
        .iter()
        .filter_map(|s| Some(format::counted(s.production.as_ref().and_then(units)?, unit(s.store))))
        .collect();
    let bars = staged.iter().any(|s| s.staging.as_ref().is_some_and(|c| c.present));
    let begins = if bars { "Bars compare with production" } else { "Production" };
    (!parts.is_empty()).then(|| format!("{begins}: {}.", parts.join(", ")))
}

fn row(s: &StagedInStore) -> impl IntoView + use<> {
    let store = s.store;
    let whole = s.production.as_ref().and_then(units);
    let content = match (&s.staging, &s.problem) {
        (None, Some(problem)) => view! {
            <p class="problem foreign">
                <Icon name=IconName::Warning />
                {format::visible(problem)}
            </p>
        }
        .into_any(),
        // Nobody asked: such a version has no staging data of its own.
        (None, None) => view! { <p class="muted">"not counted"</p> }.into_any(),
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
                <Meter label=label percent=format::percent(n, whole.unwrap_or(n)) store=Some(store) />
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
    use rollback_types::StagingCounts;

    #[test]
    fn nothing_is_staged_only_where_all_were_counted() {
        let store = |staging| StagedInStore { store: StoreKind::Sqlite, staging, production: None, problem: None };
        let none = StagingCounts::default();
        let some = StagingCounts { present: true, ..StagingCounts::default() };
        assert_eq!(tag(&[store(Some(none.clone()))], true), "nothing is staged");
        assert_eq!(tag(&[store(Some(none.clone())), store(None)], true), "not counted");
        assert_eq!(tag(&[store(None), store(Some(some.clone()))], true), "would go in a rollback");
        assert_eq!(tag(&[store(Some(some))], false), "as it is now");
    }

    #[test]
    fn shared_staging_is_nobodys_own_and_says_what_it_names() {
        let store = |store, staging| StagedInStore { store, staging: Some(staging), production: None, problem: None };
        let rows = |versions: &[(&str, u64)]| StagingCounts {
            present: true,
            rows: Some(12),
            versions: versions.iter().map(|(id, n)| ((*id).to_owned(), *n)).collect(),
            ..StagingCounts::default()
        };
        let nodes = StagingCounts { present: true, nodes: Some(5), ..StagingCounts::default() };
        let said = |staged: &[StagedInStore], layout| whose(staged, Some(layout), Some(&VersionId::new("v7"))).unwrap();
        let named = [store(StoreKind::Sqlite, rows(&[("v7", 1), ("v8", 11)])), store(StoreKind::Neo4j, nodes.clone())];
        assert_eq!(
            said(&named, Layout::Shared),
            "One place for all versions. Its chapters name v7 (1 chapter) and v8 (11 chapters). Whose the rest is, is not known."
        );
        let unnamed = [store(StoreKind::Sqlite, rows(&[])), store(StoreKind::Neo4j, nodes)];
        assert_eq!(said(&unnamed, Layout::Shared), "One place for all versions: whose this is, is not known.");
        assert_eq!(said(&unnamed, Layout::PerVersion), "What v7 has staged; no other version’s is counted here.");
        let none = [store(StoreKind::Sqlite, StagingCounts::default())];
        assert_eq!(whose(&none, Some(Layout::Shared), None), None);
    }

    #[test]
    fn production_names_only_what_was_counted() {
        let counted = StagedInStore {
            store: StoreKind::Qdrant,
            staging: None,
            production: Some(Inventory { points: Some(36_216), ..Inventory::default() }),
            problem: None,
        };
        let silent = StagedInStore { store: StoreKind::Neo4j, production: None, ..counted.clone() };
        assert_eq!(production(&[counted.clone(), silent.clone()]).as_deref(), Some("Production: 36,216 points."));
        let there = StagingCounts { present: true, ..StagingCounts::default() };
        let bars = StagedInStore { staging: Some(there), ..counted };
        assert_eq!(production(&[bars]).as_deref(), Some("Bars compare with production: 36,216 points."));
        assert_eq!(production(&[silent]), None);
    }
}
