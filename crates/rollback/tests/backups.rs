//! Backups: proven on the ladder and on trial, made anew, and refused when anything of them is damaged.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::ServiceError;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{Decision, RunKind, RunState, Rung, RungState, Step, StepState, StoreKind};
use support::{bench, contaminated, of, request, tester};

/// Why a file that took another's place is the right one.
const WHY: &str = "exported anew by hand";

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
        b.service.decide(view.run.id, step, Decision::Abort, None, &tester()).await.unwrap();
        assert_eq!(b.settle(view.run.id).await.run.state, RunState::Aborted);
        assert_eq!(sums(), before, "{operation}");
    }
}

#[tokio::test]
async fn a_trial_proves_every_file_and_survives_a_restart() {
    let b = bench();
    let health = b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
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
    assert!(matches!(b.service.verify_backup("../etc", true, None, &tester()).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn the_verdict_has_a_sentence_for_each_file_that_fails() {
    let b = bench();
    for file in ["metadata.db", "textbook_chunks_latest.snapshot"] {
        std::fs::remove_file(b.deployment.folder().join("latest-copy").join(file)).unwrap();
    }
    let verdict = b.service.latest_copy(true).await.unwrap().verdict;
    assert!(verdict.contains("is not there. Qdrant: ") && verdict.ends_with("is not there."), "{verdict}");
}

/// As much is left of a process that died in its trial.
#[tokio::test]
async fn scratch_places_that_a_crash_left_are_removed_at_the_next_start() {
    let b = bench();
    let before = b.deployment.fingerprint();
    b.deployment.faults.arm("delete_collection", None, u32::MAX, Fault::Unreachable, Moment::Before);
    b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    assert!(b.deployment.fingerprint().contains("stepback_scratch_"));
    let scratch = b.deployment.folder().join("runs/scratch");
    std::fs::write(scratch.join("trial-0123456789ab.db"), "half a copy").unwrap();
    b.deployment.faults.clear();

    b.deployment.service().remove_leftovers().await.unwrap();
    assert_eq!(b.deployment.fingerprint(), before);
    assert_eq!(std::fs::read_dir(scratch).map_or(0, Iterator::count), 0);
}

#[tokio::test]
async fn a_trial_that_finds_something_else_makes_the_backup_unfit() {
    let b = bench();
    b.deployment.faults.arm("restore_snapshot", None, u32::MAX, Fault::Corrupt, Moment::Before);
    let health = b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    assert!(!health.intact && health.verdict.contains("Qdrant"), "{}", health.verdict);
    // A server that is down says nothing about the file.
    let b = bench();
    b.deployment.faults.arm("restore_snapshot", None, u32::MAX, Fault::Unreachable, Moment::Before);
    let health = b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    assert!(health.intact, "{}", health.verdict);
}

#[tokio::test]
async fn no_trial_while_a_run_is_active() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let refused = b.service.verify_backup("latest-copy", true, None, &tester()).await;
    assert!(matches!(refused, Err(ServiceError::ActiveRun(run)) if run == id), "{refused:?}");
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
    // A process that ended between the two renames, and whose run was given up: the hidden folder holds the copy that was
    // swapped out.
    let root = b.deployment.folder();
    let place = root.join("latest-copy");
    let marker = std::fs::read_dir(&place).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let marker = marker.into_iter().find(|name| name.starts_with(".stepback-")).unwrap();
    let key = marker.strip_prefix(".stepback-").unwrap();
    let hidden = root.join(format!(".latest-copy.new-{key}"));
    std::fs::create_dir(&hidden).unwrap();
    std::fs::write(hidden.join("metadata.db"), "old").unwrap();
    // Another Stepback on the same folder is making one.
    let of_others = root.join(".latest-copy.new-def");
    std::fs::create_dir(&of_others).unwrap();
    b.service.remove_leftovers().await.unwrap();
    let kept = root.join(format!("latest-copy.before-run-{key}/metadata.db"));
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "old");
    assert!(!hidden.exists() && of_others.exists());
    // Unfinished, and swapped nowhere: of no use.
    std::fs::remove_file(place.join(&marker)).unwrap();
    std::fs::create_dir(&hidden).unwrap();
    b.service.remove_leftovers().await.unwrap();
    assert!(!hidden.exists());
    assert!(b.service.latest_copy(true).await.unwrap().intact);
}

/// A latest-copy as HybridFlow's script leaves it: no `checksums.txt` beside it.
fn without_list(b: &support::Bench) -> std::path::PathBuf {
    let folder = b.deployment.folder().join("latest-copy");
    std::fs::remove_file(folder.join("checksums.txt")).unwrap();
    folder
}

fn sha256(health: &rollback_types::BackupHealth, store: StoreKind) -> rollback_types::RungResult {
    let file = health.files.iter().find(|f| f.store == store).unwrap();
    file.rungs.iter().find(|r| r.rung == Rung::Sha256).unwrap().clone()
}

#[tokio::test]
async fn a_file_that_took_anothers_place_is_not_trusted_until_a_person_says_so() {
    let b = contaminated();
    let folder = without_list(&b);
    let first = b.service.latest_copy(true).await.unwrap();
    assert!(first.intact && sha256(&first, StoreKind::Neo4j).detail.contains("first use"), "{}", first.verdict);
    let again = b.service.latest_copy(true).await.unwrap();
    assert!(sha256(&again, StoreKind::Neo4j).detail.contains("the same as when first seen"));

    // Whole, loadable, and another one: a comment more.
    let path = folder.join("neo4j_latest.cypher");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"// later\n");
    std::fs::write(&path, bytes).unwrap();
    for _ in 0..2 {
        let health = b.service.latest_copy(true).await.unwrap();
        assert_eq!((health.intact, health.replaced.as_slice()), (false, &[StoreKind::Neo4j][..]), "{}", health.verdict);
        assert_eq!(sha256(&health, StoreKind::Neo4j).state, RungState::Failed);
        assert!(health.remedy.unwrap().contains("stepback backup trust latest-copy"));
    }
    let plan = b.plan_all(request(FAILED)).await;
    assert!(plan.refusals.iter().any(|r| r.code == "backup_not_intact"), "{:?}", plan.refusals);
    assert!(!b.deployment.service().latest_copy(true).await.unwrap().intact, "a restart forgets nothing");

    let viewer = rollback::Actor::new("vera", rollback_types::Role::Viewer);
    assert!(matches!(
        b.service.trust_backup("latest-copy", "", WHY, &viewer).await,
        Err(ServiceError::Forbidden { .. })
    ));
    let shown = b.service.latest_copy(true).await.unwrap().replaced_as_seen();
    assert!(shown.starts_with("neo4j="), "{shown}");
    let other = b.service.trust_backup("latest-copy", "neo4j=0000", WHY, &tester()).await;
    assert!(matches!(other, Err(ServiceError::Conflict(_))), "only what was shown is trusted: {other:?}");
    let hasty = b.service.trust_backup("latest-copy", &shown, "", &tester()).await;
    assert!(matches!(hasty, Err(ServiceError::InvalidField { .. })), "{hasty:?}");
    let trusted = b.service.trust_backup("latest-copy", &shown, WHY, &tester()).await.unwrap();
    assert!(sha256(&trusted, StoreKind::Neo4j).detail.contains("because: exported anew by hand"), "{trusted:?}");
    assert!(trusted.intact && trusted.replaced.is_empty(), "{}", trusted.verdict);
    assert!(sha256(&trusted, StoreKind::Neo4j).detail.contains("trusted by tester"));
    assert!(b.plan_all(request(FAILED)).await.startable);
    let nothing = b.service.trust_backup("latest-copy", "", WHY, &tester()).await;
    assert!(matches!(nothing, Err(ServiceError::Conflict(_))), "{nothing:?}");
}

