//! A run's report: as JSON, as Markdown, as a page with its form; two runs compared; the history found again.

use rollback_types::Role;
use serde_json::{Value, json};

use crate::app::{App, token};
use crate::browser::{Browser, add_user};
use crate::client::encoded;
use crate::deployment::{Deployment, Layout};

const HOSTILE: &str = "<script>alert(1)</script>\n# no heading | [x](javascript:y)";

fn notes(notes: Value) -> Value {
    json!({ "notes": notes })
}

fn check<'r>(report: &'r Value, item: &str) -> &'r Value {
    report["checklist"].as_array().unwrap().iter().find(|c| c["item"] == item).unwrap()
}

#[tokio::test]
async fn a_report_tells_the_run_and_takes_what_people_add() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let run = app.roll_back(&d.failed, "Check 4 failed").await;
    let path = format!("/api/v1/runs/{}", run["id"]);
    let report = app.get(&format!("{path}/report")).await.json(200);
    assert_eq!((&report["run"]["id"], &report["run"]["state"]), (&run["id"], &run["state"]));
    assert_eq!(report["run"]["plan_digest"], plan["digest"]);
    for item in ["staging_removed", "production_intact", "validation_passed", "status_updated"] {
        assert_eq!(check(&report, item)["state"], "proven", "{report}");
    }
    let qdrant = report["stores"].as_array().unwrap().iter().find(|s| s["store"] == "qdrant").unwrap();
    let staged = qdrant["counts"].as_array().unwrap().iter().find(|c| c["what"] == "staged points").unwrap();
    assert_eq!((&staged["before"], &staged["after"]), (&plan["stores"]["qdrant"]["staging"]["points"], &json!(0)));

    let written = notes(json!([
        { "about": "root_cause", "text": HOSTILE },
        { "about": "lessons", "text": "an alarm at 80 %" },
        { "about": "remark", "text": "see ticket 42" },
    ]));
    let added = app.post(&format!("{path}/notes"), &written).await.json(200);
    assert_eq!((&added["root_cause"]["text"], &added["root_cause"]["by"]), (&json!(HOSTILE), &json!("token:tests")));
    assert_eq!(check(&added, "root_cause")["state"], "proven");
    let after = app.run(run["id"].as_u64().unwrap()).await;
    assert_eq!(
        (&after["state"], &after["ended_at"], &after["summary"]),
        (&run["state"], &run["ended_at"], &run["summary"])
    );
    assert_eq!(after["last_event"].as_u64().unwrap(), run["last_event"].as_u64().unwrap() + 1);
    // The same once more is nothing new.
    app.post(&format!("{path}/notes"), &written).await.json(200);
    assert_eq!(app.run(run["id"].as_u64().unwrap()).await["last_event"], after["last_event"]);
    let newer = notes(json!([{ "about": "root_cause", "text": "a full disk" }]));
    let newer = app.post(&format!("{path}/notes"), &newer).await.json(200);
    assert_eq!(newer["root_cause"]["earlier"][0]["text"], HOSTILE);

    // The stream ends, with the notes in it, whatever the reader knows.
    let (events, last) = app.events(run["id"].as_u64().unwrap()).await.read_to_end().await;
    assert_eq!(events.last().unwrap().kind(), "run_annotated");
    assert_eq!(last, events.len() as u64);

    let markdown = app.get(&format!("{path}/report.md")).await;
    assert_eq!((markdown.status, markdown.header("content-type")), (200, "text/markdown; charset=utf-8"));
    let name = format!("attachment; filename=\"run-{}-report.md\"", run["id"]);
    assert_eq!(markdown.header("content-disposition"), name);
    assert!(markdown.body.starts_with("# Run #") && markdown.body.contains("a full disk"), "{}", markdown.body);
    assert!(!markdown.body.contains("<script") && !markdown.body.lines().any(|l| l.starts_with("# no heading")));

    let page = app.get(&format!("/runs/{}/report", run["id"])).await;
    let page = page.page(200);
    assert!(page.contains("a full disk") && page.contains("an alarm at 80 %") && page.contains("see ticket 42"));
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "text stays text");
    assert!(page.contains("report.md\"") && page.contains("action=\"/rpc/annotate\""));
    assert!(
        app.get(&format!("/runs/{}", run["id"])).await.page(200).contains(&format!("/runs/{}/report\"", run["id"]))
    );
}

