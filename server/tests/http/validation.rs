//! Validation over HTTP: of production and of what is staged, with the lists of what offends.

use serde_json::{Value, json};

use crate::app::App;
use crate::deployment::{Deployment, Layout};
use crate::production::Production;

/// Every check passed, and every search found what it should. Its time is set aside: other work on the machine is in it.
pub fn found_right(run: &Value) -> bool {
    let (checks, search) = (&run["validation"]["checks"], &run["validation"]["search"]);
    let checks = checks.as_array().unwrap();
    let searched =
        search["sampled"].as_u64().unwrap() > 0 && search["not_found"] == json!([]) && search["too_few"] == 0;
    checks.len() == 7 && checks.iter().all(|check| check["state"] == "passed") && searched
}

#[tokio::test]
async fn the_demo_is_sound_before_and_after_its_rollback() {
    for layout in [Layout::Shared, Layout::PerVersion] {
        let d = Deployment::new(layout).await;
        let app = App::start(&d.config()).await;
        let before = Production::of(&d).await;
        let run = app.carry_out("validate", "production").await;
        assert!(run["state"] == "completed" && found_right(&run), "{run}");
        assert_eq!(Production::of(&d).await, before);

        let run = app.carry_out("rollback", &d.failed).await;
        assert!(run["state"] == "completed" && found_right(&run), "{run}");
    }
}

#[tokio::test]
async fn what_offends_can_be_downloaded_and_nothing_else() {
    let d = Deployment::new(Layout::Shared).await;
    let mut file = crate::deployment::open(&d.path("vectors.db")).await;
    let sql = "DELETE FROM points WHERE rowid IN (SELECT p.rowid FROM points p JOIN collections c \
               ON c.id = p.collection_id WHERE c.name = 'textbook_chunks' LIMIT 30) \
               RETURNING json_extract(payload, '$.chunk_id')";
    let mut gone: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut file).await.unwrap();
    gone.sort_unstable();
    drop(file);

    let app = App::start(&d.config()).await;
    let run = app.carry_out("validate", "production").await;
    assert_eq!(run["state"], "completed_with_findings", "{run}");
    assert_eq!(run["validation"]["verdict"], "unsound");
    let checks = run["validation"]["checks"].as_array().unwrap();
    let fourth = checks.iter().find(|check| check["number"] == 4).unwrap();
    assert_eq!((&fourth["state"], &fourth["offenders"][0]["count"]), (&json!("failed"), &json!(30)), "{fourth}");
    assert_eq!(fourth["offenders"][0]["samples"].as_array().unwrap().len(), 20);

    let address = format!("/api/v1/runs/{}/validation", run["id"]);
    let list = app.get(&format!("{address}/missing-in-qdrant")).await;
    assert_eq!((list.status, list.header("content-type")), (200, "text/plain; charset=utf-8"));
    let name = format!("attachment; filename=\"run-{}-check-4-missing-in-qdrant.txt\"", run["id"]);
    assert_eq!(list.header("content-disposition"), name);
    let mut ids: Vec<&str> = list.body.lines().collect();
    ids.sort_unstable();
    assert_eq!(ids, gone);

    app.get(&format!("{address}/missing-in-neo4j")).await.problem(404, "not-found");
    app.get("/api/v1/runs/99/validation/orphans").await.problem(404, "not-found");
    for path in ["nonsense", "..%2f..%2fjournal.db", "check-4-missing-in-qdrant.txt", "%ff"] {
        app.get(&format!("{address}/{path}")).await.problem(400, "invalid-request");
    }
}

#[tokio::test]
async fn what_the_failed_version_staged_is_found_wanting() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let run = app.carry_out("validate", &d.failed).await;
    assert_eq!(run["validation"]["scope"], json!({"kind": "staging", "version_id": d.failed}));
    let checks = run["validation"]["checks"].as_array().unwrap();
    let fourth = checks.iter().find(|check| check["number"] == 4).unwrap();
    // As the registry tells: chunk ids that are in Qdrant and not in Neo4j.
    assert_eq!((&fourth["state"], &fourth["offenders"][0]["kind"]), (&json!("failed"), &json!("missing-in-neo4j")));
    assert_eq!(app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200)["status"], "validating_failed");
}
