//! The API's manners: lists, names that stay, and what it says to nonsense.

use serde_json::{Value, json};

use crate::app::App;
use crate::deployment::{Deployment, Layout};

#[tokio::test]
async fn nonsense_is_answered_with_problem_documents() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let invalid = [
        "/api/v1/versions?colour=red",
        "/api/v1/versions?limit=0",
        "/api/v1/versions?limit=201",
        "/api/v1/versions?limit=many",
        "/api/v1/versions?sort=price",
        "/api/v1/versions?cursor=garbage",
        "/api/v1/versions/%FF%FE",
        "/api/v1/runs?state=asleep",
        "/api/v1/runs?limit=-1",
        "/api/v1/runs?cursor=garbage",
        "/api/v1/runs?sort=id",
    ];
    for path in invalid {
        let problem = app.get(path).await.problem(400, "invalid-request");
        assert!(!problem["safe"].is_null(), "{path}: {problem}");
    }
    let missing = [
        "/api/v1/nothing",
        "/api/v1/versions/v99_minor_20200101_000000",
        "/api/v1/versions/v1/chapters",
        "/api/v1/runs/1",
        "/api/v1/runs/one",
        "/api/v1/runs/-1",
        "/api/v1/runs/99999999999999999999999",
    ];
    for path in missing {
        app.get(path).await.problem(404, "not-found");
    }
    for (method, path) in [
        ("POST", "/api/v1/versions"),
        ("DELETE", "/api/v1/versions/v1_baseline"),
        ("GET", "/api/v1/plans"),
        ("PUT", "/api/v1/runs"),
        ("DELETE", "/api/v1/runs/1"),
        ("GET", "/api/v1/runs/1/decision"),
        ("POST", "/api/v1/runs/1/events"),
    ] {
        app.send(method, path, &[], "").await.problem(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_told_apart() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let json = [("content-type", "application/json")];
    let bodies = [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"version_id": 5}"#,
        r#"{"version_id": null}"#,
        r#"{"version_id": "v2", "version": "v3"}"#,
        r#"{"version_id": "v2", "restore": ["mars"]}"#,
        r#"{"version_id": "v2", "restore": "sqlite"}"#,
        r#"{"version_id": "v2", "acknowledgements": [1]}"#,
        r#"{"version_id": "v2"} {"version_id": "v3"}"#,
    ];
    for body in bodies {
        app.send("POST", "/api/v1/plans", &json, body).await.problem(400, "invalid-request");
        app.send("POST", "/api/v1/runs", &json, body).await.problem(400, "invalid-request");
    }
    let huge = json!({ "version_id": "v".repeat(70_000) }).to_string();
    for path in ["/api/v1/plans", "/api/v1/runs", "/api/v1/runs/1/decision"] {
        app.send("POST", path, &json, &huge).await.problem(413, "too-large");
        app.send("POST", path, &[], "{}").await.problem(415, "unsupported-media-type");
        app.send("POST", path, &[("content-type", "text/plain")], "{}").await.problem(415, "unsupported-media-type");
    }
    assert_eq!(app.get("/healthz").await.json(200), json!({ "status": "ok" }));
    assert_eq!(app.get("/readyz").await.json(200), json!({ "status": "ok" }));
}

