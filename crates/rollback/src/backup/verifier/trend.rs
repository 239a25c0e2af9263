//! Every look at a backup is kept, so that a page can show how it fared.

use rollback_types::{BackupCheck, BackupFile, BackupHealth, BackupSource};

use super::BackupVerifier;

/// What a run saved or is making is in a folder of the run's own, and on no page with a trend.
pub(super) fn is_lasting(source: &BackupSource) -> bool {
    matches!(source, BackupSource::LatestCopy | BackupSource::Version(_))
}

impl BackupVerifier {
    /// Earlier looks. Without them a page only lacks the trend.
    pub(crate) async fn history(&self, source: &BackupSource) -> Vec<BackupCheck> {
        if !is_lasting(source) {
            return Vec::new();
        }
        let most = u32::try_from(BackupHealth::MOST_LOOKS).unwrap_or(u32::MAX);
        self.journal.backup_checks(&self.trend_key(source), most).await.unwrap_or_default()
    }

    fn trend_key(&self, source: &BackupSource) -> String {
        self.folders.folder(source).display().to_string()
    }

    /// `took_ms`: what was read or tried for this very look, and not for an earlier one.
    pub(super) async fn keep_trend(&self, health: &BackupHealth, took_ms: u64, trial: bool) {
        if !is_lasting(&health.source) {
            return;
        }
        let check = BackupCheck {
            at: health.checked_at,
            intact: health.intact,
            highest: health.files.iter().map(BackupFile::highest_proven).min().flatten(),
            failure: health.files.iter().find_map(|f| {
                f.lowest_failure().map(|r| format!("{}, {}: {}", f.store.title(), r.rung.title(), r.detail))
            }),
            bytes: health.files.iter().filter_map(|f| f.bytes).sum(),
            took_ms,
            trial,
        };
        if let Err(e) = self.journal.record_backup_check(&self.trend_key(&health.source), &check).await {
            tracing::warn!(error = %e, "a look at a backup could not be kept for the trend");
        }
    }
}
