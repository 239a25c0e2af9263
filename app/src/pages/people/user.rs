//! One user: what is known, and what can be changed.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{UserKind, UserView};

use super::{Entry, RoleField, made_by, since};
use crate::account::account;
use crate::api::access::{EndSessions, SetEnabled, SetPassword, SetRole};
use crate::components::{IconName, PasswordFields, Time, TimeStyle, Tone};
use crate::format;

/// One entry of the list.
#[component]
pub(super) fn UserEntry(user: UserView) -> impl IntoView {
    let own = account().is_some_and(|a| a.name == user.name);
    let state = match user.disabled_at {
        Some(_) => (Tone::Bad, IconName::Cross, "disabled"),
        None => (Tone::Good, IconName::Check, "may sign in"),
    };
    let course = view! {
        {match user.last_sign_in_at {
            Some(at) => view! { "Last sign-in " <Time at=at style=TimeStyle::Relative /> }.into_any(),
            None => "Never signed in".into_any(),
        }}
        {format!(" · {}", format::counted(user.sessions, "sessions"))}
        {since("added", Some(user.made_at))}
        {made_by(&user.made_by)}
        {since("disabled", user.disabled_at)}
    };
    view! {
        <Entry
            id=format!("user-{}", format::anchor(&user.name))
            name=user.name.clone()
            role=user.role
            beside=own.then(|| view! { <span class="tag">"you"</span> }.into_any())
            state=state
            course=course.into_any()
        >
            <details class="decision">
                <summary class="btn small" aria-label=format!("Change {}…", format::visible(&user.name))>
                    "Change…"
                </summary>
                <div class="decision-body">
                    {forms(&user)}
                    <button class="btn small cancel needs-js" type="button">
                        "Cancel"
                    </button>
                </div>
            </details>
        </Entry>
    }
}

fn forms(user: &UserView) -> impl IntoView + use<> {
    let shown = format::clip(&format::visible(&user.name), 64);
    let anchor = format::anchor(&user.name);
    let (enabled, sessions) = (user.disabled_at.is_none(), user.sessions);
    let name = user.name.clone();
    let role = user.role;
    let of_provider = user.kind == UserKind::Oidc;
    let own_proof = (!of_provider).then(|| {
        let (for_role, for_password) = (name.clone(), name.clone());
        let (role_id, password_id) = (format!("role-{anchor}"), format!("set-{anchor}"));
        view! {
            <form method="post" action=SetRole::PATH class="actions">
                <UserField name=for_role />
                <RoleField id=role_id chosen=role />
                <button class="btn small" type="submit">
                    "Give this role"
                </button>
            </form>
            <form method="post" action=SetPassword::PATH class="body-form">
                <UserField name=for_password />
                <PasswordFields prefix=password_id again=false />
                <button class="btn small" type="submit">
                    "Set the password"
                </button>
                <span class="hint">"Ends the user’s sessions. Pass it on by a way that only they can read."</span>
            </form>
        }
    });
    let (for_switch, for_sessions) = (name.clone(), name);
    let switch = if enabled { format!("Disable {shown}") } else { format!("Enable {shown}") };
    view! {
        {of_provider
            .then(|| {
                view! {
                    <p class="small">"Signs in by the organisation’s provider, which also says the role. Change both there."</p>
                }
            })}
        {own_proof}
        <div class="actions">
            <form method="post" action=SetEnabled::PATH>
                <UserField name=for_switch /> <input type="hidden" name="enabled" value=(!enabled).to_string() />
                <button
                    class=if enabled { "btn small danger" } else { "btn small" }
                    type="submit"
                >
                    {switch}
                </button>
            </form>
            {(sessions > 0)
                .then(|| {
                    view! {
                        <form method="post" action=EndSessions::PATH>
                            <UserField name=for_sessions />
                            <button class="btn small" type="submit">
                                {format!("Sign {shown} out everywhere")}
                            </button>
                        </form>
                    }
                })}
        </div>
    }
}

/// Whom a form is about.
#[component]
fn UserField(name: String) -> impl IntoView {
    view! { <input type="hidden" name="user" value=name /> }
}
