//! The hash chain over the journal: each entry's hash covers its own content and the hash of the entry before it.
//!
//! An entry is the opening of a run (number 0) or one of its events (1, 2, 3 …), in the order in which they were
//! written. What is hashed is told in `docs/journal.md`, so that an export can be checked without Stepback.

use std::fmt;
use std::str::FromStr;

use rollback::journal::{JournalError, NewRun};
use rollback_types::{RunId, RunState, Timestamp};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::open::Place;

/// Old events are chained in portions of this many.
const PORTION: i64 = 500;

/// The last entry of a chain: note it elsewhere, and a journal that was cut short after it can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Its place in the chain, from 1.
    pub sequence: i64,
    /// Its hash, 64 lower-case hex digits.
    pub hash: String,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

/// A text that is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head is a sequence from 1, a colon and 64 hex digits, as `stepback journal check` prints it")]
pub struct BadHead;

impl FromStr for Head {
    type Err = BadHead;

    fn from_str(text: &str) -> Result<Self, BadHead> {
        let (sequence, hash) = text.trim().split_once(':').ok_or(BadHead)?;
        let sequence = sequence.parse().ok().filter(|s| *s >= 1).ok_or(BadHead)?;
        let hash = hash.to_ascii_lowercase();
        if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self { sequence, hash })
        } else {
            Err(BadHead)
        }
    }
}

/// The columns of a run that never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Opening {
    pub kind: String,
    pub version_id: String,
    pub reason: String,
    pub actor: String,
    pub plan_digest: String,
    pub plan_json: String,
    pub run_key: String,
    pub started_at: i64,
}

impl Opening {
    pub(super) fn of(run: &NewRun) -> Self {
        Self {
            kind: run.kind.as_str().to_owned(),
            version_id: run.version_id.as_str().to_owned(),
            reason: run.reason.clone(),
            actor: run.actor.clone(),
            plan_digest: run.plan_digest.0.clone(),
            plan_json: run.plan_json.clone(),
            run_key: run.run_key.clone(),
            started_at: run.at.unix_ms(),
        }
    }

    pub(super) fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            kind: row.try_get("kind")?,
            version_id: row.try_get("version_id")?,
            reason: row.try_get("reason")?,
            actor: row.try_get("actor")?,
            plan_digest: row.try_get("plan_digest")?,
            plan_json: row.try_get("plan_json")?,
            run_key: row.try_get("run_key")?,
            started_at: row.try_get("started_at")?,
        })
    }
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Run(Opening),
    Event { at: i64, body: String },
}

/// An entry without its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub run: i64,
    /// 0 for the opening of the run.
    pub number: i64,
    /// The run's state from this entry on; not known of entries that are older than the chain.
    pub state: Option<String>,
    pub content: Content,
}

impl Entry {
    /// The hash of this entry at this place of the chain.
    pub(super) fn hash(&self, sequence: i64, previous: &str) -> String {
        let mut fields = Fields::new();
        fields.text(previous).number(sequence).number(self.run).number(self.number);
        match &self.state {
            Some(state) => fields.text(state),
            None => fields.absent(),
        };
        match &self.content {
            Content::Run(run) => fields
                .text(&run.kind)
                .text(&run.version_id)
                .text(&run.reason)
                .text(&run.actor)
                .text(&run.plan_digest)
                .text(&run.plan_json)
                .text(&run.run_key)
                .number(run.started_at),
            Content::Event { at, body } => fields.number(*at).text(body),
        };
        fields.end()
    }
}

/// What the first entry has in the place of the hash before it.
pub(super) fn beginning(began_at: i64, older_entries: i64) -> String {
    let mut fields = Fields::new();
    fields.text("Stepback journal").number(began_at).number(older_entries);
    fields.end()
}

/// Every field with its length before it, so that no two lists of fields have the same bytes.
struct Fields(Sha256);

