//! Production from a copy: one transaction on one connection, proven before it is committed. A process that dies in it
//! leaves the old state to the next one that opens the file.

use std::path::Path;

use rollback::store::{Fault, StoreError};
use rollback_types::Inventory;
use sqlx::{Connection, SqliteConnection};

use super::back_up::vacuum_into;
use super::catalog::{COPY, MAIN};
use super::chapters::{integrity, inventory};
use super::connect::{Connections, close_after, copy_reader, file_id};
use super::copy_file::CopyFile;
use super::fault::Asked;
use super::new_file::Unfinished;
use super::shape::{CHAPTERS, Columns, DIGESTED, Shape, columns_in};
use super::swap::Swap;

/// Restores the live database. Returns its chapters, read after the commit.
pub(super) async fn restore(connections: &Connections, copy: &Path) -> Result<Inventory, StoreError> {
    let asked = Asked::new(connections.path(), format!("restoring the chapters from {}", copy.display()));
    let copy = CopyFile::look(copy, connections.path())?;
    let mut connection = connections.writer(&asked).await?;
    let done = restore_in(&mut connection, &copy, &asked).await;
    close_after(connection, done).await
}

async fn restore_in(
    connection: &mut SqliteConnection,
    copy: &CopyFile,
    asked: &Asked,
) -> Result<Inventory, StoreError> {
    // Pages leave the memory at the commit and not before: readers are kept out for that moment only.
    sqlx::query("PRAGMA cache_spill = OFF").execute(&mut *connection).await.map_err(|e| asked.sql(e))?;
    sqlx::query("ATTACH ? AS copy").bind(&copy.uri).execute(&mut *connection).await.map_err(|e| copy.asked.sql(e))?;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    Shape::load(&mut tx, asked).await?;
    let chapters = chapters_of_a_sound_copy(&mut tx, copy).await?;
    let wanted = inventory(&mut tx, COPY, &chapters, &copy.asked).await?;

    let swap = Swap::prepare(&mut tx, asked, &copy.asked).await?;
    swap.carry_out(&mut tx).await?;
    swap.prove(&mut tx).await?;
    let chapters = columns_in(&mut tx, MAIN, CHAPTERS, asked).await?;
    let found = inventory(&mut tx, MAIN, &chapters, asked).await?;
    if found != wanted {
        return Err(copy.asked.fault(
            Fault::Corrupt,
            "the chapters did not arrive as the copy has them; everything was undone, nothing was changed",
        ));
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    inventory(connection, MAIN, &chapters, asked).await
}

/// The whole copy is read once before anything is touched.
async fn chapters_of_a_sound_copy(connection: &mut SqliteConnection, copy: &CopyFile) -> Result<Columns, StoreError> {
    let faults = integrity(connection, COPY, &copy.asked).await?;
    if let Some(first) = faults.first() {
        let said = format!("it failed its integrity check ({first}); nothing was changed");
        return Err(copy.asked.fault(Fault::Corrupt, said));
    }
    let chapters = columns_in(connection, COPY, CHAPTERS, &copy.asked).await?;
    if chapters.is_empty() {
        let said = format!("it has no table {CHAPTERS}: it is no copy of HybridFlow's database; nothing was changed");
        return Err(copy.asked.fault(Fault::Foreign, said));
    }
    let lacking = chapters.lacking(&DIGESTED);
    if !lacking.is_empty() {
        let said = format!(
            "its {CHAPTERS} has no column {}: what is restored could not be compared; nothing was changed",
            lacking.join(", ")
        );
        return Err(copy.asked.fault(Fault::Foreign, said));
    }
    Ok(chapters)
}

/// The same into a copy of the live database at `scratch`, which is gone afterwards.
pub(super) async fn try_out(connections: &Connections, copy: &Path, scratch: &Path) -> Result<Inventory, StoreError> {
    let asked = Asked::new(scratch, format!("trying {} out", copy.display()));
    // Whatever lies at the scratch file's place is removed: let that not be what this is all about.
    for precious in [connections.path(), copy] {
        let same_file = || file_id(scratch, &asked).ok() == file_id(precious, &asked).ok();
        if precious == scratch || (scratch.exists() && same_file()) {
            let said = format!("the trial's own file would take the place of {}", precious.display());
            return Err(asked.fault(Fault::Refused, said));
        }
    }
    let scratch = Unfinished::make(scratch.to_owned()).map_err(|e| asked.io(&e))?;
    vacuum_into(connections, scratch.path(), &asked).await?;
    let trial = Connections::new(scratch.path().to_owned(), connections.busy_timeout());
    let restored = restore(&trial, copy).await?;
    let mut reader = copy_reader(scratch.path(), connections.busy_timeout(), &asked).await?;
    match integrity(&mut reader, MAIN, &asked).await?.first() {
        None => Ok(restored),
        Some(first) => {
            Err(asked.fault(Fault::Corrupt, format!("what was restored failed its integrity check: {first}")))
        }
    }
}
