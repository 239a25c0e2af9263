//! A step's fault: what happened, what is safe, what to do, and the decision about it.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{RunView, Step, StepError, StepState, StepView};

use super::decisions::Decisions;
use crate::components::{Icon, IconName};
use crate::format;
use crate::live::LiveRun;

/// What happened, what is safe, what to do, and the buttons to do it.
#[component]
pub(super) fn Trouble(view: Memo<Option<StepView>>, live: LiveRun, step: Step) -> impl IntoView {
    let trouble = Memo::new(move |_| {
        view.with(|v| {
            let s = v.as_ref()?;
            let error = s.error.clone()?;
            Some((error, s.decisions.clone(), s.tries.len(), s.state == StepState::Running))
        })
    });
    let (run, kind) = live.view.with_untracked(|v| (v.run.id, v.run.kind));
    // What somebody was writing here about a decision that another person took meanwhile.
    let overtaken = RwSignal::new(None::<String>);
    let asks = move || {
        trouble.get().map(|(error, offered, failure, retrying)| {
            #[cfg(feature = "hydrate")]
            if !offered.is_empty() {
                on_cleanup(move || browser::keep(step, overtaken));
            }
            view! {
                <div class="problem">
                    <Fault error=error retrying=retrying />
                    {(!offered.is_empty())
                        .then(|| view! { <Decisions run=run kind=kind step=step failure=failure offered=offered /> })}
                </div>
            }
        })
    };
    view! {
        {move || {
            overtaken.get().map(|typed| view! { <Overtaken step=step typed=typed live=live overtaken=overtaken /> })
        }}
        {asks}
    }
}

/// Who decided while somebody wrote here, and what they had written; until they have read it.
#[component]
fn Overtaken(step: Step, typed: String, live: LiveRun, overtaken: RwSignal<Option<String>>) -> impl IntoView {
    let said = live.view.with_untracked(|v| decided_since(v, step));
    let typed = (!typed.is_empty()).then(|| {
        view! {
            <p>
                "What was typed here: " <span class="foreign">{format::visible_lines(&typed)}</span>
            </p>
        }
    });
    let dismiss = move |_| {
        overtaken.set(None);
        #[cfg(feature = "hydrate")]
        browser::focus("main");
    };
    view! {
        <div class="problem">
            <div class="fault retrying" role="status" tabindex="-1" id=notice_of(step)>
                <p class="what">
                    <Icon name=IconName::Warning />
                    <span class="foreign">{said}</span>
                </p>
                {typed}
                <p>
                    <button class="btn small" type="button" on:click=dismiss>
                        "Dismiss"
                    </button>
                </p>
            </div>
        </div>
    }
}

/// The id of what is told of a decision that was taken meanwhile.
fn notice_of(step: Step) -> String {
    format!("overtaken-{}", step.as_str())
}

/// Who decided what about a step since the run asked last, as its log tells it; what ends the run is decided for every step. It may
/// ask no more for another reason.
fn decided_since(view: &RunView, step: Step) -> String {
    let since = view.log.iter().rev().take_while(|line| !line.text.starts_with("a decision is needed"));
    let decisions: Vec<_> = since.filter(|line| line.text.contains(" decided: ")).collect();
    let about = format!("{step}: ");
    let of_step = decisions.iter().find(|line| line.text.starts_with(&about));
    let what = of_step.or_else(|| decisions.iter().find(|line| line.text.contains(" decided: abort")));
    let what = what.map_or("The run does not ask any more", |line| &line.text);
    format!("Nothing was sent from here. {}.", format::visible(what))
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::*;
    use rollback_types::Step;
    use wasm_bindgen::JsCast as _;
    use web_sys::{HtmlElement, HtmlTextAreaElement};

    /// Keeps what is being written about a decision, right before its forms go. What was sent from here is told by its own
    /// answer.
    pub fn keep(step: Step, overtaken: RwSignal<Option<String>>) {
        let group = document().query_selector(&format!("[aria-label='Decide about {step}']"));
        let Ok(Some(group)) = group else { return };
        let has = |what| group.query_selector(what).is_ok_and(|found| found.is_some());
        let focused = has(":focus");
        if has("[data-busy]") || !(focused || has("[open]")) {
            return;
        }
        let mut typed = String::new();
        if let Ok(areas) = group.query_selector_all("textarea") {
            for at in 0..areas.length() {
                if let Some(area) = areas.get(at).and_then(|node| node.dyn_into::<HtmlTextAreaElement>().ok()) {
                    typed += &area.value();
                }
            }
        }
        overtaken.set(Some(typed));
        if focused {
            request_animation_frame(move || focus(&super::notice_of(step)));
        }
    }

    /// Puts the focus there.
    pub fn focus(id: &str) {
        if let Some(place) = document().get_element_by_id(id).and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
            // What cannot take the focus just does not get it.
            let _focused = place.focus();
        }
    }
}

#[component]
fn Fault(error: StepError, retrying: bool) -> impl IntoView {
    let role = if retrying { "status" } else { "alert" };
    let icon = if retrying { IconName::Refresh } else { IconName::Cross };
    view! {
        <div class=if retrying { "fault retrying" } else { "fault" } role=role>
            <p class="what">
                <Icon name=icon />
                <span class="foreign">
                    {retrying.then_some("Trying again: ")} {format::visible_lines(&error.message)}
                </span>
            </p>
            <p>
                <b>"Safe: "</b>
                <span class="foreign">{format::visible_lines(&error.safe)}</span>
            </p>
            <p>
                <b>"What to do: "</b>
                <span class="foreign">{format::visible_lines(&error.remedy)}</span>
            </p>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use rollback_types::{Decision, Event, EventKind, RunState};

    use super::super::specimen::rollback_of_v2;
    use super::*;

    #[test]
    fn only_what_was_decided_since_the_run_asked_is_told() {
        let mut view = RunView::new(rollback_of_v2(RunState::Running));
        let mut happens = |kind| {
            let (run_id, number) = (view.run.id, view.run.last_event + 1);
            view.apply(&Event { number, run_id, at: view.run.started_at, kind });
            decided_since(&view, Step::DeleteNodes)
        };
        let step = Step::DeleteNodes;
        let asks = || EventKind::DecisionNeeded { steps: vec![step] };
        let of = |step, decision, actor: &str| EventKind::DecisionMade {
            step,
            decision,
            reason: None,
            actor: actor.to_owned(),
        };
        let decides = |actor: &str| of(step, Decision::Retry, actor);
        happens(asks());
        assert!(happens(decides("ada")).ends_with("step 5: ada decided: retry."));
        let nobody = "Nothing was sent from here. The run does not ask any more.";
        assert_eq!(happens(asks()), nobody, "what was decided before it asked again");
        happens(decides("otto"));
        let said = happens(EventKind::StepStarted { step, attempt: 2 });
        assert_eq!(said, "Nothing was sent from here. step 5: otto decided: retry.");
        let said = happens(of(Step::DeletePoints, Decision::Retry, "eve"));
        assert_eq!(said, "Nothing was sent from here. step 5: otto decided: retry.", "hers is about another step");
        happens(asks());
        assert_eq!(happens(of(Step::DeletePoints, Decision::Retry, "eve")), nobody);
        let said = happens(of(Step::DeletePoints, Decision::Abort, "eve"));
        assert_eq!(said, "Nothing was sent from here. step 4: eve decided: abort.", "it ends the run");
    }
}
