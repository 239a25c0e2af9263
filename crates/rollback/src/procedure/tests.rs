use proptest::prelude::*;
use rollback_types::{Note, PlanDigest, RunKind, StepError, VersionId};

use super::*;

fn started() -> EventKind {
    EventKind::RunStarted {
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        plan_digest: PlanDigest("d".into()),
        reason: "r".into(),
        actor: "a".into(),
        approved_by: Vec::new(),
    }
}

fn error() -> StepError {
    StepError { code: "timeout".into(), store: None, message: "m".into(), safe: "s".into(), remedy: "r".into() }
}

fn begin(step: Step, attempt: u32) -> EventKind {
    EventKind::StepStarted { step, attempt }
}

fn complete(step: Step) -> EventKind {
    EventKind::StepCompleted { step, found_absent: false, count: None, outcome: "o".into() }
}

fn fail(step: Step) -> EventKind {
    EventKind::StepFailed { step, error: error() }
}

fn decide(step: Step, decision: Decision) -> EventKind {
    EventKind::DecisionMade { step, decision, reason: Some("because".into()), actor: "a".into() }
}

fn after(events: &[EventKind]) -> Procedure {
    let mut p = Procedure::new(RunKind::Rollback);
    for e in events {
        p.apply(e).unwrap();
    }
    p
}

#[test]
fn the_straight_way_is_legal() {
    let mut p = after(&[started()]);
    for stage in RunKind::Rollback.stages() {
        for step in stage.iter() {
            p.apply(&begin(*step, 1)).unwrap();
        }
        for step in stage.iter() {
            p.apply(&complete(*step)).unwrap();
        }
    }
    p.apply(&EventKind::RunEnded { state: RunState::Completed, summary: "s".into(), findings: vec![] }).unwrap();
    assert!(p.apply(&begin(Step::Finish, 2)).is_err(), "no step follows the end");
}

fn annotated() -> EventKind {
    EventKind::RunAnnotated { notes: vec![Note::Remark { text: "kept".into() }], actor: "a".into() }
}

#[test]
fn notes_follow_the_end_and_leave_the_run_as_it_ended() {
    let ended = |state| EventKind::RunEnded { state, summary: "s".into(), findings: vec![] };
    let failed = [started(), begin(Step::Identify, 1), fail(Step::Identify)];
    let asked = [EventKind::DecisionNeeded { steps: vec![Step::Identify] }, decide(Step::Identify, Decision::Abort)];
    let interrupted = EventKind::RunInterrupted { message: "m".into(), stopped: false };
    let abandoned = EventKind::RunAbandoned { reason: "r".into(), actor: "a".into(), summary: "s".into() };
    for story in [
        [&failed[..], &asked, &[ended(RunState::Aborted)]].concat(),
        [&failed[..], &[interrupted.clone(), abandoned]].concat(),
    ] {
        let mut p = Procedure::new(RunKind::Rollback);
        for event in &story {
            assert!(p.clone().apply(&annotated()).is_err(), "no note before {event:?}");
            p.apply(event).unwrap();
        }
        let before = p.clone();
        p.apply(&annotated()).unwrap();
        p.apply(&annotated()).unwrap();
        assert_eq!((&p, p.run_state(), p.is_over()), (&before, RunState::Aborted, true));
        assert!(p.apply(&EventKind::RunAnnotated { notes: Vec::new(), actor: "a".into() }).is_err());
        assert!(p.apply(&interrupted).is_err(), "what is over cannot be interrupted");
    }
    let mut p = after(&[started(), interrupted]);
    assert!(p.apply(&annotated()).is_err(), "an interrupted run may go on");
}

#[test]
fn no_step_begins_before_the_stage_before_is_through() {
    let p = after(&[started(), begin(Step::Identify, 1), complete(Step::Identify)]);
    for step in RunKind::Rollback.steps().into_iter().filter(|s| s.number() > 2) {
        assert!(p.clone().apply(&begin(step, 1)).is_err(), "{step}");
    }
}

