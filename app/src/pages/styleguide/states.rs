//! States of versions, runs and steps; the list of steps.

use leptos::prelude::*;
use rollback_types::{RunState, StepState, StoreKind, VersionState};

use super::specimens::LONG_VERSION;
use crate::components::badge::step_look;
use crate::components::{Badge, Card, Icon, IconName, Meter, RunBadge, StepBadge, StoreName, Tone, VersionBadge};

const RUN_STATES: [RunState; 6] = [
    RunState::Running,
    RunState::NeedsDecision,
    RunState::Interrupted,
    RunState::Completed,
    RunState::CompletedWithFindings,
    RunState::Aborted,
];

const STEP_STATES: [StepState; 7] = [
    StepState::Pending,
    StepState::Running,
    StepState::Done,
    StepState::FoundAbsent,
    StepState::Skipped,
    StepState::Failed,
    StepState::Interrupted,
];

/// Every state there is: icon, colour and word.
#[component]
pub(super) fn StatesSection() -> impl IntoView {
    let unknown = [VersionState::from("quarantined"), VersionState::from(""), VersionState::from(LONG_VERSION)];
    let versions = VersionState::KNOWN
        .into_iter()
        .chain(unknown)
        .map(|state| view! { <VersionBadge state=state /> })
        .collect_view();
    let runs = RUN_STATES.map(|state| view! { <RunBadge state=state /> }).into_iter().collect_view();
    let steps = STEP_STATES.map(|state| view! { <StepBadge state=state /> }).into_iter().collect_view();
    let tones = [
        (Tone::Good, IconName::Check, "proven"),
        (Tone::Bad, IconName::Cross, "failed"),
        (Tone::Warn, IconName::Warning, "look at it"),
        (Tone::Run, IconName::Clock, "at work"),
        (Tone::Idle, IconName::Dash, "neither"),
    ];
    let tones = tones
        .map(|(tone, icon, word)| view! { <Badge tone=tone icon=icon text=word.to_owned() /> })
        .into_iter()
        .collect_view();
    view! {
        <Card title="States">
            <div class="body">
                <h3>"Versions; the last three are unknown ones, shown as their own word"</h3>
                <p class="specimens">{versions}</p>
                <h3>"Runs"</h3>
                <p class="specimens">{runs}</p>
                <h3>"Steps"</h3>
                <p class="specimens">{steps}</p>
                <h3>"Tones"</h3>
                <p class="specimens">{tones}</p>
            </div>
        </Card>
    }
}

/// The list of steps, one in each state, and lanes side by side.
#[component]
pub(super) fn StepsSection() -> impl IntoView {
    let step = |number: usize, state: StepState, title: &'static str, said: &'static str, took: &'static str| {
        let mark = if state == StepState::Pending {
            view! { {number} }.into_any()
        } else {
            view! { <Icon name=step_look(state).1 /> }.into_any()
        };
        let meter = (state == StepState::Running).then(|| {
            view! {
                <div class="meter">
                    <Meter label="Progress of the specimen" percent=35_u8 store=Some(StoreKind::Qdrant) />
                    <span class="small muted">"12,000 of 34,000 points · 4,200 a second · about 6 s left"</span>
                </div>
            }
        });
        view! {
            <li class=format!("step {}", class_of(state))>
                <span class="mark" aria-hidden="true">
                    {mark}
                </span>
                <div>
                    <div class="t">
                        <span>{title}</span>
                        <StepBadge state=state />
                    </div>
                    <div class="d">{said}</div>
                </div>
                <span class="took num">{took}</span>
                {meter}
            </li>
        }
    };
    let lane = |store: StoreKind, state: StepState, said: &'static str, took: &'static str| {
        view! {
            <li class=format!("lane {}", class_of(state))>
                <div class="t">
                    <StoreName store=store />
                    <StepBadge state=state />
                </div>
                <span class="took">{took}</span>
                <div class="d">{said}</div>
            </li>
        }
    };
    view! {
        <Card title="Steps" class="run">
            <ol class="steps">
                {step(1, StepState::Done, "Identify the version", "The registry has it once.", "4 ms")}
                {step(2, StepState::FoundAbsent, "Drop the staging tables", "They were gone already.", "9 ms")}
                {step(3, StepState::Running, "Delete the staging points", "In batches.", "2.8 s")}
                {step(4, StepState::Failed, "Delete the staging nodes", "The graph refused the deletion.", "0.4 s")}
                {step(5, StepState::Interrupted, "Verify latest-copy", "Stepback ended here.", "")}
                {step(6, StepState::Skipped, "Restore", "Production is as latest-copy has it.", "")}
                <li class="step done">
                    <span class="mark" aria-hidden="true">
                        <Icon name=IconName::Check />
                    </span>
                    <div>
                        <div class="t">
                            <span>"Restore from latest-copy"</span>
                            <span class="tag">"three lanes side by side"</span>
                        </div>
                    </div>
                    <ul class="lanes">
                        {lane(StoreKind::Sqlite, StepState::Done, "18 chapters, proven.", "80 ms")}
                        {lane(StoreKind::Qdrant, StepState::Done, "35,118 points, proven.", "1.2 s")}
                        {lane(StoreKind::Neo4j, StepState::Skipped, "It does not differ.", "")}
                    </ul>
                </li>
                {step(8, StepState::Pending, "Close the version", "rolling_back becomes rolled_back.", "")}
            </ol>
        </Card>
    }
}

fn class_of(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::FoundAbsent => "found-absent",
        StepState::Skipped => "skipped",
        StepState::Failed => "failed",
        StepState::Interrupted => "interrupted",
    }
}
