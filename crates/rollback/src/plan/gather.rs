//! Everything a plan reads, from all stores at the same time.

use std::collections::BTreeSet;

use rollback_types::{
    BackupSource, Candidacy, Inventory, Layout, OperationRow, RollbackTarget, RunId, RunSummary, StagingCounts,
    StoreKind, VersionId, VersionQuery, VersionRow, VersionState,
};

use super::earlier_runs::{earlier_ways_back, interrupted_amid_change};
use super::room::{self, Room};
use super::{FALLBACK_LAYOUT, Planner, Rest};
use crate::backup::Examination;
use crate::journal::JournalError;
use crate::settings::Settings;
use crate::store::{Alias, Fault, RegistrySchema, SnapshotForm, StagingSelector, StoreError, VectorShape};
use crate::stores::Stores;

/// What was read. Each part that failed says so; the judge decides what that means.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub schema: Result<RegistrySchema, StoreError>,
    pub operations: Vec<OperationRow>,
    pub open_operations: Result<Vec<OperationRow>, StoreError>,
    pub write_locked: Result<bool, StoreError>,
    /// Ids of all other versions that could be rolled back, sorted.
    pub other_candidates: Vec<VersionId>,
    pub candidates_error: Option<StoreError>,
    pub aliases: Result<Vec<Alias>, StoreError>,
    /// Nodes that are not production.
    pub selectors: Vec<StagingSelector>,
    pub sqlite: Side,
    pub qdrant: Side,
    /// The base collection, where production is another one.
    pub base_points: Option<Inventory>,
    pub neo4j: Side,
    /// Stores whose staging moved between two looks.
    pub moving: Vec<StoreKind>,
    pub copy: Examination,
    /// The copy's snapshot has this form, and the store restores only the other.
    pub foreign_snapshot: Option<SnapshotForm>,
    /// The copy's vectors, and those of production, where they are of another kind: neither takes the other's place.
    pub other_vectors: Option<(VectorShape, VectorShape)>,
    /// What of the copy's tables is not as ours.
    pub shape: Result<Vec<String>, StoreError>,
    pub active_run: Result<Option<RunSummary>, JournalError>,
    /// Other runs that were interrupted after they had begun to change the stores.
    pub interrupted: Vec<RunSummary>,
    /// Runs whose restore did not end well, and the stores they had saved; none after a restore that did.
    pub earlier_ways_back: Vec<(RunId, Vec<StoreKind>)>,
    /// What is free where a run may write.
    pub rooms: Vec<Room>,
    /// Size of the registry's file, where it is one.
    pub database_bytes: Option<u64>,
    /// Of a plan for what is left of a run.
    pub rest: Option<Rest>,
    /// That run's own row in the operation log holds the version.
    pub holds: bool,
    /// The run of Stepback, here or elsewhere, that holds the version, as the operation log has it.
    pub held_by: Option<String>,
    /// The same run, when it is one of this journal's.
    pub held_by_run: Option<RunId>,
}

/// One store's staging and production.
#[derive(Debug)]
pub(crate) struct Side {
    pub staging: Result<StagingCounts, StoreError>,
    pub production: Result<Inventory, StoreError>,
}

impl Side {
    /// The first thing that went wrong with the store.
    pub fn error(&self) -> Option<&StoreError> {
        self.staging.as_ref().err().or(self.production.as_ref().err())
    }
}

impl Gathered {
    pub fn layout(&self) -> Layout {
        self.schema.as_ref().map_or(FALLBACK_LAYOUT, |s| s.layout)
    }

    pub fn side(&self, store: StoreKind) -> &Side {
        match store {
            StoreKind::Sqlite => &self.sqlite,
            StoreKind::Qdrant => &self.qdrant,
            StoreKind::Neo4j => &self.neo4j,
        }
    }

