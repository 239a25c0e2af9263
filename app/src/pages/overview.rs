//! Overview: can I roll back now, what needs attention, how are the copies and the stores.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod cards;

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::run_kind::PRODUCTION;
use rollback_types::{Candidacy, Overview, Role, RunSummary, StoreStatus, VerdictLevel};

use self::cards::{attention, latest_copy, stores};
use super::run_rows::{RunRows, about};
use super::staged::StagedCard;
use crate::account::may;
use crate::api::overview::overview;
use crate::api::runs::Validate;
use crate::components::{
    Card, ErrorPanel, Icon, IconName, Loading, PageHeader, RoleNote, RunBadge, Time, TimeStyle, VerdictPanel, plan_link,
};
use crate::fragment::Fragment;
use crate::freshness::OverviewFreshness;
use crate::{format, notice};

/// Candidates that the overview lists; the list of versions has them all.
const SHOWN_CANDIDATES: usize = 6;

/// `/`.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let first = Resource::new_blocking(|| (), |()| overview());
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(overview) => view! { <FreshOverview overview=overview /> }.into_any(),
                    Err(error) => {
                        view! {
                            <PageHeader tab="Overview">"Overview"</PageHeader>
                            <ErrorPanel problem=error retry="/" />
                        }
                            .into_any()
                    }
                }
            })}
        </Suspense>
    }
}

#[component]
pub(super) fn FreshOverview(overview: Overview) -> impl IntoView {
    let lead = summary(&overview);
    // Where there is no word for it the page is fetched anew once.
    let seen = rollback::seen(&overview).unwrap_or_default();
    let refused = notice::refused_anywhere().map(|problem| view! { <ErrorPanel problem=problem /> });
    view! {
        <PageHeader
            tab="Overview"
            lead=view! {
                <Fragment id="overview-lead" inline=true>{lead}</Fragment>
            }
                .into_any()
            tools=view! {
                <OverviewFreshness seen=seen />
                <ValidateForm subject=PRODUCTION.to_owned() label="Validate production" />
            }
                .into_any()
        >
            "Overview"
        </PageHeader>
        {refused}
        <Fragment id="overview-now">{content(overview)}</Fragment>
    }
}

/// Plans and starts a validation in one go; it changes nothing.
#[component]
pub(super) fn ValidateForm(
    /// `production`, or a version.
    subject: String,
    /// What the button says.
    label: &'static str,
) -> impl IntoView {
    let may = may(Role::Operator);
    view! {
        <form method="post" action=Validate::PATH>
            <input type="hidden" name="subject" value=subject />
            <button class="btn" type="submit" disabled=!may aria-describedby=(!may).then_some("validate-note")>
                <Icon name=IconName::Shield />
                {label}
            </button>
            <RoleNote id="validate-note" least=Role::Operator />
        </form>
    }
}

/// One sentence about the stores, one about the versions.
fn summary(o: &Overview) -> String {
    let named = |status: StoreStatus| {
        let names: Vec<_> = o.stores.iter().filter(|s| s.status == status).map(|s| s.store.title()).collect();
        (names.len(), names.join(" and "))
    };
    let stores = match (named(StoreStatus::Down), named(StoreStatus::Degraded)) {
        ((0, _), (0, _)) => "All stores answer.".to_owned(),
        ((0, _), (1, names)) => format!("{names} answers, but something is wrong with it."),
        ((0, _), (_, names)) => format!("{names} answer, but something is wrong with them."),
        ((1, names), _) => format!("{names} does not answer."),
        ((_, names), _) => format!("{names} do not answer."),
    };
    let versions = match o.candidate_count {
        0 if o.layout.is_none() => "Which versions there are cannot be read.".to_owned(),
        0 => "No version waits for a rollback.".to_owned(),
        // Whether it can start now is the verdict's to say.
        1 => "One version waits for a rollback.".to_owned(),
        n => format!("{} versions wait for a rollback.", format::count(n)),
    };
    format!("{stores} {versions}")
}

fn content(o: Overview) -> impl IntoView {
    let left = view! { {attention(&o)} {latest_copy(o.latest_copy.clone(), &o.verdict)} };
    let right = view! {
        <StagedCard staged=o.staged.clone() goes=true layout=o.layout of=o.staged_of.clone() />
        {stores(&o)}
    };
    view! {
        {(o.open_approvals > 0).then(|| waiting_approvals(o.open_approvals))}
        <VerdictPanel
            verdict=o.verdict.clone()
            label=if o.active_run.is_some() { "Active run" } else { "Verdict" }
            run=o.active_run.clone().map(|run| active_run(&run).into_any())
            action=verdict_action(&o).into_any()
        />
        <div class="grid">
            <div class="col c7">{left}</div>
            <div class="col c5">{right}</div>
            <Card
                title="Recent runs"
                class="c12"
                aside=view! {
                    <a class="small" href="/runs">
                        "History"
                    </a>
                }
                    .into_any()
            >
                <RunRows runs=o.recent_runs />
            </Card>
        </div>
    }
}

