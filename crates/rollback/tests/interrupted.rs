//! What an interrupted run means for everybody else, until somebody resumes it or gives it up.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, FAILED_PER_VERSION, Moment};
use rollback::store::Fault;
use rollback_types::{ResumeRequest, RollbackPlan, RunId, RunKind, RunState, Step, VerdictLevel, VersionState};
use support::{Bench, bench, bench_per_version, of, request, restarted, start_request, stopped_at, tester};

/// What another version's plan is refused for.
fn code(id: RunId) -> String {
    format!("interrupted_run:{id}")
}

fn is_in_the_way(id: RunId, plan: &RollbackPlan) -> bool {
    plan.refusals.iter().any(|refusal| refusal.code == code(id))
}

fn goes_on(rest: &RollbackPlan) -> ResumeRequest {
    ResumeRequest {
        plan_digest: rest.digest.0.clone(),
        reason: "it is back".into(),
        acknowledgements: rest.acknowledgements.iter().map(|a| a.asked.code.clone()).collect(),
    }
}

/// A rollback of the failed version, interrupted in its first step.
async fn stopped_before_it_changed_anything(b: &Bench) -> RunId {
    let plan = b.plan_all(request(FAILED)).await;
    // Only that it began and that step 1 began is written down.
    b.deployment.journal.fill_up_after(Some(2));
    let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(b.settle(id).await.run.state, RunState::Interrupted);
    b.deployment.journal.fill_up_after(None);
    id
}

/// What is staged may be the interrupted run's own, and so may what production is just now.
#[tokio::test]
async fn while_a_run_that_acted_is_interrupted_no_other_version_is_rolled_back_and_no_copy_made() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    b.deployment.set_state(OTHER, VersionState::Staging);
    let id = {
        b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
        let plan = b.plan_all(request(FAILED)).await;
        let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
        b.deployment.faults.clear();
        id
    };
    let service = restarted(&b).await;
    let code = code(id);
    for wanted in [request(OTHER), of(RunKind::MakeBackup, "latest-copy")] {
        let plan = service.plan(&wanted).await.unwrap();
        let refusal = plan.refusals.iter().find(|r| r.code == code).expect("refused by name of the run");
        assert_eq!(refusal.run, Some(id));
        assert!(
            refusal.message.contains(FAILED) && refusal.message.contains("Resume or abandon"),
            "{}",
            refusal.message
        );
        let before = b.deployment.fingerprint();
        let started = service.start(&start_request(&plan), &tester()).await;
        assert!(matches!(started, Err(ServiceError::Refused { .. })), "{started:?}");
        assert_eq!(b.deployment.fingerprint(), before);
    }
    // A restore may be the remedy: it is asked about, by name.
    let plan = service.plan(&of(RunKind::RestoreProduction, "latest-copy")).await.unwrap();
    assert!(plan.acknowledgements.iter().any(|a| a.asked.code == code && a.asked.message.contains(FAILED)));
    assert!(!plan.refusals.iter().any(|r| r.code == code), "{:?}", plan.refusals);
    // The version itself may be taken over, and what is left of the run is not in its own way.
    for plan in [service.plan(&request(FAILED)).await.unwrap(), service.resume_plan(id, &[]).await.unwrap()] {
        assert!(!plan.refusals.iter().any(|r| r.code == code), "{:?}", plan.refusals);
    }
    service.abandon(id, "the other one first", &tester()).await.unwrap();
    let plan = service.plan(&request(OTHER)).await.unwrap();
    assert!(!plan.refusals.iter().any(|r| r.code == code), "{:?}", plan.refusals);
}

#[tokio::test]
async fn a_run_that_was_interrupted_before_it_changed_anything_is_in_nobodys_way() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    b.deployment.set_state(OTHER, VersionState::Staging);
    stopped_before_it_changed_anything(&b).await;
    let plan = restarted(&b).await.plan(&request(OTHER)).await.unwrap();
    assert!(plan.refusals.iter().all(|r| r.code == "acknowledgement_required"), "{:?}", plan.refusals);
}

