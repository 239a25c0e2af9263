//! Collections of vectors in an SQLite file: what answers where no Qdrant server is configured.
//!
//! The file is Stepback's own (told by its `application_id`), written in WAL mode with `synchronous=FULL`. Each call
//! opens it anew: a file that was replaced by another is seen at once, and a missing one is never created by a read.

mod file;
mod loader;
mod points;
mod restore;
mod snapshot;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use backup_formats::qdrant_snapshot::{IdSetFingerprint, PointId};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use rollback::store::{
    Alias, CollectionStatus, CopyTaken, Engine, Fault, OnProgress, PointRef, Probe, Removal, SnapshotForm, StoreError,
    StoredVector, VectorShape, VectorStore,
};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use crate::qdrant::inventory_sentence;
use crate::vector_point::{name_fault, readable};
use file::VectorFile;

/// The embedded vector store.
#[derive(Clone, Debug)]
pub struct EmbeddedVectors {
    file: VectorFile,
}

impl EmbeddedVectors {
    /// The store in the file at `path`. Touches nothing: a missing file is reported by the first read and created by
    /// the first [`EmbeddedVectors::create_collection`].
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { file: VectorFile::new(path.into()) }
    }

    fn check_name(&self, operation: &str, name: &str) -> Result<(), StoreError> {
        match name_fault(name) {
            Some(fault) => Err(self.file.error(operation, Fault::Refused, fault)),
            None => Ok(()),
        }
    }

    /// A connection for reading and the collection's key; `None` when there is no such collection. All that is read
    /// through it is of one moment: the transaction ends with the connection.
    async fn find(&self, operation: &str, name: &str) -> Result<Option<(SqliteConnection, i64)>, StoreError> {
        self.check_name(operation, name)?;
        let mut db = self.file.reader(operation).await?;
        sqlx::query("BEGIN").execute(&mut db).await.map_err(|e| self.file.failed(operation, &e))?;
        let key = collection_key(&mut db, name).await.map_err(|e| self.file.failed(operation, &e))?;
        Ok(key.map(|key| (db, key)))
    }
}

async fn collection_key(db: &mut SqliteConnection, name: &str) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM collections WHERE name = ?1").bind(name).fetch_optional(db).await
}

async fn points_of(db: &mut SqliteConnection, key: i64) -> Result<u64, sqlx::Error> {
    let points: i64 =
        sqlx::query_scalar("SELECT count(*) FROM points WHERE collection_id = ?1").bind(key).fetch_one(db).await?;
    Ok(points.unsigned_abs())
}

async fn all_aliases(db: &mut SqliteConnection) -> Result<Vec<Alias>, sqlx::Error> {
    let rows = sqlx::query_as::<_, (String, String)>(
        "SELECT a.alias, c.name FROM aliases a JOIN collections c ON c.id = a.collection_id ORDER BY a.alias",
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(alias, collection)| Alias { alias, collection }).collect())
}

#[async_trait]
impl VectorStore for EmbeddedVectors {
    fn engine(&self) -> Engine {
        Engine { name: "embedded", location: self.file.location() }
    }

    fn snapshot_form(&self) -> SnapshotForm {
        SnapshotForm::Embedded
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let operation = "opening the file";
        let mut db = self.file.reader(operation).await?;
        let (version, collections, aliases): (String, i64, i64) = sqlx::query_as(
            "SELECT sqlite_version(), (SELECT count(*) FROM collections), (SELECT count(*) FROM aliases)",
        )
        .fetch_one(&mut db)
        .await
        .map_err(|e| self.file.failed(operation, &e))?;
        let count = |n: i64| usize::try_from(n).unwrap_or_default();
        Ok(Probe {
            version: Some(format!("SQLite {version}")),
            detail: inventory_sentence(count(collections), count(aliases)),
            warning: None,
        })
    }

    async fn collections(&self) -> Result<Vec<String>, StoreError> {
        let operation = "listing the collections";
        let mut db = self.file.reader(operation).await?;
        sqlx::query_scalar("SELECT name FROM collections ORDER BY name")
            .fetch_all(&mut db)
            .await
            .map_err(|e| self.file.failed(operation, &e))
    }

    async fn aliases(&self) -> Result<Vec<Alias>, StoreError> {
        let operation = "listing the aliases";
        let mut db = self.file.reader(operation).await?;
        all_aliases(&mut db).await.map_err(|e| self.file.failed(operation, &e))
    }

    async fn count(&self, collection: &str) -> Result<Option<u64>, StoreError> {
        let operation = format!("counting the points of {}", readable(collection));
        let Some((mut db, key)) = self.find(&operation, collection).await? else { return Ok(None) };
        points_of(&mut db, key).await.map(Some).map_err(|e| self.file.failed(&operation, &e))
    }

