//! Copies that must not be restored, and restores that fail half-way: nothing changes.

use std::path::Path;

use rollback::store::{Fault, RecordStore, StoreError};
use sqlx::{AssertSqlSafe, Connection};

use crate::fixture::{Deployment, KINDS};
use crate::restore::DAMAGE;

/// Restores and tries, and sees that not a byte of the live file was written.
async fn refused(d: &Deployment, copy: &Path) -> StoreError {
    let before = std::fs::read(&d.path).unwrap();
    let error = d.records.restore(copy).await.unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let tried = d.records.trial_restore(copy, &folder.path().join("trial.db")).await.unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(tried.fault == error.fault || error.fault == Fault::Refused, "{error} but {tried}");
    assert!(std::fs::read(&d.path).unwrap() == before, "{error}");
    assert_eq!(std::fs::read_dir(d.dir.path()).unwrap().count(), 1);
    error
}

#[tokio::test]
async fn what_is_no_copy_of_it_is_refused() {
    let d = Deployment::of(KINDS[0]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut tar = vec![0; 10_240];
    tar[..11].copy_from_slice(b"config.json");
    tar[257..262].copy_from_slice(b"ustar");
    let good = std::fs::read(d.copied().await.path).unwrap();
    let mut utf16 = good.clone();
    utf16[59] = 2;
    for (path, word) in [
        (file("a.snapshot", &tar), "no SQLite"),
        (file("a.cypher", b":begin\nCREATE CONSTRAINT x FOR (n:Y) REQUIRE n.z IS UNIQUE;\n:commit\n"), "no SQLite"),
        (file("empty.db", b""), "empty"),
        (file("header.db", &good[..16]), "no SQLite"),
        (file("utf16.db", &utf16), "UTF-8"),
        (folder.path().to_owned(), "no file"),
        (
            Deployment::with("CREATE TABLE invoices(id); CREATE VIEW chapter_metadata AS SELECT 1 AS textbook_id")
                .await
                .path,
            "",
        ),
    ] {
        let e = refused(&d, &path).await;
        assert!(matches!(e.fault, Fault::Foreign | Fault::Missing) && e.detail.contains(word), "{e}");
        assert!(e.endpoint != d.path.display().to_string(), "the copy is named, not the live file: {e}");
    }
    let foreign = Deployment::with("CREATE TABLE invoices(id)").await;
    let e = refused(&d, &foreign.path).await;
    assert!(e.fault == Fault::Foreign && e.detail.contains("chapter_metadata"), "{e}");
    let lacking = Deployment::with("CREATE TABLE chapter_metadata(textbook_id, chapter_number)").await;
    let e = refused(&d, &lacking.path).await;
    assert!(e.fault == Fault::Foreign && e.detail.contains("content_hash"), "{e}");
    let e = d.records.restore(&folder.path().join("none.db")).await.unwrap_err();
    assert_eq!(e.fault, Fault::Missing);
    let e = refused(&d, &file("cut.db", &good[..good.len() / 2])).await;
    assert_eq!(e.fault, Fault::Corrupt, "{e}");

    let bytes = std::fs::read(&d.path).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&d.path, &link).unwrap();
    for live in [&d.path, &link] {
        assert_eq!(d.records.restore(live).await.unwrap_err().fault, Fault::Refused);
        let copy = d.copied().await;
        assert_eq!(d.records.trial_restore(&copy.path, live).await.unwrap_err().fault, Fault::Refused);
        assert_eq!(d.records.trial_restore(&copy.path, &copy.path).await.unwrap_err().fault, Fault::Refused);
        assert!(copy.path.exists());
    }
    assert!(std::fs::read(&d.path).unwrap() == bytes);
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_all_as_it_was() {
    for (ours, theirs, word) in [
        ("CREATE INDEX by_state ON version_registry(status)", "CREATE INDEX by_state ON chapter_metadata(title)", "by_state"),
        (
            "CREATE TRIGGER watch AFTER DELETE ON operation_log BEGIN SELECT 1; END",
            "CREATE TRIGGER watch AFTER DELETE ON chapter_metadata BEGIN SELECT 1; END",
            "watch",
        ),
        ("", "CREATE VIRTUAL TABLE texts USING fts5(title)", "texts"),
        ("CREATE VIRTUAL TABLE texts USING fts5(title)", "CREATE TABLE texts_data(x)", "texts"),
        (
            "",
            "CREATE TABLE notes(version TEXT REFERENCES version_registry(version_id));
             INSERT INTO version_registry (version_id, status) VALUES ('v0', 'archived'); INSERT INTO notes VALUES ('v0')",
            "notes",
        ),
    ] {
        let d = Deployment::of(KINDS[0]).await;
        let copy = d.copied().await;
        copy.run(theirs).await;
        d.run(DAMAGE).await;
        d.run(ours).await;
        let e = refused(&d, &copy.path).await;
        assert!(e.fault == Fault::Refused && e.detail.contains(word) && e.detail.contains("nothing was changed"), "{e}");
    }
}

/// A schema is text: what stands behind its first statement must never be run.
#[tokio::test]
async fn a_schema_that_says_more_than_it_should_is_refused() {
    for change in [
        "UPDATE sqlite_master SET sql = sql || '; DROP TABLE version_registry' WHERE name = 'chapter_metadata'",
        "UPDATE sqlite_master SET sql = sql || '; COMMIT; DELETE FROM operation_log' WHERE name = 'by_title'",
        "UPDATE sqlite_master SET type = 'index' WHERE name = 'notes'",
        "UPDATE sqlite_master SET name = 'notices', tbl_name = 'notices' WHERE name = 'notes'",
        "UPDATE sqlite_master SET sql = replace(sql, 'title TEXT', 'title INTEGER') WHERE name = 'chapter_metadata'",
    ] {
        let d = Deployment::of(KINDS[0]).await;
        let copy = d.copied().await;
        copy.run("CREATE INDEX by_title ON chapter_metadata(title); CREATE TABLE notes(x); UPDATE chapter_metadata SET title = '12'").await;
        let mut other = copy.other().await;
        sqlx::raw_sql(AssertSqlSafe(format!("PRAGMA writable_schema = ON; {change}")))
            .execute(&mut other)
            .await
            .unwrap();
        other.close().await.unwrap();
        d.run(DAMAGE).await;
        let e = refused(&d, &copy.path).await;
        assert!(matches!(e.fault, Fault::Corrupt | Fault::Refused), "{change}: {e}");
    }
}

/// Copied while somebody wrote, journal and all: the file alone is half of two states.
#[tokio::test]
async fn a_copy_with_a_dead_writers_journal_is_refused() {
    let source = Deployment::of(KINDS[0]).await;
    let mut other = source.other().await;
    sqlx::query("PRAGMA cache_size = 2").execute(&mut other).await.unwrap();
    let mut tx = other.begin().await.unwrap();
    sqlx::query("UPDATE chapter_metadata SET title = printf('%.*c', 200000, 'x')").execute(&mut *tx).await.unwrap();
    let copy = Deployment::nowhere();
    let journal = |d: &Deployment| d.path.with_file_name("meta data%20#1?.db-journal");
    std::fs::copy(&source.path, &copy.path).unwrap();
    std::fs::copy(journal(&source), journal(&copy)).unwrap();
    tx.rollback().await.unwrap();

    let d = Deployment::of(KINDS[0]).await;
    let e = refused(&d, &copy.path).await;
    assert!(e.endpoint == copy.path.display().to_string() && e.detail.contains("writer died"), "{e}");
    assert_eq!(d.records.inspect_copy(&copy.path).await.unwrap_err().fault, e.fault);
    // Opened once by whoever may write it, it is whole.
    copy.run("CREATE TABLE repaired(x)").await;
    d.records.restore(&copy.path).await.unwrap();
}

/// A small generator of numbers that are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[tokio::test]
async fn damaged_copies_are_refused_or_restored_as_they_are() {
    let source = Deployment::of(KINDS[2]).await;
    source.run("CREATE INDEX by_hash ON chapter_metadata(content_hash); CREATE TABLE notes(x); INSERT INTO notes VALUES (1), ('two');
                CREATE VIEW v AS SELECT * FROM notes; CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; END").await;
    let good = std::fs::read(source.copied().await.path).unwrap();
    let d = Deployment::of(KINDS[2]).await;
    let copy = d.dir.path().join("copy.db");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut restored = 0;
    for round in 0..200 {
        let mut bytes = good.clone();
        match round % 4 {
            // Where the header and the schema are, every other time.
            0 => bytes[numbers.below(good.len().min(4096))] ^= 1 << numbers.below(8),
            1 => bytes[numbers.below(good.len())] ^= 1 << numbers.below(8),
            2 => bytes[numbers.below(good.len())] = numbers.below(256) as u8,
            _ => bytes.truncate(numbers.below(good.len())),
        }
        std::fs::write(&copy, &bytes).unwrap();
        let before = std::fs::read(&d.path).unwrap();
        let registry = (d.table("version_registry").await, d.table("operation_log").await);
        match d.records.restore(&copy).await {
            Ok(found) => {
                restored += 1;
                let told = d.records.inspect_copy(&copy).await.unwrap();
                assert_eq!((Some(&found), &told.faults), (told.chapters.as_ref(), &vec![]), "{round}");
                assert_eq!(d.records.production().await.unwrap(), found, "{round}");
                assert!(found.digest.is_some());
            }
            Err(e) => {
                assert!(std::fs::read(&d.path).unwrap() == before, "{round}: {e}");
                assert!(!matches!(e.fault, Fault::Busy | Fault::Unexpected | Fault::Changed), "{round}: {e}");
            }
        }
        assert!((d.table("version_registry").await, d.table("operation_log").await) == registry, "{round}");
        assert!(std::fs::read(&copy).unwrap() == bytes, "{round}: the copy was written");
    }
    assert!(restored > 0 && restored < 150, "{restored}");
}
