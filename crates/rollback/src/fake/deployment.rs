//! The deployment's data, and the files of its latest-copy.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backup_formats::checksums::Checksums;
use backup_formats::checksums::Sha256Digest;
use backup_formats::cypher_export::{CypherValue, ExportNode, ExportRelationship, ExportWriter};
use backup_formats::qdrant_snapshot::{PointId, SnapshotPoint, write_embedded_snapshot};
use rollback_types::{Layout, OperationRow, VersionId, VersionState};

use super::faults::FaultPlan;
use super::graph::FakeGraph;
use super::journal::FakeJournal;
use super::records::FakeRecords;
use super::vectors::FakeVectors;
use crate::backup::BackupFolders;
use crate::settings::Settings;
use crate::store::Host;
use crate::{RollbackService, Stores};

/// A node of the fake graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub label: &'static str,
    pub staging: bool,
}

/// Everything the fake stores hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Data {
    pub layout: Layout,
    pub versions: BTreeMap<VersionId, (VersionState, Option<String>)>,
    pub operations: Vec<OperationRow>,
    pub chapters: BTreeMap<String, String>,
    /// Rows of `chapter_metadata_staging` with the version they name.
    pub staged_chapters: Option<Vec<String>>,
    pub collections: BTreeMap<String, Vec<u64>>,
    pub aliases: BTreeMap<String, String>,
    pub nodes: BTreeMap<u32, Node>,
    pub relationships: Vec<(u32, u32)>,
}

/// A machine with plenty of space, unless told otherwise.
#[derive(Debug)]
struct FakeHost(Arc<Mutex<u64>>);

