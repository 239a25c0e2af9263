//! Values on their way between the server and an export.
//!
//! What has no literal (dates, durations, points, lists of them) never passes through a type of the driver: the
//! server writes it as text and reads it from text. So nothing depends on what the driver can hold.

use std::collections::BTreeMap;

use backup_formats::cypher_export::{CypherValue, quote_name};
use neo4rs::{BoltMap, BoltNull, BoltType};

/// A property as the server sent it.
pub(super) enum Received {
    Plain(CypherValue),
    /// The server is asked for its text, or for that of each member.
    AsText {
        function: &'static str,
        is_list: bool,
    },
}

/// `Err`: a type that no property has.
pub(super) fn received(value: BoltType) -> Result<Received, String> {
    if let Some(function) = function_of(&value) {
        return Ok(Received::AsText { function, is_list: false });
    }
    if let BoltType::List(list) = &value
        && let Some(function) = list.value.first().and_then(function_of)
    {
        return Ok(Received::AsText { function, is_list: true });
    }
    plain(value).map(Received::Plain)
}

fn function_of(value: &BoltType) -> Option<&'static str> {
    Some(match value {
        BoltType::Date(_) => "date",
        BoltType::Time(_) => "time",
        BoltType::LocalTime(_) => "localtime",
        BoltType::DateTime(_) | BoltType::DateTimeZoneId(_) => "datetime",
        BoltType::LocalDateTime(_) => "localdatetime",
        BoltType::Duration(_) => "duration",
        BoltType::Point2D(_) | BoltType::Point3D(_) => "point",
        _ => return None,
    })
}

fn plain(value: BoltType) -> Result<CypherValue, String> {
    Ok(match value {
        BoltType::Null(_) => CypherValue::Null,
        BoltType::Boolean(truth) => CypherValue::Bool(truth.value),
        BoltType::Integer(number) => CypherValue::Integer(number.value),
        BoltType::Float(number) => CypherValue::Float(number.value),
        BoltType::String(text) => CypherValue::String(text.value),
        BoltType::List(list) => CypherValue::List(list.value.into_iter().map(plain).collect::<Result<_, _>>()?),
        // Cypher has no literal for them; as APOC does, they become a list of numbers from -128 to 127.
        BoltType::Bytes(bytes) => {
            CypherValue::List(bytes.value.iter().map(|byte| i64::from(byte.cast_signed()).into()).collect())
        }
        other => return Err(format!("a property of a type that is not known: {other:?}")),
    })
}

/// The value whose text the server gave.
pub(super) fn from_text(function: &'static str, text: String) -> Result<CypherValue, String> {
    if function == "point" {
        // The server writes a point as the call that makes it.
        return match text.parse() {
            Ok(value @ CypherValue::Call { .. }) => Ok(value),
            _ => Err(format!("a point was written as {text}")),
        };
    }
    Ok(CypherValue::Call { name: function.to_owned(), args: vec![text.into()] })
}

/// Properties that the server must make by a function, by name: the function, and whether it makes a list of them.
/// Rows of equal calls share a statement.
pub(super) type Calls = BTreeMap<String, (String, bool)>;

/// A row's properties, ready to be sent: plain ones, the arguments of the others, and what these become.
pub(super) struct Prepared {
    pub(super) properties: BoltMap,
    pub(super) arguments: BoltMap,
    pub(super) calls: Calls,
}

pub(super) fn prepare(values: BTreeMap<String, CypherValue>) -> Prepared {
    let mut prepared = Prepared {
        properties: BoltMap::with_capacity(values.len()),
        arguments: BoltMap::default(),
        calls: Calls::new(),
    };
    for (name, value) in values {
        let called = match &value {
            CypherValue::Call { name, .. } => Some((name.clone(), false)),
            CypherValue::List(values) => match values.first() {
                Some(CypherValue::Call { name, .. }) => Some((name.clone(), true)),
                _ => None,
            },
            _ => None,
        };
        match called {
            Some(call) => {
                prepared.arguments.put(name.as_str().into(), bolt(value));
                prepared.calls.insert(name, call);
            }
            None => prepared.properties.put(name.as_str().into(), bolt(value)),
        }
    }
    prepared
}

/// The text that sets what [`prepare`] took apart, on `variable` from `row.properties` and `row.arguments`.
pub(super) fn set_clause(variable: &str, calls: &Calls) -> String {
    let mut text = format!("SET {variable} = row.properties");
    for (property, (function, is_list)) in calls {
        let property = quote_name(property);
        let made = if *is_list {
            format!("[x IN row.arguments.{property} | {function}(x)]")
        } else {
            format!("{function}(row.arguments.{property})")
        };
        text.push_str(&format!(", {variable}.{property} = {made}"));
    }
    text
}

/// A call is stood in for by its argument.
fn bolt(value: CypherValue) -> BoltType {
    match value {
        CypherValue::Null => BoltType::Null(BoltNull),
        CypherValue::Bool(truth) => truth.into(),
        CypherValue::Integer(number) => number.into(),
        CypherValue::Float(number) => number.into(),
        CypherValue::String(text) => text.into(),
        CypherValue::List(values) => values.into_iter().map(bolt).collect(),
        CypherValue::Map(map) => {
            BoltType::Map(map.into_iter().map(|(key, value)| (key.as_str().into(), bolt(value))).collect())
        }
        CypherValue::Call { args, .. } => args.into_iter().next().map_or(BoltType::Null(BoltNull), bolt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_literal_is_made_by_the_server_from_bound_arguments() {
        let values = [
            ("born".to_owned(), "date('2024-01-02')".parse().unwrap()),
            ("odd `name".to_owned(), "[point({x: 1, y: 2})]".parse().unwrap()),
            ("text".to_owned(), "it's".into()),
        ];
        let prepared = prepare(values.into());
        assert_eq!(
            set_clause("n", &prepared.calls),
            "SET n = row.properties, n.born = date(row.arguments.born), \
             n.`odd ``name` = [x IN row.arguments.`odd ``name` | point(x)]"
        );
        assert_eq!((prepared.properties.len(), prepared.arguments.len()), (1, 2));
    }
}
