//! Downloads and builds that outlive a checkout: `${XDG_CACHE_HOME:-~/.cache}/stepback/<name>-<version>`.
//!
//! An entry is made in a folder beside its place and renamed when complete, under a lock: a half-made entry is never
//! found, an interrupted one is made anew, and a second run waits for the first.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::failure::{Failure, FileContext, Outcome, say};

/// The cache's folder.
pub fn folder() -> Outcome<PathBuf> {
    let base = env::var_os("XDG_CACHE_HOME")
        .filter(|dir| Path::new(dir).is_absolute())
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .ok_or_else(|| Failure::new("there is no folder for downloads", "set HOME or XDG_CACHE_HOME"))?;
    Ok(base.join("stepback"))
}

/// The entry `name` of `cache`, made by `make` in the folder it is given if there is none yet.
pub fn entry(cache: &Path, name: &str, make: impl FnOnce(&Path) -> Outcome) -> Outcome<PathBuf> {
    let place = cache.join(name);
    if place.is_dir() {
        return Ok(place);
    }
    fs::create_dir_all(cache).file("create", cache)?;
    let _lock = lock(&cache.join(format!("{name}.lock")))?;
    if place.is_dir() {
        return Ok(place);
    }
    let part = cache.join(format!("{name}.part"));
    remove(&part)?;
    fs::create_dir(&part).file("create", &part)?;
    make(&part)?;
    fs::rename(&part, &place).file("put in place", &place)?;
    Ok(place)
}

/// Removes a folder if it is there.
pub fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::file("remove", folder, &error)),
        _ => Ok(()),
    }
}

/// Waits for the lock. It is held until the file is closed, also when this process is killed.
pub fn lock(path: &Path) -> Outcome<File> {
    let file = File::create(path).file("create", path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            say(format!("another run is at work on {}, waiting for it", path.display()));
            file.lock().file("lock", path)?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(Failure::file("lock", path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[test]
    fn an_entry_is_made_once() {
        let cache = tempfile::tempdir().unwrap();
        let made = entry(cache.path(), "a-1", |dir| fs::write(dir.join("x"), "x").file("write", dir)).unwrap();
        assert!(made.join("x").is_file());
        let again = entry(cache.path(), "a-1", |_| Err(Failure::new("made twice", ""))).unwrap();
        assert_eq!(made, again);
    }

    #[test]
    fn a_failed_or_interrupted_entry_is_not_found_and_is_made_anew() {
        let cache = tempfile::tempdir().unwrap();
        let failed = entry(cache.path(), "a-1", |dir| {
            fs::write(dir.join("half"), "").file("write", dir)?;
            Err(Failure::new("network gone", "try again"))
        });
        assert!(failed.is_err());
        assert!(!cache.path().join("a-1").exists());
        let made = entry(cache.path(), "a-1", |_| Ok(())).unwrap();
        assert!(!made.join("half").exists());
    }

    #[test]
    fn two_at_once_make_one() {
        let cache = tempfile::tempdir().unwrap();
        let (count, start) = (AtomicU32::new(0), Barrier::new(2));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    entry(cache.path(), "a-1", |_| {
                        count.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
