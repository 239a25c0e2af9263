//! The consent of another person to one very plan, where the deployment asks for it.

use serde::{Deserialize, Serialize};

use crate::{PlanDigest, RollbackPlan, RunId, RunKind, StoreKind, Timestamp, VersionId};

/// Where a request for approval stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Waits for more people.
    Open,
    /// Enough people agreed: the plan may be started, while its digest holds.
    Approved,
    /// Somebody said no.
    Refused,
    /// A run was started by it.
    Used,
    /// It was not used in time.
    Expired,
}

/// One person's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vote {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Yes or no.
    pub approves: bool,
    /// Why; needed for a no.
    pub reason: Option<String>,
}

/// A request for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Approval {
    /// The plan it is about, and the name of the request.
    pub plan_digest: PlanDigest,
    /// What kind of run.
    pub kind: RunKind,
    /// What the run is about.
    pub version_id: VersionId,
    /// The interrupted run that it would resume.
    #[serde(default)]
    pub resumes: Option<RunId>,
    /// Stores to restore.
    #[serde(default)]
    pub restore: Option<Vec<StoreKind>>,
    /// Codes of acknowledgements given.
    #[serde(default)]
    pub acknowledgements: Vec<String>,
    /// Why it is to be done, in the words of who asks.
    pub reason: String,
    /// Who asks.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// What others said, oldest first, as far as it counts.
    pub votes: Vec<Vote>,
    /// Approvals that do not count now: who gave them may not sign in any more, or not approve.
    #[serde(default)]
    pub lapsed: Vec<Vote>,
    /// How many must agree.
    pub required: u32,
    /// The run that was started by it.
    pub run: Option<RunId>,
    /// Where it stands.
    pub state: ApprovalState,
    /// The plan as it was when approval was asked for; absent in lists.
    #[serde(default)]
    pub plan: Option<Box<RollbackPlan>>,
}

/// A person's word about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VoteRequest {
    /// Yes or no.
    pub approves: bool,
    /// Why; needed for a no. 3 to 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
}
