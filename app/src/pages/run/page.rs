//! The sheet of one run: what the server renders of it, and its islands in their places.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map};
use rollback_types::{LogPart, Problem, RunId, RunState, RunSummary, RunView, StepDuration};
use serde::{Deserialize, Serialize};

use super::chart::DurationsCard;
use super::header::RunHeader;
use super::log::LogCard;
use super::log_parts::{self, EarlierLog};
use super::result::RunResult;
use super::steps::StepsCard;
use super::time_left;
use super::validation::ValidationCard;
use super::way_back::WayBackCard;
use crate::api::ApiError;
use crate::api::backups::RemoveWayBack;
use crate::api::runs::{self, AbandonRun, DecideRun, get_run, log_before, taken_over_by};
use crate::background::RELOADED;
use crate::components::{EmptyState, ErrorPanel, Loading, PageHeader, message};
use crate::fragment::Fragment;
use crate::live::LiveRun;
use crate::notice;

/// What the page shows.
#[derive(Clone, Deserialize, Serialize)]
struct Shown {
    view: RunView,
    /// The later run that took its version over.
    later: Option<RunSummary>,
    /// What steps took here before.
    medians: Vec<StepDuration>,
    /// What is left of it while it is at work.
    left: Option<String>,
    /// The earlier part of its log that was asked for, or why it cannot be read.
    part: Option<Result<LogPart, Problem>>,
}

impl Shown {
    async fn of(id: RunId, before: Option<u64>) -> Result<Self, ApiError> {
        let view = get_run(id).await?;
        let later = taken_over_by(&view.run).await?;
        // What only goes with the run must not take the page from whoever decides about it.
        let (medians, left) = runs::durations(&view).await?;
        let left = left.as_ref().and_then(time_left::sentence);
        let part = match before {
            Some(number) => Some(log_before(id, number).await),
            None => None,
        };
        Ok(Self { view, later, medians, left, part })
    }
}

/// The page of one run.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").and_then(|t| t.parse::<RunId>().ok()));
    let before = log_parts::asked(&use_location().search.get_untracked());
    let run = Resource::new_blocking(
        move || id.get(),
        move |id| async move {
            match id {
                Some(id) => Shown::of(id, before).await.map(Some),
                None => Ok::<_, ApiError>(None),
            }
        },
    );
    view! {
        <Suspense fallback=Loading>
            {move || Suspend::new(async move {
                match run.await {
                    Ok(Some(shown)) => view! { <RunSheet shown=shown /> }.into_any(),
                    Ok(None) => view! { <NoSuchRun /> }.into_any(),
                    Err(e) if message::is_missing(&e.0) => view! { <NoSuchRun /> }.into_any(),
                    Err(e) => view! { <NotReadable problem=*e.0 id=id.get_untracked() /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

/// In the place of a page about a run that the journal does not have.
#[component]
pub(in crate::pages) fn NoSuchRun() -> impl IntoView {
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
fn RunSheet(shown: Shown) -> impl IntoView {
    let Shown { view, later, medians, left, part } = shown;
    let usual = time_left::of_steps(view.run.kind, &medians);
    let (id, state, ended) = (view.run.id, view.run.state, view.run.ended_at.is_some());
    // Whoever reads on in an earlier part is not led away from it.
    let reloads = state == RunState::Running && part.is_none();
    let first = log_parts::begins_with(&view);
    let (report, result, durations) = (view.validation.clone(), view.clone(), view.clone());
    // The islands show it too.
    provide_context(LiveRun::new(view.clone()));
    let refused = notice::refused::<DecideRun>()
        .or_else(notice::refused::<AbandonRun>)
        .or_else(notice::refused::<RemoveWayBack>)
        .map(|problem| view! { <ErrorPanel problem=problem /> });
    view! {
        <RunHeader view=view left=left />
        <Reload id=id reloads=reloads />
        {refused}
        <Fragment id="run-result">
            <RunResult view=result later=later />
        </Fragment>
        <div class="grid run">
            <div class="col c7">
                <StepsCard usual=usual />
                <Fragment id="run-way-back">
                    <WayBackCard id=id ended=ended />
                </Fragment>
            </div>
            <div class="col c5">
                <LogCard />
                <EarlierLog run=id first=first part=part />
            </div>
            <div class="c12">
                <Fragment id="run-validation">
                    <ValidationCard run=id report=report />
                </Fragment>
            </div>
            <div class="c12">
                <Fragment id="run-chart">
                    <DurationsCard view=durations medians=medians />
                </Fragment>
            </div>
        </div>
    }
}

/// Without JavaScript an active run's page loads itself again.
#[component]
fn Reload(id: RunId, reloads: bool) -> impl IntoView {
    // What is said once must not be loaded away.
    (reloads && !notice::is_shown()).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content=format!("4; url=/runs/{id}?{RELOADED}=1") />
                <p class="note">
                    "JavaScript is off: this page shows the run as it was when it was loaded, and loads itself again every four seconds."
                </p>
            </noscript>
        }
    })
}
