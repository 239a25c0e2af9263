//! A deployment to be killed in: a demo, prepared once and copied for each death; and what it holds afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::child::{Server, asked, run, start_request};

/// A run to be killed: what kind, on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Nothing to restore.
    Rollback,
    /// Nothing to restore, a collection and an id suffix for each version.
    RollbackPerVersion,
    /// Production differs, all three stores are restored.
    RollbackWithRestores,
    RestoreProduction,
    UndoRestore,
    MakeBackup,
}

impl Story {
    fn kind(self) -> &'static str {
        match self {
            Self::Rollback | Self::RollbackPerVersion | Self::RollbackWithRestores => "rollback",
            Self::RestoreProduction => "restore_production",
            Self::UndoRestore => "undo_restore",
            Self::MakeBackup => "make_backup",
        }
    }
}

/// A prepared deployment, of which every death gets a copy.
pub struct Base {
    pub place: Place,
    pub story: Story,
    subject: String,
    /// Runs that were carried out to prepare it.
    pub runs: usize,
}

/// A folder with a deployment.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub token: String,
}

impl Place {
    pub fn server(&self) -> Server {
        Server::start(self.folder.path(), &self.token)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config(&self) -> String {
        self.path("stepback.toml").to_str().unwrap().to_owned()
    }
}

impl Base {
    /// Makes the demo with these further words, and carries out what comes before the run to be killed.
    pub fn of(story: Story, servers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().to_str().unwrap();
        let contaminated = matches!(story, Story::RollbackWithRestores | Story::RestoreProduction | Story::UndoRestore);
        let layout = if story == Story::RollbackPerVersion { "per-version" } else { "shared" };
        let mut words = vec!["demo", demo, "--layout", layout];
        words.extend(contaminated.then_some("--contaminated"));
        words.extend(servers);
        assert_eq!(run(&words).0, 0);
        let config = folder.path().join("stepback.toml");
        let token = ["token", "create", "kill", "--role", "administrator", "--config", config.to_str().unwrap()];
        let (0, token) = run(&token) else { panic!("no token") };
        let place = Place { folder, token: token.trim().to_owned() };
        let server = place.server();
        let versions = server.client.ask(200, "GET", "/api/v1/versions?limit=200", None);
        let offered = |v: &&Value| v["candidacy"]["kind"] == "candidate" && v["status"] == "failed";
        let failed =
            versions["items"].as_array().unwrap().iter().find(offered).or_else(|| {
                versions["items"].as_array().unwrap().iter().find(|v| v["candidacy"]["kind"] == "candidate")
            });
        let failed = failed.unwrap()["version_id"].as_str().unwrap().to_owned();
        let mut base = Self { place, story, subject: failed.clone(), runs: 0 };
        let mut before = |kind: &str, subject: &str, restore: Value| {
            let id = begin(&server, kind, subject, &restore);
            ended(&server, id);
            base.runs += 1;
            id
        };
        base.subject = match story {
            Story::Rollback | Story::RollbackPerVersion | Story::RollbackWithRestores => failed,
            Story::RestoreProduction => {
                before("rollback", &failed, json!([]));
                "latest-copy".to_owned()
            }
            Story::UndoRestore => {
                before("rollback", &failed, json!([]));
                let id = before("restore_production", "latest-copy", Value::Null);
                format!("run-{id}")
            }
            Story::MakeBackup => {
                before("rollback", &failed, Value::Null);
                "latest-copy".to_owned()
            }
        };
        server.kill();
        base
    }

    pub fn copy(&self) -> Place {
        let folder = tempfile::tempdir().unwrap();
        copy(self.place.folder.path(), folder.path());
        Place { folder, token: self.place.token.clone() }
    }

    /// Plans and starts the run; its number.
    pub fn begin(&self, server: &Server) -> i64 {
        begin(server, self.story.kind(), &self.subject, &Value::Null)
    }

    /// The run's plan.
    pub fn plan(&self, server: &Server) -> Value {
        let plan = json!({ "kind": self.story.kind(), "version_id": self.subject });
        server.client.ask(200, "POST", "/api/v1/plans", Some(&plan))
    }

