//! The three stores, and how each is doing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Which of the three stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StoreKind {
    Sqlite,
    Qdrant,
    Neo4j,
}

impl StoreKind {
    /// All three, in the document's order.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Qdrant, Self::Neo4j];

    /// The word in URLs and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Qdrant => "qdrant",
            Self::Neo4j => "neo4j",
        }
    }

    /// The name on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Qdrant => "Qdrant",
            Self::Neo4j => "Neo4j",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Does the store answer?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StoreStatus {
    /// Answers, and the login works.
    Up,
    /// Answers, but something is wrong (a missing table, a foreign file); see `detail`.
    Degraded,
    /// Does not answer, or refuses the login.
    Down,
}

/// One store as it was when last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreReport {
    /// Which store.
    pub store: StoreKind,
    /// What answers in its place: `SQLite`, `Qdrant`, `Neo4j`, or `embedded`.
    pub engine: String,
    /// The engine's version, where it tells.
    pub version: Option<String>,
    /// File or address, without any secret.
    pub location: String,
    /// Up, degraded or down.
    pub status: StoreStatus,
    /// What was seen, or what is wrong; one sentence.
    pub detail: String,
    /// What to do about it, when something is wrong.
    pub remedy: Option<String>,
    /// Time the answer took; 0 means less than a millisecond.
    pub latency_ms: Option<u64>,
    /// When it was asked.
    pub checked_at: Timestamp,
}
