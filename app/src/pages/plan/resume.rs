//! `/runs/{id}/resume`: what is left of an interrupted run, planned anew, with the confirmation beside it.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_params_map;
use rollback_types::{Problem, ProblemKind, RollbackPlan, RunId};

use super::ask::{AskForm, ConsentNote};
use super::before::{BeforeCard, CopyCard, DiskCard};
use super::confirm::{acknowledgement, kept_reason, reason_field};
use super::consent::{Consent, Standing};
use super::guard::ConfirmGuard;
use super::page::{PlanStanding, ToConfirmation, name_of, obstacles, plan_again, what_changes, with_consent};
use super::steps::StepsCard;
use super::subject::Subject;
use super::{sentences, trouble};
use crate::account::{account, may};
use crate::api::approvals::AskApproval;
use crate::api::runs::{ResumeRun, resume_plan};
use crate::components::{Callout, Card, ErrorPanel, Icon, IconName, Loading, PageHeader, RunLink, Tone, role};
use crate::frame::approvals_required;
use crate::{format, notice};

/// The page.
#[component]
pub fn ResumePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|t| t.parse::<RunId>().ok()));
    let required = approvals_required();
    let plan = Resource::new_blocking(
        move || id.get(),
        move |id| async move {
            match id {
                Some(id) => with_consent(resume_plan(id.0).await?, required).await,
                None => Err(Problem::new(ProblemKind::NotFound, "The address names no run.").into()),
            }
        },
    );
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match (id.get_untracked(), plan.await) {
                    (Some(run), Ok((plan, consent))) => {
                        view! {
                            <RestView run=run plan=plan consent=consent />
                        }
                            .into_any()
                    }
                    (run, Err(problem)) => not_planned(run, problem.into()).into_any(),
                    (None, Ok(_)) => ().into_any(),
                }
            })}
        </Transition>
    }
}

fn not_planned(run: Option<RunId>, problem: Problem) -> impl IntoView + use<> {
    let back = run.map_or_else(|| "/runs".to_owned(), |run| format!("/runs/{run}"));
    view! {
        <PageHeader tab="Resume">"Resume " {run.map_or_else(|| "a run".to_owned(), |run| format!("run #{run}"))}</PageHeader>
        <ErrorPanel problem=problem />
        <p>
            <a class="btn" href=back>
                {if run.is_some() { "To the run" } else { "All runs" }}
            </a>
        </p>
    }
}

#[component]
fn RestView(run: RunId, plan: RollbackPlan, consent: Consent) -> impl IntoView {
    let subject = Subject::of(&plan);
    let over = view! {
        <Icon name=IconName::Refresh />
        "Plan of what is left of "
        <RunLink id=run />
    };
    let tools = view! { <PlanStanding plan=plan.clone() consent=consent.clone() about=None /> };
    // Refused because something moved: what is so now, beside what changed.
    let problem = notice::refused::<ResumeRun>().or_else(notice::refused::<AskApproval>);
    let lead = format::visible(&sentences::headline(&plan));
    view! {
        <PageHeader
            tab=format!("Resume run #{run}")
            over=over.into_any()
            lead=view! { {lead} }.into_any()
            tools=tools.into_any()
        >
            {format!("Resume run #{run}: ")} {subject.heading(false)} {name_of(&subject)}
        </PageHeader>
        {trouble::told(&plan, problem, None)}
        <Callout tone=Tone::Idle title="This plan holds only what is left.">
            <p>
                "What the run had proven done stays done. What it was at when Stepback ended is counted again: what is gone is found absent, the rest is done."
            </p>
        </Callout>
        {trouble::losses(&plan)}
        <div class="grid plan">
            <div class="col c8">
                {what_changes(&plan, true)} <BeforeCard checklist=plan.checklist.clone() />
                {plan
                    .source
                    .as_ref()
                    .map(|s| view! { <CopyCard title=s.name().into_owned() health=plan.latest_copy.clone() /> })}
                <StepsCard kind=plan.kind steps=plan.steps.clone() left=true />
                <ToConfirmation />
            </div>
            <div class="col c4 plan-side">
                <ResumeCard run=run plan=plan.clone() consent=consent />
                <DiskCard disk=plan.disk.clone() way_back_bytes=plan.way_back_bytes />
            </div>
        </div>
    }
}

#[component]
fn ResumeCard(run: RunId, plan: RollbackPlan, consent: Consent) -> impl IntoView {
    let least = Subject::of(&plan).least_role();
    let blocked = if !obstacles(&plan).is_empty() {
        Some(
            "This run cannot go on: see the reasons at the top of the page. It can be abandoned on its own page."
                .to_owned(),
        )
    } else {
        (!may(least)).then(|| role::reason(least))
    };
    let content = match blocked {
        Some(why) => view! {
            <div class="body">
                <p class="note">
                    <Icon name=IconName::Cross />
                    <span id="resume-hint">{why}</span>
                </p>
                <div class="actions">
                    <a class="btn" href=format!("/runs/{run}")>
                        "Back to the run"
                    </a>
                    <button class="btn danger" type="button" disabled aria-describedby="resume-hint">
                        {format!("Resume run #{run}")}
                    </button>
                </div>
            </div>
            {kept_reason()}
        }
        .into_any(),
        None => match consent.standing(account().map(|a| a.name).as_deref()) {
            Standing::NotNeeded => view! { <ResumeForm run=run plan=plan agreed=None /> }.into_any(),
            Standing::Given(approval) => {
                let agreed = Some(approval.reason.clone());
                view! {
                    <ConsentNote standing=Standing::Given(approval) />
                    <ResumeForm run=run plan=plan agreed=agreed />
                }
                .into_any()
            }
            standing @ (Standing::Waiting(_) | Standing::OwnWord(_)) => {
                view! { <ConsentNote standing=standing /> }.into_any()
            }
            standing @ Standing::ToAsk { .. } => view! {
                <ConsentNote standing=standing />
                <AskForm plan=plan run=Some(run) />
            }
            .into_any(),
        },
    };
    view! {
        <Card
            title="Confirm"
            footer=view! {
                <p>"If anything counted here changes before you confirm, nothing goes on and you see the difference."</p>
            }
                .into_any()
        >
            {content}
        </Card>
    }
}

#[component]
fn ResumeForm(
    run: RunId,
    plan: RollbackPlan,
    /// The reason that was approved with the plan.
    agreed: Option<String>,
) -> impl IntoView {
    let asked: Vec<String> = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let acknowledgements = plan.acknowledgements.iter().map(acknowledgement).collect_view();
    let hint_of_reason = if agreed.is_some() {
        "Approved with the plan, so it stays as it is."
    } else {
        "Kept in the run’s log and the history."
    };
    view! {
        <ConfirmGuard name=None asked=asked at_work="What is left is counted once more before the run goes on.".to_owned()>
        <form method="post" action=ResumeRun::PATH class="body confirm" id="confirm">
            <input type="hidden" name="run" value=run.to_string() />
            <input type="hidden" name="plan_digest" value=plan.digest.to_string() />
            {acknowledgements}
            {reason_field(hint_of_reason, agreed)}
            <div class="actions">
                <a class="btn" href=format!("/runs/{run}")>
                    "Cancel"
                </a>
                <button
                    class="btn danger"
                    type="submit"
                    aria-describedby="resume-hint"
                    data-at-work="Planning again and going on…"
                >
                    {format!("Resume run #{run}")}
                </button>
            </div>
            <p class="hint" id="resume-hint" aria-live="polite"></p>
            {plan_again(&plan)}
        </form>
        </ConfirmGuard>
    }
}
