//! Rows as real and hostile registries hold them: all listed, none believed.

use std::collections::BTreeSet;

use rollback::store::{Fault, MarkRequest, RecordStore};
use rollback_types::{Candidacy, Layout, VersionId, VersionQuery, VersionRow, VersionSort, VersionState};

use crate::fixture::{Deployment, PIPELINE, SHARED, target};

pub async fn walk(d: &Deployment, sort: VersionSort, limit: u32) -> Vec<VersionRow> {
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
        let counted: u64 = d.records.state_counts(None).await.unwrap().iter().map(|c| c.count).sum();
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

#[tokio::test]
async fn ids_come_in_one_look_in_the_order_of_the_pages() {
    let d = Deployment::with(SHARED).await;
    d.run("INSERT INTO version_registry (version_id, status, created_at)
           WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
           SELECT printf('v%d_minor', i * 7919 % 100003), CASE i % 3 WHEN 0 THEN 'failed' WHEN 1 THEN 'committed' ELSE 'odd' END,
                  datetime('2020-01-01', (i / 7) || ' seconds') FROM n").await;
    d.run("INSERT INTO version_registry (version_id, status, created_at) VALUES ('a''b\"; DROP', 'failed', 'no time')")
        .await;
    let states = [VersionState::Failed, VersionState::from("odd")];
    let mut query = VersionQuery { limit: Some(200), status: states.to_vec(), ..VersionQuery::default() };
    let mut walked = Vec::new();
    loop {
        let page = d.records.versions(&query).await.unwrap();
        walked.extend(page.items.into_iter().map(|row| (row.version_id, row.status)));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(walked.len(), 1_001);
    assert_eq!(d.records.ids_in(&states).await.unwrap(), walked);
    assert_eq!(d.records.ids_in(&[VersionState::Committed]).await.unwrap().len(), 500);
}
