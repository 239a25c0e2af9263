//! What is written of who did what, and who tried to.

use rollback_types::Role;
use serde_json::{Value, json};

use crate::app::{App, token};
use crate::browser::{Browser, PASSWORD, add_user, cookie, post_form, sign_in};
use crate::deployment::{Deployment, Layout};

/// The newest row of an action.
async fn newest(app: &App, action: &str) -> Value {
    let page = app.get(&format!("/api/v1/audit?action={}", crate::client::encoded(action.as_bytes()))).await.json(200);
    page["items"][0].clone()
}

#[tokio::test]
async fn a_start_is_written_with_its_digest_and_reason() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let id = app.begin(&d.failed, "it failed; see <b>ticket 42</b>").await;
    app.events(id).await.read_to_end().await;
    let row = newest(&app, "POST /api/v1/runs").await;
    assert_eq!(
        (&row["actor"], &row["role"], &row["via"]),
        (&json!("token:tests"), &json!("administrator"), &json!("token"))
    );
    assert_eq!((&row["subject"], &row["digest"]), (&json!(d.failed), &plan["digest"]));
    assert_eq!(row["reason"], "it failed; see <b>ticket 42</b>");
    assert_eq!((&row["outcome"], &row["status"], &row["address"]), (&json!("done"), &json!(201), &json!("127.0.0.1")));
    assert!(row["ended_at"].is_string());
    let run = app.run(id).await;
    assert!(run.to_string().contains("token:tests"), "the journal names the actor too");
}

#[tokio::test]
async fn refused_tries_are_written_and_no_password_is() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let viewer = app.client.with_token(&token(&app.access, "looker", Role::Viewer).await);
    let start = json!({ "version_id": d.failed, "plan_digest": "d", "confirm_version_id": d.failed, "reason": "mine" });
    viewer.post("/api/v1/runs", &start).await.problem(403, "role-required");
    let row = newest(&app, "POST /api/v1/runs").await;
    assert_eq!(
        (&row["actor"], &row["outcome"], &row["status"]),
        (&json!("token:looker"), &json!("refused"), &json!(403))
    );
    assert!(row["detail"].as_str().unwrap().contains("operator"), "{row}");
    viewer.get("/api/v1/users").await.problem(403, "role-required");
    assert_eq!(newest(&app, "GET /api/v1/users").await["outcome"], "refused");
    app.client.nobody().post("/api/v1/plans", &json!({})).await.problem(401, "sign-in-required");
    let row = newest(&app, "POST /api/v1/plans").await;
    assert_eq!((&row["actor"], &row["status"]), (&Value::Null, &json!(401)));
    let forged = [("content-type", "application/json"), ("origin", "https://evil.example")];
    app.send("POST", "/api/v1/plans", &forged, "{}").await.problem(403, "forbidden");
    assert_eq!(newest(&app, "POST /api/v1/plans").await["status"], 403);

    sign_in(&app, "ann", "a wrong guess", &[]).await;
    let row = newest(&app, "POST /session/sign-in").await;
    assert_eq!((&row["subject"], &row["outcome"]), (&json!("ann"), &json!("refused")), "a redirect is no success");
    sign_in(&app, "ann", PASSWORD, &[]).await;
    let row = newest(&app, "POST /session/sign-in").await;
    assert_eq!((&row["actor"], &row["role"], &row["outcome"]), (&json!("ann"), &json!("viewer"), &json!("done")));
    assert_eq!((&row["subject"], &row["status"], &row["address"]), (&json!("ann"), &json!(303), &json!("127.0.0.1")));
    let all = app.get("/api/v1/audit.ndjson").await;
    assert_eq!((all.status, all.header("content-type")), (200, "application/x-ndjson"));
    assert!(!all.body.contains("a wrong guess") && !all.body.contains(PASSWORD));
    let rows: Vec<Value> = all.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() >= 6 && rows.windows(2).all(|w| w[0]["id"].as_i64() < w[1]["id"].as_i64()), "oldest first");
}

