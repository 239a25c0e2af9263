//! Step 7, one lane. Not chosen: production is compared with the copy that step 6 has just proven, and the proof is kept.
//! Chosen: the file is hashed once more, the way back is taken, the copy is tried in a scratch place, and only then
//! production is replaced; counts, digests and id sets are proven after it.

use std::sync::PoisonError;

use rollback_types::quantity::{counted, plural, short_hash};
use rollback_types::{Inventory, RunKind, StoreKind};

use super::put::{put_chapters, put_graph, put_points};
use super::{act, way_back};
use crate::backup::{VerifiedBackup, VerifiedFile};
use crate::context::{Halt, Outcome, StepContext};
use crate::meter::Unit;
use crate::plan::compare::{compare, compare_named, not_covered};
use crate::plan::gather::base_points;
use crate::plan::production_of;

/// Before the evidence, where a lane was skipped because there is nothing to restore.
pub(crate) const EQUALS_COPY: &str = "production equals latest-copy: ";

pub(super) async fn restore(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    if shared.way_back_wanted.lock().unwrap_or_else(PoisonError::into_inner).contains(&cx.step()) {
        return way_back::put_back(cx, store).await;
    }
    let verified: Option<VerifiedBackup> = shared.verified.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(verified) = verified else {
        return Err(Halt::refused(
            "latest_copy_not_verified",
            Some(store),
            "the copy was not verified by this run",
            "Production was not touched.",
            "Abort, and plan again.",
        ));
    };
    if !shared.spec.restore.contains(&store) {
        return match shared.spec.kind {
            RunKind::Rollback => leave(cx, store, &verified).await,
            _ => Ok(Outcome::NothingToRestore { proof: "not chosen in the plan".into() }),
        };
    }
    let Some(file) = verified.file(store) else {
        return Err(Halt::refused(
            "latest_copy_changed",
            Some(store),
            format!("{} has no file of {store}, which the plan saw", shared.spec.source.name()),
            "Production was not touched by this try.",
            "Put the file back, then try again; or abort, and plan again.",
        ));
    };
    same_bytes(cx, store, file).await?;
    // What is there now is damaged if an earlier try of this lane began: then the way back of that try is the one to keep.
    match shared.attempted(cx.step()) {
        None => way_back::take(cx, store).await?,
        Some(_) if shared.begun_before.contains(&cx.step()) => way_back::still_there(cx, store).await?,
        Some(_) => {}
    }
    replace(cx, store, file).await
}

/// Not to be restored, by the plan: is that still right?
async fn leave(cx: &StepContext, store: StoreKind, verified: &VerifiedBackup) -> Result<Outcome, Halt> {
    cx.phase("Comparing production with the copy").await?;
    let shared = &cx.shared;
    let production = production_of(&shared.stores, &shared.settings, store, &shared.spec.selectors).await?;
    let (mut differs, mut evidence) = compare(store, Some(&production), verified.contents(store));
    if store == StoreKind::Qdrant && differs == Some(true) {
        let base = base_points(&shared.stores, &shared.settings, &production).await?;
        (differs, evidence) =
            not_covered(&production, base.as_ref(), verified.contents(store)).unwrap_or((differs, evidence));
    }
    let acknowledged = |code: &str| shared.spec.acknowledges(&format!("{code}:{}", store.as_str()));
    match differs {
        Some(false) => Ok(Outcome::NothingToRestore { proof: format!("{EQUALS_COPY}{evidence}") }),
        None if acknowledged("not_comparable") => {
            Ok(Outcome::NothingToRestore { proof: format!("acknowledged in the plan: {evidence}") })
        }
        None => Err(Halt::refused(
            "not_comparable",
            Some(store),
            format!("{store}: whether production equals latest-copy cannot be told: {evidence}"),
            "The staging data is gone; production is as it was found.",
            "Compare by hand; then skip the lane with a reason, or abort.",
        )),
        Some(true) if acknowledged("leave_different") => {
            cx.find(format!("{store} was left different from latest-copy, as planned: {evidence}.")).await?;
            Ok(Outcome::NothingToRestore { proof: format!("left as it is, as acknowledged in the plan: {evidence}") })
        }
        Some(true) => Err(Halt::refused(
            "production_differs",
            Some(store),
            format!("{store}: production differs from latest-copy: {evidence}"),
            "The staging data is gone; production is as it was found, and latest-copy is proven intact.",
            "It was equal when the plan was made. Abort and plan again to restore it, or skip it with a reason if the \
             difference is wanted.",
        )),
    }
}

