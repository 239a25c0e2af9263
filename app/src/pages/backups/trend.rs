//! How earlier looks at a backup ended.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{BackupCheck, Rung};

use crate::components::{Badge, Column, DataTable, Icon, IconName, Time, Tone};
use crate::format;

/// The last looks, oldest first, as marks in a row; all of it as a table behind them.
#[component]
pub(super) fn Trend(
    /// Whose looks.
    name: String,
    /// Newest first, as the service has it.
    history: Vec<BackupCheck>,
) -> impl IntoView {
    (!history.is_empty()).then(|| {
        let passed = history.iter().filter(|c| c.intact).count();
        let said = said(passed, history.len());
        // Marks only: the table says the same in words.
        let marks = history.iter().rev().map(mark).collect_view();
        let rows = history.iter().map(row).collect_view();
        view! {
            <details class="trend">
                <summary>
                    <span class="marks" aria-hidden="true">
                        {marks}
                    </span>
                    <span>{said}</span>
                    <span class="small muted">{growth(&history)}</span>
                </summary>
                <DataTable
                    label=format!("Earlier looks at {name}")
                    columns=vec![
                        Column::text("When"),
                        Column::text("Outcome"),
                        Column::text("Proven up to"),
                        Column::number("Size"),
                        Column::number("Took"),
                        Column::text("What was wrong"),
                    ]
                >
                    {rows}
                </DataTable>
            </details>
        }
    })
}

fn said(passed: usize, looks: usize) -> String {
    match (passed, looks) {
        (1, 1) => "The only look so far found it intact".to_owned(),
        (_, 1) => "The only look so far found it wanting".to_owned(),
        _ => format!("{passed} of the last {looks} looks found it intact"),
    }
}

fn mark(check: &BackupCheck) -> impl IntoView + use<> {
    let (class, icon) = match (check.intact, check.trial) {
        (false, _) => ("mark bad", IconName::Cross),
        (true, true) => ("mark good trial", IconName::Check),
        (true, false) => ("mark good", IconName::Check),
    };
    let title = format!("{}, {}", format::utc(check.at), format::bytes(check.bytes));
    view! {
        <span class=class title=title>
            <Icon name=icon />
        </span>
    }
}

/// How its size changed from the oldest look to the newest; nothing when it did not.
fn growth(history: &[BackupCheck]) -> Option<String> {
    let (newest, oldest) = (history.first()?, history.last()?);
    let (before, now) = (format::bytes(oldest.bytes), format::bytes(newest.bytes));
    (newest.bytes != oldest.bytes).then(|| {
        if before == now { format!("size about the same, {now}") } else { format!("size from {before} to {now}") }
    })
}

fn row(check: &BackupCheck) -> impl IntoView + use<> {
    let (tone, icon, word) = match (check.intact, check.trial) {
        (true, true) => (Tone::Good, IconName::Check, "passed, with a trial"),
        (true, false) => (Tone::Good, IconName::Check, "passed"),
        (false, _) => (Tone::Bad, IconName::Cross, "failed"),
    };
    view! {
        <tr>
            <td class="wide">
                <Time at=check.at />
            </td>
            <td class="state">
                <Badge tone=tone icon=icon text=word.to_owned() />
            </td>
            <td data-label="up to">{check.highest.map_or("nothing", Rung::title)}</td>
            <td class="num">{format::bytes(check.bytes)}</td>
            <td class="num muted">{format::duration(check.took_ms)}</td>
            <td class="wide foreign">{check.failure.as_deref().map(format::visible)}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::Timestamp;

    fn check(bytes: u64) -> BackupCheck {
        let at = Timestamp::from_unix_ms(0);
        BackupCheck { at, intact: true, highest: None, failure: None, bytes, took_ms: 1, trial: false }
    }

    #[test]
    fn one_look_is_no_trend() {
        assert_eq!(said(1, 1), "The only look so far found it intact");
        assert_eq!(said(0, 1), "The only look so far found it wanting");
        assert_eq!(said(2, 3), "2 of the last 3 looks found it intact");
    }

    #[test]
    fn a_size_is_told_only_when_it_changed() {
        assert_eq!(growth(&[]), None);
        assert_eq!(growth(&[check(5), check(7), check(5)]), None);
        assert_eq!(growth(&[check(2_000_001), check(2_000_000)]).as_deref(), Some("size about the same, 2.0 MB"));
        assert_eq!(growth(&[check(2_000), check(1_000)]).as_deref(), Some("size from 1.0 kB to 2.0 kB"));
    }
}
