//! Production against its copies, and what may be dropped.

use rollback::store::{Fault, RecordStore};

use crate::fixture::{Deployment, KINDS, records, target};

#[tokio::test]
async fn only_a_table_of_the_staging_pattern_is_ever_dropped() {
    let d = Deployment::of(KINDS[2]).await;
    d.run(
        "CREATE VIEW chapter_metadata_v9 AS SELECT * FROM chapter_metadata;
           CREATE TABLE Chapter_Metadata_V8(id, version); CREATE TABLE chapter_metadata_staging(id);",
    )
    .await;
    assert_eq!(d.records.drop_staging(&target("v9"), u64::MAX).await.unwrap_err().fault, Fault::Refused);
    assert_eq!(
        d.records.staging(&target("v8")).await.unwrap().name,
        "Chapter_Metadata_V8",
        "SQLite's names know no case"
    );
    d.records.drop_staging(&target("v8"), u64::MAX).await.unwrap();
    d.records.drop_staging(&KINDS[2].target(), u64::MAX).await.unwrap();
    let left = d
        .value(
            "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE name LIKE 'chapter%' ORDER BY name)",
        )
        .await;
    assert_eq!(left, "chapter_metadata,chapter_metadata_staging,chapter_metadata_v9");
}

#[tokio::test]
async fn the_digest_sees_content_and_not_how_it_is_stored() {
    let d = Deployment::of(KINDS[0]).await;
    let live = d.records.production().await.unwrap();
    assert_eq!(live.rows, Some(5));
    let copy = Deployment::nowhere();
    // Numbers as numbers, other row order, no constraints.
    copy.run("CREATE TABLE chapter_metadata(textbook_id, chapter_number INTEGER, content_hash);
              INSERT INTO chapter_metadata VALUES ('schwartz',1,NULL),('bailey',10,'h10'),('bailey',2,'h2'),('sabiston',1,'s1'),('bailey',1,'h1')").await;
    let found = d.records.inspect_copy(&copy.path).await.unwrap();
    assert_eq!((found.faults, found.chapters), (vec![], Some(live.clone())));
    for change in [
        "content_hash = 'h' WHERE content_hash IS NULL",
        "content_hash = '' WHERE content_hash IS NULL",
        "chapter_number = 3 WHERE chapter_number = 2",
        "content_hash = NULL, textbook_id = textbook_id || 'h1' WHERE content_hash = 'h1'",
    ] {
        let mut other = copy.other().await;
        let mut tx = sqlx::Connection::begin(&mut other).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE chapter_metadata SET {change}")))
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let changed = records(&copy.path).production().await.unwrap();
        assert!(changed.rows == live.rows && changed.digest != live.digest, "{change}");
    }
}

#[tokio::test]
async fn copies_are_looked_through_and_left_as_they_are() {
    let d = Deployment::of(KINDS[0]).await;
    let missing = d.records.inspect_copy(&d.dir.path().join("none.db")).await.unwrap_err();
    assert_eq!(missing.fault, Fault::Missing);

    let wal = Deployment::of(KINDS[1]).await;
    assert_eq!(d.records.inspect_copy(&wal.path).await.unwrap().faults, Vec::<String>::new());
    assert_eq!(std::fs::read_dir(wal.dir.path()).unwrap().count(), 1, "no -shm beside a copy");

    let orphan = Deployment::of(KINDS[0]).await;
    orphan.run("DELETE FROM version_registry").await;
    assert_eq!(
        d.records.inspect_copy(&orphan.path).await.unwrap().faults,
        Vec::<String>::new(),
        "the log's are not asked"
    );
    orphan.run("CREATE TABLE notes(chapter REFERENCES chapter_metadata(id)); INSERT INTO notes VALUES (99)").await;
    let faults = d.records.inspect_copy(&orphan.path).await.unwrap().faults;
    assert!(faults.len() == 1 && faults[0].contains("notes"), "{faults:?}");

    let broken = Deployment::of(KINDS[0]).await;
    broken.run("CREATE INDEX by_hash ON chapter_metadata(content_hash)").await;
    let bytes = std::fs::read(&broken.path).unwrap();
    let at = bytes.windows(3).rposition(|w| w == b"h10").unwrap();
    let mut flipped = bytes.clone();
    flipped[at] ^= 1;
    std::fs::write(&broken.path, flipped).unwrap();
    assert_ne!(d.records.inspect_copy(&broken.path).await.unwrap().faults, Vec::<String>::new());
    std::fs::write(&broken.path, &bytes[..bytes.len() / 2]).unwrap();
    match d.records.inspect_copy(&broken.path).await {
        Ok(found) => assert_ne!(found.faults, Vec::<String>::new()),
        Err(e) => assert_eq!(e.fault, Fault::Corrupt, "{e}"),
    }
}
