//! The demo, seen through the adapters that a rollback uses.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use backup_formats::checksums::{self, Sha256Digest, sha256_reader};
use backup_formats::cypher_export::{ExportSummary, summarize};
use backup_formats::qdrant_snapshot::{IdSetFingerprint, inspect};
use clap::Parser as _;
use rollback::store::{GraphStore as _, RecordStore as _, StagingSelector, VectorStore as _};
use rollback_stores::embedded_graph::EmbeddedGraph;
use rollback_stores::embedded_vectors::EmbeddedVectors;
use rollback_stores::qdrant::{QdrantConfig, QdrantVectors};
use rollback_stores::qdrant_double::QdrantDouble;
use rollback_stores::sqlite::{SqliteRecords, SqliteRecordsConfig};
use rollback_types::{
    Candidacy, Inventory, Layout, RollbackTarget, StoreKind, VersionId, VersionQuery, VersionRow, VersionState,
};
use stepback_server::cli::{Cli, Command, DemoArgs};
use stepback_server::config::{Config, Sources};
use stepback_server::demo::{self, DemoError, DemoReport};
use stepback_server::doctor::{self, Verdict};

/// The arguments as the command line reads them.
fn args(dir: &Path, more: &[&str]) -> DemoArgs {
    let words = ["stepback", "demo", dir.to_str().unwrap()].into_iter().chain(more.iter().copied());
    match Cli::try_parse_from(words).unwrap().command {
        Command::Demo(args) => args,
        other => panic!("{other:?}"),
    }
}

async fn make(dir: &Path, more: &[&str]) -> Demo {
    let report = demo::create(&args(&dir.join("demo"), more)).await.unwrap();
    Demo { dir: report.dir.clone(), report }
}

/// A demo with the adapters on it.
struct Demo {
    dir: PathBuf,
    report: DemoReport,
}

impl Demo {
    fn config(&self) -> Config {
        Config::load(&Sources { file: Some(self.dir.join("stepback.toml")), ..Sources::default() }).unwrap()
    }

    fn records(&self) -> SqliteRecords {
        SqliteRecords::new(SqliteRecordsConfig::new(self.dir.join("metadata.db")))
    }

    fn vectors(&self) -> EmbeddedVectors {
        EmbeddedVectors::new(self.dir.join("vectors.db"))
    }

    fn graph(&self) -> EmbeddedGraph {
        EmbeddedGraph::at(self.dir.join("graph.db"))
    }

    fn latest(&self, name: &str) -> PathBuf {
        self.dir.join("backups/latest-copy").join(name)
    }

    fn target(&self) -> RollbackTarget {
        RollbackTarget::new(&VersionId::new(&self.report.failed_version)).unwrap()
    }

    async fn versions(&self) -> Vec<VersionRow> {
        self.records().versions(&VersionQuery { limit: Some(200), ..VersionQuery::default() }).await.unwrap().items
    }

    /// SHA-256 of every file by its path. SQLite's change counter (bytes 24–27, and 92–95 for its copy) tells how often a
    /// file was written, which depends on when a log was folded back, and not what it holds.
    fn digests(&self) -> BTreeMap<PathBuf, Sha256Digest> {
        let mut digests = BTreeMap::new();
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let mut bytes = fs::read(&path).unwrap();
                    if path.extension().is_some_and(|e| e == "db") {
                        bytes[24..28].fill(0);
                        bytes[92..96].fill(0);
                    }
                    digests.insert(path.strip_prefix(&self.dir).unwrap().to_path_buf(), Sha256Digest::of(&bytes));
                }
            }
        }
        digests
    }

    fn export(&self) -> ExportSummary {
        summarize(File::open(self.latest("neo4j_latest.cypher")).unwrap(), |_| {}).unwrap()
    }

    fn snapshot_ids(&self) -> IdSetFingerprint {
        let file = File::open(self.latest("textbook_chunks_latest.snapshot")).unwrap();
        inspect(file, |_| {}).unwrap().ids.unwrap()
    }

    /// Chapters, ids of points, and the graph: does production equal latest-copy?
    async fn production_equals_latest_copy(&self, collection: &str, selector: StagingSelector) -> [bool; 3] {
        let records = self.records();
        let copy = records.inspect_copy(&self.latest("metadata.db")).await.unwrap();
        assert_eq!(copy.faults, Vec::<String>::new());
        let live = self.graph().production(&[selector]).await.unwrap();
        let export = self.export();
        assert_eq!(export.other_statements, 0);
        [
            records.production().await.unwrap().digest == copy.chapters.unwrap().digest,
            self.vectors().id_fingerprint(collection).await.unwrap() == Some(self.snapshot_ids()),
            (live.nodes, live.relationships) == (Some(export.nodes), Some(export.relationships))
                && live.labels == export.labels
                && live.types == export.relationship_types,
        ]
    }
}

