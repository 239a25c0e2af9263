//! Backups: what each copy is known to be good for, with the proofs.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::form::ActionForm;
use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, BackupSource, Rung};

use super::overview::health_look;
use crate::api::backups::{VerifyLatestCopy, list_backups};
use crate::components::{
    Badge, Card, CopyableId, EmptyState, ErrorPanel, Icon, IconName, LadderGrid, Loading, PageHeader, StoreName, Time,
    TimeStyle,
};
use crate::format;

/// `/backups`.
#[component]
pub fn BackupsPage() -> impl IntoView {
    let verify = ServerAction::<VerifyLatestCopy>::new();
    let backups = Resource::new_blocking(move || verify.version().get(), |_| list_backups());
    let busy = verify.pending();
    let failure =
        move || verify.value().get().and_then(Result::err).map(|error| view! { <ErrorPanel problem=error /> });
    view! {
        <PageHeader
            tab="Backups"
            lead="What each copy is known to be good for. A rollback restores only from latest-copy.".into_any()
            tools=view! {
                <ActionForm action=verify>
                    <button class="btn" type="submit" disabled=move || busy.get()>
                        <Icon name=Signal::derive(move || {
                            if busy.get() { IconName::Spinner } else { IconName::Refresh }
                        }) />
                        {move || if busy.get() { "Verifying latest-copy…" } else { "Verify latest-copy again now" }}
                    </button>
                </ActionForm>
            }
                .into_any()
        >
            "Backups"
        </PageHeader>
        {failure}
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match backups.await {
                    Ok(list) if list.is_empty() => view! { <None /> }.into_any(),
                    Ok(list) => list.into_iter().map(|b| view! { <Backup health=b /> }).collect_view().into_any(),
                    Err(error) => view! { <ErrorPanel problem=error retry="/backups" /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn None() -> impl IntoView {
    view! {
        <EmptyState title="There is no backup.">
            <p>
                "The safety copy (backups/latest-copy) and the kept versions would be listed here. Check the backups folder in the configuration, and make a copy before you need one."
            </p>
        </EmptyState>
    }
}

#[component]
pub(super) fn Backup(health: BackupHealth) -> impl IntoView {
    let (tone, icon, word) = health_look(&health);
    let title = format::clip(&format::visible(&health.source.name()), 120);
    let kept = match &health.source {
        BackupSource::LatestCopy => "the safety copy of production",
        BackupSource::Version(id) if id.is_baseline() => "the baseline: for disaster recovery",
        BackupSource::Version(_) => "a kept version",
        BackupSource::WayBack(_) => "what a run saved before it restored",
        BackupSource::Fresh(_) => "a copy that is being made",
    };
    // A kept version that is well needs no room; the safety copy and whatever is not well are open.
    let open = !health.intact || health.source == BackupSource::LatestCopy;
    let files = health.files.iter().map(file).collect_view();
    let total: u64 = health.files.iter().filter_map(|f| f.bytes).sum();
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
                <p class="foreign">
                    <b>{format::visible(&health.verdict)}</b>
                </p>
                {health.remedy.as_deref().map(|r| view! { <p class="foreign">{format::visible(r)}</p> })}
            </div>
            <details class="proofs" open=open>
                <summary>"Proofs and files"</summary>
                <div class="body">
                    <LadderGrid health=health />
                </div>
                <div class="scroll">
                    <table class="stack files">
                        <thead>
                            <tr>
                                <th scope="col">"Store"</th>
                                <th scope="col">"File"</th>
                                <th scope="col">"SHA-256"</th>
                                <th scope="col">"Proven up to"</th>
                                <th scope="col" class="num">
                                    "Size"
                                </th>
                                <th scope="col" class="num">
                                    "Written"
                                </th>
                            </tr>
                        </thead>
                        <tbody>{files}</tbody>
                    </table>
                </div>
            </details>
        </Card>
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
