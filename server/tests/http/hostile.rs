//! Ids and messages as nobody should write them: listed everywhere, harmless, and never a target.

use futures::future::join_all;
use serde_json::json;
use sqlx::Connection as _;

use std::collections::BTreeSet;

use crate::app::App;
use crate::client::{Answer, encoded};
use crate::contents::tables;
use crate::deployment::{Deployment, Layout};

/// Ids that no rollback may take; their state would make them candidates.
fn ids() -> Vec<Vec<u8>> {
    let text = [
        "v2'; DROP TABLE version_registry; --",
        "v2\"quoted\"",
        "v2`ticked`",
        "../../etc/passwd",
        "v2/../../secrets",
        "..",
        ".",
        "-rf",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(2)>",
        "</title></textarea><svg onload=alert(3)>",
        "</title><script>alert(4)</script>",
        "{{7*7}}${7*7}%s%n",
        "bell\u{7} escape\u{1b}[31m tab\t line\nfeed return\r",
        "nul\0inside",
        "\u{202e}gnp.elbasrever",
        "zero\u{200b}width\u{feff}",
        "v2 with a space ",
        "%2e%2e%2f",
        "100%25",
        "a?b#c&d=e;f+g",
        "版本二",
        "v1_baseline",
        "V1_BASELINE_copy",
        "latest_copy20261120",
        "",
    ];
    let mut ids: Vec<Vec<u8>> = text.iter().map(|id| id.as_bytes().to_vec()).collect();
    ids.push("x".repeat(10_000).into_bytes());
    ids.push(b"v2\xff\xfe".to_vec());
    ids
}

/// Puts the ids into the registry, with messages and log entries to match.
async fn insert(d: &Deployment) {
    let mut file = d.metadata().await;
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut file).await.unwrap();
    for id in ids() {
        let row = "INSERT OR REPLACE INTO version_registry (version_id, status, status_message, notes, created_at)
                   VALUES (CAST(?1 AS TEXT), 'failed', CAST(?1 AS TEXT), CAST(?1 AS TEXT), '2026-11-22 10:00:00')";
        sqlx::query(row).bind(&id).execute(&mut file).await.unwrap();
        let entry = "INSERT INTO operation_log (version_id, operation_type, status, details)
                     VALUES (CAST(?1 AS TEXT), CAST(?1 AS TEXT), 'completed', CAST(?1 AS TEXT))";
        sqlx::query(entry).bind(&id).execute(&mut file).await.unwrap();
    }
    let odd_state =
        "INSERT INTO version_registry (version_id, status) VALUES ('v77_minor', '<script>alert(5)</script>')";
    sqlx::query(odd_state).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}

/// Nothing of the data became markup, and nothing moves the reader's eye or terminal.
#[track_caller]
fn harmless(answer: &Answer, status: u16) {
    let page = answer.page(status);
    for markup in ["<script>alert", "<img src=x", "<svg onload", "</title></textarea>"] {
        assert!(!answer.body.contains(markup), "{markup} came through");
    }
    for c in ['\0', '\u{7}', '\u{1b}', '\u{202e}'] {
        assert!(!page.contains(c), "{c:?} came through");
    }
}

#[tokio::test]
async fn every_row_is_listed_and_no_page_is_hurt() {
    let d = Deployment::new(Layout::Shared).await;
    insert(&d).await;
    let app = App::start(&d.config()).await;
    let list = app.get("/api/v1/versions?limit=200").await.json(200);
    let listed: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|v| v["version_id"].as_str().unwrap()).collect();
    for id in ids() {
        let id = String::from_utf8_lossy(&id).into_owned();
        assert_eq!(listed.iter().filter(|found| **found == id).count(), 1, "{id:.60?}");
    }
    for path in [
        "/",
        "/versions",
        "/versions?q=script",
        "/versions?status=%3Cscript%3Ealert(1)%3C/script%3E",
        "/runs",
        "/backups",
    ] {
        harmless(&app.get(path).await, 200);
    }
    // In a page's own address too, whether there is such a version or not.
    for id in ids().iter().filter(|id| !id.is_empty()) {
        for tail in ["", "/plan"] {
            let answer = app.get(&format!("/versions/{}{tail}", encoded(id))).await;
            assert!(matches!(answer.status, 200 | 404 | 422), "{}: {:.60}", answer.status, encoded(id));
            harmless(&answer, answer.status);
        }
    }
    harmless(&app.get("/runs/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await, 404);
    harmless(&app.get("/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await, 404);
}

#[tokio::test]
async fn every_id_is_found_by_the_api_and_refused_as_a_target() {
    let d = Deployment::new(Layout::Shared).await;
    insert(&d).await;
    let app = App::start(&d.config()).await;
    let before = tables(&d).await;
    // Planning takes a second: all at once.
    let ids: Vec<String> = ids().into_iter().filter_map(|id| String::from_utf8(id).ok()).collect();
    let plans = join_all(ids.iter().map(|id| app.plan(id))).await;
    let mut refused = BTreeSet::new();
    for (id, plan) in ids.iter().zip(plans) {
        if !id.is_empty() {
            let version = app.get(&format!("/api/v1/versions/{}", encoded(id.as_bytes()))).await.json(200);
            assert_eq!(version["version_id"], *id);
            assert_eq!(version["candidacy"]["kind"], "refused", "{id:.60?}");
        }
        assert_eq!((&plan["startable"], &plan["acknowledgements"]), (&json!(false), &json!([])), "{id:.60?}");
        let code = plan["refusals"][0]["code"].as_str().unwrap();
        assert!(["unsafe_name", "baseline", "safety_backup"].contains(&code), "{id:.60?}: {code}");
        assert_eq!(plan["stores"]["sqlite"]["staging"]["present"], false, "{id:.60?}: nothing of it is looked for");
        // One start for each kind of refusal, and those whose names are worst.
        if refused.insert(code.to_owned()) || id.contains("DROP TABLE") || id.len() == 10_000 {
            let start = App::start_request(&plan, "try it all the same");
            app.post("/api/v1/runs", &start).await.problem(422, "refused");
        }
    }
    assert_eq!(refused.len(), 3);
    assert_eq!(tables(&d).await, before);
    assert_eq!(app.get("/api/v1/runs").await.json(200)["items"], json!([]));
}

#[tokio::test]
async fn hostile_ids_in_the_layout_that_names_tables_after_them() {
    let d = Deployment::new(Layout::PerVersion).await;
    let mut file = d.metadata().await;
    for id in ids() {
        let row = "INSERT OR REPLACE INTO version_registry (version_id, timestamp, status) VALUES (CAST(? AS TEXT), 'now', 'staging')";
        sqlx::query(row).bind(&id).execute(&mut file).await.unwrap();
    }
    file.close().await.unwrap();
    let app = App::start(&d.config()).await;
    let before = tables(&d).await;
    harmless(&app.get("/").await, 200);
    harmless(&app.get("/versions").await, 200);
    // The version that failed can still be rolled back: strange neighbours are no hindrance.
    let plan = app.plan(&d.failed).await;
    let refusals = plan["refusals"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap());
    assert_eq!(refusals.filter(|code| *code != "acknowledgement_required").count(), 0, "{plan}");
    let ids: Vec<String> = ids().into_iter().filter_map(|id| String::from_utf8(id).ok()).collect();
    for plan in join_all(ids.iter().map(|id| app.plan(id))).await {
        assert_eq!(plan["startable"], false, "{}", plan["version_id"]);
    }
    assert_eq!(tables(&d).await, before);
}
