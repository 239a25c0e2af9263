//! What the gathered evidence means: what refuses the plan, what a person must acknowledge, the checklist.

mod interrupted;
mod restore;
mod rollback;
mod surroundings;

pub(super) use self::restore::replaces_something;

use std::collections::BTreeSet;

use rollback_types::plan::{DiskSpace, StorePlans};
use rollback_types::quantity::count;
use rollback_types::{
    Acknowledgement, AcknowledgementView, BackupFile, BackupSource, CheckItem, CheckState, PlanRequest, Refusal,
    RollbackTarget, RunKind, StagingCounts, StoreKind, StorePlan, TargetRefusal, VersionRow,
};

use super::compare::{compare_named, not_covered};
use super::room::{Needs, bytes_of_all};
use super::{Gathered, Planner};
use crate::store::{CommittedVersions, StoreError};

/// The judgement.
#[derive(Debug)]
pub(super) struct Judged {
    pub stores: StorePlans,
    pub refusals: Vec<Refusal>,
    pub acknowledgements: Vec<AcknowledgementView>,
    pub checklist: Vec<CheckItem>,
    pub disk: Vec<DiskSpace>,
    pub way_back_bytes: u64,
}

struct Judge<'a> {
    refusals: Vec<Refusal>,
    asked: Vec<Acknowledgement>,
    checklist: Vec<CheckItem>,
    /// The copy is of the base collection, and production is another one.
    not_covered: bool,
    g: &'a Gathered,
}

/// Judges a rollback of this row.
pub(super) fn rollback(
    planner: &Planner<'_>,
    row: &VersionRow,
    target: &Result<RollbackTarget, TargetRefusal>,
    g: &Gathered,
    request: &PlanRequest,
) -> Judged {
    let source = BackupSource::LatestCopy;
    let mut stores = store_plans(planner, g, &source);
    let mut j = Judge::new(g);
    j.candidate(row, target);
    let chosen = j.choose(&mut stores, request);
    j.copy(&source, !chosen.is_empty());
    let way_back_bytes = bytes_of_all(g, &still_to_save(g, &chosen));
    let evidence = g.sqlite.staging.as_ref().ok().and_then(|s| s.rows).unwrap_or(0).saturating_mul(1_024);
    let disk = j.disk(planner, &Needs::of_restore(g, &chosen).with_evidence(evidence));
    j.stores_answer(&stores);
    j.ingestion();
    j.registry(planner.settings.expected_layout);
    j.whose_staging(row, target);
    j.interrupted_before_rollback(&row.version_id);
    j.aliases(planner, target);
    j.production(&stores, RunKind::Rollback, &source);
    j.taken_along(planner, &chosen, &stores, &source);
    j.graph_of_others(&chosen);
    j.active_run();
    j.check("stakeholders", "Stakeholders notified", CheckState::ForPerson, "only a person can tell");
    if !row.candidacy.is_offered() || target.is_err() {
        // Nothing a person could do would make it one: what else would stand in the way is beside the point.
        j.asked.clear();
        j.refusals.retain(|refusal| refusal.lasting);
        j.checklist.retain(|check| matches!(check.code.as_str(), "candidate" | "not_baseline"));
        for plan in [&mut stores.sqlite, &mut stores.qdrant, &mut stores.neo4j] {
            (plan.restore, plan.restore_recommended) = (false, false);
        }
        return j.end(stores, Vec::new(), 0, request);
    }
    j.end(stores, disk, way_back_bytes, request)
}

/// Judges a restore apart from a rollback: of production, or of what a run had saved.
pub(super) fn restore(
    planner: &Planner<'_>,
    g: &Gathered,
    request: &PlanRequest,
    source: &BackupSource,
    (losses, staged): (&CommittedVersions, &BTreeSet<StoreKind>),
    saved_collection: Option<String>,
) -> Judged {
    let mut stores = store_plans(planner, g, source);
    if let BackupSource::WayBack(_) = source {
        // What was restored once is put back, equal or not: that is what was asked.
        for plan in [&mut stores.sqlite, &mut stores.qdrant, &mut stores.neo4j] {
            plan.restore_recommended = plan.latest_copy.is_some();
        }
    }
    let mut j = Judge::new(g);
    let chosen = j.choose(&mut stores, request);
    j.copy(source, true);
    let way_back_bytes = bytes_of_all(g, &still_to_save(g, &chosen));
    let disk = j.disk(planner, &Needs::of_restore(g, &chosen));
    j.stores_answer_for(&stores, &chosen, request.kind);
    j.ingestion();
    j.registry(planner.settings.expected_layout);
    if let (Some(of), Some(now)) = (saved_collection, &stores.qdrant.production)
        && chosen.contains(&StoreKind::Qdrant)
        && now.name != of
    {
        j.refuse(
            "other_collection:qdrant",
            format!(
                "What the run saved is of the collection {of}, and production is {} now: it must not be put into that. Leave \
                 Qdrant out, or point the alias back first.",
                now.name
            ),
        );
    }
    j.production(&stores, request.kind, source);
    j.taken_along(planner, &chosen, &stores, source);
    j.restore_apart(&stores, &chosen, source, losses);
    j.staging_of_others(&chosen, staged);
    j.interrupted_before_restore();
    j.active_run();
    j.check("stakeholders", "Stakeholders notified", CheckState::ForPerson, "only a person can tell");
    j.end(stores, disk, way_back_bytes, request)
}

