//! The whole rollback on the embedded stores, its effect counted by a client of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::Row as _;

use crate::app::{App, step};
use crate::contents::Contents;
use crate::deployment::{Deployment, Layout};

const REASON: &str = "Check 4 failed: \"14 chunk ids\" — l'équipe a décidé";

#[tokio::test]
async fn the_shared_layout_is_rolled_back() {
    let d = Deployment::new(Layout::Shared).await;
    let before = Contents::of(&d).await;
    let staged: BTreeSet<i64> =
        before.labels.iter().filter(|(_, label)| label == "staging").map(|(id, _)| *id).collect();
    let staged_points = before.collections["textbook_chunks_staging"].len();
    assert_eq!((before.tables["chapter_metadata_staging"].len(), staged.len()), (18, 1_100));

    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let stores = &plan["stores"];
    assert_eq!(stores["sqlite"]["staging"]["rows"], 18);
    assert_eq!(stores["qdrant"]["staging"]["points"], staged_points);
    assert_eq!(stores["neo4j"]["staging"]["nodes"], 1_100);
    check_relationships(&before, &staged, &stores["neo4j"]["staging"]);
    assert_eq!(Contents::of(&d).await, before, "planning changes nothing");

    let run = app.roll_back(&d.failed, REASON).await;
    all_steps_are_through(&run, ["done", "done", "done"]);
    assert_eq!(step(&run, "drop_chapters")["done"], 18);
    assert_eq!(step(&run, "delete_points")["done"], staged_points);
    assert_eq!(step(&run, "delete_nodes")["done"], 1_100);

    let after = Contents::of(&d).await;
    let mut expected = before.clone().without_nodes(&staged);
    expected.tables.remove("chapter_metadata_staging");
    expected.collections.remove("textbook_chunks_staging");
    only_the_mark_remains(&d, &before, &mut expected, &after).await;
    assert_eq!(after, expected);
    assert_eq!((after.tables["chapter_metadata"].len(), after.collections["textbook_chunks"].len()), (24, 600));
    assert_eq!((after.nodes.len(), after.relationships.len()), (1_500, 1_872));
    the_rows_that_went_are_kept(&d, &before);

    // The log's first row is closed and stays what it was; the second tells what was done.
    let log = rollback_entries(&d, "details, completed_at IS NOT NULL AS ended").await;
    assert_eq!(log.len(), 2);
    let details: Vec<String> = log.iter().map(|row| row.get("details")).collect();
    assert!(details[0].starts_with(&format!("Rollback initiated due to: {REASON} [Stepback run ")), "{details:?}");
    assert!(details[1].contains("dropped chapter_metadata_staging with 18 rows"), "{details:?}");
    assert!(log.iter().all(|row| row.get("ended")), "{details:?}");
    let message = scalar(&d, "SELECT status_message FROM version_registry WHERE version_id = ?").await;
    assert_eq!(message, format!("Rollback completed successfully. Reason: {REASON}"));

    everybody_tells_the_same(&app, &d, &run).await;
}

#[tokio::test]
async fn the_per_version_layout_is_rolled_back() {
    let d = Deployment::new(Layout::PerVersion).await;
    let before = Contents::of(&d).await;
    let (collection, suffix) = (format!("textbook_chunks_{}", d.failed), format!("::{}'", d.failed));
    // Every node of the version carries its id at the end of one of three properties.
    let staged: BTreeSet<i64> =
        before.nodes.iter().filter(|(_, row)| row.contains(&suffix)).map(|(id, _)| *id).collect();
    let staged_points = before.collections[&collection].len();
    assert_eq!(staged.len(), 1_100);

    let app = App::start(&d.config()).await;
    let plan = app.plan(&d.failed).await;
    let stores = &plan["stores"];
    assert_eq!(stores["sqlite"]["staging"]["present"], false);
    assert_eq!(stores["qdrant"]["staging"]["points"], staged_points);
    assert_eq!(stores["neo4j"]["staging"]["nodes"], 1_100);
    check_relationships(&before, &staged, &stores["neo4j"]["staging"]);

    let run = app.roll_back(&d.failed, REASON).await;
    all_steps_are_through(&run, ["found_absent", "done", "done"]);

    let after = Contents::of(&d).await;
    let mut expected = before.clone().without_nodes(&staged);
    expected.collections.remove(&collection);
    only_the_mark_remains(&d, &before, &mut expected, &after).await;
    assert_eq!(after, expected);
    assert_eq!(after.aliases.len(), 3, "aliases stay as they were");

    let log = rollback_entries(&d, "metadata_json, duration_ms IS NOT NULL AS ended").await;
    assert_eq!(log.len(), 2);
    let metadata: Vec<Value> = log.iter().map(|r| serde_json::from_str(r.get("metadata_json")).unwrap()).collect();
    assert_eq!(metadata[0]["details"], format!("Rollback initiated due to: {REASON}"));
    assert!(metadata[1]["details"].as_str().unwrap().contains(&collection), "{metadata:?}");
    assert!(log[0].get::<bool, _>("ended"), "the first row has its duration");

    everybody_tells_the_same(&app, &d, &run).await;
}

