//! The door that every request passes.

use std::time::Duration;

use access::{AccessError, AuditEntry, AuditId, AuditMatter, Identity};
use axum::RequestPartsExt as _;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollback::Actor;
use rollback_types::{AuditOutcome, Problem, ProblemKind};
use tower_sessions::Session;

use super::client::Client;
use super::media::Media;
use super::refusal::Refusal;
use super::rules::{Rule, VIEWER, Verdict};
use super::said::Said;
use super::{headers, identity, use_of_session};
use crate::guard;
use crate::own_pages::came_from;
use crate::problem::ApiProblem;
use crate::state::AppState;

/// No request of ours is larger.
pub const MAX_BODY: usize = 64 * 1024;
/// How long a client may take for a request's body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What a handler says about its answer's outcome, where the status does not: forms are answered with redirects.
#[derive(Clone, Debug)]
pub struct Told {
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why.
    pub detail: String,
}

/// The row of what somebody tries who is not signed in, for whoever grants it to write before it is done. What is refused
/// is written here, within bounds: strangers must not fill the disk.
#[derive(Clone, Debug)]
pub struct Unwritten(pub AuditEntry);

/// In an answer: the row has been written.
#[derive(Clone, Copy, Debug)]
pub struct Written;

/// Lets a request in, or not, and sets the headers that every answer carries.
pub async fn door(State(state): State<AppState>, session: Session, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let client = Client::of(&parts, &state.reach);
    let (https, path) = (client.https, parts.uri.path().to_owned());
    let mut response = pass(state, &session, client, parts, body, next).await;
    headers::complete(response.headers_mut(), https, &path);
    response
}

async fn pass(
    state: AppState,
    session: &Session,
    client: Client,
    mut parts: Parts,
    body: Body,
    next: Next,
) -> Response {
    let acts = guard::is_unsafe(&parts.method);
    let route = parts.extensions.get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let admitted = admit(&state, session, &client, &parts, route.as_deref()).await;
    let (who, refusal) = match admitted {
        Ok(who) => (who, None),
        Err((who, refusal)) => (who, Some(refusal)),
    };
    if let Some((identity, _)) = who.as_ref().filter(|_| use_of_session::is_use(&parts, route.as_deref())) {
        state.access.note_use(identity).await;
    }
    // What somebody may not even read is a try worth a row; a reader without a sign-in is not.
    let told = acts || matches!(refusal, Some(Refusal::Role { .. }));
    if !told {
        return match refusal {
            Some(refusal) => refusal.answer(&parts.method, &parts.uri),
            None => {
                introduce(&mut parts, who, client);
                next.run(Request::from_parts(parts, body)).await
            }
        };
    }
    let entry = AuditEntry::of(action(&parts, route.as_deref()), who.as_ref().map(|(i, _)| i), Some(client.address));
    if let Some(refusal) = refusal {
        return refused(&state, entry, &refusal, &parts).await;
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => return refused(&state, entry, &Refusal::TooLarge, &parts).await,
        Err(Unread::Broken(why)) => {
            write_refused(&state, &entry, StatusCode::BAD_REQUEST, &why).await;
            return ApiProblem::invalid(why).into_response();
        }
    };
    let entry = AuditEntry { matter: matter(&mut parts, &body).await, ..entry };
    let taken = Media::taken_by(parts.uri.path());
    if !taken.fits(&parts.headers, &body) {
        return refused(&state, entry, &Refusal::WrongMedia(taken), &parts).await;
    }
    let row = match who {
        Some(_) => match state.access.audit_begin(&entry).await {
            Ok(begun) => Some(begun),
            Err(error) => return unwritten(&error),
        },
        None => {
            parts.extensions.insert(Unwritten(entry.clone()));
            None
        }
    };
    introduce(&mut parts, who, client);
    let request = Request::from_parts(parts, Body::from(body));
    // What has begun is carried out and written to its end, also when the client hangs up.
    let acting = tokio::spawn(async move {
        let response = next.run(request).await;
        let (outcome, detail) = outcome(&response);
        match row {
            Some(begun) => end(&state, begun, outcome, response.status(), detail.as_deref()).await,
            None if outcome == AuditOutcome::Done || response.extensions().get::<Written>().is_some() => {}
            None => write_refused(&state, &entry, response.status(), detail.as_deref().unwrap_or_default()).await,
        }
        response
    });
    match acting.await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request ended by a panic");
            let problem = Problem::new(ProblemKind::Internal, "A defect in Stepback ended the request.")
                .safe("What was begun is in the journal.")
                .remedy("See Stepback's own log.");
            ApiProblem::from(problem).into_response()
        }
    }
}

type Who = Option<(Identity, identity::Holder)>;

