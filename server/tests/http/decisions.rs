//! A fault in the middle, and what a person may decide then.

use rollback_stores::qdrant_double::{Call, Misbehaviour, QdrantDouble};
use serde_json::{Value, json};
use sqlx::Row as _;
use tonic::Code;

use crate::app::{App, step};
use crate::deployment::{Deployment, Layout};

/// A fault that is no passing one: the step fails at once.
fn refuses(double: &QdrantDouble) {
    let refused = Misbehaviour::Fail(Code::FailedPrecondition, "armed by a test".to_owned());
    double.arm(Call::DeleteCollection, 1, refused);
}

/// State and message of the failed version, and the states of its rollback entries in the log.
async fn marks(d: &Deployment) -> (String, String, Vec<String>) {
    let mut file = d.metadata().await;
    let row = sqlx::query("SELECT status, status_message FROM version_registry WHERE version_id = ?");
    let row = row.bind(&d.failed).fetch_one(&mut file).await.unwrap();
    let log = "SELECT status FROM operation_log WHERE version_id = ? AND operation_type = 'rollback' ORDER BY id";
    let log = sqlx::query_scalar(log).bind(&d.failed).fetch_all(&mut file).await.unwrap();
    (row.get(0), row.get(1), log)
}

#[tokio::test]
async fn a_server_gone_in_the_middle_is_asked_about_and_retried() {
    let d = Deployment::new(Layout::Shared).await;
    let mut double = d.qdrant().await;
    let production = double.points("textbook_chunks");
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "Qdrant goes away").await;
    let mut story = app.events(run).await;
    gate.reached().await;
    let (state, message, log) = marks(&d).await;
    assert_eq!((state.as_str(), log), ("rolling_back", vec!["in_progress".to_owned()]));
    assert_eq!(message, "Rollback initiated due to: Qdrant goes away");

    double.stop();
    assert_eq!(story.until("step_retrying").await.data["step"], "delete_points");
    assert_eq!(story.until("decision_needed").await.data["steps"], json!(["delete_points"]));
    let view = app.run(run).await;
    assert_eq!(view["state"], "needs_decision");
    let failed = step(&view, "delete_points");
    assert_eq!((&failed["state"], &failed["decisions"]), (&json!("failed"), &json!(["retry", "skip", "abort"])));
    let error = &failed["error"];
    assert_eq!((&error["code"], &error["store"]), (&json!("unreachable"), &json!("qdrant")));
    assert!(error["message"].as_str().unwrap().contains(&double.grpc_url()), "{error}");
    assert!(["safe", "remedy"].iter().all(|key| !error[key].as_str().unwrap().is_empty()), "{error}");
    // Its siblings finished, and nothing went on past the failure.
    assert_eq!([&step(&view, "drop_chapters")["state"], &step(&view, "delete_nodes")["state"]], ["done", "done"]);
    assert_eq!([&step(&view, "verify_copy")["state"], &step(&view, "finish")["state"]], ["pending", "pending"]);
    let page = app.get(&format!("/runs/{run}")).await;
    assert!(page.page(200).contains("nothing listens there"), "{}", page.body);

    let plan = app.plan(&d.failed).await;
    let second = app.post("/api/v1/runs", &App::start_request(&plan, "one more")).await;
    assert_eq!(second.problem(409, "active-run")["active_run"], run);

    // Not there yet: the step fails again and asks again.
    app.decide(run, &json!({ "step": 4, "decision": "retry" })).await.json(200);
    story.until("decision_needed").await;
    double.restart().unwrap();
    let view = app.decide(run, &json!({ "step": "delete_points", "decision": "retry" })).await.json(200);
    assert_eq!(view["id"], run);
    let (rest, _) = story.read_to_end().await;
    assert_eq!(rest[0].kind(), "decision_made");
    let view = app.run(run).await;
    assert_eq!(view["state"], "completed", "{view}");
    assert_eq!(double.collection_names(), ["textbook_chunks"]);
    assert_eq!(double.points("textbook_chunks"), production);
    assert_eq!(marks(&d).await.2, ["in_progress", "completed"]);
}

