//! What an overview says, in one word, so that a page can tell whether it still says the same.

use rollback_types::{Overview, Timestamp};
use sha2::{Digest as _, Sha256};

/// A checksum over everything that an overview says, but for when it was looked at and how long that took.
///
/// `None` where it cannot be written as JSON, which its types rule out.
pub fn seen(overview: &Overview) -> Option<String> {
    let mut said = overview.clone();
    let never = Timestamp::from_unix_ms(0);
    said.at = never;
    for store in &mut said.stores {
        (store.checked_at, store.latency_ms) = (never, None);
    }
    if let Some(copy) = &mut said.latest_copy {
        // When it was proven is news; when it was looked at is none.
        (copy.checked_at, copy.took_ms) = (never, 0);
    }
    let bytes = serde_json::to_vec(&said).ok()?;
    Some(hex::encode(&Sha256::digest(bytes)[..12]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{StoreKind, StoreReport, StoreStatus, Verdict, VerdictLevel};

    fn overview(ms: i64, status: StoreStatus) -> Overview {
        let at = Timestamp::from_unix_ms(ms);
        let store = StoreReport {
            store: StoreKind::Neo4j,
            engine: "Neo4j".into(),
            version: None,
            location: String::new(),
            status,
            detail: String::new(),
            remedy: None,
            latency_ms: u64::try_from(ms).ok(),
            checked_at: at,
        };
        Overview {
            verdict: Verdict { level: VerdictLevel::Quiet, headline: String::new(), reasons: vec![], remedy: None },
            active_run: None,
            stores: vec![store],
            latest_copy: None,
            candidates: vec![],
            candidate_count: 0,
            staged: vec![],
            recent_runs: vec![],
            open_approvals: 0,
            layout: None,
            deployment: String::new(),
            at,
        }
    }

    #[test]
    fn only_what_changed_is_told_not_that_time_passed() {
        assert_eq!(seen(&overview(1, StoreStatus::Up)), seen(&overview(9, StoreStatus::Up)));
        assert_ne!(seen(&overview(1, StoreStatus::Up)), seen(&overview(1, StoreStatus::Down)));
    }
}
