//! Every chart there is, of made-up figures.

use std::collections::HashMap;

use leptos::prelude::*;
use rollback_types::{RunState, Step, VersionId, VersionRow, VersionState};

use super::specimens::{ago, run};
use crate::api::backups::BackupSize;
use crate::charts::{
    ChartError, DurationRow, Room, durations_chart, history_chart, sizes_chart, timeline_chart, versions_chart,
};
use crate::components::Card;

const MB: u64 = 1_000_000;

/// Each kind as a desk and as a phone have it.
#[component]
pub(super) fn ChartsSection() -> impl IntoView {
    view! {
        <Card title="Charts">
            <div class="body">
                <h3>"Steps of a run over time"</h3>
                {chart("timeline", |id, room| timeline_chart(id, &run(), ago(0), room).map(Some))}
                <h3>"Steps beside the document’s estimates"</h3>
                {chart("durations", |id, room| durations_chart(id, "Durations of a specimen", "this run", &steps(), room).map(Some))}
                <h3>"Runs over time"</h3> {chart("history", |id, room| history_chart(id, &runs(), room))}
                <h3>"Sizes over time"</h3> {chart("sizes", |id, room| sizes_chart(id, &sizes(), room))}
                <h3>"Versions"</h3>
                {chart("versions", |id, room| versions_chart(id, &versions(), Some(&HashMap::new()), None, room))}
            </div>
        </Card>
    }
}

/// The drawings for a desk and for a phone.
fn chart(name: &str, draw: fn(&str, Room) -> Result<Option<String>, ChartError>) -> impl IntoView + use<> {
    let drawn = |room: Room, size: &str| draw(&format!("specimen-{name}-{size}"), room);
    let drawings =
        drawn(Room::Wide, "wide").and_then(|wide| Ok((wide.unwrap_or_default(), drawn(Room::Narrow, "narrow")?)));
    let label = format!("Specimen of the chart {name}, scrolls sideways");
    match drawings {
        Ok((wide, narrow)) => view! {
            <div>
                <div class="chart wide" tabindex="0" role="region" aria-label=label inner_html=wide></div>
                {narrow.map(|narrow| view! { <div class="chart narrow" inner_html=narrow></div> })}
            </div>
        }
        .into_any(),
        Err(error) => view! { <p class="error">{error.to_string()}</p> }.into_any(),
    }
}

fn steps() -> Vec<DurationRow> {
    let measured = [
        (Step::Identify, Some(4)),
        (Step::DropChapters, Some(80)),
        (Step::DeletePoints, Some(2_900)),
        (Step::DeleteNodes, Some(14_000)),
        (Step::VerifyCopy, None),
    ];
    measured
        .into_iter()
        .map(|(step, measured_ms)| DurationRow {
            step,
            measured_ms,
            documented_ms: u64::from(step.documented_seconds()) * 1_000,
        })
        .collect()
}

/// One of every outcome, on different days.
fn runs() -> Vec<rollback_types::RunSummary> {
    let ends = [
        (RunState::Completed, 9_000, 4_200),
        (RunState::Completed, 7_300, 9_800),
        (RunState::CompletedWithFindings, 5_900, 71_000),
        (RunState::Aborted, 4_100, 900),
        (RunState::Interrupted, 1_500, 260_000),
        (RunState::Completed, 60, 5_100),
    ];
    let summary = run().run;
    let ended = |(state, minutes, took)| rollback_types::RunSummary {
        state,
        started_at: ago(minutes),
        duration_ms: Some(took),
        ..summary.clone()
    };
    ends.into_iter().map(ended).collect()
}

fn sizes() -> Vec<BackupSize> {
    let sizes = [("v1_baseline", 90_000, 61), ("v5_minor_20261018_101500", 52_000, 88), ("latest-copy", 1_300, 112)];
    let size = |(name, minutes, mb): (&str, u64, u64)| BackupSize {
        name: name.to_owned(),
        at: ago(minutes),
        parts: [Some(mb * MB / 10), Some(mb * MB * 6 / 10), Some(mb * MB * 3 / 10)],
        total: mb * MB,
    };
    sizes.into_iter().map(size).collect()
}

fn versions() -> Vec<VersionRow> {
    let grown = [
        ("v2_minor", "archived", 12, 3_400),
        ("v3_minor", "committed", 14, 4_100),
        ("v4_hotfix", "failed", 14, 4_180),
        ("v5_minor", "committed", 18, 5_300),
    ];
    let row = |((id, state, chapters, paragraphs), days): ((&str, &str, i64, i64), u64)| VersionRow {
        created_at: Some(ago(60 * 24 * (40 - 9 * days))),
        chapter_count: Some(chapters),
        paragraph_count: Some(paragraphs),
        ..VersionRow::of(VersionId::new(id), VersionState::from(state))
    };
    grown.into_iter().zip(0..).map(row).collect()
}
