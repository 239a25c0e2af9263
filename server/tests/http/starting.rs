//! What a start refuses, and that one is one.

use std::collections::BTreeMap;

use futures::future::join_all;
use rollback_stores::qdrant_double::Call;
use serde_json::{Value, json};

use crate::app::App;
use crate::contents::{Table, tables};
use crate::deployment::{Deployment, Layout};

#[tokio::test]
async fn twenty_starts_at_once_give_one_run() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    // The one that wins is kept from finishing before the others were answered.
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let request = App::start_request(&app.plan(&d.failed).await, "twenty at once");
    let answers = join_all((0..20).map(|_| app.post("/api/v1/runs", &request))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(won.len(), 1);
    let run = won[0].json(201);
    for answer in lost {
        let problem = answer.problem(409, "active-run");
        assert_eq!(problem["active_run"], run["id"]);
        assert!(problem["detail"].as_str().unwrap().contains(&format!("run #{}", run["id"])), "{problem}");
    }
    let refused = app.plan(&d.failed).await;
    assert_eq!(refused["startable"], false);
    assert!(codes(&refused["refusals"]).contains(&"active_run".to_owned()), "{refused}");

    gate.open();
    let id = run["id"].as_u64().unwrap();
    app.events(id).await.read_to_end().await;
    assert_eq!(app.run(id).await["state"], "completed");
    assert_eq!(app.get("/api/v1/runs").await.json(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(double.calls().iter().filter(|call| **call == Call::DeleteCollection).count(), 1);
}

#[tokio::test]
async fn a_stale_plan_is_answered_with_the_new_one_and_the_difference() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    d.run("DELETE FROM chapter_metadata_staging WHERE rowid = (SELECT max(rowid) FROM chapter_metadata_staging)").await;
    let before = tables(&d).await;

    let stale = app.post("/api/v1/runs", &App::start_request(&plan, "read an hour ago")).await;
    let problem = stale.problem(409, "stale-plan");
    let differences = problem["differences"].as_array().unwrap();
    let rows = differences.iter().find(|x| x["field"] == "/stores/sqlite/staging/rows").unwrap();
    assert_eq!((&rows["before"], &rows["now"]), (&json!("18"), &json!("17")), "{differences:?}");
    let now = &problem["plan"];
    assert_eq!(now["stores"]["sqlite"]["staging"]["rows"], 17);
    assert_ne!(now["digest"], plan["digest"]);
    nothing_began(&app, &d, &before).await;

    // A digest that this server never gave out has no difference to tell, and is stale all the same.
    let mut unknown = App::start_request(&plan, "read in another life");
    unknown["plan_digest"] = "0".repeat(64).into();
    app.post("/api/v1/runs", &unknown).await.problem(409, "stale-plan");

    let run = app.post("/api/v1/runs", &App::start_request(now, "read just now")).await.json(201);
    app.events(run["id"].as_u64().unwrap()).await.read_to_end().await;
}

#[tokio::test]
async fn what_is_not_confirmed_is_not_started() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let before = tables(&d).await;
    let plan = app.plan(&d.failed).await;
    assert_eq!(plan["startable"], false, "not before it is acknowledged");
    assert!(!plan["acknowledgements"].as_array().unwrap().is_empty());
    let good = App::start_request(&plan, "a good reason");
    let with = |key: &str, value: Value| {
        let mut request = good.clone();
        request[key] = value;
        request
    };

    for (key, value) in [
        ("confirm_version_id", json!("")),
        ("confirm_version_id", json!(d.failed.to_uppercase())),
        ("confirm_version_id", json!(format!("{} ", d.failed))),
        ("reason", json!("")),
        ("reason", json!("  x  ")),
        ("reason", json!("x".repeat(501))),
        ("reason", json!("a bell \u{7}")),
    ] {
        let problem = app.post("/api/v1/runs", &with(key, value)).await.problem(400, "invalid-request");
        // For programs where it is, for people what is wrong.
        assert_eq!(problem["errors"][0]["pointer"], format!("/{key}"), "{problem}");
        assert_eq!(problem["errors"][0]["detail"], problem["detail"], "{problem}");
        assert!(!problem["detail"].as_str().unwrap().contains('_'), "no field's name: {problem}");
        assert_eq!(problem["safe"], "Nothing was changed.");
    }

    let problem = app.post("/api/v1/runs", &with("acknowledgements", json!([]))).await.problem(422, "refused");
    assert_eq!(codes(&problem["refusals"]), ["acknowledgement_required"]);
    assert_eq!(problem["plan"]["digest"], plan["digest"]);

    // A restore that is not needed is done by one who says so, and not otherwise.
    let restore = json!({ "version_id": d.failed, "restore": ["sqlite"] });
    let restore = app.post("/api/v1/plans", &restore).await.json(200);
    assert!(codes(&restore["acknowledgements"]).contains(&"restore_equal:sqlite".to_owned()), "{restore}");
    assert_eq!(restore["startable"], false);

    let nobody = json!({ "version_id": "v99_minor_20200101_000000" });
    app.post("/api/v1/plans", &nobody).await.problem(404, "not-found");
    let mut nobody = with("version_id", nobody["version_id"].clone());
    nobody["confirm_version_id"] = nobody["version_id"].clone();
    app.post("/api/v1/runs", &nobody).await.problem(404, "not-found");
    nothing_began(&app, &d, &before).await;
}

