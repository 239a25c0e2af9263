//! The fake stores' copies are real: what was written is what comes back, and nothing else is taken.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;

use rollback::fake::{FAILED, FakeDeployment, Moment};
use rollback::store::{Fault, OnProgress};
use rollback_types::{StoreKind, VersionState};
use support::{bench, bench_per_version};

fn silent() -> OnProgress {
    Arc::new(|_, _| {})
}

/// Damages every store, with its way back taken before, and restores all three.
async fn there_and_back(deployment: &FakeDeployment, collection: &str) {
    let stores = deployment.stores();
    let file = |name: &str| deployment.folder().join(name);
    let before = deployment.fingerprint();
    let rows = stores.records.back_up(&file("rows")).await.unwrap();
    let points = stores.vectors.take_snapshot(collection, &file("points"), silent()).await.unwrap();
    let nodes = stores.graph.export(&file("nodes"), silent()).await.unwrap();
    assert!(stores.records.back_up(&file("rows")).await.is_err(), "never over another file");
    assert_eq!(deployment.fingerprint(), before);

    for store in StoreKind::ALL {
        deployment.contaminate(store);
    }
    let damaged = deployment.fingerprint();
    assert_ne!(damaged, before);
    assert_eq!(stores.records.trial_restore(&rows.path, &file("scratch")).await.unwrap(), rows.inventory);
    assert_eq!(deployment.fingerprint(), damaged, "a trial changes nothing");
    assert!(!file("scratch").exists());
    let inspected = stores.records.inspect_copy(&rows.path).await.unwrap().chapters.unwrap();
    assert_eq!(inspected.digest, rows.inventory.digest);
    let wrong = stores.vectors.restore_snapshot(collection, &points.path, &rows.sha256, silent()).await;
    assert_eq!(wrong.unwrap_err().fault, Fault::Refused, "another checksum");

    assert_eq!(stores.records.restore(&rows.path).await.unwrap(), rows.inventory);
    stores.vectors.restore_snapshot(collection, &points.path, &points.sha256, silent()).await.unwrap();
    assert_eq!(stores.graph.restore_export(&nodes.path, silent()).await.unwrap(), nodes.inventory);
    assert_eq!(deployment.fingerprint(), before, "every row, point, vector, node and relationship");
}

#[tokio::test]
async fn what_was_copied_comes_back() {
    there_and_back(&bench().deployment, "textbook_chunks").await;
    let b = bench_per_version();
    let stores = b.deployment.stores();
    let aliases = stores.vectors.aliases().await.unwrap();
    let latest = aliases.iter().find(|a| a.alias == "textbook_chunks_latest").unwrap();
    there_and_back(&b.deployment, &latest.collection).await;
    let through_alias =
        stores.vectors.restore_snapshot(&latest.alias, &b.deployment.folder().join("points"), "", silent()).await;
    assert_eq!(through_alias.unwrap_err().fault, Fault::Refused);
}

#[tokio::test]
async fn a_restore_of_chapters_leaves_the_registry_alone() {
    let b = bench();
    let stores = b.deployment.stores();
    let path = b.deployment.folder().join("rows");
    stores.records.back_up(&path).await.unwrap();
    b.deployment.set_state(FAILED, VersionState::RollingBack);
    stores.records.restore(&path).await.unwrap();
    assert_eq!(b.deployment.state_of(FAILED), Some(VersionState::RollingBack));
}

#[tokio::test]
async fn another_stores_file_is_refused_and_latest_copy_opens() {
    let b = bench();
    let stores = b.deployment.stores();
    let copy = |name: &str| b.deployment.folder().join("latest-copy").join(name);
    let (db, snapshot) = (copy("metadata.db"), copy("textbook_chunks_latest.snapshot"));
    let before = b.deployment.fingerprint();
    assert_eq!(stores.records.restore(&snapshot).await.unwrap_err().fault, Fault::Corrupt);
    assert_eq!(stores.records.restore(&copy("gone")).await.unwrap_err().fault, Fault::Missing);
    stores.records.restore(&db).await.unwrap();
    assert_eq!(b.deployment.fingerprint(), before, "latest-copy equals production");
}

#[tokio::test]
async fn an_answer_lost_after_a_restore_leaves_its_effect() {
    let b = bench();
    let stores = b.deployment.stores();
    let path = b.deployment.folder().join("nodes");
    stores.graph.export(&path, silent()).await.unwrap();
    let before = b.deployment.fingerprint();
    b.deployment.contaminate(StoreKind::Neo4j);
    let damaged = b.deployment.fingerprint();
    b.deployment.faults.arm("restore_export", None, 1, Fault::TimedOut, Moment::Before);
    assert!(stores.graph.restore_export(&path, silent()).await.is_err());
    assert_eq!(b.deployment.fingerprint(), damaged);
    b.deployment.faults.arm("restore_export", None, 1, Fault::TimedOut, Moment::After);
    assert!(stores.graph.restore_export(&path, silent()).await.is_err());
    assert_eq!(b.deployment.fingerprint(), before);
}
