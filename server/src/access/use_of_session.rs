//! Which requests are a person's doing. Only those keep a sign-in from becoming idle: what an open page asks for by itself,
//! to stay true while nobody may be there, does not.
//!
//! A page says so of its own requests. Whoever says it of others only shortens their own sign-in.

use app::background::{HEADER, RELOADED};
use axum::http::request::Parts;

/// What a page holds open as long as it is shown. A browser's event streams cannot bring a header.
const STREAMS: [&str; 2] = ["/api/v1/changes", "/api/v1/runs/{id}/events"];

/// A person did this; `route` is the path of the route that the router chose.
pub fn is_use(parts: &Parts, route: Option<&str>) -> bool {
    let reloaded = |query: &str| query.split('&').any(|pair| pair.split('=').next() == Some(RELOADED));
    !parts.headers.contains_key(HEADER)
        && !route.is_some_and(|route| STREAMS.contains(&route))
        && !parts.uri.query().is_some_and(reloaded)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn what_a_page_asks_for_by_itself_is_no_use() {
        let asked = |uri: &str, header: Option<&str>, route: &str| {
            let request = Request::builder().uri(uri);
            let request = match header {
                Some(name) => request.header(name, "1"),
                None => request,
            };
            is_use(&request.body(()).unwrap().into_parts().0, Some(route))
        };
        assert!(asked("/runs/7?after=1", None, "/runs/{id}"));
        assert!(!asked("/runs/7", Some(HEADER), "/runs/{id}"));
        assert!(!asked("/runs/7?x=1&reloaded=1", None, "/runs/{id}"));
        assert!(!asked("/api/v1/runs/7/events?after=3", None, "/api/v1/runs/{id}/events"));
        assert!(asked("/api/v1/runs/7/log", None, "/api/v1/runs/{id}/log"));
    }
}
