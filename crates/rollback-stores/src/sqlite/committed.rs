//! Versions that were committed after a moment: one pass over their rows, of which only the newest names are kept.

use futures::TryStreamExt as _;
use rollback::store::{CommittedQuery, CommittedVersions, StoreError};
use rollback_types::{VersionId, VersionState};
use sqlx::SqliteConnection;

use super::SqliteRecordsConfig;
use super::cell::{Fields, cut};
use super::fault::Asked;
use super::shape::Shape;
use super::versions;

pub(super) async fn since(
    connection: &mut SqliteConnection,
    shape: &Shape,
    query: &CommittedQuery,
    config: &SqliteRecordsConfig,
    asked: &Asked,
) -> Result<CommittedVersions, StoreError> {
    let registry = shape.need_registry(asked)?;
    let mut sql = versions::newest_first(shape, registry, &query.states(), config.local_offset_s);
    // Compared as the pages show them: the two spellings of a time do not compare as texts.
    let mut rows = sql.build().fetch(connection);
    let mut found = CommittedVersions::default();
    while let Some(row) = rows.try_next().await.map_err(|e| asked.sql(e))? {
        let read = || -> Result<_, sqlx::Error> {
            let mut fields = Fields::new(&row);
            let id = VersionId::new(fields.required("version_id")?);
            let state: VersionState = cut(fields.required("status")?).as_str().into();
            let created_at = fields.time("created_at", config.local_offset_s)?;
            Ok((id, state, created_at, fields.time("updated_at", config.local_offset_s)?))
        };
        let (id, state, created_at, updated_at) = read().map_err(|e| asked.sql(e))?;
        if query.takes(&id, &state, created_at, updated_at) {
            found.add(id);
        }
    }
    Ok(found)
}