#[tokio::test]
async fn a_strangers_tries_fill_no_disk_and_every_sign_in_has_its_row() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Viewer).await;
    sign_in(&app, "ann", PASSWORD, &[]).await;
    for n in 0..50 {
        sign_in(&app, &format!("nobody{n}"), "a wrong guess", &[]).await;
    }
    post_form(&app, "/session/welcome", "key=wrong&name=eve&password=x", &[]).await;
    let page = app.get("/api/v1/audit?limit=200&action=session").await.json(200);
    let rows = page["items"].as_array().unwrap();
    let refused = rows.iter().filter(|row| row["outcome"] == "refused").count();
    // Two minutes, if the tries happened to fall into two.
    assert!((30..=60).contains(&refused) && rows.len() == refused + 1, "{refused} of {}", rows.len());
    assert_eq!((&rows[rows.len() - 1]["actor"], &rows[rows.len() - 1]["outcome"]), (&json!("ann"), &json!("done")));
}

#[tokio::test]
async fn where_a_sign_in_cannot_be_written_nobody_gets_in() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Viewer).await;
    d.refuse_audit().await;
    let answer = sign_in(&app, "ann", PASSWORD, &[]).await;
    assert_eq!((answer.header("location"), cookie(&answer)), ("/sign-in?failed=unavailable", None));
}

#[tokio::test]
async fn a_form_that_is_refused_is_no_success() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Operator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let form = format!("version_id={0}&plan_digest=stale&confirm_version_id={0}&reason=by+a+form", d.failed);
    let answer = ann.post("/rpc/start", &form).await;
    assert!(matches!(answer.status, 302 | 303 | 409), "{} {}", answer.status, answer.body);
    let row = newest(&app, "POST /rpc/start").await;
    assert_eq!((&row["actor"], &row["via"], &row["subject"]), (&json!("ann"), &json!("password"), &json!(d.failed)));
    assert_eq!((&row["digest"], &row["reason"]), (&json!("stale"), &json!("by a form")));
    assert_eq!(row["outcome"], "refused", "{row}");

    // What the client says of the page it came from decides nothing.
    ann.post_from("x", "/rpc/start", &form).await;
    assert_eq!(newest(&app, "POST /rpc/start").await["outcome"], "refused");
    ann.post_from("http://127.0.0.1/?x__err=1", "/rpc/validate", "subject=production").await;
    let row = newest(&app, "POST /rpc/validate").await;
    assert_eq!((&row["outcome"], &row["subject"]), (&json!("done"), &json!("production")), "{row}");
}

#[tokio::test]
async fn without_the_audit_nothing_is_done() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let before = d.files();
    app.access.close().await;
    let answer = app.post("/api/v1/runs", &App::start_request(&plan, "nobody would know")).await;
    let problem = answer.problem(503, "access-unavailable");
    assert_eq!(problem["safe"], "Nothing was changed.");
    assert!(d.files() == before, "no store was touched");
}

#[tokio::test]
async fn the_audit_is_filtered_and_paged() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for _ in 0..3 {
        app.post("/api/v1/plans", &json!({ "version_id": d.failed })).await.json(200);
    }
    let first = app.get("/api/v1/audit?limit=2&actor=token:tests").await.json(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = crate::client::encoded(first["next_cursor"].as_str().unwrap().as_bytes());
    let rest = app.get(&format!("/api/v1/audit?limit=2&actor=token:tests&cursor={cursor}")).await.json(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(app.get("/api/v1/audit?outcome=refused").await.json(200)["items"].as_array().unwrap().is_empty());
    for bad in ["outcome=lost", "since=yesterday", "cursor=x", "limit=0", "colour=red"] {
        app.get(&format!("/api/v1/audit?{bad}")).await.problem(400, "invalid-request");
    }
}
