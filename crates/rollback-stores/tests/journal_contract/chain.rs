//! The hash chain: what was changed, lost or added in a copy of the file is found, and named.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rollback::journal::{Journal, NewRun};
use rollback_stores::journal::{ChainReport, FaultKind, Head, JournalReader, SqliteJournal};
use rollback_types::{EventKind, RunState, VersionId};

use crate::suite::{event, new_run, note};
use crate::{fresh, run_sql};

async fn checked(path: &Path) -> ChainReport {
    JournalReader::open(path).await.unwrap().check(None).await.unwrap()
}

/// Three runs, one of them interrupted and gone on with after another; the file is whole and closed.
async fn three_runs() -> (tempfile::TempDir, PathBuf) {
    let (dir, journal) = fresh().await;
    let first = journal.open_run(&new_run("a")).await.unwrap().id;
    for number in 1..=3 {
        journal.append(&note(first, number), RunState::Running).await.unwrap();
    }
    let stop = event(first, 4, EventKind::RunInterrupted { message: "power".into(), stopped: false });
    journal.append(&stop, RunState::Interrupted).await.unwrap();
    let second = journal.open_run(&NewRun { version_id: VersionId::new("v3"), ..new_run("b") }).await.unwrap().id;
    let end = EventKind::RunEnded { state: RunState::Aborted, summary: "gone".into(), findings: vec![] };
    journal.append(&event(second, 1, end.clone()), RunState::Aborted).await.unwrap();
    journal.append(&note(first, 5), RunState::Running).await.unwrap();
    journal.append(&event(first, 6, end), RunState::Aborted).await.unwrap();
    // Opened, and nothing else.
    journal.open_run(&new_run("c")).await.unwrap();
    journal.close().await;
    let path = journal.path().to_path_buf();
    (dir, path)
}

/// The report of a copy after these statements.
async fn after(path: &Path, sql: &str) -> ChainReport {
    let copy = path.with_file_name("copy.db");
    std::fs::copy(path, &copy).unwrap();
    run_sql(&copy, &format!("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {sql}")).await;
    checked(&copy).await
}

#[tokio::test]
async fn a_journal_as_it_was_written_is_sound() {
    let (_dir, path) = three_runs().await;
    let report = checked(&path).await;
    assert_eq!((report.sound, report.entries, report.runs, &report.fault), (true, 10, 3, &None));
    assert_eq!(report.older_entries, 0);
    let head = report.head.unwrap();
    assert_eq!(head.sequence, 10);
    // Opening it again adds nothing.
    SqliteJournal::open(&path).await.unwrap().close().await;
    assert_eq!(checked(&path).await.head, Some(head));
    let (_dir, empty) = fresh().await;
    let report = checked(empty.path()).await;
    assert_eq!((report.sound, report.entries, report.head), (true, 0, None));
}

#[tokio::test]
async fn notes_after_the_end_are_links_of_the_chain_like_any_other() {
    let (_dir, journal) = fresh().await;
    let run = journal.open_run(&new_run("a")).await.unwrap().id;
    let end = EventKind::RunEnded {
        state: RunState::CompletedWithFindings,
        summary: "with a finding".into(),
        findings: vec![],
    };
    journal.append(&event(run, 1, end), RunState::CompletedWithFindings).await.unwrap();
    for (number, text) in [(2, "a full disk"), (3, "a full disk, and no alarm")] {
        let notes = vec![rollback_types::Note::RootCause { text: text.into() }];
        let kind = EventKind::RunAnnotated { notes, actor: "ada".into() };
        journal.append(&event(run, number, kind), RunState::CompletedWithFindings).await.unwrap();
    }
    journal.close().await;
    let path = journal.path().to_path_buf();
    let report = checked(&path).await;
    assert_eq!((report.sound, report.entries), (true, 4), "{:?}", report.fault);
    let rewritten = "UPDATE events SET body = replace(body, 'a full disk', 'sabotage') WHERE number = 2";
    assert_eq!(after(&path, rewritten).await.fault.unwrap().kind, FaultKind::Changed);
    let forgotten = "DELETE FROM events WHERE number = 3; DELETE FROM entries WHERE number = 3";
    assert!(!after(&path, forgotten).await.sound);
    let reopened = "UPDATE runs SET ended_at = NULL, summary = NULL";
    assert!(!after(&path, reopened).await.sound, "the run stays as it ended");
}

