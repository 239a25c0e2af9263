//! The plan of what is left of an interrupted run: planned like any other, but a step that is through is not asked about
//! again, and what the run itself has done stands in its own way no more.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use rollback_types::plan::StorePlans;
use rollback_types::{
    Acknowledgement, Candidacy, PlanRequest, Refusal, RollbackPlan, RunId, RunQuery, Step, StoreKind, Timestamp,
    VersionRow, VersionState,
};

use super::Planner;
use super::earlier_runs::taken_over_by;
use crate::error::ServiceError;
use crate::journal_pages;
use crate::store::{CommittedBy, CommittedQuery, RunMark};
use crate::story::Story;

/// The code of a refusal: the run does not hold its version any more.
pub(super) const NOT_OURS: &str = "not_ours";

/// What of an interrupted run is left.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    pub run: RunId,
    run_key: String,
    /// Steps that need not be done again.
    through: BTreeSet<Step>,
    /// Steps that were through, and are done again.
    pub again: Vec<Step>,
    /// Lanes of step 7 that had begun to change production.
    begun: BTreeSet<Step>,
    /// Lanes whose way back is to be put in again, by decision.
    way_back_wanted: BTreeSet<Step>,
    started_at: Timestamp,
    /// The plan that was confirmed first.
    first: RollbackPlan,
}

impl Rest {
    /// Of this run; `again` are the steps that were through and are done again.
    pub(crate) fn of(story: &Story, again: Vec<Step>) -> Result<Self, ServiceError> {
        let mut through: BTreeSet<Step> = story.procedure.through().into_iter().collect();
        // What a person decided to skip is skipped.
        through.extend(story.procedure.to_skip());
        through.retain(|step| !again.contains(step));
        Ok(Self {
            run: story.record.summary.id,
            run_key: story.record.run_key.clone(),
            begun: story.attempted.keys().copied().filter(|s| s.is_restore() && !through.contains(s)).collect(),
            way_back_wanted: story.way_back_wanted.iter().copied().filter(|s| !through.contains(s)).collect(),
            started_at: story.record.summary.started_at,
            through,
            again,
            first: story.plan()?,
        })
    }

    /// What to plan: the same stores to restore, less those that are through; what was acknowledged stays so.
    pub(crate) fn request(&self, given: &[String]) -> PlanRequest {
        let first = &self.first;
        let restore = StoreKind::ALL.into_iter().filter(|s| first.stores.get(*s).restore && !self.lane_through(*s));
        let known = first.acknowledgements.iter().filter(|a| a.given).map(|a| a.asked.code.clone());
        PlanRequest {
            kind: first.kind,
            version_id: first.version_id.as_str().to_owned(),
            restore: Some(restore.collect()),
            acknowledgements: known.chain(given.iter().cloned()).collect(),
        }
    }

    /// The step need not be done (again).
    pub(crate) fn is_through(&self, step: Step) -> bool {
        self.through.contains(&step)
    }

    /// A later run took its version over: what is left is that one's.
    pub(super) async fn taken_over(&self, planner: &Planner<'_>) -> Result<Option<Refusal>, ServiceError> {
        let Some(record) = planner.journal.run(self.run).await? else { return Ok(None) };
        let later = taken_over_by(planner.journal, &record.summary).await?;
        Ok(later.map(|later| {
            let said = format!(
                "Run #{0} took this version over: what run #{1} had in hand is run #{0}'s since. Run #{1} is not resumed any more; \
                 see run #{0}, and abandon this one.",
                later.id, self.run
            );
            Refusal::new("taken_over", said).because_of(later.id)
        }))
    }

    /// A lane that had begun keeps the way back that was taken then. Were production changed by others since, that would hold
    /// neither what is there now nor what the copy replaces.
    pub(super) async fn overtaken(&self, planner: &Planner<'_>) -> Result<Option<Refusal>, ServiceError> {
        if self.begun.is_empty() {
            return Ok(None);
        }
        let mut later = journal_pages::runs(planner.journal, RunQuery { limit: Some(200), ..RunQuery::default() });
        let mut by_run = None;
        while let Some(run) = later.try_next().await?.filter(|run| run.id > self.run) {
            if run.kind.changes_stores() {
                by_run = Some(format!("run #{} changed the stores", run.id));
                break;
            }
        }
        let query = CommittedQuery {
            since: Some(self.started_at),
            by: CommittedBy::Written,
            except: Some(self.first.version_id.clone()),
        };
        let committed = planner.stores.records.committed_since(&query).await?;
        let by_version = committed.newest.first().map(|id| format!("{id} was committed"));
        Ok(by_run.or(by_version).map(|what| {
            Refusal::new(
                "production_moved_on",
                format!(
                    "{what} since this run began to restore: what it saved before is not what is there now. Abandon the run, and \
                     plan a restore of production anew."
                ),
            )
        }))
    }

