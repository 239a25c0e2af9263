//! The costly part of a look at one file: its hash, and whether it opens. Blocking; runs on a thread of its own.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use backup_formats::foreign::{self, ForeignKind};
use backup_formats::{checksums, cypher_export, qdrant_snapshot};
use rollback_types::quantity::counted;
use rollback_types::{Inventory, StoreKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{SnapshotForm, VectorShape};

/// What tells that a file is still the one that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub bytes: u64,
    pub modified_ns: i64,
    pub inode: u64,
}

/// What was proven of one file when it last was read; kept in the journal, so that a restart reads nothing again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FileProof {
    pub identity: Identity,
    pub sha256: String,
    pub opened: Result<FileContents, String>,
    pub at: Timestamp,
    /// Hashing and opening together.
    pub took_ms: u64,
    #[serde(default)]
    pub trial: Option<TrialProof>,
}

/// How a trial restore of exactly this file went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TrialProof {
    pub outcome: Result<String, String>,
    pub at: Timestamp,
    pub took_ms: u64,
}

/// What a file that opens holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileContents {
    pub inventory: Inventory,
    /// In one sentence.
    pub said: String,
    /// Neo4j: nodes with the staging label.
    #[serde(default)]
    pub staged_nodes: u64,
    /// Neo4j: its paragraphs, staging left out.
    #[serde(default)]
    pub paragraphs: Option<Paragraphs>,
    /// Qdrant: who can restore it. `None` of what an earlier Stepback has proven, until it is read again.
    #[serde(default)]
    pub snapshot_form: Option<SnapshotForm>,
    /// Qdrant: what kind of vectors. `None` of what an earlier Stepback has proven, until it is read again.
    #[serde(default)]
    pub vectors: Option<VectorShape>,
}

impl Identity {
    pub(super) fn of(meta: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(meta);
        #[cfg(not(unix))]
        let inode = 0;
        let modified_ns = meta
            .modified()
            .ok()
            .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|d| i64::try_from(d.as_nanos()).ok())
            .unwrap_or(0);
        Self { bytes: meta.len(), modified_ns, inode }
    }
}

/// Bytes read so far by one pass over a file.
pub(super) type OnBytes = Box<dyn FnMut(u64) + Send>;

/// Paragraphs of an export, as a snapshot's points are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Paragraphs {
    pub count: u64,
    /// The fingerprint of the points that belong to them; absent when one has no chunk id.
    pub digest: Option<String>,
}

/// SHA-256 of the whole file, lower-case hex. Fails when the file changes under it.
pub(super) fn hash(path: PathBuf, on_bytes: OnBytes) -> io::Result<String> {
    let file = File::open(&path)?;
    let before = Identity::of(&file.metadata()?);
    let digest = checksums::sha256_reader(&file, on_bytes)?;
    if Identity::of(&file.metadata()?) != before {
        return Err(io::Error::other("it was written to while it was being read"));
    }
    Ok(digest.to_string())
}

/// What a snapshot or an export holds, or why it does not open. (SQLite opens through its own store.)
/// `staging_label` marks nodes of an export that are no paragraphs of production.
pub(super) fn open(
    store: StoreKind,
    path: &Path,
    staging_label: &str,
    on_bytes: OnBytes,
) -> Result<FileContents, String> {
    must_be_of(store, path)?;
    let file = File::open(path).map_err(|e| format!("it cannot be opened: {e}"))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    match store {
        StoreKind::Qdrant => open_snapshot(file, name, on_bytes),
        _ => open_export(file, name, staging_label, on_bytes),
    }
}

/// Refuses what begins like something else altogether, in the words for that.
pub(super) fn must_be_of(store: StoreKind, path: &Path) -> Result<(), String> {
    let mut head = Vec::with_capacity(foreign::HEAD);
    let read = File::open(path).and_then(|file| file.take(foreign::HEAD as u64).read_to_end(&mut head));
    read.map_err(|e| format!("it cannot be opened: {e}"))?;
    match (store, ForeignKind::of(&head)) {
        (_, None) | (StoreKind::Sqlite, Some(ForeignKind::Sqlite)) | (StoreKind::Qdrant, Some(ForeignKind::Tar)) => {
            Ok(())
        }
        (_, Some(kind)) => Err(kind.said()),
    }
}

