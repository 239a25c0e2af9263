//! Which run, why, how far, and how the page hears of it.

use leptos::prelude::*;
use rollback_types::{RunKind, RunView, Step, Timestamp};

use super::tab::TabState;
use crate::components::clock::first_now;
use crate::components::{ConnectionState, RunBadge};
use crate::format;
use crate::given::Given;
use crate::live::LiveRun;

/// The page's header.
#[cfg(feature = "ssr")]
#[component]
pub fn RunHeader(
    /// The run as the page shows it first.
    view: RunView,
) -> impl IntoView {
    use crate::components::{Foreign, PageHeader, Time, VersionName};

    let run = view.run.clone();
    let kind = run.kind;
    let lead = view! {
        <Foreign text=run.reason.clone() />
        " · started by "
        <Foreign text=run.actor.clone() />
        ", "
        <Time at=run.started_at />
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
            {crate::pages::run_rows::title(kind)} " " <VersionName id=run.version_id />
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
            at_work.filter(|_| v.run.ended_at.is_none()).map(|step| match (kind, step) {
                (_, Step::Validate) => "the validation".to_owned(),
                (RunKind::Rollback, step) => format!("step {} of 8", step.number()),
                (_, step) => format!("step {}", step.number()),
            })
        })
    });
    #[cfg(feature = "hydrate")]
    super::renewal::keep(live);
    view! {
        <RunBadge state=state />
        <span class="small muted nowrap">{move || where_now.get()}</span>
        <Elapsed live=live />
        <ConnectionState connection=live.connection />
    }
}

/// What the tab tells of the run. Apart from the rest and last in its line, because only the browser knows whether it has
/// anything to offer: nothing else moves by it.
#[island]
pub fn RunNotice() -> impl IntoView {
    LiveRun::of_page().map(|live| view! { <TabState live=live /> })
}

/// How long the run has taken; ticks while it goes on.
#[component]
fn Elapsed(live: LiveRun) -> impl IntoView {
    let started = live.view.with_untracked(|v| v.run.started_at);
    let took = Memo::new(move |_| live.view.with(|v| v.run.duration_ms));
    let now: RwSignal<Timestamp> = RwSignal::new(first_now());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if took.get().is_none() {
            let every = std::time::Duration::from_millis(200);
            if let Ok(ticker) = set_interval_with_handle(move || now.set(first_now()), every) {
                on_cleanup(move || ticker.clear());
            }
        }
    });
    view! {
        <span class="nowrap elapsed">
            <span class="sr">"Took "</span>
            <b>{move || format::duration(took.get().unwrap_or_else(|| now.get().since_ms(started)))}</b>
        </span>
    }
}
