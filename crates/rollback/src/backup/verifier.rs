//! Looks at backups, remembers what it proved, and looks again only when a file changed or it is told to.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use backup_formats::checksums::Checksums;
use futures::future::join_all;
use rollback_types::{BackupFile, BackupSource, Inventory, Rung, StoreKind, Timestamp};

use super::folder::BackupFolders;
use super::ladder::{self, Ladder};
use super::proof::{self, Identity, OnBytes};
use super::{CopyContents, Examination, VerifiedBackup, checksum_file};
use crate::journal::{Journal, KnownHash};
use crate::store::RecordStore;

pub use crate::store::OnProgress;

/// Below these a file cannot hold what its name says; sizes vary too much between equal backups to ask for more.
fn smallest_bytes(store: StoreKind) -> u64 {
    match store {
        StoreKind::Sqlite => 1_024,
        StoreKind::Qdrant => 1_024,
        StoreKind::Neo4j => 32,
    }
}

/// What was proven of one file when it last was read.
#[derive(Clone, Debug)]
struct Proven {
    identity: Identity,
    sha256: String,
    opened: Result<(Inventory, String), String>,
    at: Timestamp,
    /// Hashing and opening together.
    took_ms: u64,
}

/// Proves backups. Shared by the plan, step 6 and the pages.
#[derive(Debug)]
pub struct BackupVerifier {
    folders: BackupFolders,
    records: Arc<dyn RecordStore>,
    journal: Arc<dyn Journal>,
    proven: Mutex<HashMap<PathBuf, Proven>>,
    /// One reading of the files at a time: two would only slow each other down.
    reading: tokio::sync::Mutex<()>,
}

impl BackupVerifier {
    /// Looks into `folders`; SQLite files are opened by `records`, first hashes are kept in `journal`.
    pub fn new(folders: BackupFolders, records: Arc<dyn RecordStore>, journal: Arc<dyn Journal>) -> Self {
        let (proven, reading) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { folders, records, journal, proven, reading }
    }

    /// Where the backups are.
    pub fn folders(&self) -> &BackupFolders {
        &self.folders
    }

    /// Looks at a backup. Files that did not change since they were proven are not read again, unless `force`.
    pub async fn examine(&self, source: &BackupSource, force: bool, progress: Option<OnProgress>) -> Examination {
        // What is remembered is told at once, also while step 6 reads.
        let known = !force && StoreKind::ALL.iter().all(|store| self.is_known(&self.folders.file(source, *store)));
        let _one_at_a_time = if known { None } else { Some(self.reading.lock().await) };
        let sums = {
            let path = self.folders.checksums(source);
            tokio::task::spawn_blocking(move || checksum_file::read(&path)).await.unwrap_or_else(|e| Err(e.to_string()))
        };
        let sums = &sums;
        let counter = Counter::new(progress);
        for store in StoreKind::ALL {
            let bytes = std::fs::metadata(self.folders.file(source, store)).map(|m| m.len()).unwrap_or(0);
            counter.expect(bytes);
        }
        let looks = StoreKind::ALL.map(|store| {
            let path = self.folders.file(source, store);
            let counter = counter.clone();
            async move { self.examine_file(store, path, sums, force, counter).await }
        });
        let mut contents = CopyContents::default();
        let mut files = Vec::new();
        for (file, held) in join_all(looks).await {
            match file.store {
                StoreKind::Sqlite => contents.sqlite = held,
                StoreKind::Qdrant => contents.qdrant = held,
                StoreKind::Neo4j => contents.neo4j = held,
            }
            files.push(file);
        }
        let folder = self.folders.folder(source).display().to_string();
        // Files are read side by side: the slowest is the whole.
        let proven = StoreKind::ALL.iter().filter_map(|store| self.remembered(&self.folders.file(source, *store)));
        let took = proven.map(|p| p.took_ms).max().unwrap_or(0);
        Examination { health: ladder::health(source.clone(), folder, files, Timestamp::now(), took), contents }
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

    async fn examine_file(
        &self,
        store: StoreKind,
        path: PathBuf,
        sums: &Result<Option<Checksums>, String>,
        force: bool,
        counter: Counter,
    ) -> (BackupFile, Option<Inventory>) {
        let now = Timestamp::now();
        let mut ladder = Ladder::new();
        let mut file = BackupFile {
            store,
            path: path.display().to_string(),
            bytes: None,
            modified_at: None,
            sha256: None,
            rungs: Vec::new(),
        };
        let mut held = None;
        match tokio::fs::metadata(&path).await {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                ladder.fail(Rung::Exists, format!("{} is not there", path.display()), now);
            }
            Err(e) => ladder.fail(Rung::Exists, format!("{} cannot be read: {e}", path.display()), now),
            Ok(meta) if !meta.is_file() => {
                ladder.fail(Rung::Exists, format!("{} is not a file", path.display()), now);
            }
            Ok(meta) => {
                let identity = Identity::of(&meta);
                file.bytes = Some(identity.bytes);
                file.modified_at = Some(Timestamp::from_unix_ms(identity.modified_ns / 1_000_000));
                ladder.pass(Rung::Exists, "it is there", now);
                if identity.bytes < smallest_bytes(store) {
                    ladder.fail(
                        Rung::Size,
                        format!("{} bytes is too small for what it should hold", identity.bytes),
                        now,
                    );
                } else {
                    ladder.pass(Rung::Size, format!("{} bytes", identity.bytes), now);
                    held = self.prove(store, &path, identity, sums, force, counter, &mut ladder, &mut file).await;
                }
            }
        }
        file.rungs = ladder.finish();
        (file, held)
    }

