//! Why a demo could not be written.

use std::io;
use std::path::PathBuf;

use backup_formats::cypher_export::ExportWriteError;
use rollback::store::StoreError;
use rollback_stores::qdrant::QdrantConfigError;

/// The demo was not written. What was begun lies in `DIR.partial` and goes with the next try.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Something else is there.
    #[error("{} is not empty and no demo of Stepback's; nothing was written", .0.display())]
    Occupied(PathBuf),
    /// A demo is there.
    #[error("{} holds a demo already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// No such day.
    #[error("{0:?} is no day; allowed: YYYY-MM-DD, from 1971 on; nothing was written")]
    Day(String),
    /// The path cannot be a folder's.
    #[error("{} cannot be a demo's folder; nothing was written", .0.display())]
    NoName(PathBuf),
    /// A Neo4j without a password.
    #[error("--neo4j-uri needs a password; nothing was written")]
    NoPassword,
    /// Qdrant's address.
    #[error("{0}; nothing was written")]
    Qdrant(#[from] QdrantConfigError),
    /// A file or folder.
    #[error("{what} failed: {source}")]
    File {
        /// What was tried.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// `metadata.db`.
    #[error("writing {} failed: {source}", .path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        source: sqlx::Error,
    },
    /// The export of the graph.
    #[error(transparent)]
    Export(#[from] ExportWriteError),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A worker thread ended too early.
    #[error("a worker of the demo ended early: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

impl DemoError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Occupied(_) | Self::NoName(_) => "Name another folder: one that is empty or not there.".to_owned(),
            Self::Exists(_) => {
                "Use it as it is (stepback serve --config DIR/stepback.toml), or add --force to replace it.".to_owned()
            }
            Self::Day(_) => "Give a day such as 2026-11-20, or leave --day out.".to_owned(),
            Self::NoPassword => "Set STEPBACK_NEO4J_PASSWORD (or --neo4j-password).".to_owned(),
            Self::Qdrant(_) => "Correct --qdrant-url or the key.".to_owned(),
            Self::File { .. } | Self::Metadata { .. } | Self::Export(_) => {
                "Check the folder's rights and the free space (real size needs about 2 GB), then run the command again."
                    .to_owned()
            }
            Self::Store(error) => format!(
                "{} What was written into a server stays there (snapshots travel over its REST address, --qdrant-rest-url): give the demo an empty Neo4j database, and a Qdrant \
                 without textbook_chunks collections.",
                error.remedy()
            ),
            Self::Worker(_) => "Run the command again; if it happens twice, it is a bug worth a report.".to_owned(),
        }
    }
}

/// Turns a system's error into one that says what was tried.
pub(super) fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> DemoError {
    let what = what.into();
    move |source| DemoError::File { what, source }
}
