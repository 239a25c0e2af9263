//! What every request must pass before anybody asks who made it: it reached us by a name of ours, and no page of another
//! site made it.
//!
//! A page of another site, open in somebody's browser, can send requests here. A wrong `Host` shows a name that was made
//! to point here (DNS rebinding); a foreign `Origin` or `Sec-Fetch-Site` shows a forged request.

use axum::http::{HeaderMap, Method, header};

use crate::access::client::{Client, Reach};

/// Whether a request of this method may change something.
pub fn is_unsafe(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Why a request is refused; nothing when it passes.
pub fn refusal(method: &Method, headers: &HeaderMap, client: &Client, reach: &Reach) -> Option<&'static str> {
    if client.exposed {
        return Some("The request came readably over the network: use the address of the proxy, or HTTPS.");
    }
    let Some(host) = client.host.as_deref().and_then(Authority::parse) else {
        return Some("The request names no host, or not just one.");
    };
    if !is_ours(&host, reach) {
        return Some(
            "The Host header is no name of this server: open the page by 127.0.0.1, localhost or the address of server.public_url.",
        );
    }
    if is_unsafe(method) { forgery(headers, &host, client.https) } else { None }
}

/// A name by which this server may be reached.
fn is_ours(host: &Authority, reach: &Reach) -> bool {
    match &reach.public_url {
        _ if host.is_loopback() => true,
        Some(url) => Authority::parse(&url.authority).is_some_and(|ours| host.is(&ours, &url.scheme)),
        // Without a public address any name may lead here. One made up by a stranger has no cookie of ours.
        None => !reach.listen.ip().is_loopback(),
    }
}

fn forgery(headers: &HeaderMap, host: &Authority, https: bool) -> Option<&'static str> {
    // Said twice it is as good as a foreign one: what stands before us may have looked at the other.
    let text = |name: &str| {
        let mut said = headers.get_all(name).iter();
        let first = said.next()?;
        Some(if said.next().is_some() { "?" } else { first.to_str().unwrap_or("?") })
    };
    let site = text("sec-fetch-site");
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Some("The request was made by a page of another site.");
    }
    match text(header::ORIGIN.as_str()) {
        Some(origin) => {
            let (scheme, authority) = origin.split_once("://").unwrap_or_default();
            let scheme_fits = scheme == if https { "https" } else { "http" };
            let fits = scheme_fits && Authority::parse(authority).is_some_and(|origin| origin.is(host, scheme));
            (!fits).then_some("The Origin header is not this server.")
        }
        // Every browser says where such a request comes from. Without a word of it, and with a cookie, it may be forged;
        // a program with a token sends none.
        None if site.is_none() && headers.contains_key(header::COOKIE) => {
            Some("A request with a cookie must say by Origin where it comes from.")
        }
        None => None,
    }
}

