//! A process that ends at any moment: the run is interrupted, and resumed it comes to the same end as one that nobody
//! disturbed; or it is given up.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::sync::Arc;

use rollback::fake::{FAILED, FAILED_PER_VERSION, Moment};
use rollback::journal::JournalError;
use rollback::store::{Fault, MarkRequest};
use rollback::{Actor, RollbackService, ServiceError};
use rollback_types::{
    Decision, EventKind, PlanRequest, ResumeRequest, Role, RollbackTarget, RunId, RunKind, RunState, RunView, Step,
    StepState, StoreKind, VersionId, VersionState,
};
use support::{
    Bench, bench, bench_per_version, contaminated, of, request, restarted, start_request, stopped_at, tester,
};

async fn settled(service: &Arc<RollbackService>, id: RunId) -> RunView {
    use futures::StreamExt;
    loop {
        let view = service.run(id).await.unwrap();
        if view.run.state != RunState::Running {
            return view;
        }
        let mut stream = service.subscribe(id, view.run.last_event).await.unwrap();
        let _ = stream.next().await;
    }
}

/// Plans what is left, confirms it, and waits for the end.
async fn resumed(service: &Arc<RollbackService>, id: RunId) -> RunView {
    let plan = service.resume_plan(id, &[]).await.unwrap();
    let acknowledgements: Vec<String> = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let plan = service.resume_plan(id, &acknowledgements).await.unwrap();
    assert!(plan.startable, "{:?}", plan.refusals);
    assert_eq!(plan.resumes, Some(id));
    let request = ResumeRequest { plan_digest: plan.digest.0, reason: "after the power cut".into(), acknowledgements };
    service.resume(id, &request, &tester()).await.unwrap();
    settled(service, id).await
}

/// What an undisturbed run and a resumed one must have in common.
fn end(b: &Bench, view: &RunView) -> (String, RunState, Vec<(Step, rollback_types::StepState)>) {
    (b.deployment.fingerprint(), view.run.state, view.steps.iter().map(|s| (s.step, s.state)).collect())
}