/// Judges the making of a new latest-copy.
pub(super) fn make_backup(
    planner: &Planner<'_>,
    g: &Gathered,
    request: &PlanRequest,
    staged_nodes: &Result<u64, StoreError>,
) -> Judged {
    let stores = store_plans(planner, g, &BackupSource::LatestCopy);
    let mut j = Judge::new(g);
    let all = StoreKind::ALL.into_iter().collect();
    let disk = j.disk(planner, &Needs::of_backup(g, &all));
    j.stores_answer(&stores);
    j.ingestion();
    match staged_nodes {
        Ok(0) => {}
        Ok(staged) => j.refuse(
            "staged",
            format!(
                "{} staged in Neo4j: they would be part of the export, and every restore from it would bring \
                 them back. Roll their version back, or let it commit, then plan again.",
                if *staged == 1 { "1 node is".to_owned() } else { format!("{} nodes are", count(*staged)) }
            ),
        ),
        Err(e) => j.refuse("store_problem:staged", format!("{e}. {}", e.remedy())),
    }
    if !g.other_candidates.is_empty() {
        let names: Vec<String> = g.other_candidates.iter().take(20).map(ToString::to_string).collect();
        j.ask(
            format!("candidates:{}", names.join(",")),
            format!(
                "Versions are under way or failed: {}. What they staged or changed in production would be part of the new \
                 latest-copy. Roll them back first, unless production is known to be good.",
                few(&g.other_candidates)
            ),
        );
    }
    for store in StoreKind::ALL {
        let plan = stores.get(store);
        if plan.differs == Some(true) {
            j.ask(
                format!("differs:{}", store.as_str()),
                format!("{store}: production differs from the latest-copy that this replaces: {}.", plan.evidence),
            );
        }
    }
    j.interrupted_before_copy();
    j.active_run();
    j.end(stores, disk, 0, request)
}

/// Judges making a backup of a safety backup inside the stores: production is not read.
pub(super) fn safety_backup(planner: &Planner<'_>, g: &Gathered, request: &PlanRequest) -> Judged {
    let stores = store_plans(planner, g, &BackupSource::LatestCopy);
    let mut j = Judge::new(g);
    let held = [StoreKind::Sqlite, StoreKind::Qdrant].into_iter().collect();
    let disk = j.disk(planner, &Needs::of_backup(g, &held));
    j.stores_answer(&stores);
    j.ingestion();
    j.active_run();
    j.end(stores, disk, 0, request)
}

/// Judges a validation: it changes nothing, and wants no more than stores that answer.
pub(super) fn validation(planner: &Planner<'_>, g: &Gathered, request: &PlanRequest) -> Judged {
    let stores = store_plans(planner, g, &BackupSource::LatestCopy);
    let mut j = Judge::new(g);
    let disk = j.disk(planner, &Needs::of_entries());
    j.active_run();
    j.end(stores, disk, 0, request)
}

/// A lane that had begun before an interruption keeps the way back that was taken then.
fn still_to_save(g: &Gathered, chosen: &BTreeSet<StoreKind>) -> BTreeSet<StoreKind> {
    chosen.iter().copied().filter(|store| g.rest.as_ref().is_none_or(|rest| !rest.has_begun(*store))).collect()
}

/// These names, as many as an acknowledgement is for by name, and how many more there are.
fn few<T: ToString>(names: &[T]) -> String {
    few_of(names, names.len() as u64)
}

/// The same, of names of which there are more than are known.
fn few_of<T: ToString>(names: &[T], total: u64) -> String {
    const SHOWN: usize = 20;
    let shown: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    match total.saturating_sub(shown.len() as u64) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), count(more)),
    }
}

fn store_plans(planner: &Planner<'_>, g: &Gathered, source: &BackupSource) -> StorePlans {
    StorePlans {
        sqlite: store_plan(planner, g, source, StoreKind::Sqlite),
        qdrant: store_plan(planner, g, source, StoreKind::Qdrant),
        neo4j: store_plan(planner, g, source, StoreKind::Neo4j),
    }
}

