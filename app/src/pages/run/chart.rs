//! When each step worked: drawn as a Gantt chart, and as figures beside the document's estimates.

use leptos::prelude::*;
use rollback_types::{RunView, StepDuration, StepState, StepView, Timestamp};

use crate::api::runs::Drawings;
use crate::components::{Card, Chart, Column, Figures, Time, TimeStyle};
use crate::format;

const TITLE: &str = "Where the time went";

/// The chart with its figures.
#[component]
pub fn DurationsCard(
    /// The run.
    view: RunView,
    /// What its steps took here before.
    medians: Vec<StepDuration>,
) -> impl IntoView {
    let now = Timestamp::now();
    let chart = match Drawings::of_run(&view, now) {
        Ok(drawings) => view! { <Chart title=TITLE drawings=drawings /> }.into_any(),
        Err(_) => view! { <p class="body muted">"The chart could not be drawn. The figures are below."</p> }.into_any(),
    };
    let rows = view.steps.iter().map(|step| row(step, &medians)).collect_view();
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
    // Of a run that goes on it is a picture of one moment.
    let of_when = view.run.ended_at.is_none().then(|| {
        view! {
            <div class="body">
                <p class="small muted">
                    "As of "
                    <Time at=now style=TimeStyle::Exact />
                    ". "
                    // Shown by the style while the page does not hear of the run.
                    <span class="when-lost">
                        "The line is lost: this chart stands as it was then, and the steps above may be a moment newer."
                    </span>
                </p>
            </div>
        }
    });
    view! {
        <Card title=TITLE footer=footer.into_any()>
            {chart}
            {of_when}
            <Figures
                title=TITLE
                columns=vec![
                    Column::text("Step"),
                    Column::number("This run"),
                    Column::number("The document"),
                    Column::number("Median here"),
                ]
            >
                {rows}
            </Figures>
        </Card>
    }
}

fn row(step: &StepView, medians: &[StepDuration]) -> impl IntoView + use<> {
    let here = medians.iter().find(|m| m.step == step.step && m.runs > 0).map(|m| format::duration(m.median_ms));
    let took = match step.state {
        StepState::Skipped => "skipped".to_owned(),
        _ => match (step.duration_ms().map(format::duration), step.tries.len()) {
            (Some(took), tries @ 2..) => format!("{took} in {tries} tries"),
            (took, _) => took.unwrap_or_else(|| "–".to_owned()),
        },
    };
    view! {
        <tr>
            <td>
                <a href=format!("#{}", format::step_anchor(step.step))>{format!("{} {}", step.number, step.title)}</a>
            </td>
            <td class="num">{took}</td>
            <td class="num">{format::duration(u64::from(step.step.documented_seconds()) * 1_000)}</td>
            <td class="num">{here.unwrap_or_else(|| "–".to_owned())}</td>
        </tr>
    }
}