/// The journal is cut after every one of its entries, in a run of each kind.
async fn cut_everywhere(make: fn() -> Bench, request: fn() -> PlanRequest, prepare: bool) {
    let prepared = || async move {
        let b = make();
        if prepare {
            // A run whose restore can be undone.
            b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await;
        }
        b
    };
    let undisturbed = {
        let b = prepared().await;
        let view = b.carry_out(request()).await;
        (end(&b, &view), view.run.last_event)
    };
    for entries in 1..u32::try_from(undisturbed.1).unwrap() {
        let b = prepared().await;
        let plan = b.plan_all(request()).await;
        assert!(plan.startable, "{:?}", plan.refusals);
        b.deployment.journal.fill_up_after(Some(entries));
        let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
        assert_eq!(b.settle(id).await.run.state, RunState::Interrupted, "after {entries} entries");
        b.deployment.journal.fill_up_after(None);

        let service = restarted(&b).await;
        let view = service.run(id).await.unwrap();
        assert_eq!(view.run.state, RunState::Interrupted, "after {entries} entries");
        assert!(view.log.last().unwrap().text.contains("Resume it, or abandon it"), "{:?}", view.log.last());
        let view = resumed(&service, id).await;
        assert_eq!(end(&b, &view), undisturbed.0, "cut after {entries} entries: {:#?}", view.log);
        let numbers: Vec<u64> = b.deployment.journal.all_events(id).iter().map(|e| e.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_rollback_cut_anywhere_comes_to_the_same_end() {
    cut_everywhere(bench, || request(FAILED), false).await;
}

#[tokio::test]
async fn a_rollback_that_restores_cut_anywhere_comes_to_the_same_end() {
    cut_everywhere(contaminated, || request(FAILED), false).await;
}

#[tokio::test]
async fn a_rollback_in_the_other_layout_cut_anywhere_comes_to_the_same_end() {
    cut_everywhere(bench_per_version, || request(FAILED_PER_VERSION), false).await;
}

#[tokio::test]
async fn a_restore_cut_anywhere_comes_to_the_same_end() {
    cut_everywhere(contaminated, || of(RunKind::RestoreProduction, "latest-copy"), false).await;
}

#[tokio::test]
async fn an_undo_cut_anywhere_comes_to_the_same_end() {
    cut_everywhere(contaminated, || of(RunKind::UndoRestore, "run-1"), true).await;
}

#[tokio::test]
async fn a_new_copy_cut_anywhere_comes_to_the_same_end() {
    let clean = || {
        let b = bench();
        StoreKind::ALL.into_iter().for_each(|s| b.deployment.remove_staging(s));
        b
    };
    cut_everywhere(clean, || of(RunKind::MakeBackup, "latest-copy"), false).await;
}

/// The log, the steps and the run tell one story of a process that ended while a person was asked.
#[tokio::test]
async fn a_run_cut_off_while_it_asked_names_the_failed_step_and_does_it_again() {
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    let view = service.run(id).await.unwrap();
    let step = view.step(Step::DeleteNodes).unwrap();
    assert_eq!((view.run.state, step.state), (RunState::Interrupted, StepState::Failed));
    assert_eq!(view.undecided, [Step::DeleteNodes]);
    let told = &view.log.last().unwrap().text;
    assert!(told.contains("step 5 had failed, and the run waited for a decision"), "{told}");
    assert!(!told.contains("no step was at work"), "{told}");
    assert_eq!(view.run.summary.as_deref().map(|s| told.ends_with(s)), Some(true), "{:?}", view.run.summary);
    assert_eq!(view.run.waited_ms, 0, "when the process ended nobody saw");
    let view = resumed(&service, id).await;
    assert_eq!(view.run.state, RunState::Completed, "{:#?}", view.log);
    assert_eq!(view.step(Step::DeleteNodes).unwrap().tries.len(), 2);
}

/// Nobody started Stepback again: with room on the disk the same process goes on.
#[tokio::test]
async fn a_run_that_halted_at_a_full_journal_is_resumed_by_the_same_process_once_there_is_room() {
    let b = bench();
    let plan = b.plan_all(request(FAILED)).await;
    b.deployment.journal.fill_up_after(Some(7));
    let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(b.settle(id).await.run.state, RunState::Interrupted);
    // While it is full that is what is said, and not that the run is at work.
    let full = b.service.resume_plan(id, &[]).await;
    assert!(matches!(&full, Err(ServiceError::Journal(JournalError::Full { .. }))), "{full:?}");
    let full = b.service.abandon(id, "no more of it", &tester()).await;
    assert!(matches!(&full, Err(ServiceError::Journal(JournalError::Full { .. }))), "{full:?}");

    b.deployment.journal.fill_up_after(None);
    // Two looks at once write one entry.
    let (one, other) = tokio::join!(b.service.resume_plan(id, &[]), b.service.resume_plan(id, &[]));
    assert_eq!((one.unwrap().resumes, other.unwrap().resumes), (Some(id), Some(id)));
    let told = b.service.run(id).await.unwrap().log.last().unwrap().text.clone();
    assert!(told.contains("could not be journalled") && told.contains("full"), "{told}");
    let view = resumed(&b.service, id).await;
    assert_eq!(view.run.state, RunState::Completed, "{:#?}", view.log);
    assert_eq!(b.deployment.staged(), (0, 0, 0));
}

#[tokio::test]
async fn an_abandoned_run_leaves_the_version_to_be_taken_over() {
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    let view = service.abandon(id, "nobody knows it any more", &tester()).await.unwrap();
    assert_eq!(view.run.state, RunState::Aborted);
    assert!(view.run.summary.as_ref().unwrap().contains("take over"), "{:?}", view.run.summary);
    assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RollingBack));
    assert!(b.deployment.message_of(FAILED).unwrap().contains("abandoned: nobody knows"));
    assert!(matches!(service.abandon(id, "once more", &tester()).await, Err(ServiceError::Conflict(_))));
    assert!(matches!(service.resume_plan(id, &[]).await, Err(ServiceError::Conflict(_))));
    let plan = service.plan(&request(FAILED)).await.unwrap();
    assert!(plan.take_over && plan.resumes.is_none());
}

#[tokio::test]
async fn what_was_taken_over_is_not_resumed() {
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    let mut wanted = request(FAILED);
    wanted.acknowledgements.push("take_over".into());
    let plan = service.plan(&wanted).await.unwrap();
    assert!(plan.startable, "{:?}", plan.refusals);
    let second = service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(settled(&service, second).await.run.state, RunState::Completed);
    let plan = service.resume_plan(id, &[]).await.unwrap();
    assert!(plan.refusals.iter().any(|r| r.code == "taken_over" && r.run == Some(second)), "{:?}", plan.refusals);
    let request = ResumeRequest { plan_digest: plan.digest.0, reason: "go on".into(), acknowledgements: vec![] };
    assert!(matches!(service.resume(id, &request, &tester()).await, Err(ServiceError::Refused { .. })));
    assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RolledBack));
}

