//! What every journal must do, and what this one does in bad weather.
#![expect(clippy::unwrap_used, reason = "clippy spares test functions, not what they share")]

mod chain;
mod suite;
mod times;

use std::os::unix::fs::PermissionsExt;

use rollback::journal::{Journal, JournalError};
use rollback_stores::journal::{SqliteJournal, SqliteJournalConfig};
use rollback_types::{EventKind, RunId, RunQuery, RunState};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use suite::{event, new_run, note};

async fn fresh() -> (tempfile::TempDir, SqliteJournal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(dir.path().join("state/journal.db")).await.unwrap();
    (dir, journal)
}

async fn run_sql(path: &std::path::Path, sql: &str) {
    let mut other = SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut other).await.unwrap();
    other.close().await.unwrap();
}

#[tokio::test]
async fn the_sqlite_journal_passes_the_suite() {
    let (_dir, journal) = fresh().await;
    suite::one_run_at_a_time(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::events_have_no_gap(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::runs_are_paged(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::notes_leave_a_run_as_it_ended(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::durations_are_medians(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::the_time_of_an_interruption_is_no_duration(&journal).await;
    let (_dir, journal) = fresh().await;
    times::the_row_tells_what_the_view_tells(&journal).await;
    let (_dir, journal) = fresh().await;
    times::a_run_that_only_was_opened_stood_still_from_then_on(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::a_search_knows_the_case_of_letters_beyond_ascii(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::the_first_hash_stays(&journal).await;
    let (_dir, journal) = fresh().await;
    suite::what_is_remembered_is_replaced_and_looks_are_newest_first(&journal).await;
}

#[tokio::test]
async fn two_processes_that_open_a_run_get_one() {
    let (_dir, journal) = fresh().await;
    let second = SqliteJournal::open(journal.path()).await.unwrap();
    let (one, two) = (new_run("a"), new_run("b"));
    let (one, two) = tokio::join!(journal.open_run(&one), second.open_run(&two));
    let (opened, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(refused.unwrap_err(), JournalError::ActiveRun(opened.unwrap().id));
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let (_dir, journal) = fresh().await;
    let run = journal.open_run(&new_run("k")).await.unwrap().id;
    for number in 1..=3 {
        journal.append(&note(run, number), RunState::Running).await.unwrap();
    }
    // Not closed: what append returned from is on the disk.
    let again = SqliteJournal::open(journal.path()).await.unwrap();
    assert_eq!(again.events(run, 0, 10).await.unwrap(), (1..=3).map(|n| note(run, n)).collect::<Vec<_>>());
    assert_eq!(again.active_run().await.unwrap().unwrap().last_event, 3);
    let record = again.run(run).await.unwrap().unwrap();
    assert_eq!((record.run_key.as_str(), record.plan_json), ("k", new_run("k").plan_json));
}

#[tokio::test]
async fn folder_and_file_are_private() {
    let (dir, journal) = fresh().await;
    journal.probe().await.unwrap();
    let mode = |p: &std::path::Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("state")), 0o700);
    for file in std::fs::read_dir(dir.path().join("state")).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn a_full_disk_loses_no_event_that_was_there() {
    let (_dir, journal) = fresh().await;
    journal.close().await;
    let config = SqliteJournalConfig { max_pages: Some(40), ..SqliteJournalConfig::new(journal.path()) };
    let journal = SqliteJournal::open_with(&config).await.unwrap();
    let run = journal.open_run(&new_run("k")).await.unwrap().id;
    let mut number = 0;
    let error = loop {
        let message = "m".repeat(20_000);
        let big = event(run, number + 1, EventKind::StepNote { step: rollback_types::Step::Mark, message });
        match journal.append(&big, RunState::Running).await {
            Ok(()) => number += 1,
            Err(e) => break e,
        }
        assert!(number < 1_000, "the disk never became full");
    };
    assert_eq!(error, JournalError::Full { path: journal.path().display().to_string() });
    assert_eq!(journal.events(run, 0, 1_000).await.unwrap().len() as u64, number);
    assert_eq!(journal.run(run).await.unwrap().unwrap().summary.last_event, number);
}

#[tokio::test]
async fn after_a_full_disk_the_journal_goes_on_as_soon_as_there_is_room() {
    let (_dir, journal) = fresh().await;
    journal.close().await;
    run_sql(journal.path(), "CREATE TABLE other (x); INSERT INTO other VALUES (randomblob(200000))").await;
    let config = SqliteJournalConfig { max_pages: Some(100), ..SqliteJournalConfig::new(journal.path()) };
    let journal = SqliteJournal::open_with(&config).await.unwrap();
    let run = journal.open_run(&new_run("k")).await.unwrap().id;
    let note = |number| {
        let message = "m".repeat(20_000);
        event(run, number, EventKind::StepNote { step: rollback_types::Step::Mark, message })
    };
    let mut number = 0;
    while journal.append(&note(number + 1), RunState::Running).await.is_ok() {
        number += 1;
        assert!(number < 1_000, "the disk never became full");
    }
    for _ in 0..6 {
        let full = journal.append(&note(number + 1), RunState::Running).await;
        assert_eq!(full, Err(JournalError::Full { path: journal.path().display().to_string() }));
    }
    run_sql(journal.path(), "DELETE FROM other").await;
    journal.append(&note(number + 1), RunState::Running).await.unwrap();
    assert_eq!(journal.run(run).await.unwrap().unwrap().summary.last_event, number + 1);
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused_and_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let foreign = dir.path().join("metadata.db");
    run_sql(&foreign, "CREATE TABLE version_registry(id)").await;
    let garbage = dir.path().join("garbage.db");
    std::fs::write(&garbage, "nothing of the kind ".repeat(500)).unwrap();
    for path in [&foreign, &garbage] {
        let before = std::fs::read(path).unwrap();
        let error = SqliteJournal::open(path).await.unwrap_err();
        assert!(matches!(&error, JournalError::Unusable { detail, .. } if detail.contains("choose")), "{error}");
        assert!(std::fs::read(path).unwrap() == before);
    }
    let folder = SqliteJournal::open(dir.path()).await.unwrap_err();
    assert!(matches!(folder, JournalError::Unusable { .. }), "{folder}");
}

#[tokio::test]
async fn a_journal_of_a_newer_stepback_is_not_touched() {
    let (_dir, journal) = fresh().await;
    journal.close().await;
    run_sql(
        journal.path(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
    )
    .await;
    let error = SqliteJournal::open(journal.path()).await.unwrap_err();
    assert!(matches!(&error, JournalError::Unusable { detail, .. } if detail.contains("newer")), "{error}");
}

#[tokio::test]
async fn an_older_journal_is_told_how_long_its_runs_stood_still() {
    let (_dir, journal) = fresh().await;
    let (over, open) = suite::an_interrupted_run_and_a_resumed_one(&journal).await;
    journal.close().await;
    // As the step of the schema before this one left it.
    run_sql(
        journal.path(),
        "ALTER TABLE runs DROP COLUMN stood_still_ms; ALTER TABLE runs DROP COLUMN last_sign_at; \
         DELETE FROM _sqlx_migrations WHERE version = 4",
    )
    .await;
    let again = SqliteJournal::open(journal.path()).await.unwrap();
    for run in [over, open] {
        let (before, after) = (run.clone(), again.run(run.id).await.unwrap().unwrap().summary);
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn an_older_journal_is_told_how_long_its_runs_waited_and_its_steps_worked() {
    let (_dir, journal) = fresh().await;
    let (run, learned) = times::the_row_tells_what_the_view_tells(&journal).await;
    let opened = times::a_run_that_only_was_opened_stood_still_from_then_on(&journal).await;
    let opened = journal.run(opened).await.unwrap().unwrap().summary;
    journal.close().await;
    // As the step of the schema before this one left it.
    run_sql(
        journal.path(),
        "ALTER TABLE runs DROP COLUMN waited_ms; ALTER TABLE step_times DROP COLUMN worked_ms; \
         UPDATE runs SET stood_still_ms = 0 WHERE run_key = 'opened'; DELETE FROM _sqlx_migrations WHERE version = 5",
    )
    .await;
    let again = SqliteJournal::open(journal.path()).await.unwrap();
    for run in [run, opened] {
        assert_eq!(again.run(run.id).await.unwrap().unwrap().summary, run);
    }
    assert_eq!(again.step_durations().await.unwrap(), learned);
}

/// The schema is brought up between any two events of a run whose step was tried again and again.
#[tokio::test]
async fn a_run_that_goes_on_after_an_upgrade_counts_no_try_of_a_step_twice() {
    for first in 1..times::length() {
        let (_dir, journal) = fresh().await;
        let learned = times::learned_after_an_upgrade(first, journal, async |journal, start| {
            let path = journal.path().to_owned();
            journal.close().await;
            // Only when the step is done is its row closed.
            let open = if first < times::length() - 1 { ", ended_at = NULL" } else { "" };
            let before = format!(
                "ALTER TABLE runs DROP COLUMN waited_ms; ALTER TABLE step_times DROP COLUMN worked_ms; \
                 UPDATE step_times SET started_at = {start}{open}; DELETE FROM _sqlx_migrations WHERE version = 5"
            );
            run_sql(&path, &before).await;
            SqliteJournal::open(&path).await.unwrap()
        })
        .await;
        let medians: Vec<u64> = learned.iter().map(|d| d.median_ms).collect();
        assert_eq!(medians, [100 + 200 + 300 + 50 + 400], "after {first} events");
    }
}

#[tokio::test]
async fn a_journal_that_was_deleted_under_us_is_noticed() {
    let (_dir, journal) = fresh().await;
    journal.probe().await.unwrap();
    std::fs::remove_file(journal.path()).unwrap();
    assert!(matches!(journal.probe().await, Err(JournalError::Unusable { .. })));
    assert!(matches!(journal.open_run(&new_run("k")).await, Err(JournalError::Unusable { .. })));
}

#[tokio::test]
async fn a_locked_journal_says_so() {
    let (_dir, journal) = fresh().await;
    let config = SqliteJournalConfig {
        busy_timeout: std::time::Duration::from_millis(50),
        ..SqliteJournalConfig::new(journal.path())
    };
    let impatient = SqliteJournal::open_with(&config).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(journal.path()).connect().await.unwrap();
    let tx = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = impatient.open_run(&new_run("k")).await.unwrap_err();
    assert!(matches!(&error, JournalError::Unusable { detail, .. } if detail.contains("lock")), "{error}");
    tx.rollback().await.unwrap();
    assert_eq!(impatient.open_run(&new_run("k")).await.unwrap().id, RunId(1));
    assert_eq!(impatient.runs(&RunQuery::default()).await.unwrap().items.len(), 1);
}
