//! Names of versions, plans and runs, and the type that may be rolled back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A version id as the registry has it. Any text: real registries hold ids that fit no pattern, and they must still be
/// listed. What may be *acted on* is a [`RollbackTarget`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct VersionId(String);

impl VersionId {
    /// Takes any text.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as the registry has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `v1_baseline` or `v1_baseline_…`, in any case (SQLite's table names know no case).
    pub fn is_baseline(&self) -> bool {
        let lower = self.0.trim().to_ascii_lowercase();
        lower == "v1_baseline" || lower.starts_with("v1_baseline_")
    }

    /// `latest_copy…`: a safety backup of the per-version layout, a way back and never a candidate.
    pub fn is_safety_backup(&self) -> bool {
        self.0.trim().to_ascii_lowercase().starts_with("latest_copy")
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an id can never name the target of a rollback, whatever its state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefusal {
    /// The baseline is immutable: never rolled back, never deleted.
    #[error("the baseline is never rolled back")]
    Baseline,
    /// A safety backup is a source for a restore.
    #[error("latest_copy… is a safety backup: a source for a restore, never a candidate")]
    SafetyBackup,
    /// The id would make an illegal or dangerous table, collection or label name.
    #[error(
        "the id would make an unsafe table or collection name: only ASCII letters, digits, '_', '-' and '.' are allowed, \
         beginning with a letter or digit, at most {MAX_TARGET_BYTES} bytes"
    )]
    UnsafeName,
}

/// The longest id that can be a target, so that `chapter_metadata_<id>` stays a sane name everywhere.
pub const MAX_TARGET_BYTES: usize = 120;

/// A version that may be acted on: never the baseline, never a safety backup, and safe inside the name of a table or a
/// collection. The state is checked apart, because it can change at any time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RollbackTarget(VersionId);

impl RollbackTarget {
    /// Checks the id.
    ///
    /// # Errors
    /// [`TargetRefusal`] for the baseline, safety backups and ids that would make an illegal name.
    pub fn new(id: &VersionId) -> Result<Self, TargetRefusal> {
        if id.is_baseline() {
            return Err(TargetRefusal::Baseline);
        }
        let text = id.as_str();
        // The safety copy's own name, as a row of the registry, is refused like those of the stores' safety backups.
        if id.is_safety_backup() || text.trim().to_ascii_lowercase().starts_with("latest-copy") {
            return Err(TargetRefusal::SafetyBackup);
        }
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if !starts_well || text.len() > MAX_TARGET_BYTES || text.contains("..") || !text.bytes().all(allowed) {
            return Err(TargetRefusal::UnsafeName);
        }
        Ok(Self(id.clone()))
    }

    /// The id.
    pub fn id(&self) -> &VersionId {
        &self.0
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for RollbackTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a run, as people say it: run #42.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = std::num::ParseIntError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

/// SHA-256 over the canonical JSON of everything in a plan that would change the decision; 64 lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct PlanDigest(pub String);

impl PlanDigest {
    /// The first eight digits, for people to compare.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(id: &str) -> Result<RollbackTarget, TargetRefusal> {
        RollbackTarget::new(&VersionId::new(id))
    }

    #[test]
    fn baseline_and_safety_backups_are_never_targets() {
        for id in ["v1_baseline", "v1_baseline_20251226_143022", "V1_Baseline", " v1_baseline ", "v1_BASELINE_x"] {
            assert_eq!(target(id), Err(TargetRefusal::Baseline), "{id}");
        }
        for id in ["latest_copy", "latest_copy20261123_141838", "Latest_Copy1", "latest-copy", "Latest-Copy "] {
            assert_eq!(target(id), Err(TargetRefusal::SafetyBackup), "{id}");
        }
    }

    #[test]
    fn hostile_ids_are_refused_and_real_ones_taken() {
        for id in ["", "a'b", "a\"b", "a`b", "../x", "a/..", "a..b", "<script>", "a\0b", "a b", "-x", ".x", "ü", "a;b"]
        {
            assert_eq!(target(id), Err(TargetRefusal::UnsafeName), "{id:?}");
        }
        assert_eq!(target(&"a".repeat(10_000)), Err(TargetRefusal::UnsafeName));
        for id in ["v2_minor_20251226_143022", "staging20251227_140000", "v1_baseliner", "7"] {
            assert!(target(id).is_ok(), "{id}");
        }
    }

    proptest! {
        #[test]
        fn a_target_never_holds_a_quote_a_slash_or_a_control(id in any::<String>()) {
            if let Ok(t) = target(&id) {
                prop_assert!(!t.id().is_baseline() && !t.id().is_safety_backup());
                prop_assert!(t.as_str().chars().all(|c| c.is_ascii_graphic() && !"'\"`/\\;<>&%".contains(c)));
            }
        }
    }
}
