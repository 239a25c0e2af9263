//! The graph's export in the form `apoc.export.cypher.all(…, {format: 'cypher-shell'})` gives it.
//!
//! [`ExportReader`] reads one as a stream of [`Item`]s, one statement in memory at a time, and ends
//! with an error when the file is cut; [`summarize`] counts it; [`ExportWriter`] writes one.
//!
//! Three forms are found in the field, see [`ExportForm`]; the reader tells them apart by itself.

mod batches;
mod items;
mod lexer;
mod literals;
mod plain_format;
mod reader;
mod rows;
mod statements;
mod summary;
mod values;
mod writer;

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

pub use items::{Item, NodeBatch, NodeKey, NodeRow, RelationshipBatch, RelationshipRow};
pub use lexer::quote_name;
pub use plain_format::PlainFormatReader;
pub use reader::ExportReader;
pub use summary::{ExportSummary, ParagraphPoints, summarize, summarize_content};
pub use values::CypherValue;
pub use writer::{ExportCounts, ExportNode, ExportRelationship, ExportWriteError, ExportWriter, UniqueKey};

/// The label that marks a node while it is being imported.
pub const IMPORT_LABEL: &str = "UNIQUE IMPORT LABEL";
/// The property that identifies a marked node while it is being imported.
pub const IMPORT_ID: &str = "UNIQUE IMPORT ID";
/// The constraint that makes the marked nodes quick to find.
pub const IMPORT_CONSTRAINT: &str = "UNIQUE_IMPORT_NAME";

/// How the text of an export was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportForm {
    /// As APOC writes it: what `cypher-shell --file` loads.
    CypherShell,
    /// Through cypher-shell's `--format plain`: a header line (at times cut off), then the text in
    /// double quotes, in which only `"` became `\"`.
    PlainFormat,
    /// As HybridFlow's backup script stores it: the plain format after `tail -n +4`, which took the
    /// header, the first `:begin` and the first schema statement. Loadable, one index or constraint short.
    HybridFlowScript,
}

impl ExportForm {
    /// True when the file lost its first schema statement: one constraint or index will be missing
    /// after a restore (perhaps only the temporary import constraint, which loses nothing but time).
    pub fn lacks_a_schema_statement(self) -> bool {
        self == Self::HybridFlowScript
    }
}

impl fmt::Display for ExportForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CypherShell => "cypher-shell script",
            Self::PlainFormat => "cypher-shell's plain output",
            Self::HybridFlowScript => "HybridFlow's backup script (one schema statement missing)",
        })
    }
}

/// Why an export cannot be relied on. Lines and columns count from 1, columns in characters of the
/// text after its quoting was undone.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be read; nothing is known about its content.
    #[error(
        "the graph export could not be read: {0}. Nothing was changed. Check the disk and the file's rights, then try again"
    )]
    Io(#[from] io::Error),
    /// The file is not whole: it was cut, or its making was interrupted.
    #[error(
        "the graph export is cut, line {line}, column {column}: {what}. Nothing was changed. Do not restore from it: use another copy"
    )]
    Cut {
        /// Where the text ends.
        line: u64,
        /// Where the text ends.
        column: u64,
        /// What is missing.
        what: String,
    },
    /// The file holds something no such export can hold: it is another file, or damaged.
    #[error(
        "the graph export is damaged, line {line}, column {column}: {what}. Nothing was changed. Do not restore from it: use another copy"
    )]
    Syntax {
        /// Where the wrong text is.
        line: u64,
        /// Where the wrong text is.
        column: u64,
        /// What is wrong with it.
        what: String,
    },
}

/// A position in the text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Moves over some text; UTF-8 continuation bytes take no column.
    pub(crate) fn advance_over(mut self, bytes: &[u8]) -> Self {
        let last_line = match memchr::memrchr(b'\n', bytes) {
            Some(newline) => {
                self.line += memchr::memchr_iter(b'\n', &bytes[..=newline]).count() as u64;
                self.column = 1;
                &bytes[newline + 1..]
            }
            None => bytes,
        };
        self.column += last_line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        self
    }

    pub(crate) fn cut(self, what: impl Into<String>) -> ExportError {
        ExportError::Cut { line: self.line, column: self.column, what: what.into() }
    }

    pub(crate) fn syntax(self, what: impl Into<String>) -> ExportError {
        ExportError::Syntax { line: self.line, column: self.column, what: what.into() }
    }
}
