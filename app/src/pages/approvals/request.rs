//! One request: the reason, the plan as it was when it was asked, what others said, and one's own word.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;
use rollback_types::{Approval, ApprovalState, Role, RollbackPlan, Vote};

use super::{ApprovalBadge, agreed, lapse};
use crate::account::{account, may};
use crate::api::approvals::{CastVote, get_approval};
use crate::choice;
use crate::components::{
    Callout, Card, DecisionForm, EmptyState, ErrorPanel, Icon, IconName, Loading, PageHeader, RunLink, TextArea, Time,
    TimeStyle, Tone, VersionName, message, role,
};
use crate::fragment::Fragment;
use crate::freshness::PageFreshness;
use crate::pages::plan::before::{BeforeCard, CopyCard, TriggersCard};
use crate::pages::plan::page::what_changes;
use crate::pages::plan::steps::StepsCard;
use crate::pages::plan::subject::Subject;
use crate::pages::plan::{sentences, trouble};
use crate::{format, notice};

/// `/approvals/{digest}`.
#[component]
pub fn ApprovalPage() -> impl IntoView {
    let params = use_params_map();
    let digest = Memo::new(move |_| params.read().get("digest").unwrap_or_default());
    let request = Resource::new_blocking(move || digest.get(), get_approval);
    let refused = || notice::refused::<CastVote>().map(|problem| view! { <ErrorPanel problem=problem /> });
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match request.await {
                    Ok(approval) => view! { {refused()} <RequestView approval=approval /> }.into_any(),
                    Err(problem) if message::is_missing(&problem.0) => {
                        view! {
                            <PageHeader tab="Approval">"Request for approval"</PageHeader>
                            <EmptyState title="There is no such request.">
                                <p>"The latest 50 are kept; the audit has every one."</p>
                                <p>
                                    <a class="btn" href="/approvals">
                                        "All requests"
                                    </a>
                                </p>
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Err(problem) => {
                        view! {
                            <PageHeader tab="Approval">"Request for approval"</PageHeader>
                            <ErrorPanel problem=problem />
                        }
                            .into_any()
                    }
                }
            })}
        </Transition>
    }
}

#[component]
fn RequestView(approval: Approval) -> impl IntoView {
    let subject = Subject { kind: approval.kind, name: approval.version_id.as_str().to_owned() };
    let name = rollback_types::VersionId::new(subject.in_words());
    let tools = view! {
        <PageFreshness says="This request has changed." />
        <Fragment id="approval-state" inline=true held=true>
            <ApprovalBadge state=approval.state />
        </Fragment>
        <span class="small muted">
            {format!("asked by {}, ", format::clip(&format::visible(&approval.asked_by), 40))}
            <Time at=approval.asked_at style=TimeStyle::Relative /> " · plan "
            <code title=approval.plan_digest.to_string()>{format::short_digest(&approval.plan_digest.0)}</code>
        </span>
    };
    let over = view! {
        <Icon name=IconName::Shield />
        {match approval.resumes {
            Some(run) => view! { "Approval of what is left of " <RunLink id=run /> }.into_any(),
            None => "Request for approval".into_any(),
        }}
    };
    let plan = approval.plan.clone();
    let lead = plan.as_ref().map(|p| format::visible(&sentences::headline(p))).unwrap_or_default();
    let what = match plan {
        Some(plan) => the_plan(&plan).into_any(),
        None => view! {
            <Callout tone=Tone::Bad title="The plan of this request cannot be read any more.">
                <p>"Nothing was changed. Refuse the request, and have approval asked for anew from the plan’s page."</p>
            </Callout>
        }
        .into_any(),
    };
    view! {
        <PageHeader
            tab=format!("Approval: {}", subject.tab())
            over=over.into_any()
            lead=lead.into_any()
            tools=tools.into_any()
        >
            {subject.heading(false)}
            <VersionName id=name />
        </PageHeader>
        <div class="grid plan">
            <div class="col c8">{what}</div>
            <div class="col c4 plan-side">
                // Somebody may be writing in it.
                <Fragment id="approval-words" held=true>
                    <WordsCard approval=approval />
                </Fragment>
            </div>
        </div>
    }
}

/// What whoever asked has read: nobody approves on less evidence than that.
fn the_plan(plan: &RollbackPlan) -> impl IntoView + use<> {
    let copy = plan.source.as_ref().filter(|_| plan.latest_copy.is_some());
    view! {
        {trouble::losses(plan)}
        {what_changes(plan, true)}
        <BeforeCard checklist=plan.checklist.clone() />
        <TriggersCard triggers=plan.triggers.clone() />
        {copy.map(|s| view! { <CopyCard title=s.name().into_owned() health=plan.latest_copy.clone() /> })}
        <StepsCard kind=plan.kind steps=plan.steps.clone() left=plan.resumes.is_some() />
    }
}

