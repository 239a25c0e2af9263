//! Splitting an export into its statements and cypher-shell's own commands.

use std::io::{self, BufRead};

use super::{ExportError, Position};

/// The longest statement that is read. APOC's hold twenty rows; a text that goes on for so long has
/// lost a quotation mark or a semicolon, and must not fill the memory.
const MAX_STATEMENT: usize = 12 * 1024 * 1024;

/// The most memory that is kept from one statement for the next.
const KEPT: usize = 1024 * 1024;

/// One piece of an export, and where it begins.
#[derive(Debug)]
pub(crate) struct Piece<'r> {
    pub(crate) kind: PieceKind,
    pub(crate) text: &'r str,
    pub(crate) start: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// A statement, without its semicolon.
    Statement,
    /// A line that begins with a colon, without its end.
    Command,
    /// Such a line that the file ends in the middle of, as far as one can see.
    UnendedCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Nothing of a statement was seen yet.
    Gap,
    Code,
    /// Behind a slash, which may begin a comment; in a gap or in code.
    Slash {
        gap: bool,
    },
    LineComment {
        gap: bool,
    },
    BlockComment {
        gap: bool,
        star: bool,
    },
    String(u8),
    Escape(u8),
    Backticks,
    Command,
}

/// Reads piece by piece; at most one is in memory.
pub(crate) struct StatementReader<R> {
    inner: R,
    /// Where the next byte stands.
    at: Position,
    /// The text of the piece being read. Kept, so that its memory serves for the next.
    text: Vec<u8>,
}

impl<R: BufRead> StatementReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, at: Position::START, text: Vec::new() }
    }

    /// Where the next byte stands; after the last piece, the end of the text.
    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// The next piece, or `None` at the end of the text.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ExportError> {
        if self.text.capacity() > KEPT {
            self.text = Vec::new();
        }
        let mut start = self.at;
        let mut inside = Inside::Gap;
        loop {
            let chunk = match self.inner.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(error)),
            };
            if chunk.is_empty() {
                return self.end(inside, start);
            }
            let mut gap = 0;
            if inside == Inside::Gap {
                // What stands in a gap is no part of the statement that follows; a semicolon there is
                // an empty statement.
                gap = chunk.iter().position(|&b| !is_blank(b) && b != b';').unwrap_or(chunk.len());
                start = self.at.advance_over(&chunk[..gap]);
                self.text.clear();
            }
            let (after, length, ended) = inside.scan(&chunk[gap..]);
            let used = gap + length;
            self.at = self.at.advance_over(&chunk[..used]);
            self.text.extend_from_slice(&chunk[gap..used - usize::from(ended)]);
            self.inner.consume(used);
            inside = after;
            if ended {
                let kind = if inside == Inside::Command { PieceKind::Command } else { PieceKind::Statement };
                return self.piece(kind, start).map(Some);
            }
            if self.text.len() > MAX_STATEMENT {
                return Err(start.syntax("the statement that begins here goes on for over 12 MiB"));
            }
        }
    }

    fn failed(&self, error: io::Error) -> ExportError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.at.cut(error.to_string()),
            io::ErrorKind::InvalidData => self.at.syntax(error.to_string()),
            _ => ExportError::Io(error),
        }
    }

    fn end(&self, inside: Inside, start: Position) -> Result<Option<Piece<'_>>, ExportError> {
        let what = match inside {
            Inside::Gap | Inside::LineComment { gap: true } => return Ok(None),
            Inside::Command => return self.piece(PieceKind::UnendedCommand, start).map(Some),
            Inside::BlockComment { .. } => "a comment",
            Inside::String(_) | Inside::Escape(_) => "a string",
            Inside::Backticks => "a name in backticks",
            Inside::Code | Inside::Slash { .. } | Inside::LineComment { .. } => "a statement",
        };
        Err(self.at.cut(format!("the text ends inside {what}; the statement begins at line {}", start.line)))
    }

    fn piece(&self, kind: PieceKind, start: Position) -> Result<Piece<'_>, ExportError> {
        match std::str::from_utf8(&self.text) {
            Ok(text) => Ok(Piece { kind, text, start }),
            Err(error) => {
                let at = start.advance_over(&self.text[..error.valid_up_to()]);
                Err(at.syntax("the text is not UTF-8"))
            }
        }
    }
}

