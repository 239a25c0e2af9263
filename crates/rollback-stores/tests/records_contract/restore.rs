//! Production from a copy: all of the copy's tables, and none of what must stay ours.

use rollback::store::RecordStore;

use crate::fixture::{Deployment, KINDS, SHARED};

/// What an ingestion that failed leaves behind, all over the file.
pub const DAMAGE: &str = "
UPDATE chapter_metadata SET content_hash = 'overwritten', version = NULL WHERE textbook_id = 'bailey';
DELETE FROM chapter_metadata WHERE textbook_id = 'schwartz';
INSERT INTO chapter_metadata (textbook_id, chapter_number, content_hash) VALUES ('bailey','99','new'), ('bailey','98','new');
";

const KEPT: [&str; 3] = ["version_registry", "operation_log", "chapter_metadata_latest_copy20261123_141847"];

async fn mixed() -> Deployment {
    let d = Deployment::of(KINDS[0]).await;
    d.run("ALTER TABLE version_registry ADD COLUMN chapters_count INTEGER DEFAULT 0").await;
    d
}

#[tokio::test]
async fn chapters_come_back_and_registry_log_and_staging_stay() {
    let mut deployments = vec![(mixed().await, KINDS[0])];
    for kind in KINDS {
        deployments.push((Deployment::of(kind).await, kind));
    }
    for (d, kind) in deployments {
        d.run(&format!("CREATE TABLE {} AS SELECT * FROM chapter_metadata", KEPT[2])).await;
        let good = d.records.production().await.unwrap();
        let copy = d.copied().await;
        let good_rows = d.table("chapter_metadata").await;
        d.run(DAMAGE).await;
        // The registry, the log and the staging tables go on after the copy was made.
        let staging = kind.staging_table();
        d.run(&format!(
            "UPDATE version_registry SET status = 'rolling_back' WHERE version_id = '{0}';
             DELETE FROM version_registry WHERE version_id LIKE 'v2%' OR version_id LIKE '%141838';
             UPDATE operation_log SET status = 'in_progress', id = 70 WHERE id = 1;
             DELETE FROM {staging} WHERE chapter_number = '1'; UPDATE {1} SET content_hash = x'00ff';
             CREATE INDEX log_by_state ON operation_log(status);
             CREATE TRIGGER on_log AFTER DELETE ON operation_log BEGIN SELECT RAISE(ABORT, 'never'); END",
            kind.target(),
            KEPT[2],
        ))
        .await;
        let mut kept = Vec::new();
        for table in KEPT.into_iter().chain([staging]) {
            kept.push(d.table(table).await);
        }
        let (dump, log_sequence) = (d.dump().await, d.value(SEQUENCE_OF_LOG).await);
        let copy_bytes = std::fs::read(&copy.path).unwrap();

        for round in 0..2 {
            assert_eq!(d.records.restore(&copy.path).await.unwrap(), good, "{kind:?} {round}");
            assert_eq!(d.table("chapter_metadata").await, good_rows);
            assert_eq!(d.records.production().await.unwrap(), good);
            for (table, before) in KEPT.into_iter().chain([staging]).zip(&kept) {
                assert_eq!(d.table(table).await, *before, "{kind:?} {table}");
            }
            assert_eq!(d.value(SEQUENCE_OF_LOG).await, log_sequence);
            assert_eq!(d.value("SELECT seq FROM sqlite_sequence WHERE name = 'chapter_metadata'").await, "5");
            let sorted = |dump: &str| {
                let mut lines: Vec<_> =
                    dump.lines().filter(|l| !l.contains("chapter_metadata")).map(String::from).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&d.dump().await), sorted(&dump), "{kind:?}");
        }
        assert_eq!(d.value("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'").await, "1");
        let mode = d.value("SELECT journal_mode FROM pragma_journal_mode").await;
        assert_eq!(mode, if kind.wal { "wal" } else { "delete" }, "left as it was");
        assert!(std::fs::read(&copy.path).unwrap() == copy_bytes, "not a byte of the copy was written");
        assert_eq!(std::fs::read_dir(copy.dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

const SEQUENCE_OF_LOG: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'operation_log'";

/// Names, types and schemas as nobody would write them by hand.
const RICH: &str = r#"
CREATE TABLE "a ""b"" [c] `d`; -- e"("se""lect" TEXT DEFAULT 'x;''y', "from" INTEGER, "ünï" BLOB, "rowid" REAL);
INSERT INTO "a ""b"" [c] `d`; -- e" (_rowid_, "se""lect", "from", "ünï", "rowid") VALUES
  (7, NULL, NULL, NULL, NULL), (9, 'a', 9223372036854775807, x'00ff00', 1.5), (40, '', 'no number', 'text in a blob', 2),
  (41, CAST(x'ff80' AS TEXT), 0.1, 0.1, 'no real'), (9000000000, 12, '12', zeroblob(70000), 1e300), (-5, 1.0, 1.0, 1.0, -0.0);
CREATE TABLE plain(anything);
INSERT INTO plain(rowid, anything) VALUES (3, 1), (1, '1'), (2, 1.0), (100, x'31'), (5, NULL);
CREATE TABLE kv(k TEXT COLLATE NOCASE, n INTEGER, v, PRIMARY KEY (n, k DESC)) WITHOUT ROWID;
INSERT INTO kv VALUES ('b', 1, x'01'), ('A', 1, NULL), ('a', 2, 3.5), ('', -1, 'x');
CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, doubled AS (id * 2), squared INTEGER AS (id * id) STORED, note);
INSERT INTO counted(id, note) VALUES (3, 'three'), (5, NULL); DELETE FROM counted WHERE id = 5;
CREATE TABLE reversed(id INTEGER PRIMARY KEY DESC, v); INSERT INTO reversed(rowid, id, v) VALUES (10, 1, 'a'), (4, 2, 'b');
CREATE TABLE exact(i INT NOT NULL, r REAL, t TEXT, b BLOB, a ANY, CHECK (i > 0)) STRICT;
INSERT INTO exact VALUES (1, 2, 't', x'', '000'), (2, NULL, NULL, NULL, 7);
CREATE TABLE child(chapter INTEGER REFERENCES chapter_metadata(id) ON DELETE CASCADE); INSERT INTO child VALUES (1), (2), (NULL);
CREATE TABLE rowid_less_names(rowid, _rowid_, oid); INSERT INTO rowid_less_names VALUES (1, 2, 3), (NULL, 'x', 1.5);
CREATE TABLE chapter_metadata_history(x); INSERT INTO chapter_metadata_history VALUES ('production, for all its name');
CREATE UNIQUE INDEX "in ""dex" ON counted(note) WHERE note IS NOT NULL;
CREATE INDEX by_expression ON chapter_metadata(lower(textbook_id), chapter_number DESC);
CREATE VIEW "v;iew" AS SELECT textbook_id || ';' AS t FROM chapter_metadata;
CREATE TRIGGER instead INSTEAD OF INSERT ON "v;iew" BEGIN INSERT INTO plain VALUES (CASE WHEN 1 THEN 'x;' END); END;
CREATE TRIGGER fires AFTER INSERT ON plain BEGIN UPDATE version_registry SET status = 'touched'; DELETE FROM operation_log; END;
"#;

const RICH_TABLES: [&str; 9] = [
    "a \"b\" [c] `d`; -- e",
    "plain",
    "kv",
    "counted",
    "reversed",
    "exact",
    "child",
    "chapter_metadata_history",
    "chapter_metadata",
];

#[tokio::test]
async fn every_table_index_view_and_trigger_of_the_copy_replaces_ours() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        d.run(RICH).await;
        let copy = d.copied().await;
        let schema = copy.schema().await;
        let mut rows = Vec::new();
        for table in RICH_TABLES {
            rows.push(copy.table(table).await);
        }
        let three = "SELECT group_concat(quote(rowid) || quote(_rowid_) || quote(oid)) FROM rowid_less_names";
        let numbering = "SELECT group_concat(name || seq) FROM (SELECT * FROM sqlite_sequence ORDER BY name)";
        let (unnamed, numbers) = (copy.value(three).await, copy.value(numbering).await);
        d.run(
            r#"DROP TABLE "a ""b"" [c] `d`; -- e"; CREATE TABLE "A ""B"" [C] `D`; -- E"(other, "columns");
               DROP TRIGGER fires; CREATE TRIGGER fires AFTER UPDATE ON plain BEGIN SELECT 1; END; DELETE FROM plain;
               DROP TABLE kv; CREATE VIEW kv AS SELECT 1; DROP VIEW "v;iew"; CREATE TABLE "v;iew"(was, a, view);
               DROP TABLE counted; DROP TABLE chapter_metadata; CREATE TABLE Chapter_Metadata(empty);
               UPDATE chapter_metadata_history SET x = 'changed'; DELETE FROM rowid_less_names;
               CREATE TABLE ours_alone(x); INSERT INTO ours_alone VALUES (1); CREATE INDEX ours_by_x ON ours_alone(x);"#,
        )
        .await;
        let registry = d.table("version_registry").await;
        d.records.restore(&copy.path).await.unwrap();
        let mut found = d.schema().await;
        found.retain(|line| !line.contains("ours_alone"));
        assert_eq!(found, schema);
        for (table, rows) in RICH_TABLES.into_iter().zip(rows) {
            assert_eq!(d.table(table).await, rows, "{table}");
        }
        assert_eq!((d.value(three).await, d.value(numbering).await), (unnamed, numbers));
        assert_eq!(d.table("ours_alone").await.len(), 1, "what the copy does not know stays");
        assert_eq!(d.table("version_registry").await, registry, "no trigger fired");
        assert_eq!(d.value("SELECT COUNT(*) FROM sqlite_master WHERE name = 'ours_by_x'").await, "1");
        // The next number is the one after the copy's last, not after ours.
        d.run("INSERT INTO counted(note) VALUES ('next')").await;
        assert_eq!(d.value("SELECT MAX(id) FROM counted").await, "6");
        assert_eq!(d.value("SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'").await, "1");
    }
}

