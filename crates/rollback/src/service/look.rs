//! Looking without touching: overview, versions, backups.

use std::time::Instant;

use rollback_types::{
    BackupSource, Inventory, Layout, Overview, Page, RollbackTarget, RunId, RunKind, RunQuery, RunState, RunSummary,
    StagedInStore, StateCount, StoreKind, StoreReport, StoreStatus, Timestamp, VersionCourse, VersionDetail, VersionId,
    VersionQuery, VersionRow,
};

use super::{Answer, RollbackService};
use crate::error::ServiceError;
use crate::plan::compare::{compare, not_covered};
use crate::plan::earlier_runs::taken_over_by;
use crate::plan::gather::{base_points, candidates, selectors, staging_points};
use crate::plan::{FALLBACK_LAYOUT, production_of, triggers};
use crate::store::StoreError;
use crate::verdict::{Situation, verdict};

/// What the overview counted, and when.
#[derive(Debug)]
pub(super) struct Counted {
    at: Instant,
    layout: Layout,
    target: Option<RollbackTarget>,
    /// The newest run and its last event.
    story: Option<(RunId, u64)>,
    staged: Vec<StagedInStore>,
    /// The base collection, where production is another one.
    base: Option<Inventory>,
}

impl RollbackService {
    /// A page of versions.
    ///
    /// # Errors
    /// The registry's; a cursor that is not one of ours.
    pub async fn versions(&self, query: &VersionQuery) -> Answer<Page<VersionRow>> {
        Ok(self.stores.records.versions(query).await?)
    }

    /// How many versions have each state, of all or of those that a search finds.
    ///
    /// # Errors
    /// The registry's.
    pub async fn state_counts(&self, search: Option<&str>) -> Answer<Vec<StateCount>> {
        Ok(self.stores.records.state_counts(search).await?)
    }

    /// The versions over time: a sample, and those that are named.
    ///
    /// # Errors
    /// The registry's.
    pub async fn course(&self, named: &[VersionId]) -> Answer<VersionCourse> {
        Ok(self.stores.records.course(named).await?)
    }

    /// How the three stores are, asked at the same time.
    pub async fn stores(&self) -> Vec<StoreReport> {
        self.stores.reports().await
    }

    /// Everything about one version.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the registry's.
    pub async fn version(&self, id: &str) -> Answer<VersionDetail> {
        let id = VersionId::new(id);
        let records = &self.stores.records;
        let Some(version) = records.version(&id).await? else {
            return Err(ServiceError::NotFound("There is no such version in the registry.".into()));
        };
        let layout = records.schema().await?.layout;
        let target = RollbackTarget::new(&id).ok().filter(|_| version.candidacy.is_offered());
        let query = RunQuery { version_id: Some(id.as_str().to_owned()), limit: Some(20), ..RunQuery::default() };
        let others = candidates(&self.stores, &self.settings.extra_states).await?;
        let (operations, staging, runs) = tokio::join!(
            records.operations(&id, 200),
            self.staged(layout, target.as_ref(), &others),
            self.runs(&query)
        );
        let (operations, runs) = (operations?, runs?.items);
        let rollbacks = runs.iter().filter(|run| run.kind == RunKind::Rollback && run.version_id == id);
        let interrupted_run = self.not_taken_over(rollbacks).await?.first().map(|run| run.id);
        let triggers = if version.candidacy.is_offered() {
            let found = triggers::own_validation(&self.planner(), &id).await;
            triggers::suggested(&version, &operations, found.as_ref())
        } else {
            Vec::new()
        };
        Ok(VersionDetail {
            rollback: rollback_sentence(&version, interrupted_run),
            interrupted_run,
            triggers,
            version,
            staging,
            operations,
            runs,
            layout,
        })
    }