/// Nothing is restored from a file that changed since step 6 proved it.
async fn same_bytes(cx: &StepContext, store: StoreKind, file: VerifiedFile<'_>) -> Result<(), Halt> {
    let bytes = cx.phase_in_parts("Reading the copy once more", Unit::Bytes).await?;
    let total = tokio::fs::metadata(file.path).await.map(|m| m.len()).unwrap_or(0);
    let path = file.path.to_owned();
    let hashed = tokio::task::spawn_blocking(move || {
        backup_formats::checksums::sha256_reader(std::fs::File::open(path)?, |done| bytes(done, total))
    })
    .await
    .map_err(std::io::Error::other)
    .and_then(|r| r);
    let problem = match hashed {
        Ok(digest) if digest.to_string() == file.sha256 => return Ok(()),
        Ok(digest) => format!("its SHA-256 begins with {} now", short_hash(&digest.to_string())),
        Err(e) => format!("it cannot be read: {e}"),
    };
    cx.checkpoint()?;
    Err(Halt::refused(
        "latest_copy_changed",
        Some(store),
        format!("{} is not the file that step 6 proved: {problem}", file.path.display()),
        "Production was not touched by this try.",
        "Find out who writes to the backups. Put the file back as it was and try again; or abort, and plan again.",
    ))
}

/// The copy takes production's place, and is proven there.
async fn replace(cx: &mut StepContext, store: StoreKind, file: VerifiedFile<'_>) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    let (stores, bytes) = (&shared.stores, tokio::fs::metadata(file.path).await.map(|m| m.len()).unwrap_or(0));
    let units = file.contents.rows.or(file.contents.points).or(file.contents.nodes).unwrap_or(0);
    match store {
        StoreKind::Sqlite => {
            // One transaction, which compares before it commits: a trial of its own would prove nothing more.
            cx.checkpoint()?;
            act(cx, units).await?;
            cx.phase("Replacing the tables in one transaction").await?;
            put_chapters(cx, file).await?;
            cx.progress(bytes, bytes).await?;
            done(bytes, format!("{}, the copy's digest; registry and operation log kept", counted(units, "chapters")))
        }
        StoreKind::Qdrant => {
            let tried = try_first(cx, store, file).await?;
            let aliases = stores.vectors.aliases().await?;
            let collection = collection(cx).await?;
            same_bytes(cx, store, file).await?;
            cx.checkpoint()?;
            act(cx, units).await?;
            cx.phase("Putting the copy in the collection's place").await?;
            let found = put_points(cx, &collection, file, &tried).await?;
            let after = stores.vectors.aliases().await?;
            if after != aliases {
                return Err(Halt::refused(
                    "aliases_changed",
                    Some(store),
                    format!(
                        "{} {} before the restore, {} after it, or other ones",
                        aliases.len(),
                        plural(aliases.len() as u64, "alias", "aliases"),
                        after.len()
                    ),
                    "The collection is restored and proven; the way back is kept.",
                    "Point the aliases where they belong, then skip this lane with a reason.",
                ));
            }
            let points = found.points.unwrap_or(0);
            done(
                bytes,
                format!(
                    "{collection}: {}, the same ids; {} {} as before",
                    counted(points, "points"),
                    aliases.len(),
                    plural(aliases.len() as u64, "alias", "aliases")
                ),
            )
        }
        StoreKind::Neo4j => {
            let tried = try_first(cx, store, file).await?;
            let schema = schema_before(cx).await?;
            same_bytes(cx, store, file).await?;
            cx.checkpoint()?;
            act(cx, units).await?;
            cx.phase("Emptying the graph").await?;
            let found = put_graph(cx, file, &tried).await?;
            // Counts alone would not see another text: the bytes that were read are those that were proven.
            same_bytes(cx, store, file).await?;
            let after = stores.graph.schema_lines().await?;
            let lost = schema.iter().filter(|line| !after.contains(line)).count();
            let said = match lost {
                0 => format!("constraints and indexes as before ({})", after.len()),
                lost => {
                    cx.find(format!(
                        "Neo4j: constraints or indexes that stood before the restore and are not in the copy are gone: {lost}."
                    )).await?;
                    format!("constraints and indexes as in the copy ({}); {lost} that it lacks are gone", after.len())
                }
            };
            let (nodes, relationships) = (found.nodes.unwrap_or(0), found.relationships.unwrap_or(0));
            let total = nodes + relationships;
            done(
                total,
                format!(
                    "{}, {}, counts per label and type equal; {said}",
                    counted(nodes, "nodes"),
                    counted(relationships, "relationships")
                ),
            )
        }
    }
}

