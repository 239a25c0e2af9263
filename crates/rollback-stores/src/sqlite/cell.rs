//! Values as they are, whatever their column promises: SQLite checks no types and no UTF-8.

use rollback_types::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

/// What stands for a NULL where a word is needed.
pub(super) const NONE: &str = "(none)";

/// The longest text of a list, in characters; longer ones are cut.
pub(super) const LONGEST: usize = 2_000;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    /// Bytes that are no UTF-8 were replaced by U+FFFD if `lossy`.
    Text {
        text: String,
        lossy: bool,
    },
    Blob(Vec<u8>),
}

impl Cell {
    pub(super) fn read(row: &SqliteRow, column: &str) -> Result<Self, sqlx::Error> {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        let kind = value.type_info().name().to_owned();
        let decoded = match kind.as_str() {
            "INTEGER" => <i64 as Decode<Sqlite>>::decode(value).map(Self::Integer),
            "REAL" => <f64 as Decode<Sqlite>>::decode(value).map(Self::Real),
            "TEXT" => <&[u8] as Decode<Sqlite>>::decode(value).map(|bytes| {
                let text = String::from_utf8_lossy(bytes);
                Self::Text { lossy: matches!(text, std::borrow::Cow::Owned(_)), text: text.into_owned() }
            }),
            _ => <&[u8] as Decode<Sqlite>>::decode(value).map(|bytes| Self::Blob(bytes.to_vec())),
        };
        decoded.map_err(sqlx::Error::Decode)
    }

    /// As text, `None` for NULL.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(n) => Some(n.to_string()),
            Self::Real(n) => Some(n.to_string()),
            Self::Text { text, .. } => Some(text),
            Self::Blob(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// Reads a row's columns and remembers what was odd.
pub(super) struct Fields<'r> {
    row: &'r SqliteRow,
    pub(super) oddities: Vec<String>,
}

impl<'r> Fields<'r> {
    pub(super) fn new(row: &'r SqliteRow) -> Self {
        Self { row, oddities: Vec::new() }
    }

    /// Text, however it is stored; NULL is `None`, and an oddity if the column promises a value.
    pub(super) fn text(&mut self, column: &str) -> Result<Option<String>, sqlx::Error> {
        let cell = Cell::read(self.row, column)?;
        match &cell {
            Cell::Text { lossy: true, .. } => {
                self.oddities.push(format!("{column} holds bytes that are no UTF-8; they are shown as \u{FFFD}"));
            }
            Cell::Blob(_) => self.oddities.push(format!("{column} holds a blob instead of text")),
            _ => {}
        }
        Ok(cell.into_text())
    }

    /// As [`Self::text`], cut to [`LONGEST`] characters.
    pub(super) fn short_text(&mut self, column: &str) -> Result<Option<String>, sqlx::Error> {
        Ok(self.text(column)?.map(cut))
    }

    /// Text that must be there; what stands for NULL otherwise.
    pub(super) fn required(&mut self, column: &str) -> Result<String, sqlx::Error> {
        Ok(self.text(column)?.unwrap_or_else(|| {
            self.oddities.push(format!("{column} is NULL"));
            NONE.to_owned()
        }))
    }

    pub(super) fn integer(&mut self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        let cell = Cell::read(self.row, column)?;
        Ok(match cell {
            Cell::Null => None,
            Cell::Integer(n) => Some(n),
            other => {
                self.oddities.push(format!("{column} is no whole number: {}", sample(other)));
                None
            }
        })
    }

    /// 0 or 1.
    pub(super) fn flag(&mut self, column: &str) -> Result<Option<bool>, sqlx::Error> {
        let cell = Cell::read(self.row, column)?;
        Ok(match cell {
            Cell::Null => None,
            Cell::Integer(n @ (0 | 1)) => Some(n == 1),
            other => {
                self.oddities.push(format!("{column} is neither 0 nor 1: {}", sample(other)));
                None
            }
        })
    }

    pub(super) fn time(&mut self, column: &str, local_offset_s: i32) -> Result<Option<Timestamp>, sqlx::Error> {
        let cell = Cell::read(self.row, column)?;
        if cell == Cell::Null {
            return Ok(None);
        }
        let read = match &cell {
            Cell::Text { text, .. } => Timestamp::parse_registry(text, local_offset_s),
            _ => None,
        };
        if read.is_none() {
            self.oddities.push(format!("{column} is no time: {}", sample(cell)));
        }
        Ok(read)
    }
}

/// Cuts a text that is too long for a list.
pub(super) fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn sample(cell: Cell) -> String {
    if let Cell::Blob(bytes) = &cell {
        return format!("a blob of {} bytes", bytes.len());
    }
    let text = cell.into_text().unwrap_or_default();
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}
