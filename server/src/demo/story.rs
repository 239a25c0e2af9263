//! What happened to the deployment: versions and their log, without saying how a layout writes them down.

use time::{Duration, OffsetDateTime, UtcOffset};

use super::seeded::Seeded;

/// The zone of the machine that the pipeline runs on: one hour east of Greenwich.
pub(super) const LOCAL_OFFSET_S: i32 = 3_600;

/// One version.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub id: String,
    pub status: &'static str,
    pub created: OffsetDateTime,
    pub updated: OffsetDateTime,
    pub message: Option<String>,
    pub notes: Option<String>,
    /// Its backup is kept; true: with the chapters of the last commit.
    pub kept: Option<bool>,
    /// Chapters and paragraphs, where the row tells them.
    pub counts: Option<(usize, usize)>,
    pub validation_passed: Option<bool>,
    pub committed_by: Option<&'static str>,
    pub commit_hash: Option<String>,
    /// All that may be NULL is.
    pub bare: bool,
    pub operations: Vec<Operation>,
}

/// One entry of the log.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub kind: &'static str,
    pub status: &'static str,
    /// What it says, or the error.
    pub details: Option<String>,
    /// `chapter` or `version`, and which.
    pub entity: (&'static str, String),
    pub at: OffsetDateTime,
    /// Milliseconds; absent: it has not ended, or nobody measured.
    pub took_ms: Option<i64>,
}

/// All versions, oldest first; the last one failed.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub versions: Vec<Version>,
}

/// What a story is told from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub seed: u64,
    /// When the last version began: the afternoon of the chosen day.
    pub end: OffsetDateTime,
    /// Chapters and paragraphs before and after the last commit.
    pub counts: [(usize, usize); 2],
}

impl Plot {
    /// So many days before the end, at an hour of its own.
    pub fn moment(&self, days: i64) -> OffsetDateTime {
        let mut random = Seeded::new(self.seed, "moment", days.unsigned_abs());
        let shift = Duration::seconds(random.below(6 * 3_600) as i64);
        let at = if days == 0 { self.end } else { self.end - Duration::days(days) - shift };
        at.replace_microsecond(random.below(1_000_000) as u32).unwrap_or(at)
    }

    pub fn count(&self, with_new: bool) -> (usize, usize) {
        self.counts[usize::from(with_new)]
    }

    /// Forty digits, as git has them.
    pub fn commit_hash(&self, days: i64) -> String {
        let mut random = Seeded::new(self.seed, "commit", days.unsigned_abs());
        (0..5).map(|_| format!("{:08x}", random.next() >> 32)).collect()
    }
}

impl Version {
    /// A row that has just been written.
    pub fn new(id: String, status: &'static str, created: OffsetDateTime) -> Self {
        Self {
            id,
            status,
            created,
            updated: created,
            message: None,
            notes: None,
            kept: None,
            counts: None,
            validation_passed: None,
            committed_by: None,
            commit_hash: None,
            bare: false,
            operations: Vec::new(),
        }
    }

    /// Adds to the log, `after` seconds from the beginning.
    pub fn log(&mut self, after: i64, kind: &'static str, status: &'static str, details: Option<String>) {
        let at = self.created + Duration::seconds(after);
        let entity = ("version", self.id.clone());
        self.operations.push(Operation { kind, status, details, entity, at, took_ms: Some(900 + after * 7) });
        self.updated = self.updated.max(at);
    }

    /// The last entry has not ended.
    pub fn leave_open(&mut self) {
        if let Some(last) = self.operations.last_mut() {
            last.took_ms = None;
        }
    }
}

/// `20251226_143022`
pub(super) fn stamp(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}_{:02}{:02}{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// `2025-12-26 14:30:22`, UTC.
pub(super) fn spaced_utc(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// `2025-12-26T15:30:22.123456`, local and without a zone.
pub(super) fn iso_local(at: OffsetDateTime) -> String {
    let local = local(at);
    let (date, time) = (local.date(), local.time());
    format!("{date}T{:02}:{:02}:{:02}.{:06}", time.hour(), time.minute(), time.second(), time.microsecond())
}

pub(super) fn local(at: OffsetDateTime) -> OffsetDateTime {
    at.to_offset(UtcOffset::from_whole_seconds(LOCAL_OFFSET_S).unwrap_or(UtcOffset::UTC))
}
