//! Which run, why, how far, and how the page hears of it.

use leptos::prelude::*;
use rollback_types::{RunState, Step, Timestamp};

use crate::components::clock::first_now;
use crate::components::{Callout, Foreign, Icon, IconName, PageHeader, RunBadge, Time, TimeStyle, Tone, VersionName};
use crate::format;
use crate::live::{Connection, LiveRun};

/// The page's header.
#[component]
pub fn RunHeader(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let run = live.view.with_untracked(|v| v.run.clone());
    let state = Signal::derive(move || live.view.with(|v| v.run.state));
    let where_now = Memo::new(move |_| {
        live.view.with(|v| {
            let at_work = v.steps.iter().find(|s| !s.state.is_through()).map(|s| s.number);
            at_work.filter(|_| v.run.ended_at.is_none()).map(|n| format!("step {n} of 8"))
        })
    });
    let lead = view! {
        <Foreign text=run.reason.clone() />
        " · started by "
        <Foreign text=run.actor.clone() />
        ", "
        <Time at=run.started_at />
    };
    let tools = view! {
        <RunBadge state=state />
        <span class="small muted nowrap">{move || where_now.get()}</span>
        <Elapsed live=live />
        <ConnectionState live=live />
    };
    view! {
        <PageHeader
            tab=format!("Run #{}", run.id)
            over=view! { {format!("Run #{} · rollback", run.id)} }.into_any()
            lead=lead.into_any()
            tools=tools.into_any()
        >
            <VersionName id=run.version_id />
        </PageHeader>
    }
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
        <span class="nowrap">
            <span class="sr">"Took "</span>
            <b>{move || format::duration(took.get().unwrap_or_else(|| now.get().since_ms(started)))}</b>
        </span>
    }
}

/// Live, reconnecting, stale since, ended.
#[component]
fn ConnectionState(live: LiveRun) -> impl IntoView {
    let look = move || match live.connection.get() {
        // Nothing is claimed before the page is alive.
        Connection::Rendered => ("live needs-js rendered", "Connecting"),
        Connection::Live => ("live", "Live"),
        Connection::Reconnecting => ("live stale", "Reconnecting"),
        Connection::Paused => ("live paused", "Paused while hidden"),
        Connection::Ended => ("live ended", "Ended"),
        Connection::Stale(_) => ("live offline", "Stale since "),
    };
    let since = move || match live.connection.get() {
        Connection::Stale(at) => Some(view! { <Time at=at style=TimeStyle::Absolute /> }),
        _ => None,
    };
    view! {
        <span class=move || look().0>
            <span>{move || look().1}{since}</span>
        </span>
    }
}

/// What came of it, and where to go from here.
#[component]
pub fn RunResult(
    /// The run.
    live: LiveRun,
) -> impl IntoView {
    let ended =
        Memo::new(move |_| live.view.with(|v| v.run.ended_at.map(|at| (at, v.run.state, v.run.summary.clone()))));
    let version = live.view.with_untracked(|v| v.run.version_id.clone());
    let version_href = format::version_path(version.as_str()).unwrap_or_else(|| "/versions".to_owned());
    let failed = move || {
        live.view.with_untracked(|v| {
            let failed: Vec<String> = v
                .steps
                .iter()
                .filter(|s| s.error.is_some())
                .map(|s| format!("step {}, {}", s.number, s.title))
                .collect();
            failed
        })
    };
    let marked = move || live.view.with_untracked(|v| v.step(Step::Mark).is_some_and(|s| s.state.is_through()));
    move || {
        ended.get().map(|(at, state, summary)| {
            let (tone, title, next) = match state {
                RunState::Completed => (Tone::Good, "Rolled back.", None),
                RunState::CompletedWithFindings => {
                    (Tone::Warn, "Rolled back, but a check afterwards found something.", None)
                }
                // Before step 2 was through nothing was marked: there is nothing to take over.
                RunState::Aborted if !marked() => (Tone::Bad, "Aborted before anything was deleted.", None),
                RunState::Aborted => (
                    Tone::Bad,
                    "Aborted. The version stays rolling_back.",
                    Some("What was deleted stays deleted; nothing else was touched. Plan the version again to take over."),
                ),
                RunState::Interrupted => (
                    Tone::Warn,
                    "Interrupted: Stepback ended in the middle of this run.",
                    Some("Nothing goes on by itself. Plan the version again to take over: what is gone is found absent."),
                ),
                RunState::Running | RunState::NeedsDecision => (Tone::Idle, "Ended.", None),
            };
            let take_over = next.is_some();
            let failed = failed();
            let failed = (!failed.is_empty() && take_over).then(|| {
                view! { <p>{format!("It stopped at {}.", crate::pages::plan::sentences::listed(&failed))}</p> }
            });
            let href = version_href.clone();
            view! {
                <div class="run-result">
                    <Callout tone=tone title=title>
                        {summary.map(|s| view! { <p class="foreign">{format::visible_lines(&s)}</p> })}
                        {failed}
                        {next.map(|n| view! { <p>{n}</p> })}
                        <p class="small muted">
                            "Ended "
                            <Time at=at style=TimeStyle::Both />
                        </p>
                        <div class="actions">
                            {take_over
                                .then(|| {
                                    view! {
                                        <a class="btn primary" href=format!("{href}/plan")>
                                            <Icon name=IconName::Back />
                                            "Plan the take-over"
                                        </a>
                                    }
                                })} <a class="btn" href=href.clone()>
                                "To the version"
                            </a> <a class="btn" href="/runs">
                                "History"
                            </a>
                        </div>
                    </Callout>
                </div>
            }
        })
    }
}
