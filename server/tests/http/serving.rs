//! Limits, headers, proxies, and streams that end with their holder's right to read.

use rollback_stores::qdrant_double::Call;
use rollback_types::Role;
use serde_json::json;

use crate::app::{App, token};
use crate::browser::{Browser, add_user};
use crate::deployment::{Deployment, Layout};
use crate::event_stream::Stream;

#[tokio::test]
async fn a_pages_scripts_carry_the_nonce_of_its_policy() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let mut nonces = Vec::new();
    for path in ["/", "/versions", "/runs", "/backups", "/sign-in", "/nothing"] {
        let answer = app.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0.to_owned();
        assert!(nonce.len() >= 16, "{policy}");
        let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            let tag = script.split_once('>').unwrap().0;
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{path}: <script{tag}>");
        }
        assert!(!answer.body.contains(" style=\"") && !answer.body.contains("<style"), "{path}: an inline style");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 6, "each page has its own");
    let api = app.get("/api/v1/versions").await;
    assert!(api.header("content-security-policy").starts_with("default-src 'none'; frame-ancestors 'none'"));
    assert_eq!(api.header("cache-control"), "no-store");
    assert_eq!(api.header("strict-transport-security"), "", "plain HTTP promises no HTTPS");
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let long = "x".repeat(80_000);
    assert_eq!(app.send("GET", "/healthz", &[("x-long", &long)], "").await.status, 431);
    let names: Vec<String> = (0..200).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(app.send("GET", "/healthz", &many, "").await.status, 431);
    for path in ["/api/v1/plans", "/session/sign-in", "/rpc/start"] {
        app.send("POST", path, &[("content-type", "application/json")], &long).await.problem(413, "too-large");
    }
    assert_eq!(app.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn each_holder_has_so_many_streams() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let mut config = d.config_with(&double);
    config.serving.max_streams_per_client = 2;
    let app = App::start(&config).await;
    let run = app.begin(&d.failed, "watched by many").await;
    gate.reached().await;
    let (first, _second) = (app.events(run).await, app.events(run).await);
    let path = format!("/api/v1/runs/{run}/events");
    app.get(&path).await.problem(429, "too-many-requests");
    let other = app.client.with_token(&token(&app.access, "other", Role::Viewer).await);
    let _third = Stream::open(other, run, "", &[]).await;
    drop(first);
    // The server sees that a reader is gone when it writes to it next: the run goes on, and the place is free.
    gate.open();
    app.events_when_free(run).await.read_to_end().await;
}

#[tokio::test]
async fn a_stream_ends_after_its_token_was_revoked() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "read by one who may not any more").await;
    gate.reached().await;
    let reader = app.client.with_token(&token(&app.access, "reader", Role::Viewer).await);
    let mut stream = Stream::open(reader, run, "", &[]).await;
    assert!(stream.next().await.is_some());
    app.access.revoke("reader").await.unwrap();
    while let Some(message) = stream.next().await {
        assert_ne!(message.name, "end", "the run is not over");
    }
    reader.get(&format!("/api/v1/runs/{run}/events")).await.problem(401, "sign-in-required");
    gate.open();
    app.events(run).await.read_to_end().await;
}

#[tokio::test]
async fn a_stream_ends_after_its_reader_was_disabled_or_signed_out() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    for name in ["ann", "ben", "cleo"] {
        add_user(&app.access, name, Role::Operator).await;
    }
    let run = app.begin(&d.failed, "read by some who may not any more").await;
    gate.reached().await;
    let open = async |browser: &Browser| {
        let mut stream = Stream::open(app.client.nobody(), run, "", &[("cookie", &browser.cookie)]).await;
        assert!(stream.next().await.is_some());
        stream
    };
    let [ann, ben, cleo] = [
        Browser::sign_in(&app, "ann").await,
        Browser::sign_in(&app, "ben").await,
        Browser::sign_in(&app, "cleo").await,
    ];
    let (of_ann, of_ben, mut of_cleo) = (open(&ann).await, open(&ben).await, open(&cleo).await);
    app.post("/api/v1/users/ann", &json!({ "disabled": true })).await.json(200);
    ben.post("/session/sign-out", "").await;
    for mut stream in [of_ann, of_ben] {
        while let Some(message) = stream.next().await {
            assert_ne!(message.name, "end", "the run is not over");
        }
    }
    gate.open();
    // Another's stream goes on to the end, also for one whose role is another by now.
    app.post("/api/v1/users/cleo", &json!({ "role": "viewer" })).await.json(200);
    of_cleo.read_to_end().await;
}

#[tokio::test]
async fn forwarded_headers_are_believed_from_the_named_proxy_only() {
    let d = Deployment::new(Layout::Shared).await;
    let forwarded = [
        ("content-type", "application/json"),
        ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "stepback.example"),
    ];
    let body = json!({ "version_id": d.failed }).to_string();
    let address = async |app: &App| {
        let page = app.get("/api/v1/audit?action=plans").await.json(200);
        page["items"][0]["address"].as_str().unwrap().to_owned()
    };
    let app = App::start(&d.config()).await;
    let answer = app.send("POST", "/api/v1/plans", &forwarded, &body).await;
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, ""), "{}", answer.body);
    assert_eq!(address(&app).await, "127.0.0.1");
    app.kill().await;

    let mut config = d.config();
    config.serving.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let app = App::start(&config).await;
    // The proxy's name for us has to be told, too.
    app.send("POST", "/api/v1/plans", &forwarded, &body).await.problem(403, "forbidden");
    app.kill().await;
    config.serving.public_url = Some(stepback_server::config::PublicUrl {
        scheme: "https".to_owned(),
        authority: "stepback.example".to_owned(),
    });
    let app = App::start(&config).await;
    let answer = app.send("POST", "/api/v1/plans", &forwarded, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
    assert_eq!(address(&app).await, "198.51.100.7", "what the client wrote itself is not believed");
}
