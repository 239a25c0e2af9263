//! What a role may not do stays in its place, disabled, with the reason.

use leptos::prelude::*;
use rollback_types::Role;

use crate::account::may;

/// Why something is disabled: nothing for those whose role suffices. Give its id to what it explains
/// (`aria-describedby`).
#[component]
pub fn RoleNote(
    /// Its id.
    #[prop(into)]
    id: String,
    /// The role that is needed.
    least: Role,
) -> impl IntoView {
    (!may(least)).then(|| view! { <span class="role-note" id=id>{reason(least)}</span> })
}

/// What a link to a plan says: what it does, to those who may carry it out; to all others that it can be read.
#[cfg(feature = "ssr")]
pub fn plan_link(least: Role, does: &'static str, sees: &'static str) -> &'static str {
    if may(least) { does } else { sees }
}

/// `Needs the role operator.`
pub fn reason(least: Role) -> String {
    format!("Needs the role {least}.")
}
