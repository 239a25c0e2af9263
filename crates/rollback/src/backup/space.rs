//! How large a copy of what a store holds now will be.

use rollback_types::{Inventory, StoreKind};

/// A point in a snapshot, with a vector of 768 numbers. Measured between 4 and 8 KB: equal points give unequal files.
const POINT: u64 = 8_000;
/// A node in an export.
const NODE: u64 = 700;
/// A relationship in an export.
const RELATIONSHIP: u64 = 200;

/// A copy that is there already, to measure by.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Size of its file.
    pub bytes: u64,
    /// What it holds.
    pub holds: &'a Inventory,
}

/// Bytes that a copy of `present` needs. Of SQLite `database` decides, the size of its file: a copy of it has its pages. Of the others it is
/// as a copy that is there, in proportion to what it holds; without one what was measured elsewhere counts.
pub fn bytes_of_a_copy(
    store: StoreKind,
    present: &Inventory,
    database: Option<u64>,
    copy: Option<Measured<'_>>,
) -> u64 {
    let by_copy = copy.and_then(|copy| in_proportion(copy.bytes, units(store, copy.holds)?, units(store, present)?));
    let known = match store {
        StoreKind::Sqlite => database.or(by_copy),
        StoreKind::Qdrant | StoreKind::Neo4j => by_copy,
    };
    known.unwrap_or_else(|| match store {
        StoreKind::Sqlite => copy.map_or(0, |copy| copy.bytes),
        StoreKind::Qdrant => present.points.unwrap_or(0).saturating_mul(POINT),
        StoreKind::Neo4j => {
            let relationships = present.relationships.unwrap_or(0).saturating_mul(RELATIONSHIP);
            present.nodes.unwrap_or(0).saturating_mul(NODE).saturating_add(relationships)
        }
    })
}

fn units(store: StoreKind, inventory: &Inventory) -> Option<u64> {
    match store {
        StoreKind::Sqlite => inventory.rows,
        StoreKind::Qdrant => inventory.points,
        StoreKind::Neo4j => Some(inventory.nodes?.saturating_add(inventory.relationships.unwrap_or(0))),
    }
}

/// Rounded up. `None` when there is nothing to measure by.
fn in_proportion(bytes: u64, held: u64, present: u64) -> Option<u64> {
    let scaled = (u128::from(bytes) * u128::from(present)).div_ceil(u128::from((held > 0).then_some(held)?));
    Some(u64::try_from(scaled).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: u64) -> Inventory {
        Inventory { points: Some(n), ..Inventory::default() }
    }

    fn graph(nodes: u64, relationships: u64) -> Inventory {
        Inventory { nodes: Some(nodes), relationships: Some(relationships), ..Inventory::default() }
    }

    #[test]
    fn a_store_that_grew_needs_more_than_the_copy_has() {
        let (small, nodes) = (points(100), graph(50, 50));
        let qdrant = Measured { bytes: 1_000, holds: &small };
        let size = |present: &Inventory| bytes_of_a_copy(StoreKind::Qdrant, present, None, Some(qdrant));
        assert_eq!((size(&points(300)), size(&points(1)), size(&points(0))), (3_000, 10, 0));
        assert_eq!(size(&points(u64::MAX)), u64::MAX, "and no overflow");
        let neo4j = Some(Measured { bytes: 1_000, holds: &nodes });
        assert_eq!(bytes_of_a_copy(StoreKind::Neo4j, &graph(50, 51), None, neo4j), 1_010);
    }

    #[test]
    fn without_a_copy_to_measure_by_it_is_what_was_measured_elsewhere() {
        let (real, empty) = (points(36_216), points(0));
        let size = bytes_of_a_copy(StoreKind::Qdrant, &real, None, None);
        assert!((145_000_000..600_000_000).contains(&size), "{size}");
        let by_an_empty_one = Some(Measured { bytes: 4_096, holds: &empty });
        assert_eq!(bytes_of_a_copy(StoreKind::Qdrant, &real, None, by_an_empty_one), size);
        let size = bytes_of_a_copy(StoreKind::Neo4j, &graph(107_454, 200_000), None, None);
        assert!((78_000_000..200_000_000).contains(&size), "{size}");
    }

    #[test]
    fn a_database_is_copied_page_by_page() {
        let rows = |n| Inventory { rows: Some(n), ..Inventory::default() };
        let held = rows(10);
        let copy = Some(Measured { bytes: 100, holds: &held });
        assert_eq!(bytes_of_a_copy(StoreKind::Sqlite, &rows(20), Some(77_000), copy), 77_000);
        assert_eq!(bytes_of_a_copy(StoreKind::Sqlite, &rows(20), None, copy), 200);
        assert_eq!(bytes_of_a_copy(StoreKind::Sqlite, &rows(20), None, None), 0);
    }
}
