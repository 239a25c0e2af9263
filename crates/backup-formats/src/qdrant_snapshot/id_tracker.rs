//! The tables of point ids in a segment, as Qdrant 1.13 to 1.18 write them.
//!
//! Two layouts are known; both are little-endian except for UUIDs, which stand in reading order:
//!
//! - `id_tracker.mappings`, of a segment that is not written to any more: the number of entries (8),
//!   then for each a tag (0 number, 1 UUID), the id (8 or 16) and its slot (4). `id_tracker.deleted`
//!   is a bit set: the lowest bit of the first byte is slot 0.
//! - `mutable_id_tracker.mappings`, of one that is: a log of a tag and an id, with a slot (4) for
//!   insertions: 1 insert number, 2 insert UUID, 3 delete number, 4 delete UUID.

use std::collections::HashSet;
use std::io::{self, BufReader, Read};

use super::PointId;

/// The longest table that is read. A sparse file may claim any size.
const MAX_TABLE: u64 = 1024 * 1024 * 1024;
/// The most points that are held in memory to count distinct ones.
const MAX_POINTS: usize = 10_000_000;
/// Slots above this, and out of proportion to the table's length, are no real ones: a server told to
/// load such a table would reserve all the memory it can get.
const PLAUSIBLE_SLOTS: u64 = 1_000_000;

/// Why a table could not be counted.
#[derive(Debug)]
pub(super) enum TableError {
    Io(io::Error),
    /// Its layout is not the one known.
    Unknown(String),
}

impl From<io::Error> for TableError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn unknown<T>(what: impl Into<String>) -> Result<T, TableError> {
    Err(TableError::Unknown(what.into()))
}

/// A table read record by record.
struct Table<R> {
    reader: BufReader<io::Take<R>>,
    records: u64,
    highest_slot: u64,
}

impl<R: Read> Table<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, reader.take(MAX_TABLE)), records: 0, highest_slot: 0 }
    }

    /// Fills `buf`, or gives `false` at the end of the table. An end within is no known layout.
    fn read(&mut self, buf: &mut [u8]) -> Result<bool, TableError> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.reader.read(&mut buf[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return unknown("a table of point ids ends within a record"),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TableError> {
        let mut bytes = [0; N];
        if self.read(&mut bytes)? { Ok(bytes) } else { unknown("a table of point ids ends within a record") }
    }

    fn tag(&mut self) -> Result<Option<u8>, TableError> {
        let mut tag = [0];
        let found = self.read(&mut tag)?;
        self.records += u64::from(found);
        Ok(found.then_some(tag[0]))
    }

    fn number(&mut self) -> Result<PointId, TableError> {
        Ok(PointId::Num(u64::from_le_bytes(self.array()?)))
    }

    fn uuid(&mut self) -> Result<PointId, TableError> {
        Ok(PointId::Uuid(self.array()?))
    }

    fn slot(&mut self) -> Result<u32, TableError> {
        let slot = u32::from_le_bytes(self.array()?);
        self.highest_slot = self.highest_slot.max(u64::from(slot));
        Ok(slot)
    }

    fn check_slots(&self) -> Result<(), TableError> {
        if self.highest_slot > PLAUSIBLE_SLOTS.max(self.records.saturating_mul(16)) {
            return unknown(format!(
                "a table of {} records names slot {}: it may be damaged",
                self.records, self.highest_slot
            ));
        }
        Ok(())
    }
}

/// Plays the log of `mutable_id_tracker.mappings`; gives the ids that are left.
pub(super) fn read_log(reader: impl Read) -> Result<HashSet<PointId>, TableError> {
    let mut table = Table::new(reader);
    let mut ids = HashSet::new();
    while let Some(tag) = table.tag()? {
        let id = match tag {
            1 | 3 => table.number()?,
            2 | 4 => table.uuid()?,
            other => return unknown(format!("a log of point ids holds the unknown tag {other}")),
        };
        if tag <= 2 {
            table.slot()?;
            ids.insert(id);
        } else {
            ids.remove(&id);
        }
        if ids.len() > MAX_POINTS {
            return unknown(format!("there are more than {MAX_POINTS} points"));
        }
    }
    table.check_slots()?;
    Ok(ids)
}

/// Reads `id_tracker.mappings`: every id with its slot, deleted ones among them.
pub(super) fn read_mappings(reader: impl Read) -> Result<Vec<(PointId, u32)>, TableError> {
    let mut table = Table::new(reader);
    let entries = u64::from_le_bytes(table.array()?);
    if entries > MAX_POINTS as u64 {
        return unknown(format!("a table of point ids claims {entries} entries"));
    }
    // The length is the file's own word, so it reserves nothing.
    let mut mappings = Vec::new();
    while let Some(tag) = table.tag()? {
        let id = match tag {
            0 => table.number()?,
            1 => table.uuid()?,
            other => return unknown(format!("a table of point ids holds the unknown tag {other}")),
        };
        mappings.push((id, table.slot()?));
        if table.records > entries {
            break;
        }
    }
    if table.records != entries {
        return unknown(format!("a table of point ids claims {entries} entries and does not hold as many"));
    }
    table.check_slots()?;
    Ok(mappings)
}

/// Reads `id_tracker.deleted`.
pub(super) fn read_deleted(reader: impl Read) -> Result<Vec<u8>, TableError> {
    let limit = MAX_POINTS as u64 / 8 * 16;
    let mut bits = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bits)?;
    if bits.len() as u64 > limit {
        return unknown("the set of deleted points is too large");
    }
    Ok(bits)
}

