//! Damage to production, to be found by a validation.

use rollback_types::{Timestamp, VersionId, VersionState};

use super::data::{Edge, Node, Point};
use super::deployment::FakeDeployment;

impl FakeDeployment {
    /// Adds or overwrites a point of a collection; `None` leaves the field out of its payload.
    pub fn put_point(&self, collection: &str, id: u64, chunk_id: Option<&str>, version_id: Option<&str>) {
        let point = Point::new(id, chunk_id.map(str::to_owned), version_id.map(str::to_owned));
        self.change(|d| drop(d.collections.entry(collection.to_owned()).or_default().insert(id, point)));
    }

    /// Makes the vectors of a collection longer by one: those of another model.
    pub fn lengthen_vectors(&self, collection: &str) {
        self.change(|d| {
            let points = d.collections.get_mut(collection).into_iter().flat_map(|points| points.values_mut());
            points.for_each(|point| point.vector.push(0.0));
        });
    }

    /// Removes the points of a collection that have one of these ids.
    pub fn remove_points(&self, collection: &str, ids: std::ops::Range<u64>) {
        self.change(|d| {
            if let Some(points) = d.collections.get_mut(collection) {
                points.retain(|id, _| !ids.contains(id));
            }
        });
    }

    /// Removes a whole collection, aliases to it left dangling.
    pub fn remove_collection(&self, collection: &str) {
        self.change(|d| drop(d.collections.remove(collection)));
    }

    /// Searches in a collection do not find this point any more.
    pub fn hide_from_search(&self, collection: &str, ids: std::ops::Range<u64>) {
        self.change(|d| {
            for (id, point) in d.collections.entry(collection.to_owned()).or_default() {
                point.indexed &= !ids.contains(id);
            }
        });
    }

    /// Commits a version, later than anything that has happened.
    pub fn commit_later(&self, id: &str) {
        self.change(|d| {
            d.versions.insert(VersionId::new(id), (VersionState::Committed, None));
            d.written.insert(VersionId::new(id), Timestamp::from_unix_ms(Timestamp::now().unix_ms() + 60_000));
        });
    }

    /// Removes a chapter's row.
    pub fn remove_chapter(&self, key: &str) {
        self.change(|d| drop(d.chapters.remove(key)));
    }

    /// Adds a chapter's row.
    pub fn put_chapter(&self, key: &str) {
        self.change(|d| drop(d.chapters.insert(key.to_owned(), "hash".into())));
    }

    /// Adds or overwrites a node: a `Paragraph` with a chunk id, any other label with an id.
    pub fn put_node(&self, number: u32, label: &str, id: &str) {
        self.change(|d| drop(d.nodes.insert(number, Node::new(number, label, id))));
    }

    /// Sets or, with `None`, removes a node's property.
    pub fn set_property(&self, number: u32, key: &str, value: Option<&str>) {
        self.change(|d| {
            let Some(node) = d.nodes.get_mut(&number) else { return };
            match value {
                Some(value) => drop(node.properties.insert(key.to_owned(), value.into())),
                None => drop(node.properties.remove(key)),
            }
        });
    }

    /// Leaves a safety backup of production as it is, as the pipeline does before an ingestion.
    pub fn leave_safety_backup(&self, id: &str) {
        self.change(|d| {
            let points = d.collections.get(&d.production_collection()).cloned().unwrap_or_default();
            d.collections.insert(format!("textbook_chunks_{id}"), points);
            d.safety_chapters.insert(VersionId::new(id), d.chapters.clone());
            d.versions.insert(VersionId::new(id), (VersionState::Pending, None));
        });
    }

    /// Joins two nodes.
    pub fn relate(&self, kind: &str, from: u32, to: u32) {
        self.change(|d| {
            d.relationships.insert(Edge::new(kind, from, to));
        });
    }

    /// Removes the relationships of a type that reach a node.
    pub fn cut_off(&self, kind: &str, to: u32) {
        self.change(|d| d.relationships.retain(|e| e.kind != kind || e.to != to));
    }
}
