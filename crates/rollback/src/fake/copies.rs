//! The fake stores' files: chapters as JSON in SQLite's place, snapshots and exports as they really are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use backup_formats::checksums::{Checksums, Sha256Digest};
use backup_formats::cypher_export::{ExportNode, ExportReader, ExportRelationship, ExportWriter, Item};
use backup_formats::qdrant_snapshot::{PointId, SnapshotPoint, read_embedded_points, write_embedded_snapshot};
use rollback_types::{Inventory, StoreKind};

use super::data::{Collection, Data, Edge, Node, Point};
use crate::store::{CopyTaken, Fault, StoreError};

/// As long as a small SQLite file, so that its size is plausible.
const SMALLEST: usize = 4_096;

type Chapters = BTreeMap<String, String>;

/// Writes the chapters; `path` must not exist.
pub(super) fn write_chapters(path: &Path, chapters: &Chapters) -> io::Result<()> {
    let mut json = serde_json::to_vec(&serde_json::json!({ "chapters": chapters }))?;
    json.resize(json.len().max(SMALLEST), b' ');
    io::Write::write_all(&mut File::create_new(path)?, &json)
}

/// Reads them back; anything else is not a copy of ours.
pub(super) fn read_chapters(path: &Path) -> io::Result<Chapters> {
    #[derive(serde::Deserialize)]
    struct Copy {
        chapters: Chapters,
    }
    Ok(serde_json::from_slice::<Copy>(&std::fs::read(path)?)?.chapters)
}

/// Where the payload keeps the number by which the fake knows a point.
const NUMBER: &str = "number";

/// As HybridFlow makes it of the chunk id.
pub(super) fn point_id(number: u64, point: &Point) -> PointId {
    point.chunk_id.as_deref().map_or(PointId::Num(number), PointId::of_chunk)
}

/// Writes an embedded snapshot; `path` must not exist.
pub(super) fn write_snapshot(path: &Path, points: &Collection) -> io::Result<()> {
    let dim = points.values().next().map_or(8, |p| p.vector.len());
    let dim = u32::try_from(dim).map_err(io::Error::other)?;
    let points = points.iter().map(|(id, point)| {
        let mut payload = serde_json::Map::new();
        for (key, value) in [("chunk_id", &point.chunk_id), ("version_id", &point.version_id)] {
            payload.extend(value.clone().map(|v| (key.to_owned(), v.into())));
        }
        payload.insert(NUMBER.to_owned(), (*id).into());
        Ok(SnapshotPoint { id: point_id(*id, point), vector: point.vector.clone(), payload: payload.into() })
    });
    write_embedded_snapshot(File::create_new(path)?, folder_of(path), dim, points).map(drop)
}

/// Reads it back.
pub(super) fn read_snapshot(path: &Path) -> io::Result<Collection> {
    let mut points = Collection::new();
    read_embedded_points(File::open(path)?, folder_of(path), |point| {
        let number = point.payload.get(NUMBER).and_then(serde_json::Value::as_u64);
        let id = number.ok_or_else(|| io::Error::other("a point that the fake cannot number"))?;
        let text = |key: &str| point.payload.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        let (chunk_id, version_id) = (text("chunk_id"), text("version_id"));
        points.insert(id, Point { chunk_id, version_id, vector: point.vector, indexed: true });
        Ok(())
    })?;
    Ok(points)
}

/// Writes a cypher-shell export; `path` must not exist.
pub(super) fn write_export<'a>(
    path: &Path,
    nodes: impl Iterator<Item = (&'a u32, &'a Node)>,
    relationships: impl Iterator<Item = &'a Edge>,
) -> io::Result<()> {
    let schema = schema_lines();
    let mut export = ExportWriter::new(File::create_new(path)?, &schema, Vec::new()).map_err(io::Error::other)?;
    for (id, node) in nodes {
        let node = ExportNode { id: i64::from(*id), labels: node.labels.clone(), properties: node.properties.clone() };
        export.node(&node).map_err(io::Error::other)?;
    }
    for edge in relationships {
        let relationship = ExportRelationship {
            start: i64::from(edge.from),
            end: i64::from(edge.to),
            rel_type: edge.kind.clone(),
            properties: BTreeMap::new(),
        };
        export.relationship(&relationship).map_err(io::Error::other)?;
    }
    export.finish().map_err(io::Error::other)?;
    Ok(())
}

/// The one constraint that the fake graph has.
pub(super) fn schema_lines() -> Vec<String> {
    vec!["CREATE CONSTRAINT chapter_number FOR (node:Chapter) REQUIRE (node.number) IS UNIQUE".to_owned()]
}

