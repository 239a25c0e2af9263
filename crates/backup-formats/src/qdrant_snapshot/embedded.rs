//! The snapshot of the embedded vector store: the outer structure of Qdrant's, so that one check
//! reads both, with files of our own for vectors and payload.
//!
//! `0/segments/<uuid>.tar` holds `mutable_id_tracker.mappings` (the ids, in Qdrant's log layout),
//! `payload.jsonl` (one JSON value a line) and `vectors.f32` (little-endian), all in the same order.
//! No Qdrant server can restore it, and `version.info` says so: `embedded-1`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use serde_json::{Value, json};
use tar::{Archive, Builder, Entry, EntryType, Header};

use super::PointId;

/// The format's name in `version.info`.
const VERSION: &str = "embedded-1";
/// There is one segment, so its name need not be unique.
const SEGMENT: &str = "0/segments/00000000-0000-4000-8000-000000000001.tar";
const IDS: &str = "mutable_id_tracker.mappings";
const PAYLOAD: &str = "payload.jsonl";
const VECTORS: &str = "vectors.f32";
const BLOCK: u64 = 512;
/// The longest line of payload that is read.
const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// One point with all it carries.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotPoint {
    /// Its id.
    pub id: PointId,
    /// Its vector; as many numbers as the collection has dimensions.
    pub vector: Vec<f32>,
    /// Its payload, a JSON object as a rule.
    pub payload: Value,
}

/// Writes a snapshot of the embedded store and gives the number of points. The points pass through
/// nameless files in the folder `scratch`, which must have as much room as the snapshot needs; memory
/// holds only their ids. Buffer `out`. Blocks.
///
/// # Errors
/// The iterator's own; [`io::ErrorKind::InvalidData`] for a vector of another length than `dim`, or an
/// id that came before; whatever writing gives. `out` is no whole archive then.
pub fn write_embedded_snapshot(
    out: impl Write,
    scratch: &Path,
    dim: u32,
    points: impl Iterator<Item = io::Result<SnapshotPoint>>,
) -> io::Result<u64> {
    let mut ids = Part::new(scratch)?;
    let mut payload = Part::new(scratch)?;
    let mut vectors = Part::new(scratch)?;
    let mut seen = HashSet::new();
    for point in points {
        let point = point?;
        let slot = u32::try_from(seen.len()).map_err(|_| invalid("too many points".to_owned()))?;
        if point.vector.len() as u64 != u64::from(dim) {
            let length = point.vector.len();
            return Err(invalid(format!("point {} has {length} dimensions, not {dim}", point.id)));
        }
        if !seen.insert(point.id) {
            return Err(invalid(format!("point {} came twice", point.id)));
        }
        match point.id {
            PointId::Num(number) => {
                ids.write(&[1])?;
                ids.write(&number.to_le_bytes())?;
            }
            PointId::Uuid(bytes) => {
                ids.write(&[2])?;
                ids.write(&bytes)?;
            }
        }
        ids.write(&slot.to_le_bytes())?;
        payload.write(&serde_json::to_vec(&point.payload)?)?;
        payload.write(b"\n")?;
        for number in &point.vector {
            vectors.write(&number.to_le_bytes())?;
        }
    }

    let config = json!({"params": {"vectors": {"size": dim, "distance": "Cosine"}, "shard_number": 1}});
    let mut archive = Builder::new(out);
    append_bytes(&mut archive, "config.json", &serde_json::to_vec(&config)?)?;
    append_bytes(&mut archive, "version.info", VERSION.as_bytes())?;
    let parts = [(IDS, ids), (PAYLOAD, payload), (VECTORS, vectors)];
    // A header and its content in whole blocks for each, and the two empty blocks at the end.
    let content = parts.iter().map(|(_, part)| BLOCK + part.size.div_ceil(BLOCK) * BLOCK).sum::<u64>();
    let inner_size = content + 2 * BLOCK;
    let header = header(SEGMENT, inner_size)?;
    archive.get_mut().write_all(header.as_bytes())?;
    let mut inner = Builder::new(archive.get_mut());
    for (name, part) in parts {
        let header = self::header(name, part.size)?;
        inner.append(&header, part.into_reader()?)?;
    }
    inner.finish()?;
    drop(inner);
    // The segment ends in zeros; a last file that does not lets every cut of the end mark be seen.
    append_bytes(&mut archive, "shard_key_mapping.json", b"[]")?;
    archive.finish()?;
    archive.get_mut().flush()?;
    Ok(seen.len() as u64)
}

