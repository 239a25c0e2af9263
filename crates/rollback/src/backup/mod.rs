//! Backups on the ladder of proofs: *exists → plausible size → sha256 → opens*; content and trial restore are not
//! proven by this version and say so.
//!
//! Only this module makes a [`VerifiedBackup`], which is what step 6 has to show for itself.

mod checksum_file;
mod folder;
mod ladder;
mod proof;
mod verifier;

use std::collections::BTreeMap;

use rollback_types::{BackupHealth, BackupSource, Inventory, StoreKind};

pub use folder::BackupFolders;
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

/// A backup whose three files are proven up to *opens*, pinned to their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBackup {
    source: BackupSource,
    hashes: BTreeMap<StoreKind, String>,
    contents: CopyContents,
}

impl VerifiedBackup {
    /// `None` unless every file passed every rung up to *opens*.
    fn from_examination(examination: &Examination) -> Option<Self> {
        examination.health.intact.then(|| Self {
            source: examination.health.source.clone(),
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

    /// What one store's file holds.
    pub fn contents(&self, store: StoreKind) -> Option<&Inventory> {
        self.contents.get(store)
    }
}
