//! The eight steps, one file each. Every step is safe to repeat: it looks before it acts, and counts after it acted.

mod copy;
mod delete_nodes;
mod delete_points;
mod drop_chapters;
mod finish;
mod identify;
mod mark;
mod put;
mod restore;
mod swap_copy;
mod validate;
mod verify_copy;
mod way_back;

pub(crate) use restore::EQUALS_COPY;
pub(crate) use swap_copy::{clear_unfinished, is_swapped_in};
pub(crate) use validate::SEARCH_KEY;

use rollback_types::quantity::{count, counted};
use rollback_types::{BackupSource, Inventory, Layout, RollbackTarget, Step, StoreKind, VersionState};

use crate::context::{Halt, Outcome, StepContext};
use crate::plan::gather::candidates;
use crate::plan::production_of;

/// Carries out one step once.
pub(crate) async fn carry_out(step: Step, cx: &mut StepContext) -> Result<Outcome, Halt> {
    match step {
        Step::VerifyCopy => verify_copy::verify_copy(cx).await,
        Step::RestoreSqlite => lane(cx, StoreKind::Sqlite).await,
        Step::RestoreQdrant => lane(cx, StoreKind::Qdrant).await,
        Step::RestoreNeo4j => lane(cx, StoreKind::Neo4j).await,
        Step::Validate => validate::validate(cx).await,
        Step::CopySqlite => copy::copy(cx, StoreKind::Sqlite).await,
        Step::CopyQdrant => copy::copy(cx, StoreKind::Qdrant).await,
        Step::CopyNeo4j => copy::copy(cx, StoreKind::Neo4j).await,
        Step::ProveCopy => verify_copy::prove_copy(cx).await,
        Step::SwapCopy => swap_copy::swap_copy(cx).await,
        Step::Identify | Step::Mark | Step::DropChapters | Step::DeletePoints | Step::DeleteNodes | Step::Finish => {
            let Some(target) = cx.shared.spec.target.clone() else {
                let said = format!("a run of kind {} names no version to roll back", cx.shared.spec.kind.as_str());
                return Err(Halt::refused("internal", None, said, "Nothing was changed.", "Abort, and plan again."));
            };
            of_rollback(step, cx, &target).await
        }
    }
}

/// A lane of step 7. Once it has begun to replace, an error says so, and where the way back is.
async fn lane(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let result = restore::restore(cx, store).await;
    let begun = cx.shared.attempted(cx.step()).is_some();
    match result {
        Err(Halt::Failed { mut error, transient }) if begun => {
            let source = BackupSource::WayBack(cx.shared.spec.run_key.clone());
            let saved = cx.shared.verifier.folders().file(&source, store);
            let state = match store {
                StoreKind::Sqlite => "SQLite is as before or restored, never between: it is one transaction.",
                StoreKind::Qdrant | StoreKind::Neo4j => "The store may be half restored.",
            };
            error.safe = format!("{state} What it held before is in {}.", saved.display());
            Err(Halt::Failed { error, transient })
        }
        other => other,
    }
}

async fn of_rollback(step: Step, cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    match step {
        Step::Identify => identify::identify(cx, target).await,
        Step::Mark => mark::mark(cx, target).await,
        Step::DropChapters => drop_chapters::drop_chapters(cx, target).await,
        Step::DeletePoints => delete_points::delete_points(cx, target).await,
        Step::DeleteNodes => delete_nodes::delete_nodes(cx, target).await,
        _ => finish::finish(cx, target).await,
    }
}

fn taken_from_us(said: String) -> Halt {
    Halt::refused(
        "changed",
        None,
        said,
        "Nothing was changed by this try.",
        "Find out who changed it. If this rollback is still wanted, abort and plan again.",
    )
}

/// The version is still held by this run: while it waited for a person, or was interrupted, others may have committed it, taken
/// it over, or finished it by hand. A run without a target holds no version.
async fn still_held(cx: &StepContext) -> Result<(), Halt> {
    let (shared, spec) = (&cx.shared, &cx.shared.spec);
    let Some(target) = &spec.target else { return Ok(()) };
    let row = shared.stores.records.version(target.id()).await?;
    let state = row.map(|r| r.status);
    if state != Some(VersionState::RollingBack) {
        let found = state.map_or("gone from the registry".to_owned(), |s| format!("{s} now"));
        return Err(taken_from_us(format!("{} was rolling_back by this run and is {found}", target)));
    }
    let marks = shared.stores.records.marks(target).await?;
    if !marks.iter().any(|m| m.run_key == spec.run_key && m.open) {
        let by = marks.iter().rev().find(|m| m.open).map_or("another hand", |m| m.run_key.as_str());
        return Err(taken_from_us(format!("{target} is not held by this run any more: {by} took it over")));
    }
    Ok(())
}

