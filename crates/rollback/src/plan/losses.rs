//! What production holds by the registry's word: versions that were committed, those that a restore would lose, and how many
//! chapters there should be.

use rollback_types::run_kind::run_of_subject;
use rollback_types::{
    BackupSource, Layout, PlanRequest, StoreKind, Timestamp, VersionId, VersionQuery, VersionRow, VersionState,
};

use super::Planner;
use crate::error::ServiceError;

impl Planner<'_> {
    /// Versions that were committed after this backup was made, newest first.
    pub(super) async fn losses(
        &self,
        request: &PlanRequest,
        source: &BackupSource,
    ) -> Result<Vec<VersionId>, ServiceError> {
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
        let own = match source {
            BackupSource::Version(id) => Some(id),
            _ => None,
        };
        let later = |row: &VersionRow| match (row.created_at, made) {
            (Some(other), Some(made)) => other > made,
            // What cannot be told apart by its time may be lost: better named than not.
            _ => row.status != VersionState::Archived,
        };
        let mut committed = self.committed(true).await?;
        committed.retain(|row| Some(&row.version_id) != own && !row.version_id.is_safety_backup() && later(row));
        Ok(committed.into_iter().map(|row| row.version_id).collect())
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

    /// Versions whose data is in production, or once was, newest first.
    pub(super) async fn committed(&self, archived_too: bool) -> Result<Vec<VersionRow>, ServiceError> {
        let mut status = vec![VersionState::Committed, VersionState::InUse, VersionState::Restored];
        status.extend(archived_too.then_some(VersionState::Archived));
        let mut query = VersionQuery { status, limit: Some(VersionQuery::MAX_LIMIT), ..VersionQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = self.stores.records.versions_read_anew(&query).await?;
            found.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(found),
            }
        }
    }

    /// As the newest committed row says. In the per-version layout a row may count only what its update touched.
    pub(super) async fn chapters_in_production(&self, layout: Layout) -> Option<u64> {
        if layout == Layout::PerVersion {
            return None;
        }
        let status = vec![VersionState::Committed, VersionState::InUse, VersionState::Restored];
        let query = VersionQuery { status, limit: Some(1), ..VersionQuery::default() };
        let newest = self.stores.records.versions_read_anew(&query).await.ok()?;
        u64::try_from(newest.items.first()?.chapter_count?).ok()
    }
}
