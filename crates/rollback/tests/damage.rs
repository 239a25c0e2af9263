//! What may stand in the place of a backup's file: each is refused, or taken, in words that are right, and nothing hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use backup_formats::checksums::{Checksums, Sha256Digest};
use rollback_types::BackupHealth;
use support::{Bench, bench};

const DATABASE: &str = "metadata.db";
const SNAPSHOT: &str = "textbook_chunks_latest.snapshot";
const EXPORT: &str = "neo4j_latest.cypher";
const LIST: &str = "checksums.txt";

fn latest_copy(b: &Bench) -> PathBuf {
    b.deployment.folder().join("latest-copy")
}

/// A list that names the files as they are.
fn write_list(folder: &Path) {
    let mut sums = Checksums::default();
    for name in [DATABASE, SNAPSHOT, EXPORT] {
        if let Ok(bytes) = fs::read(folder.join(name)) {
            sums.insert(name, Sha256Digest::of(&bytes));
        }
    }
    fs::write(folder.join(LIST), sums.to_string()).unwrap();
}

/// Looked at for the first time, so that only the file itself speaks against it.
async fn look(b: &Bench) -> BackupHealth {
    // Far longer than it takes, far shorter than for ever.
    tokio::time::timeout(Duration::from_secs(60), b.service.latest_copy(true)).await.expect("it hangs").unwrap()
}

async fn refused(what: &str, b: &Bench, words: &str) {
    let health = look(b).await;
    assert!(!health.intact && health.verdict.contains(words), "{what}: {}", health.verdict);
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// `change` makes other bytes of the file's; the list is written anew, as by somebody who did not look.
async fn other_bytes(file: &str, change: impl Fn(&[u8]) -> Vec<u8>, words: &str) {
    let b = bench();
    let folder = latest_copy(&b);
    let good = fs::read(folder.join(file)).unwrap();
    fs::write(folder.join(file), change(&good)).unwrap();
    write_list(&folder);
    refused(file, &b, words).await;
}

#[tokio::test]
async fn what_is_something_else_is_named_as_that() {
    let utf16 = |good: &[u8]| {
        let text = String::from_utf8_lossy(good).into_owned();
        [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let behind = |head: &'static [u8]| move |good: &[u8]| [head, good].concat();
    for file in [DATABASE, SNAPSHOT, EXPORT] {
        other_bytes(file, behind(b"\x1f\x8b\x08\0"), "compressed by gzip").await;
        other_bytes(file, |_| Vec::new(), "too small").await;
    }
    other_bytes(EXPORT, utf16, "UTF-16").await;
    other_bytes(EXPORT, behind(b"PK\x03\x04"), "compressed by zip").await;
    other_bytes(EXPORT, behind(b"// caf\xe9\nCREATE (n {a: \"caf\xe9\"});\n"), "not UTF-8").await;
    other_bytes(EXPORT, |_| vec![b'x'; 13 << 20], "over 12 MiB").await;
    other_bytes(EXPORT, |good| good[..good.len() - 20].to_vec(), "cut").await;
    // Its end is lost, and a file system filled it up.
    other_bytes(EXPORT, |good| [&good[..good.len() / 2], &[0; 4_096]].concat(), "is cut").await;
    other_bytes(SNAPSHOT, |_| vec![0; 1 << 20], "another kind of archive").await;
}

#[tokio::test]
async fn what_is_no_file_is_refused_and_nobody_waits_for_it() {
    for file in [DATABASE, SNAPSHOT, EXPORT, LIST] {
        for make in [|path: &Path| fs::create_dir(path).unwrap(), pipe] {
            let b = bench();
            let path = latest_copy(&b).join(file);
            fs::remove_file(&path).unwrap();
            make(&path);
            refused(file, &b, "is not a file").await;
        }
        let b = bench();
        let path = latest_copy(&b).join(file);
        fs::remove_file(&path).unwrap();
        symlink(&path, &path).unwrap();
        refused(file, &b, "cannot be read").await;
    }
    let b = bench();
    let path = latest_copy(&b).join(LIST);
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    refused("a device", &b, "is not a file").await;
}

#[tokio::test]
async fn another_name_is_another_file_and_another_backups_list_is_not_its_own() {
    let b = bench();
    let folder = latest_copy(&b);
    fs::rename(folder.join(DATABASE), folder.join("Metadata.db")).unwrap();
    refused("another case", &b, "metadata.db is not there").await;
    let b = bench();
    let other = bench();
    other.deployment.put_chapter("bailey:ch99");
    let folder = latest_copy(&b);
    let list = fs::read_to_string(folder.join(LIST)).unwrap();
    let foreign = list.replace(&Sha256Digest::of(&fs::read(folder.join(EXPORT)).unwrap()).to_string(), &"0".repeat(64));
    fs::write(folder.join(LIST), foreign).unwrap();
    refused("another list", &b, "checksums.txt says that its SHA-256 begins with 00000000").await;
}

#[tokio::test]
async fn what_only_looks_odd_is_taken() {
    // A byte order mark in front, as an editor puts it there.
    let b = bench();
    let folder = latest_copy(&b);
    let good = fs::read(folder.join(EXPORT)).unwrap();
    fs::write(folder.join(EXPORT), [&b"\xef\xbb\xbf"[..], &good].concat()).unwrap();
    write_list(&folder);
    let health = look(&b).await;
    assert!(health.intact, "{}", health.verdict);
    // A link to a file elsewhere, which is told.
    let b = bench();
    let folder = latest_copy(&b);
    let elsewhere = b.deployment.folder().join("elsewhere.snapshot");
    fs::rename(folder.join(SNAPSHOT), &elsewhere).unwrap();
    symlink(&elsewhere, folder.join(SNAPSHOT)).unwrap();
    let health = look(&b).await;
    assert!(health.intact, "{}", health.verdict);
    let told = health.files.iter().any(|file| file.rungs[0].detail.contains("a link to"));
    assert!(told, "{:?}", health.files);
}
