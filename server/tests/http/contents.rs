//! What a deployment holds, read by a client that shares no code with the adapters: plain SQL on the files.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::deployment::{Deployment, open};

/// Rows of a table by their number, as SQLite quotes them.
pub type Table = BTreeMap<i64, String>;

/// Everything in the three embedded stores, by content.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Tables of `metadata.db` by name.
    pub tables: BTreeMap<String, Table>,
    /// Points by collection: id, payload and vector.
    pub collections: BTreeMap<String, BTreeSet<String>>,
    /// Aliases with their collections.
    pub aliases: BTreeMap<String, String>,
    pub nodes: Table,
    /// Pairs of node and label.
    pub labels: BTreeSet<(i64, String)>,
    /// Start, end, and the rest.
    pub relationships: BTreeMap<i64, (i64, i64, String)>,
}

impl Contents {
    pub async fn of(d: &Deployment) -> Self {
        let mut vectors = open(&d.path("vectors.db")).await;
        let mut collections = BTreeMap::new();
        for row in sqlx::query("SELECT id, name FROM collections").fetch_all(&mut vectors).await.unwrap() {
            let points = "SELECT hex(id) || ' ' || payload || ' ' || hex(vector) FROM points WHERE collection_id = ?";
            let points =
                sqlx::query_scalar(points).bind(row.get::<i64, _>("id")).fetch_all(&mut vectors).await.unwrap();
            collections.insert(row.get("name"), points.into_iter().collect());
        }
        let aliases = "SELECT alias, name FROM aliases JOIN collections c ON c.id = collection_id";
        let aliases = sqlx::query(aliases).fetch_all(&mut vectors).await.unwrap();

        let mut graph = open(&d.path("graph.db")).await;
        let labels = sqlx::query("SELECT node_id, label FROM node_labels").fetch_all(&mut graph).await.unwrap();
        let relationships = "SELECT id, start_id, end_id, type || ' ' || properties AS rest FROM relationships";
        let relationships = sqlx::query(relationships).fetch_all(&mut graph).await.unwrap();
        Self {
            tables: tables(d).await,
            collections,
            aliases: aliases.iter().map(|r| (r.get("alias"), r.get("name"))).collect(),
            nodes: table(&mut graph, "nodes").await,
            labels: labels.iter().map(|r| (r.get("node_id"), r.get("label"))).collect(),
            relationships: relationships
                .iter()
                .map(|r| (r.get("id"), (r.get("start_id"), r.get("end_id"), r.get("rest"))))
                .collect(),
        }
    }

    /// The nodes without those, and what hangs on them.
    pub fn without_nodes(mut self, gone: &BTreeSet<i64>) -> Self {
        self.nodes.retain(|id, _| !gone.contains(id));
        self.labels.retain(|(id, _)| !gone.contains(id));
        self.relationships.retain(|_, (start, end, _)| !gone.contains(start) && !gone.contains(end));
        self
    }
}

/// Every table of `metadata.db`, SQLite's own apart.
pub async fn tables(d: &Deployment) -> BTreeMap<String, Table> {
    let mut metadata = d.metadata().await;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut metadata).await.unwrap();
    let mut tables = BTreeMap::new();
    for name in names {
        let rows = table(&mut metadata, &name).await;
        tables.insert(name, rows);
    }
    tables
}

async fn table(file: &mut SqliteConnection, name: &str) -> Table {
    let columns = "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM pragma_table_info(?)";
    let columns: String = sqlx::query_scalar(columns).bind(name).fetch_one(&mut *file).await.unwrap();
    let sql = format!("SELECT rowid, CAST({columns} AS BLOB) FROM \"{name}\"");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(file).await.unwrap();
    // Not every text in a table is UTF-8.
    rows.iter().map(|row| (row.get(0), String::from_utf8_lossy(row.get(1)).into_owned())).collect()
}
