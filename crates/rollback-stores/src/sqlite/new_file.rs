//! Files that appear only when they are whole.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A database in the making: gone again, with what SQLite put beside it, when this is dropped.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// An empty file in place of whatever an interrupted attempt left. What will be in it is nobody else's to read.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        remove(&path)?;
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path })
    }

    /// For a file of that final name: beside it.
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        let mut part = OsString::from(path);
        part.push(".part");
        Self::make(part.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Flushes the file to the disk and gives it its name: a file of that name is always whole.
    pub(super) fn publish(self, path: &Path) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, path)?;
        match path.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "an unfinished file could not be removed");
        }
    }
}

/// A database's file and what SQLite keeps beside it; what is not there is no error.
fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = OsString::from(path);
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}
