//! Points as HybridFlow writes them, and the names of the collections they live in.

use serde_json::{Map, Value};
use uuid::Uuid;

/// The payload key of the chunk's id.
pub const CHUNK_ID: &str = "chunk_id";
/// The payload key of the version that wrote the point.
pub const VERSION_ID: &str = "version_id";

/// HybridFlow's id of a chunk's point: the `UUIDv5` of the chunk id in the DNS namespace.
pub fn point_id(chunk_id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, chunk_id.as_bytes())
}

/// One point: what a loader writes.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorPoint {
    /// The id.
    pub id: Uuid,
    /// `chunk_id`, `text` and whatever else is stored beside the vector.
    pub payload: Map<String, Value>,
    /// As many numbers as the collection has dimensions.
    pub vector: Vec<f32>,
}

impl VectorPoint {
    /// A chunk's point: id and `chunk_id` from the chunk, `version_id` when one is given, and `more` payload.
    pub fn of_chunk(chunk_id: &str, version_id: Option<&str>, mut more: Map<String, Value>, vector: Vec<f32>) -> Self {
        more.insert(CHUNK_ID.to_owned(), Value::from(chunk_id));
        if let Some(version) = version_id {
            more.insert(VERSION_ID.to_owned(), Value::from(version));
        }
        Self { id: point_id(chunk_id), payload: more, vector }
    }
}

/// The longest name Qdrant takes, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Why no collection or alias can have this name; `None` when it can. Checked before anything is asked, because such a
/// name would end up in paths and addresses.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the name is empty")
    } else if name.len() > MAX_NAME_BYTES {
        Some("the name is longer than 255 bytes")
    } else if name.contains('/') || name.contains('\\') {
        Some("the name holds a slash")
    } else if name.chars().any(char::is_control) {
        Some("the name holds a control character")
    } else if name == "." || name == ".." {
        Some("the name means a folder")
    } else {
        None
    }
}

/// A name as it may appear in a message: shortened, with its control characters escaped.
pub(crate) fn readable(name: &str) -> String {
    name.chars().take(120).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_uuid5_of_the_chunk_in_the_dns_namespace() {
        // Known from RFC 9562's own example.
        assert_eq!(point_id("www.example.com").to_string(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        let point = VectorPoint::of_chunk("bailey:ch60:2.1.1", Some("production"), Map::new(), vec![0.0]);
        assert_eq!(point.id, point_id("bailey:ch60:2.1.1"));
        assert_eq!(point.payload[CHUNK_ID], "bailey:ch60:2.1.1");
        assert_eq!(point.payload[VERSION_ID], "production");
    }

    #[test]
    fn hostile_names_are_refused_and_odd_ones_taken() {
        for name in ["", "a/b", "../x", "a\\b", "a\0", "a\nb", "..", &"n".repeat(256)] {
            assert!(name_fault(name).is_some(), "{name:?}");
        }
        for name in ["textbook_chunks_staging", "q'u\"o`te", "ünï", "a b", "<script>", "%2F", "a..b"] {
            assert!(name_fault(name).is_none(), "{name:?}");
        }
        assert_eq!(readable("a\nb"), "a\\nb");
    }
}