    /// What a step that is left will do otherwise than a new run's.
    pub(super) fn intent(&self, step: Step) -> Option<String> {
        if self.way_back_wanted.contains(&step) {
            return Some("puts the way back in again, as was decided before the interruption".into());
        }
        self.begun.contains(&step).then(|| {
            "had begun: restores from the copy again, and keeps the way back that was taken before the first try".into()
        })
    }

    /// For the plan's digest.
    pub(super) fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "run": self.run, "through": self.through, "again": self.again, "begun": self.begun,
            "way_back_wanted": self.way_back_wanted,
        })
    }

    /// A restore of this store had begun, and is not through.
    pub(super) fn has_begun(&self, store: StoreKind) -> bool {
        self.begun.iter().any(|step| step.lane() == Some(store))
    }

    fn lane_through(&self, store: StoreKind) -> bool {
        self.through.iter().any(|step| step.is_restore() && step.lane() == Some(store))
    }

    /// The row as a candidate again: the run may have finished it without having written that down. Refused when another
    /// hand has closed what this run had opened.
    pub(super) fn row(&self, mut row: VersionRow, marks: &[RunMark]) -> (VersionRow, Option<Refusal>) {
        let lost = match marks.iter().find(|m| m.run_key == self.run_key) {
            Some(own) if own.completed => {
                if self.is_through(Step::Finish) || row.status == VersionState::RolledBack {
                    row.candidacy = Candidacy::TakeOver;
                    None
                } else {
                    Some("the run had finished it, and somebody has begun anew with it since")
                }
            }
            Some(own) if own.open => None,
            Some(_) => Some("another rollback took it over, or closed this run's row in the operation log"),
            None if self.is_through(Step::Mark) => Some("its row in the operation log is gone"),
            None => None,
        };
        let refusal = lost.map(|why| {
            Refusal::new(
                NOT_OURS,
                format!(
                    "Run #{} does not hold this version any more: {why}. Abandon the run, and plan the version anew.",
                    self.run
                ),
            )
        });
        (row, refusal)
    }

    /// The version is marked by this very run: that is no rollback of somebody else.
    pub(super) fn holds(&self, marks: &[RunMark]) -> bool {
        marks.iter().any(|m| m.run_key == self.run_key && (m.open || m.completed))
    }

    /// Takes out what does not concern what is left: questions that the run has answered by what it did, or that its own
    /// traces raise, and refusals about steps that are through.
    pub(super) fn settle(
        &self,
        refusals: &mut Vec<Refusal>,
        asked: &mut Vec<Acknowledgement>,
        stores: &StorePlans,
        holds: bool,
    ) {
        let restored = StoreKind::ALL.into_iter().all(|store| self.lane_through(store));
        let begun = StoreKind::ALL.into_iter().any(|store| self.lane_through(store));
        let chosen = StoreKind::ALL.into_iter().any(|s| stores.get(s).restore);
        refusals.retain(|refusal| match refusal.code.as_str() {
            "nothing_to_restore" => chosen || !begun,
            "backup_not_intact" => !restored,
            "staged" => !self.is_through(Step::CopyNeo4j),
            _ => true,
        });
        asked.retain(|ask| {
            let (word, of) = ask.code.split_once(':').unwrap_or((&ask.code, ""));
            let store = StoreKind::ALL.into_iter().find(|s| s.as_str() == of);
            match word {
                "take_over" => !holds,
                "restore_equal" => !store.is_some_and(|s| self.first.stores.get(s).restore),
                "leave_different" | "not_comparable" => !store.is_some_and(|s| self.lane_through(s)),
                "earlier_way_back" => of != self.run.to_string(),
                "latest_copy_not_intact" => !restored,
                _ => true,
            }
        });
    }
}