/// By a Stepback of its own journal: there is no run to name.
#[tokio::test]
async fn what_somebody_else_took_over_is_not_resumed() {
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    let taken = MarkRequest {
        target: RollbackTarget::new(&VersionId::new(FAILED)).unwrap(),
        expected: VersionState::RollingBack,
        reason: "from another machine".into(),
        run_key: "of-another-journal".into(),
    };
    b.deployment.stores().records.mark_rolling_back(&taken).await.unwrap();
    let plan = service.resume_plan(id, &[]).await.unwrap();
    assert!(plan.refusals.iter().any(|r| r.code == "not_ours" && r.run.is_none()), "{:?}", plan.refusals);
}

#[tokio::test]
async fn staging_that_grew_while_nobody_was_at_work_is_shown_again() {
    let b = bench();
    let id = stopped_at(&b, "drop_staging", Step::DropChapters).await;
    let service = restarted(&b).await;
    let old = service.resume_plan(id, &[]).await.unwrap();
    b.deployment.stage_more(FAILED);
    let request = ResumeRequest { plan_digest: old.digest.0, reason: "go on".into(), acknowledgements: vec![] };
    let refused = service.resume(id, &request, &tester()).await;
    let Err(ServiceError::Stale { differences, .. }) = refused else { panic!("{refused:?}") };
    assert!(differences.iter().any(|d| d.field.starts_with("/stores/sqlite/staging")), "{differences:?}");
    assert_eq!(service.run(id).await.unwrap().run.state, RunState::Interrupted);
}

#[tokio::test]
async fn only_an_operator_resumes_or_abandons() {
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    let viewer = Actor::new("guest", Role::Viewer);
    let plan = service.resume_plan(id, &[]).await.unwrap();
    let request = ResumeRequest { plan_digest: plan.digest.0, reason: "go on".into(), acknowledgements: vec![] };
    assert!(matches!(service.resume(id, &request, &viewer).await, Err(ServiceError::Forbidden { .. })));
    assert!(matches!(service.abandon(id, "go away", &viewer).await, Err(ServiceError::Forbidden { .. })));
    let step = Step::DeleteNodes;
    assert!(matches!(
        service.decide(id, step, Decision::Retry, None, &viewer).await,
        Err(ServiceError::Forbidden { .. })
    ));
    assert_eq!(service.run(id).await.unwrap().run.state, RunState::Interrupted);
}

#[tokio::test]
async fn stopping_ends_a_run_between_two_steps_and_takes_no_new_one() {
    let b = bench();
    let id = {
        b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
        b.start().await
    };
    b.settle(id).await;
    b.deployment.faults.clear();
    b.service.stop(std::time::Duration::from_secs(60)).await;
    let view = b.service.run(id).await.unwrap();
    assert_eq!(view.run.state, RunState::Interrupted);
    let events = b.deployment.journal.all_events(id);
    let EventKind::RunInterrupted { message, stopped: true } = &events.last().unwrap().kind else {
        panic!("{events:?}")
    };
    assert!(message.contains("Stepback was stopped"), "{message}");
    let plan = b.service.resume_plan(id, &[]).await.unwrap();
    let request = ResumeRequest { plan_digest: plan.digest.0, reason: "go on".into(), acknowledgements: vec![] };
    assert!(matches!(b.service.resume(id, &request, &tester()).await, Err(ServiceError::Conflict(_))));
    let view = resumed(&restarted(&b).await, id).await;
    assert_eq!(view.run.state, RunState::Completed);
}

#[tokio::test]
async fn a_delete_cut_between_two_batches_deletes_the_rest() {
    let b = bench();
    // The first batch goes, the second does not.
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), 1, Fault::Refused, Moment::After);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let (_, _, left) = b.deployment.staged();
    assert!(left > 0 && left < 23, "{left}");
    let view = resumed(&restarted(&b).await, id).await;
    assert_eq!(view.run.state, RunState::Completed, "{:#?}", view.log);
    assert_eq!(b.deployment.staged(), (0, 0, 0));
    let said = view.step(Step::DeleteNodes).unwrap().outcome.as_ref().unwrap();
    let of_the_whole = "2 of them joined to production), as the plan had counted";
    assert!(said.contains("by an earlier try") && said.ends_with(of_the_whole), "{said}");
}

/// A rollback whose lane of step 7 for SQLite failed after it had acted, and whose process ended then.
async fn cut_in_a_restore(b: &Bench) -> RunId {
    b.deployment.faults.arm("restore", Some(Step::RestoreSqlite), u32::MAX, Fault::Refused, Moment::After);
    let id = b.start().await;
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision, "{:#?}", view.log);
    b.deployment.faults.clear();
    id
}

