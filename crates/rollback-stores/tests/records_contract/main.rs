//! What every registry must do, in both layouts and both journal modes.
#![expect(clippy::unwrap_used, reason = "clippy spares test functions, not what they share")]

mod back_up;
mod bad_files;
mod chapter_lists;
mod committed;
mod copies;
mod courses;
mod fixture;
mod hostile_rows;
mod restore;
mod restore_readers;
mod restore_refused;

use fixture::{Deployment, KINDS, target};
use rollback::store::{AbortNoted, AbortRequest, Fault, FinishRequest, MarkRequest, RecordStore, Removal};
use rollback_types::{Candidacy, Layout, VersionId, VersionQuery, VersionSort, VersionState};

fn mark(target: &rollback_types::RollbackTarget, expected: VersionState, key: &str) -> MarkRequest {
    MarkRequest { target: target.clone(), expected, reason: "check 2 failed".into(), run_key: key.into() }
}

fn finish(target: &rollback_types::RollbackTarget, key: &str) -> FinishRequest {
    FinishRequest {
        target: target.clone(),
        reason: "check 2 failed".into(),
        run_key: key.into(),
        details: "Dropped 3 rows.".into(),
    }
}

#[tokio::test]
async fn versions_are_listed_and_read() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let page = d.records.versions(&VersionQuery::default()).await.unwrap();
        assert_eq!(page.items.len(), if kind.per_version { 9 } else { 3 }, "{kind:?}");
        assert_eq!(page.next_cursor, None);
        let first = &page.items[0];
        assert_eq!(first.version_id.as_str(), kind.target().as_str(), "newest first");
        assert_eq!((&first.status, &first.candidacy), (&VersionState::Staging, &Candidacy::Candidate));
        assert_eq!(first.oddities, Vec::<String>::new());
        assert!(first.created_at.is_some() && first.updated_at.is_some() && first.status_message.is_some());
        assert!(page.items.windows(2).all(|w| w[0].created_at >= w[1].created_at));
        for row in &page.items {
            assert_eq!(d.records.version(&row.version_id).await.unwrap().as_ref(), Some(row));
        }
        assert_eq!(d.records.version(&VersionId::new("v9")).await.unwrap(), None);
        let counted: u64 = d.records.state_counts(None).await.unwrap().iter().map(|c| c.count).sum();
        assert_eq!(counted as usize, page.items.len());
        let schema = d.records.schema().await.unwrap();
        assert_eq!(schema.layout, if kind.per_version { Layout::PerVersion } else { Layout::Shared });
        assert_eq!((schema.findings, schema.writable_shape), (vec![], true));
        let log = d.records.operations(&first.version_id, 10).await.unwrap();
        assert_eq!(log[0].operation_type, "validate");
        assert_eq!(d.records.probe().await.unwrap().warning, None);
    }
}

#[tokio::test]
async fn filters_take_plain_text_and_states() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let ids = async |q: Option<&str>, status: &[VersionState]| {
            let query = VersionQuery { q: q.map(Into::into), status: status.to_vec(), ..VersionQuery::default() };
            let page = d.records.versions(&query).await.unwrap();
            page.items.into_iter().map(|v| v.version_id.to_string()).collect::<Vec<_>>()
        };
        let target = kind.target().to_string();
        assert_eq!(ids(None, &[VersionState::Staging]).await, std::slice::from_ref(&target));
        // No pattern characters, no case.
        assert_eq!(ids(Some("_%_"), &[]).await, Vec::<String>::new());
        if kind.per_version {
            assert_eq!(ids(Some("count MISMATCH"), &[]).await, [target.clone(), "staging20261123_141841".to_owned()]);
            assert_eq!(ids(Some("KILLED"), &[VersionState::Staging]).await, [target]);
        } else {
            assert_eq!(ids(Some("100% OF _"), &[]).await, std::slice::from_ref(&target));
            assert_eq!(ids(Some("edition"), &[VersionState::Staging, VersionState::Pending]).await, [target]);
            assert_eq!(ids(Some("edition"), &[VersionState::Pending]).await, Vec::<String>::new());
        }
    }
}

