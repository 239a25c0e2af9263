//! The offline check of snapshots: a real one, cut and changed ones, and the embedded store's own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read};

use backup_formats::qdrant_snapshot::{
    IdSetFingerprint, PointCount, PointId, SnapshotError, SnapshotPoint, SnapshotSummary, inspect, inspect_with_ids,
    read_embedded_points, write_embedded_snapshot,
};
use proptest::prelude::*;
use serde_json::json;

const REAL: &[u8] = include_bytes!("fixtures/qdrant-1.18-12-points-4-dims.snapshot");
/// The ids of the real snapshot's points.
const REAL_IDS: [&str; 12] = [
    "2368e499-e61d-50ee-b78f-364aa40265d9",
    "07568819-6894-5a7d-a75b-a67ff9dc7a39",
    "11af9ca4-1570-56a8-974c-e841d77fc1dd",
    "aaa14b92-b322-543e-9fcf-cfcee829a46d",
    "ee33e930-aae7-5209-9fce-217371a0b499",
    "86cd70bd-8d3e-585a-ad9a-57608d597138",
    "61d29e1e-c67a-5044-93dc-d28791c0813a",
    "3940d360-02e3-53ec-8d94-7c03991e7edc",
    "3443c1c4-e672-5a94-8458-a282fe24820d",
    "4a7ff5a7-aa83-56bf-a03f-b2fd5efc86ce",
    "d6c5c7d6-219f-541c-8b4a-6088617cfe4f",
    "822b6be8-c879-5d07-bd77-86a66b493860",
];

fn summary_of(bytes: &[u8]) -> Result<SnapshotSummary, SnapshotError> {
    inspect(bytes, |_| {})
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A snapshot of one shard with the given segments, each of them a list of files.
fn snapshot(config: &str, segments: &[&[(&str, &[u8])]]) -> Vec<u8> {
    let archives: Vec<_> =
        segments.iter().enumerate().map(|(index, files)| (format!("0/segments/{index}.tar"), tar(files))).collect();
    let mut files = vec![("config.json", config.as_bytes())];
    files.extend(archives.iter().map(|(path, archive)| (path.as_str(), archive.as_slice())));
    tar(&files)
}

const CONFIG: &str = r#"{"params":{"vectors":{"size":4,"distance":"Dot"},"shard_number":1}}"#;

fn log(numbers: &[u64]) -> Vec<u8> {
    let mut log = Vec::new();
    for (slot, number) in (0_u32..).zip(numbers) {
        log.push(1);
        log.extend(number.to_le_bytes());
        log.extend(slot.to_le_bytes());
    }
    log
}

fn mappings(numbers: &[u64]) -> Vec<u8> {
    let mut table = (numbers.len() as u64).to_le_bytes().to_vec();
    for (slot, number) in (0_u32..).zip(numbers) {
        table.push(0);
        table.extend(number.to_le_bytes());
        table.extend(slot.to_le_bytes());
    }
    table
}

fn fingerprint(numbers: &[u64]) -> IdSetFingerprint {
    let ids: Vec<_> = numbers.iter().map(|&number| PointId::Num(number)).collect();
    ids.iter().collect()
}

#[test]
fn a_real_snapshot_is_told_exactly() {
    let mut ids = BTreeSet::new();
    let mut told = Vec::new();
    let summary = inspect_with_ids(REAL, |bytes| told.push(bytes), |id| assert!(ids.insert(id.to_string()))).unwrap();
    let expected: Vec<PointId> = REAL_IDS.iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids, REAL_IDS.iter().map(|&id| id.to_owned()).collect());
    assert_eq!(
        summary,
        SnapshotSummary {
            vector_size: Some(4),
            distance: Some("Cosine".to_owned()),
            version: Some("0.4.2".to_owned()),
            points: PointCount::Exact(12),
            ids: Some(expected.iter().collect()),
            bytes: REAL.len() as u64,
        }
    );
    assert_eq!(told.last(), Some(&summary.bytes));
}

#[test]
fn a_cut_anywhere_is_seen() {
    // Behind the last file the archive is two empty blocks; within them it is not whole yet.
    let end = {
        let used = REAL.iter().rposition(|&byte| byte != 0).unwrap() + 1;
        used.next_multiple_of(512) + 1024
    };
    assert!(end <= REAL.len());
    for cut in (0..end).filter(|cut| cut % 97 == 0 || cut % 512 == 0 || cut + 3 > end) {
        match summary_of(&REAL[..cut]) {
            Err(SnapshotError::Cut { bytes }) => assert_eq!(bytes, cut as u64),
            other => panic!("cut at {cut} of {end}: {other:?}"),
        }
    }
    assert!(summary_of(&REAL[..end]).is_ok());
}

