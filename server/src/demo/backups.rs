//! The files of a backup: the snapshot of the points, the export of the graph, `checksums.txt`.

use std::collections::BTreeMap;
use std::fs::{File, FileTimes};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use backup_formats::checksums::{Checksums, sha256_reader};
use backup_formats::cypher_export::{
    CypherValue, ExportNode, ExportRelationship, ExportWriteError, ExportWriter, UniqueKey,
};
use backup_formats::qdrant_snapshot::{PointId, SnapshotPoint, write_embedded_snapshot};
use rollback_stores::graph_data::Properties;
use rollback_stores::vector_point::VectorPoint;
use serde_json::Value;
use time::OffsetDateTime;

use super::graph::{Graph, SCHEMA};
use super::part::Part;

/// The three files of a backup folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackupNames {
    pub metadata: &'static str,
    pub snapshot: &'static str,
    pub graph: &'static str,
}

pub(super) const LATEST: BackupNames =
    BackupNames { metadata: "metadata.db", snapshot: "textbook_chunks_latest.snapshot", graph: "neo4j_latest.cypher" };
pub(super) const KEPT: BackupNames =
    BackupNames { metadata: "metadata.db", snapshot: "textbook_chunks.snapshot", graph: "neo4j.cypher" };

/// Writes the snapshot of these parts' points. Blocks.
pub(super) fn write_snapshot(path: &Path, parts: &[Part<'_>], dimensions: u32) -> io::Result<u64> {
    let scratch = path.parent().unwrap_or(Path::new("."));
    let points = parts.iter().flat_map(|part| part.points(dimensions)).map(|point| {
        let point = VectorPoint::of_chunk(&point.chunk_id, point.version_id.as_deref(), point.payload, point.vector);
        Ok(SnapshotPoint {
            id: PointId::Uuid(point.id.into_bytes()),
            vector: point.vector,
            payload: Value::Object(point.payload),
        })
    });
    let mut out = BufWriter::new(File::create(path)?);
    let written = write_embedded_snapshot(&mut out, scratch, dimensions, points)?;
    out.flush()?;
    Ok(written)
}

/// Writes the export of these parts' graph. Blocks.
pub(super) fn write_export(path: &Path, parts: &[Part<'_>]) -> Result<(), ExportWriteError> {
    let schema: Vec<String> = SCHEMA.iter().map(|s| (*s).to_owned()).collect();
    let keys = vec![UniqueKey { label: "Textbook".to_owned(), property: "id".to_owned() }];
    let mut writer = ExportWriter::new(BufWriter::new(File::create(path)?), &schema, keys)?;
    let graph = Graph::new(parts);
    for node in graph.nodes() {
        writer.node(&ExportNode { id: node.id, labels: node.labels, properties: literals(node.properties) })?;
    }
    for relationship in graph.relationships() {
        writer.relationship(&ExportRelationship {
            start: relationship.start,
            end: relationship.end,
            rel_type: relationship.rel_type,
            properties: literals(relationship.properties),
        })?;
    }
    let (mut out, _) = writer.finish()?;
    out.flush()?;
    Ok(())
}

fn literals(properties: Properties) -> BTreeMap<String, CypherValue> {
    properties.into_iter().map(|(key, value)| (key, literal(value))).collect()
}

fn literal(value: Value) -> CypherValue {
    match value {
        Value::Null => CypherValue::Null,
        Value::Bool(value) => value.into(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().map_or(CypherValue::Null, CypherValue::from),
        },
        Value::String(text) => text.into(),
        Value::Array(items) => CypherValue::List(items.into_iter().map(literal).collect()),
        Value::Object(map) => CypherValue::Map(map.into_iter().map(|(k, v)| (k, literal(v))).collect()),
    }
}

/// Writes `checksums.txt` for the three files beside it. Blocks.
pub(super) fn write_checksums(folder: &Path, names: BackupNames) -> io::Result<()> {
    let mut checksums = Checksums::default();
    for name in [names.metadata, names.graph, names.snapshot] {
        checksums.insert(name, sha256_reader(File::open(folder.join(name))?, |_| {})?);
    }
    std::fs::write(folder.join("checksums.txt"), checksums.to_string())
}

/// Gives a file a second name where the file system can, else copies it: kept versions of real size are large and equal.
pub(super) fn share(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => std::fs::copy(from, to).map(|_| ()),
    }
}

/// Makes the files as old as the story says: ages and sizes over time are to look as in a deployment that has a past. A file
/// that several versions share was written with the first of them, and stays so.
pub(super) fn date_files(folder: &Path, names: BackupNames, written: OffsetDateTime) -> io::Result<()> {
    for name in [names.metadata, names.snapshot, names.graph, "checksums.txt"] {
        let file = File::open(folder.join(name))?;
        if file.metadata()?.nlink() == 1 {
            file.set_times(FileTimes::new().set_modified(written.into()))?;
        }
    }
    Ok(())
}