#[tokio::test]
async fn a_run_that_step_6_stopped_goes_on_once_a_person_has_said_that_the_file_is_meant() {
    let b = bench();
    let folder = without_list(&b);
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let path = folder.join("neo4j_latest.cypher");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"// later\n");
    std::fs::write(&path, bytes).unwrap();
    let mut without = request(FAILED);
    without.restore = Some(Vec::new());
    let plan = b.plan_all(without).await;
    assert!(plan.startable, "nothing is restored, and a person acknowledged it: {:?}", plan.refusals);
    let id = b.service.start(&support::start_request(&plan), &tester()).await.unwrap().run.id;
    let view = b.settle(id).await;
    let error = view.step(Step::VerifyCopy).unwrap().error.clone().unwrap();
    assert!(error.remedy.contains("stepback backup trust") && error.remedy.contains("try again"), "{error:?}");
    let shown = b.service.latest_copy(true).await.unwrap().replaced_as_seen();
    assert!(b.service.trust_backup("latest-copy", &shown, WHY, &tester()).await.unwrap().intact);
    b.service.decide(id, Step::VerifyCopy, Decision::Retry, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    assert_eq!(view.step(Step::VerifyCopy).unwrap().state, StepState::Done, "{view:?}");
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
}

#[tokio::test]
async fn a_file_that_was_replaced_after_the_plan_is_not_offered_to_be_trusted() {
    let b = bench();
    let folder = without_list(&b);
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    // The run waits, its plan made, when the file is replaced.
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), 1, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let path = folder.join("neo4j_latest.cypher");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"// later\n");
    std::fs::write(&path, bytes).unwrap();
    b.service.decide(id, Step::DeleteNodes, Decision::Retry, None, &tester()).await.unwrap();
    let view = b.settle(id).await;
    let error = view.step(Step::VerifyCopy).unwrap().error.clone().unwrap();
    assert!(!error.remedy.contains("trust"), "trusting it would not make it the plan's file: {error:?}");
    assert!(error.remedy.contains("Put the old file back") && error.remedy.contains("plan again"), "{error:?}");
}