#[tokio::test]
async fn the_shared_layout_holds_what_it_promises() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &[]).await;
    let records = demo.records();
    let schema = records.schema().await.unwrap();
    assert_eq!((schema.layout, schema.findings.len(), schema.writable_shape), (Layout::Shared, 0, true));

    let staged = records.staging(&demo.target()).await.unwrap();
    assert_eq!((staged.present, staged.rows), (true, Some(18)));
    assert_eq!(staged.versions, BTreeMap::from([(demo.report.failed_version.clone(), 18)]));
    assert_eq!(records.production().await.unwrap().rows, Some(24));

    let vectors = demo.vectors();
    assert_eq!(vectors.collections().await.unwrap(), ["textbook_chunks", "textbook_chunks_staging"]);
    assert_eq!(vectors.aliases().await.unwrap(), []);
    assert_eq!(vectors.count("textbook_chunks").await.unwrap(), Some(600));
    let staged_points = vectors.count("textbook_chunks_staging").await.unwrap().unwrap();

    let label = StagingSelector::Label("staging".to_owned());
    let graph = demo.graph();
    let staged = graph.staging(&label).await.unwrap();
    assert_eq!((staged.nodes, staged.crossing_relationships), (Some(1_100), Some(18)));
    let production: Inventory = graph.production(std::slice::from_ref(&label)).await.unwrap();
    assert_eq!((production.nodes, production.relationships), (Some(1_500), Some(1_872)));
    let by_label = |label: &str| production.labels.get(label).copied();
    assert_eq!([by_label("Textbook"), by_label("Chapter"), by_label("Paragraph")], [Some(3), Some(24), Some(600)]);

    // The version failed because paragraphs are missing in the graph, and that is so.
    let everything = graph.production(&[]).await.unwrap();
    let staged_paragraphs = everything.labels["Paragraph"] - 600;
    assert_eq!(staged_points - staged_paragraphs, 14);
    let failed = records.version(&VersionId::new(&demo.report.failed_version)).await.unwrap().unwrap();
    assert_eq!(failed.status, VersionState::ValidatingFailed);
    assert!(failed.status_message.unwrap().starts_with("Check 4: 14 chunk ids are in Qdrant but not in Neo4j"));

    assert_eq!(demo.production_equals_latest_copy("textbook_chunks", label).await, [true; 3]);
}

