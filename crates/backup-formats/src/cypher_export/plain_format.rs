//! Undoing cypher-shell's `--format plain`, and telling the forms of an export apart.

use std::io::{self, BufRead, Read};

use super::ExportForm;

/// Gives the text inside cypher-shell's plain output: a header line, then each row in double
/// quotes, in which **only** `"` became `\"`. Backslashes, newlines and everything else stay as they
/// are, so exactly that is undone. Rows are joined: APOC gives a new one every 20,000 nodes or
/// relationships.
///
/// A text whose closing quote is missing ends in [`io::ErrorKind::UnexpectedEof`], anything but a row
/// after it in [`io::ErrorKind::InvalidData`].
#[derive(Debug)]
pub struct PlainFormatReader<R> {
    inner: R,
    state: State,
    /// The last byte given, to keep two rows apart.
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the start of a file: perhaps a header line comes first.
    Start,
    Header,
    /// Outside quotes.
    Between,
    /// A row has begun, but a newline is owed before it.
    OwesNewline,
    Text,
    /// In a row, behind a backslash that was not given yet.
    Backslash,
}

impl<R: BufRead> PlainFormatReader<R> {
    /// Reads a whole output, with its header line or without.
    pub fn new(inner: R) -> Self {
        Self::starting(inner, State::Start)
    }

    /// Reads an output of which everything up to some place inside the first row is gone, as
    /// HybridFlow's backup script leaves it.
    pub fn inside_first_row(inner: R) -> Self {
        Self::starting(inner, State::Text)
    }

    fn starting(inner: R, state: State) -> Self {
        Self { inner, state, last: b'\n' }
    }
}

impl State {
    /// Turns a piece of the file into text. Both slices must not be empty. Gives the state after it,
    /// the bytes used of `input`, and the bytes written to `out`.
    fn step(self, last: u8, input: &[u8], out: &mut [u8]) -> io::Result<(Self, usize, usize)> {
        let first = input[0];
        Ok(match self {
            Self::Start if first == b'"' => (Self::Text, 1, 0),
            Self::Start if first.is_ascii_whitespace() => (Self::Start, 1, 0),
            Self::Start | Self::Header => match memchr::memchr(b'\n', input) {
                Some(end) => (Self::Between, end + 1, 0),
                None => (Self::Header, input.len(), 0),
            },
            Self::Between if first == b'"' && last == b'\n' => (Self::Text, 1, 0),
            Self::Between if first == b'"' => (Self::OwesNewline, 1, 0),
            Self::Between if first.is_ascii_whitespace() => (Self::Between, 1, 0),
            Self::Between => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "text stands outside the quotation marks of cypher-shell's plain output",
                ));
            }
            Self::OwesNewline => {
                out[0] = b'\n';
                (Self::Text, 0, 1)
            }
            Self::Text if first == b'"' => (Self::Between, 1, 0),
            Self::Text if first == b'\\' => (Self::Backslash, 1, 0),
            Self::Text => {
                let room = input.len().min(out.len());
                let run = memchr::memchr2(b'"', b'\\', &input[..room]).unwrap_or(room);
                out[..run].copy_from_slice(&input[..run]);
                (Self::Text, run, run)
            }
            Self::Backslash if first == b'"' => {
                out[0] = b'"';
                (Self::Text, 1, 1)
            }
            Self::Backslash => {
                out[0] = b'\\';
                (Self::Text, 0, 1)
            }
        })
    }
}

impl<R: BufRead> Read for PlainFormatReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < buf.len() {
            let input = match self.inner.fill_buf() {
                Ok(input) => input,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // What was written must be given first; the error comes again with the next call.
                Err(_) if written > 0 => break,
                Err(error) => return Err(error),
            };
            if input.is_empty() {
                let whole = self.state == State::Between;
                if whole || written > 0 {
                    break;
                }
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the closing quotation mark of cypher-shell's plain output is missing",
                ));
            }
            let out = &mut buf[written..];
            let (state, used, given) = match self.state.step(self.last, input, out) {
                Ok(step) => step,
                Err(_) if written > 0 => break,
                Err(error) => return Err(error),
            };
            if let Some(&last) = out[..given].last() {
                self.last = last;
            }
            self.state = state;
            self.inner.consume(used);
            written += given;
        }
        Ok(written)
    }
}

