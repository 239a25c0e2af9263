//! How long the rest of a run may take: what its steps usually take here, and the document's estimate where that is not known.

use rollback_types::{RunState, RunView, Step, StepDuration, StepState, StepView, StoreKind, Timestamp};

/// What is left of a run that is at work. Steps that work side by side count as the longest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeLeft {
    /// By the medians here, in milliseconds.
    pub learned_ms: u64,
    /// By the document, for steps that no run has completed here yet, in milliseconds.
    pub documented_ms: u64,
    /// Those steps.
    pub documented: Vec<Step>,
    /// Steps at work for clearly longer than that: what is left of them nobody knows, and they are part of no sum.
    pub overdue: Vec<Overdue>,
}

/// A step that takes longer than expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// Which.
    pub step: Step,
    /// What was expected, in milliseconds.
    pub expected_ms: u64,
    /// By the median here; otherwise by the document.
    pub learned: bool,
}

impl TimeLeft {
    /// Of a run that is at work at a moment and restores these stores. Nothing of one that is not, nor of one in which a step has
    /// failed: that waits for a person, and for how long nobody knows.
    pub(crate) fn of(view: &RunView, medians: &[StepDuration], restored: &[StoreKind], now: Timestamp) -> Option<Self> {
        let stands = |s: &StepView| matches!(s.state, StepState::Failed | StepState::Interrupted);
        if view.run.state != RunState::Running || view.steps.iter().any(stands) {
            return None;
        }
        let mut left = Self::default();
        for stage in view.run.kind.stages() {
            let mut longest: Option<(u64, Step, bool)> = None;
            let steps = stage.iter().filter_map(|step| view.step(*step));
            for s in steps.filter(|s| !s.state.is_through() && !is_left_out(s, restored)) {
                let (expected_ms, learned) = expected(s.step, medians);
                let worked = s.tries.last().filter(|_| s.state == StepState::Running);
                let worked_ms = worked.map_or(0, |this| now.since_ms(this.started_at));
                if worked_ms > expected_ms.saturating_add(grace(expected_ms)) {
                    left.overdue.push(Overdue { step: s.step, expected_ms, learned });
                    continue;
                }
                let ms = expected_ms.saturating_sub(worked_ms);
                if ms > 0 && longest.is_none_or(|(most, ..)| ms > most) {
                    longest = Some((ms, s.step, learned));
                }
            }
            match longest {
                Some((ms, _, true)) => left.learned_ms += ms,
                Some((ms, step, false)) => {
                    left.documented_ms += ms;
                    left.documented.push(step);
                }
                None => {}
            }
        }
        Some(left)
    }
}

/// The plan restores nothing there: the step will look, and skip itself.
fn is_left_out(s: &StepView, restored: &[StoreKind]) -> bool {
    let waits = s.step.is_restore() && s.state == StepState::Pending;
    waits && s.lane.is_some_and(|store| !restored.contains(&store))
}

/// Half of all runs take longer than the median: only what takes much longer is worth a word.
fn grace(expected_ms: u64) -> u64 {
    (expected_ms / 2).max(2_000)
}

