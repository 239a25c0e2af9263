//! Restores of all three stores over HTTP, on the embedded stores, compared by a client of its own.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::app::{App, step};
use crate::deployment::{Deployment, Layout};
use crate::production::{Production, chapters};

/// The stores that a plan recommends to restore.
fn recommended(plan: &Value) -> Vec<&str> {
    let stores = ["sqlite", "qdrant", "neo4j"].into_iter();
    stores.filter(|store| plan["stores"][store]["restore_recommended"] == true).collect()
}

#[tokio::test]
async fn a_contaminated_production_is_restored_with_the_rollback_and_can_be_put_back() {
    for (layout, differ) in [(Layout::Shared, &["sqlite", "qdrant", "neo4j"][..]), (Layout::PerVersion, &["sqlite"])] {
        let good = Production::of(&Deployment::new(layout).await).await;
        let d = Deployment::contaminated(layout).await;
        let bad = Production::of(&d).await;
        assert_eq!(bad.chapters == good.chapters, !differ.contains(&"sqlite"));
        assert_eq!(bad.points == good.points, !differ.contains(&"qdrant"));
        assert_eq!(bad.nodes == good.nodes, !differ.contains(&"neo4j"));

        let app = App::start(&d.config()).await;
        let plan = app.plan(&d.failed).await;
        assert_eq!(recommended(&plan), differ, "{layout:?}");
        let run = app.carry_out("rollback", &d.failed).await;
        // The validation at the end found production sound.
        assert_eq!(run["state"], "completed", "{run}");
        assert_eq!(run["validation"]["verdict"], "sound", "{run}");
        for store in ["sqlite", "qdrant", "neo4j"] {
            let expected = if differ.contains(&store) { "done" } else { "skipped" };
            assert_eq!(step(&run, &format!("restore_{store}"))["state"], expected, "{run}");
        }
        let restored = Production::of(&d).await;
        assert!(restored == good, "production is not what latest-copy holds ({layout:?})");
        assert_eq!(restored.chapters, chapters(&d.path("backups/latest-copy/metadata.db")).await);

        the_restore_is_undone(&app, &d, &run, differ, &bad).await;
    }
}

/// What the run saved is put in again, and then removed by a person.
async fn the_restore_is_undone(app: &App, d: &Deployment, run: &Value, stores: &[&str], bad: &Production) {
    let id = run["id"].as_u64().unwrap();
    let address = format!("/api/v1/runs/{id}/way-back");
    let saved = app.get(&address).await.json(200);
    assert_eq!((&saved["run_id"], &saved["stores"]), (&json!(id), &json!(stores)), "{saved}");
    assert!(saved["bytes"].as_u64().unwrap() > 1_000 && saved["kept_until"].is_string(), "{saved}");

    let undone = app.carry_out("undo_restore", &format!("run-{id}")).await;
    assert!(undone["state"].as_str().unwrap().starts_with("completed"), "{undone}");
    assert!(Production::of(d).await == *bad, "the undo did not bring back what there was");
    // What an undo replaced can be had again too.
    let second = app.get(&format!("/api/v1/runs/{}/way-back", undone["id"])).await.json(200);
    assert_eq!(second["stores"], json!(stores));

    app.delete(&address, &json!({"confirm_run": id + 1})).await.problem(400, "invalid-request");
    app.delete(&address, &json!({})).await.problem(400, "invalid-request");
    app.get(&address).await.json(200);
    let gone = app.delete(&address, &json!({"confirm_run": id})).await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    app.get(&address).await.problem(404, "not-found");
    app.delete(&address, &json!({"confirm_run": id})).await.problem(404, "not-found");
    let plan = json!({"kind": "undo_restore", "version_id": format!("run-{id}")});
    app.post("/api/v1/plans", &plan).await.problem(404, "not-found");
}

