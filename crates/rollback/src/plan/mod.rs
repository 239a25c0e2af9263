//! What a rollback would do: everything is read at one time, judged, and shown; nothing is changed.

pub(crate) mod compare;
mod facts;
pub(crate) mod gather;
mod judge;
mod triggers;

use rollback_types::plan::{PlannedStep, StorePlans, TimeEstimate};
use rollback_types::{
    Inventory, Layout, PlanRequest, RollbackPlan, RollbackTarget, Step, StoreKind, StorePlan, Timestamp, VersionId,
};

pub use facts::Facts;
pub(crate) use gather::Gathered;

use crate::backup::BackupVerifier;
use crate::error::ServiceError;
use crate::journal::Journal;
use crate::settings::Settings;
use crate::stores::Stores;

/// A plan, and what the engine needs to carry it out.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub plan: RollbackPlan,
    pub facts: Facts,
    /// `None` when the id can never be a target.
    pub target: Option<RollbackTarget>,
    /// Nodes that are not production.
    pub selectors: Vec<crate::store::StagingSelector>,
    /// All other versions that could be rolled back.
    pub other_candidates: Vec<VersionId>,
}

/// What the planner reads from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planner<'a> {
    pub stores: &'a Stores,
    pub journal: &'a dyn Journal,
    pub verifier: &'a BackupVerifier,
    pub settings: &'a Settings,
}

impl Planner<'_> {
    /// Plans the rollback of a version.
    pub(crate) async fn plan(&self, request: &PlanRequest) -> Result<Planned, ServiceError> {
        let started = std::time::Instant::now();
        let id = VersionId::new(request.version_id.clone());
        let row = self.stores.records.version(&id).await?;
        let Some(row) = row else {
            let shown: String = id.as_str().chars().take(80).collect();
            return Err(ServiceError::NotFound(format!("There is no version {shown:?} in the registry.")));
        };
        let target = RollbackTarget::new(&id);
        // What is refused whatever is staged is not asked about: a committed version's own data is production.
        let acting = target.as_ref().ok().filter(|_| row.candidacy.is_offered());
        let gathered = Gathered::read(self, &row, acting).await;
        let judged = judge::judge(self, &row, &target, &gathered, request);

        let mut facts = Facts::default();
        facts.add(
            "/version",
            &serde_json::json!({
                "version_id": row.version_id, "status": row.status, "status_message": row.status_message,
                "updated_at": row.updated_at, "chapter_count": row.chapter_count,
            }),
        );
        facts.add("/layout", &gathered.layout());
        facts.add("/other_candidates", &gathered.other_candidates);
        for (store, plan) in [
            (StoreKind::Sqlite, &judged.stores.sqlite),
            (StoreKind::Qdrant, &judged.stores.qdrant),
            (StoreKind::Neo4j, &judged.stores.neo4j),
        ] {
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
        facts.add("/latest_copy/hashes", &gathered.copy.hashes());
        facts.add("/latest_copy/intact", &gathered.copy.health.intact);
        let asked: Vec<_> = judged.acknowledgements.iter().map(|a| &a.asked).collect();
        facts.add("/acknowledgements", &asked);

        let (median_ms, runs) = self.journal.run_median_ms().await.map_err(ServiceError::from)?;
        let plan = RollbackPlan {
            digest: facts.digest(),
            version_id: id,
            startable: judged.refusals.is_empty(),
            take_over: row.status == rollback_types::VersionState::RollingBack,
            steps: planned_steps(&judged.stores, self.settings),
            refusals: judged.refusals,
            acknowledgements: judged.acknowledgements,
            triggers: triggers::suggested(&row, &gathered.operations),
            version: Some(row),
            operations: gathered.operations,
            layout: gathered.schema.as_ref().ok().map(|s| s.layout),
            stores: judged.stores,
            latest_copy: Some(gathered.copy.health),
            checklist: judged.checklist,
            disk: judged.disk,
            time: TimeEstimate { documented_ms: 600_000, median_ms, runs },
            planned_at: Timestamp::now(),
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(Planned {
            plan,
            facts,
            target: target.ok(),
            selectors: gathered.selectors,
            other_candidates: gathered.other_candidates,
        })
    }
}

/// Layout of a deployment whose registry could not be read: the specification's, so that nothing named after a
/// version is ever assumed.
pub(crate) const FALLBACK_LAYOUT: Layout = Layout::Shared;

fn planned_steps(stores: &StorePlans, settings: &Settings) -> Vec<PlannedStep> {
    let intent = |step: Step| match step {
        Step::Identify => "reads the registry row again: still a candidate, still what this plan saw".to_owned(),
        Step::Mark => "sets the state to rolling_back and opens an operation log entry, in one transaction".into(),
        Step::DropChapters => {
            let kept = if settings.keep_evidence { "keeps a copy of the rows, then drops" } else { "drops" };
            goes(&stores.sqlite, "rows", &format!("{kept} {}", stores.sqlite.staging.name))
        }
        Step::DeletePoints => goes(&stores.qdrant, "points", &format!("deletes {}", stores.qdrant.staging.name)),
        Step::DeleteNodes => goes(
            &stores.neo4j,
            "nodes",
            &format!("deletes {} in batches of {}", stores.neo4j.staging.name, settings.batch_size),
        ),
        Step::VerifyCopy => {
            "reads all three files of latest-copy again and compares their hashes with this plan's".into()
        }
        Step::RestoreSqlite => restore(&stores.sqlite),
        Step::RestoreQdrant => restore(&stores.qdrant),
        Step::RestoreNeo4j => restore(&stores.neo4j),
        Step::Finish => "sets the state to rolled_back and closes the operation log, in one transaction".into(),
    };
    Step::ALL
        .into_iter()
        .map(|step| PlannedStep { step, number: step.number(), title: step.title().to_owned(), intent: intent(step) })
        .collect()
}

fn goes(plan: &StorePlan, unit: &str, does: &str) -> String {
    if plan.staging.present {
        format!("{does}: {} {unit}", plan.staging.units())
    } else {
        format!("finds nothing to do: there is no staging data ({})", plan.staging.name)
    }
}

fn restore(plan: &StorePlan) -> String {
    match plan.differs {
        Some(false) => format!("will be skipped: production equals latest-copy ({})", plan.evidence),
        Some(true) => format!("production differs from latest-copy: {}", plan.evidence),
        None => format!("cannot be told yet: {}", plan.evidence),
    }
}

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