impl Fields {
    fn new() -> Self {
        Self(Sha256::new())
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.update([1]);
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    fn number(&mut self, number: i64) -> &mut Self {
        self.text(&number.to_string())
    }

    fn absent(&mut self) -> &mut Self {
        self.0.update([0]);
        self
    }

    fn end(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// Adds an entry to the end of the chain, in the transaction that writes its content.
pub(super) async fn add(tx: &mut SqliteConnection, place: &Place, entry: &Entry) -> Result<(), JournalError> {
    let head = match head(tx).await.map_err(|e| place.sql(e))? {
        Some(head) => head,
        None => {
            let begun = "SELECT began_at, older_entries FROM chain";
            let begun: Option<(i64, i64)> =
                sqlx::query_as(begun).fetch_optional(&mut *tx).await.map_err(|e| place.sql(e))?;
            let (began_at, older) = begun.ok_or_else(|| {
                place.unusable(
                    "the beginning of its hash chain is missing; keep the file for a look at it, and see `stepback \
                     journal check`",
                )
            })?;
            Head { sequence: 0, hash: beginning(began_at, older) }
        }
    };
    append(tx, &head, entry).await.map_err(|e| place.sql(e))?;
    Ok(())
}

async fn append(tx: &mut SqliteConnection, head: &Head, entry: &Entry) -> Result<Head, sqlx::Error> {
    let sequence = head.sequence + 1;
    let hash = entry.hash(sequence, &head.hash);
    sqlx::query("INSERT INTO entries (sequence, run_id, number, state, previous, hash) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(sequence)
        .bind(entry.run)
        .bind(entry.number)
        .bind(&entry.state)
        .bind(&head.hash)
        .bind(&hash)
        .execute(tx)
        .await?;
    Ok(Head { sequence, hash })
}

/// The last entry, if there is any.
pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Option<Head>, sqlx::Error> {
    let sql = "SELECT sequence, hash FROM entries ORDER BY sequence DESC LIMIT 1";
    let found: Option<(i64, String)> = sqlx::query_as(sql).fetch_optional(connection).await?;
    Ok(found.map(|(sequence, hash)| Head { sequence, hash }))
}

/// Begins the chain where there is none yet: a new journal, or one written before there were chains, whose entries are
/// taken in run by run. All of it in one transaction, and once in the life of a journal.
pub(super) async fn begin(pool: &SqlitePool, place: &Place) -> Result<(), JournalError> {
    let (older, runs) = begin_once(pool).await.map_err(|e| place.sql(e))?;
    if older > 0 {
        tracing::info!(
            journal = %place.path.display(), entries = older, runs,
            "the journal's older entries are in its hash chain from now on; a change made before now cannot be told"
        );
    }
    Ok(())
}

async fn begin_once(pool: &SqlitePool) -> Result<(i64, i64), sqlx::Error> {
    let begun = "SELECT EXISTS (SELECT 1 FROM chain) OR EXISTS (SELECT 1 FROM entries)";
    if sqlx::query_scalar(begun).fetch_one(pool).await? {
        return Ok((0, 0));
    }
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    // Another process may have done it meanwhile.
    if sqlx::query_scalar(begun).fetch_one(&mut *tx).await? {
        return Ok((0, 0));
    }
    let counts = "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM events), (SELECT count(*) FROM runs)";
    let (older, runs): (i64, i64) = sqlx::query_as(counts).fetch_one(&mut *tx).await?;
    let began_at = Timestamp::now().unix_ms();
    sqlx::query("INSERT INTO chain (id, began_at, older_entries) VALUES (1, ?, ?)")
        .bind(began_at)
        .bind(older)
        .execute(&mut *tx)
        .await?;
    let mut head = Head { sequence: 0, hash: beginning(began_at, older) };
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM runs ORDER BY id").fetch_all(&mut *tx).await?;
    for id in ids {
        head = take_in(&mut tx, head, id).await?;
    }
    tx.commit().await?;
    Ok((older, runs))
}

/// One run that is older than the chain.
async fn take_in(tx: &mut SqliteConnection, mut head: Head, run: i64) -> Result<Head, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM runs WHERE id = ?").bind(run).fetch_one(&mut *tx).await?;
    let (state, last): (String, i64) = (row.try_get("state")?, row.try_get("last_event")?);
    let opening = Entry {
        run,
        number: 0,
        state: Some(RunState::Running.as_str().to_owned()),
        content: Content::Run(Opening::read(&row)?),
    };
    head = append(tx, &head, &opening).await?;
    let mut after = 0;
    loop {
        let sql = "SELECT number, at, body FROM events WHERE run_id = ? AND number > ? ORDER BY number LIMIT ?";
        let events: Vec<(i64, i64, String)> =
            sqlx::query_as(sql).bind(run).bind(after).bind(PORTION).fetch_all(&mut *tx).await?;
        if events.is_empty() {
            return Ok(head);
        }
        for (number, at, body) in events {
            let state = (number == last).then(|| state.clone());
            head = append(tx, &head, &Entry { run, number, state, content: Content::Event { at, body } }).await?;
            after = number;
        }
    }
}

/// An event's entry.
pub(super) fn event(run: RunId, number: u64, at: Timestamp, state: RunState, body: &str) -> Entry {
    Entry {
        run: run.0,
        number: number.cast_signed(),
        state: Some(state.as_str().to_owned()),
        content: Content::Event { at: at.unix_ms(), body: body.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: i64, state: Option<&str>, body: &str) -> Entry {
        let content = Content::Event { at: 5, body: body.to_owned() };
        Entry { run: 1, number, state: state.map(str::to_owned), content }
    }

    #[test]
    fn an_entrys_hash_is_what_the_documentation_says() {
        // Spelled out here, as `docs/journal.md` has it.
        let hash = event(1, Some("running"), "{}").hash(2, &"0".repeat(64));
        let mut bytes = Vec::new();
        for field in ["0".repeat(64).as_str(), "2", "1", "1", "running", "5", "{}"] {
            bytes.push(1);
            bytes.extend((field.len() as u64).to_be_bytes());
            bytes.extend(field.bytes());
        }
        assert_eq!(hash, hex::encode(Sha256::digest(&bytes)));
    }

    #[test]
    fn no_two_entries_have_the_same_bytes() {
        let base = event(11, Some("running"), "ab").hash(1, "");
        for other in [event(1, Some("running"), "ab"), event(11, None, "ab"), event(11, Some("running"), "a")] {
            assert_ne!(other.hash(1, ""), base);
        }
        assert_ne!(event(11, Some("running"), "ab").hash(2, ""), base);
        assert_ne!(event(11, Some("running"), "ab").hash(1, "a"), base);
    }

    #[test]
    fn a_head_reads_back_and_nothing_else_is_one() {
        let head = Head { sequence: 7, hash: "0a".repeat(32) };
        assert_eq!(head.to_string().parse(), Ok(head.clone()));
        assert_eq!(format!("7:{}", "0A".repeat(32)).parse(), Ok(head));
        for bad in ["", "7", "7:", "0:00", &format!("0:{}", "0a".repeat(32)), &format!("x:{}", "0a".repeat(32)), "1:zz"]
        {
            assert_eq!(bad.parse::<Head>(), Err(BadHead), "{bad}");
        }
    }
}
