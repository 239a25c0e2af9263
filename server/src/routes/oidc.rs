//! Signing in at the provider: away to it, and back from it.

use access::oidc::{Oidc, OidcError, Pending};
use access::{AuditEntry, Identity};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower_sessions::Session;

use super::entering::{NotIn, begin, granted};
use crate::access::client::Client;
use crate::access::door::Unwritten;
use crate::access::refusal::see_other;
use crate::own_pages::own_page;
use crate::problem::QueryPairs;
use crate::state::AppState;

/// What has to come back. A cookie of its own: the session's is not sent with a request that another site began.
const COOKIE: &str = "__Host-stepback-oidc";
/// Lets the page lead on by itself, and nothing else.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Leads to the provider. By GET: a page's policy holds its forms to this very server, and redirects of them too.
pub async fn to_provider(State(state): State<AppState>, asked: QueryPairs) -> Response {
    let Some(oidc) = &state.oidc else { return see_other("/sign-in") };
    match oidc.begin(asked.last("next").and_then(own_page).unwrap_or("/")).await {
        Ok((url, pending)) => {
            let mut response = see_other(url.as_str());
            set_cookie(&mut response, &pending.to_cookie(), 600);
            response
        }
        Err(error) => {
            tracing::error!(%error, remedy = error.remedy(), "a sign-in at the provider could not be begun");
            see_other("/sign-in?failed=provider")
        }
    }
}

/// Takes what the provider sent along, and signs in.
pub async fn from_provider(
    State(state): State<AppState>,
    Extension(client): Extension<Client>,
    session: Session,
    headers: HeaderMap,
    back: QueryPairs,
) -> Response {
    let Some(oidc) = &state.oidc else { return see_other("/sign-in") };
    let pending = cookie_of(&headers).and_then(|text| Pending::from_cookie(&text));
    let next = pending.as_ref().and_then(|p| own_page(&p.next)).unwrap_or("/").to_owned();
    let entry = AuditEntry::of("GET /session/oidc", None, Some(client.address));
    // What asks the provider is limited as a password's try is. Its own refusal, brought along, asks nobody.
    let counted = match &pending {
        Some(_) if sent(&back, "error").is_empty() => state.access.count_provider_try(client.address).await,
        _ => Ok(()),
    };
    if let Err(error) = counted {
        if let Err(unwritten) = state.access.audit_refused(&entry, Some(303), &error.to_string()).await {
            tracing::error!(error = %unwritten, "a refused sign-in could not be written to the audit");
        }
        return NotIn::by(&error, |failed| format!("/sign-in?failed={failed}")).answer();
    }
    let mut response = match proven(oidc, &state, &back, pending).await {
        Ok(identity) => {
            if let Err(error) = state.access.forgive_provider_try(client.address).await {
                tracing::warn!(%error, "a good sign-in at the provider still counts as a try");
            }
            let unavailable = || "/sign-in?failed=unavailable".to_owned();
            let entering =
                async { begin(&session, &identity).await.map_err(|error| NotIn::failed(unavailable(), error)) };
            let row = Some(Extension(Unwritten(entry)));
            match granted(&state, row, &identity.name, identity.role, unavailable, entering).await {
                Ok(()) => go_on(&next),
                Err(not_in) => not_in.answer(),
            }
        }
        Err(error) => {
            tracing::warn!(%error, remedy = error.remedy(), "a sign-in at the provider was not granted");
            // Who comes while the provider is away has failed at nothing.
            if let OidcError::Provider(_) = error
                && let Err(error) = state.access.take_back_provider_try(client.address).await
            {
                tracing::warn!(%error, "a sign-in that nobody looked at still counts as a try");
            }
            // What was refused is told; when it cannot be written down nobody got in either.
            if let Err(unwritten) = state.access.audit_refused(&entry, Some(303), &error.to_string()).await {
                tracing::error!(error = %unwritten, "a refused sign-in could not be written to the audit");
            }
            let word = match error {
                OidcError::NoRole => "role",
                OidcError::Disabled => "disabled",
                OidcError::NotBegun => "begun",
                OidcError::Provider(_) | OidcError::Settings(_) | OidcError::Unproven(_) => "provider",
                OidcError::Access(_) => "unavailable",
            };
            let next = utf8_percent_encode(&next, NON_ALPHANUMERIC);
            see_other(&format!("/sign-in?failed={word}&next={next}"))
        }
    };
    // It served once.
    set_cookie(&mut response, "", 0);
    response
}

/// `code` and `state` are what the provider sends along; `error` is its own refusal.
async fn proven(
    oidc: &Oidc,
    state: &AppState,
    back: &QueryPairs,
    pending: Option<Pending>,
) -> Result<Identity, OidcError> {
    let pending = pending.ok_or(OidcError::NotBegun)?;
    let refusal = sent(back, "error");
    if !refusal.is_empty() {
        let said: String = refusal.chars().filter(|c| c.is_ascii_graphic()).take(60).collect();
        return Err(OidcError::Unproven(format!("it answered {said}")));
    }
    oidc.finish(&state.access, sent(back, "code"), sent(back, "state"), pending).await
}

fn sent<'a>(back: &'a QueryPairs, key: &str) -> &'a str {
    back.last(key).unwrap_or_default()
}

/// A page that leads on. A redirect would still count as the other site's, and the new session's strict cookie would not be
/// sent with it.
fn go_on(next: &str) -> Response {
    let to = format!("0;url={next}");
    let href = next.to_owned();
    let page = view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta http-equiv="refresh" content=to />
                <meta name="robots" content="noindex" />
            </head>
            <body>
                <p>
                    <a href=href>"Signed in: go on to Stepback"</a>
                </p>
            </body>
        </html>
    }
    .to_html();
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = values.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

fn set_cookie(response: &mut Response, value: &str, seconds: u32) {
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    // Hexadecimal digits are legal in any header.
    if let Ok(cookie) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
