//! Files that are missing, broken, locked or not ours: named, and never written.

use std::path::{Path, PathBuf};

use rollback::store::{Fault, MarkRequest, RecordStore, StoreError};
use rollback_types::{VersionId, VersionQuery, VersionSort, VersionState};

use crate::fixture::{Deployment, KINDS, PIPELINE, SHARED, target};
use crate::hostile_rows::walk;

async fn every_view(d: &Deployment) -> Vec<StoreError> {
    let t = target("v2");
    let none = VersionQuery::default();
    let answers = [
        d.records.probe().await.err(),
        d.records.schema().await.err(),
        d.records.versions(&none).await.err(),
        d.records.version(&VersionId::new("v2")).await.err(),
        d.records.state_counts(None).await.err(),
        d.records.operations(t.id(), 5).await.err(),
        d.records.open_operations().await.err(),
        d.records.staging(&t).await.err(),
        d.records.production().await.err(),
    ];
    answers.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_missing_file_may_appear_be_replaced_and_vanish() {
    let d = Deployment::nowhere();
    let faults = every_view(&d).await;
    assert_eq!(faults.len(), 9);
    assert!(
        faults.iter().all(|e| e.fault == Fault::Missing && e.endpoint == d.path.display().to_string()),
        "{faults:?}"
    );
    assert!(!d.path.exists(), "looking made no file");

    d.run(&format!("{SHARED} INSERT INTO version_registry (version_id, status) VALUES ('one', 'staging')")).await;
    assert_eq!(walk(&d, VersionSort::IdAsc, 5).await[0].version_id.as_str(), "one");

    let other = Deployment::with(PIPELINE).await;
    std::fs::rename(&other.path, &d.path).unwrap();
    assert_eq!(walk(&d, VersionSort::IdAsc, 50).await.len(), 9, "the new file is seen, not the old one");
    std::fs::remove_file(&d.path).unwrap();
    assert_eq!(every_view(&d).await.len(), 9);
}

#[tokio::test]
async fn an_empty_file_is_an_empty_database() {
    let d = Deployment::nowhere();
    std::fs::write(&d.path, b"").unwrap();
    let schema = d.records.schema().await.unwrap();
    assert!(!schema.writable_shape && schema.findings.len() >= 3, "{schema:?}");
    assert!(d.records.probe().await.unwrap().warning.is_some());
    let faults = every_view(&d).await;
    assert!(faults.iter().all(|e| e.fault == Fault::Missing && e.detail.contains("empty")), "{faults:?}");
    let request =
        MarkRequest { target: target("v2"), expected: VersionState::Staging, reason: "r".into(), run_key: "k".into() };
    assert_eq!(d.records.mark_rolling_back(&request).await.unwrap_err().fault, Fault::Missing);
    assert_eq!(std::fs::read(&d.path).unwrap(), b"");
}

#[tokio::test]
async fn a_foreign_or_corrupt_file_is_named_and_untouched() {
    let garbage = Deployment::nowhere();
    std::fs::write(&garbage.path, "no database at all, but long enough to look at\n".repeat(100)).unwrap();
    let foreign = Deployment::with("CREATE TABLE invoices(id); CREATE TABLE customers(id);").await;
    let folder = Deployment::nowhere();
    std::fs::create_dir(&folder.path).unwrap();
    let utf16 = Deployment::with(&format!("PRAGMA encoding = 'UTF-16le'; {SHARED}")).await;
    for (d, word) in [(&garbage, "SQLite"), (&foreign, "invoices"), (&folder, "no file"), (&utf16, "UTF-16")] {
        let faults = every_view(d).await;
        assert_eq!(faults.len(), 9);
        assert!(faults.iter().all(|e| e.fault == Fault::Foreign && e.detail.contains(word)), "{faults:?}");
        assert_eq!(d.records.drop_staging(&target("v2"), u64::MAX).await.unwrap_err().fault, Fault::Foreign);
    }

    let d = Deployment::of(KINDS[0]).await;
    let mut bytes = std::fs::read(&d.path).unwrap();
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[page..].fill(0xa5);
    std::fs::write(&d.path, &bytes).unwrap();
    let faults = every_view(&d).await;
    assert!(faults.len() >= 7 && faults.iter().all(|e| e.fault == Fault::Corrupt), "{faults:?}");
    let request = MarkRequest {
        target: KINDS[0].target(),
        expected: VersionState::Staging,
        reason: "r".into(),
        run_key: "k".into(),
    };
    assert_eq!(d.records.mark_rolling_back(&request).await.unwrap_err().fault, Fault::Corrupt);
    assert!(std::fs::read(&d.path).unwrap() == bytes, "not a byte was written");
}

#[tokio::test]
async fn a_file_locked_even_against_readers_is_busy() {
    let d = Deployment::of(KINDS[0]).await;
    let mut other = d.other().await;
    let tx = sqlx::Connection::begin_with(&mut other, "BEGIN EXCLUSIVE").await.unwrap();
    let faults = every_view(&d).await;
    assert!(faults.len() == 9 && faults.iter().all(|e| e.fault == Fault::Busy), "{faults:?}");
    assert!(d.records.is_write_locked().await.unwrap());
    tx.rollback().await.unwrap();
    assert_eq!(every_view(&d).await, []);
}

#[tokio::test]
async fn a_registry_without_one_of_its_tables_says_which() {
    for (drop, views) in [("version_registry", 3), ("operation_log", 2), ("chapter_metadata", 1)] {
        let d = Deployment::of(KINDS[0]).await;
        d.run(&format!("DROP TABLE {drop}")).await;
        let faults = every_view(&d).await;
        assert_eq!(faults.len(), views, "{faults:?}");
        assert!(faults.iter().all(|e| e.fault == Fault::Missing && e.detail.contains(drop)), "{faults:?}");
        let schema = d.records.schema().await.unwrap();
        assert!(schema.findings.iter().any(|f| f.contains(drop)));
        assert_eq!(schema.writable_shape, drop == "chapter_metadata");
        let request = MarkRequest {
            target: KINDS[0].target(),
            expected: VersionState::Staging,
            reason: "r".into(),
            run_key: "k".into(),
        };
        assert_eq!(d.records.mark_rolling_back(&request).await.is_ok(), schema.writable_shape);
    }
}

#[tokio::test]
async fn a_wal_file_is_read_where_no_shared_memory_can_be_made() {
    let d = Deployment::of(KINDS[1]).await;
    // A link that leads nowhere keeps even root from making the file.
    let mut shm = d.path.as_os_str().to_owned();
    shm.push("-shm");
    std::os::unix::fs::symlink("/nowhere/at/all", &shm).unwrap();
    assert_eq!(every_view(&d).await, []);
    assert_eq!(walk(&d, VersionSort::IdAsc, 50).await.len(), 3);
    // With a log beside it the file alone is an old state: better no answer than that one.
    let mut wal = d.path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::write(&wal, "a log").unwrap();
    let faults = every_view(&d).await;
    assert!(faults.len() == 9 && faults.iter().all(|e| e.fault == Fault::Unreachable), "{faults:?}");
}

/// Writes what a writer that dies amid its transaction leaves: pages of it in the file, and the journal to undo them.
async fn leave_half_written(to: &Path) {
    let live = Deployment::of(KINDS[0]).await;
    let mut other = live.other().await;
    sqlx::query("PRAGMA cache_size = 2").execute(&mut other).await.unwrap();
    let mut tx = sqlx::Connection::begin(&mut other).await.unwrap();
    // More than the cache holds: half-written pages reach the file.
    sqlx::query("UPDATE version_registry SET status = 'gone', notes = printf('%.*c', 200000, 'x')")
        .execute(&mut *tx)
        .await
        .unwrap();
    // In place, as a write by another program is: the file stays the one that connections are open to.
    for suffix in ["-journal", ""] {
        std::fs::write(beside(to, suffix), std::fs::read(beside(&live.path, suffix)).unwrap()).unwrap();
    }
    tx.rollback().await.unwrap();
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[tokio::test]
async fn what_a_dead_writer_left_half_done_is_undone_before_anything_is_read() {
    for known_before in [false, true] {
        let d = Deployment::of(KINDS[0]).await;
        let before = d.table("version_registry").await;
        if known_before {
            // Kept connections meet the journal as well as new ones.
            assert_eq!(every_view(&d).await, []);
        }
        leave_half_written(&d.path).await;
        assert_eq!(every_view(&d).await, [], "known before: {known_before}");
        assert!(!d.records.is_write_locked().await.unwrap());
        assert!(!beside(&d.path, "-journal").exists());
        assert_eq!(d.table("version_registry").await, before);
    }
    // Whatever is asked first, and by many at once.
    let d = Deployment::of(KINDS[0]).await;
    leave_half_written(&d.path).await;
    let (one, two, three) = (target("v2"), target("v2"), VersionQuery::default());
    let answers = tokio::join!(
        d.records.is_write_locked(),
        d.records.staging(&one),
        d.records.staging(&two),
        d.records.versions(&three)
    );
    assert!(!answers.0.unwrap());
    answers.1.unwrap();
    answers.2.unwrap();
    assert_eq!(answers.3.unwrap().items.len(), 3);
}

#[tokio::test]
async fn a_living_writers_journal_is_left_alone() {
    let d = Deployment::of(KINDS[0]).await;
    let mut other = d.other().await;
    let mut tx = sqlx::Connection::begin(&mut other).await.unwrap();
    sqlx::query("UPDATE version_registry SET notes = 'new'").execute(&mut *tx).await.unwrap();
    let journal = std::fs::read(beside(&d.path, "-journal")).unwrap();
    assert_eq!(every_view(&d).await, []);
    assert!(d.records.is_write_locked().await.unwrap());
    assert_eq!(std::fs::read(beside(&d.path, "-journal")).unwrap(), journal);
    tx.commit().await.unwrap();
    assert_eq!(d.value("SELECT COUNT(*) FROM version_registry WHERE notes = 'new'").await, "3");
}

#[tokio::test]
async fn a_half_written_copy_is_refused_and_left_as_it_is() {
    let d = Deployment::of(KINDS[0]).await;
    let copy = Deployment::nowhere();
    leave_half_written(&copy.path).await;
    let bytes = |suffix| std::fs::read(beside(&copy.path, suffix)).unwrap();
    let before = (bytes(""), bytes("-journal"));
    let refused = d.records.inspect_copy(&copy.path).await.unwrap_err();
    assert!(refused.fault == Fault::ReadOnly && refused.detail.contains("writer died"), "{refused:?}");
    assert!((bytes(""), bytes("-journal")) == before, "a copy is evidence: not a byte of it changes");
}
