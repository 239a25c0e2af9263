//! Hostile rows and broken files: shown or named, never a panic, a lost row or a change.

mod records_fixture;

use std::collections::BTreeSet;

use records_fixture::{Deployment, KINDS, PIPELINE, SHARED, records, target};
use rollback::store::{Fault, MarkRequest, RecordStore, StoreError};
use rollback_types::{Candidacy, Layout, VersionId, VersionQuery, VersionRow, VersionSort, VersionState};

async fn walk(d: &Deployment, sort: VersionSort, limit: u32) -> Vec<VersionRow> {
    let mut found = Vec::new();
    let mut query = VersionQuery { sort, limit: Some(limit), ..VersionQuery::default() };
    loop {
        let page = d.records.versions(&query).await.unwrap();
        found.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return found;
        }
        assert!(query.cursor.as_ref().unwrap().0.len() < 1_200, "a cursor stays short");
    }
}

async fn every_view(d: &Deployment) -> Vec<StoreError> {
    let t = target("v2");
    let none = VersionQuery::default();
    let answers = [
        d.records.probe().await.err(),
        d.records.schema().await.err(),
        d.records.versions(&none).await.err(),
        d.records.version(&VersionId::new("v2")).await.err(),
        d.records.state_counts().await.err(),
        d.records.operations(t.id(), 5).await.err(),
        d.records.open_operations().await.err(),
        d.records.staging(&t).await.err(),
        d.records.production().await.err(),
    ];
    answers.into_iter().flatten().collect()
}

#[tokio::test]
async fn the_pipelines_own_registry_is_read_as_it_is() {
    let d = Deployment::with(PIPELINE).await;
    let schema = d.records.schema().await.unwrap();
    assert_eq!((schema.layout, schema.writable_shape), (Layout::PerVersion, true));
    let all = walk(&d, VersionSort::CreatedDesc, 4).await;
    let offered: Vec<_> = all.iter().filter(|v| v.candidacy.is_offered()).map(|v| v.version_id.as_str()).collect();
    assert_eq!(offered, ["staging20261123_141850"], "safety backups that stay pending are no candidates");
    let killed = &all[0];
    assert!(killed.status_message.as_ref().unwrap().contains("Qdrant versioned=51, Neo4j=50"));
    assert_eq!(killed.created_at.unwrap().to_string(), "2026-11-23T14:18:53.000Z", "UTC");
    assert_eq!(
        killed.updated_at.unwrap().to_string(),
        "2026-11-23T08:48:53.437Z",
        "local time, five and a half hours east"
    );
    assert_eq!(killed.sqlite_snapshot.as_deref(), Some("chapter_metadata_staging20261123_141850"));
    assert_eq!((killed.chapter_count, killed.paragraph_count), (Some(0), None));
    assert!(all.iter().all(|v| v.oddities.is_empty()));
    // `rollback_start` stays pending for ever.
    assert_eq!(d.records.open_operations().await.unwrap(), []);
    let log = d.records.operations(&VersionId::new("staging20261123_141841"), 3).await.unwrap();
    assert_eq!(log.iter().map(|o| o.id).collect::<Vec<_>>(), [32, 31, 30]);
    assert!(log[2].details.as_ref().unwrap().starts_with("pipeline · version staging20261123_141841 · ['Count"));
    // The registry names a staging table that nothing ever made.
    assert!(!d.records.staging(&target("staging20261123_141850")).await.unwrap().present);
}

#[tokio::test]
async fn local_and_utc_times_sort_together() {
    let d = Deployment::with(PIPELINE).await;
    // 20:00 local time is 14:30 UTC: between the two others.
    d.run(
        "UPDATE version_registry SET updated_at = '2020-01-01 00:00:00';
           UPDATE version_registry SET updated_at = '2026-11-23 14:00:00' WHERE rowid = 1;
           UPDATE version_registry SET updated_at = '2026-11-23T20:00:00.000001' WHERE rowid = 2;
           UPDATE version_registry SET updated_at = '2026-11-23 15:00:00' WHERE rowid = 3;",
    )
    .await;
    let ids: Vec<_> = walk(&d, VersionSort::UpdatedDesc, 3).await.into_iter().take(3).map(|v| v.version_id).collect();
    let wanted = ["staging20261123_141820", "latest_copy20261123_141819", "v1_baseline_20261123_141810"];
    assert_eq!(ids, wanted.map(VersionId::new));
}

