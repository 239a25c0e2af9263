//! Sign-in at an OpenID Connect provider, against a small one of the tests'.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod provider;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use access::oidc::{Oidc, OidcError, OidcSettings, Pending};
use access::{Access, AccessSettings, Clock, Identity, Password, Secret, SignInError, UserName};
use provider::{Provider, new_key, signed};
use rollback_types::{Role, SignInWay, Timestamp, UserKind};
use serde_json::{Value, json};

struct Scene {
    provider: Provider,
    access: Arc<Access>,
    oidc: Oidc,
    /// Milliseconds that our clock is ahead.
    ahead: Arc<AtomicI64>,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let provider = Provider::start().await;
        let ahead = Arc::new(AtomicI64::new(0));
        let offset = Arc::clone(&ahead);
        // It stands still: a wait of a second must not end while a busy machine looks for it.
        let began = Timestamp::now().unix_ms();
        let clock = Clock::of(move || Timestamp::from_unix_ms(began + offset.load(Ordering::SeqCst)));
        let settings = AccessSettings { clock: clock.clone(), ..AccessSettings::default() };
        let access = Access::open(dir.path().join("access.db"), settings).await.unwrap();
        let oidc = Oidc::new(settings_for(&provider.issuer), clock).unwrap();
        Self { provider, access, oidc, ahead, _dir: dir }
    }

    async fn sign_in(&self, claims: Value) -> Result<Identity, OidcError> {
        let (url, pending) = self.oidc.begin("/runs/7").await.unwrap();
        let (code, state) = self.provider.authorize(&url, claims);
        self.oidc.finish(&self.access, &code, &state, pending).await
    }

    /// A sign-in that ends with this ID token.
    async fn with_token(&self, token: impl Fn(&openidconnect::url::Url) -> String) -> Result<Identity, OidcError> {
        let (url, pending) = self.oidc.begin("/").await.unwrap();
        let (code, state) = self.provider.grant(&url, token(&url));
        self.oidc.finish(&self.access, &code, &state, pending).await
    }
}

fn settings_for(issuer: &str) -> OidcSettings {
    OidcSettings {
        issuer: issuer.to_owned(),
        client_id: "stepback".to_owned(),
        client_secret: Some(Secret::new("a client secret")),
        redirect_url: "https://stepback.example/session/oidc".to_owned(),
        scopes: vec!["profile".to_owned()],
        role_claim: "groups".to_owned(),
        roles: BTreeMap::from([("ops".to_owned(), Role::Operator), ("adm".to_owned(), Role::Administrator)]),
    }
}

#[tokio::test]
async fn somebody_signs_in_with_the_providers_role_each_time() {
    let scene = Scene::new().await;
    let claims = json!({"preferred_username": "anna", "groups": ["x", "ops"]});
    let anna = scene.sign_in(claims).await.unwrap();
    assert_eq!((anna.name.as_str(), anna.role, anna.via), ("anna", Role::Operator, SignInWay::Oidc));
    assert!(anna.session_mark().is_some());
    assert_eq!(scene.access.user("anna").await.unwrap().unwrap().kind, UserKind::Oidc);

    let again = scene.sign_in(json!({"preferred_username": "renamed", "groups": "adm"})).await.unwrap();
    assert_eq!((again.name.as_str(), again.role), ("anna", Role::Administrator));
    assert_eq!(scene.access.users().await.unwrap().len(), 1);
    assert_eq!(scene.access.still_valid(&anna).await.unwrap().unwrap().role, Role::Administrator);

    scene.access.sign_out_everywhere("anna").await.unwrap();
    assert_eq!(scene.access.still_valid(&again).await.unwrap(), None);
    let address = "10.0.0.1".parse().unwrap();
    let by_password = scene.access.sign_in("anna", "", address).await;
    assert_eq!(by_password.unwrap_err(), SignInError::Refused, "there is no password");
}

