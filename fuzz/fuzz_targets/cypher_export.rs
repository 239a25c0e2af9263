//! Any bytes as a graph export: the same however they are read, and what is read survives being written.

#![no_main]

use backup_formats::cypher_export::{Item, summarize};
use libfuzzer_sys::fuzz_target;
use stepback_fuzz::graph::{Graph, items};
use stepback_fuzz::trickle::Trickle;

fuzz_target!(|bytes: &[u8]| {
    let read = items(bytes);
    let trickled = items(Trickle::new(bytes));
    assert_eq!(format!("{read:?}"), format!("{trickled:?}"));
    let summary = summarize(bytes, |_| {});
    let items = match (read, &summary) {
        (Ok(items), Ok(_)) => items,
        (Err(_), Err(_)) => return,
        (read, summary) => panic!("{read:?} but {summary:?}"),
    };
    if let Ok(summary) = summary {
        let rows = |item: &Item| match item {
            Item::NodeBatch(batch) => (batch.rows.len(), 0),
            Item::RelationshipBatch(batch) => (0, batch.rows.len()),
            _ => (0, 0),
        };
        let counts = items.iter().map(rows).fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        assert_eq!((summary.nodes, summary.relationships), (counts.0 as u64, counts.1 as u64));
        assert_eq!(summary.bytes, bytes.len() as u64);
    }
    let graph = Graph::of(&items);
    graph.survives_writing(false);
    graph.survives_writing(true);
});