#[tokio::test]
async fn what_may_not_be_written_is_refused_and_nothing_of_it_kept() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let run = app.roll_back(&d.failed, "Check 4 failed").await;
    let path = format!("/api/v1/runs/{}/notes", run["id"]);
    for bad in [
        json!({}),
        notes(json!([])),
        notes(json!([{ "about": "root_cause" }])),
        notes(json!([{ "about": "gossip", "text": "anything" }])),
        notes(json!([{ "about": "root_cause", "text": "no" }])),
        notes(json!([{ "about": "root_cause", "text": "x".repeat(3_001) }])),
        notes(json!([{ "about": "remark", "text": "nul\u{0}" }])),
        notes(
            json!([{ "about": "ticked", "item": "status_updated", "done": true }, { "about": "remark", "text": "kept?" }]),
        ),
        notes(json!([{ "about": "ticked", "item": "coffee", "done": true }])),
        json!({ "notes": [{ "about": "remark", "text": "kept?" }], "colour": "red" }),
    ] {
        let answer = app.post(&path, &bad).await;
        assert!(matches!(answer.status, 400), "{bad}: {} {}", answer.status, answer.body);
        answer.problem(400, "invalid-request");
    }
    let fine = notes(json!([{ "about": "remark", "text": "kept" }]));
    app.post("/api/v1/runs/99/notes", &fine).await.problem(404, "not-found");
    app.post("/api/v1/runs/one/notes", &fine).await.problem(404, "not-found");
    let viewer = app.client.with_token(&token(&app.access, "looker", Role::Viewer).await);
    viewer.post(&path, &fine).await.problem(403, "role-required");
    for path in ["/api/v1/runs/99/report", "/api/v1/runs/99/report.md", "/api/v1/runs/one/report"] {
        viewer.get(path).await.problem(404, "not-found");
    }
    let report = viewer.get(&format!("/api/v1/runs/{}/report", run["id"])).await.json(200);
    assert_eq!((&report["remarks"], &report["root_cause"]), (&json!([]), &Value::Null));
    assert_eq!(app.run(run["id"].as_u64().unwrap()).await["last_event"], run["last_event"]);
}

#[tokio::test]
async fn the_form_works_without_a_script_and_the_audit_names_who_wrote() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let run = app.roll_back(&d.failed, "Check 4 failed").await;
    let (id, last) = (run["id"].as_u64().unwrap(), run["last_event"].as_u64().unwrap());
    add_user(&app.access, "ann", Role::Operator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let here = format!("http://{}/runs/{id}/report", app.address);
    let form = |cause: &str, remark: &str| {
        format!(
            "run={id}&seen={last}&root_cause={}&lessons=&remark={}",
            encoded(cause.as_bytes()),
            encoded(remark.as_bytes())
        )
    };
    let saved = ann.post_from(&here, "/rpc/annotate", &form("a full disk\r\nand no alarm", "")).await;
    assert_eq!(
        (saved.status, saved.header("location").split('?').next().unwrap()),
        (302, format!("/runs/{id}/report").as_str()),
        "{}",
        saved.body
    );
    let page = ann.get(&format!("/runs/{id}/report")).await;
    assert!(page.page(200).contains("a full disk\nand no alarm"));
    let report = app.get(&format!("/api/v1/runs/{id}/report")).await.json(200);
    assert_eq!(report["root_cause"]["by"], "ann");

    // Refused, the form leads back to the page, which says why.
    let refused = ann.post_from(&here, "/rpc/annotate", &form("no", "")).await;
    let back = refused.header("location").to_owned();
    assert!(matches!(refused.status, 302 | 303) && back.starts_with("/runs/"), "{} {back}", refused.status);
    assert!(back.contains("?notice=") && !back.contains("characters"), "no text stands in the address: {back}");
    let page = ann.get(&back).await;
    let page = page.page(200);
    assert!(page.contains("2 characters; 3 to 3,000 are allowed") && page.contains("role=\"alert\""), "{page}");
    let row = app.get("/api/v1/audit?action=/rpc/annotate").await.json(200);
    let row = |n: usize| row["items"][n].clone();
    assert_eq!((&row(0)["outcome"], &row(1)["outcome"]), (&json!("refused"), &json!("done")));
    assert_eq!((&row(1)["actor"], &row(1)["subject"]), (&json!("ann"), &json!(id.to_string())));

    // A viewer reads all of it and can change none of it.
    add_user(&app.access, "eve", Role::Viewer).await;
    let eve = Browser::sign_in(&app, "eve").await;
    let page = eve.get(&format!("/runs/{id}/report")).await;
    assert!(page.page(200).contains("Needs the role operator."));
    assert_eq!(eve.post_from(&here, "/rpc/annotate", &form("mine", "")).await.status, 403);
}

