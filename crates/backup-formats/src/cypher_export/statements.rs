//! Splitting an export into its statements and cypher-shell's own commands.

use std::io::{self, BufRead};

use super::{ExportError, Position};

/// The longest statement that is read. APOC's hold twenty rows; a text that goes on for so long has
/// lost a quotation mark or a semicolon, and must not fill the memory.
const MAX_STATEMENT: usize = 64 * 1024 * 1024;

/// One piece of an export, and where it begins.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) kind: PieceKind,
    pub(crate) text: String,
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
}

impl<R: BufRead> StatementReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, at: Position::START }
    }

    /// Where the next byte stands; after the last piece, the end of the text.
    pub(crate) fn position(&self) -> Position {
        self.at
    }

    /// The next piece, or `None` at the end of the text.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, ExportError> {
        let mut text = Vec::new();
        let mut start = self.at;
        let mut inside = Inside::Gap;
        loop {
            let chunk = match self.inner.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failed(error)),
            };
            if chunk.is_empty() {
                return self.end(inside, text, start);
            }
            let mut used = 0;
            let mut finished = false;
            while used < chunk.len() && !finished {
                let run = inside.uneventful(&chunk[used..]);
                if run > 0 {
                    let bytes = &chunk[used..used + run];
                    self.at = self.at.advance_over(bytes);
                    if !matches!(inside, Inside::Gap) {
                        text.extend_from_slice(bytes);
                    }
                    used += run;
                    continue;
                }
                let byte = chunk[used];
                let next = inside.after(byte);
                // What stands in a gap is no part of the statement that follows.
                if inside == Inside::Gap {
                    text.clear();
                    start = self.at;
                }
                finished = matches!((inside, byte), (Inside::Gap | Inside::Code, b';'))
                    || (inside == Inside::Command && byte == b'\n');
                if !finished {
                    text.push(byte);
                }
                self.at.advance(byte);
                used += 1;
                if finished && inside == Inside::Gap {
                    finished = false; // an empty statement
                    continue;
                }
                if !finished {
                    inside = next;
                }
            }
            self.inner.consume(used);
            if finished {
                let command = inside == Inside::Command;
                let kind = if command { PieceKind::Command } else { PieceKind::Statement };
                return piece(kind, text, start).map(Some);
            }
            if text.len() > MAX_STATEMENT {
                return Err(start.syntax("the statement that begins here goes on for over 64 MiB"));
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

    fn end(&self, inside: Inside, text: Vec<u8>, start: Position) -> Result<Option<Piece>, ExportError> {
        let what = match inside {
            Inside::Gap | Inside::LineComment { gap: true } => return Ok(None),
            Inside::Command => return piece(PieceKind::UnendedCommand, text, start).map(Some),
            Inside::BlockComment { .. } => "a comment",
            Inside::String(_) | Inside::Escape(_) => "a string",
            Inside::Backticks => "a name in backticks",
            Inside::Code | Inside::Slash { .. } | Inside::LineComment { .. } => "a statement",
        };
        Err(self.at.cut(format!("the text ends inside {what}; the statement begins at line {}", start.line)))
    }
}

fn piece(kind: PieceKind, text: Vec<u8>, start: Position) -> Result<Piece, ExportError> {
    match String::from_utf8(text) {
        Ok(text) => Ok(Piece { kind, text, start }),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let at = start.advance_over(&error.as_bytes()[..valid]);
            Err(at.syntax("the text is not UTF-8"))
        }
    }
}

impl Inside {
    /// How many bytes from the beginning of `bytes` change nothing.
    fn uneventful(self, bytes: &[u8]) -> usize {
        let event = match self {
            Self::Gap => bytes.iter().position(|&b| !is_blank(b)),
            Self::Code => bytes.iter().position(|&b| matches!(b, b';' | b'"' | b'\'' | b'`' | b'/')),
            Self::String(quote) => bytes.iter().position(|&b| b == quote || b == b'\\'),
            Self::Backticks => bytes.iter().position(|&b| b == b'`'),
            Self::LineComment { .. } | Self::Command => bytes.iter().position(|&b| b == b'\n'),
            Self::BlockComment { .. } | Self::Slash { .. } | Self::Escape(_) => Some(0),
        };
        event.unwrap_or(bytes.len())
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
            Self::Slash { gap } => match byte {
                b'/' => Self::LineComment { gap },
                b'*' => Self::BlockComment { gap, star: false },
                _ => Self::Code.after(byte),
            },
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
            pieces.push((piece.kind, piece.text, piece.start.line));
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
