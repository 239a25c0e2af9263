//! Rows of `version_registry` and `operation_log`, from either layout.

use serde::{Deserialize, Serialize};

use crate::{Candidacy, Cursor, Timestamp, VersionId, VersionState};

/// Which of HybridFlow's layouts a deployment has (see "Where staging data lives, in each layout" of its documents).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// The specification's: one staging table, one collection, one label for every version.
    Shared,
    /// The pipeline code's: staging named after each version.
    PerVersion,
    /// A specification database that the pipeline's code has added a column to: read like `Shared`.
    Mixed,
}

impl Layout {
    /// The words on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Shared => "shared staging",
            Self::PerVersion => "per-version staging",
            Self::Mixed => "mixed (shared staging, with the pipeline's column added)",
        }
    }
}

/// One version. What a layout does not have, or what holds garbage, is `None`; garbage is told in `oddities`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionRow {
    /// The id as it stands.
    pub version_id: VersionId,
    /// The state as it stands.
    pub status: VersionState,
    /// What the state and the id say about a rollback.
    pub candidacy: Candidacy,
    /// The state's message; in the per-version layout the latest `error_message` of the operation log.
    pub status_message: Option<String>,
    /// When it was made (`created_at`).
    pub created_at: Option<Timestamp>,
    /// When it last changed (`updated_at`).
    pub updated_at: Option<Timestamp>,
    /// `metadata_snapshot_path` or `sqlite_snapshot`.
    pub sqlite_snapshot: Option<String>,
    /// `qdrant_snapshot_path` or `qdrant_snapshot`.
    pub qdrant_snapshot: Option<String>,
    /// `neo4j_snapshot_path` or `neo4j_snapshot`.
    pub neo4j_snapshot: Option<String>,
    /// `chapter_count` or `chapters_count`.
    pub chapter_count: Option<i64>,
    /// `paragraph_count`; only in the specification's layout.
    pub paragraph_count: Option<i64>,
    /// `validation_passed`; only in the specification's layout.
    pub validation_passed: Option<bool>,
    /// `committed_by`; only in the specification's layout.
    pub committed_by: Option<String>,
    /// `notes` or `description`.
    pub notes: Option<String>,
    /// `commit_hash`; only in the pipeline's layout.
    pub commit_hash: Option<String>,
    /// Values that were not what their column promises, each as a sentence.
    pub oddities: Vec<String>,
}

impl VersionRow {
    /// A row of which no more is known than its id and its state.
    pub fn of(version_id: VersionId, status: VersionState) -> Self {
        Self {
            candidacy: Candidacy::of(&version_id, &status, &[]),
            version_id,
            status,
            status_message: None,
            created_at: None,
            updated_at: None,
            sqlite_snapshot: None,
            qdrant_snapshot: None,
            neo4j_snapshot: None,
            chapter_count: None,
            paragraph_count: None,
            validation_passed: None,
            committed_by: None,
            notes: None,
            commit_hash: None,
            oddities: Vec::new(),
        }
    }
}

/// One entry of `operation_log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationRow {
    /// The log's own number.
    pub id: i64,
    /// The version it speaks of.
    pub version_id: VersionId,
    /// `rollback`, `validate`, `ingest_chapter`, …
    pub operation_type: String,
    /// `in_progress`, `completed`, `failed`, `success`, …
    pub status: String,
    /// `details`, or what the pipeline's columns say in one line.
    pub details: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it ended, where the layout tells.
    pub completed_at: Option<Timestamp>,
}

/// Order of a list of versions. Newest first means by `created_at`, then by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum VersionSort {
    /// Newest first.
    #[default]
    #[serde(rename = "-created_at")]
    CreatedDesc,
    /// Oldest first.
    #[serde(rename = "created_at")]
    CreatedAsc,
    /// By id, A to Z.
    #[serde(rename = "version_id")]
    IdAsc,
    /// By id, Z to A.
    #[serde(rename = "-version_id")]
    IdDesc,
    /// Last changed first.
    #[serde(rename = "-updated_at")]
    UpdatedDesc,
    /// Longest unchanged first.
    #[serde(rename = "updated_at")]
    UpdatedAsc,
    /// By state, A to Z.
    #[serde(rename = "status")]
    StatusAsc,
    /// By state, Z to A.
    #[serde(rename = "-status")]
    StatusDesc,
    /// Most chapters first; those of which no number is known come last, as with every order by a number.
    #[serde(rename = "-chapter_count")]
    ChaptersDesc,
    /// Fewest chapters first.
    #[serde(rename = "chapter_count")]
    ChaptersAsc,
    /// Most paragraphs first.
    #[serde(rename = "-paragraph_count")]
    ParagraphsDesc,
    /// Fewest paragraphs first.
    #[serde(rename = "paragraph_count")]
    ParagraphsAsc,
}

impl VersionSort {
    /// Every order with its word in a URL.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::CreatedDesc, "-created_at"),
        (Self::CreatedAsc, "created_at"),
        (Self::IdAsc, "version_id"),
        (Self::IdDesc, "-version_id"),
        (Self::UpdatedDesc, "-updated_at"),
        (Self::UpdatedAsc, "updated_at"),
        (Self::StatusAsc, "status"),
        (Self::StatusDesc, "-status"),
        (Self::ChaptersDesc, "-chapter_count"),
        (Self::ChaptersAsc, "chapter_count"),
        (Self::ParagraphsDesc, "-paragraph_count"),
        (Self::ParagraphsAsc, "paragraph_count"),
    ];

    /// The greatest comes first.
    pub fn is_descending(self) -> bool {
        self.as_str().starts_with('-')
    }

    /// The word in a URL.
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(s, _)| *s == self).map_or("-created_at", |(_, w)| w)
    }

    /// Reads the word of a URL.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, w)| *w == word).map(|(s, _)| s)
    }
}

/// The versions over time: all of them, or a sample that is spread evenly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionCourse {
    /// Oldest first.
    pub versions: Vec<VersionRow>,
    /// How many there are that have a time.
    pub total: u64,
}

impl VersionCourse {
    /// Versions of a sample, beside those that were asked for by name.
    pub const SAMPLE: u32 = 60;
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionQuery {
    /// Only these states; all when empty.
    #[serde(default)]
    pub status: Vec<VersionState>,
    /// Part of the id, the message or the notes; plain text, no pattern.
    #[serde(default)]
    pub q: Option<String>,
    /// The order.
    #[serde(default)]
    pub sort: VersionSort,
    /// Where the page begins.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// Rows a page, 1 to 200; 50 when absent.
    #[serde(default)]
    pub limit: Option<u32>,
}

impl VersionQuery {
    /// Rows when no limit is given.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most rows of one page.
    pub const MAX_LIMIT: u32 = 200;

    /// The limit in force.
    pub fn effective_limit(&self) -> u32 {
        self.limit.unwrap_or(Self::DEFAULT_LIMIT).clamp(1, Self::MAX_LIMIT)
    }
}
