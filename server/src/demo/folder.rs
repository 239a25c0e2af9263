//! The demo's folder: written beside its place and moved there when it is whole.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::{DemoError, doing};

/// Marks a folder that `stepback demo` made and may replace.
const MARK: &str = ".stepback-demo";

/// A demo in the making.
#[derive(Debug)]
pub(super) struct Folder {
    place: PathBuf,
    partial: PathBuf,
}

impl Folder {
    /// Looks whether the place may be taken, clears what an interrupted try left, and makes the folder to write into.
    pub fn begin(dir: &Path, force: bool, description: &str) -> Result<Self, DemoError> {
        let place = std::path::absolute(dir).map_err(doing(format!("finding {}", dir.display())))?;
        // `a/..` and `/` have no name to put `.partial` behind.
        let name = place.file_name().ok_or_else(|| DemoError::NoName(place.clone()))?;
        let mut partial_name = OsString::from(name);
        partial_name.push(".partial");
        let partial = place.with_file_name(partial_name);
        match Content::of(&place)? {
            Content::Nothing => {}
            Content::Demo if force => {}
            Content::Demo => return Err(DemoError::Exists(place)),
            Content::Other => return Err(DemoError::Occupied(place)),
        }
        match Content::of(&partial)? {
            Content::Nothing | Content::Demo => clear(&partial)?,
            Content::Other => return Err(DemoError::Occupied(partial)),
        }
        fs::create_dir_all(&partial).map_err(doing(format!("making {}", partial.display())))?;
        fs::write(partial.join(MARK), description).map_err(doing(format!("writing into {}", partial.display())))?;
        Ok(Self { place, partial })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// Moves the finished demo to its place; an older demo there goes first.
    pub fn finish(self) -> Result<PathBuf, DemoError> {
        clear(&self.place)?;
        fs::rename(&self.partial, &self.place).map_err(doing(format!(
            "moving {} to {}",
            self.partial.display(),
            self.place.display()
        )))?;
        Ok(self.place)
    }
}

enum Content {
    /// Not there, or empty.
    Nothing,
    Demo,
    Other,
}

impl Content {
    fn of(path: &Path) -> Result<Self, DemoError> {
        let failed = || doing(format!("looking into {}", path.display()));
        if !path.try_exists().map_err(failed())? {
            return Ok(Self::Nothing);
        }
        if !path.is_dir() {
            return Ok(Self::Other);
        }
        if path.join(MARK).is_file() {
            return Ok(Self::Demo);
        }
        let empty = fs::read_dir(path).map_err(failed())?.next().is_none();
        Ok(if empty { Self::Nothing } else { Self::Other })
    }
}

fn clear(path: &Path) -> Result<(), DemoError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(doing(format!("removing {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}
