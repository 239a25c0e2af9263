//! Every kind of file in a backup, damaged a thousand times: no reader panics, hangs or takes memory without bound, and
//! the recorded SHA-256 refuses each. What the readers see by themselves is counted and printed (`-- --nocapture`).
//!
//! Another seed: `STEPBACK_DAMAGE_SEED=7 cargo test -p backup-formats --test damage`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "the counts are shown to who asks for them")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use backup_formats::checksums::{Checksums, Sha256Digest, parse, sha256_reader};
use backup_formats::cypher_export::{ExportError, ExportForm, summarize};
use backup_formats::qdrant_snapshot::{PointId, SnapshotPoint, inspect, read_embedded_points, write_embedded_snapshot};

const EXPORT: &str = include_str!("fixtures/neo4j-5.26-export-small.cypher");
const EXPORT_PLAIN: &str = include_str!("fixtures/neo4j-5.26-export-small-cypher-shell-plain.txt");
const SNAPSHOT: &[u8] = include_bytes!("fixtures/qdrant-1.18-12-points-4-dims.snapshot");

const ROUNDS: u64 = 1_000;
const DEFAULT_SEED: u64 = 0x5eed_0004;
/// All files here are below 100 KB; a reader that believes a damaged length would take far more.
const MOST_MEMORY: usize = 48 * 1024 * 1024;

/// Counts what is taken, and the most that ever was.
struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[allow(unsafe_code, reason = "an allocator can be written in no other way; it only counts and passes on")]
// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(taken, Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Xorshift: the same damage on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Flip { at: usize, mask: u8 },
    Cut { at: usize },
    Swap { one: usize, other: usize },
}

/// Damage that changes the file.
fn damage(file: &[u8], dice: &mut Dice) -> (Damage, Vec<u8>) {
    loop {
        let mut bytes = file.to_vec();
        let (one, other) = (dice.below(bytes.len()), dice.below(bytes.len()));
        let damage = match dice.below(3) {
            0 => {
                let mask = 1 << dice.below(8);
                bytes[one] ^= mask;
                Damage::Flip { at: one, mask }
            }
            1 => {
                bytes.truncate(one);
                Damage::Cut { at: one }
            }
            _ => {
                bytes.swap(one, other);
                Damage::Swap { one, other }
            }
        };
        if bytes != file {
            return (damage, bytes);
        }
    }
}

fn seed() -> u64 {
    let seed = std::env::var("STEPBACK_DAMAGE_SEED").map_or(DEFAULT_SEED, |text| text.parse().unwrap());
    println!("seed {seed}");
    seed.max(1)
}

/// What one reader made of a damaged file.
enum Told {
    Refused,
    /// It reads, but says something else than of the undamaged file.
    Different,
    Same,
}

/// Damages `file` over and over. Whatever `read` makes of it, the recorded checksum refuses it.
fn every_damage_is_refused(name: &str, file: &[u8], read: impl Fn(&[u8]) -> Result<String, String>) {
    let good = read(file).unwrap_or_else(|error| panic!("{name}, undamaged: {error}"));
    let mut recorded = Checksums::default();
    recorded.insert(name, Sha256Digest::of(file));
    let recorded = parse(&recorded.to_string()).unwrap();
    let seed = seed();
    let mut dice = Dice(seed);
    // By kind of damage: refused, different, same.
    let mut counts = [[0; 3]; 3];
    for round in 0..ROUNDS {
        let (damage, bytes) = damage(file, &mut dice);
        let told = match read(&bytes) {
            Err(_) => Told::Refused,
            Ok(content) if content != good => Told::Different,
            Ok(_) => Told::Same,
        };
        let kind = match damage {
            Damage::Flip { .. } => 0,
            Damage::Cut { .. } => 1,
            Damage::Swap { .. } => 2,
        };
        counts[kind][told as usize] += 1;
        let digest = sha256_reader(&bytes[..], |_| {}).unwrap();
        assert_ne!(recorded.get(name), Some(digest), "{name}, seed {seed}, round {round}, {damage:?}");
    }
    for (kind, [refused, different, same]) in ["flips", "cuts", "swaps"].iter().zip(counts) {
        println!(
            "{name}: {kind}: {refused} refused by the reader, {different} change what it tells, {same} only the hash sees"
        );
    }
    // A cut is never only the hash's to see, but for what stands behind the end: the last line's end of a text, the
    // padding behind an archive's end mark.
    let [_, [_, different, same], _] = counts;
    assert_eq!(different, 0, "{name}, seed {seed}: a file cut short was taken for whole");
    assert!(same * 20 < ROUNDS, "{name}, seed {seed}: {same} cuts were not seen");
    let peak = PEAK.load(Ordering::Relaxed);
    assert!(peak < MOST_MEMORY, "{name}, seed {seed}: {peak} bytes were taken at once");
}

