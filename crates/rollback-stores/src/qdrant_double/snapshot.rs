//! Snapshot files of the double. Outside a plain tar with the entries of a real one that a check looks at; inside the
//! double's own form, which no Qdrant server can restore.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use qdrant_client::qdrant::CollectionStatus;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tonic::Status;
use uuid::Uuid;

use super::data::{Collection, Data, Point, PointKey};

/// What the server says about a snapshot file.
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Hex SHA-256; absent for uploaded files.
    pub(super) checksum: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    dimensions: u64,
    distance: i32,
    points: Vec<(String, serde_json::Map<String, serde_json::Value>, Vec<f32>)>,
}

const CONTENT: &str = "0/double.json";
/// Where a check finds the ids.
const SEGMENT: &str = "0/segments/00000000-0000-4000-8000-00000000d0b1.tar";

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn pack(collection: &Collection) -> io::Result<Vec<u8>> {
    let points = collection.points.iter().map(|(key, point)| {
        let id = match key {
            PointKey::Num(number) => number.to_string(),
            PointKey::Uuid(uuid) => uuid.to_string(),
        };
        (id, qdrant_client::Payload::from(point.payload.clone()).into(), point.vector.clone())
    });
    let content =
        Content { dimensions: collection.dimensions, distance: collection.distance, points: points.collect() };
    let vectors = serde_json::json!({"size": collection.dimensions, "distance": "Cosine"});
    let config = serde_json::json!({"params": {"vectors": vectors, "shard_number": 1}});
    archive([
        ("config.json", serde_json::to_vec(&config)?),
        ("version.info", b"double-1".to_vec()),
        (SEGMENT, archive([("mutable_id_tracker.mappings", id_log(collection))])?),
        (CONTENT, serde_json::to_vec(&content)?),
    ])
}

/// The ids as a server logs them: a tag for their kind, the id, and its place.
fn id_log(collection: &Collection) -> Vec<u8> {
    let mut log = Vec::new();
    for (place, key) in (0_u32..).zip(collection.points.keys()) {
        match key {
            PointKey::Num(number) => {
                log.push(1);
                log.extend_from_slice(&number.to_le_bytes());
            }
            PointKey::Uuid(uuid) => {
                log.push(2);
                log.extend_from_slice(uuid.as_bytes());
            }
        }
        log.extend_from_slice(&place.to_le_bytes());
    }
    log
}

fn archive<const N: usize>(files: [(&str, Vec<u8>); N]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()
}

fn unpack(bytes: &[u8]) -> io::Result<Collection> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path_bytes().as_ref() != CONTENT.as_bytes() {
            continue;
        }
        let mut json = Vec::new();
        entry.read_to_end(&mut json)?;
        let content: Content = serde_json::from_slice(&json)?;
        let mut points = BTreeMap::new();
        for (id, payload, vector) in content.points {
            let key = match id.parse() {
                Ok(number) => PointKey::Num(number),
                Err(_) => PointKey::Uuid(Uuid::parse_str(&id).map_err(|_| invalid("an id is damaged"))?),
            };
            points.insert(key, Point { payload: qdrant_client::Payload::from(payload).into(), vector });
        }
        return Ok(Collection {
            dimensions: content.dimensions,
            distance: content.distance,
            points,
            status: CollectionStatus::Green,
            snapshots: BTreeMap::new(),
        });
    }
    Err(invalid("no content"))
}

impl Data {
    /// Makes a snapshot file of a collection, or of the one its alias points to.
    pub(super) fn make_snapshot(&mut self, collection: &str) -> Result<Stored, Status> {
        // A real name counts seconds, and two of one second are one file. Here the clock stands still.
        let name = format!("{collection}-3141592653589793-2026-01-01-00-00-00.snapshot");
        let found = self.find(collection)?;
        let bytes = pack(found).map_err(|e| Status::internal(e.to_string()))?;
        let stored = Stored { name: name.clone(), bytes: bytes.len() as u64, checksum: Some(sha256(&bytes)) };
        found.snapshots.insert(name, bytes);
        Ok(stored)
    }

    pub(super) fn list_snapshots(&mut self, collection: &str) -> Result<Vec<Stored>, Status> {
        let found = self.find(collection)?;
        Ok(found
            .snapshots
            .iter()
            .map(|(name, bytes)| Stored { name: name.clone(), bytes: bytes.len() as u64, checksum: None })
            .collect())
    }

    pub(super) fn snapshot_bytes(&mut self, collection: &str, name: &str) -> Result<Vec<u8>, Status> {
        let missing = || Status::not_found(format!("Not found: Snapshot {name} not found"));
        self.find(collection)?.snapshots.get(name).cloned().ok_or_else(missing)
    }

    pub(super) fn delete_snapshot(&mut self, collection: &str, name: &str) -> Result<(), Status> {
        let missing = || Status::not_found(format!("Not found: Snapshot {name} not found"));
        self.find(collection)?.snapshots.remove(name).map(|_| ()).ok_or_else(missing)
    }

    /// An upload recovers at once: a missing collection is made, an alias is followed, and another collection's
    /// snapshot of the same vector size is taken without a word. The file stays in the list.
    pub(super) fn restore(&mut self, collection: &str, file: &str, bytes: Vec<u8>) -> Result<(), Status> {
        let mut restored = unpack(&bytes).map_err(|e| Status::internal(format!("Service internal error: {e}")))?;
        let name = self.aliases.get(collection).cloned().unwrap_or_else(|| collection.to_owned());
        if let Some(old) = self.collections.get(&name) {
            if (old.dimensions, old.distance) != (restored.dimensions, restored.distance) {
                return Err(Status::invalid_argument(
                    "Wrong input: Snapshot is not compatible with existing collection: vectors differ",
                ));
            }
            restored.snapshots.clone_from(&old.snapshots);
        }
        restored.snapshots.insert(file.to_owned(), bytes);
        self.collections.insert(name, restored);
        Ok(())
    }
}