#[tokio::test]
async fn the_mixed_layout_is_read_as_the_specifications() {
    let d = Deployment::with(&format!(
        "{SHARED} ALTER TABLE version_registry ADD COLUMN chapters_count INTEGER;
         INSERT INTO version_registry (version_id, status, chapter_count, chapters_count) VALUES ('v2', 'staging', 7, 0)"
    ))
    .await;
    let schema = d.records.schema().await.unwrap();
    assert_eq!((schema.layout, schema.writable_shape), (Layout::Mixed, true));
    assert!(schema.findings.iter().any(|f| f.contains("chapters_count")), "{:?}", schema.findings);
    assert!(schema.findings.iter().any(|f| f.contains("chapter_metadata")), "{:?}", schema.findings);
    assert_eq!(walk(&d, VersionSort::IdAsc, 5).await[0].chapter_count, Some(7));
    assert_eq!(d.records.staging(&target("v2")).await.unwrap().name, "chapter_metadata_staging");
}

#[tokio::test]
async fn hostile_ids_are_listed_harmlessly() {
    for sql in [SHARED, PIPELINE] {
        let d = Deployment::with(sql).await;
        let per_version = sql == PIPELINE;
        let long = "y".repeat(10_000);
        let almost = format!("{}z", "y".repeat(9_999));
        let hostile = [
            "a'b",
            "a\"b",
            "a`b",
            "../../etc/passwd",
            "<script>alert(1)</script>",
            "x; DROP TABLE version_registry; --",
            "",
            "tab\there",
            "bell\u{7}",
            "nul\0inside",
            "ünïcödé",
            "%_%",
            "-x",
            long.as_str(),
            almost.as_str(),
        ];
        let mut other = d.other().await;
        sqlx::query("DELETE FROM version_registry").execute(&mut other).await.unwrap();
        let (columns, value) = if per_version { (", timestamp", ", 't'") } else { ("", "") };
        let insert = format!(
            "INSERT INTO version_registry (version_id, status{columns}) VALUES (CAST(? AS TEXT), 'staging'{value})"
        );
        for id in hostile {
            sqlx::query(sqlx::AssertSqlSafe(insert.clone())).bind(id.as_bytes()).execute(&mut other).await.unwrap();
        }
        sqlx::query(sqlx::AssertSqlSafe(insert.clone()))
            .bind(&b"broken\xff\xfe"[..])
            .execute(&mut other)
            .await
            .unwrap();
        let blob = insert.replace("CAST(? AS TEXT)", "?");
        sqlx::query(sqlx::AssertSqlSafe(blob)).bind(&b"blob"[..]).execute(&mut other).await.unwrap();
        let before = d.dump().await;

        for (sort, _) in VersionSort::ALL {
            for limit in [1, 4, 200] {
                let found: BTreeSet<_> =
                    walk(&d, sort, limit).await.into_iter().map(|v| v.version_id.to_string()).collect();
                let wanted = hostile
                    .iter()
                    .map(|h| (*h).to_owned())
                    .chain(["broken\u{FFFD}\u{FFFD}".to_owned(), "blob".to_owned()]);
                assert_eq!(found, wanted.collect(), "{sort:?} {limit}");
            }
        }
        for row in walk(&d, VersionSort::IdAsc, 200).await {
            let safe = ["blob"].contains(&row.version_id.as_str());
            assert_eq!(matches!(row.candidacy, Candidacy::Refused(_)), !safe, "{:?}", row.version_id);
            assert_eq!(d.records.version(&row.version_id).await.unwrap().as_ref(), Some(&row));
            let odd = row.version_id.as_str().contains('\u{FFFD}') || safe;
            assert_eq!(row.oddities.iter().any(|o| o.contains("version_id")), odd, "{:?}", row.oddities);
            d.records.operations(&row.version_id, 5).await.unwrap();
            let query = VersionQuery { q: Some(row.version_id.to_string()), ..VersionQuery::default() };
            d.records.versions(&query).await.unwrap();
        }
        // What is shown like an id is not that id: no text row says `blob`, and nothing is marked.
        let request = MarkRequest {
            target: target("blob"),
            expected: VersionState::Staging,
            reason: "r".into(),
            run_key: "k".into(),
        };
        assert_eq!(d.records.mark_rolling_back(&request).await.unwrap_err().fault, Fault::Changed);
        assert_eq!(d.dump().await, before);
    }
}

