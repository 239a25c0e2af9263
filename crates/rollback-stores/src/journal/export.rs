//! The journal as NDJSON: one entry a line, in the order of the chain, with all that its hash covers.

use std::io::{self, Write};

use futures::TryStreamExt as _;
use rollback::journal::JournalError;
use serde_json::{Value, json};

use super::chain::Content;
use super::open::by_error;
use super::reader::{JournalReader, Stored};

/// The journal could not be written out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry's content is not there.
    #[error("entry {sequence} has no content: a run or an event is missing from the journal")]
    Missing {
        /// Which.
        sequence: i64,
    },
    /// Nobody takes it.
    #[error("the export cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl JournalReader {
    /// Writes every entry as a line of JSON; returns how many there were. Nothing is held in memory but one entry.
    ///
    /// # Errors
    /// See [`ExportError`]. What was written until then are whole lines.
    pub async fn export(&mut self, out: &mut (dyn Write + Send)) -> Result<i64, ExportError> {
        let path = self.path.clone();
        let sql = |error| by_error(&path, error);
        self.hold().await.map_err(sql)?;
        let mut lines = 0;
        {
            let mut rows = sqlx::query(Self::entries()).fetch(&mut self.connection);
            while let Some(row) = rows.try_next().await.map_err(sql)? {
                let entry = Stored::read(&row).map_err(sql)?;
                let line = line(&entry).ok_or(ExportError::Missing { sequence: entry.sequence })?;
                writeln!(out, "{line}")?;
                lines += 1;
            }
        }
        out.flush()?;
        self.release().await.map_err(sql)?;
        Ok(lines)
    }
}

/// The texts that are hashed stay texts: read as JSON and written again they might not be the same bytes.
fn line(entry: &Stored) -> Option<Value> {
    let mut line = match entry.content.as_ref()? {
        Content::Run(opening) => {
            let mut line = serde_json::to_value(opening).ok()?;
            line["entry"] = "run".into();
            line
        }
        Content::Event { at, body } => json!({ "entry": "event", "at": at, "body": body }),
    };
    line["sequence"] = entry.sequence.into();
    line["run_id"] = entry.run.into();
    line["number"] = entry.number.into();
    line["state"] = entry.state.clone().into();
    line["previous"] = entry.previous.clone().into();
    line["hash"] = entry.hash.clone().into();
    Some(line)
}
