//! Which file a path leads to. An open file goes on working after it was moved away or replaced by another.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// A file by device and inode, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }
}
