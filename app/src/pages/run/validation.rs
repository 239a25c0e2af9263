//! What the validation found: the verdict, the seven checks, the search test and the operator's own command.

use leptos::prelude::*;
use rollback_types::{
    CheckOutcome, CheckSeverity, CommandResult, RunId, SearchResult, ValidationReport, ValidationScope,
    ValidationVerdict,
};

use super::checks::{check, entry};
use crate::components::{Badge, Card, IconName, Tone};
use crate::format;

/// The section; nothing while there is no report.
#[component]
pub fn ValidationCard(
    /// The run.
    run: RunId,
    /// What was found.
    report: Option<ValidationReport>,
) -> impl IntoView {
    report.map(|report| card(run, &report))
}

/// How a verdict looks.
fn verdict_look(verdict: ValidationVerdict) -> (Tone, IconName) {
    match verdict {
        ValidationVerdict::Sound => (Tone::Good, IconName::Check),
        ValidationVerdict::SoundWithWarnings => (Tone::Warn, IconName::Warning),
        ValidationVerdict::Incomplete => (Tone::Warn, IconName::Question),
        ValidationVerdict::Unsound => (Tone::Bad, IconName::Cross),
    }
}

fn card(run: RunId, report: &ValidationReport) -> impl IntoView + use<> {
    let (tone, icon) = verdict_look(report.verdict);
    let passed = report.checks.iter().filter(|c| c.state == CheckOutcome::Passed).count();
    let scope = match &report.scope {
        ValidationScope::Production => "Production was looked at".to_owned(),
        ValidationScope::Staging { version_id } => {
            format!("What {} has staged was looked at", format::short_id(version_id.as_str()))
        }
    };
    let said = format!(
        "{scope}: {passed} of {} passed, in {}. Nothing was changed.",
        format::counted(report.checks.len() as u64, "checks"),
        format::duration(report.took_ms)
    );
    let checks = report.checks.iter().map(|c| check(run, c)).collect_view();
    let (search, command) = (report.search.as_ref().map(search), report.command.as_ref().map(command));
    let badge = view! { <Badge tone=tone icon=icon text=report.verdict.title().to_owned() /> };
    view! {
        <Card title="Validation" class="validation" aside=badge.into_any()>
            <div class="body">
                <p>{said}</p>
                <ul class="checks">
                    {checks} {search} {command}
                </ul>
            </div>
        </Card>
    }
}

fn search(s: &SearchResult) -> impl IntoView + use<> {
    let not_found = (!s.not_found.is_empty()).then(|| {
        let ids = s.not_found.iter().map(|id| view! { <li><code>{format::visible(id)}</code></li> }).collect_view();
        view! {
            <details class="offenders">
                <summary>{format!("{} did not find themselves", format::counted(s.not_found.len() as u64, "vectors"))}</summary>
                <ul class="samples">{ids}</ul>
            </details>
        }
    });
    let title = "Search: stored vectors find themselves".to_owned();
    entry(title, s.severity, s.state, &s.detail, None, not_found.into_any())
}

fn command(c: &CommandResult) -> impl IntoView + use<> {
    let output = (!c.output.is_empty()).then(|| {
        let cut = c.output_cut.then(|| view! { <p class="small muted">"Only the end of it is shown."</p> });
        view! {
            <details class="offenders" open=c.state == CheckOutcome::Failed>
                <summary>"What it wrote"</summary>
                {cut}
                <pre class="output" tabindex="0" role="region" aria-label="Output of the search command">
                    {format::visible_lines(&c.output)}
                </pre>
            </details>
        }
    });
    let title = format!("Your own search test: {}", format::clip(&format::visible(&c.program), 80));
    let exit = match (c.timed_out, c.exit_code) {
        (true, _) => Some("Ended at its time limit.".to_owned()),
        (false, Some(code)) => Some(format!("Exit status {code}.")),
        (false, None) => None,
    };
    let more = view! {
        {exit.map(|e| view! { <span class="evidence">{e}</span> })} {output}
    };
    entry(title, CheckSeverity::Critical, c.state, &c.detail, Some(c.took_ms), more.into_any())
}