/// What the plan says goes, against what hangs on the nodes.
fn check_relationships(before: &Contents, staged: &BTreeSet<i64>, told: &Value) {
    let ends = || before.relationships.values().map(|(start, end, _)| (staged.contains(start), staged.contains(end)));
    assert_eq!(told["relationships"], ends().filter(|(start, end)| *start || *end).count());
    assert_eq!(told["crossing_relationships"], ends().filter(|(start, end)| start != end).count());
    assert_eq!(told["crossing_relationships"], 18);
}

/// Steps 3, 4 and 5 as given, the restores skipped with their proof, all else done.
fn all_steps_are_through(run: &Value, lanes: [&str; 3]) {
    assert_eq!(run["state"], "completed", "{run}");
    let states: Vec<&str> = run["steps"].as_array().unwrap().iter().map(|s| s["state"].as_str().unwrap()).collect();
    let [three, four, five] = lanes;
    assert_eq!(states, ["done", "done", three, four, five, "done", "skipped", "skipped", "skipped", "done", "done"]);
    for word in ["restore_sqlite", "restore_qdrant", "restore_neo4j"] {
        let said = step(run, word)["outcome"].as_str().unwrap();
        assert!(said.starts_with("skipped: production equals latest-copy"), "{said}");
    }
}

/// In the registry one row is another, and in the log two are new: put what is there into `expected`, after a look at it.
async fn only_the_mark_remains(d: &Deployment, before: &Contents, expected: &mut Contents, after: &Contents) {
    let (old, new) = (&before.tables["version_registry"], &after.tables["version_registry"]);
    let changed: Vec<i64> = old.iter().filter(|(id, row)| new.get(id) != Some(row)).map(|(id, _)| *id).collect();
    let [changed] = changed[..] else { panic!("more or less than one row changed: {changed:?}") };
    assert_eq!(old.len(), new.len());
    assert!(new[&changed].contains(&format!("'{}'", d.failed)));
    expected.tables.get_mut("version_registry").unwrap().insert(changed, new[&changed].clone());
    assert_eq!(scalar(d, "SELECT status FROM version_registry WHERE version_id = ?").await, "rolled_back");

    let (old, new) = (&before.tables["operation_log"], &after.tables["operation_log"]);
    let added: Vec<i64> = new.keys().filter(|id| !old.contains_key(id)).copied().collect();
    assert_eq!(added.len(), 2);
    for id in added {
        expected.tables.get_mut("operation_log").unwrap().insert(id, new[&id].clone());
    }
}

/// The rollback's entries about the failed version, oldest first: one `in_progress`, one `completed`.
async fn rollback_entries(d: &Deployment, columns: &str) -> Vec<sqlx::sqlite::SqliteRow> {
    let sql = format!(
        "SELECT status, {columns} FROM operation_log WHERE version_id = ? AND operation_type = 'rollback' ORDER BY id"
    );
    let mut file = d.metadata().await;
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&d.failed).fetch_all(&mut file).await.unwrap();
    let states: Vec<&str> = rows.iter().map(|row| row.get("status")).collect();
    assert_eq!(states, ["in_progress", "completed"]);
    rows
}

async fn scalar(d: &Deployment, sql: &'static str) -> String {
    sqlx::query_scalar(sql).bind(&d.failed).fetch_one(&mut d.metadata().await).await.unwrap()
}

/// The staged chapters lie in the run's folder.
fn the_rows_that_went_are_kept(d: &Deployment, before: &Contents) {
    let mut folders = vec![d.path("stepback-data/evidence")];
    let mut kept = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                kept.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
            }
        }
    }
    for row in before.tables["chapter_metadata_staging"].values() {
        let hash = row.split('\'').find(|part| part.len() == 64).unwrap();
        assert!(kept.contains(hash), "{row}");
    }
}

/// API and pages after the run.
async fn everybody_tells_the_same(app: &App, d: &Deployment, run: &Value) {
    let version = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    assert_eq!(version["status"], "rolled_back");
    assert_eq!(version["candidacy"]["kind"], "refused");
    assert_eq!(version["runs"][0]["id"], run["id"]);

    let runs = app.get("/api/v1/runs").await.json(200);
    assert_eq!((runs["items"].as_array().unwrap().len(), &runs["next_cursor"]), (1, &Value::Null));
    assert_eq!(runs["items"][0]["reason"], REASON);

    for page in ["/runs", &format!("/runs/{}", run["id"]), &format!("/versions/{}", d.failed), "/"] {
        assert!(app.get(page).await.page(200).contains(&d.failed), "{page}");
    }
    let again = App::start_request(&app.plan(&d.failed).await, REASON);
    let refused = app.post("/api/v1/runs", &again).await.problem(422, "refused");
    assert_eq!(refused["refusals"][0]["code"], "not_a_candidate");
    assert_eq!(refused["plan"]["acknowledgements"], json!([]), "nothing could be acknowledged");
}
