//! `stepback user` and `stepback token` as a person or a script meets them.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const PASSWORD: &str = "correct horse battery";

/// Runs it in a folder of its own, with no settings from this environment and `input` as its standard input.
fn stepback(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepback"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STEPBACK_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that asks for no password does not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Runs it and expects it to succeed; what it answers.
fn done(dir: &Path, args: &[&str], input: &str) -> String {
    let output = stepback(dir, args, input);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
    assert!(!err(&output).contains(PASSWORD) && !out(&output).contains(PASSWORD));
    out(&output).to_owned()
}

/// Runs it and expects it to fail with what to do; what it said.
fn refused(dir: &Path, args: &[&str], input: &str) -> String {
    let output = stepback(dir, args, input);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", err(&output));
    assert_eq!(out(&output), "", "{args:?}");
    assert!(err(&output).contains("Nothing was changed") && err(&output).contains("what to do: "), "{}", err(&output));
    err(&output).to_owned()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine.toml"), "[data]\ndir = \"kept\"\n").unwrap();
    dir
}

#[test]
fn users_are_added_changed_and_listed() {
    let dir = folder();
    let dir = dir.path();
    let run = |args: &[&str], input: &str| done(dir, &[args, &["--config", "mine.toml"]].concat(), input);
    assert_eq!(run(&["user", "add", "anna", "--role", "administrator"], &format!("{PASSWORD}\n")), "");
    assert_eq!(run(&["user", "add", "bert", "--role", "viewer"], PASSWORD), "", "no line's end is needed");
    let file = dir.join("kept/access.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    run(&["user", "role", "bert", "operator"], "");
    run(&["user", "disable", "bert"], "");
    run(&["user", "passwd", "anna"], "another long password\r\n");
    let users = json(&run(&["user", "list", "--json"], ""));
    assert_eq!(users["items"][0]["name"], "anna");
    assert_eq!(users["items"][0]["role"], "administrator");
    assert_eq!(users["items"][1]["role"], "operator");
    assert!(users["items"][1]["disabled_at"].is_string());
    assert!(users["items"][0]["made_by"].as_str().unwrap().starts_with("cli:"));
    let table = run(&["user", "list"], "");
    let bert: Vec<&str> = table.lines().find(|line| line.starts_with("bert")).unwrap().split_whitespace().collect();
    assert_eq!(bert, ["bert", "operator", "password", "disabled", "0", "never"]);
    run(&["user", "enable", "bert"], "");
    assert!(!run(&["user", "list"], "").contains("disabled"));
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let dir = folder();
    let dir = dir.path();
    assert!(refused(dir, &["user", "list"], "").contains("--config"), "not an empty list of the wrong folder");
    assert!(!dir.join("stepback-data").exists());
    assert!(refused(dir, &["user", "add", "anna", "--role", "viewer"], "short\n").contains("at least 12"));
    assert!(refused(dir, &["user", "add", "anna", "--role", "viewer"], "").contains("at least 12"));
    assert!(refused(dir, &["user", "add", "a b", "--role", "viewer"], PASSWORD).contains("a name has"));
    done(dir, &["user", "add", "anna", "--role", "administrator"], PASSWORD);
    assert!(refused(dir, &["user", "add", "ANNA", "--role", "viewer"], PASSWORD).contains("a user ANNA already"));
    assert!(refused(dir, &["user", "disable", "anna"], "").contains("last administrator"));
    assert!(refused(dir, &["user", "role", "anna", "viewer"], "").contains("last administrator"));
    assert!(refused(dir, &["user", "passwd", "bert"], PASSWORD).contains("no user bert"));
    assert!(refused(dir, &["token", "revoke", "ci"], "").contains("no token ci"));
    for args in [
        &["user", "add", "bert"][..],
        &["user", "add", "bert", "--role", "king"],
        &["user", "add", "bert", "--role", "viewer", PASSWORD],
        &["token", "create", "ci"],
        &["token", "create", "ci", "--role", "viewer", "--expires", "soon"],
        &["user"],
    ] {
        assert_eq!(stepback(dir, args, "").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_token_is_told_alone_and_once() {
    let dir = folder();
    let dir = dir.path();
    let answer = done(dir, &["token", "create", "ci", "--role", "operator", "--expires", "30d"], "");
    let token = answer.strip_suffix('\n').unwrap();
    assert!(token.starts_with("stepback_") && !token.contains(char::is_whitespace), "{answer:?}");
    let secret = token.rsplit('_').next().unwrap();
    let list = done(dir, &["token", "list"], "");
    assert!(list.contains("ci") && list.contains("active") && !list.contains(secret), "{list}");
    let tokens = json(&done(dir, &["token", "list", "--json"], ""));
    let [made, ends] = ["made_at", "expires_at"].map(|key| {
        let at: rollback_types::Timestamp = tokens["items"][0][key].as_str().unwrap().parse().unwrap();
        at.unix_ms()
    });
    assert_eq!(ends - made, 30 * 24 * 3600 * 1000);
    assert!(refused(dir, &["token", "create", "ci", "--role", "viewer"], "").contains("a token named ci"));
    done(dir, &["token", "revoke", "ci"], "");
    assert!(done(dir, &["token", "list"], "").contains("revoked"));
}

#[test]
fn every_command_that_changes_something_is_audited() {
    let dir = folder();
    let dir = dir.path();
    done(dir, &["user", "add", "anna", "--role", "administrator"], PASSWORD);
    refused(dir, &["user", "disable", "anna"], "");
    done(dir, &["token", "create", "ci", "--role", "viewer"], "");
    done(dir, &["user", "list"], "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows = runtime.block_on(async {
        let file = dir.join("stepback-data/access.db");
        let access = access::Access::open(&file, access::AccessSettings::default()).await.unwrap();
        access.audit_page(&rollback_types::AuditQuery::default()).await.unwrap().items
    });
    let told: Vec<_> =
        rows.iter().map(|row| (row.action.as_str(), row.subject.as_deref(), row.outcome.as_str())).collect();
    let expected = [
        ("stepback token create", Some("ci (role: viewer)"), "done"),
        ("stepback user disable", Some("anna"), "refused"),
        ("stepback user add", Some("anna (role: administrator)"), "done"),
    ];
    assert_eq!(told, expected);
    assert!(rows.iter().all(|row| row.actor.as_deref().is_some_and(|actor| actor.starts_with("cli:"))));
}
