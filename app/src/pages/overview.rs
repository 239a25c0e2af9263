//! Overview: can I roll back now, what needs attention, how are the copies and the stores.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{
    BackupHealth, Overview, RunState, RunSummary, StoreReport, StoreStatus, VerdictLevel, VersionRow,
};

use super::run_rows::RunRows;
use super::staged::StagedCard;
use crate::api::overview::overview;
use crate::components::{
    Badge, Card, EmptyState, ErrorPanel, Icon, IconName, LadderGrid, Loading, PageHeader, RunBadge, StoreDot, Time,
    TimeStyle, Tone, VerdictPanel, VersionBadge, VersionLink,
};
use crate::format;

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

/// The page's content, asked for again every ten seconds while the tab is looked at.
#[component]
pub(super) fn FreshOverview(overview: Overview) -> impl IntoView {
    let shown = RwSignal::new(overview);
    let stale = RwSignal::new(false);
    keep_fresh(shown, stale);
    view! {
        <PageHeader
            tab="Overview"
            lead=view! { {move || shown.with(summary)} }.into_any()
            tools=view! { <Freshness shown=shown stale=stale /> }.into_any()
        >
            "Overview"
        </PageHeader>
        {move || content(shown.get())}
    }
}

#[cfg(feature = "hydrate")]
fn keep_fresh(shown: RwSignal<Overview>, stale: RwSignal<bool>) {
    Effect::new(move |_| {
        let ask = move || {
            if document().hidden() {
                return;
            }
            leptos::task::spawn_local(async move {
                // The page may be gone when the answer comes: then there is nothing to set.
                match overview().await {
                    Ok(fresh) => {
                        let _gone = shown.try_set(fresh);
                        let _gone = stale.try_set(false);
                    }
                    Err(_shown_as_stale) => {
                        let _gone = stale.try_set(true);
                    }
                }
            });
        };
        let interval = set_interval_with_handle(ask, std::time::Duration::from_secs(10));
        on_cleanup(move || {
            if let Ok(interval) = interval {
                interval.clear();
            }
        });
    });
}

#[cfg(not(feature = "hydrate"))]
fn keep_fresh(_shown: RwSignal<Overview>, _stale: RwSignal<bool>) {}

/// When this was seen; said loudly when the server no longer answers.
#[component]
fn Freshness(shown: RwSignal<Overview>, stale: RwSignal<bool>) -> impl IntoView {
    view! {
        <span class=move || if stale.get() { "live stale" } else { "live" }>
            {move || if stale.get() { "Not answering, seen " } else { "Seen " }}
            {move || view! { <Time at=shown.with(|o| o.at) style=TimeStyle::Relative /> }}
        </span>
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
        1 => "One version can be rolled back.".to_owned(),
        n => format!("{} versions can be rolled back.", format::count(n)),
    };
    format!("{stores} {versions}")
}

