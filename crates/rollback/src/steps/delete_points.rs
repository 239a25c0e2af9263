//! Step 4: deletes the staging collection. Before: it is a collection, no alias, and no alias points to it. After: it
//! is not in the list, and production and the aliases are as they were.

use std::time::Instant;

use rollback_types::quantity::{counted, plural};
use rollback_types::{RollbackTarget, Step, StoreKind};

use super::{gone, grown, production_moved, production_unchanged, still_ours};
use crate::context::{Halt, Outcome, StepContext};
use crate::store::{CollectionStatus, Removal};

pub(super) async fn delete_points(cx: &mut StepContext, target: &RollbackTarget) -> Result<Outcome, Halt> {
    still_ours(cx, target).await?;
    let shared = cx.shared.clone();
    let (vectors, names) = (&shared.stores.vectors, &shared.settings.names);
    let name = shared.staging_collection(target);
    let aliases = vectors.aliases().await?;
    let production = names.production_collection(&aliases);
    let serving: Vec<&str> =
        aliases.iter().filter(|a| a.collection == name || a.alias == name).map(|a| a.alias.as_str()).collect();
    if !serving.is_empty() || production == name {
        return Err(Halt::refused(
            "staging_is_production",
            Some(StoreKind::Qdrant),
            format!("{name} serves production (aliases: {})", serving.join(", ")),
            "Nothing was deleted in Qdrant.",
            "Abort. Point the alias to the right collection first, then plan again.",
        ));
    }
    let Some(points) = vectors.count(&name).await? else {
        production_unchanged(cx, StoreKind::Qdrant).await?;
        return Ok(gone(cx, Step::DeletePoints, &format!("the collection {name}")));
    };
    let planned = shared.spec.planned_units(StoreKind::Qdrant);
    if points > planned {
        return Err(grown(StoreKind::Qdrant, "points", planned, points));
    }
    cx.progress(0, points).await?;
    wait_for_rest(cx, &name).await?;
    cx.checkpoint()?;
    cx.acts(points).await?;
    cx.phase("Deleting the collection").await?;
    let removal = vectors.delete_collection(&name, points).await?;
    production_unchanged(cx, StoreKind::Qdrant).await?;
    let aliases_after = vectors.aliases().await?;
    if aliases_after != aliases {
        let tell = |n: usize| format!("{n} {}", plural(n as u64, "alias", "aliases"));
        return Err(production_moved(StoreKind::Qdrant, &tell(aliases.len()), &tell(aliases_after.len())));
    }
    match removal {
        Removal::Absent => Ok(gone(cx, Step::DeletePoints, &format!("the collection {name}"))),
        Removal::Removed(_) => {
            cx.progress(points, points).await?;
            let said = format!("deleted {name} with {}, and nothing else", counted(points, "points"));
            Ok(Outcome::Done { count: Some(points), said })
        }
    }
}

/// A collection that is being optimised takes many seconds to delete: wait for it, with a limit, and say so.
async fn wait_for_rest(cx: &StepContext, name: &str) -> Result<(), Halt> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match cx.shared.stores.vectors.status(name).await? {
            Some(CollectionStatus::Busy) if started.elapsed() < cx.shared.settings.rest_limit => {
                if !told {
                    cx.note(format!("waiting for {name} to come to rest: it is being optimised")).await?;
                    cx.phase("Waiting for the collection to come to rest").await?;
                    told = true;
                }
                cx.checkpoint()?;
                tokio::time::sleep(cx.shared.settings.rest_poll).await;
            }
            Some(CollectionStatus::Busy) => {
                return cx.note(format!("{name} did not come to rest in time; deleting it all the same")).await;
            }
            _ => return Ok(()),
        }
    }
}