    /// The first page. A store that is down is told inside, not as an error.
    ///
    /// # Errors
    /// The journal's.
    pub async fn overview(&self) -> Answer<Overview> {
        let recent = RunQuery { limit: Some(5), ..RunQuery::default() };
        let interrupted = RunQuery { state: Some(RunState::Interrupted), limit: Some(20), ..RunQuery::default() };
        let (stores, latest_copy, registry, runs, interrupted, active, writable) = tokio::join!(
            self.stores.reports(),
            self.verifier.examine(&BackupSource::LatestCopy, false, None),
            self.registry_look(),
            self.runs(&recent),
            self.runs(&interrupted),
            self.journal.active_run(),
            self.journal.probe(),
        );
        let journal_problem = writable.err().map(|e| (e.to_string(), e.remedy().to_owned()));
        let schema_problem = match &registry.schema {
            Ok(schema) if schema.writable_shape => None,
            Ok(schema) => {
                let remedy = "Check that this is the right metadata.db and that its set-up was finished.";
                Some((schema.findings.join("; "), remedy.to_owned()))
            }
            Err(e) => Some((e.to_string(), e.remedy())),
        };
        let layout = registry.schema.as_ref().ok().map(|s| s.layout);
        let unlisted = registry.first.as_ref().err().or(registry.candidates.as_ref().err());
        let registry_problem = unlisted.map(|e| (e.to_string(), e.remedy())).or(schema_problem);
        let mut found = registry.first.as_deref().unwrap_or_default().to_vec();
        let candidate_ids = registry.candidates.as_deref().unwrap_or_default();
        let newest = found.first().and_then(|v| RollbackTarget::new(&v.version_id).ok());
        let runs = runs?.items;
        let earlier = interrupted?.items;
        let waiting = self.not_taken_over(runs.iter().chain(&earlier)).await?;
        let interrupted = waiting.first();
        // Whatever a run has done since makes what was counted before it old.
        let story = runs.first().map(|run| (run.id, run.last_event));
        let (staged, base) =
            self.staged_lately(layout.unwrap_or(FALLBACK_LAYOUT), newest.as_ref(), story, candidate_ids).await;
        // While a run is at work it has the floor, and its story changes with every event.
        let at_work = runs.first().is_some_and(|run| run.state.is_active());
        let last_word = if at_work { Ok(None) } else { self.last_word(story).await };
        let open_approvals = self.open_approvals().await?;
        let mut active = active?;
        if let Some(run) = &mut active {
            self.tell_orphan(run).await;
        }
        let active = active.filter(|r| r.state.is_active());
        // The version that a run has in hand waits for nothing else, also while that run is interrupted.
        let mut in_hand: Vec<&VersionId> = active.iter().map(|run| &run.version_id).collect();
        in_hand.extend(waiting.iter().filter(|run| run.kind == RunKind::Rollback).map(|run| &run.version_id));
        found.retain(|v| !in_hand.contains(&&v.version_id));
        found.truncate(20);
        let free = candidate_ids.iter().filter(|id| !in_hand.contains(id)).count();
        let candidate_count = u64::try_from(free).unwrap_or(u64::MAX);
        let staged_of = newest
            .as_ref()
            .filter(|_| layout == Some(Layout::PerVersion))
            .map(|target| VersionId::new(target.as_str()));
        let differing: Vec<String> = staged
            .iter()
            .filter_map(|s| {
                let copy = latest_copy.contents.get(s.store);
                let (differs, evidence) = compare(s.store, s.production.as_ref(), copy);
                // A copy of the base collection says nothing about another one that serves production.
                let of_base = s.store == StoreKind::Qdrant
                    && s.production.as_ref().is_some_and(|p| not_covered(p, base.as_ref(), copy).is_some());
                (!of_base && differs == Some(true)).then(|| format!("{}: {evidence}.", s.store))
            })
            .collect();
        let verdict = verdict(&Situation {
            differing: &differing,
            last_word: last_word.as_ref().ok().and_then(Option::as_ref),
            last_word_unknown: last_word.is_err(),
            approvals: self.approvals_required(RunKind::Rollback),
            interrupted,
            registry_problem: registry_problem.as_ref(),
            journal_problem: journal_problem.as_ref(),
            active: active.as_ref(),
            stores: &stores,
            latest_copy: &latest_copy.health,
            candidates: &found,
            unfinished: registry.unfinished.as_deref().unwrap_or_default(),
            staged: &staged,
            layout,
        });
        Ok(Overview {
            verdict,
            active_run: active,
            interrupted_run: interrupted.cloned(),
            interrupted_runs: waiting,
            stores,
            latest_copy: Some(latest_copy.health),
            candidates: found,
            candidate_count,
            staged,
            staged_of,
            recent_runs: runs,
            open_approvals,
            layout,
            deployment: self.settings.deployment.clone(),
            at: Timestamp::now(),
        })
    }