/// Right before a lane of step 7 changes production: a rollback's version is still its own.
async fn act(cx: &StepContext, units: u64) -> Result<(), Halt> {
    still_held(cx).await?;
    cx.acts(units).await
}

/// Before every try of steps 3 to 5: the version is still ours to remove, and nobody has staged another since the plan.
async fn still_ours(cx: &StepContext, target: &RollbackTarget) -> Result<(), Halt> {
    still_held(cx).await?;
    let (shared, spec) = (&cx.shared, &cx.shared.spec);
    if spec.layout == Layout::PerVersion {
        // Without the aliases nothing proves that this is staging: then nothing is deleted, in no store.
        let name = shared.staging_collection(target);
        let aliases = shared.stores.vectors.aliases().await?;
        return match aliases.iter().find(|a| a.collection == name) {
            Some(a) => Err(taken_from_us(format!("the alias {} points to {name} now: it serves production", a.alias))),
            None => Ok(()),
        };
    }
    let others = candidates(&shared.stores, &shared.settings.extra_states).await?;
    let unknown = others.iter().find(|id| *id != target.id() && spec.other_candidates.binary_search(id).is_err());
    match unknown {
        Some(id) => Err(taken_from_us(format!(
            "{id} is a candidate now and was none in the plan; what is staged may be its own"
        ))),
        None => Ok(()),
    }
}

/// Production after the step is what the plan saw.
async fn production_unchanged(cx: &StepContext, store: StoreKind) -> Result<(), Halt> {
    let Some(before) = cx.shared.spec.production.get(&store) else { return Ok(()) };
    let after = production_of(&cx.shared.stores, &cx.shared.settings, store, &cx.shared.spec.selectors).await?;
    if after == *before {
        return Ok(());
    }
    let tell = |i: &Inventory| {
        let units = i.rows.or(i.points).or(i.nodes).unwrap_or(0);
        let relationships = i.relationships.map(|r| format!(", {}", counted(r, "relationships"))).unwrap_or_default();
        let digest = i.digest.as_deref().and_then(|d| d.get(..8)).map(|d| format!(" ({d})")).unwrap_or_default();
        format!("{}{relationships}{digest}", count(units))
    };
    Err(production_moved(store, &tell(before), &tell(&after)))
}

/// Nothing is there (any more): either an earlier try of this run removed it, or another hand did.
fn gone(cx: &StepContext, step: Step, what: &str) -> Outcome {
    match cx.shared.attempted(step) {
        Some(units) => Outcome::Done {
            count: Some(units),
            said: format!(
                "{what} is gone: an earlier try of this step removed it ({} counted before), and nothing else",
                count(units)
            ),
        },
        None => Outcome::FoundAbsent { said: format!("found absent: {what}") },
    }
}

/// More is staged than the plan counted: something still writes, and what it wrote was shown to nobody.
fn grown(store: StoreKind, what: &str, planned: u64, now: u64) -> Halt {
    Halt::refused(
        "changed",
        Some(store),
        format!(
            "{store}: the plan counted {}, now there are {}: something is writing",
            counted(planned, &format!("staged {what}")),
            count(now)
        ),
        "Nothing that was not counted was deleted; production was not touched.",
        "Stop the ingestion. Then abort, plan again (the version is offered as “take over”) and confirm what is there now.",
    )
}

/// Production moved while a step removed staging data.
fn production_moved(store: StoreKind, before: &str, after: &str) -> Halt {
    Halt::refused(
        "production_changed",
        Some(store),
        format!("{store}: production was {before} in the plan and is {after} after this step"),
        "The staging data is gone; nothing else was asked of the store by Stepback.",
        "Find out who writes to production (an ingestion?). Compare with latest-copy, then try the step again or abort.",
    )
}
