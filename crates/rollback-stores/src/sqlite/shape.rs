//! Which of HybridFlow's layouts a file has, and what of it is missing. Found anew for every call: the file can change.

use std::collections::BTreeMap;

use rollback::store::{Fault, RegistrySchema, StoreError};
use rollback_types::Layout;
use sqlx::{Row, SqliteConnection};

use super::catalog::MAIN;
use super::cell::Cell;
use super::connect::refuse_utf16;
use super::fault::Asked;

pub(super) const REGISTRY: &str = "version_registry";
pub(super) const LOG: &str = "operation_log";
pub(super) const CHAPTERS: &str = "chapter_metadata";

/// The columns of [`CHAPTERS`] that its digest is made of.
pub(super) const DIGESTED: [&str; 3] = ["textbook_id", "chapter_number", "content_hash"];

/// The columns of a table, by lower-case name; true where an INSERT must give a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns(BTreeMap<String, bool>);

impl Columns {
    pub(super) fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// The first of these that exists.
    pub(super) fn first<'a>(&self, candidates: &[&'a str]) -> Option<&'a str> {
        candidates.iter().copied().find(|c| self.has(c))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn lacking(&self, wanted: &[&str]) -> Vec<String> {
        wanted.iter().filter(|c| !self.has(c)).map(|c| (*c).to_owned()).collect()
    }
}

/// How `operation_log` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogForm {
    /// `details`, `created_at`, `completed_at`.
    Specification,
    /// `timestamp`, `system`, `entity_type`, `error_message`, `duration_ms`, `metadata_json`.
    Pipeline,
}

impl LogForm {
    /// Columns without which we cannot write a row that finds itself again.
    fn needed(self) -> &'static [&'static str] {
        match self {
            Self::Specification => &["version_id", "operation_type", "status", "details"],
            Self::Pipeline => &["version_id", "timestamp", "operation_type", "system", "status", "metadata_json"],
        }
    }

    /// All columns we give a value.
    pub(super) fn written(self) -> &'static [&'static str] {
        match self {
            Self::Specification => &["version_id", "operation_type", "status", "details", "created_at", "completed_at"],
            Self::Pipeline => &[
                "version_id",
                "timestamp",
                "operation_type",
                "system",
                "entity_type",
                "entity_id",
                "status",
                "error_message",
                "metadata_json",
            ],
        }
    }
}

/// The tables as they are.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) layout: Layout,
    pub(super) registry: Option<Columns>,
    pub(super) log: Option<Columns>,
    pub(super) chapters: Option<Columns>,
    views: Vec<String>,
}

impl Shape {
    /// Reads the schema; a healthy database without any of HybridFlow's tables is foreign, an empty one is not.
    pub(super) async fn load(connection: &mut SqliteConnection, asked: &Asked) -> Result<Self, StoreError> {
        refuse_utf16(connection, asked).await?;
        let listed = sqlx::query("SELECT lower(name) AS name, type FROM sqlite_master WHERE type IN ('table', 'view')")
            .fetch_all(&mut *connection)
            .await
            .map_err(|e| asked.sql(e))?;
        let mut tables = Vec::new();
        let mut views = Vec::new();
        for row in &listed {
            let name = Cell::read(row, "name").map_err(|e| asked.sql(e))?.into_text().unwrap_or_default();
            let kind = Cell::read(row, "type").map_err(|e| asked.sql(e))?.into_text().unwrap_or_default();
            if kind == "view" { views.push(name) } else { tables.push(name) }
        }
        let ours = [REGISTRY, LOG, CHAPTERS];
        views.retain(|v| ours.contains(&v.as_str()));
        let foreign = |t: &String| !t.starts_with("sqlite_");
        if !tables.iter().any(|t| ours.contains(&t.as_str())) && tables.iter().any(foreign) {
            let some: Vec<_> = tables.iter().filter(|t| foreign(t)).take(3).map(|t| cut_name(t)).collect();
            return Err(asked.fault(
                Fault::Foreign,
                format!("it has none of HybridFlow's tables, but others ({})", some.join(", ")),
            ));
        }
        let mut found = [None, None, None];
        for (slot, name) in found.iter_mut().zip(ours) {
            if tables.iter().any(|t| t == name) {
                *slot = Some(columns(connection, name, asked).await?);
            }
        }
        let [registry, log, chapters] = found;
        let layout = registry.as_ref().map_or(Layout::Shared, layout_of);
        Ok(Self { layout, registry, log, chapters, views })
    }

    pub(super) fn log_form(&self) -> LogForm {
        match &self.log {
            Some(log) if log.has("details") => LogForm::Specification,
            Some(log) if log.has("metadata_json") || log.has("system") => LogForm::Pipeline,
            _ if self.layout == Layout::PerVersion => LogForm::Pipeline,
            _ => LogForm::Specification,
        }
    }

    /// The registry's columns, or the error that says that there is none.
    pub(super) fn need_registry(&self, asked: &Asked) -> Result<&Columns, StoreError> {
        self.registry.as_ref().ok_or_else(|| self.missing(REGISTRY, asked))
    }

