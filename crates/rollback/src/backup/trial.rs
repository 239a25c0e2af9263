//! The highest rung: one file restored into a scratch place, counted there, and removed again.

use std::path::{Path, PathBuf};

use rollback_types::{Inventory, StoreKind, quantity};

use crate::settings::Settings;
use crate::store::{Fault, OnProgress, StoreError};
use crate::stores::Stores;

/// Where trials happen and what they may use.
#[derive(Clone, Debug)]
pub(crate) struct Trials {
    pub stores: Stores,
    pub settings: Settings,
}

impl Trials {
    /// Restores one file on trial, and returns what was counted in the scratch place.
    ///
    /// # Errors
    /// [`Fault::Full`] before anything is written when there is too little space; else the store's.
    pub(crate) async fn try_file(
        &self,
        store: StoreKind,
        path: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<Inventory, StoreError> {
        let folder = self.settings.scratch_dir();
        let failed = |fault: Fault, detail: String| StoreError {
            store,
            endpoint: path.display().to_string(),
            operation: "a trial restore".to_owned(),
            fault,
            detail,
        };
        let io = |e: std::io::Error| failed(Fault::Unexpected, format!("{}: {e}", folder.display()));
        tokio::fs::create_dir_all(&folder).await.map_err(io)?;
        let bytes = tokio::fs::metadata(path).await.map_err(io)?.len();
        let needed = self.settings.min_free_bytes.max(bytes.saturating_mul(2));
        // An embedded store's scratch collection is in its own file.
        let beside =
            if store == StoreKind::Qdrant { self.stores.vectors.engine().folder().map(Path::to_owned) } else { None };
        for place in std::iter::once(folder.clone()).chain(beside) {
            let (host, asked) = (self.stores.host.clone(), place.clone());
            let space = tokio::task::spawn_blocking(move || host.space(&asked)).await;
            let free = space.map_err(std::io::Error::other).and_then(|space| space).map_err(io)?.free_bytes;
            if free < needed {
                let said = format!(
                    "{} free at {}, {} needed",
                    quantity::bytes(free),
                    place.display(),
                    quantity::bytes(needed)
                );
                return Err(failed(Fault::Full, said));
            }
        }
        match store {
            StoreKind::Sqlite => {
                let scratch = folder.join(format!("trial-{}.db", short(sha256)));
                self.stores.records.trial_restore(path, &scratch).await
            }
            StoreKind::Neo4j => self.stores.scratch.try_export(path, &folder, progress).await,
            StoreKind::Qdrant => self.try_snapshot(path, sha256, progress).await,
        }
    }

    /// Into a scratch collection, which is deleted again whatever happens; one that a crash left behind goes first.
    async fn try_snapshot(&self, path: &Path, sha256: &str, progress: OnProgress) -> Result<Inventory, StoreError> {
        // Another name than this trial's: it is in nobody's way.
        if let Err(error) = self.remove_leftovers().await {
            tracing::warn!(%error, "a scratch collection of an earlier trial stays");
        }
        let vectors = &self.stores.vectors;
        let name = format!("{}{}", self.settings.scratch_prefix(), short(sha256));
        let restored = vectors.restore_snapshot(&name, path, sha256, progress).await;
        let counted = match restored {
            Ok(()) => crate::plan::gather::production_points(&self.stores, name.clone()).await,
            Err(e) => Err(e),
        };
        // The first error is the one worth telling; a leftover goes at the next trial or start.
        let removed = vectors.delete_collection(&name, u64::MAX).await;
        let counted = counted?;
        removed?;
        Ok(counted)
    }

    /// Scratch collections and files that a crash left behind. Only while nothing else is on trial.
    pub(crate) async fn remove_leftovers(&self) -> Result<(), StoreError> {
        let prefix = self.settings.scratch_prefix();
        for name in self.stores.vectors.collections().await? {
            if name.starts_with(&prefix) {
                self.stores.vectors.delete_collection(&name, u64::MAX).await?;
            }
        }
        Ok(())
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

impl Settings {
    /// Where trials put their files.
    pub(crate) fn scratch_dir(&self) -> PathBuf {
        self.evidence_dir.join("scratch")
    }

    /// What scratch collections are called: no other Stepback's (its folder is in the name), and nothing of HybridFlow's.
    pub(crate) fn scratch_prefix(&self) -> String {
        use sha2::Digest as _;
        let place = std::path::absolute(&self.evidence_dir).unwrap_or_else(|_| self.evidence_dir.clone());
        let hash = hex::encode(sha2::Sha256::digest(place.as_os_str().as_encoded_bytes()));
        format!("stepback_scratch_{}_", short(&hash))
    }
}
