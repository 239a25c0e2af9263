//! What the overview needs of the registry. It is asked for every few seconds, so it is read again only when the registry's
//! file changed, and at least once a minute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollback_types::{VersionId, VersionRow};

use super::RollbackService;
use crate::plan::gather::{candidates, newest_candidates};
use crate::store::{RegistrySchema, RegistryStamp, StoreError};
use crate::verdict::urgency;

/// Candidates that an overview shows, and one that a run may have in hand.
const SHOWN: usize = 21;
/// Whatever the file's stamp says.
const OLDEST: Duration = Duration::from_secs(60);
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
    stamp: Option<RegistryStamp>,
    at: Instant,
}

impl Kept {
    /// It still holds, with the registry as it is now.
    fn holds(&self, stamp: Option<&RegistryStamp>) -> bool {
        if !self.look.is_whole() {
            return self.at.elapsed() < FAILED_AGE;
        }
        stamp.is_some() && self.stamp.as_ref() == stamp && self.at.elapsed() < OLDEST
    }
}

impl RollbackService {
    pub(super) async fn registry_look(&self) -> Arc<RegistryLook> {
        let mut kept = self.registry_kept.lock().await;
        // Before it is read: what is written meanwhile makes the next look read again.
        let stamp = self.stores.records.stamp().await;
        if let Some(known) = kept.as_ref().filter(|known| known.holds(stamp.as_ref())) {
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
        *kept = Some(Kept { look: look.clone(), stamp, at: Instant::now() });
        look
    }
}