/// Tells the form from the beginning of a file.
///
/// In Cypher text the first double quote of a file opens a string, so it has no backslash before it;
/// in cypher-shell's plain output every one inside the text has.
pub(crate) fn detect_form(head: &[u8]) -> ExportForm {
    let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
    let text = head.trim_ascii_start();
    let Some(quote) = text.iter().position(|&b| b == b'"') else {
        // Too few statements to hold a string. An export begins with a command; where that was cut off, a
        // statement or the `:commit` behind it comes first, and the closing quotation mark is missing too.
        let cut_off = !text.starts_with(b":") && !text.is_empty() || text.starts_with(b":commit");
        return if cut_off { ExportForm::HybridFlowScript } else { ExportForm::CypherShell };
    };
    if quote == 0 || is_header(&text[..quote]) {
        return ExportForm::PlainFormat;
    }
    // What still has its `:begin` went through no script, whatever a name in its schema looks like.
    if text.starts_with(b":begin") {
        return ExportForm::CypherShell;
    }
    // A row may end before the first string, with a quotation mark alone on its line; a string of an
    // export never goes on over a line's end.
    let after = &text[quote + 1..];
    let ends_row = text[quote - 1] == b'\n' && (after.is_empty() || after.starts_with(b"\n"));
    if text[quote - 1] == b'\\' || ends_row { ExportForm::HybridFlowScript } else { ExportForm::CypherShell }
}

/// A single line of column names.
fn is_header(before: &[u8]) -> bool {
    let Some(line) = before.strip_suffix(b"\n") else {
        return false;
    };
    !line.iter().any(|&b| matches!(b, b'\n' | b';' | b':' | b'('))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn undo(text: &str) -> io::Result<String> {
        let mut out = String::new();
        // A small buffer, so that escapes fall on its edges.
        let reader = io::BufReader::with_capacity(3, text.as_bytes());
        PlainFormatReader::new(reader).read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn undoes_only_the_quotation_marks() {
        assert_eq!(undo("cypherStatements\n\"a\\\\n \\\" b\\\\\"\n\"\n").unwrap(), "a\\\\n \" b\\\"\n");
        assert_eq!(undo("\"one\"\n\"two\"").unwrap(), "one\ntwo");
        assert_eq!(undo("h\n\"one\n\"\n\"two\n\"\n").unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_missing_end_and_text_outside_are_errors() {
        for cut in ["", "head", "head\n", "head\n\"", "\"a\\", "\"a\\\""] {
            let error = undo(cut).err().map(|error| error.kind());
            // After the header alone nothing is open: the statements' reader finds it empty.
            let expected = (cut != "head\n").then_some(io::ErrorKind::UnexpectedEof);
            assert_eq!(error, expected, "{cut:?}");
        }
        let kind = undo("\"a\" b").err().map(|error| error.kind());
        assert_eq!(kind, Some(io::ErrorKind::InvalidData));
    }

    #[test]
    fn tells_the_forms_apart() {
        let cases = [
            (":begin\nCREATE (n {a:\"x\"});", ExportForm::CypherShell),
            (":be", ExportForm::CypherShell),
            // Found by fuzzing: a backslash before the first quotation mark of a name.
            (":begin\nCREATE CONSTRAINT `a\\\"b` FOR", ExportForm::CypherShell),
            ("", ExportForm::CypherShell),
            (":param rows => [1]\nUNWIND $rows AS row RETURN row;", ExportForm::CypherShell),
            // An export without any constraint or index: only the temporary one was there to be cut off.
            (":commit\nCALL db.awaitIndexes(300);\n:begin\n", ExportForm::HybridFlowScript),
            (":commit\nCALL db.awaitIndexes(300);\n:begin\nUNWIND [{a:\\\"x\\\"}]", ExportForm::HybridFlowScript),
            ("cypherStatements\n\":begin\nCREATE", ExportForm::PlainFormat),
            ("\":begin\nCREATE", ExportForm::PlainFormat),
            ("CREATE INDEX x;\n:commit\nUNWIND [{a:\\\"x\\\"}]", ExportForm::HybridFlowScript),
            ("CREATE INDEX x;\n:commit\n\"\n", ExportForm::HybridFlowScript),
            ("CREATE INDEX x;\n:commit\n\"\n\":begin\nUNWIND [{a:\\\"x\\\"}]", ExportForm::HybridFlowScript),
            ("CREATE INDEX x;\n", ExportForm::HybridFlowScript),
            ("CREATE (n {a:\"x\"});", ExportForm::CypherShell),
        ];
        for (head, form) in cases {
            assert_eq!(detect_form(head.as_bytes()), form, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn what_the_shell_does_is_undone(text in r#"["\\\na;é]{0,40}"#) {
            // Every row of an export ends in a newline; a backslash there could not be told from one
            // that belongs to the closing quotation mark.
            let text = format!("{text}\n");
            let plain = format!("cypherStatements\n\"{}\"\n", text.replace('"', "\\\""));
            prop_assert_eq!(undo(&plain).unwrap(), text);
        }
    }
}
