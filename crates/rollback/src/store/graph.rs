//! The graph: Neo4j, or embedded.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;
use futures::stream::BoxStream;
use rollback_types::{Inventory, StagingCounts};

use super::{CopyTaken, Engine, OnProgress, Probe, StoreError};

/// How staging nodes are told from the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StagingSelector {
    /// By a label: `:staging`.
    Label(String),
    /// By the end of `id`, `chunk_id` or `paragraph_id`: `::{version_id}`.
    IdSuffix(String),
}

impl fmt::Display for StagingSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, ":{label}"),
            Self::IdSuffix(suffix) => write!(f, "id ends with {suffix}"),
        }
    }
}

/// The graph: Neo4j, or embedded.
#[async_trait]
pub trait GraphStore: Send + Sync + fmt::Debug {
    /// What answers.
    fn engine(&self) -> Engine;
    /// How it is; tests the login too.
    async fn probe(&self) -> Result<Probe, StoreError>;
    /// Staging nodes, all relationships that touch one, and those among them whose other end is no staging node.
    async fn staging(&self, selector: &StagingSelector) -> Result<StagingCounts, StoreError>;
    /// Nodes and relationships outside all the selectors: in all, per label, per type. Labels that begin with
    /// `latest_copy` are left out (the pipeline's safety backup marks live nodes with them).
    async fn production(&self, staging: &[StagingSelector]) -> Result<Inventory, StoreError>;
    /// Deletes at most `limit` staging nodes with their relationships, in one transaction; returns how many went,
    /// 0 when none is left.
    async fn delete_batch(&self, selector: &StagingSelector, limit: u32) -> Result<u64, StoreError>;

    /// Everything that is there, staging included, as a cypher-shell export (the form of APOC's, by our own writer), streamed. `to`
    /// must not exist. Progress is in nodes and relationships.
    async fn export(&self, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError>;
    /// Empties the graph in batches, drops its constraints and indexes, makes those of the file, and imports its rows as parameters in
    /// merged batches. Nothing of the import may be left behind: neither label, property nor constraint. Can be repeated
    /// from the start after any error. Returns what is there afterwards, counted. Progress is in nodes and relationships.
    async fn restore_export(&self, from: &Path, progress: OnProgress) -> Result<Inventory, StoreError>;
    /// Constraints and indexes as the engine tells them, each as one line that compares; sorted.
    async fn schema_lines(&self) -> Result<Vec<String>, StoreError>;
    /// The chunk ids of all paragraphs in scope, in no order; a paragraph without one is told as `(no chunk_id)`.
    fn paragraphs(&self, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>>;
    /// The ids (chunk id, else id) of what fails the check, in no order.
    fn offenders(&self, check: GraphCheck, scope: &GraphScope) -> BoxStream<'_, Result<String, StoreError>>;
}

/// Which nodes a look is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphScope {
    /// All but those that these select.
    Production(Vec<StagingSelector>),
    /// Just those that this selects.
    Staging(StagingSelector),
}

/// Checks 5 to 7 of the validation checklist, as far as the graph alone can answer them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphCheck {
    /// 5: paragraphs without an incoming `HAS_PARAGRAPH`, `HAS_SUBSUBSECTION`, `HAS_SUBSECTION` or `HAS_SECTION`.
    Orphans,
    /// 5: paragraphs that no path of these and `CONTAINS` relationships reaches from a chapter.
    Unreachable,
    /// 6: paragraphs with a `NEXT` or `PREV` to a node outside the scope.
    ChainLeaves,
    /// 6: paragraphs whose `NEXT` has no `PREV` back.
    NextWithoutPrev,
    /// 7: paragraphs whose `cross_references` is neither null nor a list nor a JSON array as text.
    CrossReferences,
}
