//! People and tokens: who may do what. For administrators.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod tokens;
mod user;
mod users;

use leptos::prelude::*;
use rollback_types::Role;

pub use self::tokens::TokensPage;
pub use self::users::UsersPage;
use crate::account::in_words;
use crate::components::{Chip, FilterChips, PageHeader};

/// The header both pages share, and the way from one to the other.
#[component]
fn PeopleHeader(tokens: bool) -> impl IntoView {
    let chip = |label: &str, href: &str, on: bool| Chip { label: label.into(), href: href.into(), on, count: None };
    let lead = "Who may look, who may start and decide, and what machines may do in their place.";
    view! {
        <PageHeader tab=if tokens { "API tokens" } else { "People" } lead=lead.into_any()>
            {if tokens { "API tokens" } else { "People" }}
        </PageHeader>
        <FilterChips
            label="People or tokens"
            chips=vec![chip("Users", "/people", !tokens), chip("API tokens", "/people/tokens", tokens)]
        />
    }
}

/// A choice of roles, each with what it may do.
#[component]
fn RoleField(
    /// The field's id.
    #[prop(into)]
    id: String,
    /// The role chosen at first.
    chosen: Role,
) -> impl IntoView {
    let options = Role::ALL
        .into_iter()
        .map(|role| {
            view! {
                <option value=role.as_str() selected=role == chosen>
                    {role.as_str()}
                </option>
            }
        })
        .collect_view();
    let hint = format!("{id}-hint");
    let words: Vec<String> = Role::ALL.into_iter().map(|role| format!("{role}: {}", in_words(role))).collect();
    let words = format!("{}.", words.join(" · "));
    view! {
        <div class="field">
            <label for=id.clone()>"Role"</label>
            <select id=id name="role" aria-describedby=hint.clone()>
                {options}
            </select>
            <span class="hint" id=hint>
                {words}
            </span>
        </div>
    }
}