fn open_snapshot(file: File, name: String, on_bytes: OnBytes) -> Result<FileContents, String> {
    let summary = qdrant_snapshot::inspect(BufReader::new(file), on_bytes).map_err(|e| e.to_string())?;
    let vectors =
        summary.vector_size.zip(summary.distance.clone()).map(|(size, distance)| VectorShape { size, distance });
    let shape = vectors.as_ref().map(|v| format!(", {} dimensions, {}", v.size, v.distance)).unwrap_or_default();
    let (points, mut said) = match &summary.points {
        qdrant_snapshot::PointCount::Exact(n) => {
            (Some(*n), format!("a whole archive, {}{shape}", counted(*n, "points")))
        }
        qdrant_snapshot::PointCount::CantTell(why) => {
            (None, format!("a whole archive{shape}; its points cannot be counted offline: {why}"))
        }
    };
    said.push_str(&made_by(&summary));
    let digest = summary.ids.map(|ids| hex::encode(ids.xor));
    let inventory = Inventory { name, points, digest, ..Inventory::default() };
    let form = if summary.is_embedded() { SnapshotForm::Embedded } else { SnapshotForm::Qdrant };
    Ok(FileContents { inventory, said, staged_nodes: 0, paragraphs: None, snapshot_form: Some(form), vectors })
}

/// What `version.info` tells. A Qdrant restores snapshots of its own minor version only, and writes the format's number there, which
/// stays the same over many versions of the server.
fn made_by(summary: &qdrant_snapshot::SnapshotSummary) -> String {
    match summary.version.as_deref() {
        _ if summary.is_embedded() => "; made by the embedded store: no Qdrant server can restore it".to_owned(),
        Some(format) if !format.is_empty() => {
            let shown: String = format.chars().filter(|c| !c.is_control()).take(20).collect();
            format!(
                "; format {shown}: the file does not name the version of its server, and only the same minor version restores it"
            )
        }
        _ => "; the file names no format: only the server's own minor version restores it".to_owned(),
    }
}

fn open_export(file: File, name: String, staging_label: &str, on_bytes: OnBytes) -> Result<FileContents, String> {
    let summary = cypher_export::summarize_content(file, Some(staging_label), on_bytes).map_err(|e| e.to_string())?;
    let mut said = format!(
        "parsed to its end: {}, {}, {} constraints and indexes",
        counted(summary.nodes, "nodes"),
        counted(summary.relationships, "relationships"),
        summary.schema_statements.len()
    );
    if summary.form.lacks_a_schema_statement() {
        said.push_str(
            "; written by HybridFlow's backup script: one schema statement missing, the graph's own schema tells which",
        );
    }
    if summary.other_statements > 0 {
        return Err(format!("it holds {} statements that no export has", summary.other_statements));
    }
    let labels = summary.labels.into_iter().filter(|(l, _)| !l.starts_with("latest_copy")).collect();
    let inventory = Inventory {
        name,
        nodes: Some(summary.nodes),
        relationships: Some(summary.relationships),
        labels,
        types: summary.relationship_types,
        ..Inventory::default()
    };
    let found = summary.paragraphs;
    let paragraphs = Paragraphs {
        count: found.ids.count + found.without_chunk_id,
        digest: (found.without_chunk_id == 0).then(|| hex::encode(found.ids.xor)),
    };
    let staged_nodes = inventory.labels.get(staging_label).copied().unwrap_or(0);
    let paragraphs = Some(paragraphs);
    Ok(FileContents { inventory, said, staged_nodes, paragraphs, snapshot_form: None, vectors: None })
}