#[tokio::test]
async fn every_changed_column_is_found() {
    let (_dir, path) = three_runs().await;
    // Column by column: what it is set to, and the kinds of fault by which that may be told.
    let number = "+ 100";
    let text = "|| 'x'";
    let columns = [
        ("events", "rowless", "number", number),
        ("events", "rowless", "run_id", number),
        ("events", "rowless", "at", number),
        ("events", "rowless", "body", text),
        ("runs", "id", "id", number),
        ("runs", "id", "kind", text),
        ("runs", "id", "version_id", text),
        ("runs", "id", "state", text),
        ("runs", "id", "reason", text),
        ("runs", "id", "actor", text),
        ("runs", "id", "plan_digest", text),
        ("runs", "id", "plan_json", text),
        ("runs", "id", "run_key", text),
        ("runs", "id", "started_at", number),
        ("runs", "id", "last_event", number),
        ("entries", "sequence", "sequence", number),
        ("entries", "sequence", "run_id", number),
        ("entries", "sequence", "number", number),
        ("entries", "sequence", "state", text),
        ("entries", "sequence", "previous", "|| ''|| 'x'"),
        ("entries", "sequence", "hash", text),
        ("chain", "id", "began_at", number),
        ("chain", "id", "older_entries", number),
    ];
    for (table, key, column, change) in columns {
        let rows: i64 = match table {
            "events" => 7,
            "runs" => 3,
            "entries" => 10,
            _ => 1,
        };
        for row in 0..rows {
            let which = match key {
                "rowless" => {
                    format!(
                        "(run_id, number) = (SELECT run_id, number FROM events ORDER BY run_id, number LIMIT 1 OFFSET {row})"
                    )
                }
                key => format!("{key} = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {row})"),
            };
            let report = after(&path, &format!("UPDATE {table} SET {column} = {column} {change} WHERE {which}")).await;
            assert!(!report.sound && report.fault.is_some(), "{table}.{column} of row {row} was changed and not found");
        }
    }
    for sql in [
        "UPDATE runs SET ended_at = NULL WHERE id = 1",
        "UPDATE runs SET ended_at = ended_at + 1 WHERE id = 2",
        "UPDATE runs SET ended_at = 5 WHERE id = 3",
        "UPDATE runs SET summary = 'all well' WHERE id = 1",
        "UPDATE runs SET summary = NULL WHERE id = 2",
        "UPDATE runs SET summary = '' WHERE id = 3",
        "UPDATE runs SET last_event = last_event - 1 WHERE id = 1",
        "UPDATE entries SET state = NULL WHERE sequence = 4",
    ] {
        assert!(!after(&path, sql).await.sound, "{sql}");
    }
}

