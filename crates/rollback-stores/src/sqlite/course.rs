//! The versions over time, in one look however many there are: some that are spread evenly, and some by name.

use rollback::store::{Fault, StoreError};
use rollback_types::{VersionCourse, VersionId, VersionSort};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::SqliteRecordsConfig;
use super::fault::Asked;
use super::order::{CREATED, sort_key};
use super::shape::{REGISTRY, Shape};
use super::versions::{selection, version_of};

/// At most [`VersionCourse::SAMPLE`] versions that have a time, the newest among them, and those of these ids, oldest first.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    shape: &Shape,
    named: &[VersionId],
    config: &SqliteRecordsConfig,
    asked: &Asked,
) -> Result<VersionCourse, StoreError> {
    let registry = shape.need_registry(asked)?;
    let (Some(made), true) = (registry.first(CREATED), registry.has("version_id")) else {
        return Ok(VersionCourse::default());
    };
    let ids: Vec<_> = named.iter().map(VersionId::as_str).collect();
    let ids = serde_json::to_string(&ids).map_err(|e| asked.fault(Fault::Unexpected, e.to_string()))?;
    // A version of each of so many equal parts of the row; those without a time stand in no part.
    let mut sql = QueryBuilder::<Sqlite>::new("WITH placed AS (SELECT v.rowid AS row_id, ROW_NUMBER() OVER (ORDER BY ");
    sql.push(sort_key(registry, VersionSort::CreatedAsc, config.local_offset_s)).push(", v.rowid) AS place, ");
    sql.push(format!("COUNT(*) OVER () AS total FROM {REGISTRY} v WHERE v.{made} IS NOT NULL), "));
    sql.push(format!(
        "named AS (SELECT rowid AS row_id FROM {REGISTRY} WHERE version_id IN (SELECT value FROM json_each("
    ));
    sql.push_bind(ids);
    sql.push(format!(
        "))), chosen AS (SELECT row_id, place, total FROM placed WHERE place * {n} / total > (place - 1) * {n} / total \
         OR row_id IN (SELECT row_id FROM named) UNION ALL \
         SELECT row_id, 0, 0 FROM named WHERE row_id NOT IN (SELECT row_id FROM placed)) SELECT c.total, {columns} \
         FROM chosen c CROSS JOIN {REGISTRY} v ON v.rowid = c.row_id ORDER BY c.place",
        n = VersionCourse::SAMPLE,
        columns = selection(registry),
    ));
    let rows = sql.build().fetch_all(connection).await.map_err(|e| asked.sql(e))?;
    let mut course = VersionCourse::default();
    for row in &rows {
        let total: i64 = row.try_get("total").map_err(|e| asked.sql(e))?;
        course.total = course.total.max(total.unsigned_abs());
        course.versions.push(version_of(row, config).map_err(|e| asked.sql(e))?);
    }
    Ok(course)
}
