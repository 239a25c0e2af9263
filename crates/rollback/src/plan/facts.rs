//! What of a plan decides: a flat list of facts, their digest, and how two lists differ.

use std::collections::BTreeMap;

use rollback_types::{Difference, PlanDigest};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Facts by JSON pointer, in a fixed order. Times, latencies and free space are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Adds a value under a pointer, field by field.
    pub(super) fn add(&mut self, pointer: &str, value: &impl Serialize) {
        // A value of our own types always serialises; were one not to, its failure is itself the fact.
        let value = serde_json::to_value(value).unwrap_or_else(|e| Value::String(format!("unreadable: {e}")));
        self.flatten(pointer, &value);
    }

    fn flatten(&mut self, pointer: &str, value: &Value) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    self.flatten(&format!("{pointer}/{key}"), value);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (i, value) in items.iter().enumerate() {
                    self.flatten(&format!("{pointer}/{i}"), value);
                }
            }
            Value::String(text) => {
                self.0.insert(pointer.to_owned(), text.clone());
            }
            other => {
                self.0.insert(pointer.to_owned(), other.to_string());
            }
        }
    }

    /// SHA-256 over the facts as a JSON object with sorted keys.
    pub fn digest(&self) -> PlanDigest {
        let json = serde_json::to_vec(&self.0).unwrap_or_default();
        PlanDigest(hex::encode(Sha256::digest(json)))
    }

    /// Every pointer whose value differs, appeared or went; what tells a reader most comes first.
    pub fn differences(before: &Self, now: &Self) -> Vec<Difference> {
        let mut pointers: Vec<&String> = before.0.keys().chain(now.0.keys()).collect();
        pointers.sort_by_key(|pointer| (rank(pointer), *pointer));
        pointers.dedup();
        pointers
            .into_iter()
            .filter(|p| before.0.get(*p) != now.0.get(*p))
            .map(|p| Difference { field: p.clone(), before: before.0.get(p).cloned(), now: now.0.get(p).cloned() })
            .collect()
    }
}

/// The version's own state, then what is counted, then the rest; what follows from all that comes last.
fn rank(pointer: &str) -> u8 {
    const COUNTS: [&str; 5] = ["rows", "points", "nodes", "relationships", "crossing_relationships"];
    let last = pointer.rsplit('/').next().unwrap_or_default();
    match pointer {
        "/version/status" => 0,
        _ if pointer.starts_with("/version/") => 1,
        _ if COUNTS.contains(&last) => 2,
        _ if pointer.starts_with("/acknowledgements") => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The digest changes exactly when a fact does, and the difference names that fact.
        #[test]
        fn digest_and_difference_agree(a in 0u64..4, b in 0u64..4, text in "[a-z/~]{0,4}", other in "[a-z/~]{0,4}") {
            let make = |n: u64, t: &str| {
                let mut f = Facts::default();
                f.add("/stores", &serde_json::json!({"points": n, "name": t, "list": [1, 2]}));
                f
            };
            let (x, y) = (make(a, &text), make(b, &other));
            let differences = Facts::differences(&x, &y);
            prop_assert_eq!(x.digest() == y.digest(), differences.is_empty());
            prop_assert_eq!(differences.iter().any(|d| d.field == "/stores/points"), a != b);
            prop_assert_eq!(differences.iter().any(|d| d.field == "/stores/name"), text != other);
        }
    }

    #[test]
    fn the_versions_state_is_told_first_then_counts_and_last_what_follows_from_them() {
        let make = |status: &str, points: u64, present: bool| {
            let mut f = Facts::default();
            f.add("/acknowledgements", &serde_json::json!([{ "code": status }]));
            f.add("/stores/neo4j/staging", &serde_json::json!({ "present": present }));
            f.add("/stores/qdrant/staging", &serde_json::json!({ "points": points }));
            f.add("/version", &serde_json::json!({ "chapter_count": points, "status": status }));
            f
        };
        let told = Facts::differences(&make("failed", 3, true), &make("rolled_back", 0, false));
        let fields: Vec<&str> = told.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "/version/status",
                "/version/chapter_count",
                "/stores/qdrant/staging/points",
                "/stores/neo4j/staging/present",
                "/acknowledgements/0/code",
            ]
        );
    }

    #[test]
    fn keys_that_look_like_paths_do_not_collide() {
        let mut a = Facts::default();
        a.add("", &serde_json::json!({"x/y": 1}));
        let mut b = Facts::default();
        b.add("", &serde_json::json!({"x": {"y": 1}}));
        assert_ne!(a.digest(), b.digest());
    }
}
