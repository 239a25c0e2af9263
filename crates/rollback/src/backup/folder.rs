//! Where the files of each backup are: `backups/latest-copy` and `backups/{version_id}`.

use std::io;
use std::path::{Path, PathBuf};

use backup_formats::checksums::Checksums;
use rollback_types::{BackupSource, StoreKind, Timestamp, VersionId};

use super::checksum_file;
use super::proof::Identity;

/// Between a backup's name and the number of the run that put another one in its place.
const BEFORE_RUN: &str = ".before-run-";

/// What a new backup took the place of. It is kept until a person removes its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldCopy {
    /// The folder's name: `latest-copy.before-run-7`.
    pub name: String,
    /// The backup that it was.
    pub was: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Bytes of its files.
    pub bytes: u64,
    /// When the newest of its files was written.
    pub made_at: Option<Timestamp>,
}

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
            let hidden =
                name.starts_with('.') || name.starts_with(BackupSource::LATEST_COPY) || name.contains(BEFORE_RUN);
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

    /// What new backups took the place of, newest first, with what it takes on the disk. Blocks.
    ///
    /// # Errors
    /// A folder's or a file's; a folder that does not exist is empty.
    pub fn old_copies(&self) -> io::Result<Vec<OldCopy>> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut copies = Vec::new();
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Some((was, _)) = name.split_once(BEFORE_RUN).filter(|_| !name.starts_with('.')) else { continue };
            // A link is somebody's own arrangement.
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let (mut bytes, mut newest) = (0, None);
            for file in std::fs::read_dir(entry.path())? {
                let meta = file?.metadata()?;
                if meta.is_file() {
                    bytes += meta.len();
                    newest = newest.max(Some(Identity::of(&meta).modified_ns));
                }
            }
            let made_at = newest.map(|ns| Timestamp::from_unix_ms(ns / 1_000_000));
            copies.push(OldCopy { was: was.to_owned(), folder: entry.path(), bytes, made_at, name });
        }
        copies.sort_by(|a, b| b.made_at.cmp(&a.made_at).then_with(|| b.name.cmp(&a.name)));
        Ok(copies)
    }
}

/// Ids end in their date and time; the part before it (`v10_minor`) does not sort as a number would.
fn timestamp_part(id: &VersionId) -> &str {
    let text = id.as_str();
    let tail = text.len().checked_sub("20261123_141810".len()).and_then(|at| text.get(at..));
    tail.filter(|t| t.bytes().all(|b| b.is_ascii_digit() || b == b'_')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_is_listed_with_its_size_and_is_no_backup() {
        let dir = tempfile::tempdir().unwrap();
        let folders = BackupFolders::new(dir.path().join("backups"), "chunks", dir.path().join("runs"));
        assert_eq!(folders.old_copies().unwrap(), []);
        for (name, size) in [
            ("latest-copy", 9),
            ("latest-copy.before-run-3", 20),
            ("latest-copy.before-run-3-2", 0),
            ("latest_copy20261122_231459.before-run-4", 5),
            (".latest-copy.before-run-5", 1),
            ("v1_baseline", 7),
        ] {
            let folder = folders.root().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            if size > 0 {
                std::fs::write(folder.join("metadata.db"), vec![0; size]).unwrap();
                std::fs::write(folder.join("checksums.txt"), "12").unwrap();
            }
        }
        std::fs::write(folders.root().join("notes.before-run-6"), "no folder").unwrap();
        let found = folders.old_copies().unwrap();
        let mut told: Vec<_> = found.iter().map(|c| (c.name.as_str(), c.was.as_str(), c.bytes)).collect();
        assert_eq!((told[2].0, found[2].made_at), ("latest-copy.before-run-3-2", None), "without a file it comes last");
        assert!(found[0].made_at.is_some() && found[0].folder.join("metadata.db").exists());
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("latest-copy.before-run-3", "latest-copy", 22),
                ("latest-copy.before-run-3-2", "latest-copy", 0),
                ("latest_copy20261122_231459.before-run-4", "latest_copy20261122_231459", 7),
            ]
        );
        assert_eq!(folders.kept_versions().unwrap(), [VersionId::new("v1_baseline")]);
    }
}
