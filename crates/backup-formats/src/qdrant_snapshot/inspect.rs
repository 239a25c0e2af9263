//! The offline check of a snapshot: one pass over the archive and the archives in it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{self, Read};

use serde_json::Value;
use tar::Archive;

use super::archive::{Watch, WatchedReader, read_small};
use super::id_tracker::{TableError, is_deleted, read_deleted, read_log, read_mappings};
use super::{IdSetFingerprint, PointCount, PointId, SnapshotError, SnapshotSummary};

/// The largest file of settings that is read.
const MAX_SETTINGS: u64 = 4 * 1024 * 1024;

/// Reads a snapshot to its end: every header of the archive and of the archives in it,
/// `config.json`, `version.info` and the tables of point ids. `on_progress` is told the bytes read so
/// far, about each megabyte and at the end. Blocks.
///
/// Memory: the ids of all points, 24 bytes or so each.
///
/// # Errors
/// See [`SnapshotError`]. A layout that is merely unknown is none: see [`PointCount::CantTell`].
pub fn inspect(reader: impl Read, on_progress: impl FnMut(u64)) -> Result<SnapshotSummary, SnapshotError> {
    inspect_with_ids(reader, on_progress, |_| {})
}

/// As [`inspect`]; `on_id` is given each distinct point id once, in no order, when all are known. It
/// is not called when the points cannot be told.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_with_ids(
    reader: impl Read,
    on_progress: impl FnMut(u64),
    mut on_id: impl FnMut(&PointId),
) -> Result<SnapshotSummary, SnapshotError> {
    let (reader, watch) = WatchedReader::new(reader, on_progress);
    let mut archive = Archive::new(reader);
    let mut snapshot = Snapshot::default();
    for entry in archive.entries().map_err(|error| watch.explain(error))? {
        let entry = entry.map_err(|error| watch.explain(error))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let taken = snapshot.take_file(path.trim_start_matches("./"), entry, &watch);
        // A file that ends too soon looks damaged from within.
        if watch.ended() {
            return Err(watch.cut());
        }
        taken?;
    }
    if watch.ended() {
        return Err(watch.cut());
    }
    let bytes = archive.into_inner().drain().map_err(SnapshotError::Io)?;
    if !watch.has_end_mark() {
        return Err(watch.cut());
    }

    let Some(config) = snapshot.config.take() else {
        return Err(watch.damaged("there is no config.json in it: it is another kind of archive"));
    };
    let (vector_size, distance) = vector_params(&config);
    let version = snapshot.version.take();
    let (points, ids) = match snapshot.distinct_ids(&config) {
        Ok(ids) => {
            ids.iter().for_each(&mut on_id);
            (PointCount::Exact(ids.len() as u64), Some(ids.iter().collect::<IdSetFingerprint>()))
        }
        Err(reason) => (PointCount::CantTell(reason), None),
    };
    Ok(SnapshotSummary { vector_size, distance, version, points, ids, bytes })
}

#[derive(Default)]
struct Snapshot {
    config: Option<Value>,
    version: Option<String>,
    shards: BTreeSet<String>,
    /// By path without `.tar`.
    segments: BTreeMap<String, Segment>,
}

/// What was found of one segment.
#[derive(Default)]
struct Segment {
    log: Option<HashSet<PointId>>,
    mappings: Option<Vec<(PointId, u32)>>,
    deleted: Option<Vec<u8>>,
    /// Nothing was ever written to it.
    untouched: bool,
    unknown: Option<String>,
}

