//! An interrupted run: what is proven done, what is not known, and the two ways on.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{Decision, Role, RunId, RunKind, RunSummary, RunView, StepState, StepView};

use crate::api::runs::AbandonRun;
use crate::components::{DecisionForm, Icon, IconName, RoleNote, TextArea, plan_link};
use crate::format;
use crate::pages::plan::sentences::listed;

/// What an interruption left: what is proven done, and what is not known; a sentence or two each.
fn left(view: &RunView) -> [String; 2] {
    let named = |wanted: fn(&StepView) -> bool| {
        let steps: Vec<String> =
            view.steps.iter().filter(|s| wanted(s)).map(|s| format!("{} ({})", s.step, s.title)).collect();
        steps
    };
    let done = named(|s| s.state.is_through() && !was_left_out(s));
    let (left_out, open) = (named(was_left_out), named(|s| s.state == StepState::Interrupted));
    let mut done = if done.is_empty() { "No step.".to_owned() } else { format!("{}.", listed(&done)) };
    if !left_out.is_empty() {
        done.push_str(&format!(" Skipped by decision: {}.", listed(&left_out)));
    }
    let open = if open.is_empty() {
        "Nothing: no step was at work.".to_owned()
    } else {
        let anew = view.steps.iter().filter(|s| s.state == StepState::Interrupted).all(|s| s.step.begins_anew());
        let what = if anew { "It is done again" } else { "It is counted again before anything goes on" };
        format!("{}. {what}.", listed(&open))
    };
    [done, open]
}

/// It is through because a person decided that it is not to be done: that proves nothing.
fn was_left_out(step: &StepView) -> bool {
    step.state == StepState::Skipped && step.decided.is_some()
}

/// Why a step had failed before, and how far a decision about it had come.
fn had_failed(view: &RunView, step: &StepView) -> String {
    let why = step.error.as_ref().map(|e| format!(": {}", e.message.trim_end_matches('.'))).unwrap_or_default();
    let decision = match step.decided {
        _ if was_to_be_aborted(view) => "The run was being aborted.",
        Some(Decision::Skip) => "It was to be skipped.",
        Some(Decision::WayBack) => "What its store held before was to be put in again.",
        Some(_) => "It was to be done again.",
        None if view.undecided.contains(&step.step) => {
            "The run was interrupted while it waited for a decision about it."
        }
        // A run asks only once its other steps have ended.
        None => "Nobody had been asked about it yet.",
    };
    format!("{why}. {decision}")
}

/// An abort was decided before the interruption: nothing is to go on.
fn was_to_be_aborted(view: &RunView) -> bool {
    view.steps.iter().any(|s| s.decided == Some(Decision::Abort))
}

/// What giving it up means for the data.
fn abandoning(kind: RunKind, later: Option<&RunSummary>) -> String {
    if let Some(later) = later {
        return format!(
            "Ends this run as aborted. Nothing is deleted or restored by it, and run #{}, which took the version over, stays as it is.",
            later.id
        );
    }
    let means = match kind {
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
    };
    means.to_owned()
}

/// What can be done about it.
fn ways_on(later: Option<&RunSummary>, aborted: bool) -> String {
    match later {
        Some(later) => format!(
            "Run #{} took this version over: what becomes of it is told there. This run is not resumed any more; Abandon \
             closes it.",
            later.id
        ),
        None if aborted => {
            "Nothing goes on by itself. An abort was decided, so the run cannot be resumed; Abandon gives it up."
                .to_owned()
        }
        None => {
            "Nothing goes on by itself. Resume plans what is left and asks again before it goes on; Abandon gives the \
                 run up."
                .to_owned()
        }
    }
}

/// What it left, and the ways on.
#[component]
pub fn Interrupted(
    /// The run.
    view: RunView,
    /// The later run that took its version over: this one is not resumed any more.
    later: Option<RunSummary>,
) -> impl IntoView {
    let (id, kind) = (view.run.id, view.run.kind);
    let [done, open] = left(&view);
    let failed = view.steps.iter().filter(|s| s.state == StepState::Failed).map(|s| {
        view! {
            <p>
                <b>"Failed: "</b>
                <a href=format!("#{}", format::step_anchor(s.step))>{format!("{} ({})", s.step, s.title)}</a>
                <span class="foreign">{format::visible_lines(&had_failed(&view, s))}</span>
            </p>
        }
    });
    let failed = failed.collect_view();
    let aborted = was_to_be_aborted(&view);
    let resume = (!aborted && later.is_none()).then(|| {
        view! {
            <a class="btn primary" href=format!("/runs/{id}/resume")>
                <Icon name=IconName::Refresh />
                {plan_link(Role::Operator, "Resume…", "See the plan of what is left")}
            </a>
        }
    });
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
        <p>{ways_on(later.as_ref(), aborted)}</p>
        <div class="actions">
            {resume}
            <Abandon id=id means=abandoning(kind, later.as_ref()) />
        </div>
    }
}

