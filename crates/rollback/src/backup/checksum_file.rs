//! What `checksums.txt` of a backup says, or why it says nothing.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use backup_formats::checksums::{self, Checksums};

/// Far more than any list of three files needs; a larger file is not one.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the list. `Ok(None)`: there is none. Blocks.
pub(crate) fn read(path: &Path) -> Result<Option<Checksums>, String> {
    let name = path.display();
    match std::fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("{name} cannot be read: {e}")),
        // Opening a pipe would wait for a writer for ever.
        Ok(meta) if !meta.is_file() => return Err(format!("{name} is not a file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|e| format!("{name} cannot be read: {e}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{name} is too large to be a list of checksums"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not text"))?;
    checksums::parse(&text).map(Some).map_err(|e| e.to_string())
}

/// Adds one file's hash to the list, or changes it; the list is whole at every moment. Blocks.
pub(crate) fn record(path: &Path, name: &str, sha256: &str) -> Result<(), String> {
    let failed = |e: io::Error| format!("{} cannot be written: {e}", path.display());
    let digest = sha256.parse().map_err(|_| format!("{sha256} is no SHA-256"))?;
    let mut sums = read(path)?.unwrap_or_default();
    sums.insert(name, digest);
    let part = path.with_extension("txt.part");
    let mut file = File::create(&part).map_err(failed)?;
    write!(file, "{sums}").and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)
}