fn known_first(a: Option<i64>, b: Option<i64>) -> bool {
    a.is_some_and(|a| b.is_none_or(|b| a <= b)) || b.is_none()
}

#[tokio::test]
async fn every_order_walks_every_row_once() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let all = d.records.versions(&VersionQuery::default()).await.unwrap().items.len();
        for (sort, word) in VersionSort::ALL {
            let mut walked = Vec::new();
            let mut cursor = None;
            loop {
                let query = VersionQuery { sort, cursor, limit: Some(2), ..VersionQuery::default() };
                let page = d.records.versions(&query).await.unwrap();
                assert!(page.items.len() <= 2);
                walked.extend(page.items);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            let mut ids: Vec<_> = walked.iter().map(|v| v.version_id.clone()).collect();
            assert_eq!(ids.len(), all, "{word}");
            let in_order = walked.windows(2).all(|w| match sort {
                VersionSort::CreatedDesc => w[0].created_at >= w[1].created_at,
                VersionSort::CreatedAsc => w[0].created_at <= w[1].created_at,
                VersionSort::IdAsc => w[0].version_id < w[1].version_id,
                VersionSort::IdDesc => w[0].version_id > w[1].version_id,
                VersionSort::UpdatedDesc => w[0].updated_at >= w[1].updated_at,
                VersionSort::UpdatedAsc => w[0].updated_at <= w[1].updated_at,
                VersionSort::StatusAsc => w[0].status.as_str() <= w[1].status.as_str(),
                VersionSort::StatusDesc => w[0].status.as_str() >= w[1].status.as_str(),
                VersionSort::ChaptersDesc => w[0].chapter_count >= w[1].chapter_count,
                VersionSort::ChaptersAsc => known_first(w[0].chapter_count, w[1].chapter_count),
                VersionSort::ParagraphsDesc => w[0].paragraph_count >= w[1].paragraph_count,
                VersionSort::ParagraphsAsc => known_first(w[0].paragraph_count, w[1].paragraph_count),
            });
            assert!(in_order, "{kind:?} {word}");
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "{word}");
        }
    }
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused() {
    let d = Deployment::of(KINDS[0]).await;
    let query = VersionQuery { limit: Some(1), ..VersionQuery::default() };
    let ours = d.records.versions(&query).await.unwrap().next_cursor.unwrap();
    for cursor in
        ["", "x", "' OR 1=1", "-created_at.zz.00.1", "-created_at.00.1", "-created_at.00.00.1.1", "-created_at.00.00.x"]
    {
        let query = VersionQuery { cursor: Some(rollback_types::Cursor(cursor.into())), ..VersionQuery::default() };
        let e = d.records.versions(&query).await.unwrap_err();
        assert_eq!(e.fault, Fault::Refused, "{cursor}");
        assert!(e.detail.contains("cursor"), "{e}");
    }
    let other = VersionQuery { cursor: Some(ours), sort: VersionSort::IdAsc, ..VersionQuery::default() };
    let e = d.records.versions(&other).await.unwrap_err();
    assert!(e.fault == Fault::Refused && e.detail.contains("-created_at"), "{e}");
}

