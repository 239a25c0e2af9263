//! What each store held before the run and after it, as far as the run proved it.

use rollback_types::{
    CountChange, Inventory, RollbackPlan, RunKind, RunView, StagingCounts, Step, StepState, StepView, StoreBalance,
    StoreKind, StorePlan,
};

use super::Told;

/// The three stores; none for kinds that only read.
pub(super) fn stores(view: &RunView, told: &Told, plan: &RollbackPlan) -> Vec<StoreBalance> {
    match view.run.kind {
        RunKind::Validate | RunKind::MakeBackup => Vec::new(),
        RunKind::Rollback | RunKind::RestoreProduction | RunKind::UndoRestore => {
            StoreKind::ALL.into_iter().map(|store| balance(view, told, store, plan.stores.get(store))).collect()
        }
    }
}

/// Steps 3 to 5, by their store.
pub(super) fn removal(store: StoreKind) -> Step {
    match store {
        StoreKind::Sqlite => Step::DropChapters,
        StoreKind::Qdrant => Step::DeletePoints,
        StoreKind::Neo4j => Step::DeleteNodes,
    }
}

/// The lanes of step 7, by their store.
pub(super) fn lane(store: StoreKind) -> Step {
    match store {
        StoreKind::Sqlite => Step::RestoreSqlite,
        StoreKind::Qdrant => Step::RestoreQdrant,
        StoreKind::Neo4j => Step::RestoreNeo4j,
    }
}

fn balance(view: &RunView, told: &Told, store: StoreKind, plan: &StorePlan) -> StoreBalance {
    let state = |step| view.step(step).map_or(StepState::Pending, |s| s.state);
    // It began to change its store, and was then skipped all the same.
    let begun = |step| view.step(step).is_some_and(|s| s.acted && s.state == StepState::Skipped);
    let left_begun = |step| view.step(step).is_some_and(StepView::was_left_begun);
    let (removal, lane) = (removal(store), lane(store));
    let removed = matches!(state(removal), StepState::Done | StepState::FoundAbsent);
    let mut counts = Vec::new();
    let mut proof = Vec::new();
    if view.run.kind == RunKind::Rollback && (plan.staging.present || plan.staging.units() > 0) {
        counts.extend(staged(store, &plan.staging).into_iter().map(|(what, before)| CountChange {
            what: format!("staged {what}"),
            before,
            after: removed.then_some(0),
        }));
        proof.push(if removed {
            format!("{removal} looked again after it had removed what was staged")
        } else if begun(removal) {
            format!("{removal} had begun to remove and was then skipped by decision: what is staged now is not known")
        } else {
            format!("{removal} proved nothing: what is staged now is not known")
        });
    }
    let (after, by) = match state(lane) {
        StepState::Done => (plan.latest_copy.as_ref(), counted_after(view, lane)),
        StepState::Skipped if left_begun(lane) => (
            None,
            format!(
                "{lane} had begun to replace production and was then skipped by decision: production may be replaced in part"
            ),
        ),
        StepState::Skipped if begun(lane) => {
            (None, format!("{lane} had begun to replace production, and put its way back in again"))
        }
        StepState::Skipped if told.was_skipped_by_decision(lane) => {
            (None, format!("{lane} was skipped by decision: production was not compared"))
        }
        // Steps 3 to 5 look whether production is as the plan saw it, and a lane that was skipped has touched nothing.
        StepState::Skipped | StepState::Pending if removed => {
            (plan.production.as_ref(), format!("{removal} saw production unchanged"))
        }
        StepState::Skipped if view.run.kind != RunKind::Rollback => {
            (plan.production.as_ref(), format!("{lane} was not chosen: production was not touched"))
        }
        StepState::Pending => (None, format!("{lane} was not reached: production was not counted again")),
        _ => (None, format!("{lane} did not come to its end: production was not counted again")),
    };
    counts.extend(production(store, plan.production.as_ref(), after));
    proof.push(by);
    let mut proof = format!("{}.", proof.join("; "));
    if let Some(first) = proof.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    // The plan compared what is there no more: it must not read as if it were of now.
    let evidence = match state(lane) {
        StepState::Done if !plan.evidence.is_empty() => format!("Before it, the plan saw: {}", plan.evidence),
        _ => plan.evidence.clone(),
    };
    StoreBalance { store, counts, proof, evidence, restore_planned: plan.restore }
}

/// What a lane of step 7 proved, in its own words.
fn counted_after(view: &RunView, lane: Step) -> String {
    let said = view.step(lane).and_then(|s| s.outcome.as_deref()).map(|said| said.trim_start_matches("restored: "));
    let said = said.map(|said| format!(" ({})", said.trim_end_matches('.'))).unwrap_or_default();
    format!("{lane} counted again after the restore{said}")
}

fn staged(store: StoreKind, staging: &StagingCounts) -> Vec<(&'static str, Option<u64>)> {
    match store {
        StoreKind::Sqlite => vec![("rows", staging.rows)],
        StoreKind::Qdrant => vec![("points", staging.points)],
        StoreKind::Neo4j => vec![("nodes", staging.nodes), ("relationships", staging.relationships)],
    }
}

fn production(store: StoreKind, before: Option<&Inventory>, after: Option<&Inventory>) -> Vec<CountChange> {
    type Of = fn(&Inventory) -> Option<u64>;
    let counted: &[(&str, Of)] = match store {
        StoreKind::Sqlite => &[("chapters", |i| i.rows)],
        StoreKind::Qdrant => &[("points", |i| i.points)],
        StoreKind::Neo4j => &[("nodes", |i| i.nodes), ("relationships", |i| i.relationships)],
    };
    let line = |(what, of): &(&str, Of)| CountChange {
        what: format!("production {what}"),
        before: before.and_then(of),
        after: after.and_then(of),
    };
    counted.iter().map(line).collect()
}