#[tokio::test]
async fn the_overview_lists_what_an_interrupted_run_has_in_hand_once() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    b.deployment.set_state(OTHER, VersionState::Failed);
    let service = restarted(&b).await;
    let seen = service.overview().await.unwrap();
    assert_eq!(seen.interrupted_run.as_ref().map(|run| run.id), Some(id));
    let listed: Vec<_> = seen.candidates.iter().map(|v| v.version_id.as_str()).collect();
    assert_eq!((listed, seen.candidate_count), (vec![OTHER], 1));
    assert!(seen.verdict.reasons.iter().all(|reason| !reason.contains(OTHER)), "{:?}", seen.verdict);
    assert!(seen.verdict.reasons[0].contains(FAILED), "{:?}", seen.verdict);
    service.abandon(id, "nobody knows it any more", &tester()).await.unwrap();
    let seen = service.overview().await.unwrap();
    assert_eq!(seen.candidate_count, 2, "given up, it waits to be taken over");
    assert_eq!(seen.candidates[0].version_id.as_str(), FAILED, "and comes first");
    assert_eq!(seen.verdict.headline, format!("The rollback of {FAILED} is unfinished."));
    assert_eq!(seen.verdict.level, VerdictLevel::Attention);
}

/// Taken over, its version is another run's: nobody waits for a word about it.
#[tokio::test]
async fn a_run_whose_version_a_later_one_took_over_is_in_nobodys_way() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let mut b = bench();
    b.deployment.set_state(OTHER, VersionState::Staging);
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    assert!(is_in_the_way(id, &service.plan(&request(OTHER)).await.unwrap()));
    b.service = service.clone();
    let view = b.carry_out(request(FAILED)).await;
    assert!(view.run.id != id && view.run.state == RunState::Completed, "{:?}", view.run);
    // However many runs came since.
    for _ in 0..6 {
        b.carry_out(of(RunKind::Validate, "production")).await;
    }
    let first = service.run(id).await.unwrap().run;
    assert_eq!(first.state, RunState::Interrupted);
    let later = service.taken_over_by(&first).await.unwrap();
    assert_eq!(later.map(|later| later.id), Some(view.run.id));
    assert!(service.taken_over_by(&view.run).await.unwrap().is_none());
    // What is left of it is the later one's: its plan says so, by name, and says nothing else.
    let rest = service.resume_plan(id, &[]).await.unwrap();
    let told: Vec<_> = rest.refusals.iter().map(|r| (r.code.as_str(), r.run)).collect();
    assert_eq!(told, [("taken_over", Some(view.run.id))]);
    let before = b.deployment.fingerprint();
    let resumed = service.resume(id, &goes_on(&rest), &tester()).await;
    assert!(matches!(resumed, Err(ServiceError::Refused { .. })), "{resumed:?}");
    assert_eq!(b.deployment.fingerprint(), before);
    assert!(!is_in_the_way(id, &service.plan(&request(OTHER)).await.unwrap()));
    b.deployment.set_state(FAILED, VersionState::Failed);
    let seen = service.overview().await.unwrap();
    assert_eq!(seen.candidate_count, 2, "it is nobody's any more");
    assert!(seen.interrupted_run.is_none() && seen.interrupted_runs.is_empty(), "{:?}", seen.interrupted_runs);
    assert_eq!(service.version(FAILED).await.unwrap().interrupted_run, None);
}

/// Of two interrupted runs of one version the later one waits for a person.
#[tokio::test]
async fn of_two_interrupted_runs_of_a_version_the_later_one_is_offered() {
    let mut b = bench();
    let first = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    b.service = restarted(&b).await;
    assert_eq!(b.service.version(FAILED).await.unwrap().interrupted_run, Some(first));
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let second = b.carry_out(request(FAILED)).await.run;
    assert_eq!(second.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    let service = restarted(&b).await;
    let seen = service.overview().await.unwrap();
    assert_eq!(seen.interrupted_runs.iter().map(|run| run.id).collect::<Vec<_>>(), [second.id]);
    assert_eq!(seen.interrupted_run.map(|run| run.id), Some(second.id));
    let version = service.version(FAILED).await.unwrap();
    assert_eq!(version.interrupted_run, Some(second.id));
    assert!(version.rollback.contains(&format!("Run #{}", second.id)), "{}", version.rollback);
}

/// The document may be followed by hand just now, by a person whom the journal does not know.
#[tokio::test]
async fn a_version_that_somebody_else_rolls_back_does_not_come_before_one_that_failed() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    b.deployment.set_state(OTHER, VersionState::RollingBack);
    let seen = b.service.overview().await.unwrap();
    assert_eq!(seen.candidates[0].version_id.as_str(), FAILED);
    assert!(!seen.verdict.headline.contains("unfinished"), "{:?}", seen.verdict);
}

