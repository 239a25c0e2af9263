//! The eight steps of the runbook (step 7 has a lane for each store), the validation after them, and the steps that make
//! a backup. Which of them a run takes, and in what order, is its kind's to say: `RunKind::stages`.

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
    /// After all of it: the seven checks and the search, which change nothing.
    Validate,
    /// Making a backup, 1: SQLite.
    CopySqlite,
    /// Making a backup, 1: Qdrant.
    CopyQdrant,
    /// Making a backup, 1: Neo4j.
    CopyNeo4j,
    /// Making a backup, 2: the whole ladder on the new copy.
    ProveCopy,
    /// Making a backup, 3: the new copy takes the old one's place.
    SwapCopy,
}

impl Step {
    /// All, in the document's order; no kind of run takes all of them.
    pub const ALL: [Self; 16] = [
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
        Self::Validate,
        Self::CopySqlite,
        Self::CopyQdrant,
        Self::CopyNeo4j,
        Self::ProveCopy,
        Self::SwapCopy,
    ];

    /// 1 to 8, as in the document; the validation is 9. A backup's steps are numbered from 1.
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
            Self::Validate => 9,
            Self::CopySqlite | Self::CopyQdrant | Self::CopyNeo4j => 1,
            Self::ProveCopy => 2,
            Self::SwapCopy => 3,
        }
    }

    /// The store whose lane this is: the lanes of 3, 4, 5, of 7, and of a backup's 1. `None` for steps that stand alone.
    pub fn lane(self) -> Option<StoreKind> {
        match self {
            Self::DropChapters | Self::RestoreSqlite | Self::CopySqlite => Some(StoreKind::Sqlite),
            Self::DeletePoints | Self::RestoreQdrant | Self::CopyQdrant => Some(StoreKind::Qdrant),
            Self::DeleteNodes | Self::RestoreNeo4j | Self::CopyNeo4j => Some(StoreKind::Neo4j),
            _ => None,
        }
    }

    /// A step whose result lives in the process, or in a folder that may be gone: a resumed run does it again.
    pub fn may_be_done_again(self) -> bool {
        matches!(self, Self::VerifyCopy | Self::ProveCopy | Self::CopySqlite | Self::CopyQdrant | Self::CopyNeo4j)
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
            Self::Validate => "validate",
            Self::CopySqlite => "copy_sqlite",
            Self::CopyQdrant => "copy_qdrant",
            Self::CopyNeo4j => "copy_neo4j",
            Self::ProveCopy => "prove_copy",
            Self::SwapCopy => "swap_copy",
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
            Self::VerifyCopy => "Verify the copy",
            Self::RestoreSqlite => "Restore SQLite from the copy",
            Self::RestoreQdrant => "Restore Qdrant from the copy",
            Self::RestoreNeo4j => "Restore Neo4j from the copy",
            Self::Finish => "Mark as rolled_back",
            Self::Validate => "Validate",
            Self::CopySqlite => "Copy SQLite",
            Self::CopyQdrant => "Copy Qdrant",
            Self::CopyNeo4j => "Copy Neo4j",
            Self::ProveCopy => "Prove the new copy",
            Self::SwapCopy => "Swap the new copy in",
        }
    }

    /// Number and name, for tables. The validation comes after the numbered steps, and is none of them.
    pub fn numbered_title(self) -> String {
        match self {
            Self::Validate => self.title().to_owned(),
            _ => format!("{} {}", self.number(), self.title()),
        }
    }

    /// It changes nothing that has to be looked for: after an interruption it begins anew.
    pub fn begins_anew(self) -> bool {
        self == Self::Validate || self.may_be_done_again()
    }

    /// What `done` and `total` count.
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Self::DropChapters => Some("rows"),
            Self::DeletePoints => Some("points"),
            Self::DeleteNodes => Some("nodes"),
            Self::VerifyCopy
            | Self::ProveCopy
            | Self::RestoreSqlite
            | Self::RestoreQdrant
            | Self::CopySqlite
            | Self::CopyQdrant => Some("bytes"),
            Self::RestoreNeo4j | Self::CopyNeo4j => Some("nodes and relationships"),
            Self::Validate => Some("checks"),
            Self::Identify | Self::Mark | Self::Finish | Self::SwapCopy => None,
        }
    }

    /// A lane of step 7.
    pub fn is_restore(self) -> bool {
        matches!(self, Self::RestoreSqlite | Self::RestoreQdrant | Self::RestoreNeo4j)
    }

    /// Skipping is offered where another tool may have done the work (3, 4, 5 and each lane of 7), and for the validation.
    pub fn may_be_skipped(self) -> bool {
        self.is_restore()
            || matches!(self, Self::DropChapters | Self::DeletePoints | Self::DeleteNodes | Self::Validate)
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
            Self::Validate => 900,
            Self::CopySqlite | Self::CopyQdrant | Self::CopyNeo4j | Self::ProveCopy => 60,
            Self::SwapCopy => 1,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::Validate {
            return f.write_str("the validation");
        }
        write!(f, "step {}", self.number())?;
        match self.lane() {
            Some(store) if matches!(self.number(), 1 | 7) => write!(f, " ({store})"),
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
