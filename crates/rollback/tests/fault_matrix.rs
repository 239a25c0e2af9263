//! Every step × {fails once, fails always, aborted, answer lost after the effect, found already done}.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::fake::{FAILED, FakeDeployment, Moment};
use rollback::store::Fault;
use rollback_types::{Decision, RunKind, RunState, Step, StepState, StoreKind, VersionState};
use support::{Bench, bench, tester};

/// The operation that a fault is armed at, for each step.
fn operation(step: Step) -> &'static str {
    match step {
        Step::Identify => "version",
        Step::Mark => "mark",
        Step::DropChapters => "drop_staging",
        Step::DeletePoints => "delete_collection",
        Step::DeleteNodes => "delete_batch",
        Step::VerifyCopy => "inspect_copy",
        Step::RestoreSqlite => "production_rows",
        Step::RestoreQdrant => "id_fingerprint",
        Step::RestoreNeo4j => "production_nodes",
        Step::Finish => "finish",
        other => panic!("{other} is no step of the procedure that a fault can stop"),
    }
}

/// Step 6 reports what is wrong with a file as a finding, never as a passing fault.
fn retries_by_itself(step: Step) -> bool {
    step != Step::VerifyCopy
}

/// All steps but the validation, which never fails: what it cannot check is a finding.
fn acting() -> Vec<Step> {
    RunKind::Rollback.steps().into_iter().filter(|s| *s != Step::Validate).collect()
}

async fn undisturbed() -> String {
    let b = bench();
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::Completed);
    b.deployment.fingerprint()
}

fn assert_rolled_back(d: &FakeDeployment, expected: &str, context: &str) {
    assert_eq!(d.state_of(FAILED), Some(VersionState::RolledBack), "{context}");
    assert_eq!(d.staged(), (0, 0, 0), "{context}");
    assert_eq!(d.fingerprint(), expected, "{context}: the same end state as an undisturbed run");
}

#[tokio::test]
async fn an_undisturbed_run_removes_staging_and_nothing_else() {
    let b = bench();
    assert_eq!(b.deployment.staged(), (7, 23, 23));
    let id = b.start().await;
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::Completed);
    assert_eq!(b.deployment.staged(), (0, 0, 0));
    assert_eq!(
        b.deployment.message_of(FAILED).as_deref(),
        Some("Rollback completed successfully. Reason: Check 4 failed")
    );
    for step in [Step::RestoreSqlite, Step::RestoreQdrant, Step::RestoreNeo4j] {
        let lane = view.step(step).unwrap();
        assert_eq!(lane.state, StepState::Skipped);
        assert!(lane.outcome.as_deref().unwrap().contains("production equals latest-copy"), "{lane:?}");
    }
    let nodes = view.step(Step::DeleteNodes).unwrap();
    assert_eq!((nodes.done, nodes.total), (Some(23), Some(23)));
    assert!(nodes.outcome.as_deref().unwrap().contains("2 of them joined to production"), "{nodes:?}");
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_changes_nothing_of_the_end_state() {
    let expected = undisturbed().await;
    for moment in [Moment::Before, Moment::After] {
        for step in acting().into_iter().filter(|s| retries_by_itself(*s)) {
            let b = bench();
            b.deployment.faults.arm(operation(step), Some(step), 1, Fault::TimedOut, moment);
            let id = b.start().await;
            let view = b.settle(id).await;
            assert_eq!(view.run.state, RunState::Completed, "{step} {moment:?}: {view:?}");
            assert_rolled_back(&b.deployment, &expected, &format!("{step} {moment:?}"));
        }
    }
}

