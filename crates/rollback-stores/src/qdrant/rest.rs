//! Qdrant's REST side: the only one over which a snapshot's bytes travel.
//!
//! On hyper itself, which is in the tree by axum and tonic: a client crate on top of it would bring 30 crates for three
//! kinds of request, and every one of ours has a connection of its own.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rollback::store::Fault;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::config::{Endpoint, QdrantConfig, QdrantConfigError};
use super::fault::{connection_detail, shorten};

/// The largest answer that is no file.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// What may not stand in a segment of a path as it is: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The fault and a readable detail; never the address or the key.
pub(super) type Failure = (Fault, String);
/// What is sent.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Where REST answers, and the key.
pub(super) struct Rest {
    pub(super) endpoint: Endpoint,
    api_key: Option<HeaderValue>,
    connect_timeout: Duration,
    /// Made at the first use: reading the system's certificates takes a while.
    tls: RwLock<Option<TlsConnector>>,
}

/// An answer whose body is still to come. The connection ends with it.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    _connection: JoinSet<()>,
}

/// What is sent with a request.
pub(super) struct Payload {
    pub(super) content_type: String,
    /// The body's exact size.
    pub(super) bytes: u64,
    pub(super) body: Outgoing,
}

impl Rest {
    pub(super) fn new(config: &QdrantConfig) -> Result<Self, QdrantConfigError> {
        let endpoint = config.rest_endpoint()?;
        let api_key = match &config.api_key {
            None => None,
            Some(key) => {
                let mut value = HeaderValue::from_str(key.expose()).map_err(|_| QdrantConfigError::ApiKey)?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { endpoint, api_key, connect_timeout: config.connect_timeout, tls: RwLock::default() })
    }

    /// Sends a request on a connection of its own and waits for the answer's head.
    pub(super) async fn send(&self, method: Method, path: &str, payload: Option<Payload>) -> Result<Answer, Failure> {
        let transport = match tokio::time::timeout(self.connect_timeout, self.connect()).await {
            Ok(connected) => connected?,
            Err(_) => return Err((Fault::Unreachable, "no connection in time".to_owned())),
        };
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(transport)).await.map_err(|error| self.explain(&error))?;
        // Ends with this call or the answer it becomes: whoever gives up stops the sending too.
        let mut running = JoinSet::new();
        running.spawn(async move {
            // The request's own error says what happened.
            let _ = connection.await;
        });
        let authority = format!("{}:{}", self.endpoint.host, self.endpoint.port);
        let mut request = Request::builder().method(method).uri(path).header(HOST, authority);
        if let Some(key) = &self.api_key {
            request = request.header("api-key", key);
        }
        let body = match payload {
            None => Empty::new().map_err(|never| match never {}).boxed_unsync(),
            Some(payload) => {
                request = request.header(CONTENT_TYPE, payload.content_type).header(CONTENT_LENGTH, payload.bytes);
                payload.body
            }
        };
        let request = request.body(body).map_err(|error| (Fault::Refused, error.to_string()))?;
        let response = sender.send_request(request).await.map_err(|error| self.explain(&error))?;
        Ok(Answer { response, _connection: running })
    }

