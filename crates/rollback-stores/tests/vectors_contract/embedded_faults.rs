//! The embedded store with files that are missing, foreign, damaged or locked, and its snapshots.

use std::fs::{self, File};

use backup_formats::qdrant_snapshot::{PointCount, inspect, read_embedded_points};
use rollback::store::{Fault, VectorStore};
use rollback_stores::embedded_vectors::EmbeddedVectors;
use sqlx::{Connection, SqliteConnection};

use super::{DIMENSIONS, points};

pub(crate) async fn filled(folder: &std::path::Path) -> EmbeddedVectors {
    let store = EmbeddedVectors::new(folder.join("vectors.db"));
    store.create_collection("chunks", DIMENSIONS).await.unwrap();
    store.insert_points("chunks", points("production", 0..300)).await.unwrap();
    store
}

pub(crate) async fn open(path: &std::path::Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap()
}

#[tokio::test]
async fn a_missing_file_is_reported_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.db");
    let store = EmbeddedVectors::new(&path);
    let error = store.probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Missing);
    assert!(error.detail.contains("stepback demo") && error.detail.contains("[qdrant] url"), "{error}");
    assert_eq!(store.count("x").await.unwrap_err().fault, Fault::Missing);
    assert_eq!(store.delete_collection("x", u64::MAX).await.unwrap_err().fault, Fault::Missing);
    assert_eq!(store.set_alias("a", "x").await.unwrap_err().fault, Fault::Missing);
    assert!(!path.exists());
}

#[tokio::test]
async fn files_that_are_not_ours_are_told_apart_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.db");
    let store = EmbeddedVectors::new(&path);
    let garbage = vec![b'x'; 8_192];
    fs::write(&path, &garbage).unwrap();
    assert_eq!(store.probe().await.unwrap_err().fault, Fault::Corrupt);
    assert_eq!(store.delete_collection("x", u64::MAX).await.unwrap_err().fault, Fault::Corrupt);
    assert_eq!(store.create_collection("x", 4).await.unwrap_err().fault, Fault::Corrupt);
    assert_eq!(fs::read(&path).unwrap(), garbage);
    fs::remove_file(&path).unwrap();

    let mut other = open(&path).await;
    sqlx::query("CREATE TABLE collections (name TEXT)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(store.probe().await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(store.delete_collection("x", u64::MAX).await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(store.create_collection("x", 4).await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(fs::read(&path).unwrap(), before);

    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let mut newer = open(&folder.path().join("vectors.db")).await;
    sqlx::query("PRAGMA user_version = 99").execute(&mut newer).await.unwrap();
    newer.close().await.unwrap();
    let error = store.probe().await.unwrap_err();
    assert_eq!(error.fault, Fault::Foreign);
    assert!(error.detail.contains("99"), "{error}");
}

#[tokio::test]
async fn a_blank_file_is_no_store_until_something_is_put_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.db");
    fs::write(&path, b"").unwrap();
    let store = EmbeddedVectors::new(&path);
    assert_eq!(store.probe().await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(store.delete_collection("x", u64::MAX).await.unwrap_err().fault, Fault::Foreign);
    assert_eq!(fs::read(&path).unwrap(), b"");
    store.create_collection("x", 4).await.unwrap();
    assert_eq!(store.count("x").await, Ok(Some(0)));
}

#[tokio::test]
async fn a_locked_file_is_busy_and_nothing_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let mut other = open(&folder.path().join("vectors.db")).await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(store.delete_collection("chunks", u64::MAX).await.unwrap_err().fault, Fault::Busy);
    assert_eq!(store.count("chunks").await, Ok(Some(300)), "reading goes on");
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn a_batch_with_a_wrong_vector_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let mut batch = points("v2", 300..400);
    batch[99].vector.push(0.0);
    assert_eq!(store.insert_points("chunks", batch).await.unwrap_err().fault, Fault::Refused);
    assert_eq!(store.count("chunks").await, Ok(Some(300)));
    assert_eq!(store.insert_points("none", points("v2", 0..1)).await.unwrap_err().fault, Fault::Missing);
    assert_eq!(store.create_collection("chunks", 3).await.unwrap_err().fault, Fault::Refused);
    // The same ids again: replaced, not doubled.
    assert_eq!(store.insert_points("chunks", points("v3", 0..10)).await, Ok(10));
    assert_eq!(store.count("chunks").await, Ok(Some(300)));
    assert_eq!(store.count_of_version("chunks", "v3").await, Ok(10));
}

#[tokio::test]
async fn a_snapshot_holds_every_point_and_the_set_of_ids() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let path = folder.path().join("chunks.snapshot");
    assert_eq!(store.snapshot("chunks", &path).await, Ok(300));

    let summary = inspect(File::open(&path).unwrap(), |_| {}).unwrap();
    assert_eq!(summary.points, PointCount::Exact(300));
    assert_eq!(summary.vector_size, Some(u64::from(DIMENSIONS)));
    assert_eq!(summary.ids, store.id_fingerprint("chunks").await.unwrap());

    let mut read = Vec::new();
    read_embedded_points(File::open(&path).unwrap(), folder.path(), |point| {
        read.push(point);
        Ok(())
    })
    .unwrap();
    let mut expected = points("production", 0..300);
    expected.sort_by_key(|point| point.id);
    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read.id.to_string(), expected.id.to_string());
        assert_eq!(read.vector, expected.vector);
        assert_eq!(read.payload, serde_json::Value::Object(expected.payload.clone()));
    }

    assert_eq!(store.snapshot("none", &path).await.unwrap_err().fault, Fault::Missing);
    let nowhere = folder.path().join("no/such/folder.snapshot");
    assert_eq!(store.snapshot("chunks", &nowhere).await.unwrap_err().fault, Fault::Unexpected);
    let mut damaged = open(&folder.path().join("vectors.db")).await;
    sqlx::query("UPDATE points SET vector = x'00' WHERE rowid = 200").execute(&mut damaged).await.unwrap();
    damaged.close().await.unwrap();
    let second = folder.path().join("second.snapshot");
    assert_eq!(store.snapshot("chunks", &second).await.unwrap_err().fault, Fault::Corrupt);
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let snapshots: Vec<_> = names.filter(|name| name.contains("snapshot")).collect();
    assert_eq!(snapshots, ["chunks.snapshot"], "no half snapshot stays");
}
