//! Ids that a check found wrong, by the way in which they are.

use serde::{Deserialize, Serialize};

/// A way in which an id can offend. Every kind has a list of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OffenderKind {
    /// Check 3: chapters that no point belongs to.
    ChaptersWithoutPoints,
    /// Check 4: chunk ids that only Qdrant has.
    MissingInNeo4j,
    /// Check 4: chunk ids that only Neo4j has.
    MissingInQdrant,
    /// Check 4: chunk ids that several points have.
    DuplicatesInQdrant,
    /// Check 4: chunk ids that several paragraphs have.
    DuplicatesInNeo4j,
    /// Check 4: points without a chunk id, by the point's id.
    PointsWithoutChunkId,
    /// Check 4: paragraphs without a chunk id; they have no name to be told by.
    ParagraphsWithoutChunkId,
    /// Check 5: paragraphs without a parent.
    Orphans,
    /// Check 5: paragraphs that no path from a chapter reaches.
    Unreachable,
    /// Check 6: paragraphs whose chain leaves the version.
    ChainLeaves,
    /// Check 6: paragraphs whose `NEXT` has no `PREV` back.
    NextWithoutPrev,
    /// Check 7: paragraphs whose `cross_references` is neither null nor a JSON array.
    CrossReferences,
}

impl OffenderKind {
    /// All, in the order of the checks.
    pub const ALL: [Self; 12] = [
        Self::ChaptersWithoutPoints,
        Self::MissingInNeo4j,
        Self::MissingInQdrant,
        Self::DuplicatesInQdrant,
        Self::DuplicatesInNeo4j,
        Self::PointsWithoutChunkId,
        Self::ParagraphsWithoutChunkId,
        Self::Orphans,
        Self::Unreachable,
        Self::ChainLeaves,
        Self::NextWithoutPrev,
        Self::CrossReferences,
    ];

    /// The check it belongs to.
    pub fn check(self) -> u8 {
        match self {
            Self::ChaptersWithoutPoints => 3,
            Self::MissingInNeo4j
            | Self::MissingInQdrant
            | Self::DuplicatesInQdrant
            | Self::DuplicatesInNeo4j
            | Self::PointsWithoutChunkId
            | Self::ParagraphsWithoutChunkId => 4,
            Self::Orphans | Self::Unreachable => 5,
            Self::ChainLeaves | Self::NextWithoutPrev => 6,
            Self::CrossReferences => 7,
        }
    }

    /// The word in JSON, URLs and file names: `missing-in-neo4j`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChaptersWithoutPoints => "chapters-without-points",
            Self::MissingInNeo4j => "missing-in-neo4j",
            Self::MissingInQdrant => "missing-in-qdrant",
            Self::DuplicatesInQdrant => "duplicates-in-qdrant",
            Self::DuplicatesInNeo4j => "duplicates-in-neo4j",
            Self::PointsWithoutChunkId => "points-without-chunk-id",
            Self::ParagraphsWithoutChunkId => "paragraphs-without-chunk-id",
            Self::Orphans => "orphans",
            Self::Unreachable => "unreachable",
            Self::ChainLeaves => "chain-leaves",
            Self::NextWithoutPrev => "next-without-prev",
            Self::CrossReferences => "cross-references",
        }
    }

    /// What the page says of a number of them: `12 chunk ids missing in Neo4j`.
    pub fn title(self) -> &'static str {
        match self {
            Self::ChaptersWithoutPoints => "chapters without a point",
            Self::MissingInNeo4j => "chunk ids missing in Neo4j",
            Self::MissingInQdrant => "chunk ids missing in Qdrant",
            Self::DuplicatesInQdrant => "chunk ids more than once in Qdrant",
            Self::DuplicatesInNeo4j => "chunk ids more than once in Neo4j",
            Self::PointsWithoutChunkId => "points without a chunk id",
            Self::ParagraphsWithoutChunkId => "paragraphs without a chunk id",
            Self::Orphans => "paragraphs without a parent",
            Self::Unreachable => "paragraphs not reachable from a chapter",
            Self::ChainLeaves => "paragraphs whose chain leaves the version",
            Self::NextWithoutPrev => "paragraphs whose NEXT has no PREV back",
            Self::CrossReferences => "paragraphs with malformed cross references",
        }
    }

    /// The name of the file with all of them: `check-4-missing-in-neo4j.txt`.
    pub fn file_name(self) -> String {
        format!("check-{}-{}.txt", self.check(), self.as_str())
    }
}

/// The ids that offend in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Offenders {
    /// In which way.
    pub kind: OffenderKind,
    /// How many.
    pub count: u64,
    /// Up to 20 of them, long ones cut, control characters escaped.
    pub samples: Vec<String>,
    /// Why the list of all of them is not whole, if it is not.
    pub list_error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_file_of_its_own_named_like_its_json() {
        let mut names: Vec<String> = OffenderKind::ALL.iter().map(|k| k.file_name()).collect();
        assert!(names.contains(&"check-4-missing-in-neo4j.txt".to_owned()));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), OffenderKind::ALL.len());
        for kind in OffenderKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), serde_json::json!(kind.as_str()));
        }
    }
}
