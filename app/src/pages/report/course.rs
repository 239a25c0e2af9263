//! How it went: steps with their times, decisions, interruptions, findings, the validation, and what was known before.

use leptos::prelude::*;
use rollback_types::{
    CheckItem, CheckOutcome, CheckSeverity, CheckState, Decision, Interruption, RunId, RunReport, Step, StepOutcome,
    ValidationReport,
};

use crate::api::runs::Drawings;
use crate::components::{
    Badge, Card, Chart, Column, DataTable, Foreign, Icon, IconName, StepBadge, Time, TimeStyle, Tone,
};
use crate::format;

pub(super) const COURSE: &str = "Decisions, interruptions, findings";
pub(super) const FOR_IT: &str = "What spoke for it";
pub(super) const BEFORE: &str = "Checklist before it";
pub(super) const STEPS: &str = "Steps";
pub(super) const VALIDATION: &str = "Validation";

#[component]
pub(super) fn StepsSection(run: RunId, steps: Vec<StepOutcome>, chart: Option<Drawings>) -> impl IntoView {
    let rows = steps.into_iter().map(|s| step(run, s)).collect_view();
    let chart = chart.map(|drawings| view! { <Chart title=STEPS drawings=drawings /> });
    view! {
        <Card title=STEPS>
            <DataTable
                label="Steps of the run"
                columns=vec![
                    Column::text("Step"),
                    Column::text("State"),
                    Column::number("Took"),
                    Column::number("The document"),
                    Column::number("Median here"),
                    Column::text("What was done"),
                ]
            >
                {rows}
            </DataTable>
            {chart}
        </Card>
    }
}

fn step(run: RunId, s: StepOutcome) -> impl IntoView {
    let time = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), format::duration);
    let told = s.error.map(|e| e.message).or(s.outcome).unwrap_or_default();
    view! {
        <tr>
            <td class="wide">
                <a href=to_step(run, s.step)>{s.step.numbered_title()}</a>
            </td>
            <td class="state">
                <StepBadge state=s.state />
                {(s.attempts > 1).then(|| view! { <span class="under">{format::counted(s.attempts.into(), "tries")}</span> })}
            </td>
            <td class="num" data-label="Took">{time(s.took_ms)}</td>
            <td class="num muted" data-label="The document">{time(Some(s.documented_ms))}</td>
            <td class="num muted" data-label="Median here">{time(s.median_ms)}</td>
            <td class="wide told">
                <span class="foreign">{format::visible(&told)}</span>
            </td>
        </tr>
    }
}

/// What the run's page tells of a step.
fn to_step(run: RunId, step: Step) -> String {
    format!("/runs/{run}#{}", format::step_anchor(step))
}

/// People decided something, it was interrupted, or something was found.
pub(super) fn is_told(report: &RunReport) -> bool {
    !(report.decisions.is_empty() && report.interruptions.is_empty() && report.findings.is_empty())
}

/// The plan had evidence, or a person acknowledged something.
pub(super) fn speaks_for_it(report: &RunReport) -> bool {
    report.version.is_some() || !(report.triggers.is_empty() && report.acknowledged.is_empty())
}

/// The word for people.
fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Retry => "try again",
        Decision::Skip => "skip",
        Decision::WayBack => "put the way back in",
        Decision::Abort => "abort",
    }
}

/// Decisions, interruptions and findings; nothing when the run had none.
#[component]
pub(super) fn CourseSection(report: RunReport) -> impl IntoView {
    let run = report.run.id;
    let decisions = report.decisions.into_iter().map(|d| {
        view! {
            <li>
                <bdi class="foreign">{format::clip(&format::visible(&d.by), 80)}</bdi>
                " decided about "
                <a href=to_step(run, d.step)>{d.step.to_string()}</a>
                ": "
                <b>{decision(d.decision)}</b>
                {d.reason.map(|reason| view! { ", " <Foreign text=reason /> })}
                <span class="under">
                    <Time at=d.at style=TimeStyle::Absolute />
                </span>
            </li>
        }
        .into_any()
    });
    let stops = report.interruptions.into_iter().map(interruption);
    let findings = report.findings.into_iter().map(|text| {
        view! { <li><b>"Found: "</b> <span class="foreign">{format::visible(&text)}</span></li> }.into_any()
    });
    let all: Vec<AnyView> = decisions.chain(stops).chain(findings).collect();
    (!all.is_empty()).then(|| {
        view! {
            <Card title=COURSE>
                <ul class="plain-list">{all}</ul>
            </Card>
        }
    })
}

