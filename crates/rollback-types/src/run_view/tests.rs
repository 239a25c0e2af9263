use super::*;
use crate::{Note, PlanDigest, RunId, RunKind, VersionId};
use proptest::prelude::*;

#[test]
fn a_long_log_is_cut_at_its_beginning() {
    let mut v = view();
    for number in 1..=5 {
        let kind = EventKind::StepNote { step: Step::Mark, message: number.to_string() };
        v.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(2_000), kind });
    }
    v.keep_last_lines(2);
    assert_eq!(v.log.iter().map(|line| line.number).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(v.run.last_event, 5);
}

fn view() -> RunView {
    RunView::new(RunSummary {
        id: RunId(7),
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        state: RunState::Running,
        reason: "r".into(),
        actor: "a".into(),
        plan_digest: PlanDigest("d".into()),
        started_at: Timestamp::from_unix_ms(1_000),
        ended_at: None,
        duration_ms: None,
        waited_ms: 0,
        stood_still_ms: 0,
        last_sign_at: None,
        summary: None,
        last_event: 0,
    })
}

/// The events of kinds, at these moments in milliseconds since the epoch.
fn folded(kinds: Vec<(i64, EventKind)>) -> RunView {
    let mut v = view();
    for ((at, kind), number) in kinds.into_iter().zip(1..) {
        v.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(at), kind });
    }
    v
}

fn interrupted(stopped: bool) -> EventKind {
    EventKind::RunInterrupted { message: "m".into(), stopped }
}

fn resumed() -> EventKind {
    let (reason, actor) = ("r".into(), "a".into());
    EventKind::RunResumed { plan_digest: PlanDigest("d".into()), again: vec![], reason, actor, approved_by: vec![] }
}

fn ended() -> EventKind {
    EventKind::RunEnded { state: RunState::Completed, summary: "s".into(), findings: vec![] }
}

#[test]
fn the_time_in_which_nobody_was_at_work_is_no_duration() {
    let hours = 7_200_000;
    let begun = vec![
        (1_000, EventKind::StepStarted { step: Step::Identify, attempt: 1 }),
        (3_000, EventKind::StepActs { step: Step::Identify, units: 1 }),
        (hours, interrupted(false)),
    ];
    let v = folded(begun.clone());
    assert_eq!(v.run.last_sign_at, Some(Timestamp::from_unix_ms(3_000)), "the restart's time is none of the run's");
    assert_eq!((v.run.ended_at, v.run.duration_ms), (Some(Timestamp::from_unix_ms(hours)), Some(2_000)));
    assert_eq!(v.step(Step::Identify).unwrap().duration_ms(), Some(2_000), "the step did not work until the restart");

    let went_on = vec![
        (2 * hours, resumed()),
        (2 * hours + 500, EventKind::StepStarted { step: Step::Identify, attempt: 2 }),
        (2 * hours + 1_000, ended()),
    ];
    let v = folded([begun.clone(), went_on].concat());
    assert_eq!((v.run.duration_ms, v.run.last_sign_at), (Some(3_000), None));
    assert_eq!(v.run.stood_still_ms, (2 * hours - 3_000).unsigned_abs());
    let (from, until) = (Timestamp::from_unix_ms(3_000), Timestamp::from_unix_ms(2 * hours));
    assert_eq!(v.pauses, [Pause { from, until, waited: false }]);
    assert_eq!(v.worked_ms_by(Timestamp::from_unix_ms(2 * hours + 500)), 2_500);
    assert_eq!(v.worked_ms_by(Timestamp::from_unix_ms(hours)), 2_000);

    let given_up =
        vec![(3 * hours, EventKind::RunAbandoned { reason: "r".into(), actor: "a".into(), summary: "s".into() })];
    assert_eq!(folded([begun, given_up].concat()).run.duration_ms, Some(2_000));
}

#[test]
fn a_process_that_stopped_in_order_was_alive_until_then() {
    let v = folded(vec![
        (1_000, EventKind::StepStarted { step: Step::Identify, attempt: 1 }),
        (5_000, interrupted(true)),
        (9_000, resumed()),
        (10_000, ended()),
    ]);
    assert_eq!((v.run.duration_ms, v.run.stood_still_ms), (Some(5_000), 4_000));
}