fn store_plan(planner: &Planner<'_>, g: &Gathered, source: &BackupSource, store: StoreKind) -> StorePlan {
    let side = g.side(store);
    let (production, copy) = (side.production.as_ref().ok(), g.copy.contents.get(store));
    let (mut differs, mut evidence) = compare_named(store, ("production", production), (&source.name(), copy));
    if copy.is_none() {
        (differs, evidence) = unread(g, source, store).map_or((differs, evidence), |why| (None, why));
    }
    if let (StoreKind::Qdrant, Some(true), Some(production)) = (store, differs, production)
        && let Some(better) = not_covered(production, g.base_points.as_ref(), copy)
    {
        (differs, evidence) = better;
    }
    StorePlan {
        engine: planner.stores.engine(store).name.to_owned(),
        reachable: side.error().is_none_or(|e| !matches!(e.fault.code(), "unreachable" | "timeout" | "authentication")),
        problem: side.error().map(ToString::to_string),
        staging: side.staging.as_ref().map_or_else(|_| StagingCounts::default(), Clone::clone),
        production: production.cloned(),
        latest_copy: copy.cloned(),
        differs,
        evidence,
        restore_recommended: differs == Some(true),
        restore: false,
        cannot_restore: cannot_restore(g, source, store),
    }
}

/// The copy's file of this store, where it has one.
fn file_of(g: &Gathered, store: StoreKind) -> Option<&BackupFile> {
    g.copy.health.files.iter().find(|file| file.store == store)
}

/// Why the copy cannot be compared with production: more than that it could not be read.
fn unread(g: &Gathered, source: &BackupSource, store: StoreKind) -> Option<String> {
    let name = source.name();
    match (file_of(g, store), source) {
        (None, BackupSource::WayBack(_)) => {
            Some("the run saved nothing of this store, because it did not restore it: it stays as it is".to_owned())
        }
        (None, _) => Some(format!("{name} holds nothing of this store: it stays as it is")),
        (Some(file), _) => {
            let failed = file.lowest_failure()?;
            let word = if g.copy.health.replaced.contains(&store) { "proven" } else { "intact" };
            Some(format!("the file in {name} is not {word}: {}", failed.detail.trim_end_matches('.')))
        }
    }
}

/// Nothing is restored from a copy that is not intact as a whole. What is wrong with the store's own file is told first.
fn cannot_restore(g: &Gathered, source: &BackupSource, store: StoreKind) -> Option<String> {
    let health = &g.copy.health;
    if health.intact {
        return None;
    }
    let name = source.name();
    let own = file_of(g, store)?;
    if health.waits_for_a_word() {
        return Some(format!(
            "{name} was replaced since it was last seen ({}). Trust it on the page of backups, if it was meant; or use another copy.",
            health.replaced.iter().map(|store| store.title()).collect::<Vec<_>>().join(", ")
        ));
    }
    let why = match own.lowest_failure() {
        Some(failed) => format!("its file in {name} is not intact ({})", failed.detail.trim_end_matches('.')),
        None => {
            let broken: Vec<&str> =
                health.files.iter().filter(|f| f.lowest_failure().is_some()).map(|f| f.store.title()).collect();
            if broken.is_empty() {
                format!("{name} is not fully proven")
            } else {
                format!("its file in {name} is intact, but {name} as a whole is not ({})", broken.join(", "))
            }
        }
    };
    let remedy = match source {
        BackupSource::LatestCopy => "Restore from a kept version or v1_baseline instead, or mend latest-copy first.",
        _ => "Use another copy.",
    };
    Some(format!("{why}. {remedy}"))
}

impl<'a> Judge<'a> {
    fn new(g: &'a Gathered) -> Self {
        let copy = g.copy.contents.get(StoreKind::Qdrant);
        let production = g.qdrant.production.as_ref().ok();
        let not_covered = production.is_some_and(|p| not_covered(p, g.base_points.as_ref(), copy).is_some());
        Self { refusals: Vec::new(), asked: Vec::new(), checklist: Vec::new(), not_covered, g }
    }

    fn refuse(&mut self, code: &str, message: impl Into<String>) {
        self.refusals.push(Refusal::new(code, message));
    }

    fn ask(&mut self, code: impl Into<String>, message: impl Into<String>) {
        self.asked.push(Acknowledgement { code: code.into(), message: message.into() });
    }

    fn check(&mut self, code: &str, title: &str, state: CheckState, detail: impl Into<String>) {
        self.checklist.push(CheckItem { code: code.into(), title: title.into(), state, detail: detail.into() });
    }

    fn end(mut self, stores: StorePlans, disk: Vec<DiskSpace>, way_back_bytes: u64, request: &PlanRequest) -> Judged {
        if let Some(rest) = &self.g.rest {
            rest.settle(&mut self.refusals, &mut self.asked, &stores, self.g.holds);
        }
        let given = |code: &str| request.acknowledgements.iter().any(|a| a == code);
        let acknowledgements: Vec<AcknowledgementView> =
            self.asked.into_iter().map(|asked| AcknowledgementView { given: given(&asked.code), asked }).collect();
        let mut refusals = self.refusals;
        let missing: Vec<&str> = acknowledgements.iter().filter(|a| !a.given).map(|a| a.asked.code.as_str()).collect();
        if !missing.is_empty() {
            let said = format!("Read and acknowledge: {}.", missing.join(", "));
            refusals.push(Refusal::new("acknowledgement_required", said));
        }
        Judged { stores, refusals, acknowledgements, checklist: self.checklist, disk, way_back_bytes }
    }
}
