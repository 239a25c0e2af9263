//! An interrupted run: what is proven done, what is not known, and the two ways on.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{Role, RunId, RunKind, RunView, StepState, StepView};

use crate::api::runs::AbandonRun;
use crate::components::{DecisionForm, Icon, IconName, RoleNote, TextArea};
use crate::format;
use crate::pages::plan::sentences::listed;

/// What an interruption left: what is proven done, and what is not known; a sentence or two each.
fn left(view: &RunView) -> [String; 2] {
    let named = |wanted: fn(&StepView) -> bool| {
        let steps: Vec<String> =
            view.steps.iter().filter(|s| wanted(s)).map(|s| format!("{} ({})", s.step, s.title)).collect();
        steps
    };
    let (done, open) = (named(|s| s.state.is_through()), named(|s| s.state == StepState::Interrupted));
    let done = if done.is_empty() { "No step.".to_owned() } else { format!("{}.", listed(&done)) };
    let open = if open.is_empty() {
        "Nothing: no step was at work.".to_owned()
    } else {
        format!("{}. It is counted again before anything goes on.", listed(&open))
    };
    [done, open]
}

/// A step that had failed before, why, and how far a decision about it had come.
fn had_failed(view: &RunView, step: &StepView) -> String {
    let why = step.error.as_ref().map(|e| format!(": {}", e.message.trim_end_matches('.'))).unwrap_or_default();
    let decision = if view.undecided.contains(&step.step) {
        "Stepback ended while the run waited for a decision about it."
    } else {
        "A decision about it was taken, and had not been carried out yet."
    };
    format!("{} ({}){why}. {decision}", step.step, step.title)
}

/// What giving it up means for the data.
fn abandoning(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Rollback => {
            "Ends this run as aborted. What was deleted stays deleted, nothing else is touched, and the version can be \
             taken over later by a new plan."
        }
        RunKind::RestoreProduction | RunKind::UndoRestore => {
            "Ends this run as aborted. Stores that were restored stay so; what each held before is kept as this run’s way \
             back."
        }
        RunKind::MakeBackup => "Ends this run as aborted. Production was only read; the present backup stays in use.",
        RunKind::Validate => "Ends this run as aborted. It changed nothing.",
    }
}

/// What it left, and the ways on.
#[component]
pub fn Interrupted(
    /// The run.
    view: RunView,
) -> impl IntoView {
    let (id, kind) = (view.run.id, view.run.kind);
    let [done, open] = left(&view);
    let failed = view.steps.iter().filter(|s| s.state == StepState::Failed).map(|s| {
        view! {
            <p>
                <b>"Failed: "</b>
                <span class="foreign">{format::visible_lines(&had_failed(&view, s))}</span>
            </p>
        }
    });
    let failed = failed.collect_view();
    view! {
        <p>
            <b>"Proven done: "</b>
            {done}
        </p>
        {failed}
        <p>
            <b>"Not known: "</b>
            {open}
        </p>
        <p>
            "Nothing goes on by itself. Resume plans what is left and asks again before it goes on; Abandon gives the run up."
        </p>
        <div class="actions">
            <a class="btn primary" href=format!("/runs/{id}/resume")>
                <Icon name=IconName::Refresh />
                "Resume…"
            </a>
            <Abandon id=id kind=kind />
        </div>
    }
}

#[component]
fn Abandon(id: RunId, kind: RunKind) -> impl IntoView {
    view! {
        <DecisionForm summary="Abandon…" least=Role::Operator note="abandon-note" action=AbandonRun::PATH>
            <input type="hidden" name="run" value=id.to_string() />
            <p class="small">{abandoning(kind)}</p>
            <TextArea id="abandon-reason" name="reason" label="Reason" required=true least=Some(3) />
            <div class="actions">
                <button class="btn danger" type="submit">
                    {format!("Abandon run #{id}")}
                </button>
            </div>
        </DecisionForm>
        <RoleNote id="abandon-note" least=Role::Operator />
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{PlanDigest, RunState, RunSummary, StepError, Timestamp, VersionId};

    #[test]
    fn what_is_proven_and_what_is_not_known_is_named() {
        let at = Timestamp::from_unix_ms(0);
        let mut view = RunView::new(RunSummary {
            id: RunId(1),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            state: RunState::Interrupted,
            reason: "why".into(),
            actor: "ada".into(),
            plan_digest: PlanDigest("d".into()),
            started_at: at,
            ended_at: Some(at),
            duration_ms: Some(0),
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 9,
        });
        assert_eq!(left(&view)[0], "No step.");
        assert!(left(&view)[1].starts_with("Nothing"));
        view.steps[0].state = StepState::Done;
        view.steps[4].state = StepState::Interrupted;
        let [done, open] = left(&view);
        assert!(done.contains(&view.steps[0].title) && !done.contains(&view.steps[4].title), "{done}");
        assert!(open.contains(&view.steps[4].title) && open.contains("counted again"), "{open}");
        // A failed step is told as such: nothing of it is unknown that was known before.
        view.steps[4].state = StepState::Failed;
        view.steps[4].error = Some(StepError {
            code: "timeout".into(),
            store: None,
            message: "Neo4j does not answer.".into(),
            safe: "s".into(),
            remedy: "r".into(),
        });
        assert!(left(&view)[1].starts_with("Nothing"));
        let decided = had_failed(&view, &view.steps[4]);
        view.undecided = vec![view.steps[4].step];
        let undecided = had_failed(&view, &view.steps[4]);
        assert!(undecided.contains("Neo4j does not answer. Stepback ended while the run waited"), "{undecided}");
        assert!(decided.contains("A decision about it was taken"), "{decided}");
    }
}
