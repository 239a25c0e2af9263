use access::{AccessError, Identity, SessionEnd, SessionMark, SessionStore};
use rollback_types::Role;
use sqlx::Row as _;
use std::collections::HashMap;
use time::OffsetDateTime;
use tower_sessions_core::SessionStore as _;
use tower_sessions_core::session::{Id, Record};

use crate::{PASSWORD, Scene, hours, password, seconds};

/// A session as the web framework makes it after a sign-in.
async fn begin(store: &SessionStore, identity: &Identity) -> Record {
    let mut data = HashMap::new();
    data.insert(SessionMark::KEY.to_owned(), serde_json::to_value(identity.session_mark().unwrap()).unwrap());
    let mut record = Record { id: Id::default(), data, expiry_date: OffsetDateTime::UNIX_EPOCH };
    store.create(&mut record).await.unwrap();
    record
}

async fn who(scene: &Scene, id: Id) -> Option<Identity> {
    let record = scene.access.session_store().load(&id).await.unwrap()?;
    let mark: SessionMark = serde_json::from_value(record.data.get(SessionMark::KEY)?.clone()).unwrap();
    scene.access.identity_of_session(id, mark).await.unwrap()
}

/// What a person does with their session.
async fn uses(scene: &Scene, id: Id) -> bool {
    let identity = who(scene, id).await;
    if let Some(identity) = &identity {
        scene.access.note_use(identity).await;
    }
    identity.is_some()
}

async fn signed_in(scene: &Scene, name: &str) -> Id {
    let identity = scene.sign_in(name, PASSWORD).await.unwrap();
    begin(&scene.access.session_store(), &identity).await.id
}

#[tokio::test]
async fn a_session_is_its_users_with_todays_role() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Operator).await;
    scene.add("bert", Role::Administrator).await;
    let (anna, bert) = (signed_in(&scene, "anna").await, signed_in(&scene, "bert").await);
    assert_eq!(who(&scene, anna).await.unwrap().name, "anna");
    assert_eq!(who(&scene, bert).await.unwrap().role, Role::Administrator);
    assert_eq!(scene.access.user("anna").await.unwrap().unwrap().sessions, 1);
    let stream = who(&scene, anna).await.unwrap();
    scene.beside().await.set_role("anna", Role::Viewer).await.unwrap();
    assert_eq!(who(&scene, anna).await.unwrap().role, Role::Viewer);
    assert_eq!(scene.access.still_valid(&stream).await.unwrap().unwrap().role, Role::Viewer);
    assert_eq!(who(&scene, Id::default()).await, None);
}

#[tokio::test]
async fn anothers_mark_does_not_open_a_session() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    scene.add("bert", Role::Administrator).await;
    let anna = signed_in(&scene, "anna").await;
    let bert = scene.sign_in("bert", PASSWORD).await.unwrap().session_mark().unwrap();
    assert_eq!(scene.access.identity_of_session(anna, bert).await.unwrap(), None);
}

#[tokio::test]
async fn what_ends_sessions_ends_all_of_the_user_at_once() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Administrator).await;
    scene.add("bert", Role::Viewer).await;
    let bert = signed_in(&scene, "bert").await;
    for end in ["everywhere", "password", "disabled"] {
        let (one, two) = (signed_in(&scene, "anna").await, signed_in(&scene, "anna").await);
        let streams = [who(&scene, one).await.unwrap(), who(&scene, two).await.unwrap()];
        let held = scene.access.session_store().load(&one).await.unwrap().unwrap();
        match end {
            "everywhere" => scene.access.sign_out_everywhere("anna").await.unwrap(),
            "password" => scene.access.set_password("anna", &password("anna", PASSWORD)).await.unwrap(),
            _ => {
                scene.access.set_role("bert", Role::Administrator).await.unwrap();
                scene.access.disable("anna").await.unwrap();
                scene.access.enable("anna").await.unwrap();
            }
        }
        for (id, stream) in [one, two].into_iter().zip(&streams) {
            assert_eq!(who(&scene, id).await, None, "{end}");
            assert_eq!(scene.access.still_valid(stream).await.unwrap(), None, "{end}");
        }
        // A request that was under way writes its session when it ends.
        scene.access.session_store().save(&held).await.unwrap();
        assert_eq!(who(&scene, one).await, None, "{end}: a late save brings nothing back");
        assert_eq!(scene.access.user("anna").await.unwrap().unwrap().sessions, 0, "{end}");
    }
    assert!(who(&scene, bert).await.is_some());
}

#[tokio::test]
async fn a_session_is_over_when_unused_and_at_last_in_any_case() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let unused = signed_in(&scene, "anna").await;
    let stream = who(&scene, unused).await.unwrap();
    scene.pass(hours(1) - seconds(1));
    let used = signed_in(&scene, "anna").await;
    scene.pass(seconds(1));
    assert_eq!(who(&scene, unused).await, None);
    assert_eq!(scene.access.still_valid(&stream).await.unwrap(), None);
    // Twelve hours from the sign-in of `used`: half an hour at a time, then the last second.
    for _ in 0..23 {
        scene.pass(hours(1) / 2);
        assert!(uses(&scene, used).await);
    }
    scene.pass(hours(1) / 2 - seconds(2));
    assert!(who(&scene, used).await.is_some());
    scene.pass(seconds(1));
    assert_eq!(who(&scene, used).await, None);
    assert_eq!(scene.access.end_of_session(used).await.unwrap(), Some(SessionEnd::Absolute(hours(12))));
    scene.access.sweep().await.unwrap();
    assert_eq!(count(&scene).await, 0);
}

