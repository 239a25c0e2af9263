//! `/people/tokens`: what machines may do.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{NewToken, Role, TokenState, TokenView};

use super::{PeopleHeader, RoleField};
use crate::api::access::{MakeToken, RevokeToken, list_tokens};
use crate::components::{
    Badge, Card, CopyableId, DecisionForm, EmptyState, ErrorPanel, FieldKind, IconName, Loading, Said, TextField, Time,
    TimeStyle, Tone,
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
    let none = list.is_empty();
    let items = list.into_iter().map(|token| view! { <Token token=token /> }).collect_view();
    view! {
        <Card title="Tokens" aside=view! { <span class="tag">{format!("{} active", format::count(active))}</span> }.into_any()>
            {if none {
                view! {
                    <EmptyState title="There is no token.">
                        <p>
                            "Programs that use the API would have theirs listed here, with their last use. Make one below, or with "
                            <code>"stepback token create"</code> " on the server’s own machine."
                        </p>
                    </EmptyState>
                }
                    .into_any()
            } else {
                view! { <ul class="plain-list people">{items}</ul> }.into_any()
            }}
        </Card>
    }
}

fn look(state: TokenState) -> (Tone, IconName) {
    match state {
        TokenState::Active => (Tone::Good, IconName::Check),
        TokenState::Expired => (Tone::Idle, IconName::Clock),
        TokenState::Revoked => (Tone::Bad, IconName::Cross),
    }
}

#[component]
fn Token(token: TokenView) -> impl IntoView {
    let (tone, icon) = look(token.state);
    let name = format::visible(&token.name);
    let made_by = format::clip(&format::visible(&token.made_by), 64);
    let moment = |word: &'static str, at: Option<rollback_types::Timestamp>| {
        at.map(|at| view! { " · " {word} " " <Time at=at style=TimeStyle::Relative /> })
    };
    let revocable = (token.state == TokenState::Active).then(|| view! { <Revoke token=token.clone() /> });
    view! {
        <li class="person">
            <div class="facts">
                <b>
                    <bdi class="foreign">{name}</bdi>
                </b>
                <span class="tag">{token.role.as_str()}</span>
                <code class="small muted">{format!("stepback_{}_…", format::visible(&token.id))}</code>
                <Badge tone=tone icon=icon text=token.state.as_str().to_owned() />
            </div>
            <p class="small muted">
                {match token.last_used_at {
                    Some(at) => view! { "Last used "<Time at=at style=TimeStyle::Relative /> }.into_any(),
                    None => "Never used".into_any(),
                }} " · made " <Time at=token.made_at style=TimeStyle::Relative /> {format!(" by {made_by}")}
                {match token.expires_at {
                    Some(at) => view! { " · ends "<Time at=at /> }.into_any(),
                    None => " · has no end".into_any(),
                }} {moment("revoked", token.revoked_at)}
            </p>
            {revocable}
        </li>
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
    let chosen = notice::typed("role").and_then(|word| Role::parse(&word)).unwrap_or(Role::Viewer);
    view! {
        <Card title="Make a token">
            <form method="post" action=MakeToken::PATH class="body">
                <div class="fields">
                    <TextField
                        id="token-name"
                        name="name"
                        label="Name"
                        kind=FieldKind::Name
                        value=notice::typed("name").unwrap_or_default()
                        hint="What uses it, such as nightly-ingestion. Runs and audit name it."
                        required=true
                        most=64
                    />
                    <RoleField id="token-role" chosen=chosen />
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
                </div>
                <div class="actions">
                    <button class="btn primary" type="submit">
                        "Make the token"
                    </button>
                </div>
            </form>
        </Card>
    }
}
