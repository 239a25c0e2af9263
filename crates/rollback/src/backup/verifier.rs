//! Looks at backups, remembers what it proved, and looks again only when a file changed or it is told to.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use backup_formats::checksums::Checksums;
use futures::future::join_all;
use rollback_types::{BackupCheck, BackupFile, BackupHealth, BackupSource, Inventory, Rung, StoreKind, Timestamp};

use super::content::{self, Expected};
use super::folder::BackupFolders;
use super::ladder::{self, Ladder};
use super::proof::{self, FileContents, FileProof, Identity, OnBytes, TrialProof};
use super::trial::Trials;
use super::{CopyContents, Examination, VerifiedBackup, checksum_file};
use crate::journal::{Journal, KnownHash};
use crate::plan::compare::compare_named;
use crate::store::{Fault, StoreError};

pub use crate::store::OnProgress;

/// Below these a file cannot hold what its name says; sizes vary too much between equal backups to ask for more.
fn smallest_bytes(store: StoreKind) -> u64 {
    match store {
        StoreKind::Sqlite => 1_024,
        StoreKind::Qdrant => 1_024,
        StoreKind::Neo4j => 32,
    }
}

/// Looks kept for the trend.
const HISTORY: u32 = 20;

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
        self.examine_files(source, self.folders.stores(source), force, progress).await
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
            let bytes = std::fs::metadata(self.folders.file(source, *store)).map(|m| m.len()).unwrap_or(0);
            counter.expect(bytes);
        }
        let looks = stores.iter().map(|store| {
            let path = self.folders.file(source, *store);
            let counter = counter.clone();
            async move { self.examine_file(*store, path, sums, force, counter).await }
        });
        let looks = join_all(looks).await;
        let fresh = looks.iter().any(|l| l.fresh);
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
        }
        let mut expected = self.expected(source).await;
        expected.staged_nodes =
            looks.iter().filter_map(|l| l.proof.as_ref()?.opened.as_ref().ok()).map(|c| c.staged_nodes).sum();
        let now = Timestamp::now();
        // Files are read side by side: the slowest is the whole.
        let took = looks.iter().filter_map(|l| Some(l.proof.as_ref()?.took_ms)).max().unwrap_or(0);
        let files = looks
            .into_iter()
            .map(|Look { mut file, mut ladder, proof, .. }| {
                if let (BackupSource::WayBack(_), false) = (source, ladder.is_broken()) {
                    ladder.leave_open(Rung::Content, "what the store held, sound or not: compared with nothing");
                } else if !ladder.is_broken() {
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
        let mut health = ladder::health(source.clone(), folder, files, now, took, Vec::new());
        if fresh {
            self.keep_trend(&health, false).await;
        }
        health.history = self.history(source).await;
        Examination { health, contents }
    }

    /// The whole ladder, the trial restore included; the three stores at the same time. A file that does not reach
    /// *content* is not tried. Only while no run is active: the caller sees to that.
    pub async fn try_restore(&self, source: &BackupSource, progress: Option<OnProgress>) -> Examination {
        let started = Timestamp::now();
        let before = self.examine(source, false, None).await;
        if !before.health.intact {
            return before;
        }
        let _one_at_a_time = self.reading.lock().await;
        let total: u64 = before.health.files.iter().filter_map(|f| f.bytes).sum();
        let done = Arc::new(AtomicU64::new(0));
        let tries = before.health.files.iter().filter_map(|file| {
            let (store, path, sha256) = (file.store, PathBuf::from(&file.path), file.sha256.clone()?);
            let (done, progress, expected) = (done.clone(), progress.clone(), before.contents.get(store).cloned());
            let seen = AtomicU64::new(0);
            let bytes = file.bytes.unwrap_or(0);
            let tell: OnProgress = Arc::new(move |part, whole| {
                let part = bytes.saturating_mul(part).checked_div(whole).unwrap_or(0).min(bytes);
                let more = part.saturating_sub(seen.fetch_max(part, Ordering::Relaxed));
                let done = done.fetch_add(more, Ordering::Relaxed) + more;
                if let Some(progress) = &progress {
                    progress(done, total);
                }
            });
            Some(self.try_one(store, path, sha256, expected, tell))
        });
        join_all(tries).await;
        drop(_one_at_a_time);
        let mut after = self.examine(source, false, None).await;
        // With a store down it was no trial: what is known of an earlier one stays, with its time.
        let is_new = |r: &rollback_types::RungResult| {
            r.rung == Rung::TrialRestore && r.checked_at.is_some_and(|at| at >= started)
        };
        let tried = after.health.files.iter().all(|file| file.rungs.iter().any(is_new));
        self.keep_trend(&after.health, tried).await;
        after.health.history = self.history(source).await;
        after
    }

    async fn try_one(
        &self,
        store: StoreKind,
        path: PathBuf,
        sha256: String,
        expected: Option<Inventory>,
        progress: OnProgress,
    ) {
        let started = std::time::Instant::now();
        let outcome = match self.trials.try_file(store, &path, &sha256, progress).await {
            Ok(found) => same_as(store, &found, expected.as_ref()),
            Err(e) if self.is_about_the_file(store, &e).await => Err(e.detail),
            // Says nothing about the file: it stays untried.
            Err(e) => {
                tracing::warn!(%store, error = %e, "a trial restore could not be made");
                return;
            }
        };
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let trial = TrialProof { outcome, at: Timestamp::now(), took_ms };
        let proof = {
            let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(proof) = proven.get_mut(&path).filter(|p| p.sha256 == sha256) else { return };
            proof.trial = Some(trial);
            proof.clone()
        };
        self.keep(&path, &proof).await;
    }

    /// A server answers a snapshot that it cannot read with an error of its own: when it is well otherwise, the file was it.
    async fn is_about_the_file(&self, store: StoreKind, error: &StoreError) -> bool {
        match error.fault {
            Fault::Corrupt | Fault::Foreign | Fault::Refused => true,
            Fault::ServerFailed => match store {
                StoreKind::Qdrant => self.trials.stores.vectors.probe().await.is_ok(),
                StoreKind::Sqlite | StoreKind::Neo4j => false,
            },
            _ => false,
        }
    }

    /// A backup took another's place: what was proven of its files stays proven where they are now.
    pub(crate) async fn carry_proofs(&self, from: &BackupSource, to: &BackupSource) {
        for store in StoreKind::ALL {
            let (was, is) = (self.folders.file(from, store), self.folders.file(to, store));
            let Some(proof) = self.remembered(&was).await else { continue };
            self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(is.clone(), proof.clone());
            self.keep(&is, &proof).await;
        }
    }

    /// What the registry says about the version that this is a backup of.
    async fn expected(&self, source: &BackupSource) -> Expected {
        let records = &self.trials.stores.records;
        let layout = records.schema().await.ok().map(|s| s.layout);
        let chapters = match source {
            BackupSource::Version(id) => match records.version(id).await {
                Ok(Some(row)) => row.chapter_count.and_then(|n| u64::try_from(n).ok()),
                _ => None,
            },
            BackupSource::LatestCopy
            | BackupSource::WayBack(_)
            | BackupSource::Fresh(_)
            | BackupSource::FreshSafety(_) => None,
        };
        Expected { chapters, layout, as_it_was: matches!(source, BackupSource::WayBack(_)), staged_nodes: 0 }
    }

    /// Without it a page only lacks the trend.
    async fn history(&self, source: &BackupSource) -> Vec<BackupCheck> {
        self.journal.backup_checks(&self.trend_key(source), HISTORY).await.unwrap_or_default()
    }

    fn trend_key(&self, source: &BackupSource) -> String {
        self.folders.folder(source).display().to_string()
    }

    async fn keep_trend(&self, health: &BackupHealth, trial: bool) {
        let check = BackupCheck {
            at: health.checked_at,
            intact: health.intact,
            highest: health.files.iter().map(BackupFile::highest_proven).min().flatten(),
            failure: health.files.iter().find_map(|f| {
                f.lowest_failure().map(|r| format!("{}, {}: {}", f.store.title(), r.rung.title(), r.detail))
            }),
            bytes: health.files.iter().filter_map(|f| f.bytes).sum(),
            took_ms: health.took_ms,
            trial,
        };
        if let Err(e) = self.journal.record_backup_check(&self.trend_key(&health.source), &check).await {
            tracing::warn!(error = %e, "a look at a backup could not be kept for the trend");
        }
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
        let mut look = Look { file, ladder: Ladder::new(), proof: None, fresh: false };
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
                    let said = format!("{} bytes is too small for what it should hold", identity.bytes);
                    look.ladder.fail(Rung::Size, said, now);
                } else {
                    look.ladder.pass(Rung::Size, format!("{} bytes", identity.bytes), now);
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
        self.judge_hash(path, identity, &proven, sums, &mut look.ladder).await;
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
        let copy = self.trials.stores.records.inspect_copy(path).await.map_err(|e| e.detail)?;
        if let Some(fault) = copy.faults.first() {
            return Err(format!("SQLite found it damaged: {fault}"));
        }
        let inventory = copy.chapters.ok_or("it has no table chapter_metadata")?;
        let said = format!("integrity_check ok, {} chapters", inventory.rows.unwrap_or(0));
        Ok(FileContents { inventory, said, staged_nodes: 0, paragraphs: None })
    }

    /// The recorded checksum decides; without one the first hash ever seen does, as long as the file claims to be
    /// the same.
    async fn judge_hash(
        &self,
        path: &Path,
        identity: Identity,
        proven: &FileProof,
        sums: &Result<Option<Checksums>, String>,
        ladder: &mut Ladder,
    ) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = proven.at;
        let sums = match sums {
            Err(why) => return ladder.fail(Rung::Sha256, why.clone(), at),
            Ok(sums) => sums.as_ref(),
        };
        match sums.map(|sums| sums.get(&name).map(|digest| digest.to_string())) {
            Some(Some(recorded)) if recorded == proven.sha256 => {
                ladder.pass(Rung::Sha256, "matches checksums.txt", at);
            }
            Some(Some(recorded)) => {
                ladder.fail(Rung::Sha256, format!("checksums.txt says {recorded}, the file has {}", proven.sha256), at);
            }
            // A list that names other files was made for this folder, and says that something is wrong with one of them.
            Some(None) => {
                ladder.fail(Rung::Sha256, format!("checksums.txt is there, and does not name {name}"), at);
            }
            None => self.trust_on_first_use(path, identity, proven, ladder).await,
        }
    }

    async fn trust_on_first_use(&self, path: &Path, identity: Identity, proven: &FileProof, ladder: &mut Ladder) {
        let key = path.display().to_string();
        let at = proven.at;
        let known = match self.journal.known_hash(&key).await {
            Ok(known) => known,
            Err(e) => return ladder.fail(Rung::Sha256, format!("no recorded checksum, and {e}"), at),
        };
        let same_file = known.as_ref().is_some_and(|k| {
            (k.bytes, k.modified_ns, k.inode) == (identity.bytes, identity.modified_ns, identity.inode)
        });
        match known {
            Some(k) if same_file && k.sha256 != proven.sha256 => ladder.fail(
                Rung::Sha256,
                format!(
                    "no recorded checksum; at {} it had {}, now it has {}, with the same size and time: it rots",
                    k.hashed_at, k.sha256, proven.sha256
                ),
                at,
            ),
            Some(k) if same_file => ladder.pass(
                Rung::Sha256,
                format!("no recorded checksum; the same as when first seen at {}", k.first_at),
                at,
            ),
            known => {
                let hash = KnownHash {
                    path: key,
                    sha256: proven.sha256.clone(),
                    bytes: identity.bytes,
                    modified_ns: identity.modified_ns,
                    inode: identity.inode,
                    hashed_at: at,
                    first_sha256: proven.sha256.clone(),
                    first_at: at,
                };
                let said = if known.is_some() {
                    "no recorded checksum; the file is another than before, its hash was recorded anew"
                } else {
                    "no recorded checksum; its hash was recorded now, trusted on first use"
                };
                match self.journal.record_hash(&hash).await {
                    Ok(()) => ladder.pass(Rung::Sha256, said, at),
                    Err(e) => ladder.fail(Rung::Sha256, format!("no recorded checksum, and {e}"), at),
                }
            }
        }
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

/// A trial's count beside what the file says it holds.
fn same_as(store: StoreKind, found: &Inventory, expected: Option<&Inventory>) -> Result<String, String> {
    let units = found.rows.or(found.points).or(found.nodes).unwrap_or(0);
    let what = match store {
        StoreKind::Sqlite => "chapters",
        StoreKind::Qdrant => "points",
        StoreKind::Neo4j => "nodes",
    };
    let (differs, evidence) = compare_named(store, ("the scratch place", Some(found)), ("the file", expected));
    match differs {
        Some(true) => Err(format!("restored on trial, it was not what the file says: {evidence}")),
        _ => Ok(format!("{units} {what} restored into a scratch place and counted")),
    }
}

/// Adds up the bytes of several files that are read at the same time.
#[derive(Clone)]
struct Counter {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    progress: Option<OnProgress>,
}

impl Counter {
    fn new(progress: Option<OnProgress>) -> Self {
        Self { done: Arc::default(), total: Arc::default(), progress }
    }

    fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// For one pass over one file.
    fn pass(&self) -> OnBytes {
        let counter = self.clone();
        let mut seen = 0;
        Box::new(move |bytes| {
            let more = bytes.saturating_sub(seen);
            seen = bytes;
            let done = counter.done.fetch_add(more, Ordering::Relaxed) + more;
            if let Some(progress) = &counter.progress {
                progress(done / 2, counter.total.load(Ordering::Relaxed));
            }
        })
    }
}
