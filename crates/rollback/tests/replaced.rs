//! A backup whose files were changed together with their list of checksums: nothing vouches for it until a person does.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;

use backup_formats::checksums::{Checksums, Sha256Digest};
use rollback::ServiceError;
use rollback::fake::FAILED;
use rollback_types::{BackupHealth, RunKind, RunState, Rung, RungState, StoreKind};
use support::{bench, contaminated, of, request, tester};

const FILES: [&str; 3] = ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"];
const KEPT: [&str; 3] = ["metadata.db", "textbook_chunks.snapshot", "neo4j.cypher"];

/// As a script does after it has written its files.
fn write_list(folder: &Path, files: &[&str; 3]) {
    let mut sums = Checksums::default();
    for name in files {
        sums.insert(*name, Sha256Digest::of(&std::fs::read(folder.join(name)).unwrap()));
    }
    std::fs::write(folder.join("checksums.txt"), sums.to_string()).unwrap();
}

/// Whole, loadable, and another one: a comment more.
fn replace_export(folder: &Path, files: &[&str; 3]) {
    let path = folder.join(files[2]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"// later\n");
    std::fs::write(&path, bytes).unwrap();
    write_list(folder, files);
}

fn sha256(health: &BackupHealth, store: StoreKind) -> rollback_types::RungResult {
    let file = health.files.iter().find(|f| f.store == store).unwrap();
    file.rungs.iter().find(|r| r.rung == Rung::Sha256).unwrap().clone()
}

/// Of the graph's export.
fn trial(health: &BackupHealth) -> rollback_types::RungResult {
    let file = health.files.iter().find(|f| f.store == StoreKind::Neo4j).unwrap();
    file.rungs.iter().find(|r| r.rung == Rung::TrialRestore).unwrap().clone()
}

fn hash(health: &BackupHealth, store: StoreKind) -> String {
    health.files.iter().find(|f| f.store == store).unwrap().sha256.clone().unwrap()
}

/// A kept version, which never changes.
fn keep(latest: &Path, kept: &Path) {
    std::fs::create_dir(kept).unwrap();
    let mut sums = Checksums::default();
    for (from, to) in FILES.into_iter().zip(KEPT) {
        let bytes = std::fs::read(latest.join(from)).unwrap();
        sums.insert(to, Sha256Digest::of(&bytes));
        std::fs::write(kept.join(to), bytes).unwrap();
    }
    std::fs::write(kept.join("checksums.txt"), sums.to_string()).unwrap();
}

#[tokio::test]
async fn a_kept_file_that_was_changed_together_with_its_list_is_not_restored_from_until_a_person_says_so() {
    let b = contaminated();
    let folder = b.deployment.folder().join("v1_baseline");
    keep(&b.deployment.folder().join("latest-copy"), &folder);
    let before = b.service.verify_backup("v1_baseline", true, None, &tester()).await.unwrap();
    assert!(before.files.iter().all(|f| f.highest_proven() == Some(Rung::TrialRestore)), "{}", before.verdict);
    let old = std::fs::read(folder.join(KEPT[2])).unwrap();

    replace_export(&folder, &KEPT);
    let production = b.deployment.fingerprint();
    for service in [&b.service, &b.deployment.service()] {
        let health = service.verify_backup("v1_baseline", false, None, &tester()).await.unwrap();
        assert_eq!((health.intact, health.replaced.as_slice()), (false, &[StoreKind::Neo4j][..]), "{}", health.verdict);
        assert!(health.waits_for_a_word());
        let rung = sha256(&health, StoreKind::Neo4j);
        let (was, is) = (hash(&before, StoreKind::Neo4j), hash(&health, StoreKind::Neo4j));
        assert!(rung.detail.contains(&was[..8]) && rung.detail.contains(&is[..8]), "what changed: {}", rung.detail);
        let export = health.files.iter().find(|f| f.store == StoreKind::Neo4j).unwrap();
        assert_eq!(export.highest_proven(), Some(Rung::Size), "what was proven was proven of other bytes");
        let verdict = &health.verdict;
        assert!(verdict.starts_with("Replaced since") && !verdict.contains("Not intact"), "{verdict}");
        let remedy = health.remedy.unwrap();
        assert!(remedy.contains("stepback backup trust v1_baseline"), "{remedy}");
        assert!(remedy.contains("Put the old files back") && !remedy.contains("backup script"), "{remedy}");
    }
    let plan = b.plan_all(of(RunKind::RestoreProduction, "v1_baseline")).await;
    assert!(!plan.startable);
    let why = plan.stores.sqlite.cannot_restore.unwrap();
    assert!(why.contains("replaced since it was last seen (Neo4j)"), "{why}");

    // The same list and file as before need nobody.
    let new = std::fs::read(folder.join(KEPT[2])).unwrap();
    std::fs::write(folder.join(KEPT[2]), old).unwrap();
    write_list(&folder, &KEPT);
    assert!(b.service.verify_backup("v1_baseline", false, None, &tester()).await.unwrap().intact);
    std::fs::write(folder.join(KEPT[2]), new).unwrap();
    write_list(&folder, &KEPT);

    // One acknowledgement, and the proofs are made anew.
    let shown = b.service.verify_backup("v1_baseline", false, None, &tester()).await.unwrap().replaced_as_seen();
    let trusted = b.service.trust_backup("v1_baseline", &shown, "it was made anew", &tester()).await.unwrap();
    assert!(trusted.intact && trusted.replaced.is_empty(), "{}", trusted.verdict);
    let rung = sha256(&trusted, StoreKind::Neo4j);
    assert!(rung.detail.contains("matches checksums.txt; trusted by tester"), "{}", rung.detail);
    assert_eq!(trial(&trusted).state, RungState::NotProven, "the trial was of the old bytes: {:?}", trial(&trusted));
    assert!(b.plan_all(of(RunKind::RestoreProduction, "v1_baseline")).await.stores.sqlite.cannot_restore.is_none());
    assert_eq!(b.deployment.fingerprint(), production);
}

