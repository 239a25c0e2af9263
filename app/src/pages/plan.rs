//! What a rollback would do, read like a pull request, with the confirmation beside it.

mod before;
mod confirm;
mod confirmation;
pub(crate) mod sentences;
mod stores;

use leptos::html;
use leptos::prelude::*;
use rollback_types::{CheckState, Difference, Problem, ProblemKind, Refusal, RollbackPlan, VersionId};

use self::before::{BeforeCard, CopyCard, DiskCard, StepsCard, TimeCard, TriggersCard};
use self::confirm::ConfirmCard;
use self::confirmation::Confirmation;
use self::stores::{GoesCard, RestoreCard};
use crate::address::use_version_id;
use crate::api::plans::plan_rollback;
use crate::api::runs::StartRollback;
use crate::components::{
    Badge, Callout, EmptyState, ErrorPanel, Icon, IconName, Loading, PageHeader, Time, TimeStyle, Tone, VersionBadge,
    VersionName, message,
};
use crate::format;

/// The plan of one version.
#[component]
pub fn PlanPage() -> impl IntoView {
    let id = use_version_id();
    let start = ServerAction::<StartRollback>::new();
    let confirmation = RwSignal::new(Confirmation::default());
    let plan = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            // The address of the page that is being left for.
            if id.is_empty() {
                return Err(Problem::new(ProblemKind::NotFound, "The address names no version.").into());
            }
            plan_rollback(id, rollback_types::RunKind::Rollback, Vec::new(), None).await
        },
    );

    // Refused because something moved: show what is so now, beside what changed.
    Effect::new(move |_| {
        let moved = |e: &Problem| matches!(e.kind, ProblemKind::StalePlan | ProblemKind::Refused);
        if start.value().with(|v| matches!(v, Some(Err(e)) if moved(&e.0))) {
            // The new plan is to be confirmed anew, not by a second press of the same key.
            confirmation.update(Confirmation::forget_consent);
            plan.refetch();
        }
    });

    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match plan.await {
                    Ok(plan_now) => {
                        let again = Callback::new(move |()| {
                            start.value().set(None);
                            plan.refetch();
                        });
                        view! { <PlanView plan=plan_now start=start confirmation=confirmation again=again /> }
                            .into_any()
                    }
                    Err(e) => not_planned(&id.get_untracked(), e.into()).into_any(),
                }
            })}
        </Transition>
    }
}

fn not_planned(id: &str, problem: Problem) -> impl IntoView + use<> {
    let name = VersionId::new(id);
    let missing = message::is_missing(&problem);
    view! {
        <PageHeader tab="Plan">"Roll back "<VersionName id=name /></PageHeader>
        {if missing {
            view! {
                <EmptyState title="There is no such version.">
                    <p>"The registry has no row of that id. Nothing was changed."</p>
                    <p>
                        <a class="btn" href="/versions">
                            "All versions"
                        </a>
                    </p>
                </EmptyState>
            }
                .into_any()
        } else {
            view! { <ErrorPanel problem=problem retry=plan_path(id) /> }.into_any()
        }}
    }
}

/// The address of a version's plan; that of the list for an id no address can name.
fn plan_path(id: &str) -> String {
    format::version_path(id).map_or_else(|| "/versions".to_owned(), |path| format!("{path}/plan"))
}

/// What forbids the start beside acknowledgements, which this page itself asks for.
fn obstacles(plan: &RollbackPlan) -> Vec<Refusal> {
    plan.refusals.iter().filter(|r| r.code != "acknowledgement_required").cloned().collect()
}

/// How the plan stands, at a glance.
fn standing(plan: &RollbackPlan) -> (Tone, IconName, &'static str) {
    if !obstacles(plan).is_empty() {
        (Tone::Bad, IconName::Cross, "cannot start")
    } else if plan.startable || plan.acknowledgements.iter().all(|a| a.given) {
        (Tone::Good, IconName::Check, "can start")
    } else {
        (Tone::Warn, IconName::Warning, "asks to be acknowledged")
    }
}