    async fn connect(&self) -> Result<Box<dyn Transport>, Failure> {
        let host = self.endpoint.host.trim_start_matches('[').trim_end_matches(']');
        let unreachable = |error: io::Error| (Fault::Unreachable, connection_detail(&format!("{error:?} {error}")));
        let stream = TcpStream::connect((host, self.endpoint.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        if self.endpoint.scheme == "http" {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| (Fault::Refused, "no certificate can name this host".to_owned()))?;
        let encrypted = self.tls()?.connect(name, stream).await;
        Ok(Box::new(encrypted.map_err(|error| (Fault::Unreachable, connection_detail(&format!("tls: {error}"))))?))
    }

    /// The system's certificates, as for gRPC.
    fn tls(&self) -> Result<TlsConnector, Failure> {
        if let Some(made) = &*self.tls.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(made.clone());
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err((Fault::Unreachable, "this system has no root certificates to check https with".to_owned()));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| (Fault::Unreachable, error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let made = TlsConnector::from(Arc::new(config));
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    /// What an error of the connection means.
    pub(super) fn explain(&self, error: &hyper::Error) -> Failure {
        if error.is_parse() {
            return (Fault::Foreign, "what answers there does not speak Qdrant's REST".to_owned());
        }
        if error.is_user() {
            // The body gave up: the file could not be read to its end.
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            return (Fault::Unexpected, format!("the file could not be sent: {}", shorten(&cause)));
        }
        let chain = format!("{error:?}{}", if error.is_incomplete_message() { " closed" } else { "" });
        (Fault::Unreachable, connection_detail(&chain))
    }

    /// The whole of a small answer: its `result`, or what the refusal means.
    pub(super) async fn result(&self, answer: Answer) -> Result<Value, Failure> {
        let status = answer.response.status();
        let body =
            Limited::new(answer.response.into_body(), MAX_ANSWER).collect().await.map_err(|error| match error
                .downcast_ref::<hyper::Error>(
            ) {
                Some(error) => self.explain(error),
                None => (Fault::Unexpected, "the answer is too long".to_owned()),
            })?;
        let body = body.to_bytes();
        if status != StatusCode::OK {
            return Err(refusal(status, &body));
        }
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        match answer.and_then(|mut answer| answer.get_mut("result").map(Value::take)) {
            Some(result) => Ok(result),
            None => Err((Fault::Foreign, "what answers there does not speak Qdrant's REST".to_owned())),
        }
    }
}

/// What a refusal means. The server names its reason in JSON, and a wrong key in plain text.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let said = json.as_ref().and_then(|json| json.pointer("/status/error")?.as_str());
    let fault = match status.as_u16() {
        401 | 403 => Fault::Authentication,
        408 | 504 => Fault::TimedOut,
        429 => Fault::Busy,
        // Without Qdrant's own words it is some other server that does not know the path.
        404 if said.is_none() => Fault::Foreign,
        404 => Fault::Missing,
        400..=499 => Fault::Refused,
        500..=599 => Fault::ServerFailed,
        _ => Fault::Unexpected,
    };
    let text = match said {
        Some(said) => said.to_owned(),
        None => String::from_utf8_lossy(body.get(..600).unwrap_or(body)).trim().to_owned(),
    };
    let detail = if text.is_empty() { status.to_string() } else { format!("{}: {}", status.as_u16(), shorten(&text)) };
    (fault, detail)
}

/// A name as one segment of a path.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_become_faults() {
        let json = br#"{"status":{"error":"Wrong input: no"},"time":0.0}"#;
        for (status, body, expected) in [
            (400, &json[..], Fault::Refused),
            (404, json, Fault::Missing),
            (404, b"<html>nginx", Fault::Foreign),
            (401, b"Must provide an API key", Fault::Authentication),
            (403, b"", Fault::Authentication),
            (413, b"", Fault::Refused),
            (500, json, Fault::ServerFailed),
            (503, b"", Fault::ServerFailed),
            (504, b"", Fault::TimedOut),
            (202, b"", Fault::Unexpected),
        ] {
            assert_eq!(refusal(StatusCode::from_u16(status).unwrap(), body).0, expected, "{status}");
        }
        assert_eq!(refusal(StatusCode::BAD_REQUEST, json).1, "400: Wrong input: no");
        assert!(refusal(StatusCode::BAD_GATEWAY, &[0xc3; 5_000]).1.len() < 2_000);
    }

    #[test]
    fn names_stay_one_segment() {
        assert_eq!(segment("a_b-c.d e/f?g#h%ü"), "a_b-c.d%20e%2Ff%3Fg%23h%25%C3%BC");
    }
}
