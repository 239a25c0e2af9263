//! What the machine tells.

use std::io;
use std::path::Path;

use rollback::store::Host;

/// The machine this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalHost;

impl Host for LocalHost {
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        // A folder that is yet to be made will lie on the file system of its nearest parent that exists.
        let path = std::path::absolute(path)?;
        let there = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
        let fs = rustix::fs::statvfs(there)?;
        // `f_bavail`, not `f_bfree`: what is reserved for root is not ours.
        Ok(fs.f_bavail.saturating_mul(fs.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_yet_to_be_made_has_its_parents_space() {
        let dir = tempfile::tempdir().unwrap();
        assert!(LocalHost.free_bytes(dir.path()).unwrap() > 0);
        assert!(LocalHost.free_bytes(&dir.path().join("runs/7/evidence")).unwrap() > 0);
    }
}