#[tokio::test]
async fn production_that_differs_is_left_so_only_by_one_who_says_so() {
    let d = Deployment::new(Layout::Shared).await;
    d.run("UPDATE chapter_metadata SET content_hash = 'changed' WHERE rowid = 1").await;
    let before = tables(&d).await;
    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let sqlite = &plan["stores"]["sqlite"];
    assert_eq!((&sqlite["differs"], &sqlite["restore_recommended"]), (&json!(true), &json!(true)));
    assert_eq!(sqlite["restore"], true, "as the evidence recommends");

    let leave = json!({ "version_id": d.failed, "restore": [] });
    let leave = app.post("/api/v1/plans", &leave).await.json(200);
    assert!(codes(&leave["acknowledgements"]).contains(&"leave_different:sqlite".to_owned()), "{leave}");
    let mut start = App::start_request(&leave, "all the same");
    start["restore"] = json!([]);
    start["acknowledgements"].as_array_mut().unwrap().retain(|code| code != "leave_different:sqlite");
    app.post("/api/v1/runs", &start).await.problem(422, "refused");
    nothing_began(&app, &d, &before).await;
}

#[tokio::test]
async fn every_state_but_a_candidates_is_refused() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let before = tables(&d).await;
    let versions = app.get("/api/v1/versions?limit=200").await.json(200);
    let refused = versions["items"].as_array().unwrap().iter().filter(|v| v["candidacy"]["kind"] == "refused");
    // One of each state.
    let refused: BTreeMap<&str, &str> =
        refused.map(|v| (v["status"].as_str().unwrap(), v["version_id"].as_str().unwrap())).collect();
    let expected =
        ["archived", "cancelled", "committed", "in_use", "quarantined", "restored", "rolled_back", "skipped"];
    assert_eq!(refused.keys().copied().collect::<Vec<_>>(), expected);
    for plan in join_all(refused.values().map(|id| app.plan(id))).await {
        assert_eq!(plan["startable"], false);
        app.post("/api/v1/runs", &App::start_request(&plan, "try it")).await.problem(422, "refused");
    }
    let baseline = app.plan("v1_baseline").await;
    assert!(codes(&baseline["refusals"]).contains(&"baseline".to_owned()), "{baseline}");
    nothing_began(&app, &d, &before).await;
}

fn codes(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect()
}

async fn nothing_began(app: &App, d: &Deployment, before: &BTreeMap<String, Table>) {
    assert_eq!(app.get("/api/v1/runs").await.json(200)["items"], json!([]));
    assert_eq!(tables(d).await, *before);
}
