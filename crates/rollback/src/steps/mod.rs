//! The eight steps, one file each. Every step is safe to repeat: it looks before it acts, and counts after it acted.

mod delete_nodes;
mod delete_points;
mod drop_chapters;
mod finish;
mod identify;
mod mark;
mod restore;
mod verify_copy;

use rollback_types::{Step, StoreKind};

use crate::context::{Halt, Outcome, StepContext};

/// Carries out one step once.
pub(crate) async fn carry_out(step: Step, cx: &mut StepContext) -> Result<Outcome, Halt> {
    match step {
        Step::Identify => identify::identify(cx).await,
        Step::Mark => mark::mark(cx).await,
        Step::DropChapters => drop_chapters::drop_chapters(cx).await,
        Step::DeletePoints => delete_points::delete_points(cx).await,
        Step::DeleteNodes => delete_nodes::delete_nodes(cx).await,
        Step::VerifyCopy => verify_copy::verify_copy(cx).await,
        Step::RestoreSqlite => restore::restore(cx, StoreKind::Sqlite).await,
        Step::RestoreQdrant => restore::restore(cx, StoreKind::Qdrant).await,
        Step::RestoreNeo4j => restore::restore(cx, StoreKind::Neo4j).await,
        Step::Finish => finish::finish(cx).await,
    }
}

/// More is staged than the plan counted: something still writes, and what it wrote was shown to nobody.
fn grown(store: StoreKind, what: &str, planned: u64, now: u64) -> Halt {
    Halt::refused(
        "changed",
        Some(store),
        format!("{store}: the plan counted {planned} staged {what}, now there are {now}: something is writing"),
        "Nothing was deleted by this step; production was not touched.",
        "Stop the ingestion. Then abort, plan again (the version is offered as “take over”) and confirm what is there now.",
    )
}

/// Production moved while a step removed staging data.
fn production_moved(store: StoreKind, before: &str, after: &str) -> Halt {
    Halt::refused(
        "production_changed",
        Some(store),
        format!("{store}: production was {before} before this step and is {after} after it"),
        "The staging data is gone; nothing else was asked of the store by Stepback.",
        "Find out who writes to production (an ingestion?). Compare with latest-copy, then try the step again or abort.",
    )
}
