use access::{AccessError, FirstStartError, SignInError, UserChange};
use rollback_types::Role;

use crate::{PASSWORD, Scene, password, user};

#[tokio::test]
async fn a_user_is_added_once_whatever_the_case_of_the_name() {
    let scene = Scene::new().await;
    assert!(!scene.access.has_users().await.unwrap());
    let made =
        scene.access.add_user(&user("Anna"), Role::Operator, &password("Anna", PASSWORD), "cli:root").await.unwrap();
    assert_eq!((made.name.as_str(), made.role, made.made_by.as_str()), ("Anna", Role::Operator, "cli:root"));
    assert_eq!((made.made_at, made.last_sign_in_at), (scene.now(), None));
    assert!(scene.access.has_users().await.unwrap());
    let again = scene.access.add_user(&user("aNNA"), Role::Viewer, &password("aNNA", PASSWORD), "x").await;
    assert_eq!(again.unwrap_err(), AccessError::UserExists("aNNA".to_owned()));
    assert_eq!(scene.access.users().await.unwrap().len(), 1);
    assert_eq!(scene.sign_in("ANNA", PASSWORD).await.unwrap().name, "Anna");
    let seen = scene.access.user("anna").await.unwrap().unwrap();
    assert_eq!(seen.last_sign_in_at, Some(scene.now()));
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Administrator).await;
    scene.add("bert", Role::Administrator).await;
    scene.add("carl", Role::Operator).await;
    let last = |name: &str| Err(AccessError::LastAdministrator(name.to_owned()));
    scene.access.disable("bert").await.unwrap();
    assert_eq!(scene.access.disable("anna").await, last("anna"), "a disabled administrator is none");
    assert_eq!(scene.access.set_role("ANNA", Role::Operator).await, last("anna"));
    scene.access.set_role("anna", Role::Administrator).await.unwrap();
    scene.access.disable("carl").await.unwrap();
    scene.access.disable("bert").await.unwrap();
    scene.access.enable("bert").await.unwrap();
    scene.access.set_role("anna", Role::Viewer).await.unwrap();
    assert_eq!(scene.access.disable("bert").await, last("bert"));
    let nobody = Err(AccessError::NoSuchUser("dora".to_owned()));
    assert_eq!(scene.access.disable("dora").await, nobody);
    assert_eq!(scene.access.enable("dora").await, nobody);
    assert_eq!(scene.access.set_role("dora", Role::Viewer).await, nobody);
    assert_eq!(scene.access.set_password("dora", &password("dora", PASSWORD)).await, nobody);
}

#[tokio::test]
async fn a_change_is_made_as_a_whole_or_not_at_all() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Administrator).await;
    let other = password("anna", "another horse battery");
    let change =
        |role, disabled| UserChange { role: Some(role), disabled: Some(disabled), password: Some(other.clone()) };
    let refused = scene.access.change_user("anna", &change(Role::Administrator, true)).await;
    assert_eq!(refused.unwrap_err(), AccessError::LastAdministrator("anna".to_owned()));
    let same = scene.sign_in("anna", PASSWORD).await.unwrap();
    assert_eq!(same.role, Role::Administrator, "neither role nor password was changed");

    scene.add("bert", Role::Viewer).await;
    scene.access.disable("bert").await.unwrap();
    let bert = scene.access.change_user("BERT", &change(Role::Administrator, false)).await.unwrap();
    assert_eq!((bert.name.as_str(), bert.role, bert.disabled_at), ("bert", Role::Administrator, None));
    assert_eq!(scene.sign_in("bert", "another horse battery").await.unwrap().role, Role::Administrator);
    let anna = scene.access.change_user("anna", &change(Role::Viewer, true)).await.unwrap();
    assert_eq!((anna.role, anna.disabled_at), (Role::Viewer, Some(scene.now())));
    assert_eq!(scene.access.role_of_user("anna").await.unwrap(), None, "who is disabled has none");
    assert_eq!(scene.access.role_of_user("bert").await.unwrap(), Some(Role::Administrator));
    assert_eq!(scene.access.role_of_user("dora").await.unwrap(), None);
    scene.pass(crate::hours(1));
    scene.access.disable("anna").await.unwrap();
    let since = scene.access.user("anna").await.unwrap().unwrap().disabled_at;
    assert_eq!(since, anna.disabled_at, "disabled since the first time");
    let nothing = scene.access.change_user("bert", &UserChange::default()).await.unwrap();
    assert_eq!((nothing.role, nothing.password_set_at), (bert.role, bert.password_set_at));
}

