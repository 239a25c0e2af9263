//! A snapshot in a collection's place, in one transaction: readers see the old points until the new ones are all there.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};

use backup_formats::checksums::sha256_reader;
use backup_formats::qdrant_snapshot::{
    PointCount, PointId, SnapshotError, SnapshotPoint, SnapshotSummary, inspect, read_embedded_points,
};
use rollback::store::{CopyTaken, Fault, OnProgress, StoreError};
use sqlx::Connection as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::loader::write_point;
use super::snapshot::QUEUE;
use super::{EmbeddedVectors, all_aliases};
use crate::qdrant::snapshot_file::{
    about_file, blocking, checked_sha256, file_failed, folder_of, inventory, must_be_new, not_whole,
};
use crate::vector_point::readable;

/// The only distance the embedded store knows.
const DISTANCE: &str = "Cosine";
/// Bytes between two words on progress.
const PROGRESS_STEP: u64 = 1024 * 1024;

/// A file that was read to its end.
struct Proven {
    file: File,
    bytes: u64,
    sha256: String,
    summary: Result<SnapshotSummary, SnapshotError>,
}

/// Hashes a file and looks into it, through one handle: what is read later is what was proven.
fn prove(path: &Path, on_progress: impl FnMut(u64)) -> io::Result<Proven> {
    let mut file = File::open(path)?;
    let digest = sha256_reader(BufReader::with_capacity(1 << 20, &file), on_progress)?;
    file.rewind()?;
    let summary = inspect(BufReader::with_capacity(1 << 20, &file), |_| {});
    file.rewind()?;
    let bytes = file.metadata()?.len();
    Ok(Proven { file, bytes, sha256: digest.to_string(), summary })
}

impl EmbeddedVectors {
    pub(super) async fn copy_out(
        &self,
        collection: &str,
        to: &Path,
        progress: OnProgress,
    ) -> Result<CopyTaken, StoreError> {
        let operation = format!("making a snapshot of {}", readable(collection));
        must_be_new(&operation, to)?;
        self.refuse_alias(&operation, collection).await?;
        self.snapshot(collection, to).await?;
        let path = to.to_owned();
        let proven = blocking(move || {
            let size = std::fs::metadata(&path)?.len();
            prove(&path, |bytes| progress(bytes, size))
        })
        .await
        .map_err(|error| file_failed(&operation, to, &error))?;
        let summary = proven.summary.map_err(|error| not_whole(&operation, to, error))?;
        Ok(CopyTaken {
            path: to.to_owned(),
            bytes: proven.bytes,
            sha256: proven.sha256,
            inventory: inventory(collection, &summary),
        })
    }

    async fn refuse_alias(&self, operation: &str, name: &str) -> Result<(), StoreError> {
        self.check_name(operation, name)?;
        let mut db = self.file.reader(operation).await?;
        let aliases = all_aliases(&mut db).await.map_err(|e| self.file.failed(operation, &e))?;
        match aliases.into_iter().find(|alias| alias.alias == name) {
            Some(alias) => {
                let detail = format!("it is an alias of {}, not a collection", readable(&alias.collection));
                Err(self.file.error(operation, Fault::Refused, detail))
            }
            None => Ok(()),
        }
    }