impl Snapshot {
    fn take_file(&mut self, path: &str, file: impl Read, watch: &Watch) -> Result<(), SnapshotError> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["config.json"] => {
                let content = read_small(file, MAX_SETTINGS).map_err(|error| watch.explain(error))?;
                let config = serde_json::from_slice(&content);
                self.config =
                    Some(config.map_err(|error| watch.damaged(format!("config.json cannot be read: {error}")))?);
            }
            ["version.info"] => {
                let content = read_small(file, MAX_SETTINGS).map_err(|error| watch.explain(error))?;
                self.version = Some(String::from_utf8_lossy(&content).trim().to_owned());
            }
            [shard, "segments", name] if !name.is_empty() => {
                self.shards.insert((*shard).to_owned());
                let segment = self.segment(shard, name.strip_suffix(".tar").unwrap_or(name));
                if name.ends_with(".tar") {
                    segment.take_archive(file, watch)?;
                }
            }
            // The other layout servers know: the segment's files stand in the outer archive.
            [shard, "segments", name, within @ ..] => {
                self.shards.insert((*shard).to_owned());
                self.segment(shard, name).take_file(within, file, watch)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn segment(&mut self, shard: &str, name: &str) -> &mut Segment {
        self.segments.entry(format!("{shard}/{name}")).or_default()
    }

    /// The ids of all segments, or why they cannot be told.
    fn distinct_ids(self, config: &Value) -> Result<HashSet<PointId>, String> {
        if self.segments.is_empty() {
            return Err("there are no segments in it".to_owned());
        }
        let shards = config.pointer("/params/shard_number").and_then(Value::as_u64);
        if let Some(shards) = shards.filter(|&shards| shards != self.shards.len() as u64) {
            return Err(format!("it holds {} of {shards} shards", self.shards.len()));
        }
        let mut all = HashSet::new();
        for (name, segment) in self.segments {
            let ids = segment.ids().map_err(|reason| format!("segment {name}: {reason}"))?;
            all.extend(ids);
        }
        Ok(all)
    }
}

impl Segment {
    /// Real servers write no end mark into this archive, so none is asked for; its length stands in
    /// the outer archive.
    fn take_archive(&mut self, file: impl Read, watch: &Watch) -> Result<(), SnapshotError> {
        let explain = |error: io::Error| match watch.explain(error) {
            SnapshotError::Damaged { bytes, what } => {
                SnapshotError::Damaged { bytes, what: format!("in the archive of a segment: {what}") }
            }
            other => other,
        };
        let mut archive = Archive::new(file);
        for entry in archive.entries().map_err(explain)? {
            let entry = entry.map_err(explain)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let parts: Vec<&str> = path.split('/').collect();
            self.take_file(&parts, entry, watch)?;
        }
        Ok(())
    }

    fn take_file(&mut self, path: &[&str], file: impl Read, watch: &Watch) -> Result<(), SnapshotError> {
        let Some(&name) = path.last() else {
            return Ok(());
        };
        let result = match name {
            "mutable_id_tracker.mappings" => read_log(file).map(|ids| self.log = Some(ids)),
            "id_tracker.mappings" => read_mappings(file).map(|entries| self.mappings = Some(entries)),
            "id_tracker.deleted" => read_deleted(file).map(|bits| self.deleted = Some(bits)),
            // They hold when each point changed, not which there are.
            "id_tracker.versions" | "mutable_id_tracker.versions" => Ok(()),
            "segment.json" => {
                let content = read_small(file, MAX_SETTINGS).map_err(|error| watch.explain(error))?;
                let state: Option<Value> = serde_json::from_slice(&content).ok();
                // Without a readable state the segment is not known to be untouched: that is enough.
                self.untouched = state.is_some_and(|state| state.get("version").is_some_and(Value::is_null));
                Ok(())
            }
            name if name.contains("id_tracker") => {
                Err(TableError::Unknown(format!("it has the unknown point table {name}")))
            }
            _ if path.iter().any(|part| part.contains("db_backup")) => {
                Err(TableError::Unknown("its point table is a RocksDB, as servers before 1.15 wrote it".to_owned()))
            }
            _ => Ok(()),
        };
        match result {
            Ok(()) => Ok(()),
            Err(TableError::Io(error)) => Err(watch.explain(error)),
            Err(TableError::Unknown(reason)) => {
                self.unknown.get_or_insert(reason);
                Ok(())
            }
        }
    }

    fn ids(self) -> Result<HashSet<PointId>, String> {
        if let Some(reason) = self.unknown {
            return Err(reason);
        }
        match (self.log, self.mappings) {
            (Some(ids), None) => Ok(ids),
            (None, Some(mappings)) => {
                let Some(deleted) = self.deleted else {
                    return Err("its set of deleted points is missing".to_owned());
                };
                let live = mappings.into_iter().filter(|(_, slot)| !is_deleted(&deleted, *slot));
                Ok(live.map(|(id, _)| id).collect())
            }
            (Some(_), Some(_)) => Err("it has two point tables".to_owned()),
            // The server makes the table with the first point.
            (None, None) if self.untouched => Ok(HashSet::new()),
            (None, None) => Err("its point table is of an unknown kind".to_owned()),
        }
    }
}

/// Size and distance of the only kind of vectors, named or not.
fn vector_params(config: &Value) -> (Option<u64>, Option<String>) {
    let only = config.pointer("/params/vectors").and_then(|vectors| {
        if vectors.get("size").is_some_and(Value::is_u64) {
            return Some(vectors);
        }
        let named = vectors.as_object()?;
        if named.len() == 1 { named.values().next() } else { None }
    });
    let size = only.and_then(|params| params.get("size")?.as_u64());
    let distance = only.and_then(|params| Some(params.get("distance")?.as_str()?.to_owned()));
    (size, distance)
}
