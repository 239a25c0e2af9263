//! Step 7: what is restored, what is saved before, and what every failure leaves behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;

use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{
    Decision, PlanRequest, RunKind, RunState, Step, StepState, StoreKind, ValidationVerdict, VersionState,
};
use support::{Bench, bench, contaminated, of, request, start_request, tester};

const LANES: [(StoreKind, Step); 3] = [
    (StoreKind::Sqlite, Step::RestoreSqlite),
    (StoreKind::Qdrant, Step::RestoreQdrant),
    (StoreKind::Neo4j, Step::RestoreNeo4j),
];

/// What a rollback of an uncontaminated deployment ends in.
async fn undisturbed() -> String {
    let b = bench();
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::Completed);
    b.deployment.fingerprint()
}

#[tokio::test]
async fn what_differs_is_restored_and_nothing_else() {
    let expected = undisturbed().await;
    for (store, step) in LANES {
        let b = bench();
        b.deployment.contaminate(store);
        let id = b.start().await;
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::Completed, "{store}: {view:?}");
        assert_eq!(b.deployment.fingerprint(), expected, "{store}: as if it had never been contaminated");
        for (_, lane) in LANES {
            let state = view.step(lane).unwrap().state;
            assert_eq!(state, if lane == step { StepState::Done } else { StepState::Skipped }, "{store} {lane}");
        }
        let saved = b.service.way_back(id).await.unwrap().unwrap();
        assert_eq!(saved.stores, [store], "only what was restored has a way back");
        assert!(saved.bytes > 0 && saved.kept_until.is_some());
        let sums = std::fs::read_to_string(saved.folder.join("checksums.txt")).unwrap();
        assert_eq!(sums.lines().count(), 1, "{sums}");
        let told = view.store_outcomes();
        for outcome in &told {
            let said = outcome.production.as_deref().unwrap();
            assert_eq!(said.starts_with("restored"), outcome.store == store, "{said}");
            assert!(!outcome.staged.as_deref().unwrap().contains("production unchanged"), "{told:?}");
        }
        let summary = view.run.summary.as_deref().unwrap();
        assert!(summary.ends_with(&format!("and production was restored from latest-copy in {store}.")), "{summary}");
        assert_eq!(view.validation.unwrap().verdict, ValidationVerdict::Sound);
        // An undo touches what was restored, and says so of the others.
        let undo = b.service.plan(&of(RunKind::UndoRestore, &format!("run-{id}"))).await.unwrap();
        for other in StoreKind::ALL.into_iter().filter(|other| *other != store) {
            let evidence = &undo.stores.get(other).evidence;
            assert!(evidence.contains("saved nothing") && evidence.contains("stays as it is"), "{other}: {evidence}");
        }
    }
}

#[tokio::test]
async fn all_three_are_restored_and_the_restore_can_be_undone() {
    let expected = undisturbed().await;
    let b = contaminated();
    let plan = b.plan().await;
    assert!(plan.startable && plan.way_back_bytes > 0, "{:?}", plan.refusals);
    let id = b.start().await;
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    assert_eq!(b.deployment.fingerprint(), expected);
    let undone = b.carry_out(of(RunKind::UndoRestore, &format!("run-{id}"))).await;
    // What is back is the contamination: the validation sees it.
    assert_eq!(undone.run.state, RunState::CompletedWithFindings, "{undone:?}");
    assert_ne!(b.deployment.fingerprint(), expected);
    let verdict = b.service.overview().await.unwrap().verdict;
    assert_eq!(verdict.level, rollback_types::VerdictLevel::Attention, "{verdict:?}");
    assert!(
        verdict.headline.contains("production differs from latest-copy, and its last validation failed"),
        "{verdict:?}"
    );
    let plan = b.service.plan(&of(RunKind::RestoreProduction, "latest-copy")).await.unwrap();
    for store in StoreKind::ALL {
        assert_eq!(plan.stores.get(store).differs, Some(true), "{store}: as before the restore");
    }
    let redone = b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await;
    assert_eq!(redone.run.state, RunState::Completed, "{redone:?}");
    let verdict = b.service.overview().await.unwrap().verdict;
    assert_eq!(verdict.level, rollback_types::VerdictLevel::Quiet, "a later run has the word: {verdict:?}");
    assert_eq!(b.deployment.fingerprint(), expected);
}

