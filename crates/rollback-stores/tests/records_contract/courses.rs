//! Versions over time, and how many a search finds of each state.

use rollback::store::RecordStore;
use rollback_types::{VersionId, VersionRow, VersionSort, VersionState};

use crate::fixture::{Deployment, KINDS};
use crate::hostile_rows::walk;

/// A registry that has grown: `old_0001` the oldest of them.
async fn grown(d: &Deployment, per_version: bool, count: u32) {
    let mut other = d.other().await;
    let moment = "datetime('2001-01-01', i || ' hours')";
    let (column, value) = if per_version { (", timestamp", format!(", {moment}")) } else { ("", String::new()) };
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO version_registry (version_id, status, created_at{column}) \
         SELECT printf('old_%04d', i), CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'archived' END, {moment}{value} FROM n"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
}

#[tokio::test]
async fn few_versions_are_all_in_their_course_and_many_are_a_sample_of_it() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let all = walk(&d, VersionSort::CreatedAsc, 200).await;
        let course = d.records.course(&[]).await.unwrap();
        let ids = |rows: &[VersionRow]| rows.iter().map(|v| v.version_id.clone()).collect::<Vec<_>>();
        assert_eq!((course.total, ids(&course.versions)), (all.len() as u64, ids(&all)), "{kind:?}");

        grown(&d, kind.per_version, 1_000).await;
        let named = [VersionId::new("old_0003"), VersionId::new("old_0333"), VersionId::new("never was")];
        let course = d.records.course(&named).await.unwrap();
        assert_eq!(course.total, 1_000 + all.len() as u64);
        let ids: Vec<_> = course.versions.iter().map(|v| v.version_id.as_str()).collect();
        assert!((60..=62).contains(&ids.len()), "{ids:?}");
        assert!(ids.contains(&"old_0003") && ids.contains(&"old_0333"), "{ids:?}");
        assert_eq!(ids.last(), all.last().map(|v| v.version_id.as_str()).as_ref(), "the newest is always there");
        assert!(course.versions.windows(2).all(|w| w[0].created_at <= w[1].created_at));
        // Spread evenly: no part of the row is left out.
        let places: Vec<i32> = ids.iter().filter_map(|id| id.strip_prefix("old_")?.parse().ok()).collect();
        assert!(places.windows(2).all(|w| w[1] - w[0] <= 18), "{places:?}");
    }
}

#[tokio::test]
async fn a_named_version_without_a_time_stands_first_and_is_not_counted() {
    let d = Deployment::of(KINDS[0]).await;
    let mut other = d.other().await;
    let sql = "INSERT INTO version_registry (version_id, status, created_at) VALUES ('timeless', 'archived', NULL)";
    sqlx::query(sql).execute(&mut other).await.unwrap();
    let before = d.records.course(&[]).await.unwrap();
    assert!(before.versions.iter().all(|v| v.version_id.as_str() != "timeless"));
    let course = d.records.course(&[VersionId::new("timeless")]).await.unwrap();
    assert_eq!((course.total, course.versions[0].version_id.as_str()), (before.total, "timeless"));
}

#[tokio::test]
async fn states_are_counted_among_what_a_search_finds() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        grown(&d, kind.per_version, 200).await;
        let counts = d.records.state_counts(Some("OLD_01")).await.unwrap();
        let of = |state: VersionState| counts.iter().find(|c| c.status == state).map(|c| c.count);
        // old_0100 to old_0199, of which the first failed.
        assert_eq!((of(VersionState::Failed), of(VersionState::Archived)), (Some(1), Some(99)), "{kind:?}");
        assert_eq!(counts.len(), 2, "no state that the search does not find: {counts:?}");
        assert_eq!(d.records.state_counts(Some("no such thing")).await.unwrap(), []);
        let all: u64 = d.records.state_counts(None).await.unwrap().iter().map(|c| c.count).sum();
        assert!(all > 200, "one search's counts are not another's");
    }
}

#[tokio::test]
async fn numbers_sort_as_numbers_whatever_a_registry_holds() {
    let d = Deployment::of(KINDS[0]).await;
    let mut other = d.other().await;
    sqlx::query("DELETE FROM version_registry").execute(&mut other).await.unwrap();
    for (id, count) in
        [("a", "9"), ("b", "100"), ("c", "-5"), ("d", "-9223372036854775808"), ("e", "NULL"), ("f", "'many'")]
    {
        let sql = format!(
            "INSERT INTO version_registry (version_id, status, chapter_count) VALUES ('{id}', 'archived', {count})"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
    }
    let ids = |rows: Vec<VersionRow>| rows.iter().map(|v| v.version_id.to_string()).collect::<String>();
    assert_eq!(ids(walk(&d, VersionSort::ChaptersAsc, 2).await), "dcabef");
    assert_eq!(ids(walk(&d, VersionSort::ChaptersDesc, 2).await), "bacdfe");
}
