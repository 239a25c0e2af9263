//! Whose request it is: a session's cookie, or a token.

use std::sync::Arc;

use access::{Access, AccessError, Identity, SessionMark, SessionStore};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, Session, SessionManagerLayer};

use super::refusal::Refusal;

/// The session's cookie. Browsers take the prefix to mean: of this very host, over HTTPS or on this machine.
const COOKIE: &str = "__Host-stepback";

/// What holds event streams: a sign-in, by a hash of its id, or a token, by its name. No secret.
#[derive(Clone, Debug)]
pub struct Holder(pub String);

/// The layer that reads and writes the session's cookie.
pub fn cookies(access: &Arc<Access>) -> SessionManagerLayer<SessionStore> {
    SessionManagerLayer::new(access.session_store())
        .with_name(COOKIE)
        .with_path("/")
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Strict)
        // The store itself ends sessions: idle, or after their time. The cookie goes with the browser.
        .with_expiry(Expiry::OnSessionEnd)
}

/// In an answer: the cookie of a session that a time-out ended stays a little longer. It opens nothing; but by it the page
/// that is loaded next is told why its reader has to sign in.
#[derive(Clone, Copy, Debug)]
pub struct CookieStays;

/// Browsers take no `__Host-` cookie without `Secure`, not even the one that removes it.
pub async fn whole_removal(mut response: Response) -> Response {
    let stays = response.extensions().get::<CookieStays>().is_some();
    let all: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().cloned().collect();
    let removes = |cookie: &HeaderValue| {
        cookie.to_str().is_ok_and(|text| text.starts_with(COOKIE) && !text.to_ascii_lowercase().contains("secure"))
    };
    if all.iter().any(removes) {
        response.headers_mut().remove(header::SET_COOKIE);
        for cookie in all {
            if stays && removes(&cookie) {
                continue;
            }
            let whole = match cookie.to_str() {
                Ok(text) if removes(&cookie) => {
                    HeaderValue::from_str(&format!("{text}; Secure; HttpOnly; SameSite=Strict")).unwrap_or(cookie)
                }
                _ => cookie,
            };
            response.headers_mut().append(header::SET_COOKIE, whole);
        }
    }
    response
}

/// Whose request it is; nobody's when nothing is shown. What is shown and wrong is refused, and no other proof is
/// looked at.
pub async fn of(
    access: &Access,
    session: &Session,
    headers: &HeaderMap,
) -> Result<Option<(Identity, Holder)>, Refusal> {
    // A proxy's own credentials (Basic) are none of ours.
    if headers.get_all(header::AUTHORIZATION).iter().any(is_bearer) {
        let token = bearer(headers).ok_or(Refusal::WrongToken)?;
        let identity = access.identity_of_token(token).await.map_err(|error| unavailable(&error))?;
        let identity = identity.ok_or(Refusal::WrongToken)?;
        let holder = Holder(identity.name.clone());
        return Ok(Some((identity, holder)));
    }
    // A session that is over is not found any more, and its id with it.
    let shown = session.id();
    let mark = session.get::<SessionMark>(SessionMark::KEY).await.map_err(|error| unavailable_session(&error))?;
    let (Some(mark), Some(id)) = (mark, session.id()) else {
        let Some(shown) = shown else { return Ok(None) };
        let end = access.end_of_session(shown).await.map_err(|error| unavailable(&error))?;
        return end.map_or(Ok(None), |end| Err(Refusal::SessionOver(end)));
    };
    let identity = access.identity_of_session(id, mark).await.map_err(|error| unavailable(&error))?;
    // It is there, and its person may not any more: disabled, or signed out everywhere.
    let identity = identity.ok_or(Refusal::SignedOut)?;
    Ok(Some((identity, Holder(format!("session:{}", fingerprint(&id.to_string()))))))
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

/// Tells two sessions apart, and gives neither away.
fn fingerprint(id: &str) -> String {
    use sha2::Digest as _;
    hex::encode(&sha2::Sha256::digest(id)[..8])
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unavailable(error: &AccessError) -> Refusal {
    tracing::error!(%error, "a request could not be told whose it is");
    Refusal::Unavailable
}

fn unavailable_session(error: &tower_sessions::session::Error) -> Refusal {
    tracing::error!(%error, "a session could not be read");
    Refusal::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (header::AUTHORIZATION, HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn a_token_is_sent_in_one_way_only() {
        assert_eq!(bearer(&headers(&["Bearer abc"])), Some("abc"));
        assert_eq!(bearer(&headers(&["bearer  abc "])), Some("abc"));
        for wrong in [&["Basic abc"][..], &["abc"], &["Bearerabc"], &["Bearer a", "Bearer b"], &[]] {
            assert_eq!(bearer(&headers(wrong)), None, "{wrong:?}");
        }
    }
}
