//! What a run did to each store, in words: the staged data in one line, production in another.

use serde::{Deserialize, Serialize};

use crate::{RunView, Step, StepState, StepView, StoreKind};

/// What a run did to one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreOutcome {
    /// Which.
    pub store: StoreKind,
    /// What became of the staged data; absent in kinds of run that remove none.
    pub staged: Option<String>,
    /// What became of production, or of its copy where a backup is made; absent where the run does neither.
    pub production: Option<String>,
}

impl RunView {
    /// Store by store, as the steps tell it; empty for a run that has nothing to do with single stores.
    pub fn store_outcomes(&self) -> Vec<StoreOutcome> {
        let of = |store: StoreKind| {
            let line = |wanted: fn(Step) -> bool| {
                self.steps.iter().find(|s| s.lane == Some(store) && wanted(s.step)).map(told)
            };
            let staged = line(|s| matches!(s, Step::DropChapters | Step::DeletePoints | Step::DeleteNodes));
            let production =
                line(|s| s.is_restore() || matches!(s, Step::CopySqlite | Step::CopyQdrant | Step::CopyNeo4j));
            (staged.is_some() || production.is_some()).then_some(StoreOutcome { store, staged, production })
        };
        StoreKind::ALL.into_iter().filter_map(of).collect()
    }
}

/// What one lane came to.
fn told(step: &StepView) -> String {
    let outcome = step.outcome.as_deref().unwrap_or_default();
    match step.state {
        StepState::Done | StepState::FoundAbsent => outcome.to_owned(),
        StepState::Skipped => {
            let why = outcome.strip_prefix("skipped: ").unwrap_or(outcome);
            match why.strip_prefix("by decision: ") {
                Some(why) if step.was_left_begun() => {
                    format!("begun and then left by decision, so what is there must be compared: {why}")
                }
                Some(why) => format!("left out by decision: {why}"),
                // Its way back is in again.
                None if step.acted => why.to_owned(),
                None => format!("not changed: {why}"),
            }
        }
        StepState::Failed => {
            let why = step.error.as_ref().map_or("the cause was not recorded", |e| e.message.as_str());
            format!("did not come to its end: {why}")
        }
        StepState::Interrupted => "not known: the run was interrupted in the middle of it".to_owned(),
        StepState::Pending => "not begun".to_owned(),
        StepState::Running => "at work".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, EventKind, PlanDigest, RunId, RunKind, RunState, RunSummary, Timestamp, VersionId};

    fn view(kind: RunKind) -> RunView {
        RunView::new(RunSummary {
            id: RunId(1),
            kind,
            version_id: VersionId::new("v2"),
            state: RunState::Completed,
            reason: "why".into(),
            actor: "ada".into(),
            plan_digest: PlanDigest("d".into()),
            started_at: Timestamp::from_unix_ms(0),
            ended_at: None,
            duration_ms: None,
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 0,
        })
    }

    #[test]
    fn staged_data_and_production_are_told_apart_store_by_store() {
        let mut view = view(RunKind::Rollback);
        for step in &mut view.steps {
            (step.state, step.outcome) = match step.step {
                Step::DropChapters => (StepState::Done, Some("12 rows dropped".into())),
                Step::RestoreSqlite => (StepState::Done, Some("restored: 220 chapters".into())),
                Step::DeletePoints => (StepState::Skipped, Some("skipped: by decision: done by hand".into())),
                Step::RestoreQdrant => (StepState::Skipped, Some("skipped: production equals latest-copy".into())),
                _ => (StepState::Pending, None),
            };
        }
        let told = view.store_outcomes();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0].staged.as_deref(), Some("12 rows dropped"));
        assert_eq!(told[0].production.as_deref(), Some("restored: 220 chapters"));
        assert_eq!(told[1].staged.as_deref(), Some("left out by decision: done by hand"));
        assert_eq!(told[1].production.as_deref(), Some("not changed: production equals latest-copy"));
        assert_eq!(told[2].staged.as_deref(), Some("not begun"));
    }

    #[test]
    fn a_lane_that_acted_and_was_skipped_is_not_told_as_one_that_was_left_alone() {
        let mut view = view(RunKind::Rollback);
        let skips = [
            (Step::DropChapters, "by decision: done by hand"),
            (Step::RestoreSqlite, "by decision: done by hand"),
            (Step::RestoreQdrant, "the way back is in again, 12 units as before step 7"),
        ];
        for ((step, reason), number) in skips.into_iter().zip(0..) {
            let kinds = [
                EventKind::StepActs { step, units: 12 },
                EventKind::StepSkipped { step, reason: reason.into(), by_decision: true },
            ];
            for (kind, part) in kinds.into_iter().zip(1..) {
                view.apply(&Event {
                    number: number * 2 + part,
                    run_id: RunId(1),
                    at: Timestamp::from_unix_ms(0),
                    kind,
                });
            }
        }
        let told = view.store_outcomes();
        let begun = "begun and then left by decision, so what is there must be compared: done by hand";
        assert_eq!(told[0].staged.as_deref(), Some(begun));
        assert_eq!(told[0].production.as_deref(), Some(begun));
        assert_eq!(told[1].production.as_deref(), Some("the way back is in again, 12 units as before step 7"));
    }

    #[test]
    fn a_validation_speaks_of_no_single_store_and_a_restore_of_no_staged_data() {
        assert_eq!(view(RunKind::Validate).store_outcomes(), []);
        assert!(view(RunKind::RestoreProduction).store_outcomes().iter().all(|o| o.staged.is_none()));
        assert!(view(RunKind::MakeBackup).store_outcomes().iter().all(|o| o.production.is_some()));
    }
}
