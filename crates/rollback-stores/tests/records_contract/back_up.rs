//! Copies of the live database.

use backup_formats::checksums::Sha256Digest;
use rollback::store::{Fault, RecordStore};
use sqlx::Connection;

use crate::fixture::{Deployment, KINDS, records};
use crate::restore::DAMAGE;

#[tokio::test]
async fn a_copy_holds_what_is_committed_and_nothing_else() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let mut writer = d.other().await;
        // In WAL mode what is committed here is in the log only, as long as this connection is open.
        sqlx::query("UPDATE chapter_metadata SET content_hash = 'committed' WHERE textbook_id = 'bailey'")
            .execute(&mut writer)
            .await
            .unwrap();
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("DELETE FROM chapter_metadata").execute(&mut *tx).await.unwrap();
        let to = d.dir.path().join("run/way back#.db");
        let taken = d.records.back_up(&to).await.unwrap();
        tx.rollback().await.unwrap();

        let bytes = std::fs::read(&to).unwrap();
        assert_eq!((taken.bytes, taken.sha256), (bytes.len() as u64, Sha256Digest::of(&bytes).to_string()));
        assert_eq!((&taken.path, taken.inventory.rows), (&to, Some(5)));
        assert_eq!(taken.inventory, d.records.production().await.unwrap());
        assert_eq!(std::fs::read_dir(to.parent().unwrap()).unwrap().count(), 1, "only whole files, and only one");
        let copy = Deployment { dir: tempfile::tempdir().unwrap(), records: records(&to), path: to.clone() };
        for table in ["chapter_metadata", "version_registry", "operation_log", kind.staging_table()] {
            assert_eq!(copy.table(table).await, d.table(table).await, "{table}");
        }
        assert_eq!(copy.schema().await, d.schema().await);

        let e = d.records.back_up(&to).await.unwrap_err();
        assert!(e.fault == Fault::Refused && e.endpoint == to.display().to_string(), "{e}");
        assert!(std::fs::read(&to).unwrap() == bytes);
    }
}

#[tokio::test]
async fn the_way_back_leads_back() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        // Broken references do not make a state one cannot go back to.
        d.run("CREATE TABLE notes(chapter REFERENCES chapter_metadata(id)); INSERT INTO notes VALUES (1), (99)").await;
        let latest = d.copied().await;
        d.run(DAMAGE).await;
        let (before, notes) = (d.table("chapter_metadata").await, d.table("notes").await);
        let way_back = d.dir.path().join("way_back.db");
        let taken = d.records.back_up(&way_back).await.unwrap();
        d.records.restore(&latest.path).await.unwrap();
        assert_ne!(d.table("chapter_metadata").await, before);
        assert_eq!(d.records.restore(&way_back).await.unwrap(), taken.inventory);
        assert_eq!((d.table("chapter_metadata").await, d.table("notes").await), (before, notes));
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_copy_that_failed() {
    let d = Deployment::of(KINDS[0]).await;
    let to = d.dir.path().join("file/in the way.db");
    std::fs::write(d.dir.path().join("file"), "").unwrap();
    d.records.back_up(&to).await.unwrap_err();

    let d = Deployment::of(KINDS[0]).await;
    let mut bytes = std::fs::read(&d.path).unwrap();
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[page..].fill(0xa5);
    std::fs::write(&d.path, &bytes).unwrap();
    let to = d.dir.path().join("copy.db");
    let e = d.records.back_up(&to).await.unwrap_err();
    assert_eq!((e.fault, e.endpoint), (Fault::Corrupt, d.path.display().to_string()));
    assert_eq!(std::fs::read_dir(d.dir.path()).unwrap().count(), 1);
    assert_eq!(Deployment::nowhere().records.back_up(&to).await.unwrap_err().fault, Fault::Missing);

    // What an attempt that was killed left is in nobody's way.
    let d = Deployment::of(KINDS[0]).await;
    let to = d.dir.path().join("copy.db");
    std::fs::write(d.dir.path().join("copy.db.part"), "half a copy").unwrap();
    std::fs::write(d.dir.path().join("copy.db.part-journal"), "its journal").unwrap();
    d.records.back_up(&to).await.unwrap();
    assert_eq!(std::fs::read_dir(d.dir.path()).unwrap().count(), 2);

    // A database without chapters is copied all the same.
    d.run("DROP TABLE chapter_metadata").await;
    let taken = d.records.back_up(&d.dir.path().join("second.db")).await.unwrap();
    assert_eq!((taken.inventory.rows, taken.inventory.digest), (None, None));
}

#[tokio::test]
async fn a_safety_backup_takes_productions_place_in_the_copy_and_nothing_else_changes() {
    let d = Deployment::of(KINDS[2]).await;
    let good = d.records.production().await.unwrap();
    d.run(
        "CREATE TABLE chapter_metadata_latest_copy20261122_231459 AS SELECT * FROM chapter_metadata;
         UPDATE chapter_metadata SET content_hash = 'harmed'; DELETE FROM chapter_metadata WHERE chapter_number = 10;",
    )
    .await;
    let harmed = d.records.production().await.unwrap();
    let to = d.path.with_file_name("safety.db");
    let backup = rollback_types::VersionId::new("latest_copy20261122_231459");
    let taken = d.records.back_up_safety(&backup, &to).await.unwrap();
    assert_eq!(taken.inventory.digest, good.digest);
    assert_eq!(d.records.production().await.unwrap(), harmed, "the live file was only read");
    assert_eq!(d.records.restore(&to).await.unwrap().digest, good.digest);
    for (id, fault) in [("latest_copy_nobody", Fault::Missing), ("v1", Fault::Missing)] {
        let to = d.path.with_file_name("none.db");
        let refused = d.records.back_up_safety(&rollback_types::VersionId::new(id), &to).await.unwrap_err();
        assert_eq!((refused.fault, to.exists()), (fault, false), "{id}");
    }
}
