//! Reading an export as a stream of items, and seeing at its end whether it is whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::batches::{Parameter, Wrong, recognise};
use super::items::Item;
use super::lexer::Lexer;
use super::plain_format::{PlainFormatReader, detect_form};
use super::statements::{Piece, PieceKind, StatementReader};
use super::{ExportError, ExportForm, Position};
use crate::progress::{ByteCount, CountingReader};

/// How much of a file is looked at to tell its form.
const HEAD: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;

/// Gives the items of an export one after the other, in whichever form it is stored.
///
/// Memory: one statement. Reads ahead, so [`bytes_read`](Self::bytes_read) may be a little more than
/// what the items given so far take. The iterator ends after the first error. An export that is not
/// whole ends in [`ExportError::Cut`], never in `None`:
///
/// - inside a statement, string, comment, name in backticks, or transaction;
/// - with import marks set and not removed, or the import constraint not dropped;
/// - plain output without its closing quotation mark;
/// - holding no statement at all, or a `:commit` whose `:begin` is missing.
///
/// What cannot be seen: a cut between two transactions of a file that never used the import marks.
/// APOC writes such a file only when every node has a label with a uniqueness constraint;
/// [`ExportWriter`](super::ExportWriter) never does.
pub struct ExportReader<'a> {
    statements: StatementReader<Box<dyn BufRead + Send + 'a>>,
    form: ExportForm,
    bytes: ByteCount,
    progress: Progress,
    /// The list that was set last, and where its command begins.
    parameter: Option<(Parameter, Position)>,
}

/// What was seen so far.
#[derive(Debug, Default)]
struct Progress {
    items: u64,
    in_transaction: bool,
    marked_nodes: bool,
    import_constraint: bool,
    ended: bool,
}

impl ExportReader<'static> {
    /// Opens a file.
    ///
    /// # Errors
    /// As [`new`](ExportReader::new), and when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ExportError> {
        Self::new(File::open(path)?)
    }
}

impl<'a> ExportReader<'a> {
    /// Reads the first 64 KiB and tells the form from them. Needs no buffering of the caller.
    ///
    /// # Errors
    /// When the reader fails.
    pub fn new(reader: impl Read + Send + 'a) -> Result<Self, ExportError> {
        let mut reader = CountingReader::new(reader);
        let bytes = reader.count();
        let mut head = Vec::new();
        reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let form = detect_form(&head);
        let file = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(reader));
        let text: Box<dyn BufRead + Send + 'a> = match form {
            ExportForm::CypherShell => Box::new(file),
            ExportForm::PlainFormat => Box::new(buffered(PlainFormatReader::new(file))),
            ExportForm::HybridFlowScript => Box::new(buffered(PlainFormatReader::inside_first_row(file))),
        };
        Ok(Self { statements: StatementReader::new(text), form, bytes, progress: Progress::default(), parameter: None })
    }

    /// How the export is stored.
    pub fn form(&self) -> ExportForm {
        self.form
    }

    /// Bytes of the file read so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes.get()
    }

    /// The next item; `None` only behind the end of a whole export.
    ///
    /// # Errors
    /// See [`ExportError`]. Afterwards only `None` follows.
    pub fn next_item(&mut self) -> Result<Option<Item>, ExportError> {
        if self.progress.ended {
            return Ok(None);
        }
        let item = self.read_item();
        if !matches!(item, Ok(Some(_))) {
            self.progress.ended = true;
        }
        item
    }

    fn read_item(&mut self) -> Result<Option<Item>, ExportError> {
        if self.form == ExportForm::HybridFlowScript && self.progress.items == 0 {
            self.progress.items = 1;
            self.progress.in_transaction = true;
            return Ok(Some(Item::Begin));
        }
        let (start, item) = loop {
            let Some(piece) = self.statements.next_piece()? else {
                return self.end();
            };
            if piece.kind == PieceKind::Statement {
                break (piece.start, read_statement(&piece, self.parameter.as_ref())?);
            }
            match Parameter::of_command(piece.text).filter(|_| piece.kind == PieceKind::Command) {
                // It says something only together with the statement that uses it.
                Some(parameter) => self.parameter = Some((parameter, piece.start)),
                None => break (piece.start, read_command(&piece)?),
            }
        };
        match &item {
            Item::Begin if self.progress.in_transaction => {
                return Err(start.syntax("`:begin` inside a transaction"));
            }
            Item::Commit if !self.progress.in_transaction => {
                return Err(start.cut("`:commit` without `:begin`: the text before it is missing"));
            }
            _ => self.progress.note(&item),
        }
        Ok(Some(item))
    }

    fn end(&self) -> Result<Option<Item>, ExportError> {
        let seen = &self.progress;
        let script = self.form == ExportForm::HybridFlowScript;
        let what = if seen.items <= u64::from(script) {
            "there is no statement in it"
        } else if seen.in_transaction {
            "the last transaction has no `:commit`"
        } else if seen.marked_nodes {
            "the clean-up of the import marks at its end is missing"
        } else if seen.import_constraint {
            "the temporary import constraint is never dropped, as it is at the end of every export"
        } else {
            return Ok(None);
        };
        Err(self.statements.position().cut(what))
    }
}

impl Iterator for ExportReader<'_> {
    type Item = Result<Item, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().transpose()
    }
}

impl Progress {
    fn note(&mut self, item: &Item) {
        self.items += 1;
        match item {
            Item::Begin => self.in_transaction = true,
            Item::Commit => self.in_transaction = false,
            // Marked nodes always come with the constraint, even where its statement was lost.
            Item::NodeBatch(batch) if batch.key.is_import_id() => {
                self.marked_nodes = true;
                self.import_constraint = true;
            }
            Item::Cleanup(_) => self.marked_nodes = false,
            Item::SchemaStatement(text) if item.is_import_schema() => {
                self.import_constraint = !Lexer::new(text).take_word("DROP");
            }
            _ => {}
        }
    }
}

fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER, reader)
}

fn read_statement(piece: &Piece<'_>, parameter: Option<&(Parameter, Position)>) -> Result<Item, ExportError> {
    let wrong_at = |start: Position, text: &str, offset: usize, what: String| {
        let before = text.as_bytes().get(..offset).unwrap_or_default();
        start.advance_over(before).syntax(what)
    };
    match (recognise(piece.text, parameter.map(|(parameter, _)| parameter)), parameter) {
        (Ok(Some(item)), _) => Ok(item),
        (Ok(None), _) => Ok(Item::Other(piece.text.to_owned())),
        (Err(Wrong::Parameter(error)), Some((parameter, start))) => {
            // The command stands on one line, and what is before its list is as good as ASCII.
            let mut list = *start;
            list.column += parameter.offset as u64;
            Err(wrong_at(list, &parameter.list, error.offset, error.what))
        }
        (Err(Wrong::Statement(error) | Wrong::Parameter(error)), _) => {
            Err(wrong_at(piece.start, piece.text, error.offset, error.what))
        }
    }
}

fn read_command(piece: &Piece<'_>) -> Result<Item, ExportError> {
    let command = piece.text.trim_end().trim_end_matches(';').trim_end();
    if command.eq_ignore_ascii_case(":begin") {
        return Ok(Item::Begin);
    }
    if command.eq_ignore_ascii_case(":commit") {
        return Ok(Item::Commit);
    }
    if piece.kind == PieceKind::UnendedCommand {
        return Err(piece.start.cut(format!("it ends in the middle of a command: {command:?}")));
    }
    Ok(Item::Other(piece.text.to_owned()))
}
