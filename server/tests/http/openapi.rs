//! The document describes the router, no more and no less.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use stepback_server::assets::Site;
use stepback_server::{AppState, router, wire};
use tokio::sync::watch;

use crate::app::App;
use crate::deployment::{Deployment, Layout};

/// What the API promises, by path.
const PROMISED: &[(&str, &[&str])] = &[
    ("/api/v1/approvals", &["get", "post"]),
    ("/api/v1/approvals/{digest}", &["get"]),
    ("/api/v1/approvals/{digest}/vote", &["post"]),
    ("/api/v1/audit", &["get"]),
    ("/api/v1/audit.ndjson", &["get"]),
    ("/api/v1/backups", &["get"]),
    ("/api/v1/backups/{name}", &["get"]),
    ("/api/v1/backups/{name}/trust", &["post"]),
    ("/api/v1/backups/{name}/verify", &["post"]),
    ("/api/v1/changes", &["get"]),
    ("/api/v1/latest-copy", &["get"]),
    ("/api/v1/me", &["get"]),
    ("/api/v1/plans", &["post"]),
    ("/api/v1/runs", &["get", "post"]),
    ("/api/v1/runs/compare", &["get"]),
    ("/api/v1/runs/{id}", &["get"]),
    ("/api/v1/runs/{id}/abandon", &["post"]),
    ("/api/v1/runs/{id}/approval", &["post"]),
    ("/api/v1/runs/{id}/decision", &["post"]),
    ("/api/v1/runs/{id}/events", &["get"]),
    ("/api/v1/runs/{id}/log", &["get"]),
    ("/api/v1/runs/{id}/log.txt", &["get"]),
    ("/api/v1/runs/{id}/notes", &["post"]),
    ("/api/v1/runs/{id}/plan", &["get"]),
    ("/api/v1/runs/{id}/report", &["get"]),
    ("/api/v1/runs/{id}/report.md", &["get"]),
    ("/api/v1/runs/{id}/resume", &["post"]),
    ("/api/v1/runs/{id}/summary", &["get"]),
    ("/api/v1/runs/{id}/validation/{kind}", &["get"]),
    ("/api/v1/runs/{id}/way-back", &["delete", "get"]),
    ("/api/v1/stores", &["get"]),
    ("/api/v1/tokens", &["get", "post"]),
    ("/api/v1/tokens/{id}", &["delete"]),
    ("/api/v1/users", &["get", "post"]),
    ("/api/v1/users/{name}", &["post"]),
    ("/api/v1/users/{name}/sign-out", &["post"]),
    ("/api/v1/versions", &["get"]),
    ("/api/v1/versions/{id}", &["get"]),
    ("/healthz", &["get"]),
    ("/readyz", &["get"]),
];

#[tokio::test]
async fn every_route_is_described_with_its_methods() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let document = app.get("/api/openapi.json").await.json(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let described: BTreeMap<&str, BTreeSet<&str>> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, methods)| (path.as_str(), methods.as_object().unwrap().keys().map(String::as_str).collect()))
        .collect();
    let promised: BTreeMap<&str, BTreeSet<&str>> =
        PROMISED.iter().map(|(path, methods)| (*path, methods.iter().copied().collect())).collect();
    assert_eq!(described, promised);

    // A method that is described is taken, and one that is not is refused.
    for (path, methods) in &described {
        let path = path
            .replace("{id}", "1")
            .replace("{name}", "latest-copy")
            .replace("{kind}", "orphans")
            .replace("{digest}", "none");
        for method in ["get", "post", "put", "patch", "delete"] {
            let status = app.send(&method.to_uppercase(), &path, &[], "").await.status;
            assert_eq!(status != 405, methods.contains(method), "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn no_route_is_left_out() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let wired = wire(&config).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let router = router(AppState::new(&wired, &config, Arc::new(Site::without_files()), stopping));
    // The router's own list of its paths is only to be had in the text it prints for debugging.
    let text = format!("{router:?}");
    let routes: BTreeSet<&str> = text
        .split('"')
        .filter(|t| t.starts_with("/api/v1/") && !t.contains("{*"))
        .map(|t| t.trim_end_matches('/'))
        .collect();
    let promised: BTreeSet<&str> =
        PROMISED.iter().map(|(path, _)| *path).filter(|path| path.starts_with("/api/v1/")).collect();
    assert_eq!(routes, promised);
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_errors_are_problems() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let document = app.get("/api/openapi.json").await.json(200);
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_error = status.starts_with('4') || status.starts_with('5');
                let Some(content) = response["content"].as_object() else {
                    assert_eq!(status, "204", "{method} {path}");
                    continue;
                };
                let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
                if is_error && path.starts_with("/api/") {
                    assert_eq!(kinds, ["application/problem+json"], "{method} {path} {status}");
                    let schema = &content["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
                }
            }
        }
    }
}

fn collect<'v>(value: &'v Value, references: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|v| collect(v, references));
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, references)),
        _ => {}
    }
}
