//! What a start needs beside its plan: the name typed, a reason, and that the plan is still the one that was read.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{RollbackPlan, RunKind, RunState};
use support::{bench, of, request, start_request, tester};

fn codes(plan: &RollbackPlan) -> Vec<&str> {
    plan.refusals.iter().map(|r| r.code.as_str()).collect()
}

#[tokio::test]
async fn a_stale_plan_starts_nothing_and_shows_the_difference() {
    let b = bench();
    let plan = b.plan().await;
    b.deployment.stage_more(FAILED);
    let before = b.deployment.fingerprint();
    let Err(ServiceError::Stale { differences, plan: new, since: None }) =
        b.service.start(&start_request(&plan), &tester()).await
    else {
        panic!("not refused as stale")
    };
    assert_eq!(b.deployment.fingerprint(), before);
    let points = differences.iter().find(|d| d.field == "/stores/qdrant/staging/points").unwrap();
    assert_eq!((points.before.as_deref(), points.now.as_deref()), (Some("23"), Some("24")));
    let version = new.version_id.clone();
    assert_eq!(b.service.run_since(&plan.digest.0, &version).await.unwrap(), None, "it was no run of ours");
    let run = b.service.start(&start_request(&new), &tester()).await.unwrap().run.id;
    assert_eq!(b.service.run_since(&plan.digest.0, &version).await.unwrap(), Some(run));
    assert_eq!(b.service.run_since("never read", &version).await.unwrap(), None);
    // Refused again, now by what that run did: it is named, and a validation after it is not.
    assert!(b.settle(run).await.run.ended_at.is_some());
    b.carry_out(of(RunKind::Validate, "production")).await;
    let refused = b.service.start(&start_request(&plan), &tester()).await.unwrap_err();
    let ServiceError::Stale { since, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(*since, Some(run));
    let problem = rollback_types::Problem::from(refused);
    assert_eq!(problem.later_run, Some(run));
    assert!(problem.detail.contains(&format!("run #{run}, which changes the stores, began")), "{}", problem.detail);
}

#[tokio::test]
async fn a_start_needs_the_id_typed_and_a_reason() {
    let b = bench();
    let plan = b.plan().await;
    let good = start_request(&plan);
    for (confirm, reason) in
        [("v7", "why not"), ("", "why not"), (FAILED, ""), (FAILED, " a "), (FAILED, "bell\u{7}bell")]
    {
        let mut bad = good.clone();
        (bad.confirm_version_id, bad.reason) = (confirm.into(), reason.into());
        assert!(
            matches!(b.service.start(&bad, &tester()).await, Err(ServiceError::InvalidField { .. })),
            "{confirm} {reason:?}"
        );
    }
    let mut long = good.clone();
    long.reason = "x".repeat(501);
    assert!(matches!(b.service.start(&long, &tester()).await, Err(ServiceError::InvalidField { .. })));
    assert!(b.service.runs(&Default::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn two_starts_at_once_give_one_run() {
    let b = bench();
    let plan = b.plan().await;
    let other = std::sync::Arc::new(b.deployment.service());
    let mut started = Vec::new();
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..20 {
        let service = if i % 2 == 0 { b.service.clone() } else { other.clone() };
        let request = start_request(&plan);
        tasks.spawn(async move { service.start(&request, &tester()).await.map(|v| v.run.id) });
    }
    while let Some(result) = tasks.join_next().await {
        started.extend(result.unwrap().ok());
    }
    assert_eq!(started.len(), 1, "{started:?}");
}

#[tokio::test]
async fn a_run_left_by_a_dead_process_is_interrupted_and_can_be_taken_over() {
    let b = bench();
    b.deployment.faults.arm(
        "delete_batch",
        Some(rollback_types::Step::DeleteNodes),
        u32::MAX,
        Fault::Refused,
        Moment::Before,
    );
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    // A new process over the same journal.
    let service = std::sync::Arc::new(b.deployment.service());
    assert_eq!(service.recover().await.unwrap(), Some(id));
    assert_eq!(service.run(id).await.unwrap().run.state, RunState::Interrupted);
    let mut given = request(FAILED);
    given.acknowledgements = vec!["take_over".into()];
    let plan = service.plan(&given).await.unwrap();
    assert!(plan.take_over && plan.startable, "{:?}", plan.refusals);
    service.start(&start_request(&plan), &tester()).await.unwrap();
}

#[tokio::test]
async fn with_a_journal_that_is_full_nothing_looks_as_if_it_could_start() {
    let b = bench();
    b.deployment.journal.fill_up_after(Some(0));
    let verdict = b.service.overview().await.unwrap().verdict;
    assert_eq!(verdict.level, rollback_types::VerdictLevel::Blocked);
    assert_eq!(verdict.headline, "No run can start: the journal cannot be written.");
    assert!(verdict.reasons[0].contains("full") && verdict.reasons[1].contains("no store is changed"), "{verdict:?}");
    assert!(verdict.remedy.is_some_and(|remedy| remedy.contains("Free some space")));
    let plan = b.service.plan(&request(FAILED)).await.unwrap();
    assert!(!plan.startable && codes(&plan).contains(&"journal"), "{:?}", plan.refusals);

    b.deployment.journal.fill_up_after(None);
    assert_ne!(b.service.overview().await.unwrap().verdict.level, rollback_types::VerdictLevel::Blocked);
    assert!(b.service.plan(&request(FAILED)).await.unwrap().startable);
}

#[tokio::test]
async fn what_changed_since_a_plan_was_read_is_told_while_it_is_remembered() {
    let b = bench();
    let read = b.plan().await;
    b.deployment.stage_more(FAILED);
    let now = b.plan().await;
    let differences = b.service.differences_since(&read.digest.0, &now.digest).unwrap();
    assert!(differences.iter().any(|d| d.field.starts_with("/stores/sqlite/staging")), "{differences:?}");
    assert_eq!(b.service.differences_since("0123", &now.digest), None);
}
