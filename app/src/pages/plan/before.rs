//! What speaks for and against a start: the checklist, triggers, latest-copy, time, space, and the steps to come.

use leptos::prelude::*;
use rollback_types::{BackupHealth, CheckItem, CheckState, DiskSpace, PlannedStep, TimeEstimate, Trigger};

use crate::components::{Badge, Card, Fact, Icon, IconName, KeyValue, LadderGrid, Time, Tone};
use crate::format;

fn check_look(state: CheckState) -> (&'static str, IconName, &'static str) {
    match state {
        CheckState::Proven => ("good", IconName::Check, "Proven"),
        CheckState::Failed => ("bad", IconName::Cross, "Failed"),
        CheckState::Warning => ("warn", IconName::Warning, "Worth a look"),
        CheckState::ForPerson => ("person", IconName::Question, "For you to check"),
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

/// latest-copy on the ladder.
#[component]
pub fn CopyCard(
    /// As last proven; absent until the first proof is through.
    health: Option<BackupHealth>,
) -> impl IntoView {
    match health {
        None => view! {
            <Card title="latest-copy">
                <div class="body">
                    <p class="muted">"Not looked at yet. Plan again in a moment."</p>
                </div>
            </Card>
        }
        .into_any(),
        Some(health) => {
            let (tone, icon, word) = if health.intact {
                (Tone::Good, IconName::Check, "intact")
            } else {
                (Tone::Bad, IconName::Cross, "not intact")
            };
            let verdict = format::visible(&health.verdict);
            let remedy = health.remedy.as_ref().map(|r| format::visible(r));
            let at = health.checked_at;
            view! {
                <Card
                    title="latest-copy"
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
    /// The estimate.
    time: TimeEstimate,
    /// How long the planning took.
    took_ms: u64,
) -> impl IntoView {
    let here = match time.median_ms {
        Some(ms) => view! {
            <Fact term=format!("Here, median of {}", format::counted(time.runs, "runs"))>
                <b>{format::duration(ms)}</b>
            </Fact>
        }
        .into_any(),
        None => view! { <Fact term="Here">"no completed run yet"</Fact> }.into_any(),
    };
    view! {
        <Card title="Time">
            <div class="body">
                <KeyValue>
                    {here} <Fact term="The document’s estimate">{format::duration(time.documented_ms)}</Fact>
                    <Fact term="Planning took">{format::duration(took_ms)}</Fact>
                </KeyValue>
            </div>
        </Card>
    }
}

/// Free and needed space.
#[component]
pub fn DiskCard(
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
            </Card>
        }
    })
}

/// The eight steps with what each will do; 3 to 5 and the lanes of 7 side by side.
#[component]
pub fn StepsCard(
    /// The steps in the document's order.
    steps: Vec<PlannedStep>,
) -> impl IntoView {
    let mut groups: Vec<Vec<PlannedStep>> = Vec::new();
    for step in steps {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|f| f.number == step.number) => group.push(step),
            _ => groups.push(vec![step]),
        }
    }
    let items = groups
        .into_iter()
        .map(|group| {
            let number = group.first().map_or(0, |s| s.number);
            let together = (3..=5).contains(&number);
            let title = match group.as_slice() {
                [one] => one.title.clone(),
                _ => "Restore from latest-copy".to_owned(),
            };
            let several = group.len() > 1;
            let intents = group
                .into_iter()
                .map(|s| {
                    let store = several.then(|| s.step.lane()).flatten();
                    let prefix = store.map(|s| view! { <b>{s.title()}": "</b> });
                    view! {
                        <div class="d foreign">
                            {prefix}
                            {format::visible(&s.intent)}
                        </div>
                    }
                })
                .collect_view();
            view! {
                <li class=if together { "step pending together" } else { "step pending" }>
                    <span class="mark">{number}</span>
                    <div>
                        <div class="t">{title}</div>
                        {intents}
                    </div>
                </li>
            }
        })
        .collect_view();
    let side_by_side = rollback_types::RunKind::Rollback.stages().iter().filter(|s| s.len() > 1).count() == 2;
    let tag = side_by_side.then(|| view! { <span class="tag">"3, 4 and 5 side by side"</span> });
    view! {
        <Card title="The eight steps" aside=view! { {tag} }.into_any()>
            <ol class="steps">{items}</ol>
        </Card>
    }
}
