//! What speaks for and against a start: the checklist, triggers, the copy that is restored from, time, space.

use leptos::prelude::*;
use rollback_types::{BackupHealth, CheckItem, CheckState, DiskSpace, RunKind, TimeEstimate, Trigger};

use crate::components::badge::backup_look;
use crate::components::{Badge, Card, Fact, Icon, IconName, KeyValue, LadderGrid, Time};
use crate::format;

fn check_look(state: CheckState) -> (&'static str, IconName, &'static str) {
    match state {
        CheckState::Proven => ("good", IconName::Check, "Proven"),
        CheckState::Failed => ("bad", IconName::Cross, "Failed"),
        CheckState::Warning => ("warn", IconName::Warning, "Worth a look"),
        CheckState::ForPerson => ("for-person", IconName::Question, "For you to check"),
    }
}

/// The document's checklist, ticked by evidence.
#[component]
pub fn BeforeCard(
    /// The items.
    checklist: Vec<CheckItem>,
) -> impl IntoView {
    let proven = checklist.iter().filter(|c| c.state == CheckState::Proven).count();
    let tally = format!("{proven} of {} proven", checklist.len());
    let items = checklist
        .into_iter()
        .map(|item| {
            let (class, icon, word) = check_look(item.state);
            view! {
                <li class=format!("check {class}")>
                    <Icon name=icon />
                    <span>
                        <span class="sr">{word}": "</span>
                        {format::visible(&item.title)}
                    </span>
                    <span class="evidence foreign">{format::visible(&item.detail)}</span>
                    {(item.state == CheckState::ForPerson).then(|| view! { <span class="answer small muted">"for you"</span> })}
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Before you start" aside=view! { <span class="tag">{tally}</span> }.into_any()>
            <div class="body">
                <ul class="checks">{items}</ul>
            </div>
        </Card>
    }
}

/// The documents' triggers that the registry or the stores suggest.
#[component]
pub fn TriggersCard(
    /// The triggers.
    triggers: Vec<Trigger>,
) -> impl IntoView {
    (!triggers.is_empty()).then(|| {
        let items = triggers
            .into_iter()
            .map(|t| {
                view! {
                    <li>
                        <span>{format::visible(&t.title)}</span>
                        <span class="under foreign">{format::visible_lines(&t.evidence)}</span>
                    </li>
                }
            })
            .collect_view();
        view! {
            <Card title="What speaks for a rollback">
                <ul class="plain-list">{items}</ul>
            </Card>
        }
    })
}

/// The backup that is restored from, on the ladder.
#[component]
pub fn CopyCard(
    /// Its name.
    title: String,
    /// As last proven; absent until the first proof is through.
    health: Option<BackupHealth>,
) -> impl IntoView {
    match health {
        None => view! {
            <Card title=format::clip(&format::visible(&title), 120)>
                <div class="body">
                    <p class="muted">"Not looked at yet. Plan again in a moment."</p>
                </div>
            </Card>
        }
        .into_any(),
        Some(health) => {
            let (tone, icon, word) = backup_look(&health);
            let verdict = format::visible(&health.verdict);
            let remedy = health.remedy.as_ref().map(|r| format::visible(r));
            let at = health.checked_at;
            view! {
                <Card
                    title=format::clip(&format::visible(&title), 120)
                    aside=view! { <Badge tone=tone icon=icon text=word /> }.into_any()
                    footer=view! {
                        <p>
                            <span class="foreign">{verdict}</span>
                            " Looked at "
                            <Time at=at />
                            "."
                        </p>
                        {remedy.map(|r| view! { <p class="foreign">{r}</p> })}
                    }
                        .into_any()
                >
                    <div class="body">
                        <LadderGrid health=health />
                    </div>
                </Card>
            }
            .into_any()
        }
    }
}

/// The document's estimate beside what it took here.
#[component]
pub fn TimeCard(
    /// Only a rollback has earlier runs to compare with, and the document's estimate of the whole.
    kind: RunKind,
    /// The estimate.
    time: TimeEstimate,
    /// How long the planning took.
    took_ms: u64,
) -> impl IntoView {
    let rollback = kind == RunKind::Rollback;
    let documented = match kind {
        RunKind::MakeBackup | RunKind::Validate => None,
        _ => Some(view! { <Fact term="The document’s estimate">{whole_minutes(time.documented_ms)}</Fact> }),
    };
    let here = match time.median_ms.filter(|_| rollback) {
        Some(ms) => view! {
            <Fact term=format!("Here, median of {}", format::counted(time.runs, "runs"))>
                <b>{format::duration(ms)}</b>
            </Fact>
        }
        .into_any(),
        None if rollback => view! { <Fact term="Here">"no completed run yet"</Fact> }.into_any(),
        None => ().into_any(),
    };
    view! {
        <Card title="Time">
            <div class="body">
                <KeyValue>
                    {here} {documented}
                    <Fact term="Planning took">{format::duration(took_ms)}</Fact>
                </KeyValue>
            </div>
        </Card>
    }
}

/// `20 min`: the document speaks in minutes.
fn whole_minutes(ms: u64) -> String {
    format!("{} min", ms / 60_000)
}

/// Free and needed space, and what of it the ways back take.
#[component]
pub fn DiskCard(
    /// Bytes that the ways back take, 0 when nothing is restored.
    way_back_bytes: u64,
    /// The file systems.
    disk: Vec<DiskSpace>,
) -> impl IntoView {
    (!disk.is_empty()).then(|| {
        let items = disk
            .into_iter()
            .map(|d| {
                let enough = d.free_bytes >= d.needed_bytes;
                let class = if enough { "" } else { "bad" };
                view! {
                    <li>
                        <span class=class>
                            {(!enough).then(|| view! { <Icon name=IconName::Cross />" " })}
                            <b>{format::bytes(d.free_bytes)}</b>
                            " free, "
                            {format::bytes(d.needed_bytes)}
                            " needed"
                        </span>
                        <span class="under foreign">{format::visible(&d.path)}</span>
                    </li>
                }
            })
            .collect_view();
        view! {
            <Card title="Disk">
                <ul class="plain-list">{items}</ul>
                {(way_back_bytes > 0)
                    .then(|| {
                        view! {
                            <p class="more small">
                                "Of it for the way back: about " <b>{format::bytes(way_back_bytes)}</b>
                                ", taken before anything is replaced."
                            </p>
                        }
                    })}
            </Card>
        }
    })
}
