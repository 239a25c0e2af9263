//! What the gathered evidence means: what refuses the plan, what a person must acknowledge, the checklist.

use rollback_types::plan::{DiskSpace, StorePlans};
use rollback_types::{
    Acknowledgement, AcknowledgementView, Candidacy, CheckItem, CheckState, Layout, PlanRequest, Refusal,
    RollbackTarget, StagingCounts, StoreKind, StorePlan, TargetRefusal, VersionRow, VersionState,
};

use super::compare::{compare, not_covered};
use super::{Gathered, Planner};

/// The runbook's own way for SQLite would lose the registry: say so wherever a person is sent to it.
const BY_HAND: &str = "Restore by hand, with a way back taken first (never copy metadata.db over the live file: that \
    erases registry and log), then plan again.";

/// The judgement.
#[derive(Debug)]
pub(super) struct Judged {
    pub stores: StorePlans,
    pub refusals: Vec<Refusal>,
    pub acknowledgements: Vec<AcknowledgementView>,
    pub checklist: Vec<CheckItem>,
    pub disk: Vec<DiskSpace>,
}

struct Judge<'a> {
    refusals: Vec<Refusal>,
    asked: Vec<Acknowledgement>,
    checklist: Vec<CheckItem>,
    row: &'a VersionRow,
    g: &'a Gathered,
}

/// Judges what was gathered for this row.
pub(super) fn judge(
    planner: &Planner<'_>,
    row: &VersionRow,
    target: &Result<RollbackTarget, TargetRefusal>,
    g: &Gathered,
    request: &PlanRequest,
) -> Judged {
    let stores = StorePlans {
        sqlite: store_plan(planner, g, StoreKind::Sqlite),
        qdrant: store_plan(planner, g, StoreKind::Qdrant),
        neo4j: store_plan(planner, g, StoreKind::Neo4j),
    };
    let mut j = Judge { refusals: Vec::new(), asked: Vec::new(), checklist: Vec::new(), row, g };
    j.candidate(target);
    j.latest_copy();
    let disk = j.disk(planner);
    j.stores_answer(&stores);
    j.ingestion();
    j.registry(planner.settings.expected_layout);
    j.whose_staging(target);
    j.aliases(planner, target);
    j.production(&stores, request);
    if let Ok(Some(run)) = &g.active_run {
        j.refuse(
            "active_run",
            format!("Run #{} is active; one run at a time. Watch it, or decide what it asks.", run.id),
        );
    }
    if let Err(e) = &g.active_run {
        j.refuse("journal", format!("{e}. Nothing is started that cannot be journalled."));
    }
    j.check("stakeholders", "Stakeholders notified", CheckState::ForPerson, "only a person can tell");
    if !row.candidacy.is_offered() || target.is_err() {
        // Nothing a person could acknowledge would make it one.
        j.asked.clear();
    }
    let given = |code: &str| request.acknowledgements.iter().any(|a| a == code);
    let acknowledgements: Vec<AcknowledgementView> =
        j.asked.into_iter().map(|asked| AcknowledgementView { given: given(&asked.code), asked }).collect();
    let mut refusals = j.refusals;
    let missing: Vec<&str> = acknowledgements.iter().filter(|a| !a.given).map(|a| a.asked.code.as_str()).collect();
    if !missing.is_empty() {
        refusals.push(Refusal {
            code: "acknowledgement_required".into(),
            message: format!("Read and acknowledge: {}.", missing.join(", ")),
        });
    }
    Judged { stores, refusals, acknowledgements, checklist: j.checklist, disk }
}

fn store_plan(planner: &Planner<'_>, g: &Gathered, store: StoreKind) -> StorePlan {
    let side = g.side(store);
    let (production, copy) = (side.production.as_ref().ok(), g.copy.contents.get(store));
    let (mut differs, mut evidence) = compare(store, production, copy);
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
    }
}

