//! The registry: pages of versions by keyset, one version, counts by state.

use std::collections::{BTreeMap, HashMap};

use rollback::store::{Fault, StoreError};
use rollback_types::{
    Candidacy, Cursor, Layout, Page, StateCount, VersionId, VersionQuery, VersionRow, VersionSort, VersionState,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::SqliteRecordsConfig;
use super::cell::{Cell, Fields, LONGEST, NONE, cut};
use super::fault::Asked;
use super::order::{KEY_BYTES, bytes_key, sort_key};
use super::shape::{Columns, LOG, REGISTRY, Shape};

/// A page. Two passes in one statement: the first sorts on keys alone and keeps `limit + 1` row numbers, the second
/// reads the other columns of those rows only.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    shape: &Shape,
    query: &VersionQuery,
    config: &SqliteRecordsConfig,
    asked: &Asked,
) -> Result<Page<VersionRow>, StoreError> {
    let registry = shape.need_registry(asked)?;
    let limit = query.effective_limit();
    let after = query.cursor.as_ref().map(|c| Position::parse(c, query.sort, asked)).transpose()?;
    let (direction, beyond) = if query.sort.is_descending() { ("DESC", "<") } else { ("ASC", ">") };

    // The inner order lets the sort meet its winners first where rows were added in the order of time, and drop the
    // others at a glance; LIMIT -1 keeps SQLite from forgetting that order. It decides nothing.
    let mut sql = QueryBuilder::<Sqlite>::new("WITH page AS (SELECT * FROM (SELECT v.rowid AS row_id, ");
    sql.push(sort_key(registry, query.sort, config.local_offset_s)).push(" AS k1, ");
    sql.push(bytes_key(registry.first(&["version_id"]).map(|c| format!("v.{c}")))).push(" AS k2");
    sql.push(format!(" FROM {REGISTRY} v WHERE 1"));
    push_filters(&mut sql, shape, registry, query);
    sql.push(format!(" ORDER BY v.rowid {direction} LIMIT -1)"));
    if let Some(at) = after {
        sql.push(format!(" WHERE (k1, k2, row_id) {beyond} ("));
        sql.push_bind(at.first).push(", ").push_bind(at.second).push(", ").push_bind(at.row).push(")");
    }
    let order = |of: &str| format!(" ORDER BY {of}k1 {direction}, {of}k2 {direction}, {of}row_id {direction}");
    sql.push(order("")).push(" LIMIT ").push_bind(i64::from(limit) + 1);
    sql.push(format!(") SELECT p.k1, p.k2, p.row_id, {} FROM page p", selection(registry)));
    sql.push(format!(" CROSS JOIN {REGISTRY} v ON v.rowid = p.row_id{}", order("p.")));

    let mut rows = sql.build().fetch_all(&mut *connection).await.map_err(|e| asked.sql(e))?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = match rows.last() {
        Some(last) if more => Some(Position::of(last).map_err(|e| asked.sql(e))?.cursor(query.sort)),
        _ => None,
    };
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        items.push(version_of(row, config).map_err(|e| asked.sql(e))?);
    }
    add_messages(connection, shape, &mut items, asked).await?;
    Ok(Page { items, next_cursor })
}

/// Ids and states of all versions in these states, newest first, in one pass: pages of a registry that is nearly all
/// candidates would be a pass each.
pub(super) async fn ids_in(
    connection: &mut SqliteConnection,
    shape: &Shape,
    states: &[VersionState],
    config: &SqliteRecordsConfig,
    asked: &Asked,
) -> Result<Vec<(VersionId, VersionState)>, StoreError> {
    let registry = shape.need_registry(asked)?;
    let mut sql = newest_first(shape, registry, states, config.local_offset_s);
    let rows = sql.build().fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let read = |row: &SqliteRow| {
        let mut fields = Fields::new(row);
        let id = VersionId::new(fields.required("version_id")?);
        Ok((id, cut(fields.required("status")?).as_str().into()))
    };
    rows.iter().map(|row| read(row).map_err(|e: sqlx::Error| asked.sql(e))).collect()
}

