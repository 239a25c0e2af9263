use std::os::unix::fs::PermissionsExt as _;

use access::{Access, AccessError, AccessSettings};
use rollback_types::{AuditOutcome, Role};

use crate::{PASSWORD, Scene, password, user};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn file_and_folder_are_for_us_alone() {
    let scene = Scene::new().await;
    assert_eq!(mode(&scene.path), 0o600);
    assert_eq!(mode(scene.path.parent().unwrap()), 0o700);
    scene.add("anna", Role::Viewer).await;
    for name in ["access.db-wal", "access.db-shm"] {
        assert_eq!(mode(&scene.path.with_file_name(name)), 0o600, "{name}");
    }
    scene.access.close().await;
    std::fs::set_permissions(&scene.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    scene.beside().await;
    assert_eq!(mode(&scene.path), 0o600, "a file that others may read is closed to them");
}

#[tokio::test]
async fn secrets_are_in_no_file_and_no_debug() {
    let scene = Scene::new().await;
    let key = scene.access.first_key().await.unwrap().unwrap();
    let chosen = password("anna", PASSWORD);
    let identity = scene.access.make_first_administrator(key.expose(), &user("anna"), &chosen).await.unwrap();
    let (view, token) = scene.access.create_token(&user("ci"), Role::Operator, None, "anna").await.unwrap();
    let secret = token.expose().rsplit('_').next().unwrap().to_owned();
    let told = format!("{:?} {chosen:?} {key:?} {token:?} {identity:?} {view:?}", scene.access);
    scene.access.close().await;
    let kept = std::fs::read(&scene.path).unwrap();
    for hidden in [PASSWORD, key.expose(), &secret] {
        assert!(!told.contains(hidden), "{hidden} is in {told}");
        assert!(!kept.windows(hidden.len()).any(|part| part == hidden.as_bytes()), "{hidden} is in the file");
    }
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("metadata.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE chapters (id INTEGER)").execute(&pool).await.unwrap();
    pool.close().await;
    let before = std::fs::read(&path).unwrap();
    let error = Access::open(&path, AccessSettings::default()).await.unwrap_err();
    assert!(error.to_string().contains("another program's database"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::write(&path, "no database at all, but long enough to be looked at as one".repeat(20)).unwrap();
    let error = Access::open(&path, AccessSettings::default()).await.unwrap_err();
    assert!(error.is_of_file(), "{error}");
}

#[tokio::test]
async fn a_file_that_is_gone_takes_no_audit() {
    let scene = Scene::new().await;
    std::fs::rename(&scene.path, scene.path.with_extension("away")).unwrap();
    let error = scene.access.audit_begin(&access::AuditEntry::of("POST /runs", None, None)).await.unwrap_err();
    assert!(matches!(&error, AccessError::Unusable { detail, .. } if detail.contains("is gone")), "{error}");
    assert!(scene.sign_in("anna", PASSWORD).await.is_err());
}

#[tokio::test]
async fn the_audit_cannot_be_changed_even_by_sql() {
    let scene = Scene::new().await;
    let entry = access::AuditEntry::of("POST /runs", None, None).about("v2");
    let id = scene.access.audit_begin(&entry).await.unwrap();
    scene.access.audit_end(id, AuditOutcome::Done, Some(201), None).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&scene.path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    for sql in [
        "UPDATE audit SET actor = 'somebody else'",
        "DELETE FROM audit",
        "UPDATE audit_matters SET subject = 'another'",
        "DELETE FROM audit_matters",
        "UPDATE audit_ends SET outcome = 'refused'",
        "DELETE FROM audit_ends",
    ] {
        let error = sqlx::query(sql).execute(&pool).await.unwrap_err();
        assert!(error.to_string().contains("only added to"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn where_nothing_can_be_written_people_still_look_and_nothing_is_done() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Operator).await;
    let (_, token) = scene.access.create_token(&user("ci"), Role::Viewer, None, "anna").await.unwrap();
    let access = scene.impatient().await;
    // Another connection that does not let go of the right to write.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&scene.path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let lock = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();

    assert!(access.identity_of_token(token.expose()).await.unwrap().is_some());
    let entry = access::AuditEntry::of("POST /runs", None, None);
    assert!(access.audit_begin(&entry).await.unwrap_err().is_of_file());
    assert!(matches!(
        access.sign_in("anna", PASSWORD, crate::address("10.0.0.1")).await.unwrap_err(),
        access::SignInError::Access(error) if error.is_of_file()
    ));

    lock.rollback().await.unwrap();
    access.audit_begin(&entry).await.unwrap();
    access.sign_in("anna", PASSWORD, crate::address("10.0.0.1")).await.unwrap();
}
