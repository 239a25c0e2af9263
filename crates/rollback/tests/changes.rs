//! What watchers of a deployment are told: that something is otherwise, never that time passed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use rollback::RollbackService;
use rollback_types::{StoreKind, Timestamp};
use support::{bench, tester};

/// What the overview says, and what all pages say.
async fn said(service: &RollbackService) -> (String, String) {
    let overview = service.overview().await.unwrap();
    (rollback::seen(&overview).unwrap(), service.seen_everywhere(&overview).await.unwrap())
}

/// Until a look has another time than the one before.
async fn time_passes() {
    let now = Timestamp::now();
    while Timestamp::now() == now {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deployment_at_rest_says_the_same_at_every_look() {
    let b = bench();
    b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    let first = said(&b.service).await;
    for _ in 0..3 {
        time_passes().await;
        assert_eq!(said(&b.service).await, first);
    }
}

#[tokio::test]
async fn what_is_proven_anew_and_what_is_damaged_is_told() {
    let b = bench();
    let first = said(&b.service).await;
    time_passes().await;
    b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    let proven = said(&b.service).await;
    assert_ne!(proven, first, "that it was restored on trial is news");
    b.deployment.contaminate(StoreKind::Sqlite);
    let damaged = said(&b.service).await;
    assert_ne!(damaged.0, proven.0, "the overview tells the damage");
    assert_ne!(damaged.1, proven.1, "so do all pages");
}