#[tokio::test]
async fn production_is_restored_from_a_kept_version_by_one_who_knows_what_is_lost() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    app.carry_out("rollback", &d.failed).await;
    let live = chapters(&d.path("metadata.db")).await;
    let backups = app.get("/api/v1/backups").await.json(200);
    let names: Vec<String> = backups["items"].as_array().unwrap().iter().map(name).collect();
    // An older copy has fewer chapters than production.
    let mut older = None;
    for name in names.into_iter().filter(|name| name != "latest-copy") {
        let copy = chapters(&d.path(&format!("backups/{name}/metadata.db"))).await;
        if copy.len() < live.len() {
            older.get_or_insert((name, copy));
        }
    }
    let (older, copy) = older.expect("the demo keeps an older version");

    let plan = app.plan_of("restore_production", &older).await;
    assert_eq!(recommended(&plan), ["sqlite", "qdrant", "neo4j"]);
    let losses: Vec<&str> = plan["losses"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    let asked: Vec<&str> =
        plan["acknowledgements"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
    assert!(!losses.is_empty() && asked.contains(&format!("loses:{}", losses.join(",")).as_str()), "{asked:?}");
    let before = Production::of(&d).await;
    let mut silent = App::start_request(&plan, "forgot to read what is lost");
    silent["acknowledgements"] = json!([]);
    app.post("/api/v1/runs", &silent).await.problem(422, "refused");
    let mut mistyped = App::start_request(&plan, "typed another name");
    mistyped["confirm_version_id"] = json!("latest-copy");
    app.post("/api/v1/runs", &mistyped).await.problem(400, "invalid-request");
    assert_eq!(Production::of(&d).await, before, "nothing began");

    let run = app.carry_out("restore_production", &older).await;
    assert_eq!(run["state"], "completed", "{run}");
    let after = Production::of(&d).await;
    assert_eq!(after.chapters, copy);
    let paragraphs = after.nodes.iter().filter(|node| node.starts_with("Paragraph ")).count();
    assert_eq!(after.points["textbook_chunks"].len(), paragraphs);
    assert!(paragraphs < before.points["textbook_chunks"].len());
    // Registry and log are not the copy's.
    let mut file = d.metadata().await;
    let state: String = sqlx::query_scalar("SELECT status FROM version_registry WHERE version_id = ?")
        .bind(&d.failed)
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(state, "rolled_back");
}

/// The name of a backup in a list.
fn name(health: &Value) -> String {
    health["source"]["id"].as_str().unwrap_or("latest-copy").to_owned()
}

#[tokio::test]
async fn a_damaged_copy_is_refused_and_nothing_is_touched() {
    let d = Deployment::contaminated(Layout::Shared).await;
    let path = d.path("backups/latest-copy/textbook_chunks_latest.snapshot");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let before = d.files();

    let app = App::start(&d.config()).await;
    for (kind, subject) in [("rollback", d.failed.as_str()), ("restore_production", "latest-copy")] {
        let body = json!({"kind": kind, "version_id": subject, "restore": ["qdrant"]});
        let plan = app.post("/api/v1/plans", &body).await.json(200);
        assert_eq!(plan["startable"], false);
        let mut start = App::start_request(&plan, "the copy is damaged");
        start["restore"] = json!(["qdrant"]);
        let problem = app.post("/api/v1/runs", &start).await.problem(422, "refused");
        let codes: Vec<&Value> = problem["refusals"].as_array().unwrap().iter().map(|r| &r["code"]).collect();
        assert!(codes.contains(&&json!("backup_not_intact")), "{kind}: {codes:?}");
    }
    let health = app.get("/api/v1/backups/latest-copy").await.json(200);
    assert_eq!(health["intact"], false);
    assert!(health["remedy"].as_str().is_some_and(|text| text.contains("Do not restore from it")), "{health}");
    assert!(d.files() == before, "something was changed");
    assert_eq!(app.get("/api/v1/runs").await.json(200)["items"], json!([]));
}

#[tokio::test]
async fn a_safety_backup_that_the_pipeline_left_in_the_stores_is_a_source_for_a_restore() {
    let d = Deployment::contaminated(Layout::PerVersion).await;
    let app = App::start(&d.config()).await;
    let mut file = d.metadata().await;
    let left = "SELECT version_id FROM version_registry WHERE version_id LIKE 'latest_copy%' AND status = 'pending'";
    let safety: String = sqlx::query_scalar(left).fetch_one(&mut file).await.unwrap();
    let rows = format!(
        "SELECT textbook_id || '|' || chapter_number || '|' || content_hash FROM \"chapter_metadata_{safety}\" ORDER BY 1"
    );
    let saved: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut file).await.unwrap();
    let live = "SELECT textbook_id || '|' || chapter_number || '|' || content_hash FROM chapter_metadata ORDER BY 1";
    let damaged: Vec<String> = sqlx::query_scalar(live).fetch_all(&mut file).await.unwrap();
    assert_ne!(damaged, saved, "the failed version rewrote chapters in place");

    let made = app.carry_out("make_backup", &safety).await;
    assert_eq!(made["state"], "completed", "{made}");
    let plan = app.plan_of("restore_production", &safety).await;
    assert!(recommended(&plan).contains(&"sqlite") && !recommended(&plan).contains(&"neo4j"), "{plan}");
    let run = app.carry_out("restore_production", &safety).await;
    assert_eq!(step(&run, "restore_sqlite")["state"], "done", "{run}");
    let restored: Vec<String> = sqlx::query_scalar(live).fetch_all(&mut file).await.unwrap();
    assert_eq!(restored, saved);
    let undone = app.carry_out("undo_restore", &format!("run-{}", run["id"])).await;
    assert_eq!(step(&undone, "restore_sqlite")["state"], "done", "{undone}");
    let put_back: Vec<String> = sqlx::query_scalar(live).fetch_all(&mut file).await.unwrap();
    assert_eq!(put_back, damaged);
}

