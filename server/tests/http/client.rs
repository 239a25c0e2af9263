//! A plain HTTP/1.1 client: one connection a request, no cookies, no redirects, nothing unpacked. It shows its token unless
//! a request brings a proof of its own.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// An answer that is not here by then never comes: the test fails and says to what, instead of hanging.
const LONGEST: Duration = Duration::from_secs(180);

/// Its stream has no end: its head is the whole answer.
const ENDLESS: &str = "/api/v1/changes";

#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub address: SocketAddr,
    /// Shown with every request that has neither `authorization` nor `cookie`; leaked, so that clients can be copied.
    pub token: Option<&'static str>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Client {
    /// The same server, and nobody signed in.
    pub fn nobody(&self) -> Self {
        Self { token: None, ..*self }
    }

    /// The same server with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(String::leak(token.to_owned())), ..*self }
    }

    /// Sends a request and returns as soon as the answer's head is here. `Host` is set unless it is given.
    pub async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        let has_proof = headers.iter().any(|(name, _)| matches!(*name, "authorization" | "cookie"));
        if let (Some(token), false) = (self.token, has_proof) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let answer = tokio::time::timeout(LONGEST, sender.send_request(request.body(body).unwrap()));
        answer.await.unwrap_or_else(|_| panic!("{method} {path}: no answer")).unwrap()
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (head, body) = self.open(method, path, headers, body).await.into_parts();
        if path == ENDLESS && head.status == 200 {
            return Answer { status: 200, headers: head.headers, body: String::new() };
        }
        let body = tokio::time::timeout(LONGEST, body.collect()).await;
        let body = body.unwrap_or_else(|_| panic!("{method} {path}: the answer does not end")).unwrap();
        let body = String::from_utf8(body.to_bytes().to_vec()).expect("answers are UTF-8");
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn delete(&self, path: &str, body: &Value) -> Answer {
        self.send("DELETE", path, &[("content-type", "application/json")], &body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], &body.to_string()).await
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.body).unwrap()
    }

    /// A whole problem document of this status and kind, as RFC 9457 has it.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["kind"], kind);
        assert_eq!(problem["status"], status);
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        problem
    }

    /// The page of an answer that must have this status; what follows it is data for the page's script.
    #[track_caller]
    pub fn page(&self, status: u16) -> &str {
        let start: String = self.body.chars().take(600).collect();
        assert_eq!(self.status, status, "{start}");
        assert!(self.header("content-type").starts_with("text/html"), "{:?}", self.headers);
        assert!(self.body.starts_with("<!DOCTYPE html>"), "{start}");
        self.body.split_once("</html>").expect("the page is whole").0
    }
}

/// One part of a path, percent-encoded byte by byte.
pub fn encoded(part: &[u8]) -> String {
    let mut text = String::new();
    for byte in part {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~') {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