impl Judge<'_> {
    fn refuse(&mut self, code: &str, message: impl Into<String>) {
        self.refusals.push(Refusal { code: code.into(), message: message.into() });
    }

    fn ask(&mut self, code: impl Into<String>, message: impl Into<String>) {
        self.asked.push(Acknowledgement { code: code.into(), message: message.into() });
    }

    fn check(&mut self, code: &str, title: &str, state: CheckState, detail: impl Into<String>) {
        self.checklist.push(CheckItem { code: code.into(), title: title.into(), state, detail: detail.into() });
    }

    fn candidate(&mut self, target: &Result<RollbackTarget, TargetRefusal>) {
        let status = self.row.status.to_string();
        let baseline = matches!(target, Err(TargetRefusal::Baseline));
        if let Err(refusal) = target {
            let code = match refusal {
                TargetRefusal::Baseline => "baseline",
                TargetRefusal::SafetyBackup => "safety_backup",
                TargetRefusal::UnsafeName => "unsafe_name",
            };
            self.refuse(code, format!("This version cannot be rolled back: {refusal}."));
        }
        let proven = match (&self.row.candidacy, target) {
            (Candidacy::Candidate | Candidacy::TakeOver, Ok(_)) => CheckState::Proven,
            (Candidacy::Refused(why), Ok(_)) => {
                self.refuse("not_a_candidate", format!("This version cannot be rolled back: {why}."));
                CheckState::Failed
            }
            _ => CheckState::Failed,
        };
        self.check("candidate", "The version is a candidate", proven, format!("its state is {status}"));
        let state = if baseline { CheckState::Failed } else { CheckState::Proven };
        let detail = if baseline { "it is the baseline" } else { "its id is not the baseline's" };
        self.check("not_baseline", "The version is not v1_baseline", state, detail);
        if self.row.status == VersionState::RollingBack {
            self.ask(
                "take_over",
                "An earlier rollback of this version, ours or a person's, did not finish. Nobody else must be at work on it.",
            );
        }
    }

    fn latest_copy(&mut self) {
        let health = &self.g.copy.health;
        if health.intact {
            self.check("latest_copy", "latest-copy exists and is intact", CheckState::Proven, health.verdict.clone());
            return;
        }
        let verdict = health.verdict.clone();
        self.check("latest_copy", "latest-copy exists and is intact", CheckState::Warning, verdict.clone());
        self.ask(
            "latest_copy_not_intact",
            format!("latest-copy is not intact, and step 6 will stop and ask. {verdict}"),
        );
    }

    fn disk(&mut self, planner: &Planner<'_>) -> Vec<DiskSpace> {
        let copies: u64 = self.g.sqlite.staging.as_ref().ok().and_then(|s| s.rows).unwrap_or(0).saturating_mul(1_024);
        let needed = planner.settings.min_free_bytes.max(copies.saturating_mul(2));
        let mut spaces = Vec::new();
        let mut state = CheckState::Proven;
        let mut details = Vec::new();
        for (path, free) in &self.g.free {
            let path = path.display().to_string();
            match free {
                Ok(free) => {
                    if *free < needed {
                        state = CheckState::Failed;
                    }
                    details.push(format!("{} MB free at {path}, {} MB needed", free / 1_000_000, needed / 1_000_000));
                    spaces.push(DiskSpace { path, free_bytes: *free, needed_bytes: needed });
                }
                Err(e) => {
                    state = CheckState::Failed;
                    details.push(format!("the free space at {path} cannot be told: {e}"));
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

    fn stores_answer(&mut self, stores: &StorePlans) {
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

    fn ingestion(&mut self) {
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
                let sign = format!("the operation log has open entries: {}", names.join("; "));
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

    fn registry(&mut self, expected: Option<Layout>) {
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

    fn whose_staging(&mut self, target: &Result<RollbackTarget, TargetRefusal>) {
        if target.is_err() {
            return;
        }
        if self.g.layout() == Layout::PerVersion {
            if let Ok(staging) = &self.g.qdrant.staging
                && staging.points.is_some_and(|n| n > 0)
                && staging.versions.get(self.row.version_id.as_str()).copied().unwrap_or(0) == 0
            {
                self.ask(
                    "no_own_points",
                    format!("No point in {} names this version: a name alone is no proof of staging.", staging.name),
                );
            }
            return;
        }
        let others = &self.g.other_candidates;
        if !others.is_empty() {
            let names: Vec<String> = others.iter().take(20).map(ToString::to_string).collect();
            let more = others.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.ask(
                format!("other_candidates:{}", names.join(",")),
                format!(
                    "Staging is shared, and other candidates exist: {}{more}. What is staged may be theirs; it goes all the same.",
                    names.join(", ")
                ),
            );
        }
        let Ok(staging) = &self.g.sqlite.staging else { return };
        let own = self.row.version_id.as_str();
        let foreign: Vec<String> = staging
            .versions
            .iter()
            .filter(|(v, _)| v.as_str() != own)
            .map(|(v, n)| format!("{n} rows name {v}"))
            .collect();
        if !foreign.is_empty() {
            let theirs: Vec<&str> = staging.versions.keys().map(String::as_str).filter(|v| *v != own).collect();
            self.ask(
                format!("foreign_staging:{}", theirs.join(",")),
                format!(
                    "Not all staged chapters are of {own}: {}. Dropping the table takes them too.",
                    foreign.join(", ")
                ),
            );
        }
    }

    fn aliases(&mut self, planner: &Planner<'_>, target: &Result<RollbackTarget, TargetRefusal>) {
        let (Ok(aliases), Ok(target)) = (&self.g.aliases, target) else { return };
        let name = planner.settings.names.staging_collection(self.g.layout(), target);
        let pointing: Vec<&str> = aliases.iter().filter(|a| a.collection == name).map(|a| a.alias.as_str()).collect();
        if !pointing.is_empty() {
            self.refuse(
                "staging_is_production",
                format!(
                    "The collection {name} serves production: {} points to it. It must not be deleted.",
                    pointing.join(", ")
                ),
            );
        }
        if let Some(alias) = aliases.iter().find(|a| a.alias == name) {
            self.refuse(
                "staging_is_alias",
                format!("{name} is an alias of {}, not a collection. It must not be deleted.", alias.collection),
            );
        }
        let production = planner.settings.names.production_collection(aliases);
        if production == name && pointing.is_empty() {
            self.refuse("staging_is_production", format!("The collection {name} is the production collection."));
        }
    }

    fn production(&mut self, stores: &StorePlans, request: &PlanRequest) {
        let wanted = request.restore.as_deref().unwrap_or_default();
        if !wanted.is_empty() {
            let names: Vec<_> = wanted.iter().map(|s| s.title()).collect();
            self.refuse(
                "restore_unavailable",
                format!(
                    "A restore of {} was asked for, and this version of Stepback cannot restore yet. {BY_HAND}",
                    names.join(", ")
                ),
            );
        }
        for store in StoreKind::ALL {
            let plan = stores.get(store);
            match plan.differs {
                Some(true) => self.refuse(
                    &format!("production_differs:{}", store.as_str()),
                    format!(
                        "{store}: production differs from latest-copy: {}. It needs a restore (step 7), which this version of \
                         Stepback cannot do yet. Nothing was changed. {BY_HAND}",
                        plan.evidence
                    ),
                ),
                None if self.g.copy.health.intact && plan.production.is_some() => self.ask(
                    format!("not_comparable:{}", store.as_str()),
                    format!("{store}: whether production equals latest-copy cannot be told: {}.", plan.evidence),
                ),
                _ => {}
            }
        }
    }
}
