//! Sign-in at an OpenID Connect provider, as a browser goes through it.

use std::collections::BTreeMap;

use access::Secret;
use access::oidc::OidcSettings;
use openidconnect::url::Url;
use rollback_types::Role;
use serde_json::{Value, json};
use stepback_server::config::{Config, ConfigError, OidcConfig, Sources};

use crate::app::App;
use crate::browser::{cookie, sign_in};
use crate::client::{Answer, Client};
use crate::deployment::{Deployment, Layout};

#[path = "../../../crates/access/tests/oidc/provider.rs"]
#[allow(dead_code, reason = "the provider's own tests ask more of it")]
mod provider;

use provider::Provider;

const PENDING: &str = "__Host-stepback-oidc=";

fn with_provider(mut config: Config, provider: &Provider) -> Config {
    config.oidc = Some(OidcConfig {
        name: "Example <ID>".to_owned(),
        settings: OidcSettings {
            issuer: provider.issuer.clone(),
            client_id: "stepback".to_owned(),
            client_secret: Some(Secret::new("a client secret")),
            redirect_url: "http://127.0.0.1:3000/session/oidc".to_owned(),
            scopes: vec!["profile".to_owned()],
            role_claim: "groups".to_owned(),
            roles: BTreeMap::from([("ops".to_owned(), Role::Operator)]),
        },
    });
    config
}

/// Sets out for the provider: its address, and the cookie that is to come back.
async fn set_out(browser: &Client, next: &str) -> (Url, String) {
    let answer = browser.get(&format!("/session/oidc/begin?next={next}")).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let set = answer.header("set-cookie");
    assert!(set.starts_with(PENDING) && !set.starts_with("__Host-stepback-oidc=;"), "{set}");
    for part in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    (Url::parse(answer.header("location")).unwrap(), set.split(';').next().unwrap().to_owned())
}

async fn come_back(browser: &Client, (code, state): &(String, String), cookie: &str) -> Answer {
    let headers = [("cookie", cookie), ("accept", "text/html"), ("sec-fetch-site", "cross-site")];
    let answer = browser.send("GET", &format!("/session/oidc?code={code}&state={state}"), &headers, "").await;
    let removed = answer.headers.get_all("set-cookie").iter().any(|c| {
        let text = c.to_str().unwrap();
        text.starts_with("__Host-stepback-oidc=;") && text.contains("Max-Age=0") && text.contains("Secure")
    });
    assert!(removed, "what was kept for the way served once: {:?}", answer.headers);
    answer
}

/// The newest row of the audit about a sign-in at the provider.
async fn told(app: &App) -> Value {
    app.get("/api/v1/audit?action=GET%20%2Fsession%2Foidc").await.json(200)["items"][0].clone()
}

#[tokio::test]
async fn somebody_signs_in_at_the_provider_and_goes_on_to_where_they_wanted() {
    let provider = Provider::start().await;
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&with_provider(d.config(), &provider)).await;
    let browser = app.nobody();
    let page = browser.get("/sign-in?next=%2Fruns%3Fstate%3Daborted").await;
    let page = page.page(200);
    assert!(page.contains("Sign in with Example &lt;ID&gt;"), "{page}");
    assert!(page.contains("/session/oidc/begin?next=%2Fruns%3Fstate%3Daborted"), "{page}");

    let (url, pending) = set_out(&browser, "%2Fruns%3Fstate%3Daborted").await;
    assert!(url.as_str().starts_with(&provider.issuer));
    let proof = provider.authorize(&url, json!({ "preferred_username": "grace", "groups": ["ops"] }));
    let answer = come_back(&browser, &proof, &pending).await;
    // The page leads on by itself; a redirect would not carry the new session's strict cookie.
    assert!(answer.page(200).contains("content=\"0;url=/runs?state=aborted\""), "{}", answer.body);
    let session = cookie(&answer).expect("a session began");
    let me = browser.send("GET", "/api/v1/me", &[("cookie", &session)], "").await.json(200);
    assert_eq!((&me["name"], &me["role"]), (&json!("grace"), &json!("operator")));
    let row = told(&app).await;
    assert_eq!((&row["actor"], &row["role"], &row["outcome"]), (&json!("grace"), &json!("operator"), &json!("done")));

    let again = come_back(&browser, &proof, &pending).await;
    assert_eq!((again.status, cookie(&again)), (303, None), "a code serves once");
}