/// Where a lane can fail: saving, trying, restoring, counting afterwards.
const POINTS: [(StoreKind, Step, &[&str]); 3] = [
    (StoreKind::Sqlite, Step::RestoreSqlite, &["back_up", "restore"]),
    (StoreKind::Qdrant, Step::RestoreQdrant, &["take_snapshot", "restore_snapshot", "id_fingerprint"]),
    (StoreKind::Neo4j, Step::RestoreNeo4j, &["export", "restore_export", "schema_lines"]),
];

#[tokio::test]
async fn a_passing_fault_in_a_lane_changes_nothing_of_the_end() {
    let expected = undisturbed().await;
    for (store, step, operations) in POINTS {
        for operation in operations {
            for moment in [Moment::Before, Moment::After] {
                let b = contaminated();
                b.deployment.faults.arm(operation, Some(step), 1, Fault::TimedOut, moment);
                let id = b.start().await;
                let view = b.settle(id).await;
                assert_eq!(view.run.state, RunState::Completed, "{store} {operation} {moment:?}: {view:?}");
                assert_eq!(b.deployment.fingerprint(), expected, "{store} {operation} {moment:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_lasting_fault_asks_after_the_siblings_and_the_way_back_restores_what_was() {
    for (store, step, operations) in POINTS {
        for operation in operations {
            let b = contaminated();
            // What only looks has no effect to lose the answer of.
            let looks = matches!(*operation, "id_fingerprint" | "schema_lines");
            let moment = if looks { Moment::Before } else { Moment::After };
            b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Refused, moment);
            let id = b.start().await;
            let view = b.settle(id).await;
            assert_eq!(view.run.state, RunState::NeedsDecision, "{store} {operation}");
            let asked = view.step(step).unwrap();
            assert!(asked.decisions.contains(&Decision::WayBack), "{asked:?}");
            for (_, sibling) in LANES.into_iter().filter(|(_, s)| *s != step) {
                assert_eq!(view.step(sibling).unwrap().state, StepState::Done, "{store} {operation}: {sibling}");
            }
            b.deployment.faults.clear();
            b.service.decide(id, step, Decision::WayBack, None, &tester()).await.unwrap();
            let view = b.settle(id).await;
            assert_eq!(view.run.state, RunState::CompletedWithFindings, "{store} {operation}: {view:?}");
            assert_eq!(view.step(step).unwrap().state, StepState::Skipped);
            let plan = b.service.plan(&of(RunKind::RestoreProduction, "latest-copy")).await.unwrap();
            for other in StoreKind::ALL {
                let differs = Some(other == store);
                assert_eq!(plan.stores.get(other).differs, differs, "{store} {operation}: {other}");
            }
        }
    }
}

#[tokio::test]
async fn a_lane_that_acted_and_was_skipped_is_never_told_as_production_left_as_it_was() {
    // The trial of the points is by the same call, so it would fail before the lane acts.
    let lanes = [("restore", LANES[0]), ("restore_export", LANES[2])];
    for kind in [RunKind::Rollback, RunKind::RestoreProduction] {
        for (operation, (store, step)) in lanes {
            let b = bench();
            b.deployment.contaminate(store);
            b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Refused, Moment::Before);
            let mut request = if kind == RunKind::Rollback { request(FAILED) } else { of(kind, "latest-copy") };
            request.restore = Some(vec![store]);
            let view = b.carry_out(request).await;
            let id = view.run.id;
            assert_eq!(view.run.state, RunState::NeedsDecision, "{kind:?} {store}: {view:?}");
            assert!(view.step(step).unwrap().acted, "{kind:?} {store}: {view:?}");
            b.deployment.faults.clear();
            let reason = Some("mended by hand".to_owned());
            b.service.decide(id, step, Decision::Skip, reason, &tester()).await.unwrap();
            let view = b.settle(id).await;
            let summary = view.run.summary.clone().unwrap();
            assert!(!summary.contains("as it was"), "{kind:?} {store}: {summary}");
            let said = format!("{}'s restore was begun and then left by decision: compare it", store.title());
            assert!(summary.contains(&said), "{kind:?} {store}: {summary}");
            let told = view.store_outcomes();
            let production = told.iter().find(|o| o.store == store).unwrap().production.as_deref().unwrap();
            assert!(production.starts_with("begun and then left by decision"), "{kind:?} {store}: {production}");
        }
    }
}

#[tokio::test]
async fn a_removal_that_acted_and_was_skipped_says_so() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert!(b.settle(id).await.step(Step::DeleteNodes).unwrap().acted);
    let reason = Some("done by hand".to_owned());
    b.service.decide(id, Step::DeleteNodes, Decision::Skip, reason, &tester()).await.unwrap();
    let summary = b.settle(id).await.run.summary.unwrap();
    let said = "is gone from SQLite and Qdrant; the removal from Neo4j was begun and then left by decision, and production \
                was left as it was.";
    assert!(summary.contains(said), "{summary}");
}

#[tokio::test]
async fn a_half_done_restore_and_an_interrupted_run_are_told_however_many_runs_came_later() {
    let b = contaminated();
    b.deployment.faults.arm("restore", Some(Step::RestoreSqlite), u32::MAX, Fault::Refused, Moment::Before);
    let aborted = b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await.run.id;
    b.service.decide(aborted, Step::RestoreSqlite, Decision::Abort, None, &tester()).await.unwrap();
    assert_eq!(b.settle(aborted).await.run.state, RunState::Aborted);
    b.deployment.faults.clear();
    let headline = |o: rollback_types::Overview| o.verdict.headline;
    assert!(headline(b.service.overview().await.unwrap()).contains("did not come to its end"));
    // Runs that say nothing of production do not push it out of sight.
    for _ in 0..60 {
        b.carry_out(of(RunKind::Validate, FAILED)).await;
    }
    assert!(headline(b.service.overview().await.unwrap()).contains("did not come to its end"));
    let plan = b.plan_all(of(RunKind::Validate, FAILED)).await;
    b.deployment.journal.fill_up_after(Some(3));
    let cut = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
    assert_eq!(b.settle(cut).await.run.state, RunState::Interrupted);
    b.deployment.journal.fill_up_after(None);
    for _ in 0..6 {
        b.carry_out(of(RunKind::Validate, FAILED)).await;
    }
    let verdict = b.service.overview().await.unwrap().verdict;
    assert!(verdict.headline.starts_with(&format!("Run #{cut} was interrupted")), "{verdict:?}");
}

#[tokio::test]
async fn a_run_that_dies_anywhere_can_be_finished_by_another() {
    let expected = undisturbed().await;
    let total = {
        let b = contaminated();
        let id = b.start().await;
        b.settle(id).await.run.last_event
    };
    for appends in 1..u32::try_from(total).unwrap() {
        let b = contaminated();
        let plan = b.plan().await;
        b.deployment.journal.fill_up_after(Some(appends));
        let id = b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
        assert_eq!(b.settle(id).await.run.state, RunState::Interrupted, "after {appends} entries");
        b.deployment.journal.fill_up_after(None);
        let rest = match b.deployment.state_of(FAILED) {
            Some(VersionState::RolledBack) => continue,
            _ => b.carry_out(request(FAILED)).await,
        };
        assert_eq!(rest.run.state, RunState::Completed, "after {appends} entries: {rest:?}");
        assert_eq!(b.deployment.staged(), (0, 0, 0));
        assert_eq!(without_log(&b.deployment.fingerprint()), without_log(&expected), "after {appends} entries");
    }
}

/// A second run writes log entries of its own; all else must be equal.
fn without_log(fingerprint: &str) -> String {
    let (before, rest) = fingerprint.split_once(" [").unwrap();
    let (_, after) = rest.split_once("] ").unwrap();
    format!("{before} {after}")
}

#[tokio::test]
async fn a_file_that_changes_after_step_6_is_not_restored() {
    let files = ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"];
    let first = ["back_up", "take_snapshot", "export"];
    for ((_, step), (file, operation)) in LANES.into_iter().zip(files.into_iter().zip(first)) {
        let b = contaminated();
        b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Refused, Moment::Before);
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
        let path = b.deployment.folder().join("latest-copy").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        b.deployment.faults.clear();
        b.service.decide(id, step, Decision::Retry, None, &tester()).await.unwrap();
        let view = b.settle(id).await;
        let error = view.step(step).unwrap().error.clone().unwrap();
        assert_eq!(error.code, "latest_copy_changed", "{file}: {error:?}");
        assert!(error.safe.contains("not touched"), "{error:?}");
    }
}