impl Host for FakeHost {
    fn free_bytes(&self, _path: &Path) -> std::io::Result<u64> {
        Ok(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A deployment in memory, with real backup files in a folder.
#[derive(Debug)]
pub struct FakeDeployment {
    pub(super) data: Arc<Mutex<Data>>,
    /// The faults to come.
    pub faults: Arc<FaultPlan>,
    /// The journal; shared by every service made of this deployment.
    pub journal: Arc<FakeJournal>,
    free: Arc<Mutex<u64>>,
    folder: std::path::PathBuf,
}

/// The failed version of the fake deployment.
pub const FAILED: &str = "v7_minor_20261122_231502";

impl FakeDeployment {
    /// A deployment whose backups are written into `folder`.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        let mut nodes: BTreeMap<u32, Node> =
            (0..30).map(|i| (i, Node { label: "Paragraph", staging: false })).collect();
        nodes.extend((30..33).map(|i| (i, Node { label: "Chapter", staging: false })));
        nodes.extend((100..123).map(|i| (i, Node { label: "Paragraph", staging: true })));
        let mut relationships: Vec<(u32, u32)> = (0..29).map(|i| (i, i + 1)).collect();
        relationships.extend((100..122).map(|i| (i, i + 1)));
        relationships.extend([(0, 100), (101, 1)]);
        let chapters: BTreeMap<_, _> = (1..=12).map(|i| (format!("bailey:ch{i}"), format!("hash{i}"))).collect();
        let version =
            |id: &str, state, message: Option<&str>| (VersionId::new(id), (state, message.map(str::to_owned)));
        let data = Data {
            layout: Layout::Shared,
            versions: BTreeMap::from([
                version("v1_baseline", VersionState::Committed, None),
                version("v6_minor_20261101_101500", VersionState::Committed, None),
                version(FAILED, VersionState::ValidatingFailed, Some("Check 4: 3 chunk ids missing in Neo4j")),
            ]),
            operations: Vec::new(),
            chapters,
            staged_chapters: Some(vec![FAILED.to_owned(); 7]),
            collections: BTreeMap::from([
                ("textbook_chunks".into(), (0..30).collect()),
                ("textbook_chunks_staging".into(), (1_000..1_023).collect()),
            ]),
            aliases: BTreeMap::from([("textbook_chunks_latest".into(), "textbook_chunks".into())]),
            nodes,
            relationships,
        };
        write_latest_copy(&folder.join("latest-copy"), &data)?;
        let faults = Arc::new(FaultPlan::default());
        Ok(Self {
            data: Arc::new(Mutex::new(data)),
            journal: Arc::new(FakeJournal::new(faults.clone())),
            faults,
            free: Arc::new(Mutex::new(10_000_000_000)),
            folder: folder.to_owned(),
        })
    }

    /// A service over this deployment, as a process that has just started has it. Nothing waits.
    pub fn service(&self) -> RollbackService {
        self.service_with(|_| {})
    }

    /// The same with some settings changed.
    pub fn service_with(&self, change: impl FnOnce(&mut Settings)) -> RollbackService {
        let stores = Stores {
            records: Arc::new(FakeRecords::new(self.data.clone(), self.faults.clone())),
            vectors: Arc::new(FakeVectors::new(self.data.clone(), self.faults.clone())),
            graph: Arc::new(FakeGraph::new(self.data.clone(), self.faults.clone())),
            host: Arc::new(FakeHost(self.free.clone())),
            scratch: Arc::new(super::graph::FakeScratch),
        };
        let mut settings = Settings {
            settle: Duration::ZERO,
            retry_pauses: vec![Duration::ZERO; 2],
            rest_poll: Duration::ZERO,
            progress_interval: Duration::ZERO,
            batch_size: 5,
            evidence_dir: self.folder.join("runs"),
            ..Settings::default()
        };
        change(&mut settings);
        RollbackService::new(
            stores,
            self.journal.clone(),
            BackupFolders::new(&self.folder, "textbook_chunks"),
            settings,
        )
    }

    /// The folder of the backups.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes free on every disk.
    pub fn set_free_bytes(&self, bytes: u64) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// Sets a version's state, as somebody else would.
    pub fn set_state(&self, id: &str, state: VersionState) {
        self.change(|d| {
            d.versions.entry(VersionId::new(id)).or_insert((VersionState::Pending, None)).0 = state;
        });
    }

    /// Adds a staged row, a staged point and a staged node, as an ingestion that goes on would.
    pub fn stage_more(&self, version: &str) {
        self.change(|d| {
            d.staged_chapters.get_or_insert_default().push(version.to_owned());
            d.collections.entry("textbook_chunks_staging".into()).or_default().push(9_999);
            d.nodes.insert(9_999, Node { label: "Paragraph", staging: true });
        });
    }

    /// Removes the staging data of one store, as another tool would.
    pub fn remove_staging(&self, store: rollback_types::StoreKind) {
        self.change(|d| match store {
            rollback_types::StoreKind::Sqlite => d.staged_chapters = None,
            rollback_types::StoreKind::Qdrant => drop(d.collections.remove("textbook_chunks_staging")),
            rollback_types::StoreKind::Neo4j => {
                d.nodes.retain(|_, n| !n.staging);
                let left: Vec<u32> = d.nodes.keys().copied().collect();
                d.relationships.retain(|(a, b)| left.contains(a) && left.contains(b));
            }
        });
    }

    /// Changes production, as a failed ingestion may.
    pub fn contaminate(&self, store: rollback_types::StoreKind) {
        self.change(|d| match store {
            rollback_types::StoreKind::Sqlite => drop(d.chapters.insert("bailey:ch1".into(), "other".into())),
            rollback_types::StoreKind::Qdrant => {
                d.collections.entry("textbook_chunks".into()).or_default().push(31);
            }
            rollback_types::StoreKind::Neo4j => drop(d.nodes.insert(50, Node { label: "Paragraph", staging: false })),
        });
    }

    /// Points an alias at a collection.
    pub fn set_alias(&self, alias: &str, collection: &str) {
        self.change(|d| drop(d.aliases.insert(alias.into(), collection.into())));
    }

    /// All that the stores hold, to compare end states: times and the log's free text left out.
    pub fn fingerprint(&self) -> String {
        let d = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        let log: Vec<_> =
            d.operations.iter().map(|o| (&o.operation_type, &o.status, o.completed_at.is_some())).collect();
        format!(
            "{:?} {log:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            d.versions, d.chapters, d.staged_chapters, d.collections, d.aliases, d.nodes, d.relationships
        )
    }

    /// The state of a version.
    pub fn state_of(&self, id: &str) -> Option<VersionState> {
        let d = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        d.versions.get(&VersionId::new(id)).map(|(s, _)| s.clone())
    }

    /// The message of a version.
    pub fn message_of(&self, id: &str) -> Option<String> {
        let d = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        d.versions.get(&VersionId::new(id)).and_then(|(_, m)| m.clone())
    }

    /// How much is staged: rows, points, nodes.
    pub fn staged(&self) -> (usize, usize, usize) {
        let d = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        (
            d.staged_chapters.as_ref().map_or(0, Vec::len),
            d.collections.get("textbook_chunks_staging").map_or(0, Vec::len),
            d.nodes.values().filter(|n| n.staging).count(),
        )
    }

    fn change(&self, f: impl FnOnce(&mut Data)) {
        f(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn write_latest_copy(folder: &Path, data: &Data) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    // The fake record store "opens" this file by its length alone.
    std::fs::write(folder.join("metadata.db"), vec![b'x'; 4_096])?;
    let points =
        data.collections.get("textbook_chunks").into_iter().flatten().map(|id| {
            Ok(SnapshotPoint { id: PointId::Num(*id), vector: vec![0.0, 1.0], payload: serde_json::json!({}) })
        });
    let mut snapshot = std::fs::File::create(folder.join("textbook_chunks_latest.snapshot"))?;
    write_embedded_snapshot(&mut snapshot, folder, 2, points)?;
    let file = std::fs::File::create(folder.join("neo4j_latest.cypher"))?;
    let mut export = ExportWriter::new(file, &[], Vec::new()).map_err(std::io::Error::other)?;
    for (id, node) in data.nodes.iter().filter(|(_, n)| !n.staging) {
        let properties = BTreeMap::from([("number".to_owned(), CypherValue::from(i64::from(*id)))]);
        let node = ExportNode { id: i64::from(*id), labels: vec![node.label.to_owned()], properties };
        export.node(&node).map_err(std::io::Error::other)?;
    }
    let staged = |id: &u32| data.nodes.get(id).is_some_and(|n| n.staging);
    for (start, end) in data.relationships.iter().filter(|(a, b)| !staged(a) && !staged(b)) {
        let relationship = ExportRelationship {
            start: i64::from(*start),
            end: i64::from(*end),
            rel_type: "NEXT".to_owned(),
            properties: BTreeMap::new(),
        };
        export.relationship(&relationship).map_err(std::io::Error::other)?;
    }
    export.finish().map_err(std::io::Error::other)?;
    let mut sums = Checksums::default();
    for name in ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"] {
        sums.insert(name, Sha256Digest::of(&std::fs::read(folder.join(name))?));
    }
    std::fs::File::create(folder.join("checksums.txt"))?.write_all(sums.to_string().as_bytes())
}
