//! A small OpenID Connect provider: discovery, keys, and a token endpoint that checks the client and PKCE.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use openidconnect::url::{Url, form_urlencoded};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What the provider will say to the one who brings a code.
struct Granted {
    challenge: String,
    token: String,
}

/// What the provider says of itself, and how often it was asked.
struct Said {
    discovery: Value,
    keys: Mutex<Value>,
    asked: AtomicUsize,
    /// A gateway answers in its place where codes are exchanged.
    away: AtomicBool,
}

pub(crate) struct Provider {
    pub(crate) issuer: String,
    key: EcdsaKeyPair,
    granted: Arc<Mutex<HashMap<String, Granted>>>,
    said: Arc<Said>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = new_key();
        let granted: Arc<Mutex<HashMap<String, Granted>>> = Arc::default();
        let said = Arc::new(Said {
            discovery: discovery(&issuer),
            keys: Mutex::new(keys(&key)),
            asked: AtomicUsize::new(0),
            away: AtomicBool::new(false),
        });
        let (for_server, saying) = (Arc::clone(&granted), Arc::clone(&said));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (said, granted) = (Arc::clone(&saying), Arc::clone(&for_server));
                let service = service_fn(move |request| {
                    let (said, granted) = (Arc::clone(&said), Arc::clone(&granted));
                    async move { Ok::<_, Infallible>(answer(request, &said, &granted).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { issuer, key, granted, said, serving }
    }

    /// How often somebody wanted to know its addresses.
    pub(crate) fn asked(&self) -> usize {
        self.said.asked.load(Ordering::SeqCst)
    }

    /// Whether only a gateway answers from now on where codes are exchanged.
    pub(crate) fn set_away(&self, away: bool) {
        self.said.away.store(away, Ordering::SeqCst);
    }

    /// From now on it signs with another key.
    pub(crate) fn change_key(&mut self) {
        self.key = new_key();
        *self.said.keys.lock().unwrap() = keys(&self.key);
    }

    /// The person signs in at `url`; claims beside the necessary ones. The code and the state that come back.
    pub(crate) fn authorize(&self, url: &Url, claims: Value) -> (String, String) {
        let token = self.token(url, claims);
        self.grant(url, token)
    }

    /// As [`Self::authorize`], with any ID token.
    pub(crate) fn grant(&self, url: &Url, token: String) -> (String, String) {
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = format!("code-{}", asked["state"]);
        let granted = Granted { challenge: asked["code_challenge"].clone(), token };
        self.granted.lock().unwrap().insert(code.clone(), granted);
        (code, asked["state"].clone())
    }

    /// A good ID token for the sign-in at `url`, with these claims put over its own.
    pub(crate) fn token(&self, url: &Url, claims: Value) -> String {
        signed(&self.key, &json!({"alg": "ES256", "kid": "one"}), &self.claims(url, claims))
    }

    pub(crate) fn claims(&self, url: &Url, claims: Value) -> Value {
        let nonce = url.query_pairs().find(|(name, _)| name == "nonce").unwrap().1.into_owned();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut all = json!({
            "iss": self.issuer, "aud": "stepback", "sub": "subject-1", "nonce": nonce, "iat": now, "exp": now + 300,
        });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        all
    }
}

pub(crate) fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

pub(crate) fn signed(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn discovery(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    })
}

fn keys(key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one", "x": x, "y": y}]})
}

async fn answer(
    request: Request<Incoming>,
    said: &Said,
    granted: &Mutex<HashMap<String, Granted>>,
) -> Response<Full<Bytes>> {
    match request.uri().path() {
        "/.well-known/openid-configuration" => {
            said.asked.fetch_add(1, Ordering::SeqCst);
            reply(StatusCode::OK, &said.discovery)
        }
        "/keys" => {
            let keys = said.keys.lock().unwrap().clone();
            reply(StatusCode::OK, &keys)
        }
        "/token" if said.away.load(Ordering::SeqCst) => {
            let mut gateway = Response::new(Full::new(Bytes::from("<h1>Bad gateway</h1>")));
            *gateway.status_mut() = StatusCode::BAD_GATEWAY;
            gateway
        }
        "/token" => exchange(request, granted).await,
        _ => reply(StatusCode::NOT_FOUND, &json!({})),
    }
}

async fn exchange(request: Request<Incoming>, granted: &Mutex<HashMap<String, Granted>>) -> Response<Full<Bytes>> {
    let login = format!("Basic {}", STANDARD.encode("stepback:a client secret".replace(' ', "+")));
    let is_client = request.headers().get("authorization").is_some_and(|value| value == login.as_str());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    // A code is good once.
    let grant = granted.lock().unwrap().remove(&form["code"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    match grant.filter(|grant| grant.challenge == challenge && is_client) {
        Some(grant) => {
            reply(StatusCode::OK, &json!({"access_token": "a", "token_type": "Bearer", "id_token": grant.token}))
        }
        None => reply(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"})),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}
