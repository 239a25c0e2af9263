//! What production holds by the registry's word: versions that were committed, and those that a restore would lose.

use rollback_types::run_kind::run_of_subject;
use rollback_types::{BackupSource, PlanRequest, StoreKind, Timestamp};

use super::Planner;
use crate::error::ServiceError;
use crate::store::{CommittedBy, CommittedQuery, CommittedVersions};

impl Planner<'_> {
    /// Versions that were committed after this backup was made.
    pub(super) async fn losses(
        &self,
        request: &PlanRequest,
        source: &BackupSource,
    ) -> Result<CommittedVersions, ServiceError> {
        let made = match source {
            BackupSource::Version(id) => self.stores.records.version(id).await?.and_then(|row| row.created_at),
            BackupSource::WayBack(_) => match run_of_subject(&request.version_id) {
                Some(run) => self.journal.run(run).await?.map(|record| record.summary.started_at),
                None => None,
            },
            _ => None,
        };
        let made = match made {
            Some(made) => Some(made),
            None => self.written(source).await,
        };
        let except = match source {
            BackupSource::Version(id) => Some(id.clone()),
            _ => None,
        };
        let query = CommittedQuery { since: made, by: CommittedBy::Made, except };
        Ok(self.stores.records.committed_since(&query).await?)
    }

    /// When the newest file of the backup was written.
    async fn written(&self, source: &BackupSource) -> Option<Timestamp> {
        let mut newest = None;
        for store in StoreKind::ALL {
            let path = self.verifier.folders().file(source, store);
            let Ok(modified) = tokio::fs::metadata(path).await.and_then(|meta| meta.modified()) else { continue };
            let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            newest = newest.max(i64::try_from(since.as_millis()).ok());
        }
        newest.map(Timestamp::from_unix_ms)
    }
}