#[tokio::test]
async fn a_rollback_goes_its_way_and_each_step_may_be_repeated() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let t = kind.target();
        let id = t.as_str();
        let before = d.records.production().await.unwrap();
        let logged: usize = d.value("SELECT COUNT(*) FROM operation_log").await.parse().unwrap();

        let marked = d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "k-1")).await.unwrap();
        assert!(!marked.repeated);
        let again = d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "k-1")).await.unwrap();
        assert_eq!((again.log_id, again.repeated), (marked.log_id, true));
        assert_eq!(
            d.value(&format!("SELECT status FROM version_registry WHERE version_id = '{id}'")).await,
            "rolling_back"
        );
        assert_eq!(
            d.value(&format!("SELECT status || operation_type FROM operation_log WHERE id = {}", marked.log_id)).await,
            "in_progressrollback"
        );
        // A rollback in progress is no ingestion in progress.
        assert_eq!(d.records.open_operations().await.unwrap(), []);

        let staged = d.records.staging(&t).await.unwrap();
        assert_eq!((staged.present, staged.rows, staged.name.as_str()), (true, Some(3), kind.staging_table()));
        assert_eq!(staged.versions.into_iter().collect::<Vec<_>>(), [("(none)".to_owned(), 1), (id.to_owned(), 2)]);

        let folder = d.dir.path().join("runs/1");
        for _ in 0..2 {
            let copy = d.records.save_staging(&t, &folder).await.unwrap().unwrap();
            assert_eq!(copy.rows, 3);
            let held = Deployment {
                dir: tempfile::tempdir().unwrap(),
                records: fixture::records(&copy.path),
                path: copy.path,
            };
            assert_eq!(
                held.value(&format!("SELECT COUNT(*) FROM {} WHERE content_hash = 'new'", kind.staging_table())).await,
                "3"
            );
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing half-written stays");
        assert_eq!(d.records.drop_staging(&t, u64::MAX).await.unwrap(), Removal::Removed(3));
        assert_eq!(d.records.drop_staging(&t, u64::MAX).await.unwrap(), Removal::Absent);
        assert_eq!(d.records.save_staging(&t, &folder).await.unwrap(), None);
        assert!(!d.records.staging(&t).await.unwrap().present);
        assert_eq!(d.records.production().await.unwrap(), before);

        let done = d.records.mark_rolled_back(&finish(&t, "k-1")).await.unwrap();
        assert_eq!(d.records.mark_rolled_back(&finish(&t, "k-1")).await.unwrap(), done);
        let row = d.records.version(t.id()).await.unwrap().unwrap();
        assert_eq!(row.status, VersionState::RolledBack);
        assert!(row.updated_at > row.created_at && row.oddities.is_empty(), "{row:?}");
        if !kind.per_version {
            assert_eq!(row.status_message.unwrap(), "Rollback completed successfully. Reason: check 2 failed");
        }
        let log = d.records.operations(t.id(), 2).await.unwrap();
        assert_eq!((log[0].id, log[0].status.as_str()), (done, "completed"));
        assert!(log[0].details.as_ref().unwrap().contains("Dropped 3 rows."));
        assert_eq!((log[1].id, log[1].status.as_str()), (marked.log_id, "in_progress"));
        let closed = if kind.per_version { "duration_ms" } else { "completed_at" };
        assert_ne!(d.value(&format!("SELECT {closed} FROM operation_log WHERE id = {}", marked.log_id)).await, "NULL");
        assert_eq!(d.value("SELECT COUNT(*) FROM operation_log").await, (logged + 2).to_string());
        let mode = d.value("SELECT journal_mode FROM pragma_journal_mode").await;
        assert_eq!(mode, if kind.wal { "wal" } else { "delete" }, "left as it was");
    }
}

#[tokio::test]
async fn a_step_that_meets_another_state_changes_nothing() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let t = kind.target();
        let before = d.dump().await;
        let e = d.records.mark_rolling_back(&mark(&t, VersionState::Failed, "k")).await.unwrap_err();
        assert!(e.fault == Fault::Changed && e.detail.contains("staging"), "{e}");
        let e = d.records.mark_rolled_back(&finish(&t, "k")).await.unwrap_err();
        assert_eq!(e.fault, Fault::Changed);
        let abort = AbortRequest { target: t.clone(), run_key: "k".into(), message: "m".into() };
        // A run that never marked the version has nothing to note.
        d.records.note_abort(&abort).await.unwrap();
        let e = d.records.mark_rolling_back(&mark(&target("nobody"), VersionState::Failed, "k")).await.unwrap_err();
        assert_eq!(e.fault, Fault::Changed);
        assert_eq!(d.dump().await, before);
    }
}

/// Step 2 of a take-over fails, and is aborted: the row and the log are the earlier run's.
#[tokio::test]
async fn an_abort_leaves_another_runs_marks_alone() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let t = kind.target();
        d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "first")).await.unwrap();
        let before = d.dump().await;
        let abort = AbortRequest { target: t.clone(), run_key: "second".into(), message: "m".into() };
        d.records.note_abort(&abort).await.unwrap();
        assert_eq!(d.dump().await, before);
        // Taken over for good, the earlier run's entry does not stay open.
        d.records.mark_rolling_back(&mark(&t, VersionState::RollingBack, "second")).await.unwrap();
        let log = d.records.operations(t.id(), 10).await.unwrap();
        let open = log.iter().filter(|o| o.operation_type == "rollback" && o.status == "in_progress").count();
        assert_eq!(open, 1, "{log:?}");
    }
}

