//! What people say of the run: root cause, lessons, remarks, the checklist "after", and the form for all of it.

use leptos::prelude::*;
use rollback_types::{AfterCheck, AfterState, Note, Role, RunReport, Wording, Written};

use crate::account::may;
use crate::components::{Card, Icon, IconName, RoleNote, TextArea, Time, TimeStyle};
use crate::{format, notice};

pub(super) const WHY: &str = "Why it came to it, and what was learned";
pub(super) const AFTER: &str = "Checklist after it";
pub(super) const ADD: &str = "Add to the report";

/// A text as it stands, with those it superseded folded away.
fn wording(title: &'static str, wording: Option<Wording>) -> impl IntoView {
    let body = match wording {
        None => view! { <p class="muted">"Not written yet."</p> }.into_any(),
        Some(Wording { now, earlier }) => {
            let count = earlier.len() as u64;
            let earlier = (!earlier.is_empty()).then(|| {
                let texts =
                    earlier.into_iter().map(|text| view! { <div class="earlier">{written(text)}</div> }).collect_view();
                view! {
                    <details class="small">
                        <summary>{format!("It superseded {}", format::counted(count, "texts"))}</summary>
                        {texts}
                    </details>
                }
            });
            view! { {written(now)} {earlier} }.into_any()
        }
    };
    view! {
        <section>
            <h3>{title}</h3>
            {body}
        </section>
    }
}

fn written(w: Written) -> impl IntoView {
    view! {
        <p class="said foreign">{format::visible_lines(&w.text)}</p>
        <p class="small muted">
            <bdi class="foreign">{format::clip(&format::visible(&w.by), 80)}</bdi> ", "
            <Time at=w.at style=TimeStyle::Absolute />
        </p>
    }
}

#[component]
pub(super) fn WordsSection(report: RunReport) -> impl IntoView {
    let over = report.is_over();
    let remarks = (!report.remarks.is_empty()).then(|| {
        let all = report.remarks.into_iter().map(written).collect_view();
        view! {
            <section>
                <h3>"Remarks"</h3>
                {all}
            </section>
        }
    });
    let add = if over && may(Role::Operator) {
        view! { <a class="small no-print" href="#card-add-to-the-report">"Add to it"</a> }.into_any()
    } else {
        ().into_any()
    };
    view! {
        <Card title=WHY aside=add>
            <div class="body words">
                {wording("Root cause", report.root_cause)} {wording("Lessons learned", report.lessons)} {remarks}
            </div>
        </Card>
    }
}

fn look(state: AfterState) -> (&'static str, IconName, &'static str) {
    match state {
        AfterState::Proven => ("good", IconName::Check, "Proven"),
        AfterState::Disproven => ("bad", IconName::Cross, "Not so"),
        AfterState::Ticked => ("good", IconName::People, "Ticked by a person"),
        AfterState::Open => ("open", IconName::Circle, "Open"),
    }
}

#[component]
pub(super) fn ChecklistSection(checklist: Vec<AfterCheck>) -> impl IntoView {
    (!checklist.is_empty()).then(|| {
        let done = checklist.iter().filter(|c| matches!(c.state, AfterState::Proven | AfterState::Ticked)).count();
        let tally = format!("{done} of {} done", checklist.len());
        let items = checklist.into_iter().map(item).collect_view();
        view! {
            <Card title=AFTER aside=view! { <span class="tag">{tally}</span> }.into_any()>
                <div class="body">
                    <ul class="checks">{items}</ul>
                </div>
            </Card>
        }
    })
}

fn item(check: AfterCheck) -> impl IntoView {
    let (class, icon, word) = look(check.state);
    let word = if check.item.is_text() && check.state == AfterState::Proven { "Written" } else { word };
    let by = check.by.zip(check.at).map(|(by, at)| {
        let said = if check.state == AfterState::Open { "taken back by " } else { "by " };
        view! {
            ", "
            {said}
            <bdi class="foreign">{format::clip(&format::visible(&by), 80)}</bdi>
            ", "
            <Time at=at style=TimeStyle::Absolute />
        }
    });
    view! {
        <li class=format!("check {class}")>
            <Icon name=icon />
            <span>{check.title}</span>
            <span class="answer small muted">{word}</span>
            <span class="evidence">
                <span class="foreign">{format::visible(&check.detail)}</span>
                {by}
            </span>
        </li>
    }
}

/// The form: what stands is in it, to be changed.
#[component]
pub(super) fn AddForm(report: RunReport) -> impl IntoView {
    let may = may(Role::Operator);
    let text = |wording: &Option<Wording>| wording.as_ref().map(|w| w.now.text.clone()).unwrap_or_default();
    let (cause, lessons) = (text(&report.root_cause), text(&report.lessons));
    let field = move |id: &'static str, label: &'static str, hint: &'static str, value: String, rows: u8| {
        let most = if id == "remark" { Note::REMARK } else { Note::TEXT };
        view! {
            <TextArea
                id=format!("report-{id}")
                name=id
                label=label
                hint=hint
                rows=rows
                least=Some(*most.start())
                most=*most.end()
                fixed=!may
                value=notice::typed(id).unwrap_or(value)
            />
        }
    };
    let ticks: Vec<_> = report
        .checklist
        .iter()
        .filter(|c| c.is_for_person())
        .map(|check| {
            let word = check.item.as_str();
            view! {
                <li>
                    <input type="hidden" name="offered[]" value=word />
                    <label class="check-label">
                        <input
                            type="checkbox"
                            name="done[]"
                            value=word
                            checked=check.state == AfterState::Ticked
                            disabled=!may
                        />
                        {check.title.clone()}
                    </label>
                    <span class="under foreign">{format::visible(&check.detail)}</span>
                </li>
            }
        })
        .collect();
    let checklist = (!ticks.is_empty()).then(|| {
        view! {
            <fieldset>
                <legend>"What the run’s evidence leaves open"</legend>
                <ul class="ticks">{ticks}</ul>
            </fieldset>
        }
    });
    view! {
        <Card title=ADD class="add">
            <form class="body" method="post" action="/rpc/annotate">
                <input type="hidden" name="run" value=report.run.id.to_string() />
                // What was typed for an earlier state of the report stays an answer to that state.
                <input
                    type="hidden"
                    name="seen"
                    value=notice::typed("seen").unwrap_or_else(|| report.run.last_event.to_string())
                />
                {field("root_cause", "Root cause", "Why it came to the run. A new text supersedes the old one, which is kept.", cause, 5)}
                {field("lessons", "Lessons learned", "What is to be done otherwise, and by whom.", lessons, 5)}
                {checklist}
                {field("remark", "Remark", "Anything else worth keeping. It stands beside earlier ones.", String::new(), 2)}
                <div class="actions">
                    <button
                        class="btn primary"
                        type="submit"
                        disabled=!may
                        aria-describedby=(!may).then_some("report-note")
                    >
                        "Save to the journal"
                    </button>
                    <RoleNote id="report-note" least=Role::Operator />
                </div>
                <p class="small muted">"Your name and the time are kept with it, and nothing in the journal is ever changed."</p>
            </form>
        </Card>
    }
}