/// Ids, states and times of the versions in these states.
pub(super) fn newest_first(
    shape: &Shape,
    registry: &Columns,
    states: &[VersionState],
    local_offset_s: i32,
) -> QueryBuilder<Sqlite> {
    let columns = [
        whole(registry, "version_id", &["version_id"]),
        whole(registry, "status", &["status"]),
        short(registry, "created_at", &["created_at", "timestamp"]),
        short(registry, "updated_at", &["updated_at"]),
    ];
    let mut sql = QueryBuilder::<Sqlite>::new(format!("SELECT {} FROM {REGISTRY} v WHERE 1", columns.join(", ")));
    let query = VersionQuery { status: states.to_vec(), ..VersionQuery::default() };
    push_filters(&mut sql, shape, registry, &query);
    sql.push(" ORDER BY ").push(sort_key(registry, VersionSort::CreatedDesc, local_offset_s));
    sql.push(format!(
        " DESC, {} DESC, v.rowid DESC",
        bytes_key(registry.first(&["version_id"]).map(|c| format!("v.{c}")))
    ));
    sql
}

/// One version by its id as [`VersionRow`] shows it: NULLs, blobs and broken UTF-8 are found by what stands for them.
pub(super) async fn one(
    connection: &mut SqliteConnection,
    shape: &Shape,
    id: &VersionId,
    config: &SqliteRecordsConfig,
    asked: &Asked,
) -> Result<Option<VersionRow>, StoreError> {
    let registry = shape.need_registry(asked)?;
    if !registry.has("version_id") {
        return Ok(None);
    }
    let mut found = rows_of(connection, registry, "v.version_id = ", id.as_str(), asked).await?;
    if found.is_empty() {
        for row_id in odd_rows_named(connection, id, asked).await? {
            found.extend(rows_of(connection, registry, "v.rowid = ", row_id, asked).await?);
        }
    }
    let Some(row) = found.first() else { return Ok(None) };
    let mut version = version_of(row, config).map_err(|e| asked.sql(e))?;
    if found.len() > 1 {
        version.oddities.push("more than one row of the registry has this id".to_owned());
    }
    let mut items = [version];
    add_messages(connection, shape, &mut items, asked).await?;
    let [version] = items;
    Ok(Some(version))
}

/// How many versions that a search finds have each state, in the order of a version's life.
pub(super) async fn state_counts(
    connection: &mut SqliteConnection,
    shape: &Shape,
    search: Option<&str>,
    asked: &Asked,
) -> Result<Vec<StateCount>, StoreError> {
    let registry = shape.need_registry(asked)?;
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    sql.push(state_sql(registry)).push(format!(" AS state, COUNT(*) AS n FROM {REGISTRY} v WHERE 1"));
    let query = VersionQuery { q: search.map(str::to_owned), ..VersionQuery::default() };
    push_filters(&mut sql, shape, registry, &query);
    sql.push(" GROUP BY 1");
    let rows = sql.build().fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let mut counts = BTreeMap::new();
    for row in rows {
        let state = Cell::read(&row, "state").map_err(|e| asked.sql(e))?.into_text().unwrap_or_default();
        let n: i64 = row.try_get("n").map_err(|e| asked.sql(e))?;
        *counts.entry(cut(state).as_str().into()).or_insert(0) += u64::try_from(n).unwrap_or(0);
    }
    Ok(counts.into_iter().map(|(status, count)| StateCount { status, count }).collect())
}

async fn rows_of<'q, T>(
    connection: &mut SqliteConnection,
    registry: &Columns,
    condition: &str,
    value: T,
    asked: &Asked,
) -> Result<Vec<SqliteRow>, StoreError>
where
    T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + 'q,
{
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT ");
    sql.push(selection(registry)).push(format!(" FROM {REGISTRY} v WHERE {condition}"));
    sql.push_bind(value).push(" LIMIT 2");
    sql.build().fetch_all(connection).await.map_err(|e| asked.sql(e))
}

