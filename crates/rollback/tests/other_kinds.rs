//! Kinds of run beside the rollback: restores of older backups, undone restores and the ways back they need, validations.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{Decision, RunKind, RunState, Step, StepState, StoreKind};
use support::{bench, contaminated, of, request, start_request, tester};

#[tokio::test]
async fn an_older_backup_names_what_it_loses_and_wants_it_acknowledged() {
    let b = bench();
    let (latest, old) = (b.deployment.folder().join("latest-copy"), b.deployment.folder().join("v1_baseline"));
    std::fs::create_dir(&old).unwrap();
    for (from, to) in [
        ("metadata.db", "metadata.db"),
        ("textbook_chunks_latest.snapshot", "textbook_chunks.snapshot"),
        ("neo4j_latest.cypher", "neo4j.cypher"),
    ] {
        std::fs::copy(latest.join(from), old.join(to)).unwrap();
    }
    let equal = b.service.plan(&of(RunKind::RestoreProduction, "v1_baseline")).await.unwrap();
    assert!(equal.refusals.iter().any(|r| r.code == "nothing_to_restore"), "{:?}", equal.refusals);
    assert_eq!((equal.losses.len(), equal.acknowledgements.as_slice()), (0, &[][..]), "what is equal loses nothing");
    b.deployment.contaminate(StoreKind::Sqlite);
    let plan = b.service.plan(&of(RunKind::RestoreProduction, "v1_baseline")).await.unwrap();
    assert_eq!(plan.losses.iter().map(|v| v.as_str()).collect::<Vec<_>>(), ["v6_minor_20261101_101500"]);
    let asked: Vec<&str> = plan.acknowledgements.iter().map(|a| a.asked.code.as_str()).collect();
    assert!(asked.contains(&"loses:v6_minor_20261101_101500"), "{asked:?}");
    assert!(!plan.startable);
    let mut wrong = start_request(&plan);
    wrong.confirm_version_id = "v1".into();
    assert!(matches!(b.service.start(&wrong, &tester()).await, Err(ServiceError::InvalidField { .. })));
    let view = b.carry_out(of(RunKind::RestoreProduction, "v1_baseline")).await;
    assert_eq!(view.step(Step::RestoreSqlite).unwrap().state, StepState::Done, "{view:?}");
    for hostile in ["../latest-copy", "v9", "latest-copy.before-run-1", ""] {
        let refused = b.service.plan(&of(RunKind::RestoreProduction, hostile)).await;
        assert!(matches!(refused, Err(ServiceError::NotFound(_))), "{hostile}");
    }
}