/// Whole files with true checksums, each in another one's place.
#[tokio::test]
async fn another_stores_file_is_refused_before_anything_goes() {
    let names = ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"];
    let d = Deployment::contaminated(Layout::Shared).await;
    let folder = d.path("backups/latest-copy");
    let good = names.map(|name| std::fs::read(folder.join(name)).unwrap());
    let list = std::fs::read(folder.join("checksums.txt")).unwrap();
    let app = App::start(&d.config()).await;
    let before = Production::of(&d).await;
    for (i, name) in names.into_iter().enumerate() {
        for other in (0..3).filter(|other| *other != i) {
            std::fs::write(folder.join(name), &good[other]).unwrap();
            let line = |n: &&str| {
                let bytes = std::fs::read(folder.join(n)).unwrap();
                format!("{}  {n}\n", backup_formats::checksums::Sha256Digest::of(&bytes))
            };
            std::fs::write(folder.join("checksums.txt"), names.iter().map(line).collect::<String>()).unwrap();
            let body = json!({"version_id": d.failed, "restore": ["sqlite", "qdrant", "neo4j"]});
            let plan = app.post("/api/v1/plans", &body).await.json(200);
            let codes: Vec<&Value> = plan["refusals"].as_array().unwrap().iter().map(|r| &r["code"]).collect();
            assert!(codes.contains(&&json!("backup_not_intact")), "{name} was {}: {codes:?}", names[other]);
            let failed = plan["latest_copy"]["files"][i]["rungs"][3].clone();
            assert_eq!((&failed["rung"], &failed["state"]), (&json!("opens"), &json!("failed")), "{failed}");
        }
        std::fs::write(folder.join(name), &good[i]).unwrap();
    }
    std::fs::write(folder.join("checksums.txt"), list).unwrap();
    assert!(Production::of(&d).await == before);
    assert_eq!(app.plan(&d.failed).await["latest_copy"]["intact"], true);
}
