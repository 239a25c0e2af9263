//! Collections in memory, and the server's own words for what is wrong.

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{CollectionStatus, Filter, PointId, Value};
use tonic::Status;
use uuid::Uuid;

use super::faults::{Call, Faults};

/// Scrolling goes by id: numbers first, then UUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PointKey {
    Num(u64),
    Uuid(Uuid),
}

impl PointKey {
    pub(super) fn read(id: Option<&PointId>) -> Result<Self, Status> {
        match id.and_then(|id| id.point_id_options.as_ref()) {
            Some(PointIdOptions::Num(number)) => Ok(Self::Num(*number)),
            Some(PointIdOptions::Uuid(text)) => Uuid::parse_str(text)
                .map(Self::Uuid)
                .map_err(|_| Status::invalid_argument(format!("Unable to parse UUID: {text}"))),
            None => Err(Status::invalid_argument("Malformed PointId")),
        }
    }

    pub(super) fn write(self) -> PointId {
        match self {
            Self::Num(number) => PointId::from(number),
            Self::Uuid(uuid) => PointId::from(uuid.to_string()),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) payload: HashMap<String, Value>,
    pub(super) vector: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(super) struct Collection {
    pub(super) dimensions: u64,
    pub(super) distance: i32,
    pub(super) points: BTreeMap<PointKey, Point>,
    pub(super) status: CollectionStatus,
    /// Snapshot files by name.
    pub(super) snapshots: BTreeMap<String, Vec<u8>>,
}

impl Collection {
    /// All points as text, keys of the payload sorted.
    pub(super) fn content(&self) -> String {
        let line = |(key, point): (&PointKey, &Point)| {
            let payload: BTreeMap<_, _> = point.payload.iter().collect();
            format!("{key:?} {:?} {payload:?}\n", point.vector)
        };
        self.points.iter().map(line).collect()
    }
}

#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) collections: BTreeMap<String, Collection>,
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) faults: Faults,
    pub(super) seen: Vec<Call>,
}

impl Data {
    pub(super) fn put_collection(&mut self, name: &str, dimensions: u64, distance: i32) {
        let collection = Collection {
            dimensions,
            distance,
            points: BTreeMap::new(),
            status: CollectionStatus::Green,
            snapshots: BTreeMap::new(),
        };
        self.collections.insert(name.to_owned(), collection);
    }

    /// Makes a new collection; a name that is taken is refused.
    pub(super) fn create_collection(&mut self, name: &str, dimensions: u64, distance: i32) -> Result<(), Status> {
        if self.collections.contains_key(name) {
            return Err(Status::already_exists(format!("Wrong input: Collection `{name}` already exists!")));
        }
        if self.aliases.contains_key(name) {
            return Err(Status::invalid_argument(format!(
                "Wrong input: Can't create collection with name {name}. Alias with the same name already exists"
            )));
        }
        self.put_collection(name, dimensions, distance);
        Ok(())
    }

    /// False for a missing collection and for the name of an alias; aliases of a deleted collection go along.
    pub(super) fn delete_collection(&mut self, name: &str) -> bool {
        let removed = self.collections.remove(name).is_some();
        if removed {
            self.aliases.retain(|_, collection| collection != name);
        }
        removed
    }

    /// Every read follows an alias in silence.
    pub(super) fn find(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let missing = || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        let name = self.aliases.get(name).map_or(name, String::as_str);
        self.collections.get_mut(name).ok_or_else(missing)
    }
}

/// Does a point's payload fit? Only "must match this keyword" is known; anything else is refused rather than guessed.
pub(super) fn fits(filter: Option<&Filter>, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    let Some(filter) = filter else { return Ok(true) };
    if !filter.should.is_empty() || !filter.must_not.is_empty() || filter.min_should.is_some() {
        return Err(Status::unimplemented("the double only knows `must`"));
    }
    for condition in &filter.must {
        let Some(ConditionOneOf::Field(field)) = &condition.condition_one_of else {
            return Err(Status::unimplemented("the double only knows conditions on a field"));
        };
        let Some(MatchValue::Keyword(wanted)) = field.r#match.as_ref().and_then(|m| m.match_value.as_ref()) else {
            return Err(Status::unimplemented("the double only knows matches of a keyword"));
        };
        let found = payload.get(&field.key).and_then(|value| value.kind.as_ref());
        if !matches!(found, Some(Kind::StringValue(text)) if text == wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}
