//! Versions that were committed after a moment are counted in one look, and only the newest are named.

use std::collections::BTreeSet;

use rollback::store::{CommittedBy, CommittedQuery, CommittedVersions, RecordStore};
use rollback_types::{Timestamp, VersionId, VersionQuery, VersionRow, VersionState};

use crate::fixture::{Deployment, KINDS, Kind};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Rows of every state, with and without a time that can be told, in both spellings.
async fn with_many(kind: Kind) -> Deployment {
    let d = Deployment::of(kind).await;
    for (n, state) in
        ["committed", "in_use", "restored", "archived", "failed", "staging"].into_iter().cycle().take(60).enumerate()
    {
        // Five and a half hours east of UTC: a local time of the 2nd may be a moment of the 1st.
        let (day, hour) = (1 + n / 10, n % 24);
        let created = match n % 3 {
            0 => format!("'2026-12-{day:02}T{hour:02}:00:00.5'"),
            1 => format!("'2026-12-{day:02} {hour:02}:00:00'"),
            _ => ["NULL", "'soon'", "x'00'"][n % 9 / 3].to_owned(),
        };
        let id =
            if n % 20 == 4 { format!("latest_copy202612{n:02}_000000") } else { format!("v{n}_minor_20261201_000000") };
        let columns = if kind.per_version {
            "version_id, timestamp, status, created_at"
        } else {
            "version_id, notes, status, created_at"
        };
        d.run(&format!("INSERT OR IGNORE INTO version_registry ({columns}) VALUES ('{id}', '2026-12-01T00:00:00', '{state}', {created})")).await;
    }
    d
}

/// By the pages that people look at.
async fn walked(d: &Deployment, query: &CommittedQuery) -> Vec<VersionId> {
    let mut pages = VersionQuery { status: query.states(), limit: Some(7), ..VersionQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = d.records.versions_read_anew(&pages).await.unwrap();
        found.extend(page.items.into_iter().filter(|row| is_later(row, query)).map(|row| row.version_id));
        match page.next_cursor {
            Some(cursor) => pages.cursor = Some(cursor),
            None => return found,
        }
    }
}

fn is_later(row: &VersionRow, query: &CommittedQuery) -> bool {
    let after = |time: Option<Timestamp>| time.zip(query.since).map(|(time, since)| time > since);
    let later = match query.by {
        CommittedBy::Made => after(row.created_at).unwrap_or(row.status != VersionState::Archived),
        CommittedBy::Written => [row.created_at, row.updated_at].iter().any(|time| after(*time) == Some(true)),
    };
    later && !row.version_id.is_safety_backup() && Some(&row.version_id) != query.except.as_ref()
}

#[tokio::test]
async fn what_was_committed_since_is_what_the_pages_show() {
    for kind in KINDS {
        let d = with_many(kind).await;
        let mut seen = BTreeSet::new();
        for since in ["2026-09-01T12:00:00Z", "2026-12-01T20:00:00Z", "2026-12-03T02:30:00Z", "2027-01-01T00:00:00Z"] {
            for by in [CommittedBy::Made, CommittedBy::Written] {
                for except in [None, Some(VersionId::new("v0_minor_20261201_000000"))] {
                    let query = CommittedQuery { since: Some(at(since)), by, except };
                    let wanted = walked(&d, &query).await;
                    let found = d.records.committed_since(&query).await.unwrap();
                    assert_eq!(
                        found,
                        CommittedVersions { count: wanted.len() as u64, newest: wanted },
                        "{kind:?} {query:?}"
                    );
                    seen.insert(found.count);
                }
            }
        }
        assert!(seen.len() > 4, "the moments tell them apart: {seen:?}");
    }
}

#[tokio::test]
async fn of_many_the_newest_are_named_and_all_are_counted() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let column = if kind.per_version { "timestamp" } else { "notes" };
        d.run(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO version_registry (version_id, {column}, status, created_at)
             SELECT 'v' || i || '_minor', '2027-01-01T00:00:00', 'committed', datetime('2027-01-01', '+' || (i * 7919 % 1000) || ' minutes') FROM n"
        ))
        .await;
        let query = CommittedQuery { since: Some(at("2026-12-31T00:00:00Z")), by: CommittedBy::Made, except: None };
        let found = d.records.committed_since(&query).await.unwrap();
        assert_eq!((found.count, found.newest.len()), (1_000, CommittedVersions::NAMED), "{kind:?}");
        let page = VersionQuery { limit: Some(200), ..VersionQuery::default() };
        let newest = d.records.versions_read_anew(&page).await.unwrap().items;
        assert!(newest.into_iter().map(|row| row.version_id).eq(found.newest));
    }
}
