use super::*;
use crate::{CheckOutcome, CheckResult, CheckSeverity, Note, StoreKind};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(ms)
}

fn report(verdict: ValidationVerdict) -> ValidationReport {
    Verdict { verdict }.report(at(0))
}

/// One of each kind; a new one makes the match below incomplete.
fn every_kind() -> Vec<EventKind> {
    let (step, text) = (Step::RestoreQdrant, |words: &str| words.to_owned());
    let error = StepError {
        code: text("timeout"),
        store: Some(StoreKind::Qdrant),
        message: text("m"),
        safe: text("s"),
        remedy: text("r"),
    };
    let digest = PlanDigest(text("d"));
    let kinds = vec![
        EventKind::RunStarted {
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            plan_digest: digest.clone(),
            reason: text("why"),
            actor: text("ada"),
            approved_by: vec![text("otto")],
        },
        EventKind::StepStarted { step, attempt: 2 },
        EventKind::StepNote { step, message: text("note") },
        EventKind::StepActs { step, units: 3 },
        EventKind::StepFinding { step, message: text("finding") },
        EventKind::StepRetrying { step, failures: 4, wait_ms: 5, error: error.clone() },
        EventKind::StepCompleted { step, found_absent: true, count: Some(6), outcome: text("done") },
        EventKind::StepCompleted { step, found_absent: false, count: None, outcome: text("done") },
        EventKind::StepSkipped { step, reason: text("by plan"), by_decision: true },
        EventKind::StepFailed { step, error },
        EventKind::DecisionNeeded { steps: vec![step, Step::DeletePoints] },
        EventKind::DecisionMade { step, decision: Decision::Skip, reason: Some(text("why")), actor: text("ada") },
        EventKind::DecisionMade { step, decision: Decision::Retry, reason: None, actor: text("ada") },
        EventKind::Validated { report: Box::new(report(ValidationVerdict::Unsound)) },
        EventKind::RunInterrupted { message: text("m"), stopped: true },
        EventKind::RunResumed {
            plan_digest: digest,
            again: vec![step],
            reason: text("why"),
            actor: text("ada"),
            approved_by: vec![],
        },
        EventKind::RunAbandoned { reason: text("why"), actor: text("ada"), summary: text("s") },
        EventKind::RunEnded { state: RunState::Completed, summary: text("s"), findings: vec![text("f")] },
        EventKind::RunAnnotated { notes: vec![Note::Remark { text: text("n") }], actor: text("ada") },
        EventKind::Unknown,
    ];
    let known = |kind: &EventKind| match kind {
        EventKind::RunStarted { .. } => 0,
        EventKind::StepStarted { .. } => 1,
        EventKind::StepNote { .. } => 2,
        EventKind::StepActs { .. } => 3,
        EventKind::StepFinding { .. } => 4,
        EventKind::StepRetrying { .. } => 5,
        EventKind::StepCompleted { .. } => 6,
        EventKind::StepSkipped { .. } => 7,
        EventKind::StepFailed { .. } => 8,
        EventKind::DecisionNeeded { .. } => 9,
        EventKind::DecisionMade { .. } => 10,
        EventKind::Validated { .. } => 11,
        EventKind::RunInterrupted { .. } => 12,
        EventKind::RunResumed { .. } => 13,
        EventKind::RunAbandoned { .. } => 14,
        EventKind::RunEnded { .. } => 15,
        EventKind::RunAnnotated { .. } => 16,
        EventKind::Unknown => 17,
    };
    assert!((0..=17).all(|n| kinds.iter().any(|kind| known(kind) == n)), "a kind is missing here");
    kinds
}

fn read(text: &str) -> serde_json::Result<Event> {
    event(&mut serde_json::Deserializer::from_str(text))
}

