//! The eight steps of the runbook; step 7 has a lane for each store.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::StoreKind;

/// One step, or one lane of step 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 1: read the row again.
    Identify,
    /// 2: set the state to `rolling_back` and open the log entry.
    Mark,
    /// 3: drop the staging table.
    DropChapters,
    /// 4: delete the staging collection.
    DeletePoints,
    /// 5: delete the staging nodes.
    DeleteNodes,
    /// 6: the whole ladder again on latest-copy.
    VerifyCopy,
    /// 7, SQLite.
    RestoreSqlite,
    /// 7, Qdrant.
    RestoreQdrant,
    /// 7, Neo4j.
    RestoreNeo4j,
    /// 8: set the state to `rolled_back` and close the log.
    Finish,
}

impl Step {
    /// All, in the document's order.
    pub const ALL: [Self; 10] = [
        Self::Identify,
        Self::Mark,
        Self::DropChapters,
        Self::DeletePoints,
        Self::DeleteNodes,
        Self::VerifyCopy,
        Self::RestoreSqlite,
        Self::RestoreQdrant,
        Self::RestoreNeo4j,
        Self::Finish,
    ];

    /// Steps of one stage run at the same time; a stage begins when the one before is through.
    pub const STAGES: [&'static [Self]; 6] = [
        &[Self::Identify],
        &[Self::Mark],
        &[Self::DropChapters, Self::DeletePoints, Self::DeleteNodes],
        &[Self::VerifyCopy],
        &[Self::RestoreSqlite, Self::RestoreQdrant, Self::RestoreNeo4j],
        &[Self::Finish],
    ];

    /// 1 to 8, as in the document.
    pub fn number(self) -> u8 {
        match self {
            Self::Identify => 1,
            Self::Mark => 2,
            Self::DropChapters => 3,
            Self::DeletePoints => 4,
            Self::DeleteNodes => 5,
            Self::VerifyCopy => 6,
            Self::RestoreSqlite | Self::RestoreQdrant | Self::RestoreNeo4j => 7,
            Self::Finish => 8,
        }
    }

    /// The store whose lane this is: the lanes of 3, 4, 5 and of 7. `None` for steps that stand alone.
    pub fn lane(self) -> Option<StoreKind> {
        match self {
            Self::DropChapters | Self::RestoreSqlite => Some(StoreKind::Sqlite),
            Self::DeletePoints | Self::RestoreQdrant => Some(StoreKind::Qdrant),
            Self::DeleteNodes | Self::RestoreNeo4j => Some(StoreKind::Neo4j),
            _ => None,
        }
    }

    /// The word in JSON and in element ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Mark => "mark",
            Self::DropChapters => "drop_chapters",
            Self::DeletePoints => "delete_points",
            Self::DeleteNodes => "delete_nodes",
            Self::VerifyCopy => "verify_copy",
            Self::RestoreSqlite => "restore_sqlite",
            Self::RestoreQdrant => "restore_qdrant",
            Self::RestoreNeo4j => "restore_neo4j",
            Self::Finish => "finish",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// The name on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Identify => "Identify the failed version",
            Self::Mark => "Mark as rolling_back",
            Self::DropChapters => "Drop the SQLite staging table",
            Self::DeletePoints => "Delete the Qdrant staging collection",
            Self::DeleteNodes => "Delete the Neo4j staging nodes",
            Self::VerifyCopy => "Verify latest-copy",
            Self::RestoreSqlite => "Restore SQLite from latest-copy",
            Self::RestoreQdrant => "Restore Qdrant from latest-copy",
            Self::RestoreNeo4j => "Restore Neo4j from latest-copy",
            Self::Finish => "Mark as rolled_back",
        }
    }

    /// What `done` and `total` count.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::DropChapters | Self::RestoreSqlite => Some("rows"),
            Self::DeletePoints | Self::RestoreQdrant => Some("points"),
            Self::DeleteNodes | Self::RestoreNeo4j => Some("nodes"),
            Self::VerifyCopy => Some("bytes"),
            _ => None,
        }
    }

    /// Skipping is offered where another tool may have done the work: 3, 4, 5 and each lane of 7.
    pub fn may_be_skipped(self) -> bool {
        self.lane().is_some()
    }

    /// The document's estimate, in seconds (its longest figure; step 7's stands for all three lanes together).
    pub fn documented_seconds(self) -> u32 {
        match self {
            Self::Identify => 60,
            Self::Mark => 30,
            Self::DropChapters => 10,
            Self::DeletePoints => 120,
            Self::DeleteNodes => 300,
            Self::VerifyCopy => 60,
            Self::RestoreSqlite | Self::RestoreQdrant | Self::RestoreNeo4j => 600,
            Self::Finish => 30,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.number())?;
        match (self.number(), self.lane()) {
            (7, Some(store)) => write!(f, " ({store})"),
            _ => Ok(()),
        }
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    #[default]
    Pending,
    /// At work.
    Running,
    /// Done, and its check proved it.
    Done,
    /// There was nothing left to do: another hand had done it.
    FoundAbsent,
    /// Not done, with a reason.
    Skipped,
    /// Failed; the run asks, or was aborted.
    Failed,
    /// The process ended in the middle: what was done is not known until it is looked at again.
    Interrupted,
}

impl StepState {
    /// Done, found absent or skipped: the next stage may begin.
    pub fn is_through(self) -> bool {
        matches!(self, Self::Done | Self::FoundAbsent | Self::Skipped)
    }
}
