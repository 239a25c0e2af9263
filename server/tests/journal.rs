//! `stepback journal` as a person or a script meets it.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::path::Path;
use std::process::{Command, Output};

use rollback::journal::{Journal as _, NewRun};
use rollback_stores::journal::SqliteJournal;
use rollback_types::{Event, EventKind, PlanDigest, RunKind, RunState, Step, Timestamp, VersionId};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _};

fn stepback(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepback"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STEPBACK_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder with settings and a journal of one run with three events, still open as a server has it.
async fn written() -> (tempfile::TempDir, SqliteJournal) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("stepback.toml"), "[data]\ndir = \"kept\"\n").unwrap();
    let journal = SqliteJournal::open(dir.path().join("kept/journal.db")).await.unwrap();
    let run = NewRun {
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        plan_digest: PlanDigest("d".repeat(64)),
        plan_json: "{}".into(),
        reason: "a \"reason\"\nof two lines".into(),
        actor: "ops".into(),
        run_key: "k".into(),
        at: Timestamp::from_unix_ms(5),
    };
    let run_id = journal.open_run(&run).await.unwrap().id;
    for number in 1..=3 {
        let kind = EventKind::StepNote { step: Step::Mark, message: format!("note {number}\n“ü”") };
        let event = Event { number, run_id, at: Timestamp::from_unix_ms(6), kind };
        journal.append(&event, RunState::Running).await.unwrap();
    }
    (dir, journal)
}

async fn change(dir: &Path, sql: &str) {
    let url = format!("sqlite:{}", dir.join("kept/journal.db").display());
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_sound_journal_is_0_a_changed_one_1_and_none_at_all_2() {
    let (dir, _open_as_by_a_server) = written().await;
    let dir = dir.path();
    let sound = stepback(dir, &["journal", "check"]);
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stderr));
    let words = text(&sound.stdout);
    assert!(words.contains("4 entries of 1 run,") && words.contains("head  4:"), "{words}");
    let report: Value = serde_json::from_slice(&stepback(dir, &["journal", "check", "--json"]).stdout).unwrap();
    assert_eq!((&report["sound"], &report["entries"], &report["fault"]), (&true.into(), &4.into(), &Value::Null));
    let head = format!("{}:{}", report["head"]["sequence"], report["head"]["hash"].as_str().unwrap());
    assert!(words.contains(&head));
    assert_eq!(stepback(dir, &["journal", "check", "--head", &head]).status.code(), Some(0));
    let other = format!("9:{}", "0".repeat(64));
    let cut = stepback(dir, &["journal", "check", "--head", &other]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(text(&cut.stdout).contains("are missing"), "{}", text(&cut.stdout));
    assert_eq!(stepback(dir, &["journal", "check", "--head", "no head"]).status.code(), Some(2));

    change(dir, "UPDATE events SET body = replace(body, 'note 2', 'note 7')").await;
    let broken = stepback(dir, &["journal", "check"]);
    assert_eq!(broken.status.code(), Some(1));
    let words = text(&broken.stdout);
    assert!(
        words.starts_with("FAIL  entry 3: event 2 of run #1 was changed") && words.contains("never delete"),
        "{words}"
    );
    let report: Value = serde_json::from_slice(&stepback(dir, &["journal", "check", "--json"]).stdout).unwrap();
    assert_eq!((&report["fault"]["kind"], &report["fault"]["sequence"]), (&"changed".into(), &3.into()));

    let nowhere = tempfile::tempdir().unwrap();
    let none = stepback(nowhere.path(), &["journal", "check"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(none.stdout.is_empty() && text(&none.stderr).contains("what to do: "), "{}", text(&none.stderr));
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "a look makes nothing");
}

#[tokio::test]
async fn an_export_is_one_line_of_json_for_each_entry_beside_a_server() {
    let (dir, _open_as_by_a_server) = written().await;
    let export = stepback(dir.path(), &["journal", "export"]);
    assert_eq!(export.status.code(), Some(0), "{}", text(&export.stderr));
    let lines: Vec<Value> = text(&export.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0]["entry"], &lines[0]["reason"]), (&"run".into(), &"a \"reason\"\nof two lines".into()));
    let body: Value = serde_json::from_str(lines[2]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&lines[2]["number"], &body["message"]), (&2.into(), &"note 2\n“ü”".into()));
    assert!(lines.windows(2).all(|pair| pair[1]["previous"] == pair[0]["hash"]));

    change(dir.path(), "DELETE FROM events WHERE number = 3").await;
    let broken = stepback(dir.path(), &["journal", "export"]);
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(text(&broken.stdout).lines().count(), 3, "what is there is told");
    assert!(text(&broken.stderr).contains("stepback journal check"), "{}", text(&broken.stderr));
}
