//! Typed Cypher values, read from literals.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::lexer::{LexResult, Lexer};

/// How deep lists, maps and calls may nest. Properties hold lists of plain values, so anything
/// deep is damage; the limit keeps a damaged file from exhausting the stack.
const MAX_DEPTH: u32 = 64;

/// What a list's element, and a map that is not empty, take in memory at most, entries included.
const ELEMENT: usize = 2 * size_of::<CypherValue>();
const MAP: usize = 1024;

/// A value as an export holds it. `Display` writes it as a Cypher literal, `FromStr` reads one.
#[derive(Debug, Clone, PartialEq)]
pub enum CypherValue {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `42`, `-1`, `0x2A`
    Integer(i64),
    /// `1.0E-7`, `NaN`, `-Infinity`
    Float(f64),
    /// `"text"`, escapes undone
    String(String),
    /// `[1, 2]`
    List(Vec<CypherValue>),
    /// `{key: value}`
    Map(BTreeMap<String, CypherValue>),
    /// A value without a literal of its own, such as `date('2024-01-02')` or `point({x: 1.5, y: 2.5})`.
    Call {
        /// The function's name, dots included, as written.
        name: String,
        /// Its arguments.
        args: Vec<CypherValue>,
    },
}

impl CypherValue {
    /// The text, when this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when this is an integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// True for a value that needs no function of the server to exist: no [`Call`](Self::Call)
    /// anywhere in it. Such a value can be sent as a parameter.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Call { .. } => false,
            Self::List(values) => values.iter().all(Self::is_plain),
            Self::Map(values) => values.values().all(Self::is_plain),
            _ => true,
        }
    }
}

impl From<&str> for CypherValue {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for CypherValue {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<i64> for CypherValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for CypherValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for CypherValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A text that is no Cypher literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a Cypher literal, at byte {offset}: {what}")]
pub struct NotALiteral {
    /// Byte offset of what is wrong.
    pub offset: usize,
    /// What is wrong.
    pub what: String,
}

impl FromStr for CypherValue {
    type Err = NotALiteral;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut lexer = Lexer::new(text);
        let value = take_value(&mut lexer)
            .and_then(|value| if lexer.at_end() { Ok(value) } else { lexer.error("nothing more is expected here") });
        value.map_err(|error| NotALiteral { offset: error.offset, what: error.what })
    }
}

pub(crate) fn take_value(lexer: &mut Lexer<'_>) -> LexResult<CypherValue> {
    take_nested(lexer, 0)
}

pub(crate) fn take_nested(lexer: &mut Lexer<'_>, depth: u32) -> LexResult<CypherValue> {
    if depth > MAX_DEPTH {
        return lexer.error("values are nested too deep");
    }
    match lexer.peek() {
        Some(b'"' | b'\'') => Ok(CypherValue::String(lexer.take_string()?.into_owned())),
        Some(b'[') => {
            lexer.expect(b'[')?;
            Ok(CypherValue::List(take_until(lexer, b']', depth)?))
        }
        Some(b'{') => Ok(CypherValue::Map(take_map(lexer, depth)?)),
        Some(b'0'..=b'9' | b'.') => take_number(lexer, false),
        Some(b'-') => {
            lexer.expect(b'-')?;
            if take_infinity(lexer) {
                return Ok(CypherValue::Float(f64::NEG_INFINITY));
            }
            take_number(lexer, true)
        }
        Some(_) => take_named(lexer, depth),
        None => lexer.error("a value is expected here"),
    }
}

/// The values up to `close`, which is taken.
fn take_until(lexer: &mut Lexer<'_>, close: u8, depth: u32) -> LexResult<Vec<CypherValue>> {
    let mut values = Vec::new();
    if lexer.take(close) {
        return Ok(values);
    }
    loop {
        lexer.spend(ELEMENT)?;
        values.push(take_nested(lexer, depth + 1)?);
        if !lexer.take(b',') {
            lexer.expect(close)?;
            return Ok(values);
        }
    }
}

fn take_map(lexer: &mut Lexer<'_>, depth: u32) -> LexResult<BTreeMap<String, CypherValue>> {
    lexer.expect(b'{')?;
    let mut map = BTreeMap::new();
    if lexer.take(b'}') {
        return Ok(map);
    }
    lexer.spend(MAP)?;
    loop {
        lexer.spend(ELEMENT)?;
        lexer.skip_blank();
        let name_at = lexer.clone();
        let key = lexer.take_name()?.into_owned();
        lexer.expect(b':')?;
        if map.insert(key, take_nested(lexer, depth + 1)?).is_some() {
            // No map of an export has a name twice, so one of the two is a damaged one.
            return name_at.error("this name was in the map before");
        }
        if !lexer.take(b',') {
            lexer.expect(b'}')?;
            return Ok(map);
        }
    }
}

fn take_infinity(lexer: &mut Lexer<'_>) -> bool {
    lexer.take_word("Infinity") || lexer.take_word("Inf")
}

fn take_named(lexer: &mut Lexer<'_>, depth: u32) -> LexResult<CypherValue> {
    if lexer.take_word("true") {
        return Ok(CypherValue::Bool(true));
    }
    if lexer.take_word("false") {
        return Ok(CypherValue::Bool(false));
    }
    if lexer.take_word("null") {
        return Ok(CypherValue::Null);
    }
    if lexer.take_word("NaN") {
        return Ok(CypherValue::Float(f64::NAN));
    }
    if take_infinity(lexer) {
        return Ok(CypherValue::Float(f64::INFINITY));
    }
    let mut name = lexer.take_name()?.into_owned();
    while lexer.take(b'.') {
        name.push('.');
        name.push_str(&lexer.take_name()?);
    }
    lexer.expect(b'(')?;
    let args = take_until(lexer, b')', depth)?;
    Ok(CypherValue::Call { name, args })
}

fn take_number(lexer: &mut Lexer<'_>, negative: bool) -> LexResult<CypherValue> {
    let before = lexer.clone();
    let digits = lexer.take_number();
    let value = match digits.get(..2) {
        Some("0x" | "0X") => integer(negative, &digits[2..], 16),
        Some("0o" | "0O") => integer(negative, &digits[2..], 8),
        _ if digits.bytes().all(|b| b.is_ascii_digit()) => integer(negative, digits, 10),
        // Rust's parser also knows words and a leading sign: only what begins like a number may pass.
        _ if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            let parsed: Option<f64> = digits.parse().ok().filter(|number: &f64| number.is_finite());
            parsed.map(|number| CypherValue::Float(if negative { -number } else { number }))
        }
        _ => None,
    };
    match value {
        Some(value) => Ok(value),
        None => before.error("this is no number, or one too large"),
    }
}

