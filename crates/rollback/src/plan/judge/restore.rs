//! Step 7 in the plan: what differs, what is recommended, what was chosen, and what that asks of a person.

use std::collections::BTreeSet;

use rollback_types::plan::StorePlans;
use rollback_types::quantity::counted;
use rollback_types::{BackupSource, CheckState, Layout, PlanRequest, RunId, RunKind, StoreKind};

use super::{Judge, few, few_of};
use crate::plan::Planner;
use crate::store::{CommittedVersions, SnapshotForm};

/// A store is chosen whose production does not equal the copy, as far as is known. Else nothing can be lost by the restore.
pub(in crate::plan) fn replaces_something(stores: &StorePlans) -> bool {
    StoreKind::ALL.into_iter().map(|store| stores.get(store)).any(|plan| plan.restore && plan.differs != Some(false))
}

impl Judge<'_> {
    /// Which stores are to be restored: as asked, else as the evidence recommends. Marks them in `stores`.
    pub(super) fn choose(&mut self, stores: &mut StorePlans, request: &PlanRequest) -> BTreeSet<StoreKind> {
        let mut chosen = BTreeSet::new();
        for (store, plan) in [
            (StoreKind::Sqlite, &mut stores.sqlite),
            (StoreKind::Qdrant, &mut stores.qdrant),
            (StoreKind::Neo4j, &mut stores.neo4j),
        ] {
            plan.restore = match &request.restore {
                Some(wanted) => wanted.contains(&store),
                None => plan.restore_recommended,
            };
            if plan.restore {
                chosen.insert(store);
            }
        }
        chosen
    }

    /// The copy on the ladder: a plan that restores is refused when a rung fails; another one may go on after an
    /// acknowledgement, because step 6 would still stop and ask.
    pub(super) fn copy(&mut self, source: &BackupSource, restores: bool) {
        let health = &self.g.copy.health;
        let title = format!("{} exists and is intact", source.name());
        let verdict = health.verdict.clone();
        if health.intact {
            return self.check("latest_copy", &title, CheckState::Proven, verdict);
        }
        let wrong = if health.waits_for_a_word() { "waits for a person’s word" } else { "is not intact" };
        if restores {
            self.check("latest_copy", &title, CheckState::Failed, verdict.clone());
            let remedy = health.remedy.clone().unwrap_or_default();
            return self.refuse(
                "backup_not_intact",
                format!("{} {wrong}, and nothing is restored from it. {verdict} {remedy}", source.name()),
            );
        }
        self.check("latest_copy", &title, CheckState::Warning, verdict.clone());
        self.ask(
            "latest_copy_not_intact",
            format!("{} {wrong}, and step 6 will stop and ask. {verdict}", source.name()),
        );
    }

    /// Each store: does production differ, and what was chosen about it?
    pub(super) fn production(&mut self, stores: &StorePlans, kind: RunKind, source: &BackupSource) {
        for store in StoreKind::ALL {
            let plan = stores.get(store);
            let (word, evidence) = (store.as_str(), &plan.evidence);
            let name = source.name();
            match (plan.restore, plan.differs) {
                (true, _) if plan.latest_copy.is_none() && self.g.copy.health.intact => self.refuse(
                    &format!("no_file:{word}"),
                    format!("{store}: {name} has no file of it. Leave it out, or choose another backup."),
                ),
                (true, _) if store == StoreKind::Qdrant && self.g.foreign_snapshot.is_some() => {
                    let (made_by, here) = match self.g.foreign_snapshot {
                        Some(SnapshotForm::Embedded) => ("the embedded store", "a Qdrant server"),
                        _ => ("a Qdrant server", "the embedded store"),
                    };
                    self.refuse(
                        "foreign_snapshot:qdrant",
                        format!(
                            "{store} cannot be restored: the snapshot of {name} was made by {made_by}, and the vectors are in \
                             {here} here, which cannot read it. Leave {store} out, or choose another backup."
                        ),
                    );
                }
                (true, _) if store == StoreKind::Qdrant && self.g.other_vectors.is_some() => {
                    if let Some((copied, ours)) = &self.g.other_vectors {
                        self.refuse(
                            "other_vectors:qdrant",
                            format!(
                                "{store} cannot be restored: the vectors of {name} have {copied}, those of production {ours}. Leave \
                                 {store} out, or choose a backup that was made since the vectors are as they are."
                            ),
                        );
                    }
                }
                (true, _) if store == StoreKind::Qdrant && self.not_covered => {
                    self.refuse("does_not_cover:qdrant", format!("{store} cannot be restored: {evidence}."))
                }
                // An undo puts back what was there, equal or not: that is what was asked.
                (true, Some(false)) if kind != RunKind::UndoRestore => self.ask(
                    format!("restore_equal:{word}"),
                    format!("{store}: production equals {name} ({evidence}). A restore is not needed; it is done all the same."),
                ),
                (false, Some(true)) if kind == RunKind::Rollback => self.ask(
                    format!("leave_different:{word}"),
                    format!("{store}: production differs from {name} and is not to be restored: {evidence}."),
                ),
                (false, None)
                    if kind == RunKind::Rollback && self.g.copy.health.intact && plan.production.is_some() =>
                {
                    self.ask(
                        format!("not_comparable:{word}"),
                        format!("{store}: whether production equals {name} cannot be told: {evidence}."),
                    );
                }
                _ => {}
            }
        }
    }

    /// The script that makes HybridFlow's backups snapshots the base collection, whatever the alias points to.
    fn snapshot_of_the_base(&mut self, planner: &Planner<'_>, stores: &StorePlans, source: &BackupSource) {
        let base = &planner.settings.names.collection;
        let Some(production) = &stores.qdrant.production else { return };
        if production.name == *base || matches!(source, BackupSource::WayBack(_)) {
            return;
        }
        let held = stores.qdrant.latest_copy.as_ref().and_then(|copy| copy.points);
        let held =
            held.map_or("a number of points that cannot be counted offline".to_owned(), |n| counted(n, "points"));
        self.ask(
            format!("snapshot_into:{}", production.name),
            format!(
                "Qdrant: production is {} with {}; the copy holds {held}, and HybridFlow's backup script takes its snapshot of \
                 {base}. Be sure that it is a copy of {}: its points are replaced.",
                production.name,
                counted(production.points.unwrap_or(0), "points"),
                production.name
            ),
        );
    }

    /// What an earlier run saved before a restore that did not end well: a new way back would hold the half-restored state.
    pub(super) fn earlier_ways_back(&mut self, chosen: &BTreeSet<StoreKind>) {
        let earlier: Vec<(RunId, String)> = self
            .g
            .earlier_ways_back
            .iter()
            .filter(|(_, stores)| stores.iter().any(|s| chosen.contains(s)))
            .map(|(run, stores)| (*run, stores.iter().map(|s| s.title()).collect::<Vec<_>>().join(", ")))
            .collect();
        for (run, stores) in earlier {
            self.ask(
                format!("earlier_way_back:{run}"),
                format!(
                    "Run #{run} began a restore and did not end well. What {stores} held before is in its way back, which is kept: \
                     the page of run #{run} puts it in again. The way back that this plan takes holds what is there now."
                ),
            );
        }
    }

    /// What a restore takes along beside production.
    pub(super) fn taken_along(
        &mut self,
        planner: &Planner<'_>,
        chosen: &BTreeSet<StoreKind>,
        stores: &StorePlans,
        source: &BackupSource,
    ) {
        if chosen.contains(&StoreKind::Qdrant) {
            self.snapshot_of_the_base(planner, stores, source);
        }
        self.earlier_ways_back(chosen);
        if chosen.contains(&StoreKind::Sqlite) {
            match &self.g.shape {
                Ok(differences) if differences.is_empty() => {}
                Ok(differences) => {
                    let (shown, more) = (differences.iter().take(5), differences.len().saturating_sub(5));
                    let mut said = shown.cloned().collect::<Vec<_>>().join("; ");
                    if more > 0 {
                        said.push_str(&format!("; and {more} more"));
                    }
                    self.ask(
                        "schema_differs:sqlite",
                        format!("SQLite: the copy's tables are not as the live ones, and a restore brings that along: {said}."),
                    );
                }
                Err(e) => self.refuse("store_problem:shape", format!("{e}. {}", e.remedy())),
            }
        }
    }

    /// What goes with the graph beside what is rolled back.
    pub(super) fn graph_of_others(&mut self, chosen: &BTreeSet<StoreKind>) {
        let others = &self.g.other_candidates;
        // In the shared layout one look counts what anybody has staged.
        let shared = self.g.layout() != Layout::PerVersion;
        let none_staged = shared && self.g.neo4j.staging.as_ref().is_ok_and(|s| !s.name.is_empty() && s.units() == 0);
        if chosen.contains(&StoreKind::Neo4j) && !others.is_empty() && !none_staged {
            let names: Vec<String> = others.iter().take(20).map(ToString::to_string).collect();
            self.ask(
                format!("graph_of_others:{}", names.join(",")),
                format!(
                    "Neo4j is restored as a whole: nodes that other candidates have staged go too ({}). They are in the way back.",
                    few(others)
                ),
            );
        }
    }

    /// A restore of production, apart from a rollback: what stands in its way, and what it loses.
    pub(super) fn restore_apart(
        &mut self,
        stores: &StorePlans,
        chosen: &BTreeSet<StoreKind>,
        source: &BackupSource,
        losses: &CommittedVersions,
    ) {
        if chosen.is_empty() {
            let all_equal = StoreKind::ALL.into_iter().all(|store| stores.get(store).differs == Some(false));
            let said = if all_equal {
                format!("Production equals {}, store by store: there is nothing to restore.", source.name())
            } else {
                format!("No store is chosen to be restored from {}.", source.name())
            };
            self.refuse("nothing_to_restore", said);
        }
        if losses.count > 0 && replaces_something(stores) {
            let names: Vec<String> = losses.newest.iter().take(20).map(ToString::to_string).collect();
            self.ask(
                format!("loses:{}", names.join(",")),
                format!(
                    "{} is older than what was committed since: {}. Their data goes from production. Their registry rows stay.",
                    source.name(),
                    few_of(&losses.newest, losses.count)
                ),
            );
        }
    }

    /// A restore apart from a rollback: what becomes of what versions under way have staged, and in which stores they did.
    pub(super) fn staging_of_others(&mut self, chosen: &BTreeSet<StoreKind>, staged: &BTreeSet<StoreKind>) {
        let candidates = &self.g.other_candidates;
        if candidates.is_empty() || chosen.is_empty() || staged.is_empty() {
            return;
        }
        // The graph alone has its staging among production's nodes, and is replaced as a whole.
        let goes = |store: &StoreKind| *store == StoreKind::Neo4j && chosen.contains(store);
        let stays: Vec<&str> = staged.iter().filter(|store| !goes(store)).map(|store| store.title()).collect();
        let stays = stays.join(", ");
        let names: Vec<String> = candidates.iter().take(20).map(ToString::to_string).collect();
        let (code, said) = match (staged.iter().any(goes), stays.as_str()) {
            (true, "") => (
                "graph_of_others",
                "Neo4j is restored as a whole: what is staged there goes too, and is in the way back".to_owned(),
            ),
            (true, stays) => (
                "graph_of_others",
                format!(
                    "Neo4j is restored as a whole: what is staged there goes too, and is in the way back; what is staged in {stays} \
                     stays until a rollback removes it"
                ),
            ),
            (false, stays) => {
                ("candidates", format!("What is staged in {stays} stays: this restore does not remove it"))
            }
        };
        self.ask(
            format!("{code}:{}", names.join(",")),
            format!("{said}. It may belong to versions that are under way or failed: {}.", few(candidates)),
        );
    }
}