/// The production collection is still the one that the plan counted: an alias that moved since would have another version's data
/// replaced.
pub(super) async fn collection(cx: &StepContext) -> Result<String, Halt> {
    let shared = &cx.shared;
    let aliases = shared.stores.vectors.aliases().await?;
    let now = shared.settings.names.production_collection(&aliases);
    match shared.spec.production.get(&StoreKind::Qdrant) {
        Some(planned) if planned.name != now => Err(Halt::refused(
            "changed",
            Some(StoreKind::Qdrant),
            format!("production was the collection {} in the plan and is {now} now", planned.name),
            "Neither of the two was touched by this try.",
            "Find out who moved the alias. Abort, and plan again.",
        )),
        _ => {
            way_back::is_of(cx, &now).await?;
            Ok(now)
        }
    }
}

/// As it was before the first try: a try that failed may have dropped it.
async fn schema_before(cx: &StepContext) -> Result<Vec<String>, Halt> {
    let known = cx.shared.schema_before.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(known) = known {
        return Ok(known);
    }
    // Kept beside the way back: a process that goes on after this one finds the schema half restored.
    let path = cx.shared.folder().join("schema-before.json");
    let failed = |e: std::io::Error| way_back::file_trouble(StoreKind::Neo4j, &path, &e);
    let now: Vec<String> =
        if cx.shared.attempted(cx.step()).is_some() && tokio::fs::try_exists(&path).await.map_err(failed)? {
            let kept = tokio::fs::read(&path).await.map_err(failed)?;
            serde_json::from_slice(&kept).map_err(|e| failed(e.into()))?
        } else {
            let now = cx.shared.stores.graph.schema_lines().await?;
            let json = serde_json::to_vec(&now).map_err(|e| failed(e.into()))?;
            tokio::fs::create_dir_all(cx.shared.folder()).await.map_err(failed)?;
            tokio::fs::write(&path, json).await.map_err(failed)?;
            now
        };
    *cx.shared.schema_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(now.clone());
    Ok(now)
}

fn done(count: u64, said: String) -> Result<Outcome, Halt> {
    Ok(Outcome::Done { count: Some(count), said: format!("restored: {said}") })
}

/// The copy goes into a scratch place before anything real: a server can accept what is not what it seems.
pub(super) async fn try_first(
    cx: &mut StepContext,
    store: StoreKind,
    file: VerifiedFile<'_>,
) -> Result<Inventory, Halt> {
    cx.note(format!("trying {} in a scratch place", file.path.display())).await?;
    // The meter belongs to the restore itself.
    let place = if store == StoreKind::Qdrant { "collection" } else { "graph" };
    let words = format!("Trying the backup in a scratch {place}");
    let bytes = cx.phase_in_parts(words, Unit::Bytes).await?;
    let tried = cx.shared.verifier.trials().try_file(store, file.path, file.sha256, bytes).await?;
    let (differs, evidence) =
        compare_named(store, ("the scratch place", Some(&tried)), ("the file", Some(file.contents)));
    if differs == Some(true) {
        return Err(Halt::refused(
            "trial_failed",
            Some(store),
            format!("restored on trial, {} was not what it says: {evidence}", file.path.display()),
            "Production was not touched by this try.",
            "Do not restore from it. Abort, and use another copy.",
        ));
    }
    cx.note(format!("tried: {}, as the file says", counted(tried.points.or(tried.nodes).unwrap_or(0), "units")))
        .await?;
    Ok(tried)
}