#[test]
fn a_browser_that_was_given_the_view_goes_on_counting_where_the_server_stood() {
    let first = folded(vec![
        (1_000, EventKind::StepStarted { step: Step::Identify, attempt: 1 }),
        (50_000, interrupted(false)),
    ]);
    let mut given: RunView = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
    for (number, at, kind) in [(3, 90_000, resumed()), (4, 91_000, ended())] {
        given.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(at), kind });
    }
    assert_eq!((given.run.duration_ms, given.run.stood_still_ms), (Some(1_000), 89_000));
}

#[test]
fn the_wait_for_a_decision_is_no_work_and_a_step_took_as_long_as_all_its_tries() {
    let story: Vec<(i64, EventKind)> =
        [1_000, 3_000, 3_000, 63_000, 63_000, 64_000, 64_500].into_iter().zip(kinds()).collect();
    let v = folded(story.clone());
    assert_eq!((v.run.duration_ms, v.run.waited_ms, v.run.stood_still_ms), (Some(3_500), 60_000, 0));
    let step = v.step(Step::Identify).unwrap();
    assert_eq!((step.tries.len(), step.duration_ms()), (2, Some(3_000)));
    // While it waits, its work stands still at what it was.
    let asking = folded(story[..3].to_vec());
    let (at, since) = (Timestamp::from_unix_ms(50_000), Timestamp::from_unix_ms(3_000));
    assert_eq!(asking.worked_ms_now(at), (2_000, Some(since)));

    // Killed while it waited: from the question on it stood still, for when it ended nobody saw. Stopped: it waited till then.
    for (stopped, waited, still) in [(false, 0, 87_000), (true, 27_000, 60_000)] {
        let cut_off = vec![(30_000, interrupted(stopped)), (90_000, resumed()), (91_000, ended())];
        let v = folded([story[..3].to_vec(), cut_off].concat());
        let counted = (v.run.duration_ms, v.run.waited_ms, v.run.stood_still_ms);
        assert_eq!(counted, (Some(3_000), waited, still), "stopped: {stopped}");
    }
}

#[test]
fn a_run_cut_off_while_it_asked_says_so_and_what_it_came_to() {
    let story = [1_000, 3_000, 3_000].into_iter().zip(kinds()).chain([(9_000, interrupted(false))]);
    let v = folded(story.clone().collect());
    assert_eq!((v.undecided.as_slice(), v.run.summary.as_deref()), ([Step::Identify].as_slice(), Some("m")));
    let step = v.step(Step::Identify).unwrap();
    assert_eq!((step.state, step.decisions.len()), (StepState::Failed, 0), "it failed, and nothing is asked now");
    assert_eq!(step.decided, None);
    let v = folded(story.chain([(10_000, resumed())]).collect());
    assert_eq!((v.undecided.len(), v.run.summary.as_deref()), (0, None));
    assert_eq!(v.step(Step::Identify).unwrap().decided, Some(Decision::Retry), "who resumes it has it done again");
    let v = folded([3_000; 4].into_iter().zip(kinds()).collect());
    assert_eq!(v.step(Step::Identify).unwrap().decided, Some(Decision::Retry));
    let v = folded([3_000; 5].into_iter().zip(kinds()).collect());
    assert_eq!(v.step(Step::Identify).unwrap().decided, None, "a new try is a new story");
}

#[test]
fn an_abort_leaves_nothing_to_decide() {
    let mut story = kinds();
    story.truncate(2);
    story.insert(1, EventKind::StepStarted { step: Step::Mark, attempt: 1 });
    story.push(match &story[2] {
        EventKind::StepFailed { error, .. } => EventKind::StepFailed { step: Step::Mark, error: error.clone() },
        other => panic!("{other:?}"),
    });
    story.push(EventKind::DecisionNeeded { steps: vec![Step::Identify, Step::Mark] });
    let abort =
        EventKind::DecisionMade { step: Step::Identify, decision: Decision::Abort, reason: None, actor: "a".into() };
    story.push(abort);
    let v = folded(story.into_iter().map(|kind| (2_000, kind)).collect());
    assert_eq!(v.run.state, RunState::Running);
    assert!(v.steps.iter().all(|s| s.decisions.is_empty()));
}

fn kinds() -> Vec<EventKind> {
    let error =
        StepError { code: "timeout".into(), store: None, message: "m".into(), safe: "s".into(), remedy: "r".into() };
    vec![
        EventKind::StepStarted { step: Step::Identify, attempt: 1 },
        EventKind::StepFailed { step: Step::Identify, error },
        EventKind::DecisionNeeded { steps: vec![Step::Identify] },
        EventKind::DecisionMade { step: Step::Identify, decision: Decision::Retry, reason: None, actor: "a".into() },
        EventKind::StepStarted { step: Step::Identify, attempt: 2 },
        EventKind::StepCompleted { step: Step::Identify, found_absent: false, count: None, outcome: "o".into() },
        EventKind::RunEnded { state: RunState::Completed, summary: "s".into(), findings: vec![] },
    ]
}

