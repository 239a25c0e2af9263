//! What the overview needs of the registry. It is asked for every few seconds, so it is read again only when the registry's
//! file changed, and at least once a minute.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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
    files: Files,
    at: Instant,
}

/// Size and time of the database and of the log beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Files(Vec<Option<(u64, SystemTime)>>);

impl Files {
    /// `None` where the registry is no file, or one whose times tell nothing yet.
    async fn settled(database: &Path) -> Option<Self> {
        let mut found = Vec::new();
        for suffix in ["", "-wal", "-journal"] {
            let mut path = database.as_os_str().to_owned();
            path.push(suffix);
            let meta = tokio::fs::metadata(PathBuf::from(path)).await.ok();
            found.push(meta.and_then(|meta| Some((meta.len(), meta.modified().ok()?))));
        }
        found.first()?.as_ref()?;
        let now = SystemTime::now();
        let settled = |(_, at): &(u64, SystemTime)| now.duration_since(*at).is_ok_and(|age| age > SETTLED);
        found.iter().flatten().all(settled).then_some(Self(found))
    }
}

impl RollbackService {
    pub(super) async fn registry_look(&self) -> Arc<RegistryLook> {
        let mut kept = self.registry_kept.lock().await;
        // Before it is read: what is written meanwhile makes the next look read again.
        let files = Files::settled(Path::new(&self.stores.records.engine().location)).await;
        if let (Some(known), Some(files)) = (kept.as_ref(), &files)
            && known.files == *files
            && known.at.elapsed() < OLDEST
        {
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
        *kept = files.filter(|_| look.is_whole()).map(|files| Kept { look: look.clone(), files, at: Instant::now() });
        look
    }
}