/// True when the bit of `slot` is set; slots beyond the set are not deleted.
pub(super) fn is_deleted(bits: &[u8], slot: u32) -> bool {
    let byte = bits.get(slot as usize / 8).copied().unwrap_or(0);
    byte >> (slot % 8) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_log_is_played_in_order() {
        let mut log = Vec::new();
        for (number, slot) in [(7_u64, 0_u32), (8, 1)] {
            log.push(1);
            log.extend(number.to_le_bytes());
            log.extend(slot.to_le_bytes());
        }
        log.push(2);
        log.extend([9; 16]);
        log.extend(2_u32.to_le_bytes());
        log.push(3);
        log.extend(7_u64.to_le_bytes());
        assert_eq!(read_log(&log[..]).unwrap(), HashSet::from([PointId::Num(8), PointId::Uuid([9; 16])]));
        log.push(4);
        log.extend([9; 16]);
        assert_eq!(read_log(&log[..]).unwrap(), HashSet::from([PointId::Num(8)]));
    }

    #[test]
    fn a_slot_out_of_proportion_is_not_counted() {
        let mut log = vec![1];
        log.extend(7_u64.to_le_bytes());
        log.extend(u32::MAX.to_le_bytes());
        assert!(matches!(read_log(&log[..]), Err(TableError::Unknown(what)) if what.contains("slot")));
    }

    #[test]
    fn the_table_must_hold_what_it_claims() {
        let mut table = 2_u64.to_le_bytes().to_vec();
        for slot in [0_u32, 1] {
            table.push(1);
            table.extend([slot as u8; 16]);
            table.extend(slot.to_le_bytes());
        }
        let expected = vec![(PointId::Uuid([0; 16]), 0), (PointId::Uuid([1; 16]), 1)];
        assert_eq!(read_mappings(&table[..]).unwrap(), expected);
        for claim in [0_u64, 1, 3, u64::MAX] {
            table[..8].copy_from_slice(&claim.to_le_bytes());
            assert!(read_mappings(&table[..]).is_err(), "{claim}");
        }
        assert!(is_deleted(&[0b10], 1) && !is_deleted(&[0b10], 0) && !is_deleted(&[0b10], 8));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(0..6_u8, 0..300)) {
            let _ = read_log(&bytes[..]);
            let _ = read_mappings(&bytes[..]);
        }
    }
}
