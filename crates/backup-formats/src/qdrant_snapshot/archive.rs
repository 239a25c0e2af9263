//! Reading a tar as a stream, and telling a cut one from a damaged one from a failing disk.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use super::SnapshotError;

/// The least number of bytes between two calls of a progress callback.
const PROGRESS_STEP: u64 = 1024 * 1024;

/// What happened to the reader below an archive.
#[derive(Debug, Default)]
pub(super) struct Watch {
    bytes: Cell<u64>,
    /// How many of the last bytes were zero.
    zeros: Cell<u64>,
    ended: Cell<bool>,
    failed: Cell<bool>,
}

impl Watch {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// True when the reader was asked for more than there is. A whole archive is closed by two
    /// empty blocks, behind which nothing is asked for.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }

    /// True when what was read ends in the two empty blocks that close an archive.
    pub(super) fn has_end_mark(&self) -> bool {
        self.zeros.get() >= 1024 && self.bytes().is_multiple_of(512)
    }

    /// What an error that the archive's reader gave really means.
    pub(super) fn explain(&self, error: io::Error) -> SnapshotError {
        if self.failed.get() {
            SnapshotError::Io(error)
        } else if self.ended() {
            self.cut()
        } else {
            self.damaged(error.to_string())
        }
    }

    pub(super) fn cut(&self) -> SnapshotError {
        SnapshotError::Cut { bytes: self.bytes() }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::Damaged { bytes: self.bytes(), what: what.into() }
    }
}

/// Passes bytes on and notes what happens in a [`Watch`].
pub(super) struct WatchedReader<R, F> {
    inner: R,
    watch: Rc<Watch>,
    on_progress: F,
    told: u64,
}

impl<R: Read, F: FnMut(u64)> WatchedReader<R, F> {
    pub(super) fn new(inner: R, on_progress: F) -> (Self, Rc<Watch>) {
        let watch = Rc::new(Watch::default());
        let reader = Self { inner, watch: Rc::clone(&watch), on_progress, told: 0 };
        (reader, watch)
    }

    /// Reads what follows the archive, so that every byte was read once and counted.
    pub(super) fn drain(mut self) -> io::Result<u64> {
        io::copy(&mut self, &mut io::sink())?;
        let bytes = self.watch.bytes();
        if self.told < bytes {
            (self.on_progress)(bytes);
        }
        Ok(bytes)
    }
}

impl<R: Read, F: FnMut(u64)> Read for WatchedReader<R, F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = match self.inner.read(buf) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.watch.failed.set(true);
                return Err(error);
            }
        };
        if read == 0 && !buf.is_empty() {
            self.watch.ended.set(true);
        }
        let zeros = match buf[..read].iter().rposition(|&byte| byte != 0) {
            Some(last) => (read - last - 1) as u64,
            None => self.watch.zeros.get() + read as u64,
        };
        self.watch.zeros.set(zeros);
        let bytes = self.watch.bytes() + read as u64;
        self.watch.bytes.set(bytes);
        if bytes - self.told >= PROGRESS_STEP {
            self.told = bytes;
            (self.on_progress)(bytes);
        }
        Ok(read)
    }
}

/// Reads a small file of an archive whole; one larger than `limit` is an error, whatever its header
/// says.
pub(super) fn read_small(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a file of settings is larger than {limit} bytes"),
        ));
    }
    Ok(content)
}
