//! What a rollback, or another kind of run, would do: everything is read at one time, judged, and shown; nothing is changed.

pub(crate) mod compare;
pub(crate) mod earlier_runs;
mod expected_chapters;
mod facts;
pub(crate) mod gather;
mod intents;
mod judge;
mod losses;
mod rest;
mod room;
mod staged_by_others;
mod time;
pub(crate) mod triggers;

use rollback_types::ids::MAX_TARGET_BYTES;
use rollback_types::run_kind::{PRODUCTION, backup_of_subject, run_of_subject};
use rollback_types::{
    BackupSource, Inventory, Layout, PlanRequest, RollbackPlan, RollbackTarget, RunKind, StoreKind, Timestamp,
    VersionId, VersionRow, VersionState,
};

pub use facts::Facts;
pub(crate) use gather::Gathered;
use rest::NOT_OURS;
pub(crate) use rest::Rest;

use crate::backup::BackupVerifier;
use crate::error::ServiceError;
use crate::journal::Journal;
use crate::settings::Settings;
use crate::store::{CommittedVersions, StagingSelector};
use crate::stores::Stores;
use crate::validation::ExpectedChapters;

/// A plan, and what the engine needs to carry it out.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub plan: RollbackPlan,
    pub facts: Facts,
    /// `None` when the id can never be a target, and for kinds of run that remove nothing.
    pub target: Option<RollbackTarget>,
    /// Nodes that are not production.
    pub selectors: Vec<StagingSelector>,
    /// All other versions that could be rolled back.
    pub other_candidates: Vec<VersionId>,
    /// Chapters that there should be in what the run validates.
    pub expected_chapters: ExpectedChapters,
}

/// What the planner reads from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planner<'a> {
    pub stores: &'a Stores,
    pub journal: &'a dyn Journal,
    pub verifier: &'a BackupVerifier,
    pub settings: &'a Settings,
    /// Of an interrupted run: what is left of it is planned.
    pub rest: Option<&'a Rest>,
}

/// The parts of a plan that its kind decides about.
struct Parts {
    subject: VersionId,
    row: Option<VersionRow>,
    target: Option<RollbackTarget>,
    source: Option<BackupSource>,
    losses: CommittedVersions,
    gathered: Gathered,
    judged: judge::Judged,
    expected_chapters: ExpectedChapters,
}

