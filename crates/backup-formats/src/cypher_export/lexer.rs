//! The tokens of one Cypher statement, read straight from its text.

use std::borrow::Cow;

/// Something in a statement that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LexError {
    /// Byte offset in the statement's text.
    pub(crate) offset: usize,
    pub(crate) what: String,
}

pub(crate) type LexResult<T> = Result<T, LexError>;

/// What the values of one statement may take in memory, texts not counted: those are in the statement
/// once. Some texts of two bytes become values of a thousand, so the statement's length is no bound.
const ROOM: usize = 24 * 1024 * 1024;

/// A place in the text of one statement. Every `take_*` skips white space and comments first.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    /// Bytes of memory that may still be taken.
    room: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, offset: 0, room: ROOM }
    }

    pub(crate) fn error<T>(&self, what: impl Into<String>) -> LexResult<T> {
        Err(LexError { offset: self.offset, what: what.into() })
    }

    /// Where the next token is looked for.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.offset..).unwrap_or_default()
    }

    /// Counts memory that is about to be taken for a value.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> LexResult<()> {
        match self.room.checked_sub(bytes) {
            Some(room) => {
                self.room = room;
                Ok(())
            }
            None => self.error("the statement holds more values than any export puts into one"),
        }
    }

    #[inline]
    pub(crate) fn skip_blank(&mut self) {
        // Nearly always the next token begins here, or behind one space.
        let mut next = self.text.as_bytes().get(self.offset);
        if next == Some(&b' ') {
            self.offset += 1;
            next = self.text.as_bytes().get(self.offset);
        }
        if next.is_some_and(|&byte| byte <= b' ' || byte == b'/') {
            self.skip_more_blank();
        }
    }

    fn skip_more_blank(&mut self) {
        loop {
            let rest = self.rest();
            match rest {
                [b' ' | b'\n' | b'\t' | b'\r' | 0x0b | 0x0c, ..] => self.offset += 1,
                [b'/', b'/', ..] => {
                    self.offset += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                [b'/', b'*', ..] => {
                    let end = memchr::memmem::find(&rest[2..], b"*/");
                    self.offset += end.map_or(rest.len(), |end| end + 4);
                }
                // White space beyond ASCII does not occur between tokens of an export.
                _ => return,
            }
        }
    }

    /// The next byte that is no white space, not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip_blank();
        self.rest().first().copied()
    }

    pub(crate) fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Takes `byte` when it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.offset += 1;
        }
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> LexResult<()> {
        if self.take(byte) {
            return Ok(());
        }
        self.error(format!("`{}` is expected here", char::from(byte)))
    }

    /// Takes a word of any case when it is next and not part of a longer one.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.skip_blank();
        let rest = self.rest();
        let Some(candidate) = rest.get(..word.len()) else {
            return false;
        };
        let goes_on = rest.get(word.len()).is_some_and(|&b| is_name_byte(b));
        let found = candidate.eq_ignore_ascii_case(word.as_bytes()) && !goes_on;
        if found {
            self.offset += word.len();
        }
        found
    }

    /// A name: plain, or in backticks.
    pub(crate) fn take_name(&mut self) -> LexResult<Cow<'a, str>> {
        if self.peek() == Some(b'`') {
            return self.take_quoted_name();
        }
        let rest = self.rest();
        let length = rest.iter().position(|&b| !is_name_byte(b)).unwrap_or(rest.len());
        if length == 0 || rest[0].is_ascii_digit() {
            return self.error("a name is expected here");
        }
        let name = &self.text[self.offset..self.offset + length];
        self.offset += length;
        Ok(Cow::Borrowed(name))
    }

    fn take_quoted_name(&mut self) -> LexResult<Cow<'a, str>> {
        let start = self.offset;
        self.offset += 1;
        let mut name = Cow::Borrowed("");
        loop {
            let rest = self.rest();
            let Some(stop) = memchr::memchr2(b'`', b'\\', rest) else {
                self.offset = start;
                return self.error("a name in backticks does not end");
            };
            push(&mut name, &self.text[self.offset..self.offset + stop]);
            self.offset += stop;
            match &rest[stop..] {
                [b'`', b'`', ..] => {
                    push(&mut name, "`");
                    self.offset += 2;
                }
                [b'`', ..] => {
                    self.offset += 1;
                    return Ok(name);
                }
                [b'\\', b'u', ..] if self.unicode_unit(self.offset + 2).is_some() => {
                    let c = self.take_unicode_escape()?;
                    name.to_mut().push(c);
                }
                // Any other backslash is itself.
                _ => {
                    push(&mut name, "\\");
                    self.offset += 1;
                }
            }
        }
    }

    /// A string in single or double quotes, with its escapes undone.
    pub(crate) fn take_string(&mut self) -> LexResult<Cow<'a, str>> {
        let quote = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return self.error("a string is expected here"),
        };
        let bytes = self.text.as_bytes();
        let start = self.offset + 1;
        let mut end = start;
        let mut escapes = 0;
        // The end first: then the string's own memory is taken once.
        loop {
            match bytes.get(end..).and_then(|rest| memchr::memchr2(quote, b'\\', rest)) {
                None => return self.error("a string does not end"),
                Some(length) if bytes[end + length] == quote => {
                    end += length;
                    break;
                }
                Some(length) => {
                    end += length + 2;
                    escapes += 1;
                }
            }
        }
        if escapes == 0 {
            self.offset = end + 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        let mut value = String::with_capacity(end - start - escapes);
        self.offset = start;
        while let Some(length) = memchr::memchr(b'\\', &bytes[self.offset..end]) {
            value.push_str(&self.text[self.offset..self.offset + length]);
            self.offset += length;
            value.push(self.take_escape()?);
        }
        value.push_str(&self.text[self.offset..end]);
        self.offset = end + 1;
        Ok(Cow::Owned(value))
    }

    fn take_escape(&mut self) -> LexResult<char> {
        let escaped = match self.rest().get(1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&escaped @ (b'\\' | b'"' | b'\'' | b'`')) => char::from(escaped),
            Some(b'u') => return self.take_unicode_escape(),
            _ => return self.error("an unknown escape in a string"),
        };
        self.offset += 2;
        Ok(escaped)
    }

    /// The code unit written as four hexadecimal digits at `offset`.
    fn unicode_unit(&self, offset: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(offset..offset + 4)?;
        digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
    }

    /// `\uXXXX`, or two of them for a character beyond the basic plane.
    fn take_unicode_escape(&mut self) -> LexResult<char> {
        let Some(first) = self.unicode_unit(self.offset + 2) else {
            return self.error("four hexadecimal digits must follow `\\u`");
        };
        if let Some(c) = char::from_u32(first) {
            self.offset += 6;
            return Ok(c);
        }
        let escaped = self.rest().get(6..8) == Some(b"\\u");
        let second = if escaped { self.unicode_unit(self.offset + 8) } else { None };
        let pair = match second {
            Some(second @ 0xDC00..=0xDFFF) if first < 0xDC00 => {
                char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            }
            _ => None,
        };
        match pair {
            Some(c) => {
                self.offset += 12;
                Ok(c)
            }
            None => self.error("half a surrogate pair"),
        }
    }

    /// The characters of a number, sign excluded: digits, letters of a base or an exponent, one dot.
    pub(crate) fn take_number(&mut self) -> &'a str {
        self.skip_blank();
        let rest = self.rest();
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let exponent_sign =
                matches!(byte, b'+' | b'-') && matches!(rest[..length], [.., b'e' | b'E']) && !rest.starts_with(b"0x");
            let dot = byte == b'.' && rest.get(length + 1) != Some(&b'.');
            if !(byte.is_ascii_alphanumeric() || byte == b'_' || dot || exponent_sign) {
                break;
            }
            length += 1;
        }
        let number = &self.text[self.offset..self.offset + length];
        self.offset += length;
        number
    }
}

/// Letters beyond ASCII may stand in a plain name; their bytes are all above 127.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Appends a part of the statement, without a copy while there was nothing before it.
fn push<'a>(to: &mut Cow<'a, str>, part: &'a str) {
    if to.is_empty() {
        *to = Cow::Borrowed(part);
    } else {
        to.to_mut().push_str(part);
    }
}

/// A name as Cypher text: as it is when that is safe, else in backticks with everything in it that
/// could end them, or that the server would decode, escaped.
pub fn quote_name(name: &str) -> Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain {
        return Cow::Borrowed(name);
    }
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('`');
    for c in name.chars() {
        match c {
            '`' => quoted.push_str("``"),
            // The server decodes \uXXXX even here, so a backslash must not stand raw.
            '\\' => quoted.push_str("\\u005C"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('`');
    Cow::Owned(quoted)
}