#[tokio::test]
async fn the_registry_has_every_state_and_its_oddities() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &[]).await;
    let versions = demo.versions().await;
    let states: BTreeSet<&str> = versions.iter().map(|v| v.status.as_str()).collect();
    let missing: Vec<_> = VersionState::KNOWN.iter().filter(|state| !states.contains(state.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(versions.iter().any(|v| matches!(&v.status, VersionState::Other(word) if word == "quarantined")));
    assert!(versions.iter().any(|v| v.status_message.as_ref().is_some_and(|m| m.chars().count() > 1_500)));
    let bare = |v: &&VersionRow| v.created_at.is_none() && v.status_message.is_none() && v.notes.is_none();
    assert_eq!(versions.iter().filter(bare).count(), 1);
    assert!(versions.iter().any(|v| v.version_id.as_str().contains(' ')), "an id that fits no pattern");
    assert!(versions.iter().all(|v| v.oddities.is_empty()), "{versions:?}");

    let records = demo.records();
    for version in &versions {
        assert!(!records.operations(&version.version_id, 50).await.unwrap().is_empty(), "{}", version.version_id);
    }
    // Nothing that looks like an ingestion under way, which would stand against every rollback.
    assert_eq!(records.open_operations().await.unwrap(), []);

    // Newest first, the one that failed leads.
    assert_eq!(versions[0].version_id.as_str(), demo.report.failed_version);
    assert!(matches!(versions[0].candidacy, Candidacy::Candidate));
    let baseline = versions.iter().find(|v| v.version_id.is_baseline()).unwrap();
    assert!(!baseline.candidacy.is_offered());
}

#[tokio::test]
async fn the_per_version_layout_is_as_the_pipeline_leaves_it() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &["--layout", "per-version"]).await;
    let failed = &demo.report.failed_version;
    let records = demo.records();
    let schema = records.schema().await.unwrap();
    assert_eq!((schema.layout, schema.findings.len(), schema.writable_shape), (Layout::PerVersion, 0, true));
    assert!(!records.staging(&demo.target()).await.unwrap().present, "no table of its own");
    assert_eq!(records.open_operations().await.unwrap(), []);

    let versions = demo.versions().await;
    let newest = versions.iter().find(|v| v.version_id.as_str() == failed).unwrap();
    assert_eq!(newest.status, VersionState::Staging);
    assert!(newest.status_message.as_ref().unwrap().contains("Count mismatch"), "{newest:?}");
    assert!(versions.iter().any(|v| v.version_id.is_safety_backup() && v.status == VersionState::Pending));

    // What the alias points to is named like staging, and is production.
    let vectors = demo.vectors();
    let aliases = vectors.aliases().await.unwrap();
    let latest = &aliases.iter().find(|a| a.alias == "textbook_chunks_latest").unwrap().collection;
    let committed = latest.strip_prefix("textbook_chunks_").unwrap();
    let row = versions.iter().find(|v| v.version_id.as_str() == committed).unwrap();
    assert_eq!(row.status, VersionState::Committed);
    assert_eq!(aliases.len(), 3);
    assert_eq!(vectors.count(latest).await.unwrap(), Some(600));
    let old = vectors.count_of_version(latest, "production").await.unwrap();
    let new = vectors.count_of_version(latest, committed).await.unwrap();
    assert!(old > 0 && new > 0 && old + new == 600, "{old} + {new}");
    assert_eq!(vectors.count("textbook_chunks").await.unwrap(), Some(old));

    // The failed version's collection holds production and its own points.
    let collection = format!("textbook_chunks_{failed}");
    let own = vectors.count_of_version(&collection, failed).await.unwrap();
    assert_eq!(vectors.count(&collection).await.unwrap(), Some(600 + own));

    let suffix = StagingSelector::IdSuffix(format!("::{failed}"));
    let graph = demo.graph();
    let staged = graph.staging(&suffix).await.unwrap();
    assert_eq!((staged.nodes, staged.crossing_relationships), (Some(1_100), Some(18)));
    assert_eq!(graph.production(std::slice::from_ref(&suffix)).await.unwrap().nodes, Some(1_500));
    assert_eq!(demo.production_equals_latest_copy(latest, suffix).await, [true; 3]);
}

#[tokio::test]
async fn contaminated_means_that_production_differs_from_latest_copy() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &["--contaminated"]).await;
    let label = StagingSelector::Label("staging".to_owned());
    assert_eq!(demo.production_equals_latest_copy("textbook_chunks", label).await, [false; 3]);

    // The pipeline rewrites chapters in place and nothing else.
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &["--contaminated", "--layout", "per-version"]).await;
    let aliases = demo.vectors().aliases().await.unwrap();
    let latest = aliases.iter().find(|a| a.alias == "textbook_chunks_latest").unwrap();
    let suffix = StagingSelector::IdSuffix(format!("::{}", demo.report.failed_version));
    assert_eq!(demo.production_equals_latest_copy(&latest.collection, suffix).await, [false, true, true]);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    for layout in ["shared", "per-version"] {
        let folders: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let one = make(folders[0].path(), &["--layout", layout]).await.digests();
        let same = make(folders[1].path(), &["--layout", layout]).await.digests();
        assert_eq!(one, same);
        let other = make(folders[2].path(), &["--layout", layout, "--seed", "2"]).await.digests();
        for file in ["metadata.db", "vectors.db", "graph.db"] {
            assert_ne!(one[Path::new(file)], other[Path::new(file)], "{layout}: {file}");
        }
    }
}

#[tokio::test]
async fn the_day_moves_the_story() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &["--day", "2025-12-26"]).await;
    assert!(demo.report.failed_version.ends_with("_minor_20251226_143022"), "{}", demo.report.failed_version);
    let error = demo::create(&args(&dir.path().join("x"), &["--day", "2025-02-30"])).await.unwrap_err();
    assert!(matches!(error, DemoError::Day(_)));
}

