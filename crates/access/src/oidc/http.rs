//! Requests to the provider: one connection each, no redirects, everything bounded.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use openidconnect::url::Url;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// For one request from beginning to end.
const TIME: Duration = Duration::from_secs(10);
/// No document of a provider is longer.
const LONGEST: usize = 1 << 20;

/// A request to the provider failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HttpError(String);

impl HttpError {
    fn of(what: &str, error: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Plain HTTP would show the code and the client's secret to the network; on this machine there is none.
pub(super) fn is_safe(url: &Url) -> bool {
    let is_here = |host: &str| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => url.host_str().is_some_and(is_here),
        _ => false,
    }
}

pub(super) async fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    let url = Url::parse(&request.uri().to_string()).map_err(|e| HttpError::of("the provider's address", e))?;
    if !is_safe(&url) {
        return Err(HttpError(format!("the provider names {url}, which is not https")));
    }
    let answer = tokio::time::timeout(TIME, exchange(&url, request))
        .await
        .map_err(|_| HttpError(format!("the provider did not answer within {} s", TIME.as_secs())))??;
    // What a gateway says in the place of a provider that is away. Another fault may be owed to what it was sent.
    match answer.status() {
        status @ (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) => {
            Err(HttpError(format!("the provider is away: {status}")))
        }
        _ => Ok(answer),
    }
}

async fn exchange(url: &Url, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
    let stream = connect(url).await?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| HttpError::of("the connection to the provider", e))?;
    let exchanged = async {
        let (mut parts, body) = request.into_parts();
        let authority = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        parts.headers.insert(HOST, authority.parse().map_err(|e| HttpError::of("the provider's address", e))?);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = path.parse().map_err(|e| HttpError::of("the provider's address", e))?;
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let answer = sender.send_request(request).await.map_err(|e| HttpError::of("the provider", e))?;
        let (parts, body) = answer.into_parts();
        let body =
            Limited::new(body, LONGEST).collect().await.map_err(|e| HttpError::of("the provider's answer", e))?;
        Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
    };
    tokio::pin!(connection);
    tokio::pin!(exchanged);
    // The connection is driven here, so that no task outlives the request.
    tokio::select! {
        answer = &mut exchanged => answer,
        ended = &mut connection => match ended {
            // It may end right after the last byte of the answer came.
            Ok(()) => exchanged.await,
            Err(error) => Err(HttpError::of("the connection to the provider", error)),
        },
    }
}

async fn connect(url: &Url) -> Result<Box<dyn Transport>, HttpError> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let unreachable = |error: io::Error| HttpError::of(&format!("{host}:{port} cannot be reached"), error);
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(unreachable)?;
    if url.scheme() == "http" {
        return Ok(Box::new(stream));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| HttpError::of("TLS", e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.clone()).map_err(|e| HttpError::of("the provider's name", e))?;
    let encrypted = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(unreachable)?;
    Ok(Box::new(encrypted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_leaves_this_machine() {
        for (text, expected) in [
            ("https://id.example/realm", true),
            ("http://127.0.0.1:4000/", true),
            ("http://[::1]:4000/", true),
            ("http://localhost/", true),
            ("http://id.example/", false),
            ("http://10.0.0.1/", false),
            ("http://localhost.example/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_safe(&Url::parse(text).unwrap()), expected, "{text}");
        }
    }
}
