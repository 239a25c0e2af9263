//! Free and needed space, file system by file system: what a run writes, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rollback_types::StoreKind;
use rollback_types::plan::DiskSpace;

use super::{Gathered, Planner};
use crate::backup::space::{Measured, bytes_of_a_copy};
use crate::store::Space;

/// Where a run writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The runs' folders: evidence, ways back, scratch files.
    Runs,
    /// The folder of the backups.
    Backups,
    /// The folder of a store that is a file here. A server's disk is its own.
    Store(StoreKind),
}

/// A place, and the file system that it is on.
#[derive(Debug)]
pub(crate) struct Room {
    pub place: Place,
    pub path: PathBuf,
    pub space: io::Result<Space>,
}

/// Bytes to be written in one place.
#[derive(Clone, Copy, Debug, Default)]
struct Need {
    /// Copies that are kept. Twice as much is asked for: their size is an estimate.
    copies: u64,
    /// What comes and goes: scratch places, the room of a transaction.
    passing: u64,
}

/// What a run writes, place by place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Needs(BTreeMap<Place, Need>);

impl Needs {
    /// Of a run that writes nothing but its own small entries.
    pub fn of_entries() -> Self {
        let mut needs = Self::default();
        needs.passing(Place::Runs, 0);
        needs
    }

    /// Of a restore of these stores: their ways back, the trials, and the room to put the files in.
    pub fn of_restore(g: &Gathered, chosen: &BTreeSet<StoreKind>) -> Self {
        let mut needs = Self::of_entries();
        // Registry and log are written whatever is restored.
        needs.passing(Place::Store(StoreKind::Sqlite), 0);
        for store in chosen {
            needs.copies(Place::Runs, bytes_of(g, *store));
            let file = file_bytes(g, *store);
            match store {
                StoreKind::Sqlite => needs.passing(Place::Store(*store), file),
                // The trial's collection stands beside production.
                StoreKind::Qdrant => needs.passing(Place::Store(*store), file.saturating_mul(2)),
                StoreKind::Neo4j => {
                    needs.passing(Place::Runs, file);
                    needs.passing(Place::Store(*store), file);
                }
            }
        }
        needs
    }

    /// Of a new backup of these stores, and of its trial restores.
    pub fn of_backup(g: &Gathered, stores: &BTreeSet<StoreKind>) -> Self {
        let mut needs = Self::of_entries();
        for store in stores {
            let bytes = bytes_of(g, *store);
            needs.copies(Place::Backups, bytes);
            let scratch = if *store == StoreKind::Qdrant { Place::Store(*store) } else { Place::Runs };
            needs.passing(scratch, bytes);
        }
        needs
    }

    /// Evidence kept beside.
    pub fn with_evidence(mut self, bytes: u64) -> Self {
        self.copies(Place::Runs, bytes);
        self
    }

    fn copies(&mut self, place: Place, bytes: u64) {
        let need = self.0.entry(place).or_default();
        need.copies = need.copies.saturating_add(bytes);
    }

    fn passing(&mut self, place: Place, bytes: u64) {
        let need = self.0.entry(place).or_default();
        need.passing = need.passing.saturating_add(bytes);
    }

    /// Beside what is free. Places on one file system share it; where nothing is written nothing is asked for. `Err`: places
    /// whose space cannot be told, and why.
    pub fn beside(&self, rooms: &[Room], least: u64) -> Vec<Result<DiskSpace, String>> {
        let mut systems: Vec<(u64, DiskSpace, Need)> = Vec::new();
        let mut untold = Vec::new();
        for (room, need) in rooms.iter().filter_map(|room| Some((room, self.0.get(&room.place)?))) {
            let path = room.path.display().to_string();
            let space = match &room.space {
                Ok(space) => space,
                Err(e) => {
                    untold.push(Err(format!("the free space at {path} cannot be told: {e}")));
                    continue;
                }
            };
            match systems.iter_mut().find(|(system, ..)| *system == space.file_system) {
                Some((_, told, sum)) => {
                    if !told.path.split(", ").any(|p| p == path) {
                        told.path = format!("{}, {path}", told.path);
                    }
                    sum.copies = sum.copies.saturating_add(need.copies);
                    sum.passing = sum.passing.saturating_add(need.passing);
                }
                None => {
                    let told = DiskSpace { path, free_bytes: space.free_bytes, needed_bytes: 0 };
                    systems.push((space.file_system, told, *need));
                }
            }
        }
        let told = systems.into_iter().map(|(_, told, need)| {
            let written = need.copies.saturating_mul(2).saturating_add(need.passing);
            Ok(DiskSpace { needed_bytes: least.max(written), ..told })
        });
        told.chain(untold).collect()
    }
}

