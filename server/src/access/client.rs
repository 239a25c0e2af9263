//! Where a request comes from, and by which name it reached us.
//!
//! What a proxy says about its client is believed only from the proxies that the settings name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::{HeaderMap, header, request::Parts};

use crate::config::{Config, PublicUrl};

/// The other end of a connection. The accept loop puts it on every request.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The connection is encrypted.
    pub tls: bool,
}

/// How this server can be reached.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address that people open, where it is another one.
    pub public_url: Option<PublicUrl>,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Reach {
    /// As configured.
    pub fn of(config: &Config) -> Self {
        Self {
            listen: config.listen,
            public_url: config.serving.public_url.clone(),
            trusted_proxies: config.serving.trusted_proxies.clone(),
        }
    }
}

/// Who is at the other end of a request, behind proxies that are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    /// The request was encrypted up to us, or up to the proxy.
    pub https: bool,
    /// The name by which it was made, with its port.
    pub host: Option<String>,
    /// It came over the network readably, and by no proxy that is believed.
    pub exposed: bool,
}

impl Client {
    /// Whose request this is.
    pub fn of(parts: &Parts, reach: &Reach) -> Self {
        // A request without a peer did not come by our accept loop; it is nobody's we know.
        let unknown = Peer { address: Ipv4Addr::UNSPECIFIED.into(), tls: false };
        let peer = parts.extensions.get::<Peer>().copied().unwrap_or(unknown);
        let address = peer.address.to_canonical();
        let headers = &parts.headers;
        let named = || name_of(parts);
        if !reach.trusted_proxies.contains(&address) {
            let exposed = !peer.tls && !address.is_loopback();
            return Self { address, https: peer.tls, host: named(), exposed };
        }
        let forwarded = |name| last_of_list(headers, name);
        Self {
            address: client_of_proxies(headers, &reach.trusted_proxies).unwrap_or(address),
            https: peer.tls || forwarded("x-forwarded-proto").is_some_and(|p| p.eq_ignore_ascii_case("https")),
            host: forwarded("x-forwarded-host").or_else(named),
            exposed: false,
        }
    }
}

/// The one name by which a request was made; none where it says two.
fn name_of(parts: &Parts) -> Option<String> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    match (host, parts.uri.authority()) {
        (Some(host), Some(address)) if !address.as_str().eq_ignore_ascii_case(host) => None,
        (host, address) => host.or(address.map(|a| a.as_str())).map(str::to_owned),
    }
}

/// The last entry of a header's list: what the proxy nearest to us added.
fn last_of_list(headers: &HeaderMap, name: &str) -> Option<String> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next().map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty())
}

/// The nearest address that is no proxy of ours. What stands before it was written by strangers.
fn client_of_proxies(headers: &HeaderMap, proxies: &[IpAddr]) -> Option<IpAddr> {
    let values: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let entries = values.iter().rev().flat_map(|value| value.rsplit(','));
    for entry in entries {
        let entry = entry.trim();
        let address = entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|a| a.ip()));
        let address = address.ok()?.to_canonical();
        if !proxies.contains(&address) {
            return Some(address);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn client(peer: &str, proxies: &[&str], headers: &[(&str, &str)]) -> Client {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer { address: peer.parse().unwrap(), tls: false });
        let reach = Reach {
            listen: "0.0.0.0:3000".parse().unwrap(),
            public_url: None,
            trusted_proxies: proxies.iter().map(|p| p.parse().unwrap()).collect(),
        };
        Client::of(&parts, &reach)
    }

    const FORWARDED: [(&str, &str); 4] = [
        ("host", "inside:3000"),
        ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "stepback.example"),
    ];

    #[test]
    fn a_strangers_forwarded_headers_are_not_believed() {
        for proxies in [&[][..], &["10.0.0.5"]] {
            let client = client("203.0.113.9", proxies, &FORWARDED);
            assert_eq!(client.address.to_string(), "203.0.113.9");
            assert_eq!((client.https, client.exposed, client.host.as_deref()), (false, true, Some("inside:3000")));
        }
    }

    #[test]
    fn a_trusted_proxy_tells_its_client() {
        let client = client("10.0.0.5", &["10.0.0.5"], &FORWARDED);
        assert_eq!(client.address.to_string(), "198.51.100.7", "what stands before it is the client's own invention");
        assert_eq!((client.https, client.exposed, client.host.as_deref()), (true, false, Some("stepback.example")));
    }

    #[test]
    fn two_trusted_proxies_in_a_row_are_passed_over() {
        let headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.7:4711, 10.0.0.6")];
        let client = client("::ffff:10.0.0.5", &["10.0.0.5", "10.0.0.6"], &headers);
        assert_eq!(client.address.to_string(), "198.51.100.7");
    }

    #[test]
    fn a_request_that_names_two_hosts_names_none() {
        assert_eq!(client("127.0.0.1", &[], &[("host", "localhost"), ("host", "evil.example")]).host, None);
        let named = |uri: &str, host: &str| {
            let (parts, ()) = Request::builder().uri(uri).header("host", host).body(()).unwrap().into_parts();
            name_of(&parts)
        };
        assert_eq!(named("http://evil.example/", "localhost"), None);
        assert_eq!(named("http://LOCALHOST/", "localhost").as_deref(), Some("localhost"));
        assert_eq!(named("/", "localhost").as_deref(), Some("localhost"));
    }

    #[test]
    fn nonsense_of_a_proxy_leaves_its_own_address() {
        let client = client("10.0.0.5", &["10.0.0.5"], &[("x-forwarded-for", "6.6.6.6, unknown")]);
        assert_eq!(client.address.to_string(), "10.0.0.5");
    }
}