fn read_export(bytes: &[u8]) -> Result<String, String> {
    let mut summary = summarize(bytes, |_| {}).map_err(|error| {
        if let ExportError::Io(_) = error {
            panic!("no disk failed here: {error}");
        }
        error.to_string()
    })?;
    // The size alone would tell a cut, and is not what is asked about.
    summary.bytes = 0;
    Ok(format!("{summary:?}"))
}

fn read_snapshot(bytes: &[u8]) -> Result<String, String> {
    let mut summary = inspect(bytes, |_| {}).map_err(|error| error.to_string())?;
    summary.bytes = 0;
    Ok(format!("{summary:?}"))
}

#[test]
fn an_export() {
    every_damage_is_refused("neo4j.cypher", EXPORT.as_bytes(), read_export);
}

#[test]
fn an_export_in_the_shells_plain_output() {
    every_damage_is_refused("neo4j plain.cypher", EXPORT_PLAIN.as_bytes(), read_export);
}

#[test]
fn an_export_as_the_backup_script_stores_it() {
    let script: String = EXPORT_PLAIN.split_inclusive('\n').skip(3).collect();
    assert!(read_export(script.as_bytes()).unwrap().contains(&format!("{:?}", ExportForm::HybridFlowScript)));
    every_damage_is_refused("neo4j_latest.cypher", script.as_bytes(), read_export);
}

#[test]
fn a_snapshot_of_a_real_server() {
    every_damage_is_refused("textbook_chunks.snapshot", SNAPSHOT, read_snapshot);
}

fn embedded_snapshot() -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let points = (0_u8..40).map(|n| {
        let payload = serde_json::json!({"chunk_id": format!("bailey:ch1:{n}"), "text": "a \"b\"\n"});
        Ok(SnapshotPoint { id: PointId::of_chunk(&format!("bailey:ch1:{n}")), vector: vec![f32::from(n); 8], payload })
    });
    let mut out = Vec::new();
    write_embedded_snapshot(&mut out, scratch.path(), 8, points).unwrap();
    out
}

#[test]
fn an_embedded_snapshot() {
    every_damage_is_refused("embedded.snapshot", &embedded_snapshot(), read_snapshot);
}

/// As a restore reads it, after the check has read it: together they must see every cut.
#[test]
fn an_embedded_snapshot_with_its_points() {
    let scratch = tempfile::tempdir().unwrap();
    every_damage_is_refused("embedded points.snapshot", &embedded_snapshot(), |bytes| {
        let summary = read_snapshot(bytes);
        let mut all = String::new();
        let read = read_embedded_points(bytes, scratch.path(), |point| {
            all.push_str(&format!("{point:?}"));
            Ok(())
        });
        read.map_err(|error| error.to_string())?;
        Ok(summary? + &all)
    });
}

/// The other half of the pair: the files are good and their checksums are damaged. Either that is told, or the file has no
/// recorded value any more, or its value does not fit, or the damage changed nothing about any file (a comment, a line's end).
/// Never does a wrong value pass.
#[test]
fn the_checksums_themselves() {
    let files = [("metadata.db", &b"one"[..]), ("textbook_chunks.snapshot", b"two"), ("neo4j.cypher", b"three")];
    let mut text = "# shasum -a 256 *\n".to_owned();
    for (name, content) in files {
        text.push_str(&format!("{}  {name}\n", Sha256Digest::of(content)));
    }
    let seed = seed();
    let mut dice = Dice(seed);
    let (mut malformed, mut mismatched, mut unrecorded, mut harmless) = (0, 0, 0, 0);
    for round in 0..ROUNDS {
        let (damage, bytes) = damage(text.as_bytes(), &mut dice);
        let Ok(damaged) = String::from_utf8(bytes) else {
            malformed += 1;
            continue;
        };
        let Ok(checksums) = parse(&damaged) else {
            malformed += 1;
            continue;
        };
        let found =
            files.map(|(name, content)| checksums.get(name).map(|recorded| recorded == Sha256Digest::of(content)));
        if found.contains(&Some(false)) {
            mismatched += 1;
        } else if found.contains(&None) {
            unrecorded += 1;
        } else {
            // What is recorded for another name is no file's of this backup.
            assert_eq!(checksums.iter().count(), 3, "seed {seed}, round {round}, {damage:?}");
            harmless += 1;
        }
    }
    println!(
        "checksums.txt: {malformed} malformed, {mismatched} do not fit, {unrecorded} leave a file without a value, {harmless} harmless"
    );
    assert!(harmless < 200, "seed {seed}: {harmless}");
}
