//! The limit of open files: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open besides connections: databases, backups, the program's own.
const OTHERS: u64 = 256;

/// Raises this process' limit as far as the system lets it, where so many connections need it.
pub fn allow(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is none.
    let Some(current) = limit.current.filter(|current| *current < wanted) else { return };
    let allowed = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum: limit.maximum }) {
        tracing::warn!(%error, current, wanted, "the limit of open files could not be raised");
    } else if allowed < wanted {
        tracing::warn!(
            allowed,
            wanted,
            "server.max_connections needs more open files than the system allows: raise `ulimit -Hn`"
        );
    }
}
