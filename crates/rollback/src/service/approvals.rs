//! Where `approval.required` is set: another person reads the very plan, and agrees, before it may be started.

use std::collections::BTreeMap;
use std::time::Duration;

use rollback_types::{
    Approval, ApprovalState, PlanDigest, PlanRequest, Role, RollbackPlan, RunId, RunKind, StartRequest, Timestamp,
    Vote, VoteRequest,
};

use super::start::checked_reason;
use super::{Answer, RollbackService};
use crate::Actor;
use crate::error::ServiceError;
use crate::plan::Planned;

/// Under which the journal keeps the requests, newest first.
const KEY: &str = "approvals";

/// Requests that are kept; the journal and the audit keep their story for ever.
const KEPT: usize = 50;

/// How long a request can be used.
const VALID: Duration = Duration::from_secs(24 * 3_600);

/// Names of API tokens begin so; a machine's word is not another person's.
const TOKEN: &str = "token:";

impl RollbackService {
    /// How many other people must agree before this kind of run starts.
    pub fn approvals_required(&self, kind: RunKind) -> u32 {
        // A validation changes nothing.
        if kind == RunKind::Validate { 0 } else { self.settings.approvals_required }
    }

    /// Asks for approval of the plan that would be started by `request`. Asked again, the request is as it was.
    ///
    /// # Errors
    /// As [`start`](Self::start); [`ServiceError::Conflict`] where no approval is needed.
    pub async fn ask_approval(&self, request: &StartRequest, actor: &Actor) -> Answer<Approval> {
        actor.must_be(Role::Operator, "ask for approval")?;
        let reason = checked_reason(&request.reason)?;
        self.must_need_approval(request.kind)?;
        let plan_request = PlanRequest {
            kind: request.kind,
            version_id: request.version_id.clone(),
            restore: request.restore.clone(),
            acknowledgements: request.acknowledgements.clone(),
        };
        let planned = self.planner().plan(&plan_request).await?;
        let planned = self.confirmed(planned, &request.plan_digest).await?;
        self.keep_request(planned, plan_request, reason, actor).await
    }

    /// The same for what is left of an interrupted run.
    ///
    /// # Errors
    /// As [`resume`](Self::resume); [`ServiceError::Conflict`] where no approval is needed.
    pub async fn ask_resume_approval(
        &self,
        run: RunId,
        request: &rollback_types::ResumeRequest,
        actor: &Actor,
    ) -> Answer<Approval> {
        actor.must_be(Role::Operator, "ask for approval")?;
        let reason = checked_reason(&request.reason)?;
        let planned = self.plan_rest_of(run, &request.acknowledgements).await?;
        self.must_need_approval(planned.plan.kind)?;
        let planned = self.confirmed(planned, &request.plan_digest).await?;
        let plan_request = PlanRequest {
            kind: planned.plan.kind,
            version_id: planned.plan.version_id.as_str().to_owned(),
            restore: None,
            acknowledgements: request.acknowledgements.clone(),
        };
        self.keep_request(planned, plan_request, reason, actor).await
    }

    fn must_need_approval(&self, kind: RunKind) -> Answer<()> {
        if self.approvals_required(kind) > 0 {
            return Ok(());
        }
        Err(ServiceError::Conflict("No approval is needed here: start the plan.".into()))
    }

    async fn keep_request(
        &self,
        planned: Planned,
        request: PlanRequest,
        reason: String,
        actor: &Actor,
    ) -> Answer<Approval> {
        let plan = planned.plan;
        let _one_at_a_time = self.approving.lock().await;
        let mut all = self.read_approvals().await?;
        if let Some(known) = all
            .iter()
            .find(|a| a.plan_digest == plan.digest && matches!(a.state, ApprovalState::Open | ApprovalState::Approved))
        {
            return Ok(known.clone());
        }
        let approval = Approval {
            plan_digest: plan.digest.clone(),
            kind: plan.kind,
            version_id: plan.version_id.clone(),
            resumes: plan.resumes,
            restore: request.restore,
            acknowledgements: request.acknowledgements,
            reason,
            asked_by: actor.name().to_owned(),
            asked_at: Timestamp::now(),
            votes: Vec::new(),
            lapsed: Vec::new(),
            required: self.approvals_required(plan.kind),
            run: None,
            state: ApprovalState::Open,
            plan: None,
        };
        let json = serde_json::to_string(&plan).map_err(|e| ServiceError::Conflict(e.to_string()))?;
        self.journal.remember(&plan_key(&plan.digest), &json).await?;
        all.retain(|a| a.plan_digest != plan.digest);
        all.insert(0, approval.clone());
        all.truncate(KEPT);
        self.write_approvals(&all).await?;
        Ok(approval)
    }

