//! Values of a graph as JSON, without loss.
//!
//! A property is never a map in Neo4j, so an object with one of these keys alone stands for what JSON has no word for.

use std::collections::BTreeMap;

use backup_formats::cypher_export::CypherValue;
use serde_json::{Number, Value, json};

/// `{"$call": ["date", "2024-01-02"]}`: a function's name and its arguments.
const CALL: &str = "$call";
/// `{"$float": "NaN"}`: what JSON's numbers cannot hold.
const FLOAT: &str = "$float";

pub(crate) fn to_json(value: CypherValue) -> Value {
    match value {
        CypherValue::Null => Value::Null,
        CypherValue::Bool(truth) => Value::Bool(truth),
        CypherValue::Integer(number) => number.into(),
        CypherValue::Float(number) => float_to_json(number),
        CypherValue::String(text) => Value::String(text),
        CypherValue::List(values) => values.into_iter().map(to_json).collect(),
        CypherValue::Map(map) => Value::Object(map.into_iter().map(|(key, value)| (key, to_json(value))).collect()),
        CypherValue::Call { name, args } => {
            let call: Vec<Value> = std::iter::once(Value::String(name)).chain(args.into_iter().map(to_json)).collect();
            json!({ CALL: call })
        }
    }
}

/// Reading a number's text back may miss its last bit; then the text itself is kept.
fn float_to_json(number: f64) -> Value {
    let read_back = Number::from_f64(number)
        .and_then(|json| serde_json::from_str::<f64>(&json.to_string()).ok())
        .is_some_and(|read| read.to_bits() == number.to_bits());
    if read_back { json!(number) } else { json!({ FLOAT: format!("{number:?}") }) }
}

pub(crate) fn from_json(value: Value) -> CypherValue {
    match value {
        Value::Null => CypherValue::Null,
        Value::Bool(truth) => CypherValue::Bool(truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => CypherValue::Integer(integer),
            // JSON's numbers without a fraction beyond 64 bits are floats in Cypher too.
            None => CypherValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => CypherValue::String(text),
        Value::Array(values) => CypherValue::List(values.into_iter().map(from_json).collect()),
        Value::Object(map) => from_object(map),
    }
}

fn from_object(mut map: serde_json::Map<String, Value>) -> CypherValue {
    if map.len() == 1 {
        if let Some(float) = map.get(FLOAT).and_then(Value::as_str).and_then(|text| text.parse().ok()) {
            return CypherValue::Float(float);
        }
        if let Some(Value::Array(call)) = map.get_mut(CALL)
            && let [Value::String(name), args @ ..] = call.as_mut_slice()
        {
            let args = args.iter_mut().map(|arg| from_json(arg.take())).collect();
            return CypherValue::Call { name: std::mem::take(name), args };
        }
    }
    CypherValue::Map(cypher_map(map))
}

/// About how many bytes a request takes for these values.
pub(crate) fn weight<'a>(values: impl IntoIterator<Item = &'a CypherValue>) -> usize {
    values
        .into_iter()
        .map(|value| match value {
            CypherValue::String(text) => text.len(),
            CypherValue::List(values) | CypherValue::Call { args: values, .. } => weight(values),
            CypherValue::Map(map) => weight(map.values()),
            _ => 0,
        })
        // A name and a number at the least.
        .fold(0, |sum, bytes| sum + bytes + 16)
}

/// A node's or a relationship's properties as Cypher values.
pub(crate) fn cypher_map(properties: impl IntoIterator<Item = (String, Value)>) -> BTreeMap<String, CypherValue> {
    properties.into_iter().map(|(name, value)| (name, from_json(value))).collect()
}

/// Functions that make a value which has no literal. Each takes what follows as its only argument.
const VALUE_FUNCTIONS: [&str; 7] = ["date", "time", "localtime", "datetime", "localdatetime", "duration", "point"];

/// Says why Neo4j could not hold the value as a property, if so.
pub(crate) fn check_property(value: &CypherValue) -> Result<(), String> {
    match value {
        CypherValue::List(values) => {
            if let Some(odd) = values
                .iter()
                .find(|value| matches!(value, CypherValue::List(_) | CypherValue::Map(_) | CypherValue::Null))
            {
                return Err(format!("a list holds {odd}"));
            }
            if values.windows(2).any(|pair| kind(&pair[0]) != kind(&pair[1])) {
                return Err("a list holds values of several types".to_owned());
            }
            values.iter().try_for_each(check_property)
        }
        CypherValue::Map(_) => Err("a map".to_owned()),
        CypherValue::Call { name, args } => match args.as_slice() {
            [argument] if VALUE_FUNCTIONS.contains(&name.as_str()) && argument.is_plain() => Ok(()),
            _ => Err(format!("{value} is no value known here")),
        },
        _ => Ok(()),
    }
}

fn kind(value: &CypherValue) -> (std::mem::Discriminant<CypherValue>, &str) {
    let function = if let CypherValue::Call { name, .. } = value { name.as_str() } else { "" };
    (std::mem::discriminant(value), function)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(text: &str) {
        let value: CypherValue = text.parse().unwrap();
        let stored = to_json(value.clone()).to_string();
        let back = from_json(serde_json::from_str(&stored).unwrap());
        // As text, because NaN equals nothing.
        assert_eq!(back.to_string(), value.to_string(), "{stored}");
    }

    #[test]
    fn what_json_has_no_word_for_survives() {
        for text in [
            "date('2024-01-02')",
            "[datetime('2024-01-02T03:04:05.000000006+01:00[Europe/Paris]')]",
            "point({x: 1.5, y: -0.0, crs: 'cartesian'})",
            "NaN",
            "-Infinity",
            "[1.0, -0.0, 1.0E22, 1.0E-7]",
            "9223372036854775807",
            "{`$call`: 'not a call', more: 1}",
            "null",
        ] {
            round_trip(text);
        }
    }

    #[test]
    fn only_properties_that_neo4j_holds_are_accepted() {
        let check = |text: &str| check_property(&text.parse::<CypherValue>().unwrap());
        for good in ["1", "[]", "['a', 'b']", "duration('P1D')", "[point({x: 1, y: 2})]", "null"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in
            ["{a: 1}", "[[1]]", "[1, 'a']", "[null]", "apoc.load.json('http://x')", "date()", "date(date('2024'))"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_float_survives(number in any::<f64>()) {
            let back = from_json(serde_json::from_str(&to_json(number.into()).to_string()).unwrap());
            let CypherValue::Float(back) = back else { panic!("{back} is no float") };
            prop_assert!(back.to_bits() == number.to_bits() || back.is_nan() && number.is_nan());
        }
    }
}
