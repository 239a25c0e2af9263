//! One run as it happens: its steps, decisions, what the validation found, the way back, the log.

mod chart;
mod checks;
mod decisions;
mod header;
mod interrupted;
mod log;
mod pace;
mod result;
mod steps;
mod tab;
mod validation;
mod way_back;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use rollback_types::{Problem, RunId, RunState, RunView, StepState};

use self::chart::DurationsCard;
use self::header::RunHeader;
use self::log::LogCard;
use self::result::RunResult;
use self::steps::StepsCard;
use self::validation::ValidationCard;
use self::way_back::WayBackCard;
use crate::api::runs::{AbandonRun, DecideRun, get_run};
use crate::components::badge::{run_look, step_look};
use crate::components::{EmptyState, ErrorPanel, Loading, PageHeader, message};
use crate::live::LiveRun;

/// The page of one run.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|t| t.parse::<RunId>().ok()));
    let run = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_run(id).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match run.await {
                    Ok(Some(view)) => view! { <LiveView view=view /> }.into_any(),
                    Ok(None) => view! { <NoSuchRun /> }.into_any(),
                    Err(e) if message::is_missing(&e.0) => view! { <NoSuchRun /> }.into_any(),
                    Err(e) => view! { <NotReadable problem=*e.0 id=id.get_untracked() /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn NoSuchRun() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::api::error::set_status(404);
    view! {
        <PageHeader tab="No such run">"There is no such run"</PageHeader>
        <EmptyState title="The journal has no run of that number.">
            <p>"Every run that was ever started here stands in the history."</p>
            <p>
                <a class="btn" href="/runs">
                    "All runs"
                </a>
            </p>
        </EmptyState>
    }
}

#[component]
fn NotReadable(problem: Problem, id: Option<RunId>) -> impl IntoView {
    let name = id.map_or_else(|| "Run".to_owned(), |id| format!("Run #{id}"));
    let here = id.map_or_else(|| "/runs".to_owned(), |id| format!("/runs/{id}"));
    view! {
        <PageHeader tab=name.clone()>{name}</PageHeader>
        <ErrorPanel problem=problem retry=here />
    }
}

#[component]
fn LiveView(view: RunView) -> impl IntoView {
    let id = view.run.id;
    let live = LiveRun::new(view);
    let decide = ServerAction::<DecideRun>::new();
    // The answer is the run as it stands; the stream may have told the same already.
    Effect::new(move |_| {
        decide.value().with(|value| {
            if let Some(Ok(answer)) = value
                && answer.run.last_event > live.view.with_untracked(|v| v.run.last_event)
            {
                live.view.set(answer.clone());
            }
        });
    });
    let abandon = ServerAction::<AbandonRun>::new();
    Effect::new(move |_| {
        if let Some(Ok(answer)) = abandon.value().get()
            && answer.run.last_event > live.view.with_untracked(|v| v.run.last_event)
        {
            live.view.set(answer);
        }
    });
    let state = Memo::new(move |_| live.view.with(|v| v.run.state));
    let title = move || format!("{}: run #{id}", run_look(state.get()).2);
    view! {
        <RunHeader live=live />
        <Title text=title />
        <Reload live=live />
        <RunResult live=live abandon=abandon />
        <Announcer live=live />
        <div class="grid run">
            <div class="col c7">
                <StepsCard live=live decide=decide />
                <WayBackCard live=live />
            </div>
            <div class="col c5">
                <LogCard live=live />
            </div>
            <div class="c12">
                <ValidationCard live=live />
            </div>
            <div class="c12">
                <DurationsCard live=live />
            </div>
        </div>
    }
}

/// Without JavaScript an active run's page loads itself again.
#[component]
fn Reload(live: LiveRun) -> impl IntoView {
    /// Browsers with scripts read a `noscript` as text, so it must not be hydrated as elements.
    const HINT: &str = "<meta http-equiv=\"refresh\" content=\"4\"><p class=\"note\">JavaScript is off: this page shows \
                        the run as it was when it was loaded, and loads itself again every four seconds.</p>";
    live.view
        .with_untracked(|v| v.run.state == RunState::Running)
        .then(|| view! { <noscript inner_html=HINT></noscript> })
}

/// Tells assistive software when a step changes, and nothing else.
#[component]
fn Announcer(live: LiveRun) -> impl IntoView {
    let said = RwSignal::new(String::new());
    Effect::new(move |before: Option<(Vec<StepState>, RunState)>| {
        live.view.with(|v| {
            let states: Vec<StepState> = v.steps.iter().map(|s| s.state).collect();
            if let Some((before, run)) = before {
                let changed = v.steps.iter().zip(&before).filter(|(now, was)| now.state != **was);
                let mut parts: Vec<String> =
                    changed.map(|(now, _)| format!("{}: {}.", now.title, step_look(now.state).2)).collect();
                if run != v.run.state {
                    parts.push(format!("The run: {}.", run_look(v.run.state).2));
                }
                if !parts.is_empty() {
                    said.set(parts.join(" "));
                }
            }
            (states, v.run.state)
        })
    });
    view! {
        <p class="sr" role="status" aria-live="polite">
            {move || said.get()}
        </p>
    }
}