fn verdict_action(o: &Overview) -> impl IntoView + use<> {
    if let Some(run) = &o.active_run {
        return Some(
            view! {
                <a class="btn primary" href=format!("/runs/{}", run.id)>
                    {format!("Open run #{}", run.id)}
                </a>
            }
            .into_any(),
        );
    }
    if let Some(run) = &o.interrupted_run {
        return Some(
            view! {
                <a class="btn primary" href=format!("/runs/{}", run.id)>
                    {format!("{} run #{}", plan_link(Role::Operator, "Resume or abandon", "See"), run.id)}
                </a>
            }
            .into_any(),
        );
    }
    if !o.latest_copy.as_ref().is_none_or(|copy| copy.intact) {
        return Some(
            view! {
                <a class="btn primary" href="/backups">
                    "Look at the backups"
                </a>
            }
            .into_any(),
        );
    }
    if !matches!(o.verdict.level, VerdictLevel::Ready | VerdictLevel::Attention) {
        return None;
    }
    let newest = o.candidates.first()?;
    let path = format::version_path(newest.version_id.as_str())?;
    let shown = format::short_id(newest.version_id.as_str());
    let take_over = newest.candidacy == Candidacy::TakeOver;
    let class = if take_over || o.verdict.level == VerdictLevel::Ready { "btn primary" } else { "btn" };
    let does = if take_over { "Take over the rollback of " } else { "Plan rollback of " };
    let text = plan_link(Role::Operator, does, "See the plan of ");
    Some(
        view! {
            <a class=class href=format!("{path}/plan")>
                <span>{text} <bdi>{shown}</bdi></span>
            </a>
        }
        .into_any(),
    )
}

/// The run that the verdict speaks of: its state, what it is about, since when.
fn active_run(run: &RunSummary) -> impl IntoView + use<> {
    view! {
        <p class="run-line">
            <RunBadge state=run.state />
            {about(run)}
            <Time at=run.started_at style=TimeStyle::Relative />
        </p>
    }
}

/// Plans that another person must read before they start.
fn waiting_approvals(n: u64) -> impl IntoView {
    let (plans, word) = if n == 1 { ("1 plan".to_owned(), "waits") } else { (format::counted(n, "plans"), "wait") };
    view! {
        <section class="banner" aria-label="Approvals">
            <Icon name=IconName::Shield />
            <p>
                <a href="/approvals">{plans}</a>
                {format!(" {word} for another person’s approval.")}
            </p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{BackupHealth, BackupSource, Layout, StoreKind, StoreReport, Timestamp, Verdict};

    fn overview(statuses: [StoreStatus; 3], candidate_count: u64, layout: Option<Layout>) -> Overview {
        let at = Timestamp::from_unix_ms(0);
        let report = |(store, status): (StoreKind, StoreStatus)| StoreReport {
            store,
            engine: store.title().into(),
            version: None,
            location: String::new(),
            status,
            detail: String::new(),
            remedy: None,
            latency_ms: None,
            checked_at: at,
        };
        Overview {
            verdict: Verdict { level: VerdictLevel::Quiet, headline: String::new(), reasons: vec![], remedy: None },
            active_run: None,
            interrupted_run: None,
            interrupted_runs: vec![],
            stores: StoreKind::ALL.into_iter().zip(statuses).map(report).collect(),
            latest_copy: None,
            candidates: vec![],
            candidate_count,
            staged: vec![],
            staged_of: None,
            recent_runs: vec![],
            open_approvals: 0,
            layout,
            deployment: String::new(),
            at,
        }
    }

    #[test]
    fn the_summary_names_what_is_wrong_and_claims_nothing_unread() {
        use StoreStatus::{Degraded, Down, Up};
        let said = |statuses, n, layout| summary(&overview(statuses, n, layout));
        let shared = Some(Layout::Shared);
        assert_eq!(said([Up, Up, Up], 1, shared), "All stores answer. One version waits for a rollback.");
        assert_eq!(
            said([Degraded, Up, Down], 0, None),
            "Neo4j does not answer. Which versions there are cannot be read."
        );
        assert_eq!(
            said([Up, Degraded, Degraded], 0, shared),
            "Qdrant and Neo4j answer, but something is wrong with them. No version waits for a rollback."
        );
    }

    #[test]
    fn what_the_verdict_says_of_latest_copy_is_not_said_twice() {
        let at = Timestamp::from_unix_ms(0);
        let health = BackupHealth {
            source: BackupSource::LatestCopy,
            folder: String::new(),
            intact: false,
            verdict: "Not intact. Neo4j: it is not there.".into(),
            remedy: Some("Make a new one.".into()),
            files: vec![],
            checked_at: at,
            took_ms: 0,
            history: vec![],
            replaced: vec![],
        };
        let html = |reasons: &[&str], remedy: Option<&str>| {
            let verdict = Verdict {
                level: VerdictLevel::Attention,
                headline: String::new(),
                reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
                remedy: remedy.map(str::to_owned),
            };
            Owner::new().with(|| latest_copy(Some(health.clone()), &verdict).to_html())
        };
        let alone = html(&["All stores answer."], None);
        assert!(alone.contains("it is not there.") && alone.contains("Make a new one."), "{alone}");
        let told = html(&["latest-copy: Not intact. Neo4j: it is not there."], Some("Make a new one."));
        assert!(!told.contains("it is not there.") && !told.contains("Make a new one."), "{told}");
        assert!(
            told.contains("damaged") || told.contains("not fully proven"),
            "its state is told all the same: {told}"
        );
    }
}
