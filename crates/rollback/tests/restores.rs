//! Step 7 and the other kinds of run: what is restored, what is saved before, and what every failure leaves behind.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{
    Decision, PlanRequest, RunKind, RunState, Rung, RungState, Step, StepState, StoreKind, ValidationVerdict,
    VersionState,
};
use support::{Bench, bench, request, start_request};

const LANES: [(StoreKind, Step); 3] = [
    (StoreKind::Sqlite, Step::RestoreSqlite),
    (StoreKind::Qdrant, Step::RestoreQdrant),
    (StoreKind::Neo4j, Step::RestoreNeo4j),
];

fn of(kind: RunKind, subject: &str) -> PlanRequest {
    PlanRequest { kind, version_id: subject.into(), ..PlanRequest::default() }
}

fn contaminated() -> Bench {
    let b = bench();
    StoreKind::ALL.into_iter().for_each(|s| b.deployment.contaminate(s));
    b
}

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
        assert_eq!(view.validation.unwrap().verdict, ValidationVerdict::Sound);
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
    let plan = b.service.plan(&of(RunKind::RestoreProduction, "latest-copy")).await.unwrap();
    for store in StoreKind::ALL {
        assert_eq!(plan.stores.get(store).differs, Some(true), "{store}: as before the restore");
    }
    let redone = b.carry_out(of(RunKind::RestoreProduction, "latest-copy")).await;
    assert_eq!(redone.run.state, RunState::Completed, "{redone:?}");
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
            b.service.decide(id, step, Decision::WayBack, None, "t").await.unwrap();
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
        let id = b.service.start(&start_request(&plan), "t").await.unwrap().run.id;
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
        b.service.decide(id, step, Decision::Retry, None, "t").await.unwrap();
        let view = b.settle(id).await;
        let error = view.step(step).unwrap().error.clone().unwrap();
        assert_eq!(error.code, "latest_copy_changed", "{file}: {error:?}");
        assert!(error.safe.contains("not touched"), "{error:?}");
    }
}

#[tokio::test]
async fn random_damage_of_any_file_refuses_the_plan_before_anything_is_deleted() {
    let files = ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher", "checksums.txt"];
    let b = contaminated();
    let before = b.deployment.fingerprint();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..250 {
        for file in files {
            let path = b.deployment.folder().join("latest-copy").join(file);
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            match round % 3 {
                0 => bad[random(good.len())] ^= 1 << random(8),
                1 => bad.truncate(random(good.len())),
                _ => {
                    let (i, j) = (random(good.len()), random(good.len()));
                    bad.swap(i, j);
                }
            }
            if bad == good {
                continue;
            }
            std::fs::write(&path, &bad).unwrap();
            let mut all = request(FAILED);
            all.restore = Some(StoreKind::ALL.to_vec());
            let plan = b.service.plan(&all).await.unwrap();
            let refused = plan.refusals.iter().any(|r| r.code == "backup_not_intact");
            // Upper case, or a blank more, says the same.
            let harmless = file == "checksums.txt" && same_list(&bad, &good);
            assert!(refused || harmless, "round {round}, {file}: {:?}", plan.refusals);
            std::fs::write(&path, &good).unwrap();
        }
    }
    assert_eq!(b.deployment.fingerprint(), before);
    assert!(b.plan().await.startable);
}

fn same_list(a: &[u8], b: &[u8]) -> bool {
    let read = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let sums = backup_formats::checksums::parse(&text).ok()?;
        Some(["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"].map(|n| sums.get(n)))
    };
    read(a).is_some() && read(a) == read(b)
}

#[tokio::test]
async fn a_new_latest_copy_is_proven_before_it_takes_the_old_ones_place() {
    let b = bench();
    let refused = b.service.plan(&of(RunKind::MakeBackup, "latest-copy")).await.unwrap();
    assert!(refused.refusals.iter().any(|r| r.code == "staged"), "what is staged would be part of it");
    let id = b.start().await;
    b.settle(id).await;
    b.deployment.put_chapter("bailey:ch99");
    let before = b.deployment.fingerprint();
    let view = b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    assert_eq!(b.deployment.fingerprint(), before, "production was only read");
    let copy = b.service.latest_copy(false).await.unwrap();
    assert!(copy.intact, "{}", copy.verdict);
    for file in &copy.files {
        assert_eq!(file.highest_proven(), Some(Rung::TrialRestore), "what was proven of the new copy is not forgotten");
        let bytes = std::fs::read(&file.path).unwrap();
        let sums = std::fs::read_to_string(b.deployment.folder().join("latest-copy/checksums.txt")).unwrap();
        let digest = backup_formats::checksums::Sha256Digest::of(&bytes).to_string();
        assert!(sums.contains(&digest), "{}", file.path);
    }
    let kept = b.deployment.folder().join(format!("latest-copy.before-run-{}", view.run.id));
    assert!(kept.join("metadata.db").exists(), "the one before it is kept");
    let names: Vec<String> = b.service.backups().await.unwrap().iter().map(|h| h.source.name().into_owned()).collect();
    assert_eq!(names, ["latest-copy"], "and is no kept version");
}

