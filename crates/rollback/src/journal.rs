//! The journal: our own record of runs, in a file of its own, never in the database being rolled back.

use std::fmt;

use async_trait::async_trait;
use rollback_types::{
    BackupCheck, Event, Page, PlanDigest, RunCount, RunId, RunKind, RunQuery, RunState, RunSummary, StepDuration,
    Timestamp, VersionId,
};

/// The journal could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Another run is active: the unique index said so.
    #[error("run #{0} is active")]
    ActiveRun(RunId),
    /// There is no such run.
    #[error("there is no run #{0}")]
    NoSuchRun(RunId),
    /// An event's number was not the next one: two writers, or a lost entry.
    #[error("run #{run}: event {got} does not follow event {last}")]
    Gap {
        /// The run.
        run: RunId,
        /// The last number in the journal.
        last: u64,
        /// The number that was to be written.
        got: u64,
    },
    /// No space left on its disk.
    #[error("the disk of the journal {path} is full")]
    Full {
        /// The file.
        path: String,
    },
    /// Anything else: cannot open, locked, corrupt, of a newer Stepback.
    #[error("the journal {path} cannot be used: {detail}")]
    Unusable {
        /// The file.
        path: String,
        /// What was said.
        detail: String,
    },
    /// A page's cursor is not one of ours.
    #[error("that cursor is not valid")]
    BadCursor,
}

impl JournalError {
    /// What to do about a journal that cannot be used.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Full { .. } => "Free some space on that disk, then try again.",
            _ => {
                "Check that the file and its folder can be written, then restart Stepback. Never delete the journal: move it \
                 aside if it is damaged."
            }
        }
    }
}

/// A run to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// What kind.
    pub kind: RunKind,
    /// Its version.
    pub version_id: VersionId,
    /// The confirmed plan.
    pub plan_digest: PlanDigest,
    /// The whole plan as JSON, for the record.
    pub plan_json: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// Unique over all journals; see `MarkRequest::run_key`.
    pub run_key: String,
    /// When.
    pub at: Timestamp,
}

/// A run as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// What lists show.
    pub summary: RunSummary,
    /// As in [`NewRun`].
    pub run_key: String,
    /// As in [`NewRun`].
    pub plan_json: String,
}

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(middle.checked_sub(1)?).map(|lower| lower.midpoint(upper))
}

/// How long a run took, and what it had planned to do to the stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedRun {
    /// From its beginning to its end.
    pub took_ms: u64,
    /// The plan's `stores`, as JSON: their counts tell how large the run was. Empty where the plan has none.
    pub stores_json: String,
}

/// A file's hash as we know it, and the file it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHash {
    /// The file's path.
    pub path: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Size when hashed.
    pub bytes: u64,
    /// Modification time when hashed, nanoseconds since the epoch.
    pub modified_ns: i64,
    /// Inode when hashed.
    pub inode: u64,
    /// When it was hashed.
    pub hashed_at: Timestamp,
    /// The first hash ever seen of a file that has no recorded one (trust on first use) is kept apart here.
    pub first_sha256: String,
    /// When that was.
    pub first_at: Timestamp,
}

/// Where runs and their events are kept. The engine is its sole writer while a run goes on; the service writes what people
/// add when it is over.
#[async_trait]
pub trait Journal: Send + Sync + fmt::Debug {
    /// Opens a run in state `running`, with no event yet. One active run at a time, by a unique index.
    async fn open_run(&self, run: &NewRun) -> Result<RunSummary, JournalError>;
    /// Appends the event (its number must be the last one plus 1) and sets the run's state, in one transaction,
    /// durable when this returns. A terminal event also sets `ended_at` and the summary; a note after it leaves them.
    async fn append(&self, event: &Event, state: RunState) -> Result<(), JournalError>;
    /// Events after a number, in order; at most `limit`.
    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, JournalError>;
    /// One run.
    async fn run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError>;
    /// The run that has this key; `None` when it is another journal's.
    async fn run_with_key(&self, run_key: &str) -> Result<Option<RunId>, JournalError>;
    /// Runs, newest first.
    async fn runs(&self, query: &RunQuery) -> Result<Page<RunSummary>, JournalError>;
    /// How many runs of each state and kind fit, whatever state and kind the query asks for. `None` where it would have to read
    /// them all: for a search beyond ASCII.
    async fn run_counts(&self, query: &RunQuery) -> Result<Option<Vec<RunCount>>, JournalError>;
    /// The run that is running or waits for a decision.
    async fn active_run(&self) -> Result<Option<RunSummary>, JournalError>;
    /// Median duration of each step over completed runs (steps done or found absent).
    async fn step_durations(&self) -> Result<Vec<StepDuration>, JournalError>;
    /// The latest completed runs of a kind, with or without findings, newest first.
    async fn completed_runs(&self, kind: RunKind, limit: u32) -> Result<Vec<CompletedRun>, JournalError>;
    /// What is known of a file's hash.
    async fn known_hash(&self, path: &str) -> Result<Option<KnownHash>, JournalError>;
    /// Records a hash.
    async fn record_hash(&self, hash: &KnownHash) -> Result<(), JournalError>;
    /// What was remembered under a key: proofs of files, the last time of a search.
    async fn remembered(&self, key: &str) -> Result<Option<String>, JournalError>;
    /// Remembers a JSON text under a key, in the place of what was there.
    async fn remember(&self, key: &str, json: &str) -> Result<(), JournalError>;
    /// The latest looks at a backup, newest first.
    async fn backup_checks(&self, backup: &str, limit: u32) -> Result<Vec<BackupCheck>, JournalError>;
    /// Keeps a look at a backup for the trend.
    async fn record_backup_check(&self, backup: &str, check: &BackupCheck) -> Result<(), JournalError>;
    /// Proves that the journal can be written.
    async fn probe(&self) -> Result<(), JournalError>;
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![7]), Some(7));
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![4, 1, 2, 9]), Some(3));
    }
}