/// The places that this deployment's runs write to, with what is free there. Blocks for as long as a disk takes to answer.
pub(super) async fn rooms(planner: &Planner<'_>) -> Vec<Room> {
    let mut places = vec![
        (Place::Runs, planner.settings.evidence_dir.clone()),
        (Place::Backups, planner.verifier.folders().root().to_owned()),
    ];
    for store in StoreKind::ALL {
        let folder = planner.stores.engine(store).folder().map(Path::to_owned);
        places.extend(folder.map(|folder| (Place::Store(store), folder)));
    }
    let (host, asked) = (planner.stores.host.clone(), places.clone());
    let look = move || {
        let room = |(place, path): (Place, PathBuf)| Room { place, space: host.space(&path), path };
        asked.into_iter().map(room).collect()
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_else(|e| {
        let why = e.to_string();
        let room = |(place, path)| Room { place, path, space: Err(io::Error::other(why.clone())) };
        places.into_iter().map(room).collect()
    })
}

/// What copies of the chosen stores will take, as they are now.
pub(super) fn bytes_of_all(g: &Gathered, chosen: &BTreeSet<StoreKind>) -> u64 {
    chosen.iter().map(|store| bytes_of(g, *store)).fold(0, u64::saturating_add)
}

/// Of a store that cannot be read it is as large as the backup's file.
fn bytes_of(g: &Gathered, store: StoreKind) -> u64 {
    let file = g.copy.health.files.iter().find(|f| f.store == store).and_then(|f| f.bytes);
    let measured = match (file, g.copy.contents.get(store)) {
        (Some(bytes), Some(holds)) => Some(Measured { bytes, holds }),
        _ => None,
    };
    match &g.side(store).production {
        Ok(present) => bytes_of_a_copy(store, present, g.database_bytes, measured),
        Err(_) => file.unwrap_or(0),
    }
}

fn file_bytes(g: &Gathered, store: StoreKind) -> u64 {
    g.copy.health.files.iter().find(|f| f.store == store).and_then(|f| f.bytes).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(place: Place, path: &str, file_system: u64, free_bytes: u64) -> Room {
        Room { place, path: path.into(), space: Ok(Space { file_system, free_bytes }) }
    }

    #[test]
    fn places_on_one_disk_share_it_and_where_nothing_is_written_nothing_is_asked() {
        let mut needs = Needs::of_entries();
        needs.copies(Place::Runs, 300);
        needs.passing(Place::Store(StoreKind::Sqlite), 50);
        let rooms = [
            room(Place::Runs, "/a/runs", 1, 900),
            room(Place::Backups, "/b", 2, 0),
            room(Place::Store(StoreKind::Sqlite), "/a", 1, 900),
        ];
        let told = needs.beside(&rooms, 10);
        assert_eq!(told, [Ok(DiskSpace { path: "/a/runs, /a".into(), free_bytes: 900, needed_bytes: 650 })]);
        let apart = [room(Place::Runs, "/a", 1, 900), room(Place::Store(StoreKind::Sqlite), "/c", 3, 5)];
        let told: Vec<u64> = needs.beside(&apart, 60).into_iter().map(|told| told.unwrap().needed_bytes).collect();
        assert_eq!(told, [600, 60], "each disk by what goes there, and never less than the least");
    }

    #[test]
    fn a_disk_that_cannot_be_asked_is_told() {
        let rooms = [Room { place: Place::Runs, path: "/gone".into(), space: Err(io::Error::other("no answer")) }];
        let told = Needs::of_entries().beside(&rooms, 1);
        assert!(
            matches!(told.as_slice(), [Err(why)] if why.contains("/gone") && why.contains("no answer")),
            "{told:?}"
        );
    }
}