#[tokio::test]
async fn the_first_wrong_entry_is_named() {
    let (_dir, path) = three_runs().await;
    let of = |report: ChainReport| {
        let fault = report.fault.unwrap();
        (fault.kind, fault.sequence, fault.run_id, fault.number, report.entries)
    };
    // Entries: 1 opening of #1, 2–4 its events 1–3, 5 event 4, 6 opening of #2, 7 its event, 8–9 events 5–6 of #1, 10 #3.
    let changed = after(&path, "UPDATE events SET body = replace(body, 'note 2', 'note 9') WHERE run_id = 1").await;
    assert!(changed.fault.as_ref().unwrap().message.contains("event 2 of run #1 was changed"), "{changed:?}");
    assert_eq!(of(changed), (FaultKind::Changed, Some(3), Some(1), Some(2), 2));
    let deleted = after(&path, "DELETE FROM events WHERE run_id = 1 AND number = 3").await;
    assert_eq!(of(deleted), (FaultKind::Missing, Some(4), Some(1), Some(3), 3));
    let entry_too =
        "DELETE FROM events WHERE run_id = 1 AND number = 3; DELETE FROM entries WHERE run_id = 1 AND number = 3";
    assert_eq!(of(after(&path, entry_too).await), (FaultKind::Missing, Some(5), Some(1), Some(4), 3));
    let closed_up = format!("{entry_too}; UPDATE entries SET sequence = sequence - 1 WHERE sequence > 4");
    assert_eq!(of(after(&path, &closed_up).await), (FaultKind::OutOfOrder, Some(4), Some(1), Some(4), 3));
    let bodies = "UPDATE events SET body = (SELECT body FROM events o WHERE o.run_id = 1 AND o.number = 5 - events.number) \
                  WHERE run_id = 1 AND number IN (2, 3)";
    assert_eq!(of(after(&path, bodies).await), (FaultKind::Changed, Some(3), Some(1), Some(2), 2));
    let places = "UPDATE entries SET sequence = 100 WHERE sequence = 3; UPDATE entries SET sequence = 3 WHERE sequence = 4; \
                  UPDATE entries SET sequence = 4 WHERE sequence = 100";
    assert_eq!(of(after(&path, places).await), (FaultKind::OutOfOrder, Some(3), Some(1), Some(3), 2));
    let inserted = "INSERT INTO events (run_id, number, at, body) VALUES (2, 2, 5, '{}')";
    assert_eq!(of(after(&path, inserted).await), (FaultKind::Added, None, Some(2), Some(2), 10));
    let run = "DELETE FROM runs WHERE id = 2";
    assert_eq!(of(after(&path, run).await), (FaultKind::Missing, Some(6), Some(2), Some(0), 5));
    let added = "INSERT INTO runs (id, kind, version_id, state, reason, actor, plan_digest, plan_json, run_key, started_at) \
                 SELECT 9, kind, version_id, 'completed', reason, actor, plan_digest, plan_json, 'k9', started_at FROM runs \
                 WHERE id = 2";
    assert_eq!(of(after(&path, added).await), (FaultKind::Added, None, Some(9), Some(0), 10));
    let beginning = after(&path, "DELETE FROM chain").await;
    assert_eq!(of(beginning), (FaultKind::Missing, None, None, None, 0));
    let emptied = after(&path, "DELETE FROM entries").await;
    assert_eq!(of(emptied), (FaultKind::Added, None, Some(1), Some(0), 0));
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_told_by_a_head_noted_before() {
    let (_dir, path) = three_runs().await;
    let head = checked(&path).await.head.unwrap();
    let cut = path.with_file_name("cut.db");
    std::fs::copy(&path, &cut).unwrap();
    // Without a trace: the last run was never there.
    run_sql(&cut, "DELETE FROM entries WHERE sequence = 10; DELETE FROM runs WHERE id = 3").await;
    let mut reader = JournalReader::open(&cut).await.unwrap();
    let short = reader.check(None).await.unwrap();
    assert!(short.sound, "nothing in the file tells it: {short:?}");
    let told = reader.check(Some(&head)).await.unwrap();
    assert_eq!((told.sound, told.fault.unwrap().kind), (false, FaultKind::Missing));

    let mut whole = JournalReader::open(&path).await.unwrap();
    assert!(whole.check(Some(&head)).await.unwrap().sound);
    assert!(whole.check(short.head.as_ref()).await.unwrap().sound, "an older head is still in it");
    let other = Head { sequence: 4, hash: "0".repeat(64) };
    let anew = whole.check(Some(&other)).await.unwrap();
    assert_eq!((anew.fault.unwrap().kind, anew.entries), (FaultKind::Changed, 3));
}

#[tokio::test]
async fn a_damaged_file_is_broken_and_a_missing_one_cannot_be_looked_at() {
    let (dir, path) = three_runs().await;
    let bytes = std::fs::read(&path).unwrap();
    let half = path.with_file_name("half.db");
    std::fs::write(&half, &bytes[..bytes.len() / 8 * 4]).unwrap();
    match JournalReader::open(&half).await {
        Ok(mut reader) => {
            let report = reader.check(None).await.unwrap();
            assert_eq!(report.fault.unwrap().kind, FaultKind::Damaged);
        }
        Err(e) => assert!(e.to_string().contains("journal"), "{e}"),
    }
    let nowhere = dir.path().join("nowhere/journal.db");
    let error = JournalReader::open(&nowhere).await.unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    assert!(!nowhere.exists() && !nowhere.parent().unwrap().exists(), "a look makes nothing");
}

#[tokio::test]
async fn a_journal_without_chain_is_chained_once_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    run_sql(&path, "PRAGMA journal_mode = WAL").await;
    let steps = dir.path().join("steps");
    std::fs::create_dir(&steps).unwrap();
    for name in ["0001_journal.sql", "0002_backups.sql"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(name);
        std::fs::copy(source, steps.join(name)).unwrap();
    }
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::migrate::Migrator::new(steps).await.unwrap().run(&pool).await.unwrap();
    pool.close().await;
    let mut sql = String::new();
    for (run, state, last) in [(1, "completed", 1_203), (2, "running", 0), (3, "interrupted", 2)] {
        sql += &format!(
            "INSERT INTO runs (id, kind, version_id, state, reason, actor, plan_digest, plan_json, run_key, started_at, last_event) \
             VALUES ({run}, 'rollback', 'v{run}', '{state}', 'r', 'ops', 'd', '{{}}', 'k{run}', 5, {last});"
        );
        for number in 1..=last {
            let body = serde_json::to_string(&note(rollback_types::RunId(run), number)).unwrap().replace('\'', "''");
            sql += &format!("INSERT INTO events VALUES ({run}, {number}, {number}, '{body}');");
        }
    }
    run_sql(&path, &sql).await;
    let unchained = JournalReader::open(&path).await.unwrap_err();
    assert!(unchained.to_string().contains("start Stepback once"), "{unchained}");

    let journal = SqliteJournal::open(&path).await.unwrap();
    let report = checked(&path).await;
    assert_eq!((report.sound, report.entries, report.runs), (true, 1_208, 3), "{:?}", report.fault);
    assert_eq!(report.older_entries, 1_208);
    // The story goes on in the same chain.
    journal.append(&note(rollback_types::RunId(2), 1), RunState::Running).await.unwrap();
    let report = checked(&path).await;
    assert_eq!((report.sound, report.entries, report.older_entries), (true, 1_209, 1_208), "{:?}", report.fault);
    journal.close().await;
    // What is added past the chain later is not taken in as if it had been old.
    run_sql(&path, "INSERT INTO events VALUES (3, 3, 3, '{}')").await;
    SqliteJournal::open(&path).await.unwrap().close().await;
    assert_eq!(checked(&path).await.fault.unwrap().kind, FaultKind::Added);
    run_sql(&path, "DELETE FROM events WHERE run_id = 3 AND number = 3; DELETE FROM entries WHERE run_id = 3").await;
    run_sql(&path, "DELETE FROM events WHERE run_id = 3; DELETE FROM runs WHERE id = 3").await;
    assert!(!checked(&path).await.sound);
}