    /// Reads all of it. `target` is `None` for ids that can never be acted on, and for kinds of run that remove nothing:
    /// then no store is asked about staging.
    pub async fn read(
        planner: &Planner<'_>,
        version: Option<&VersionId>,
        target: Option<&RollbackTarget>,
        source: &BackupSource,
    ) -> Self {
        let (stores, settings) = (planner.stores, planner.settings);
        let records = &stores.records;
        let schema = records.schema().await;
        let layout = schema.as_ref().map_or(FALLBACK_LAYOUT, |s| s.layout);
        let (operations, open_operations, write_locked, others, aliases, copy, active_run) = tokio::join!(
            async {
                match version {
                    Some(id) => records.operations(id, 20).await,
                    None => Ok(Vec::new()),
                }
            },
            records.open_operations(),
            records.is_write_locked(),
            candidates(stores, &settings.extra_states),
            stores.vectors.aliases(),
            planner.verifier.examine(source, false, None),
            async {
                // A plan that could not be journalled must not look as if it could start.
                planner.journal.probe().await?;
                planner.journal.active_run().await
            },
        );
        let (others, candidates_error) = match others {
            Ok(ids) => (ids, None),
            Err(e) => (Vec::new(), Some(e)),
        };
        let selectors = selectors(planner, layout, target, &others);
        let production = settings.names.production_collection(aliases.as_deref().unwrap_or_default());
        let look = || async {
            tokio::join!(
                staging_rows(stores, target),
                staging_points(planner, layout, target),
                staging_nodes(planner, layout, target),
            )
        };
        // Twice, with a pause between, while production is counted: that is what takes long.
        let looks = async {
            let first = look().await;
            if target.is_some() {
                tokio::time::sleep(settings.settle).await;
            }
            (first, look().await)
        };
        let points_and_base = async {
            let points = production_points(stores, production.clone()).await;
            let base = match &points {
                // A base that cannot be read proves nothing, and is asked about no further.
                Ok(points) => base_points(stores, settings, points).await.ok().flatten(),
                Err(_) => None,
            };
            let shape = match &copy.contents.vectors {
                // Where it cannot be told, the restore itself is refused by the store.
                Some(_) => stores.vectors.shape(&production).await.ok().flatten(),
                None => None,
            };
            (points, base, shape)
        };
        let shape = async {
            match copy.contents.sqlite {
                Some(_) => records.shape_differences(&planner.verifier.folders().file(source, StoreKind::Sqlite)).await,
                None => Ok(Vec::new()),
            }
        };
        let (
            (first, (sqlite, qdrant, neo4j)),
            rows,
            (points, base_points, vectors),
            nodes,
            shape,
            earlier_ways_back,
            interrupted,
            rooms,
        ) = tokio::join!(
            looks,
            records.production(),
            points_and_base,
            stores.graph.production(&selectors),
            shape,
            earlier_ways_back(planner),
            interrupted_amid_change(planner),
            room::rooms(planner),
        );
        let moved =
            |a: &Result<StagingCounts, _>, b: &Result<StagingCounts, _>| matches!((a, b), (Ok(a), Ok(b)) if a != b);
        let mut moving = Vec::new();
        for (store, moved) in [
            (StoreKind::Sqlite, moved(&first.0, &sqlite)),
            (StoreKind::Qdrant, moved(&first.1, &qdrant)),
            (StoreKind::Neo4j, moved(&first.2, &neo4j)),
        ] {
            if moved {
                moving.push(store);
            }
        }
        let mut other_candidates: Vec<VersionId> = others.into_iter().filter(|id| Some(id) != version).collect();
        other_candidates.sort();
        let active_run = match active_run {
            // A run of ours that has begun since would look like somebody else's work.
            Ok(None) if !moving.is_empty() => planner.journal.active_run().await,
            known => known,
        };
        let (active_run, interrupted) = match (active_run, interrupted) {
            // A journal that cannot be read refuses the plan, whichever of the two questions it left open.
            (Ok(_), Err(e)) => (Err(e), Vec::new()),
            (active, interrupted) => (active, interrupted.unwrap_or_default()),
        };
        let database = std::path::PathBuf::from(records.engine().location);
        let database_bytes = tokio::fs::metadata(&database).await.ok().map(|meta| meta.len());
        Self {
            schema,
            operations: operations.unwrap_or_default(),
            open_operations,
            write_locked,
            other_candidates,
            candidates_error,
            aliases,
            selectors,
            sqlite: Side { staging: sqlite, production: rows },
            qdrant: Side { staging: qdrant, production: points },
            base_points,
            neo4j: Side { staging: neo4j, production: nodes },
            moving,
            foreign_snapshot: copy.contents.snapshot_form.filter(|form| *form != stores.vectors.snapshot_form()),
            other_vectors: copy.contents.vectors.clone().zip(vectors).filter(|(copied, ours)| copied != ours),
            copy,
            shape,
            active_run,
            interrupted,
            earlier_ways_back,
            rooms,
            database_bytes,
            rest: planner.rest.cloned(),
            holds: false,
            held_by: None,
            held_by_run: None,
        }
    }
}

/// The states of a candidate.
fn candidate_states(extra_states: &[String]) -> Vec<VersionState> {
    let known = VersionState::KNOWN.into_iter().filter(|s| s.candidacy(&[]).is_offered());
    known.chain(extra_states.iter().map(|s| VersionState::from(s.as_str()))).collect()
}

