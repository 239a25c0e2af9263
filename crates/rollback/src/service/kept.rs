//! How large the backups of the kept versions are.

use std::collections::HashMap;

use rollback_types::{BackupSource, StoreKind, VersionId};

use super::{Answer, RollbackService};
use crate::backup::BackupFolders;

impl RollbackService {
    /// Bytes of every kept version's backup, by version. A look at the folder: it proves nothing.
    ///
    /// # Errors
    /// The backup folder cannot be listed.
    pub async fn kept_sizes(&self) -> Answer<HashMap<VersionId, u64>> {
        let kept = self.backup_sources().await?;
        let folders = self.verifier.folders().clone();
        let sized = move || {
            let versions = kept.into_iter().filter_map(|source| match source {
                BackupSource::Version(id) => Some(id),
                _ => None,
            });
            versions.map(|id| (id.clone(), bytes_of(&folders, id))).collect()
        };
        tokio::task::spawn_blocking(sized).await.map_err(|e| self.backups_unreadable(&e.to_string()))
    }
}

/// A file that is missing has no bytes; that it is missing the page of the backups says.
fn bytes_of(folders: &BackupFolders, id: VersionId) -> u64 {
    let source = BackupSource::Version(id);
    let bytes = |store| std::fs::metadata(folders.file(&source, store)).map_or(0, |file| file.len());
    StoreKind::ALL.into_iter().map(bytes).sum()
}
