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
use crate::api::ApiError;
use crate::components::{Callout, Chip, ErrorPanel, FilterChips, PageHeader, Tone};

/// What came of the latest action of a page: what was done, or why not.
type Outcome = RwSignal<Option<Result<&'static str, ApiError>>>;

/// An action's value, whatever else it answers.
type Answer = Option<Result<(), ApiError>>;

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

/// Tells what came of an action, as soon as its value is there; also of one that a plain form posted.
fn tell(value: impl Fn() -> Answer + Send + Sync + 'static, done: &'static str, outcome: Outcome) {
    if let Some(answer) = untrack(&value) {
        outcome.set(Some(answer.map(|()| done)));
    }
    Effect::new(move |_| {
        if let Some(answer) = value() {
            outcome.set(Some(answer.map(|()| done)));
        }
    });
}

/// The latest outcome, above the list.
#[component]
fn LatestOutcome(outcome: Outcome) -> impl IntoView {
    view! {
        <div class="outcome" role="status">
            {move || {
                outcome
                    .get()
                    .map(|o| match o {
                        Ok(done) => view! { <Callout tone=Tone::Good title=done /> }.into_any(),
                        Err(problem) => view! { <ErrorPanel problem=problem /> }.into_any(),
                    })
            }}
        </div>
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
