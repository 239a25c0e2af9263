//! Runs as rows of a table: on the overview and on a version's page; and what a run is about, in words.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::run_kind::{PRODUCTION, backup_of_subject, run_of_subject};
use rollback_types::{BackupSource, RunKind, RunSummary, VersionId};

use crate::components::{Column, DataTable, EmptyState, Moment, RunBadge, RunLink, VersionLink};
use crate::format;

/// The table, or what would be in it.
#[component]
pub fn RunRows(runs: Vec<RunSummary>) -> impl IntoView {
    if runs.is_empty() {
        return view! {
            <EmptyState title="No run yet.">
                <p>"Every run would be here with its reason, its outcome and its log. Plan one from a version's page."</p>
            </EmptyState>
        }
        .into_any();
    }
    let rows = runs.into_iter().map(row).collect_view();
    view! {
        <DataTable
            columns=vec![
                Column::text("Run"),
                Column::text("What"),
                Column::text("Outcome"),
                Column::text("Reason"),
                Column::text("By"),
                Column::number("Took"),
                Column::number("When"),
            ]
            class="stack run-rows"
        >
            {rows}
        </DataTable>
    }
    .into_any()
}

/// How long a run was at work. The time in which it waited for a decision, or stood still, is told apart.
#[component]
pub fn Took(run: RunSummary) -> impl IntoView {
    let worked = run.duration_ms.map_or_else(|| "–".to_owned(), format::duration);
    let sign = run.last_sign_at.map(|_| "until its last sign".to_owned());
    let apart: Vec<String> = sign.into_iter().chain(not_at_work(&run)).collect();
    view! {
        {worked}
        {(!apart.is_empty()).then(|| view! { <span class="under">{apart.join("; ")}</span> })}
    }
}

/// `waited 2 min for a decision` and `stood still for 2 h`, as far as it did.
pub fn not_at_work(run: &RunSummary) -> Vec<String> {
    let waited = (run.waited_ms > 0).then(|| format!("waited {} for a decision", format::duration(run.waited_ms)));
    // How long it stands still is not known before somebody ends that.
    let still = (run.stood_still_ms > 0 && run.last_sign_at.is_none())
        .then(|| format!("stood still for {}", format::duration(run.stood_still_ms)));
    waited.into_iter().chain(still).collect()
}

/// `11 s of work; waited 2 min for a decision; stood still for 2 h`. Nothing for a run that was always at work, for which its
/// beginning and its end say it.
pub fn time_in_words(run: &RunSummary) -> Option<String> {
    let apart = not_at_work(run);
    if apart.is_empty() && run.last_sign_at.is_none() {
        return None;
    }
    let until = if run.last_sign_at.is_some() { " until its last sign" } else { "" };
    let worked = format!("{} of work{until}", format::duration(run.duration_ms?));
    Some([vec![worked], apart].concat().join("; "))
}

fn row(run: RunSummary) -> impl IntoView {
    let took = view! { <Took run=run.clone() /> };
    view! {
        <tr>
            <td>
                <RunLink id=run.id />
            </td>
            <td class="wide">{about(&run)}</td>
            <td class="state">
                <RunBadge state=run.state />
            </td>
            <td class="wide foreign">{format::clip(&format::visible(&run.reason), 200)}</td>
            <td class="hide foreign by">{format::clip(&format::visible(&run.actor), 40)}</td>
            <td class="num">{took}</td>
            <td class="num muted">
                <Moment at=run.started_at />
            </td>
        </tr>
    }
}

/// What a run is about: `Rollback of v7…`, `Restore of production from latest-copy`.
pub fn about(run: &RunSummary) -> impl IntoView + use<> {
    about_plan(run.kind, &run.version_id)
}

/// The same of what is not a run yet.
pub fn about_plan(kind: RunKind, id: &VersionId) -> impl IntoView + use<> {
    view! { <span class="about"><span class="kind">{title(kind)}</span> " " {subject(kind, id)}</span> }
}

/// The words before the subject.
pub fn title(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Rollback => "Rollback of",
        RunKind::RestoreProduction => "Restore of production from",
        RunKind::UndoRestore => "Undo of",
        RunKind::Validate => "Validation of",
        RunKind::MakeBackup => "New",
    }
}

/// The subject, leading to its own page.
pub fn subject(kind: RunKind, id: &VersionId) -> AnyView {
    let name = id.as_str();
    match kind {
        RunKind::MakeBackup => view! { <a href="/backups">{BackupSource::LATEST_COPY}</a> }.into_any(),
        RunKind::RestoreProduction if backup_of_subject(name) == BackupSource::LatestCopy => {
            view! { <a href="/backups">{BackupSource::LATEST_COPY}</a> }.into_any()
        }
        RunKind::UndoRestore if run_of_subject(name).is_some() => {
            let id = run_of_subject(name);
            view! { "run " {id.map(|id| view! { <RunLink id=id /> })} }.into_any()
        }
        RunKind::Validate if name == PRODUCTION => "production".into_any(),
        _ => view! { <VersionLink id=id.clone() /> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{PlanDigest, RunId, RunState, Timestamp};

    #[test]
    fn the_time_in_which_a_run_was_not_at_work_is_told_apart() {
        let at = Timestamp::from_unix_ms;
        let mut run = RunSummary {
            id: RunId(1),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            state: RunState::Completed,
            reason: String::new(),
            actor: String::new(),
            plan_digest: PlanDigest("d".into()),
            started_at: at(0),
            ended_at: Some(at(4_000)),
            duration_ms: Some(4_000),
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 0,
        };
        let said = |run: &RunSummary| time_in_words(run).unwrap_or_default();
        assert_eq!(said(&run), "");
        run.stood_still_ms = 7_200_000;
        assert_eq!(said(&run), "4.0 s of work; stood still for 2 h");
        run.waited_ms = 120_000;
        assert_eq!(said(&run), "4.0 s of work; waited 2 min for a decision; stood still for 2 h");
        run.last_sign_at = Some(at(4_000));
        assert_eq!(said(&run), "4.0 s of work until its last sign; waited 2 min for a decision");
    }
}