    /// The log's columns, or the error that says that there is none.
    pub(super) fn need_log(&self, asked: &Asked) -> Result<&Columns, StoreError> {
        self.log.as_ref().ok_or_else(|| self.missing(LOG, asked))
    }

    pub(super) fn missing(&self, table: &str, asked: &Asked) -> StoreError {
        let empty = self.registry.is_none() && self.log.is_none() && self.chapters.is_none();
        let detail = if empty {
            format!("the database is empty: there is no table {table}")
        } else {
            format!("there is no table {table}")
        };
        asked.fault(Fault::Missing, detail)
    }

    /// The tables steps 2 and 8 write, or the error that says what is lacking.
    pub(super) fn need_writable(&self, asked: &Asked) -> Result<(&Columns, &Columns), StoreError> {
        let (registry, log) = (self.need_registry(asked)?, self.need_log(asked)?);
        match self.obstacles().into_iter().next() {
            None => Ok((registry, log)),
            Some(obstacle) => Err(asked.fault(Fault::Missing, format!("{obstacle}; nothing was changed"))),
        }
    }

    /// The trait's answer.
    pub(super) fn report(&self) -> RegistrySchema {
        let mut findings = self.obstacles();
        let writable_shape = findings.is_empty();
        for view in &self.views {
            findings.push(format!("{view} is a view; Stepback works on tables only"));
        }
        if self.chapters.is_none() {
            findings.push(format!("there is no table {CHAPTERS}: production chapters cannot be compared"));
        } else if let Some(chapters) = &self.chapters {
            let lacking = chapters.lacking(&DIGESTED);
            if !lacking.is_empty() {
                findings.push(format!("{CHAPTERS} has no column {}: it cannot be compared", lacking.join(", ")));
            }
        }
        if let Some(registry) = &self.registry {
            let optional: &[&str] = match self.layout {
                Layout::PerVersion => &["created_at", "updated_at", "description", "chapters_count"],
                Layout::Shared | Layout::Mixed => &["created_at", "updated_at", "status_message", "notes"],
            };
            let lacking = registry.lacking(optional);
            if !lacking.is_empty() {
                findings.push(format!("{REGISTRY} has no column {}", lacking.join(", ")));
            }
        }
        if self.layout == Layout::Mixed {
            findings.push(format!(
                "{REGISTRY} is the specification's, with the pipeline's column chapters_count added: the pipeline's code \
                 was opened on it and cannot work with it; Stepback reads it as shared staging"
            ));
        }
        RegistrySchema { layout: self.layout, findings, writable_shape }
    }

    /// What stands against steps 2 and 8.
    fn obstacles(&self) -> Vec<String> {
        let form = self.log_form();
        let mut found = Vec::new();
        for (name, table, needed) in
            [(REGISTRY, &self.registry, &["version_id", "status"][..]), (LOG, &self.log, form.needed())]
        {
            match table {
                None => found.push(format!("there is no table {name}: no version can be marked")),
                Some(columns) => {
                    let lacking = columns.lacking(needed);
                    if !lacking.is_empty() {
                        found.push(format!("{name} has no column {}: no version can be marked", lacking.join(", ")));
                    }
                }
            }
        }
        if let Some(log) = &self.log {
            let unknown = log.0.iter().filter(|(name, must)| **must && !form.written().contains(&name.as_str()));
            found.extend(unknown.map(|(name, _)| {
                format!("{LOG} demands a value for its column {}, which Stepback does not know", cut_name(name))
            }));
        }
        found
    }
}

fn layout_of(registry: &Columns) -> Layout {
    let count = |names: &[&str]| names.iter().filter(|n| registry.has(n)).count();
    let specification =
        count(&["id", "status_message", "metadata_snapshot_path", "chapter_count", "paragraph_count", "notes"]);
    let pipeline = count(&["timestamp", "sqlite_snapshot", "commit_hash", "chapters_count", "description"]);
    if pipeline > specification {
        Layout::PerVersion
    } else if registry.has("chapters_count") {
        Layout::Mixed
    } else {
        Layout::Shared
    }
}

pub(super) async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
    asked: &Asked,
) -> Result<Columns, StoreError> {
    columns_in(connection, MAIN, table, asked).await
}

/// The columns of a table of one of the databases a connection has attached; none when there is no such table.
pub(super) async fn columns_in(
    connection: &mut SqliteConnection,
    schema: &str,
    table: &str,
    asked: &Asked,
) -> Result<Columns, StoreError> {
    let sql = "SELECT lower(name) AS name, \"notnull\" = 1 AND dflt_value IS NULL AND pk = 0 AS must \
               FROM pragma_table_info(?, ?)";
    let rows = sqlx::query(sql).bind(table).bind(schema).fetch_all(&mut *connection).await.map_err(|e| asked.sql(e))?;
    let mut columns = Columns::default();
    for row in rows {
        let name = Cell::read(&row, "name").map_err(|e| asked.sql(e))?.into_text().unwrap_or_default();
        let must: i64 = row.try_get("must").map_err(|e| asked.sql(e))?;
        columns.0.insert(name, must == 1);
    }
    Ok(columns)
}

/// A name as an SQL identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn cut_name(name: &str) -> String {
    name.chars().take(60).collect()
}
