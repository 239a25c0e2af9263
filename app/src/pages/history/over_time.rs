//! Runs over time, drawn, with the figures behind the drawing.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::RunSummary;

use super::asked::Asked;
use crate::api::reports::{RunHistory, history_chart};
use crate::api::runs::Drawings;
use crate::components::{Card, Chart, Column, ErrorPanel, Figures, RunBadge, RunLink, Time, TimeStyle};
use crate::pages::run_rows::Took;

const TITLE: &str = "Runs over time";

/// The card; nothing where no run that ended fits.
#[component]
pub(super) fn OverTime(asked: Asked) -> impl IntoView {
    let query = asked.query();
    let history = Resource::new_blocking(move || query.clone(), history_chart);
    view! {
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                match history.await {
                    Ok(RunHistory { chart: Some(drawings), runs, more }) => card(drawings, &runs, more).into_any(),
                    Ok(_) => ().into_any(),
                    Err(e) => view! { <ErrorPanel problem=*e.0 /> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn card(drawings: Drawings, runs: &[RunSummary], more: bool) -> impl IntoView + use<> {
    let footer = view! {
        <p>
            "Runs that fit the filters, by the moment they began; each mark on the axis is up to ten times the one before. "
            "Runs that go on are not drawn, and the time in which one waited for a decision or stood still does not count."
            {more.then(|| format!(" Only the latest {} are shown.", runs.len()))}
        </p>
    };
    let rows = runs.iter().map(row).collect_view();
    view! {
        <Card title=TITLE footer=footer.into_any()>
            <Chart title=TITLE drawings=drawings />
            <Figures
                title=TITLE
                columns=vec![
                    Column::text("Run"),
                    Column::text("Began"),
                    Column::text("Outcome"),
                    Column::number("Took"),
                ]
            >
                {rows}
            </Figures>
        </Card>
    }
}

fn row(run: &RunSummary) -> impl IntoView + use<> {
    view! {
        <tr>
            <td>
                <RunLink id=run.id />
            </td>
            <td>
                <Time at=run.started_at style=TimeStyle::Absolute />
            </td>
            <td>
                <RunBadge state=run.state />
            </td>
            <td class="num">
                <Took run=run.clone() />
            </td>
        </tr>
    }
}
