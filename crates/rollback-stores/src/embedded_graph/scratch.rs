//! Trying out an export in a graph of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use backup_formats::cypher_export::ExportForm;
use rollback::store::{GraphStore, OnProgress, ScratchGraph, StoreError};
use rollback_types::Inventory;

use super::EmbeddedGraph;

/// Makes embedded graphs that live for one trial.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScratchGraphs;

#[async_trait]
impl ScratchGraph for ScratchGraphs {
    async fn try_export(&self, export: &Path, folder: &Path, progress: OnProgress) -> Result<Inventory, StoreError> {
        let files = ScratchFiles::in_folder(folder);
        let graph = EmbeddedGraph::open_or_create(&files.database).await?;
        let tried = async {
            // Nothing is there that a file without a schema statement could leave in its place.
            graph.load_export(export, ExportForm::CypherShell, &|_| {}, progress).await?;
            graph.production(&[]).await
        };
        let tried = tried.await;
        graph.close().await;
        tried
    }
}

/// Removes the graph's files when it goes, also when the trial is given up in the middle.
struct ScratchFiles {
    database: PathBuf,
}

impl ScratchFiles {
    fn in_folder(folder: &Path) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { database: folder.join(format!("trial-graph-{}-{now}-{number}.db", std::process::id())) }
    }
}

impl Drop for ScratchFiles {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.database.clone().into_os_string();
            path.push(suffix);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), error = %e, "a trial's file could not be removed; remove it by hand");
                }
                _ => {}
            }
        }
    }
}