/// Whose request it is, if it may pass; and if not, whose as far as that is known, and why.
async fn admit(
    state: &AppState,
    session: &Session,
    client: &Client,
    parts: &Parts,
    route: Option<&str>,
) -> Result<Who, (Who, Refusal)> {
    let forged = guard::refusal(&parts.method, &parts.headers, client, &state.reach);
    // Of every address and for everybody alike, before a byte of it is read.
    let too_large = announces_too_much(&parts.headers);
    if let Some(why) = forged {
        return Err((None, if too_large { Refusal::TooLarge } else { Refusal::Forged(why) }));
    }
    let who = identity::of(&state.access, session, &parts.headers).await;
    if too_large {
        return Err((who.unwrap_or_default(), Refusal::TooLarge));
    }
    let rule = match state.rules.of(&parts.method, route, parts.uri.path()) {
        Verdict::Rule(rule) => rule,
        // A file is for everybody. The fallback gives nothing else to those who are not signed in.
        Verdict::NoRoute if !guard::is_unsafe(&parts.method) && !is_for_programs(parts.uri.path()) => Rule::Public,
        Verdict::NoRoute => VIEWER,
        // Nobody learns without a sign-in which methods there are.
        Verdict::WrongMethod(allowed) => {
            return Err(match who {
                Ok(Some(who)) => (Some(who), Refusal::WrongMethod(allowed)),
                Ok(None) => (None, Refusal::NotSignedIn),
                Err(refusal) => (None, refusal),
            });
        }
        Verdict::NoRule => return Err((who.unwrap_or_default(), Refusal::NoRule)),
    };
    match (rule, who) {
        // What is public needs no proof, so a wrong one does not matter.
        (Rule::Public, who) => Ok(who.unwrap_or_default()),
        (Rule::AtLeast(_), Err(refusal)) => Err((None, refusal)),
        // From a page that shows itself only to who is signed in: they were, when it came.
        (Rule::AtLeast(_), Ok(None)) if came_from(&parts.headers).is_some() => Err((None, Refusal::SignedOut)),
        (Rule::AtLeast(_), Ok(None)) => Err((None, Refusal::NotSignedIn)),
        (Rule::AtLeast(least), Ok(Some((identity, holder)))) => {
            let role = identity.role;
            let who = Some((identity, holder));
            if role.covers(least) { Ok(who) } else { Err((who, Refusal::Role { role, least })) }
        }
    }
}

fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/rpc/")
}

/// Tells the handlers who asks.
fn introduce(parts: &mut Parts, who: Who, client: Client) {
    if let Some((identity, holder)) = who {
        parts.extensions.insert(Actor::new(identity.name.clone(), identity.role));
        parts.extensions.insert(identity);
        parts.extensions.insert(holder);
    }
    parts.extensions.insert(client);
}

/// Method and route, without what stands for its parameters: that is the subject.
fn action(parts: &Parts, route: Option<&str>) -> String {
    let path = match route {
        Some(route) if route != super::rules::FUNCTIONS_ROUTE => route,
        _ => parts.uri.path(),
    };
    let path: String = path.chars().take(200).collect();
    format!("{} {path}", parts.method)
}

async fn matter(parts: &mut Parts, body: &[u8]) -> AuditMatter {
    let path = parts.extract::<RawPathParams>().await;
    let pairs: Vec<(&str, &str)> = path.as_ref().map(|p| p.iter().collect()).unwrap_or_default();
    let Said { subject, digest, reason } = Said::of(pairs.into_iter(), &parts.headers, body);
    AuditMatter { subject, digest, reason }
}

/// A request says itself that its body is larger than any of ours.
fn announces_too_much(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > MAX_BODY as u64)
}

/// Why a body did not come.
enum Unread {
    TooLarge,
    Broken(String),
}

async fn read(body: Body) -> Result<Bytes, Unread> {
    let whole = http_body_util::Limited::new(body, MAX_BODY);
    let collected = tokio::time::timeout(BODY_TIME, http_body_util::BodyExt::collect(whole)).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(error)) => Err(Unread::Broken(format!("The request broke off: {error}."))),
        Err(_) => Err(Unread::Broken("The request's body took too long to arrive.".to_owned())),
    }
}

/// A refused try, with its row.
async fn refused(state: &AppState, entry: AuditEntry, refusal: &Refusal, parts: &Parts) -> Response {
    write_refused(state, &entry, refusal.status(), &refusal.reason()).await;
    refusal.answer(&parts.method, &parts.uri)
}

/// Nothing is done in any case, so a row that cannot be written changes nothing for the client.
async fn write_refused(state: &AppState, entry: &AuditEntry, status: StatusCode, why: &str) {
    if let Err(error) = state.access.audit_refused(entry, Some(status.as_u16()), why).await {
        tracing::error!(%error, action = %entry.action, "a refused try could not be written to the audit");
    }
}

fn outcome(response: &Response) -> (AuditOutcome, Option<String>) {
    if let Some(told) = response.extensions().get::<Told>() {
        return (told.outcome, Some(told.detail.clone()));
    }
    (AuditOutcome::of_status(response.status().as_u16()), None)
}

async fn end(state: &AppState, begun: AuditId, outcome: AuditOutcome, status: StatusCode, detail: Option<&str>) {
    if let Err(error) = state.access.audit_end(begun, outcome, Some(status.as_u16()), detail).await {
        tracing::error!(%error, "how something ended could not be written to the audit; that it began is there");
    }
}

fn unwritten(error: &AccessError) -> Response {
    tracing::error!(%error, "the audit cannot be written: nothing is done");
    let problem = Problem::new(ProblemKind::AccessUnavailable, "The audit cannot be written, so nothing is done.")
        .safe("Nothing was changed.")
        .remedy(error.remedy());
    ApiProblem::from(problem).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;

    #[test]
    fn an_action_is_method_and_route() {
        let (parts, ()) = Request::builder().method(Method::POST).uri("/rpc/start?x=1").body(()).unwrap().into_parts();
        assert_eq!(action(&parts, Some("/api/v1/runs/{id}")), "POST /api/v1/runs/{id}");
        assert_eq!(action(&parts, Some(super::super::rules::FUNCTIONS_ROUTE)), "POST /rpc/start");
    }
}
