//! The page of a plan, for every kind of run that is planned.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map};
use rollback_types::run_kind::undo_subject;
use rollback_types::{
    BackupSource, Difference, Problem, ProblemKind, Refusal, RollbackPlan, RunId, RunKind, StoreKind, VersionId,
};

use super::before::{BeforeCard, CopyCard, DiskCard, TimeCard, TriggersCard};
use super::confirm::ConfirmCard;
use super::consent::Consent;
use super::restore::RestoreCard;
use super::steps::StepsCard;
use super::stores::{CopiesCard, GoesCard, ReplacedCard};
use super::subject::Subject;
use crate::account::{account, may};
use crate::address::{use_restore_source, use_version_id};
use crate::api::ApiError;
use crate::api::approvals::{AskApproval, approval_of};
use crate::api::plans::{differences_since, plan_rollback, run_since};
use crate::api::runs::StartRollback;
use crate::components::{
    Badge, Callout, EmptyState, ErrorPanel, Icon, IconName, Loading, PageHeader, Time, TimeStyle, Tone, VersionBadge,
    VersionName, message,
};
use crate::fragment::Fragment;
use crate::frame::approvals_required;
use crate::freshness::PageFreshness;
use crate::{choice, format, notice};

/// `/versions/{id}/plan`: the rollback of one version.
#[component]
pub fn PlanPage() -> impl IntoView {
    planned(RunKind::Rollback, use_version_id())
}

/// `/restore/{source}`: production from latest-copy, a kept version, or the baseline.
#[component]
pub fn RestorePage() -> impl IntoView {
    planned(RunKind::RestoreProduction, use_restore_source())
}

/// `/runs/{id}/undo`: what a run saved before it restored, put in again.
#[component]
pub fn UndoPage() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| {
        let run = params.read().get("id").and_then(|t| t.parse::<RunId>().ok());
        run.map(|run| undo_subject(run).as_str().to_owned()).unwrap_or_default()
    });
    planned(RunKind::UndoRestore, name)
}

/// `/backups/new`: a new latest-copy.
#[component]
pub fn MakeBackupPage() -> impl IntoView {
    planned(RunKind::MakeBackup, Memo::new(|_| BackupSource::LATEST_COPY.to_owned()))
}

/// `/backups/new/{source}`: a backup of a safety backup that the pipeline left inside the stores.
#[component]
pub fn MakeSafetyBackupPage() -> impl IntoView {
    planned(RunKind::MakeBackup, use_restore_source())
}

/// The plan of one subject. Which stores are restored stands in the address.
fn planned(kind: RunKind, name: Memo<String>) -> impl IntoView {
    let search = use_location().search;
    let chosen = Memo::new(move |_| search.with(|s| choice::from_search(s)));
    let read = search.with_untracked(|s| read_in(s));
    let required = approvals_required();
    let plan = Resource::new_blocking(
        move || (name.get(), choice::to_word(&chosen.get())),
        move |(name, restore)| {
            let read = read.clone();
            async move {
                // The address of the page that is being left for.
                if name.is_empty() {
                    return Err(Problem::new(ProblemKind::NotFound, "The address names nothing to plan.").into());
                }
                let (plan, consent) = with_consent(plan_rollback(name, kind, restore).await?, required).await?;
                let since = match read.filter(|read| *read != plan.digest.0) {
                    Some(read) => run_since(&read, &plan.version_id).await,
                    None => None,
                };
                Ok::<_, ApiError>((plan, consent, since))
            }
        },
    );

    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match plan.await {
                    Ok((plan, consent, since)) => {
                        view! { <PlanView plan=plan consent=consent since=since /> }.into_any()
                    }
                    Err(e) => not_planned(Subject { kind, name: name.get_untracked() }, e.into()).into_any(),
                }
            })}
        </Transition>
    }
}

/// A plan beside what another person has said about it, where that is needed.
pub(super) async fn with_consent(plan: RollbackPlan, required: u32) -> Result<(RollbackPlan, Consent), ApiError> {
    if required == 0 || plan.kind == RunKind::Validate {
        return Ok((plan, Consent::default()));
    }
    let approval = approval_of(plan.digest.to_string()).await?;
    Ok((plan, Consent { required, approval }))
}

