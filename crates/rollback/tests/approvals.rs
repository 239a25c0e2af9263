//! Where another person must agree: nothing starts without that word, and it counts for one plan, one reason, one run.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::sync::Arc;

use rollback::fake::FAILED;
use rollback::{Actor, RollbackService, ServiceError};
use rollback_types::{ApprovalState, EventKind, Problem, Role, RunKind, RunState, StartRequest, VoteRequest};
use support::{Bench, bench, of, request, start_request, tester};

fn operator(name: &str) -> Actor {
    Actor::new(name, Role::Operator)
}

const YES: VoteRequest = VoteRequest { approves: true, reason: None };

/// A service that asks for so many, and a start that could be made.
async fn asking(b: &Bench, required: u32) -> (Arc<RollbackService>, StartRequest) {
    let service = Arc::new(b.deployment.service_with(|s| s.approvals_required = required));
    let plan = service.plan(&request(FAILED)).await.unwrap();
    (service, start_request(&plan))
}

#[tokio::test]
async fn another_person_agrees_and_the_run_names_them() {
    let b = bench();
    let (service, start) = asking(&b, 1).await;
    let (ada, bob) = (operator("ada"), operator("bob"));
    let refused = service.start(&start, &ada).await;
    assert!(
        matches!(refused, Err(ServiceError::ApprovalRequired { required: 1, given: 0, own: false })),
        "{refused:?}"
    );

    let asked = service.ask_approval(&start, &ada).await.unwrap();
    assert_eq!((asked.state, asked.reason.as_str()), (ApprovalState::Open, "Check 4 failed"));
    let seen = service.approval(&start.plan_digest).await.unwrap();
    assert_eq!(seen.plan.unwrap().digest.0, start.plan_digest, "who agrees sees the plan");
    assert!(matches!(service.vote(&start.plan_digest, &YES, &ada).await, Err(ServiceError::Conflict(_))), "one's own");
    let token = operator("token:deploy");
    assert!(
        matches!(service.vote(&start.plan_digest, &YES, &token).await, Err(ServiceError::Conflict(_))),
        "a machine's"
    );
    let viewer = Actor::new("eve", Role::Viewer);
    assert!(matches!(service.vote(&start.plan_digest, &YES, &viewer).await, Err(ServiceError::Forbidden { .. })));
    assert!(service.start(&start, &ada).await.is_err());

    let agreed = service.vote(&start.plan_digest, &YES, &bob).await.unwrap();
    assert_eq!(agreed.state, ApprovalState::Approved);
    let other_reason = StartRequest { reason: "something else".into(), ..start.clone() };
    assert!(matches!(service.start(&other_reason, &ada).await, Err(ServiceError::InvalidField { .. })));
    let by_bob = service.start(&start, &bob).await;
    let Err(by_bob @ ServiceError::ApprovalRequired { required: 1, given: 0, own: true }) = by_bob else {
        panic!("his own word does not count for him: {by_bob:?}")
    };
    let told = Problem::from(by_bob);
    assert!(
        told.detail.contains("1 other person must approve") && told.detail.contains("Your own approval"),
        "{told:?}"
    );
    assert!(told.remedy.unwrap().contains("a person who has not approved this plan"));
    let id = service.start(&start, &ada).await.unwrap().run.id;
    let events = b.deployment.journal.all_events(id);
    let EventKind::RunStarted { approved_by, .. } = &events[0].kind else { panic!("{events:?}") };
    assert_eq!(approved_by, &["bob"]);
    let used = service.approval(&start.plan_digest).await.unwrap();
    assert_eq!((used.state, used.run), (ApprovalState::Used, Some(id)));
}

#[tokio::test]
async fn two_are_two_different_people_and_a_no_ends_it() {
    let b = bench();
    let (service, start) = asking(&b, 2).await;
    service.ask_approval(&start, &operator("ada")).await.unwrap();
    let digest = &start.plan_digest;
    assert_eq!(service.vote(digest, &YES, &operator("bob")).await.unwrap().state, ApprovalState::Open);
    assert!(matches!(service.vote(digest, &YES, &operator("bob")).await, Err(ServiceError::Conflict(_))), "twice");
    let no = VoteRequest { approves: false, reason: None };
    assert!(
        matches!(service.vote(digest, &no, &operator("cleo")).await, Err(ServiceError::InvalidField { .. })),
        "a no says why"
    );
    let no = VoteRequest { approves: false, reason: Some("not in the exam week".into()) };
    assert_eq!(service.vote(digest, &no, &operator("cleo")).await.unwrap().state, ApprovalState::Refused);
    assert!(service.start(&start, &operator("ada")).await.is_err());
}