fn interruption(stop: Interruption) -> AnyView {
    let end = stop.ended.map(|end| {
        let what = if end.resumed { "Resumed by " } else { "Abandoned by " };
        let approved = (!end.approved_by.is_empty())
            .then(|| view! { ", approved by " <Foreign text=end.approved_by.join(", ") /> });
        view! {
            <span class="under">
                {what} <bdi class="foreign">{format::clip(&format::visible(&end.by), 80)}</bdi> {approved} ", "
                <Time at=end.at style=TimeStyle::Absolute /> ": " <Foreign text=end.reason />
            </span>
        }
    });
    view! {
        <li>
            <span class="foreign">{format::visible_lines(&stop.message)}</span>
            <span class="under">
                {stop.last_sign_at.filter(|sign| *sign != stop.at).map(|at| view! { "Last sign of the run " <Time at=at style=TimeStyle::Absolute /> ", found " })}
                <Time at=stop.at style=TimeStyle::Absolute />
            </span>
            {end}
        </li>
    }
    .into_any()
}

fn check_look(state: CheckOutcome, severity: CheckSeverity) -> (Tone, IconName, &'static str) {
    match (state, severity) {
        (CheckOutcome::Passed, _) => (Tone::Good, IconName::Check, "passed"),
        (CheckOutcome::Failed, CheckSeverity::Critical) => (Tone::Bad, IconName::Cross, "failed"),
        (CheckOutcome::Failed, CheckSeverity::Warning) => (Tone::Warn, IconName::Warning, "warns"),
        (CheckOutcome::NotChecked, _) => (Tone::Warn, IconName::Question, "not checked"),
    }
}

#[component]
pub(super) fn ValidationSection(validation: ValidationReport) -> impl IntoView {
    let row = |title: String, state, severity, detail: &str| {
        let (tone, icon, word) = check_look(state, severity);
        view! {
            <tr>
                <td class="wide">{title}</td>
                <td class="state">
                    <Badge tone=tone icon=icon text=word.to_owned() />
                </td>
                <td class="wide">
                    <span class="foreign">{format::visible(detail)}</span>
                </td>
            </tr>
        }
    };
    let checks =
        validation.checks.iter().map(|c| row(format!("{} {}", c.number, c.title), c.state, c.severity, &c.detail));
    let search = validation
        .search
        .iter()
        .map(|s| row("Search: stored vectors find themselves".to_owned(), s.state, s.severity, &s.detail));
    let command = validation.command.iter().map(|c| {
        let title = format!("Your own search test: {}", format::clip(&format::visible(&c.program), 80));
        row(title, c.state, CheckSeverity::Critical, &c.detail)
    });
    let rows = checks.chain(search).chain(command).collect_view();
    let said = format!("{}, in {}", validation.verdict.title(), format::duration(validation.took_ms));
    view! {
        <Card title=VALIDATION aside=view! { <span class="tag">{said}</span> }.into_any()>
            <DataTable columns=vec![Column::text("Check"), Column::text("State"), Column::text("What was seen")]>
                {rows}
            </DataTable>
        </Card>
    }
}

/// What the plan saw and what a person acknowledged; then the document's checklist "before".
#[component]
pub(super) fn BeforeSection(report: RunReport) -> impl IntoView {
    let registry = report.version.map(|v| {
        let message = v.status_message.map(|m| view! { ": " <Foreign text=m /> });
        view! { <li>"The registry said " <b class="foreign">{format::visible(v.status.as_str())}</b> {message}</li> }
            .into_any()
    });
    let triggers = report.triggers.into_iter().map(|t| {
        view! {
            <li>
                {format::visible(&t.title)}
                <span class="under foreign">{format::visible_lines(&t.evidence)}</span>
            </li>
        }
        .into_any()
    });
    let seen = report.acknowledged.into_iter().map(|text| {
        view! { <li><b>"Acknowledged: "</b> <span class="foreign">{format::visible_lines(&text)}</span></li> }
            .into_any()
    });
    let all: Vec<AnyView> = registry.into_iter().chain(triggers).chain(seen).collect();
    view! {
        {(!all.is_empty())
            .then(|| {
                view! {
                    <Card title=FOR_IT>
                        <ul class="plain-list">{all}</ul>
                    </Card>
                }
            })}
        {(!report.before.is_empty()).then(|| checklist(report.before))}
    }
}

fn checklist(items: Vec<CheckItem>) -> impl IntoView {
    let look = |state| match state {
        CheckState::Proven => ("good", IconName::Check, "Proven"),
        CheckState::Failed => ("bad", IconName::Cross, "Failed"),
        CheckState::Warning => ("warn", IconName::Warning, "Acknowledged"),
        CheckState::ForPerson => ("for-person", IconName::Question, "For a person"),
    };
    let items = items
        .into_iter()
        .map(|item| {
            let (class, icon, word) = look(item.state);
            view! {
                <li class=format!("check {class}")>
                    <Icon name=icon />
                    <span>{format::visible(&item.title)}</span>
                    <span class="answer small muted">{word}</span>
                    <span class="evidence foreign">{format::visible(&item.detail)}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title=BEFORE>
            <div class="body">
                <ul class="checks">{items}</ul>
            </div>
        </Card>
    }
}