    /// What would start the run.
    pub fn request(&self, server: &Server) -> Value {
        request(server, self.story.kind(), &self.subject, &Value::Null)
    }
}

fn request(server: &Server, kind: &str, subject: &str, restore: &Value) -> Value {
    let plan = json!({ "kind": kind, "version_id": subject, "restore": restore });
    let plan = server.client.ask(200, "POST", "/api/v1/plans", Some(&plan));
    let mut request = start_request(&plan);
    request["restore"] = restore.clone();
    request
}

fn begin(server: &Server, kind: &str, subject: &str, restore: &Value) -> i64 {
    let request = request(server, kind, subject, restore);
    server.client.ask(201, "POST", "/api/v1/runs", Some(&request))["id"].as_i64().unwrap()
}

/// Takes an interrupted run up again, as a person does who reads its plan and agrees.
pub fn resume(server: &Server, run: i64) {
    let plan = server.client.ask(200, "GET", &format!("/api/v1/runs/{run}/plan"), None);
    let request = json!({ "plan_digest": plan["digest"], "reason": "it was killed", "acknowledgements": asked(&plan) });
    server.client.ask(200, "POST", &format!("/api/v1/runs/{run}/resume"), Some(&request));
}

/// Waits for the end of a run, at which nobody has to decide anything.
#[track_caller]
pub fn ended(server: &Server, run: i64) -> Value {
    let mut asks = false;
    server.client.events(run, |event| {
        asks = event["type"] == "decision_needed";
        asks
    });
    let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{run}"), None);
    assert!(!asks, "the run asks for a decision: {view:#}");
    assert!(view["state"].as_str().unwrap().starts_with("completed"), "{view:#}");
    view
}

pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&place).unwrap();
            copy(&entry.path(), &place);
        } else {
            std::fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// What a deployment holds, by content, but for times and the run's own key.
#[derive(Debug, PartialEq)]
pub struct Contents {
    /// Rows by file and table.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Files outside of Stepback's own folder.
    pub files: BTreeSet<String>,
}

/// Columns that tell when and how long, and the story in words: of a run that was taken up again it is another one.
const VOLATILE: [&str; 7] =
    ["updated_at", "created_at", "completed_at", "timestamp", "duration_ms", "details", "metadata_json"];

impl Contents {
    pub fn of(place: &Place) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut tables = BTreeMap::new();
        for file in ["metadata.db", "vectors.db", "graph.db", "backups/latest-copy/metadata.db"] {
            if place.path(file).exists() {
                runtime.block_on(read(place, file, &mut tables));
            }
        }
        let mut files = BTreeSet::new();
        names(place.folder.path(), "", &mut files);
        Self { tables, files }
    }

    /// The first thing that differs, in words.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.files != other.files {
            let differ: Vec<_> = self.files.symmetric_difference(&other.files).collect();
            return Some(format!("files: {differ:?}"));
        }
        for (name, rows) in &self.tables {
            let Some(others) = other.tables.get(name) else { return Some(format!("{name} is not there")) };
            if rows != others {
                let only = |a: &[String], b: &[String]| {
                    a.iter().filter(|r| !b.contains(r)).take(3).cloned().collect::<Vec<_>>()
                };
                let (here, there) = (only(rows, others), only(others, rows));
                return Some(format!(
                    "{name}: {} rows, {} rows; only here {here:#?}, only there {there:#?}",
                    rows.len(),
                    others.len()
                ));
            }
        }
        (self.tables.len() != other.tables.len()).then(|| "there are more tables".to_owned())
    }
}

/// The first column of a question to one of the files.
pub fn table(place: &Place, file: &str, sql: &'static str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut db = SqliteConnectOptions::new().filename(place.path(file)).connect().await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut db).await.unwrap()
    })
}

/// Plain SQL on the file; shares no code with the adapters.
async fn read(place: &Place, file: &str, tables: &mut BTreeMap<String, Vec<String>>) {
    let mut db = SqliteConnectOptions::new().filename(place.path(file)).connect().await.unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut db).await.unwrap();
    for name in names {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info(?)").bind(&name).fetch_all(&mut db).await.unwrap();
        let told: Vec<String> = columns
            .iter()
            .filter(|column| !VOLATILE.contains(&column.as_str()))
            .map(|column| format!("quote(\"{column}\")"))
            .collect();
        let sql = format!("SELECT CAST({} AS BLOB) FROM \"{name}\"", told.join(" || ',' || "));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| without_keys(&String::from_utf8_lossy(row.get(0)))).collect();
        rows.sort_unstable();
        tables.insert(format!("{file}: {name}"), rows);
    }
    // SQLite's own answer to what a kill left in the file.
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut db).await.unwrap();
    assert_eq!(whole, "ok", "{file}");
    db.close().await.unwrap();
}

/// The run's key holds the time of its start.
fn without_keys(row: &str) -> String {
    let mut text = String::new();
    let mut rest = row;
    while let Some((before, after)) = rest.split_once("[Stepback run ") {
        text.push_str(before);
        text.push_str("[Stepback run]");
        rest = after.split_once(']').map_or("", |(_, rest)| rest);
    }
    text + rest
}

fn names(folder: &Path, prefix: &str, files: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            if !name.starts_with("stepback-") {
                names(&entry.path(), &format!("{name}/"), files);
            }
        } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
            // The marker of a new copy carries its run's key, which differs from run to run.
            let marker = name.rsplit_once("/.stepback-").map(|(folder, _)| format!("{folder}/.stepback-"));
            files.insert(marker.unwrap_or(name));
        }
    }
}