#[tokio::test]
async fn a_latest_copy_that_was_renewed_with_its_list_is_proven_anew_and_says_so() {
    let b = contaminated();
    let folder = b.deployment.folder().join("latest-copy");
    let before = b.service.verify_backup("latest-copy", true, None, &tester()).await.unwrap();
    replace_export(&folder, &FILES);
    for (n, service) in [&b.service, &b.deployment.service()].into_iter().enumerate() {
        let health = service.latest_copy(true).await.unwrap();
        assert!(health.intact && health.replaced.is_empty(), "{}", health.verdict);
        let rung = sha256(&health, StoreKind::Neo4j);
        assert!(rung.detail.contains("renewed together with it"), "look {n}: {}", rung.detail);
        assert!(n > 0 || rung.detail.contains(&hash(&before, StoreKind::Neo4j)[..8]), "{}", rung.detail);
        assert_eq!(trial(&health).state, RungState::NotProven, "the trial was of the old bytes: {:?}", trial(&health));
        assert_eq!(sha256(&health, StoreKind::Sqlite).detail, "matches checksums.txt", "it is as it was");
    }
    assert!(b.plan_all(request(FAILED)).await.startable);

    // It is known as it is now: without its list another one is nobody's.
    std::fs::remove_file(folder.join("checksums.txt")).unwrap();
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    replace_export(&folder, &FILES);
    std::fs::remove_file(folder.join("checksums.txt")).unwrap();
    let health = b.service.latest_copy(true).await.unwrap();
    assert_eq!(health.replaced, [StoreKind::Neo4j], "{}", health.verdict);
    let plan = b.plan_all(request(FAILED)).await;
    let refusal = plan.refusals.iter().find(|r| r.code == "backup_not_intact").unwrap();
    assert!(refusal.message.contains("waits for a person"), "{}", refusal.message);
}

#[tokio::test]
async fn a_copy_that_stepback_makes_itself_needs_nobodys_word() {
    let b = bench();
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let id = b.start().await;
    b.settle(id).await;
    b.deployment.put_chapter("bailey:ch99");
    let view = b.carry_out(of(RunKind::MakeBackup, "latest-copy")).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    for service in [&b.service, &b.deployment.service()] {
        let copy = service.latest_copy(true).await.unwrap();
        assert!(copy.intact && copy.replaced.is_empty(), "{}", copy.verdict);
    }
}

#[tokio::test]
async fn a_listed_file_that_never_opened_may_be_mended_without_a_word() {
    let b = bench();
    let folder = b.deployment.folder().join("latest-copy");
    let path = folder.join("neo4j_latest.cypher");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    write_list(&folder, &FILES);
    let cut = b.service.latest_copy(true).await.unwrap();
    let export = cut.files.iter().find(|f| f.store == StoreKind::Neo4j).unwrap();
    assert_eq!(export.lowest_failure().unwrap().rung, Rung::Opens, "{}", cut.verdict);
    std::fs::write(&path, good).unwrap();
    write_list(&folder, &FILES);
    assert!(b.service.latest_copy(true).await.unwrap().intact);
}

#[tokio::test]
async fn what_does_not_open_is_damaged_whoever_replaced_it() {
    let b = bench();
    let folder = b.deployment.folder().join("latest-copy");
    assert!(b.service.latest_copy(true).await.unwrap().intact);
    let path = folder.join("neo4j_latest.cypher");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    write_list(&folder, &FILES);
    let health = b.service.latest_copy(true).await.unwrap();
    assert!(!health.intact && health.replaced.is_empty() && !health.waits_for_a_word(), "{}", health.verdict);
    let export = health.files.iter().find(|f| f.store == StoreKind::Neo4j).unwrap();
    assert_eq!(export.lowest_failure().unwrap().rung, Rung::Opens, "{}", health.verdict);
    // Without a list nothing else tells what is wrong with it.
    std::fs::remove_file(folder.join("checksums.txt")).unwrap();
    let bare = b.service.latest_copy(true).await.unwrap();
    assert!(bare.replaced.is_empty() && bare.verdict.contains("does not open: "), "{}", bare.verdict);
    let word = b.service.trust_backup("latest-copy", "", "the script ran", &tester()).await;
    assert!(matches!(word, Err(ServiceError::Conflict(_))), "{word:?}");
}
