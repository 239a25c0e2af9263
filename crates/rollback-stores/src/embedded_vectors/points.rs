//! Reading points: ids, the two payload keys that matter, vectors, and neighbours.

use backup_formats::qdrant_snapshot::PointId;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use rollback::store::{Fault, PointRef, StoreError, StoredVector};
use sqlx::{Row as _, SqliteConnection};

use super::EmbeddedVectors;
use crate::vector_point::readable;

/// Points read at a time.
const PAGE: i64 = 5_000;

/// A collection being read, in one transaction.
struct Reading {
    db: SqliteConnection,
    key: i64,
    /// The last id that was read.
    after: Vec<u8>,
}

impl EmbeddedVectors {
    async fn must_find(&self, operation: &str, collection: &str) -> Result<(SqliteConnection, i64), StoreError> {
        let found = self.find(operation, collection).await?;
        found.ok_or_else(|| self.file.error(operation, Fault::Missing, "there is no such collection"))
    }

    fn known_id(&self, operation: &str, id: &[u8]) -> Result<String, StoreError> {
        let id: [u8; 16] = id.try_into().map_err(|_| self.file.error(operation, Fault::Corrupt, "an id is no UUID"))?;
        Ok(PointId::Uuid(id).to_string())
    }

    fn known_vector(&self, operation: &str, blob: &[u8]) -> Result<Vec<f32>, StoreError> {
        let (numbers, rest) = blob.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(self.file.error(operation, Fault::Corrupt, "a vector is cut"));
        }
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    pub(super) fn every_point(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>> {
        let operation = format!("reading the points of {}", readable(collection));
        let start = (operation, collection.to_owned(), None::<Reading>);
        let pages = stream::try_unfold(start, move |(operation, collection, reading)| async move {
            let mut reading = match reading {
                Some(reading) => reading,
                None => {
                    let (db, key) = self.must_find(&operation, &collection).await?;
                    Reading { db, key, after: Vec::new() }
                }
            };
            let rows: Vec<(Vec<u8>, Option<String>, Option<String>)> = sqlx::query_as(
                "SELECT id, chunk_id, version_id FROM points WHERE collection_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )
            .bind(reading.key)
            .bind(&reading.after)
            .bind(PAGE)
            .fetch_all(&mut reading.db)
            .await
            .map_err(|e| self.file.failed(&operation, &e))?;
            let Some((last, ..)) = rows.last() else { return Ok(None) };
            reading.after.clone_from(last);
            let points = rows
                .into_iter()
                .map(|(id, chunk_id, version_id)| {
                    Ok(PointRef { id: self.known_id(&operation, &id)?, chunk_id, version_id })
                })
                .collect::<Result<Vec<_>, StoreError>>()?;
            Ok(Some((stream::iter(points).map(Ok), (operation, collection, Some(reading)))))
        });
        pages.try_flatten().boxed()
    }

    pub(super) async fn spread_points(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError> {
        let operation = format!("reading a sample of {}", readable(collection));
        let (mut db, key) = self.must_find(&operation, collection).await?;
        // Each n where n · count passes another multiple of the total: so many, at equal distances. Only the index is
        // gone through, the vectors are read of the chosen ones.
        let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "WITH numbered AS (
                SELECT rowid AS place, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS total
                FROM points WHERE collection_id = ?1)
             SELECT p.id, p.vector FROM numbered JOIN points p ON p.rowid = place WHERE (n * ?2) % total < ?2",
        )
        .bind(key)
        .bind(count)
        .fetch_all(&mut db)
        .await
        .map_err(|e| self.file.failed(&operation, &e))?;
        rows.into_iter()
            .map(|(id, vector)| {
                Ok(StoredVector {
                    id: self.known_id(&operation, &id)?,
                    vector: self.known_vector(&operation, &vector)?,
                })
            })
            .collect()
    }

    /// Every vector is looked at: exact, and about 60 ms for 36,000 of them.
    pub(super) async fn neighbours(
        &self,
        collection: &str,
        vector: &[f32],
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let operation = format!("searching in {}", readable(collection));
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let (mut db, key) = self.must_find(&operation, collection).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // The nearest so far, nearest first.
        let mut nearest: Vec<(f64, Vec<u8>)> = Vec::new();
        let mut rows = sqlx::query("SELECT id, vector FROM points WHERE collection_id = ?1").bind(key).fetch(&mut db);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let other = self.known_vector(&operation, row.try_get(1).map_err(failed)?)?;
            if other.len() != vector.len() {
                let detail = format!("the vector has {} dimensions, the collection {}", vector.len(), other.len());
                return Err(self.file.error(&operation, Fault::Refused, detail));
            }
            let score = cosine(vector, &other);
            let place = nearest.partition_point(|(better, _)| *better >= score);
            if place < limit {
                nearest.truncate(limit - 1);
                let id: &[u8] = row.try_get(0).map_err(failed)?;
                nearest.insert(place, (score, id.to_vec()));
            }
        }
        nearest.iter().map(|(_, id)| self.known_id(&operation, id)).collect()
    }
}

/// 1 for the same direction; 0 where there is none.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut dot, mut a_square, mut b_square) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        dot += a * b;
        a_square += a * a;
        b_square += b * b;
    }
    let lengths = f64::sqrt(a_square) * f64::sqrt(b_square);
    if lengths > 0.0 { dot / lengths } else { 0.0 }
}