#[tokio::test]
async fn looking_at_a_session_is_no_use_of_it_and_its_end_is_known() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let id = signed_in(&scene, "anna").await;
    let stream = who(&scene, id).await.unwrap();
    for _ in 0..3 {
        scene.pass(hours(1) / 4);
        assert!(scene.access.still_valid(&stream).await.unwrap().is_some() && who(&scene, id).await.is_some());
        assert_eq!(scene.access.end_of_session(id).await.unwrap(), None);
    }
    scene.pass(hours(1) / 4);
    assert_eq!(scene.access.still_valid(&stream).await.unwrap(), None);
    scene.access.note_use(&stream).await;
    assert_eq!(who(&scene, id).await, None, "what is over is not begun again");
    scene.access.sweep().await.unwrap();
    let idle = Some(SessionEnd::Idle(hours(1)));
    assert_eq!(scene.access.end_of_sign_in(&stream).await.unwrap(), idle);
    assert_eq!(scene.access.end_of_session(id).await.unwrap(), idle);
    scene.access.sign_out_everywhere("anna").await.unwrap();
    assert_eq!(scene.access.end_of_session(id).await.unwrap(), None, "somebody ended it");
}

#[tokio::test]
async fn the_shortest_idle_time_is_counted_from_the_last_use() {
    let scene = Scene::with_idle(seconds(60)).await;
    scene.add("anna", Role::Viewer).await;
    let id = signed_in(&scene, "anna").await;
    for _ in 0..3 {
        scene.pass(seconds(50));
        assert!(uses(&scene, id).await);
    }
}

#[tokio::test]
async fn people_see_their_own_sessions_and_end_none_of_anothers() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    scene.add("bert", Role::Viewer).await;
    let first = signed_in(&scene, "anna").await;
    scene.pass(seconds(120));
    let (second, berts) = (signed_in(&scene, "anna").await, signed_in(&scene, "bert").await);
    let (anna, bert) = (who(&scene, second).await.unwrap(), who(&scene, berts).await.unwrap());
    let seen = scene.access.sessions_of(&anna).await.unwrap();
    assert_eq!(seen.iter().map(|s| s.is_this_one).collect::<Vec<_>>(), [true, false]);
    assert_eq!((seen[0].since, seen[0].last_used_at), (scene.now(), scene.now()));
    assert!(!first.to_string().contains(&seen[1].id), "the name opens nothing");

    let other = &seen[1].id;
    let none = Err(AccessError::NoSuchSession);
    assert_eq!(scene.access.end_session(&bert, other).await, none);
    for odd in ["", "%", &other[..8], "' OR 1=1 --"] {
        assert_eq!(scene.access.end_session(&anna, odd).await, none, "{odd}");
    }
    scene.access.end_session(&anna, other).await.unwrap();
    assert_eq!(who(&scene, first).await, None);
    assert!(who(&scene, second).await.is_some() && who(&scene, berts).await.is_some());
    assert_eq!(scene.access.end_session(&anna, other).await, none);
    scene.pass(hours(1));
    assert!(scene.access.sessions_of(&anna).await.unwrap().is_empty(), "what is over is not shown");
    let (_, secret) = scene.access.create_token(&crate::user("t"), Role::Viewer, None, "x").await.unwrap();
    let token = scene.access.identity_of_token(secret.expose()).await.unwrap().unwrap();
    assert!(scene.access.sessions_of(&token).await.unwrap().is_empty());
}

async fn count(scene: &Scene) -> i64 {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&scene.path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) FROM sessions").fetch_one(&pool).await.unwrap();
    row.try_get(0).unwrap()
}

#[tokio::test]
async fn sessions_are_kept_by_their_hash_and_deleted_by_their_id() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let id = signed_in(&scene, "anna").await;
    let stream = who(&scene, id).await.unwrap();
    scene.access.session_store().delete(&id).await.unwrap();
    assert_eq!(who(&scene, id).await, None);
    assert_eq!(scene.access.still_valid(&stream).await.unwrap(), None);
    let kept = signed_in(&scene, "anna").await;
    scene.access.close().await;
    let file = std::fs::read(&scene.path).unwrap();
    assert!(!file.windows(16).any(|part| part == kept.0.to_le_bytes()), "who reads the file has no session");
    assert!(!file.windows(22).any(|part| part == kept.to_string().as_bytes()));
}

#[tokio::test]
async fn a_taken_id_is_not_given_twice() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Viewer).await;
    let first = signed_in(&scene, "anna").await;
    let mut second = Record { id: first, data: HashMap::new(), expiry_date: OffsetDateTime::UNIX_EPOCH };
    scene.access.session_store().create(&mut second).await.unwrap();
    assert_ne!(second.id, first);
    assert!(who(&scene, first).await.is_some());
}