#[tokio::test]
async fn a_report_of_a_run_that_is_not_there_is_a_page_with_status_404() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for path in ["/runs/99/report", "/runs/one/report", "/runs/compare?a=98&b=99", "/runs/compare?a=one&b=2"] {
        assert!(app.get(path).await.page(404).contains("There is no such run"), "{path}");
    }
    assert!(app.get("/runs/compare").await.page(200).contains("Two runs are to be chosen."));
    for bad in ["", "?a=1", "?a=1&b=two", "?a=1&b=2&c=3"] {
        app.get(&format!("/api/v1/runs/compare{bad}")).await.problem(400, "invalid-request");
    }
    app.get("/api/v1/runs/compare?a=1&b=2").await.problem(404, "not-found");
}

#[tokio::test]
async fn runs_are_compared_drawn_and_found_again() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let first = app.roll_back(&d.failed, "Check 4 failed; ticket 42").await;
    let second = app.carry_out("validate", "production").await;
    let (a, b) = (&first["id"], &second["id"]);
    let compared = app.get(&format!("/api/v1/runs/compare?a={a}&b={b}")).await.json(200);
    assert_eq!((&compared["a"]["run"]["id"], &compared["b"]["run"]["id"]), (a, b));
    let steps = compared["steps"].as_array().unwrap();
    let validate = steps.iter().find(|s| s["step"] == "validate").unwrap();
    let took = |side: &str| validate[side]["took_ms"].as_i64().unwrap();
    assert_eq!(validate["longer_ms"], took("b") - took("a"));
    let page = app.get(&format!("/runs/compare?a={a}&b={b}")).await;
    let page = page.page(200);
    for text in ["ticket 42", "no such step", "Step by step"] {
        assert!(page.contains(text), "{text}");
    }

    let ids = |found: Value| -> Vec<Value> {
        found["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let found = |query: String| {
        let client = app.client;
        async move { ids(client.get(&format!("/api/v1/runs?{query}")).await.json(200)) }
    };
    assert_eq!(found("q=TICKET+42".into()).await, std::slice::from_ref(a));
    assert_eq!(found("q=%25".into()).await, Vec::<Value>::new(), "a text, not a pattern");
    let started = second["started_at"].as_str().unwrap();
    assert_eq!(found(format!("since={}", encoded(started.as_bytes()))).await, std::slice::from_ref(b));
    assert_eq!(found(format!("until={}", encoded(started.as_bytes()))).await, std::slice::from_ref(a));
    app.get("/api/v1/runs?since=yesterday").await.problem(400, "invalid-request");
    let day = &started[..10];
    let page = app.get(&format!("/runs?q=ticket+42&from={day}&to={day}")).await;
    let page = page.page(200);
    assert!(
        page.contains("ticket 42") && page.contains("value=\"ticket 42\"") && !page.contains("carried out by a test")
    );
    assert!(app.get("/runs?q=no+such+reason").await.page(200).contains("No run matches."));
    assert!(app.get("/runs?to=1999-01-01").await.page(200).contains("No run matches."));

    // What fits the filters is drawn, too, and nothing where nothing does.
    let drawn = "id=\"history-chart-title\"";
    assert!(!app.get("/runs?q=no+such+reason").await.page(200).contains(drawn));
    let history = app.get("/runs").await;
    let history = history.page(200);
    assert!(history.contains(drawn) && history.contains("href=\"/runs/compare\""));
    assert!(history.contains(&format!("href=\"/runs/{a}/report\"")));
}
