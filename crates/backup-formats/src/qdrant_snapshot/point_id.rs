//! Ids of points, and a fingerprint of a set of them that does not depend on order.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of a point. Shown, parsed and serialised as a decimal number or a hyphenated UUID in lower
/// case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointId {
    /// A number.
    Num(u64),
    /// A UUID's bytes in the order they are written in.
    Uuid([u8; 16]),
}

impl PointId {
    /// The id HybridFlow gives the point of a chunk: the UUID of version 5 of the whole `chunk_id`,
    /// version suffix included, in the DNS namespace.
    pub fn of_chunk(chunk_id: &str) -> Self {
        Self::Uuid(Uuid::new_v5(&Uuid::NAMESPACE_DNS, chunk_id.as_bytes()).into_bytes())
    }
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Num(number) => write!(f, "{number}"),
            Self::Uuid(bytes) => write!(f, "{}", Uuid::from_bytes(*bytes).hyphenated()),
        }
    }
}

/// A text that is neither a decimal number below 2^64 nor a hyphenated UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a point id: a decimal number or a hyphenated UUID is expected")]
pub struct NotAPointId;

impl FromStr for PointId {
    type Err = NotAPointId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map(Self::Num).map_err(|_| NotAPointId);
        }
        // The other spellings the parser knows would make one id look like two.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self::Uuid(uuid.into_bytes())),
            _ => Err(NotAPointId),
        }
    }
}

impl Serialize for PointId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PointId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The fingerprint of a set of point ids: the same for the same set in any order, and built one id
/// at a time. It is the XOR of the SHA-256 of each id, written `num:<decimal>` or as the hyphenated
/// UUID in lower case, beside the count. Each id must be inserted once: the same id twice cancels out.
///
/// It tells sets apart that differ by accident. It is no defence against someone who forges ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdSetFingerprint {
    /// How many ids were inserted.
    pub count: u64,
    /// XOR of their hashes; 64 hexadecimal digits when serialised.
    #[serde(with = "hex::serde")]
    pub xor: [u8; 32],
}

impl IdSetFingerprint {
    /// Adds an id that was not added before.
    pub fn insert(&mut self, id: &PointId) {
        let canonical = match id {
            PointId::Num(_) => format!("num:{id}"),
            PointId::Uuid(_) => id.to_string(),
        };
        let hash = Sha256::digest(canonical.as_bytes());
        for (byte, other) in self.xor.iter_mut().zip(hash) {
            *byte ^= other;
        }
        self.count += 1;
    }
}

impl<'a> FromIterator<&'a PointId> for IdSetFingerprint {
    fn from_iter<I: IntoIterator<Item = &'a PointId>>(ids: I) -> Self {
        let mut fingerprint = Self::default();
        for id in ids {
            fingerprint.insert(id);
        }
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_id() -> impl Strategy<Value = PointId> {
        prop_oneof![any::<u64>().prop_map(PointId::Num), any::<[u8; 16]>().prop_map(PointId::Uuid)]
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        assert_eq!("42".parse(), Ok(PointId::Num(42)));
        for text in [
            "",
            "-1",
            "+1",
            "18446744073709551616",
            "2368e499e61d50eeb78f364aa40265d9",
            "{2368e499-e61d-50ee-b78f-364aa40265}",
        ] {
            assert_eq!(text.parse::<PointId>(), Err(NotAPointId), "{text}");
        }
    }

    #[test]
    fn fingerprint_is_serialised_as_hex() {
        let fingerprint: IdSetFingerprint = [PointId::Num(1)].iter().collect();
        let json = serde_json::to_value(fingerprint).unwrap();
        let expected = crate::checksums::Sha256Digest::of(b"num:1").to_string();
        assert_eq!(json, serde_json::json!({"count": 1, "xor": expected}));
        assert_eq!(serde_json::from_value::<IdSetFingerprint>(json).unwrap(), fingerprint);
    }

    proptest! {
        #[test]
        fn ids_are_read_back(id in any_id()) {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<PointId>(&json).unwrap(), id);
        }

        #[test]
        fn order_does_not_matter_and_content_does(ids in prop::collection::btree_set(any_id(), 1..20)) {
            let forwards: IdSetFingerprint = ids.iter().collect();
            let backwards: IdSetFingerprint = ids.iter().rev().collect();
            prop_assert_eq!(forwards, backwards);
            let fewer: IdSetFingerprint = ids.iter().skip(1).collect();
            prop_assert_ne!(forwards, fewer);
        }
    }
}