#[tokio::test]
async fn a_skip_needs_a_reason_and_its_step() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    refuses(&double);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "somebody else deletes").await;
    let mut story = app.events(run).await;
    story.until("decision_needed").await;

    let bodies = [
        (json!({ "step": 4, "decision": "skip" }), 400, "invalid-request"),
        (json!({ "step": 4, "decision": "skip", "reason": "" }), 400, "invalid-request"),
        (json!({ "step": 4, "decision": "skip", "reason": " x " }), 400, "invalid-request"),
        (json!({ "step": 4, "decision": "skip", "reason": "x".repeat(501) }), 400, "invalid-request"),
        (json!({ "step": 4, "decision": "hurry" }), 400, "invalid-request"),
        (json!({ "step": 4 }), 400, "invalid-request"),
        (json!({ "decision": "retry" }), 400, "invalid-request"),
        (json!({ "step": 4, "decision": "retry", "force": true }), 400, "invalid-request"),
        (json!({ "step": 0, "decision": "retry" }), 400, "invalid-request"),
        (json!({ "step": 10, "decision": "retry" }), 400, "invalid-request"),
        (json!({ "step": "delete_everything", "decision": "retry" }), 400, "invalid-request"),
        (json!({ "step": 4, "lane": "neo4j", "decision": "retry" }), 400, "invalid-request"),
        (json!({ "step": 5, "decision": "retry" }), 409, "conflict"),
        (json!({ "step": 8, "decision": "abort" }), 409, "conflict"),
        (json!({ "step": 9, "decision": "abort" }), 409, "conflict"),
        (json!({ "step": 4, "decision": "way_back" }), 409, "conflict"),
        (json!({ "step": 7, "lane": "neo4j", "decision": "skip", "reason": "not yet" }), 409, "conflict"),
    ];
    for (body, status, kind) in bodies {
        let problem = app.decide(run, &body).await.problem(status, kind);
        assert_eq!(problem["safe"], "Nothing was changed.", "{body}");
    }
    app.decide(run + 1, &json!({ "step": 4, "decision": "abort" })).await.problem(404, "not-found");
    let before = app.run(run).await;
    assert_eq!(before["state"], "needs_decision", "none of that decided anything");

    assert!(double.drop_collection("textbook_chunks_staging"));
    let skip = json!({ "step": 4, "lane": "qdrant", "decision": "skip", "reason": "deleted by hand, ticket 42" });
    app.decide(run, &skip).await.json(200);
    let (rest, _) = story.read_to_end().await;
    assert_eq!(rest[0].data["reason"], "deleted by hand, ticket 42");
    let view = app.run(run).await;
    assert_eq!((&view["state"], &step(&view, "delete_points")["state"]), (&json!("completed"), &json!("skipped")));
    assert!(step(&view, "delete_points")["outcome"].as_str().unwrap().contains("ticket 42"));
    app.decide(run, &skip).await.problem(409, "conflict");
}

#[tokio::test]
async fn a_decision_about_an_earlier_failure_is_refused() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    refuses(&double);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "two people at once").await;
    let mut story = app.events(run).await;
    story.until("decision_needed").await;
    let page = app.get(&format!("/runs/{run}")).await;
    assert!(page.page(200).contains(r#"name="failure" value="1""#), "{}", page.body);

    // Both have read the first failure; one has it tried again, and it fails again.
    refuses(&double);
    app.decide(run, &json!({ "step": 4, "failure": 1, "decision": "retry" })).await.json(200);
    story.until("decision_needed").await;
    let skip = json!({ "step": 4, "failure": 1, "decision": "skip", "reason": "done by hand" });
    let problem = app.decide(run, &skip).await.problem(409, "failed-again");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("Step 4 has failed again since you read it: nothing was decided."), "{detail}");
    assert!(detail.contains("armed by a test"), "{detail}");
    assert!(problem["remedy"].as_str().unwrap().starts_with("Read the fault of now"), "{problem}");
    let view = app.run(run).await;
    assert_eq!(
        (&view["state"], step(&view, "delete_points")["tries"].as_array().unwrap().len()),
        (&json!("needs_decision"), 2)
    );

    let never = json!({ "step": 4, "failure": 3, "decision": "retry" });
    app.decide(run, &never).await.problem(400, "invalid-request");
    app.decide(run, &json!({ "step": 4, "failure": 2, "decision": "retry" })).await.json(200);
    story.read_to_end().await;
    assert_eq!(app.run(run).await["state"], "completed");
}

