//! One backup: its verdict, what to do, its proofs and files.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{BackupFile, BackupHealth, BackupSource, Role, Rung, RungState, StoreKind, Timestamp};

use super::rungs::RungsTable;
use super::trend::Trend;
use crate::account::may;
use crate::api::backups::{TrustBackup, VerifyBackup};
use crate::components::{
    Badge, Card, Column, CopyableId, DataTable, Icon, IconName, LadderGrid, RoleNote, StoreName, Time, TimeStyle,
};
use crate::format;
use crate::pages::overview::health_look;
use crate::pages::plan::subject::restore_path;

#[component]
pub(super) fn Backup(health: BackupHealth) -> impl IntoView {
    let (tone, icon, word) = health_look(&health);
    let name = health.source.name().into_owned();
    let title = format::clip(&format::visible(&name), 120);
    let kept = match &health.source {
        BackupSource::LatestCopy => "the safety copy of production",
        BackupSource::Version(id) if id.is_baseline() => "the baseline: for disaster recovery",
        BackupSource::Version(_) => "a kept version",
        BackupSource::WayBack(_) => "what a run saved before it restored",
        BackupSource::Fresh(_) | BackupSource::FreshSafety(_) => "a copy that is being made",
    };
    // A kept version that is well needs no room; the safety copy and whatever is not well are open.
    let open = !health.intact || health.source == BackupSource::LatestCopy;
    let files = health.files.iter().map(file).collect_view();
    let total: u64 = health.files.iter().filter_map(|f| f.bytes).sum();
    let history = health.history.clone();
    view! {
        <Card
            title=title
            class="backup"
            aside=view! {
                <span class="tag">{kept}</span>
                <Badge tone=tone icon=icon text=word.to_owned() />
            }
                .into_any()
            footer=view! {
                "Looked at "
                <Time at=health.checked_at />
                {(health.took_ms > 0).then(|| format!(" · the last full proof took {}", format::duration(health.took_ms)))}
                " · "
                {format::bytes(total)}
                " in "
                <bdi class="foreign">
                    <code>{format::visible(&health.folder)}</code>
                </bdi>
            }
                .into_any()
        >
            <div class="body">
                <div class="verdict-lines">
                    <p class="foreign">
                        <b>{format::visible(&health.verdict)}</b>
                    </p>
                    {lowest_failure(&health)}
                    {health
                        .remedy
                        .as_deref()
                        .map(|r| view! { <p class="foreign"><b>"What to do: "</b>{format::visible(r)}</p> })}
                    <p class="small muted">{trial(&health)}</p>
                </div>
                {(!health.replaced.is_empty()).then(|| view! { <Trust name=name.clone() stores=health.replaced.clone() seen=health.replaced_as_seen() /> })}
                <Actions name=name intact=health.intact />
                <Trend history=history />
            </div>
            <details class="proofs" open=open>
                <summary>"Proofs and files"</summary>
                <div class="body">
                    <LadderGrid health=health.clone() />
                </div>
                <DataTable
                    label=format!("Files of {}", health.source.name())
                    columns=vec![
                        Column::text("Store"),
                        Column::text("File"),
                        Column::text("SHA-256"),
                        Column::text("Proven up to"),
                        Column::number("Size"),
                        Column::number("Written"),
                    ]
                    class="stack files"
                >
                    {files}
                </DataTable>
                <RungsTable health=health />
            </details>
        </Card>
    }
}

/// The lowest rung that fails, of whichever file, with what was seen.
fn lowest_failure(health: &BackupHealth) -> Option<impl IntoView + use<>> {
    let lowest =
        health.files.iter().filter_map(|f| Some((f.store, f.lowest_failure()?))).min_by_key(|(_, r)| r.rung)?;
    let (store, rung) = lowest;
    let said = format!("Fails at “{}”, {store}: {}", rung.rung.title(), format::visible(&rung.detail));
    Some(view! { <p class="foreign fails"><Icon name=IconName::Cross />" "{said}</p> })
}

/// When all files were last restored into a scratch place: the oldest of them counts.
fn proven_on_trial(health: &BackupHealth) -> Option<Timestamp> {
    let at = |file: &BackupFile| {
        let trial = file.rungs.iter().find(|r| r.rung == Rung::TrialRestore && r.state == RungState::Passed)?;
        trial.checked_at
    };
    let times: Option<Vec<Timestamp>> = health.files.iter().map(at).collect();
    times?.into_iter().min()
}

