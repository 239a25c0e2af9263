//! The writing of step 7: one store's file takes the place of what the store holds, and is proven there. The same for a
//! copy and for a way back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rollback_types::{Inventory, StoreKind};

use crate::backup::VerifiedFile;
use crate::context::{Halt, StepContext};
use crate::plan::compare::compare_named;
use crate::plan::gather::production_points;
use crate::store::OnProgress;

/// After the last of it is in.
const COUNTING: &str = "Counting what is there now";

/// In one transaction, which compares before it commits.
pub(super) async fn put_chapters(cx: &StepContext, file: VerifiedFile<'_>) -> Result<Inventory, Halt> {
    let found = cx.shared.stores.records.restore(file.path).await?;
    proven(StoreKind::Sqlite, &found, file.contents)?;
    Ok(found)
}

/// `expected`: what the trial counted, since a snapshot alone may not tell.
pub(super) async fn put_points(
    cx: &StepContext,
    collection: &str,
    file: VerifiedFile<'_>,
    expected: &Inventory,
) -> Result<Inventory, Halt> {
    let stores = &cx.shared.stores;
    let (count, meter) = (cx.progress_from_thread(), cx.meter().clone());
    let handed_over = std::sync::atomic::AtomicBool::new(false);
    let progress: OnProgress = Arc::new(move |done, total| {
        count(done, total);
        // What was sent is not in yet: the store unpacks it, and may tell nothing of that.
        if done >= total && !handed_over.swap(true, Ordering::Relaxed) {
            meter.phase_from_thread("The store takes in what was handed over");
        }
    });
    stores.vectors.restore_snapshot(collection, file.path, file.sha256, progress).await?;
    cx.phase(COUNTING).await?;
    let found = production_points(stores, collection.to_owned()).await?;
    proven(StoreKind::Qdrant, &found, expected)?;
    Ok(found)
}

/// `expected`: what the trial counted, or what the file says.
pub(super) async fn put_graph(
    cx: &StepContext,
    file: VerifiedFile<'_>,
    expected: &Inventory,
) -> Result<Inventory, Halt> {
    let found = cx.shared.stores.graph.restore_export(file.path, cx.progress_from_thread()).await?;
    cx.phase(COUNTING).await?;
    proven(StoreKind::Neo4j, &found, expected)?;
    Ok(found)
}

/// What is there now is what the copy holds. What cannot be told is not proven.
fn proven(store: StoreKind, found: &Inventory, expected: &Inventory) -> Result<(), Halt> {
    let (differs, evidence) = compare_named(store, ("the store", Some(found)), ("the copy", Some(expected)));
    if differs == Some(false) {
        return Ok(());
    }
    Err(Halt::refused(
        "restored_wrong",
        Some(store),
        format!("{store}: that it holds what the copy holds is not proven: {evidence}"),
        "The way back of this store is kept in this run's folder.",
        "Try again; or put the way back in again; or abort and restore from v1_baseline (disaster recovery).",
    ))
}
