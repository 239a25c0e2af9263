//! `/people`: the users, and a new one.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::UserView;

use super::user::UserEntry;
use super::{Entries, MakeForm, PeopleHeader};
use crate::api::access::{AddUser, EndSessions, SetEnabled, SetPassword, SetRole, list_users};
use crate::components::{EmptyState, ErrorPanel, Loading, PasswordFields, Said};
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
    let count = format::counted(list.len() as u64, "users");
    let entries = list.into_iter().map(|user| view! { <UserEntry user=user /> }.into_any()).collect();
    let empty = view! {
        <EmptyState title="Nobody may sign in.">
            <p>"Users would be listed here. Add one below."</p>
        </EmptyState>
    };
    let footer =
        "Nobody is deleted: runs and the audit name them. Who is disabled can do nothing, from that moment on.";
    view! { <Entries title="Users" count=count entries=entries empty=empty.into_any() footer=footer /> }
}

#[component]
fn NewUser() -> impl IntoView {
    view! {
        <MakeForm
            title="Add a user"
            action=AddUser::PATH
            prefix="new"
            hint="Letters, digits and . _ - @. It cannot be changed later."
            button="Add the user"
        >
            <PasswordFields prefix="new" again=false />
        </MakeForm>
    }
}