/// Gives every point of an embedded snapshot, in the order it was written. The vectors pass through
/// a nameless file in the folder `scratch`. Check the file with [`inspect`](super::inspect) first.
///
/// # Errors
/// `on_point`'s own; [`io::ErrorKind::InvalidData`] when it is no embedded snapshot or damaged;
/// whatever reading gives.
pub fn read_embedded_points(
    reader: impl Read,
    scratch: &Path,
    mut on_point: impl FnMut(SnapshotPoint) -> io::Result<()>,
) -> io::Result<u64> {
    let mut archive = Archive::new(reader);
    let mut dim = None;
    for entry in archive.entries()? {
        let entry = whole(entry?)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match path.as_str() {
            "config.json" => {
                let config: Value = serde_json::from_reader(entry.take(MAX_PAYLOAD))?;
                dim = config.pointer("/params/vectors/size").and_then(Value::as_u64);
            }
            "version.info" => {
                let mut version = String::new();
                entry.take(64).read_to_string(&mut version)?;
                if version != VERSION {
                    return Err(invalid(format!("its version is {version:?}, not {VERSION:?}")));
                }
            }
            SEGMENT => {
                let dim = dim.and_then(|dim| usize::try_from(dim).ok());
                let dim = dim.ok_or_else(|| invalid("config.json must come first".to_owned()))?;
                return read_segment(entry, scratch, dim, &mut on_point);
            }
            _ => {}
        }
    }
    Err(invalid("there are no points of an embedded store in it".to_owned()))
}

fn read_segment(
    segment: impl Read,
    scratch: &Path,
    dim: usize,
    on_point: &mut dyn FnMut(SnapshotPoint) -> io::Result<()>,
) -> io::Result<u64> {
    let mut ids = Vec::new();
    let mut payload = Part::new(scratch)?;
    let mut archive = Archive::new(segment);
    for entry in archive.entries()? {
        let mut entry = whole(entry?)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match path.as_str() {
            IDS => ids = read_ids(BufReader::new(entry))?,
            PAYLOAD => {
                io::copy(&mut entry, &mut payload.file)?;
            }
            VECTORS => {
                let mut payload = BufReader::new(payload.into_reader()?);
                let mut vectors = BufReader::new(entry);
                for &id in &ids {
                    let mut line = Vec::new();
                    payload.by_ref().take(MAX_PAYLOAD).read_until(b'\n', &mut line)?;
                    let payload = serde_json::from_slice(&line)?;
                    let mut vector = Vec::new();
                    for _ in 0..dim {
                        let mut number = [0; 4];
                        vectors.read_exact(&mut number)?;
                        vector.push(f32::from_le_bytes(number));
                    }
                    on_point(SnapshotPoint { id, vector, payload })?;
                }
                return Ok(ids.len() as u64);
            }
            _ => {}
        }
    }
    Err(invalid("the file of vectors is missing".to_owned()))
}

/// A sparse file may claim any size, and would fill the disk; none is ever written into this archive.
fn whole<R: Read>(entry: Entry<'_, R>) -> io::Result<Entry<'_, R>> {
    if entry.header().entry_type().is_gnu_sparse() {
        return Err(invalid("it holds a sparse file, as no embedded store writes one".to_owned()));
    }
    Ok(entry)
}

/// The ids in the order they were written: the log of an embedded snapshot holds no deletions.
fn read_ids(mut log: impl Read) -> io::Result<Vec<PointId>> {
    let mut ids = Vec::new();
    let mut tag = [0];
    while log.read(&mut tag)? == 1 {
        let id = if tag == [1] {
            let mut number = [0; 8];
            log.read_exact(&mut number)?;
            PointId::Num(u64::from_le_bytes(number))
        } else if tag == [2] {
            let mut bytes = [0; 16];
            log.read_exact(&mut bytes)?;
            PointId::Uuid(bytes)
        } else {
            return Err(invalid(format!("the table of ids holds the unknown tag {}", tag[0])));
        };
        log.read_exact(&mut [0; 4])?;
        ids.push(id);
    }
    Ok(ids)
}

/// A part of the snapshot whose size must be known before it can be written.
struct Part {
    file: BufWriter<File>,
    size: u64,
}

impl Part {
    fn new(scratch: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile_in(scratch)?), size: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    fn into_reader(self) -> io::Result<File> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }
}

fn header(path: &str, size: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(path)?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Ok(header)
}

fn append_bytes(archive: &mut Builder<impl Write>, path: &str, content: &[u8]) -> io::Result<()> {
    archive.append(&header(path, content.len() as u64)?, content)
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
