//! What came of a run, and where to go from here.

use leptos::prelude::*;
use rollback_types::run_kind::PRODUCTION;
use rollback_types::{Role, RunKind, RunState, RunSummary, RunView, Step, StepState};

use super::interrupted::Interrupted;
use crate::components::{Callout, Icon, IconName, Time, TimeStyle, Tone, plan_link};
use crate::format;
use crate::pages::outcome::{Findings, StoreOutcomes};
use crate::pages::plan::subject::Subject;
use crate::pages::run_rows::time_in_words;

/// The end in one sentence.
fn title(kind: RunKind, state: RunState, marked: bool) -> (Tone, &'static str) {
    use RunKind::{MakeBackup, RestoreProduction, Rollback, UndoRestore, Validate};
    match (state, kind) {
        (RunState::Completed, Rollback) => (Tone::Good, "Rolled back."),
        (RunState::Completed, RestoreProduction) => (Tone::Good, "Production is restored."),
        (RunState::Completed, UndoRestore) => (Tone::Good, "The restore is undone."),
        (RunState::Completed, Validate) => (Tone::Good, "Validated: nothing is wrong."),
        (RunState::Completed, MakeBackup) => (Tone::Good, "The new backup is in place."),
        (RunState::CompletedWithFindings, Rollback) => {
            (Tone::Warn, "Rolled back, but a check afterwards found something.")
        }
        (RunState::CompletedWithFindings, RestoreProduction) => {
            (Tone::Warn, "Production is restored, but a check afterwards found something.")
        }
        (RunState::CompletedWithFindings, UndoRestore) => {
            (Tone::Warn, "The restore is undone, but a check afterwards found something.")
        }
        (RunState::CompletedWithFindings, Validate) => (Tone::Warn, "Validated: something was found."),
        (RunState::CompletedWithFindings, MakeBackup) => {
            (Tone::Warn, "The new backup is in place, but something was found.")
        }
        // Before step 2 was through nothing was marked: there is nothing to take over.
        (RunState::Aborted, Rollback) if !marked => (Tone::Bad, "Aborted before anything was deleted."),
        (RunState::Aborted, Rollback) => (Tone::Bad, "Aborted. The version stays rolling_back."),
        (RunState::Aborted, MakeBackup) => (Tone::Bad, "Aborted. latest-copy is as it was."),
        (RunState::Aborted, _) => (Tone::Bad, "Aborted."),
        (RunState::Interrupted, _) => (Tone::Warn, "The run was interrupted in the middle."),
        (RunState::Running | RunState::NeedsDecision, _) => (Tone::Idle, "Ended."),
    }
}

/// What to do when it did not come to its end.
fn next(kind: RunKind, state: RunState, marked: bool) -> Option<&'static str> {
    match (state, kind) {
        (RunState::Aborted, RunKind::Rollback) if !marked => None,
        (RunState::Aborted, RunKind::Rollback) => {
            Some("What was deleted stays deleted; nothing else was touched. Plan the version again to take over.")
        }
        (RunState::Aborted, RunKind::RestoreProduction | RunKind::UndoRestore) => Some(
            "Stores that were restored stay so; each other one is as it was, or its way back is kept. Plan it again: \
             the plan compares every store anew.",
        ),
        (RunState::Aborted, RunKind::MakeBackup) => {
            Some("The present latest-copy stays in use. Plan it again when the cause is mended.")
        }
        _ => None,
    }
}

/// What came of it, and where to go from here; nothing while the run goes on.
#[component]
pub fn RunResult(
    /// The run.
    view: RunView,
    /// The later run that took its version over.
    later: Option<RunSummary>,
) -> impl IntoView {
    let at = view.run.ended_at?;
    let (run, state) = (view.run.clone(), view.run.state);
    let was_interrupted = state == RunState::Interrupted;
    // What an interruption left is told by its own part, which also asks what to do.
    let summary = run.summary.clone().filter(|_| !was_interrupted);
    let outcomes = if was_interrupted { Vec::new() } else { view.store_outcomes() };
    let findings = view.findings.clone();
    let (kind, sign) = (run.kind, run.last_sign_at);
    let time = time_in_words(&run).map(|text| view! { <p class="small muted">{format!("{text}.")}</p> });
    let failed: Vec<(Step, String)> = view
        .steps
        .iter()
        .filter(|s| s.state == StepState::Failed)
        .map(|s| (s.step, format!("{}, {}", s.step, s.title)))
        .collect();
    let marked = view.step(Step::Mark).is_some_and(|s| s.state.is_through());
    let unsound = view.validation.as_ref().is_some_and(|r| !r.is_sound());
    let (tone, title) = title(kind, state, marked);
    let mut title = title.to_owned();
    // Where it had marked nothing there was nothing to take over.
    let later = later.filter(|_| was_interrupted || (state == RunState::Aborted && marked));
    if let Some(later) = &later {
        title = taken_over(state, later);
    } else if was_interrupted && !view.undecided.is_empty() {
        title = "The run was interrupted while it waited for a decision.".to_owned();
    }
    let ended = match sign {
        Some(sign) if sign != at => "Found interrupted ",
        _ if was_interrupted => "Interrupted ",
        _ => "Ended ",
    };
    let interrupted = was_interrupted.then(|| view! { <Interrupted view=view later=later.clone() /> });
    let next = next(kind, state, marked).filter(|_| later.is_none());
    let failed = (!failed.is_empty() && next.is_some()).then(|| view! { <p>"It stopped at " {linked(failed)} "."</p> });
    // A validation of what is staged says nothing about production.
    let of_production = kind != RunKind::Validate || run.version_id.as_str() == PRODUCTION;
    let restore = unsound && of_production && kind != RunKind::MakeBackup;
    Some(view! {
        <div class="run-result">
            <Callout tone=tone title=title>
                {summary.map(|s| view! { <p class="foreign">{format::visible_lines(&s)}</p> })}
                <StoreOutcomes outcomes=outcomes />
                <Findings findings=findings />
                {failed}
                {next.map(|n| view! { <p>{n}</p> })}
                {interrupted}
                {(restore && kind == RunKind::Validate)
                    .then(|| view! { <p>"Critical checks of production failed: a restore may be needed."</p> })}
                <p class="small muted">
                    {sign
                        .filter(|sign| *sign != at)
                        .map(|sign| view! { "Last sign of the run " <Time at=sign style=TimeStyle::Both /> ". " })}
                    {ended}
                    <Time at=at style=TimeStyle::Both />
                    "."
                </p>
                {time}
                <div class="actions">
                    {restore
                        .then(|| {
                            view! {
                                <a class="btn primary" href="/restore/latest-copy">
                                    <Icon name=IconName::Back />
                                    {plan_link(Role::Operator, "Restore production…", "See the plan of a restore")}
                                </a>
                            }
                        })} {next.is_some().then(|| again(&run))} {later.as_ref().map(to_later)} {to_subject(&run)}
                    <a class="btn" href="/runs">
                        "History"
                    </a>
                </div>
            </Callout>
        </div>
    })
}