/// Reads an export back. Its nodes must be told by their import ids, as ours are.
pub(super) fn read_export(path: &Path) -> io::Result<(BTreeMap<u32, Node>, BTreeSet<Edge>)> {
    let id_of = |key: &[backup_formats::cypher_export::CypherValue]| {
        let id = key.first().and_then(|v| v.as_integer()).and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| io::Error::other("a node that the fake cannot number"))
    };
    let (mut nodes, mut edges) = (BTreeMap::new(), BTreeSet::new());
    let mut export = ExportReader::open(path).map_err(io::Error::other)?;
    while let Some(item) = export.next_item().map_err(io::Error::other)? {
        match item {
            Item::NodeBatch(batch) => {
                let mut labels = batch.labels;
                labels.sort();
                for row in batch.rows {
                    nodes.insert(id_of(&row.key)?, Node { labels: labels.clone(), properties: row.properties });
                }
            }
            Item::RelationshipBatch(batch) => {
                for row in batch.rows {
                    edges.insert(Edge::new(&batch.rel_type, id_of(&row.start)?, id_of(&row.end)?));
                }
            }
            _ => {}
        }
    }
    Ok((nodes, edges))
}

/// Chapters as every inventory tells them.
pub(super) fn chapters_inventory(name: &str, chapters: &Chapters) -> Inventory {
    let lines: Vec<String> = chapters.iter().map(|(key, hash)| format!("{key}={hash}")).collect();
    Inventory {
        name: name.into(),
        rows: Some(lines.len() as u64),
        digest: Some(lines.join(",")),
        ..Inventory::default()
    }
}

/// A collection as every inventory tells it.
pub(super) fn points_inventory(name: &str, points: &Collection) -> Inventory {
    let ids: Vec<PointId> = points.iter().map(|(id, point)| point_id(*id, point)).collect();
    let fingerprint: backup_formats::qdrant_snapshot::IdSetFingerprint = ids.iter().collect();
    Inventory {
        name: name.into(),
        points: Some(fingerprint.count),
        digest: Some(hex::encode(fingerprint.xor)),
        ..Inventory::default()
    }
}

/// Nodes and relationships as every inventory tells them.
pub(super) fn graph_inventory<'a>(
    name: &str,
    nodes: impl Iterator<Item = &'a Node>,
    relationships: impl Iterator<Item = &'a Edge>,
) -> Inventory {
    let mut inventory = Inventory { name: name.into(), relationships: Some(0), ..Inventory::default() };
    for node in nodes {
        *inventory.nodes.get_or_insert(0) += 1;
        for label in node.labels.iter().filter(|l| !l.starts_with("latest_copy")) {
            *inventory.labels.entry(label.clone()).or_default() += 1;
        }
    }
    for edge in relationships {
        *inventory.relationships.get_or_insert(0) += 1;
        *inventory.types.entry(edge.kind.clone()).or_default() += 1;
    }
    inventory
}

/// A file that was just written.
pub(super) fn taken(path: &Path, inventory: Inventory) -> io::Result<CopyTaken> {
    let bytes = std::fs::read(path)?;
    let sha256 = Sha256Digest::of(&bytes).to_string();
    Ok(CopyTaken { path: path.to_owned(), bytes: bytes.len() as u64, sha256, inventory })
}

/// What a store says of a file it cannot write or read.
pub(super) fn file_error(store: StoreKind, operation: &str, path: &Path, error: &io::Error) -> StoreError {
    let fault = match error.kind() {
        io::ErrorKind::NotFound => Fault::Missing,
        io::ErrorKind::AlreadyExists => Fault::Refused,
        io::ErrorKind::StorageFull => Fault::Full,
        _ => Fault::Corrupt,
    };
    StoreError {
        store,
        endpoint: path.display().to_string(),
        operation: operation.to_owned(),
        fault,
        detail: error.to_string(),
    }
}

/// Writes `latest-copy` as it is after a commit: production, staging left out.
pub(super) fn write_latest_copy(folder: &Path, data: &Data) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    write_chapters(&folder.join("metadata.db"), &data.chapters)?;
    let points = data.collections.get(&data.production_collection()).cloned().unwrap_or_default();
    write_snapshot(&folder.join("textbook_chunks_latest.snapshot"), &points)?;
    let selector = data.selector();
    let staged = |id: &u32| data.nodes.get(id).is_some_and(|n| n.is_selected(&selector));
    write_export(
        &folder.join("neo4j_latest.cypher"),
        data.nodes.iter().filter(|(id, _)| !staged(id)),
        data.relationships.iter().filter(|e| !staged(&e.from) && !staged(&e.to)),
    )?;
    let mut sums = Checksums::default();
    for name in ["metadata.db", "textbook_chunks_latest.snapshot", "neo4j_latest.cypher"] {
        sums.insert(name, Sha256Digest::of(&std::fs::read(folder.join(name))?));
    }
    std::fs::write(folder.join("checksums.txt"), sums.to_string())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
