//! When each step worked: drawn as a Gantt chart, and as figures beside the document's estimates.

use leptos::prelude::*;
use rollback_types::{RunView, StepState, StepView};

use crate::api::runs::Drawings;
use crate::components::{Card, Chart, Column, Figures};
use crate::format;

const TITLE: &str = "Where the time went";

/// The chart with its figures.
#[component]
pub fn DurationsCard(
    /// The run.
    view: RunView,
) -> impl IntoView {
    let chart = match Drawings::of_run(&view) {
        Ok(drawings) => view! { <Chart title=TITLE drawings=drawings /> }.into_any(),
        Err(_) => view! { <p class="body muted">"The chart could not be drawn. The figures are below."</p> }.into_any(),
    };
    let rows = view.steps.iter().map(row).collect_view();
    let cut = (view.pauses.iter().any(|pause| view.run.last_sign_at != Some(pause.from))).then_some(
        " The time in which the run waited for a decision, or stood still after an interruption, is cut out; a grey stroke \
         stands there.",
    );
    let footer = view! {
        <p>
            "Time since the run began. A step that was tried again has a bar for each try. Steps that overlap worked side \
            by side; the colours are the stores’."
            {cut}
        </p>
    };
    view! {
        <Card title=TITLE footer=footer.into_any()>
            // Shown by the style while the page does not hear of the run.
            <p class="body note when-lost">"The line is lost: this chart stands as it was then."</p>
            {chart}
            <Figures
                title=TITLE
                columns=vec![
                    Column::text("Step"),
                    Column::number("This run"),
                    Column::number("The document"),
                ]
            >
                {rows}
            </Figures>
        </Card>
    }
}

fn row(step: &StepView) -> impl IntoView + use<> {
    let took = match step.state {
        StepState::Skipped => "skipped".to_owned(),
        _ => match (step.duration_ms().map(format::duration), step.tries.len()) {
            (Some(took), tries @ 2..) => format!("{took} in {tries} tries"),
            (took, _) => took.unwrap_or_else(|| "–".to_owned()),
        },
    };
    view! {
        <tr>
            <td>{format!("{} {}", step.number, step.title)}</td>
            <td class="num">{took}</td>
            <td class="num">{format::duration(u64::from(step.step.documented_seconds()) * 1_000)}</td>
        </tr>
    }
}
