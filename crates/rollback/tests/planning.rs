//! What a plan says, refuses and asks.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{CheckState, RollbackPlan, StoreKind, VersionState};
use support::{bench, request, start_request, tester};

fn codes(plan: &RollbackPlan) -> Vec<&str> {
    plan.refusals.iter().map(|r| r.code.as_str()).collect()
}

#[tokio::test]
async fn a_plan_counts_and_changes_nothing() {
    let b = bench();
    let before = b.deployment.fingerprint();
    let plan = b.plan().await;
    assert_eq!(b.deployment.fingerprint(), before);
    assert!(plan.startable, "{:?}", plan.refusals);
    assert_eq!(plan.stores.sqlite.staging.rows, Some(7));
    assert_eq!(plan.stores.qdrant.staging.points, Some(23));
    assert_eq!(plan.stores.neo4j.staging.nodes, Some(23));
    assert_eq!(plan.stores.neo4j.staging.relationships, Some(24));
    assert_eq!(plan.stores.neo4j.staging.crossing_relationships, Some(2));
    for store in StoreKind::ALL {
        assert_eq!(plan.stores.get(store).differs, Some(false), "{store}: {}", plan.stores.get(store).evidence);
    }
    let open: Vec<_> =
        plan.checklist.iter().filter(|c| c.state != CheckState::Proven).map(|c| c.code.as_str()).collect();
    assert_eq!(open, ["stakeholders"], "all but what only a person can tell is proven by evidence");
    assert_eq!(b.plan().await.digest, plan.digest, "the same situation has the same digest");
}

