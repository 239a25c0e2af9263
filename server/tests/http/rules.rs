//! Every route and server function, asked for by everybody: nobody gets what is not theirs. The list is the router's own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use leptos::server_fn::axum::server_fn_paths;
use rollback_types::Role;
use serde_json::Value;
use stepback_server::access::functions::FUNCTIONS;
use stepback_server::access::rules::{FUNCTIONS_ROUTE, Rule};
use stepback_server::assets::Site;
use stepback_server::{AppState, router, wire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::app::{App, token};
use crate::browser::{Browser, add_user};
use crate::client::Answer;
use crate::deployment::{Deployment, Layout};

/// Something that can be asked for.
#[derive(Clone, Debug)]
struct Address {
    method: String,
    path: String,
    rule: Rule,
}

impl Address {
    fn acts(&self) -> bool {
        self.method != "GET"
    }

    fn is_page(&self) -> bool {
        !["/api/", "/rpc/", "/session/"].iter().any(|p| self.path.starts_with(p))
    }
}

/// All there is, with something in the place of each parameter that names nothing.
fn addresses() -> Vec<Address> {
    let rules = stepback_server::rules();
    let routes = rules.all().map(|(method, path, rule)| Address {
        method: method.to_string(),
        path: path
            .split('/')
            .map(|part| if part.starts_with('{') { "none" } else { part })
            .collect::<Vec<_>>()
            .join("/"),
        rule,
    });
    let functions = server_fn_paths().map(|(path, method)| {
        let rule = FUNCTIONS.iter().find(|(known, _)| *known == path).map(|(_, rule)| *rule);
        let rule = rule.unwrap_or_else(|| panic!("{path} has no rule in server/src/access/functions.rs"));
        Address { method: method.to_string(), path: path.to_owned(), rule }
    });
    routes.chain(functions).collect()
}

#[test]
fn every_server_function_has_a_rule_and_every_rule_a_function() {
    let registered: BTreeSet<&str> = server_fn_paths().map(|(path, _)| path).collect();
    let known: BTreeSet<&str> = FUNCTIONS.iter().map(|(path, _)| *path).collect();
    assert_eq!(registered, known);
    assert_eq!(known.len(), FUNCTIONS.len(), "no function has two rules");
    assert!(registered.len() > 15);
}

#[tokio::test]
async fn every_route_of_the_router_has_a_rule() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let wired = wire(&config).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let router = router(AppState::new(&wired, &config, Arc::new(Site::without_files()), stopping));
    // The router's own list of its paths is only to be had in the text it prints for debugging.
    let text = format!("{router:?}");
    let routes: BTreeSet<&str> = text
        .split('"')
        .filter(|t| t.starts_with('/'))
        .map(|t| if t == "/" { t } else { t.trim_end_matches('/') })
        .collect();
    let rules = stepback_server::rules();
    let known: BTreeSet<&str> = rules.all().map(|(_, path, _)| path).chain([FUNCTIONS_ROUTE]).collect();
    assert!(known.iter().all(|path| routes.contains(path)), "the text names every route: {routes:?}");
    let without: Vec<_> = routes.difference(&known).filter(|path| !path.starts_with("/{*")).collect();
    assert!(without.is_empty(), "{without:?} have no rule");
}

#[test]
fn whatever_acts_asks_for_an_operator() {
    let may_act = [
        "/session/sign-in",
        "/session/welcome",
        "/session/sign-out",
        "/session/sign-out-everywhere",
        "/session/password",
        "/rpc/end-session",
        // Remembered by one's own browser alone.
        "/preferences/columns",
    ];
    for address in addresses().iter().filter(|a| a.acts() && !may_act.contains(&a.path.as_str())) {
        assert!(matches!(address.rule, Rule::AtLeast(role) if role >= Role::Operator), "{address:?}");
    }
    let public: BTreeSet<String> = addresses().into_iter().filter(|a| a.rule == Rule::Public).map(|a| a.path).collect();
    let expected = [
        "/api/openapi.json",
        "/healthz",
        "/readyz",
        "/session/oidc",
        "/session/oidc/begin",
        "/session/sign-in",
        "/session/sign-out",
        "/session/welcome",
        "/sign-in",
        "/welcome",
    ];
    assert_eq!(public, expected.iter().map(|p| (*p).to_owned()).collect());
}