#[tokio::test]
async fn a_table_that_is_gone_comes_back_and_staging_in_the_copy_stays_there() {
    let d = Deployment::of(KINDS[2]).await;
    d.run("CREATE TABLE chapter_metadata_latest_copy1(x); INSERT INTO version_registry (version_id, timestamp, status) VALUES ('odd one', 't', 'staging');
           CREATE TABLE \"chapter_metadata_odd one\"(x); INSERT INTO \"chapter_metadata_odd one\" VALUES (1);").await;
    let copy = d.copied().await;
    d.run("DROP TABLE chapter_metadata; DROP TABLE chapter_metadata_latest_copy1; UPDATE \"chapter_metadata_odd one\" SET x = 2;
           DROP TABLE chapter_metadata_staging20261123_141850").await;
    let restored = d.records.restore(&copy.path).await.unwrap();
    assert_eq!(restored.rows, Some(5));
    let left = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE name LIKE 'chapter%' ORDER BY 1)";
    assert_eq!(d.value(left).await, "chapter_metadata,chapter_metadata_odd one");
    assert_eq!(d.value("SELECT x FROM \"chapter_metadata_odd one\"").await, "2", "staging by the registry's word");
}

#[tokio::test]
async fn a_copy_in_wal_mode_is_read_with_its_log_and_without_leaving_files() {
    let d = Deployment::of(KINDS[0]).await;
    let closed = Deployment::of(KINDS[1]).await;
    closed.run("UPDATE chapter_metadata SET content_hash = 'closed'").await;
    d.records.restore(&closed.path).await.unwrap();
    assert_eq!(d.value("SELECT COUNT(*) FROM chapter_metadata WHERE content_hash = 'closed'").await, "5");
    assert_eq!(std::fs::read_dir(closed.dir.path()).unwrap().count(), 1);

    let mut open = closed.other().await;
    sqlx::query("UPDATE chapter_metadata SET content_hash = 'in the log'").execute(&mut open).await.unwrap();
    d.records.restore(&closed.path).await.unwrap();
    assert_eq!(d.value("SELECT COUNT(*) FROM chapter_metadata WHERE content_hash = 'in the log'").await, "5");
    let log = closed.path.with_file_name("meta data%20#1?.db-wal");
    assert!(log.metadata().unwrap().len() > 0, "the copy's log was left as it was");
}

