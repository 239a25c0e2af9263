//! Open connections by the address they come from: one address may have so many, so that it cannot take all places.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Whether the limit does not hold for an address.
type IsSpared = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// Open connections by address; an IPv6 /64 counts as one.
pub struct Addresses {
    most: usize,
    is_spared: IsSpared,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One open connection. It counts as long as it lives.
#[derive(Debug)]
pub struct Place {
    addresses: Arc<Addresses>,
    /// Absent: the address is spared.
    network: Option<IpAddr>,
}

impl Addresses {
    /// Connections of which each address may have so many, but for those that are spared: what is behind a proxy, and this
    /// machine itself, is more than one client.
    pub fn new(most: usize, is_spared: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { most, is_spared: Box::new(is_spared), open: Mutex::default() }
    }

    /// A place for one more connection; nothing when the address has all that it may have.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        let network = (!(self.is_spared)(address)).then(|| access::network(address));
        if let Some(network) = network {
            let mut open = self.open();
            let count = open.entry(network).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Place { addresses: Arc::clone(self), network })
    }

    /// Nothing in here can be left half done, so a panic elsewhere does not matter.
    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").field("most", &self.most).field("open", &self.open).finish_non_exhaustive()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut open = self.addresses.open();
        if let Some(count) = open.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let addresses = Arc::new(Addresses::new(2, |address| address.is_loopback()));
        let first = addresses.enter(at("203.0.113.9")).unwrap();
        let _second = addresses.enter(at("::ffff:203.0.113.9")).unwrap();
        assert!(addresses.enter(at("203.0.113.9")).is_none());
        assert!(addresses.enter(at("203.0.113.10")).is_some(), "another one's places are its own");
        drop(first);
        assert!(addresses.enter(at("203.0.113.9")).is_some());
    }

    #[test]
    fn a_v6_network_is_one_and_who_is_spared_has_no_limit() {
        let addresses = Arc::new(Addresses::new(1, |address| address.is_loopback()));
        let held = addresses.enter(at("2001:db8::1"));
        assert!(held.is_some() && addresses.enter(at("2001:db8::2")).is_none());
        let local: Vec<_> = (0..9).map_while(|_| addresses.enter(at("127.0.0.1"))).collect();
        assert_eq!(local.len(), 9);
        drop((held, local));
        assert!(addresses.open().is_empty(), "who has no connection is forgotten");
    }
}
