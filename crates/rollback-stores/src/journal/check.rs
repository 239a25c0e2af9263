//! Walking the hash chain: is every entry there, unchanged and in its place?

use std::collections::BTreeMap;
use std::fmt;

use futures::TryStreamExt as _;
use rollback::journal::JournalError;
use rollback_types::{Event, EventKind, RunState};
use serde::Serialize;
use sqlx::Row as _;

use super::chain::{Content, Head, beginning};
use super::open::by_error;
use super::reader::{JournalReader, Stored};

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Its content is not what was written.
    Changed,
    /// It was written and is not there.
    Missing,
    /// It does not follow the one before it.
    OutOfOrder,
    /// It is in the journal and was never written by Stepback.
    Added,
    /// The file itself is damaged.
    Damaged,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainFault {
    /// What kind.
    pub kind: FaultKind,
    /// Where in the chain, if it has a place there.
    pub sequence: Option<i64>,
    /// The run it is of.
    pub run_id: Option<i64>,
    /// The event; 0 is the run's opening.
    pub number: Option<i64>,
    /// In words.
    pub message: String,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// How a journal was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainReport {
    /// Every entry is there, unchanged and in its place.
    pub sound: bool,
    /// Entries that were proven, from the first.
    pub entries: i64,
    /// Of these the openings of runs.
    pub runs: i64,
    /// Entries that are older than the chain: a change before it began cannot be told.
    pub older_entries: i64,
    /// The last proven entry.
    pub head: Option<Head>,
    /// The first thing that is wrong.
    pub fault: Option<ChainFault>,
}

/// How far a run's story has come in the chain.
#[derive(Debug, Default)]
struct Tail {
    number: i64,
    state: Option<String>,
    ended_at: Option<i64>,
    summary: Option<String>,
}

impl Tail {
    /// What an event does to the columns of its run that change.
    fn take_in(&mut self, number: i64, state: Option<String>, at: i64, body: &str) {
        let kind = serde_json::from_str::<Event>(body).map_or(EventKind::Unknown, |event| event.kind);
        let active = state.as_deref().and_then(RunState::parse).is_none_or(RunState::is_active);
        match kind {
            EventKind::RunEnded { summary, .. }
            | EventKind::RunAbandoned { summary, .. }
            | EventKind::RunInterrupted { message: summary, .. } => {
                (self.ended_at, self.summary) = (Some(at), Some(summary));
            }
            _ if active => (self.ended_at, self.summary) = (None, None),
            _ => {}
        }
        (self.number, self.state) = (number, state);
    }
}

/// Why a walk ended early.
enum Stop {
    Fault(ChainFault),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

fn fault(kind: FaultKind, of: Option<&Stored>, message: String) -> Stop {
    Stop::Fault(ChainFault {
        kind,
        sequence: of.map(|s| s.sequence),
        run_id: of.map(|s| s.run),
        number: of.map(|s| s.number),
        message,
    })
}

fn named(run: i64, number: i64) -> String {
    if number == 0 { format!("the opening of run #{run}") } else { format!("event {number} of run #{run}") }
}

impl JournalReader {
    /// Walks the chain from its first entry to its last and compares each with what it speaks of; then looks for entries
    /// outside of the chain. `noted` is a head that was noted earlier: the journal must still have it.
    ///
    /// # Errors
    /// The journal could not be read; that its file is damaged is an answer and no error.
    pub async fn check(&mut self, noted: Option<&Head>) -> Result<ChainReport, JournalError> {
        let mut report = ChainReport { sound: false, entries: 0, runs: 0, older_entries: 0, head: None, fault: None };
        match self.walk(noted, &mut report).await {
            Ok(()) => report.sound = true,
            Err(Stop::Fault(fault)) => report.fault = Some(fault),
            Err(Stop::Sql(error)) if is_damage(&error) => {
                let message = format!("the file is damaged: {error}");
                let none = (None, None, None);
                let (sequence, run_id, number) = none;
                report.fault = Some(ChainFault { kind: FaultKind::Damaged, sequence, run_id, number, message });
            }
            Err(Stop::Sql(error)) => return Err(by_error(&self.path, error)),
        }
        Ok(report)
    }

    async fn walk(&mut self, noted: Option<&Head>, report: &mut ChainReport) -> Result<(), Stop> {
        self.hold().await?;
        let result = self.walk_held(noted, report).await;
        // A reader that fails to let go ends with its process; the walk's own answer is what counts.
        if let Err(error) = self.release().await {
            tracing::debug!(%error, "the reading of the journal did not end as it should");
        }
        result
    }

    async fn walk_held(&mut self, noted: Option<&Head>, report: &mut ChainReport) -> Result<(), Stop> {
        let integrity: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut self.connection).await?;
        if integrity != "ok" {
            return Err(fault(FaultKind::Damaged, None, format!("the file is damaged: {integrity}")));
        }
        let begun: Option<(i64, i64)> =
            sqlx::query_as("SELECT began_at, older_entries FROM chain").fetch_optional(&mut self.connection).await?;
        let Some((began_at, older)) = begun else {
            return Err(fault(FaultKind::Missing, None, "the row that tells where the chain began is missing".into()));
        };
        report.older_entries = older;
        let tails = self.walk_chain(Head { sequence: 0, hash: beginning(began_at, older) }, noted, report).await?;
        if report.entries < older {
            let message = format!(
                "the journal had {older} entries when its chain began, and has {} now: the later ones are missing",
                report.entries
            );
            return Err(fault(FaultKind::Missing, None, message));
        }
        if let Some(noted) = noted.filter(|n| n.sequence > report.entries) {
            let message = format!(
                "the journal ends at entry {}, and entry {} was noted as its head: the entries after it are missing",
                report.entries, noted.sequence
            );
            return Err(fault(FaultKind::Missing, None, message));
        }
        self.nothing_outside().await?;
        self.runs_stand_as_told(tails).await
    }