#[tokio::test]
async fn every_backup_has_its_files_with_true_checksums() {
    for layout in ["shared", "per-version"] {
        let dir = tempfile::tempdir().unwrap();
        let demo = make(dir.path(), &["--layout", layout]).await;
        let folders: Vec<PathBuf> =
            fs::read_dir(demo.dir.join("backups")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(folders.len(), 7, "latest-copy, the baseline and five versions");
        let versions = demo.versions().await;
        for folder in folders {
            let recorded = checksums::parse(&fs::read_to_string(folder.join("checksums.txt")).unwrap()).unwrap();
            assert_eq!(recorded.len(), 3);
            for (name, digest) in recorded.iter() {
                let file = File::open(folder.join(name)).unwrap();
                assert_eq!(sha256_reader(file, |_| {}).unwrap(), digest, "{folder:?} {name}");
            }
            let copy = demo.records().inspect_copy(&folder.join("metadata.db")).await.unwrap();
            assert_eq!(copy.faults, Vec::<String>::new());
            // The registry's row, the chapters, the points and the paragraphs of a kept version agree.
            let name = folder.file_name().unwrap().to_str().unwrap();
            if let Some(row) = versions.iter().find(|v| v.version_id.as_str() == name) {
                let chapters = copy.chapters.unwrap().rows.unwrap();
                if !row.version_id.is_baseline() || layout == "shared" {
                    assert_eq!(row.chapter_count, Some(chapters as i64), "{name}");
                }
                let points = inspect(File::open(folder.join("textbook_chunks.snapshot")).unwrap(), |_| {}).unwrap();
                let graph = summarize(File::open(folder.join("neo4j.cypher")).unwrap(), |_| {}).unwrap();
                assert_eq!(points.ids.unwrap().count, graph.labels["Paragraph"], "{name}");
                assert_eq!(graph.labels["Chapter"], chapters, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn backups_are_as_old_as_what_they_are_backups_of() {
    let dir = tempfile::tempdir().unwrap();
    for layout in ["shared", "per-version"] {
        let demo = make(&dir.path().join(layout), &["--layout", layout]).await;
        let written = |folder: &Path| -> BTreeSet<i64> {
            let files =
                fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().modified().unwrap());
            let since = |at: std::time::SystemTime| at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            files.map(|at| i64::try_from(since(at)).unwrap()).collect()
        };
        let seconds = |at: Option<rollback_types::Timestamp>| at.unwrap().unix_ms().div_euclid(1_000);
        let versions = demo.versions().await;
        let mut kept = 0;
        for version in &versions {
            let folder = demo.dir.join("backups").join(version.version_id.as_str());
            if folder.is_dir() {
                let at = written(&folder);
                assert_eq!(at.len(), 1, "{}: all files at the same moment", version.version_id);
                // The pipeline's local times are an hour ahead of what they are read as here.
                let later = at.iter().sum::<i64>() - seconds(version.created_at);
                assert!(later.abs() < 2 * 3_600, "{}: {later} s", version.version_id);
                kept += 1;
            }
        }
        assert!(kept > 3, "{kept}");
        let latest = written(&demo.dir.join("backups/latest-copy"));
        let failed = versions.iter().find(|v| v.version_id.as_str() == demo.report.failed_version).unwrap();
        assert_eq!(latest.len(), 1);
        assert!((1..2 * 3_600).contains(&(seconds(failed.created_at) - latest.iter().sum::<i64>())), "{latest:?}");
    }
}

#[tokio::test]
async fn only_a_demo_is_replaced_and_only_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("demo");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("thesis.txt"), "years of work").unwrap();
    for force in [&[][..], &["--force"]] {
        assert!(matches!(demo::create(&args(&place, force)).await, Err(DemoError::Occupied(_))));
    }
    assert_eq!(fs::read_to_string(place.join("thesis.txt")).unwrap(), "years of work");

    let other = dir.path().join("other");
    let first = make(&other, &[]).await;
    assert!(matches!(demo::create(&args(&first.dir, &["--seed", "2"])).await, Err(DemoError::Exists(_))));
    let before = first.digests();
    let again = make(&other, &["--seed", "2", "--force"]).await;
    assert_ne!(before, again.digests());

    // What an interrupted try left does not stand in the way; a stranger's folder of that name does.
    let partial = dir.path().join("third/demo.partial");
    fs::create_dir_all(&partial).unwrap();
    fs::copy(first.dir.join(".stepback-demo"), partial.join(".stepback-demo")).unwrap();
    fs::write(partial.join("metadata.db"), "half").unwrap();
    make(&dir.path().join("third"), &[]).await;
    assert!(!partial.exists());
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join("mine"), "mine").unwrap();
    let refused = demo::create(&args(&dir.path().join("third/demo"), &["--force"])).await;
    assert!(matches!(refused, Err(DemoError::Occupied(_))));
}

#[tokio::test]
async fn a_qdrant_server_gets_the_same_points_and_the_key_stays_in_a_file_of_its_own() {
    let server = QdrantDouble::start_with_key("sesame").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (url, rest) = (server.grpc_url(), server.rest_url());
    let more =
        ["--layout", "per-version", "--qdrant-url", &url, "--qdrant-api-key", "sesame", "--qdrant-rest-url", &rest];
    let demo = make(dir.path(), &more).await;
    let embedded = make(&dir.path().join("embedded"), &["--layout", "per-version"]).await;

    assert!(!demo.dir.join("vectors.db").exists());
    let config = demo.config();
    let store = QdrantVectors::new(QdrantConfig {
        api_key: config.qdrant.api_key.clone(),
        ..QdrantConfig::new(config.qdrant.url.clone().unwrap())
    })
    .unwrap();
    assert_eq!(store.collections().await.unwrap(), embedded.vectors().collections().await.unwrap());
    assert_eq!(store.aliases().await.unwrap(), embedded.vectors().aliases().await.unwrap());
    for collection in store.collections().await.unwrap() {
        let points = store.id_fingerprint(&collection).await.unwrap();
        assert_eq!(points, embedded.vectors().id_fingerprint(&collection).await.unwrap(), "{collection}");
    }

    let settings = fs::read_to_string(demo.dir.join("stepback.toml")).unwrap();
    assert!(settings.contains(&url) && !settings.contains("sesame"), "{settings}");
    assert!(settings.contains(&rest), "{settings}");
    // The copies are of the server's own making, and of the same points.
    let look =
        |demo: &Demo| inspect(File::open(demo.latest("textbook_chunks_latest.snapshot")).unwrap(), |_| {}).unwrap();
    let (here, there) = (look(&demo), look(&embedded));
    assert!(there.is_embedded() && !here.is_embedded());
    assert_eq!(here.ids, there.ids);
    let mode = fs::metadata(demo.dir.join("qdrant.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let checks = doctor::examine(&config).await;
    assert!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{}", doctor::table(&checks));
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_no_demo_behind() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("demo");
    let more = ["--neo4j-uri", "bolt://127.0.0.1:1", "--neo4j-password", "sesame"];
    let error = demo::create(&args(&place, &more)).await.unwrap_err();
    assert!(matches!(&error, DemoError::Store(e) if e.store == StoreKind::Neo4j), "{error}");
    assert!(error.remedy().contains("empty Neo4j database"));
    assert!(!place.exists());
    assert!(matches!(demo::create(&args(&place, &more[..2])).await, Err(DemoError::NoPassword)));
}

#[tokio::test]
async fn the_doctor_finds_a_demo_healthy_and_a_broken_one_not() {
    let dir = tempfile::tempdir().unwrap();
    let demo = make(dir.path(), &["--layout", "per-version"]).await;
    let config = demo.config();
    let checks = doctor::examine(&config).await;
    assert!(checks.iter().all(|check| check.verdict == Verdict::Ok), "{}", doctor::table(&checks));

    let line = |table: &str, word: &str| table.lines().find(|l| l.contains(word)).unwrap_or_default().to_owned();
    let table = doctor::table(&checks);
    assert!(line(&table, "textbook_chunks_latest.snapshot").ends_with(" MB"), "{table}");
    assert!(line(&table, "  disk").contains(" MB free"), "{table}");
    // Vectors that have moved to a server leave a copy behind that it cannot read.
    let mut moved = demo.config();
    let double = QdrantDouble::start().unwrap();
    moved.qdrant.url = Some(double.grpc_url());
    let table = doctor::table(&doctor::examine(&moved).await);
    assert!(line(&table, "latest-copy form").contains("cannot restore it"), "{table}");
    // The snapshot is named after the collection.
    let mut renamed = demo.config();
    renamed.qdrant.collection = "chapters".to_owned();
    let checks = doctor::examine(&renamed).await;
    let failed: Vec<&str> = checks.iter().filter(|c| c.is_failure()).map(|c| c.subject.as_str()).collect();
    assert_eq!(failed, ["latest-copy/chapters_latest.snapshot"]);

    fs::remove_file(demo.latest("neo4j_latest.cypher")).unwrap();
    fs::remove_file(demo.latest("checksums.txt")).unwrap();
    fs::write(demo.dir.join("vectors.db"), "no database at all, but long enough to be read as one").unwrap();
    fs::remove_file(demo.dir.join("metadata.db")).unwrap();
    let checks = doctor::examine(&config).await;
    let failed: Vec<&str> = checks.iter().filter(|c| c.is_failure()).map(|c| c.subject.as_str()).collect();
    assert_eq!(failed, ["metadata.db", "vectors", "latest-copy/neo4j_latest.cypher"]);
    assert!(checks.iter().filter(|c| c.verdict != Verdict::Ok).all(|c| c.remedy.is_some()));
    assert!(!demo.dir.join("metadata.db").exists(), "looking creates nothing");
}
