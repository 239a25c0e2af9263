//! Addresses of this server's own pages, as a form or a browser names them. Nobody is led anywhere else.

use axum::http::{HeaderMap, HeaderName, Uri, header};

use crate::access::refusal::is_page;

/// Pages for those who are not signed in: no place to come back to.
pub(crate) const PUBLIC_PAGES: [&str; 2] = ["/sign-in", "/welcome"];

/// The address, if it is a page of this server for those who are signed in: one slash, and no second one of either kind,
/// which would name a host.
pub(crate) fn own_page(address: &str) -> Option<&str> {
    let rest = address.strip_prefix('/')?;
    let plain = !rest.starts_with(['/', '\\']) && !address.chars().any(char::is_control) && address.is_ascii();
    let path = address.split(['?', '#']).next().unwrap_or_default();
    (plain && is_page(path) && !PUBLIC_PAGES.contains(&path)).then_some(address)
}

/// The page of this server that the browser says it comes from, by the name that it asked for. A proxy that names itself
/// tells that name; whoever makes one up is led to a page of this server all the same.
pub(crate) fn came_from(headers: &HeaderMap) -> Option<String> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let referer: Uri = text(header::REFERER)?.parse().ok()?;
    let site = referer.authority()?.as_str();
    let proxied = text(HeaderName::from_static("x-forwarded-host")).and_then(|hosts| hosts.rsplit(',').next());
    let asked_for = [text(header::HOST), proxied];
    if !asked_for.into_iter().flatten().any(|host| host.trim().eq_ignore_ascii_case(site)) {
        return None;
    }
    own_page(referer.path_and_query()?.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_path_of_ours_is_gone_on_to() {
        for good in ["/", "/runs/7", "/versions?q=a%2Fb", "/versions/v2/plan#x"] {
            assert_eq!(own_page(good), Some(good));
        }
        for bad in [
            "",
            "runs",
            "/session/sign-out",
            "/api/v1/runs",
            "/favicon.ico",
            "/sign-in",
            "/sign-in?next=%2Fruns",
            "/welcome",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/\t/evil.example",
        ] {
            assert_eq!(own_page(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_browser_that_came_from_elsewhere_is_led_to_no_other_host() {
        let with = |referer: &str, host: &str, proxied: Option<&str>| {
            let mut headers = HeaderMap::new();
            let pairs = [("referer", Some(referer)), ("host", Some(host)), ("x-forwarded-host", proxied)];
            for (name, value) in pairs {
                value.map(|value| headers.insert(name, HeaderValue::from_str(value).unwrap()));
            }
            came_from(&headers)
        };
        let from = |referer: &str| with(referer, "a.example", None);
        assert_eq!(from("https://A.example/runs?x=1").as_deref(), Some("/runs?x=1"));
        assert_eq!(with("https://a.example/runs", "inside:3000", Some("a.example")).as_deref(), Some("/runs"));
        for odd in [
            "https://a.example//evil.example/x",
            "https://evil.example/runs",
            "//evil.example/versions",
            "/runs",
            "x",
            "https://a.example/rpc/start",
        ] {
            assert_eq!(from(odd), None, "{odd}");
        }
        assert_eq!(came_from(&HeaderMap::new()), None);
    }
}
