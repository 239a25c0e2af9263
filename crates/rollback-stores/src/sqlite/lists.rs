//! Lists that were read and still hold: a long registry is not sorted anew for every look at it.
//!
//! A commit writes into the file, or into the log beside it, and so changes its times. Clocks of file systems are coarse: what
//! was read within moments of a change may lack another change with the same time. So only what was read well after the
//! last change is kept. Pages that people look at may come from here; plans and steps read the file.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rollback_types::{Page, StateCount, VersionQuery, VersionRow};

/// Far more than any file system's clock is coarse.
const SETTLED: Duration = Duration::from_secs(2);
/// Lists that are kept: what a few people look at.
const MOST: usize = 8;

/// What changes with every commit. There is none while the file cannot be looked at, or was changed moments ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    database: Look,
    log: Option<Look>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Look {
    fn at(path: &Path) -> io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        Ok(Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.len(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    fn is_settled(&self, now: SystemTime) -> bool {
        let (seconds, nanos) = self.changed;
        let since = u64::try_from(seconds).ok().zip(u32::try_from(nanos).ok());
        // A time to come, or one that is none, settles nothing.
        let since = since.and_then(|(s, n)| UNIX_EPOCH.checked_add(Duration::new(s, n)));
        since.is_some_and(|since| now.duration_since(since).is_ok_and(|age| age >= SETTLED))
    }
}

impl Stamp {
    /// Of the file and of the log beside it, if there is one. To be taken before what it shall stand for is read.
    pub(super) fn of(path: &Path) -> Option<Self> {
        Self::at(SystemTime::now(), path)
    }

    /// Of a file that is looked at after `now`: a change from then on has a later time than any that is settled.
    fn at(now: SystemTime, path: &Path) -> Option<Self> {
        // Where the path is a link, SQLite puts the log beside the file that it leads to.
        let path = std::fs::canonicalize(path).ok()?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = match Look::at(Path::new(&log)) {
            Ok(look) => Some(look),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(_) => return None,
        };
        let database = Look::at(&path).ok()?;
        let settled = database.is_settled(now) && log.is_none_or(|log| log.is_settled(now));
        settled.then_some(Self { database, log })
    }
}

#[derive(Debug, Default)]
struct Held {
    stamp: Option<Stamp>,
    pages: Vec<(VersionQuery, Page<VersionRow>)>,
    counts: Option<Vec<StateCount>>,
}

/// The lists of one state of the file.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<Held>);

impl Lists {
    /// The page, if the file is as it was when it was read.
    pub(super) fn page(&self, stamp: Option<Stamp>, query: &VersionQuery) -> Option<Page<VersionRow>> {
        self.held(stamp, |held| held.pages.iter().find(|(q, _)| q == query).map(|(_, page)| page.clone()))
    }

    /// The counts, likewise.
    pub(super) fn counts(&self, stamp: Option<Stamp>) -> Option<Vec<StateCount>> {
        self.held(stamp, |held| held.counts.clone())
    }

    /// Keeps a page that was read after `stamp` was taken.
    pub(super) fn keep_page(&self, stamp: Option<Stamp>, query: &VersionQuery, page: &Page<VersionRow>) {
        self.keep(stamp, |held| {
            held.pages.retain(|(q, _)| q != query);
            if held.pages.len() >= MOST {
                held.pages.remove(0);
            }
            held.pages.push((query.clone(), page.clone()));
        });
    }

    /// Keeps counts, likewise.
    pub(super) fn keep_counts(&self, stamp: Option<Stamp>, counts: &[StateCount]) {
        self.keep(stamp, |held| held.counts = Some(counts.to_vec()));
    }

    fn held<T>(&self, stamp: Option<Stamp>, look: impl FnOnce(&Held) -> Option<T>) -> Option<T> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && held.stamp == stamp { look(&held) } else { None }
    }

    fn keep(&self, stamp: Option<Stamp>, put: impl FnOnce(&mut Held)) {
        let Some(stamp) = stamp else { return };
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.stamp != Some(stamp) {
            *held = Held { stamp: Some(stamp), ..Held::default() };
        }
        put(&mut held);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, FileTimes};

    use rollback_types::VersionState;

    use super::*;

    fn counts(count: u64) -> Vec<StateCount> {
        vec![StateCount { status: VersionState::from("failed"), count }]
    }

    /// A stamp of a file that was left alone for a while, as the clock is set forward.
    fn settled(path: &Path) -> Stamp {
        Stamp::at(SystemTime::now() + Duration::from_secs(3_600), path).unwrap()
    }

    #[test]
    fn what_was_read_holds_as_long_as_neither_file_nor_log_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.db");
        std::fs::write(&path, "one").unwrap();
        let lists = Lists::default();
        let stamp = Some(settled(&path));
        assert_eq!(lists.counts(stamp), None);
        lists.keep_counts(stamp, &counts(1));
        assert_eq!(lists.counts(stamp), Some(counts(1)));
        assert_eq!(lists.counts(None), None, "a file that cannot be looked at has no lists");

        // The same bytes at another time, another size, a log beside it, another file: each is a change.
        File::open(&path).unwrap().set_times(FileTimes::new().set_modified(UNIX_EPOCH)).unwrap();
        let touched = Some(settled(&path));
        std::fs::write(&path, "three").unwrap();
        let longer = Some(settled(&path));
        std::fs::write(folder.path().join("metadata.db-wal"), "").unwrap();
        let logged = Some(settled(&path));
        for other in [touched, longer, logged] {
            assert_ne!(other, stamp);
            assert_eq!(lists.counts(other), None);
        }
        // What is kept of the new state takes the old one's place.
        lists.keep_counts(longer, &counts(2));
        assert_eq!((lists.counts(longer), lists.counts(stamp)), (Some(counts(2)), None));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::at(SystemTime::now() + SETTLED, &path), None);
    }

    #[test]
    fn what_was_read_right_after_a_change_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.db");
        std::fs::write(&path, "one").unwrap();
        assert_eq!(Stamp::of(&path), None);
        let back = SystemTime::now() - Duration::from_secs(24 * 3_600);
        assert_eq!(Stamp::at(back, &path), None, "a clock that was set back");
        // However long the reading takes: what counts is the moment before it.
        let lists = Lists::default();
        lists.keep_counts(Stamp::of(&path), &counts(1));
        assert_eq!(lists.counts(Some(settled(&path))), None);
        // A log that was written to moments ago, beside a file that was not.
        std::fs::write(folder.path().join("metadata.db-wal"), "").unwrap();
        assert_eq!(Stamp::of(&path), None);
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
        assert!(settled(&link).log.is_some());
        assert_ne!(settled(&link), bare);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(Stamp::at(SystemTime::now() + SETTLED, &link), None, "it leads nowhere");
    }

    #[test]
    fn only_so_many_pages_are_kept_and_each_is_its_querys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metadata.db");
        std::fs::write(&path, "one").unwrap();
        let (lists, stamp) = (Lists::default(), Some(settled(&path)));
        let query = |n: usize| VersionQuery { q: Some(n.to_string()), ..VersionQuery::default() };
        let page = Page { items: Vec::new(), next_cursor: None };
        for n in 0..=MOST {
            lists.keep_page(stamp, &query(n), &page);
        }
        assert_eq!(lists.page(stamp, &query(0)), None, "the oldest made room");
        assert!((1..=MOST).all(|n| lists.page(stamp, &query(n)).is_some()));
        assert_eq!(lists.page(stamp, &VersionQuery::default()), None);
    }
}