#[test]
fn a_failed_lane_does_not_end_the_run_while_its_siblings_work() {
    let mut p = after(&[started(), begin(Step::Identify, 1), complete(Step::Identify), begin(Step::Mark, 1)]);
    p.apply(&complete(Step::Mark)).unwrap();
    for s in [Step::DropChapters, Step::DeletePoints, Step::DeleteNodes] {
        p.apply(&begin(s, 1)).unwrap();
    }
    p.apply(&fail(Step::DeletePoints)).unwrap();
    assert!(p.apply(&EventKind::DecisionNeeded { steps: vec![Step::DeletePoints] }).is_err());
    p.apply(&complete(Step::DropChapters)).unwrap();
    p.apply(&complete(Step::DeleteNodes)).unwrap();
    p.apply(&EventKind::DecisionNeeded { steps: vec![Step::DeletePoints] }).unwrap();
    assert!(p.apply(&begin(Step::VerifyCopy, 1)).is_err(), "nothing goes on by itself past a failure");
    p.apply(&decide(Step::DeletePoints, Decision::Retry)).unwrap();
    assert!(p.apply(&begin(Step::DeletePoints, 1)).is_err(), "an attempt has its own number");
    p.apply(&begin(Step::DeletePoints, 2)).unwrap();
}

#[test]
fn only_lanes_may_be_skipped_and_only_with_a_reason() {
    for step in [Step::Identify, Step::Mark, Step::VerifyCopy, Step::Finish] {
        let mut p = Procedure::new(RunKind::Rollback);
        p.course = Course::Asking;
        p.steps.insert(step, Phase::Failed { attempt: 1 });
        assert!(p.apply(&decide(step, Decision::Skip)).is_err(), "{step}");
    }
    let mut p = Procedure::new(RunKind::Rollback);
    p.course = Course::Asking;
    p.steps.insert(Step::DeletePoints, Phase::Failed { attempt: 1 });
    let mut bare = decide(Step::DeletePoints, Decision::Skip);
    if let EventKind::DecisionMade { reason, .. } = &mut bare {
        *reason = Some("  ".into());
    }
    assert!(p.apply(&bare).is_err());
    p.apply(&decide(Step::DeletePoints, Decision::Skip)).unwrap();
}

#[test]
fn only_a_restore_has_a_way_back_and_it_ends_the_lane_as_skipped() {
    for step in RunKind::Rollback.steps() {
        let mut p = Procedure::new(RunKind::Rollback);
        p.course = Course::Asking;
        p.steps.insert(step, Phase::Failed { attempt: 1 });
        assert_eq!(p.apply(&decide(step, Decision::WayBack)).is_ok(), step.is_restore(), "{step}");
    }
    let mut p = Procedure::new(RunKind::UndoRestore);
    for event in [started(), begin(Step::VerifyCopy, 1), complete(Step::VerifyCopy), begin(Step::RestoreNeo4j, 1)] {
        p.apply(&event).unwrap();
    }
    p.apply(&EventKind::StepSkipped { step: Step::RestoreNeo4j, reason: "r".into(), by_decision: true }).unwrap();
    assert!(p.is_through(Step::RestoreNeo4j));
}

#[test]
fn every_kind_has_a_straight_way_and_no_steps_of_another() {
    for kind in RunKind::ALL {
        let mut p = Procedure::new(kind);
        p.apply(&started()).unwrap();
        for foreign in Step::ALL.into_iter().filter(|s| !kind.steps().contains(s)) {
            assert!(p.apply(&begin(foreign, 1)).is_err(), "{kind:?} {foreign}");
        }
        for stage in kind.stages() {
            stage.iter().for_each(|step| p.apply(&begin(*step, 1)).unwrap());
            stage.iter().for_each(|step| p.apply(&complete(*step)).unwrap());
        }
        p.apply(&EventKind::RunEnded { state: RunState::Completed, summary: "s".into(), findings: vec![] }).unwrap();
    }
}