    pub(super) async fn copy_in(
        &self,
        collection: &str,
        from: &Path,
        sha256: &str,
        progress: OnProgress,
    ) -> Result<(), StoreError> {
        let operation = format!("restoring {} from a snapshot", readable(collection));
        self.check_name(&operation, collection)?;
        let refused = |what: &str| {
            about_file(&operation, from, Fault::Refused, format!("{what}; nothing was changed. Use another copy"))
        };
        let Some(sha256) = checked_sha256(sha256) else {
            return Err(refused("the checksum it should have is no SHA-256"));
        };
        let path = from.to_owned();
        let proven =
            blocking(move || prove(&path, |_| {})).await.map_err(|error| file_failed(&operation, from, &error))?;
        if proven.sha256 != sha256 {
            return Err(refused(&format!("its SHA-256 is {}, not {sha256}", proven.sha256)));
        }
        let summary = proven.summary.map_err(|error| not_whole(&operation, from, error))?;
        if !summary.is_embedded() {
            return Err(refused("it is no snapshot of the embedded store: only a Qdrant server can restore it"));
        }
        let (Some(dimensions), Some(DISTANCE), PointCount::Exact(expected)) =
            (summary.vector_size, summary.distance.as_deref(), summary.points)
        else {
            return Err(refused("it does not say how many points of which size it holds"));
        };
        let size = proven.bytes;
        // Not beside the snapshot: a folder of backups may be read-only.
        let scratch = folder_of(self.file.path()).to_owned();
        let (points, reader) = read_in_background(proven.file, size, scratch, progress.clone());
        self.replace(&operation, collection, dimensions, expected, from, points, reader).await?;
        progress(size, size);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one transaction, told all there is to know")]
    async fn replace(
        &self,
        operation: &str,
        collection: &str,
        dimensions: u64,
        expected: u64,
        from: &Path,
        mut points: mpsc::Receiver<SnapshotPoint>,
        reader: JoinHandle<io::Result<u64>>,
    ) -> Result<(), StoreError> {
        let failed = |e: sqlx::Error| self.file.failed(operation, &e);
        let damaged = |what: String| about_file(operation, from, Fault::Corrupt, what);
        let mut db = self.file.open_or_create(operation).await?;
        let mut change = db.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        if let Some(alias) = all_aliases(&mut change).await.map_err(failed)?.into_iter().find(|a| a.alias == collection)
        {
            let detail = format!("it is an alias of {}, not a collection", readable(&alias.collection));
            return Err(self.file.error(operation, Fault::Refused, detail));
        }
        let there: Option<(i64, i64, String)> =
            sqlx::query_as("SELECT id, dim, distance FROM collections WHERE name = ?1")
                .bind(collection)
                .fetch_optional(&mut *change)
                .await
                .map_err(failed)?;
        let key: i64 = match there {
            Some((key, dim, distance)) => {
                if u64::try_from(dim) != Ok(dimensions) || distance != DISTANCE {
                    let detail = format!(
                        "the snapshot holds vectors of {dimensions} dimensions ({DISTANCE}), the collection {dim} ({distance}); \
                         nothing was changed"
                    );
                    return Err(self.file.error(operation, Fault::Refused, detail));
                }
                // The collection itself stays, and with it its aliases.
                sqlx::query("DELETE FROM points WHERE collection_id = ?1")
                    .bind(key)
                    .execute(&mut *change)
                    .await
                    .map_err(failed)?;
                key
            }
            None => {
                sqlx::query_scalar("INSERT INTO collections (name, dim, distance) VALUES (?1, ?2, ?3) RETURNING id")
                    .bind(collection)
                    .bind(i64::try_from(dimensions).unwrap_or(i64::MAX))
                    .bind(DISTANCE)
                    .fetch_one(&mut *change)
                    .await
                    .map_err(failed)?
            }
        };
        let mut written = 0;
        while let Some(point) = points.recv().await {
            let PointId::Uuid(id) = point.id else {
                return Err(damaged(format!("the point {} has no UUID as its id", point.id)));
            };
            write_point(&mut change, key, &id, &point.payload, &point.vector).await.map_err(failed)?;
            written += 1;
        }
        match reader.await {
            Ok(Ok(_)) if written == expected => {}
            Ok(Ok(_)) => {
                return Err(damaged(format!("it holds {written} points, not {expected}; nothing was changed")));
            }
            Ok(Err(error)) => return Err(file_failed(operation, from, &error)),
            Err(error) => return Err(self.file.error(operation, Fault::Unexpected, error.to_string())),
        }
        change.commit().await.map_err(failed)?;
        db.close().await.map_err(failed)
    }
}

/// Tells how far the file was read.
struct Told<R> {
    inner: R,
    bytes: u64,
    told: u64,
    size: u64,
    progress: OnProgress,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes - self.told >= PROGRESS_STEP {
            self.told = self.bytes;
            (self.progress)(self.bytes.min(self.size), self.size);
        }
        Ok(read)
    }
}

/// The points of a snapshot, read in a thread of its own, at the speed at which they are taken.
fn read_in_background(
    file: File,
    size: u64,
    scratch: PathBuf,
    progress: OnProgress,
) -> (mpsc::Receiver<SnapshotPoint>, JoinHandle<io::Result<u64>>) {
    let (queue, points) = mpsc::channel(QUEUE);
    let reader = tokio::task::spawn_blocking(move || {
        let told = Told { inner: file, bytes: 0, told: 0, size, progress };
        read_embedded_points(BufReader::with_capacity(1 << 20, told), &scratch, |point| {
            queue.blocking_send(point).map_err(|_| io::Error::other("the points are not wanted any more"))
        })
    });
    (points, reader)
}