proptest! {
    /// Duplicates and stale replays, at any place, change nothing.
    #[test]
    fn duplicates_are_harmless(repeats in proptest::collection::vec(0usize..7, 0..20)) {
        let events: Vec<Event> = kinds().into_iter().zip(1..).map(|(kind, number)| Event {
            number, run_id: RunId(7), at: Timestamp::from_unix_ms(1_000 + number as i64), kind,
        }).collect();
        let mut plain = view();
        events.iter().for_each(|e| { plain.apply(e); });
        let mut noisy = view();
        for (i, e) in events.iter().enumerate() {
            noisy.apply(e);
            for r in &repeats { if *r <= i { prop_assert!(!noisy.apply(&events[*r])); } }
        }
        prop_assert_eq!(plain, noisy);
    }
}

#[test]
fn a_failed_step_may_be_decided_until_it_is() {
    let mut v = view();
    for (kind, number) in kinds().into_iter().zip(1..).take(3) {
        v.apply(&Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(2_000), kind });
    }
    assert_eq!(v.run.state, RunState::NeedsDecision);
    assert_eq!(v.steps[0].decisions, [Decision::Retry, Decision::Abort]);
}

#[test]
fn a_note_after_the_end_changes_nothing_but_the_log() {
    let mut v = view();
    let event = |number, kind| Event { number, run_id: RunId(7), at: Timestamp::from_unix_ms(9_000), kind };
    v.apply(&event(1, EventKind::RunEnded { state: RunState::Aborted, summary: "s".into(), findings: vec![] }));
    let before = v.clone();
    let notes = vec![Note::RootCause { text: "a full disk".into() }];
    assert!(v.apply(&event(2, EventKind::RunAnnotated { notes, actor: "ada".into() })));
    assert_eq!(v.log.last().map(|l| l.text.as_str()), Some("ada added to the report: root cause"));
    v.log.pop();
    v.run.last_event = 1;
    assert_eq!(v, before);
}

#[test]
fn an_unknown_kind_moves_only_the_number() {
    let text = r#"{"number":1,"run_id":7,"at":"2026-01-01T00:00:00Z","type":"teleported","to":"mars"}"#;
    let event: Event = serde_json::from_str(text).unwrap();
    let mut v = view();
    assert!(v.apply(&event));
    assert_eq!((v.run.last_event, v.log.len()), (1, 0));
}

#[test]
fn progress_never_goes_back() {
    let mut v = view();
    v.apply(&Event {
        number: 1,
        run_id: RunId(7),
        at: Timestamp::from_unix_ms(2_000),
        kind: EventKind::StepStarted { step: Step::DeleteNodes, attempt: 1 },
    });
    let progress =
        |step, done, total, doing: Option<&str>| Progress { step, done, total, doing: doing.map(str::to_owned) };
    // Nothing is counted yet: no bar, but words.
    v.apply_progress(&progress(Step::DeleteNodes, 0, 0, Some("At work")));
    let seen = v.step(Step::DeleteNodes).unwrap();
    assert_eq!((seen.done, seen.total, seen.doing.as_deref()), (None, None, Some("At work")));
    v.apply_progress(&progress(Step::DeleteNodes, 10, 20, None));
    v.apply_progress(&progress(Step::DeleteNodes, 5, 20, None));
    let seen = v.step(Step::DeleteNodes).unwrap();
    assert_eq!((seen.done, seen.doing.as_deref()), (Some(10), None));
    v.apply_progress(&progress(Step::Finish, 5, 20, Some("At work")));
    let waits = v.step(Step::Finish).unwrap();
    assert_eq!((waits.done, waits.doing.as_deref()), (None, None));
    v.apply_progress(&progress(Step::DeleteNodes, 20, 20, Some("Being verified")));
    v.apply(&Event {
        number: 2,
        run_id: RunId(7),
        at: Timestamp::from_unix_ms(3_000),
        kind: EventKind::StepCompleted {
            step: Step::DeleteNodes,
            found_absent: false,
            count: Some(20),
            outcome: "deleted".into(),
        },
    });
    assert_eq!(v.step(Step::DeleteNodes).unwrap().doing, None, "it is done");
}
