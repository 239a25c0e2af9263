//! What the overview needs of the registry. It is asked for every few seconds, so it is read again only when the registry's
//! file changed, and at least once a minute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollback_types::{RunKind, RunQuery, VersionId, VersionRow, VersionState};

use super::RollbackService;
use crate::journal::JournalError;
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
    /// Those of them that a run of ours left half rolled back, as the registry has it.
    pub unfinished: Result<Vec<VersionId>, JournalError>,
}

impl RegistryLook {
    fn is_whole(&self) -> bool {
        self.schema.is_ok() && self.candidates.is_ok() && self.first.is_ok() && self.unfinished.is_ok()
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
        let unfinished = self.left_unfinished(first.as_deref().unwrap_or_default()).await;
        let left = unfinished.as_deref().unwrap_or_default();
        let first = first.map(|mut rows| {
            // What needs a person most stands first; within that, newest first. What a run began comes to its end before
            // another version is begun with.
            rows.sort_by_key(|v| (!left.contains(&v.version_id), urgency(v, layout)));
            rows.truncate(SHOWN);
            rows
        });
        let look = Arc::new(RegistryLook { schema, candidates, first, unfinished });
        *kept = Some(Kept { look: look.clone(), stamp, at: Instant::now() });
        look
    }
    /// Of those that are rolling back: the ones that the journal knows a rollback of. The others may be in the hands of a person
    /// who follows the document just now.
    async fn left_unfinished(&self, rows: &[VersionRow]) -> Result<Vec<VersionId>, JournalError> {
        let mut left = Vec::new();
        for row in rows.iter().filter(|v| v.status == VersionState::RollingBack).take(SHOWN) {
            let query = RunQuery {
                kind: Some(RunKind::Rollback),
                version_id: Some(row.version_id.to_string()),
                limit: Some(1),
                ..RunQuery::default()
            };
            if self.journal.runs(&query).await?.items.iter().any(|run| run.version_id == row.version_id) {
                left.push(row.version_id.clone());
            }
        }
        Ok(left)
    }
}
