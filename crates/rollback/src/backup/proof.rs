//! The costly part of a look at one file: its hash, and whether it opens. Blocking; runs on a thread of its own.

use std::fs::{File, Metadata};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use backup_formats::{checksums, cypher_export, qdrant_snapshot};
use rollback_types::{Inventory, StoreKind};

/// What tells that a file is still the one that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub bytes: u64,
    pub modified_ns: i64,
    pub inode: u64,
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
pub(super) fn open(store: StoreKind, path: &Path, on_bytes: OnBytes) -> Result<(Inventory, String), String> {
    let file = File::open(path).map_err(|e| format!("it cannot be opened: {e}"))?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    match store {
        StoreKind::Qdrant => open_snapshot(file, name, on_bytes),
        _ => open_export(file, name, on_bytes),
    }
}

fn open_snapshot(file: File, name: String, on_bytes: OnBytes) -> Result<(Inventory, String), String> {
    let summary = qdrant_snapshot::inspect(BufReader::new(file), on_bytes).map_err(|e| e.to_string())?;
    let shape = match (summary.vector_size, &summary.distance) {
        (Some(size), Some(distance)) => format!(", {size} dimensions, {distance}"),
        _ => String::new(),
    };
    let (points, said) = match summary.points {
        qdrant_snapshot::PointCount::Exact(n) => (Some(n), format!("a whole archive, {n} points{shape}")),
        qdrant_snapshot::PointCount::CantTell(why) => {
            (None, format!("a whole archive{shape}; its points cannot be counted offline: {why}"))
        }
    };
    let digest = summary.ids.map(|ids| hex::encode(ids.xor));
    Ok((Inventory { name, points, digest, ..Inventory::default() }, said))
}

fn open_export(file: File, name: String, on_bytes: OnBytes) -> Result<(Inventory, String), String> {
    let summary = cypher_export::summarize(file, on_bytes).map_err(|e| e.to_string())?;
    let mut said = format!(
        "parsed to its end: {} nodes, {} relationships, {} constraints and indexes",
        summary.nodes,
        summary.relationships,
        summary.schema_statements.len()
    );
    if summary.form.lacks_a_schema_statement() {
        said.push_str("; written by HybridFlow's backup script, which cut one schema statement off");
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
    Ok((inventory, said))
}
