//! States of a version, and what a rollback makes of each.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{RollbackTarget, VersionId};

/// A state as the registry has it. An unknown one is kept and shown as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the registry's own words")]
pub enum VersionState {
    Pending,
    Staging,
    Validating,
    ValidatingFailed,
    RollbackTriggered,
    Failed,
    Committing,
    RollingBack,
    Committed,
    Archived,
    Cancelled,
    Skipped,
    RolledBack,
    Restored,
    InUse,
    /// Anything else, word for word.
    Other(String),
}

impl VersionState {
    /// Every state that has a name.
    pub const KNOWN: [Self; 15] = [
        Self::Pending,
        Self::Staging,
        Self::Validating,
        Self::ValidatingFailed,
        Self::RollbackTriggered,
        Self::Failed,
        Self::Committing,
        Self::RollingBack,
        Self::Committed,
        Self::Archived,
        Self::Cancelled,
        Self::Skipped,
        Self::RolledBack,
        Self::Restored,
        Self::InUse,
    ];

    /// The registry's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Staging => "staging",
            Self::Validating => "validating",
            Self::ValidatingFailed => "validating_failed",
            Self::RollbackTriggered => "rollback_triggered",
            Self::Failed => "failed",
            Self::Committing => "committing",
            Self::RollingBack => "rolling_back",
            Self::Committed => "committed",
            Self::Archived => "archived",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::RolledBack => "rolled_back",
            Self::Restored => "restored",
            Self::InUse => "in_use",
            Self::Other(text) => text,
        }
    }

    /// What the state alone says about a rollback; the id is judged by `RollbackTarget`.
    pub fn candidacy(&self, extra_states: &[String]) -> Candidacy {
        match self {
            Self::Pending
            | Self::Staging
            | Self::Validating
            | Self::ValidatingFailed
            | Self::RollbackTriggered
            | Self::Failed
            | Self::Committing => Candidacy::Candidate,
            Self::RollingBack => Candidacy::TakeOver,
            Self::Committed => Candidacy::Refused("it is committed: its data is production".into()),
            Self::Archived => Candidacy::Refused("it is archived: nothing of it is staged".into()),
            Self::Cancelled => Candidacy::Refused("it was cancelled before anything was staged".into()),
            Self::Skipped => Candidacy::Refused("it was skipped: there was nothing to ingest".into()),
            Self::RolledBack => Candidacy::Refused("it is rolled back already".into()),
            Self::Restored => Candidacy::Refused("it was restored: its data is production".into()),
            Self::InUse => Candidacy::Refused("it is in use: its data is production".into()),
            Self::Other(text) if extra_states.iter().any(|s| s == text) => Candidacy::Candidate,
            Self::Other(_) => Candidacy::Refused(
                "its state is unknown to Stepback; an administrator can add it to rollback.extra_states".into(),
            ),
        }
    }
}

/// What a state means for a rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "reason")]
pub enum Candidacy {
    /// May be rolled back.
    Candidate,
    /// An earlier rollback, ours or a person's, did not finish: it can be taken over.
    TakeOver,
    /// May not, with the reason in words that complete "because …".
    Refused(String),
}

impl Candidacy {
    /// What id and state together say: the baseline, safety backups and unsafe names are refused in every state.
    pub fn of(id: &VersionId, state: &VersionState, extra_states: &[String]) -> Self {
        match RollbackTarget::new(id) {
            Err(refusal) => Self::Refused(refusal.to_string()),
            Ok(_) => state.candidacy(extra_states),
        }
    }

    /// Candidate or take-over.
    pub fn is_offered(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for VersionState {
    fn from(text: &str) -> Self {
        Self::KNOWN.into_iter().find(|s| s.as_str() == text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl FromStr for VersionState {
    type Err = Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(s.into())
    }
}

impl Serialize for VersionState {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for VersionState {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(<std::borrow::Cow<'de, str>>::deserialize(d)?.as_ref().into())
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for VersionState {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for VersionState {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for state in VersionState::KNOWN {
            assert_eq!(VersionState::from(state.as_str()), state);
        }
        assert_eq!(VersionState::from("quarantined").as_str(), "quarantined");
    }

    #[test]
    fn an_unknown_state_is_refused_until_named() {
        let odd = VersionState::from("quarantined");
        assert!(!odd.candidacy(&[]).is_offered());
        assert!(odd.candidacy(&["quarantined".into()]).is_offered());
        // Naming a state of production opens nothing.
        assert!(!VersionState::Committed.candidacy(&["committed".into()]).is_offered());
    }
}