/// Every version that may be rolled back, newest first, however many there are: one that is left out would not be asked about.
pub(crate) async fn candidates(stores: &Stores, extra_states: &[String]) -> Result<Vec<VersionId>, StoreError> {
    let found = stores.records.ids_in(&candidate_states(extra_states)).await?;
    let offered = found.into_iter().filter(|(id, state)| Candidacy::of(id, state, extra_states).is_offered());
    Ok(offered.map(|(id, _)| id).collect())
}

/// The rows of the newest of them: as many as are enough to choose from what is shown first.
pub(crate) async fn newest_candidates(stores: &Stores, extra_states: &[String]) -> Result<Vec<VersionRow>, StoreError> {
    let status = candidate_states(extra_states);
    let mut query = VersionQuery { status, limit: Some(VersionQuery::MAX_LIMIT), ..VersionQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = stores.records.versions(&query).await?;
        found.extend(page.items.into_iter().filter(|v| v.candidacy.is_offered()));
        match page.next_cursor {
            Some(cursor) if found.len() < 1_000 => query.cursor = Some(cursor),
            _ => return Ok(found),
        }
    }
}

/// Whose nodes are not production: the target's, and in the per-version layout every other candidate's too.
pub(crate) fn selectors(
    planner: &Planner<'_>,
    layout: Layout,
    target: Option<&RollbackTarget>,
    others: &[VersionId],
) -> Vec<StagingSelector> {
    let others = others.iter().filter_map(|id| RollbackTarget::new(id).ok());
    let targets: Vec<RollbackTarget> = target.cloned().into_iter().chain(others).collect();
    let mut seen = BTreeSet::new();
    let mut selectors = Vec::new();
    for target in &targets {
        let selector = planner.settings.names.staging_selector(layout, target);
        if seen.insert(selector.to_string()) {
            selectors.push(selector);
        }
    }
    if selectors.is_empty() {
        selectors.push(StagingSelector::Label(planner.settings.names.staging_label.clone()));
    }
    selectors
}

pub(super) async fn staging_rows(
    stores: &Stores,
    target: Option<&RollbackTarget>,
) -> Result<StagingCounts, StoreError> {
    match target {
        Some(target) => stores.records.staging(target).await,
        None => Ok(StagingCounts::default()),
    }
}

/// Staged points of a target, with the payload's own version in the per-version layout.
pub(crate) async fn staging_points(
    planner: &Planner<'_>,
    layout: Layout,
    target: Option<&RollbackTarget>,
) -> Result<StagingCounts, StoreError> {
    let Some(target) = target else { return Ok(StagingCounts::default()) };
    let vectors = &planner.stores.vectors;
    let name = planner.settings.names.staging_collection(layout, target);
    let points = vectors.count(&name).await?;
    let mut counts = StagingCounts { present: points.is_some(), name, points, ..StagingCounts::default() };
    if let (Layout::PerVersion, Some(points)) = (layout, points) {
        let own = vectors.count_of_version(&counts.name, target.as_str()).await?;
        counts.versions.insert(target.to_string(), own);
        if points > own {
            counts.versions.insert("copied from production".into(), points - own);
        }
    }
    Ok(counts)
}

pub(super) async fn staging_nodes(
    planner: &Planner<'_>,
    layout: Layout,
    target: Option<&RollbackTarget>,
) -> Result<StagingCounts, StoreError> {
    match target {
        Some(target) => planner.stores.graph.staging(&planner.settings.names.staging_selector(layout, target)).await,
        None => Ok(StagingCounts::default()),
    }
}

/// The base collection, where production is another one.
pub(crate) async fn base_points(
    stores: &Stores,
    settings: &Settings,
    production: &Inventory,
) -> Result<Option<Inventory>, StoreError> {
    let base = &settings.names.collection;
    if production.name == *base || stores.vectors.count(base).await?.is_none() {
        return Ok(None);
    }
    production_points(stores, base.clone()).await.map(Some)
}

/// Exact count and id set of the collection that serves production.
pub(crate) async fn production_points(stores: &Stores, name: String) -> Result<Inventory, StoreError> {
    let (count, ids) = tokio::try_join!(stores.vectors.count(&name), stores.vectors.id_fingerprint(&name))?;
    let Some(points) = count else {
        return Err(StoreError {
            store: StoreKind::Qdrant,
            endpoint: stores.vectors.engine().location,
            operation: format!("counting the production collection {name}"),
            fault: Fault::Missing,
            detail: format!("there is no collection {name}"),
        });
    };
    let digest = ids.map(|ids| hex::encode(ids.xor));
    Ok(Inventory { name, points: Some(points), digest, ..Inventory::default() })
}
