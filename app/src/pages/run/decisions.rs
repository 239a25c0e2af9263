//! A failure stops and asks. The answers are plain forms.

use leptos::prelude::*;
use rollback_types::{Decision, Role, RunId, RunKind, Step};

use crate::account::may;
use crate::components::{DecisionForm, Icon, IconName, RoleNote, TextArea};

/// The server function that takes decisions; its own name for it is checked by a test.
const DECIDE: &str = "/rpc/decide";

/// What may be decided about a failed step.
#[component]
pub fn Decisions(
    /// The run.
    run: RunId,
    /// Its kind.
    kind: RunKind,
    /// The failed step.
    step: Step,
    /// Which of its tries failed: what is decided here is about that one.
    failure: usize,
    /// What may be decided.
    offered: Vec<Decision>,
) -> impl IntoView {
    let note = note_of(step);
    let answers = offered
        .into_iter()
        .map(|decision| match decision {
            Decision::Retry => view! { <Retry run=run step=step failure=failure /> }.into_any(),
            Decision::Skip => view! { <Skip run=run step=step failure=failure /> }.into_any(),
            Decision::WayBack => view! { <WayBack run=run step=step failure=failure /> }.into_any(),
            Decision::Abort => view! { <Abort run=run kind=kind step=step failure=failure /> }.into_any(),
        })
        .collect_view();
    view! {
        <div
            class="decisions"
            role="group"
            aria-label=format!("Decide about {step}")
            aria-describedby=(!may(Role::Operator)).then(|| note.clone())
        >
            <p class="small when-away">
                "The server does not answer. It can be decided here when it is back; nothing is decided meanwhile."
            </p>
            {answers} <RoleNote id=note.clone() least=Role::Operator />
        </div>
    }
}

/// The id of what says why a reader may not decide.
fn note_of(step: Step) -> String {
    format!("decide-note-{}", step.as_str())
}

/// The fields every decision sends.
fn fields(run: RunId, step: Step, failure: usize, decision: Decision) -> impl IntoView {
    view! {
        <input type="hidden" name="run" value=run.to_string() />
        <input type="hidden" name="step" value=step.as_str() />
        <input type="hidden" name="failure" value=failure.to_string() />
        <input type="hidden" name="decision" value=decision.as_str() />
    }
}

#[component]
fn Retry(run: RunId, step: Step, failure: usize) -> impl IntoView {
    view! {
        <form method="post" action=DECIDE class="decision">
            {fields(run, step, failure, Decision::Retry)}
            <button class="btn primary" type="submit" disabled=!may(Role::Operator)>
                <Icon name=IconName::Refresh />
                "Try again"
            </button>
        </form>
    }
}

#[component]
fn Skip(run: RunId, step: Step, failure: usize) -> impl IntoView {
    let field = format!("skip-reason-{}", step.as_str());
    view! {
        <DecisionForm summary="Skip…" least=Role::Operator note=note_of(step) action=DECIDE>
            {fields(run, step, failure, Decision::Skip)}
            <p class="small">
                "Only when another tool has done this step’s work. The run goes on without it, and says so in its record."
            </p>
            <TextArea id=field name="reason" label="Why it is safe to skip" required=true least=Some(3) />
            <div class="actions">
                <button class="btn" type="submit">
                    {format!("Skip {step}")}
                </button>
            </div>
        </DecisionForm>
    }
}

#[component]
fn WayBack(run: RunId, step: Step, failure: usize) -> impl IntoView {
    view! {
        <DecisionForm summary="Way back…" least=Role::Operator note=note_of(step) action=DECIDE>
            {fields(run, step, failure, Decision::WayBack)}
            <p class="small">
                "Puts in again what this store held before step 7, from this run’s own copy of it, and proves it. The run goes on \
                without the restore, and says so in its record."
            </p>
            <div class="actions">
                <button class="btn" type="submit">
                    {format!("Put the way back in: {step}")}
                </button>
            </div>
        </DecisionForm>
    }
}

fn aborting(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Rollback => {
            "Ends this run. What was deleted stays deleted, nothing else is touched, and the version stays rolling_back: \
             it can be taken over later by a new plan."
        }
        RunKind::RestoreProduction | RunKind::UndoRestore => {
            "Ends this run. Stores that were restored stay so. What each held before is kept as this run’s way back."
        }
        RunKind::MakeBackup => "Ends this run. The present latest-copy stays in use; production was only read.",
        RunKind::Validate => "Ends this run. It changed nothing.",
    }
}

#[component]
fn Abort(run: RunId, kind: RunKind, step: Step, failure: usize) -> impl IntoView {
    let field = format!("abort-reason-{}", step.as_str());
    view! {
        <DecisionForm summary="Abort…" least=Role::Operator note=note_of(step) action=DECIDE>
            {fields(run, step, failure, Decision::Abort)}
            <p class="small">{aborting(kind)}</p>
            <TextArea id=field name="reason" label="Reason" />
            <div class="actions">
                <button class="btn danger" type="submit">
                    {format!("Abort run #{run}")}
                </button>
            </div>
        </DecisionForm>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::server_fn::ServerFn as _;

    #[test]
    fn decisions_are_sent_where_they_are_taken() {
        assert_eq!(super::DECIDE, crate::api::runs::DecideRun::PATH);
    }
}
