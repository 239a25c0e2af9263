//! The rows of an `UNWIND`: maps of few fields, read without building a map for each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::lexer::{LexResult, Lexer};
use super::values::{CypherValue, take_nested, take_value};

/// The field of all properties that are not part of a key.
pub(crate) const PROPERTIES: &str = "properties";
/// What a row or a flat map takes in memory at most, its fields not counted, and what each field does.
const ROW: usize = 256;
const FIELD: usize = 2 * size_of::<(Cow<'_, str>, Field<'_>)>();
/// The most fields of a row: each is compared with those before it, and exports need a handful.
const MAX_FIELDS: usize = 256;

/// The entries of a map in the text's order.
type Entries<'a, V> = Vec<(Cow<'a, str>, V)>;

/// One row. Values are taken out of it.
pub(crate) struct Row<'a> {
    fields: Entries<'a, Field<'a>>,
}

enum Field<'a> {
    Value(CypherValue),
    /// A map, such as the key of a relationship's end.
    Map(Entries<'a, CypherValue>),
}

impl Row<'_> {
    /// The row's properties; an empty map when it has none, `None` when they are no map.
    pub(crate) fn take_properties(&mut self) -> Option<BTreeMap<String, CypherValue>> {
        match take(&mut self.fields, PROPERTIES) {
            None => Some(BTreeMap::new()),
            Some(Field::Value(CypherValue::Map(properties))) => Some(properties),
            Some(_) => None,
        }
    }

    /// The value of `row.field` or `row.within.field`.
    pub(crate) fn take_value(&mut self, within: Option<&str>, field: &str) -> Option<CypherValue> {
        let Some(within) = within else {
            return match take(&mut self.fields, field)? {
                Field::Value(value) => Some(value),
                Field::Map(entries) => {
                    Some(CypherValue::Map(entries.into_iter().map(|(key, value)| (key.into_owned(), value)).collect()))
                }
            };
        };
        self.fields.iter_mut().find(|(name, _)| name == within).and_then(|(_, map)| match map {
            Field::Map(entries) => take(entries, field),
            Field::Value(_) => None,
        })
    }
}

fn take<V>(entries: &mut Entries<'_, V>, name: &str) -> Option<V> {
    let index = entries.iter().position(|(own, _)| own == name)?;
    Some(entries.swap_remove(index).1)
}

/// The rows of a list. `None` when it holds anything but maps.
pub(crate) fn take_rows<'a>(lexer: &mut Lexer<'a>) -> LexResult<Option<Vec<Row<'a>>>> {
    let list = lexer.clone();
    lexer.expect(b'[')?;
    let mut rows = Vec::new();
    if lexer.take(b']') {
        return Ok(Some(rows));
    }
    loop {
        if lexer.peek() != Some(b'{') {
            // No rows, but it must be a list of some kind all the same.
            drop(rows);
            *lexer = list;
            take_value(lexer)?;
            return Ok(None);
        }
        lexer.spend(ROW)?;
        rows.push(Row { fields: take_entries(lexer, take_field)? });
        if !lexer.take(b',') {
            lexer.expect(b']')?;
            return Ok(Some(rows));
        }
    }
}

fn take_field<'a>(lexer: &mut Lexer<'a>, name: &str) -> LexResult<Field<'a>> {
    if name == PROPERTIES || lexer.peek() != Some(b'{') {
        return Ok(Field::Value(take_nested(lexer, 2)?));
    }
    lexer.spend(ROW)?;
    Ok(Field::Map(take_entries(lexer, |lexer, _| take_nested(lexer, 3))?))
}

fn take_entries<'a, V>(
    lexer: &mut Lexer<'a>,
    take_value: impl Fn(&mut Lexer<'a>, &str) -> LexResult<V>,
) -> LexResult<Entries<'a, V>> {
    lexer.expect(b'{')?;
    let mut entries: Entries<'a, V> = Vec::new();
    if lexer.take(b'}') {
        return Ok(entries);
    }
    loop {
        lexer.spend(FIELD)?;
        lexer.skip_blank();
        let name_at = lexer.clone();
        let name = lexer.take_name()?;
        lexer.expect(b':')?;
        if entries.len() == MAX_FIELDS {
            return name_at.error("a row of an export does not have so many fields");
        }
        // As in every map of an export: a name that comes twice is a damaged one.
        if entries.iter().any(|(earlier, _)| *earlier == name) {
            return name_at.error("this name was in the map before");
        }
        let value = take_value(lexer, &name)?;
        entries.push((name, value));
        if !lexer.take(b',') {
            lexer.expect(b'}')?;
            return Ok(entries);
        }
    }
}