#[tokio::test]
async fn what_begins_is_asked_of_the_provider_in_full() {
    let scene = Scene::new().await;
    let (url, pending) = scene.oidc.begin("/runs/7").await.unwrap();
    let (other, _) = scene.oidc.begin("/runs/7").await.unwrap();
    let of = |url: &openidconnect::url::Url, name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
    };
    assert_eq!(of(&url, "client_id"), "stepback");
    assert_eq!(of(&url, "redirect_uri"), "https://stepback.example/session/oidc");
    assert_eq!(of(&url, "scope"), "openid profile");
    for fresh in ["state", "nonce", "code_challenge"] {
        assert_ne!(of(&url, fresh), of(&other, fresh), "{fresh}");
    }
    assert_eq!(format!("{pending:?}"), "***");
    assert!(!format!("{:?}", scene.oidc).contains("a client secret"));
    let (code, state) = scene.provider.authorize(&url, json!({"groups": "ops"}));
    let cookie = pending.to_cookie();
    assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let kept = Pending::from_cookie(&cookie).unwrap();
    assert_eq!(kept.next, "/runs/7");
    scene.oidc.finish(&scene.access, &code, &state, kept).await.unwrap();
    assert!(Pending::from_cookie("00").is_none() && Pending::from_cookie("zz").is_none());
}

