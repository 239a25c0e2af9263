//! A deployment of the three fake stores.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rollback_types::{VersionId, VersionState};

use super::approvers::FakeApprovers;
use super::copies::write_latest_copy;
use super::data::{Data, Node, Point};
use super::faults::FaultPlan;
use super::graph::{FakeGraph, FakeScratch};
use super::journal::FakeJournal;
use super::records::FakeRecords;
use super::vectors::FakeVectors;
use crate::backup::BackupFolders;
use crate::settings::Settings;
use crate::store::{Host, Space};
use crate::{RollbackService, Stores};

/// A machine with one large disk, unless told otherwise.
#[derive(Debug)]
struct FakeHost(Arc<Mutex<Disks>>);

/// What is free, by what is mounted where; the first is the root's.
type Disks = Vec<(std::path::PathBuf, u64)>;

impl Host for FakeHost {
    fn space(&self, path: &Path) -> std::io::Result<Space> {
        let disks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mounted = disks.iter().enumerate().filter(|(_, (root, _))| path.starts_with(root));
        let (number, (_, free)) =
            mounted.max_by_key(|(_, (root, _))| root.as_os_str().len()).ok_or(std::io::ErrorKind::NotFound)?;
        Ok(Space { file_system: number as u64, free_bytes: *free })
    }

    fn exchange(&self, a: &Path, b: &Path) -> std::io::Result<()> {
        let aside = b.with_extension("aside");
        std::fs::rename(b, &aside)?;
        std::fs::rename(a, b)?;
        std::fs::rename(aside, a)
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
    /// Who may approve plans.
    pub approvers: Arc<FakeApprovers>,
    disks: Arc<Mutex<Disks>>,
    folder: std::path::PathBuf,
}

impl FakeDeployment {
    /// A deployment in the specification's layout, with its backups in `folder`.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        Self::of(Data::shared(), folder)
    }

    /// One in the layout of the pipeline's code, where [`FAILED_PER_VERSION`](super::FAILED_PER_VERSION) is staged.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn per_version(folder: &Path) -> std::io::Result<Self> {
        Self::of(Data::per_version(), folder)
    }

    fn of(data: Data, folder: &Path) -> std::io::Result<Self> {
        write_latest_copy(&folder.join("latest-copy"), &data)?;
        let faults = Arc::new(FaultPlan::default());
        Ok(Self {
            data: Arc::new(Mutex::new(data)),
            journal: Arc::new(FakeJournal::new(faults.clone())),
            faults,
            approvers: Arc::default(),
            disks: Arc::new(Mutex::new(vec![("".into(), 10_000_000_000)])),
            folder: folder.to_owned(),
        })
    }

    /// The stores, to look at them past any service.
    pub fn stores(&self) -> Stores {
        Stores {
            records: Arc::new(FakeRecords::new(self.data.clone(), self.faults.clone())),
            vectors: Arc::new(FakeVectors::new(self.data.clone(), self.faults.clone())),
            graph: Arc::new(FakeGraph::new(self.data.clone(), self.faults.clone())),
            host: Arc::new(FakeHost(self.disks.clone())),
            scratch: Arc::new(FakeScratch::new(self.faults.clone())),
        }
    }

    /// A service over this deployment, as a process that has just started has it. Nothing waits.
    pub fn service(&self) -> RollbackService {
        self.service_with(|_| {})
    }

    /// The same with some settings changed.
    pub fn service_with(&self, change: impl FnOnce(&mut Settings)) -> RollbackService {
        let mut settings = Settings {
            overview_age: Duration::ZERO,
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
            self.stores(),
            self.journal.clone(),
            BackupFolders::new(&self.folder, "textbook_chunks", self.folder.join("runs")),
            settings,
        )
        .with_approvers(self.approvers.clone())
    }

    /// The folder of the backups.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes free on the only disk.
    pub fn set_free_bytes(&self, bytes: u64) {
        *self.disks.lock().unwrap_or_else(PoisonError::into_inner) = vec![("".into(), bytes)];
    }

    /// Mounts a disk of its own at a folder, with so many bytes free.
    pub fn mount(&self, folder: &Path, bytes: u64) {
        self.disks.lock().unwrap_or_else(PoisonError::into_inner).push((folder.to_owned(), bytes));
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
            let point = Point::new(9_999, Some("bailey:ch1:more".into()), Some(version.to_owned()));
            d.collections.entry("textbook_chunks_staging".into()).or_default().insert(9_999, point);
            let mut node = Node::new(9_999, "Paragraph", "bailey:ch1:more");
            node.labels.push("staging".into());
            d.nodes.insert(9_999, node);
        });
    }

    /// Removes the staging data of one store, as another tool would.
    pub fn remove_staging(&self, store: rollback_types::StoreKind) {
        self.change(|d| match store {
            rollback_types::StoreKind::Sqlite => d.staged_chapters = None,
            rollback_types::StoreKind::Qdrant => drop(d.collections.remove(&d.staging_collection())),
            rollback_types::StoreKind::Neo4j => {
                let selector = d.selector();
                let staged = d.nodes.iter().filter(|(_, n)| n.is_selected(&selector)).map(|(id, _)| *id).collect();
                d.remove_nodes(&staged);
            }
        });
    }

    /// Changes production, as a failed ingestion may.
    pub fn contaminate(&self, store: rollback_types::StoreKind) {
        self.change(|d| match store {
            rollback_types::StoreKind::Sqlite => drop(d.chapters.insert("bailey:ch1".into(), "other".into())),
            rollback_types::StoreKind::Qdrant => {
                let name = d.production_collection();
                let point = Point::new(31, Some("bailey:ch1:foreign".into()), None);
                d.collections.entry(name).or_default().insert(31, point);
            }
            rollback_types::StoreKind::Neo4j => {
                d.nodes.insert(90, Node::new(90, "Paragraph", "bailey:ch2:foreign"));
            }
        });
    }

    /// The vectors are in a server from now on, which reads another form of snapshots.
    pub fn move_vectors_to_a_server(&self) {
        self.change(|d| d.snapshot_form = crate::store::SnapshotForm::Qdrant);
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
            d.collections.get(&d.staging_collection()).map_or(0, |points| points.len()),
            d.nodes.values().filter(|n| n.is_selected(&d.selector())).count(),
        )
    }

    pub(super) fn change(&self, f: impl FnOnce(&mut Data)) {
        f(&mut self.data.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