#[tokio::test]
async fn an_export_can_be_checked_without_stepback() {
    use sha2::{Digest, Sha256};
    let (_dir, path) = three_runs().await;
    let mut out = Vec::new();
    let mut reader = JournalReader::open(&path).await.unwrap();
    assert_eq!(reader.export(&mut out).await.unwrap(), 10);
    let lines: Vec<serde_json::Value> =
        std::str::from_utf8(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut previous = lines[0]["previous"].as_str().unwrap().to_owned();
    for line in &lines {
        let mut fields = vec!["previous", "sequence", "run_id", "number", "state"];
        fields.extend(match line["entry"].as_str().unwrap() {
            "run" => {
                &["kind", "version_id", "reason", "actor", "plan_digest", "plan_json", "run_key", "started_at"][..]
            }
            _ => &["at", "body"],
        });
        let mut hash = Sha256::new();
        for field in fields {
            let text = line[field].as_str().map_or_else(|| line[field].to_string(), str::to_owned);
            hash.update([1]);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        assert_eq!(line["previous"], previous.as_str());
        previous = hex::encode(hash.finalize());
        assert_eq!(line["hash"], previous.as_str());
    }
    assert_eq!(checked(&path).await.head.unwrap().hash, previous);
}

#[tokio::test]
async fn a_look_beside_a_writer_is_of_one_moment() {
    let (_dir, journal) = fresh().await;
    let run = journal.open_run(&new_run("a")).await.unwrap().id;
    let writer = async {
        for number in 1..=200 {
            journal.append(&note(run, number), RunState::Running).await.unwrap();
        }
    };
    let looker = async {
        let mut last = 0;
        while last < 201 {
            let report = checked(journal.path()).await;
            assert!(report.sound && report.entries >= last, "{:?}", report.fault);
            last = report.entries;
        }
    };
    tokio::join!(writer, looker);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any journal is sound; one byte of any event or run changed, or any entry removed, is found.
    #[test]
    fn any_journal_is_sound_and_any_change_is_found(
        stories in prop::collection::vec(prop::collection::vec(".{0,20}", 1..6), 1..5),
        victim in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_dir, journal) = fresh().await;
            let mut entries = 0;
            for (n, story) in stories.iter().enumerate() {
                let reason = story[0].clone();
                let run = journal.open_run(&NewRun { reason, ..new_run(&n.to_string()) }).await.unwrap().id;
                entries += 1;
                for (text, number) in story.iter().zip(1..) {
                    let step = rollback_types::Step::Mark;
                    let kind = EventKind::StepNote { step, message: text.clone() };
                    journal.append(&event(run, number, kind), RunState::Running).await.unwrap();
                    entries += 1;
                }
                let end = EventKind::RunEnded { state: RunState::Completed, summary: story[0].clone(), findings: vec![] };
                journal.append(&event(run, story.len() as u64 + 1, end), RunState::Completed).await.unwrap();
                entries += 1;
            }
            journal.close().await;
            let path = journal.path().to_path_buf();
            let report = checked(&path).await;
            assert!(report.sound && report.entries == entries, "{:?}", report.fault);
            let sequence = victim.index(usize::try_from(entries).unwrap()) + 1;
            let of = format!("(SELECT run_id, number FROM entries WHERE sequence = {sequence})");
            for sql in [
                format!("UPDATE events SET body = body || ' ' WHERE (run_id, number) = {of}; \
                         UPDATE runs SET reason = reason || ' ' WHERE (id, 0) = {of}"),
                format!("DELETE FROM events WHERE (run_id, number) = {of}; DELETE FROM runs WHERE (id, 0) = {of}"),
                format!("DELETE FROM events WHERE (run_id, number) = {of}; DELETE FROM runs WHERE (id, 0) = {of}; \
                         DELETE FROM entries WHERE sequence = {sequence}"),
            ] {
                let report = after(&path, &sql).await;
                assert!(!report.sound, "{sql}");
                assert!(report.entries < i64::try_from(sequence).unwrap() || report.entries == entries - 1, "{report:?}");
            }
        });
    }
}
