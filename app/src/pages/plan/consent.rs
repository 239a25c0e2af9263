//! What another person's word means for a plan that was just made.

use rollback_types::{Approval, ApprovalState};
use serde::{Deserialize, Serialize};

/// What is asked and what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// How many other people must agree.
    pub required: u32,
    /// The request about this very plan, if there is one.
    pub approval: Option<Approval>,
}

/// What the reader of the plan can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Start it.
    NotNeeded,
    /// Ask; an earlier request may have come to nothing.
    ToAsk {
        /// How many others must agree.
        required: u32,
        /// That request.
        before: Option<Box<Approval>>,
    },
    /// Wait for others.
    Waiting(Box<Approval>),
    /// Start it, with the reason that was approved.
    Given(Box<Approval>),
    /// Leave the start to somebody else: without the reader's own word too few agreed.
    OwnWord(Box<Approval>),
}

impl Standing {
    /// Whose word a start waits for, on a badge; `None` where the reader may start.
    pub fn waits(&self) -> Option<String> {
        let required = match self {
            Self::NotNeeded | Self::Given(_) => return None,
            Self::OwnWord(_) => return Some("needs another person".to_owned()),
            Self::ToAsk { required, .. } => *required,
            Self::Waiting(approval) => approval.required,
        };
        Some(match required {
            1 => "needs another person’s approval".to_owned(),
            n => format!("needs the approval of {n} other people"),
        })
    }
}

impl Consent {
    /// How many others have said their word.
    pub fn votes(&self) -> usize {
        self.approval.as_ref().map_or(0, |approval| approval.votes.len())
    }

    /// For the person of this name.
    pub fn standing(self, reader: Option<&str>) -> Standing {
        let Self { required, approval } = self;
        if required == 0 {
            return Standing::NotNeeded;
        }
        let Some(approval) = approval.map(Box::new) else { return Standing::ToAsk { required, before: None } };
        let others = approval.votes.iter().filter(|v| v.approves && Some(v.by.as_str()) != reader).count();
        match approval.state {
            ApprovalState::Open => Standing::Waiting(approval),
            ApprovalState::Approved if others >= required as usize => Standing::Given(approval),
            ApprovalState::Approved => Standing::OwnWord(approval),
            ApprovalState::Refused | ApprovalState::Used | ApprovalState::Expired => {
                Standing::ToAsk { required, before: Some(approval) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rollback_types::{PlanDigest, RunKind, Timestamp, VersionId, Vote};

    use super::*;

    fn consent(state: ApprovalState, by: &[&str]) -> Consent {
        let at = Timestamp::from_unix_ms(0);
        let vote = |by: &&str| Vote { by: (*by).to_owned(), at, approves: true, reason: None };
        let approval = Approval {
            plan_digest: PlanDigest("d".into()),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            resumes: None,
            restore: None,
            acknowledgements: vec![],
            reason: "it failed".into(),
            asked_by: "otto".into(),
            asked_at: at,
            votes: by.iter().map(vote).collect(),
            lapsed: vec![],
            required: 1,
            run: None,
            state,
            plan: None,
        };
        Consent { required: 1, approval: Some(approval) }
    }

    #[test]
    fn only_others_words_let_a_reader_start() {
        assert_eq!(Consent::default().standing(None), Standing::NotNeeded);
        let asked = |state, by: &[&str]| consent(state, by).standing(Some("otto"));
        assert!(matches!(asked(ApprovalState::Open, &[]), Standing::Waiting(_)));
        assert!(matches!(asked(ApprovalState::Approved, &["ada"]), Standing::Given(_)));
        assert!(matches!(asked(ApprovalState::Approved, &["otto"]), Standing::OwnWord(_)));
        for over in [ApprovalState::Refused, ApprovalState::Used, ApprovalState::Expired] {
            assert!(matches!(asked(over, &["ada"]), Standing::ToAsk { before: Some(_), .. }), "{over:?}");
        }
        let badge = |state, by: &[&str]| asked(state, by).waits();
        assert_eq!(badge(ApprovalState::Open, &[]).as_deref(), Some("needs another person’s approval"));
        assert_eq!(badge(ApprovalState::Approved, &["ada"]), None);
        assert_eq!(badge(ApprovalState::Approved, &["otto"]).as_deref(), Some("needs another person"));
        let never = Consent { required: 2, approval: None };
        assert_eq!(never.standing(Some("otto")), Standing::ToAsk { required: 2, before: None });
    }
}
