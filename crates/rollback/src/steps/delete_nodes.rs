//! Step 5: deletes the staging nodes in batches. After: none is left, and production counts per label are as before.

use rollback_types::StoreKind;

use super::{grown, production_moved};
use crate::context::{Halt, Outcome, StepContext};

pub(super) async fn delete_nodes(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    let (graph, selector) = (&shared.stores.graph, shared.staging_selector());
    let staging = graph.staging(&selector).await?;
    let (nodes, planned) = (staging.units(), shared.spec.planned_units(StoreKind::Neo4j));
    if nodes == 0 {
        return Ok(Outcome::FoundAbsent { said: format!("found absent: no node is {selector}") });
    }
    if nodes > planned {
        return Err(grown(StoreKind::Neo4j, "nodes", planned, nodes));
    }
    let before = graph.production(std::slice::from_ref(&selector)).await?;
    // One denominator for the whole step, also when an earlier try has deleted some already.
    let total = planned.max(nodes);
    let mut left = nodes;
    cx.progress(total - left, total).await?;
    loop {
        cx.checkpoint()?;
        let gone = graph.delete_batch(&selector, shared.settings.batch_size).await?;
        if gone == 0 {
            break;
        }
        left = left.saturating_sub(gone);
        // All of it only after the check below.
        cx.progress((total - left).min(total.saturating_sub(1)), total).await?;
    }
    let rest = graph.staging(&selector).await?.units();
    if rest > 0 {
        return Err(Halt::refused(
            "changed",
            Some(StoreKind::Neo4j),
            format!("Neo4j: {rest} staging nodes appeared while the others were deleted: something is writing"),
            "Only staging nodes were deleted; production was not touched.",
            "Stop the ingestion, then try the step again.",
        ));
    }
    let after = graph.production(std::slice::from_ref(&selector)).await?;
    if after != before {
        let tell = |i: &rollback_types::Inventory| {
            format!("{} nodes, {} relationships", i.nodes.unwrap_or(0), i.relationships.unwrap_or(0))
        };
        return Err(production_moved(StoreKind::Neo4j, &tell(&before), &tell(&after)));
    }
    cx.progress(total, total).await?;
    let relationships = staging.relationships.unwrap_or(0);
    let crossing = staging.crossing_relationships.unwrap_or(0);
    let said = format!(
        "deleted {nodes} nodes and {relationships} relationships ({crossing} of them crossing into production); production \
         unchanged"
    );
    Ok(Outcome::Done { count: Some(total), said })
}