#[component]
fn PlanView(
    plan: RollbackPlan,
    start: ServerAction<StartRollback>,
    confirmation: RwSignal<Confirmation>,
    again: Callback<()>,
) -> impl IntoView {
    let id = plan.version_id.clone();
    let (tone, icon, word) = standing(&plan);
    let href = plan_path(id.as_str());
    let verb = if plan.take_over { "Take over the rollback of " } else { "Roll back " };
    let over = view! {
        <Icon name=IconName::Back />
        "Rollback plan"
    };
    let lead = format::visible(&sentences::headline(&plan));
    let tools = view! {
        <Badge tone=tone icon=icon text=word />
        {plan.version.clone().map(|v| view! { <VersionBadge state=v.status /> })}
        <span class="small muted">
            "planned "<Time at=plan.planned_at style=TimeStyle::Relative />" · digest "
            <code title=plan.digest.to_string()>{format::short_digest(&plan.digest.0)}</code>
        </span>
        <a
            class="btn small"
            href=href
            rel="external"
            on:click=move |ev| {
                ev.prevent_default();
                again.run(());
            }
        >
            <Icon name=IconName::Refresh />
            "Plan again"
        </a>
    };
    let refused = (!obstacles(&plan).is_empty()).then(|| refusals(&plan));
    // While its own run is active the earlier rollback is that one.
    let active = plan.refusals.iter().any(|r| r.code == "active_run");
    let take_over = (plan.take_over && !active).then(|| {
        view! {
            <Callout tone=Tone::Warn title="An earlier rollback of this version did not finish.">
                <p>
                    "This plan continues it: what is gone already is found absent and recorded so, and the rest is done."
                </p>
            </Callout>
        }
    });
    let problem = move || start.value().with(|v| v.as_ref().and_then(|r| r.as_ref().err()).map(|e| (*e.0).clone()));

    // The confirmation may be far below: what forbade the start comes into view, and is read out.
    let place = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if let Some(shown) = place.get() {
            shown.scroll_into_view();
            // An element with a tabindex takes the focus.
            let _focused = shown.focus();
        }
    });

    view! {
        <PageHeader
            tab=format!("Plan of {}", format::clip(&format::visible(id.as_str()), 60))
            over=over.into_any()
            lead=view! { {lead} }.into_any()
            tools=tools.into_any()
        >
            {verb}
            <VersionName id=id />
        </PageHeader>
        {move || {
            problem()
                .map(|p| {
                    view! {
                        <div id="start-problem" tabindex="-1" node_ref=place>
                            {start_problem(p)}
                        </div>
                    }
                })
        }}
        {refused}
        {take_over}
        <div class="grid plan">
            <div class="col c8">
                <GoesCard plan=plan.clone() />
                <RestoreCard plan=plan.clone() />
                <BeforeCard checklist=plan.checklist.clone() />
                <TriggersCard triggers=plan.triggers.clone() />
                <CopyCard health=plan.latest_copy.clone() />
                <StepsCard steps=plan.steps.clone() />
            </div>
            <div class="col c4 plan-side">
                <ConfirmCard plan=plan.clone() start=start confirmation=confirmation />
                <TimeCard time=plan.time.clone() took_ms=plan.took_ms />
                <DiskCard disk=plan.disk.clone() />
            </div>
        </div>
    }
}

/// Everything that forbids the start, each with what to do about it.
fn refusals(plan: &RollbackPlan) -> impl IntoView + use<> {
    let items = obstacles(plan)
        .iter()
        .map(|r| {
            let active =
                (r.code == "active_run").then(|| view! { " "<a href="/runs?state=running">"To the active run"</a> });
            view! {
                <li>
                    <span class="foreign">{format::visible_lines(&r.message)}</span>
                    {active}
                </li>
            }
        })
        .collect_view();
    let failed = plan.checklist.iter().filter(|c| c.state == CheckState::Failed).count();
    let hint = (failed > 0).then(|| {
        view! {
            <p class="small">
                <a href="#card-before-you-start">{format::counted(failed as u64, "failed checks")}</a>
                " with the evidence below. Nothing was changed."
            </p>
        }
    });
    view! {
        <Callout tone=Tone::Bad title="This rollback cannot start.">
            <ul class="refusals">{items}</ul>
            {hint}
        </Callout>
    }
}

/// Why the start was not done.
fn start_problem(problem: Problem) -> AnyView {
    if problem.kind == ProblemKind::StalePlan {
        view! { <StalePlan differences=problem.differences /> }.into_any()
    } else {
        view! { <ErrorPanel problem=problem /> }.into_any()
    }
}

#[component]
fn StalePlan(differences: Vec<Difference>) -> impl IntoView {
    let shown = |v: Option<String>| v.map_or_else(|| "–".to_owned(), |v| format::clip(&format::visible(&v), 400));
    let rows = differences
        .into_iter()
        .map(|d| {
            view! {
                <tr>
                    <td class="wide">
                        <span class="foreign" title=format::visible(&d.field)>
                            {format::visible(&sentences::field(&d.field))}
                        </span>
                    </td>
                    <td class="foreign" data-label="When you read it">
                        {shown(d.before)}
                    </td>
                    <td class="foreign" data-label="Now">
                        <b>{shown(d.now)}</b>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div role="alert" id="stale-plan">
            <Callout tone=Tone::Warn title="Something changed since you read this plan. Nothing was started.">
                <p>"The plan below is the new one. Read what differs, then confirm again."</p>
                <div class="scroll" tabindex="0" role="region" aria-label="What changed">
                    <table class="stack">
                        <thead>
                            <tr>
                                <th scope="col">"What"</th>
                                <th scope="col">"When you read it"</th>
                                <th scope="col">"Now"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </Callout>
        </div>
    }
}
