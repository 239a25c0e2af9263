use access::AccessError;
use rollback_types::{Role, SignInWay, TokenState};

use crate::{Scene, hours, seconds, user};

#[tokio::test]
async fn a_token_opens_until_it_ends() {
    let scene = Scene::new().await;
    let (view, secret) = scene.access.create_token(&user("ci"), Role::Operator, Some(hours(1)), "anna").await.unwrap();
    assert!(secret.expose().starts_with(&format!("stepback_{}_", view.id)));
    let identity = scene.access.identity_of_token(secret.expose()).await.unwrap().unwrap();
    assert_eq!((identity.name.as_str(), identity.role, identity.via), ("token:ci", Role::Operator, SignInWay::Token));
    assert_eq!(identity.session_mark(), None);
    scene.pass(hours(1) - seconds(1));
    assert!(scene.access.identity_of_token(secret.expose()).await.unwrap().is_some());
    assert!(scene.access.still_valid(&identity).await.unwrap().is_some());
    scene.pass(seconds(1));
    assert_eq!(scene.access.identity_of_token(secret.expose()).await.unwrap(), None);
    assert_eq!(scene.access.still_valid(&identity).await.unwrap(), None);
    assert_eq!(scene.access.tokens().await.unwrap()[0].state, TokenState::Expired);
}

#[tokio::test]
async fn only_the_very_text_opens() {
    let scene = Scene::new().await;
    let (one, secret) = scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.unwrap();
    let (two, _) = scene.access.create_token(&user("other"), Role::Administrator, None, "anna").await.unwrap();
    let text = secret.expose();
    let flipped = if text.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{flipped}", &text[..text.len() - 1]);
    for tried in [&wrong, &text.replace(&one.id, &two.id), &format!("{text} "), &text[1..], "", "stepback__"] {
        assert_eq!(scene.access.identity_of_token(tried).await.unwrap(), None, "{tried}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once_everywhere() {
    let scene = Scene::new().await;
    let (view, secret) = scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.unwrap();
    let stream = scene.access.identity_of_token(secret.expose()).await.unwrap().unwrap();
    let taken = scene.access.create_token(&user("CI"), Role::Viewer, None, "anna").await;
    assert_eq!(taken.unwrap_err(), AccessError::TokenExists("CI".to_owned()));

    let revoked = scene.beside().await.revoke("Ci").await.unwrap();
    assert_eq!((revoked.id.as_str(), revoked.state), (view.id.as_str(), TokenState::Revoked));
    assert_eq!(scene.access.identity_of_token(secret.expose()).await.unwrap(), None);
    assert_eq!(scene.access.still_valid(&stream).await.unwrap(), None);

    scene.pass(hours(1));
    assert_eq!(scene.access.revoke(&view.id).await.unwrap().revoked_at, revoked.revoked_at, "once is once");
    assert_eq!(scene.access.revoke("ci").await.unwrap_err(), AccessError::NoSuchToken("ci".to_owned()));
    scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.expect("the name is free again");
    assert_eq!(scene.access.tokens().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_token_named_like_anothers_id_does_not_shield_it() {
    let scene = Scene::new().await;
    let (one, secret) = scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.unwrap();
    let (two, other) = scene.access.create_token(&user(&one.id), Role::Viewer, None, "anna").await.unwrap();
    assert_eq!(scene.access.revoke(&one.id).await.unwrap().id, one.id);
    assert_eq!(scene.access.identity_of_token(secret.expose()).await.unwrap(), None);
    assert!(scene.access.identity_of_token(other.expose()).await.unwrap().is_some());
    scene.access.revoke(&two.id).await.unwrap();
    assert_eq!(scene.access.identity_of_token(other.expose()).await.unwrap(), None);
}

#[tokio::test]
async fn the_last_use_is_told_to_the_minute() {
    let scene = Scene::new().await;
    let (_, secret) = scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.unwrap();
    assert_eq!(scene.access.tokens().await.unwrap()[0].last_used_at, None);
    let first = scene.now();
    for after in [0, 59] {
        scene.pass(seconds(after));
        scene.access.identity_of_token(secret.expose()).await.unwrap().unwrap();
        assert_eq!(scene.access.tokens().await.unwrap()[0].last_used_at, Some(first));
    }
    scene.pass(seconds(1));
    scene.access.identity_of_token(secret.expose()).await.unwrap().unwrap();
    assert_eq!(scene.access.tokens().await.unwrap()[0].last_used_at, Some(scene.now()));
}

#[tokio::test]
async fn a_time_that_makes_no_sense_is_refused() {
    let scene = Scene::new().await;
    for time in [seconds(0), seconds(59), hours(24 * 366 * 11)] {
        let made = scene.access.create_token(&user("ci"), Role::Viewer, Some(time), "anna").await;
        assert_eq!(made.unwrap_err(), AccessError::BadExpiry);
    }
    assert!(scene.access.tokens().await.unwrap().is_empty());
}
