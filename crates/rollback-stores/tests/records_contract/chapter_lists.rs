//! Which chapters there are, and what of a copy's tables is not as ours.

use rollback::store::{Fault, RecordStore};

use crate::fixture::{Deployment, KINDS, target};

#[tokio::test]
async fn chapters_are_listed_by_their_keys() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let production = d.records.chapter_keys(None).await.unwrap();
        assert_eq!(production, ["bailey:ch1", "bailey:ch10", "bailey:ch2", "sabiston:ch1", "schwartz:ch1"]);
        let staged = d.records.chapter_keys(Some(&kind.target())).await.unwrap();
        assert_eq!(staged, ["bailey:ch1", "bailey:ch2", "bailey:ch3"]);
        d.run(&format!("DROP TABLE {}", kind.staging_table())).await;
        assert_eq!(d.records.chapter_keys(Some(&kind.target())).await.unwrap(), Vec::<String>::new());
        d.run(
            "DROP TABLE chapter_metadata; CREATE TABLE chapter_metadata(textbook_id, chapter_number INTEGER);
               INSERT INTO chapter_metadata VALUES (NULL, 7), (x'ff', NULL), ('a:b', '1')",
        )
        .await;
        assert_eq!(d.records.chapter_keys(None).await.unwrap(), ["(none):ch7", "a:b:ch1", "\u{FFFD}:ch(none)"]);
        d.run("ALTER TABLE chapter_metadata DROP COLUMN chapter_number").await;
        assert_eq!(d.records.chapter_keys(None).await.unwrap_err().fault, Fault::Missing);
        d.run("DROP TABLE chapter_metadata").await;
        assert_eq!(d.records.chapter_keys(None).await.unwrap_err().fault, Fault::Missing);
    }
}

#[tokio::test]
async fn differences_of_shape_are_told() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let copy = d.copied().await;
        assert_eq!(d.records.shape_differences(&copy.path).await.unwrap(), Vec::<String>::new());
        // The registry, the log and staging are left out; so is how a statement is set.
        copy.run("ALTER TABLE version_registry ADD COLUMN x; DROP TABLE operation_log; CREATE TABLE chapter_metadata_staging20200101_000000(x);
                  CREATE INDEX i ON chapter_metadata ( title )")
            .await;
        d.run("CREATE INDEX i ON chapter_metadata (  title )").await;
        assert_eq!(d.records.shape_differences(&copy.path).await.unwrap(), Vec::<String>::new());

        d.run("ALTER TABLE chapter_metadata ADD COLUMN baseline_version_id TEXT; CREATE TABLE ingestion_log(x); CREATE VIEW w AS SELECT 1;
               CREATE INDEX by_hash ON chapter_metadata(content_hash); CREATE TABLE notes(a TEXT, b, c DEFAULT 1)")
            .await;
        copy.run("ALTER TABLE chapter_metadata ADD COLUMN pages; CREATE TABLE authors(x); CREATE TABLE notes(a INTEGER, b, c DEFAULT 2);
                  CREATE VIEW w AS SELECT 2; CREATE VIRTUAL TABLE texts USING fts5(x)")
            .await;
        let told = d.records.shape_differences(&copy.path).await.unwrap();
        for words in [
            &["column pages of chapter_metadata", "adds it"][..],
            &["column baseline_version_id of chapter_metadata", "takes it away"],
            &["table authors", "adds it"],
            &["no table ingestion_log", "leaves production's"],
            &["no index by_hash on chapter_metadata", "takes production's away"],
            &["column a of notes", "INTEGER", "TEXT"],
            &["column c of notes", "default"],
            &["view w", "replaces it"],
            &["virtual table texts", "refused"],
        ] {
            assert_eq!(
                told.iter().filter(|t| words.iter().all(|w| t.contains(w))).count(),
                1,
                "{words:?} in {told:#?}"
            );
        }
        let told = copy.records.shape_differences(&d.path).await.unwrap();
        assert!(told.iter().any(|t| t.contains("table ingestion_log") && t.contains("adds it")), "{told:#?}");

        let many: String = (0..50).map(|n| format!("CREATE TABLE extra{n}(x);")).collect();
        copy.run(&many).await;
        let told = d.records.shape_differences(&copy.path).await.unwrap();
        assert!(told.len() == 21 && told[20].contains("more differences"), "{told:#?}");
        copy.run("DROP TABLE chapter_metadata").await;
        copy.run(&(0..50).map(|n| format!("DROP TABLE extra{n};")).collect::<String>()).await;
        let told = d.records.shape_differences(&copy.path).await.unwrap();
        assert!(told.iter().any(|t| t.contains("nothing can be restored from it")), "{told:#?}");
    }
    let d = Deployment::of(KINDS[0]).await;
    assert_eq!(d.records.shape_differences(&d.dir.path().join("none")).await.unwrap_err().fault, Fault::Missing);
    let garbage = Deployment::nowhere();
    std::fs::write(&garbage.path, "no database at all, but long enough to look at\n".repeat(100)).unwrap();
    let e = d.records.shape_differences(&garbage.path).await.unwrap_err();
    assert_eq!((e.fault, e.endpoint), (Fault::Foreign, garbage.path.display().to_string()));
    assert!(d.records.staging(&target("v9")).await.is_ok());
}
