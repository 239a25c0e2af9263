//! Others at the same file while it is restored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollback::store::{Fault, RecordStore};
use rollback_stores::sqlite::SqliteRecords;
use sqlx::Connection;

use crate::fixture::{Deployment, KINDS};
use crate::restore::DAMAGE;

/// One look: chapters and notes together, in one transaction.
const LOOK: &str =
    "SELECT (SELECT COUNT(*) || group_concat(coalesce(content_hash, '-')) FROM chapter_metadata) || ' ' ||
  (SELECT group_concat(state) FROM notes)";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_the_old_state_or_the_new() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        d.run("CREATE TABLE notes(state, padding); INSERT INTO notes VALUES ('old', zeroblob(3000000))").await;
        let old = d.copied().await;
        d.run(DAMAGE).await;
        d.run("UPDATE notes SET state = 'new'").await;
        let new = d.copied().await;
        let states = [old.value(LOOK).await, new.value(LOOK).await];
        assert_ne!(states[0], states[1]);

        let mut config = d.config();
        config.busy_timeout = Duration::from_secs(30);
        let records = SqliteRecords::new(config);
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (path, done, states) = (d.path.clone(), done.clone(), states.clone());
                tokio::spawn(async move {
                    let options = sqlx::sqlite::SqliteConnectOptions::new()
                        .filename(&path)
                        .read_only(true)
                        .busy_timeout(Duration::from_secs(30));
                    let mut reader = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                    let mut seen = [0; 2];
                    while !done.load(Ordering::Relaxed) || seen == [0; 2] {
                        let mut tx = reader.begin().await.unwrap();
                        let first: String = sqlx::query_scalar(LOOK).fetch_one(&mut *tx).await.unwrap();
                        let again: String = sqlx::query_scalar(LOOK).fetch_one(&mut *tx).await.unwrap();
                        tx.rollback().await.unwrap();
                        assert_eq!(first, again, "one transaction, one state");
                        let which = states.iter().position(|s| *s == first);
                        seen[which.unwrap_or_else(|| panic!("a mixture: {first}"))] += 1;
                    }
                    seen
                })
            })
            .collect();
        for _ in 0..5 {
            records.restore(&old.path).await.unwrap();
            records.restore(&new.path).await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            let seen = reader.await.unwrap();
            assert!(seen[0] + seen[1] > 0, "{kind:?} {seen:?}");
        }
        assert_eq!(d.value(LOOK).await, states[1]);
    }
}

#[tokio::test]
async fn a_writer_at_work_makes_it_busy_and_nothing_changes() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let copy = d.copied().await;
        d.run(DAMAGE).await;
        let before = (d.dump().await, d.table("chapter_metadata").await);
        let mut other = d.other().await;
        let tx = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        assert_eq!(d.records.restore(&copy.path).await.unwrap_err().fault, Fault::Busy);
        tx.rollback().await.unwrap();
        assert_eq!((d.dump().await, d.table("chapter_metadata").await), before);
        d.records.restore(&copy.path).await.unwrap();
    }
}

/// In the rollback journal's mode a reader keeps the commit waiting; given up, everything is as before.
#[tokio::test]
async fn a_reader_that_does_not_leave_makes_it_busy_and_nothing_changes() {
    let d = Deployment::of(KINDS[0]).await;
    let copy = d.copied().await;
    d.run(DAMAGE).await;
    let bytes = std::fs::read(&d.path).unwrap();
    let mut other = d.other().await;
    let mut tx = other.begin().await.unwrap();
    sqlx::query("SELECT COUNT(*) FROM chapter_metadata").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(d.records.restore(&copy.path).await.unwrap_err().fault, Fault::Busy);
    tx.rollback().await.unwrap();
    assert!(std::fs::read(&d.path).unwrap() == bytes);
    assert!(!d.records.is_write_locked().await.unwrap());
    d.records.restore(&copy.path).await.unwrap();
}
