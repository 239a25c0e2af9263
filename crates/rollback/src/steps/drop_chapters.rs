//! Step 3: drops the staging table. Before: a copy of its rows as evidence. After: it is gone, and production is as
//! it was.

use rollback_types::StoreKind;

use super::{grown, production_moved};
use crate::context::{Halt, Outcome, StepContext};
use crate::store::Removal;

pub(super) async fn drop_chapters(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    let (records, spec) = (&shared.stores.records, &shared.spec);
    let staging = records.staging(&spec.target).await?;
    if !staging.present {
        return Ok(Outcome::FoundAbsent { said: format!("found absent: there is no table {}", staging.name) });
    }
    let (rows, planned) = (staging.units(), spec.planned_units(StoreKind::Sqlite));
    if rows > planned {
        return Err(grown(StoreKind::Sqlite, "rows", planned, rows));
    }
    cx.progress(0, rows).await?;
    let before = records.production().await?;
    if shared.settings.keep_evidence
        && let Some(copy) = records.save_staging(&spec.target, &shared.folder()).await?
    {
        cx.note(format!("kept a copy of {} staged rows in {}", copy.rows, copy.path.display())).await?;
    }
    cx.checkpoint()?;
    let removal = records.drop_staging(&spec.target).await?;
    let after = records.production().await?;
    if after != before {
        let tell = |i: &rollback_types::Inventory| {
            format!(
                "{} chapters ({})",
                i.rows.unwrap_or(0),
                i.digest.as_deref().and_then(|d| d.get(..8)).unwrap_or("–")
            )
        };
        return Err(production_moved(StoreKind::Sqlite, &tell(&before), &tell(&after)));
    }
    match removal {
        Removal::Absent => Ok(Outcome::FoundAbsent { said: format!("found absent: {}", staging.name) }),
        Removal::Removed(rows) => {
            cx.progress(rows, rows).await?;
            let said = format!("dropped {} with {rows} rows; production unchanged", staging.name);
            Ok(Outcome::Done { count: Some(rows), said })
        }
    }
}
