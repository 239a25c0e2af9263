//! `/people`: the users, and a new one.

use leptos::form::ActionForm;
use leptos::html;
use leptos::prelude::*;
use rollback_types::{Role, UserView};

use super::user::UserItem;
use super::{LatestOutcome, Outcome, PeopleHeader, RoleField, tell};
use crate::api::access::{AddUser, EndSessions, SetEnabled, SetPassword, SetRole, list_users};
use crate::components::{Card, EmptyState, ErrorPanel, Loading, PasswordFields};
use crate::format;

/// What can be done to a user.
#[derive(Clone, Copy)]
pub(super) struct Changes {
    pub role: ServerAction<SetRole>,
    pub password: ServerAction<SetPassword>,
    pub enabled: ServerAction<SetEnabled>,
    pub sessions: ServerAction<EndSessions>,
}

/// `/people`.
#[component]
pub fn UsersPage() -> impl IntoView {
    let add = ServerAction::<AddUser>::new();
    let changes = Changes {
        role: ServerAction::new(),
        password: ServerAction::new(),
        enabled: ServerAction::new(),
        sessions: ServerAction::new(),
    };
    let outcome: Outcome = RwSignal::new(None);
    tell(move || add.value().get(), "The user was added, and can sign in now.", outcome);
    tell(move || changes.role.value().get(), "The role holds from the user’s next request.", outcome);
    tell(move || changes.password.value().get(), "The password is set; the user’s sessions have ended.", outcome);
    tell(move || changes.enabled.value().get(), "Done: it acts at once.", outcome);
    tell(move || changes.sessions.value().get(), "The user’s sessions have ended.", outcome);
    let versions = move || {
        let c = changes;
        (
            add.version().get(),
            c.role.version().get(),
            c.password.version().get(),
            c.enabled.version().get(),
            c.sessions.version().get(),
        )
    };
    let users = Resource::new_blocking(versions, |_| list_users());
    view! {
        <PeopleHeader tokens=false />
        <LatestOutcome outcome=outcome />
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match users.await {
                    Ok(list) => view! { <Users list=list changes=changes /> }.into_any(),
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/people" /> }.into_any(),
                }
            })}
        </Transition>
        <NewUser add=add />
    }
}

#[component]
fn Users(list: Vec<UserView>, changes: Changes) -> impl IntoView {
    let (here, n) = (list.is_empty(), list.len() as u64);
    let items = list.into_iter().map(|user| view! { <UserItem user=user changes=changes /> }).collect_view();
    view! {
        <Card
            title="Users"
            aside=view! { <span class="tag">{format::counted(n, "users")}</span> }.into_any()
            footer=view! {
                <p>"Nobody is deleted: runs and the audit name them. Who is disabled can do nothing, from that moment on."</p>
            }
                .into_any()
        >
            {if here {
                view! {
                    <EmptyState title="Nobody may sign in.">
                        <p>"Users would be listed here. Add one below."</p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! { <ul class="plain-list people">{items}</ul> }.into_any()
            }}
        </Card>
    }
}

/// The form; emptied when somebody was added.
#[component]
fn NewUser(add: ServerAction<AddUser>) -> impl IntoView {
    let form = NodeRef::<html::Form>::new();
    Effect::new(move |_| {
        if let (Some(Ok(())), Some(form)) = (add.value().get(), form.get_untracked()) {
            form.reset();
        }
    });
    view! {
        <Card title="Add a user">
                    <ActionForm action=add node_ref=form attr:class="body">
                        <div class="fields">
                            <div class="field">
                                <label for="new-name">"Name"</label>
                                <input
                                    id="new-name"
                                    name="name"
                                    type="text"
                                    required
                                    maxlength="64"
                                    autocomplete="off"
                                    autocapitalize="off"
                                    spellcheck="false"
                                    aria-describedby="new-name-hint"
                                />
                                <span class="hint" id="new-name-hint">
                                    "Letters, digits and . _ - @. It cannot be changed later."
                                </span>
                            </div>
                            <RoleField id="new-role" chosen=Role::Viewer />
                            <PasswordFields prefix="new" again=false />
                        </div>
                        <div class="actions">
                            <button class="btn primary" type="submit" disabled=move || add.pending().get()>
                                "Add the user"
                            </button>
                        </div>
                    </ActionForm>
        </Card>
    }
}
