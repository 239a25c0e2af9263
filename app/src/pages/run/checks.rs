//! One check of a validation, with who offends and the list of all of them.

use leptos::prelude::*;
use rollback_types::{CheckOutcome, CheckResult, CheckSeverity, Offenders, RunId};

use crate::components::{Icon, IconName};
use crate::format;

/// Class, icon and word of an outcome. A failed warning is no failure of the whole.
fn look(state: CheckOutcome, severity: CheckSeverity) -> (&'static str, IconName, &'static str) {
    match (state, severity) {
        (CheckOutcome::Passed, _) => ("good", IconName::Check, "passed"),
        (CheckOutcome::Failed, CheckSeverity::Critical) => ("bad", IconName::Cross, "failed, critical"),
        (CheckOutcome::Failed, CheckSeverity::Warning) => ("warn", IconName::Warning, "failed, a warning"),
        (CheckOutcome::NotChecked, CheckSeverity::Critical) => ("warn", IconName::Question, "not checked, critical"),
        (CheckOutcome::NotChecked, CheckSeverity::Warning) => ("warn", IconName::Question, "not checked, a warning"),
    }
}

/// One entry of the list.
pub(super) fn entry(
    title: String,
    severity: CheckSeverity,
    state: CheckOutcome,
    detail: &str,
    took_ms: Option<u64>,
    more: AnyView,
) -> impl IntoView + use<> {
    let (class, icon, word) = look(state, severity);
    let took = took_ms.map(|ms| format!(" · {}", format::duration(ms)));
    view! {
        <li class=format!("check {class}")>
            <Icon name=icon />
            <span>{title}</span>
            <span class="answer small muted">{word} {took}</span>
            <span class="evidence foreign">{format::visible_lines(detail)}</span>
            {more}
        </li>
    }
}

/// One of the seven.
pub(super) fn check(run: RunId, c: &CheckResult) -> impl IntoView + use<> {
    let offenders = c.offenders.iter().filter(|o| o.count > 0).map(|o| offenders(run, o)).collect_view();
    entry(
        format!("{}. {}", c.number, format::visible(&c.title)),
        c.severity,
        c.state,
        &c.detail,
        Some(c.took_ms),
        offenders.into_any(),
    )
}

fn offenders(run: RunId, o: &Offenders) -> impl IntoView + use<> {
    let samples = o.samples.iter().map(|id| view! { <li><code>{format::visible(id)}</code></li> }).collect_view();
    let shown = o.samples.len() as u64;
    let said = format!("{} {}", format::count(o.count), o.kind.title());
    let rest = (o.count > shown && shown > 0).then(|| format!("The first {}:", format::count(shown)));
    // Nothing to list where the offenders have no name.
    let list = match (&o.list_error, o.samples.is_empty()) {
        (_, true) => None,
        (None, false) => Some(
            view! {
                <a
                    class="btn small"
                    href=format!("/api/v1/runs/{run}/validation/{}", o.kind.as_str())
                    download=format!("run-{run}-{}", o.kind.file_name())
                    rel="external"
                >
                    <Icon name=IconName::Download />
                    {format!("All {} as a file", format::count(o.count))}
                </a>
            }
            .into_any(),
        ),
        (Some(error), false) => Some(
            view! {
                <p class="small foreign">{format!("The list of all of them is not whole: {}", format::visible(error))}</p>
            }
            .into_any(),
        ),
    };
    view! {
        <details class="offenders">
            <summary>{said}</summary>
            {rest.map(|r| view! { <p class="small muted">{r}</p> })}
            <ul class="samples">{samples}</ul>
            {list}
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_never_looks_like_a_critical_failure() {
        let failed = |severity| look(CheckOutcome::Failed, severity);
        assert_ne!(failed(CheckSeverity::Critical), failed(CheckSeverity::Warning));
        assert_eq!(failed(CheckSeverity::Critical).0, "bad");
        assert_eq!(look(CheckOutcome::NotChecked, CheckSeverity::Critical).0, "warn", "nothing is known");
    }
}
