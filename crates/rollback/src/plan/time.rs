//! How long it may take: the document's estimate beside what runs of this kind and size took here.

use rollback_types::plan::{StorePlans, TimeEstimate};
use rollback_types::{Inventory, RunKind, StoreKind};

use crate::journal::{CompletedRun, Journal, JournalError, median};

/// Medians look at this many of the latest completed runs of a kind.
const LATEST: u32 = 50;
const MINUTE: u64 = 60_000;

/// Of a run of this kind over these stores. Where no earlier one was of about this size, all of the kind are told.
pub(super) async fn estimate(
    journal: &dyn Journal,
    kind: RunKind,
    stores: &StorePlans,
) -> Result<TimeEstimate, JournalError> {
    let earlier = journal.completed_runs(kind, LATEST).await?;
    let here = work(kind, stores);
    let of_this_size = |run: &&CompletedRun| {
        // A plan that another version wrote tells no size.
        let planned: Option<StorePlans> = serde_json::from_str(&run.stores_json).ok();
        planned.is_some_and(|planned| alike(work(kind, &planned), here))
    };
    let mut times: Vec<u64> = earlier.iter().filter(of_this_size).map(|run| run.took_ms).collect();
    if times.is_empty() {
        times = earlier.iter().map(|run| run.took_ms).collect();
    }
    let runs = times.len() as u64;
    Ok(TimeEstimate { documented_ms: documented_ms(kind, stores), median_ms: median(times), runs })
}

fn documented_ms(kind: RunKind, stores: &StorePlans) -> u64 {
    match kind {
        RunKind::Validate => 15 * MINUTE,
        _ if StoreKind::ALL.into_iter().any(|store| stores.get(store).restore) => 20 * MINUTE,
        _ => 10 * MINUTE,
    }
}

/// Units that go, are put in, or are looked at.
fn work(kind: RunKind, stores: &StorePlans) -> u64 {
    let all = |i: &Inventory| i.rows.or(i.points).or(i.nodes).unwrap_or(0);
    let of = |store: StoreKind| {
        let plan = stores.get(store);
        let whole = plan.production.as_ref().map_or(0, all);
        match kind {
            RunKind::Validate | RunKind::MakeBackup => whole,
            _ if plan.restore => plan.staging.units().saturating_add(whole),
            _ => plan.staging.units(),
        }
    };
    StoreKind::ALL.into_iter().map(of).fold(0, u64::saturating_add)
}

/// Neither is more than twice the other.
fn alike(a: u64, b: u64) -> bool {
    a.max(b) <= a.min(b).saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_alike_within_a_factor_of_two() {
        assert!(alike(0, 0) && alike(40_000, 20_000) && alike(3, 5));
        assert!(!alike(0, 1) && !alike(100, 40_000));
    }
}