#[tokio::test]
async fn a_safety_backup_inside_the_stores_becomes_a_source_for_a_restore() {
    const SAFETY: &str = "latest_copy20261122_231459";
    let b = support::bench_per_version();
    b.deployment.leave_safety_backup(SAFETY);
    let good = b.service.stores().await.len();
    assert_eq!(good, 3);
    b.deployment.contaminate(StoreKind::Sqlite);
    b.deployment.contaminate(StoreKind::Qdrant);
    let made = b.carry_out(of(RunKind::MakeBackup, SAFETY)).await;
    assert_eq!(made.run.state, RunState::Completed, "{made:?}");
    assert_eq!(made.step(Step::CopyNeo4j).unwrap().state, StepState::Skipped);
    let names: Vec<String> = b.service.backups().await.unwrap().iter().map(|h| h.source.name().into_owned()).collect();
    assert!(names.contains(&SAFETY.to_owned()), "{names:?}");
    let plan = b.plan_all(of(RunKind::RestoreProduction, SAFETY)).await;
    assert!(plan.stores.sqlite.restore && plan.stores.qdrant.restore && !plan.stores.neo4j.restore, "{plan:?}");
    let restored = b.carry_out(of(RunKind::RestoreProduction, SAFETY)).await;
    assert_eq!(restored.step(Step::RestoreSqlite).unwrap().state, StepState::Done, "{restored:?}");
    assert_eq!(restored.step(Step::RestoreQdrant).unwrap().state, StepState::Done);
    let after = b.service.plan(&of(RunKind::RestoreProduction, SAFETY)).await.unwrap();
    assert_eq!((after.stores.sqlite.differs, after.stores.qdrant.differs), (Some(false), Some(false)));
    for hostile in ["latest_copy../x", "latest_copy20990101_000000"] {
        assert!(b.service.plan(&of(RunKind::MakeBackup, hostile)).await.is_err(), "{hostile}");
    }
}

#[tokio::test]
async fn a_copy_that_fails_leaves_latest_copy_alone() {
    for (operation, step) in
        [("back_up", Step::CopySqlite), ("take_snapshot", Step::CopyQdrant), ("export", Step::CopyNeo4j)]
    {
        let b = bench();
        StoreKind::ALL.into_iter().for_each(|s| b.deployment.remove_staging(s));
        let sums = || std::fs::read(b.deployment.folder().join("latest-copy/checksums.txt")).unwrap();
        let before = sums();
        b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Full, Moment::Before);
        let view = b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await;
        assert_eq!(view.run.state, RunState::NeedsDecision);
        b.service.decide(view.run.id, step, Decision::Abort, None, "t").await.unwrap();
        assert_eq!(b.settle(view.run.id).await.run.state, RunState::Aborted);
        assert_eq!(sums(), before, "{operation}");
    }
}

