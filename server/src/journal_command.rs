//! `stepback journal check` and `stepback journal export`: reading the journal, beside a running server too.

use std::fmt::Write as _;
use std::io::{self, BufWriter};

use rollback::journal::JournalError;
use rollback_stores::journal::{ChainReport, ExportError, Head, JournalReader};
use rollback_types::quantity::{count, counted, plural};

use crate::config::Config;

/// The journal could not be looked at. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum JournalCommandError {
    /// It cannot be opened or read.
    #[error("{0}. Nothing was changed.")]
    Journal(#[from] JournalError),
    /// It could not be written out to its end.
    #[error("{0}. Nothing was changed; what was written until then are whole lines.")]
    Export(ExportError),
}

impl JournalCommandError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Journal(_) => {
                "Give the settings' file of the server by --config, run the command on the server's own \
                machine as a user who may read the journal, and see what is said above."
                    .to_owned()
            }
            Self::Export(ExportError::Output(_)) => {
                "See that there is room where the output goes, then export again.".to_owned()
            }
            Self::Export(_) => {
                "`stepback journal check` names the first entry that is not as it was written.".to_owned()
            }
        }
    }
}

/// Walks the chain.
///
/// # Errors
/// See [`JournalCommandError`]; a journal that is not sound is an answer.
pub async fn check(config: &Config, noted: Option<&Head>) -> Result<ChainReport, JournalCommandError> {
    let mut reader = JournalReader::open(config.journal()).await?;
    let report = reader.check(noted).await?;
    reader.close().await?;
    Ok(report)
}

/// Writes all entries to standard output. A reader that went away (`| head`) is no fault.
///
/// # Errors
/// See [`JournalCommandError`].
pub async fn export(config: &Config) -> Result<(), JournalCommandError> {
    let mut reader = JournalReader::open(config.journal()).await?;
    let mut out = BufWriter::new(io::stdout());
    match reader.export(&mut out).await {
        Ok(_) => {}
        Err(ExportError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => {}
        Err(ExportError::Journal(e)) => return Err(e.into()),
        Err(e) => return Err(JournalCommandError::Export(e)),
    }
    reader.close().await?;
    Ok(())
}

/// What the program ends with: 0 sound, 1 broken.
pub fn exit_status(report: &ChainReport) -> u8 {
    u8::from(!report.sound)
}

/// The report as JSON.
pub fn json(report: &ChainReport) -> String {
    // Numbers and texts always serialise; were they not to, the reader gets the answer alone.
    serde_json::to_string_pretty(report).unwrap_or_else(|_| serde_json::json!({ "sound": report.sound }).to_string())
}

fn entries(n: i64) -> String {
    let n = n.unsigned_abs();
    format!("{} {}", count(n), plural(n, "entry", "entries"))
}

/// The report in words.
pub fn words(report: &ChainReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match &report.fault {
        None => write!(
            text,
            "OK    The journal is sound: {} of {}, each as it was written and in its place.",
            entries(report.entries),
            counted(report.runs.unsigned_abs(), "runs")
        ),
        Some(fault) => write!(
            text,
            "FAIL  {}.\n      What stands before it, {}, is as it was written.\n      → Keep the file as it is for a look at it, and \
             compare it with a backup or an export. The stores are not touched by this; never delete the journal.",
            fault.message,
            entries(report.entries)
        ),
    };
    if report.older_entries > 0 {
        let _ = write!(
            text,
            "\n      {} of them are older than the chain: that they were not changed before it began cannot be told.",
            report.older_entries
        );
    }
    if let Some(head) = report.head.as_ref().filter(|_| report.sound) {
        let _ = write!(
            text,
            "\nhead  {head}\n      Note it elsewhere: `stepback journal check --head {head}`\n      later tells a journal that was cut \
             short or written anew."
        );
    }
    text
}