    /// The runs that wait for a person, the newest first: a run whose version a later one took over waits for nobody. One that
    /// only halted is shown as interrupted, though the journal does not have it so yet.
    async fn not_taken_over(&self, runs: impl Iterator<Item = &RunSummary>) -> Answer<Vec<RunSummary>> {
        let mut waiting: Vec<RunSummary> = Vec::new();
        for run in runs.filter(|run| run.state == RunState::Interrupted) {
            let is_new = waiting.iter().all(|known| known.id != run.id);
            if is_new && taken_over_by(self.journal.as_ref(), run).await?.is_none() {
                waiting.push(run.clone());
            }
        }
        waiting.sort_by_key(|run| std::cmp::Reverse(run.id));
        Ok(waiting)
    }

    /// The same for every tab that asks within a few seconds.
    async fn staged_lately(
        &self,
        layout: Layout,
        target: Option<&RollbackTarget>,
        story: Option<(RunId, u64)>,
        candidates: &[VersionId],
    ) -> (Vec<StagedInStore>, Option<Inventory>) {
        let mut counted = self.counted.lock().await;
        let still_right = |c: &&Counted| {
            let same = c.layout == layout && c.target.as_ref() == target && c.story == story;
            same && c.at.elapsed() < self.settings.overview_age
        };
        if let Some(known) = counted.as_ref().filter(still_right) {
            return (known.staged.clone(), known.base.clone());
        }
        let staged = self.staged(layout, target, candidates).await;
        let points = staged.iter().find(|s| s.store == StoreKind::Qdrant).and_then(|s| s.production.as_ref());
        let base = match points {
            // A base that cannot be read proves nothing.
            Some(points) => base_points(&self.stores, &self.settings, points).await.ok().flatten(),
            None => None,
        };
        let (at, target) = (Instant::now(), target.cloned());
        *counted = Some(Counted { at, layout, target, story, staged: staged.clone(), base: base.clone() });
        (staged, base)
    }

    /// Staging and production of each store, asked at the same time; what fails says so.
    async fn staged(
        &self,
        layout: Layout,
        target: Option<&RollbackTarget>,
        candidates: &[VersionId],
    ) -> Vec<StagedInStore> {
        let planner = self.planner();
        let selector = target.map(|t| self.settings.names.staging_selector(layout, t));
        let selectors = selectors(&planner, layout, target, candidates);
        let production = |store| production_of(&self.stores, &self.settings, store, &selectors);
        let (rows, points, nodes, sqlite, qdrant, neo4j) = tokio::join!(
            async {
                match target {
                    Some(target) => self.stores.records.staging(target).await.map(Some),
                    None => Ok(None),
                }
            },
            async {
                match target {
                    Some(_) => staging_points(&planner, layout, target).await.map(Some),
                    None => Ok(None),
                }
            },
            async {
                match &selector {
                    Some(selector) => self.stores.graph.staging(selector).await.map(Some),
                    None => Ok(None),
                }
            },
            production(StoreKind::Sqlite),
            production(StoreKind::Qdrant),
            production(StoreKind::Neo4j),
        );
        let side = |store, staging: Result<Option<_>, StoreError>, production: Result<_, StoreError>| {
            let problem = staging.as_ref().err().or(production.as_ref().err()).map(ToString::to_string);
            StagedInStore { store, staging: staging.ok().flatten(), production: production.ok(), problem }
        };
        vec![
            side(StoreKind::Sqlite, rows, sqlite),
            side(StoreKind::Qdrant, points, qdrant),
            side(StoreKind::Neo4j, nodes, neo4j),
        ]
    }

    /// Whether every store answers, for readiness probes.
    pub async fn is_ready(&self) -> bool {
        let journal = self.journal.probe().await.is_ok();
        let registry = self.stores.records.schema().await.is_ok_and(|s| s.writable_shape);
        journal && registry && self.stores().await.iter().all(|s| s.status != StoreStatus::Down)
    }
}

fn rollback_sentence(version: &VersionRow, interrupted: Option<RunId>) -> String {
    if let Some(run) = interrupted.filter(|_| version.candidacy.is_offered()) {
        return format!(
            "Run #{run} of this version was interrupted. Resume or abandon it, or plan the rollback of the version anew."
        );
    }
    match &version.candidacy {
        rollback_types::Candidacy::Candidate => "This version can be rolled back.".into(),
        rollback_types::Candidacy::TakeOver => {
            "An earlier rollback of this version did not finish; it can be taken over.".into()
        }
        rollback_types::Candidacy::Refused(why) => format!("This version cannot be rolled back: {why}."),
    }
}