fn content(o: Overview) -> impl IntoView {
    let left = view! { {attention(&o)} {latest_copy(o.latest_copy.clone())} };
    let right = view! {
        <StagedCard staged=o.staged.clone() goes=true />
        {stores(&o.stores)}
    };
    view! {
        {o.active_run.clone().map(active_run)}
        <VerdictPanel verdict=o.verdict.clone() action=verdict_action(&o).into_any() />
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
    if !matches!(o.verdict.level, VerdictLevel::Ready | VerdictLevel::Attention) {
        return None;
    }
    let newest = o.candidates.first()?;
    let path = format::version_path(newest.version_id.as_str())?;
    let class = if o.verdict.level == VerdictLevel::Ready { "btn primary" } else { "btn" };
    Some(
        view! {
            <a class=class href=format!("{path}/plan")>
                <span>"Plan rollback of " <bdi>{format::short_id(newest.version_id.as_str())}</bdi></span>
            </a>
        }
        .into_any(),
    )
}

fn active_run(run: RunSummary) -> impl IntoView {
    let word = match run.state {
        RunState::NeedsDecision => "waits for your decision",
        RunState::Interrupted => "was interrupted",
        _ => "is at work",
    };
    view! {
        <section class="banner" aria-label="Active run">
            <RunBadge state=run.state />
            <p>
                <a href=format!("/runs/{}", run.id)>{format!("Run #{}", run.id)}</a>
                {format!(" {word}: ")}
                <VersionLink id=run.version_id />
            </p>
            <Time at=run.started_at style=TimeStyle::Relative />
        </section>
    }
}

fn attention(o: &Overview) -> impl IntoView + use<> {
    let shown = &o.candidates[..o.candidates.len().min(SHOWN_CANDIDATES)];
    let items = shown.iter().map(candidate).collect_view();
    let more = o.candidate_count.saturating_sub(shown.len() as u64);
    let empty = o.candidates.is_empty();
    let unread = o.layout.is_none();
    view! {
        <Card
            title="Needs attention"
            aside=view! {
                <a class="small" href="/versions">
                    "All versions"
                </a>
            }
                .into_any()
        >
            {if empty && unread {
                view! {
                    <EmptyState title="The registry cannot be read.">
                        <p>
                            "Whether a version waits for a rollback is not known. What is wrong with SQLite, and what to do, stands under Stores."
                        </p>
                    </EmptyState>
                }
                    .into_any()
            } else if empty {
                view! {
                    <EmptyState title="Nothing needs you.">
                        <p>
                            "Versions that failed, or stopped half way, would be listed here, with a way to plan their rollback."
                        </p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! { <ul class="items">{items}</ul> }.into_any()
            }}
            {(more > 0)
                .then(|| {
                    view! {
                        <p class="more">
                            <a href="/versions">{format!("{} more in the list of versions", format::count(more))}</a>
                        </p>
                    }
                })}
        </Card>
    }
}

fn candidate(v: &VersionRow) -> impl IntoView + use<> {
    let take_over = v.candidacy == rollback_types::Candidacy::TakeOver;
    let action = format::version_path(v.version_id.as_str()).map(|path| {
        let text = if take_over { "Take over" } else { "Plan rollback" };
        let label = format!("{text} of {}", format::short_id(v.version_id.as_str()));
        view! {
            <a class="btn small" href=format!("{path}/plan") aria-label=label>
                {text}
            </a>
        }
    });
    let why = v.status_message.as_deref().map(|m| format::clip(&format::visible_lines(m), 240));
    view! {
        <li>
            <div class="top">
                <VersionLink id=v.version_id.clone() />
                <VersionBadge state=v.status.clone() />
                <span class="small muted">
                    {v.updated_at.or(v.created_at).map(|at| view! { <Time at=at style=TimeStyle::Relative /> })}
                </span>
            </div>
            <p class="why foreign">{why.unwrap_or_else(|| "The registry gives no reason.".to_owned())}</p>
            {action}
        </li>
    }
}

fn latest_copy(health: Option<BackupHealth>) -> impl IntoView {
    let Some(health) = health else {
        return view! {
            <Card title="latest-copy">
                <EmptyState title="Not looked at yet.">
                    <p>
                        "The proofs of the safety copy would be here: that it exists, has its recorded hash, and opens. They begin by themselves; the page of backups can ask for them."
                    </p>
                </EmptyState>
            </Card>
        }
        .into_any();
    };
    let (tone, icon, word) = health_look(&health);
    let verdict = health.verdict.clone();
    let remedy = health.remedy.clone();
    let sizes: Vec<_> = health.files.iter().filter_map(|f| f.bytes).map(format::bytes).collect();
    let made = health.files.iter().filter_map(|f| f.modified_at).max();
    view! {
        <Card
            title="latest-copy"
            aside=view! { <Badge tone=tone icon=icon text=word.to_owned() /> }.into_any()
            footer=view! {
                {made
                    .map(|at| {
                        view! {
                            "Written "
                            <Time at=at />
                            " · "
                        }
                    })}
                {sizes.join(", ")}
                " · "
                <a href="/backups">"All backups"</a>
            }
                .into_any()
        >
            <div class="body">
                <p class="foreign">{format::visible(&verdict)}</p>
                {remedy.map(|r| view! { <p class="foreign">{format::visible(&r)}</p> })}
                <LadderGrid health=health />
            </div>
        </Card>
    }
    .into_any()
}

/// How a backup as a whole looks.
pub(super) fn health_look(health: &BackupHealth) -> (Tone, IconName, &'static str) {
    let failed = health.files.iter().any(|f| f.lowest_failure().is_some());
    match (health.intact, failed) {
        (true, _) => (Tone::Good, IconName::Check, "intact"),
        (false, true) => (Tone::Bad, IconName::Cross, "damaged"),
        (false, false) => (Tone::Warn, IconName::Question, "not fully proven"),
    }
}

fn stores(reports: &[StoreReport]) -> impl IntoView + use<> {
    let items = reports.iter().map(store).collect_view();
    view! {
        <Card title="Stores">
            <ul class="items stores">{items}</ul>
        </Card>
    }
}

fn store(s: &StoreReport) -> impl IntoView + use<> {
    let (tone, icon, word) = match s.status {
        StoreStatus::Up => (Tone::Good, IconName::Check, "answers"),
        StoreStatus::Degraded => (Tone::Warn, IconName::Warning, "complains"),
        StoreStatus::Down => (Tone::Bad, IconName::Cross, "down"),
    };
    let engine = if s.engine == "embedded" { format!("{} (embedded)", s.store) } else { s.engine.clone() };
    let name = [Some(engine), s.version.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let latency = s.latency_ms.map(|ms| if ms == 0 { "below 1 ms".to_owned() } else { format::duration(ms) });
    view! {
        <li>
            <div class="top">
                <span class="store">
                    <StoreDot store=s.store />
                    {format::visible(&name)}
                </span>
                <Badge tone=tone icon=icon text=word.to_owned() />
            </div>
            <span class="small muted num">{latency}</span>
            <p class="why foreign">
                {format::visible(&s.detail)} <span class="under location">{format::visible(&s.location)}</span>
                {s
                    .remedy
                    .as_deref()
                    .map(|r| {
                        view! {
                            <span class="remedy">
                                <Icon name=IconName::Arrow />
                                {format::visible(r)}
                            </span>
                        }
                    })}
            </p>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{Layout, StoreKind, Timestamp, Verdict};

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
            stores: StoreKind::ALL.into_iter().zip(statuses).map(report).collect(),
            latest_copy: None,
            candidates: vec![],
            candidate_count,
            staged: vec![],
            recent_runs: vec![],
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
        assert_eq!(said([Up, Up, Up], 1, shared), "All stores answer. One version can be rolled back.");
        assert_eq!(
            said([Degraded, Up, Down], 0, None),
            "Neo4j does not answer. Which versions there are cannot be read."
        );
        assert_eq!(
            said([Up, Degraded, Degraded], 0, shared),
            "Qdrant and Neo4j answer, but something is wrong with them. No version waits for a rollback."
        );
    }
}