#[tokio::test]
async fn a_trial_proves_every_file_and_survives_a_restart() {
    let b = bench();
    let health = b.service.verify_backup("latest-copy", true, None).await.unwrap();
    let rung = |health: &rollback_types::BackupHealth, store: StoreKind| {
        let file = health.files.iter().find(|f| f.store == store).unwrap();
        file.rungs.iter().find(|r| r.rung == Rung::TrialRestore).unwrap().clone()
    };
    for store in StoreKind::ALL {
        let trial = rung(&health, store);
        assert_eq!(trial.state, RungState::Passed, "{store}: {trial:?}");
        assert!(trial.took_ms.is_some());
    }
    assert!(health.history.first().unwrap().trial);
    // Nothing of it is left, in no store.
    assert!(!b.deployment.fingerprint().contains("stepback_scratch"));
    let again = b.deployment.service().latest_copy(false).await.unwrap();
    assert_eq!(rung(&again, StoreKind::Qdrant).state, RungState::Passed, "told after a restart, and nothing read");
    let path = b.deployment.folder().join("latest-copy/neo4j_latest.cypher");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let touched = b.service.latest_copy(true).await.unwrap();
    assert_eq!(rung(&touched, StoreKind::Neo4j).state, RungState::Passed, "the same bytes stay proven");
    assert!(matches!(b.service.verify_backup("../etc", true, None).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn a_trial_that_finds_something_else_makes_the_backup_unfit() {
    let b = bench();
    b.deployment.faults.arm("restore_snapshot", None, u32::MAX, Fault::Corrupt, Moment::Before);
    let health = b.service.verify_backup("latest-copy", true, None).await.unwrap();
    assert!(!health.intact && health.verdict.contains("Qdrant"), "{}", health.verdict);
    // A server that is down says nothing about the file.
    let b = bench();
    b.deployment.faults.arm("restore_snapshot", None, u32::MAX, Fault::Unreachable, Moment::Before);
    let health = b.service.verify_backup("latest-copy", true, None).await.unwrap();
    assert!(health.intact, "{}", health.verdict);
}

#[tokio::test]
async fn no_trial_while_a_run_is_active() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let refused = b.service.verify_backup("latest-copy", true, None).await;
    assert!(matches!(refused, Err(ServiceError::ActiveRun(run)) if run == id), "{refused:?}");
}

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
    b.deployment.contaminate(StoreKind::Sqlite);
    let plan = b.service.plan(&of(RunKind::RestoreProduction, "v1_baseline")).await.unwrap();
    assert_eq!(plan.losses.iter().map(|v| v.as_str()).collect::<Vec<_>>(), ["v6_minor_20261101_101500"]);
    let asked: Vec<&str> = plan.acknowledgements.iter().map(|a| a.asked.code.as_str()).collect();
    assert!(asked.contains(&"loses:v6_minor_20261101_101500"), "{asked:?}");
    assert!(!plan.startable);
    let mut wrong = start_request(&plan);
    wrong.confirm_version_id = "v1".into();
    assert!(matches!(b.service.start(&wrong, "t").await, Err(ServiceError::Invalid(_))));
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
    assert!(matches!(b.service.remove_way_back(id).await, Err(ServiceError::NotFound(_))));
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
async fn a_swap_that_stopped_half_way_is_finished_and_never_undone() {
    let b = bench();
    StoreKind::ALL.into_iter().for_each(|s| b.deployment.remove_staging(s));
    // What an earlier journal's run #1 had kept is in the way, and is not replaced.
    let in_the_way = b.deployment.folder().join("latest-copy.before-run-1");
    std::fs::create_dir(&in_the_way).unwrap();
    std::fs::write(in_the_way.join("keep"), "me").unwrap();
    b.deployment.put_chapter("bailey:ch99");
    let view = b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    assert!(in_the_way.join("keep").exists());
    assert!(b.deployment.folder().join("latest-copy.before-run-1-2/metadata.db").exists());
    // A process that ended between the two renames: the hidden folder holds the copy that was swapped out.
    let (place, hidden) =
        (b.deployment.folder().join("latest-copy"), b.deployment.folder().join(".latest-copy.new-abc"));
    std::fs::create_dir(&hidden).unwrap();
    std::fs::write(hidden.join("metadata.db"), "old").unwrap();
    std::fs::write(place.join(".stepback-abc"), "").unwrap();
    let unfinished = b.deployment.folder().join(".latest-copy.new-def");
    std::fs::create_dir(&unfinished).unwrap();
    b.service.remove_leftovers().await.unwrap();
    let kept = b.deployment.folder().join("latest-copy.before-run-abc/metadata.db");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "old");
    assert!(!hidden.exists() && !unfinished.exists() && !place.join(".stepback-abc").exists());
    assert!(b.service.latest_copy(true).await.unwrap().intact);
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
async fn an_alias_that_moves_during_the_run_stops_the_lane() {
    let b = contaminated();
    b.deployment.faults.arm("take_snapshot", Some(Step::RestoreQdrant), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.put_point("textbook_chunks_b", 1, Some("bailey:ch1:1"), None);
    b.deployment.set_alias("textbook_chunks_latest", "textbook_chunks_b");
    b.deployment.faults.clear();
    b.service.decide(id, Step::RestoreQdrant, Decision::Retry, None, "t").await.unwrap();
    let error = b.settle(id).await.step(Step::RestoreQdrant).unwrap().error.clone().unwrap();
    assert_eq!(error.code, "changed", "{error:?}");
}

#[tokio::test]
async fn what_a_restore_that_was_cut_short_had_saved_is_told_and_kept() {
    let b = contaminated();
    b.deployment.faults.arm("restore_export", Some(Step::RestoreNeo4j), u32::MAX, Fault::Refused, Moment::After);
    let id = b.start().await;
    let view = b.settle(id).await;
    let error = view.step(Step::RestoreNeo4j).unwrap().error.clone().unwrap();
    assert!(error.safe.contains("half restored") && error.safe.contains("way-back"), "{error:?}");
    b.service.decide(id, Step::RestoreNeo4j, Decision::Abort, None, "t").await.unwrap();
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