#[tokio::test]
async fn a_plan_promises_no_restore_from_a_damaged_copy() {
    let b = contaminated();
    let path = b.deployment.folder().join("latest-copy").join("neo4j_latest.cypher");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    let plan = b.plan().await;
    assert!(!plan.startable);
    for store in StoreKind::ALL {
        let why = plan.stores.get(store).cannot_restore.clone().unwrap();
        assert!(why.contains("v1_baseline"), "it says what to do: {why}");
        let own = why.contains("its file in latest-copy is not intact");
        assert_eq!(own, store == StoreKind::Neo4j, "the store whose own file it is: {why}");
    }
    let evidence = &plan.stores.neo4j.evidence;
    assert!(evidence.contains("is not intact"), "more than that it could not be read: {evidence}");
    let promised = plan.steps.iter().filter(|s| s.step.is_restore() && s.intent.contains("restores it"));
    assert_eq!(promised.count(), 0, "{:?}", plan.steps);
    std::fs::write(&path, &good).unwrap();
    assert_eq!(b.plan().await.stores.neo4j.cannot_restore, None);
}

#[tokio::test]
async fn a_list_that_is_taken_away_takes_no_hash_along_and_the_same_bytes_need_nobody() {
    let b = bench();
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let folder = without_list(&b);
    let path = folder.join("textbook_chunks_latest.snapshot");
    let good = std::fs::read(&path).unwrap();
    // Another inode and another time, the same bytes.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &good).unwrap();
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let mut bad = good;
    let middle = bad.len() / 2;
    bad[middle] ^= 8;
    std::fs::write(&path, bad).unwrap();
    let health = b.service.latest_copy(true).await.unwrap();
    assert_eq!(health.replaced, [StoreKind::Qdrant], "{}", health.verdict);
}

#[tokio::test]
async fn random_damage_of_a_backup_without_checksums_is_refused_once_it_was_seen() {
    let b = contaminated();
    let folder = without_list(&b);
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let before = b.deployment.fingerprint();
    for (n, file) in ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"].into_iter().enumerate() {
        let path = folder.join(file);
        let good = std::fs::read(&path).unwrap();
        for round in 0..40 {
            let mut bad = good.clone();
            let at = (round * 7_919 + n * 31) % good.len();
            bad[at] ^= 1 << (round % 8);
            std::fs::write(&path, &bad).unwrap();
            let plan = b.plan_all(request(FAILED)).await;
            assert!(
                plan.refusals.iter().any(|r| r.code == "backup_not_intact"),
                "{file}, byte {at}: {:?}",
                plan.refusals
            );
        }
        std::fs::write(&path, &good).unwrap();
    }
    assert_eq!(b.deployment.fingerprint(), before);
    assert!(b.plan_all(request(FAILED)).await.startable, "what is back as it was needs nobody's word");
}

#[tokio::test]
async fn without_room_for_a_trial_nothing_is_tried_and_nothing_written() {
    let b = bench();
    let before = b.deployment.fingerprint();
    b.deployment.set_free_bytes(499_999_999);
    let health = b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    assert!(health.intact, "a full disk says nothing about the files: {}", health.verdict);
    for file in &health.files {
        let trial = file.rungs.iter().find(|r| r.rung == Rung::TrialRestore).unwrap();
        assert_eq!(trial.state, RungState::NotProven, "{}: {trial:?}", file.path);
    }
    assert!(!health.history.first().unwrap().trial);
    assert_eq!(b.deployment.fingerprint(), before);
    let scratch = b.deployment.folder().join("runs/scratch");
    assert_eq!(std::fs::read_dir(scratch).map_or(0, Iterator::count), 0);
}

#[tokio::test]
async fn another_stores_file_with_a_true_checksum_does_not_open() {
    let names = ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"];
    let stores = [StoreKind::Sqlite, StoreKind::Qdrant, StoreKind::Neo4j];
    for (i, store) in stores.into_iter().enumerate() {
        for other in (0..3).filter(|other| *other != i) {
            let b = contaminated();
            let folder = b.deployment.folder().join("latest-copy");
            std::fs::copy(folder.join(names[other]), folder.join(names[i])).unwrap();
            let mut sums = backup_formats::checksums::Checksums::default();
            for name in names {
                sums.insert(
                    name,
                    backup_formats::checksums::Sha256Digest::of(&std::fs::read(folder.join(name)).unwrap()),
                );
            }
            std::fs::write(folder.join("checksums.txt"), sums.to_string()).unwrap();
            let before = b.deployment.fingerprint();
            let plan = b.plan_all(request(FAILED)).await;
            assert!(plan.refusals.iter().any(|r| r.code == "backup_not_intact"), "{store}: {:?}", plan.refusals);
            let health = b.service.latest_copy(false).await.unwrap();
            let lowest = health.files.iter().find(|f| f.store == store).unwrap().lowest_failure().unwrap();
            assert_eq!(lowest.rung, Rung::Opens, "{store} was given {}: {}", names[other], lowest.detail);
            assert_eq!(b.deployment.fingerprint(), before);
        }
    }
}
