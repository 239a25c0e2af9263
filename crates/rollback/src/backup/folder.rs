//! Where the files of each backup are: `backups/latest-copy` and `backups/{version_id}`.

use std::io;
use std::path::{Path, PathBuf};

use backup_formats::checksums::Checksums;
use rollback_types::{BackupSource, StoreKind, VersionId};

use super::checksum_file;

/// The folder of all backups, the folder of all runs (a run's way back is a backup too), and the name of the base
/// collection that is part of the snapshots' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFolders {
    root: PathBuf,
    collection: String,
    runs: PathBuf,
}

impl BackupFolders {
    /// `root` holds `latest-copy` and a folder for each kept version; `runs` one for each run.
    pub fn new(root: impl Into<PathBuf>, collection: impl Into<String>, runs: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), collection: collection.into(), runs: runs.into() }
    }

    /// The folder of all backups.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of all runs.
    pub fn runs(&self) -> &Path {
        &self.runs
    }

    /// The folder of one run's evidence, by its key.
    pub fn run_folder(&self, key: &str) -> PathBuf {
        self.runs.join(format!("run-{key}"))
    }

    /// The folder of one backup.
    pub fn folder(&self, source: &BackupSource) -> PathBuf {
        match source {
            BackupSource::LatestCopy => self.root.join(BackupSource::LATEST_COPY),
            BackupSource::Version(id) => self.root.join(id.as_str()),
            BackupSource::WayBack(key) => self.run_folder(key).join("way-back"),
            // Hidden, and on the file system of the folder whose place it takes.
            BackupSource::Fresh(key) | BackupSource::FreshSafety(key) => {
                self.root.join(format!(".{}.new-{key}", BackupSource::LATEST_COPY))
            }
        }
    }

    /// The file of one store.
    pub fn file(&self, source: &BackupSource, store: StoreKind) -> PathBuf {
        let latest = match source {
            BackupSource::LatestCopy | BackupSource::Fresh(_) => "_latest",
            BackupSource::Version(_) | BackupSource::WayBack(_) | BackupSource::FreshSafety(_) => "",
        };
        let name = match store {
            StoreKind::Sqlite => "metadata.db".to_owned(),
            StoreKind::Qdrant => format!("{}{latest}.snapshot", self.collection),
            StoreKind::Neo4j => format!("neo4j{latest}.cypher"),
        };
        self.folder(source).join(name)
    }

    /// The stores a backup must have a file of: all three, but of a way back or a safety backup those that its list of
    /// checksums names. Blocks.
    pub fn stores(&self, source: &BackupSource) -> Vec<StoreKind> {
        let partial = match source {
            BackupSource::WayBack(_) | BackupSource::FreshSafety(_) => true,
            BackupSource::Version(id) => id.is_safety_backup(),
            BackupSource::LatestCopy | BackupSource::Fresh(_) => false,
        };
        let listed = if partial { checksum_file::read(&self.checksums(source)).ok().flatten() } else { None };
        let belongs = |store: &StoreKind| {
            let file = self.file(source, *store);
            let named = |sums: &Checksums| file.file_name().is_some_and(|n| sums.get(&n.to_string_lossy()).is_some());
            match &listed {
                Some(sums) => named(sums),
                None => !partial || file.exists(),
            }
        };
        StoreKind::ALL.into_iter().filter(belongs).collect()
    }

    /// The same from an async task. When the look itself breaks all three are asked for: a file too many is missed, never one too few.
    pub(crate) async fn stores_there(&self, source: &BackupSource) -> Vec<StoreKind> {
        let (folders, source) = (self.clone(), source.clone());
        let looked = tokio::task::spawn_blocking(move || folders.stores(&source)).await;
        looked.unwrap_or_else(|_| StoreKind::ALL.to_vec())
    }

    /// Where a way back keeps the name of the collection that its points are of.
    pub fn collection_note(&self, source: &BackupSource) -> PathBuf {
        self.folder(source).join("collection.txt")
    }

    /// The recorded checksums; may be absent.
    pub fn checksums(&self, source: &BackupSource) -> PathBuf {
        self.folder(source).join("checksums.txt")
    }

    /// Every kept version that has a folder of its own, newest name first. Blocks.
    ///
    /// # Errors
    /// The folder's; a folder that does not exist is empty.
    pub fn kept_versions(&self) -> io::Result<Vec<VersionId>> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut versions = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // `….before-run-7` is what a new backup took the place of.
            let hidden =
                name.starts_with('.') || name.starts_with(BackupSource::LATEST_COPY) || name.contains(".before-run-");
            let source = BackupSource::Version(VersionId::new(name.clone()));
            // A backup that lost one of its files is a backup all the same: the ladder says what is missing.
            let of_backup =
                || self.checksums(&source).exists() || StoreKind::ALL.iter().any(|s| self.file(&source, *s).exists());
            if !hidden && of_backup() {
                versions.push(VersionId::new(name));
            }
        }
        versions.sort_by(|a, b| timestamp_part(b).cmp(timestamp_part(a)).then_with(|| b.cmp(a)));
        Ok(versions)
    }
}

/// Ids end in their date and time; the part before it (`v10_minor`) does not sort as a number would.
fn timestamp_part(id: &VersionId) -> &str {
    let text = id.as_str();
    let tail = text.len().checked_sub("20261123_141810".len()).and_then(|at| text.get(at..));
    tail.filter(|t| t.bytes().all(|b| b.is_ascii_digit() || b == b'_')).unwrap_or(text)
}
