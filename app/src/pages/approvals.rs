//! `/approvals` and `/approvals/{digest}`: plans that another person must read before they start.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod request;

use leptos::prelude::*;
use rollback_types::{Approval, ApprovalState, Vote};

pub use self::request::ApprovalPage;
use super::run_rows::about_plan;
use crate::api::approvals::list_approvals;
use crate::components::{
    Badge, Column, DataTable, EmptyState, ErrorPanel, IconName, Loading, Moment, PageHeader, RunLink, Tone,
};
use crate::format;
use crate::fragment::Fragment;
use crate::frame::approvals_required;
use crate::freshness::PageFreshness;

/// `/approvals`.
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let all = Resource::new_blocking(|| (), |()| list_approvals());
    let lead = match approvals_required() {
        0 => "Plans start here without another person’s approval.".to_owned(),
        1 => "Another person reads every plan that changes anything, and agrees, before it may start.".to_owned(),
        n => format!("{n} other people read every plan that changes anything, and agree, before it may start."),
    };
    view! {
        <PageHeader tab="Approvals" lead=lead.into_any() tools=view! { <PageFreshness /> }.into_any()>
            "Approvals"
        </PageHeader>
        <Fragment id="approvals-list">
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match all.await {
                    Ok(list) if list.is_empty() && approvals_required() == 0 => {
                        view! {
                            <EmptyState title="No approval is asked for.">
                                <p>
                                    "Requests would be here where another person has to agree to a plan before it starts. Who looks after the settings turns that on: "
                                    <code>"required = 1"</code> " under " <code>"[approval]"</code>"."
                                </p>
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Ok(list) if list.is_empty() => {
                        view! {
                            <EmptyState title="Nothing was asked yet.">
                                <p>
                                    "Requests would be here, newest first. They are made on the page of a plan; the latest 50 are kept, and the journal and the audit keep their story."
                                </p>
                            </EmptyState>
                        }
                            .into_any()
                    }
                    Ok(list) => view! { <Requests list=list /> }.into_any(),
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/approvals" /> }.into_any(),
                }
            })}
        </Transition>
        </Fragment>
    }
}

/// How a request stands.
#[component]
fn ApprovalBadge(state: ApprovalState) -> impl IntoView {
    let (tone, icon, word) = match state {
        ApprovalState::Open => (Tone::Warn, IconName::Clock, "waits"),
        ApprovalState::Approved => (Tone::Good, IconName::Check, "approved"),
        ApprovalState::Refused => (Tone::Bad, IconName::Cross, "refused"),
        ApprovalState::Used => (Tone::Idle, IconName::Check, "used"),
        ApprovalState::Expired => (Tone::Idle, IconName::Clock, "out of date"),
    };
    view! { <Badge tone=tone icon=icon text=word.to_owned() /> }
}

/// `1 of 2`, counting those who agreed.
fn agreed(approval: &Approval) -> String {
    format!("{} of {}", approval.votes.iter().filter(|v| v.approves).count(), approval.required)
}

/// Why a word that was given does not count.
pub(in crate::pages) fn lapse(vote: &Vote) -> String {
    let who = format::clip(&format::visible(&vote.by), 40);
    format!("The approval of {who} lapsed: {who} may not sign in any more, or may no longer approve.")
}

#[component]
fn Requests(list: Vec<Approval>) -> impl IntoView {
    let rows = list.into_iter().map(row).collect_view();
    view! {
        <section class="card">
            <DataTable
                label="Requests for approval"
                columns=vec![
                    Column::text("What"),
                    Column::text("State"),
                    Column::text("Agreed"),
                    Column::text("Reason"),
                    Column::text("Asked by"),
                    Column::text("Run"),
                    Column::number("When"),
                ]
            >
                {rows}
            </DataTable>
        </section>
    }
}

fn row(approval: Approval) -> impl IntoView {
    let href = format!("/approvals/{}", approval.plan_digest);
    view! {
        <tr>
            <td class="wide">
                <div>{about_plan(approval.kind, &approval.version_id)}</div>
                <a class="btn small" href=href>
                    "Read the request"
                </a>
            </td>
            <td class="state">
                <ApprovalBadge state=approval.state />
            </td>
            <td data-label="agreed">{agreed(&approval)}</td>
            <td class="wide foreign">{format::clip(&format::visible(&approval.reason), 200)}</td>
            <td class="foreign by" data-label="asked by">{format::clip(&format::visible(&approval.asked_by), 40)}</td>
            <td>{approval.run.map(|id| view! { <RunLink id=id /> })}</td>
            <td class="num muted">
                <Moment at=approval.asked_at />
            </td>
        </tr>
    }
}
