//! The rung *trial restore*: every file of a backup into a scratch place, at the same time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use futures::future::join_all;
use rollback_types::{BackupSource, Inventory, Rung, StoreKind, Timestamp};

use super::super::Examination;
use super::super::proof::TrialProof;
use super::BackupVerifier;
use crate::plan::compare::compare_named;
use crate::store::{Fault, OnProgress, StoreError};

impl BackupVerifier {
    /// The whole ladder, the trial restore included; the three stores at the same time. A file that does not reach
    /// *content* is not tried. Only while no run is active: the caller sees to that.
    pub async fn try_restore(&self, source: &BackupSource, progress: Option<OnProgress>) -> Examination {
        let started = Timestamp::now();
        let before = self.examine(source, false, None).await;
        if !before.health.intact {
            return before;
        }
        let _one_at_a_time = self.reading.lock().await;
        let total: u64 = before.health.files.iter().filter_map(|f| f.bytes).sum();
        let done = Arc::new(AtomicU64::new(0));
        let tries = before.health.files.iter().filter_map(|file| {
            let (store, path, sha256) = (file.store, PathBuf::from(&file.path), file.sha256.clone()?);
            let (done, progress, expected) = (done.clone(), progress.clone(), before.contents.get(store).cloned());
            let seen = AtomicU64::new(0);
            let bytes = file.bytes.unwrap_or(0);
            let tell: OnProgress = Arc::new(move |part, whole| {
                let part = bytes.saturating_mul(part).checked_div(whole).unwrap_or(0).min(bytes);
                let more = part.saturating_sub(seen.fetch_max(part, Ordering::Relaxed));
                let done = done.fetch_add(more, Ordering::Relaxed) + more;
                if let Some(progress) = &progress {
                    progress(done, total);
                }
            });
            Some(self.try_one(store, path, sha256, expected, tell))
        });
        join_all(tries).await;
        drop(_one_at_a_time);
        let mut after = self.examine(source, false, None).await;
        // With a store down it was no trial: what is known of an earlier one stays, with its time.
        let is_new = |r: &rollback_types::RungResult| {
            r.rung == Rung::TrialRestore && r.checked_at.is_some_and(|at| at >= started)
        };
        let tried = after.health.files.iter().all(|file| file.rungs.iter().any(is_new));
        let trials = after.health.files.iter().flat_map(|file| file.rungs.iter().filter(|r| is_new(r)));
        let took_ms = trials.filter_map(|r| r.took_ms).max().unwrap_or(0);
        self.keep_trend(&after.health, took_ms, tried).await;
        after.health.history = self.history(source).await;
        after
    }

    async fn try_one(
        &self,
        store: StoreKind,
        path: PathBuf,
        sha256: String,
        expected: Option<Inventory>,
        progress: OnProgress,
    ) {
        let started = std::time::Instant::now();
        let outcome = match self.trials.try_file(store, &path, &sha256, progress).await {
            Ok(found) => same_as(store, &found, expected.as_ref()),
            Err(e) if self.is_about_the_file(store, &e).await => Err(e.detail),
            // Says nothing about the file: it stays untried.
            Err(e) => {
                tracing::warn!(%store, error = %e, "a trial restore could not be made");
                return;
            }
        };
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let trial = TrialProof { outcome, at: Timestamp::now(), took_ms };
        let proof = {
            let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(proof) = proven.get_mut(&path).filter(|p| p.sha256 == sha256) else { return };
            proof.trial = Some(trial);
            proof.clone()
        };
        self.keep(&path, &proof).await;
    }

    /// A server answers a snapshot that it cannot read with an error of its own: when it is well otherwise, the file was it.
    async fn is_about_the_file(&self, store: StoreKind, error: &StoreError) -> bool {
        match error.fault {
            Fault::Corrupt | Fault::Foreign | Fault::Refused => true,
            Fault::ServerFailed => match store {
                StoreKind::Qdrant => self.trials.stores.vectors.probe().await.is_ok(),
                StoreKind::Sqlite | StoreKind::Neo4j => false,
            },
            _ => false,
        }
    }
}

/// A trial's count beside what the file says it holds.
fn same_as(store: StoreKind, found: &Inventory, expected: Option<&Inventory>) -> Result<String, String> {
    let units = found.rows.or(found.points).or(found.nodes).unwrap_or(0);
    let what = match store {
        StoreKind::Sqlite => "chapters",
        StoreKind::Qdrant => "points",
        StoreKind::Neo4j => "nodes",
    };
    let (differs, evidence) = compare_named(store, ("the scratch place", Some(found)), ("the file", expected));
    match differs {
        Some(true) => Err(format!("restored on trial, it was not what the file says: {evidence}")),
        _ => Ok(format!("{units} {what} restored into a scratch place and counted")),
    }
}
