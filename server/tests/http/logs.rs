//! A run's log in parts and as text, and the stream that tells of changes.

use rollback_types::Role;
use serde_json::Value;

use crate::app::{App, token};
use crate::deployment::{Deployment, Layout};
use crate::event_stream::Stream;

#[tokio::test]
async fn a_log_is_read_in_parts_searched_and_saved() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let run = app.begin(&d.failed, "its log is read").await;
    app.events(run).await.read_to_end().await;
    let whole = app.run(run).await["log"].as_array().unwrap().clone();
    let part = app.get(&format!("/api/v1/runs/{run}/log?limit=3")).await.json(200);
    assert_eq!(part["lines"].as_array().unwrap()[..], whole[whole.len() - 3..]);
    assert_eq!((&part["earlier"], &part["later"]), (&Value::Bool(true), &Value::Bool(false)));
    let found = app.get(&format!("/api/v1/runs/{run}/log?q=STEP%205")).await.json(200);
    let found = found["lines"].as_array().unwrap();
    assert!(!found.is_empty() && found.iter().all(|line| line["text"].as_str().unwrap().contains("step 5")));

    let text = app.get(&format!("/api/v1/runs/{run}/log.txt")).await;
    assert_eq!((text.status, text.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(text.header("content-disposition"), format!("attachment; filename=\"run-{run}.log\""));
    assert_eq!(text.body.lines().count(), whole.len());

    for bad in ["limit=0", "limit=x", "before=-1", "after=a", "before=3&after=1", "page=2"] {
        app.get(&format!("/api/v1/runs/{run}/log?{bad}")).await.problem(400, "invalid-request");
    }
    for path in ["log", "log.txt"] {
        app.get(&format!("/api/v1/runs/999/{path}")).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn whoever_watches_is_told_when_something_changed() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let viewer = app.client.with_token(&token(&app.access, "watcher", Role::Viewer).await);
    let mut watching = Stream::at(viewer, "/api/v1/changes").await;
    let before = watching.next().await.expect("what is so now").data["seen"].clone();
    let run = app.begin(&d.failed, "somebody watches").await;
    app.events(run).await.read_to_end().await;
    let after = watching.next().await.expect("that it changed").data["seen"].clone();
    assert!(before.is_string() && after.is_string() && before != after, "{before} {after}");
    app.get("/api/v1/changes?since=1").await.problem(400, "invalid-request");
}