fn any_event() -> impl Strategy<Value = EventKind> {
    let step = proptest::sample::select(RunKind::Rollback.steps());
    (step, 0u8..12, 1u32..4).prop_map(|(step, kind, attempt)| match kind {
        0 => started(),
        1 | 2 => begin(step, attempt),
        3 | 4 => complete(step),
        5 => fail(step),
        6 => EventKind::StepSkipped { step, reason: "r".into(), by_decision: attempt == 1 },
        7 => EventKind::DecisionNeeded { steps: vec![step] },
        8 if step.is_restore() && attempt == 2 => decide(step, Decision::WayBack),
        8 => decide(step, [Decision::Retry, Decision::Skip, Decision::Abort][attempt as usize - 1]),
        9 => EventKind::RunEnded {
            state: [RunState::Completed, RunState::Aborted, RunState::Running][attempt as usize - 1],
            summary: "s".into(),
            findings: vec![],
        },
        10 => annotated(),
        _ => EventKind::RunInterrupted { message: "m".into(), stopped: false },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is thrown at it: a refused event changes nothing; a later stage never begins before an earlier one is
    /// through; a run completes only with every step through; nothing but notes follows the end, and no note comes before.
    #[test]
    fn the_invariants_hold_for_any_sequence(events in proptest::collection::vec(any_event(), 0..120)) {
        let mut p = Procedure::new(RunKind::Rollback);
        p.apply(&started()).unwrap();
        let mut ended = false;
        for e in &events {
            let before = p.clone();
            match p.apply(e) {
                Err(_) => prop_assert_eq!(&p, &before),
                Ok(()) if matches!(e, EventKind::RunAnnotated { .. }) => {
                    prop_assert!(before.is_over());
                    prop_assert_eq!(&p, &before);
                }
                Ok(()) => {
                    prop_assert!(!ended, "{:?} followed the end", e);
                    if let EventKind::StepStarted { step, .. } = e {
                        for earlier in RunKind::Rollback.steps().into_iter().filter(|s| {
                            let stage = |x: &Step| RunKind::Rollback.stages().iter().position(|st| st.contains(x));
                            stage(s) < stage(step)
                        }) {
                            prop_assert!(before.is_through(earlier));
                        }
                    }
                    if let EventKind::RunEnded { state: RunState::Completed, .. } = e {
                        prop_assert!(RunKind::Rollback.steps().into_iter().all(|s| before.is_through(s)));
                    }
                    ended = e.is_terminal();
                }
            }
        }
    }

    /// A walk that always takes a legal next event reaches an end, with failures, retries and skips on the way.
    #[test]
    fn every_legal_walk_can_be_finished(choices in proptest::collection::vec(0u8..6, 400)) {
        let mut p = after(&[started()]);
        let mut choices = choices.into_iter();
        for stage in RunKind::Rollback.stages() {
            loop {
                for step in p.to_skip() {
                    p.apply(&EventKind::StepSkipped { step, reason: "r".into(), by_decision: true }).unwrap();
                }
                let starting = p.to_start(stage);
                if starting.is_empty() { break; }
                for (step, attempt) in &starting { p.apply(&begin(*step, *attempt)).unwrap(); }
                for (step, _) in &starting {
                    let bad = choices.next().unwrap_or(1) == 0;
                    p.apply(&if bad { fail(*step) } else { complete(*step) }).unwrap();
                }
                let failed = p.undecided();
                if failed.is_empty() { break; }
                p.apply(&EventKind::DecisionNeeded { steps: failed.clone() }).unwrap();
                for step in failed {
                    let skip = step.may_be_skipped() && choices.next().unwrap_or(0) < 2;
                    p.apply(&decide(step, if skip { Decision::Skip } else { Decision::Retry })).unwrap();
                }
            }
        }
        let end = EventKind::RunEnded { state: RunState::Completed, summary: "s".into(), findings: vec![] };
        prop_assert!(p.apply(&end).is_ok());
    }
}