#[test]
fn what_is_no_snapshot_is_damaged() {
    let other_archive = tar(&[("readme", b"hello")]);
    let bad_config = tar(&[("config.json", b"{")]);
    let inner_cut = tar(&[("config.json", CONFIG.as_bytes()), ("0/segments/a.tar", &[1; 512])]);
    let text = b"this is no archive. ".repeat(100);
    for bytes in [&other_archive, &bad_config, &inner_cut, &text] {
        let error = summary_of(bytes).unwrap_err();
        assert!(matches!(error, SnapshotError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("Nothing was changed"));
    }
}

#[test]
fn a_failing_disk_is_no_damage() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            if self.0 >= 20_000 {
                return Err(io::Error::other("bad sector"));
            }
            let read = (&REAL[self.0..20_000]).read(buf)?;
            self.0 += read;
            Ok(read)
        }
    }
    assert!(matches!(inspect(Failing(0), |_| {}), Err(SnapshotError::Io(_))));
}

#[test]
fn a_point_in_two_segments_counts_once() {
    let first = log(&[1, 2, 3]);
    let second = mappings(&[3, 4, 5]);
    let bytes = snapshot(
        CONFIG,
        &[
            &[("snapshot/files/mutable_id_tracker.mappings", &first)],
            &[
                // The second slot, point 4, is deleted.
                ("snapshot/files/id_tracker.deleted", &[0b10, 0, 0, 0, 0, 0, 0, 0]),
                ("snapshot/files/id_tracker.mappings", &second),
                ("snapshot/files/id_tracker.versions", b"any"),
            ],
            &[("snapshot/files/segment.json", br#"{"version":null}"#)],
        ],
    );
    let summary = summary_of(&bytes).unwrap();
    assert_eq!(summary.points, PointCount::Exact(4));
    assert_eq!(summary.ids, Some(fingerprint(&[1, 2, 3, 5])));
    assert_eq!(summary.distance.as_deref(), Some("Dot"));
}

#[test]
fn segments_may_stand_in_the_outer_archive() {
    let ids = log(&[1, 2]);
    let bytes =
        tar(&[("./config.json", CONFIG.as_bytes()), ("./0/segments/a/files/mutable_id_tracker.mappings", &ids)]);
    assert_eq!(summary_of(&bytes).unwrap().points, PointCount::Exact(2));
}

#[test]
fn an_unknown_layout_is_no_damage() {
    let table = mappings(&[1]);
    let good = log(&[1]);
    let mut torn = log(&[1, 2]);
    torn.pop();
    let two_shards = CONFIG.replace("shard_number\":1", "shard_number\":2");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no segments", snapshot(CONFIG, &[])),
        ("1 of 2 shards", snapshot(&two_shards, &[&[("mutable_id_tracker.mappings", &good)]])),
        ("RocksDB", snapshot(CONFIG, &[&[("snapshot/db_backup/meta/1", b"x")]])),
        ("id_tracker.moves", snapshot(CONFIG, &[&[("id_tracker.moves", b"x")]])),
        ("unknown kind", snapshot(CONFIG, &[&[("segment.json", br#"{"version":7}"#)]])),
        ("deleted points is missing", snapshot(CONFIG, &[&[("id_tracker.mappings", &table)]])),
        ("within a record", snapshot(CONFIG, &[&[("mutable_id_tracker.mappings", &torn)]])),
        ("unknown tag 9", snapshot(CONFIG, &[&[("mutable_id_tracker.mappings", &[9])]])),
    ];
    for (reason, bytes) in cases {
        let summary = summary_of(&bytes).unwrap();
        match summary.points {
            PointCount::CantTell(told) => assert!(told.contains(reason), "{told}"),
            PointCount::Exact(count) => panic!("{reason}: {count}"),
        }
        assert_eq!(summary.ids, None);
        assert_eq!(summary.vector_size, Some(4));
    }
}

#[test]
fn named_vectors_are_read_when_there_is_one_kind() {
    let segment: &[(&str, &[u8])] = &[("segment.json", br#"{"version":null}"#)];
    let one = r#"{"params":{"vectors":{"text":{"size":8,"distance":"Euclid"}}}}"#;
    let summary = summary_of(&snapshot(one, &[segment])).unwrap();
    assert_eq!((summary.vector_size, summary.distance.as_deref()), (Some(8), Some("Euclid")));
    assert_eq!((summary.version, summary.points), (None, PointCount::Exact(0)));
    for config in [r#"{"params":{"vectors":{"a":{"size":8},"b":{"size":9}}}}"#, r#"{"params":{}}"#, "[]"] {
        let summary = summary_of(&snapshot(config, &[segment])).unwrap();
        assert_eq!((summary.vector_size, summary.distance), (None, None), "{config}");
    }
}

fn point(id: PointId, dim: usize) -> SnapshotPoint {
    SnapshotPoint { id, vector: vec![0.5; dim], payload: json!({"chunk_id": format!("c{id}"), "text": "a\n\"b\" é"}) }
}

#[test]
fn an_embedded_snapshot_passes_the_same_check() {
    let scratch = tempfile::tempdir().unwrap();
    let points = [point(PointId::Num(7), 3), point(REAL_IDS[0].parse().unwrap(), 3)];
    let mut out = Vec::new();
    let written = write_embedded_snapshot(&mut out, scratch.path(), 3, points.iter().cloned().map(Ok)).unwrap();
    assert_eq!(written, 2);
    assert_eq!(
        summary_of(&out).unwrap(),
        SnapshotSummary {
            vector_size: Some(3),
            distance: Some("Cosine".to_owned()),
            version: Some("embedded-1".to_owned()),
            points: PointCount::Exact(2),
            ids: Some(points.iter().map(|point| &point.id).collect()),
            bytes: out.len() as u64,
        }
    );
    for cut in (0..out.len()).filter(|cut| cut % 53 == 0 || cut % 512 == 0) {
        let result = summary_of(&out[..cut]);
        assert!(matches!(result, Err(SnapshotError::Cut { .. })), "{cut}: {result:?}");
    }
    // Scratch files leave nothing behind.
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn an_embedded_snapshot_refuses_points_that_do_not_fit() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |points: Vec<io::Result<SnapshotPoint>>| {
        write_embedded_snapshot(io::sink(), scratch.path(), 3, points.into_iter())
    };
    let short = write(vec![Ok(point(PointId::Num(1), 2))]).unwrap_err();
    assert_eq!(short.kind(), io::ErrorKind::InvalidData);
    let twice = write(vec![Ok(point(PointId::Num(1), 3)), Ok(point(PointId::Num(1), 3))]);
    assert!(twice.unwrap_err().to_string().contains("twice"));
    let failed = write(vec![Err(io::Error::other("store"))]);
    assert_eq!(failed.unwrap_err().to_string(), "store");
    let real = read_embedded_points(REAL, scratch.path(), |_| Ok(()));
    assert_eq!(real.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn embedded_points_are_read_back(
        ids in prop::collection::hash_set(
            prop_oneof![any::<u64>().prop_map(PointId::Num), any::<[u8; 16]>().prop_map(PointId::Uuid)],
            0..20,
        ),
        dim in 0_usize..5,
        text in any::<String>(),
        // Read naively, one number in twenty comes back as its neighbour.
        score in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let points: Vec<_> = ids
            .into_iter()
            .map(|id| SnapshotPoint { payload: json!({"text": text, "score": score}), ..point(id, dim) })
            .collect();
        let mut out = Vec::new();
        let source = points.iter().cloned().map(Ok);
        write_embedded_snapshot(&mut out, scratch.path(), dim as u32, source).unwrap();
        let mut read = Vec::new();
        let count = read_embedded_points(&out[..], scratch.path(), |point| {
            read.push(point);
            Ok(())
        });
        prop_assert_eq!(count.unwrap(), points.len() as u64);
        prop_assert_eq!(read, points);
    }

    #[test]
    fn a_changed_snapshot_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = REAL.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = summary_of(&bytes);
    }

    #[test]
    fn changed_headers_never_panic(block in 0_usize..126, at in 0_usize..512, byte in any::<u8>()) {
        let mut bytes = REAL.to_vec();
        bytes[block * 512 + at] = byte;
        // With the check sum made right, so that the header is believed.
        let header = &mut bytes[block * 512..(block + 1) * 512];
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let _ = summary_of(&bytes);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let read = Cell::new(0);
        let _ = inspect(&bytes[..], |bytes| read.set(bytes));
        prop_assert!(read.get() <= bytes.len() as u64);
    }
}