#[tokio::test]
async fn an_alias_that_moves_during_the_run_stops_the_lane() {
    let b = contaminated();
    b.deployment.faults.arm("take_snapshot", Some(Step::RestoreQdrant), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.put_point("textbook_chunks_b", 1, Some("bailey:ch1:1"), None);
    b.deployment.set_alias("textbook_chunks_latest", "textbook_chunks_b");
    b.deployment.faults.clear();
    b.service.decide(id, Step::RestoreQdrant, Decision::Retry, None, &tester()).await.unwrap();
    let error = b.settle(id).await.step(Step::RestoreQdrant).unwrap().error.clone().unwrap();
    assert_eq!(error.code, "changed", "{error:?}");
}

#[tokio::test]
async fn a_disk_that_fills_up_after_the_plan_stops_the_lanes_before_production_is_touched() {
    let b = contaminated();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    b.deployment.set_free_bytes(1_000);
    b.service.decide(id, Step::DeleteNodes, Decision::Retry, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision, "{view:?}");
    for step in [Step::RestoreQdrant, Step::RestoreNeo4j] {
        let error = view.step(step).unwrap().error.clone().unwrap();
        assert_eq!(error.code, "disk_full", "{step}: {error:?}");
        assert!(error.message.contains("1.0 kB free") && error.remedy.contains("Free some space"), "{error:?}");
    }
    let plan = b.service.plan(&of(RunKind::RestoreProduction, "latest-copy")).await.unwrap();
    for store in [StoreKind::Qdrant, StoreKind::Neo4j] {
        assert_eq!(plan.stores.get(store).differs, Some(true), "{store} was not touched");
    }
    b.deployment.set_free_bytes(10_000_000_000);
    for step in [Step::RestoreQdrant, Step::RestoreNeo4j] {
        b.service.decide(id, step, Decision::Retry, None, &tester()).await.unwrap();
    }
    assert_eq!(b.settle(id).await.run.state, RunState::Completed);
    assert_eq!(b.deployment.fingerprint(), undisturbed().await);
}

/// The embedding model is another one since the copy was made: no store takes its vectors, and step 7 would find out late.
#[tokio::test]
async fn vectors_of_another_kind_are_refused_in_the_plan() {
    let b = bench();
    b.deployment.lengthen_vectors("textbook_chunks");
    let with = |stores: &[StoreKind]| PlanRequest { restore: Some(stores.to_vec()), ..request(FAILED) };
    let plan = b.service.plan(&with(&[StoreKind::Qdrant])).await.unwrap();
    let refusal = plan.refusals.iter().find(|r| r.code == "other_vectors:qdrant").unwrap();
    assert!(refusal.message.contains("dimensions (Cosine)"), "{}", refusal.message);
    let plan = b.service.plan(&with(&[])).await.unwrap();
    assert!(!plan.refusals.iter().any(|r| r.code == "other_vectors:qdrant"), "{:?}", plan.refusals);
}

/// A deployment of twelve chapters, as its configuration says, with a kept `v1_baseline` of eleven.
async fn kept_with_eleven() -> Bench {
    let mut b = bench();
    b.service = Arc::new(b.deployment.service_with(|s| s.expected_chapters = Some(12)));
    // A copy is made only while nothing is staged.
    assert_eq!(b.carry_out(request(FAILED)).await.run.state, RunState::Completed);
    b.deployment.remove_chapter("bailey:ch1");
    let made = b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await;
    assert!(made.run.state.ended_well(), "{made:?}");
    let (latest, old) = (b.deployment.folder().join("latest-copy"), b.deployment.folder().join("v1_baseline"));
    std::fs::create_dir(&old).unwrap();
    for (from, to) in [
        ("metadata.db", "metadata.db"),
        ("textbook_chunks_latest.snapshot", "textbook_chunks.snapshot"),
        ("neo4j_latest.cypher", "neo4j.cypher"),
    ] {
        std::fs::copy(latest.join(from), old.join(to)).unwrap();
    }
    b.deployment.put_chapter("bailey:ch1");
    assert_eq!(b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await.run.state, RunState::Completed);
    b
}

/// How many chapters a validation of production expects, how many it finds, and what it says of that.
async fn chapters_expected(b: &Bench) -> (Option<u64>, Option<u64>, String) {
    let view = b.carry_out(of(RunKind::Validate, "production")).await;
    let check = view.validation.unwrap().check(1).unwrap().clone();
    (check.expected, check.found, check.detail)
}

#[tokio::test]
async fn what_was_restored_on_purpose_is_what_the_next_validation_expects() {
    let b = kept_with_eleven().await;
    let restored = b.carry_out(of(RunKind::RestoreProduction, "v1_baseline")).await;
    let own = restored.validation.as_ref().unwrap().check(1).unwrap().clone();
    assert_eq!((own.expected, own.found), (Some(11), Some(11)), "{}", own.detail);
    let (expected, found, said) = chapters_expected(&b).await;
    assert_eq!((expected, found), (Some(11), Some(11)), "{said}");
    assert!(
        said.ends_with(&format!(": production was restored from v1_baseline by run #{}", restored.run.id)),
        "{said}"
    );

    // However many validations came after it.
    for _ in 0..55 {
        b.carry_out(of(RunKind::Validate, "production")).await;
    }
    assert_eq!(chapters_expected(&b).await.0, Some(11));

    // A latest-copy made of it holds the same; putting that in again changes nothing of what is expected.
    assert!(b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await.run.state.ended_well());
    b.deployment.contaminate(StoreKind::Sqlite);
    let mended = b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await;
    assert_eq!(mended.validation.unwrap().check(1).unwrap().expected, Some(11));
    assert_eq!(chapters_expected(&b).await.0, Some(11));

    // What was lost since is missed all the same.
    b.deployment.remove_chapter("bailey:ch2");
    let (expected, found, said) = chapters_expected(&b).await;
    assert_eq!((expected, found), (Some(11), Some(10)), "{said}");

    // A version committed since knows better.
    b.deployment.commit_later("v7_minor_20261130_101500");
    let (expected, _, said) = chapters_expected(&b).await;
    assert_eq!(expected, Some(12), "{said}");
    assert!(said.contains("by the configuration"), "{said}");
}

#[tokio::test]
async fn an_undo_and_an_older_latest_copy_end_what_a_restore_let_expect() {
    let b = kept_with_eleven().await;
    let restored = b.carry_out(of(RunKind::RestoreProduction, "v1_baseline")).await.run.id;
    let undo = b.carry_out(of(RunKind::UndoRestore, &format!("run-{restored}"))).await.run.id;
    let (expected, found, said) = chapters_expected(&b).await;
    assert_eq!((expected, found), (Some(12), Some(12)), "{said}");
    assert!(said.ends_with(&format!(": run #{undo} put back what was there before run #{restored}")), "{said}");

    b.carry_out(of(RunKind::RestoreProduction, "v1_baseline")).await;
    let latest = b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await;
    let own = latest.validation.unwrap().check(1).unwrap().clone();
    assert!(own.expected == Some(12) && own.detail.contains("by the configuration"), "{}", own.detail);
    let (expected, _, said) = chapters_expected(&b).await;
    assert!(expected == Some(12) && said.contains("by the configuration"), "{said}");
}
