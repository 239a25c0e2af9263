//! What can go wrong with a store, and what to do about it.

use rollback_types::{StepError, StoreKind};

/// What kind of fault a store reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No connection: refused, no route, name unknown, closed in the middle.
    Unreachable,
    /// No answer in time. What was asked may have been done all the same.
    TimedOut,
    /// The login was refused.
    Authentication,
    /// Locked or busy: `SQLITE_BUSY`, a deadlock, a server that sheds load.
    Busy,
    /// The server failed inside (5xx, `Internal`, transient database errors).
    ServerFailed,
    /// A table, collection or file that must be there is not.
    Missing,
    /// Not what it claims to be: no SQLite file, malformed, failed its integrity check.
    Corrupt,
    /// A healthy file or server that is not HybridFlow's.
    Foreign,
    /// May not be written.
    ReadOnly,
    /// No space left.
    Full,
    /// A conditional change met another state than expected: somebody else was here.
    Changed,
    /// The store refused what was asked (a syntax it does not know, a right that is missing).
    Refused,
    /// An answer that makes no sense.
    Unexpected,
}

impl Fault {
    /// Worth trying again by itself, after a pause.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::TimedOut | Self::Busy | Self::ServerFailed)
    }

    /// The word for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timeout",
            Self::Authentication => "authentication",
            Self::Busy => "busy",
            Self::ServerFailed => "server_failed",
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::ReadOnly => "read_only",
            Self::Full => "disk_full",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Unexpected => "unexpected",
        }
    }
}

/// A store did not do what was asked. Names host, operation and remedy; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{store} at {endpoint}: {operation} failed: {detail}")]
pub struct StoreError {
    /// Which store.
    pub store: StoreKind,
    /// File, or scheme, host and port; no user, no password.
    pub endpoint: String,
    /// What was asked, as a gerund or noun: `counting points`, `dropping chapter_metadata_staging`.
    pub operation: String,
    /// What kind of fault.
    pub fault: Fault,
    /// What the store said, shortened to something readable.
    pub detail: String,
}

impl StoreError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        let place = &self.endpoint;
        // Embedded stores are files: there is no server to look at.
        let file = !place.contains("://");
        if let (true, Some(remedy)) = (is_copy(place), self.remedy_of_copy()) {
            return remedy;
        }
        match (self.fault, self.store) {
            (Fault::Unreachable, _) if file => format!("Check that the file {place} exists and can be read."),
            (Fault::Unreachable, store) => format!(
                "Check that {store} runs at {place} (docker ps; docker restart hybridflow-{}) and try again.",
                store.as_str()
            ),
            (Fault::Authentication, store) => {
                format!("Check the user and password (or key) configured for {store}, then try again.")
            }
            (Fault::Busy | Fault::ServerFailed | Fault::TimedOut, _) if file => {
                format!(
                    "Another program holds a lock on {place}: let it finish (is an ingestion running?), then try again."
                )
            }
            (Fault::TimedOut, store) => format!(
                "{store} at {place} is slow or hangs: look at its load and its log, then try again. What was asked may \
                 have been done; Stepback counts again before it goes on."
            ),
            (Fault::Busy | Fault::ServerFailed, store) => {
                format!("Look at the log of {store} at {place}, wait a moment and try again.")
            }
            (Fault::Missing, _) => {
                format!("Check that {place} is the right deployment and that its set-up was finished.")
            }
            (Fault::Corrupt, _) => {
                format!("Do not write to {place}. Keep a copy as it is, and restore it from a proven backup.")
            }
            (Fault::Foreign, _) => format!("Check the configuration: {place} is not a HybridFlow store."),
            (Fault::ReadOnly, _) => format!("Give Stepback's user the right to write {place}, then try again."),
            (Fault::Full, _) => format!("Free some space on the disk of {place}, then try again."),
            (Fault::Changed, _) => "Look at the version again: somebody or something else changed it.".to_owned(),
            (Fault::Refused | Fault::Unexpected, _) if file => {
                format!(
                    "Look at {place} with the program sqlite3: does it open, and is it what the configuration means?"
                )
            }
            (Fault::Refused | Fault::Unexpected, store) => {
                format!("Check that the version of {store} at {place} is one Stepback supports, and see its log.")
            }
        }
    }

    /// Where the trouble is a file of a backup, and no store.
    fn remedy_of_copy(&self) -> Option<String> {
        let place = &self.endpoint;
        match self.fault {
            Fault::Missing => Some(format!("Put {place} back, or use another backup.")),
            Fault::Corrupt | Fault::Foreign => Some(format!(
                "Do not restore from {place}. Use another backup, and keep this file for finding the cause."
            )),
            Fault::Refused | Fault::Unexpected => Some(format!(
                "Verify the backup that {place} belongs to (on its page, or with stepback backup verify). If it is not intact, \
                 use another one."
            )),
            _ => None,
        }
    }

    /// As a step's error: what happened, what is safe, what to do next.
    pub fn into_step_error(self, safe: impl Into<String>) -> StepError {
        StepError {
            code: self.fault.code().to_owned(),
            store: Some(self.store),
            message: self.to_string(),
            safe: safe.into(),
            remedy: self.remedy(),
        }
    }
}

/// Snapshots and exports: files that no store has open. (A copy of `metadata.db` is told by its folder alone.)
fn is_copy(place: &str) -> bool {
    let extension = std::path::Path::new(place).extension().and_then(|e| e.to_str());
    !place.contains("://") && matches!(extension, Some("snapshot" | "cypher"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy(endpoint: &str, fault: Fault) -> String {
        let (operation, detail) = ("restoring".to_owned(), "no".to_owned());
        StoreError { store: StoreKind::Qdrant, endpoint: endpoint.to_owned(), operation, fault, detail }.remedy()
    }

    #[test]
    fn trouble_with_a_copy_is_not_trouble_with_a_database() {
        for fault in [Fault::Refused, Fault::Unexpected] {
            assert!(remedy("/data/vectors.db", fault).contains("sqlite3"));
            for copy in ["/b/latest-copy/textbook_chunks_latest.snapshot", "/b/v2/neo4j.cypher"] {
                let said = remedy(copy, fault);
                assert!(said.contains(copy) && said.contains("Verify") && !said.contains("sqlite3"), "{said}");
            }
        }
        assert!(remedy("/b/neo4j.cypher", Fault::Corrupt).contains("another backup"));
        assert!(remedy("/b/neo4j.cypher", Fault::Missing).contains("back"));
        assert!(remedy("/b/neo4j.cypher", Fault::Full).contains("Free some space"));
        // A server's address is one whatever it ends in.
        assert!(remedy("http://backup.snapshot", Fault::Refused).contains("version"));
    }
}
