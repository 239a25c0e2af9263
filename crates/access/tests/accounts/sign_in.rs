use access::SignInError;
use futures::FutureExt as _;
use rollback_types::Role;

use crate::{PASSWORD, Scene, address, hours, seconds};

fn wait(seconds: u64) -> SignInError {
    SignInError::Wait { seconds }
}

#[tokio::test]
async fn an_account_waits_longer_with_each_failed_try() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    for n in 1..=5 {
        assert_eq!(scene.sign_in("anna", "wrong").await.unwrap_err(), SignInError::Refused, "try {n}");
    }
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap_err(), wait(1), "the right one waits too");
    scene.pass(seconds(1));
    assert_eq!(scene.sign_in("Anna ", "wrong").await.unwrap_err(), SignInError::Refused);
    assert_eq!(scene.sign_in("anna", "wrong").await.unwrap_err(), wait(2));
    scene.pass(seconds(1));
    assert_eq!(
        scene.sign_in("anna", "wrong").await.unwrap_err(),
        wait(1),
        "a try that had to wait makes no wait longer"
    );
    for expected in [4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        scene.pass(seconds(900));
        assert_eq!(scene.sign_in("anna", "wrong").await.unwrap_err(), SignInError::Refused);
        assert_eq!(scene.sign_in("anna", "wrong").await.unwrap_err(), wait(expected));
    }
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_answered_like_anybodys() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    scene.add("gone", Role::Viewer).await;
    scene.access.disable("gone").await.unwrap();
    for (name, from) in [("anna", "10.1.0.1"), ("nobody", "10.1.0.2"), ("gone", "10.1.0.3"), ("<b>\0", "10.1.0.4")] {
        for _ in 0..5 {
            let refused = scene.access.sign_in(name, "wrong", address(from)).await;
            assert_eq!(refused.unwrap_err(), SignInError::Refused, "{name}");
        }
        assert_eq!(scene.access.sign_in(name, "wrong", address(from)).await.unwrap_err(), wait(1), "{name}");
    }
}

#[tokio::test]
async fn success_starts_an_account_anew() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(scene.sign_in("anna", "wrong").await.unwrap_err(), SignInError::Refused);
        }
        scene.sign_in("anna", PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_waits_after_twenty_failed_tries_on_any_accounts() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let from = |last: &str| address(&format!("2001:db8::{last}"));
    for n in 0..20 {
        let name = format!("guess{n}");
        let refused = scene.access.sign_in(&name, "wrong", from("1")).await;
        assert_eq!(refused.unwrap_err(), SignInError::Refused, "{n}");
        if n == 10 {
            scene.access.sign_in("anna", PASSWORD, from("1")).await.unwrap();
        }
    }
    assert_eq!(scene.access.sign_in("anna", PASSWORD, from("2")).await.unwrap_err(), wait(1), "a neighbour in the /64");
    scene.access.sign_in("anna", PASSWORD, address("10.9.9.9")).await.expect("others may sign in");
    scene.pass(seconds(1));
    scene.access.sign_in("anna", PASSWORD, from("1")).await.unwrap();
    scene.access.sign_in("guess", "wrong", from("1")).await.unwrap_err();
    assert_eq!(
        scene.access.sign_in("anna", PASSWORD, from("1")).await.unwrap_err(),
        wait(2),
        "a success is no clean slate"
    );
}

#[tokio::test]
async fn limits_outlive_the_process_and_are_forgotten_after_a_day() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    for _ in 0..5 {
        scene.sign_in("anna", "wrong").await.unwrap_err();
    }
    scene.access.close().await;
    let again = scene.beside().await;
    assert_eq!(again.sign_in("anna", PASSWORD, address("10.0.0.2")).await.unwrap_err(), wait(1));
    scene.pass(hours(24));
    again.sweep().await.unwrap();
    for _ in 0..5 {
        assert_eq!(again.sign_in("anna", "wrong", address("10.0.0.3")).await.unwrap_err(), SignInError::Refused);
    }
}

#[tokio::test]
async fn many_tries_at_once_do_not_slip_past_the_limit() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let tries = (0..12).map(|_| scene.sign_in("anna", "wrong"));
    let answers = futures::future::join_all(tries).await;
    let looked_at = answers.iter().filter(|answer| **answer == Err(SignInError::Refused)).count();
    let waited = answers.iter().filter(|answer| matches!(answer, Err(SignInError::Wait { .. }))).count();
    assert_eq!((looked_at, waited), (5, 7), "{answers:?}");
}

#[tokio::test]
async fn odd_passwords_are_refused_and_not_more() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    for odd in ["", "\0", &"x".repeat(100_000), "' OR 1=1 --"] {
        assert_eq!(scene.sign_in("anna", odd).await.unwrap_err(), SignInError::Refused);
    }
    scene.sign_in("anna", PASSWORD).await.unwrap();
    for name in ["", "' OR 1=1 --", &"n".repeat(100_000)] {
        assert_eq!(scene.sign_in(name, PASSWORD).await.unwrap_err(), SignInError::Refused);
    }
}

#[tokio::test]
async fn a_full_queue_sends_everybody_away_alike_and_counts_nothing() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let mut waiting: Vec<_> = (0..34)
        .map(|n| {
            let access = &scene.access;
            Box::pin(
                async move { access.sign_in(&format!("nobody{n}"), "wrong", address(&format!("10.1.0.{n}"))).await },
            )
        })
        .collect();
    for sign_in in &mut waiting {
        assert_eq!(sign_in.now_or_never(), None, "it waits");
    }
    for _ in 0..10 {
        assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap_err(), SignInError::Busy);
        assert_eq!(scene.sign_in("nobody", PASSWORD).await.unwrap_err(), SignInError::Busy);
    }
    drop(waiting);
    assert_eq!(scene.sign_in("anna", PASSWORD).await.unwrap().name, "anna", "no try of before was counted");
}
