//! Problems as pages for people: a browser that opened an address or sent a form gets words and a way on, not a JSON
//! document. Whoever is signed in gets them within the page's own frame; else, and when that frame is what cannot be made,
//! they stand alone.

use app::pages::not_found::InPlaceOfPage;
use app::problem_document;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use rollback::Actor;
use rollback_types::{Problem, ProblemKind};
use tower_sessions::Session;

use crate::access::whose;
use crate::own_pages::came_from;
use crate::problem::MAX_PROBLEM;
use crate::routes::show_page;
use crate::state::AppState;

/// No page that shows one is.
const MAX_PAGE: usize = 16 * 1024 * 1024;
/// The page that stands alone has a style sheet, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// An address that leads to no page, so that what is shown is what stands in the place of one.
const NO_PAGE: &str = "/-/problem";

/// Turns a problem document into a page where a person opened the address.
pub async fn for_people(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let person = Person::of(&request);
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let (Some(person), Some(b"application/problem+json")) = (person, kind) else { return response };
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_PROBLEM).await else {
        return Response::from_parts(head, Body::empty());
    };
    let Ok(mut problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    if problem.kind == ProblemKind::SignInRequired {
        problem.remedy = Some("Sign in, and you are led back to send it again. The page has kept the reasons and notes you typed there; names to \
                 confirm, choices and passwords are to be given again, and without JavaScript all of it.".to_owned());
    }
    let (page, policy) = match framed(&state, &person, &problem).await {
        Some(page) => page,
        None => {
            let page = problem_document(&problem, &state.asset_paths().css, person.came_from.as_deref());
            (page.into_bytes(), HeaderValue::from_static(POLICY))
        }
    };
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.len()));
    head.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Response::from_parts(head, Body::from(page))
}

/// Who asked, in a browser.
struct Person {
    session: Option<Session>,
    headers: HeaderMap,
    /// The page of ours that led here.
    came_from: Option<String>,
}

impl Person {
    /// Browsers name HTML first when a person opens an address or sends a form; scripts and programs do not. The API speaks
    /// JSON to everybody.
    fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let accepts = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !accepts.starts_with("text/html") || request.uri().path().starts_with("/api/") {
            return None;
        }
        let session = request.extensions().get::<Session>().cloned();
        Some(Self { session, headers: headers.clone(), came_from: came_from(headers) })
    }
}

/// The page in its frame, with its policy. Nothing for those who are not signed in, or when the frame cannot be made either.
async fn framed(state: &AppState, person: &Person, problem: &Problem) -> Option<(Vec<u8>, HeaderValue)> {
    // Who made a forged request is not asked; who must sign in is nobody yet.
    let alone = [
        ProblemKind::Forbidden,
        ProblemKind::SignInRequired,
        ProblemKind::TooManyRequests,
        ProblemKind::AccessUnavailable,
    ];
    if alone.contains(&problem.kind) {
        return None;
    }
    let session = person.session.as_ref()?;
    let (identity, _) = whose(&state.access, session, &person.headers).await.ok()??;
    // A token is a program's, whatever it says to take.
    identity.session_mark()?;
    let mut extensions = Extensions::new();
    extensions.insert(Actor::new(identity.name.clone(), identity.role));
    extensions.insert(identity);
    let shown = InPlaceOfPage { problem: problem.clone(), came_from: person.came_from.clone() };
    let (head, body) = show_page(state, NO_PAGE, extensions, shown).await.into_parts();
    let is_page = head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = head.headers.get(header::CONTENT_SECURITY_POLICY).cloned();
    let page = to_bytes(body, MAX_PAGE).await.ok()?;
    policy.filter(|_| is_page).map(|policy| (page.to_vec(), policy))
}
