//! What a schema holds, and which of it a restore replaces.

use std::collections::BTreeSet;

use rollback::store::{Fault, StoreError};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::cell::Cell;
use super::ddl;
use super::fault::Asked;
use super::shape::{CHAPTERS, LOG, REGISTRY, columns_in, quoted};

/// The database a connection was opened on.
pub(super) const MAIN: &str = "main";
/// The copy attached to it.
pub(super) const COPY: &str = "copy";

/// Kinds of things in a schema, in the order in which they are made: triggers last, so that none fires while rows are
/// copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Table,
    VirtualTable,
    Index,
    View,
    Trigger,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::VirtualTable => "virtual table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        }
    }
}

/// One thing in a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: String,
    /// The table or view it belongs to; of a table or view its own name.
    pub(super) table: String,
    pub(super) sql: String,
}

impl Object {
    /// A table, virtual table or view: what has a name of its own among the tables.
    pub(super) fn is_relation(&self) -> bool {
        matches!(self.kind, Kind::Table | Kind::VirtualTable | Kind::View)
    }
}

/// A schema without SQLite's own tables and the indexes it made by itself.
#[derive(Clone, Debug)]
pub(super) struct Catalog {
    /// In the order of the schema.
    pub(super) objects: Vec<Object>,
    /// The registry's version ids, in lower case.
    pub(super) versions: BTreeSet<String>,
}

impl Catalog {
    pub(super) async fn load(
        connection: &mut SqliteConnection,
        schema: &str,
        asked: &Asked,
    ) -> Result<Self, StoreError> {
        let sql = format!("SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master ORDER BY rowid");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.map_err(|e| asked.sql(e))?;
        let mut objects = Vec::new();
        for row in rows {
            let text = |at: usize| {
                row.try_get::<Option<String>, _>(at).map_err(|_| {
                    asked.fault(Fault::Corrupt, "its schema holds something that is no text; nothing was changed")
                })
            };
            let name = text(1)?.unwrap_or_default();
            if name.to_ascii_lowercase().starts_with("sqlite_") {
                continue;
            }
            let odd =
                |what: &str| asked.fault(Fault::Corrupt, format!("its schema's entry {} is {what}", shown(&name)));
            let sql = text(3)?.ok_or_else(|| odd("without a statement"))?;
            let kind = ddl::makes(&sql).ok_or_else(|| odd("not one CREATE statement"))?;
            let kind_told = text(0)?.unwrap_or_default();
            if kind_told != if kind == Kind::VirtualTable { "table" } else { kind.word() } {
                return Err(odd("not of the kind that its statement makes"));
            }
            objects.push(Object { kind, table: text(2)?.unwrap_or_default(), name, sql });
        }
        let mut versions = BTreeSet::new();
        let registered = objects.iter().any(|o| o.kind == Kind::Table && o.name.eq_ignore_ascii_case(REGISTRY));
        if registered && columns_in(connection, schema, REGISTRY, asked).await?.has("version_id") {
            let sql = format!("SELECT lower(CAST(version_id AS TEXT)) AS id FROM {schema}.{REGISTRY}");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
            for row in rows {
                versions.extend(Cell::read(&row, "id").map_err(|e| asked.sql(e))?.into_text());
            }
        }
        Ok(Self { objects, versions })
    }

    pub(super) fn relation(&self, name: &str) -> Option<&Object> {
        self.objects.iter().find(|o| o.is_relation() && o.name.eq_ignore_ascii_case(name))
    }

    /// The plain tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|o| o.kind == Kind::Table)
    }
}

/// Which tables a restore leaves alone on both sides: the registry and its log, and what is staged or a safety backup.
#[derive(Debug)]
pub(super) struct Kept {
    versions: BTreeSet<String>,
}

impl Kept {
    pub(super) fn of(ours: &Catalog, theirs: &Catalog) -> Self {
        Self { versions: ours.versions.union(&theirs.versions).cloned().collect() }
    }

    /// `chapter_metadata_staging`, `chapter_metadata_latest_copy…` and `chapter_metadata_{version}` are staging and
    /// safety backups. A version is one by either registry, or by the look of its id: rows of old ones may be gone. Any
    /// other table is production, whatever its name begins with.
    pub(super) fn holds(&self, table: &str) -> bool {
        let table = table.to_ascii_lowercase();
        if table == REGISTRY || table == LOG {
            return true;
        }
        let Some(version) = table.strip_prefix(CHAPTERS).and_then(|rest| rest.strip_prefix('_')) else { return false };
        let numbered = |prefix: &str| {
            version.strip_prefix(prefix).is_some_and(|rest| rest.bytes().next().is_some_and(|b| b.is_ascii_digit()))
        };
        version == "staging"
            || numbered("staging")
            || numbered("v")
            || version.starts_with("latest_copy")
            || self.versions.contains(version)
    }
}

/// How a table's rows are read and written so that nothing of them is lost.
#[derive(Clone, Debug)]
pub(super) struct RowForm {
    /// What is read and written, as SQL: the rowid where no column holds it, and every column that is not generated.
    pub(super) columns: String,
    /// An order that is the same for equal tables, as SQL; empty when there is none to name.
    pub(super) order: String,
}

impl RowForm {
    pub(super) async fn load(
        connection: &mut SqliteConnection,
        schema: &str,
        table: &str,
        asked: &Asked,
    ) -> Result<Self, StoreError> {
        let sql = "SELECT name, hidden, pk FROM pragma_table_xinfo(?, ?) ORDER BY cid";
        let columns: Vec<(String, i64, i64)> =
            sqlx::query_as(sql).bind(table).bind(schema).fetch_all(&mut *connection).await.map_err(|e| asked.sql(e))?;
        let (without_rowid, key_index): (bool, bool) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM pragma_table_list(?1) WHERE schema = ?2 AND wr = 1),
                    EXISTS (SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'pk')",
        )
        .bind(table)
        .bind(schema)
        .fetch_one(connection)
        .await
        .map_err(|e| asked.sql(e))?;

        let mut key: Vec<_> = columns.iter().filter(|(_, _, pk)| *pk > 0).collect();
        key.sort_by_key(|(_, _, pk)| *pk);
        let key: Vec<_> = key.into_iter().map(|(name, _, _)| quoted(name)).collect();
        // A primary key of one column that needs no index of its own is the rowid under another name.
        let key_is_rowid = !without_rowid && key.len() == 1 && !key_index;
        let rowid = if without_rowid || key_is_rowid {
            None
        } else {
            let taken = |word: &str| columns.iter().any(|(name, _, _)| name.eq_ignore_ascii_case(word));
            ["rowid", "_rowid_", "oid"].into_iter().find(|word| !taken(word))
        };
        let order = match rowid {
            Some(rowid) => rowid.to_owned(),
            None if without_rowid || key_is_rowid => key.join(", "),
            None => String::new(),
        };
        let stored = columns.iter().filter(|(_, hidden, _)| *hidden == 0).map(|(name, _, _)| quoted(name));
        let columns: Vec<_> = rowid.map(str::to_owned).into_iter().chain(stored).collect();
        Ok(Self { columns: columns.join(", "), order })
    }

    /// All rows of a table of this form.
    pub(super) fn select(&self, schema: &str, table: &str) -> String {
        let order = if self.order.is_empty() { String::new() } else { format!(" ORDER BY {}", self.order) };
        format!("SELECT {} FROM {schema}.{}{order}", self.columns, quoted(table))
    }
}

/// A name in a sentence.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().take(60).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if short.len() < name.len() { format!("{short}…") } else { short }
}
