//! Which run, why, how far, and how the page hears of it.

use leptos::prelude::*;
use rollback_types::{RunKind, RunState, RunView, Step, Timestamp};

use super::tab::TabState;
use crate::components::badge::run_look;
use crate::components::clock::first_now;
use crate::components::{Badge, ConnectionState, IconName, Tone};
use crate::format;
use crate::given::Given;
use crate::live::LiveRun;

/// The page's header.
#[cfg(feature = "ssr")]
#[component]
pub fn RunHeader(
    /// The run as the page shows it first.
    view: RunView,
    /// How long the rest of it may take, while it is at work.
    left: Option<String>,
) -> impl IntoView {
    use rollback_types::VersionId;
    use rollback_types::run_kind::subject_in_words;

    use crate::components::{Foreign, PageHeader, Time, VersionName};
    use crate::fragment::Fragment;

    let run = view.run.clone();
    let kind = run.kind;
    let lead = view! {
        <Foreign text=run.reason.clone() />
        " · started by "
        <Foreign text=run.actor.clone() />
        ", "
        <Time at=run.started_at />
        <Fragment id="run-left" inline=true>
            {left.map(|text| view! { <span class="under">{text}</span> })}
        </Fragment>
    };
    let tools = view! {
        <RunTools view=Given(view) />
        <a class="btn small" href=format!("/runs/{}/report", run.id)>
            "Report"
        </a>
        <RunNotice />
    };
    let tab = format!("{}: run #{}", crate::components::badge::run_look(run.state).2, run.id);
    view! {
        <PageHeader
            tab=tab
            over=view! { {format!("Run #{} · {}", run.id, kind.title().to_lowercase())} }.into_any()
            lead=lead.into_any()
            tools=tools.into_any()
        >
            {crate::pages::run_rows::title(kind)} " " <VersionName id=VersionId::new(subject_in_words(kind, &run.version_id)) />
        </PageHeader>
    }
}

/// How the run stands, how long it has taken, and how the page hears of it. The first of the page's islands: it follows the
/// run, and the others show it too.
#[island]
pub fn RunTools(
    /// The run as the server wrote it into the page.
    view: Given<RunView>,
) -> impl IntoView {
    let live = LiveRun::of_page().unwrap_or_else(|| LiveRun::new(view.0));
    let kind = live.view.with_untracked(|v| v.run.kind);
    let state = Signal::derive(move || live.view.with(|v| v.run.state));
    let where_now = Memo::new(move |_| {
        live.view.with(|v| {
            let at_work = v.steps.iter().find(|s| !s.state.is_through()).map(|s| s.step);
            at_work.filter(|_| v.run.ended_at.is_none()).map(|step| {
                let words = match (kind, step) {
                    (_, Step::Validate) => "the validation".to_owned(),
                    (RunKind::Rollback, step) => format!("step {} of 8", step.number()),
                    (_, step) => format!("step {}", step.number()),
                };
                (format!("#{}", format::step_anchor(step)), words)
            })
        })
    });
    #[cfg(feature = "hydrate")]
    super::renewal::keep(live);
    let lost = live.is_lost();
    let look = move || look(state.get(), lost.get());
    view! {
        <Badge
            tone=Signal::derive(move || look().0)
            icon=Signal::derive(move || look().1)
            text=Signal::derive(move || look().2)
        />
        {move || where_now.get().map(|(href, words)| view! { <a class="where small nowrap" href=href>{words}</a> })}
        <Elapsed live=live />
        <ConnectionState connection=live.connection />
    }
}

/// The run's badge. Of a run that goes on nothing is claimed while the page does not hear of it.
fn look(state: RunState, lost: bool) -> (Tone, IconName, String) {
    let (tone, icon, word) = run_look(state);
    if lost { (Tone::Warn, IconName::Question, last_known(word)) } else { (tone, icon, word.to_owned()) }
}

/// What the page knew when it last heard of the run.
pub(super) fn last_known(word: &str) -> String {
    format!("line lost, last known: {word}")
}

/// What the tab tells of the run. Apart from the rest and last in its line, because only the browser knows whether it has
/// anything to offer: nothing else moves by it.
#[island]
pub fn RunNotice() -> impl IntoView {
    LiveRun::of_page().map(|live| view! { <TabState live=live /> })
}

/// How long the run was at work, ticking while it is; and how long it has been waiting for a decision.
#[component]
fn Elapsed(live: LiveRun) -> impl IntoView {
    let took = Memo::new(move |_| live.view.with(|v| v.run.duration_ms));
    let now: RwSignal<Timestamp> = RwSignal::new(first_now());
    #[cfg(feature = "hydrate")]
    let lost = live.is_lost();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if took.get().is_none() && !lost.get() {
            let every = std::time::Duration::from_millis(200);
            if let Ok(ticker) = set_interval_with_handle(move || now.set(first_now()), every) {
                on_cleanup(move || ticker.clear());
            }
        }
    });
    let text = move || match took.get() {
        Some(ms) => format::duration(ms),
        None => {
            let now = now.get();
            let (worked, waits_since) = live.view.with(|v| v.worked_ms_now(now));
            let worked = format::duration(worked);
            waits_since.map_or(worked.clone(), |since| {
                format!("{worked}, waiting for {}", format::duration(now.since_ms(since)))
            })
        }
    };
    view! {
        <span class="nowrap elapsed">
            <span class="sr">"Took "</span>
            <b>{text}</b>
        </span>
    }
}
