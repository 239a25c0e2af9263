//! Looks at backups, remembers what it proved, and looks again only when a file changed or it is told to.

mod counting;
mod hashes;
mod trend;
mod trials;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use backup_formats::checksums::Checksums;
use futures::future::join_all;
use rollback_types::quantity::{bytes, counted};
use rollback_types::{BackupFile, BackupSource, Rung, StoreKind, Timestamp};

use self::counting::Counter;
use super::content::{self, Expected};
use super::folder::BackupFolders;
use super::ladder::{self, Ladder};
use super::proof::{self, FileContents, FileProof, Identity};
use super::trial::Trials;
use super::{CopyContents, Examination, VerifiedBackup, checksum_file};
use crate::journal::Journal;

pub use crate::store::OnProgress;

/// Below these a file cannot hold what its name says; sizes vary too much between equal backups to ask for more.
fn smallest_bytes(store: StoreKind) -> u64 {
    match store {
        StoreKind::Sqlite => 1_024,
        StoreKind::Qdrant => 1_024,
        StoreKind::Neo4j => 32,
    }
}

/// Proves backups. Shared by the plan, step 6 and the pages.
#[derive(Debug)]
pub struct BackupVerifier {
    folders: BackupFolders,
    trials: Trials,
    journal: Arc<dyn Journal>,
    proven: Mutex<HashMap<PathBuf, FileProof>>,
    /// One reading of the files at a time: two would only slow each other down.
    reading: tokio::sync::Mutex<()>,
}

/// One file, half way up the ladder: what the others hold decides about the rest.
struct Look {
    file: BackupFile,
    ladder: Ladder,
    proof: Option<FileProof>,
    /// Its bytes were read for this look.
    fresh: bool,
    /// Not the file that was proven before, and nothing vouches for it.
    replaced: bool,
    /// It is of a backup that stays where it is: its hash is worth keeping.
    lasting: bool,
    /// It is of latest-copy, which is written anew after each commit.
    renewable: bool,
}

