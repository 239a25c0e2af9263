//! What readers of a deployment get, by content and not by place, so that a restored production can be compared with
//! another one. Plain SQL on the files of the embedded stores; shares no code with the adapters.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::deployment::{Deployment, open};

/// Production in the three embedded stores, without what the failed version staged.
#[derive(Debug, PartialEq)]
pub struct Production {
    /// `chapter_metadata`, row by row.
    pub chapters: Vec<String>,
    /// Every collection but the staged one: id, payload, vector.
    pub points: BTreeMap<String, Vec<String>>,
    /// Labels and properties.
    pub nodes: Vec<String>,
    /// Start node, type, end node.
    pub relationships: Vec<String>,
}

impl Production {
    pub async fn of(d: &Deployment) -> Self {
        let (nodes, relationships) = graph(d).await;
        Self { chapters: chapters(&d.path("metadata.db")).await, points: points(d).await, nodes, relationships }
    }
}

/// The chapters in any copy of `metadata.db`.
pub async fn chapters(file: &Path) -> Vec<String> {
    let sql = "SELECT textbook_id || '|' || chapter_number || '|' || title || '|' || content_hash || '|' || \
               ifnull(version, '') || '|' || ifnull(source_file_path, '') AS row \
               FROM chapter_metadata ORDER BY textbook_id, chapter_number";
    let mut file = open(file).await;
    sqlx::query_scalar(sql).fetch_all(&mut file).await.unwrap()
}

async fn points(d: &Deployment) -> BTreeMap<String, Vec<String>> {
    let mut file = open(&d.path("vectors.db")).await;
    let mut collections = BTreeMap::new();
    for row in sqlx::query("SELECT id, name FROM collections").fetch_all(&mut file).await.unwrap() {
        let name: String = row.get("name");
        if name == "textbook_chunks_staging" || name == format!("textbook_chunks_{}", d.failed) {
            continue;
        }
        let sql = "SELECT hex(id) AS id, payload, hex(vector) AS vector FROM points WHERE collection_id = ?";
        let rows = sqlx::query(sql).bind(row.get::<i64, _>("id")).fetch_all(&mut file).await.unwrap();
        let told = |row: &sqlx::sqlite::SqliteRow| {
            let [id, payload, vector]: [String; 3] = ["id", "payload", "vector"].map(|column| row.get(column));
            format!("{id} {} {vector}", sorted(&payload))
        };
        let mut points: Vec<String> = rows.iter().map(told).collect();
        points.sort_unstable();
        collections.insert(name, points);
    }
    collections
}

pub async fn graph(d: &Deployment) -> (Vec<String>, Vec<String>) {
    let mut file = open(&d.path("graph.db")).await;
    let mut labels: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in pairs(&mut file, "SELECT node_id, label FROM node_labels ORDER BY label").await {
        labels.entry(row.0).or_default().push(row.1);
    }
    let suffix = format!("::{}\"", d.failed);
    let mut known: BTreeMap<i64, String> = BTreeMap::new();
    for (id, properties) in pairs(&mut file, "SELECT id, properties FROM nodes").await {
        let own = labels.remove(&id).unwrap_or_default();
        if !own.iter().any(|label| label == "staging") && !properties.contains(&suffix) {
            known.insert(id, format!("{} {}", own.join(":"), sorted(&properties)));
        }
    }
    let sql = "SELECT start_id, end_id, type || ' ' || properties AS rest FROM relationships";
    let mut relationships: Vec<String> = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut file).await.unwrap() {
        let ends = (known.get(&row.get("start_id")), known.get(&row.get("end_id")));
        if let (Some(start), Some(end)) = ends {
            relationships.push(format!("{start} -{}-> {end}", row.get::<String, _>("rest")));
        }
    }
    let mut nodes: Vec<String> = known.into_values().collect();
    nodes.sort_unstable();
    relationships.sort_unstable();
    (nodes, relationships)
}

async fn pairs(file: &mut SqliteConnection, sql: &'static str) -> Vec<(i64, String)> {
    let rows = sqlx::query(sql).fetch_all(file).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// A JSON object with its members in one order.
fn sorted(json: &str) -> String {
    let members: BTreeMap<String, Value> = serde_json::from_str(json).unwrap();
    serde_json::to_string(&members).unwrap()
}
