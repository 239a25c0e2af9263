//! Refused tries of nobody who is signed in: so many rows per address and minute, and one that counts the rest. Without
//! that a stranger could fill the disk with rows, and then nothing could be audited or done any more.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use rollback_types::AuditOutcome;

use crate::audit::AuditEntry;
use crate::{Access, AccessError, network};

/// Rows of their own, per address and minute.
const ROWS: u32 = 30;
/// Addresses that are told apart in a minute; further ones are counted as one.
const ADDRESSES: usize = 1_000;
const MINUTE_MS: i64 = 60_000;

/// What was counted, by address; absent: of the addresses beyond those that are told apart.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<Option<IpAddr>, Counted>>);

#[derive(Clone, Copy, Debug)]
struct Counted {
    minute: i64,
    rows: u32,
    more: u64,
}

impl Refusals {
    /// Counts a try. Is it to have a row of its own?
    fn count(&self, address: Option<IpAddr>, minute: i64) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = address.map(network).filter(|a| counted.contains_key(&Some(*a)) || counted.len() < ADDRESSES);
        let entry = counted.entry(address).or_insert(Counted { minute, rows: 0, more: 0 });
        if entry.rows < ROWS {
            entry.rows += 1;
            return true;
        }
        entry.more += 1;
        false
    }

    /// Takes out what was counted in minutes that are over, where something is to be told of it.
    fn over(&self, minute: Option<i64>) -> Vec<(Option<IpAddr>, u64)> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = counted.extract_if(|_, entry| Some(entry.minute) != minute);
        over.filter(|(_, entry)| entry.more > 0).map(|(address, entry)| (address, entry.more)).collect()
    }
}

impl Access {
    /// Writes a try that was refused. Tries of people who are signed in all have their row. Of others, those beyond 30 per
    /// address and minute are counted, and told in one row when the minute is over.
    ///
    /// # Errors
    /// The file's.
    pub async fn audit_refused(
        &self,
        entry: &AuditEntry,
        status: Option<u16>,
        reason: &str,
    ) -> Result<(), AccessError> {
        let minute = self.now().div_euclid(MINUTE_MS);
        self.tell_refusals(Some(minute)).await?;
        if entry.actor.is_some() || self.refusals.count(entry.address, minute) {
            self.write_refused(entry, status, reason).await?;
        }
        Ok(())
    }

    /// Tells what was counted in minutes that are over; without one, all of it.
    pub(crate) async fn tell_refusals(&self, minute: Option<i64>) -> Result<(), AccessError> {
        for (address, more) in self.refusals.over(minute) {
            let entry = AuditEntry::of("refused tries", None, address);
            let told = format!("and {more} more within a minute, by nobody who was signed in");
            self.write_refused(&entry, None, &told).await?;
        }
        Ok(())
    }

    /// The same when the minute is not known to whoever asks.
    pub(crate) async fn tell_refusals_of_before(&self) -> Result<(), AccessError> {
        self.tell_refusals(Some(self.now().div_euclid(MINUTE_MS))).await
    }

    async fn write_refused(&self, entry: &AuditEntry, status: Option<u16>, why: &str) -> Result<(), AccessError> {
        let begun = self.audit_begin(entry).await?;
        self.audit_end(begun, AuditOutcome::Refused, status, Some(why)).await
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn many_addresses_do_not_fill_the_memory_either() {
        let refusals = Refusals::default();
        let mut rows = 0;
        for n in 0..5_000_u32 {
            rows += usize::from(refusals.count(Some(Ipv4Addr::from_bits(n).into()), 1));
        }
        assert_eq!(rows, ADDRESSES + usize::try_from(ROWS).unwrap());
        let more = u64::try_from(5_000 - rows).unwrap();
        assert_eq!(refusals.over(Some(2)), [(None, more)]);
        assert_eq!(refusals.0.lock().unwrap().len(), 0);
    }
}