/// Somebody went on by hand: the registry's row is theirs, and the run's own row in the log does not stay open for ever.
#[tokio::test]
async fn an_abort_of_a_version_that_somebody_changed_closes_only_the_runs_own_row() {
    for kind in KINDS {
        for by_hand in [
            "UPDATE version_registry SET status = 'rolled_back' WHERE version_id = ?",
            "DELETE FROM version_registry WHERE version_id = ?",
        ] {
            let d = Deployment::of(kind).await;
            let t = kind.target();
            let marked = d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "k")).await.unwrap();
            d.run(&by_hand.replace('?', &format!("'{}'", t.as_str()))).await;
            let registry = d.value("SELECT count(*) || group_concat(version_id || status) FROM version_registry").await;
            let abort = AbortRequest { target: t.clone(), run_key: "k".into(), message: "given up".into() };
            assert!(matches!(d.records.note_abort(&abort).await.unwrap(), AbortNoted::NotHeld(_)), "{by_hand}");
            let status = d.value(&format!("SELECT status FROM operation_log WHERE id = {}", marked.log_id)).await;
            assert_eq!(status, "failed", "{by_hand}");
            let after = d.value("SELECT count(*) || group_concat(version_id || status) FROM version_registry").await;
            assert_eq!(after, registry, "{by_hand}");
            assert_eq!(d.records.note_abort(&abort).await.unwrap(), AbortNoted::NothingOpen);
        }
    }
}

#[tokio::test]
async fn an_aborted_run_is_noted_and_can_be_taken_over() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let t = kind.target();
        let first = d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "k")).await.unwrap();
        let abort = AbortRequest { target: t.clone(), run_key: "k".into(), message: "step 4 failed: refused".into() };
        d.records.note_abort(&abort).await.unwrap();
        let noted = d.dump().await;
        d.records.note_abort(&abort).await.unwrap();
        assert_eq!(d.dump().await, noted, "noted once");
        let row = d.records.version(t.id()).await.unwrap().unwrap();
        assert_eq!((row.status, row.candidacy), (VersionState::RollingBack, Candidacy::TakeOver));
        assert_eq!(row.status_message.as_deref(), Some("step 4 failed: refused"));
        assert_eq!(d.value(&format!("SELECT status FROM operation_log WHERE id = {}", first.log_id)).await, "failed");

        // A key that ends or begins like another's is another's.
        for key in ["k-2", "", "Xk"] {
            let next = d.records.mark_rolling_back(&mark(&t, VersionState::RollingBack, key)).await.unwrap();
            assert!(!next.repeated && next.log_id > first.log_id, "{key}");
        }
        // Only who took it over last holds it, and only that one may finish it.
        let held: Vec<(String, bool)> =
            d.records.marks(&t).await.unwrap().into_iter().map(|m| (m.run_key, m.open)).collect();
        assert_eq!(held, [("k".into(), false), ("k-2".into(), false), ("Xk".into(), true)]);
        let lost = d.records.mark_rolled_back(&finish(&t, "k-2")).await.unwrap_err();
        assert_eq!(lost.fault, Fault::Changed, "{lost}");
        d.records.mark_rolled_back(&finish(&t, "Xk")).await.unwrap();
        let done = d.records.marks(&t).await.unwrap().pop().unwrap();
        assert!(done.completed && !done.open, "{done:?}");
        assert_eq!(d.value(&format!("SELECT status FROM operation_log WHERE id = {}", first.log_id)).await, "failed");
    }
}