    #[expect(clippy::too_many_arguments, reason = "one call, from the function above, which it only shortens")]
    async fn prove(
        &self,
        store: StoreKind,
        path: &Path,
        identity: Identity,
        sums: &Result<Option<Checksums>, String>,
        force: bool,
        counter: Counter,
        ladder: &mut Ladder,
        file: &mut BackupFile,
    ) -> Option<Inventory> {
        let now = Timestamp::now();
        let remembered = self.remembered(path).filter(|p| !force && p.identity == identity);
        let proven = match remembered {
            Some(proven) => proven,
            None => match self.read(store, path, identity, counter).await {
                Ok(proven) => proven,
                Err(e) => {
                    ladder.fail(Rung::Sha256, format!("{} could not be read to its end: {e}", path.display()), now);
                    return None;
                }
            },
        };
        file.sha256 = Some(proven.sha256.clone());
        self.judge_hash(path, identity, &proven, sums, ladder).await;
        if ladder.is_broken() {
            return None;
        }
        match proven.opened {
            Ok((inventory, said)) => {
                ladder.pass(Rung::Opens, said, proven.at);
                Some(inventory)
            }
            Err(why) => {
                ladder.fail(Rung::Opens, why, proven.at);
                None
            }
        }
    }

    /// Hashes and opens the file, once each.
    async fn read(&self, store: StoreKind, path: &Path, identity: Identity, counter: Counter) -> io::Result<Proven> {
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
            tokio::task::spawn_blocking(move || proof::open(store, &path, on_bytes)).await.map_err(io::Error::other)?
        };
        if Identity::of(&tokio::fs::metadata(path).await?) != identity {
            return Err(io::Error::other("it was replaced or written to while it was being read"));
        }
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let proven = Proven { identity, sha256: hashed, opened, at: Timestamp::now(), took_ms };
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), proven.clone());
        Ok(proven)
    }

    async fn open_sqlite(&self, path: &Path) -> Result<(Inventory, String), String> {
        let copy = self.records.inspect_copy(path).await.map_err(|e| e.detail)?;
        if let Some(fault) = copy.faults.first() {
            return Err(format!("SQLite found it damaged: {fault}"));
        }
        let chapters = copy.chapters.ok_or("it has no table chapter_metadata")?;
        let said = format!("integrity_check ok, {} chapters", chapters.rows.unwrap_or(0));
        Ok((chapters, said))
    }

    /// The recorded checksum decides; without one the first hash ever seen does, as long as the file claims to be
    /// the same.
    async fn judge_hash(
        &self,
        path: &Path,
        identity: Identity,
        proven: &Proven,
        sums: &Result<Option<Checksums>, String>,
        ladder: &mut Ladder,
    ) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = proven.at;
        let recorded = match sums {
            Err(why) => return ladder.fail(Rung::Sha256, why.clone(), at),
            Ok(sums) => sums.as_ref().and_then(|s| s.get(&name)).map(|d| d.to_string()),
        };
        match recorded {
            Some(recorded) if recorded == proven.sha256 => ladder.pass(Rung::Sha256, "matches checksums.txt", at),
            Some(recorded) => {
                ladder.fail(Rung::Sha256, format!("checksums.txt says {recorded}, the file has {}", proven.sha256), at)
            }
            None => self.trust_on_first_use(path, identity, proven, ladder).await,
        }
    }

    async fn trust_on_first_use(&self, path: &Path, identity: Identity, proven: &Proven, ladder: &mut Ladder) {
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
    fn is_known(&self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(meta) => self.remembered(path).is_some_and(|p| p.identity == Identity::of(&meta)),
            Err(_) => true,
        }
    }

    fn remembered(&self, path: &Path) -> Option<Proven> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
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