    async fn walk_chain(
        &mut self,
        mut head: Head,
        noted: Option<&Head>,
        report: &mut ChainReport,
    ) -> Result<BTreeMap<i64, Tail>, Stop> {
        let mut tails: BTreeMap<i64, Tail> = BTreeMap::new();
        let mut rows = sqlx::query(Self::entries()).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            let entry = Stored::read(&row)?;
            let name = named(entry.run, entry.number);
            let expected = head.sequence + 1;
            if entry.sequence != expected {
                let message = format!("entry {expected} is missing: entry {} ({name}) comes instead", entry.sequence);
                return Err(fault(FaultKind::Missing, Some(&entry), message));
            }
            if entry.previous != head.hash {
                let message = if expected == 1 {
                    format!("entry 1 ({name}) does not follow the beginning of the chain: one of the two was changed")
                } else {
                    format!(
                        "entry {expected} ({name}) does not follow entry {}: one of the two is not as it was written",
                        head.sequence
                    )
                };
                return Err(fault(FaultKind::OutOfOrder, Some(&entry), message));
            }
            let Some(content) = &entry.content else {
                let message = format!("entry {expected}: {name} is missing");
                return Err(fault(FaultKind::Missing, Some(&entry), message));
            };
            if entry.computed(content) != entry.hash {
                let message = format!("entry {expected}: {name} was changed after it was written");
                return Err(fault(FaultKind::Changed, Some(&entry), message));
            }
            let follows = match tails.get(&entry.run) {
                None => entry.number == 0,
                Some(tail) => entry.number == tail.number + 1,
            };
            if !follows {
                let message = format!("entry {expected}: {name} is not the one that follows in its run");
                return Err(fault(FaultKind::OutOfOrder, Some(&entry), message));
            }
            if noted.is_some_and(|n| n.sequence == entry.sequence && n.hash != entry.hash) {
                let message = format!(
                    "entry {expected} ({name}) has another hash than was noted: the journal was written anew up to there"
                );
                return Err(fault(FaultKind::Changed, Some(&entry), message));
            }
            let tail = tails.entry(entry.run).or_default();
            match content {
                Content::Run(_) => {
                    tail.state.clone_from(&entry.state);
                    report.runs += 1;
                }
                Content::Event { at, body } => tail.take_in(entry.number, entry.state.clone(), *at, body),
            }
            head = Head { sequence: entry.sequence, hash: entry.hash };
            report.entries = entry.sequence;
            report.head = Some(head.clone());
        }
        Ok(tails)
    }

    /// Runs and events that are no entry of the chain.
    async fn nothing_outside(&mut self) -> Result<(), Stop> {
        let sql = "SELECT id, 0 FROM runs r WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.run_id = r.id AND e.number = 0) \
                   UNION ALL \
                   SELECT run_id, number FROM events v WHERE NOT EXISTS \
                   (SELECT 1 FROM entries e WHERE e.run_id = v.run_id AND e.number = v.number) LIMIT 1";
        let found: Option<(i64, i64)> = sqlx::query_as(sql).fetch_optional(&mut self.connection).await?;
        let Some((run, number)) = found else { return Ok(()) };
        Err(Stop::Fault(ChainFault {
            kind: FaultKind::Added,
            sequence: None,
            run_id: Some(run),
            number: Some(number),
            message: format!(
                "{} is not in the chain: it was added past Stepback, or its entries at the end of the chain are missing",
                named(run, number)
            ),
        }))
    }

    /// The columns of a run that change must be what its last event made of them.
    async fn runs_stand_as_told(&mut self, mut tails: BTreeMap<i64, Tail>) -> Result<(), Stop> {
        let sql = "SELECT id, state, last_event, ended_at, summary FROM runs ORDER BY id";
        let mut rows = sqlx::query(sql).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            let id: i64 = row.try_get("id")?;
            let Some(tail) = tails.remove(&id) else { continue };
            let (state, last): (String, i64) = (row.try_get("state")?, row.try_get("last_event")?);
            let wrong = if last > tail.number {
                Some((FaultKind::Missing, format!("its events after {} are missing; it had {last}", tail.number)))
            } else if last < tail.number {
                Some((FaultKind::Changed, format!("its last event is {} and it says {last}", tail.number)))
            } else if tail.state.as_ref().is_some_and(|told| *told != state) {
                Some((
                    FaultKind::Changed,
                    format!("its last entry made it {}, and it says {state}", tail.state.unwrap_or_default()),
                ))
            } else if row.try_get::<Option<i64>, _>("ended_at")? != tail.ended_at {
                Some((FaultKind::Changed, "it ended at another time than its last event says".to_owned()))
            } else if row.try_get::<Option<String>, _>("summary")? != tail.summary {
                Some((FaultKind::Changed, "its summary is not what its last event says".to_owned()))
            } else {
                None
            };
            if let Some((kind, what)) = wrong {
                return Err(Stop::Fault(ChainFault {
                    kind,
                    sequence: None,
                    run_id: Some(id),
                    number: Some(tail.number),
                    message: format!("run #{id} is not as its events tell: {what}"),
                }));
            }
        }
        Ok(())
    }
}

/// SQLite says so, or a value is of a type that no entry has.
fn is_damage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(db) => {
            let code: i32 = db.code().and_then(|code| code.parse().ok()).unwrap_or(0);
            matches!(code & 0xff, 11 | 26)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}