#[test]
fn every_event_is_read_as_the_server_reads_it() {
    for kind in every_kind() {
        let written = Event { number: 9, run_id: RunId(7), at: at(1_234), kind };
        let text = serde_json::to_string(&written).unwrap();
        let mut as_the_server: Event = serde_json::from_str(&text).unwrap();
        match &mut as_the_server.kind {
            EventKind::RunAnnotated { .. } => as_the_server.kind = EventKind::Unknown,
            EventKind::Validated { report } => report.started_at = at(1_234),
            _ => {}
        }
        assert_eq!(read(&text).unwrap(), as_the_server, "{text}");
    }
}

#[test]
fn a_kind_of_tomorrow_is_unknown_and_an_event_that_lacks_something_is_refused() {
    let event = |rest: &str| format!(r#"{{"number":1,"run_id":7,"at":"2026-11-23T14:18:10.276Z","type":{rest}}}"#);
    assert_eq!(read(&event(r#""step_praised","step":"mark""#)).unwrap().kind, EventKind::Unknown);
    assert!(read(&event(r#""step_started","step":"mark""#)).is_err(), "no attempt");
    assert!(read(&event(r#""run_ended","state":"completed""#)).is_err(), "no summary");
}

#[test]
fn a_kind_of_tomorrow_may_use_the_name_of_a_field_in_another_way() {
    let event = |rest: &str| format!(r#"{{"number":3,"run_id":7,"at":"2026-11-23T14:18:10.276Z","type":{rest}}}"#);
    let text = event(r#""step_praised","steps":{"mark":5}"#);
    assert!(read(&text).is_err());
    let seen = Event::of_tomorrow(&text).unwrap();
    assert_eq!((seen.number, seen.run_id, seen.kind), (3, RunId(7), EventKind::Unknown));
    assert_eq!(Event::of_tomorrow(r#"{"number":3,"type":"step_praised"}"#), None);
    // One of ours that cannot be read is not taken for one of tomorrow.
    for kind in every_kind() {
        let written = Event { number: 9, run_id: RunId(7), at: at(1_234), kind };
        let taken = Event::of_tomorrow(&serde_json::to_string(&written).unwrap());
        let is_strange = matches!(written.kind, EventKind::Unknown | EventKind::RunAnnotated { .. });
        assert_eq!(taken.is_some(), is_strange, "{written:?}");
    }
}

#[test]
fn a_run_is_read_as_the_server_reads_it_but_for_the_checks_of_its_validation() {
    let mut view = RunView::new(RunSummary {
        id: RunId(7),
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        state: RunState::Interrupted,
        reason: "r".into(),
        actor: "a".into(),
        plan_digest: PlanDigest("d".into()),
        started_at: at(1_000),
        ended_at: Some(at(9_000)),
        duration_ms: Some(8),
        waited_ms: 0,
        stood_still_ms: 0,
        last_sign_at: None,
        summary: Some("s".into()),
        last_event: 0,
    });
    for (kind, number) in every_kind().into_iter().zip(1..) {
        view.apply(&Event { number, run_id: RunId(7), at: at(2_000), kind });
    }
    let check = CheckResult {
        number: 4,
        title: "t".into(),
        severity: CheckSeverity::Critical,
        state: CheckOutcome::Failed,
        detail: "d".into(),
        expected: None,
        found: None,
        offending: 1,
        offenders: vec![],
        took_ms: 1,
    };
    let mut checked = ValidationReport::new(ValidationScope::Production, vec![check], None, None, at(1_000), 0);
    view.validation = Some(checked.clone());
    let text = serde_json::to_string(&view).unwrap();
    let mut expected: RunView = serde_json::from_str(&text).unwrap();
    let seen = run(&mut serde_json::Deserializer::from_str(&text)).unwrap();
    assert!(!seen.validation.as_ref().unwrap().is_sound() && !expected.steps.is_empty() && !expected.log.is_empty());
    checked.checks.clear();
    expected.validation = Some(checked);
    assert_eq!(seen, expected);
}
