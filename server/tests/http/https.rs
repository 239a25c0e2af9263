//! HTTPS by the certificate of the settings: what a browser gets over it, and its renewal.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rollback_types::Role;
use stepback_server::config::{Config, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::app::App;
use crate::browser::{PASSWORD, add_user};
use crate::deployment::{Deployment, Layout};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Writes a certificate of its own making where the settings look for one.
fn make_certificate(files: &TlsFiles) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    cert.der().clone()
}

fn over_https(d: &Deployment) -> (Config, TlsFiles, CertificateDer<'static>) {
    let files = TlsFiles { certificate: d.path("cert.pem"), key: d.path("key.pem") };
    let certificate = make_certificate(&files);
    let mut config = d.config();
    config.serving.tls = Some(files.clone());
    (config, files, certificate)
}

/// An encrypted connection, if this certificate is shown.
async fn connect(
    app: &App,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // As a browser offers them.
    client.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(app.address).await.unwrap();
    TlsConnector::from(Arc::new(client)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

async fn send(
    app: &App,
    trusted: &CertificateDer<'static>,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &'static str,
) -> Response<Incoming> {
    let stream = connect(app, trusted, &VERSIONS).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", host(app));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    sender.send_request(request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()).await.unwrap()
}

fn host(app: &App) -> String {
    format!("localhost:{}", app.address.port())
}

async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn a_browser_signs_in_over_https_and_follows_a_run() {
    let d = Deployment::new(Layout::Shared).await;
    let (config, _, certificate) = over_https(&d);
    let app = App::start(&config).await;
    add_user(&app.access, "ann", Role::Operator).await;
    let origin = format!("https://{}", host(&app));
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", origin.as_str())];
    assert_eq!(PASSWORD.replace(' ', "+"), "a+long+walk+by+the+sea");
    let sign_in = ("POST", "/session/sign-in");
    let answer = send(&app, &certificate, sign_in, &form, "name=ann&password=a+long+walk+by+the+sea").await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-stepback=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let cookie = ("cookie", set.split(';').next().unwrap());
    let me = text(send(&app, &certificate, ("GET", "/api/v1/me"), &[cookie], "").await).await;
    assert!(me.contains("\"ann\""), "{me}");

    let of_plain_http = [form[0], ("origin", &origin.replace("https", "http")), cookie];
    let forged = send(&app, &certificate, ("POST", "/session/sign-out"), &of_plain_http, "").await;
    assert_eq!(forged.status(), 403, "the page of the same name without encryption is another site");

    let bearer = format!("Bearer {}", app.token.unwrap());
    let proof = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let ask = async |address: &str, body: &serde_json::Value| {
        let body = String::leak(body.to_string());
        let answer = send(&app, &certificate, ("POST", address), &proof, body).await;
        serde_json::from_str::<serde_json::Value>(&text(answer).await).unwrap()
    };
    let plan = ask("/api/v1/plans", &serde_json::json!({ "version_id": d.failed })).await;
    let run = ask("/api/v1/runs", &App::start_request(&plan, "followed over https")).await;
    let events = format!("/api/v1/runs/{}/events", run["id"]);
    let answer = send(&app, &certificate, ("GET", &events), &[cookie], "").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let story = text(answer).await;
    assert!(story.contains("\"run_ended\"") && story.contains("event: end"), "{story}");
}

#[tokio::test]
async fn both_versions_of_tls_that_are_safe_are_spoken_and_nothing_unencrypted_is_answered() {
    let d = Deployment::new(Layout::Shared).await;
    let (config, _, certificate) = over_https(&d);
    let app = App::start(&config).await;
    for version in VERSIONS {
        let stream = connect(&app, &certificate, &[version]).await.unwrap();
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(version.version));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
    let mut plain = TcpStream::connect(app.address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The end of the connection, however it is told.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let d = Deployment::new(Layout::Shared).await;
    let (config, files, first) = over_https(&d);
    let app = App::start(&config).await;
    let mut open = connect(&app, &first, &VERSIONS).await.unwrap();

    let second = make_certificate(&files);
    let shown = async {
        while connect(&app, &second, &VERSIONS).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), shown).await.expect("the renewed certificate is shown");
    assert!(connect(&app, &first, &VERSIONS).await.is_err(), "the old one is not shown any more");

    // Who came before is not sent away.
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
