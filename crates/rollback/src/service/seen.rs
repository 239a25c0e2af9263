//! What an overview says, in one word, so that a page can tell whether it still says the same.

use rollback_types::Overview;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Fields that differ from look to look though nothing changed.
const OF_THE_LOOK: [&str; 5] = ["at", "checked_at", "latency_ms", "took_ms", "duration_ms"];

/// A checksum over everything that an overview says, but for when it was looked at and how long that took.
///
/// `None` where it cannot be written as JSON, which its types rule out.
pub fn seen(overview: &Overview) -> Option<String> {
    let mut said = serde_json::to_value(overview).ok()?;
    forget_look(&mut said);
    let bytes = serde_json::to_vec(&said).ok()?;
    Some(hex::encode(&Sha256::digest(bytes)[..12]))
}

fn forget_look(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !OF_THE_LOOK.contains(&name.as_str()));
            fields.values_mut().for_each(forget_look);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_look),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{StoreKind, StoreReport, StoreStatus, Timestamp, Verdict, VerdictLevel};

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