#[tokio::test]
async fn viewing_changes_no_byte_and_leaves_no_file() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let files = || {
            let mut files: Vec<_> = std::fs::read_dir(d.dir.path()).unwrap().map(|f| f.unwrap().path()).collect();
            files.retain(|f| !f.to_string_lossy().ends_with("-shm"));
            files.sort();
            files
                .into_iter()
                .map(|f| (std::fs::read(&f).unwrap(), f))
                .filter(|(b, _)| !b.is_empty())
                .collect::<Vec<_>>()
        };
        let before = files();
        let t = kind.target();
        d.records.probe().await.unwrap();
        d.records.versions(&VersionQuery::default()).await.unwrap();
        d.records.open_operations().await.unwrap();
        d.records.staging(&t).await.unwrap();
        d.records.production().await.unwrap();
        assert!(!d.records.is_write_locked().await.unwrap());
        d.records.inspect_copy(&d.path).await.unwrap();
        assert!(files() == before, "{kind:?}");
    }
}

/// SQLite puts the log beside the file that the link leads to. The wait is for a list that is kept.
#[tokio::test]
async fn behind_a_link_a_commit_in_the_log_is_seen_by_the_next_list() {
    let d = Deployment::of(fixture::Kind { per_version: false, wal: true }).await;
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("metadata.db");
    std::os::unix::fs::symlink(&d.path, &link).unwrap();
    let records = fixture::records(&link);
    // Open all the while, so that nothing is taken from the log into the file.
    let mut other = d.other().await;
    let insert = |id: &str| {
        let sql = format!("INSERT INTO version_registry (version_id, status) VALUES ('{id}', 'committed')");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
    };
    insert("v8_minor_20261108_120000").execute(&mut other).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    let query = VersionQuery::default();
    let count = async || records.versions(&query).await.unwrap().items.len();
    let before = count().await;
    assert_eq!(count().await, before);
    insert("v9_minor_20261109_120000").execute(&mut other).await.unwrap();
    assert_eq!(count().await, before + 1);
    assert_eq!(records.versions_read_anew(&query).await.unwrap().items.len(), before + 1);
}

#[tokio::test]
async fn a_write_lock_is_seen_and_makes_writing_busy() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let mut other = d.other().await;
        let tx = sqlx::Connection::begin_with(&mut other, "BEGIN IMMEDIATE").await.unwrap();
        assert!(d.records.is_write_locked().await.unwrap());
        // Readers are not in its way, nor it in theirs.
        assert!(d.records.versions(&VersionQuery::default()).await.is_ok());
        let e = d.records.mark_rolling_back(&mark(&kind.target(), VersionState::Staging, "k")).await.unwrap_err();
        assert_eq!(e.fault, Fault::Busy, "{e}");
        assert_eq!(d.records.drop_staging(&kind.target(), u64::MAX).await.unwrap_err().fault, Fault::Busy);
        tx.rollback().await.unwrap();
        assert!(!d.records.is_write_locked().await.unwrap());
    }
}

#[tokio::test]
async fn two_runs_at_once_mark_once() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let mut config = d.config();
        config.busy_timeout = std::time::Duration::from_secs(20);
        let (a, b) = (
            rollback_stores::sqlite::SqliteRecords::new(config.clone()),
            rollback_stores::sqlite::SqliteRecords::new(config),
        );
        let (first, second) =
            (mark(&kind.target(), VersionState::Staging, "a"), mark(&kind.target(), VersionState::Staging, "b"));
        let (first, second) = tokio::join!(a.mark_rolling_back(&first), b.mark_rolling_back(&second));
        let lost: Vec<_> = [first, second].into_iter().filter_map(Result::err).map(|e| e.fault).collect();
        assert_eq!(lost, [Fault::Changed]);
        assert_eq!(d.value("SELECT COUNT(*) FROM operation_log WHERE operation_type = 'rollback'").await, "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn our_own_locks_are_nobody_elses() {
    for kind in KINDS {
        let d = Deployment::of(kind).await;
        let t = kind.target();
        d.records.mark_rolling_back(&mark(&t, VersionState::Staging, "k")).await.unwrap();
        let done = finish(&t, "k");
        let looks = futures::future::join_all((0..16).map(|_| d.records.is_write_locked()));
        let (looks, dropped, done) =
            tokio::join!(looks, d.records.drop_staging(&t, u64::MAX), d.records.mark_rolled_back(&done));
        assert!(looks.into_iter().all(|l| l == Ok(false)));
        assert_eq!((dropped, done.is_ok()), (Ok(Removal::Removed(3)), true));
    }
}