#[tokio::test]
async fn a_lasting_fault_stops_and_asks_and_a_retry_finishes() {
    let expected = undisturbed().await;
    for step in acting() {
        let b = bench();
        b.deployment.faults.arm(operation(step), Some(step), u32::MAX, Fault::Unreachable, Moment::Before);
        let id = b.start().await;
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::NeedsDecision, "{step}");
        let failed: Vec<_> = view.steps.iter().filter(|s| s.state == StepState::Failed).map(|s| s.step).collect();
        assert_eq!(failed, [step]);
        let asked = view.step(step).unwrap();
        assert_eq!(asked.decisions.contains(&Decision::Skip), step.may_be_skipped(), "{step}");
        let error = asked.error.as_ref().unwrap();
        assert!(!error.safe.is_empty() && !error.remedy.is_empty(), "{step}: says what is safe and what to do");
        // Siblings of the failed lane are through; nothing later has begun.
        let stage = RunKind::Rollback.stages().iter().find(|s| s.contains(&step)).unwrap();
        for other in &view.steps {
            let through = other.state.is_through();
            let later = other.step.number() > step.number() && !stage.contains(&other.step);
            assert!(if later { other.state == StepState::Pending } else { through || other.step == step }, "{step}");
        }
        b.deployment.faults.clear();
        b.service.decide(id, step, Decision::Retry, None, &tester()).await.unwrap();
        assert_eq!(b.settle(id).await.run.state, RunState::Completed, "{step}");
        assert_rolled_back(&b.deployment, &expected, &step.to_string());
    }
}

#[tokio::test]
async fn an_abort_leaves_the_version_to_be_taken_over() {
    let expected = undisturbed().await;
    for step in acting() {
        let b = bench();
        b.deployment.faults.arm(operation(step), Some(step), u32::MAX, Fault::Refused, Moment::Before);
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision, "{step}");
        let reason = Some("it is late".to_owned());
        b.service.decide(id, step, Decision::Abort, reason, &tester()).await.unwrap();
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::Aborted, "{step}");
        assert!(b.service.overview().await.unwrap().active_run.is_none());
        b.deployment.faults.clear();
        if step <= Step::Mark {
            assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::ValidatingFailed), "{step}: nothing changed");
            continue;
        }
        assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RollingBack), "{step}");
        let message = b.deployment.message_of(FAILED).unwrap();
        assert!(
            message.contains(&step.to_string()) && message.contains("armed by the test") || step == Step::VerifyCopy,
            "{message}"
        );
        let plan = b.plan().await;
        assert!(plan.take_over && plan.acknowledgements.iter().any(|a| a.asked.code == "take_over"), "{step}");
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::Completed, "{step}: taken over");
        assert_eq!(b.deployment.staged(), (0, 0, 0));
        assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RolledBack));
        assert!(expected.contains("RolledBack"));
    }
}

#[tokio::test]
async fn a_lane_may_be_skipped_with_a_reason_and_only_a_lane() {
    let lanes = acting().into_iter().filter(|s| s.may_be_skipped());
    for step in lanes {
        let b = bench();
        b.deployment.faults.arm(operation(step), Some(step), u32::MAX, Fault::Unreachable, Moment::Before);
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
        assert!(b.service.decide(id, step, Decision::Skip, None, &tester()).await.is_err(), "a skip needs a reason");
        assert!(b.service.decide(id, Step::Finish, Decision::Retry, None, &tester()).await.is_err(), "not asked");
        b.service.decide(id, step, Decision::Skip, Some("done by hand".into()), &tester()).await.unwrap();
        let view = b.settle(id).await;
        // What was skipped is still there, and the end says so.
        assert_eq!(view.run.state, RunState::CompletedWithFindings, "{step}");
        assert!(view.run.summary.as_deref().unwrap().contains("With 1 finding"), "{view:?}");
        assert!(view.findings.iter().any(|f| f.contains("skipped by decision")), "{view:?}");
        let skipped = view.step(step).unwrap();
        assert_eq!(skipped.state, StepState::Skipped);
        assert!(skipped.outcome.as_deref().unwrap().contains("done by hand"), "{skipped:?}");
    }
}

#[tokio::test]
async fn what_another_tool_has_removed_is_found_absent() {
    for (store, step) in [
        (StoreKind::Sqlite, Step::DropChapters),
        (StoreKind::Qdrant, Step::DeletePoints),
        (StoreKind::Neo4j, Step::DeleteNodes),
    ] {
        let b = bench();
        b.deployment.remove_staging(store);
        let id = b.start().await;
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::Completed);
        assert_eq!(view.step(step).unwrap().state, StepState::FoundAbsent, "{store}");
        assert_eq!(b.deployment.staged(), (0, 0, 0));
    }
}

