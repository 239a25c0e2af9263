//! The program as a person meets it: exit codes, and words on the right stream.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;
use std::process::{Command, Output};

/// Runs it in a folder of its own, with no settings from this environment.
fn stepback(dir: &std::path::Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepback"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STEPBACK_") {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_refused_setting_ends_the_program_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let output = stepback(dir.path(), &["serve", "--listen", "0.0.0.0:3000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let message = text(&output.stderr);
    assert!(message.contains("--listen") && message.contains("tls_cert"), "{message}");
    assert!(message.contains("what to do: "), "{message}");
    assert!(!dir.path().join("stepback-data").exists(), "nothing is made by a program that does not start");
}

#[test]
fn beyond_loopback_nothing_is_served_before_there_is_a_user() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stepback.toml"), "[server]\ntrusted_proxy = [\"10.0.0.5\"]\n").unwrap();
    let output = stepback(dir.path(), &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "no link is printed where it would not do");
    let message = text(&output.stderr);
    assert!(message.contains("there is no user yet") && message.contains("stepback user add"), "{message}");
}

#[test]
fn a_taken_address_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = stepback(dir.path(), &["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains(&address) && message.contains("--listen"), "{message}");
}

#[test]
fn the_doctor_fails_where_nothing_is_and_succeeds_on_a_demo() {
    let dir = tempfile::tempdir().unwrap();
    let output = stepback(dir.path(), &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(table.lines().any(|line| line.starts_with("FAIL  metadata.db")), "{table}");
    assert!(table.lines().any(|line| line.contains('→')), "{table}");

    let output = stepback(dir.path(), &["doctor", "--config", "missing.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("missing.toml could not be read"));

    let output = stepback(dir.path(), &["demo", "d"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("stepback serve --config "));
    let output = stepback(dir.path(), &["doctor", "--config", "d/stepback.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn a_wrong_command_line_is_2() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["serve", "--size", "small"][..], &["demo"], &[], &["demo", "d", "--seed", "x"]] {
        assert_eq!(stepback(dir.path(), args).status.code(), Some(2), "{args:?}");
    }
}
