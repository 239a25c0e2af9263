//! How good a backup is known to be: the ladder of proofs.

use serde::{Deserialize, Serialize};

use crate::{StoreKind, Timestamp, VersionId};

/// Which backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "id")]
pub enum BackupSource {
    /// `backups/latest-copy`.
    LatestCopy,
    /// `backups/{version_id}`.
    Version(VersionId),
    /// What a run saved before it restored, by the run's key: a folder of the run's evidence.
    WayBack(String),
    /// A new latest-copy that is being made, by the key of the run that makes it.
    Fresh(String),
    /// A backup that is being made of a safety backup inside the stores, by the key of the run.
    FreshSafety(String),
}

impl BackupSource {
    /// The name of latest-copy, and of its folder.
    pub const LATEST_COPY: &str = "latest-copy";

    /// The name on the page; for latest-copy and kept versions the folder's.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::LatestCopy => Self::LATEST_COPY.into(),
            Self::Version(id) => id.as_str().into(),
            Self::WayBack(_) => "the way back".into(),
            Self::Fresh(_) => "the new latest-copy".into(),
            Self::FreshSafety(_) => "the new backup".into(),
        }
    }

    /// `v1_baseline…`: a restore from it is disaster recovery.
    pub fn is_baseline(&self) -> bool {
        matches!(self, Self::Version(id) if id.is_baseline())
    }
}

/// A rung of the ladder, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The file is there and can be read.
    Exists,
    /// It is not absurdly small.
    Size,
    /// Its SHA-256 is the recorded one.
    Sha256,
    /// It opens as what it claims to be, to its end.
    Opens,
    /// It holds what the registry says.
    Content,
    /// It was restored into a scratch place.
    TrialRestore,
}

impl Rung {
    /// All, lowest first.
    pub const ALL: [Self; 6] = [Self::Exists, Self::Size, Self::Sha256, Self::Opens, Self::Content, Self::TrialRestore];

    /// The name on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Exists => "Exists",
            Self::Size => "Size",
            Self::Sha256 => "SHA-256",
            Self::Opens => "Opens",
            Self::Content => "Content",
            Self::TrialRestore => "Trial restore",
        }
    }
}

/// How a rung stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RungState {
    /// Proven.
    Passed,
    /// Proven wrong.
    Failed,
    /// Not looked at: a lower rung failed, or this version does not prove it.
    NotProven,
}

/// What is known of one rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RungResult {
    /// Which.
    pub rung: Rung,
    /// How it stands.
    pub state: RungState,
    /// What was seen, in one sentence.
    pub detail: String,
    /// When it was last proven or found wanting.
    pub checked_at: Option<Timestamp>,
    /// The time that took, where it was measured.
    #[serde(default)]
    pub took_ms: Option<u64>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupFile {
    /// Whose data it holds.
    pub store: StoreKind,
    /// Its path as configured.
    pub path: String,
    /// Its size, if it is there.
    pub bytes: Option<u64>,
    /// When it was last written.
    pub modified_at: Option<Timestamp>,
    /// Its SHA-256, once computed; lower-case hex.
    pub sha256: Option<String>,
    /// All six rungs, lowest first.
    pub rungs: Vec<RungResult>,
}

impl BackupFile {
    /// The lowest rung that failed.
    pub fn lowest_failure(&self) -> Option<&RungResult> {
        self.rungs.iter().find(|r| r.state == RungState::Failed)
    }

    /// The highest rung proven with all below it proven.
    pub fn highest_proven(&self) -> Option<Rung> {
        self.rungs.iter().take_while(|r| r.state == RungState::Passed).last().map(|r| r.rung)
    }
}

/// A whole backup on the ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupHealth {
    /// Which backup.
    pub source: BackupSource,
    /// Its folder as configured.
    pub folder: String,
    /// Every file passed exists, size, sha256 and opens.
    pub intact: bool,
    /// One sentence: the verdict.
    pub verdict: String,
    /// What to do, when it is not intact.
    pub remedy: Option<String>,
    /// The three files, in the stores' order.
    pub files: Vec<BackupFile>,
    /// When this was looked at.
    pub checked_at: Timestamp,
    /// The time that reading the slowest of its files took, each when it last was read to its end.
    pub took_ms: u64,
    /// Earlier looks, newest first; at most 20.
    #[serde(default)]
    pub history: Vec<BackupCheck>,
    /// Files that are not the ones proven before, and that nothing vouches for: without a recorded checksum, or with one that was
    /// changed together with them. They fail at *sha256* until a person says that they are to be trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<StoreKind>,
}

impl BackupHealth {
    /// Earlier looks that are remembered at most.
    pub const MOST_LOOKS: usize = 20;

    /// Nothing is wrong with it but that files were replaced: a person's word would mend it.
    pub fn waits_for_a_word(&self) -> bool {
        let failing = self.files.iter().filter(|file| file.lowest_failure().is_some());
        !self.replaced.is_empty() && failing.count() == self.replaced.len()
    }

    /// Which files took others' places, and what they are: their stores and checksums, as one word.
    pub fn replaced_as_seen(&self) -> String {
        let replaced = self.files.iter().filter(|file| self.replaced.contains(&file.store));
        let words: Vec<String> = replaced
            .map(|file| format!("{}={}", file.store.as_str(), file.sha256.as_deref().unwrap_or("unread")))
            .collect();
        words.join(",")
    }
}

/// One look at a backup, for the trend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupCheck {
    /// When.
    pub at: Timestamp,
    /// Every rung that was looked at passed.
    pub intact: bool,
    /// The highest rung that all files had reached.
    pub highest: Option<Rung>,
    /// What was wrong, if anything.
    pub failure: Option<String>,
    /// Bytes of all files.
    pub bytes: u64,
    /// The time that the slowest of the files took that were read, or tried, for this look.
    pub took_ms: u64,
    /// It ended in a trial restore.
    pub trial: bool,
}
