//! What the overview needs of the registry. It is asked for every few seconds, so it is read again only when the registry's
//! file changed, and at least once a minute.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rollback_types::{VersionId, VersionRow};

use super::RollbackService;
use crate::plan::gather::{candidates, newest_candidates};
use crate::store::{RegistrySchema, StoreError};
use crate::verdict::urgency;

/// Candidates that an overview shows, and one that a run may have in hand.
const SHOWN: usize = 21;
/// Whatever the file's times say.
const OLDEST: Duration = Duration::from_secs(60);
/// A file that was written this shortly before it was read may be written again without another time.
const SETTLED: Duration = Duration::from_secs(2);
/// A look that failed serves those who waited for it, so that they need not wait for a locked file one after another.
const FAILED_AGE: Duration = Duration::from_secs(2);

/// As it was read.
#[derive(Debug)]
pub(super) struct RegistryLook {
    pub schema: Result<RegistrySchema, StoreError>,
    /// All that could be rolled back.
    pub candidates: Result<Vec<VersionId>, StoreError>,
    /// Those that are shown, the most urgent first.
    pub first: Result<Vec<VersionRow>, StoreError>,
}

impl RegistryLook {
    fn is_whole(&self) -> bool {
        self.schema.is_ok() && self.candidates.is_ok() && self.first.is_ok()
    }
}

/// What was read last, and of which state of the file.
#[derive(Debug)]
pub(super) struct Kept {
    look: Arc<RegistryLook>,
    /// `None` where nothing tells whether the registry changed since.
    files: Option<Files>,
    at: Instant,
}

impl Kept {
    /// It still holds, with the files as they are now.
    fn holds(&self, files: Option<&Files>) -> bool {
        if !self.look.is_whole() {
            return self.at.elapsed() < FAILED_AGE;
        }
        files.is_some() && self.files.as_ref() == files && self.at.elapsed() < OLDEST
    }
}

/// What tells that a file is another one, or was written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    inode: u64,
    bytes: u64,
    modified: SystemTime,
    /// Also where somebody set the time of modification back.
    changed: SystemTime,
}

impl Seen {
    fn of(meta: &Metadata) -> Option<Self> {
        let since = Duration::new(u64::try_from(meta.ctime()).ok()?, u32::try_from(meta.ctime_nsec()).ok()?);
        Some(Self {
            inode: meta.ino(),
            bytes: meta.len(),
            modified: meta.modified().ok()?,
            changed: UNIX_EPOCH.checked_add(since)?,
        })
    }

    fn is_settled(&self, now: SystemTime) -> bool {
        [self.modified, self.changed].iter().all(|at| now.duration_since(*at).is_ok_and(|age| age > SETTLED))
    }
}

/// The database and the logs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Files(Vec<Option<Seen>>);

impl Files {
    /// `None` where the registry is no file, or one whose times tell nothing yet.
    async fn settled(database: &Path) -> Option<Self> {
        // The logs stand beside the file itself, not beside a link to it.
        let database = tokio::fs::canonicalize(database).await.ok()?;
        let mut found = Vec::new();
        for suffix in ["", "-wal", "-journal"] {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            let meta = tokio::fs::metadata(PathBuf::from(path)).await.ok();
            found.push(meta.as_ref().and_then(Seen::of));
        }
        found.first()?.as_ref()?;
        let now = SystemTime::now();
        found.iter().flatten().all(|seen| seen.is_settled(now)).then_some(Self(found))
    }
}

impl RollbackService {
    pub(super) async fn registry_look(&self) -> Arc<RegistryLook> {
        let mut kept = self.registry_kept.lock().await;
        // Before it is read: what is written meanwhile makes the next look read again.
        let files = Files::settled(Path::new(&self.stores.records.engine().location)).await;
        if let Some(known) = kept.as_ref().filter(|known| known.holds(files.as_ref())) {
            return known.look.clone();
        }
        let extra = &self.settings.extra_states;
        let (schema, candidates, first) = tokio::join!(
            self.stores.records.schema(),
            candidates(&self.stores, extra),
            newest_candidates(&self.stores, extra),
        );
        let layout = schema.as_ref().ok().map(|s| s.layout);
        let first = first.map(|mut rows| {
            // What needs a person most stands first; within that, newest first.
            rows.sort_by_key(|v| urgency(v, layout));
            rows.truncate(SHOWN);
            rows
        });
        let look = Arc::new(RegistryLook { schema, candidates, first });
        *kept = Some(Kept { look: look.clone(), files, at: Instant::now() });
        look
    }
}
