//! A step's fault: what happened, what is safe, what to do, and the decision about it.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{Step, StepError, StepState, StepView};

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
            Some((error, s.decisions.clone(), s.state == StepState::Running))
        })
    });
    let (run, kind) = live.view.with_untracked(|v| (v.run.id, v.run.kind));
    move || {
        trouble.get().map(|(error, offered, retrying)| {
            view! {
                <div class="problem">
                    <Fault error=error retrying=retrying />
                    {(!offered.is_empty())
                        .then(|| view! { <Decisions run=run kind=kind step=step offered=offered /> })}
                </div>
            }
        })
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
