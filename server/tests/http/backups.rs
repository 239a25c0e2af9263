//! Backups: the ladder over HTTP and on the command line, trials, and a new latest-copy.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::contents::Contents;
use crate::deployment::{Deployment, Layout};
use crate::production::chapters;

/// The states of one rung in all files.
fn rung<'h>(health: &'h Value, name: &str) -> Vec<&'h str> {
    let files = health["files"].as_array().unwrap().iter();
    let of = |file: &'h Value| {
        let found = file["rungs"].as_array().unwrap().iter().find(|r| r["rung"] == name).unwrap();
        found["state"].as_str().unwrap()
    };
    files.map(of).collect()
}

/// All but the embedded vectors, in which a scratch collection came and went.
fn other_files(d: &Deployment) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut files = d.files();
    files.remove(&d.path("vectors.db"));
    files
}

#[tokio::test]
async fn every_backup_of_the_demo_passes_the_whole_ladder() {
    for layout in [Layout::Shared, Layout::PerVersion] {
        let d = Deployment::new(layout).await;
        let before = (Contents::of(&d).await, other_files(&d));
        let app = App::start(&d.config()).await;
        let list = app.get("/api/v1/backups").await.json(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 7, "latest-copy, the baseline and five versions");
        assert_eq!(list["items"][0]["source"]["kind"], "latest_copy");
        for backup in list["items"].as_array().unwrap() {
            let name = backup["source"]["id"].as_str().unwrap_or("latest-copy");
            assert_eq!(rung(backup, "trial_restore"), ["not_proven"; 3], "{name}");
            let tried = app.post(&format!("/api/v1/backups/{name}/verify"), &json!({"trial": true})).await.json(200);
            for word in ["exists", "size", "sha256", "opens", "content", "trial_restore"] {
                assert_eq!(rung(&tried, word), ["passed"; 3], "{layout:?} {name} {word}: {tried}");
            }
            assert_eq!((&tried["intact"], &tried["history"][0]["trial"]), (&json!(true), &json!(true)));
            let told = app.get(&format!("/api/v1/backups/{name}")).await.json(200);
            assert_eq!((rung(&told, "trial_restore"), &told["history"]), (vec!["passed"; 3], &tried["history"]));
        }
        assert_eq!(Contents::of(&d).await, before.0, "scratch places are removed");
        assert!(other_files(&d) == before.1, "a trial changed a file");
        assert_eq!(fs::read_dir(d.path("stepback-data/evidence/scratch")).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn only_backups_that_are_there_can_be_named() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for name in ["v9_minor_20261120_143022", "..", "%2e%2e%2fmetadata.db", "latest-copy%2f..", "stepback-data"] {
        app.get(&format!("/api/v1/backups/{name}")).await.problem(404, "not-found");
        app.post(&format!("/api/v1/backups/{name}/verify"), &json!({})).await.problem(404, "not-found");
    }
    app.get("/api/v1/backups/%ff").await.problem(400, "invalid-request");
    let verify = "/api/v1/backups/latest-copy/verify";
    app.post(verify, &json!({"trial": "yes"})).await.problem(400, "invalid-request");
    app.post(verify, &json!({"trail": true})).await.problem(400, "invalid-request");
    app.send("POST", verify, &[("origin", "http://evil.example")], "{}").await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_new_latest_copy_is_production_with_checksums_that_others_agree_with() {
    for layout in [Layout::Shared, Layout::PerVersion] {
        let d = Deployment::contaminated(layout).await;
        let latest = d.path("backups/latest-copy");
        let old = fs::read(latest.join("metadata.db")).unwrap();
        let app = App::start(&d.config()).await;
        // What a failed ingestion left would be proven not to agree, and what is staged would be copied too.
        app.carry_out("rollback", &d.failed).await;
        d.run("UPDATE chapter_metadata SET content_hash = 'a later edition' WHERE rowid = 1").await;
        let run = app.carry_out("make_backup", "latest-copy").await;
        assert_eq!(run["state"], "completed", "{run}");

        let list = fs::read_to_string(latest.join("checksums.txt")).unwrap();
        assert_eq!(list.lines().count(), 3);
        for line in list.lines() {
            let (digest, name) = line.split_once("  ").unwrap();
            assert_eq!(digest, hex::encode(Sha256::digest(fs::read(latest.join(name)).unwrap())), "{name}");
        }
        let live = chapters(&d.path("metadata.db")).await;
        assert_eq!(chapters(&latest.join("metadata.db")).await, live);
        let kept = fs::read_dir(d.path("backups")).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            path != latest && fs::read(path.join("metadata.db")).is_ok_and(|bytes| bytes == old)
        });
        assert!(kept, "the old one is kept");
        // Production equals it now, by the plan's own comparison.
        let plan = app.plan_of("restore_production", "latest-copy").await;
        assert_eq!(plan["refusals"][0]["code"], "nothing_to_restore", "{}", plan["refusals"]);
    }
}

/// The program in the deployment's folder, with no settings from this environment.
fn verify(d: &Deployment, args: &[&str]) -> Output {
    backup(d, &[&["verify"], args].concat())
}

fn backup(d: &Deployment, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepback"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STEPBACK_") {
            command.env_remove(name);
        }
    }
    command.env("STEPBACK_ROLLBACK_MIN_FREE_BYTES", "1").arg("backup").args(args);
    command.current_dir(d.path("")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_exit(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

#[tokio::test]
async fn the_command_tells_scripts_whether_backups_are_intact() {
    let d = Deployment::new(Layout::Shared).await;
    let all = verify(&d, &[]);
    assert_exit(&all, 0);
    let table = text(&all.stdout);
    assert!(table.contains("7 backups: 7 intact, 0 not intact"), "{table}");
    for word in ["latest-copy", "metadata.db", "Exists", "Size", "SHA-256", "Opens", "Content", "Trial restore"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let tried = verify(&d, &["latest-copy", "--trial", "--json"]);
    assert_exit(&tried, 0);
    let json: Value = serde_json::from_str(&text(&tried.stdout)).unwrap();
    assert_eq!((json["items"].as_array().unwrap().len(), &json["next_cursor"]), (1, &Value::Null));
    assert_eq!(rung(&json["items"][0], "trial_restore"), ["passed"; 3]);

    // Could not look: no such backup, settings that are none, a store that a trial needs.
    assert_exit(&verify(&d, &["v9_minor_20261120_143022"]), 2);
    assert_exit(&verify(&d, &["--config", "missing.toml"]), 2);
    let settings = fs::read_to_string(d.path("stepback.toml")).unwrap();
    let down = format!("{settings}\n[qdrant]\nurl = \"http://127.0.0.1:1\"\nrequest_timeout_ms = 500\n");
    fs::write(d.path("down.toml"), down).unwrap();
    assert_exit(&verify(&d, &["latest-copy", "--trial", "--config", "down.toml"]), 2);
    assert_exit(&verify(&d, &["latest-copy", "--config", "down.toml"]), 0);

    cut(&d.path("backups/latest-copy/neo4j_latest.cypher"));
    let damaged = verify(&d, &["latest-copy"]);
    assert_exit(&damaged, 1);
    let table = text(&damaged.stdout);
    assert!(table.contains("FAIL") && table.contains("→ Do not restore from it"), "{table}");
    assert_exit(&verify(&d, &["latest-copy", "--trial"]), 1);
    assert_exit(&verify(&d, &[]), 1);
}

#[tokio::test]
async fn the_command_looks_beside_a_server_but_tries_nothing_there() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(rollback_stores::qdrant_double::Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    assert_exit(&verify(&d, &["latest-copy"]), 0);
    let refused = verify(&d, &["latest-copy", "--trial"]);
    assert_exit(&refused, 2);
    let message = text(&refused.stderr);
    assert!(message.contains("a server uses") && message.contains("page"), "{message}");

    // A run of the server's is not taken for an abandoned one.
    let run = app.begin(&d.failed, "while others look").await;
    let busy = verify(&d, &["latest-copy"]);
    assert_exit(&busy, 2);
    assert!(text(&busy.stderr).contains(&format!("#{run}")), "{}", text(&busy.stderr));
    let refused = app.post("/api/v1/backups/latest-copy/verify", &json!({})).await;
    assert_eq!(refused.problem(409, "active-run")["active_run"], run);
    gate.open();
    app.events(run).await.read_to_end().await;
    assert!(app.run(run).await["state"].as_str().unwrap().starts_with("completed"));
}

/// A latest-copy without a list, whose export takes another's place after it was seen.
fn replace_export(d: &Deployment) {
    let folder = d.path("backups/latest-copy");
    fs::remove_file(folder.join("checksums.txt")).unwrap();
    assert_exit(&verify(d, &["latest-copy"]), 0);
    let path = folder.join("neo4j_latest.cypher");
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"// made again\n");
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn the_command_says_that_a_replaced_file_is_meant_and_the_audit_tells() {
    let d = Deployment::new(Layout::Shared).await;
    assert_exit(&backup(&d, &["trust", "latest-copy"]), 2);
    replace_export(&d);
    let seen = verify(&d, &["latest-copy"]);
    assert_exit(&seen, 1);
    let table = text(&seen.stdout);
    assert!(table.contains("who replaced it") && table.contains("stepback backup trust latest-copy"), "{table}");

    // Without a terminal nobody can be asked: the command says what is there, and how to say that it is meant.
    let unasked = backup(&d, &["trust", "latest-copy"]);
    assert_exit(&unasked, 2);
    let said = text(&unasked.stderr);
    let seen = said.split_once("--sha256 ").unwrap().1.split(' ').next().unwrap().to_owned();
    assert!(seen.starts_with("neo4j=") && said.contains("Nothing was changed"), "{said}");
    let other = format!("neo4j={}", "0".repeat(64));
    let trust = |hash: &str, reason: &str| backup(&d, &["trust", "latest-copy", "--sha256", hash, "--reason", reason]);
    assert_exit(&trust(&other, "exported anew"), 2);
    assert_exit(&trust(&seen, "  "), 2);
    let unexplained = backup(&d, &["trust", "latest-copy", "--sha256", &seen]);
    assert_exit(&unexplained, 2);
    assert!(text(&unexplained.stderr).contains("--reason"), "{}", text(&unexplained.stderr));

    let trusted = trust(&seen, "exported anew");
    assert_exit(&trusted, 0);
    let table = text(&trusted.stdout);
    assert!(table.contains("trusted by cli:") && table.contains("because: exported anew"), "{table}");
    assert_exit(&verify(&d, &["latest-copy"]), 0);
    let again = backup(&d, &["trust", "latest-copy"]);
    assert_exit(&again, 2);
    assert!(text(&again.stderr).contains("waits to be trusted"), "{}", text(&again.stderr));
    assert_exit(&backup(&d, &["trust", "v9_minor_20261120_143022"]), 2);

    let app = App::start(&d.config()).await;
    let rows = app.get("/api/v1/audit").await.json(200);
    let of_trust = |row: &&Value| row["action"] == "stepback backup trust" && row["subject"] == "latest-copy";
    let rows: Vec<&Value> = rows["items"].as_array().unwrap().iter().filter(of_trust).collect();
    let told: Vec<_> = rows.iter().map(|row| [&row["outcome"], &row["reason"]]).collect();
    let [done, refused, why, blank] = [json!("done"), json!("refused"), json!("exported anew"), json!("  ")];
    assert_eq!(told, [[&done, &why], [&refused, &blank], [&refused, &why]], "{rows:?}");
}

#[tokio::test]
async fn a_replaced_file_is_trusted_over_http_by_one_who_may() {
    let d = Deployment::new(Layout::Shared).await;
    replace_export(&d);
    let app = App::start(&d.config()).await;
    let trust = "/api/v1/backups/latest-copy/trust";
    let seen = app.get("/api/v1/backups/latest-copy").await.json(200);
    assert_eq!((&seen["intact"], &seen["replaced"]), (&json!(false), &json!(["neo4j"])), "{seen}");
    let of_neo4j = seen["files"].as_array().unwrap().iter().find(|file| file["store"] == "neo4j").unwrap();
    let body = json!({ "sha256": { "neo4j": of_neo4j["sha256"] }, "reason": "exported anew" });
    for unsaid in [json!({}), json!({ "sha256": body["sha256"] }), json!({ "sha256": body["sha256"], "reason": " " })] {
        app.post(trust, &unsaid).await.problem(400, "invalid-request");
    }
    for other in [json!({}), json!({ "neo4j": "0".repeat(64) }), json!({ "qdrant": of_neo4j["sha256"] })] {
        app.post(trust, &json!({ "sha256": other, "reason": "exported anew" })).await.problem(409, "conflict");
        assert_eq!(app.get("/api/v1/backups/latest-copy").await.json(200)["replaced"], json!(["neo4j"]), "{other}");
    }
    let trusted = app.post(trust, &body).await.json(200);
    assert_eq!((&trusted["intact"], &trusted["replaced"]), (&json!(true), &Value::Null), "{trusted}");
    assert!(trusted.to_string().contains("because: exported anew"), "{trusted}");
    let row = app.get("/api/v1/audit?action=trust").await.json(200)["items"][0].clone();
    assert_eq!((&row["outcome"], &row["reason"]), (&json!("done"), &body["reason"]), "{row}");
    app.post(trust, &body).await.problem(409, "conflict");
    app.post("/api/v1/backups/nobody/trust", &body).await.problem(404, "not-found");
}

fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
}