fn not_planned(subject: Subject, problem: Problem) -> impl IntoView + use<> {
    let missing = message::is_missing(&problem);
    let path = subject.path();
    let (title, all, label) = match subject.kind {
        RunKind::Rollback | RunKind::Validate => ("There is no such version.", "/versions", "All versions"),
        RunKind::RestoreProduction | RunKind::MakeBackup => ("There is no such backup.", "/backups", "All backups"),
        RunKind::UndoRestore => ("There is nothing to undo.", "/runs", "All runs"),
    };
    let why = match subject.kind {
        RunKind::Rollback | RunKind::Validate => "The registry has no row of that id.".to_owned(),
        _ => format::visible(&problem.detail),
    };
    view! {
        <PageHeader tab="Plan">{subject.heading(false)} {name_of(&subject)}</PageHeader>
        {if missing {
            view! {
                <EmptyState title=title>
                    <p class="foreign">{why} " Nothing was changed."</p>
                    <p>
                        <a class="btn" href=all>
                            {label}
                        </a>
                    </p>
                </EmptyState>
            }
                .into_any()
        } else {
            view! { <ErrorPanel problem=problem retry=path /> }.into_any()
        }}
    }
}

pub(super) fn name_of(subject: &Subject) -> impl IntoView + use<> {
    view! { <VersionName id=VersionId::new(subject.in_words()) /> }
}

/// What forbids the start beside acknowledgements, which this page itself asks for.
pub(super) fn obstacles(plan: &RollbackPlan) -> Vec<Refusal> {
    plan.refusals.iter().filter(|r| r.code != "acknowledgement_required").cloned().collect()
}

/// Where the address says which plan was read before this one: what differs, as far as it can be told.
pub(super) fn read_before(plan: &RollbackPlan) -> Option<Option<Vec<Difference>>> {
    let search = use_location().search.get_untracked();
    let read = read_in(&search)?;
    (read != plan.digest.0).then(|| differences_since(&read, &plan.digest))
}

fn read_in(search: &str) -> Option<String> {
    crate::address::pairs(search).find(|(key, _)| key == READ).map(|(_, read)| read)
}

/// The parameter of an address that names the plan that was read before.
const READ: &str = "read";

/// Leads to the plan anew once the one on the page is old; shown only then.
pub(super) fn plan_again(plan: &RollbackPlan) -> impl IntoView + use<> {
    let subject = Subject::of(plan);
    let path = plan.resumes.map_or_else(|| subject.path(), |run| format!("/runs/{run}/resume"));
    let chosen = StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect();
    let search =
        if plan.source.is_some() && plan.resumes.is_none() { choice::to_search(&Some(chosen)) } else { String::new() };
    let mark = if search.is_empty() { '?' } else { '&' };
    view! {
        <p class="if-old">
            <a class="btn" href=format!("{path}{search}{mark}{READ}={}", plan.digest)>
                <Icon name=IconName::Refresh />
                "Plan again, and see what changed"
            </a>
        </p>
    }
}

/// How the plan stands, at a glance.
pub(super) fn standing(plan: &RollbackPlan) -> (Tone, IconName, String) {
    // The form asks for all of them, also for those that were given when the run first began.
    let asked = plan.acknowledgements.len() as u64;
    if !obstacles(plan).is_empty() {
        (Tone::Bad, IconName::Cross, "cannot start".to_owned())
    } else if asked == 0 {
        (Tone::Good, IconName::Check, "can start".to_owned())
    } else {
        let said = format!("can start after {}", format::counted(asked, "acknowledgements"));
        (Tone::Warn, IconName::Warning, said)
    }
}

/// How the plan stands, when it was made and its digest; and that it is old, once another would be made.
#[component]
pub(super) fn PlanStanding(
    plan: RollbackPlan,
    /// What other people have said about it.
    consent: Consent,
    /// What else stands beside it.
    about: Option<AnyView>,
) -> impl IntoView {
    let least = Subject::of(&plan).least_role();
    let (votes, needs_a_word) = (consent.votes(), consent.required > 0);
    let waits = consent.standing(account().map(|a| a.name).as_deref()).waits();
    // What the reader may not start is not promised to them.
    let (tone, icon, word) = match (standing(&plan), waits) {
        ((Tone::Bad, icon, word), _) => (Tone::Bad, icon, word),
        _ if !may(least) => (Tone::Idle, IconName::Info, format!("needs the role {least}")),
        (_, Some(waits)) => (Tone::Warn, IconName::Shield, waits),
        (can, None) => can,
    };
    let (digest, whole) = (plan.digest.to_string(), plan.digest.to_string());
    let badge = view! { <Badge tone=tone icon=icon text=word /> };
    // What a vote changes stands with the votes.
    let (of_plan, of_votes) = if needs_a_word { (None, Some(badge)) } else { (Some(badge), None) };
    view! {
        <PageFreshness says="This plan is no longer what is there." link="Plan again" />
        // Whoever confirms reads one plan: it does not change under their hands.
        <Fragment id="plan-standing" inline=true held=true>
            {of_plan}
            <span hidden data-digest=digest></span>
        </Fragment>
        // A vote makes no other plan, but whoever is to start may do so only after it.
        <Fragment id="plan-votes" inline=true held=true>
            {of_votes}
            <span
                hidden
                data-votes=votes.to_string()
                data-says="The votes on this plan have changed since you read it. Look again before you go on."
            ></span>
        </Fragment>
        {about}
        <span class="small muted">
            "planned "<Time at=plan.planned_at style=TimeStyle::Relative />" · digest "
            <code title=whole>{format::short_digest(&plan.digest.0)}</code>
        </span>
    }
}

