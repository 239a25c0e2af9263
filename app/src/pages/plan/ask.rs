//! Where a plan wants another person's approval: how it stands, and the form that asks for it.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{Approval, ApprovalState, RollbackPlan, RunId};

use super::confirm::{acknowledgement, reason_field, restore_word};
use super::consent::Standing;
use super::guard::ConfirmGuard;
use super::page::plan_again;
use super::subject::Subject;
use crate::api::approvals::AskApproval;
use crate::components::{Icon, IconName, Time, TimeStyle};
use crate::format;
use crate::pages::approvals::lapse;

/// How the approval stands.
#[component]
pub fn ConsentNote(standing: Standing) -> impl IntoView {
    let (icon, text, approval) = match standing {
        Standing::NotNeeded => return None,
        Standing::ToAsk { required, before } => {
            let needs = match required {
                1 => "Another person must approve this plan before it may start.".to_owned(),
                n => format!("{n} other people must approve this plan before it may start."),
            };
            let before_words = before.as_ref().map(|a| match a.state {
                ApprovalState::Refused => " An earlier request was refused.",
                ApprovalState::Used => " An earlier approval was used up by its run.",
                _ => " An earlier request went out of date.",
            });
            (IconName::Shield, format!("{needs}{}", before_words.unwrap_or_default()), before)
        }
        Standing::Waiting(approval) => {
            let text = format!(
                "Waits for approval: {} of {} so far. The plan stays as it is while nothing in the stores changes.",
                agreed(&approval).len(),
                approval.required
            );
            (IconName::Clock, text, Some(approval))
        }
        Standing::Given(approval) => {
            let text = format!("Approved by {}. It may be started once.", agreed(&approval).join(", "));
            (IconName::Check, text, Some(approval))
        }
        Standing::OwnWord(approval) => {
            let text = "You approved this plan, so somebody else starts it, or another person approves it as well.";
            (IconName::Shield, text.to_owned(), Some(approval))
        }
    };
    let lapsed = approval.iter().flat_map(|a| &a.lapsed).map(lapse).map(|words| {
        view! {
            <p class="note">
                <Icon name=IconName::Warning />
                <span class="foreign">{words}" Another person’s approval takes its place."</span>
            </p>
        }
    });
    let lapsed = lapsed.collect_view();
    let link = approval.map(|a| {
        view! {
            <p class="small">
                <a href=format!("/approvals/{}", a.plan_digest)>"The request"</a>
                {format!(" by {}, ", format::clip(&format::visible(&a.asked_by), 40))}
                <Time at=a.asked_at style=TimeStyle::Relative />
            </p>
        }
    });
    Some(view! {
        <div class="body consent">
            <p class="note">
                <Icon name=icon />
                <span class="foreign">{text}</span>
            </p>
            {lapsed}
            {link}
        </div>
    })
}

fn agreed(approval: &Approval) -> Vec<String> {
    approval.votes.iter().filter(|v| v.approves).map(|v| format::clip(&format::visible(&v.by), 40)).collect()
}

/// Asks for approval with the reason that the run will have.
#[component]
pub fn AskForm(
    /// The plan it is about.
    plan: RollbackPlan,
    /// The interrupted run that the plan would resume.
    run: Option<RunId>,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let back = run.map_or_else(|| subject.back(), |run| format!("/runs/{run}"));
    let asked: Vec<String> = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let acknowledgements = plan.acknowledgements.iter().map(acknowledgement).collect_view();
    view! {
        <ConfirmGuard name=None asked=asked at_work="Everything is counted once more before the request is made.".to_owned()>
        <form method="post" action=AskApproval::PATH class="body confirm" id="ask">
            <input type="hidden" name="version_id" value=subject.name.clone() />
            <input type="hidden" name="plan_digest" value=plan.digest.to_string() />
            <input type="hidden" name="kind" value=plan.kind.as_str() />
            <input type="hidden" name="restore" value=restore_word(&plan) />
            {run.map(|run| view! { <input type="hidden" name="run" value=run.to_string() /> })}
            {acknowledgements}
            {reason_field("Read by who approves, then kept with the run.", None)}
            <div class="actions">
                <a class="btn" href=back>
                    "Cancel"
                </a>
                <button class="btn primary" type="submit" aria-describedby="ask-hint" data-at-work="Planning again and asking…">
                    "Ask for approval"
                </button>
            </div>
            <p class="hint" id="ask-hint" aria-live="polite"></p>
            {plan_again(&plan)}
        </form>
        </ConfirmGuard>
    }
}
