//! Bad weather: each says what is wrong, what is safe and what to do, in the API and on the pages, and nothing changes.

use rollback_stores::qdrant_double::QdrantDouble;
use rollback_stores::secret::Secret;
use serde_json::{Value, json};
use sqlx::Connection as _;
use std::fs;
use std::time::Duration;

use crate::app::App;
use crate::deployment::{Deployment, Layout};
use crate::rollback_servers;

/// The report of one store.
async fn report(app: &App, store: &str) -> Value {
    let stores = app.get("/api/v1/stores").await.json(200);
    let items = stores["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    items.iter().find(|s| s["store"] == store).unwrap().clone()
}

/// Says that something is wrong, with this word, and what to do.
#[track_caller]
fn tells(report: &Value, word: &str) {
    assert_ne!(report["status"], "up", "{report}");
    let said = format!("{} {}", report["detail"].as_str().unwrap(), report["remedy"].as_str().unwrap());
    assert!(said.contains(word), "{report}");
}

/// A probe for supervisors fails when a store does not answer at all.
async fn readiness_fits(app: &App, report: &Value) {
    let status = if report["status"] == "down" { 503 } else { 200 };
    assert_eq!(app.get("/readyz").await.status, status);
    assert_eq!(app.get("/healthz").await.status, 200, "the process itself is well");
}

/// A registry that cannot be read: every door says so, with this word, and no file changes.
async fn registry_is_unreadable(d: &Deployment, word: &str) {
    let mut config = d.config();
    config.sqlite.busy_timeout = Duration::from_millis(100);
    let before = d.files();
    let app = App::start(&config).await;
    let seen = report(&app, "sqlite").await;
    tells(&seen, word);
    readiness_fits(&app, &seen).await;

    let plan = json!({ "version_id": d.failed });
    let start = json!({
        "version_id": d.failed, "confirm_version_id": d.failed, "plan_digest": "0", "reason": "in bad weather",
    });
    let answers = [
        app.get("/api/v1/versions").await,
        app.get(&format!("/api/v1/versions/{}", d.failed)).await,
        app.post("/api/v1/plans", &plan).await,
        app.post("/api/v1/runs", &start).await,
    ];
    for answer in &answers {
        let problem = answer.problem(503, "store-unavailable");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        assert_eq!(problem["safe"], "Nothing was changed.");
        assert!(!problem["remedy"].as_str().unwrap().is_empty(), "{problem}");
    }
    // The overview is there whatever happens; a page that is nothing without the registry says what its status says.
    assert!(app.get("/").await.page(200).contains(word));
    let versions = app.get("/versions").await;
    let page = versions.page(503);
    assert!(page.contains(word) && page.contains("Nothing was changed"), "{page}");
    for path in [&format!("/versions/{}", d.failed), &format!("/versions/{}/plan", d.failed)] {
        assert!(app.get(path).await.page(503).contains(word), "{path}");
    }
    for path in ["/runs", "/backups"] {
        app.get(path).await.page(200);
    }
    app.get("/api/v1/latest-copy").await.json(200);
    assert_eq!(app.get("/api/v1/runs").await.json(200)["items"], json!([]));
    assert!(d.files() == before, "a file was changed, made or removed");
}

#[tokio::test]
async fn metadata_db_is_missing() {
    let d = Deployment::new(Layout::Shared).await;
    fs::remove_file(d.path("metadata.db")).unwrap();
    registry_is_unreadable(&d, "there is no such file").await;
    assert!(!d.path("metadata.db").exists());
}

#[tokio::test]
async fn metadata_db_is_no_database() {
    let d = Deployment::new(Layout::Shared).await;
    fs::write(d.path("metadata.db"), "a letter to a friend, and not a short one\n".repeat(200)).unwrap();
    registry_is_unreadable(&d, "SQLite").await;
}

#[tokio::test]
async fn metadata_db_is_another_programs() {
    let d = Deployment::new(Layout::Shared).await;
    fs::remove_file(d.path("metadata.db")).unwrap();
    fs::write(d.path("metadata.db"), b"").unwrap();
    d.run("CREATE TABLE invoices(id); CREATE TABLE customers(id);").await;
    registry_is_unreadable(&d, "invoices").await;
}

#[tokio::test]
async fn metadata_db_is_corrupt() {
    let d = Deployment::new(Layout::Shared).await;
    let mut bytes = fs::read(d.path("metadata.db")).unwrap();
    // Behind the first page, which holds the header and the schema.
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[page..].fill(0xa5);
    fs::write(d.path("metadata.db"), bytes).unwrap();
    registry_is_unreadable(&d, "malformed").await;
}

#[tokio::test]
async fn metadata_db_is_locked() {
    let d = Deployment::new(Layout::Shared).await;
    let mut other = d.metadata().await;
    let transaction = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    registry_is_unreadable(&d, "locked").await;
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn metadata_db_is_empty() {
    let d = Deployment::new(Layout::Shared).await;
    fs::write(d.path("metadata.db"), b"").unwrap();
    let before = d.files();
    let app = App::start(&d.config()).await;
    tells(&report(&app, "sqlite").await, "no table");
    for answer in
        [app.get("/api/v1/versions").await, app.post("/api/v1/plans", &json!({ "version_id": d.failed })).await]
    {
        let problem = answer.problem(503, "store-unavailable");
        assert!(problem["detail"].as_str().unwrap().contains("empty"), "{problem}");
    }
    assert!(app.get("/").await.page(200).contains("no table"));
    assert!(app.get("/versions").await.page(503).contains("empty"));
    assert!(d.files() == before);
}

#[tokio::test]
async fn a_registry_without_one_of_its_tables_names_it() {
    for table in ["version_registry", "operation_log", "chapter_metadata"] {
        let d = Deployment::new(Layout::Shared).await;
        d.run(&format!("PRAGMA foreign_keys = OFF; DROP TABLE {table}")).await;
        let before = d.files();
        let app = App::start(&d.config()).await;
        tells(&report(&app, "sqlite").await, table);
        assert!(app.get("/").await.page(200).contains(table));
        let plan = app.post("/api/v1/plans", &json!({ "version_id": d.failed })).await;
        let (versions, page) = (app.get("/api/v1/versions").await, app.get("/versions").await);
        if table == "version_registry" {
            for answer in [&plan, &versions] {
                assert!(answer.problem(503, "store-unavailable")["detail"].as_str().unwrap().contains(table));
            }
            assert!(page.page(503).contains(table));
        } else {
            // What can be read is shown; nothing can be started.
            assert!(versions.json(200)["items"].as_array().unwrap().len() > 20);
            page.page(200);
            let plan = plan.json(200);
            assert!(
                plan["refusals"].as_array().unwrap().iter().any(|r| r["message"].as_str().unwrap().contains(table))
            );
            app.post("/api/v1/runs", &App::start_request(&plan, "all the same")).await.problem(422, "refused");
        }
        assert!(d.files() == before, "{table}");
    }
}

/// One store is away: the others are shown, and a rollback is refused with the reason.
async fn is_away(d: &Deployment, app: &App, store: &str, word: &str) {
    let seen = report(app, store).await;
    tells(&seen, word);
    readiness_fits(app, &seen).await;
    app.get("/api/v1/versions").await.json(200);
    let version = app.get(&format!("/api/v1/versions/{}", d.failed)).await.json(200);
    let staged = version["staging"].as_array().unwrap().iter().find(|s| s["store"] == store).unwrap();
    assert!(staged["problem"].as_str().unwrap().contains(word), "{staged}");

    let plan = app.plan(&d.failed).await;
    let told = &plan["stores"][store];
    assert!(told["problem"].as_str().unwrap().contains(word), "{told}");
    let refusals = plan["refusals"].as_array().unwrap();
    let refusal = refusals.iter().find(|r| r["code"].as_str().unwrap().ends_with(&format!(":{store}"))).unwrap();
    assert!(refusal["message"].as_str().unwrap().contains(word), "{refusal}");
    app.post("/api/v1/runs", &App::start_request(&plan, "all the same")).await.problem(422, "refused");
    assert!(app.get("/").await.page(200).contains(word));
    for path in ["/versions", &format!("/versions/{}", d.failed), &format!("/versions/{}/plan", d.failed), "/runs"] {
        app.get(path).await.page(200);
    }
}

/// A port at which nothing listens.
fn refused_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn qdrant_refuses_the_connection() {
    let d = Deployment::new(Layout::Shared).await;
    let before = d.files();
    let mut config = d.config();
    let address = format!("http://127.0.0.1:{}", refused_port());
    config.qdrant.url = Some(address.clone());
    let app = App::start(&config).await;
    is_away(&d, &app, "qdrant", &address).await;
    assert!(d.files() == before);
}

#[tokio::test]
async fn neo4j_refuses_the_connection() {
    let d = Deployment::new(Layout::Shared).await;
    let before = d.files();
    let mut config = d.config();
    let address = format!("bolt://127.0.0.1:{}", refused_port());
    config.neo4j.uri = Some(address.clone());
    config.neo4j.connect_timeout = Duration::from_secs(20);
    let app = App::start(&config).await;
    is_away(&d, &app, "neo4j", &address).await;
    assert!(d.files() == before);
}

#[tokio::test]
async fn qdrant_does_not_know_the_key() {
    let d = Deployment::new(Layout::Shared).await;
    let double = QdrantDouble::start_with_key("the right one").unwrap();
    let mut config = d.config_with(&double);
    config.qdrant.api_key = Some(Secret::new("a-wrong-secret"));
    let app = App::start(&config).await;
    is_away(&d, &app, "qdrant", &double.grpc_url()).await;
    for path in ["/", "/api/v1/stores", "/versions"] {
        assert!(!app.get(path).await.body.contains("a-wrong-secret"), "{path}");
    }
}

#[tokio::test]
async fn neo4j_does_not_know_the_user() {
    let d = Deployment::new(Layout::Shared).await;
    let [uri, _, _] = rollback_servers::login();
    let mut config = d.config();
    config.neo4j.uri = Some(uri.clone());
    // A user of its own: the server locks one out after a few wrong passwords.
    config.neo4j.user = "nobody-here".to_owned();
    config.neo4j.password = Some(Secret::new("a-wrong-secret"));
    config.neo4j.connect_timeout = Duration::from_secs(20);
    let app = App::start(&config).await;
    is_away(&d, &app, "neo4j", &uri).await;
    for path in ["/", "/api/v1/stores", "/versions"] {
        assert!(!app.get(path).await.body.contains("a-wrong-secret"), "{path}");
    }
}

#[tokio::test]
async fn an_embedded_file_is_missing_or_no_database() {
    for (store, file) in [("qdrant", "vectors.db"), ("neo4j", "graph.db")] {
        for garbage in [None, Some("no database, and long enough to be sure of it\n".repeat(100))] {
            let d = Deployment::new(Layout::Shared).await;
            fs::remove_file(d.path(file)).unwrap();
            if let Some(garbage) = &garbage {
                fs::write(d.path(file), garbage).unwrap();
            }
            let before = d.files();
            let app = App::start(&d.config()).await;
            is_away(&d, &app, store, file).await;
            assert!(d.files() == before, "{file}");
        }
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_seen_without_a_restart() {
    let d = Deployment::new(Layout::Shared).await;
    let mut double = d.qdrant().await;
    let app = App::start(&d.config_with(&double)).await;
    assert_eq!(report(&app, "qdrant").await["status"], "up");
    double.stop();
    tells(&report(&app, "qdrant").await, "nothing listens there");
    assert_eq!(app.get("/readyz").await.status, 503);
    double.restart().unwrap();
    assert_eq!(report(&app, "qdrant").await["status"], "up");
    assert_eq!(app.get("/readyz").await.status, 200);
}

/// The disk of the journal fills up in the middle of a run: it halts, says so, and goes on in the same server once there is
/// room.
#[tokio::test]
async fn a_run_that_halts_at_a_full_journal_goes_on_when_there_is_room() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let app = App::start(&config).await;
    let mut journal = crate::deployment::open(&config.journal()).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.number > 6 \
                BEGIN SELECT RAISE(ABORT, 'no space at all'); END";
    sqlx::raw_sql(full).execute(&mut journal).await.unwrap();
    let run = app.begin(&d.failed, "the disk fills up").await;
    let halted = async {
        while app.run(run).await["state"] == "running" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), halted).await.expect("it runs on without a journal");
    assert_eq!(app.run(run).await["state"], "interrupted");
    assert!(app.get(&format!("/runs/{run}")).await.page(200).contains("nterrupted"));
    let rest = format!("/api/v1/runs/{run}/plan");
    let problem = app.get(&rest).await.problem(503, "journal-unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("no space at all"), "{problem}");

    sqlx::raw_sql("DROP TRIGGER full").execute(&mut journal).await.unwrap();
    let plan = app.get(&rest).await.json(200);
    assert_eq!(plan["startable"], true, "{plan}");
    let resume = json!({ "plan_digest": plan["digest"], "reason": "there is room again" });
    app.post(&format!("/api/v1/runs/{run}/resume"), &resume).await.json(200);
    app.events(run).await.read_to_end().await;
    let view = app.run(run).await;
    assert!(view["state"].as_str().unwrap().starts_with("completed"), "{view}");
    let told = app.get(&format!("/api/v1/runs/{run}/log.txt")).await.body;
    assert!(told.contains("it could not be journalled"), "{told}");
}
