//! Snapshots of the embedded store: damaged in every way, and while others read.

use std::fs;

use futures::StreamExt as _;
use rollback::store::{Fault, VectorStore};
use rollback_stores::embedded_vectors::EmbeddedVectors;
use sqlx::{Connection as _, SqliteConnection};

use super::embedded_faults::{filled, open};
use super::snapshots::{every_point, file_of, quiet, scattered};
use super::{DIMENSIONS, points};

/// Every column of every point, in order of ids.
async fn rows(folder: &std::path::Path) -> Vec<(Vec<u8>, String, String, String, Vec<u8>)> {
    let mut db: SqliteConnection = open(&folder.join("vectors.db")).await;
    let rows = sqlx::query_as("SELECT id, chunk_id, version_id, payload, vector FROM points ORDER BY id")
        .fetch_all(&mut db)
        .await
        .unwrap();
    db.close().await.unwrap();
    rows
}

#[tokio::test]
async fn a_restore_brings_back_every_column_and_keeps_the_alias() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    store.set_alias("latest", "chunks").await.unwrap();
    let before = rows(folder.path()).await;
    let copy = store.take_snapshot("chunks", &folder.path().join("copy"), quiet()).await.unwrap();
    store.insert_points("chunks", points("v2", 100..400)).await.unwrap();
    store.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet()).await.unwrap();
    assert_eq!(rows(folder.path()).await, before);
    assert_eq!(store.aliases().await.unwrap(), [super::snapshots::alias("latest", "chunks")]);

    // Into a store that has no file yet, beside a snapshot in a folder that is not ours to write.
    let bare = tempfile::tempdir().unwrap();
    let fresh = EmbeddedVectors::new(bare.path().join("vectors.db"));
    fresh.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet()).await.unwrap();
    assert_eq!(rows(bare.path()).await, before);
}

#[tokio::test]
async fn who_reads_meanwhile_sees_the_old_points_or_the_new_and_never_a_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let copy = store.take_snapshot("chunks", &folder.path().join("copy"), quiet()).await.unwrap();
    store.insert_points("chunks", scattered("v2", 0..6_000)).await.unwrap();
    let mut reading = store.points("chunks");
    let mut seen = vec![reading.next().await.unwrap().unwrap()];
    store.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet()).await.unwrap();
    while let Some(point) = reading.next().await {
        seen.push(point.unwrap());
    }
    assert_eq!(seen.len(), 6_000, "the reading that was under way");
    assert!(seen.iter().all(|point| point.version_id.as_deref() == Some("v2")));
    assert_eq!(every_point(&store, "chunks").await.unwrap().len(), 300, "and a new one");
}

#[tokio::test]
async fn other_dimensions_a_lock_and_a_hash_that_differs_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let copy = store.take_snapshot("chunks", &folder.path().join("copy"), quiet()).await.unwrap();
    store.create_collection("narrow", DIMENSIONS - 1).await.unwrap();
    let error = store.restore_snapshot("narrow", &copy.path, &copy.sha256, quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    assert!(error.detail.contains("8 dimensions") && error.detail.contains('7'), "{error}");
    store.insert_points("chunks", points("v2", 300..310)).await.unwrap();
    let before = rows(folder.path()).await;

    let mut other = open(&folder.path().join("vectors.db")).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = store.restore_snapshot("chunks", &copy.path, &copy.sha256, quiet()).await.unwrap_err();
    assert_eq!(error.fault, Fault::Busy, "{error}");
    lock.rollback().await.unwrap();
    let error = store.restore_snapshot("chunks", &copy.path, &"a".repeat(64), quiet()).await.unwrap_err();
    assert!(error.detail.contains(&copy.sha256), "{error}");
    assert_eq!(rows(folder.path()).await, before);
}

/// Pseudo-random, the same in every run.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[tokio::test]
async fn two_hundred_damaged_files_are_refused_or_hold_what_their_check_says() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedVectors::new(folder.path().join("vectors.db"));
    store.create_collection("chunks", DIMENSIONS).await.unwrap();
    store.insert_points("chunks", scattered("production", 0..40)).await.unwrap();
    let copy = store.take_snapshot("chunks", &folder.path().join("copy"), quiet()).await.unwrap();
    store.insert_points("chunks", scattered("v2", 10..60)).await.unwrap();
    let untouched = store.id_fingerprint("chunks").await.unwrap();
    let before = rows(folder.path()).await;
    let whole = fs::read(&copy.path).unwrap();
    let (mut state, mut refused) = (4, 0);
    for turn in 0..200 {
        let mut damaged = whole.clone();
        if turn % 4 == 0 {
            damaged.truncate(next(&mut state) % whole.len());
        } else {
            let at = next(&mut state) % whole.len();
            damaged[at] ^= 1 << (next(&mut state) % 8);
        }
        let (path, sha256) = file_of(folder.path(), "damaged", &damaged);
        // Against the hash that was recorded, every one is refused.
        let error = store.restore_snapshot("chunks", &path, &copy.sha256, quiet()).await.unwrap_err();
        assert_eq!(error.fault, Fault::Refused, "{turn}: {error}");

        // Against its own, as after a trust on first use: what cannot be whole is refused, with nothing changed.
        let told = backup_formats::qdrant_snapshot::inspect(&damaged[..], |_| {});
        match store.restore_snapshot("chunks", &path, &sha256, quiet()).await {
            Ok(()) => {
                assert_eq!(store.id_fingerprint("chunks").await.unwrap(), told.unwrap().ids, "{turn}");
                store.delete_collection("chunks", u64::MAX).await.unwrap();
                store.create_collection("chunks", DIMENSIONS).await.unwrap();
                store.insert_points("chunks", scattered("production", 0..40)).await.unwrap();
                store.insert_points("chunks", scattered("v2", 10..60)).await.unwrap();
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error.fault, Fault::Refused | Fault::Corrupt), "{turn}: {error}");
                assert_eq!(store.id_fingerprint("chunks").await.unwrap(), untouched, "{turn}: {error}");
            }
        }
    }
    assert!(refused >= 50, "all cuts at least: {refused}");
    assert_eq!(rows(folder.path()).await, before);
}
