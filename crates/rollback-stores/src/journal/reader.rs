//! Reading a journal without changing it, beside a running server too.

use std::path::Path;

use rollback::journal::JournalError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};

use super::chain::{Content, Entry, Opening};
use super::open::by_error;

/// Every entry in the order of the chain, beside what it speaks of.
const ENTRIES: &str = "SELECT e.sequence, e.run_id, e.number, e.state, e.previous, e.hash, v.at, v.body, r.kind, \
     r.version_id, r.reason, r.actor, r.plan_digest, r.plan_json, r.run_key, r.started_at \
     FROM entries e LEFT JOIN events v ON v.run_id = e.run_id AND v.number = e.number AND e.number > 0 \
     LEFT JOIN runs r ON r.id = e.run_id AND e.number = 0 ORDER BY e.sequence";

/// A journal opened to be read only: nothing is made, migrated or written.
#[derive(Debug)]
pub struct JournalReader {
    pub(super) connection: SqliteConnection,
    pub(super) path: std::path::PathBuf,
}

/// An entry as it stands in the file.
#[derive(Debug)]
pub(super) struct Stored {
    pub sequence: i64,
    pub run: i64,
    pub number: i64,
    pub state: Option<String>,
    pub previous: String,
    pub hash: String,
    /// `None`: what the entry speaks of is not there.
    pub content: Option<Content>,
}

impl Stored {
    pub(super) fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let number: i64 = row.try_get("number")?;
        let body: Option<String> = row.try_get("body")?;
        let kind: Option<String> = row.try_get("kind")?;
        let content = match (kind, body) {
            (Some(_), _) => Some(Content::Run(Opening::read(row)?)),
            (None, Some(body)) => Some(Content::Event { at: row.try_get("at")?, body }),
            (None, None) => None,
        };
        Ok(Self {
            sequence: row.try_get("sequence")?,
            run: row.try_get("run_id")?,
            number,
            state: row.try_get("state")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
            content,
        })
    }

    /// The hash that its content has now.
    pub(super) fn computed(&self, content: &Content) -> String {
        let (state, content) = (self.state.clone(), content.clone());
        Entry { run: self.run, number: self.number, state, content }.hash(self.sequence, &self.previous)
    }
}

impl JournalReader {
    /// Opens the journal to be read.
    ///
    /// # Errors
    /// [`JournalError::Unusable`]: not there, not a journal, written before there were chains, or not readable.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_path_buf());
        let unusable =
            |detail: &str| JournalError::Unusable { path: path.display().to_string(), detail: detail.into() };
        if !path.is_file() {
            return Err(unusable("there is no such file; set data.dir, or run the command where the server runs"));
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .read_only(true)
            .busy_timeout(std::time::Duration::from_secs(5));
        let mut connection = options.connect().await.map_err(|e| by_error(&path, e))?;
        let names = "SELECT COALESCE(SUM(name IN ('runs', 'events')), 0), COALESCE(SUM(name IN ('entries', 'chain')), 0) \
                     FROM sqlite_master WHERE type = 'table'";
        let (ours, chained): (i64, i64) =
            sqlx::query_as(names).fetch_one(&mut connection).await.map_err(|e| by_error(&path, e))?;
        match (ours, chained) {
            (2, 2) => Ok(Self { connection, path }),
            (2, 0) => {
                Err(unusable("it was written before journals had a hash chain; start Stepback once, which adds it"))
            }
            _ => Err(unusable("it is not a whole journal: tables are missing")),
        }
    }

    /// All that is read afterwards is of one moment, whatever a server writes meanwhile.
    pub(super) async fn hold(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("BEGIN").execute(&mut self.connection).await.map(|_| ())
    }

    pub(super) async fn release(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(&mut self.connection).await.map(|_| ())
    }

    /// The query of [`Stored`].
    pub(super) fn entries() -> &'static str {
        ENTRIES
    }

    /// Ends the connection.
    ///
    /// # Errors
    /// The journal's.
    pub async fn close(self) -> Result<(), JournalError> {
        self.connection.close().await.map_err(|e| by_error(&self.path, e))
    }
}