#[tokio::test]
async fn versions_are_paged_searched_filtered_and_sorted() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|v| v["version_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = app.get("/api/v1/versions?limit=200").await.json(200);
    assert_eq!(all["next_cursor"], Value::Null);
    assert_eq!(ids(&all)[0], d.failed, "newest first");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM version_registry").fetch_one(&mut d.metadata().await).await.unwrap();
    assert_eq!(ids(&all).len(), usize::try_from(rows).unwrap());

    for sort in ["-created_at", "created_at", "version_id", "-version_id", "-updated_at", "status"] {
        let whole = ids(&app.get(&format!("/api/v1/versions?limit=200&sort={sort}")).await.json(200));
        let (mut walked, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/api/v1/versions?limit=3&sort={sort}{cursor}")).await.json(200);
            assert!(page["items"].as_array().unwrap().len() <= 3);
            walked.extend(ids(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={}", crate::client::encoded(next.as_bytes()));
        }
        assert_eq!(walked, whole, "{sort}");
        assert_eq!(walked.len(), ids(&all).len());
    }
    let two = app.get("/api/v1/versions?status=failed,pending&limit=200").await.json(200);
    assert!(two["items"].as_array().unwrap().iter().all(|v| v["status"] == "failed" || v["status"] == "pending"));
    assert_eq!(ids(&two), ids(&app.get("/api/v1/versions?status=failed&status=pending&limit=200").await.json(200)));
    assert_eq!(
        ids(&app.get(&format!("/api/v1/versions?q={}", d.failed)).await.json(200)),
        std::slice::from_ref(&d.failed)
    );
    assert_eq!(
        ids(&app.get("/api/v1/versions?q=v%25_%25").await.json(200)),
        Vec::<String>::new(),
        "a text, no pattern"
    );
}

#[tokio::test]
async fn names_that_were_promised_are_there() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    has(&plan, &["digest", "version_id", "startable", "refusals", "acknowledgements", "stores"]);
    for item in plan["refusals"].as_array().unwrap().iter().chain(plan["acknowledgements"].as_array().unwrap()) {
        has(item, &["code", "message"]);
    }
    for (store, units) in [("sqlite", &["rows"][..]), ("qdrant", &["points"]), ("neo4j", &["nodes"])] {
        let told = &plan["stores"][store];
        has(told, &["engine", "reachable", "staging", "production", "latest_copy", "differs"]);
        has(&told["staging"], &["present"]);
        has(&told["staging"], units);
        has(&told["production"], units);
        has(&told["latest_copy"], units);
        assert_eq!(told["differs"], false);
    }
    has(&plan["stores"]["neo4j"]["staging"], &["relationships", "crossing_relationships"]);

    let run = app.roll_back(&d.failed, "for its names").await;
    has(&run, &["id", "kind", "version_id", "state", "steps", "last_event", "started_at", "ended_at", "duration_ms"]);
    assert_eq!(run["kind"], "rollback");
    let steps = run["steps"].as_array().unwrap();
    let places: Vec<(u64, &Value)> = steps.iter().map(|s| (s["number"].as_u64().unwrap(), &s["lane"])).collect();
    let [none, sqlite, qdrant, neo4j] = [Value::Null, json!("sqlite"), json!("qdrant"), json!("neo4j")];
    let expected = [
        (1, &none),
        (2, &none),
        (3, &sqlite),
        (4, &qdrant),
        (5, &neo4j),
        (6, &none),
        (7, &sqlite),
        (7, &qdrant),
        (7, &neo4j),
        (8, &none),
        (9, &none),
    ];
    assert_eq!(places, expected);
    for step in steps {
        let names =
            ["number", "lane", "title", "state", "done", "total", "unit", "started_at", "ended_at", "outcome", "error"];
        has(step, &names);
        assert_eq!(step["done"], step["total"], "{step}");
        for time in ["started_at", "ended_at"] {
            let time = step[time].as_str().unwrap();
            assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        }
    }

    let version = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    has(
        &version,
        &["version_id", "status", "status_message", "created_at", "updated_at", "staging", "operations", "runs"],
    );
    let stores: Vec<&Value> = version["staging"].as_array().unwrap().iter().map(|s| &s["store"]).collect();
    assert_eq!(stores, [&sqlite, &qdrant, &neo4j]);
    let copy = app.get("/api/v1/latest-copy").await.json(200);
    assert_eq!(copy["intact"], true, "{copy}");
    let files = copy["files"].as_array().unwrap();
    assert_eq!(files.len(), 3);
    for file in files {
        let size = std::fs::metadata(file["path"].as_str().unwrap()).unwrap().len();
        assert_eq!(file["bytes"], size, "sizes are bytes");
        let proven: Vec<&Value> = file["rungs"].as_array().unwrap().iter().map(|r| &r["state"]).collect();
        assert_eq!(proven[..4], ["passed"; 4], "{file}");
    }
    let reports = app.get("/api/v1/stores").await.json(200);
    has(&reports, &["items", "next_cursor"]);
    for report in reports["items"].as_array().unwrap() {
        has(report, &["store", "engine", "location", "status", "detail", "latency_ms", "checked_at"]);
        assert_eq!(report["status"], "up");
    }
}

#[track_caller]
fn has(value: &Value, names: &[&str]) {
    for name in names {
        assert!(value.get(name).is_some(), "{name} is missing in {value}");
    }
}

#[tokio::test]
async fn what_the_page_itself_asks_is_answered_with_the_status_of_its_problem() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for (path, status, kind) in [
        ("/rpc/version", 400, "invalid-request"),
        ("/rpc/plan?kind=rollback", 400, "invalid-request"),
        ("/rpc/plan?version_id=x&kind=nonsense", 400, "invalid-request"),
        ("/rpc/version?id=v99_minor_20200101_000000", 404, "not-found"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((&problem["kind"], &problem["status"]), (&json!(kind), &json!(status)), "{path}");
    }
    let body = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(app.send("POST", "/rpc/verify-backup", &body, "trial=true").await.status, 400);
}
