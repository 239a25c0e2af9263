//! Backups: what each copy is known to be good for, with the proofs; and what runs saved before they restored.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod proofs;
mod row;
mod rungs;
mod sizes;
mod trend;
mod ways_back;

use leptos::prelude::*;

use rollback_types::{BackupHealth, Problem, Role};

use self::row::{Backup, VERIFY_NOTE, columns};
use self::sizes::SizesCard;
use self::ways_back::WaysBackCard;
use crate::account::may;
use crate::api::backups::{BackupSizes, RemoveWayBack, TrustBackup, VerifyBackup, list_backups, ways_back};
use crate::components::{
    Card, DataTable, EmptyState, ErrorPanel, Icon, IconName, Loading, PageHeader, RoleNote, Said, plan_link,
};
use crate::fragment::Fragment;
use crate::freshness::PageFreshness;
use crate::notice;

/// What is wrong with a reason, which stands beside its field.
fn reason_error(problem: &Problem) -> Option<&str> {
    problem.errors.iter().find(|error| error.pointer == "/reason").map(|error| error.detail.as_str())
}

/// The row of that backup shows the refusal in its form, which it has only while files of it wait for a word.
fn stands_in_its_row(problem: &Problem, meant: Option<&str>, list: &[BackupHealth]) -> bool {
    let waits = |health: &BackupHealth| !health.replaced.is_empty() && Some(&*health.source.name()) == meant;
    reason_error(problem).is_some() && list.iter().any(waits)
}

pub(crate) use self::ways_back::{Remove, UndoLink};

/// `/backups`.
#[component]
pub fn BackupsPage() -> impl IntoView {
    let backups = Resource::new_blocking(|| (), |()| list_backups());
    let kept = Resource::new_blocking(|| (), |()| ways_back());
    let failure = notice::refused::<VerifyBackup>()
        .or_else(notice::refused::<RemoveWayBack>)
        .map(|problem| view! { <ErrorPanel problem=problem /> });
    let (trust, meant) = (notice::refused::<TrustBackup>(), notice::typed("name"));
    let not_trusted = trust.map(|problem| {
        view! {
            <Transition fallback=|| ()>
                {move || {
                    let (problem, meant) = (problem.clone(), meant.clone());
                    Suspend::new(async move {
                        let list = backups.await.unwrap_or_default();
                        (!stands_in_its_row(&problem, meant.as_deref(), &list)).then(|| view! { <ErrorPanel problem=problem /> })
                    })
                }}
            </Transition>
        }
    });
    view! {
        <PageHeader
            tab="Backups"
            lead="What each copy is known to be good for: proven from its file’s existence up to a restore into a scratch place."
                .into_any()
            tools=view! {
                <PageFreshness />
                <a class="btn" href="/backups/new">
                    <Icon name=IconName::Box />
                    {plan_link(Role::Operator, "Make a new latest-copy…", "See the plan of a new latest-copy")}
                </a>
            }
                .into_any()
        >
            "Backups"
        </PageHeader>
        <Said />
        {failure}
        {not_trusted}
        <Fragment id="backups-now">
            <Transition fallback=Loading>
                {move || Suspend::new(async move {
                    match backups.await {
                        Ok(list) if list.is_empty() => view! { <None /> }.into_any(),
                        Ok(list) => view! { <Copies list=list /> }.into_any(),
                        Err(error) => view! { <ErrorPanel problem=error retry="/backups" /> }.into_any(),
                    }
                })}
            </Transition>
            <Transition fallback=Loading>
                {move || Suspend::new(async move {
                    match kept.await {
                        Ok(list) => view! { <WaysBackCard list=list /> }.into_any(),
                        Err(error) => view! { <ErrorPanel problem=error retry="/backups" /> }.into_any(),
                    }
                })}
            </Transition>
        </Fragment>
    }
}

/// Every copy in one table, and how large they are.
#[component]
fn Copies(list: Vec<BackupHealth>) -> impl IntoView {
    let sizes = BackupSizes::of(&list);
    let rows = list.into_iter().map(|health| view! { <Backup health=health /> }).collect_view();
    let note = (!may(Role::Operator)).then(|| {
        view! {
            <p class="more">
                "To verify or to restore: " <RoleNote id=VERIFY_NOTE least=Role::Operator />
            </p>
        }
    });
    view! {
        <Card title="Copies">
            <DataTable columns=columns() class="stack copies" grouped=true>
                {rows}
            </DataTable>
            {note}
        </Card>
        <SizesCard sizes=sizes />
    }
}

#[component]
fn None() -> impl IntoView {
    view! {
        <EmptyState title="There is no backup.">
            <p>
                "The safety copy (backups/latest-copy) and the kept versions would be listed here. Check the backups folder in the configuration, and make a copy before you need one."
            </p>
            <p>
                <a class="btn primary" href="/backups/new">
                    {plan_link(Role::Operator, "Make a new latest-copy…", "See the plan of a new latest-copy")}
                </a>
            </p>
        </EmptyState>
    }
}
