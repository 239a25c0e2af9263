//! Snapshot files on this machine: looked into before they go anywhere, and after they came.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use backup_formats::qdrant_snapshot::{PointCount, SnapshotError, SnapshotSummary, inspect};
use rollback::store::{Fault, StoreError};
use rollback_types::{Inventory, StoreKind};

/// An error about a file, not about the store: the file stands in the place of the address.
pub(crate) fn about_file(operation: &str, path: &Path, fault: Fault, detail: impl Into<String>) -> StoreError {
    StoreError {
        store: StoreKind::Qdrant,
        endpoint: path.display().to_string(),
        operation: operation.to_owned(),
        fault,
        detail: detail.into(),
    }
}

/// What a failed read or write of a file means.
pub(crate) fn file_failed(operation: &str, path: &Path, error: &io::Error) -> StoreError {
    let fault = match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Fault::Full,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Fault::Corrupt,
        _ => Fault::Unexpected,
    };
    about_file(operation, path, fault, error.to_string())
}

/// Work on files that blocks, away from the threads that must not.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Reads a snapshot to its end; one that is cut or damaged is an error.
pub(crate) async fn look_into(operation: &str, path: &Path) -> Result<SnapshotSummary, StoreError> {
    let file = path.to_owned();
    let looked = blocking(move || Ok(inspect(BufReader::with_capacity(1 << 20, File::open(file)?), |_| {}))).await;
    looked.map_err(|error| file_failed(operation, path, &error))?.map_err(|error| not_whole(operation, path, error))
}

/// What a failed look into a snapshot means.
pub(crate) fn not_whole(operation: &str, path: &Path, error: SnapshotError) -> StoreError {
    match error {
        SnapshotError::Io(error) => file_failed(operation, path, &error),
        damage => about_file(operation, path, Fault::Corrupt, damage.to_string()),
    }
}

/// What a snapshot of this collection holds, as far as the file tells.
pub(crate) fn inventory(collection: &str, summary: &SnapshotSummary) -> Inventory {
    let points = match summary.points {
        PointCount::Exact(points) => Some(points),
        PointCount::CantTell(_) => None,
    };
    let digest = summary.ids.map(|ids| hex::encode(ids.xor));
    Inventory { name: collection.to_owned(), points, digest, ..Inventory::default() }
}

/// A copy never takes another file's place.
pub(crate) fn must_be_new(operation: &str, path: &Path) -> Result<(), StoreError> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(about_file(operation, path, Fault::Refused, "a file of that name is there already")),
        Err(error) => Err(file_failed(operation, path, &error)),
    }
}

/// Beside the file, until it is whole.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.to_owned();
    part.add_extension("part");
    part
}

/// Gives a whole file its name, and makes the name as durable as the content.
pub(crate) fn put_in_place(part: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(part, path)?;
    File::open(folder_of(path))?.sync_all()
}

/// Where a file is.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A checksum as it may stand in an address or be compared: 64 digits, in lower case.
pub(crate) fn checked_sha256(sha256: &str) -> Option<String> {
    let digits = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| sha256.to_ascii_lowercase())
}
