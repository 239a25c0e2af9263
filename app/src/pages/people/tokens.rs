//! `/people/tokens`: what machines may do.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{NewToken, Role, TokenState, TokenView};

use super::{Entries, Entry, MakeForm, PeopleHeader, made_by, since};
use crate::api::access::{MakeToken, RevokeToken, list_tokens};
use crate::components::{
    CopyableId, DecisionForm, EmptyState, ErrorPanel, IconName, Loading, Said, Time, TimeStyle, Tone,
};
use crate::{format, notice};

/// `/people/tokens`.
#[component]
pub fn TokensPage() -> impl IntoView {
    let tokens = Resource::new_blocking(|| (), |()| list_tokens());
    let secret = notice::token().map(|new| view! { <ShownOnce new=new /> });
    let refused = notice::refused::<MakeToken>().or_else(notice::refused::<RevokeToken>);
    view! {
        <PeopleHeader tokens=true />
        <Said />
        {refused.map(|problem| view! { <ErrorPanel problem=problem /> })}
        {secret}
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match tokens.await {
                    Ok(list) => view! { <Tokens list=list /> }.into_any(),
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/people/tokens" /> }.into_any(),
                }
            })}
        </Transition>
        <NewTokenForm />
    }
}

/// The secret, until the page is left.
#[component]
fn ShownOnce(new: NewToken) -> impl IntoView {
    let name = format::visible(&new.token.name);
    view! {
        <section class="card" aria-label="The new token">
            <div class="body secret">
                <p>
                    "Copy the token " <bdi class="foreign">{name}</bdi>
                    " now. Stepback keeps only a checksum of it: once this page is left, nobody can show it again."
                </p>
                <CopyableId text=new.secret what="the new token" />
                <p class="small muted">"It goes after " <code>"Authorization: Bearer"</code> " in a request to the API."</p>
            </div>
        </section>
    }
}

#[component]
fn Tokens(list: Vec<TokenView>) -> impl IntoView {
    let active = list.iter().filter(|t| t.state == TokenState::Active).count() as u64;
    let entries = list.into_iter().map(|token| view! { <Token token=token /> }.into_any()).collect();
    let empty = view! {
        <EmptyState title="There is no token.">
            <p>
                "Programs that use the API would have theirs listed here, with their last use. Make one below, or with "
                <code>"stepback token create"</code> " on the server’s own machine."
            </p>
        </EmptyState>
    };
    let count = format!("{} active", format::count(active));
    let footer =
        "A token is shown once, when it is made. One that is revoked stays in the list: runs and the audit name it.";
    view! { <Entries title="Tokens" count=count entries=entries empty=empty.into_any() footer=footer /> }
}

fn look(state: TokenState) -> (Tone, IconName, &'static str) {
    let (tone, icon) = match state {
        TokenState::Active => (Tone::Good, IconName::Check),
        TokenState::Expired => (Tone::Idle, IconName::Clock),
        TokenState::Revoked => (Tone::Bad, IconName::Cross),
    };
    (tone, icon, state.as_str())
}

#[component]
fn Token(token: TokenView) -> impl IntoView {
    let beside = view! { <code class="small muted">{format!("stepback_{}_…", format::visible(&token.id))}</code> };
    let course = view! {
        {match token.last_used_at {
            Some(at) => view! { "Last used " <Time at=at style=TimeStyle::Relative /> }.into_any(),
            None => "Never used".into_any(),
        }}
        {since("made", Some(token.made_at))}
        {made_by(&token.made_by)}
        {match token.expires_at {
            Some(at) => view! { " · ends " <Time at=at /> }.into_any(),
            None => " · has no end".into_any(),
        }}
        {since("revoked", token.revoked_at)}
    };
    let revocable = (token.state == TokenState::Active).then(|| view! { <Revoke token=token.clone() /> });
    view! {
        <Entry
            name=token.name.clone()
            role=token.role
            beside=Some(beside.into_any())
            state=look(token.state)
            course=course.into_any()
        >
            {revocable}
        </Entry>
    }
}

/// Asks once more: programs that use it stop working.
#[component]
fn Revoke(token: TokenView) -> impl IntoView {
    let name = format::clip(&format::visible(&token.name), 64);
    view! {
        <DecisionForm
            summary="Revoke…"
            label=format!("Revoke {name}…")
            least=Role::Administrator
            note=""
            small=true
            action=RevokeToken::PATH
        >
            <input type="hidden" name="token" value=token.id />
            <p class="small">
                "Programs that use it are refused from then on, and their event streams end. It cannot be taken back."
            </p>
            <div class="actions">
                <button class="btn small danger" type="submit">
                    {format!("Revoke {name}")}
                </button>
            </div>
        </DecisionForm>
    }
}

#[component]
fn NewTokenForm() -> impl IntoView {
    view! {
        <MakeForm
            title="Make a token"
            action=MakeToken::PATH
            prefix="token"
            hint="What uses it, such as nightly-ingestion. Runs and audit name it."
            button="Make the token"
        >
            <div class="field">
                <label for="token-days">"Days until it ends"</label>
                <input
                    id="token-days"
                    name="days"
                    type="number"
                    min="1"
                    max="3650"
                    value=notice::typed("days").unwrap_or_else(|| "90".to_owned())
                    inputmode="numeric"
                    aria-describedby="token-days-hint"
                />
                <span class="hint" id="token-days-hint">
                    "Empty: it has no end, until it is revoked."
                </span>
            </div>
        </MakeForm>
    }
}