#[tokio::test]
async fn several_failed_lanes_are_decided_one_by_one() {
    let b = bench();
    for step in [Step::DropChapters, Step::DeleteNodes] {
        b.deployment.faults.arm(operation(step), Some(step), u32::MAX, Fault::Refused, Moment::Before);
    }
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    let view = b.service.decide(id, Step::DropChapters, Decision::Retry, None, &tester()).await.unwrap();
    assert_eq!(view.run.state, RunState::NeedsDecision, "the other lane is still undecided");
    b.service.decide(id, Step::DeleteNodes, Decision::Retry, None, &tester()).await.unwrap();
    assert_eq!(b.settle(id).await.run.state, RunState::Completed);
}

#[tokio::test]
async fn a_copy_that_rots_during_the_run_stops_it_before_the_restore() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let path = b.deployment.folder().join("latest-copy/neo4j_latest.cypher");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    b.deployment.faults.clear();
    b.service.decide(id, Step::DeleteNodes, Decision::Retry, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision);
    let error = view.step(Step::VerifyCopy).unwrap().error.clone().unwrap();
    assert_eq!(error.code, "latest_copy_not_intact");
    assert!(error.message.contains("checksums.txt says"), "{error:?}");
}

#[tokio::test]
async fn staging_that_grew_since_the_plan_is_not_deleted() {
    let b = bench();
    b.deployment.faults.arm("drop_staging", Some(Step::DropChapters), u32::MAX, Fault::Refused, Moment::Before);
    b.deployment.faults.arm("delete_collection", Some(Step::DeletePoints), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    b.deployment.stage_more(FAILED);
    for step in [Step::DropChapters, Step::DeletePoints] {
        b.service.decide(id, step, Decision::Retry, None, &tester()).await.unwrap();
    }
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision);
    for step in [Step::DropChapters, Step::DeletePoints] {
        assert_eq!(view.step(step).unwrap().error.as_ref().unwrap().code, "changed", "{step}");
    }
    let (rows, points, _) = b.deployment.staged();
    assert_eq!((rows, points), (8, 24), "nothing uncounted was deleted");
}

#[tokio::test]
async fn a_journal_that_fills_up_stops_the_run_before_the_next_effect() {
    let total = {
        let b = bench();
        let id = b.start().await;
        b.settle(id).await.run.last_event
    };
    for appends in 1..u32::try_from(total).unwrap() {
        let b: Bench = bench();
        let plan = b.plan().await;
        b.deployment.journal.fill_up_after(Some(appends));
        let id = b.service.start(&support::start_request(&plan), &tester()).await.unwrap().run.id;
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::Interrupted, "after {appends} entries: never shown as running");
        let counts = b.service.run_counts(&rollback_types::RunQuery::default()).await.unwrap().unwrap();
        let interrupted = rollback_types::RunCount { state: RunState::Interrupted, kind: view.run.kind, count: 1 };
        assert_eq!(counts, [interrupted], "after {appends} entries: counted as it is shown");
        let events = b.deployment.journal.all_events(id);
        // No step acted that is not in the journal as started.
        let started = |step| {
            events.iter().any(|e| matches!(e.kind, rollback_types::EventKind::StepStarted { step: s, .. } if s == step))
        };
        let (rows, points, nodes) = b.deployment.staged();
        assert!(rows == 7 || started(Step::DropChapters), "after {appends} entries");
        assert!(points == 23 || started(Step::DeletePoints), "after {appends} entries");
        assert!(nodes == 23 || started(Step::DeleteNodes), "after {appends} entries");
        let untouched = b.deployment.state_of(FAILED) == Some(VersionState::ValidatingFailed);
        assert!(untouched || started(Step::Mark), "after {appends} entries");
        // With space again it can be finished by a new run.
        b.deployment.journal.fill_up_after(None);
        if b.deployment.state_of(FAILED) == Some(VersionState::RolledBack) {
            continue;
        }
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::Completed, "after {appends} entries");
        assert_eq!(b.deployment.staged(), (0, 0, 0));
    }
}