#[component]
fn PlanView(
    plan: RollbackPlan,
    consent: Consent,
    /// The run about the same that began after the plan was read before.
    since: Option<RunId>,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let href = subject.path();
    let over_icon = if plan.kind == RunKind::MakeBackup { IconName::Box } else { IconName::Back };
    let over = view! {
        <Icon name=over_icon />
        {subject.over()}
    };
    let never = super::trouble::is_never_a_candidate(&plan);
    let lead = if never {
        "Nothing is planned: this is no version that can be rolled back.".to_owned()
    } else {
        format::visible(&super::sentences::headline(&plan))
    };
    let version = plan.version.clone().map(|v| view! { <VersionBadge state=v.status /> }.into_any());
    let tools = view! {
        <PlanStanding plan=plan.clone() consent=consent.clone() about=version />
        <a class="btn small" href=href>
            <Icon name=IconName::Refresh />
            "Plan again"
        </a>
    };
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
    // Refused because something moved: what is so now, beside what changed.
    let problem = notice::refused::<StartRollback>().or_else(notice::refused::<AskApproval>);
    let told = super::trouble::told(&plan, problem, since);
    if never {
        return view! {
            <PageHeader tab=subject.tab() over=over.into_any() lead=view! { {lead} }.into_any() tools=().into_any()>
                {subject.heading(false)} {name_of(&subject)}
            </PageHeader>
            {told}
            {super::trouble::instead(&plan)}
        }
        .into_any();
    }

    view! {
        <PageHeader
            tab=subject.tab()
            over=over.into_any()
            lead=view! { {lead} }.into_any()
            tools=tools.into_any()
        >
            {subject.heading(plan.take_over)} {name_of(&subject)}
        </PageHeader>
        {told}
        {take_over}
        {super::trouble::losses(&plan)}
        <div class="grid plan">
            <div class="col c8">
                {what_changes(&plan, false)}
                <BeforeCard checklist=plan.checklist.clone() />
                <TriggersCard triggers=plan.triggers.clone() />
                {plan
                    .source
                    .as_ref()
                    .map(|s| view! { <CopyCard title=s.name().into_owned() health=plan.latest_copy.clone() /> })}
                <StepsCard kind=plan.kind steps=plan.steps.clone() />
                <ToConfirmation />
            </div>
            <div class="col c4 plan-side">
                <ConfirmCard plan=plan.clone() consent=consent />
                <TimeCard kind=plan.kind time=plan.time.clone() took_ms=plan.took_ms />
                <DiskCard disk=plan.disk.clone() way_back_bytes=plan.way_back_bytes />
            </div>
        </div>
    }
    .into_any()
}

/// Where the confirmation stands below the plan, far down on a phone, a way to it stays in sight.
#[component]
pub(super) fn ToConfirmation() -> impl IntoView {
    view! {
        <p class="to-confirmation">
            <a class="btn primary" href="#card-confirm">
                "Go to the confirmation"
                <Icon name=IconName::Arrow />
            </a>
        </p>
    }
}

/// What goes, what comes in its place, and what stays: by the kind of run. Which stores are restored may be `fixed`.
pub(crate) fn what_changes(plan: &RollbackPlan, fixed: bool) -> AnyView {
    match plan.kind {
        RunKind::Rollback => view! {
            <GoesCard plan=plan.clone() />
            <RestoreCard plan=plan.clone() fixed=fixed />
        }
        .into_any(),
        RunKind::RestoreProduction | RunKind::UndoRestore => view! {
            <ReplacedCard plan=plan.clone() />
            <RestoreCard plan=plan.clone() fixed=fixed />
        }
        .into_any(),
        RunKind::MakeBackup | RunKind::Validate => view! { <CopiesCard plan=plan.clone() /> }.into_any(),
    }
}
