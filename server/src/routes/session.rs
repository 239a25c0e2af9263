//! Signing in and out: plain forms, answered with where to go on.

use std::net::IpAddr;

use access::{AccessError, FirstStartError, Identity, Password, PasswordRefusal, SignInError, UserName};
use axum::Extension;
use axum::extract::State;
use axum::http::{Method, Uri};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rollback_types::{AuditOutcome, Role, SignInWay};
use serde::Deserialize;
use tower_sessions::Session;

use super::entering::{NotIn, begin, granted};
use crate::access::client::Client;
use crate::access::door::{Told, Unwritten};
use crate::access::refusal::{Refusal, see_other};
use crate::own_pages::own_page;
use crate::problem::ApiForm;
use crate::state::AppState;

/// No more of a name that was refused is shown again.
const LONGEST_NAME: usize = 64;

/// Name and password.
#[derive(Deserialize)]
pub struct SignIn {
    name: String,
    password: String,
    /// Where to go on.
    #[serde(default)]
    next: String,
}

/// One's own password, the one of now and the next.
#[derive(Deserialize)]
pub struct NewPassword {
    current: String,
    password: String,
    /// The new one once more, where the page asks for it.
    again: Option<String>,
}

/// Who becomes the first administrator.
#[derive(Deserialize)]
pub struct Welcome {
    key: String,
    name: String,
    password: String,
    /// The password once more, where the page asks for it.
    again: Option<String>,
}

/// Signs in, and goes on to where the reader wanted to.
pub async fn sign_in(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    unwritten: Option<Extension<Unwritten>>,
    session: Session,
    ApiForm(form): ApiForm<SignIn>,
) -> Response {
    let next = own_page(&form.next);
    let back = |failed: &str| {
        let next = next.filter(|n| *n != "/").map(|n| format!("&next={}", utf8_percent_encode(n, NON_ALPHANUMERIC)));
        format!("/sign-in?failed={failed}{}", next.unwrap_or_default())
    };
    let identity = match state.access.sign_in(&form.name, &form.password, client.address).await {
        Ok(identity) => identity,
        Err(SignInError::Busy) => return busy(),
        Err(error) => return NotIn::by(&error, back).answer(),
    };
    let entered = granted(&state, unwritten, &identity.name, identity.role, || back("unavailable"), async {
        begin(&session, &identity).await.map_err(|error| NotIn::failed(back("unavailable"), error))
    });
    match entered.await {
        Ok(()) => see_other(next.unwrap_or("/")),
        Err(not_in) => not_in.answer(),
    }
}

/// No page: a server that is flooded with sign-ins must not draw one for each of them.
fn busy() -> Response {
    let refusal = Refusal::TooMany("Too many sign-ins are waiting at this moment. Yours was not looked at.");
    let mut response = refusal.answer(&Method::POST, &Uri::from_static("/session/sign-in"));
    response.extensions_mut().insert(Told { outcome: AuditOutcome::Refused, detail: refusal.reason() });
    response
}

/// Makes the first administrator with the key that the server printed, and signs in.
pub async fn welcome(
    State(state): State<AppState>,
    unwritten: Option<Extension<Unwritten>>,
    session: Session,
    ApiForm(form): ApiForm<Welcome>,
) -> Response {
    match first_administrator(&state, unwritten, &session, &form).await {
        Ok(()) => see_other("/"),
        Err(not_in) => not_in.answer(),
    }
}

