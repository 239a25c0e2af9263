//! What runs saved before they restored: the way to undo them.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{Role, RunId};

use crate::api::backups::{RemoveWayBack, WayBackView};
use crate::components::{
    Card, DecisionForm, EmptyState, FieldKind, Icon, IconName, RoleNote, RunLink, StoreName, TextField, Time, plan_link,
};
use crate::format;
use crate::pages::run_rows::about;

#[component]
pub(super) fn WaysBackCard(list: Vec<WayBackView>) -> impl IntoView {
    if list.is_empty() {
        return view! {
            <Card title="Ways back">
                <EmptyState title="No way back is kept.">
                    <p>
                        "Before a run restores a store it saves what is there. That would be listed here, with a way to undo the restore, until its time is over or a person removes it."
                    </p>
                </EmptyState>
            </Card>
        }
        .into_any();
    }
    let items = list.into_iter().map(item).collect_view();
    view! {
        <Card
            title="Ways back"
            footer=view! { <p>"What runs saved before they restored. Removing one makes its restore final."</p> }.into_any()
        >
            <ul class="plain-list ways-back">{items}</ul>
        </Card>
    }
    .into_any()
}

fn item(way: WayBackView) -> impl IntoView {
    let id = way.run.id;
    let stores = way.stores.iter().map(|s| view! { <StoreName store=*s /> }).collect_view();
    view! {
        <li>
            <div class="what">
                <b>"Run "<RunLink id=id /></b>
                " "
                {about(&way.run)}
            </div>
            <div class="facts">
                {stores}
                <span class="num">{format::bytes(way.bytes)}</span>
                <span class="muted small">
                    {match way.kept_until {
                        Some(at) => view! { "kept until "<Time at=at /> }.into_any(),
                        None => view! { "kept while the run goes on" }.into_any(),
                    }}
                </span>
            </div>
            <div class="actions">
                <UndoLink run=id /> <Remove run=id />
            </div>
        </li>
    }
}

#[component]
pub(crate) fn UndoLink(run: RunId) -> impl IntoView {
    let text = plan_link(Role::Operator, "Undo this restore…", "See the plan of undoing this restore");
    view! {
        <a
            class="btn small"
            href=format!("/runs/{run}/undo")
            aria-label=format!("{text}: run #{run}")
        >
            <Icon name=IconName::Back />
            {text}
        </a>
    }
}

/// Removal is final: the run's number is typed for it.
#[component]
pub(crate) fn Remove(run: RunId) -> impl IntoView {
    let note = format!("remove-note-{run}");
    view! {
        <DecisionForm
            summary="Remove…"
            label=format!("Remove…: the way back of run #{run}")
            least=Role::Administrator
            note=note.clone()
            small=true
            action=RemoveWayBack::PATH
        >
            <input type="hidden" name="run" value=run.to_string() />
            <p class="small">
                {format!("Deletes what run #{run} saved. Its restore can then no longer be undone. Production is not touched.")}
            </p>
            <TextField
                id=format!("remove-{run}")
                name="confirm"
                label=format!("Type the run’s number, {run}")
                kind=FieldKind::Number
                required=true
                most=20
            />
            <div class="actions">
                <button class="btn small danger" type="submit">
                    {format!("Remove the way back of run #{run}")}
                </button>
            </div>
        </DecisionForm>
        <RoleNote id=note least=Role::Administrator />
    }
}
