//! What stands in a plan's way, and why a start was not done.

use leptos::prelude::*;
use rollback_types::{CheckState, Difference, Problem, ProblemKind, RollbackPlan, RunId, StoreKind};

use super::page::{obstacles, read_before};
use super::sentences;
use super::subject::Subject;
use crate::components::{Callout, Change, Diff, ErrorPanel, RunLink, Tone, VersionLink};
use crate::format;
use crate::fragment::Fragment;

/// Everything that forbids the start, each with what to do about it.
fn refusals(plan: &RollbackPlan) -> impl IntoView + use<> {
    let items = obstacles(plan)
        .iter()
        .map(|r| {
            let run = r.run.map(|run| view! { " "<a href=format!("/runs/{run}")>{format!("To run #{run}")}</a> });
            view! {
                <li>
                    <span class="foreign">{format::visible_lines(&r.message)}</span>
                    {run}
                </li>
            }
        })
        .collect_view();
    let active = plan.refusals.iter().any(|r| r.code == "active_run");
    let safe =
        active.then(|| view! { <p class="small">"The active run goes on, and nothing else starts beside it."</p> });
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
        <Callout tone=Tone::Bad title=format!("This {} cannot start.", Subject::of(plan).noun())>
            <ul class="refusals">{items}</ul>
            {safe}
            {hint}
        </Callout>
    }
}

/// The version is none that can ever be rolled back as it stands: nothing of a plan is worth telling.
pub fn is_never_a_candidate(plan: &RollbackPlan) -> bool {
    plan.refusals.iter().any(|r| r.lasting)
}

/// What to do in the place of a rollback that can never be.
pub fn instead(plan: &RollbackPlan) -> impl IntoView + use<> {
    let is_baseline = plan.refusals.iter().any(|r| r.code == "baseline");
    let last_resort = is_baseline.then_some(
        " The baseline is for disaster recovery: production can be restored from its backup when no newer one is intact.",
    );
    let back = Subject::of(plan).back();
    view! {
        <Callout tone=Tone::Idle title="What to do instead">
            <p>
                "If production is damaged, validate it, then restore it from latest-copy or from a kept version."
                {last_resort} " If another version failed, roll that one back."
            </p>
            <div class="actions">
                <a class="btn" href="/backups">
                    "To the backups"
                </a>
                <a class="btn" href="/versions">
                    "All versions"
                </a>
                <a class="btn" href=back>
                    "Back to the version"
                </a>
            </div>
        </Callout>
    }
}

/// What a restore from an older backup loses, by name. Disaster recovery says so even when nothing is lost.
pub fn losses(plan: &RollbackPlan) -> Option<impl IntoView + use<>> {
    let subject = Subject::of(plan);
    let disaster = subject.is_disaster_recovery();
    if plan.losses.is_empty() && !disaster {
        return None;
    }
    let n = plan.losses.len() as u64 + plan.more_losses;
    let title = match n {
        0 => "Nothing that was committed is lost.".to_owned(),
        1 => "1 committed version will be lost from production.".to_owned(),
        n => format!("{} committed versions will be lost from production.", format::count(n)),
    };
    let names = plan.losses.iter().cloned().map(|id| view! { <li><VersionLink id=id /></li> }).collect_view();
    let saved = if plan.resumes.is_some() {
        "What each store held before this run replaced it is its way back: the restore can be undone while that is kept."
    } else {
        "What production holds now is saved first, as this run’s way back: the restore can be undone while that is kept."
    };
    let more =
        (plan.more_losses > 0).then(|| view! { <p>{format!("And {} more.", format::count(plan.more_losses))}</p> });
    let replaces = StoreKind::ALL.into_iter().any(|store| plan.stores.get(store).restore);
    let tone = if n > 0 { Tone::Bad } else { Tone::Warn };
    Some(view! {
        <section id="losses" aria-label="What is lost">
            <Callout tone=tone title=title>
                {(n > 0)
                    .then(|| {
                        view! {
                            <p>
                                "They were committed after "
                                <bdi class="id">{format::visible(&subject.name)}</bdi>
                                " was made. Their chapters, points and nodes go from production; their registry rows stay."
                            </p>
                            <ul class="losses">{names}</ul>
                            {more}
                        }
                    })}
                {replaces.then(|| view! { <p>{saved}</p> })}
                {disaster
                    .then(|| {
                        view! {
                            <p>
                                "Disaster recovery is the last resort. If "<a href="/restore/latest-copy">"latest-copy"</a>
                                " is intact, restore from that."
                            </p>
                        }
                    })}
            </Callout>
        </section>
    })
}

/// Why the start was not done, what changed since the plan was read, and everything that forbids it now; what two of them
/// would say is said once. The latter two are renewed under a plan that is held.
pub fn told(plan: &RollbackPlan, problem: Option<Problem>, since: Option<RunId>) -> AnyView {
    let stale = problem.as_ref().is_some_and(|p| p.kind == ProblemKind::StalePlan);
    let changed = read_before(plan).filter(|_| !stale).map(|differences| changed(differences, since));
    let refused = (!obstacles(plan).is_empty()).then(|| refusals(plan));
    let refused = view! { <Fragment id="plan-now">{changed} {refused}</Fragment> };
    let active = plan.refusals.iter().any(|r| r.code == "active_run");
    match problem {
        None => refused.into_any(),
        Some(p) if active && p.kind == ProblemKind::ActiveRun => {
            view! { <div id="start-problem" tabindex="-1" autofocus>{refused}</div> }.into_any()
        }
        Some(p) => view! {
            <div id="start-problem" tabindex="-1" autofocus>
                {start_problem(p)}
            </div>
            {refused}
        }
        .into_any(),
    }
}

/// What differs between the plan that was read and the one of now; `None` where the earlier one is not kept any more.
fn changed(differences: Option<Vec<Difference>>, since: Option<RunId>) -> impl IntoView {
    let since = since.map(|run| view! { <p>"After you read it, run "<RunLink id=run />" began about the same."</p> });
    let diff = match differences {
        Some(differences) => diff(differences).into_any(),
        None => view! { <p>"The plan that you read is not kept any more, so what differs cannot be told. Read the new one."</p> }
            .into_any(),
    };
    view! {
        <section id="plan-changed" aria-label="What changed since you read the plan">
            <Callout tone=Tone::Warn title="What is planned has changed since you read it.">
                {since}
                {diff}
            </Callout>
        </section>
    }
}

fn diff(differences: Vec<Difference>) -> impl IntoView {
    let changes: Vec<Change> = differences
        .into_iter()
        .map(|d| Change { what: sentences::field(&d.field), before: d.before, now: d.now })
        .collect();
    view! { <Diff label="What changed" changes=changes before="When you read it" now="Now" /> }
}

/// Why the start was not done.
fn start_problem(problem: Problem) -> AnyView {
    if problem.kind == ProblemKind::StalePlan {
        view! { <StalePlan differences=problem.differences since=problem.later_run /> }.into_any()
    } else {
        view! { <ErrorPanel problem=problem /> }.into_any()
    }
}

#[component]
fn StalePlan(differences: Vec<Difference>, since: Option<RunId>) -> impl IntoView {
    let since = since
        .map(|run| view! { <p>"After you read it, run "<RunLink id=run />" began, which changes the stores."</p> });
    view! {
        <div role="alert" id="stale-plan">
            <Callout tone=Tone::Warn title="Something changed since you read this plan. Nothing was started.">
                {since}
                <p>"The plan below is the new one. Read what differs, then confirm again."</p>
                {diff(differences)}
            </Callout>
        </div>
    }
}