    /// The requests, newest first, without their plans.
    ///
    /// # Errors
    /// The journal's.
    pub async fn approvals(&self) -> Answer<Vec<Approval>> {
        self.read_approvals().await
    }

    /// How many requests wait for another person.
    pub(super) async fn open_approvals(&self) -> Answer<u64> {
        if self.settings.approvals_required == 0 {
            return Ok(0);
        }
        let all = self.read_approvals().await?;
        Ok(all.iter().filter(|a| a.state == ApprovalState::Open).count() as u64)
    }

    /// The request about this very plan, if there is one; without the plan.
    ///
    /// # Errors
    /// The journal's.
    pub async fn approval_of(&self, digest: &str) -> Answer<Option<Approval>> {
        Ok(self.read_approvals().await?.into_iter().find(|a| a.plan_digest.0 == digest))
    }

    /// One request with its plan as it was when approval was asked for.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn approval(&self, digest: &str) -> Answer<Approval> {
        let all = self.read_approvals().await?;
        let mut found = all.into_iter().find(|a| a.plan_digest.0 == digest).ok_or_else(no_such_request)?;
        let plan = self.journal.remembered(&plan_key(&found.plan_digest)).await?;
        found.plan = plan.and_then(|json| match serde_json::from_str::<RollbackPlan>(&json) {
            Ok(plan) => Some(Box::new(plan)),
            // Who is to approve is told that there is no plan to read; the reason is for who runs the server.
            Err(error) => {
                tracing::error!(digest = %found.plan_digest, %error, "the plan of a request for approval cannot be read");
                None
            }
        });
        Ok(found)
    }

    /// A person's word about a request. One word a person; a no ends it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; [`ServiceError::Conflict`] for one's own request, a token's word, or a request that is not
    /// open; [`ServiceError::NotFound`]; the journal's.
    pub async fn vote(&self, digest: &str, request: &VoteRequest, actor: &Actor) -> Answer<Approval> {
        actor.must_be(Role::Operator, "approve a plan")?;
        let reason = match request.reason.as_deref().map(str::trim).filter(|r| !r.is_empty()) {
            Some(reason) => Some(checked_reason(reason)?),
            None if !request.approves => {
                return Err(ServiceError::field("/reason", "To refuse a plan, give a reason of 3 to 500 characters."));
            }
            None => None,
        };
        let conflict = |said: &str| Err(ServiceError::Conflict(said.to_owned()));
        if actor.name().starts_with(TOKEN) {
            return conflict("An API token cannot approve: approval is another person's word.");
        }
        let _one_at_a_time = self.approving.lock().await;
        let mut all = self.read_approvals().await?;
        let found = all.iter_mut().find(|a| a.plan_digest.0 == digest).ok_or_else(no_such_request)?;
        if found.asked_by == actor.name() {
            return conflict("Approval is another person's word: this request is your own.");
        }
        if found.state != ApprovalState::Open {
            return conflict("This request waits for nobody any more.");
        }
        if found.votes.iter().any(|v| v.by == actor.name()) {
            return conflict("You have approved this request already.");
        }
        found.votes.push(Vote {
            by: actor.name().to_owned(),
            at: Timestamp::now(),
            approves: request.approves,
            reason,
        });
        found.state = state_of(found);
        let found = found.clone();
        self.write_approvals(&all).await?;
        Ok(found)
    }

    /// Enough other people agreed to this very plan; `starter`'s own word does not count. Who they are.
    pub(super) async fn approved_by(&self, plan: &RollbackPlan, reason: &str, starter: &Actor) -> Answer<Vec<String>> {
        let required = self.approvals_required(plan.kind);
        if required == 0 {
            return Ok(Vec::new());
        }
        let all = self.read_approvals().await?;
        let found = all.iter().find(|a| a.plan_digest == plan.digest && a.state == ApprovalState::Approved);
        let others: Vec<String> = found
            .map(|a| a.votes.iter().filter(|v| v.approves && v.by != starter.name()).map(|v| v.by.clone()).collect())
            .unwrap_or_default();
        if others.len() >= required as usize {
            // What people agreed to is the plan and the reason they read.
            if let Some(asked) = found.filter(|a| a.reason != reason) {
                let said = format!("The approval was given for another reason: {}. Start with that one.", asked.reason);
                return Err(ServiceError::field("/reason", said));
            }
            return Ok(others);
        }
        // An open request may have some of the words already: they are counted in what is told.
        let told = |a: &&Approval| matches!(a.state, ApprovalState::Open | ApprovalState::Approved);
        let asked = all.iter().filter(told).find(|a| a.plan_digest == plan.digest);
        let said: Vec<&Vote> = asked.iter().flat_map(|a| &a.votes).filter(|v| v.approves).collect();
        let own = said.iter().filter(|v| v.by == starter.name()).count();
        let given = u32::try_from(said.len() - own).unwrap_or(u32::MAX);
        Err(ServiceError::ApprovalRequired { required, given, own: own > 0 })
    }

    /// A run was started by it: it serves once.
    pub(super) async fn approval_used(&self, digest: &PlanDigest, run: RunId) {
        let _one_at_a_time = self.approving.lock().await;
        let marked = async {
            let mut all = self.read_approvals().await?;
            if let Some(found) = all.iter_mut().find(|a| a.plan_digest == *digest) {
                (found.run, found.state) = (Some(run), ApprovalState::Used);
            }
            self.write_approvals(&all).await
        };
        // The run's own event names who approved; the same digest does not come again once the run has begun.
        if let Err(error) = marked.await {
            tracing::warn!(%run, %error, "an approval could not be marked as used");
        }
    }

    /// The requests as they stand now: an approval counts as long as who gave it may approve. A no stays a no.
    async fn read_approvals(&self) -> Answer<Vec<Approval>> {
        let Some(json) = self.journal.remembered(KEY).await? else { return Ok(Vec::new()) };
        let mut all: Vec<Approval> = serde_json::from_str(&json)
            .map_err(|e| ServiceError::Conflict(format!("The requests for approval cannot be read: {e}.")))?;
        let mut may_approve = BTreeMap::new();
        for approval in &mut all {
            approval.state = state_of(approval);
            // What is over does not change any more.
            if !matches!(approval.state, ApprovalState::Open | ApprovalState::Approved) {
                continue;
            }
            for vote in &approval.votes {
                if !may_approve.contains_key(&vote.by) {
                    may_approve.insert(vote.by.clone(), self.approvers.may_approve(&vote.by).await?);
                }
            }
            let lapses = |vote: &mut Vote| may_approve.get(&vote.by) != Some(&true);
            approval.lapsed = approval.votes.extract_if(.., lapses).collect();
            approval.state = state_of(approval);
        }
        Ok(all)
    }

    /// What counts no more is kept with the rest: it counts again when who gave it may approve again.
    async fn write_approvals(&self, all: &[Approval]) -> Answer<()> {
        let mut all = all.to_vec();
        for approval in &mut all {
            approval.votes.append(&mut approval.lapsed);
            approval.votes.sort_by_key(|vote| vote.at);
        }
        let json = serde_json::to_string(&all).map_err(|e| ServiceError::Conflict(e.to_string()))?;
        Ok(self.journal.remember(KEY, &json).await?)
    }
}

fn state_of(approval: &Approval) -> ApprovalState {
    let yes = approval.votes.iter().filter(|v| v.approves).count();
    let age = Timestamp::now().since_ms(approval.asked_at);
    if approval.run.is_some() {
        ApprovalState::Used
    } else if approval.votes.iter().any(|v| !v.approves) {
        ApprovalState::Refused
    } else if u128::from(age) > VALID.as_millis() {
        ApprovalState::Expired
    } else if yes >= approval.required as usize {
        ApprovalState::Approved
    } else {
        ApprovalState::Open
    }
}

fn no_such_request() -> ServiceError {
    ServiceError::NotFound("There is no such request for approval.".into())
}

fn plan_key(digest: &PlanDigest) -> String {
    format!("approval-plan:{}", digest.0)
}