#[tokio::test]
async fn an_answer_to_nothing_or_too_late_is_refused() {
    let scene = Scene::new().await;
    let (url, pending) = scene.oidc.begin("/").await.unwrap();
    let (code, state) = scene.provider.authorize(&url, json!({"groups": "ops"}));
    let refused = scene.oidc.finish(&scene.access, &code, "another state", pending.clone()).await;
    assert_eq!(refused.unwrap_err(), OidcError::NotBegun);
    // Somebody else's browser, with its own pending sign-in, is sent our code: PKCE and state are its own.
    let (_, others) = scene.oidc.begin("/").await.unwrap();
    let refused = scene.oidc.finish(&scene.access, &code, &state, others).await;
    assert_eq!(refused.unwrap_err(), OidcError::NotBegun);

    scene.ahead.store(10 * 60 * 1000 + 60_000, Ordering::SeqCst);
    let refused = scene.oidc.finish(&scene.access, &code, &state, pending.clone()).await;
    assert_eq!(refused.unwrap_err(), OidcError::NotBegun);
    scene.ahead.store(0, Ordering::SeqCst);
    scene.oidc.finish(&scene.access, &code, &state, pending.clone()).await.unwrap();
    let replayed = scene.oidc.finish(&scene.access, &code, &state, pending).await;
    assert!(matches!(replayed, Err(OidcError::Unproven(why)) if why.contains("invalid_grant")));
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_refused() {
    let scene = Scene::new().await;
    let provider = &scene.provider;
    let stranger = new_key();
    let roles = || json!({"groups": "adm"});
    let with = |name: &str, value: Value| json!({"groups": "adm", name: value});
    let header = json!({"alg": "ES256", "kid": "one"});
    let unsigned = |url: &openidconnect::url::Url| {
        let token = signed(&stranger, &json!({"alg": "none"}), &provider.claims(url, roles()));
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let mut refused = vec![
        ("another's key", scene.with_token(|url| signed(&stranger, &header, &provider.claims(url, roles()))).await),
        ("no signature", scene.with_token(unsigned).await),
        ("a shared secret", {
            let header = json!({"alg": "HS256"});
            scene.with_token(|url| signed(&stranger, &header, &provider.claims(url, roles()))).await
        }),
        ("no token", scene.with_token(|_| "x.y.z".to_owned()).await),
    ];
    for (name, value) in [
        ("nonce", json!("another")),
        ("aud", json!("another-client")),
        ("iss", json!("https://another.example")),
        ("exp", json!(1_000_000_000)),
    ] {
        refused.push((name, scene.sign_in(with(name, value)).await));
    }
    for (what, answer) in refused {
        assert!(matches!(answer, Err(OidcError::Unproven(_))), "{what}: {answer:?}");
    }
    assert!(!scene.access.has_users().await.unwrap());
    scene.sign_in(roles()).await.unwrap();
}

#[tokio::test]
async fn without_a_role_or_disabled_nobody_comes_in() {
    let scene = Scene::new().await;
    for claims in [json!({}), json!({"groups": ["others"]}), json!({"roles": "adm"})] {
        assert_eq!(scene.sign_in(claims).await.unwrap_err(), OidcError::NoRole);
    }
    assert!(!scene.access.has_users().await.unwrap());
    let anna = scene.sign_in(json!({"preferred_username": "anna", "groups": "ops"})).await.unwrap();
    scene.access.disable("anna").await.unwrap();
    let refused = scene.sign_in(json!({"preferred_username": "anna", "groups": "adm"})).await;
    assert_eq!(refused.unwrap_err(), OidcError::Disabled);
    assert_eq!(scene.access.still_valid(&anna).await.unwrap(), None);
    assert_eq!(scene.access.user("anna").await.unwrap().unwrap().role, Role::Operator, "nothing was changed");
}

#[tokio::test]
async fn a_name_that_is_taken_is_not_taken_over() {
    let scene = Scene::new().await;
    let name = UserName::new("anna").unwrap();
    let password = Password::choose(&name, "correct horse battery").unwrap();
    scene.access.add_user(&name, Role::Administrator, &password, "test").await.unwrap();
    let claims =
        |sub: &str| json!({"sub": sub, "preferred_username": "Anna", "email": "anna@example.org", "groups": "ops"});
    assert_eq!(scene.sign_in(claims("a")).await.unwrap().name, "anna@example.org");
    let other = scene.sign_in(claims("b")).await.unwrap();
    assert!(other.name.starts_with("oidc-"), "{}", other.name);
    let odd = scene.sign_in(json!({"sub": "c", "preferred_username": "cli:root", "groups": "ops"})).await.unwrap();
    assert!(odd.name.starts_with("oidc-"), "{}", odd.name);
    let anna = scene.access.user("anna").await.unwrap().unwrap();
    assert_eq!((anna.kind, anna.role, anna.last_sign_in_at), (UserKind::Password, Role::Administrator, None));
    assert_eq!(scene.access.users().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_wrong_client_secret_and_a_provider_that_is_not_there_are_told() {
    let scene = Scene::new().await;
    let mut settings = settings_for(&scene.provider.issuer);
    settings.client_secret = Some(Secret::new("another"));
    let oidc = Oidc::new(settings, Clock::system()).unwrap();
    let (url, pending) = oidc.begin("/").await.unwrap();
    let (code, state) = scene.provider.authorize(&url, json!({"groups": "ops"}));
    let refused = oidc.finish(&scene.access, &code, &state, pending).await;
    assert!(matches!(refused, Err(OidcError::Unproven(_))), "{refused:?}");

    // A port that was just given back: nobody listens there.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let oidc = Oidc::new(settings_for(&format!("http://{free}")), Clock::system()).unwrap();
    let refused = oidc.begin("/").await;
    assert!(matches!(&refused, Err(OidcError::Provider(why)) if why.contains("cannot be reached")), "{refused:?}");
}

#[test]
fn settings_that_would_be_unsafe_are_refused() {
    let with = |change: fn(&mut OidcSettings)| {
        let mut settings = settings_for("https://id.example");
        change(&mut settings);
        Oidc::new(settings, Clock::system())
    };
    assert!(with(|_| {}).is_ok());
    for change in [
        (|s| s.issuer = "http://id.example".to_owned()) as fn(&mut OidcSettings),
        |s| s.issuer = "id.example".to_owned(),
        |s| s.redirect_url = "http://stepback.example/session/oidc".to_owned(),
        |s| s.client_id.clear(),
        |s| s.role_claim.clear(),
        |s| s.roles.clear(),
    ] {
        assert!(matches!(with(change), Err(OidcError::Settings(_))));
    }
}

#[tokio::test]
async fn whoever_sets_out_does_not_make_us_ask_the_provider_each_time() {
    let mut scene = Scene::new().await;
    for _ in 0..20 {
        scene.oidc.begin("/").await.unwrap();
    }
    assert_eq!(scene.provider.asked(), 1);
    scene.sign_in(json!({"preferred_username": "anna", "groups": "ops"})).await.unwrap();
    assert_eq!(scene.provider.asked(), 1);
    scene.ahead.fetch_add(10 * 60 * 1000, Ordering::SeqCst);
    scene.oidc.begin("/").await.unwrap();
    assert_eq!(scene.provider.asked(), 2, "what it says of itself does not last for ever");

    // Other keys are asked for when a token needs them, and only then, and not at each try.
    scene.provider.change_key();
    scene.ahead.fetch_add(6_000, Ordering::SeqCst);
    scene.sign_in(json!({"preferred_username": "anna", "groups": "ops"})).await.unwrap();
    assert_eq!(scene.provider.asked(), 3);
    let stranger = new_key();
    for _ in 0..5 {
        let token =
            |url: &_| signed(&stranger, &json!({"alg": "ES256", "kid": "one"}), &scene.provider.claims(url, json!({})));
        assert!(matches!(scene.with_token(token).await, Err(OidcError::Unproven(_))));
    }
    assert_eq!(scene.provider.asked(), 3);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_not_asked_by_each_who_comes() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", silent.local_addr().unwrap());
    let oidc = Oidc::new(settings_for(&issuer), Clock::of(|| Timestamp::from_unix_ms(1_795_000_000_000))).unwrap();
    // It hangs up on everybody, and counts them.
    let connections = Arc::new(AtomicI64::new(0));
    let counting = Arc::clone(&connections);
    let serving = tokio::spawn(async move {
        while silent.accept().await.is_ok() {
            counting.fetch_add(1, Ordering::SeqCst);
        }
    });
    for _ in 0..10 {
        assert!(matches!(oidc.begin("/").await, Err(OidcError::Provider(_))));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    serving.abort();
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_so_and_left_alone_for_a_moment() {
    let scene = Scene::new().await;
    let (url, pending) = scene.oidc.begin("/").await.unwrap();
    let (code, state) = scene.provider.authorize(&url, json!({"groups": "ops"}));
    scene.provider.set_away(true);
    let finish = async || scene.oidc.finish(&scene.access, &code, &state, pending.clone()).await;
    assert!(matches!(finish().await.unwrap_err(), OidcError::Provider(said) if said.contains("502")));
    // It is back, and nobody asks yet; then the very same code is good.
    scene.provider.set_away(false);
    assert!(matches!(finish().await.unwrap_err(), OidcError::Provider(_)));
    // Nor does one who came with a code keep others from setting out.
    scene.oidc.begin("/").await.unwrap();
    scene.ahead.fetch_add(5_000, Ordering::SeqCst);
    finish().await.unwrap();
}

#[tokio::test]
async fn an_outage_neither_locks_an_address_out_nor_wipes_out_its_failed_tries() {
    let scene = Scene::new().await;
    let address = "10.0.0.1".parse().unwrap();
    let outage = async || {
        scene.access.count_provider_try(address).await?;
        scene.access.take_back_provider_try(address).await.map_err(SignInError::from)
    };
    for _ in 0..100 {
        outage().await.unwrap();
    }
    // Guesses between outages count as if there were none: after twenty there is a wait.
    for n in 0..20 {
        let guess = scene.access.sign_in(&format!("user{n}"), "a wrong password", address).await;
        assert_eq!(guess.unwrap_err(), SignInError::Refused, "{n}");
        if n < 19 {
            outage().await.unwrap();
        }
    }
    assert!(matches!(outage().await, Err(SignInError::Wait { .. })));
    let guess = async || scene.access.sign_in("user0", "a wrong password", address).await.unwrap_err();
    assert!(matches!(guess().await, SignInError::Wait { .. }));

    // Begun before, ended during a wait of others: of that wait the greater part stays, which is theirs.
    let wait_is_over = || scene.ahead.fetch_add(15 * 60_000, Ordering::SeqCst);
    for _ in 0..8 {
        wait_is_over();
        assert_eq!(guess().await, SignInError::Refused);
    }
    wait_is_over();
    scene.access.count_provider_try(address).await.unwrap();
    wait_is_over();
    assert_eq!(guess().await, SignInError::Refused);
    let SignInError::Wait { seconds } = guess().await else { panic!("there is no wait") };
    scene.access.take_back_provider_try(address).await.unwrap();
    let SignInError::Wait { seconds: then } = guess().await else { panic!("the wait is gone") };
    assert!((400..=seconds).contains(&then), "{then} of {seconds}");
}
