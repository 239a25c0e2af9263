//! Step 5: deletes the staging nodes in batches, never more than were counted. After: none is left, and production
//! counts per label are as the plan saw them.

use rollback_types::quantity::{count, counted};
use rollback_types::{RollbackTarget, Step, StoreKind};

use super::{gone, grown, production_unchanged, still_held, still_ours};
use crate::context::{Halt, Outcome, StepContext};

pub(super) async fn delete_nodes(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    still_ours(cx, target).await?;
    let shared = cx.shared.clone();
    let (graph, selector) = (&shared.stores.graph, shared.staging_selector(target));
    let staging = graph.staging(&selector).await?;
    let (nodes, planned) = (staging.units(), shared.spec.planned_units(StoreKind::Neo4j));
    if nodes == 0 {
        production_unchanged(cx, StoreKind::Neo4j).await?;
        return Ok(gone(cx, Step::DeleteNodes, &format!("every node that is {selector}")));
    }
    // What earlier tries of this run have deleted was counted by them.
    let attempted = shared.attempted(Step::DeleteNodes).unwrap_or(0);
    let before_this_try = attempted.saturating_sub(nodes);
    // The plan of a resumed run counted what was left, the first plan all of it. One denominator for the whole step, also when
    // an earlier try has deleted some already.
    let total = planned.max(attempted);
    if nodes > planned || nodes + before_this_try > total {
        return Err(grown(StoreKind::Neo4j, "nodes", planned, nodes + before_this_try));
    }
    cx.acts(nodes + before_this_try).await?;
    let mut deleted = 0;
    cx.progress(total - nodes, total).await?;
    while deleted < nodes {
        cx.checkpoint()?;
        still_held(cx).await?;
        let limit = u64::from(shared.settings.batch_size).min(nodes - deleted);
        let gone = graph.delete_batch(&selector, u32::try_from(limit).unwrap_or(u32::MAX)).await?;
        if gone == 0 {
            break;
        }
        deleted += gone;
        // All of it only after the check below.
        cx.progress((total - nodes + deleted).min(total.saturating_sub(1)), total).await?;
    }
    let rest = graph.staging(&selector).await?.units();
    if rest > 0 {
        return Err(grown(StoreKind::Neo4j, "nodes", nodes, deleted + rest));
    }
    production_unchanged(cx, StoreKind::Neo4j).await?;
    cx.progress(total, total).await?;
    let relationships = staging.relationships.unwrap_or(0);
    let crossing = staging.crossing_relationships.unwrap_or(0);
    let earlier = if before_this_try > 0 {
        format!(" ({} more by an earlier try)", count(before_this_try))
    } else {
        String::new()
    };
    let crossing = match crossing {
        0 => "none of them joined to production".to_owned(),
        n => format!("{} of them joined to production", count(n)),
    };
    let said = format!(
        "deleted {}{earlier} and {} ({crossing}), and nothing else",
        counted(deleted, "nodes"),
        counted(relationships, "relationships")
    );
    Ok(Outcome::Done { count: Some(total), said })
}