fn trial(health: &BackupHealth) -> impl IntoView + use<> {
    match proven_on_trial(health) {
        Some(at) => view! { "Last proven by a trial restore "<Time at=at style=TimeStyle::Relative />"." }.into_any(),
        None => view! { "Not proven by a trial restore as it is now." }.into_any(),
    }
}

/// Look again, try it out, restore from it.
#[component]
fn Actions(name: String, intact: bool) -> impl IntoView {
    let about = format::short_id(&name);
    let may = may(Role::Operator);
    let note = format!("verify-note-{}", format::slug(&name));
    let restore = restore_path(&name);
    let restore_label = format!("Restore production from this…: {about}");
    let note_id = note.clone();
    let button = |trial: bool, label: &'static str, at_work: &'static str| {
        let described = (!may).then(|| note.clone());
        view! {
            <form method="post" action=VerifyBackup::PATH>
                <input type="hidden" name="name" value=name.clone() />
                <input type="hidden" name="trial" value=trial.to_string() />
                <button
                    class="btn small"
                    type="submit"
                    disabled=!may
                    aria-describedby=described
                    aria-label=format!("{label}: {about}")
                    data-at-work=at_work
                >
                    <Icon name=IconName::Refresh />
                    {label}
                </button>
            </form>
        }
    };
    view! {
        <div class="actions">
            {button(false, "Verify", "Verifying…")}
            {button(true, "Verify with trial restore", "Restoring into a scratch place…")}
            {restore
                .filter(|_| intact)
                .map(|href| {
                    view! {
                        <a class="btn small" href=href aria-label=restore_label>
                            <Icon name=IconName::Back />
                            "Restore production from this…"
                        </a>
                    }
                })}
            <RoleNote id=note_id least=Role::Operator />
        </div>
    }
}

/// Files that took others' places: only a person can tell whether they are the right ones.
#[component]
fn Trust(name: String, stores: Vec<StoreKind>, seen: String) -> impl IntoView {
    let about = format::short_id(&name);
    let may = may(Role::Operator);
    let note = format!("trust-note-{}", format::slug(&name));
    let reason = format!("trust-reason-{}", format::slug(&name));
    let stores = stores.iter().map(|s| view! { <li><StoreName store=*s /></li> }).collect_view();
    view! {
        <details class="decision">
            <summary class="btn small" aria-label=format!("Trust the replaced files…: {about}")>
                "Trust the replaced files…"
            </summary>
            <form method="post" action=TrustBackup::PATH class="decision-body">
                <input type="hidden" name="name" value=name />
                <input type="hidden" name="seen" value=seen />
                <p class="small">
                    "These files are not the ones that were seen before, and no checksum on record says which are right. Trust them only if you know who replaced them, and why:"
                </p>
                <ul class="plain-list">{stores}</ul>
                <div class="field">
                    <label for=reason.clone()>"Reason"</label>
                    <textarea id=reason.clone() name="reason" rows="2" required minlength="3" maxlength="500"></textarea>
                </div>
                <div class="actions">
                    <button
                        class="btn small"
                        type="submit"
                        disabled=!may
                        aria-describedby=(!may).then(|| note.clone())
                        data-at-work="Reading them again…"
                    >
                        {format!("Trust these files of {about}")}
                    </button>
                    <RoleNote id=note.clone() least=Role::Operator />
                </div>
            </form>
        </details>
    }
}

fn file(f: &BackupFile) -> impl IntoView + use<> {
    let name = f.path.rsplit('/').next().unwrap_or(&f.path).to_owned();
    let hash = f.sha256.clone().map(|hash| {
        let shown = format!("{}…", format::clip(&hash, 12).trim_end_matches('…'));
        view! { <CopyableId text=hash shown=shown what=format!("SHA-256 of {name}") /> }
    });
    let proven = f.highest_proven().map_or("nothing", Rung::title);
    view! {
        <tr>
            <td>
                <StoreName store=f.store />
            </td>
            <td class="wide foreign">
                <code>{format::visible(&name)}</code>
            </td>
            <td class="wide">{hash.map_or_else(|| "not computed yet".into_any(), IntoAny::into_any)}</td>
            <td data-label="proven up to">{proven}</td>
            <td class="num">{f.bytes.map_or_else(|| "–".to_owned(), format::bytes)}</td>
            <td class="num muted">{f.modified_at.map(|at| view! { <Time at=at style=TimeStyle::Absolute /> })}</td>
        </tr>
    }
}
