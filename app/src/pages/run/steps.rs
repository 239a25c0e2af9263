//! The steps of the run's kind, always all of them; lanes of one number in one entry.

use leptos::prelude::*;
use rollback_types::{RunKind, RunState, Step, StepState, StepView};

use super::meter::{Paces, StepMeter, pace_of};
use super::trouble::Trouble;
use crate::components::badge::{run_look, step_look};
use crate::components::{Badge, Card, Icon, IconName, StepBadge, StoreName, Tone};
use crate::format;
use crate::live::LiveRun;

/// The list of steps of this page's run.
#[island]
pub fn StepsCard(
    /// What each step usually takes: its word, and a sentence; a line each.
    usual: String,
) -> impl IntoView {
    LiveRun::of_page().map(|live| {
        view! {
            <Announcer live=live />
            <Steps live=live usual=usual />
        }
    })
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

#[component]
fn Steps(live: LiveRun, usual: String) -> impl IntoView {
    let paces: Paces = RwSignal::new(Vec::new());
    Effect::new(move |_| {
        if let Some((step, at, done)) = live.progress.get() {
            paces.update(|all| pace_of(all, step).push(at, done));
        }
    });
    // Which steps there are is the kind's, and never changes.
    let (kind, groups) = live.view.with_untracked(|v| (v.run.kind, groups(v.run.kind)));
    // The validation comes after the runbook's steps and is none of them, unless it is all that the run does.
    let of_runbook: Vec<Vec<Step>> = match groups.len() {
        1 => groups.clone(),
        _ => groups.iter().filter(|group| !group.contains(&Step::Validate)).cloned().collect(),
    };
    let all = of_runbook.len();
    let through = {
        let groups = of_runbook;
        Memo::new(move |_| {
            let done = |step: &Step| live.view.with(|v| v.step(*step).is_some_and(|s| s.state.is_through()));
            groups.iter().filter(|group| group.iter().all(done)).count()
        })
    };
    let entries = groups
        .into_iter()
        .map(|group| match group.as_slice() {
            [one] => view! { <SingleStep step=*one live=live paces=paces usual=&usual /> }.into_any(),
            _ => view! { <Lanes steps=group kind=kind live=live paces=paces usual=&usual /> }.into_any(),
        })
        .collect_view();
    let aside = view! { <span class="tag">{move || format!("{} of {all} through", through.get())}</span> };
    view! {
        <Card title="Steps" aside=aside.into_any()>
            <ol class="steps">{entries}</ol>
        </Card>
    }
}

/// The kind's steps, those of one number together.
fn groups(kind: RunKind) -> Vec<Vec<Step>> {
    let mut groups: Vec<Vec<Step>> = Vec::new();
    for step in kind.steps() {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|f| f.number() == step.number()) => group.push(step),
            _ => groups.push(vec![step]),
        }
    }
    groups
}

/// How a step is spoken of: the document counts eight, the validation follows them.
fn spoken(step: Step) -> String {
    if step == Step::Validate { "Afterwards: ".to_owned() } else { format!("Step {}: ", step.number()) }
}

/// One step as a signal of its own, so that a change of one does not render the others.
fn step_memo(live: LiveRun, step: Step) -> Memo<Option<StepView>> {
    Memo::new(move |_| live.view.with(|v| v.step(step).cloned()))
}

fn state_of(step: Memo<Option<StepView>>) -> Signal<StepState> {
    Signal::derive(move || step.with(|s| s.as_ref().map_or(StepState::Pending, |s| s.state)))
}

/// The class of an entry.
fn class_of(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::FoundAbsent => "found-absent",
        StepState::Skipped => "skipped",
        StepState::Failed => "failed",
        StepState::Interrupted => "interrupted",
    }
}

/// The number while nothing happened yet, the state's icon after.
#[component]
fn Mark(step: Step, #[prop(into)] state: Signal<StepState>) -> impl IntoView {
    view! {
        <span class="mark" aria-hidden="true">
            {move || match state.get() {
                StepState::Pending if step == Step::Validate => view! { <Icon name=IconName::Shield /> }.into_any(),
                StepState::Pending => view! { {step.number()} }.into_any(),
                state => view! { <Icon name=step_look(state).1 /> }.into_any(),
            }}
        </span>
    }
}

#[component]
fn SingleStep<'a>(step: Step, live: LiveRun, paces: Paces, usual: &'a str) -> impl IntoView + use<> {
    let view = step_memo(live, step);
    let state = state_of(view);
    let together = if step.lane().is_some() { " together" } else { "" };
    let side = (step == Step::DropChapters).then(|| view! { <span class="tag">"3, 4 and 5 side by side"</span> });
    view! {
        <li class=move || format!("step {}{together}", class_of(state.get()))>
            <Mark step=step state=state />
            <div class="t">
                <span class="sr">{spoken(step)}</span>
                <span>{step.title()}</span>
                {if step == Step::Validate {
                    view! { <ValidationBadge live=live state=state /> }.into_any()
                } else {
                    view! { <StepBadge state=state /> }.into_any()
                }}
                {side}
                <Outcome view=view step=step />
            </div>
            {course(step, view, live, paces, usual)}
        </li>
    }
}

/// What is told of a step beside its title and below: how long it took, how far it is, what went wrong.
fn course(step: Step, view: Memo<Option<StepView>>, live: LiveRun, paces: Paces, usual: &str) -> AnyView {
    let usual = usual.lines().find_map(|line| line.strip_prefix(step.as_str())).unwrap_or_default().to_owned();
    view! {
        <Took view=view />
        <p class="usual">{usual}</p>
        <StepMeter view=view paces=paces step=step />
        <Trouble view=view live=live step=step />
    }
    .into_any()
}

