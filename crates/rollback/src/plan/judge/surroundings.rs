//! What every kind of run asks: do the stores answer, is an ingestion at work, is there space, is another run active?

use std::collections::BTreeSet;

use rollback_types::plan::StorePlans;
use rollback_types::quantity::bytes;
use rollback_types::{CheckState, DiskSpace, Layout, Refusal, RunKind, StoreKind};

use super::{Judge, few};
use crate::plan::Planner;
use crate::plan::room::Needs;
use crate::store::Fault;

impl Judge<'_> {
    /// Of a restore apart from a rollback: a store that is left out may be down, and one that is broken can be restored, without a
    /// way back, when a person says so by name.
    pub(super) fn stores_answer_for(&mut self, stores: &StorePlans, chosen: &BTreeSet<StoreKind>, kind: RunKind) {
        let mut failing = Vec::new();
        for store in chosen {
            let Some(error) = self.g.side(*store).error() else { continue };
            failing.push(store.title());
            let broken = matches!(error.fault, Fault::Missing | Fault::ServerFailed | Fault::Corrupt);
            if kind == RunKind::RestoreProduction && *store != StoreKind::Sqlite && broken {
                self.ask(
                    format!("no_way_back:{}", store.as_str()),
                    format!("{error}. It can be restored all the same, but what it holds now cannot be saved first: there is no way back."),
                );
            } else {
                let word = if stores.get(*store).reachable { "store_problem" } else { "store_unreachable" };
                self.refuse(&format!("{word}:{}", store.as_str()), format!("{error}. {}", error.remedy()));
            }
        }
        let (state, detail) = match failing.as_slice() {
            [] => (CheckState::Proven, "the stores to be restored were counted just now".to_owned()),
            some => (CheckState::Warning, format!("not well: {}", some.join(", "))),
        };
        self.check("stores", "The stores to be restored answer", state, detail);
    }

    pub(super) fn stores_answer(&mut self, stores: &StorePlans) {
        let mut down = Vec::new();
        for store in StoreKind::ALL {
            let Some(error) = self.g.side(store).error() else { continue };
            let code = format!(
                "{}:{}",
                if stores.get(store).reachable { "store_problem" } else { "store_unreachable" },
                store.as_str()
            );
            let message = format!("{error}. {}", error.remedy());
            down.push(store.title());
            self.refuse(&code, message);
        }
        if let Err(e) = &self.g.aliases
            && self.g.qdrant.error().is_none()
        {
            down.push(StoreKind::Qdrant.title());
            self.refuse("store_problem:qdrant", format!("{e}. {}", e.remedy()));
        }
        let (state, detail) = match down.as_slice() {
            [] => (CheckState::Proven, "all three were counted just now".to_owned()),
            some => (CheckState::Failed, format!("not well: {}", some.join(", "))),
        };
        self.check("stores", "All stores answer", state, detail);
    }

    pub(super) fn ingestion(&mut self) {
        if let Ok(Some(run)) = &self.g.active_run {
            // Its own work would look like somebody else's.
            let detail = format!("not told while run #{} is at work", run.id);
            self.check("no_ingestion", "No active ingestion", CheckState::Warning, detail);
            return;
        }
        let mut signs = Vec::new();
        let mut failed = false;
        if !self.g.moving.is_empty() {
            let names: Vec<_> = self.g.moving.iter().map(|s| s.title()).collect();
            let sign = format!("staging in {} changes while it is being counted", names.join(", "));
            self.refuse(
                "staging_moves",
                format!("An ingestion seems to be at work: {sign}. Let it end or stop it, then plan again."),
            );
            signs.push(sign);
            failed = true;
        }
        match &self.g.write_locked {
            Ok(true) => {
                let sign = "another program holds a write lock on metadata.db".to_owned();
                self.refuse("write_locked", format!("{sign}. Let it finish, then plan again."));
                signs.push(sign);
                failed = true;
            }
            Ok(false) => {}
            Err(e) => {
                self.refuse("store_problem:sqlite_lock", format!("{e}. {}", e.remedy()));
                signs.push("whether metadata.db is locked cannot be told".into());
                failed = true;
            }
        }
        match &self.g.open_operations {
            Ok(open) if open.is_empty() => {}
            Ok(open) => {
                let names: Vec<String> = open
                    .iter()
                    .map(|o| format!("{} {} of {} (entry {})", o.operation_type, o.status, o.version_id, o.id))
                    .collect();
                let sign = format!("the operation log has open entries: {}", few(&names));
                self.ask(
                    "open_operations",
                    format!("{sign}. If none of them is still at work, they were left behind."),
                );
                signs.push(sign);
            }
            Err(e) => {
                self.refuse("store_problem:operation_log", format!("{e}. {}", e.remedy()));
                signs.push("the operation log cannot be read".into());
                failed = true;
            }
        }
        let title = "No active ingestion";
        match (failed, signs.is_empty()) {
            (_, true) => self.check(
                "no_ingestion",
                title,
                CheckState::Proven,
                "no open log entry, no write lock, counts steady between two looks",
            ),
            (true, _) => self.check("no_ingestion", title, CheckState::Failed, signs.join("; ")),
            (false, _) => self.check("no_ingestion", title, CheckState::Warning, signs.join("; ")),
        }
    }

    pub(super) fn registry(&mut self, expected: Option<Layout>) {
        let found = match self.g.layout() {
            Layout::Mixed => Layout::Shared,
            other => other,
        };
        if let Some(expected) = expected.filter(|e| *e != found) {
            self.refuse(
                "layout_unexpected",
                format!(
                    "The registry's layout is {}, and rollback.layout insists on {}. Check that this is the right deployment.",
                    found.title(),
                    expected.title()
                ),
            );
        }
        match &self.g.schema {
            Ok(schema) if schema.writable_shape => {}
            Ok(schema) => self.refuse(
                "registry_incomplete",
                format!("The registry cannot take the steps' entries: {}.", schema.findings.join("; ")),
            ),
            Err(e) => self.refuse("store_problem:registry", format!("{e}. {}", e.remedy())),
        }
        if let Some(e) = &self.g.candidates_error {
            self.refuse("store_problem:candidates", format!("{e}. {}", e.remedy()));
        }
    }

    /// `needs`: what will be written before anything goes, and where.
    pub(super) fn disk(&mut self, planner: &Planner<'_>, needs: &Needs) -> Vec<DiskSpace> {
        let mut spaces = Vec::new();
        let mut state = CheckState::Proven;
        let mut details = Vec::new();
        for told in needs.beside(&self.g.rooms, planner.settings.min_free_bytes) {
            match told {
                Ok(space) => {
                    let (free, needed) = (space.free_bytes, space.needed_bytes);
                    if free < needed {
                        state = CheckState::Failed;
                    }
                    details.push(format!("{} free at {}, {} needed", bytes(free), space.path, bytes(needed)));
                    spaces.push(space);
                }
                Err(why) => {
                    state = CheckState::Failed;
                    details.push(why);
                }
            }
        }
        let detail = details.join("; ");
        if state == CheckState::Failed {
            self.refuse("disk_space", format!("Not enough disk space: {detail}. Free some, then plan again."));
        }
        self.check("disk", "Enough disk space", state, detail);
        spaces
    }

    pub(super) fn active_run(&mut self) {
        match &self.g.active_run {
            Ok(Some(run)) => {
                let said = format!("Run #{} is active; one run at a time. Watch it, or decide what it asks.", run.id);
                self.refusals.push(Refusal::new("active_run", said).because_of(run.id));
            }
            Ok(None) => {}
            Err(e) => {
                self.refuse("journal", format!("{e}. Nothing is started that cannot be journalled. {}", e.remedy()));
            }
        }
    }
}