    async fn shape(&self, collection: &str) -> Result<Option<VectorShape>, StoreError> {
        let operation = format!("asking what vectors {} holds", readable(collection));
        let mut db = self.file.reader(&operation).await?;
        let found: Option<(i64, String)> = sqlx::query_as("SELECT dim, distance FROM collections WHERE name = ?1")
            .bind(collection)
            .fetch_optional(&mut db)
            .await
            .map_err(|e| self.file.failed(&operation, &e))?;
        Ok(found.and_then(|(dim, distance)| Some(VectorShape { size: u64::try_from(dim).ok()?, distance })))
    }

    async fn count_of_version(&self, collection: &str, version_id: &str) -> Result<u64, StoreError> {
        let operation = format!("counting the points of a version in {}", readable(collection));
        let Some((mut db, key)) = self.find(&operation, collection).await? else {
            return Err(self.file.error(&operation, Fault::Missing, "there is no such collection"));
        };
        let points: i64 =
            sqlx::query_scalar("SELECT count(*) FROM points WHERE collection_id = ?1 AND version_id = ?2")
                .bind(key)
                .bind(version_id)
                .fetch_one(&mut db)
                .await
                .map_err(|e| self.file.failed(&operation, &e))?;
        Ok(points.unsigned_abs())
    }

    async fn id_fingerprint(&self, collection: &str) -> Result<Option<IdSetFingerprint>, StoreError> {
        let operation = format!("reading the ids of {}", readable(collection));
        let Some((mut db, key)) = self.find(&operation, collection).await? else { return Ok(None) };
        let mut fingerprint = IdSetFingerprint::default();
        let mut rows = sqlx::query("SELECT id FROM points WHERE collection_id = ?1").bind(key).fetch(&mut db);
        while let Some(row) = rows.try_next().await.map_err(|e| self.file.failed(&operation, &e))? {
            let id: &[u8] = row.try_get(0).map_err(|e| self.file.failed(&operation, &e))?;
            let id: [u8; 16] =
                id.try_into().map_err(|_| self.file.error(&operation, Fault::Corrupt, "an id is no UUID"))?;
            fingerprint.insert(&PointId::Uuid(id));
        }
        Ok(Some(fingerprint))
    }

    async fn status(&self, collection: &str) -> Result<Option<CollectionStatus>, StoreError> {
        let operation = format!("asking for the state of {}", readable(collection));
        // Nothing runs in the background: what is in the file is at rest.
        Ok(self.find(&operation, collection).await?.map(|_| CollectionStatus::Ready))
    }

    async fn delete_collection(&self, collection: &str, at_most: u64) -> Result<Removal, StoreError> {
        let operation = format!("deleting the collection {}", readable(collection));
        self.check_name(&operation, collection)?;
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let mut db = self.file.writer(&operation).await?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for alias in all_aliases(&mut change).await.map_err(failed)? {
            if alias.alias == collection {
                let detail = format!("it is an alias of {}, not a collection", readable(&alias.collection));
                return Err(self.file.error(&operation, Fault::Refused, detail));
            }
            if alias.collection == collection {
                let detail = format!("the alias {} points to it: it may be production", readable(&alias.alias));
                return Err(self.file.error(&operation, Fault::Changed, detail));
            }
        }
        let Some(key) = collection_key(&mut change, collection).await.map_err(failed)? else {
            return Ok(Removal::Absent);
        };
        let points = points_of(&mut change, key).await.map_err(failed)?;
        if points > at_most {
            let detail = format!("{at_most} points were counted, now there are {points}: something is writing");
            return Err(self.file.error(&operation, Fault::Changed, detail));
        }
        sqlx::query("DELETE FROM points WHERE collection_id = ?1")
            .bind(key)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        sqlx::query("DELETE FROM collections WHERE id = ?1").bind(key).execute(&mut *change).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        let left = collection_key(&mut db, collection).await.map_err(failed)?;
        // Closed here and not at leisure, so that what was done is in the file itself and not beside it in the log.
        db.close().await.map_err(failed)?;
        match left {
            None => Ok(Removal::Removed(points)),
            Some(_) => Err(self.file.error(&operation, Fault::Unexpected, "it is still in the list of collections")),
        }
    }
    async fn take_snapshot(&self, collection: &str, to: &Path, progress: OnProgress) -> Result<CopyTaken, StoreError> {
        self.copy_out(collection, to, progress).await
    }

    async fn restore_snapshot(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<(), StoreError> {
        self.copy_in(collection, from, sha256, progress).await
    }

    fn points(&self, collection: &str) -> BoxStream<'_, Result<PointRef, StoreError>> {
        self.every_point(collection)
    }

    async fn sample(&self, collection: &str, count: u32) -> Result<Vec<StoredVector>, StoreError> {
        self.spread_points(collection, count).await
    }

    async fn nearest(&self, collection: &str, vector: &[f32], limit: u32) -> Result<Vec<String>, StoreError> {
        self.neighbours(collection, vector, limit).await
    }
}
