//! Step 3: drops the staging table. Before: a copy of its rows as evidence. After: it is gone, and production is as
//! the plan saw it.

use rollback_types::quantity::counted;
use rollback_types::{RollbackTarget, Step, StoreKind};

use super::{gone, grown, production_unchanged, still_ours};
use crate::context::{Halt, Outcome, StepContext};
use crate::store::Removal;

pub(super) async fn drop_chapters(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    still_ours(cx, target).await?;
    let shared = cx.shared.clone();
    let (records, spec) = (&shared.stores.records, &shared.spec);
    let staging = records.staging(target).await?;
    if !staging.present {
        production_unchanged(cx, StoreKind::Sqlite).await?;
        return Ok(gone(cx, Step::DropChapters, &format!("the table {}", staging.name)));
    }
    let (rows, planned) = (staging.units(), spec.planned_units(StoreKind::Sqlite));
    let of_plan = spec.planned.get(&StoreKind::Sqlite);
    let allowed = |version: &String| of_plan.and_then(|c| c.versions.get(version)).copied().unwrap_or(0);
    if rows > planned || staging.versions.iter().any(|(version, n)| *n > allowed(version)) {
        return Err(grown(StoreKind::Sqlite, "rows", planned, rows));
    }
    cx.progress(0, rows).await?;
    let mut at_most = rows;
    if shared.settings.keep_evidence {
        cx.phase("Keeping a copy of the staged rows").await?;
        if let Some(copy) = records.save_staging(target, &shared.folder()).await? {
            // Nothing goes that is not in the copy.
            at_most = at_most.min(copy.rows);
            cx.note(format!("kept a copy of {} in {}", counted(copy.rows, "staged rows"), copy.path.display())).await?;
        }
    }
    cx.checkpoint()?;
    cx.acts(rows).await?;
    cx.phase("Dropping the table").await?;
    let removal = records.drop_staging(target, at_most).await?;
    production_unchanged(cx, StoreKind::Sqlite).await?;
    match removal {
        Removal::Absent => Ok(gone(cx, Step::DropChapters, &format!("the table {}", staging.name))),
        Removal::Removed(rows) => {
            cx.progress(rows, rows).await?;
            let said = format!("dropped {} with {}, and nothing else", staging.name, counted(rows, "rows"));
            Ok(Outcome::Done { count: Some(rows), said })
        }
    }
}
