//! The kinds of run: one engine, one journal, one page; what differs is the order of steps.

use serde::{Deserialize, Serialize};

use crate::{BackupSource, RunId, Step, VersionId};

/// What kind of run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// The whole line of stages, for a failed version.
    #[default]
    Rollback,
    /// Production from a backup, when no version is staged: 6, 7 and the validation.
    RestoreProduction,
    /// A run's own way back put in again: 6, 7 and the validation.
    UndoRestore,
    /// The validation alone; changes nothing.
    Validate,
    /// A new latest-copy from production.
    MakeBackup,
}

const RESTORE: &[&[Step]] =
    &[&[Step::VerifyCopy], &[Step::RestoreSqlite, Step::RestoreQdrant, Step::RestoreNeo4j], &[Step::Validate]];

impl RunKind {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Rollback, Self::RestoreProduction, Self::UndoRestore, Self::Validate, Self::MakeBackup];

    /// The word in JSON and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::RestoreProduction => "restore_production",
            Self::UndoRestore => "undo_restore",
            Self::Validate => "validate",
            Self::MakeBackup => "make_backup",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == word)
    }

    /// The name on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rollback => "Rollback",
            Self::RestoreProduction => "Restore production",
            Self::UndoRestore => "Undo a restore",
            Self::Validate => "Validate",
            Self::MakeBackup => "Make a backup",
        }
    }

    /// What it does with its subject: "roll back v7…".
    pub fn verb(self) -> &'static str {
        match self {
            Self::Rollback => "roll back",
            Self::RestoreProduction => "restore production from",
            Self::UndoRestore => "undo the restore of",
            Self::Validate => "validate",
            Self::MakeBackup => "make a new",
        }
    }

    /// What it is doing with its subject: "rolling back v7…".
    pub fn doing(self) -> &'static str {
        match self {
            Self::Rollback => "rolling back",
            Self::RestoreProduction => "restoring production from",
            Self::UndoRestore => "undoing the restore of",
            Self::Validate => "validating",
            Self::MakeBackup => "making a new",
        }
    }

    /// Steps of one stage run at the same time; a stage begins when the one before is through.
    pub fn stages(self) -> &'static [&'static [Step]] {
        match self {
            Self::Rollback => &[
                &[Step::Identify],
                &[Step::Mark],
                &[Step::DropChapters, Step::DeletePoints, Step::DeleteNodes],
                &[Step::VerifyCopy],
                &[Step::RestoreSqlite, Step::RestoreQdrant, Step::RestoreNeo4j],
                &[Step::Finish],
                &[Step::Validate],
            ],
            Self::RestoreProduction | Self::UndoRestore => RESTORE,
            Self::Validate => &[&[Step::Validate]],
            Self::MakeBackup => {
                &[&[Step::CopySqlite, Step::CopyQdrant, Step::CopyNeo4j], &[Step::ProveCopy], &[Step::SwapCopy]]
            }
        }
    }

    /// Its steps, in order.
    pub fn steps(self) -> Vec<Step> {
        self.stages().concat()
    }

    /// It removes or replaces something in the stores.
    pub fn changes_stores(self) -> bool {
        matches!(self, Self::Rollback | Self::RestoreProduction | Self::UndoRestore)
    }

    /// A person types the subject's name to start it.
    pub fn needs_typed_name(self) -> bool {
        self.changes_stores()
    }
}

/// The word for production as the subject of a validation.
pub const PRODUCTION: &str = "production";

/// The subject of an undo: `run-12`.
pub fn undo_subject(run: RunId) -> VersionId {
    VersionId::new(format!("run-{run}"))
}

/// The run that an undo's subject names.
pub fn run_of_subject(subject: &str) -> Option<RunId> {
    subject.strip_prefix("run-")?.parse().ok().filter(|run: &RunId| run.0 > 0)
}

/// A subject as people say it: an undo's `run-12` is run #12 everywhere else.
pub fn subject_in_words(kind: RunKind, subject: &VersionId) -> String {
    match run_of_subject(subject.as_str()).filter(|_| kind == RunKind::UndoRestore) {
        Some(run) => format!("run #{run}"),
        None => subject.to_string(),
    }
}

/// The backup that a restore's subject names.
pub fn backup_of_subject(subject: &str) -> BackupSource {
    if subject == BackupSource::LATEST_COPY {
        BackupSource::LatestCopy
    } else {
        BackupSource::Version(VersionId::new(subject))
    }
}
