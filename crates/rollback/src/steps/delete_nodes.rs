//! Step 5: deletes the staging nodes in batches, never more than were counted. After: none is left, and production
//! counts per label are as the plan saw them.

use rollback_types::quantity::{count, counted};
use rollback_types::{RollbackPlan, RollbackTarget, StagingCounts, Step, StoreKind};

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
    let said = if before_this_try == 0 {
        format!("deleted {} and {}, and nothing else", counted(deleted, "nodes"), relationships(&staging))
    } else {
        let earlier = with_earlier_tries(before_this_try, &staging, first_planned(cx, total).await.as_ref());
        format!("deleted {}{earlier}", counted(deleted, "nodes"))
    };
    Ok(Outcome::Done { count: Some(total), said })
}

fn relationships(of: &StagingCounts) -> String {
    let crossing = match of.crossing_relationships.unwrap_or(0) {
        0 => "none of them joined to production".to_owned(),
        n => format!("{} of them joined to production", count(n)),
    };
    format!("{} ({crossing})", counted(of.relationships.unwrap_or(0), "relationships"))
}

/// What follows "deleted 10 nodes". Relationships go with their nodes, and nobody counts those of a try that was cut short: of the
/// whole only a plan that saw all of it can tell.
fn with_earlier_tries(earlier: u64, this_try: &StagingCounts, whole: Option<&StagingCounts>) -> String {
    let earlier = format!(" ({} more by an earlier try)", count(earlier));
    match whole {
        Some(whole) => {
            format!(
                "{earlier}, and nothing else; with all of them went {}, as the plan had counted",
                relationships(whole)
            )
        }
        None => format!(
            "{earlier} and {}, and nothing else; what relationships went with the earlier try was not counted apart",
            relationships(this_try)
        ),
    }
}

/// Staging as the run's first plan counted it, if that was all there was to delete. A resumed run's own plan counted what was left.
async fn first_planned(cx: &StepContext, total: u64) -> Option<StagingCounts> {
    // Only told at the end of what is done already: without it the sentence claims less.
    let record = cx.shared.journal.run(cx.shared.spec.run_id).await.ok()??;
    let plan: RollbackPlan = serde_json::from_str(&record.plan_json).ok()?;
    let whole = plan.stores.neo4j.staging;
    (whole.units() == total && whole.relationships.is_some()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_relationships_that_an_earlier_try_removed_only_what_was_counted_is_told() {
        let counts = |nodes, relationships, crossing| StagingCounts {
            nodes: Some(nodes),
            relationships: Some(relationships),
            crossing_relationships: Some(crossing),
            ..StagingCounts::default()
        };
        let (left, whole) = (counts(10_000, 7_632, 0), counts(40_000, 77_679, 160));
        let told = with_earlier_tries(30_000, &left, Some(&whole));
        assert_eq!(
            told,
            " (30,000 more by an earlier try), and nothing else; with all of them went 77,679 relationships (160 of them joined to \
             production), as the plan had counted"
        );
        let told = with_earlier_tries(30_000, &left, None);
        assert!(
            told.contains("7,632 relationships (none") && told.ends_with("earlier try was not counted apart"),
            "{told}"
        );
    }
}
