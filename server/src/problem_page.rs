//! Problems as pages for people: a browser that opened an address gets words and a way on, not a JSON document.

use app::problem_document;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use rollback_types::Problem;

use crate::state::AppState;

/// No problem document of ours is larger.
const MAX_PROBLEM: usize = 4 * 1024 * 1024;
/// The page has a style sheet, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Turns a problem document into a page where a person opened the address.
pub async fn for_people(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let person = opened_by_a_person(request.uri().path(), request.headers());
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !person || kind != Some(b"application/problem+json") {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_PROBLEM).await else {
        return Response::from_parts(head, Body::empty());
    };
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    let page = problem_document(&problem, &state.asset_paths().css);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(page.len()));
    head.headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Response::from_parts(head, Body::from(page))
}

/// Browsers name HTML first when a person opens an address or sends a form; scripts and programs do not. The API and the
/// server functions speak JSON to everybody.
fn opened_by_a_person(path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    accepts.starts_with("text/html") && !path.starts_with("/api/") && !path.starts_with("/rpc/")
}
