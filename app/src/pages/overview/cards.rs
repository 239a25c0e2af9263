//! The overview's cards: what needs attention, the safety copy, the stores.

use leptos::prelude::*;
use rollback_types::{BackupHealth, Overview, Role, RunSummary, StoreReport, StoreStatus, Verdict, VersionRow};

use super::SHOWN_CANDIDATES;
use crate::account::may;
use crate::components::badge::backup_look;
use crate::components::{
    Badge, Card, EmptyState, Icon, IconName, LadderGrid, RunBadge, RunLink, StoreDot, Time, TimeStyle, Tone,
    VersionBadge, VersionLink, plan_link,
};
use crate::format;
use crate::pages::run_rows::about;

pub(super) fn attention(o: &Overview) -> impl IntoView + use<> {
    let shown = &o.candidates[..o.candidates.len().min(SHOWN_CANDIDATES)];
    let empty = o.candidates.is_empty() && o.interrupted_runs.is_empty();
    let runs = o.interrupted_runs.iter().map(interrupted).collect_view();
    let items = shown.iter().map(candidate).collect_view();
    let more = o.candidate_count.saturating_sub(shown.len() as u64);
    let unread = o.layout.is_none();
    view! {
        <Card
            title="Needs attention"
            aside=view! {
                <a class="small" href="/versions">
                    "All versions"
                </a>
            }
                .into_any()
        >
            {if empty && unread {
                view! {
                    <EmptyState title="The registry cannot be read.">
                        <p>
                            "Whether a version waits for a rollback is not known. What is wrong with SQLite, and what to do, stands under Stores."
                        </p>
                    </EmptyState>
                }
                    .into_any()
            } else if empty {
                view! {
                    <EmptyState title="Nothing needs you.">
                        <p>
                            "Versions that failed, or stopped half way, would be listed here, with a way to plan their rollback."
                        </p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! { <ul class="items">{runs} {items}</ul> }.into_any()
            }}
            {(more > 0)
                .then(|| {
                    view! {
                        <p class="more">
                            <a href="/versions">{format!("{} more in the list of versions", format::count(more))}</a>
                        </p>
                    }
                })}
        </Card>
    }
}

/// A run that a person has to resume or to abandon.
fn interrupted(run: &RunSummary) -> impl IntoView + use<> {
    let id = run.id;
    let does = plan_link(Role::Operator, "Resume or abandon", "See the run");
    let label = if may(Role::Operator) { format!("{does} run #{id}") } else { format!("See run #{id}") };
    view! {
        <li>
            <div class="top">
                <RunLink id=id />
                {about(run)}
                <RunBadge state=run.state />
            </div>
            <p class="why">
                {run.last_sign_at.map(|at| view! { "Last sign " <Time at=at style=TimeStyle::Relative /> ". " })}
                "It was interrupted in the middle. Nothing goes on by itself."
            </p>
            <a class="btn small" href=format!("/runs/{id}") aria-label=label>
                {does}
            </a>
        </li>
    }
}

fn candidate(v: &VersionRow) -> impl IntoView + use<> {
    let take_over = v.candidacy == rollback_types::Candidacy::TakeOver;
    let action = format::version_path(v.version_id.as_str()).map(|path| {
        let does = if take_over { "Take over" } else { "Plan rollback" };
        let text = plan_link(Role::Operator, does, "See the plan");
        let label = format!("{text} of {}", format::short_id(v.version_id.as_str()));
        view! {
            <a class="btn small" href=format!("{path}/plan") aria-label=label>
                {text}
            </a>
        }
    });
    let why = v.status_message.as_deref().map(|m| format::clip(&format::visible_lines(m), 240));
    view! {
        <li>
            <div class="top">
                <VersionLink id=v.version_id.clone() />
                <VersionBadge state=v.status.clone() />
            </div>
            // Ages begin where all lines do: beside badges of any width they could not be compared.
            <p class="why">
                {v.updated_at.or(v.created_at).map(|at| view! { <Time at=at style=TimeStyle::Relative /> " · " })}
                <span class="foreign">{why.unwrap_or_else(|| "The registry gives no reason.".to_owned())}</span>
            </p>
            {action}
        </li>
    }
}

/// What the page's verdict says of it already is not said here once more.
pub(super) fn latest_copy(health: Option<BackupHealth>, verdict: &Verdict) -> impl IntoView + use<> {
    let Some(health) = health else {
        return view! {
            <Card title="latest-copy">
                <EmptyState title="Not looked at yet.">
                    <p>
                        "The proofs of the safety copy would be here: that it exists, has its recorded hash, and opens. They begin by themselves; the page of backups can ask for them."
                    </p>
                </EmptyState>
            </Card>
        }
        .into_any();
    };
    let (tone, icon, word) = backup_look(&health);
    let told = verdict.reasons.iter().any(|reason| reason.ends_with(&health.verdict));
    let said = (!told).then(|| view! { <p class="foreign">{format::visible(&health.verdict)}</p> });
    let remedy = health.remedy.as_ref().filter(|remedy| verdict.remedy.as_ref() != Some(*remedy));
    let remedy = remedy.map(|r| view! { <p class="foreign">{format::visible(r)}</p> });
    let size = |f: &rollback_types::BackupFile| Some(format!("{} {}", f.store.title(), format::bytes(f.bytes?)));
    let sizes: Vec<_> = health.files.iter().filter_map(size).collect();
    let made = health.files.iter().filter_map(|f| f.modified_at).max();
    view! {
        <Card
            title="latest-copy"
            aside=view! { <Badge tone=tone icon=icon text=word.to_owned() /> }.into_any()
            footer=view! {
                {made
                    .map(|at| {
                        view! {
                            "Written "
                            <Time at=at />
                            " · "
                        }
                    })}
                // A copy that is not there has neither.
                {(!sizes.is_empty()).then(|| format!("{} · ", sizes.join(", ")))}
                <a href="/backups">"All backups"</a>
            }
                .into_any()
        >
            <div class="body">
                {said}
                {remedy}
                <LadderGrid health=health told=told />
            </div>
        </Card>
    }
    .into_any()
}

/// The name that a demo gives its deployment.
const DEMO: &str = "demo";

pub(super) fn stores(o: &Overview) -> impl IntoView + use<> {
    let items = o.stores.iter().map(store).collect_view();
    // Whoever looks at a demo, or at a store that is gone, may want to connect a real one.
    let offered = o.deployment == DEMO || o.stores.iter().any(|s| s.status == StoreStatus::Down);
    let connect = (offered && may(Role::Administrator)).then(|| {
        view! {
            <p class="more">
                <a href="/setup">"Connect a deployment, step by step"</a>
            </p>
        }
    });
    view! {
        <Card title="Stores">
            <ul class="items stores">{items}</ul>
            {connect}
        </Card>
    }
}

fn store(s: &StoreReport) -> impl IntoView + use<> {
    let (tone, icon, word) = match s.status {
        StoreStatus::Up => (Tone::Good, IconName::Check, "answers"),
        StoreStatus::Degraded => (Tone::Warn, IconName::Warning, "complains"),
        StoreStatus::Down => (Tone::Bad, IconName::Cross, "down"),
    };
    let engine = if s.engine == "embedded" { format!("{} (embedded)", s.store) } else { s.engine.clone() };
    let name = [Some(engine), s.version.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let latency = s.latency_ms.map(|ms| if ms == 0 { "below 1 ms".to_owned() } else { format::duration(ms) });
    view! {
        <li>
            <div class="top">
                <span class="store">
                    <StoreDot store=s.store />
                    {format::visible(&name)}
                </span>
            </div>
            <Badge tone=tone icon=icon text=word.to_owned() />
            <p class="why foreign">
                {format::visible(&s.detail)} {latency.map(|took| format!(" · {took}"))}
                <span class="under location">{format::visible(&s.location)}</span>
                {s
                    .remedy
                    .as_deref()
                    .map(|r| {
                        view! {
                            <span class="remedy">
                                <Icon name=IconName::Arrow />
                                {format::visible(r)}
                            </span>
                        }
                    })}
            </p>
        </li>
    }
}