/// Rows whose id is NULL, a blob or broken UTF-8 and is shown as this text. Broken text can only be meant where the
/// replacement character is part of the id, so an ordinary unknown id costs no scan of all texts.
async fn odd_rows_named(
    connection: &mut SqliteConnection,
    id: &VersionId,
    asked: &Asked,
) -> Result<Vec<i64>, StoreError> {
    let sql = if id.as_str().contains('\u{FFFD}') {
        "SELECT rowid AS row_id, version_id FROM version_registry"
    } else {
        "SELECT rowid AS row_id, version_id FROM version_registry WHERE typeof(version_id) <> 'text'"
    };
    let rows = sqlx::query(sql).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let mut found = Vec::new();
    for row in rows {
        let shown = Cell::read(&row, "version_id").map_err(|e| asked.sql(e))?.into_text();
        if shown.as_deref().unwrap_or(NONE) == id.as_str() {
            found.push(row.try_get("row_id").map_err(|e| asked.sql(e))?);
        }
    }
    Ok(found)
}

/// Every column under its name in the specification; what this registry does not have is NULL.
pub(super) fn selection(registry: &Columns) -> String {
    [
        whole(registry, "version_id", &["version_id"]),
        whole(registry, "status", &["status"]),
        short(registry, "status_message", &["status_message"]),
        short(registry, "created_at", &["created_at", "timestamp"]),
        short(registry, "updated_at", &["updated_at"]),
        short(registry, "sqlite_snapshot", &["metadata_snapshot_path", "sqlite_snapshot"]),
        short(registry, "qdrant_snapshot", &["qdrant_snapshot_path", "qdrant_snapshot"]),
        short(registry, "neo4j_snapshot", &["neo4j_snapshot_path", "neo4j_snapshot"]),
        short(registry, "chapter_count", &["chapter_count", "chapters_count"]),
        short(registry, "paragraph_count", &["paragraph_count"]),
        short(registry, "validation_passed", &["validation_passed"]),
        short(registry, "committed_by", &["committed_by"]),
        short(registry, "notes", &["notes", "description"]),
        short(registry, "commit_hash", &["commit_hash"]),
    ]
    .join(", ")
}

fn whole(registry: &Columns, alias: &str, sources: &[&str]) -> String {
    match registry.first(sources) {
        Some(column) => format!("v.{column} AS {alias}"),
        None => format!("NULL AS {alias}"),
    }
}

/// One character more than is shown tells that something was cut, without reading a megabyte.
fn short(registry: &Columns, alias: &str, sources: &[&str]) -> String {
    match registry.first(sources) {
        Some(c) => format!(
            "CASE WHEN typeof(v.{c}) IN ('text', 'blob') THEN substr(v.{c}, 1, {}) ELSE v.{c} END AS {alias}",
            LONGEST + 1
        ),
        None => format!("NULL AS {alias}"),
    }
}

pub(super) fn version_of(row: &SqliteRow, config: &SqliteRecordsConfig) -> Result<VersionRow, sqlx::Error> {
    let mut fields = Fields::new(row);
    let version_id = VersionId::new(fields.required("version_id")?);
    let status = cut(fields.required("status")?).as_str().into();
    Ok(VersionRow {
        candidacy: Candidacy::of(&version_id, &status, &config.extra_states),
        status_message: fields.short_text("status_message")?,
        created_at: fields.time("created_at", config.local_offset_s)?,
        updated_at: fields.time("updated_at", config.local_offset_s)?,
        sqlite_snapshot: fields.short_text("sqlite_snapshot")?,
        qdrant_snapshot: fields.short_text("qdrant_snapshot")?,
        neo4j_snapshot: fields.short_text("neo4j_snapshot")?,
        chapter_count: fields.integer("chapter_count")?,
        paragraph_count: fields.integer("paragraph_count")?,
        validation_passed: fields.flag("validation_passed")?,
        committed_by: fields.short_text("committed_by")?,
        notes: fields.short_text("notes")?,
        commit_hash: fields.short_text("commit_hash")?,
        oddities: fields.oddities,
        version_id,
        status,
    })
}