impl Inside {
    /// Goes over `bytes` until the piece ends, or a comment before it does. Gives the state then, the
    /// number of bytes gone over, and whether the last of them ended the piece.
    fn scan(mut self, bytes: &[u8]) -> (Self, usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            let Some(offset) = self.next_event(&bytes[at..]) else {
                return (self, bytes.len(), false);
            };
            at += offset;
            let byte = bytes[at];
            if let Self::Slash { .. } = self
                && !matches!(byte, b'/' | b'*')
            {
                // It was a division: the byte is looked at again.
                self = Self::Code;
                continue;
            }
            at += 1;
            if matches!((self, byte), (Self::Code, b';') | (Self::Command, b'\n')) {
                return (self, at, true);
            }
            self = self.after(byte);
            if self == Self::Gap {
                break;
            }
        }
        (self, at, false)
    }

    /// Where in `bytes` the first byte stands that may change something.
    fn next_event(self, bytes: &[u8]) -> Option<usize> {
        match self {
            // Too many different bytes for a vectorised search, and in code one soon comes.
            Self::Code => bytes.iter().position(|&b| matches!(b, b';' | b'"' | b'\'' | b'`' | b'/')),
            Self::String(quote) => memchr::memchr2(quote, b'\\', bytes),
            Self::Backticks => memchr::memchr(b'`', bytes),
            Self::LineComment { .. } | Self::Command => memchr::memchr(b'\n', bytes),
            Self::BlockComment { star: false, .. } => memchr::memchr(b'*', bytes),
            Self::Gap | Self::BlockComment { .. } | Self::Slash { .. } | Self::Escape(_) => Some(0),
        }
    }

    /// The state behind `byte`. Ends of statements and commands are the caller's.
    fn after(self, byte: u8) -> Self {
        let outside = |gap| if gap { Self::Gap } else { Self::Code };
        match self {
            Self::Gap if byte == b':' => Self::Command,
            Self::Gap | Self::Code => match byte {
                b'"' | b'\'' => Self::String(byte),
                b'`' => Self::Backticks,
                b'/' => Self::Slash { gap: self == Self::Gap },
                _ => Self::Code,
            },
            Self::Slash { gap } if byte == b'/' => Self::LineComment { gap },
            Self::Slash { gap } => Self::BlockComment { gap, star: false },
            Self::LineComment { gap } => outside(gap),
            Self::BlockComment { gap, star: true } if byte == b'/' => outside(gap),
            Self::BlockComment { gap, .. } => Self::BlockComment { gap, star: byte == b'*' },
            Self::String(quote) => match byte {
                b'\\' => Self::Escape(quote),
                _ => Self::Code,
            },
            Self::Escape(quote) => Self::String(quote),
            Self::Backticks => Self::Code,
            Self::Command => Self::Command,
        }
    }
}

/// White space, and the byte order mark some editors put in front.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b || matches!(byte, 0xEF | 0xBB | 0xBF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8]) -> Result<Vec<(PieceKind, String, u64)>, ExportError> {
        // A small buffer, so that every state falls on its edges.
        let mut reader = StatementReader::new(io::BufReader::with_capacity(2, text));
        let mut pieces = Vec::new();
        while let Some(piece) = reader.next_piece()? {
            pieces.push((piece.kind, piece.text.to_owned(), piece.start.line));
        }
        Ok(pieces)
    }

    #[test]
    fn semicolons_end_statements_only_outside_quotes_and_comments() {
        let text =
            "// head; comment\n:begin\nA \"x;\\\";\" '\\';' `b;``;` /* ; **/ // ;\n + 1 / 2;;\n/* c; */ B;\n:commit";
        let pieces = split(text.as_bytes()).unwrap();
        let expected = [
            (PieceKind::Command, ":begin".to_owned(), 2),
            (PieceKind::Statement, "A \"x;\\\";\" '\\';' `b;``;` /* ; **/ // ;\n + 1 / 2".to_owned(), 3),
            (PieceKind::Statement, "B".to_owned(), 5),
            (PieceKind::UnendedCommand, ":commit".to_owned(), 6),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn an_open_end_is_a_cut_and_says_of_what() {
        for (text, what) in [
            ("A", "a statement"),
            ("A \"b;", "a string"),
            ("A 'b\\", "a string"),
            ("A `b", "backticks"),
            ("/* ; *", "a comment"),
        ] {
            match split(text.as_bytes()) {
                Err(ExportError::Cut { what: said, line: 1, .. }) => {
                    assert!(said.contains(what), "{said}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_named_with_its_place() {
        let error = split(b"A;\nB \xc3\xa9\xff;").unwrap_err();
        assert!(matches!(error, ExportError::Syntax { line: 2, column: 4, .. }), "{error}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&bytes);
        }

        #[test]
        fn text_of_delimiters_never_panics(text in r#"[;"'`/*\\\n:a]{0,40}"#) {
            let _ = split(text.as_bytes());
        }
    }
}
