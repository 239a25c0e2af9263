//! Writing a collection as a snapshot file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use backup_formats::qdrant_snapshot::{PointId, SnapshotPoint, write_embedded_snapshot};
use futures::TryStreamExt as _;
use rollback::store::{Fault, StoreError};
use sqlx::{Row as _, sqlite::SqliteRow};
use tokio::sync::mpsc;

use super::{EmbeddedVectors, points_of};
use crate::qdrant::snapshot_file::{folder_of, part_of, put_in_place};
use crate::vector_point::readable;

/// Points on their way from the file to the writer: about 800 KB at 768 dimensions.
pub(super) const QUEUE: usize = 256;

impl EmbeddedVectors {
    /// Writes a collection's snapshot to `path`, which is there only when it is whole. Returns how many points it
    /// holds. The points are those of one moment, whatever is written meanwhile.
    ///
    /// # Errors
    /// [`Fault::Missing`] when there is no such collection; [`Fault::Full`] and others when the file cannot be written.
    pub async fn snapshot(&self, collection: &str, path: &Path) -> Result<u64, StoreError> {
        let operation = format!("making a snapshot of {}", readable(collection));
        let failed = |e: sqlx::Error| self.file.failed(&operation, &e);
        let Some((mut db, key)) = self.find(&operation, collection).await? else {
            return Err(self.file.error(&operation, Fault::Missing, "there is no such collection"));
        };
        let dimensions: u32 = sqlx::query_scalar("SELECT dim FROM collections WHERE id = ?1")
            .bind(key)
            .fetch_one(&mut db)
            .await
            .map_err(failed)?;
        let expected = points_of(&mut db, key).await.map_err(failed)?;
        let (queue, points) = mpsc::channel(QUEUE);
        let target = path.to_owned();
        let writer = tokio::task::spawn_blocking(move || write_file(&target, dimensions, expected, points));
        let mut rows = sqlx::query("SELECT id, payload, vector FROM points WHERE collection_id = ?1 ORDER BY id")
            .bind(key)
            .fetch(&mut db);
        let reading = loop {
            match rows.try_next().await {
                Ok(None) => break Ok(()),
                Ok(Some(row)) => {
                    if queue.send(point(&row)).await.is_err() {
                        break Ok(()); // The writer gave up; its own error says why.
                    }
                }
                Err(error) => {
                    // The writer must learn that this is no whole collection; that it still listens does not matter.
                    let _ = queue.send(Err(io::Error::other("the collection could not be read"))).await;
                    break Err(failed(error));
                }
            }
        };
        drop(queue);
        let written = match writer.await {
            Ok(written) => written,
            Err(error) => Err(io::Error::other(error)),
        };
        reading?;
        written.map_err(|error| {
            let fault = match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full,
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
                io::ErrorKind::InvalidData => Fault::Corrupt,
                _ => Fault::Unexpected,
            };
            let detail = format!("the snapshot {} could not be written: {error}", path.display());
            self.file.error(&operation, fault, detail)
        })
    }
}

fn point(row: &SqliteRow) -> io::Result<SnapshotPoint> {
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let id: &[u8] = row.try_get(0).map_err(io::Error::other)?;
    let payload: &str = row.try_get(1).map_err(io::Error::other)?;
    let vector: &[u8] = row.try_get(2).map_err(io::Error::other)?;
    let (numbers, rest) = vector.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(damaged("a vector is cut"));
    }
    Ok(SnapshotPoint {
        id: PointId::Uuid(id.try_into().map_err(|_| damaged("an id is no UUID"))?),
        vector: numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        payload: serde_json::from_str(payload)?,
    })
}

/// Writes beside the target and renames at the end. Fewer points than expected (the reader was dropped half-way) must not
/// pass for a whole collection.
fn write_file(
    path: &Path,
    dimensions: u32,
    expected: u64,
    mut points: mpsc::Receiver<io::Result<SnapshotPoint>>,
) -> io::Result<u64> {
    let (folder, part) = (folder_of(path), part_of(path));
    let mut write = || -> io::Result<u64> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        let points = std::iter::from_fn(|| points.blocking_recv());
        let count = write_embedded_snapshot(&mut out, folder, dimensions, points)?;
        if count != expected {
            return Err(io::Error::other(format!("only {count} of {expected} points came")));
        }
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        put_in_place(&part, path)?;
        Ok(count)
    };
    let written = write();
    if written.is_err() {
        // Half a snapshot is of no use; the first error is the one to tell.
        let _ = std::fs::remove_file(&part);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_was_given_up_leaves_no_snapshot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chunks.snapshot");
        let point = SnapshotPoint { id: PointId::Num(1), vector: vec![1.0], payload: serde_json::json!({}) };
        let (queue, points) = mpsc::channel(2);
        queue.try_send(Ok(point)).unwrap();
        drop(queue);
        assert!(write_file(&path, 1, 2, points).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
