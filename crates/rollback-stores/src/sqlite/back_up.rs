//! A copy of the whole database as it is at one moment.

use std::path::{Path, PathBuf};

use backup_formats::checksums::sha256_reader;
use rollback::store::{CopyTaken, Fault, StoreError};
use rollback_types::Inventory;

use super::chapters::{integrity, inventory};
use super::connect::{Connections, copy_reader, uri};
use super::fault::{Asked, cannot_open, result_code};
use super::new_file::Unfinished;
use super::shape::{CHAPTERS, columns};

/// Copies the database into a file that appears at `to` only when it is whole and proven.
pub(super) async fn back_up(connections: &Connections, to: &Path) -> Result<CopyTaken, StoreError> {
    let asked = Asked::new(to, format!("copying {}", connections.path().display()));
    refuse_existing(to, &asked)?;
    let part = Unfinished::beside(to).map_err(|e| asked.io(&e))?;
    vacuum_into(connections, part.path(), &asked).await?;
    let inventory = proven(part.path(), connections, &asked).await?;
    let (bytes, sha256) = hashed(part.path().to_owned(), &asked).await?;
    refuse_existing(to, &asked)?;
    part.publish(to).map_err(|e| asked.io(&e))?;
    Ok(CopyTaken { path: to.to_owned(), bytes, sha256, inventory })
}

/// Writes what is committed, of the log beside the file too, into an empty file. One statement is one moment.
pub(super) async fn vacuum_into(connections: &Connections, file: &Path, asked: &Asked) -> Result<(), StoreError> {
    let live = Asked::new(connections.path(), format!("copying it to {}", file.display()));
    let mut reader = connections.reader(&live).await?;
    match sqlx::query("VACUUM INTO ?").bind(uri(file, "")).execute(&mut *reader).await {
        Ok(_) => Ok(()),
        // No space, no right to write, no way to open: the new file's fault, for the database was open already.
        Err(e) if matches!(result_code(&e), FULL | READ_ONLY) || cannot_open(&e) => Err(asked.sql(e)),
        Err(e) => Err(live.sql(e)),
    }
}

/// `SQLITE_READONLY`, without an extension that tells of a dead writer's journal.
const READ_ONLY: i32 = 8;
/// `SQLITE_FULL`.
const FULL: i32 = 13;

/// `integrity_check` of a new copy, and its chapters.
async fn proven(file: &Path, connections: &Connections, asked: &Asked) -> Result<Inventory, StoreError> {
    let mut copy = copy_reader(file, connections.busy_timeout(), asked).await?;
    let faults = integrity(&mut copy, "main", asked).await?;
    if let Some(first) = faults.first() {
        return Err(
            asked.fault(Fault::Corrupt, format!("the copy failed its integrity check and was not kept: {first}"))
        );
    }
    let chapters = columns(&mut copy, CHAPTERS, asked).await?;
    if chapters.is_empty() {
        return Ok(Inventory { name: CHAPTERS.to_owned(), ..Inventory::default() });
    }
    inventory(&mut copy, "main", &chapters, asked).await
}

async fn hashed(file: PathBuf, asked: &Asked) -> Result<(u64, String), StoreError> {
    let hashing = tokio::task::spawn_blocking(move || {
        let mut bytes = 0;
        let digest = sha256_reader(std::fs::File::open(file)?, |read| bytes = read)?;
        Ok((bytes, digest.to_string()))
    });
    match hashing.await {
        Ok(hashed) => hashed.map_err(|e| asked.io(&e)),
        Err(e) => Err(asked.fault(Fault::Unexpected, format!("the copy could not be hashed: {e}"))),
    }
}

fn refuse_existing(to: &Path, asked: &Asked) -> Result<(), StoreError> {
    match to.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(asked.io(&e)),
        Ok(_) => Err(asked.fault(Fault::Refused, "there is a file of that name already; it was left as it is")),
    }
}
