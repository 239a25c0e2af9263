use access::{AccessError, AuditEntry, AuditMatter};
use futures::TryStreamExt as _;
use rollback_types::{AuditOutcome, AuditQuery, AuditRow, Cursor, Role, SignInWay};

use crate::{PASSWORD, Scene, address, seconds};

fn of(actor: &str, action: &str) -> AuditEntry {
    AuditEntry {
        actor: Some(actor.to_owned()),
        role: Some(Role::Operator),
        via: Some(SignInWay::Password),
        address: Some(address("::ffff:10.0.0.1")),
        action: action.to_owned(),
        matter: AuditMatter::default(),
    }
}

async fn ids(scene: &Scene, query: AuditQuery) -> Vec<i64> {
    scene.access.audit_page(&query).await.unwrap().items.iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_row_tells_beginning_matter_and_end() {
    let scene = Scene::new().await;
    scene.add("anna", Role::Operator).await;
    let anna = scene.sign_in("anna", PASSWORD).await.unwrap();
    let begun = scene.now();
    let entry = AuditEntry::of("POST /api/v1/runs", Some(&anna), Some(address("::ffff:10.0.0.1")));
    let id = scene.access.audit_begin(&entry).await.unwrap();
    let row = scene.access.audit_page(&AuditQuery::default()).await.unwrap().items.remove(0);
    assert_eq!((row.outcome, row.status, row.ended_at, row.subject), (AuditOutcome::Begun, None, None, None));

    let hostile = "</script><img src=x onerror=alert(1)>\u{202e}'; DROP TABLE audit; --";
    let matter =
        AuditMatter { subject: Some("v2".to_owned()), digest: Some("d1".to_owned()), reason: Some(hostile.to_owned()) };
    scene.access.audit_matter(id, &matter).await.unwrap();
    scene.pass(seconds(3));
    scene.access.audit_end(id, AuditOutcome::Done, Some(201), Some("run #7")).await.unwrap();

    let row = scene.access.audit_page(&AuditQuery::default()).await.unwrap().items.remove(0);
    let expected = AuditRow {
        id: row.id,
        at: begun,
        actor: Some("anna".to_owned()),
        role: Some(Role::Operator),
        via: Some(SignInWay::Password),
        address: Some("10.0.0.1".to_owned()),
        action: "POST /api/v1/runs".to_owned(),
        subject: Some("v2".to_owned()),
        digest: Some("d1".to_owned()),
        reason: Some(hostile.to_owned()),
        outcome: AuditOutcome::Done,
        status: Some(201),
        detail: Some("run #7".to_owned()),
        ended_at: Some(scene.now()),
    };
    assert_eq!(row, expected);

    let again = scene.access.audit_end(id, AuditOutcome::Failed, None, None).await.unwrap_err();
    assert!(matches!(again, AccessError::AuditWritten(_)), "{again}");
    let again = scene.access.audit_matter(id, &matter).await.unwrap_err();
    assert!(matches!(again, AccessError::AuditWritten(_)), "{again}");
}

#[tokio::test]
async fn rows_are_found_by_actor_action_outcome_and_time() {
    let scene = Scene::new().await;
    let started = scene.now();
    let mut made = Vec::new();
    for (actor, action, outcome) in [
        ("anna", "POST /api/v1/runs", Some(AuditOutcome::Done)),
        ("Anna", "POST /session/sign-in", Some(AuditOutcome::Refused)),
        ("bert", "POST /api/v1/runs/{id}/abandon", Some(AuditOutcome::Failed)),
        ("token:ci", "DELETE /api/v1/tokens/{id}", None),
    ] {
        let id = scene.access.audit_begin(&of(actor, action)).await.unwrap();
        if let Some(outcome) = outcome {
            scene.access.audit_end(id, outcome, None, None).await.unwrap();
        }
        made.push(ids(&scene, AuditQuery::default()).await[0]);
        scene.pass(seconds(10));
    }
    let at = |n: i64| rollback_types::Timestamp::from_unix_ms(started.unix_ms() + n * 10_000);
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (AuditQuery { actor: text("anna"), ..AuditQuery::default() }, vec![1, 0]),
        (AuditQuery { actor: text(""), action: text(""), ..AuditQuery::default() }, vec![3, 2, 1, 0]),
        (AuditQuery { actor: text("an%"), ..AuditQuery::default() }, vec![]),
        (AuditQuery { action: text("/api/V1/RUNS"), ..AuditQuery::default() }, vec![2, 0]),
        (AuditQuery { action: text("%"), ..AuditQuery::default() }, vec![]),
        (AuditQuery { outcome: Some(AuditOutcome::Begun), ..AuditQuery::default() }, vec![3]),
        (AuditQuery { outcome: Some(AuditOutcome::Refused), ..AuditQuery::default() }, vec![1]),
        (AuditQuery { since: Some(at(1)), until: Some(at(3)), ..AuditQuery::default() }, vec![2, 1]),
        (AuditQuery { actor: text("anna"), outcome: Some(AuditOutcome::Done), ..AuditQuery::default() }, vec![0]),
    ];
    for (query, expected) in cases {
        let expected: Vec<i64> = expected.into_iter().map(|n: usize| made[n]).collect();
        assert_eq!(ids(&scene, query.clone()).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn pages_repeat_nothing_and_leave_nothing_out_while_rows_are_added() {
    let scene = Scene::new().await;
    for n in 0..25 {
        scene.access.audit_begin(&of("anna", &format!("act {n}"))).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut query = AuditQuery { limit: Some(10), ..AuditQuery::default() };
    loop {
        let page = scene.access.audit_page(&query).await.unwrap();
        seen.extend(page.items.into_iter().map(|row| row.action));
        let Some(next) = page.next_cursor else { break };
        query.cursor = Some(next);
        scene.access.audit_begin(&of("bert", "meanwhile")).await.unwrap();
    }
    let expected: Vec<String> = (0..25).rev().map(|n| format!("act {n}")).collect();
    assert_eq!(seen, expected);
    query.cursor = Some(Cursor("1; --".to_owned()));
    assert_eq!(scene.access.audit_page(&query).await.unwrap_err(), AccessError::BadCursor);
    let all = AuditQuery { limit: Some(100_000), ..AuditQuery::default() };
    assert!(scene.access.audit_page(&all).await.unwrap().items.len() <= 200);
}

#[tokio::test]
async fn a_download_has_every_row_of_the_query_in_order() {
    let scene = Scene::new().await;
    for n in 0..1203 {
        let actor = if n % 400 == 0 { "bert" } else { "anna" };
        scene.access.audit_begin(&of(actor, &format!("act {n}"))).await.unwrap();
    }
    let all: Vec<AuditRow> = scene.access.audit_all(AuditQuery::default()).try_collect().await.unwrap();
    let actions: Vec<&str> = all.iter().map(|row| row.action.as_str()).collect();
    let expected: Vec<String> = (0..1203).map(|n| format!("act {n}")).collect();
    assert_eq!(actions, expected);
    let query = AuditQuery { actor: Some("bert".to_owned()), limit: Some(1), ..AuditQuery::default() };
    let some: Vec<AuditRow> = scene.access.audit_all(query).try_collect().await.unwrap();
    assert_eq!(some.len(), 4);
}

#[tokio::test]
async fn nobody_and_long_texts_are_audited_too() {
    let scene = Scene::new().await;
    let mut entry = AuditEntry::of("x".repeat(100_000), None, None).about("s".repeat(100_000));
    entry.matter.reason = Some("ß".repeat(100_000));
    scene.access.audit_begin(&entry).await.unwrap();
    let row = scene.access.audit_page(&AuditQuery::default()).await.unwrap().items.remove(0);
    assert_eq!((row.actor, row.role, row.via, row.address), (None, None, None, None));
    assert_eq!(row.action.chars().count(), 512);
    assert_eq!(row.subject.unwrap().chars().count(), 512);
    let reason = row.reason.unwrap();
    assert!(reason.chars().count() == 4096 && reason.ends_with('…'));
}

#[tokio::test]
async fn refused_tries_of_nobody_fill_no_disk_and_those_of_people_all_have_rows() {
    let scene = Scene::new().await;
    let nobody = |from: &str| AuditEntry::of("POST /api/v1/runs", None, Some(address(from)));
    for _ in 0..50 {
        scene.access.audit_refused(&nobody("10.0.0.9"), Some(401), "nobody").await.unwrap();
        scene.access.audit_refused(&of("vic", "POST /api/v1/runs"), Some(403), "a viewer").await.unwrap();
    }
    scene.access.audit_refused(&nobody("10.0.0.8"), Some(401), "nobody").await.unwrap();
    let of_address = |rows: &[AuditRow], from: &str| {
        let of = rows.iter().filter(|row| row.actor.is_none() && row.address.as_deref() == Some(from));
        of.map(|row| row.detail.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    let all = AuditQuery { limit: Some(200), ..AuditQuery::default() };
    let rows = scene.access.audit_page(&all).await.unwrap().items;
    assert_eq!(rows.iter().filter(|row| row.actor.as_deref() == Some("vic")).count(), 50);
    assert_eq!((of_address(&rows, "10.0.0.9").len(), of_address(&rows, "10.0.0.8").len()), (30, 1));

    scene.pass(seconds(60));
    scene.access.sweep().await.unwrap();
    scene.access.audit_refused(&nobody("10.0.0.9"), Some(401), "nobody").await.unwrap();
    let rows = scene.access.audit_page(&all).await.unwrap().items;
    let details = of_address(&rows, "10.0.0.9");
    assert_eq!(details.len(), 32, "the rest is one row, and the next minute begins anew");
    assert_eq!(details.iter().filter(|detail| detail.starts_with("and 20 more")).count(), 1, "{details:?}");
}
