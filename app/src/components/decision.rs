//! Decisions whose form opens on demand.

use leptos::prelude::*;
use rollback_types::Role;

use crate::account::may;

/// What opens, and the form below it, with a way to close it again (`keyboard.rs`): where its button does something grave,
/// that is what has the focus first. Whoever may not take the decision has a button that stays shut, and is told why.
#[component]
pub fn DecisionForm(
    /// What the button says.
    summary: &'static str,
    /// The same for assistive software, where several of them stand on a page; empty when it says enough.
    #[prop(optional, into)]
    label: String,
    /// Who may take it.
    least: Role,
    /// The id of the [`RoleNote`](super::RoleNote) that says why it stays shut.
    #[prop(into)]
    note: String,
    /// It stands among small buttons.
    #[prop(optional)]
    small: bool,
    /// It is open: what was sent from it was refused, and it says why.
    #[prop(optional)]
    open: bool,
    /// The server says what is wrong with a field, beside it, and not the browser.
    #[prop(optional)]
    checked_by_server: bool,
    /// Where the form is sent.
    action: &'static str,
    /// The form's content.
    children: Children,
) -> impl IntoView {
    let class = if small { "btn small" } else { "btn" };
    let label = (!label.is_empty()).then_some(label);
    if !may(least) {
        return view! {
            <button class=class type="button" disabled aria-label=label aria-describedby=note>
                {summary}
            </button>
        }
        .into_any();
    }
    view! {
        <details class="decision" open=open>
            <summary class=class aria-label=label>
                {summary}
            </summary>
            <form method="post" action=action class="decision-body" novalidate=checked_by_server>
                {children()}
                <button class=format!("{class} cancel needs-js") type="button">
                    "Cancel"
                </button>
            </form>
        </details>
    }
    .into_any()
}
