//! The way back of one store: what is there is saved, with its checksum, before a restore touches it; and put in again
//! when a person says so.

use std::path::{Path, PathBuf};

use rollback_types::quantity::{bytes, counted, short_hash};
use rollback_types::{BackupSource, Inventory, StoreKind, VersionId};

use super::put::{put_chapters, put_graph, put_points};
use super::restore::{collection, try_first};
use super::still_held;
use crate::backup::checksum_file;
use crate::context::{Halt, Outcome, StepContext};
use crate::meter::Unit;
use crate::plan::compare::compare_named;
use crate::plan::gather::production_points;
use crate::plan::production_of;
use crate::store::{CopyTaken, OnProgress, StoreError};
use crate::stores::Stores;

const READING: &str = "Reading what was saved before, to its end";

const SAFE: &str = "Production was not touched by this try.";

/// Saves one store's data into this run's folder. What an earlier try saved is replaced: it had not begun to restore.
pub(super) async fn take(cx: &mut StepContext, store: StoreKind) -> Result<(), Halt> {
    let source = BackupSource::WayBack(cx.shared.spec.run_key.clone());
    // The meter belongs to the restore itself.
    let unit = if store == StoreKind::Neo4j { Unit::NodesAndRelationships } else { Unit::Bytes };
    let progress = cx.phase_in_parts("Saving what is there now", unit).await?;
    let saved = save(cx, store, &source, progress).await;
    let no_way_back = cx.shared.spec.acknowledges(&format!("no_way_back:{}", store.as_str()));
    let taken = match saved {
        Err(Halt::Failed { error, .. }) if no_way_back => {
            return cx.note(format!("no way back, as acknowledged in the plan: {error}")).await;
        }
        saved => saved?,
    };
    if store == StoreKind::Qdrant {
        remember_collection(cx, &source).await?;
    }
    cx.note(format!(
        "the way back is taken: {} in {}, SHA-256 {}…",
        bytes(taken.bytes),
        taken.path.display(),
        short_hash(&taken.sha256)
    ))
    .await
}

/// Copies one store's data into a backup's folder, and records its checksum there.
pub(super) async fn save(
    cx: &StepContext,
    store: StoreKind,
    source: &BackupSource,
    progress: OnProgress,
) -> Result<CopyTaken, Halt> {
    let shared = cx.shared.clone();
    let path = make_room(cx, store, source).await?;
    // Staging included: that is what its copy holds.
    let before = production_of(&shared.stores, &shared.settings, store, &[]).await?;
    let taken = take_copy(&shared.stores, store, &before, &path, progress).await?;
    // A writer in the middle would leave a copy of neither state.
    let after = production_of(&shared.stores, &shared.settings, store, &[]).await?;
    if before != after {
        return Err(Halt::refused(
            "production_changed",
            Some(store),
            format!("{store} changed while it was being copied"),
            SAFE,
            "Stop what writes to it (an ingestion?), then try again.",
        ));
    }
    agrees(store, &taken.inventory, &after)?;
    record(cx, store, source, &taken).await?;
    Ok(taken)
}

/// The copy holds what the store holds, as far as a file tells: a snapshot of another engine may not be countable.
fn agrees(store: StoreKind, taken: &Inventory, there: &Inventory) -> Result<(), Halt> {
    match compare_named(store, ("the copy", Some(taken)), ("the store", Some(there))) {
        (Some(true), evidence) => Err(Halt::refused(
            "copy_differs",
            Some(store),
            format!("{store}: the copy that was taken is not what the store holds: {evidence}"),
            SAFE,
            "Stop what writes to the store, then try again.",
        )),
        _ => Ok(()),
    }
}

/// The same with what a safety backup of the per-version layout holds: a table and a collection in the live stores.
pub(super) async fn save_safety(
    cx: &StepContext,
    store: StoreKind,
    source: &BackupSource,
    backup: &VersionId,
) -> Result<CopyTaken, Halt> {
    let stores = cx.shared.stores.clone();
    let path = make_room(cx, store, source).await?;
    let taken = if store == StoreKind::Sqlite {
        // One statement copies the table: it is of one moment.
        stores.records.back_up_safety(backup, &path).await?
    } else {
        let collection = cx.shared.settings.names.safety_collection(backup);
        let progress = cx.progress_from_thread();
        let taken = stores.vectors.take_snapshot(&collection, &path, progress).await?;
        agrees(store, &taken.inventory, &production_points(&stores, collection).await?)?;
        taken
    };
    record(cx, store, source, &taken).await?;
    Ok(taken)
}

/// The file that is to be written, in a folder that is there; what an earlier try left of it goes.
async fn make_room(cx: &StepContext, store: StoreKind, source: &BackupSource) -> Result<PathBuf, Halt> {
    let path = cx.shared.verifier.folders().file(source, store);
    let failed = |e: std::io::Error| file_trouble(store, &path, &e);
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
    }
    match tokio::fs::remove_file(&path).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    cx.checkpoint()?;
    Ok(path)
}

