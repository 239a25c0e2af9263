//! Typed Cypher values, written as literals.

use std::collections::BTreeMap;
use std::fmt;

use super::lexer::quote_name;
use super::values::CypherValue;

/// The words that are values.
const WORDS: [&str; 6] = ["true", "false", "null", "NaN", "Infinity", "Inf"];

impl fmt::Display for CypherValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write_float(f, *number),
            Self::String(text) => write_string(f, text),
            Self::List(values) => {
                f.write_str("[")?;
                write_separated(f, values)?;
                f.write_str("]")
            }
            Self::Map(map) => write_map(f, map),
            Self::Call { name, args } => {
                for (index, part) in name.split('.').enumerate() {
                    match index {
                        // A word of its own would not be read as a name.
                        0 if WORDS.iter().any(|word| word.eq_ignore_ascii_case(part)) => write!(f, "`{part}`")?,
                        0 => f.write_str(&quote_name(part))?,
                        _ => write!(f, ".{}", quote_name(part))?,
                    }
                }
                f.write_str("(")?;
                write_separated(f, args)?;
                f.write_str(")")
            }
        }
    }
}

fn write_separated(f: &mut impl fmt::Write, values: &[CypherValue]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{value}")?;
    }
    Ok(())
}

pub(crate) fn write_map(f: &mut impl fmt::Write, map: &BTreeMap<String, CypherValue>) -> fmt::Result {
    f.write_str("{")?;
    for (index, (key, value)) in map.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{}:{value}", quote_name(key))?;
    }
    f.write_str("}")
}

/// As Java writes a double, because that is what every reader of such files has seen: `1.0E-7`.
fn write_float(f: &mut impl fmt::Write, number: f64) -> fmt::Result {
    if number.is_nan() {
        return f.write_str("NaN");
    }
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let shortest = format!("{number:?}");
    match shortest.split_once('e') {
        Some((mantissa, exponent)) => {
            let dot = if mantissa.contains('.') { "" } else { ".0" };
            write!(f, "{mantissa}{dot}E{exponent}")
        }
        None => f.write_str(&shortest),
    }
}

fn write_string(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    let mut rest = text;
    while let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c.is_ascii_control()) {
        f.write_str(&rest[..stop])?;
        match rest.as_bytes()[stop] {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            other => write!(f, "\\u{other:04X}")?,
        }
        rest = &rest[stop + 1..];
    }
    f.write_str(rest)?;
    f.write_str("\"")
}