impl BackupVerifier {
    /// Looks into `folders`; SQLite files are opened, and trials made, by the stores; proofs are kept in `journal`.
    pub(crate) fn new(folders: BackupFolders, trials: Trials, journal: Arc<dyn Journal>) -> Self {
        Self { folders, trials, journal, proven: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Where the backups are.
    pub fn folders(&self) -> &BackupFolders {
        &self.folders
    }

    /// Trials of single files, for a restore that wants one of its own.
    pub(crate) fn trials(&self) -> &Trials {
        &self.trials
    }

    /// Looks at a backup. Files that did not change since they were proven are not read again, unless `force`.
    pub async fn examine(&self, source: &BackupSource, force: bool, progress: Option<OnProgress>) -> Examination {
        self.examine_files(source, self.folders.stores_there(source).await, force, progress).await
    }

    async fn examine_files(
        &self,
        source: &BackupSource,
        stores: Vec<StoreKind>,
        force: bool,
        progress: Option<OnProgress>,
    ) -> Examination {
        // What is remembered is told at once, also while step 6 reads.
        let mut known = !force;
        for store in &stores {
            known = known && self.is_known(&self.folders.file(source, *store)).await;
        }
        let _one_at_a_time = if known { None } else { Some(self.reading.lock().await) };
        let sums = {
            let path = self.folders.checksums(source);
            tokio::task::spawn_blocking(move || checksum_file::read(&path)).await.unwrap_or_else(|e| Err(e.to_string()))
        };
        let sums = &sums;
        let counter = Counter::new(progress);
        for store in &stores {
            let size = tokio::fs::metadata(self.folders.file(source, *store)).await.map(|m| m.len()).unwrap_or(0);
            counter.expect(size);
        }
        let looks = stores.iter().map(|store| {
            let path = self.folders.file(source, *store);
            let counter = counter.clone();
            async move { self.examine_file(source, *store, path, sums, force, counter).await }
        });
        let looks = join_all(looks).await;
        let fresh = looks.iter().any(|l| l.fresh);
        let replaced = looks.iter().filter(|l| l.replaced).map(|l| l.file.store).collect();
        let mut contents = CopyContents::default();
        let mut paragraphs = None;
        for look in &looks {
            let held = look.proof.as_ref().filter(|_| !look.ladder.is_broken());
            let Some(held) = held.and_then(|p| p.opened.as_ref().ok()) else { continue };
            let place = match look.file.store {
                StoreKind::Sqlite => &mut contents.sqlite,
                StoreKind::Qdrant => &mut contents.qdrant,
                StoreKind::Neo4j => &mut contents.neo4j,
            };
            *place = Some(held.inventory.clone());
            paragraphs = paragraphs.or_else(|| held.paragraphs.clone());
            contents.snapshot_form = contents.snapshot_form.or(held.snapshot_form);
            contents.vectors = contents.vectors.or_else(|| held.vectors.clone());
        }
        let mut expected = self.expected(source).await;
        expected.staged_nodes =
            looks.iter().filter_map(|l| l.proof.as_ref()?.opened.as_ref().ok()).map(|c| c.staged_nodes).sum();
        let now = Timestamp::now();
        // Files are read side by side: the slowest is the whole.
        let slowest = |anew: bool| {
            let counted = looks.iter().filter(|l| l.fresh || !anew);
            counted.filter_map(|l| Some(l.proof.as_ref()?.took_ms)).max().unwrap_or(0)
        };
        let (took, took_anew) = (slowest(false), slowest(true));
        let files = looks
            .into_iter()
            .map(|Look { mut file, mut ladder, proof, .. }| {
                if !ladder.is_broken() {
                    content::judge(file.store, &contents, paragraphs.as_ref(), &expected).climb(&mut ladder, now);
                }
                if let (false, Some(trial)) = (ladder.is_broken(), proof.and_then(|p| p.trial)) {
                    ladder.trial(&trial.outcome, trial.at, trial.took_ms);
                }
                file.rungs = ladder.finish();
                file
            })
            .collect();
        let folder = self.folders.folder(source).display().to_string();
        let mut health = ladder::health(source.clone(), folder, files, replaced, now, took);
        if fresh {
            self.keep_trend(&health, took_anew, false).await;
        }
        health.history = self.history(source).await;
        Examination { health, contents }
    }

    /// A backup took another's place: what was proven of its files stays proven where they are now.
    pub(crate) async fn carry_proofs(&self, from: &BackupSource, to: &BackupSource) {
        for store in StoreKind::ALL {
            let (was, is) = (self.folders.file(from, store), self.folders.file(to, store));
            let Some(proof) = self.remembered(&was).await else { continue };
            self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(is.clone(), proof.clone());
            self.keep(&is, &proof).await;
            // Stepback's own hand replaced the file: nobody is to be asked who did.
            if let Err(e) = self.know(&is, proof.identity, &proof).await {
                tracing::warn!(error = %e, "the hash of a new backup could not be kept; a person will be asked to trust it");
            }
        }
    }

    /// What the registry says about the version that this is a backup of. It is not asked about what is compared with nothing.
    async fn expected(&self, source: &BackupSource) -> Expected {
        let records = &self.trials.stores.records;
        if let BackupSource::WayBack(_) = source {
            return Expected { chapters: None, layout: None, as_it_was: true, staged_nodes: 0 };
        }
        let layout = records.schema().await.ok().map(|s| s.layout);
        let chapters = match source {
            BackupSource::Version(id) => match records.version(id).await {
                Ok(Some(row)) => row.chapter_count.and_then(|n| u64::try_from(n).ok()),
                _ => None,
            },
            _ => None,
        };
        Expected { chapters, layout, as_it_was: false, staged_nodes: 0 }
    }

    async fn keep(&self, path: &Path, proof: &FileProof) {
        let kept = match serde_json::to_string(proof) {
            Ok(json) => self.journal.remember(&proof_key(path), &json).await,
            Err(e) => return tracing::warn!(error = %e, "a proof could not be kept"),
        };
        if let Err(e) = kept {
            tracing::warn!(error = %e, "a proof could not be kept; the file is read again after a restart");
        }
    }

    /// Reads every file again from end to end. The proof is `None` unless all of it is intact.
    pub async fn verify(
        &self,
        source: &BackupSource,
        progress: Option<OnProgress>,
    ) -> (Examination, Option<VerifiedBackup>) {
        let examination = self.examine(source, true, progress).await;
        let verified = VerifiedBackup::from_examination(&examination);
        (examination, verified)
    }

    /// The same of one file alone: what a lane puts back needs no sibling's file.
    pub(crate) async fn verify_file(
        &self,
        source: &BackupSource,
        store: StoreKind,
    ) -> (Examination, Option<VerifiedBackup>) {
        let examination = self.examine_files(source, vec![store], true, None).await;
        let verified = VerifiedBackup::from_examination(&examination);
        (examination, verified)
    }

    async fn examine_file(
        &self,
        source: &BackupSource,
        store: StoreKind,
        path: PathBuf,
        sums: &Result<Option<Checksums>, String>,
        force: bool,
        counter: Counter,
    ) -> Look {
        let now = Timestamp::now();
        let file = BackupFile {
            store,
            path: path.display().to_string(),
            bytes: None,
            modified_at: None,
            sha256: None,
            rungs: Vec::new(),
        };
        let mut look = Look {
            file,
            ladder: Ladder::new(),
            proof: None,
            fresh: false,
            replaced: false,
            lasting: trend::is_lasting(source),
            renewable: *source == BackupSource::LatestCopy,
        };
        match tokio::fs::metadata(&path).await {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                look.ladder.fail(Rung::Exists, format!("{} is not there", path.display()), now);
            }
            Err(e) => look.ladder.fail(Rung::Exists, format!("{} cannot be read: {e}", path.display()), now),
            Ok(meta) if !meta.is_file() => {
                look.ladder.fail(Rung::Exists, format!("{} is not a file", path.display()), now);
            }
            Ok(meta) => {
                let identity = Identity::of(&meta);
                look.file.bytes = Some(identity.bytes);
                look.file.modified_at = Some(Timestamp::from_unix_ms(identity.modified_ns / 1_000_000));
                let said = match tokio::fs::read_link(&path).await {
                    Ok(target) => format!("it is there, a link to {}", target.display()),
                    Err(_) => "it is there".to_owned(),
                };
                look.ladder.pass(Rung::Exists, said, now);
                if identity.bytes < smallest_bytes(store) {
                    let said = format!("{} is too small for what it should hold", bytes(identity.bytes));
                    look.ladder.fail(Rung::Size, said, now);
                } else {
                    look.ladder.pass(Rung::Size, bytes(identity.bytes), now);
                    self.prove(&mut look, &path, identity, sums, force, counter).await;
                }
            }
        }
        look
    }

    async fn prove(
        &self,
        look: &mut Look,
        path: &Path,
        identity: Identity,
        sums: &Result<Option<Checksums>, String>,
        force: bool,
        counter: Counter,
    ) {
        let now = Timestamp::now();
        let remembered = self.remembered(path).await.filter(|p| !force && p.identity == identity);
        look.fresh = remembered.is_none();
        let proven = match remembered {
            Some(proven) => proven,
            None => match self.read(look.file.store, path, identity, counter).await {
                Ok(proven) => proven,
                Err(e) => {
                    look.ladder.fail(
                        Rung::Sha256,
                        format!("{} could not be read to its end: {e}", path.display()),
                        now,
                    );
                    return;
                }
            },
        };
        look.file.sha256 = Some(proven.sha256.clone());
        self.judge_hash(look, path, identity, &proven, sums).await;
        if !look.ladder.is_broken() {
            match &proven.opened {
                Ok(contents) => look.ladder.pass(Rung::Opens, contents.said.clone(), proven.at),
                Err(why) => look.ladder.fail(Rung::Opens, why.clone(), proven.at),
            }
        }
        look.proof = Some(proven);
    }

    /// Hashes and opens the file, once each.
    async fn read(&self, store: StoreKind, path: &Path, identity: Identity, counter: Counter) -> io::Result<FileProof> {
        let started = std::time::Instant::now();
        let hashed = {
            let (path, on_bytes) = (path.to_owned(), counter.pass());
            tokio::task::spawn_blocking(move || proof::hash(path, on_bytes)).await.map_err(io::Error::other)?
        }?;
        let opened = if store == StoreKind::Sqlite {
            let opened = self.open_sqlite(path).await;
            counter.pass()(identity.bytes);
            opened
        } else {
            let (path, on_bytes) = (path.to_owned(), counter.pass());
            let label = self.trials.settings.names.staging_label.clone();
            tokio::task::spawn_blocking(move || proof::open(store, &path, &label, on_bytes))
                .await
                .map_err(io::Error::other)?
        };
        if Identity::of(&tokio::fs::metadata(path).await?) != identity {
            return Err(io::Error::other("it was replaced or written to while it was being read"));
        }
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // What was restored on trial stays proven as long as the bytes are the same.
        let trial = self.remembered(path).await.filter(|p| p.sha256 == hashed).and_then(|p| p.trial);
        let proven = FileProof { identity, sha256: hashed, opened, at: Timestamp::now(), took_ms, trial };
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), proven.clone());
        self.keep(path, &proven).await;
        Ok(proven)
    }

    async fn open_sqlite(&self, path: &Path) -> Result<FileContents, String> {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        if tokio::fs::metadata(&wal).await.is_ok_and(|m| m.len() > 0) {
            return Err(format!(
                "{} stands beside it: part of the data is in there, where no checksum covers it",
                Path::new(&wal).display()
            ));
        }
        let looked = path.to_owned();
        tokio::task::spawn_blocking(move || proof::must_be_of(StoreKind::Sqlite, &looked))
            .await
            .map_err(|e| e.to_string())??;
        let copy = self.trials.stores.records.inspect_copy(path).await.map_err(|e| e.detail)?;
        if let Some(fault) = copy.faults.first() {
            return Err(format!("SQLite found it damaged: {fault}"));
        }
        let inventory = copy.chapters.ok_or("it has no table chapter_metadata")?;
        let said = format!("integrity_check ok, {}", counted(inventory.rows.unwrap_or(0), "chapters"));
        Ok(FileContents { inventory, said, staged_nodes: 0, paragraphs: None, snapshot_form: None, vectors: None })
    }

    /// Nothing of the file would have to be read.
    async fn is_known(&self, path: &Path) -> bool {
        match tokio::fs::metadata(path).await {
            Ok(meta) => self.remembered(path).await.is_some_and(|p| p.identity == Identity::of(&meta)),
            Err(_) => true,
        }
    }

    /// What this process, or an earlier one, has proven of the file.
    async fn remembered(&self, path: &Path) -> Option<FileProof> {
        let here = self.proven.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if here.is_some() {
            return here;
        }
        // A journal that cannot be read, or holds what another version wrote, only means that the file is read again.
        let json = self.journal.remembered(&proof_key(path)).await.ok().flatten()?;
        let proof: FileProof = serde_json::from_str(&json).ok()?;
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), proof.clone());
        Some(proof)
    }
}

fn proof_key(path: &Path) -> String {
    format!("proof:{}", path.display())
}
