//! What a run did, store by store, and what it found: the same on its page and in its report.

use leptos::prelude::*;
use rollback_types::StoreOutcome;

use crate::components::StoreName;
use crate::format;

/// A line about the staged data of each store, and one about production.
#[component]
pub fn StoreOutcomes(
    /// Store by store; nothing is shown without any.
    outcomes: Vec<StoreOutcome>,
) -> impl IntoView {
    let line = |what: &'static str, text: Option<String>| {
        text.map(|text| {
            view! {
                <span class="under">
                    <b>{what}</b>
                    " "
                    <span class="foreign">{sentence(&text)}</span>
                </span>
            }
        })
    };
    (!outcomes.is_empty()).then(|| {
        let items = outcomes
            .into_iter()
            .map(|o| {
                view! {
                    <li>
                        <StoreName store=o.store />
                        {line("Staged data:", o.staged)}
                        {line("Production:", o.production)}
                    </li>
                }
            })
            .collect_view();
        view! {
            <ul class="plain-list" aria-label="Store by store">
                {items}
            </ul>
        }
    })
}

/// What the steps told for the end.
#[component]
pub fn Findings(
    /// A sentence each; nothing is shown without any.
    findings: Vec<String>,
) -> impl IntoView {
    (!findings.is_empty()).then(|| {
        let items =
            findings.iter().map(|f| view! { <li class="foreign">{format::visible_lines(f)}</li> }).collect_view();
        view! {
            <p>
                <b>"Found:"</b>
            </p>
            <ul aria-label="Findings">{items}</ul>
        }
    })
}

/// With a full stop, once.
fn sentence(text: &str) -> String {
    let shown = format::visible(text);
    if shown.ends_with(['.', '!', '?']) { shown } else { format!("{shown}.") }
}