/// It had not begun: then what another run has begun since comes first for it, too.
#[tokio::test]
async fn a_run_is_not_resumed_over_what_another_one_has_begun() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let mut b = bench();
    let first = stopped_before_it_changed_anything(&b).await;
    b.deployment.set_state(OTHER, VersionState::Staging);
    let service = restarted(&b).await;
    b.service = service;
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let plan = b.plan_all(request(OTHER)).await;
    let second = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(b.settle(second).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    let service = restarted(&b).await;
    assert!(is_in_the_way(second, &service.resume_plan(first, &[]).await.unwrap()));
    assert!(!is_in_the_way(first, &service.resume_plan(second, &[]).await.unwrap()));
}

/// A restore from a kept version is no rollback of it: that the version may be taken over ends no restore.
#[tokio::test]
async fn an_interrupted_restore_is_in_the_way_of_every_rollback_in_every_layout() {
    let b = bench_per_version();
    b.deployment.contaminate(rollback_types::StoreKind::Neo4j);
    b.deployment.faults.arm("restore_export", Some(Step::RestoreNeo4j), u32::MAX, Fault::Refused, Moment::Before);
    let plan = b.plan_all(of(RunKind::RestoreProduction, "latest-copy")).await;
    let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    let plan = restarted(&b).await.plan(&request(FAILED_PER_VERSION)).await.unwrap();
    let refusal = plan.refusals.iter().find(|refusal| refusal.code == code(id)).expect("it is refused");
    assert!(refusal.message.contains("half restored"), "{}", refusal.message);
}

/// The runbook was followed by hand meanwhile: the run is given up all the same, and what was done by hand stays.
#[tokio::test]
async fn a_run_whose_version_was_changed_by_hand_can_be_abandoned() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    b.deployment.set_state(OTHER, VersionState::Staging);
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    b.deployment.set_state(FAILED, VersionState::RolledBack);
    let service = restarted(&b).await;
    let view = service.abandon(id, "done by hand", &tester()).await.unwrap();
    assert_eq!(view.run.state, RunState::Aborted);
    let summary = view.run.summary.unwrap();
    assert!(summary.contains("its state is rolled_back") && !summary.contains("take over"), "{summary}");
    assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RolledBack));
    assert!(!is_in_the_way(id, &service.plan(&request(OTHER)).await.unwrap()));
}

/// Nobody knows what it did; so it counts as begun, and can still be given up.
#[tokio::test]
async fn a_run_whose_story_cannot_be_read_is_in_the_way_until_it_is_abandoned() {
    const OTHER: &str = "v8_minor_20261123_010101";
    let b = bench();
    b.deployment.set_state(OTHER, VersionState::Staging);
    let id = stopped_at(&b, "delete_batch", Step::DeleteNodes).await;
    let service = restarted(&b).await;
    b.deployment.journal.damage(id);
    assert!(is_in_the_way(id, &service.plan(&request(OTHER)).await.unwrap()));
    assert!(matches!(service.resume_plan(id, &[]).await, Err(ServiceError::Journal(_))));
    let told = service.abandon(id, "its story is lost", &tester()).await;
    assert!(matches!(told, Err(ServiceError::Journal(_))), "its story is still not to be read: {told:?}");
    let run = service.run_summary(id).await.unwrap();
    assert_eq!(run.state, RunState::Aborted);
    assert!(run.summary.unwrap().contains("stepback journal check"));
    assert!(!is_in_the_way(id, &service.plan(&request(OTHER)).await.unwrap()));
}
