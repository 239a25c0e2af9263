//! What a restore apart from a rollback meets in staging: it is nobody's target, so nothing else of the plan looks there.

use std::collections::BTreeSet;

use rollback_types::{Layout, RollbackTarget, StagingCounts, StoreKind};

use super::Planner;
use super::gather::{Gathered, staging_nodes, staging_points, staging_rows};
use crate::store::StoreError;

/// The stores in which something is staged that may be a candidate's. What cannot be looked at may be staged.
pub(super) async fn staged_by_others(planner: &Planner<'_>, g: &Gathered) -> BTreeSet<StoreKind> {
    let layout = g.layout();
    let targets = g.other_candidates.iter().filter_map(|id| RollbackTarget::new(id).ok());
    // In the shared layout one look counts what anybody has staged.
    let looks = if layout == Layout::PerVersion { usize::MAX } else { 1 };
    let mut staged = BTreeSet::new();
    for target in targets.take(looks) {
        let target = Some(&target);
        let (rows, points, nodes) = tokio::join!(
            staging_rows(planner.stores, target),
            staging_points(planner, layout, target),
            staging_nodes(planner, layout, target),
        );
        for (store, counts) in [(StoreKind::Sqlite, rows), (StoreKind::Qdrant, points), (StoreKind::Neo4j, nodes)] {
            if holds(&counts) {
                staged.insert(store);
            }
        }
        if staged.len() == StoreKind::ALL.len() {
            break;
        }
    }
    staged
}

fn holds(counts: &Result<StagingCounts, StoreError>) -> bool {
    let Ok(counts) = counts else { return true };
    let uncounted = counts.rows.or(counts.points).or(counts.nodes).is_none();
    counts.units() > 0 || (counts.present && uncounted)
}
