//! By which names and within which limits the server is reached, and how long a sign-in lasts.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::sources::Values;
use super::{DAY, HOUR, MINUTE};

/// By which names, and within which limits.
#[derive(Clone, Debug)]
pub struct ServingConfig {
    /// The address that people open, where it is another one.
    pub public_url: Option<PublicUrl>,
    /// Absent: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections of one address at a time.
    pub max_connections_per_address: usize,
    /// Event streams of one person or token at a time.
    pub max_streams_per_client: usize,
}

/// An address as people open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https`, or `http`.
    pub scheme: String,
    /// Host and, where it is not the scheme's own, port.
    pub authority: String,
}

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those it rests on.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How long a sign-in lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Without anything done.
    pub idle: Duration,
    /// Whatever is done.
    pub absolute: Duration,
}

impl ServingConfig {
    pub(super) fn of(values: &Values) -> Result<Self, ConfigError> {
        let public_url = values.address("server.public_url", &["http", "https"])?.and_then(|url| {
            let (scheme, authority) = url.split_once("://")?;
            Some(PublicUrl { scheme: scheme.to_owned(), authority: authority.to_ascii_lowercase() })
        });
        let count = |name, default| {
            let number = values.whole_number(name, default, 1..=100_000)?;
            Ok(usize::try_from(number).unwrap_or(usize::MAX))
        };
        let max_connections = count("server.max_connections", 1024)?;
        // One address alone cannot take all places.
        let share = u64::try_from(max_connections.div_ceil(4)).unwrap_or(u64::MAX);
        Ok(Self {
            public_url,
            tls: tls(values)?,
            trusted_proxies: values.ip_addresses("server.trusted_proxy")?,
            max_connections,
            max_connections_per_address: count("server.max_connections_per_address", share)?,
            max_streams_per_client: count("server.max_streams_per_client", 64)?,
        })
    }
}

impl SessionConfig {
    pub(super) fn of(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            idle: values.duration("session.idle", 30 * MINUTE, MINUTE..=30 * DAY)?,
            absolute: values.duration("session.absolute", 12 * HOUR, MINUTE..=90 * DAY)?,
        })
    }
}

fn tls(values: &Values) -> Result<Option<TlsFiles>, ConfigError> {
    match (values.optional_path("server.tls_cert")?, values.optional_path("server.tls_key")?) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(values.refuse("server.tls_key", "and the certificate of server.tls_cert needs its key")),
        (None, Some(_)) => Err(values.refuse("server.tls_cert", "and the key of server.tls_key needs its certificate")),
    }
}

/// Where to listen. What passes on the way beyond this machine must not be readable there.
pub(super) fn listen(values: &Values) -> Result<SocketAddr, ConfigError> {
    let address = values.listen("server.listen")?;
    let protected = values.get("server.tls_cert").is_some() || !values.ip_addresses("server.trusted_proxy")?.is_empty();
    if address.ip().is_loopback() || protected {
        return Ok(address);
    }
    Err(values.refuse(
        "server.listen",
        "which other machines can reach, and passwords would travel readably: set tls_cert and tls_key, or trusted_proxy",
    ))
}