#[tokio::test]
async fn ones_own_password_is_changed_by_showing_the_one_of_now() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Operator).await;
    let before = scene.sign_in("anna", PASSWORD).await.unwrap();
    let new = password("anna", "another horse battery");
    let from = crate::address("203.0.113.9");
    let change = async |current: &str| scene.access.change_own_password(&before, current, &new, from).await;
    assert_eq!(change("a wrong guess").await.unwrap_err(), SignInError::Refused);
    let after = change(PASSWORD).await.unwrap();
    assert_eq!((after.name.as_str(), after.role), ("anna", Role::Operator));
    assert_eq!(scene.access.still_valid(&before).await.unwrap(), None, "what was before has ended");
    assert!(scene.access.still_valid(&after).await.unwrap().is_some());
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap_err(), SignInError::Refused);
    assert!(scene.sign_in("anna", "another horse battery").await.is_ok());
    // Guessing here is slowed like guessing at the door.
    for _ in 0..5 {
        assert_eq!(change("a wrong guess").await.unwrap_err(), SignInError::Refused);
    }
    assert!(matches!(change("another horse battery").await.unwrap_err(), SignInError::Wait { .. }));
}

#[tokio::test]
async fn two_administrators_cannot_disable_each_other_at_once() {
    for _ in 0..5 {
        let scene = Scene::new().await;
        scene.add("anna", Role::Administrator).await;
        scene.add("bert", Role::Administrator).await;
        let other = scene.beside().await;
        let (one, two) = tokio::join!(scene.access.disable("anna"), other.disable("bert"));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_refused_like_a_wrong_password() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    scene.access.disable("anna").await.unwrap();
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap_err(), SignInError::Refused);
    scene.access.enable("anna").await.unwrap();
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap().role, Role::Viewer);
}

#[tokio::test]
async fn a_changed_password_is_the_only_one() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    scene.access.set_password("anna", &password("anna", "another long password")).await.unwrap();
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap_err(), SignInError::Refused);
    scene.sign_in("anna", "another long password").await.unwrap();
}

#[tokio::test]
async fn the_first_administrator_is_made_once_with_the_key() {
    let scene = Scene::new().await;
    let key = scene.access.first_key().await.unwrap().unwrap();
    assert_eq!(key.expose().len(), 64);
    assert_eq!(scene.access.first_key().await.unwrap().unwrap(), key, "the link that was printed stays good");
    let chosen = password("anna", PASSWORD);
    let wrong = "0".repeat(64);
    for tried in ["", &wrong, &key.expose()[1..], &key.expose().to_uppercase()] {
        let made = scene.access.make_first_administrator(tried, &user("anna"), &chosen).await;
        // A key may happen to have no letter in its upper case.
        if tried != key.expose() {
            assert_eq!(made.unwrap_err(), FirstStartError::WrongKey, "{tried}");
        }
    }
    assert!(!scene.access.has_users().await.unwrap());
    let made = scene.access.make_first_administrator(key.expose(), &user("anna"), &chosen).await.unwrap();
    assert_eq!((made.name.as_str(), made.role), ("anna", Role::Administrator));
    assert!(scene.access.still_valid(&made).await.unwrap().is_some());
    assert_eq!(scene.access.first_key().await.unwrap(), None);
    let again = scene.access.make_first_administrator(key.expose(), &user("bert"), &chosen).await;
    assert_eq!(again.unwrap_err(), FirstStartError::WrongKey, "the key was used");
    scene.sign_in("anna", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn of_two_first_administrators_at_once_one_is_made() {
    for _ in 0..5 {
        let scene = Scene::new().await;
        let other = scene.beside().await;
        let (one, two) = (scene.access.first_key().await.unwrap().unwrap(), other.first_key().await.unwrap().unwrap());
        assert_ne!(one, two);
        let (anna, bert, chosen) = (user("anna"), user("bert"), password("anna", PASSWORD));
        let (a, b, c) = tokio::join!(
            scene.access.make_first_administrator(one.expose(), &anna, &chosen),
            scene.access.make_first_administrator(one.expose(), &bert, &chosen),
            other.make_first_administrator(two.expose(), &bert, &chosen),
        );
        assert_eq!([a.is_ok(), b.is_ok(), c.is_ok()].iter().filter(|made| **made).count(), 1, "{a:?} {b:?} {c:?}");
        assert_eq!(scene.access.users().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_key_is_dead_once_somebody_was_added_otherwise() {
    let scene = Scene::new().await;
    let key = scene.access.first_key().await.unwrap().unwrap();
    let other = scene.beside().await;
    other.add_user(&user("bert"), Role::Viewer, &password("bert", PASSWORD), "cli:root").await.unwrap();
    let made = scene.access.make_first_administrator(key.expose(), &user("anna"), &password("anna", PASSWORD)).await;
    assert_eq!(made.unwrap_err(), FirstStartError::NotFirst);
    assert_eq!(scene.access.first_key().await.unwrap(), None);
}