/// A validation that is through may have found something: that is no success.
#[component]
fn ValidationBadge(live: LiveRun, state: Signal<StepState>) -> impl IntoView {
    let found = Memo::new(move |_| live.view.with(|v| v.validation.as_ref().is_some_and(|report| !report.is_sound())));
    let look = move || match (state.get(), found.get()) {
        (StepState::Done, true) => (Tone::Bad, IconName::Warning, "found something"),
        (state, _) => step_look(state),
    };
    view! {
        <Badge
            tone=Signal::derive(move || look().0)
            icon=Signal::derive(move || look().1)
            text=Signal::derive(move || look().2.to_owned())
        />
    }
}

/// Steps of one number: one entry, a lane for each store.
#[component]
fn Lanes<'a>(steps: Vec<Step>, kind: RunKind, live: LiveRun, paces: Paces, usual: &'a str) -> impl IntoView + use<> {
    let states: Vec<_> = steps.iter().map(|step| state_of(step_memo(live, *step))).collect();
    let state = Signal::derive(move || joined(&states.iter().map(|s| s.get()).collect::<Vec<_>>()));
    let first = steps.first().copied().unwrap_or(Step::RestoreSqlite);
    let title = match kind {
        RunKind::MakeBackup => "Copy production",
        RunKind::UndoRestore => "Put back what was saved",
        RunKind::RestoreProduction => "Restore production",
        RunKind::Rollback | RunKind::Validate => "Restore from latest-copy",
    };
    let lane = |step: Step| {
        let view = step_memo(live, step);
        let state = state_of(view);
        view! {
            <li class=move || format!("lane {}", class_of(state.get()))>
                <div class="t">
                    {step.lane().map(|store| view! { <StoreName store=store /> })}
                    <StepBadge state=state />
                    <Outcome view=view step=step />
                </div>
                {course(step, view, live, paces, usual)}
            </li>
        }
    };
    let lanes = steps.into_iter().map(lane).collect_view();
    view! {
        <li class=move || format!("step restore {}", class_of(state.get()))>
            <Mark step=first state=state />
            <div>
                <div class="t">
                    <span class="sr">{spoken(first)}</span>
                    <span>{title}</span>
                    <span class="tag">"three lanes side by side"</span>
                </div>
            </div>
            <ul class="lanes">{lanes}</ul>
        </li>
    }
}

/// What lanes are together: the state that most needs a look.
fn joined(lanes: &[StepState]) -> StepState {
    let any = |state: StepState| lanes.contains(&state);
    if any(StepState::Failed) {
        StepState::Failed
    } else if any(StepState::Interrupted) {
        StepState::Interrupted
    } else if lanes.iter().all(|s| *s == StepState::Pending) {
        StepState::Pending
    } else if any(StepState::Running) || any(StepState::Pending) {
        StepState::Running
    } else if lanes.iter().all(|s| *s == StepState::Skipped) {
        StepState::Skipped
    } else {
        StepState::Done
    }
}

/// What came of a step: folded once it is done, for whoever wants to know more. Why one was skipped stays in sight. What is
/// linked to lies within the fold: browsers open it for whoever follows the link.
#[component]
fn Outcome(view: Memo<Option<StepView>>, step: Step) -> impl IntoView {
    let outcome = Memo::new(move |_| {
        view.with(|v| {
            let told = v.as_ref().and_then(|s| Some((s.outcome.clone()?, s.state)));
            told.map(|(text, state)| (text, matches!(state, StepState::Done | StepState::FoundAbsent)))
        })
    });
    move || {
        let (text, folded) = outcome.get().unwrap_or_default();
        let class = if text.is_empty() { "d untold" } else { "d foreign" };
        let text = view! {
            <div class=class id=format::step_anchor(step)>
                {format::visible_lines(&text)}
            </div>
        };
        if !folded {
            return text.into_any();
        }
        view! {
            <details class="told">
                <summary>"Details" <span class="sr">{format!(" of {step}")}</span></summary>
                {text}
            </details>
        }
        .into_any()
    }
}

#[component]
fn Took(view: Memo<Option<StepView>>) -> impl IntoView {
    let text = move || {
        view.with(|v| {
            let v = v.as_ref().filter(|s| s.state != StepState::Skipped)?;
            let took = v.duration_ms().map(format::duration);
            if v.tries.len() < 2 {
                return took;
            }
            let tries = format!("{} tries", v.tries.len());
            Some(took.map_or(tries.clone(), |took| format!("{tries}, {took}")))
        })
    };
    view! { <span class="took num">{text}</span> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_lanes_show_what_most_needs_a_look() {
        use StepState::{Done, Failed, FoundAbsent, Interrupted, Pending, Running, Skipped};
        assert_eq!(joined(&[Pending; 3]), Pending);
        assert_eq!(joined(&[Skipped; 3]), Skipped);
        assert_eq!(joined(&[Skipped, Skipped, Done]), Done);
        assert_eq!(joined(&[Done, FoundAbsent, Pending]), Running);
        assert_eq!(joined(&[Done, Failed, Running]), Failed);
        assert_eq!(joined(&[Done, Interrupted, Pending]), Interrupted);
    }

    #[test]
    fn every_step_of_a_kind_is_shown_once_and_lanes_together() {
        for kind in RunKind::ALL {
            assert_eq!(groups(kind).concat(), kind.steps());
        }
        assert_eq!(groups(RunKind::Rollback).len(), 9, "eight, and the validation");
        assert_eq!(groups(RunKind::MakeBackup)[0].len(), 3);
    }
}
