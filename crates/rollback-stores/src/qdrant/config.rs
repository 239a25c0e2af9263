//! Where Qdrant is and how long to wait for it.

use std::fmt;
use std::time::Duration;

use crate::secret::Secret;

/// Qdrant's gRPC port, taken when the address names none.
const GRPC_PORT: u16 = 6334;
/// Qdrant's REST port, likewise.
pub(super) const REST_PORT: u16 = 6333;

/// Where Qdrant is, the key, and how long to wait.
#[derive(Clone)]
pub struct QdrantConfig {
    /// The gRPC address: `http://host:6334` or `https://host:6334`.
    pub url: String,
    /// The REST address, over which snapshots travel: `http://host:6333`. `None`: the host of `url`, port 6333.
    pub rest_url: Option<String>,
    /// Sent with every call.
    pub api_key: Option<Secret>,
    /// For the TCP and TLS connection.
    pub connect_timeout: Duration,
    /// For one ordinary call, connecting included.
    pub request_timeout: Duration,
    /// For a deletion, the creation of a collection, and snapshots (more with their size): a busy (*yellow*) collection
    /// takes 14 seconds and more.
    pub long_timeout: Duration,
}

impl QdrantConfig {
    /// The usual limits: 3 s to connect, 10 s for a call, 180 s for a deletion.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            rest_url: None,
            api_key: None,
            connect_timeout: Duration::from_secs(3),
            request_timeout: Duration::from_secs(10),
            long_timeout: Duration::from_secs(180),
        }
    }

    pub(super) fn grpc_endpoint(&self) -> Result<Endpoint, QdrantConfigError> {
        Endpoint::parse(&self.url, GRPC_PORT)
    }

    /// As configured, else beside gRPC on the usual port.
    pub(super) fn rest_endpoint(&self) -> Result<Endpoint, QdrantConfigError> {
        match &self.rest_url {
            Some(url) => Endpoint::parse(url, REST_PORT).map_err(|_| QdrantConfigError::Rest),
            None => Ok(Endpoint { port: REST_PORT, ..self.grpc_endpoint()? }),
        }
    }
}

impl fmt::Debug for QdrantConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL as written: it may carry a password.
        f.debug_struct("QdrantConfig")
            .field("endpoint", &self.grpc_endpoint())
            .field("rest_endpoint", &self.rest_endpoint())
            .field("api_key", &self.api_key)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("long_timeout", &self.long_timeout)
            .finish()
    }
}

/// The configuration cannot work, whatever the server does. Never repeats the address or the key as written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QdrantConfigError {
    /// Neither `http://` nor `https://`.
    #[error("Qdrant's address must begin with http:// or https://, for example http://localhost:6334")]
    Scheme,
    /// A user or password in the address: Qdrant would never see it.
    #[error("Qdrant's address holds a user or password, which Qdrant does not use: take it out and set the API key")]
    UserInfo,
    /// No host, or one with characters no host has.
    #[error("Qdrant's address names no valid host; it should look like http://localhost:6334")]
    Host,
    /// No number from 1 to 65535.
    #[error("the port in Qdrant's address is no number from 1 to 65535; gRPC is usually 6334")]
    Port,
    /// More than a host and port.
    #[error("Qdrant's address must end after the port: gRPC knows no path, query or fragment")]
    Path,
    /// The REST address cannot be used.
    #[error(
        "Qdrant's REST address (rest_url) must be http:// or https://, a host and a port, and nothing else, for example \
         http://localhost:6333"
    )]
    Rest,
    /// The key holds characters that no header can carry.
    #[error(
        "the API key for Qdrant is empty or holds spaces, line ends or characters outside ASCII: check for a stray line end"
    )]
    ApiKey,
}

