//! Which stores are restored: preset as the evidence recommends, changed by a plain form in the address.

use leptos::prelude::*;
use rollback_types::{RollbackPlan, RunKind, StoreKind, StorePlan};

use super::sentences;
use super::subject::Subject;
use crate::choice;
use crate::components::{Badge, Card, Column, DataTable, Icon, IconName, StoreName, Tone};
use crate::format;

/// Production against the copy, what follows from it, and the choice.
#[component]
pub fn RestoreCard(
    /// The plan.
    plan: RollbackPlan,
    /// What is restored was chosen before, when the run began or approval was asked for, and stays so.
    #[prop(default = false)]
    fixed: bool,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let source = subject.source();
    let path = subject.path();
    let of = |wanted: fn(&StorePlan) -> bool| -> Vec<StoreKind> {
        StoreKind::ALL.into_iter().filter(|s| wanted(plan.stores.get(*s))).collect()
    };
    let (chosen, recommended) = (of(|p| p.restore), of(|p| p.restore_recommended));
    let (tone, icon, word) = standing(&plan);
    let rows = StoreKind::ALL
        .into_iter()
        .map(|s| {
            let now: Vec<StoreKind> = StoreKind::ALL.into_iter().filter(|o| chosen.contains(o) != (*o == s)).collect();
            // What is recommended needs no word in the address.
            let other = format!("{path}{}", choice::to_search(&(now != recommended).then_some(now)));
            row(s, plan.stores.get(s), (!fixed).then_some(other))
        })
        .collect_view();
    let first = if plan.resumes.is_some() {
        "Before a store is replaced that the run had not begun with, it saves what is there: its way back, about "
    } else {
        "Before anything is replaced, this run saves what is there: its way back, about "
    };
    let way_back = (plan.way_back_bytes > 0).then(|| {
        view! {
            <p class="note">
                <Icon name=IconName::Shield />
                <span>
                    {first} <b>{format::bytes(plan.way_back_bytes)}</b> ", kept for an undo."
                </span>
            </p>
        }
    });
    let against = format!("Production against {source}");
    let region = format!("{against}, by store");
    let title = match plan.kind {
        RunKind::UndoRestore => "Put back".to_owned(),
        _ => format!("Restore from {source}?"),
    };
    view! {
        <Card
            title=title
            class="choice"
            aside=view! { <Badge tone=tone icon=icon text=word /> }.into_any()
            footer=view! {
                <p class="foreign">{sentences::restore_footer(&plan, &chosen, &recommended)}</p>
                {way_back}
            }
                .into_any()
        >
            <form method="get" action=path id="restore-choice" data-send-on-change>
                // Without a box ticked the address says so, rather than nothing.
                <input type="hidden" name="restore" value=choice::NONE data-when-none />
                <DataTable
                    label=region
                    columns=vec![
                        Column::text("Store"),
                        Column::text("Restore"),
                        Column::text(against),
                    ]
                    class="stack restore"
                >
                    {rows}
                </DataTable>
            </form>
        </Card>
    }
}

fn standing(plan: &RollbackPlan) -> (Tone, IconName, &'static str) {
    let any = |wanted: fn(&StorePlan) -> bool| StoreKind::ALL.into_iter().any(|s| wanted(plan.stores.get(s)));
    if any(|p| p.restore && p.cannot_restore.is_some()) {
        (Tone::Bad, IconName::Cross, "cannot be done")
    } else if any(|p| p.differs == Some(true) && !p.restore) {
        (Tone::Warn, IconName::Warning, "production differs and stays so")
    } else if any(|p| p.restore) {
        (Tone::Warn, IconName::Refresh, "part of this plan")
    } else if any(|p| p.differs.is_none()) {
        (Tone::Warn, IconName::Question, "not known")
    } else {
        (Tone::Good, IconName::Check, "not needed")
    }
}

/// `other` is the address of the plan with the other choice, where there is one.
fn row(store: StoreKind, plan: &StorePlan, other: Option<String>) -> impl IntoView + use<> {
    let (tone, icon, word) = match plan.differs {
        Some(true) => (Tone::Bad, IconName::Cross, "differs"),
        Some(false) => (Tone::Good, IconName::Check, "equal"),
        None => (Tone::Warn, IconName::Question, "not known"),
    };
    let advice = if plan.restore_recommended { "recommended" } else { "not needed" };
    let advice = match &plan.cannot_restore {
        Some(_) => "cannot be restored",
        None if plan.latest_copy.is_none() && plan.production.is_some() => "nothing to restore from",
        None if plan.differs.is_none() && !plan.restore_recommended => "not known",
        None => advice,
    };
    let why_not = plan.cannot_restore.as_ref().map(|why| {
        view! { <span class="under bad foreign">"It cannot be restored: " {format::visible(why)}</span> }
    });
    let evidence = format::visible(&plan.evidence);
    let planned = if plan.restore { "restored" } else { "not restored" };
    let choice = match other {
        None => view! { <span class="small muted">{planned}</span> }.into_any(),
        Some(other) => view! {
                <label class="check-label">
                    <input
                        type="checkbox"
                        name="restore"
                        value=store.as_str()
                        checked=plan.restore
                        autocomplete="off"
                        disabled
                        data-alive
                        aria-label=format!("Restore {store}")
                    />
                    <span class="small muted">{advice}</span>
                </label>
                // A box that nobody listens to would promise what the plan does not hold.
                <a class="small no-js" href=other>
                    {if plan.restore { format!("Leave {store} out") } else { format!("Restore {store}") }}
                </a>
        }
        .into_any(),
    };
    view! {
        <tr>
            <td>
                <StoreName store=store />
            </td>
            <td>{choice}</td>
            <td class="wide">
                <Badge tone=tone icon=icon text=word />
                <span class="why foreign">{evidence}</span>
                {why_not}
            </td>
        </tr>
    }
}
