//! What every request must pass while there is no sign-in: it comes from this machine's own pages or programs.
//!
//! A page of another site, open in the operator's browser, can send requests to a loopback address. A wrong `Host` shows
//! a name that was made to point here (DNS rebinding); a foreign `Origin` or `Sec-Fetch-Site` shows a forged request.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollback_types::{Problem, ProblemKind};

use crate::problem::ApiProblem;

/// Refuses forged requests and sets the headers that every answer carries.
pub async fn guard(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.headers(), request.uri().host()) {
        Some(why) => {
            let problem = Problem::new(ProblemKind::Forbidden, why).safe("Nothing was changed.");
            ApiProblem::from(problem).into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(method: &Method, headers: &HeaderMap, uri_host: Option<&str>) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).or(uri_host);
    if host.is_none_or(|h| !is_loopback(h)) {
        return Some("The Host header names no loopback address: open the page by 127.0.0.1 or localhost.");
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let fetched_from = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
    if fetched_from.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some("The request was made by a page of another site.");
    }
    if let Some(origin) = text(header::ORIGIN) {
        let from = origin.split_once("://").map(|(_, authority)| authority);
        if from.is_none() || from != host {
            return Some("The Origin header is not this server.");
        }
    }
    None
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_this_machines_own_requests_pass() {
        let post = |pairs: &[(&'static str, &'static str)]| refusal(&Method::POST, &headers(pairs), None).is_none();
        assert!(post(&[("host", "127.0.0.1:3000")]), "a program without Origin");
        assert!(post(&[("host", "localhost:3000"), ("origin", "http://localhost:3000")]));
        assert!(post(&[("host", "[::1]:3000"), ("origin", "http://[::1]:3000"), ("sec-fetch-site", "same-origin")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "http://evil.example")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:4000")]), "another port");
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "null")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("sec-fetch-site", "cross-site")]));
        assert!(!post(&[("host", "rebound.example:3000")]));
        assert!(!post(&[("host", "127.0.0.1.example:3000")]));
        assert!(!post(&[]));
    }

    #[test]
    fn even_reading_needs_a_loopback_host() {
        assert!(refusal(&Method::GET, &headers(&[("host", "rebound.example")]), None).is_some());
        assert!(refusal(&Method::GET, &headers(&[("host", "127.0.0.1:1"), ("origin", "http://x")]), None).is_none());
    }
}