#[tokio::test]
async fn the_baseline_and_states_of_production_are_refused() {
    let b = bench();
    for state in VersionState::KNOWN {
        b.deployment.set_state("v1_baseline", state.clone());
        let plan = b.service.plan(&request("v1_baseline")).await.unwrap();
        assert!(codes(&plan).contains(&"baseline"), "{state}");
        let start = b.service.start(&start_request(&plan), &tester()).await;
        assert!(matches!(start, Err(ServiceError::Refused { .. })), "{state}");
    }
    StoreKind::ALL.into_iter().for_each(|store| b.deployment.contaminate(store));
    let plan = b.service.plan(&request("v1_baseline")).await.unwrap();
    assert!(StoreKind::ALL.into_iter().all(|s| !plan.stores.get(s).restore), "it tells of no restore");
    assert!(plan.steps.is_empty() && plan.way_back_bytes == 0 && plan.disk.is_empty(), "{:?}", plan.steps);
    assert_eq!(codes(&plan), ["baseline"], "only why it is refused");
    let plan = b.service.plan(&request("v6_minor_20261101_101500")).await.unwrap();
    assert_eq!(codes(&plan), ["not_a_candidate"]);
    for id in ["latest_copy20261123_141838", "a'b", "../x", "<script>alert(1)</script>", "a\u{0}b"] {
        b.deployment.set_state(id, VersionState::Failed);
        let plan = b.service.plan(&request(id)).await.unwrap();
        assert!(!plan.startable, "{id:?}");
        assert!(matches!(codes(&plan)[0], "unsafe_name" | "safety_backup"), "{id:?}");
        assert_eq!(plan.stores.sqlite.staging.rows, None, "no store was asked about {id:?}");
    }
    assert!(matches!(b.service.plan(&request("nobody")).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn production_that_differs_is_to_be_restored_or_left_by_name() {
    for store in StoreKind::ALL {
        let b = bench();
        b.deployment.contaminate(store);
        let plan = b.plan().await;
        assert!(plan.startable, "{store}: {:?}", plan.refusals);
        let (here, others) = (plan.stores.get(store), StoreKind::ALL.into_iter().filter(|s| *s != store));
        assert!(here.restore_recommended && here.restore && plan.way_back_bytes > 0, "{store}");
        assert!(others.into_iter().all(|s| !plan.stores.get(s).restore), "{store}");
        let mut left = request(FAILED);
        left.restore = Some(Vec::new());
        let plan = b.service.plan(&left).await.unwrap();
        assert_eq!(codes(&plan), ["acknowledgement_required"]);
        assert_eq!(plan.acknowledgements[0].asked.code, format!("leave_different:{}", store.as_str()));
        assert_eq!(plan.way_back_bytes, 0);
    }
}

#[tokio::test]
async fn nothing_is_restored_from_a_copy_that_is_not_intact() {
    let b = bench();
    b.deployment.contaminate(StoreKind::Neo4j);
    let path = b.deployment.folder().join("latest-copy/metadata.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let plan = b.plan().await;
    assert!(codes(&plan).contains(&"backup_not_intact"), "{:?}", plan.refusals);
    let before = b.deployment.fingerprint();
    assert!(matches!(b.service.start(&start_request(&plan), &tester()).await, Err(ServiceError::Refused { .. })));
    assert_eq!(b.deployment.fingerprint(), before);
}

#[tokio::test]
async fn anothers_staging_must_be_acknowledged_by_name() {
    let b = bench();
    b.deployment.set_state("v8_minor_20261123_010101", VersionState::Staging);
    b.deployment.stage_more("v8_minor_20261123_010101");
    let plan = b.plan().await;
    assert!(!plan.startable);
    assert_eq!(codes(&plan), ["acknowledgement_required"]);
    let asked: Vec<_> = plan.acknowledgements.iter().map(|a| a.asked.code.as_str()).collect();
    assert_eq!(asked, ["other_candidates:v8_minor_20261123_010101", "foreign_staging:v8_minor_20261123_010101"]);
    assert!(plan.acknowledgements.iter().all(|a| a.asked.message.contains("v8_minor_20261123_010101")));
    let mut bare = start_request(&plan);
    bare.acknowledgements.clear();
    assert!(matches!(b.service.start(&bare, &tester()).await, Err(ServiceError::Refused { .. })));
    let mut given = request(FAILED);
    given.acknowledgements = asked.iter().map(ToString::to_string).collect();
    let again = b.service.plan(&given).await.unwrap();
    assert!(again.startable);
    assert_eq!(again.digest, plan.digest, "giving what was asked for does not change what was read");
    b.service.start(&start_request(&plan), &tester()).await.unwrap();
}

#[tokio::test]
async fn where_nothing_is_staged_nobody_is_asked_whose_it_is() {
    let b = bench();
    b.deployment.set_state("v8_minor_20261123_010101", VersionState::Staging);
    StoreKind::ALL.into_iter().for_each(|store| b.deployment.remove_staging(store));
    b.deployment.contaminate(StoreKind::Neo4j);
    let plan = b.plan().await;
    assert!(plan.startable && plan.stores.neo4j.restore, "{:?} {:?}", plan.refusals, plan.acknowledgements);
    assert_eq!(plan.acknowledgements, []);
    b.deployment.stage_more("v8_minor_20261123_010101");
    let plan = b.plan().await;
    let asked: Vec<_> = plan.acknowledgements.iter().filter_map(|a| a.asked.code.split(':').next()).collect();
    assert_eq!(asked, ["other_candidates", "foreign_staging", "graph_of_others"]);
}

#[tokio::test]
async fn a_list_of_names_is_told_by_name_and_beyond_twenty_by_a_count() {
    let b = bench();
    for n in 0..25 {
        b.deployment.set_state(&format!("v9_minor_20261102_{n:06}"), VersionState::Failed);
        b.deployment.stage_more(&format!("v9_minor_20261102_{n:06}"));
    }
    let plan = b.plan().await;
    assert_eq!(plan.acknowledgements.len(), 2);
    for ask in &plan.acknowledgements {
        let named = ask.asked.message.matches("v9_minor").count();
        assert!(named == 20 && ask.asked.message.contains(" and 5 more"), "{}", ask.asked.message);
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_named_with_what_to_do() {
    for (operation, store) in [("staging_rows", "sqlite"), ("count", "qdrant"), ("staging_nodes", "neo4j")] {
        let b = bench();
        b.deployment.faults.arm(operation, None, u32::MAX, Fault::Unreachable, Moment::Before);
        let plan = b.plan().await;
        assert!(codes(&plan).contains(&format!("store_unreachable:{store}").as_str()), "{:?}", plan.refusals);
        assert!(plan.refusals[0].message.contains("Check that"), "{:?}", plan.refusals);
        b.deployment.faults.clear();
        assert!(b.plan().await.startable);
    }
}

#[tokio::test]
async fn signs_of_ingestion_and_too_little_space_refuse() {
    let b = bench();
    b.deployment.faults.arm("is_write_locked", None, u32::MAX, Fault::Busy, Moment::Before);
    assert_eq!(codes(&b.plan().await), ["write_locked"]);
    b.deployment.faults.clear();
    b.deployment.set_free_bytes(499_999_999);
    assert_eq!(codes(&b.plan().await), ["disk_space"]);
}

#[tokio::test]
async fn each_disk_is_asked_for_what_is_written_there() {
    let b = bench();
    let runs = b.deployment.folder().join("runs");
    b.deployment.mount(&runs, 10_000_000_000);
    b.deployment.mount(b.deployment.folder(), 1);
    let plan = b.plan().await;
    assert!(plan.startable, "a rollback writes nothing into the folder of the backups: {:?}", plan.refusals);
    assert_eq!(plan.disk.iter().map(|d| d.path.clone()).collect::<Vec<_>>(), [runs.display().to_string()]);
    let id = b.start().await;
    b.settle(id).await;
    let plan = b.service.plan(&support::of(rollback_types::RunKind::MakeBackup, "latest-copy")).await.unwrap();
    assert!(codes(&plan).contains(&"disk_space"), "{:?}", plan.refusals);
    let said = &plan.refusals.iter().find(|r| r.code == "disk_space").unwrap().message;
    assert!(said.contains(&b.deployment.folder().display().to_string()), "{said}");

    let b = bench();
    b.deployment.mount(&b.deployment.folder().join("runs"), 499_999_999);
    assert_eq!(codes(&b.plan().await), ["disk_space"], "evidence and ways back would not fit");
}

#[tokio::test]
async fn an_alias_on_the_staging_collection_refuses() {
    let b = bench();
    b.deployment.set_alias("textbook_chunks_previous", "textbook_chunks_staging");
    assert!(codes(&b.plan().await).contains(&"staging_is_production"));
}

#[tokio::test]
async fn a_damaged_latest_copy_asks_and_a_missing_one_too() {
    let b = bench();
    let path = b.deployment.folder().join("latest-copy/textbook_chunks_latest.snapshot");
    std::fs::remove_file(&path).unwrap();
    let plan = b.plan().await;
    assert_eq!(codes(&plan), ["acknowledgement_required"]);
    assert_eq!(plan.acknowledgements[0].asked.code, "latest_copy_not_intact");
    let copy = plan.latest_copy.unwrap();
    assert!(!copy.intact && copy.verdict.contains("is not there"), "{}", copy.verdict);
}

#[tokio::test]
async fn a_layout_that_was_not_expected_refuses() {
    let b = bench();
    let service = b.deployment.service_with(|s| s.expected_layout = Some(rollback_types::Layout::PerVersion));
    assert!(codes(&service.plan(&request(FAILED)).await.unwrap()).contains(&"layout_unexpected"));
}

#[tokio::test]
async fn the_overview_counts_once_for_all_tabs_and_anew_after_a_run() {
    let b = bench();
    let service =
        std::sync::Arc::new(b.deployment.service_with(|s| s.overview_age = std::time::Duration::from_secs(3_600)));
    let staged = |o: &rollback_types::Overview| o.staged[0].staging.as_ref().and_then(|s| s.rows);
    assert_eq!(staged(&service.overview().await.unwrap()), Some(7));
    b.deployment.stage_more(FAILED);
    assert_eq!(staged(&service.overview().await.unwrap()), Some(7), "counted a moment ago");
    let plan = service.plan(&request(FAILED)).await.unwrap();
    let id = service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    support::events_after(&service, id, 0).await;
    assert_eq!(service.overview().await.unwrap().staged[0].staging.as_ref().and_then(|s| s.rows), None);
}

#[tokio::test]
async fn every_candidate_is_counted_however_many_there_are() {
    let b = bench();
    for n in 0..1_500 {
        b.deployment.set_state(&format!("v9_minor_20261102_{n:06}"), VersionState::Failed);
    }
    let plan = b.plan().await;
    let asked = plan.acknowledgements.iter().find(|a| a.asked.code.starts_with("other_candidates:")).unwrap();
    assert!(asked.asked.message.contains("and 1,480 more"), "{}", asked.asked.message);
    assert_eq!(b.service.overview().await.unwrap().candidate_count, 1_501);
}

#[tokio::test]
async fn a_snapshot_that_this_vector_store_cannot_read_is_refused_before_anything_goes() {
    let b = support::contaminated();
    b.deployment.move_vectors_to_a_server();
    let before = b.deployment.fingerprint();
    let mut all = request(FAILED);
    let plan = b.plan_all(all.clone()).await;
    assert_eq!(codes(&plan), ["foreign_snapshot:qdrant"], "{:?}", plan.refusals);
    assert!(plan.refusals[0].message.contains("Leave Qdrant out"), "{:?}", plan.refusals);
    assert!(matches!(b.service.start(&start_request(&plan), &tester()).await, Err(ServiceError::Refused { .. })));
    assert_eq!(b.deployment.fingerprint(), before);
    all.restore = Some(vec![StoreKind::Sqlite, StoreKind::Neo4j]);
    let plan = b.plan_all(all).await;
    assert!(plan.startable, "the other stores can be restored: {:?}", plan.refusals);
}

#[tokio::test]
async fn what_our_own_validation_found_is_a_trigger_of_the_version() {
    let b = bench();
    let titles = |plan: &RollbackPlan| plan.triggers.iter().map(|t| t.title.clone()).collect::<Vec<_>>();
    let before = titles(&b.plan().await);
    assert!(!before.contains(&"Counts inconsistent across the systems".to_owned()), "{before:?}");
    let run = b.carry_out(support::of(rollback_types::RunKind::Validate, FAILED)).await.run.id;
    let plan = b.plan().await;
    let found = plan.triggers.iter().find(|t| t.title == "Counts inconsistent across the systems").unwrap();
    assert!(found.evidence.contains(&format!("run #{run}, check 4")), "{}", found.evidence);
    assert_eq!(b.service.version(FAILED).await.unwrap().triggers, plan.triggers, "the version's page tells the same");
    assert_eq!(b.service.version("v1_baseline").await.unwrap().triggers, []);
}

#[tokio::test]
async fn the_time_it_took_is_told_of_runs_of_this_kind() {
    let b = bench();
    assert_eq!(b.plan().await.time.runs, 0);
    b.carry_out(support::of(rollback_types::RunKind::Validate, "production")).await;
    let time = b.plan().await.time;
    assert_eq!((time.runs, time.median_ms), (0, None), "a validation is no measure of a rollback");
    let id = b.start().await;
    b.settle(id).await;
    let plan = b.service.plan(&support::of(rollback_types::RunKind::Validate, "production")).await.unwrap();
    assert_eq!((plan.time.runs, plan.time.documented_ms), (1, 900_000));
    assert_eq!(b.plan().await.time.runs, 1);
}

#[tokio::test]
async fn a_plan_says_itself_which_refusals_stay_whatever_is_done() {
    let b = bench();
    b.deployment.set_state("v8_minor_20261123_010101", VersionState::Committed);
    for never in ["v1_baseline", "v8_minor_20261123_010101"] {
        let plan = b.service.plan(&request(never)).await.unwrap();
        assert!(!plan.refusals.is_empty() && plan.refusals.iter().all(|r| r.lasting), "{never}: {:?}", plan.refusals);
        assert!(plan.steps.is_empty());
    }
    b.deployment.set_free_bytes(0);
    let plan = b.plan().await;
    assert!(!plan.refusals.is_empty() && plan.refusals.iter().all(|r| !r.lasting), "{:?}", plan.refusals);
}
