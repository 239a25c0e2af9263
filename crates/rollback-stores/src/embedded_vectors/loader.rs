//! Filling the file: for the demo and for tests. The rollback itself never writes points.

use rollback::store::{Fault, StoreError};
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};

use super::{EmbeddedVectors, all_aliases, collection_key};
use crate::vector_point::{CHUNK_ID, VERSION_ID, VectorPoint, readable};

impl EmbeddedVectors {
    /// Creates an empty collection (cosine), and the file when there is none.
    ///
    /// # Errors
    /// [`Fault::Refused`] when a collection or alias of that name exists; else as any call.
    pub async fn create_collection(&self, name: &str, dimensions: u32) -> Result<(), StoreError> {
        let operation = format!("creating the collection {}", readable(name));
        self.check_name(&operation, name)?;
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let mut db = self.file.open_or_create(&operation).await?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let taken = collection_key(&mut change, name).await.map_err(failed)?.is_some()
            || all_aliases(&mut change).await.map_err(failed)?.iter().any(|alias| alias.alias == name);
        if taken {
            return Err(self.file.error(&operation, Fault::Refused, "the name is taken"));
        }
        sqlx::query("INSERT INTO collections (name, dim, distance) VALUES (?1, ?2, 'Cosine')")
            .bind(name)
            .bind(dimensions)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        db.close().await.map_err(failed)
    }

    /// Writes points in one transaction; one whose id is there is replaced. Returns how many were written.
    ///
    /// # Errors
    /// [`Fault::Missing`] when there is no such collection, [`Fault::Refused`] when a vector has another length; then
    /// nothing is written.
    pub async fn insert_points<I>(&self, collection: &str, points: I) -> Result<u64, StoreError>
    where
        I: IntoIterator<Item = VectorPoint> + Send,
        I::IntoIter: Send,
    {
        let operation = format!("writing points into {}", readable(collection));
        self.check_name(&operation, collection)?;
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let mut db = self.file.writer(&operation).await?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let found: Option<(i64, i64)> = sqlx::query_as("SELECT id, dim FROM collections WHERE name = ?1")
            .bind(collection)
            .fetch_optional(&mut *change)
            .await
            .map_err(failed)?;
        let Some((key, dimensions)) = found else {
            return Err(self.file.error(&operation, Fault::Missing, "there is no such collection"));
        };
        let mut written = 0;
        for point in points {
            if i64::try_from(point.vector.len()) != Ok(dimensions) {
                let detail = format!("a vector has {} dimensions, the collection {dimensions}", point.vector.len());
                return Err(self.file.error(&operation, Fault::Refused, detail));
            }
            let payload = Value::Object(point.payload);
            write_point(&mut change, key, point.id.as_bytes(), &payload, &point.vector).await.map_err(failed)?;
            written += 1;
        }
        change.commit().await.map_err(failed)?;
        db.close().await.map_err(failed)?;
        Ok(written)
    }

    /// Points an alias to a collection; one that exists is repointed.
    ///
    /// # Errors
    /// [`Fault::Missing`] when there is no such collection, [`Fault::Refused`] when a collection has the alias's name.
    pub async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError> {
        let operation = format!("pointing the alias {} to {}", readable(alias), readable(collection));
        self.check_name(&operation, alias)?;
        self.check_name(&operation, collection)?;
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let mut db = self.file.writer(&operation).await?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        if collection_key(&mut change, alias).await.map_err(failed)?.is_some() {
            return Err(self.file.error(&operation, Fault::Refused, "a collection has that name"));
        }
        let Some(key) = collection_key(&mut change, collection).await.map_err(failed)? else {
            return Err(self.file.error(&operation, Fault::Missing, "there is no such collection"));
        };
        sqlx::query(
            "INSERT INTO aliases (alias, collection_id) VALUES (?1, ?2)
             ON CONFLICT (alias) DO UPDATE SET collection_id = excluded.collection_id",
        )
        .bind(alias)
        .bind(key)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        db.close().await.map_err(failed)
    }

    /// Removes an alias; the collection stays.
    ///
    /// # Errors
    /// As any call.
    pub async fn remove_alias(&self, alias: &str) -> Result<(), StoreError> {
        let operation = format!("removing the alias {}", readable(alias));
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let mut db = self.file.writer(&operation).await?;
        sqlx::query("DELETE FROM aliases WHERE alias = ?1").bind(alias).execute(&mut db).await.map_err(failed)?;
        db.close().await.map_err(failed)
    }
}

/// Writes a point; one whose id is there is replaced.
pub(super) async fn write_point(
    db: &mut SqliteConnection,
    key: i64,
    id: &[u8; 16],
    payload: &Value,
    vector: &[f32],
) -> Result<(), sqlx::Error> {
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    let mut blob = Vec::with_capacity(vector.len() * 4);
    for number in vector {
        blob.extend_from_slice(&number.to_le_bytes());
    }
    sqlx::query(
        "INSERT INTO points (collection_id, id, chunk_id, version_id, payload, vector) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (collection_id, id) DO UPDATE SET chunk_id = excluded.chunk_id,
            version_id = excluded.version_id, payload = excluded.payload, vector = excluded.vector",
    )
    .bind(key)
    .bind(&id[..])
    .bind(text(CHUNK_ID))
    .bind(text(VERSION_ID))
    .bind(payload.to_string())
    .bind(blob)
    .execute(db)
    .await
    .map(|_| ())
}