#[tokio::test]
async fn a_trial_touches_nothing_and_leaves_nothing() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let good = d.records.production().await.unwrap();
        let copy = d.copied().await;
        d.run(DAMAGE).await;
        let before = (d.dump().await, d.table("chapter_metadata").await);
        let folder = tempfile::tempdir().unwrap();
        let scratch = folder.path().join("deep/scra tch#.db");
        for leftover in ["", "-wal", "-journal", "-shm"] {
            let mut name = scratch.as_os_str().to_owned();
            name.push(leftover);
            std::fs::create_dir_all(scratch.parent().unwrap()).unwrap();
            std::fs::write(name, "left by a trial that was killed").unwrap();
        }
        assert_eq!(d.records.trial_restore(&copy.path, &scratch).await.unwrap(), good);
        std::fs::write(&copy.path, "damaged").unwrap();
        d.records.trial_restore(&copy.path, &scratch).await.unwrap_err();
        assert_eq!(std::fs::read_dir(scratch.parent().unwrap()).unwrap().count(), 0);
        assert_eq!((d.dump().await, d.table("chapter_metadata").await), before);
    }
}

#[tokio::test]
async fn an_empty_database_can_be_filled() {
    let copy = Deployment::of(KINDS[0]).await;
    let d = Deployment::nowhere();
    std::fs::write(&d.path, "").unwrap();
    assert_eq!(d.records.restore(&copy.path).await.unwrap(), copy.records.production().await.unwrap());
    let only = Deployment::with(SHARED).await;
    only.records.restore(&copy.path).await.unwrap();
    assert_eq!(only.value("SELECT COUNT(*) FROM version_registry").await, "0");
}