/// The checksum beside the file.
async fn record(cx: &StepContext, store: StoreKind, source: &BackupSource, taken: &CopyTaken) -> Result<(), Halt> {
    let sums = cx.shared.verifier.folders().checksums(source);
    let name = taken.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let sha256 = taken.sha256.clone();
    let _one_writer = cx.shared.checksums.lock().await;
    let recorded = tokio::task::spawn_blocking(move || checksum_file::record(&sums, &name, &sha256)).await;
    recorded.unwrap_or_else(|e| Err(e.to_string())).map_err(|said| {
        Halt::refused("checksums", Some(store), said, SAFE, "Free some space or mend the rights, then try again.")
    })
}

/// `production`: what the store holds, which names its collection.
async fn take_copy(
    stores: &Stores,
    store: StoreKind,
    production: &Inventory,
    path: &Path,
    progress: OnProgress,
) -> Result<CopyTaken, StoreError> {
    match store {
        StoreKind::Sqlite => stores.records.back_up(path).await,
        StoreKind::Qdrant => stores.vectors.take_snapshot(&production.name, path, progress).await,
        StoreKind::Neo4j => stores.graph.export(path, progress).await,
    }
}

/// By decision, after a failure: the way back is put in again, and proven.
pub(super) async fn put_back(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    if shared.attempted(cx.step()).is_none() {
        return Ok(Outcome::WayBackRestored { said: "the restore had not begun: production is as it was".into() });
    }
    let source = BackupSource::WayBack(shared.spec.run_key.clone());
    let path: PathBuf = shared.verifier.folders().file(&source, store);
    cx.phase(READING).await?;
    let (examination, verified) = shared.verifier.verify_file(&source, store).await;
    let Some(file) = verified.as_ref().and_then(|v| v.file(store)) else {
        return Err(Halt::refused(
            "way_back_not_intact",
            Some(store),
            format!("{}: {}", path.display(), examination.health.verdict),
            "It was not used.",
            "Try the restore again; or abort and restore from v1_baseline (disaster recovery).",
        ));
    };
    still_held(cx).await?;
    let found = match store {
        StoreKind::Sqlite => {
            cx.checkpoint()?;
            cx.phase("Replacing the tables in one transaction").await?;
            put_chapters(cx, file).await?
        }
        StoreKind::Qdrant => {
            let tried = try_first(cx, store, file).await?;
            let collection = collection(cx).await?;
            cx.phase("Putting back what was saved").await?;
            put_points(cx, &collection, file, &tried).await?
        }
        StoreKind::Neo4j => {
            cx.checkpoint()?;
            cx.phase("Emptying the graph").await?;
            put_graph(cx, file, file.contents).await?
        }
    };
    let units = found.rows.or(found.points).or(found.nodes).unwrap_or(0);
    Ok(Outcome::WayBackRestored {
        said: format!("the way back is in again, {} as before step 7", counted(units, "units")),
    })
}

/// What an earlier process saved before it began to replace: without it nothing is replaced again.
pub(super) async fn still_there(cx: &StepContext, store: StoreKind) -> Result<(), Halt> {
    let shared = &cx.shared;
    if shared.spec.acknowledges(&format!("no_way_back:{}", store.as_str())) {
        return Ok(());
    }
    let source = BackupSource::WayBack(shared.spec.run_key.clone());
    cx.phase(READING).await?;
    let (examination, verified) = shared.verifier.verify_file(&source, store).await;
    if verified.as_ref().and_then(|v| v.file(store)).is_some() {
        return Ok(());
    }
    Err(Halt::refused(
        "way_back_not_intact",
        Some(store),
        format!(
            "what {store} held before this run is not there any more as it was saved: {}",
            examination.health.verdict
        ),
        "Production was not touched by this try.",
        "Put the file back; or abort, and plan a restore of production: it takes a way back of what is there now.",
    ))
}

/// What was saved before the first try is of this collection: an alias that moved since would have another one replaced, of which
/// nothing is saved.
pub(super) async fn is_of(cx: &StepContext, collection: &str) -> Result<(), Halt> {
    if cx.shared.attempted(cx.step()).is_none() {
        return Ok(());
    }
    let source = BackupSource::WayBack(cx.shared.spec.run_key.clone());
    let path = cx.shared.verifier.folders().collection_note(&source);
    let saved = match tokio::fs::read_to_string(&path).await {
        Ok(name) => name.trim().to_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(file_trouble(StoreKind::Qdrant, &path, &e)),
    };
    if saved == collection {
        return Ok(());
    }
    Err(Halt::refused(
        "changed",
        Some(StoreKind::Qdrant),
        format!("what this run saved is of the collection {saved}, and production is {collection} now"),
        "Neither of the two was touched by this try.",
        "Find out who moved the alias. Point it back and try again; or abort, and plan again.",
    ))
}

/// Which collection the saved points are of: an undo must not put them into another one.
async fn remember_collection(cx: &StepContext, source: &BackupSource) -> Result<(), Halt> {
    let name = collection(cx).await?;
    let path = cx.shared.verifier.folders().collection_note(source);
    tokio::fs::write(&path, name).await.map_err(|e| file_trouble(StoreKind::Qdrant, &path, &e))
}

pub(super) fn file_trouble(store: StoreKind, path: &Path, error: &std::io::Error) -> Halt {
    Halt::refused(
        "file",
        Some(store),
        format!("{}: {error}", path.display()),
        SAFE,
        "Free some space, or give Stepback's user the right to write there, then try again.",
    )
}