/// Who asks.
struct Asker {
    who: &'static str,
    headers: Vec<(&'static str, String)>,
    /// What they are, if that is proven.
    role: Option<Role>,
    /// Their proof is a token that does not hold.
    wrong_token: bool,
}

async fn ask(app: &App, asker: &Asker, address: &Address) -> Answer {
    let form = !address.path.starts_with("/api/");
    let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut headers = vec![("content-type", kind)];
    headers.extend(asker.headers.iter().map(|(name, value)| (*name, value.as_str())));
    let body = match (address.acts(), form) {
        (true, false) => "{}",
        _ => "",
    };
    app.client.nobody().send(&address.method, &address.path, &headers, body).await
}

fn kind_of(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    problem["kind"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nobody_gets_what_is_not_theirs() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let own = format!("http://{}", app.address);
    let mut askers = vec![
        Asker { who: "nobody", headers: vec![], role: None, wrong_token: false },
        Asker {
            who: "a made up token",
            headers: vec![("authorization", "Bearer stepback_none_none".to_owned())],
            role: None,
            wrong_token: true,
        },
    ];
    for role in Role::ALL {
        let secret = token(&app.access, role.as_str(), role).await;
        let headers = vec![("authorization", format!("Bearer {secret}"))];
        askers.push(Asker { who: role.as_str(), headers, role: Some(role), wrong_token: false });
    }
    let revoked = token(&app.access, "revoked", Role::Administrator).await;
    app.access.revoke("revoked").await.unwrap();
    let headers = vec![("authorization", format!("Bearer {revoked}"))];
    askers.push(Asker { who: "a revoked token", headers, role: None, wrong_token: true });
    add_user(&app.access, "ann", Role::Administrator).await;
    let browser = Browser::sign_in(&app, "ann").await;
    app.access.sign_out_everywhere("ann").await.unwrap();
    let headers = vec![("cookie", browser.cookie), ("origin", own)];
    askers.push(Asker { who: "an ended session", headers, role: None, wrong_token: false });
    let browser = Browser::sign_in(&app, "ann").await;
    d.age_sessions(Duration::from_secs(13 * 3_600)).await;
    let headers = vec![("cookie", browser.cookie), ("origin", format!("http://{}", app.address))];
    askers.push(Asker { who: "an expired session", headers, role: None, wrong_token: false });

    for address in addresses() {
        for asker in &askers {
            let answer = ask(&app, asker, &address).await;
            let said = format!("{} by {}: {} {}", address.path, asker.who, answer.status, answer.body);
            let refused = matches!(kind_of(&answer).as_str(), "sign-in-required" | "role-required" | "forbidden");
            let to_sign_in = answer.status == 303 && answer.header("location").starts_with("/sign-in");
            match (address.rule, asker.role) {
                (Rule::Public, _) => assert!(!refused, "{said}"),
                (Rule::AtLeast(least), Some(role)) if role.covers(least) => {
                    assert!(!refused && answer.status != 401, "{said}");
                    assert!(!to_sign_in || address.path.starts_with("/session/"), "{said}");
                }
                (Rule::AtLeast(_), Some(_)) => {
                    assert_eq!((answer.status, kind_of(&answer).as_str()), (403, "role-required"), "{said}");
                }
                (Rule::AtLeast(_), None) if address.is_page() && !address.acts() && !asker.wrong_token => {
                    assert!(to_sign_in && answer.body.is_empty(), "{said}");
                }
                (Rule::AtLeast(_), None) => {
                    assert_eq!((answer.status, kind_of(&answer).as_str()), (401, "sign-in-required"), "{said}");
                    assert!(answer.header("www-authenticate").starts_with("Bearer"), "{said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn another_sites_page_can_do_nothing_in_anybodys_name() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Administrator).await;
    let cookie = Browser::sign_in(&app, "ann").await.cookie;
    let proofs = [("authorization", format!("Bearer {}", app.token.unwrap())), ("cookie", cookie)];
    let foreign = [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for address in addresses().iter().filter(|a| a.acts()) {
        for (name, proof) in &proofs {
            for (header, value) in foreign {
                let headers = vec![(*name, proof.clone()), (header, value.to_owned())];
                let asker = Asker { who: "another site", headers, role: None, wrong_token: false };
                let answer = ask(&app, &asker, address).await;
                assert_eq!(
                    (answer.status, kind_of(&answer).as_str()),
                    (403, "forbidden"),
                    "{address:?} {header}: {value}"
                );
            }
        }
        // A cookie alone, with no word about where the request comes from.
        let headers = vec![(proofs[1].0, proofs[1].1.clone())];
        let asker = Asker { who: "a silent page", headers, role: None, wrong_token: false };
        assert_eq!(ask(&app, &asker, address).await.status, 403, "{address:?}");
    }
}

#[tokio::test]
async fn what_acts_takes_bodies_of_one_kind() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    for address in addresses().iter().filter(|a| a.acts()) {
        let takes_forms = !address.path.starts_with("/api/");
        let other = if takes_forms { json } else { form };
        for kind in [other, "text/plain", "multipart/form-data; boundary=x", "application/xml"] {
            let answer = app.send(&address.method, &address.path, &[("content-type", kind)], "{}").await;
            assert_eq!(
                (answer.status, kind_of(&answer)),
                (415, "unsupported-media-type".to_owned()),
                "{address:?} {kind}"
            );
        }
        let answer = app.send(&address.method, &address.path, &[], "{}").await;
        assert_eq!(answer.status, 415, "{address:?}: of no kind");
    }
    let rows = app.get("/api/v1/audit?outcome=refused&limit=1").await.json(200);
    assert_eq!(rows["items"][0]["status"], 415, "a refused try has its row");
}

/// A body that is too large is read by nobody, and the answer is the same whoever sends it from wherever to whatever.
#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let askers = [
        String::new(),
        format!("authorization: Bearer {}\r\n", app.token.unwrap()),
        format!("authorization: Bearer {}\r\norigin: https://evil.example\r\n", app.token.unwrap()),
        "authorization: Bearer stepback_none_none\r\n".to_owned(),
        "origin: null\r\n".to_owned(),
    ];
    let paths: BTreeSet<String> = addresses().into_iter().filter(Address::acts).map(|a| a.path).collect();
    let nowhere = ["/session", "/", "/api/v1/nothing"].map(str::to_owned);
    for path in paths.iter().chain(&nowhere) {
        for asker in &askers {
            let mut stream = TcpStream::connect(app.address).await.unwrap();
            let host = app.address;
            let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n{asker}content-length: 20000000\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            // Nothing of the body is sent: the answer comes all the same, and the connection ends.
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too-large"), "{path} {asker}: {answer}");
        }
    }
    let rows = app.get("/api/v1/audit?outcome=refused&limit=200").await.json(200);
    let named =
        |row: &&Value| row["status"] == 413 && row["actor"].as_str().is_some_and(|who| who.starts_with("token:"));
    assert!(rows["items"].as_array().unwrap().iter().any(|row| named(&row)), "{rows}");
}

#[tokio::test]
async fn an_address_that_is_none_tells_nothing_to_those_who_are_not_signed_in() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let nobody = app.client.nobody();
    for (method, path) in [
        ("GET", "/api/v1/nothing"),
        ("GET", "/rpc/nothing"),
        ("POST", "/nothing"),
        ("PUT", "/api/v1/runs"),
        ("DELETE", "/"),
    ] {
        let answer = nobody.send(method, path, &[], "").await;
        let expected = if path == "/rpc/nothing" { (403, "forbidden") } else { (401, "sign-in-required") };
        assert_eq!((answer.status, kind_of(&answer).as_str()), expected, "{method} {path}");
    }
    let answer = nobody.get("/versions/v2?x=1").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in?next=%2Fversions%2Fv2%3Fx%3D1"));
}

#[tokio::test]
async fn no_address_takes_a_method_that_is_not_its_own() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let own: BTreeSet<(String, String)> = addresses().into_iter().map(|a| (a.path, a.method)).collect();
    let paths: BTreeSet<&String> = own.iter().map(|(path, _)| path).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            if own.contains(&(path.clone(), method.to_owned())) {
                continue;
            }
            let kind = if path.starts_with("/api/") { "application/json" } else { "application/x-www-form-urlencoded" };
            let body = if method == "GET" { "" } else { "{}" };
            let headers = [("content-type", kind), ("x-http-method-override", "POST")];
            let answer = app.send(method, path, &headers, body).await;
            assert!(matches!(answer.status, 404 | 405 | 415), "{method} {path}: {} {}", answer.status, answer.body);
        }
    }
}

#[tokio::test]
async fn every_answer_says_what_it_is_is_kept_nowhere_and_is_for_no_other_site() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for address in addresses() {
        for method in [address.method.as_str(), "OPTIONS"] {
            let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
            let answer = app.send(method, &address.path, &preflight, "").await;
            let said = format!("{method} {}: {:?}", address.path, answer.headers);
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{said}");
            assert_eq!(answer.header("cache-control"), "no-store", "{said}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{said}");
            let kind = answer.header("content-type");
            assert!(!kind.is_empty() || answer.body.is_empty(), "{said}");
            let needs_charset = kind.starts_with("text/") && kind != "text/event-stream";
            assert!(!needs_charset || kind.ends_with("; charset=utf-8"), "{said}");
        }
    }
}