/// Host and port of a `Host` header or an origin.
#[derive(Debug, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Nothing for what is no plain host with or without a port: names of users, paths, lists, ports that are none.
    fn parse(text: &str) -> Option<Self> {
        let authority: axum::http::uri::Authority = text.parse().ok()?;
        let host = authority.host();
        let port = match text.strip_prefix(host)? {
            "" => None,
            rest => {
                let digits = rest.strip_prefix(':').filter(|port| port.bytes().all(|b| b.is_ascii_digit()))?;
                Some(digits.parse().ok()?)
            }
        };
        (!host.is_empty()).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// The same place, where the scheme's own port need not be named.
    fn is(&self, other: &Self, scheme: &str) -> bool {
        let own = if scheme == "https" { 443 } else { 80 };
        self.host == other.host && self.port.unwrap_or(own) == other.port.unwrap_or(own)
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&self.host);
        self.host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::PublicUrl;

    type Pairs<'a> = &'a [(&'static str, &'static str)];

    fn reach(listen: &str, public: Option<(&str, &str)>) -> Reach {
        Reach {
            listen: listen.parse().unwrap(),
            public_url: public
                .map(|(scheme, authority)| PublicUrl { scheme: scheme.into(), authority: authority.into() }),
            trusted_proxies: Vec::new(),
        }
    }

    fn passes(method: &Method, pairs: Pairs<'_>, https: bool, reach: &Reach) -> bool {
        let headers: HeaderMap =
            pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect();
        let host = pairs.iter().find(|(k, _)| *k == "host").map(|(_, v)| (*v).to_owned());
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        refusal(method, &headers, &Client { address, https, host, exposed: false }, reach).is_none()
    }

    #[test]
    fn only_this_machines_own_requests_pass() {
        let post = |pairs: Pairs<'_>| passes(&Method::POST, pairs, false, &reach("127.0.0.1:3000", None));
        assert!(post(&[("host", "127.0.0.1:3000")]), "a program without Origin");
        assert!(post(&[("host", "localhost:3000"), ("origin", "http://localhost:3000")]));
        assert!(post(&[("host", "localhost:80"), ("origin", "http://localhost")]));
        assert!(post(&[("host", "[::1]:3000"), ("origin", "http://[::1]:3000"), ("sec-fetch-site", "same-origin")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "http://evil.example")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:4000")]), "another port");
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "https://127.0.0.1:3000")]), "another scheme");
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "null")]));
        assert!(!post(&[("host", "127.0.0.1:3000"), ("origin", "")]));
        let own = ("origin", "http://127.0.0.1:3000");
        assert!(!post(&[("host", "127.0.0.1:3000"), own, ("origin", "http://evil.example")]), "two origins");
        let (same, cross) = (("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site"));
        assert!(!post(&[("host", "127.0.0.1:3000"), own, same, cross]), "from here and from elsewhere");
        assert!(!post(&[("host", "127.0.0.1:3000"), ("sec-fetch-site", "cross-site")]));
        assert!(!post(&[("host", "rebound.example:3000")]));
        assert!(!post(&[("host", "127.0.0.1.example:3000")]));
        assert!(
            !post(&[("host", "127.0.0.1:3000"), ("origin", "http://127.0.0.1:3000/path")]),
            "an origin has no path"
        );
        assert!(!post(&[]));
    }

    #[test]
    fn a_cookie_needs_a_word_about_where_it_comes_from() {
        let post = |pairs: Pairs<'_>| passes(&Method::POST, pairs, false, &reach("127.0.0.1:3000", None));
        let (host, cookie) = (("host", "127.0.0.1:3000"), ("cookie", "a=b"));
        assert!(!post(&[host, cookie]));
        assert!(post(&[host, cookie, ("sec-fetch-site", "same-origin")]));
        assert!(post(&[host, cookie, ("origin", "http://127.0.0.1:3000")]));
    }

    #[test]
    fn even_reading_needs_a_name_of_ours() {
        let loopback = reach("127.0.0.1:3000", None);
        assert!(!passes(&Method::GET, &[("host", "rebound.example")], false, &loopback));
        assert!(passes(&Method::GET, &[("host", "127.0.0.1:1"), ("origin", "http://x")], false, &loopback));
    }

    #[test]
    fn a_host_is_a_name_with_or_without_a_port_and_nothing_else() {
        let loopback = reach("127.0.0.1:3000", None);
        let get = |host: &'static str| passes(&Method::GET, &[("host", host)], false, &loopback);
        for good in
            ["localhost", "LOCALHOST:1", "127.0.0.1:65535", "127.1.2.3", "[::1]", "[::1]:3000", "[::ffff:127.0.0.1]"]
        {
            assert!(get(good), "{good}");
        }
        for bad in [
            "",
            ":3000",
            "localhost:",
            "localhost:x",
            "localhost:+80",
            "localhost:65536",
            "localhost:80:80",
            "localhost:80/",
            "localhost, evil.example",
            "evil.example@localhost",
            "localhost@evil.example",
            "localhost.",
            "[::1]evil.example",
            "[::1",
            "::1",
            "0.0.0.0",
            "127.1",
            "2130706433",
        ] {
            assert!(!get(bad), "{bad}");
        }
    }

    #[test]
    fn a_public_address_is_the_only_other_name() {
        let public = reach("0.0.0.0:443", Some(("https", "stepback.example")));
        let post = |pairs: Pairs<'_>| passes(&Method::POST, pairs, true, &public);
        assert!(post(&[("host", "stepback.example"), ("origin", "https://stepback.example")]));
        assert!(post(&[("host", "Stepback.Example:443"), ("origin", "https://stepback.example")]));
        assert!(!post(&[("host", "stepback.example"), ("origin", "http://stepback.example")]), "not encrypted");
        assert!(!post(&[("host", "other.example")]));
        let any = reach("0.0.0.0:443", None);
        assert!(passes(&Method::GET, &[("host", "other.example")], true, &any));
        assert!(!passes(&Method::POST, &[("host", "other.example"), ("origin", "https://evil.example")], true, &any));
    }
}