fn integer(negative: bool, digits: &str, base: u32) -> Option<CypherValue> {
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    // The smallest integer has no positive counterpart.
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = i64::try_from(if negative { -number } else { number }).ok()?;
    Some(CypherValue::Integer(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> CypherValue {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn reads_every_kind_of_literal() {
        assert_eq!(read("null"), CypherValue::Null);
        assert_eq!(read(" TRUE "), CypherValue::Bool(true));
        assert_eq!(read("-9223372036854775808"), CypherValue::Integer(i64::MIN));
        assert_eq!(read("0x1F"), CypherValue::Integer(31));
        assert_eq!(read("0o17"), CypherValue::Integer(15));
        assert_eq!(read("1.0E-7"), CypherValue::Float(1e-7));
        assert_eq!(read("1e+22"), CypherValue::Float(1e22));
        assert_eq!(read("-Infinity"), CypherValue::Float(f64::NEG_INFINITY));
        assert!(matches!(read("NaN"), CypherValue::Float(number) if number.is_nan()));
        assert_eq!(read(r#"'it\'s \"x\" \\ \u0041\uD83D\uDE42\n'"#), CypherValue::from("it's \"x\" \\ A🙂\n"));
        assert_eq!(read("[1, /* two */ 'b'] // end"), CypherValue::List(vec![1.into(), "b".into()]));
        assert_eq!(
            read("point({x: 1.5, `odd ``key`: [ ]})"),
            CypherValue::Call {
                name: "point".into(),
                args: vec![CypherValue::Map(BTreeMap::from([
                    ("x".into(), 1.5.into()),
                    ("odd `key".into(), CypherValue::List(vec![])),
                ]))],
            }
        );
        assert!(!read("[date('2024-01-02')]").is_plain());
        assert_eq!(read("datetime.truncate('day')").to_string(), "datetime.truncate(\"day\")");
    }

    /// Found by fuzzing.
    #[test]
    fn a_function_named_like_a_value_is_written_as_a_name() {
        for text in ["`true..w..w\"6w`()", "`Null`()", "`inf`.x(NaN)", "``()"] {
            let value = read(text);
            assert!(matches!(value, CypherValue::Call { .. }), "{text}");
            assert_eq!(read(&value.to_string()).to_string(), value.to_string(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_literal() {
        for text in [
            "",
            "[1",
            "{a 1}",
            "\"open",
            "'\\q'",
            "'\\uD83D'",
            "1.2.3",
            "99999999999999999999",
            "1e999",
            "--1",
            "0x",
            "name",
            "1 2",
            "[1,]",
            "`open",
            "0x-1",
            "1_000",
            "'\\u12'",
            "nanny",
        ] {
            assert!(text.parse::<CypherValue>().is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(deep.parse::<CypherValue>().is_err());
    }

    /// Any value, nasty strings and names first among them. No NaN: it equals nothing.
    pub(crate) fn any_value() -> impl Strategy<Value = CypherValue> {
        let nasty = prop_oneof![
            any::<String>(),
            r#"["'`\\;:/*\n\r\t u0041{}$-]{0,12}"#,
            Just(":commit\n;`\\u0060\u{0}\u{7f}\u{2028}".to_owned()),
        ];
        let leaf = prop_oneof![
            Just(CypherValue::Null),
            any::<bool>().prop_map(CypherValue::Bool),
            any::<i64>().prop_map(CypherValue::Integer),
            any::<f64>().prop_filter("NaN", |n| !n.is_nan()).prop_map(CypherValue::Float),
            nasty.clone().prop_map(CypherValue::String),
        ];
        leaf.prop_recursive(3, 24, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(CypherValue::List),
                prop::collection::btree_map(nasty.clone(), inner.clone(), 0..5).prop_map(CypherValue::Map),
                (
                    prop_oneof!["[a-z]{1,8}(\\.[a-z]{1,8})?", "(true|Null|inf|NAN|`)(\\.[a-z`]{0,2}){0,2}"],
                    prop::collection::vec(inner, 0..3)
                )
                    .prop_map(|(name, args)| CypherValue::Call { name, args }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_written_value_is_read_back(value in any_value()) {
            prop_assert_eq!(read(&value.to_string()), value);
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = text.parse::<CypherValue>();
        }

        #[test]
        fn text_of_tokens_never_panics(text in r#"([\[\]{}(),:.'"`\\/*e0-9x-]|u00|NaN|é){0,30}"#) {
            let _ = text.parse::<CypherValue>();
        }
    }
}
