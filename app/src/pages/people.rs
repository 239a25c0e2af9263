//! People and tokens: who may do what. For administrators.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

mod tokens;
mod user;
mod users;

use leptos::prelude::*;
use rollback_types::{Role, Timestamp};

pub use self::tokens::TokensPage;
pub use self::users::UsersPage;
use crate::account::in_words;
use crate::components::{
    Badge, Card, Chip, FieldKind, FilterChips, IconName, PageHeader, TextField, Time, TimeStyle, Tone,
};
use crate::{format, notice};

/// The header both pages share, and the way from one to the other.
#[component]
fn PeopleHeader(tokens: bool) -> impl IntoView {
    let chip = |label: &str, href: &str, on: bool| Chip { label: label.into(), href: href.into(), on, count: None };
    let (title, lead) = if tokens {
        ("API tokens", "What programs may do by the API, each with a token and a role of its own.")
    } else {
        ("People", "Who may look, who may start and decide, and who looks after the accounts.")
    };
    view! {
        <PageHeader tab=title lead=lead.into_any()>
            {title}
        </PageHeader>
        <FilterChips
            label="People or tokens"
            chips=vec![chip("Users", "/people", !tokens), chip("API tokens", "/people/tokens", tokens)]
        />
    }
}

/// A list that is counted, and says what would be in it when it is empty.
#[component]
fn Entries(
    title: &'static str,
    /// How many, in words.
    count: String,
    /// Each an [`Entry`]; empty for none.
    entries: Vec<AnyView>,
    /// What stands in the place of an empty list.
    empty: AnyView,
    /// What goes for all of them.
    footer: &'static str,
) -> impl IntoView {
    let list =
        if entries.is_empty() { empty } else { view! { <ul class="plain-list people">{entries}</ul> }.into_any() };
    view! {
        <Card title=title aside=view! { <span class="tag">{count}</span> }.into_any() footer=view! { <p>{footer}</p> }.into_any()>
            {list}
        </Card>
    }
}

/// A user or a token: its name, its role, how it is, what it did, and what can be done about it.
#[component]
fn Entry(
    /// Its id on the page, where something leads to it.
    #[prop(optional, into)]
    id: Option<String>,
    /// As it was given.
    name: String,
    role: Role,
    /// More about it, beside the role.
    #[prop(optional_no_strip)]
    beside: Option<AnyView>,
    state: (Tone, IconName, &'static str),
    /// When it was made, used and ended.
    course: AnyView,
    children: Children,
) -> impl IntoView {
    let (tone, icon, word) = state;
    view! {
        <li class="person" id=id>
            <div class="facts">
                <b>
                    <bdi class="foreign">{format::visible(&name)}</bdi>
                </b>
                <span class="tag">{role.as_str()}</span>
                {beside}
                <Badge tone=tone icon=icon text=word.to_owned() />
            </div>
            <p class="small muted">{course}</p>
            {children()}
        </li>
    }
}

/// ` · disabled 3 days ago`; nothing where it never was.
fn since(word: &'static str, at: Option<Timestamp>) -> Option<impl IntoView> {
    at.map(|at| view! { {format!(" · {word} ")} <Time at=at style=TimeStyle::Relative /> })
}

/// ` by ada`, whoever made it.
fn made_by(name: &str) -> String {
    format!(" by {}", format::clip(&format::visible(name), 64))
}

/// A form that makes a user or a token: a name, a role, and what else it takes. What was typed is there again where it was
/// refused.
#[component]
fn MakeForm(
    title: &'static str,
    /// Where it is sent.
    action: &'static str,
    /// Begins the ids of its fields.
    prefix: &'static str,
    /// What helps to choose a name.
    hint: &'static str,
    /// What its button says.
    button: &'static str,
    children: Children,
) -> impl IntoView {
    let chosen = notice::typed("role").and_then(|word| Role::parse(&word)).unwrap_or(Role::Viewer);
    view! {
        <Card title=title>
            <form method="post" action=action class="body">
                <div class="fields">
                    <TextField
                        id=format!("{prefix}-name")
                        name="name"
                        label="Name"
                        kind=FieldKind::Name
                        value=notice::typed("name").unwrap_or_default()
                        hint=hint
                        required=true
                        most=64
                    />
                    <RoleField id=format!("{prefix}-role") chosen=chosen />
                    {children()}
                </div>
                <div class="actions">
                    <button class="btn primary" type="submit">
                        {button}
                    </button>
                </div>
            </form>
        </Card>
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