#[component]
fn Abandon(id: RunId, means: String) -> impl IntoView {
    view! {
        <DecisionForm summary="Abandon…" least=Role::Operator note="abandon-note" action=AbandonRun::PATH>
            <input type="hidden" name="run" value=id.to_string() />
            <p class="small">{means}</p>
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
    use rollback_types::{RunState, StepError};

    use super::super::specimen::rollback_of_v2;
    use super::*;

    #[test]
    fn what_is_proven_and_what_is_not_known_is_named() {
        let mut view = RunView::new(rollback_of_v2(RunState::Interrupted));
        assert_eq!(left(&view)[0], "No step.");
        assert!(left(&view)[1].starts_with("Nothing"));
        view.steps[0].state = StepState::Done;
        view.steps[4].state = StepState::Interrupted;
        let [done, open] = left(&view);
        assert!(done.contains(&view.steps[0].title) && !done.contains(&view.steps[4].title), "{done}");
        assert!(open.contains(&view.steps[4].title) && open.contains("counted again"), "{open}");
        view.steps[2].state = StepState::Skipped;
        assert!(left(&view)[0].contains(&format!(" and step 3 ({}).", view.steps[2].title)), "{}", left(&view)[0]);
        view.steps[2].decided = Some(Decision::Skip);
        let [done, _] = left(&view);
        let told = format!("step 1 ({}). Skipped by decision: step 3 ({}).", view.steps[0].title, view.steps[2].title);
        assert_eq!(done, told);
        (view.steps[2].state, view.steps[2].decided) = (StepState::Pending, None);
        view.steps[4].state = StepState::Done;
        view.steps[5].state = StepState::Interrupted;
        let open = &left(&view)[1];
        assert!(open.contains(&view.steps[5].title) && open.ends_with("It is done again."), "{open}");
        view.steps[5].state = StepState::Pending;
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
        let said = |view: &RunView| had_failed(view, &view.steps[4]);
        let not_asked = said(&view);
        assert!(not_asked.ends_with("Neo4j does not answer. Nobody had been asked about it yet."), "{not_asked}");
        view.undecided = vec![view.steps[4].step];
        let undecided = said(&view);
        assert!(undecided.contains("Neo4j does not answer. The run was interrupted while it waited"), "{undecided}");
        view.undecided.clear();
        for (decision, words) in [(Decision::Retry, "to be done again"), (Decision::Skip, "to be skipped")] {
            view.steps[4].decided = Some(decision);
            assert!(said(&view).contains(words), "{}", said(&view));
            assert!(!was_to_be_aborted(&view));
        }
        // Decided about another step: it ends all.
        view.steps[2].decided = Some(Decision::Abort);
        assert!(said(&view).contains("was being aborted") && !said(&view).contains("skipped"), "{}", said(&view));

        let later = RunSummary { id: RunId(2), ..view.run.clone() };
        let page = |view: &RunView, later| {
            Owner::new().with(|| {
                provide_context(rollback::Actor::new("ada", Role::Operator));
                view! { <Interrupted view=view.clone() later=later /> }.to_html()
            })
        };
        let (aborting, superseded) = (page(&view, None), page(&view, Some(later)));
        assert!(!aborting.contains("/runs/1/resume") && aborting.contains("An abort was decided"), "{aborting}");
        assert!(!superseded.contains("/runs/1/resume") && superseded.contains("Abandon run #1"), "{superseded}");
        assert!(superseded.contains("Run #2 took this version over"), "{superseded}");
        assert!(!superseded.contains("taken over later by a new plan"), "{superseded}");
        view.steps[2].decided = None;
        let alone = page(&view, None);
        assert!(alone.contains("/runs/1/resume") && alone.contains("Abandon run #1"), "{alone}");
    }
}
