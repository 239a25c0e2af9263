//! `/people`: the users, and a new one.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{Role, UserView};

use super::user::UserItem;
use super::{PeopleHeader, RoleField};
use crate::api::access::{AddUser, EndSessions, SetEnabled, SetPassword, SetRole, list_users};
use crate::components::{Card, EmptyState, ErrorPanel, FieldKind, Loading, PasswordFields, Said, TextField};
use crate::{format, notice};

/// `/people`.
#[component]
pub fn UsersPage() -> impl IntoView {
    let users = Resource::new_blocking(|| (), |()| list_users());
    let refused = notice::refused::<AddUser>()
        .or_else(notice::refused::<SetRole>)
        .or_else(notice::refused::<SetPassword>)
        .or_else(notice::refused::<SetEnabled>)
        .or_else(notice::refused::<EndSessions>);
    view! {
        <PeopleHeader tokens=false />
        <Said />
        {refused.map(|problem| view! { <ErrorPanel problem=problem /> })}
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match users.await {
                    Ok(list) => view! { <Users list=list /> }.into_any(),
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/people" /> }.into_any(),
                }
            })}
        </Transition>
        <NewUser />
    }
}

#[component]
fn Users(list: Vec<UserView>) -> impl IntoView {
    let (here, n) = (list.is_empty(), list.len() as u64);
    let items = list.into_iter().map(|user| view! { <UserItem user=user /> }).collect_view();
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

#[component]
fn NewUser() -> impl IntoView {
    let chosen = notice::typed("role").and_then(|word| Role::parse(&word)).unwrap_or(Role::Viewer);
    view! {
        <Card title="Add a user">
                    <form method="post" action=AddUser::PATH class="body">
                        <div class="fields">
                            <TextField
                                id="new-name"
                                name="name"
                                label="Name"
                                kind=FieldKind::Name
                                value=notice::typed("name").unwrap_or_default()
                                hint="Letters, digits and . _ - @. It cannot be changed later."
                                required=true
                                most=64
                            />
                            <RoleField id="new-role" chosen=chosen />
                            <PasswordFields prefix="new" again=false />
                        </div>
                        <div class="actions">
                            <button class="btn primary" type="submit">
                                "Add the user"
                            </button>
                        </div>
                    </form>
        </Card>
    }
}
