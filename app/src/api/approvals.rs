//! Approvals: asking another person, reading what they are asked, and one's word.
//!
//! `ask_approval` and `vote` are targets of plain forms.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json, PostUrl};
use rollback_types::{Approval, RunKind};

use super::error::ApiError;

#[cfg(feature = "ssr")]
use super::runs::one_line_ends;
#[cfg(feature = "ssr")]
use super::{actor, chosen, refused, refused_form, service};

/// The requests, newest first, without their plans.
#[server(name = ListApprovals, prefix = "/rpc", endpoint = "approvals", input = GetUrl, output = Json)]
pub async fn list_approvals() -> Result<Vec<Approval>, ApiError> {
    service()?.approvals().await.map_err(refused)
}

/// One request with its plan as it was when approval was asked for.
#[server(name = GetApproval, prefix = "/rpc", endpoint = "approval", input = GetUrl, output = Json)]
pub async fn get_approval(digest: String) -> Result<Approval, ApiError> {
    service()?.approval(&digest).await.map_err(refused)
}

/// The request about a plan that was just made, if there is one; without the plan.
#[server(name = ApprovalOf, prefix = "/rpc", endpoint = "consent", input = GetUrl, output = Json)]
pub async fn approval_of(digest: String) -> Result<Option<Approval>, ApiError> {
    service()?.approval_of(&digest).await.map_err(refused)
}

/// Asks for approval of a plan, or, with `run`, of what is left of an interrupted run; leads to the request. `restore` is a
/// word of [`crate::choice`].
#[server(name = AskApproval, prefix = "/rpc", endpoint = "ask-approval", input = PostUrl, output = Json)]
pub async fn ask_approval(
    version_id: String,
    plan_digest: String,
    reason: String,
    #[server(default)] kind: RunKind,
    #[server(default)] acknowledgements: Vec<String>,
    #[server(default)] restore: String,
    #[server(default)] run: Option<i64>,
) -> Result<(), ApiError> {
    let (service, actor) = (service()?, actor()?);
    let (plan_digest, reason) = (plan_digest.trim().to_owned(), one_line_ends(&reason));
    let asked = match run {
        Some(run) => {
            let request = rollback_types::ResumeRequest { plan_digest, reason, acknowledgements };
            service.ask_resume_approval(rollback_types::RunId(run), &request, &actor).await
        }
        None => {
            let request = rollback_types::StartRequest {
                kind,
                confirm_version_id: version_id.clone(),
                version_id,
                plan_digest,
                reason,
                restore: chosen(&restore).map_err(refused_form)?,
                acknowledgements,
            };
            service.ask_approval(&request, &actor).await
        }
    };
    let asked = asked.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/approvals/{}", asked.plan_digest));
    Ok(())
}

/// One's word about another person's request.
#[server(name = CastVote, prefix = "/rpc", endpoint = "vote", input = PostUrl, output = Json)]
pub async fn vote(
    plan_digest: String,
    approves: bool,
    #[server(default)] reason: Option<String>,
) -> Result<(), ApiError> {
    let reason = reason.map(|r| one_line_ends(&r)).filter(|r| !r.trim().is_empty());
    let request = rollback_types::VoteRequest { approves, reason };
    let asked = service()?.vote(&plan_digest, &request, &actor()?).await.map_err(refused_form)?;
    leptos_axum::redirect(&format!("/approvals/{}", asked.plan_digest));
    Ok(())
}
