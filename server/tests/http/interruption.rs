//! A process that ended in the middle, and two at once on one folder.

use rollback_stores::qdrant_double::{Call, Gate, QdrantDouble};
use serde_json::json;
use stepback_server::WiringError;

use crate::app::{App, step};
use crate::contents::tables;
use crate::deployment::{Deployment, Layout};

/// A server killed while Qdrant holds the deletion of the staging collection.
async fn killed_in_step_4(d: &Deployment, double: &QdrantDouble) -> (u64, Gate) {
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(double)).await;
    let run = app.begin(&d.failed, "the power fails").await;
    gate.reached().await;
    app.kill().await;
    (run, gate)
}

#[tokio::test]
async fn a_killed_run_is_interrupted_and_the_version_is_taken_over() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let (run, gate) = killed_in_step_4(&d, &double).await;
    let before = tables(&d).await;

    let app = App::start(&d.config_with(&double)).await;
    let view = app.run(run).await;
    assert_eq!(
        (&view["state"], &step(&view, "delete_points")["state"]),
        (&json!("interrupted"), &json!("interrupted"))
    );
    let (story, last) = app.events(run).await.read_to_end().await;
    assert_eq!((story.last().unwrap().kind(), story.len() as u64), ("run_interrupted", last));
    app.decide(run, &json!({ "step": 4, "decision": "retry" })).await.problem(409, "conflict");
    let page = app.get(&format!("/runs/{run}")).await;
    assert!(page.page(200).contains("nterrupted"), "{}", page.body);
    assert!(page.body.contains("Last sign of the run") && page.body.contains("Found interrupted"), "{}", page.body);
    let (began, sign, found) = (&view["started_at"], &view["last_sign_at"], &view["ended_at"]);
    assert!(began.as_str() <= sign.as_str() && sign.as_str() <= found.as_str(), "{view}");
    let left = app.get(&format!("/runs/{run}/resume")).await;
    assert!(left.page(200).contains("The steps that are left") && !left.body.contains("The eight steps"));
    assert_eq!(tables(&d).await, before, "nothing goes on by itself");
    let version = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    assert_eq!((&version["status"], &version["candidacy"]["kind"]), (&json!("rolling_back"), &json!("take_over")));

    gate.open();
    let plan = app.plan(&d.failed).await;
    assert_eq!(plan["take_over"], true);
    let second = app.post("/api/v1/runs", &App::start_request(&plan, "taken over")).await.json(201);
    let second = second["id"].as_u64().unwrap();
    app.events(second).await.read_to_end().await;
    let view = app.run(second).await;
    assert_eq!(view["state"], "completed", "{view}");
    assert_eq!(double.collection_names(), ["textbook_chunks"]);
    assert_eq!(app.run(run).await["state"], "interrupted", "history is not rewritten");
    let state = "SELECT status FROM version_registry WHERE version_id = ?";
    let state: String = sqlx::query_scalar(state).bind(&d.failed).fetch_one(&mut d.metadata().await).await.unwrap();
    assert_eq!(state, "rolled_back");
}

#[tokio::test]
async fn a_second_server_on_the_folder_is_refused_and_the_first_goes_on() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let config = d.config_with(&double);
    let app = App::start(&config).await;
    let run = app.begin(&d.failed, "two at once").await;
    gate.reached().await;
    let Err(error) = App::try_start(&config).await else { panic!("it started") };
    assert!(matches!(&error, WiringError::InUse { folder } if *folder == config.data_dir.display().to_string()));
    assert!(error.to_string().contains("data.dir"), "{error}");
    assert_eq!(app.run(run).await["state"], "running", "it was not taken for abandoned");
    gate.open();
    app.events(run).await.read_to_end().await;
    assert_eq!(app.run(run).await["state"], "completed");

    app.kill().await;
    let app = App::start(&config).await;
    assert_eq!(app.run(run).await["state"], "completed", "the folder is free again, and a whole run stays whole");
}

#[tokio::test]
async fn a_journal_that_is_none_is_refused_and_left_alone() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    std::fs::create_dir_all(&config.data_dir).unwrap();
    let garbage = "no database at all, but long enough to be taken for one\n".repeat(100);
    std::fs::write(config.journal(), &garbage).unwrap();
    let Err(error) = App::try_start(&config).await else { panic!("it started") };
    assert!(matches!(error, WiringError::Journal(_)), "{error:?}");
    assert!(error.to_string().contains("journal"), "{error}");
    assert_eq!(std::fs::read_to_string(config.journal()).unwrap(), garbage);
}
