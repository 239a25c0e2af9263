//! The file a restore takes its rows from, looked at before any database engine does.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rollback::store::{Fault, StoreError};

use super::connect::{file_id, has_wal, uri};
use super::fault::Asked;

/// Bytes of an SQLite file's header.
const HEADER: usize = 100;

/// A file that looks like a database we can read.
#[derive(Debug)]
pub(super) struct CopyFile {
    /// Opens it for reading only.
    pub(super) uri: String,
    /// Names it in errors.
    pub(super) asked: Asked,
}

impl CopyFile {
    /// Refuses what is no SQLite file, and the live database itself.
    pub(super) fn look(path: &Path, live: &Path) -> Result<Self, StoreError> {
        let asked = Asked::new(path, format!("restoring {} from this copy", live.display()));
        let id = file_id(path, &asked)?;
        if file_id(live, &asked).is_ok_and(|live| live == id) {
            return Err(asked.fault(Fault::Refused, "it is the live database itself; nothing was changed"));
        }
        let mut header = Vec::with_capacity(HEADER);
        let read = File::open(path).and_then(|file| file.take(HEADER as u64).read_to_end(&mut header));
        read.map_err(|e| asked.io(&e))?;
        if header.is_empty() {
            return Err(asked.fault(Fault::Foreign, "the file is empty; nothing was changed"));
        }
        let Some(header) = header.first_chunk::<HEADER>().filter(|h| h.starts_with(b"SQLite format 3\0")) else {
            return Err(asked.fault(Fault::Foreign, "the file is no SQLite database; nothing was changed"));
        };
        if header[56..60] != [0, 0, 0, 1] {
            return Err(asked.fault(Fault::Foreign, "its text is not encoded as UTF-8; nothing was changed"));
        }
        // In WAL mode even a reader makes files beside the copy, unless it is told that nobody writes. With a log beside
        // it that would leave out what the log holds.
        let wal_mode = header[18] == 2 || header[19] == 2;
        let parameters = if wal_mode && !has_wal(path) { "?mode=ro&immutable=1" } else { "?mode=ro" };
        Ok(Self { uri: uri(path, parameters), asked })
    }
}
