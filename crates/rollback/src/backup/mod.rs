//! Backups on the ladder of proofs: *exists → plausible size → sha256 → opens → content → trial restore*.
//!
//! Only this module makes a [`VerifiedBackup`], which is what step 6 has to show for itself, and what step 7 asks for.

pub(crate) mod checksum_file;
mod content;
mod folder;
mod ladder;
mod proof;
pub mod space;
mod trial;
mod verifier;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rollback_types::{BackupHealth, BackupSource, Inventory, StoreKind};

use crate::store::{SnapshotForm, VectorShape};
pub use folder::{BackupFolders, OldCopy};
pub(crate) use trial::Trials;
pub use verifier::BackupVerifier;

/// What each file of a backup holds, as far as it opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyContents {
    /// Chapters.
    pub sqlite: Option<Inventory>,
    /// Points.
    pub qdrant: Option<Inventory>,
    /// Nodes and relationships.
    pub neo4j: Option<Inventory>,
    /// Who can restore the points, where that is known.
    pub snapshot_form: Option<SnapshotForm>,
    /// What kind of vectors the points have, where that is known.
    pub vectors: Option<VectorShape>,
}

impl CopyContents {
    /// What one store's file holds.
    pub fn get(&self, store: StoreKind) -> Option<&Inventory> {
        match store {
            StoreKind::Sqlite => self.sqlite.as_ref(),
            StoreKind::Qdrant => self.qdrant.as_ref(),
            StoreKind::Neo4j => self.neo4j.as_ref(),
        }
    }
}

/// A look at a backup: how good it is, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The ladder.
    pub health: BackupHealth,
    /// What the files hold, where they open.
    pub contents: CopyContents,
}

impl Examination {
    /// Lower-case hex SHA-256 of each file, where it could be read.
    pub fn hashes(&self) -> BTreeMap<StoreKind, String> {
        self.health.files.iter().filter_map(|f| Some((f.store, f.sha256.clone()?))).collect()
    }
}

/// A backup whose files are proven, none of whose rungs failed, pinned to their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBackup {
    source: BackupSource,
    files: BTreeMap<StoreKind, PathBuf>,
    hashes: BTreeMap<StoreKind, String>,
    contents: CopyContents,
}

/// One file of a [`VerifiedBackup`].
#[derive(Clone, Copy, Debug)]
pub struct VerifiedFile<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// Its SHA-256 when it was proven, lower-case hex.
    pub sha256: &'a str,
    /// What it holds.
    pub contents: &'a Inventory,
}

impl VerifiedBackup {
    /// `None` unless every file passed every rung up to *opens*.
    fn from_examination(examination: &Examination) -> Option<Self> {
        examination.health.intact.then(|| Self {
            source: examination.health.source.clone(),
            files: examination.health.files.iter().map(|f| (f.store, PathBuf::from(&f.path))).collect(),
            hashes: examination.hashes(),
            contents: examination.contents.clone(),
        })
    }

    /// Which backup.
    pub fn source(&self) -> &BackupSource {
        &self.source
    }

    /// Lower-case hex SHA-256 of each file.
    pub fn hashes(&self) -> &BTreeMap<StoreKind, String> {
        &self.hashes
    }

    /// One store's file; `None` when the backup has none (a way back holds only what was restored).
    pub fn file(&self, store: StoreKind) -> Option<VerifiedFile<'_>> {
        Some(VerifiedFile {
            path: self.files.get(&store)?,
            sha256: self.hashes.get(&store)?,
            contents: self.contents.get(store)?,
        })
    }

    /// What one store's file holds.
    pub fn contents(&self, store: StoreKind) -> Option<&Inventory> {
        self.contents.get(store)
    }
}
