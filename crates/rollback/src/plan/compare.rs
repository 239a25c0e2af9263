//! Production against latest-copy, store by store: the evidence for "restore or not".

use std::collections::BTreeMap;

use rollback_types::quantity::{count, counted};
use rollback_types::{Inventory, StoreKind};

/// Do they differ, and the evidence in one sentence. `None`: cannot be told.
pub(crate) fn compare(
    store: StoreKind,
    production: Option<&Inventory>,
    copy: Option<&Inventory>,
) -> (Option<bool>, String) {
    compare_named(store, ("production", production), ("latest-copy", copy))
}

/// The same of any two places.
pub(crate) fn compare_named(
    store: StoreKind,
    (here, a): (&str, Option<&Inventory>),
    (there, b): (&str, Option<&Inventory>),
) -> (Option<bool>, String) {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (None, _) => return (None, format!("{here} could not be counted")),
        (_, None) => return (None, format!("{there} could not be read")),
    };
    let names = (here, there);
    match store {
        StoreKind::Sqlite => chapters(a, b, names),
        StoreKind::Qdrant => points(a, b, names),
        StoreKind::Neo4j => graph(a, b, names),
    }
}

/// The backup script snapshots the base collection, not what the alias points to. A copy that equals the base says nothing
/// about another production collection, and restoring it there would replace newer points by older ones.
pub(crate) fn not_covered(
    production: &Inventory,
    base: Option<&Inventory>,
    copy: Option<&Inventory>,
) -> Option<(Option<bool>, String)> {
    let (base, copy) = (base?, copy?);
    let (differs, _) = points(base, copy, ("", ""));
    (differs == Some(false)).then(|| {
        let said = format!(
            "latest-copy holds {} ({}), not {}, which serves production ({}): it does not cover production \
             and must not be restored over it",
            base.name,
            counted(copy.points.unwrap_or(0), "points"),
            production.name,
            counted(production.points.unwrap_or(0), "points")
        );
        (None, said)
    })
}

fn chapters(production: &Inventory, copy: &Inventory, (here, there): (&str, &str)) -> (Option<bool>, String) {
    let (p, c) = (production.rows.unwrap_or(0), copy.rows.unwrap_or(0));
    if p != c {
        return (Some(true), format!("{} in {here}, {} in {there}", counted(p, "chapters"), count(c)));
    }
    match (&production.digest, &copy.digest) {
        (Some(a), Some(b)) if a == b => (Some(false), format!("{}, same digest", counted(p, "chapters"))),
        (Some(_), Some(_)) => {
            (Some(true), format!("{} in both, but their content hashes differ", counted(p, "chapters")))
        }
        _ => (None, format!("{} in both; their content could not be compared", counted(p, "chapters"))),
    }
}

fn points(production: &Inventory, copy: &Inventory, (here, there): (&str, &str)) -> (Option<bool>, String) {
    let (Some(p), Some(c)) = (production.points, copy.points) else {
        return (None, format!("the points of {there} cannot be counted offline"));
    };
    if p != c {
        return (Some(true), format!("{} in {here}, {} in {there}", counted(p, "points"), count(c)));
    }
    match (&production.digest, &copy.digest) {
        (Some(a), Some(b)) if a == b => (Some(false), format!("{}, same set", counted(p, "ids"))),
        (Some(_), Some(_)) => (Some(true), format!("{} in both, but not the same ids", counted(p, "points"))),
        _ => (None, format!("{} in both; their ids could not be compared", counted(p, "points"))),
    }
}

fn graph(production: &Inventory, copy: &Inventory, (here, there): (&str, &str)) -> (Option<bool>, String) {
    let mut differing = Vec::new();
    let totals =
        [("nodes", production.nodes, copy.nodes), ("relationships", production.relationships, copy.relationships)];
    for (what, p, c) in totals {
        let (p, c) = (p.unwrap_or(0), c.unwrap_or(0));
        if p != c {
            differing.push(format!("{} in {here}, {} in {there}", counted(p, what), count(c)));
        }
    }
    differing.extend(groups(":", &production.labels, &copy.labels, (here, there)));
    differing.extend(groups("type ", &production.types, &copy.types, (here, there)));
    if differing.is_empty() {
        let said = format!(
            "{}, {}, same counts ({}, {})",
            counted(production.labels.len() as u64, "labels"),
            counted(production.types.len() as u64, "types"),
            counted(production.nodes.unwrap_or(0), "nodes"),
            counted(production.relationships.unwrap_or(0), "relationships")
        );
        return (Some(false), said);
    }
    let more = differing.len().saturating_sub(4);
    differing.truncate(4);
    let mut said = differing.join("; ");
    if more > 0 {
        said.push_str(&format!("; and {more} more"));
    }
    (Some(true), said)
}

fn groups(
    prefix: &str,
    production: &BTreeMap<String, u64>,
    copy: &BTreeMap<String, u64>,
    (here, there): (&str, &str),
) -> Vec<String> {
    let mut names: Vec<&String> = production.keys().chain(copy.keys()).collect();
    names.sort();
    names.dedup();
    let of = |m: &BTreeMap<String, u64>, name: &String| m.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .map(|n| (n, of(production, n), of(copy, n)))
        .filter(|(_, p, c)| p != c)
        .map(|(n, p, c)| format!("{prefix}{n}: {} in {here}, {} in {there}", count(p), count(c)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points_of(n: u64, digest: Option<&str>) -> Inventory {
        Inventory { points: Some(n), digest: digest.map(str::to_owned), ..Inventory::default() }
    }

    #[test]
    fn equal_counts_alone_prove_nothing() {
        let (p, unknown) = (points_of(5, Some("a")), points_of(5, None));
        assert_eq!(compare(StoreKind::Qdrant, Some(&p), Some(&unknown)).0, None);
        assert_eq!(compare(StoreKind::Qdrant, Some(&p), Some(&points_of(5, Some("b")))).0, Some(true));
        assert_eq!(compare(StoreKind::Qdrant, Some(&p), Some(&points_of(5, Some("a")))).0, Some(false));
        assert_eq!(compare(StoreKind::Qdrant, Some(&p), None).0, None);
    }

    #[test]
    fn a_label_added_to_production_nodes_is_seen() {
        let mut p = Inventory { nodes: Some(3), relationships: Some(0), ..Inventory::default() };
        p.labels.insert("Paragraph".into(), 3);
        let c = p.clone();
        assert_eq!(compare(StoreKind::Neo4j, Some(&p), Some(&c)).0, Some(false));
        p.labels.insert("odd".into(), 1);
        let (differs, said) = compare(StoreKind::Neo4j, Some(&p), Some(&c));
        assert_eq!(differs, Some(true));
        assert!(said.contains(":odd: 1 in production, 0 in latest-copy"), "{said}");
    }
}