impl Planner<'_> {
    /// Plans a run of any kind.
    pub(crate) async fn plan(&self, request: &PlanRequest) -> Result<Planned, ServiceError> {
        let started = std::time::Instant::now();
        let mut parts = match request.kind {
            RunKind::Rollback => self.rollback(request).await?,
            RunKind::RestoreProduction | RunKind::UndoRestore => self.restore(request).await?,
            RunKind::Validate => self.validation(request).await?,
            RunKind::MakeBackup => self.make_backup(request).await?,
        };
        if let Some(rest) = self.rest {
            // The registry tells that it is lost, the journal to whom.
            let lost = parts.judged.refusals.iter().any(|refusal| refusal.code == NOT_OURS);
            let taken_over = if lost { rest.taken_over(self).await? } else { None };
            match taken_over {
                // Whatever else is in its way: it is another run's by now.
                Some(refusal) => parts.judged.refusals = vec![refusal],
                None => parts.judged.refusals.extend(rest.overtaken(self).await?),
            }
        }
        self.assemble(request.kind, parts, started).await
    }

    async fn rollback(&self, request: &PlanRequest) -> Result<Parts, ServiceError> {
        let subject = VersionId::new(request.version_id.clone());
        let row = self.row(&subject).await?;
        let target = RollbackTarget::new(&subject);
        let marks = match &target {
            Ok(target) if self.rest.is_some() || row.status == VersionState::RollingBack => {
                self.stores.records.marks(target).await?
            }
            _ => Vec::new(),
        };
        let (row, not_ours) = match self.rest {
            Some(rest) => rest.row(row, &marks),
            None => (row, None),
        };
        // What is refused whatever is staged is not asked about: a committed version's own data is production.
        let acting = target.as_ref().ok().filter(|_| row.candidacy.is_offered());
        let source = BackupSource::LatestCopy;
        let mut gathered = Gathered::read(self, Some(&subject), acting, &source).await;
        gathered.holds = self.rest.is_some_and(|rest| rest.holds(&marks));
        gathered.held_by = marks.into_iter().rev().find(|m| m.open).map(|m| m.run_key);
        gathered.held_by_run = match &gathered.held_by {
            Some(key) => self.journal.run_with_key(key).await?,
            None => None,
        };
        let mut judged = judge::rollback(self, &row, &target, &gathered, request);
        judged.refusals.extend(not_ours);
        let expected_chapters = self.chapters_in_production(gathered.layout(), judged.stores.sqlite.restore).await;
        Ok(Parts {
            subject,
            row: Some(row),
            target: target.ok(),
            source: Some(source),
            losses: CommittedVersions::default(),
            gathered,
            judged,
            expected_chapters,
        })
    }

    /// Of production from a backup, or of what a run had saved.
    async fn restore(&self, request: &PlanRequest) -> Result<Parts, ServiceError> {
        let subject = VersionId::new(request.version_id.clone());
        let source = match request.kind {
            RunKind::UndoRestore => self.way_back(subject.as_str()).await?,
            _ => self.kept(backup_of_subject(subject.as_str())).await?,
        };
        let losses = self.losses(request, &source).await?;
        let gathered = Gathered::read(self, None, None, &source).await;
        let staged = staged_by_others::staged_by_others(self, &gathered).await;
        let note = self.verifier.folders().collection_note(&source);
        let saved_collection = match &source {
            BackupSource::WayBack(_) => tokio::fs::read_to_string(note).await.ok().map(|name| name.trim().to_owned()),
            _ => None,
        };
        let judged = judge::restore(self, &gathered, request, &source, (&losses, &staged), saved_collection);
        let losses = if judge::replaces_something(&judged.stores) { losses } else { CommittedVersions::default() };
        let expected_chapters = match &source {
            // An older copy holds what it holds; its own ladder compared it with its registry row.
            BackupSource::Version(_) | BackupSource::WayBack(_) if judged.stores.sqlite.restore => {
                let held = gathered.copy.contents.sqlite.as_ref().and_then(|i| i.rows);
                let why = format!("{} holds as many, from which this run restores production", source.name());
                held.map_or(ExpectedChapters::Unknown, |count| ExpectedChapters::Restored { count, why })
            }
            _ => self.chapters_in_production(gathered.layout(), judged.stores.sqlite.restore).await,
        };
        let source = Some(source);
        Ok(Parts { subject, row: None, target: None, source, losses, gathered, judged, expected_chapters })
    }

    async fn validation(&self, request: &PlanRequest) -> Result<Parts, ServiceError> {
        let subject = VersionId::new(request.version_id.clone());
        let source = BackupSource::LatestCopy;
        let (row, target) = if subject.as_str() == PRODUCTION {
            (None, None)
        } else {
            let row = self.row(&subject).await?;
            let target = RollbackTarget::new(&subject)
                .map_err(|why| ServiceError::field("/version_id", format!("What it staged cannot be named: {why}.")))?;
            (Some(row), Some(target))
        };
        let gathered = Gathered::read(self, None, None, &source).await;
        let judged = judge::validation(self, &gathered, request);
        let expected_chapters = match &row {
            Some(row) => ExpectedChapters::of_row(row.version_id.clone(), row.chapter_count),
            None => self.chapters_in_production(gathered.layout(), false).await,
        };
        let (source, losses) = (None, CommittedVersions::default());
        Ok(Parts { subject, row, target, source, losses, gathered, judged, expected_chapters })
    }

    /// A new latest-copy of production, or a backup of a safety backup that the pipeline left inside the stores.
    async fn make_backup(&self, request: &PlanRequest) -> Result<Parts, ServiceError> {
        let subject = VersionId::new(request.version_id.clone());
        let safety = subject.is_safety_backup() && self.row(&subject).await?.version_id == subject;
        if !safety && request.version_id != BackupSource::LATEST_COPY {
            let said = "Only latest-copy, or a safety backup (latest_copy…), can be made into a backup.";
            return Err(ServiceError::field("/version_id", said));
        }
        if safety && !is_plain(subject.as_str()) {
            return Err(ServiceError::field(
                "/version_id",
                "That name would make no safe name of a folder or a table.",
            ));
        }
        let gathered = Gathered::read(self, None, None, &BackupSource::LatestCopy).await;
        let judged = if safety {
            judge::safety_backup(self, &gathered, request)
        } else {
            let label = StagingSelector::Label(self.settings.names.staging_label.clone());
            let staged = self.stores.graph.staging(&label).await.map(|counts| counts.units());
            judge::make_backup(self, &gathered, request, &staged)
        };
        Ok(Parts {
            subject,
            row: None,
            target: None,
            source: None,
            losses: CommittedVersions::default(),
            gathered,
            judged,
            expected_chapters: ExpectedChapters::Unknown,
        })
    }

    async fn row(&self, id: &VersionId) -> Result<VersionRow, ServiceError> {
        self.stores.records.version(id).await?.ok_or_else(|| {
            let shown: String = id.as_str().chars().take(80).collect();
            ServiceError::NotFound(format!("There is no version {shown:?} in the registry."))
        })
    }

    /// The backup of that name, if it has a folder.
    async fn kept(&self, source: BackupSource) -> Result<BackupSource, ServiceError> {
        if source == BackupSource::LatestCopy {
            return Ok(source);
        }
        let folders = self.verifier.folders().clone();
        let kept = tokio::task::spawn_blocking(move || folders.kept_versions())
            .await
            .map_err(|e| ServiceError::Conflict(e.to_string()))?
            .map_err(|e| ServiceError::Conflict(format!("The folder of the backups cannot be read: {e}.")))?;
        // Only names that are there: nothing that a request brought along becomes a path.
        let found = matches!(&source, BackupSource::Version(id) if kept.contains(id));
        if found { Ok(source) } else { Err(ServiceError::NotFound("There is no backup of that name.".into())) }
    }

    /// What the run that a subject such as `run-12` names had saved.
    async fn way_back(&self, subject: &str) -> Result<BackupSource, ServiceError> {
        let run = run_of_subject(subject)
            .ok_or_else(|| ServiceError::field("/version_id", "An undo names a run, such as run-12."))?;
        let record = self.journal.run(run).await?;
        let record = record.ok_or_else(|| ServiceError::NotFound(format!("There is no run #{run}.")))?;
        let source = BackupSource::WayBack(record.run_key);
        let folders = self.verifier.folders();
        if folders.stores(&source).is_empty() {
            let said = format!("Run #{run} has no way back: it restored nothing, or its way back was removed.");
            return Err(ServiceError::NotFound(said));
        }
        Ok(source)
    }

    async fn assemble(
        &self,
        kind: RunKind,
        parts: Parts,
        started: std::time::Instant,
    ) -> Result<Planned, ServiceError> {
        let Parts { subject, row, target, source, losses, gathered, judged, expected_chapters } = parts;
        let mut facts = Facts::default();
        facts.add("/kind", &kind);
        facts.add("/subject", &subject);
        if let Some(row) = &row {
            facts.add(
                "/version",
                &serde_json::json!({
                    "version_id": row.version_id, "status": row.status, "status_message": row.status_message,
                    "updated_at": row.updated_at, "chapter_count": row.chapter_count,
                }),
            );
        }
        if let Some(rest) = self.rest {
            facts.add("/rest", &rest.facts());
        }
        facts.add("/layout", &gathered.layout());
        facts.add("/other_candidates", &gathered.other_candidates);
        for store in StoreKind::ALL {
            let plan = judged.stores.get(store);
            let pointer = format!("/stores/{}", store.as_str());
            facts.add(
                &pointer,
                &serde_json::json!({
                    "engine": plan.engine, "location": self.stores.engine(store).location, "reachable": plan.reachable,
                    "staging": plan.staging, "production": plan.production, "latest_copy": plan.latest_copy,
                    "differs": plan.differs, "restore": plan.restore,
                }),
            );
        }
        facts.add("/source", &source);
        facts.add("/losses", &losses.newest);
        let more_losses = losses.count.saturating_sub(losses.newest.len() as u64);
        if more_losses > 0 {
            facts.add("/more_losses", &more_losses);
        }
        facts.add("/latest_copy/hashes", &gathered.copy.hashes());
        facts.add("/latest_copy/intact", &gathered.copy.health.intact);
        let asked: Vec<_> = judged.acknowledgements.iter().map(|a| &a.asked).collect();
        facts.add("/acknowledgements", &asked);

        let triggers = match &row {
            Some(row) => {
                let found = triggers::own_validation(self, &row.version_id).await;
                triggers::suggested(row, &gathered.operations, found.as_ref())
            }
            None => Vec::new(),
        };
        let time = time::estimate(self.journal, kind, &judged.stores).await?;
        let mut steps = intents::planned_steps(kind, source.as_ref(), &judged.stores, self.settings);
        for planned in &mut steps {
            if let Some(intent) = self.rest.and_then(|rest| rest.intent(planned.step)) {
                planned.intent = intent;
            }
        }
        steps.retain(|planned| self.rest.is_none_or(|rest| !rest.is_through(planned.step)));
        if judged.refusals.iter().any(|refusal| refusal.lasting) {
            // No run of it will ever be: there is nothing to tell of its steps.
            steps.clear();
        }
        let plan = RollbackPlan {
            digest: facts.digest(),
            resumes: self.rest.map(|rest| rest.run),
            version_id: subject,
            startable: judged.refusals.is_empty(),
            kind,
            losses: losses.newest,
            more_losses,
            way_back_bytes: judged.way_back_bytes,
            take_over: !gathered.holds && row.as_ref().is_some_and(|r| r.status == VersionState::RollingBack),
            steps,
            refusals: judged.refusals,
            acknowledgements: judged.acknowledgements,
            triggers,
            version: row,
            operations: gathered.operations,
            layout: gathered.schema.as_ref().ok().map(|s| s.layout),
            stores: judged.stores,
            latest_copy: source.is_some().then_some(gathered.copy.health),
            source,
            checklist: judged.checklist,
            disk: judged.disk,
            time,
            planned_at: Timestamp::now(),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(Planned {
            plan,
            facts,
            target: target.filter(|_| kind == RunKind::Rollback),
            selectors: gathered.selectors,
            other_candidates: gathered.other_candidates,
            expected_chapters,
        })
    }
}

/// A safety backup's id becomes part of a folder's, a table's and a collection's name.
fn is_plain(id: &str) -> bool {
    id.len() <= MAX_TARGET_BYTES && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Layout of a deployment whose registry could not be read: the specification's, so that nothing named after a
/// version is ever assumed.
pub(crate) const FALLBACK_LAYOUT: Layout = Layout::Shared;

/// The production inventory that a lane of step 7, or of the plan, compares.
pub(crate) async fn production_of(
    stores: &Stores,
    settings: &Settings,
    store: StoreKind,
    staging: &[crate::store::StagingSelector],
) -> Result<Inventory, crate::store::StoreError> {
    match store {
        StoreKind::Sqlite => stores.records.production().await,
        StoreKind::Neo4j => stores.graph.production(staging).await,
        StoreKind::Qdrant => {
            let aliases = stores.vectors.aliases().await?;
            let name = settings.names.production_collection(&aliases);
            gather::production_points(stores, name).await
        }
    }
}