async fn first_administrator(
    state: &AppState,
    unwritten: Option<Extension<Unwritten>>,
    session: &Session,
    form: &Welcome,
) -> Result<(), NotIn> {
    let wrong_key = |error: FirstStartError| NotIn::refused("/welcome?failed=key".to_owned(), error.to_string());
    if !state.access.is_first_key(&form.key) {
        return Err(wrong_key(FirstStartError::WrongKey));
    }
    // The key goes back into the address it came from, and the name with it: the form is to be filled in again.
    let name: String = form.name.chars().take(LONGEST_NAME).collect();
    let back = |failed| {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!("/welcome?failed={failed}&key={}&name={}", encoded(&form.key), encoded(&name))
    };
    let name = UserName::new(&form.name).map_err(|why| NotIn::refused(back("name"), why.to_string()))?;
    if form.again.as_ref().is_some_and(|again| *again != form.password) {
        return Err(NotIn::refused(back("again"), "the password was typed in two ways"));
    }
    let password = Password::choose(&name, &form.password)
        .map_err(|why| NotIn::refused(back(broken_rule(why)), why.to_string()))?;
    let making = async {
        let made = state.access.make_first_administrator(&form.key, &name, &password).await;
        let identity = made.map_err(|error| match error {
            FirstStartError::WrongKey => wrong_key(error),
            FirstStartError::NotFirst => NotIn::refused("/welcome?failed=key".to_owned(), error.to_string()),
            FirstStartError::Access(error) => NotIn::failed(back("unavailable"), error),
        })?;
        begin(session, &identity).await.map_err(|error| NotIn::failed("/sign-in?failed=unavailable".to_owned(), error))
    };
    granted(state, unwritten, name.as_str(), Role::Administrator, || back("unavailable"), making).await
}

/// The rule that a password breaks, in the word by which the page knows it.
fn broken_rule(why: PasswordRefusal) -> &'static str {
    match why {
        PasswordRefusal::TooShort => "short",
        PasswordRefusal::TooLong => "long",
        PasswordRefusal::Guessable => "guessable",
    }
}

/// Another password for somebody who shows the one of now; their other sign-ins end.
pub async fn change_password(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    Extension(identity): Extension<Identity>,
    session: Session,
    ApiForm(form): ApiForm<NewPassword>,
) -> Response {
    match other_password(&state, client.address, &identity, &session, &form).await {
        Ok(()) => see_other("/password?done=1"),
        Err(not_in) => not_in.answer(),
    }
}

async fn other_password(
    state: &AppState,
    from: IpAddr,
    identity: &Identity,
    session: &Session,
    form: &NewPassword,
) -> Result<(), NotIn> {
    let back = |failed: &str| format!("/password?failed={failed}");
    let name = UserName::new(&identity.name).ok().filter(|_| identity.via == SignInWay::Password);
    let Some(name) = name else {
        return Err(NotIn::refused(back("none"), "who signs in by a token or at a provider has no password here"));
    };
    if form.again.as_ref().is_some_and(|again| *again != form.password) {
        return Err(NotIn::refused(back("again"), "the password was typed in two ways"));
    }
    let password = Password::choose(&name, &form.password)
        .map_err(|why| NotIn::refused(back(broken_rule(why)), why.to_string()))?;
    let changed = state.access.change_own_password(identity, &form.current, &password, from).await;
    let identity = changed.map_err(|error| NotIn::by(&error, back))?;
    begin(session, &identity).await.map_err(|error| NotIn::failed("/sign-in?failed=unavailable".to_owned(), error))
}

/// Ends this sign-in.
pub async fn sign_out(session: Session) -> Response {
    ended(&session).await
}

/// Ends every sign-in of this person.
pub async fn sign_out_everywhere(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    session: Session,
) -> Response {
    if identity.session_mark().is_none() {
        let why = "a token has no sign-ins; it is revoked instead";
        return NotIn::refused("/sign-in".to_owned(), why).answer();
    }
    match state.access.sign_out_everywhere(&identity.name).await {
        Ok(()) | Err(AccessError::NoSuchUser(_)) => ended(&session).await,
        Err(error) => NotIn::failed("/?failed=unavailable".to_owned(), error).answer(),
    }
}

async fn ended(session: &Session) -> Response {
    match session.flush().await {
        Ok(()) => see_other("/sign-in"),
        Err(error) => NotIn::failed("/?failed=unavailable".to_owned(), error).answer(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{StatusCode, header};

    use super::*;

    #[test]
    fn the_page_knows_every_rule_that_a_password_can_break() {
        for why in [PasswordRefusal::TooShort, PasswordRefusal::TooLong, PasswordRefusal::Guessable] {
            assert!(app::components::password::broken_rule(broken_rule(why)).is_some(), "{why:?}");
        }
    }

    #[test]
    fn who_comes_when_the_queue_is_full_is_told_when_to_come_again() {
        let response = busy();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }
}