/// Steps by their names, each a link to what the page tells of it: `a`, `a and b`, `a, b and c`.
fn linked(steps: Vec<(Step, String)>) -> impl IntoView + use<> {
    let last = steps.len().saturating_sub(1);
    let parts = steps.into_iter().enumerate().map(|(at, (step, name))| {
        let before = match at {
            0 => "",
            _ if at == last => " and ",
            _ => ", ",
        };
        view! {
            {before}
            <a href=format!("#{}", format::step_anchor(step))>{name}</a>
        }
    });
    parts.collect_view()
}

fn again(run: &RunSummary) -> impl IntoView + use<> {
    let href = Subject { kind: run.kind, name: run.version_id.as_str().to_owned() }.path();
    let does = if run.kind == RunKind::Rollback { "Plan the take-over" } else { "Plan it again" };
    let label = plan_link(Role::Operator, does, "See the plan");
    view! {
        <a class="btn primary" href=href>
            <Icon name=IconName::Back />
            {label}
        </a>
    }
}

/// The end in one sentence, of a run whose version a later one took over.
fn taken_over(state: RunState, later: &RunSummary) -> String {
    let ended = if state == RunState::Interrupted { "Interrupted" } else { "Aborted" };
    format!("{ended}, and taken over by run #{}.", later.id)
}

/// The run that has the version in hand since: what is to do about it is to do there.
fn to_later(later: &RunSummary) -> impl IntoView + use<> {
    let id = later.id;
    let does = if later.state == RunState::Interrupted { "Resume or abandon" } else { "Open" };
    view! {
        <a class="btn primary" href=format!("/runs/{id}")>
            {format!("{} run #{id}", plan_link(Role::Operator, does, "See"))}
        </a>
    }
}

fn to_subject(run: &RunSummary) -> impl IntoView + use<> {
    let of_version =
        run.kind == RunKind::Rollback || (run.kind == RunKind::Validate && run.version_id.as_str() != PRODUCTION);
    let (href, label) = match run.kind {
        _ if of_version => (format::version_path(run.version_id.as_str())?, "To the version"),
        RunKind::Validate => ("/".to_owned(), "To the overview"),
        _ => ("/backups".to_owned(), "To the backups"),
    };
    Some(view! {
        <a class="btn" href=href>
            {label}
        </a>
    })
}

#[cfg(test)]
mod tests {
    use rollback_types::RunId;

    use super::super::specimen::rollback_of_v2;
    use super::*;

    #[test]
    fn only_a_rollback_says_that_it_rolled_back() {
        for kind in RunKind::ALL {
            for state in [RunState::Completed, RunState::CompletedWithFindings, RunState::Aborted] {
                let said = title(kind, state, true).1.to_lowercase();
                assert_eq!(said.contains("roll"), kind == RunKind::Rollback, "{kind:?} {state:?}: {said}");
            }
        }
    }

    #[test]
    fn an_aborted_run_leads_to_the_one_that_took_its_version_over() {
        let mut view = RunView::new(rollback_of_v2(RunState::Aborted));
        let later = RunSummary { id: RunId(2), state: RunState::Interrupted, ..view.run.clone() };
        let mark = view.steps.iter_mut().find(|s| s.step == Step::Mark).unwrap();
        mark.state = StepState::Done;
        let nodes = view.steps.iter_mut().find(|s| s.step == Step::DeleteNodes).unwrap();
        nodes.state = StepState::Failed;
        let page = |later| Owner::new().with(|| view! { <RunResult view=view.clone() later=later /> }.to_html());
        let (alone, superseded) = (page(None), page(Some(later)));
        assert!(alone.contains("/versions/v2/plan") && alone.contains("stays rolling_back"), "{alone}");
        assert!(alone.contains("href=\"#step-delete_nodes\""), "{alone}");
        assert!(
            !superseded.contains("/versions/v2/plan") && !superseded.contains("stays rolling_back"),
            "{superseded}"
        );
        assert!(superseded.contains("taken over by run #2") && superseded.contains("/runs/2"), "{superseded}");
    }

    #[test]
    fn what_did_not_end_says_what_to_do() {
        for kind in [RunKind::Rollback, RunKind::RestoreProduction, RunKind::UndoRestore, RunKind::MakeBackup] {
            assert!(next(kind, RunState::Aborted, true).is_some());
            assert!(next(kind, RunState::Completed, true).is_none());
        }
        assert!(next(RunKind::Rollback, RunState::Aborted, false).is_none());
    }
}