#[tokio::test]
async fn garbage_in_any_column_becomes_an_oddity() {
    let junk = [
        "NULL",
        "x'00ff'",
        "-1",
        "9223372036854775807",
        "1.5e300",
        "'garbage'",
        "CAST(x'fffe' AS TEXT)",
        "printf('%.*c', 1000000, 'm')",
        "''",
    ];
    for sql in [SHARED, PIPELINE] {
        let d = Deployment::nowhere();
        // Without its constraints any column takes anything.
        d.run(
            &sql.replace("NOT NULL", "")
                .replace("UNIQUE", "")
                .replace("version_id TEXT PRIMARY KEY", "version_id TEXT"),
        )
        .await;
        d.run("DELETE FROM version_registry; DELETE FROM operation_log;").await;
        let columns =
            d.value("SELECT group_concat(name) FROM pragma_table_info('version_registry') WHERE pk = 0").await;
        let mut rows = 0;
        for column in columns.split(',') {
            for value in junk {
                d.run(&format!("INSERT INTO version_registry ({column}) VALUES ({value})")).await;
                rows += 1;
            }
        }
        for value in junk {
            d.run(&format!(
                "INSERT INTO operation_log (version_id, operation_type, status) VALUES ({value}, {value}, 'running'), ('v2', {value}, {value})"
            ))
            .await;
        }
        for (sort, _) in VersionSort::ALL {
            let found = walk(&d, sort, 7).await;
            assert_eq!(found.len(), rows, "{sort:?}");
            assert!(
                found
                    .iter()
                    .all(|v| !v.oddities.is_empty() && v.notes.as_ref().is_none_or(|n| n.chars().count() <= 2_001))
            );
        }
        let told: Vec<_> = walk(&d, VersionSort::IdAsc, 200).await.into_iter().flat_map(|v| v.oddities).collect();
        for wanted in [
            "status is NULL",
            "version_id is NULL",
            "created_at is no time",
            "chapter_count is no whole number",
            "holds a blob",
            "no UTF-8",
        ] {
            assert!(told.iter().any(|o| o.contains(wanted)), "{wanted}");
        }
        let counted: u64 = d.records.state_counts().await.unwrap().iter().map(|c| c.count).sum();
        assert_eq!(counted as usize, rows);
        let none =
            VersionQuery { status: vec![VersionState::from("(none)")], limit: Some(200), ..VersionQuery::default() };
        assert!(!d.records.versions(&none).await.unwrap().items.is_empty(), "what is shown can be filtered by");
        assert!(d.records.version(&VersionId::new("(none)")).await.unwrap().is_some());
        assert_eq!(d.records.open_operations().await.unwrap().len(), junk.len());
        assert_eq!(d.records.operations(&VersionId::new("v2"), 50).await.unwrap().len(), junk.len());
    }
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
        assert_eq!(d.records.drop_staging(&target("v2")).await.unwrap_err().fault, Fault::Foreign);
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
async fn a_log_that_demands_more_than_we_know_is_left_alone() {
    let d = Deployment::with(&SHARED.replace("details TEXT", "details TEXT, ticket TEXT NOT NULL")).await;
    d.run("INSERT INTO version_registry (version_id, status) VALUES ('v2', 'staging')").await;
    let schema = d.records.schema().await.unwrap();
    assert!(!schema.writable_shape && schema.findings.iter().any(|f| f.contains("ticket")), "{schema:?}");
    let request =
        MarkRequest { target: target("v2"), expected: VersionState::Staging, reason: "r".into(), run_key: "k".into() };
    assert!(d.records.mark_rolling_back(&request).await.unwrap_err().detail.contains("ticket"));
    assert_eq!(d.value("SELECT status FROM version_registry").await, "staging");
}

#[tokio::test]
async fn only_a_table_of_the_staging_pattern_is_ever_dropped() {
    let d = Deployment::of(KINDS[2]).await;
    d.run(
        "CREATE VIEW chapter_metadata_v9 AS SELECT * FROM chapter_metadata;
           CREATE TABLE Chapter_Metadata_V8(id, version); CREATE TABLE chapter_metadata_staging(id);",
    )
    .await;
    assert_eq!(d.records.drop_staging(&target("v9")).await.unwrap_err().fault, Fault::Refused);
    assert_eq!(
        d.records.staging(&target("v8")).await.unwrap().name,
        "Chapter_Metadata_V8",
        "SQLite's names know no case"
    );
    d.records.drop_staging(&target("v8")).await.unwrap();
    d.records.drop_staging(&KINDS[2].target()).await.unwrap();
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

#[tokio::test]
async fn a_hundred_thousand_versions_are_walked_page_by_page() {
    let d = Deployment::with(SHARED).await;
    // Many share a second: ids decide.
    d.run("INSERT INTO version_registry (version_id, status, created_at, notes)
           WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
           SELECT printf('v%d_minor', i * 7919 % 100003), 'committed', datetime('2020-01-01', (i / 7) || ' seconds'), 'n' FROM n").await;
    let mut query = VersionQuery { limit: Some(200), ..VersionQuery::default() };
    let (mut seen, mut last) = (BTreeSet::new(), None);
    loop {
        let page = d.records.versions(&query).await.unwrap();
        for row in page.items {
            let key = (row.created_at, row.version_id.clone());
            assert!(last.is_none_or(|l| l > key), "newest first, then by id");
            seen.insert(row.version_id);
            last = Some(key);
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 100_000);
}