/// Scheme, host and port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) scheme: &'static str,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Endpoint {
    pub(super) fn parse(url: &str, default_port: u16) -> Result<Self, QdrantConfigError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").ok_or(QdrantConfigError::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => "http",
            "https" => "https",
            _ => return Err(QdrantConfigError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(QdrantConfigError::UserInfo);
        }
        if !matches!(tail, "" | "/") {
            // A slash inside a password would end the authority early: tell that case from a path.
            return Err(if tail.contains('@') { QdrantConfigError::UserInfo } else { QdrantConfigError::Path });
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (address, after) = v6.split_once(']').ok_or(QdrantConfigError::Host)?;
                let address: std::net::Ipv6Addr = address.parse().map_err(|_| QdrantConfigError::Host)?;
                (format!("[{address}]"), after.strip_prefix(':').or(after.is_empty().then_some("")))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host.to_owned(), Some(port)),
                None => (authority.to_owned(), Some("")),
            },
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !host.starts_with('[') && (host.is_empty() || !host.chars().all(named)) {
            return Err(QdrantConfigError::Host);
        }
        let port = match port.ok_or(QdrantConfigError::Port)? {
            "" => default_port,
            digits => digits.parse().ok().filter(|port| *port > 0).ok_or(QdrantConfigError::Port)?,
        };
        Ok(Self { scheme, host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// What a header can carry, so that the client never has to complain about it (its complaint repeats the key).
pub(super) fn check_key(key: &Secret) -> Result<(), QdrantConfigError> {
    let key = key.expose();
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(QdrantConfigError::ApiKey);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_become_scheme_host_and_port() {
        for (url, expected) in [
            ("http://localhost:6334", "http://localhost:6334"),
            ("HTTPS://qdrant.example.org", "https://qdrant.example.org:6334"),
            (" http://10.0.0.1:1/ ", "http://10.0.0.1:1"),
            ("http://[::1]:7", "http://[::1]:7"),
            ("http://hybridflow_qdrant:6334", "http://hybridflow_qdrant:6334"),
        ] {
            assert_eq!(Endpoint::parse(url, GRPC_PORT).map(|e| e.to_string()).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn bad_addresses_are_told_apart() {
        use QdrantConfigError::{Host, Path, Port, Scheme, UserInfo};
        for (url, expected) in [
            ("", Scheme),
            ("localhost:6334", Scheme),
            ("grpc://localhost", Scheme),
            ("http://", Host),
            ("http://:6334", Host),
            ("http://a b", Host),
            ("http://[::1", Host),
            ("http://h:0", Port),
            ("http://h:65536", Port),
            ("http://h:x", Port),
            ("http://[::1]x", Port),
            ("http://h:6334/path", Path),
            ("http://h:6334?a=b", Path),
            ("http://user:pw@h:6334", UserInfo),
            ("http://user:p/w@h:6334", UserInfo),
        ] {
            assert_eq!(Endpoint::parse(url, GRPC_PORT), Err(expected), "{url}");
        }
    }

    #[test]
    fn rest_is_beside_grpc_unless_it_is_somewhere_else() {
        let at = |url: &str, rest: Option<&str>| {
            let config = QdrantConfig { rest_url: rest.map(str::to_owned), ..QdrantConfig::new(url) };
            config.rest_endpoint().map(|endpoint| endpoint.to_string())
        };
        assert_eq!(at("https://q.example:16334", None).as_deref(), Ok("https://q.example:6333"));
        assert_eq!(at("http://q.example", Some("http://r.example")).as_deref(), Ok("http://r.example:6333"));
        assert_eq!(at("http://q.example", Some("http://u:p@r.example")), Err(QdrantConfigError::Rest));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let config =
            QdrantConfig { api_key: Some(Secret::new("sesame")), ..QdrantConfig::new("http://root:hunter2@host:6334") };
        let text = format!("{config:?}");
        assert!(!text.contains("sesame") && !text.contains("hunter2") && !text.contains("root"), "{text}");
        for key in ["", "a b", "a\n", "schlüssel"] {
            assert_eq!(check_key(&Secret::new(key)), Err(QdrantConfigError::ApiKey));
        }
    }
}
