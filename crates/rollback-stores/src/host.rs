//! What the machine tells.

use std::io;
use std::path::Path;

use rollback::store::{Host, Space};

/// The machine this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalHost;

impl Host for LocalHost {
    fn space(&self, path: &Path) -> io::Result<Space> {
        // A folder that is yet to be made will lie on the file system of its nearest parent that exists.
        let path = std::path::absolute(path)?;
        let there = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
        let fs = rustix::fs::statvfs(there)?;
        // `f_bavail`, not `f_bfree`: what is reserved for root is not ours.
        let free_bytes = fs.f_bavail.saturating_mul(fs.f_frsize);
        Ok(Space { file_system: std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(there)?), free_bytes })
    }

    #[cfg(target_os = "linux")]
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
    }

    /// Elsewhere a moment without one of them cannot be avoided.
    #[cfg(not(target_os = "linux"))]
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        let aside = b.with_extension("swap");
        std::fs::rename(b, &aside)?;
        std::fs::rename(a, b)?;
        std::fs::rename(aside, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_change_their_names() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        for (folder, text) in [(&a, "was a"), (&b, "was b")] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("f"), text).unwrap();
        }
        LocalHost.exchange(&a, &b).unwrap();
        assert_eq!(std::fs::read_to_string(a.join("f")).unwrap(), "was b");
        assert_eq!(std::fs::read_to_string(b.join("f")).unwrap(), "was a");
        assert!(LocalHost.exchange(&a, &dir.path().join("missing")).is_err());
        assert_eq!(std::fs::read_to_string(a.join("f")).unwrap(), "was b");
    }

    #[test]
    fn a_folder_yet_to_be_made_has_its_parents_space() {
        let dir = tempfile::tempdir().unwrap();
        let here = LocalHost.space(dir.path()).unwrap();
        let there = LocalHost.space(&dir.path().join("runs/7/evidence")).unwrap();
        assert!(here.free_bytes > 0 && there.free_bytes > 0);
        assert_eq!(here.file_system, there.file_system);
        assert_ne!(here.file_system, LocalHost.space(Path::new("/proc")).unwrap().file_system);
    }
}
