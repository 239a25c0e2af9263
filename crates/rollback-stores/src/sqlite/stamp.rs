//! What changes with every commit to the database's file.
//!
//! A commit writes into the file, or into a log beside it, and so changes its times. Clocks of file systems are coarse: what was
//! read within moments of a change may lack another change with the same time. So there is a stamp only well after the last one.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rollback::store::RegistryStamp;

/// Far more than any file system's clock is coarse.
const SETTLED: Duration = Duration::from_secs(2);

/// Of the file and of the logs beside it, if there are any. `None` while the file cannot be looked at, or was changed moments ago.
pub(super) fn of(path: &Path) -> Option<RegistryStamp> {
    at(SystemTime::now(), path)
}

/// Of a file that is looked at after `now`: a change from then on has a later time than any that is settled.
fn at(now: SystemTime, path: &Path) -> Option<RegistryStamp> {
    // Where the path is a link, SQLite puts the logs beside the file that it leads to.
    let path = std::fs::canonicalize(path).ok()?;
    let mut told = String::new();
    for suffix in ["", "-wal", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::metadata(Path::new(&name)) {
            Ok(meta) if is_settled(&meta, now) => told.push_str(&look(suffix, &meta)),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !suffix.is_empty() => {}
            _ => return None,
        }
    }
    Some(RegistryStamp(told))
}

/// The time of change too: it cannot be set back as that of modification can.
fn look(suffix: &str, meta: &Metadata) -> String {
    let (modified, changed) = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
    format!("{suffix}:{}.{} {} {modified:?} {changed:?};", meta.dev(), meta.ino(), meta.len())
}

fn is_settled(meta: &Metadata, now: SystemTime) -> bool {
    let since = u64::try_from(meta.ctime()).ok().zip(u32::try_from(meta.ctime_nsec()).ok());
    // A time to come, or one that is none, settles nothing.
    let since = since.and_then(|(s, n)| UNIX_EPOCH.checked_add(Duration::new(s, n)));
    since.is_some_and(|since| now.duration_since(since).is_ok_and(|age| age >= SETTLED))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use super::*;

    /// Of a file that was left alone for a while, as the clock is set forward.
    fn settled(path: &Path) -> Option<RegistryStamp> {
        at(SystemTime::now() + Duration::from_secs(3_600), path)
    }

    #[test]
    fn every_change_of_the_file_or_of_a_log_beside_it_is_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.db");
        std::fs::write(&path, "one").unwrap();
        let mut seen = vec![settled(&path)];
        assert!(seen[0].is_some() && settled(&path) == seen[0]);
        // The same bytes at another time, another size, logs beside it, another file: each is a change.
        File::open(&path).unwrap().set_times(FileTimes::new().set_modified(UNIX_EPOCH)).unwrap();
        seen.push(settled(&path));
        std::fs::write(&path, "three").unwrap();
        seen.push(settled(&path));
        for log in ["metadata.db-wal", "metadata.db-journal"] {
            std::fs::write(folder.path().join(log), "").unwrap();
            seen.push(settled(&path));
        }
        std::fs::write(folder.path().join("other"), "three").unwrap();
        std::fs::rename(folder.path().join("other"), &path).unwrap();
        seen.push(settled(&path));
        for (n, stamp) in seen.iter().enumerate() {
            assert!(stamp.is_some() && !seen[..n].contains(stamp), "{n}: {seen:?}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(settled(&path), None);
    }

    #[test]
    fn right_after_a_change_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.db");
        std::fs::write(&path, "one").unwrap();
        assert_eq!(of(&path), None);
        let back = SystemTime::now() - Duration::from_secs(24 * 3_600);
        assert_eq!(at(back, &path), None, "a clock that was set back");
    }

    #[test]
    fn of_a_link_the_log_is_the_one_beside_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real.db"), folder.path().join("metadata.db"));
        std::fs::write(&path, "one").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let bare = settled(&link);
        assert_eq!(bare, settled(&path));
        std::fs::write(folder.path().join("real.db-wal"), "more").unwrap();
        assert_ne!(settled(&link), bare);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(settled(&link), None, "it leads nowhere");
    }
}
