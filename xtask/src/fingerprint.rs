//! Hashes: names of page files, and whether something was made from the same input before.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::failure::{FileContext, Outcome};

/// The first 12 hexadecimal digits of the SHA-256 of `content`: part of a page file's name.
pub fn short(content: &[u8]) -> String {
    let mut text = hex::encode(Sha256::digest(content));
    text.truncate(12);
    text
}

/// `stepback.css` → `stepback.0123456789ab.css`
pub fn hashed_name(name: &str, content: &[u8]) -> String {
    let hash = short(content);
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{name}.{hash}"),
    }
}

/// A hash over named parts. Lengths are part of it, so that moving a byte from one part to the next changes it.
#[derive(Debug, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a part.
    pub fn add(&mut self, name: &str, content: &[u8]) {
        for part in [name.as_bytes(), content] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// Adds every file below a folder, by its path in there.
    pub fn add_folder(&mut self, folder: &Path) -> Outcome {
        for file in files(folder)? {
            let content = fs::read(&file).file("read", &file)?;
            let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy();
            self.add(&name, &content);
        }
        Ok(())
    }

    /// The hash in hexadecimal digits.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// All files below a folder, sorted by path; none if there is no such folder.
pub fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder).file("read", folder)? {
        let path = entry.file("read", folder)?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_has_the_hash_before_the_extension() {
        // printf 'body{}' | sha256sum
        assert_eq!(short(b"body{}"), "7c98040a5416");
        assert_eq!(hashed_name("stepback_bg.wasm", b"body{}"), "stepback_bg.7c98040a5416.wasm");
        assert_ne!(hashed_name("a.css", b"a"), hashed_name("a.css", b"b"));
    }

    #[test]
    fn a_moved_byte_changes_the_fingerprint() {
        let of = |parts: &[(&str, &str)]| {
            let mut print = Fingerprint::default();
            for (name, content) in parts {
                print.add(name, content.as_bytes());
            }
            print.finish()
        };
        assert_eq!(of(&[("a", "bc")]), of(&[("a", "bc")]));
        assert_ne!(of(&[("a", "bc")]), of(&[("ab", "c")]));
        assert_ne!(of(&[("a", "b"), ("c", "d")]), of(&[("c", "d"), ("a", "b")]));
    }

    #[test]
    fn a_folder_counts_with_names_and_contents_in_a_fixed_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/c"), "1").unwrap();
        fs::write(folder.path().join("a"), "2").unwrap();
        let print = || {
            let mut print = Fingerprint::default();
            print.add_folder(folder.path()).unwrap();
            print.finish()
        };
        let first = print();
        assert_eq!(first, print());
        fs::rename(folder.path().join("a"), folder.path().join("d")).unwrap();
        assert_ne!(first, print());
        assert_eq!(files(&folder.path().join("missing")).unwrap(), Vec::<PathBuf>::new());
    }
}