/// Where the registry has no message, the log's latest error stands for it: one query for the page.
async fn add_messages(
    connection: &mut SqliteConnection,
    shape: &Shape,
    items: &mut [VersionRow],
    asked: &Asked,
) -> Result<(), StoreError> {
    let Some(log) = message_source(shape) else { return Ok(()) };
    let ids: Vec<_> = items.iter().map(|v| v.version_id.as_str()).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| asked.fault(Fault::Unexpected, e.to_string()))?;
    let sql = format!(
        "SELECT version_id, substr(error_message, 1, {}) AS message FROM {LOG} WHERE rowid IN ({} \
         AND version_id IN (SELECT value FROM json_each(?)) GROUP BY version_id)",
        LONGEST + 1,
        log
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let mut messages = HashMap::new();
    for row in rows {
        let id = Cell::read(&row, "version_id").map_err(|e| asked.sql(e))?.into_text();
        let message = Cell::read(&row, "message").map_err(|e| asked.sql(e))?.into_text();
        if let (Some(id), Some(message)) = (id, message) {
            messages.insert(id, cut(message));
        }
    }
    for item in items {
        item.status_message = messages.remove(item.version_id.as_str());
    }
    Ok(())
}

/// The row numbers of the latest messages of the log, if that is where messages are; a GROUP BY must follow.
fn message_source(shape: &Shape) -> Option<&'static str> {
    let log = shape.log.as_ref()?;
    let in_log = shape.layout == Layout::PerVersion && log.has("error_message") && log.has("version_id");
    in_log.then_some("SELECT MAX(rowid) FROM operation_log WHERE error_message IS NOT NULL")
}

fn push_filters(sql: &mut QueryBuilder<Sqlite>, shape: &Shape, registry: &Columns, query: &VersionQuery) {
    if !query.status.is_empty() {
        sql.push(format!(" AND {} IN (", state_sql(registry)));
        let mut list = sql.separated(", ");
        for state in &query.status {
            list.push_bind(state.as_str().to_owned());
        }
        sql.push(")");
    }
    let Some(q) = query.q.as_deref().filter(|q| !q.is_empty()) else { return };
    // `instr` and not LIKE: no pattern characters to escape, and no limit on the length of a pattern.
    sql.push(" AND (0");
    for column in ["version_id", "status_message", "notes", "description"] {
        if registry.has(column) {
            sql.push(format!(" OR instr(lower(CAST(v.{column} AS TEXT)), lower("));
            sql.push_bind(q.to_owned()).push(")) > 0");
        }
    }
    if let Some(latest) = message_source(shape) {
        sql.push(format!(
            " OR v.version_id IN (SELECT o.version_id FROM {LOG} o WHERE o.rowid IN ({latest} GROUP BY version_id) \
             AND instr(lower(CAST(o.error_message AS TEXT)), lower("
        ));
        sql.push_bind(q.to_owned()).push(")) > 0)");
    }
    sql.push(")");
}

fn state_sql(registry: &Columns) -> String {
    match registry.first(&["status"]) {
        Some(column) => format!("COALESCE(CAST(v.{column} AS TEXT), '{NONE}')"),
        None => format!("'{NONE}'"),
    }
}

/// The place of a row in an order: what a cursor says.
struct Position {
    first: Vec<u8>,
    second: Vec<u8>,
    row: i64,
}

impl Position {
    fn of(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self { first: row.try_get("k1")?, second: row.try_get("k2")?, row: row.try_get("row_id")? })
    }

    fn cursor(&self, sort: VersionSort) -> Cursor {
        Cursor(format!("{}.{}.{}.{}", sort.as_str(), hex::encode(&self.first), hex::encode(&self.second), self.row))
    }

    fn parse(cursor: &Cursor, sort: VersionSort, asked: &Asked) -> Result<Self, StoreError> {
        let mut parts = cursor.0.split('.');
        let found = VersionSort::parse(parts.next().unwrap_or_default());
        let mut key = || parts.next().filter(|p| p.len() <= 2 * KEY_BYTES).and_then(|p| hex::decode(p).ok());
        let position = match (key(), key()) {
            (Some(first), Some(second)) => {
                parts.next().and_then(|p| p.parse().ok()).map(|row| Self { first, second, row })
            }
            _ => None,
        };
        match (found, position, parts.next()) {
            (Some(s), Some(position), None) if s == sort => Ok(position),
            (Some(s), Some(_), None) => Err(asked.fault(
                Fault::Refused,
                format!("the cursor belongs to the order {}, not {}", s.as_str(), sort.as_str()),
            )),
            _ => Err(asked.fault(Fault::Refused, "the cursor is not one of ours")),
        }
    }
}