#[tokio::test]
async fn an_approval_counts_as_long_as_who_gave_it_may_approve() {
    let b = bench();
    let (service, start) = asking(&b, 1).await;
    let (ada, digest) = (operator("ada"), &start.plan_digest);
    service.ask_approval(&start, &ada).await.unwrap();
    assert_eq!(service.vote(digest, &YES, &operator("bob")).await.unwrap().state, ApprovalState::Approved);

    b.deployment.approvers.take_from("bob");
    let refused = service.start(&start, &ada).await;
    assert!(
        matches!(refused, Err(ServiceError::ApprovalRequired { required: 1, given: 0, own: false })),
        "{refused:?}"
    );
    let seen = service.approval(digest).await.unwrap();
    assert_eq!((seen.state, seen.votes.len(), seen.lapsed[0].by.as_str()), (ApprovalState::Open, 0, "bob"));

    // It waits for another person, and what was said is not lost.
    assert_eq!(service.vote(digest, &YES, &operator("cleo")).await.unwrap().state, ApprovalState::Approved);
    b.deployment.approvers.give_back("bob");
    let seen = service.approval(digest).await.unwrap();
    let by: Vec<&str> = seen.votes.iter().map(|v| v.by.as_str()).collect();
    assert_eq!((by, seen.lapsed.len()), (vec!["bob", "cleo"], 0));
    b.deployment.approvers.take_from("cleo");
    let id = service.start(&start, &ada).await.unwrap().run.id;
    let events = b.deployment.journal.all_events(id);
    let EventKind::RunStarted { approved_by, .. } = &events[0].kind else { panic!("{events:?}") };
    assert_eq!(approved_by, &["bob"]);
}

#[tokio::test]
async fn a_no_stays_a_no_and_a_service_that_knows_nobody_counts_no_word() {
    let b = bench();
    let (service, start) = asking(&b, 1).await;
    let digest = &start.plan_digest;
    service.ask_approval(&start, &operator("ada")).await.unwrap();
    let no = VoteRequest { approves: false, reason: Some("not in the exam week".into()) };
    service.vote(digest, &no, &operator("bob")).await.unwrap();
    b.deployment.approvers.take_from("bob");
    assert_eq!(service.approval(digest).await.unwrap().state, ApprovalState::Refused);

    let other = bench();
    let (service, start) = asking(&other, 1).await;
    service.ask_approval(&start, &operator("ada")).await.unwrap();
    service.vote(&start.plan_digest, &YES, &operator("bob")).await.unwrap();
    let folders =
        rollback::backup::BackupFolders::new(other.deployment.folder(), "textbook_chunks", other.deployment.folder());
    let settings = rollback::Settings { approvals_required: 1, ..service.settings().clone() };
    let alone = RollbackService::new(other.deployment.stores(), other.deployment.journal.clone(), folders, settings);
    assert_eq!(alone.approval(&start.plan_digest).await.unwrap().state, ApprovalState::Open);
}

#[tokio::test]
async fn an_approval_is_of_one_plan() {
    let b = bench();
    let (service, start) = asking(&b, 1).await;
    service.ask_approval(&start, &operator("ada")).await.unwrap();
    service.vote(&start.plan_digest, &YES, &operator("bob")).await.unwrap();
    b.deployment.stage_more(FAILED);
    assert!(matches!(service.start(&start, &operator("ada")).await, Err(ServiceError::Stale { .. })));
    let plan = service.plan(&request(FAILED)).await.unwrap();
    let mut all = request(FAILED);
    all.acknowledgements = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let now = start_request(&service.plan(&all).await.unwrap());
    assert!(matches!(service.start(&now, &operator("ada")).await, Err(ServiceError::ApprovalRequired { .. })));
}

#[tokio::test]
async fn a_validation_needs_nobody() {
    let b = bench();
    let (service, _) = asking(&b, 3).await;
    let plan = service.plan(&of(RunKind::Validate, "production")).await.unwrap();
    assert!(matches!(service.ask_approval(&start_request(&plan), &tester()).await, Err(ServiceError::Conflict(_))));
    let view = service.start(&start_request(&plan), &operator("ada")).await.unwrap();
    assert_ne!(view.run.state, RunState::Aborted);
}