#[tokio::test]
async fn a_restore_that_others_have_overtaken_is_not_resumed() {
    let b = contaminated();
    let id = cut_in_a_restore(&b).await;
    let service = restarted(&b).await;
    assert!(service.resume_plan(id, &[]).await.unwrap().refusals.is_empty());
    // Somebody restores production by another run meanwhile.
    b.deployment.contaminate(StoreKind::Sqlite);
    let wanted = of(RunKind::RestoreProduction, "latest-copy");
    let plan = service.plan(&wanted).await.unwrap();
    let start = start_request(&plan);
    let acknowledged = PlanRequest { acknowledgements: start.acknowledgements.clone(), ..wanted };
    let plan = service.plan(&acknowledged).await.unwrap();
    assert!(plan.startable, "{:?}", plan.refusals);
    let other = service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert!(settled(&service, other).await.run.state.ended_well());
    let plan = service.resume_plan(id, &[]).await.unwrap();
    assert!(plan.refusals.iter().any(|r| r.code == "production_moved_on"), "{:?}", plan.refusals);
}

#[tokio::test]
async fn nothing_is_replaced_again_when_the_way_back_is_gone() {
    let b = contaminated();
    let id = cut_in_a_restore(&b).await;
    let service = restarted(&b).await;
    assert!(matches!(service.remove_way_back(id, &tester()).await, Err(ServiceError::Conflict(_))), "it is needed");
    let folder = service.way_back(id).await.unwrap().unwrap().folder;
    std::fs::remove_dir_all(folder).unwrap();
    let before = b.deployment.fingerprint();
    let view = resumed(&service, id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision);
    let error = view.step(Step::RestoreSqlite).unwrap().error.clone().unwrap();
    assert_eq!(error.code, "way_back_not_intact");
    assert_eq!(b.deployment.fingerprint(), before);
}

#[tokio::test]
async fn what_was_decided_before_the_interruption_stays_decided() {
    let b = contaminated();
    for step in [Step::RestoreSqlite, Step::RestoreNeo4j] {
        let operation = if step == Step::RestoreSqlite { "restore" } else { "restore_export" };
        b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Refused, Moment::Before);
    }
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    // One lane is decided; the other waits when the process ends.
    let reason = Some("restored by hand".to_owned());
    b.service.decide(id, Step::RestoreNeo4j, Decision::Skip, reason, &tester()).await.unwrap();
    let service = restarted(&b).await;
    let plan = service.resume_plan(id, &[]).await.unwrap();
    assert!(!plan.steps.iter().any(|s| s.step == Step::RestoreNeo4j), "{:?}", plan.steps);
    let view = resumed(&service, id).await;
    let skipped = view.step(Step::RestoreNeo4j).unwrap().outcome.clone().unwrap();
    assert!(skipped.contains("by decision: restored by hand"), "{skipped}");
    assert_eq!(view.run.state, RunState::CompletedWithFindings, "{:#?}", view.log);
}

#[tokio::test]
async fn a_decision_is_about_the_failure_that_was_read_also_over_an_interruption() {
    let b = contaminated();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let step = Step::DeleteNodes;
    let service = restarted(&b).await;
    b.deployment.faults.arm("delete_batch", Some(step), u32::MAX, Fault::Refused, Moment::Before);
    assert_eq!(resumed(&service, id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    let reason = || Some("done by hand".to_owned());
    let late = service.decide_about(id, (step, Some(1)), Decision::Skip, reason(), &tester()).await;
    let Err(ServiceError::FailedAgain { step: of, error }) = late else { panic!("{late:?}") };
    assert_eq!((of, error.store), (step, Some(StoreKind::Neo4j)));
    let view = service.run(id).await.unwrap();
    assert_eq!((view.run.state, view.step(step).unwrap().tries.len()), (RunState::NeedsDecision, 2));
    let never = service.decide_about(id, (step, Some(3)), Decision::Skip, reason(), &tester()).await;
    assert!(matches!(never, Err(ServiceError::InvalidField { pointer: "/failure", .. })), "{never:?}");
    service.decide_about(id, (step, Some(2)), Decision::Skip, reason(), &tester()).await.unwrap();
    let decided = service.run(id).await.unwrap();
    assert!(decided.step(step).unwrap().decisions.is_empty(), "{:?}", decided.step(step));
}

#[tokio::test]
async fn a_rollback_that_was_taken_over_restores_nothing() {
    let b = contaminated();
    b.deployment.faults.arm("restore", Some(Step::RestoreSqlite), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    // Another hand, on another machine, finishes the version.
    b.deployment.set_state(FAILED, VersionState::RolledBack);
    let before = b.deployment.fingerprint();
    b.service.decide(id, Step::RestoreSqlite, Decision::Retry, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision);
    assert_eq!(view.step(Step::RestoreSqlite).unwrap().error.as_ref().unwrap().code, "changed");
    assert_eq!(b.deployment.fingerprint(), before);
}