#[tokio::test]
async fn a_way_back_goes_when_its_time_is_over_or_a_person_says_so() {
    let b = contaminated();
    let id = b.start().await;
    b.settle(id).await;
    assert_eq!(b.service.remove_old_ways_back().await.unwrap(), 0, "it is young");
    let later = b.deployment.service_with(|s| s.way_back_retention = std::time::Duration::ZERO);
    assert_eq!(later.remove_old_ways_back().await.unwrap(), 1);
    assert!(b.service.way_back(id).await.unwrap().is_none());
    let undo = b.service.plan(&of(RunKind::UndoRestore, &format!("run-{id}"))).await;
    assert!(matches!(undo, Err(ServiceError::NotFound(_))), "{undo:?}");
    assert!(matches!(b.service.remove_way_back(id, &tester()).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn a_validation_changes_nothing_and_tells_what_it_found() {
    let b = bench();
    let before = b.deployment.fingerprint();
    let view = b.carry_out(of(RunKind::Validate, "production")).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    b.deployment.contaminate(StoreKind::Qdrant);
    let view = b.carry_out(of(RunKind::Validate, "production")).await;
    assert_eq!(view.run.state, RunState::CompletedWithFindings);
    let report = view.validation.unwrap();
    assert!(!report.is_sound());
    let kind = rollback_types::OffenderKind::MissingInNeo4j;
    let list = b.service.offenders_file(view.run.id, kind).await.unwrap();
    assert_eq!(std::fs::read_to_string(list).unwrap(), "bailey:ch1:foreign\n");
    let contaminated = b.deployment.fingerprint();
    assert_ne!(contaminated, before);
    let staged = b.carry_out(of(RunKind::Validate, FAILED)).await;
    assert!(staged.validation.is_some());
    assert_eq!(b.deployment.fingerprint(), contaminated);
}

#[tokio::test]
async fn an_undo_never_puts_points_into_another_collection() {
    let b = contaminated();
    let id = b.start().await;
    b.settle(id).await;
    b.deployment.put_point("textbook_chunks_b", 1, Some("bailey:ch1:1"), None);
    b.deployment.set_alias("textbook_chunks_latest", "textbook_chunks_b");
    let plan = b.plan_all(of(RunKind::UndoRestore, &format!("run-{id}"))).await;
    assert!(plan.refusals.iter().any(|r| r.code == "other_collection:qdrant"), "{:?}", plan.refusals);
    let mut without = of(RunKind::UndoRestore, &format!("run-{id}"));
    without.restore = Some(vec![StoreKind::Sqlite]);
    assert!(b.plan_all(without).await.startable);
}

#[tokio::test]
async fn what_a_restore_that_was_cut_short_had_saved_is_told_and_kept() {
    let b = contaminated();
    b.deployment.faults.arm("restore_export", Some(Step::RestoreNeo4j), u32::MAX, Fault::Refused, Moment::After);
    let id = b.start().await;
    let view = b.settle(id).await;
    let error = view.step(Step::RestoreNeo4j).unwrap().error.clone().unwrap();
    assert!(error.safe.contains("half restored") && error.safe.contains("way-back"), "{error:?}");
    b.service.decide(id, Step::RestoreNeo4j, Decision::Abort, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    assert!(view.run.summary.as_deref().unwrap().contains("A restore had begun"), "{view:?}");
    b.deployment.faults.clear();
    b.deployment.contaminate(StoreKind::Neo4j);
    let plan = b.plan().await;
    let asked: Vec<&str> = plan.acknowledgements.iter().map(|a| a.asked.code.as_str()).collect();
    assert!(asked.contains(&format!("earlier_way_back:{id}").as_str()), "{asked:?}");
    let later = b.deployment.service_with(|s| s.way_back_retention = std::time::Duration::ZERO);
    assert_eq!(later.remove_old_ways_back().await.unwrap(), 0, "it holds what is nowhere else");
    let done = b.carry_out(request(FAILED)).await;
    assert_eq!(done.run.state, RunState::Completed, "{done:?}");
    assert_eq!(later.remove_old_ways_back().await.unwrap(), 2);
}

#[tokio::test]
async fn a_way_back_that_lost_a_file_is_not_quietly_smaller() {
    let b = contaminated();
    let id = b.start().await;
    b.settle(id).await;
    let saved = b.service.way_back(id).await.unwrap().unwrap();
    std::fs::remove_file(saved.folder.join("neo4j.cypher")).unwrap();
    let plan = b.plan_all(of(RunKind::UndoRestore, &format!("run-{id}"))).await;
    assert!(plan.refusals.iter().any(|r| r.code == "backup_not_intact"), "{:?}", plan.refusals);
}

#[tokio::test]
async fn a_restore_says_what_becomes_of_what_others_staged_and_nothing_where_nothing_is() {
    let b = contaminated();
    let about_others = |plan: &rollback_types::RollbackPlan| -> Vec<String> {
        let of_others = |code: &str| code.starts_with("candidates:") || code.starts_with("graph_of_others:");
        plan.acknowledgements.iter().filter(|a| of_others(&a.asked.code)).map(|a| a.asked.message.clone()).collect()
    };
    let mut wanted = of(RunKind::RestoreProduction, "latest-copy");
    wanted.restore = Some(vec![StoreKind::Neo4j]);
    let said = about_others(&b.service.plan(&wanted).await.unwrap());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("goes too") && said[0].contains("SQLite, Qdrant stays") && said[0].contains(FAILED));
    wanted.restore = Some(vec![StoreKind::Sqlite]);
    let said = about_others(&b.service.plan(&wanted).await.unwrap());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("SQLite, Qdrant, Neo4j stays") && !said[0].contains("goes"), "{said:?}");
    StoreKind::ALL.into_iter().for_each(|store| b.deployment.remove_staging(store));
    assert_eq!(about_others(&b.service.plan(&wanted).await.unwrap()), Vec::<String>::new());
}