#[tokio::test]
async fn who_cannot_prove_it_or_has_no_role_is_led_back_and_written_down() {
    let provider = Provider::start().await;
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&with_provider(d.config(), &provider)).await;
    let browser = app.nobody();
    let ops = json!({ "preferred_username": "grace", "groups": ["ops"] });

    let (url, pending) = set_out(&browser, "%2Fruns").await;
    let proof = provider.authorize(&url, json!({ "preferred_username": "grace", "groups": ["guests"] }));
    let no_role = come_back(&browser, &proof, &pending).await;
    assert_eq!(no_role.header("location"), "/sign-in?failed=role&next=%2Fruns");
    let page = browser.get(no_role.header("location")).await;
    assert!(page.page(200).contains("Your account has no role in Stepback."));
    assert_eq!(told(&app).await["outcome"], "refused");

    // Another browser's answer, one that nobody asked for, and the provider's own refusal.
    let (url, pending) = set_out(&browser, "%2F").await;
    let (code, _) = provider.authorize(&url, ops.clone());
    let (other, _) = set_out(&browser, "%2F").await;
    let (_, others_state) = provider.authorize(&other, ops);
    for (proof, cookie_sent) in
        [((code.clone(), others_state), pending.as_str()), ((code, "x".into()), "__Host-stepback-oidc=00")]
    {
        let answer = come_back(&browser, &proof, cookie_sent).await;
        assert!(answer.header("location").starts_with("/sign-in?failed=begun"), "{:?}", answer.headers);
        assert_eq!(cookie(&answer), None);
    }
    let (_, pending) = set_out(&browser, "%2F").await;
    let denied = browser.send("GET", "/session/oidc?error=access_denied%0Ax", &[("cookie", &pending)], "").await;
    assert!(denied.header("location").starts_with("/sign-in?failed=provider"));
    assert!(told(&app).await["detail"].as_str().unwrap().contains("access_deniedx"));
    // Nowhere else is anybody led to.
    let (url, pending) = set_out(&browser, "%2F%2Fevil.example").await;
    let proof = provider.authorize(&url, json!({ "preferred_username": "gina", "groups": "ops", "sub": "2" }));
    assert!(come_back(&browser, &proof, &pending).await.page(200).contains("content=\"0;url=/\""));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_told_and_passwords_still_open() {
    let provider = Provider::start().await;
    let d = Deployment::new(Layout::Shared).await;
    let config = with_provider(d.config(), &provider);
    drop(provider);
    let app = App::start(&config).await;
    let answer = app.nobody().get("/session/oidc/begin").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in?failed=provider"));
    let without = App::start(&Deployment::new(Layout::Shared).await.config()).await;
    for path in ["/session/oidc/begin", "/session/oidc?code=a&state=b"] {
        assert_eq!(without.nobody().get(path).await.header("location"), "/sign-in", "{path}");
    }
    assert!(!without.nobody().get("/sign-in").await.page(200).contains("/session/oidc"));
}

#[tokio::test]
async fn the_settings_say_what_is_missing_or_wrong() {
    let d = Deployment::new(Layout::Shared).await;
    let good = [
        ("server", "public_url = \"https://stepback.example\""),
        ("issuer", "issuer = \"https://id.example/realms/one\""),
        ("client_id", "client_id = \"stepback\""),
        ("roles", "roles = [\"cn=ops,dc=x=operator\", \"platform=administrator\"]"),
    ];
    let load = |left_out: &str, more: &str| -> Result<Config, ConfigError> {
        let lines: Vec<&str> = good.iter().filter(|(n, _)| *n != left_out && *n != "server").map(|(_, l)| *l).collect();
        let server = if left_out == "server" { "" } else { good[0].1 };
        let file = d.path("oidc.toml");
        std::fs::write(&file, format!("[server]\n{server}\n[oidc]\n{}\n{more}\n", lines.join("\n"))).unwrap();
        Config::load(&Sources { file: Some(file), ..Sources::default() })
    };
    let oidc = load("", "client_secret = \"very secret\"").unwrap().oidc.unwrap();
    assert_eq!(oidc.settings.redirect_url, "https://stepback.example/session/oidc");
    assert_eq!(oidc.settings.roles["cn=ops,dc=x"], Role::Operator);
    assert_eq!(oidc.settings.scopes, ["profile", "email"]);
    assert!(!format!("{oidc:?}").contains("very secret"));
    for (left_out, key) in [
        ("server", "server.public_url"),
        ("issuer", "oidc.issuer"),
        ("client_id", "oidc.client_id"),
        ("roles", "oidc.roles"),
    ] {
        let error = load(left_out, "").unwrap_err().to_string();
        assert!(error.contains(key), "{left_out}: {error}");
    }
    for wrong in ["[\"ops\"]", "[\"ops=king\"]", "[\"=viewer\"]", "[\"a=viewer\", \"a=operator\"]"] {
        let error = load("roles", &format!("roles = {wrong}")).unwrap_err().to_string();
        assert!(error.contains("oidc.roles"), "{wrong}: {error}");
    }
}

#[tokio::test]
async fn tries_at_the_provider_are_limited_by_address() {
    let provider = Provider::start().await;
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&with_provider(d.config(), &provider)).await;
    let browser = app.nobody();
    let mut waits = 0;
    for _ in 0..25 {
        let (_, pending) = set_out(&browser, "%2F").await;
        let state = "made-up".to_owned();
        let headers = [("cookie", pending.as_str()), ("accept", "text/html")];
        let answer = browser.send("GET", &format!("/session/oidc?code=x&state={state}"), &headers, "").await;
        waits += usize::from(answer.header("location").starts_with("/sign-in?failed=wait&seconds="));
    }
    assert!((1..=5).contains(&waits), "{waits}");
    assert_eq!(told(&app).await["outcome"], "refused");
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn an_outage_of_the_provider_locks_nobody_out() {
    let provider = Provider::start().await;
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&with_provider(d.config(), &provider)).await;
    let browser = app.nobody();
    let (url, pending) = set_out(&browser, "%2F").await;
    let proof = provider.authorize(&url, json!({ "preferred_username": "grace", "groups": ["ops"] }));
    provider.set_away(true);
    for n in 0..25 {
        let answer = come_back(&browser, &proof, &pending).await;
        assert_eq!(answer.header("location"), "/sign-in?failed=provider&next=%2F", "{n}");
    }
    // What the provider refused, a browser that says so asks nobody: no try either.
    for n in 0..25 {
        let denied = browser.send("GET", "/session/oidc?error=access_denied", &[("cookie", &pending)], "").await;
        assert_eq!(denied.header("location"), "/sign-in?failed=provider&next=%2F", "{n}");
    }
    let by_password = sign_in(&app, "nobody", "a wrong password", &[]).await;
    assert!(by_password.header("location").starts_with("/sign-in?failed=refused"), "{:?}", by_password.headers);
}