#[tokio::test]
async fn an_abort_leaves_a_version_to_be_taken_over() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    refuses(&double);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "to be given up").await;
    let mut story = app.events(run).await;
    story.until("decision_needed").await;
    app.decide(run, &json!({ "step": 4, "decision": "abort", "reason": "not tonight" })).await.json(200);
    let (rest, _) = story.read_to_end().await;
    assert_eq!(rest.last().unwrap().data["state"], "aborted");
    let view = app.run(run).await;
    assert_eq!((&view["state"], &step(&view, "verify_copy")["state"]), (&json!("aborted"), &json!("pending")));

    let (state, message, log) = marks(&d).await;
    assert_eq!((state.as_str(), log), ("rolling_back", vec!["failed".to_owned()]));
    assert!(message.starts_with("Rollback aborted at step 4: ") && message.contains("armed by a test"), "{message}");
    let version = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    assert_eq!(version["candidacy"]["kind"], "take_over");

    let plan = app.plan(&d.failed).await;
    assert_eq!(plan["take_over"], true);
    let asked: Vec<&Value> = plan["acknowledgements"].as_array().unwrap().iter().map(|a| &a["code"]).collect();
    assert!(asked.contains(&&json!("take_over")), "{asked:?}");
    let second = app.post("/api/v1/runs", &App::start_request(&plan, "taken over")).await.json(201);
    let second = second["id"].as_u64().unwrap();
    app.events(second).await.read_to_end().await;
    let view = app.run(second).await;
    assert_eq!(view["state"], "completed", "{view}");
    // What the first run did is found and not done again.
    assert_eq!(step(&view, "drop_chapters")["state"], "found_absent");
    assert_eq!(step(&view, "delete_nodes")["state"], "found_absent");
    assert_eq!(step(&view, "delete_points")["state"], "done");
    assert_eq!(marks(&d).await.2, ["failed", "in_progress", "completed"]);
    let runs = app.get(&format!("/api/v1/runs?version_id={}", d.failed)).await.json(200);
    let states: Vec<&Value> = runs["items"].as_array().unwrap().iter().map(|r| &r["state"]).collect();
    assert_eq!(states, ["completed", "aborted"], "newest first");
    assert_eq!(app.get("/api/v1/runs?state=aborted").await.json(200)["items"][0]["id"], run);
}

#[tokio::test]
async fn a_copy_that_breaks_meanwhile_is_no_step_to_skip() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "the copy breaks").await;
    let mut story = app.events(run).await;
    gate.reached().await;
    let export = d.path("backups/latest-copy/neo4j_latest.cypher");
    let whole = std::fs::read(&export).unwrap();
    std::fs::write(&export, &whole[..whole.len() / 2]).unwrap();
    gate.open();
    assert_eq!(story.until("decision_needed").await.data["steps"], json!(["verify_copy"]));
    let view = app.run(run).await;
    assert_eq!(step(&view, "verify_copy")["decisions"], json!(["retry", "abort"]));
    let skip = json!({ "step": 6, "decision": "skip", "reason": "we trust it" });
    app.decide(run, &skip).await.problem(409, "conflict");
    std::fs::write(&export, &whole).unwrap();
    app.decide(run, &json!({ "step": 6, "decision": "retry" })).await.json(200);
    story.read_to_end().await;
    assert_eq!(app.run(run).await["state"], "completed");
}