/// What a step takes, in milliseconds, and whether that was learned here.
fn expected(step: Step, medians: &[StepDuration]) -> (u64, bool) {
    match medians.iter().find(|m| m.step == step && m.runs > 0) {
        Some(here) => (here.median_ms, true),
        None => (u64::from(step.documented_seconds()) * 1_000, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{PlanDigest, RunId, RunKind, RunSummary, Try, VersionId};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    /// A rollback of which these steps are through, and these have been at work since its beginning.
    fn run(through: &[Step], at_work: &[Step]) -> RunView {
        let mut view = RunView::new(RunSummary {
            id: RunId(7),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            state: RunState::Running,
            reason: String::new(),
            actor: String::new(),
            plan_digest: PlanDigest("d".into()),
            started_at: at(0),
            ended_at: None,
            duration_ms: None,
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 0,
        });
        for s in &mut view.steps {
            if through.contains(&s.step) {
                s.state = StepState::Done;
            } else if at_work.contains(&s.step) {
                s.state = StepState::Running;
                s.tries.push(Try { started_at: at(0), ended_at: None });
            }
        }
        view
    }

    fn median(step: Step, median_ms: u64) -> StepDuration {
        StepDuration { step, median_ms, runs: 3, documented_ms: 0 }
    }

    fn left(view: &RunView, medians: &[StepDuration], restored: &[StoreKind], now: i64) -> TimeLeft {
        TimeLeft::of(view, medians, restored, at(now)).unwrap()
    }

    const TO_THE_REMOVALS: [Step; 2] = [Step::Identify, Step::Mark];
    const TO_THE_END: [Step; 6] =
        [Step::Identify, Step::Mark, Step::DropChapters, Step::DeletePoints, Step::DeleteNodes, Step::VerifyCopy];

    #[test]
    fn what_is_learned_and_what_only_the_document_says_are_told_apart() {
        let view = run(&TO_THE_END, &[]);
        let known = [median(Step::Finish, 40), median(Step::RestoreQdrant, 5_000)];
        let left = left(&view, &known, &[StoreKind::Qdrant], 0);
        assert_eq!((left.learned_ms, left.documented_ms), (5_040, 900_000));
        assert_eq!((left.documented, left.overdue), (vec![Step::Validate], vec![]));
    }

    #[test]
    fn lanes_count_as_the_longest_and_those_that_restore_nothing_not_at_all() {
        let view = run(&TO_THE_END, &[]);
        let all = left(&view, &[], &StoreKind::ALL, 0);
        assert_eq!(all.documented_ms, 600_000 + 30_000 + 900_000);
        assert_eq!(all.documented, [Step::RestoreSqlite, Step::Finish, Step::Validate]);
        assert_eq!(left(&view, &[], &[], 0).documented_ms, 930_000);
        // A lane that is at work is, whatever the plan said.
        let view = run(&TO_THE_END, &[Step::RestoreSqlite]);
        assert_eq!(left(&view, &[], &[], 100_000).documented_ms, 1_430_000);
    }

    #[test]
    fn a_step_at_work_has_less_left_with_time_and_never_less_than_nothing() {
        let view = run(&TO_THE_REMOVALS, &[Step::DropChapters, Step::DeletePoints, Step::DeleteNodes]);
        let medians: Vec<StepDuration> = RunKind::Rollback.steps().into_iter().map(|s| median(s, 4_000)).collect();
        let whole = left(&view, &medians, &[], 1_000);
        assert_eq!(
            (whole.learned_ms, whole.overdue.len()),
            (3_000 + 3 * 4_000, 0),
            "the removals, 6, 8, the validation"
        );
        // Half of all runs take longer than the median: that is nothing to speak of.
        let full = left(&view, &medians, &[], 6_000);
        assert_eq!((full.learned_ms, full.overdue.len()), (3 * 4_000, 0));
        let late = left(&view, &medians, &[], 6_001);
        assert_eq!(late.learned_ms, 3 * 4_000);
        let nodes = Overdue { step: Step::DeleteNodes, expected_ms: 4_000, learned: true };
        assert_eq!((late.overdue.len(), late.overdue[2]), (3, nodes));
        // A clock that goes back adds nothing.
        assert_eq!(left(&view, &medians, &[], -5_000).learned_ms, 4 * 4_000);
    }

    #[test]
    fn a_lane_beside_an_overdue_one_still_counts() {
        let view = run(&TO_THE_REMOVALS, &[Step::DropChapters, Step::DeletePoints, Step::DeleteNodes]);
        let mut medians: Vec<StepDuration> = RunKind::Rollback.steps().into_iter().map(|s| median(s, 1_000)).collect();
        medians.retain(|m| m.step != Step::DeleteNodes);
        medians.push(median(Step::DeleteNodes, 240_000));
        let left = left(&view, &medians, &[], 3_001);
        assert_eq!(left.overdue.iter().map(|o| o.step).collect::<Vec<_>>(), [Step::DropChapters, Step::DeletePoints]);
        assert_eq!(left.learned_ms, 240_000 - 3_001 + 3 * 1_000);
    }

    #[test]
    fn nothing_is_told_of_a_run_that_waits_or_will() {
        let mut view = run(&TO_THE_REMOVALS, &[Step::DropChapters]);
        view.steps[4].state = StepState::Failed;
        assert_eq!(TimeLeft::of(&view, &[], &[], at(0)), None);
        let mut view = run(&TO_THE_REMOVALS, &[]);
        view.run.state = RunState::NeedsDecision;
        assert_eq!(TimeLeft::of(&view, &[], &[], at(0)), None);
    }
}