/// Reason, what was acknowledged, what others said, and the reader's own word.
#[component]
fn WordsCard(approval: Approval) -> impl IntoView {
    let restores = approval.restore.as_ref().map(|stores| match stores.as_slice() {
        [] => "Restores no store.".to_owned(),
        stores => format!("Restores {}.", stores.iter().map(|s| s.title()).collect::<Vec<_>>().join(", ")),
    });
    let seen = acknowledged(&approval)
        .into_iter()
        .map(|text| view! { <li class="foreign">{format::visible_lines(&text)}</li> })
        .collect::<Vec<_>>();
    let votes = approval.votes.iter().map(said).collect_view();
    let lapsed = approval.lapsed.iter().map(lapsed).collect_view();
    let footer = "An approval is of this plan and this reason, once, for a day. When anything counted in it changes, it is of no use any more.";
    view! {
        <Card title="Approval" footer=view! { <p>{footer}</p> }.into_any()>
            <div class="body">
                <p class="small muted">"Reason"</p>
                <p class="foreign">{format::visible_lines(&approval.reason)}</p>
                {restores.map(|r| view! { <p class="small">{r}</p> })}
                {(!seen.is_empty())
                    .then(|| {
                        view! {
                            <p class="small muted">{format!("Acknowledged: {}", seen.len())}</p>
                            <ul class="small acknowledged">{seen}</ul>
                        }
                    })}
                <p class="small muted">{format!("Agreed: {}", agreed(&approval))}</p>
                {(!approval.votes.is_empty()).then(|| view! { <ul class="plain-list votes">{votes}</ul> })}
                {(!approval.lapsed.is_empty())
                    .then(|| {
                        view! {
                            <p class="small muted">"Does not count now"</p>
                            <ul class="plain-list votes">{lapsed}</ul>
                        }
                    })}
                {own_word(&approval)}
            </div>
        </Card>
    }
}

/// What was acknowledged when approval was asked for: the plan's words, or the codes where the plan lacks them.
fn acknowledged(approval: &Approval) -> Vec<String> {
    let asked = approval.plan.as_ref().map(|p| p.acknowledgements.as_slice()).unwrap_or_default();
    let words = |code: &String| {
        asked.iter().find(|a| a.asked.code == *code).map_or_else(|| code.clone(), |a| a.asked.message.clone())
    };
    approval.acknowledgements.iter().map(words).collect()
}

fn said(vote: &Vote) -> impl IntoView + use<> {
    let (icon, word) = if vote.approves { (IconName::Check, "approved") } else { (IconName::Cross, "refused") };
    let reason = vote.reason.as_ref().map(|r| view! { <span class="foreign">": " {format::visible_lines(r)}</span> });
    view! {
        <li>
            <Icon name=icon />
            <span>
                <bdi class="foreign">{format::clip(&format::visible(&vote.by), 40)}</bdi>
                {format!(" {word} ")} <Time at=vote.at style=TimeStyle::Relative /> {reason}
            </span>
        </li>
    }
}

/// An approval whose giver may approve no more.
fn lapsed(vote: &Vote) -> impl IntoView + use<> {
    view! {
        <li>
            <Icon name=IconName::Warning />
            <span class="foreign">{lapse(vote)}" It was given " <Time at=vote.at style=TimeStyle::Relative /> "."</span>
        </li>
    }
}

/// The forms, or why there are none for this reader.
fn own_word(approval: &Approval) -> AnyView {
    let me = account().map(|a| a.name).unwrap_or_default();
    let note = |text: String| view! { <p class="note"><Icon name=IconName::Shield /><span>{text}</span></p> };
    match approval.state {
        ApprovalState::Open if !may(Role::Operator) => note(role::reason(Role::Operator)).into_any(),
        ApprovalState::Open if approval.asked_by == me => {
            note("You asked: approval is another person’s word.".to_owned()).into_any()
        }
        ApprovalState::Open if approval.votes.iter().any(|v| v.by == me) => {
            note("You have approved it. It waits for more people.".to_owned()).into_any()
        }
        ApprovalState::Open => view! { <VoteForms digest=approval.plan_digest.to_string() /> }.into_any(),
        ApprovalState::Approved => to_the_plan(approval).into_any(),
        ApprovalState::Refused => note("It was refused: nothing starts by it.".to_owned()).into_any(),
        ApprovalState::Expired => {
            note("It was not used within a day. Ask anew from the plan’s page.".to_owned()).into_any()
        }
        ApprovalState::Used => view! {
            <p>
                "It was used by "
                {approval.run.map(|id| view! { <RunLink id=id /> })} "."
            </p>
        }
        .into_any(),
    }
}

fn to_the_plan(approval: &Approval) -> impl IntoView + use<> {
    let subject = Subject { kind: approval.kind, name: approval.version_id.as_str().to_owned() };
    let href = match approval.resumes {
        Some(run) => format!("/runs/{run}/resume"),
        None => format!("{}{}", subject.path(), choice::to_search(&approval.restore)),
    };
    view! {
        <div class="actions">
            <a class="btn primary" href=href>
                "To the plan, to start it"
            </a>
        </div>
    }
}

#[component]
fn VoteForms(digest: String) -> impl IntoView {
    let again = digest.clone();
    view! {
        <form method="post" action=CastVote::PATH class="vote">
            <input type="hidden" name="plan_digest" value=digest />
            <input type="hidden" name="approves" value="true" />
            <p class="small">"Read what goes, what comes in its place, and the reason. Your name is kept with the run."</p>
            <div class="actions">
                <button class="btn primary" type="submit">
                    "Approve this plan"
                </button>
            </div>
        </form>
        <DecisionForm summary="Refuse…" least=Role::Operator note="" action=CastVote::PATH>
            <input type="hidden" name="plan_digest" value=again />
            <input type="hidden" name="approves" value="false" />
            <TextArea id="refuse-reason" name="reason" label="Why not" required=true least=Some(3) />
            <div class="actions">
                <button class="btn danger" type="submit">
                    "Refuse this plan"
                </button>
            </div>
        </DecisionForm>
    }
}
