//! When each step worked: drawn as a Gantt chart, and as figures beside the document's estimates.

use leptos::prelude::*;
use rollback_types::{RunView, StepState, StepView};

use crate::api::runs::{Timeline, run_chart};
use crate::components::{Card, Column, DataTable};
use crate::format;

/// The chart for whoever has room for it, and a narrow one for whoever has not.
#[component]
pub fn TimelineChart(
    /// Both drawings.
    timeline: Timeline,
) -> impl IntoView {
    view! {
        <div class="chart wide" tabindex="0" role="region" aria-label="Chart, scrolls sideways" inner_html=timeline.wide></div>
        <div class="chart narrow" inner_html=timeline.narrow></div>
    }
}

/// The chart with its figures.
#[component]
pub fn DurationsCard(
    /// The run.
    view: RunView,
) -> impl IntoView {
    let id = view.run.id;
    let chart = Resource::new_blocking(|| (), move |()| run_chart(id));
    let rows = view.steps.iter().map(row).collect_view();
    let footer = view! {
        <p>
            "Time since the run began, of each step’s last try. Steps that overlap worked side by side; the colours are \
            the stores’."
        </p>
    };
    view! {
        <Card title="Where the time went" footer=footer.into_any()>
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    match chart.await {
                        Ok(timeline) => view! { <TimelineChart timeline=timeline /> }.into_any(),
                        Err(_) => {
                            view! { <p class="body muted">"The chart could not be drawn. The figures are below."</p> }
                                .into_any()
                        }
                    }
                })}
            </Transition>
            <details class="figures">
                <summary>"The figures"</summary>
                <DataTable
                    label="The figures of the chart"
                    columns=vec![
                        Column::text("Step"),
                        Column::number("This run"),
                        Column::number("The document"),
                    ]
                    class=""
                >
                    {rows}
                </DataTable>
            </details>
        </Card>
    }
}

fn row(step: &StepView) -> impl IntoView + use<> {
    let took = match step.state {
        StepState::Skipped => "skipped".to_owned(),
        _ => step.duration_ms().map_or_else(|| "–".to_owned(), format::duration),
    };
    view! {
        <tr>
            <td>{format!("{} {}", step.number, step.title)}</td>
            <td class="num">{took}</td>
            <td class="num">{format::duration(u64::from(step.step.documented_seconds()) * 1_000)}</td>
        </tr>
    }
}
