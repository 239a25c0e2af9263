//! Runs as rows of a table: on the overview and on a version's page.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::RunSummary;

use crate::components::{EmptyState, RunBadge, RunLink, Time, TimeStyle, VersionLink};
use crate::format;

/// The table, or what would be in it.
#[component]
pub fn RunRows(runs: Vec<RunSummary>) -> impl IntoView {
    if runs.is_empty() {
        return view! {
            <EmptyState title="No run yet.">
                <p>"Every rollback would be here with its reason, its outcome and its log. Plan one from a version's page."</p>
            </EmptyState>
        }
        .into_any();
    }
    let rows = runs.into_iter().map(row).collect_view();
    view! {
        <div class="scroll">
            <table class="stack">
                <thead>
                    <tr>
                        <th scope="col">"Run"</th>
                        <th scope="col">"Version"</th>
                        <th scope="col">"Outcome"</th>
                        <th scope="col">"Reason"</th>
                        <th scope="col">"By"</th>
                        <th scope="col" class="num">
                            "Took"
                        </th>
                        <th scope="col" class="num">
                            "When"
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(run: RunSummary) -> impl IntoView {
    let took = run.duration_ms.map_or_else(|| "–".to_owned(), format::duration);
    view! {
        <tr>
            <td>
                <RunLink id=run.id />
            </td>
            <td class="wide">
                <VersionLink id=run.version_id />
            </td>
            <td class="state">
                <RunBadge state=run.state />
            </td>
            <td class="wide foreign">{format::clip(&format::visible(&run.reason), 200)}</td>
            <td class="hide foreign">{format::clip(&format::visible(&run.actor), 40)}</td>
            <td class="num">{took}</td>
            <td class="num muted">
                <Time at=run.started_at style=TimeStyle::Relative />
            </td>
        </tr>
    }
}
