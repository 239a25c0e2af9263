//! A HybridFlow deployment in a folder of its own: the small demo, made once a layout and copied for each test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;
use rollback_stores::qdrant_double::QdrantDouble;
use rollback_stores::vector_point::VectorPoint;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use stepback_server::cli::{Cli, Command, DemoArgs};
use stepback_server::config::{Config, Sources};
use stepback_server::demo;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Shared,
    PerVersion,
}

impl Layout {
    pub fn word(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::PerVersion => "per-version",
        }
    }
}

/// The demo that all deployments of a layout are copies of. It stays for the next run, which makes it anew.
struct Model {
    dir: PathBuf,
    failed: String,
    /// Held to the end of the process: another one at the same tests waits.
    _lock: File,
}

impl Model {
    async fn make(layout: Layout, contaminated: bool) -> Self {
        let kind = if contaminated { "-contaminated" } else { "" };
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("http-{}{kind}", layout.word()));
        let lock = File::create(dir.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let more = if contaminated { &["--contaminated"][..] } else { &[] };
        let words = [&["--force", "--layout", layout.word()], more].concat();
        let report = demo::create(&demo_args(&dir, &words)).await.unwrap();
        Self { dir, failed: report.failed_version, _lock: lock }
    }
}

pub struct Deployment {
    folder: TempDir,
    /// The version that failed.
    pub failed: String,
}

impl Deployment {
    pub async fn new(layout: Layout) -> Self {
        Self::copy_of(layout, false).await
    }

    /// Production differs from latest-copy, as a failed ingestion leaves it.
    pub async fn contaminated(layout: Layout) -> Self {
        Self::copy_of(layout, true).await
    }

    async fn copy_of(layout: Layout, contaminated: bool) -> Self {
        static MODELS: [OnceCell<Model>; 4] = [const { OnceCell::const_new() }; 4];
        let place = &MODELS[layout as usize * 2 + usize::from(contaminated)];
        let Model { dir, failed, .. } = place.get_or_init(|| Model::make(layout, contaminated)).await;
        let folder = tempfile::tempdir().unwrap();
        copy(dir, folder.path());
        Self { folder, failed: failed.clone() }
    }

    /// A demo whose vectors and graph are loaded into servers by the demo's own loader.
    pub async fn on_servers(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = demo::create(&demo_args(&folder.path().join("demo"), more)).await.unwrap();
        copy(&made.dir, folder.path());
        Self { folder, failed: made.failed_version }
    }

    /// Another one that holds the same.
    pub fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Self { folder, failed: self.failed.clone() }
    }

    /// Makes every session older, as if so much time had passed.
    pub async fn age_sessions(&self, by: Duration) {
        let mut file = open(&self.config().access_file()).await;
        let by = i64::try_from(by.as_millis()).unwrap();
        let sql = "UPDATE sessions SET made_at = made_at - ?1, last_seen_at = last_seen_at - ?1";
        sqlx::query(sql).bind(by).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
    }

    /// Lets no further row into the audit.
    pub async fn refuse_audit(&self) {
        let mut file = open(&self.config().access_file()).await;
        let sql = "CREATE TRIGGER no_rows BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no more rows'); END";
        sqlx::query(sql).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
    }

    /// A copy of this demo's vectors in a Qdrant double, put there past the wire.
    pub async fn qdrant(&self) -> QdrantDouble {
        let double = QdrantDouble::start().unwrap();
        let mut file = open(&self.path("vectors.db")).await;
        let collections = sqlx::query("SELECT id, name, dim FROM collections").fetch_all(&mut file).await.unwrap();
        for collection in collections {
            let name: String = collection.get("name");
            double.create_collection(&name, u64::try_from(collection.get::<i64, _>("dim")).unwrap());
            let points = sqlx::query("SELECT id, payload, vector FROM points WHERE collection_id = ?")
                .bind(collection.get::<i64, _>("id"))
                .fetch_all(&mut file)
                .await
                .unwrap();
            let points = points.iter().map(|row| VectorPoint {
                id: Uuid::from_slice(row.get("id")).unwrap(),
                payload: serde_json::from_str(row.get("payload")).unwrap(),
                vector: row.get::<&[u8], _>("vector").as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            });
            assert!(double.upsert_points(&name, points));
        }
        let aliases = "SELECT alias, name FROM aliases JOIN collections c ON c.id = collection_id";
        for alias in sqlx::query(aliases).fetch_all(&mut file).await.unwrap() {
            double.set_alias(alias.get("alias"), alias.get("name"));
        }
        double
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The settings as `stepback serve` would read them; little free space is asked for.
    pub fn config(&self) -> Config {
        let mut config =
            Config::load(&Sources { file: Some(self.path("stepback.toml")), ..Sources::default() }).unwrap();
        config.rollback.min_free_bytes = 1;
        config
    }

    /// The settings with the double in the place of the embedded vectors.
    pub fn config_with(&self, double: &QdrantDouble) -> Config {
        let mut config = self.config();
        config.qdrant.url = Some(double.grpc_url());
        config.qdrant.rest_url = Some(double.rest_url());
        config
    }

    /// `metadata.db` as another program opens it.
    pub async fn metadata(&self) -> SqliteConnection {
        open(&self.path("metadata.db")).await
    }

    /// Runs statements in `metadata.db`.
    pub async fn run(&self, sql: &str) {
        let mut file = self.metadata().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut file).await.unwrap();
        file.close().await.unwrap();
    }

    /// Every file below the folder but Stepback's own, byte by byte. SQLite's files beside a database in WAL mode come and
    /// go with its readers.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("stepback-data") {
                    folders.push(path);
                } else if path.is_file() && !["-shm", "-wal"].iter().any(|end| path.to_string_lossy().ends_with(end)) {
                    let bytes = fs::read(&path).unwrap();
                    files.insert(path, bytes);
                }
            }
        }
        files
    }
}

/// The arguments as the command line reads them.
fn demo_args(dir: &Path, more: &[&str]) -> DemoArgs {
    let words = ["stepback", "demo", dir.to_str().unwrap()].into_iter().chain(more.iter().copied());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Demo(args) => args,
        other => panic!("{other:?}"),
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (entry, path) = entry.map(|e| (e.path(), to.join(e.file_name()))).unwrap();
        if entry.is_dir() {
            fs::create_dir_all(&path).unwrap();
            copy(&entry, &path);
        } else {
            fs::copy(&entry, &path).unwrap();
        }
    }
}

/// Opens a file that must be there.
pub async fn open(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}
