//! What the fake stores hold, and the two deployments to begin with.

use std::collections::{BTreeMap, BTreeSet};

use backup_formats::cypher_export::CypherValue;
use rollback_types::{Layout, OperationRow, Timestamp, VersionId, VersionState};

use crate::store::{GraphScope, SnapshotForm, StagingSelector};

/// The failed version of the fake deployment in the shared layout.
pub const FAILED: &str = "v7_minor_20261122_231502";

/// The failed version of the fake deployment in the per-version layout.
pub const FAILED_PER_VERSION: &str = "staging20261122_231502";

/// The version that the per-version deployment committed before: its collection serves production.
pub const COMMITTED_PER_VERSION: &str = "staging20261101_101500";

/// A point with everything that a collection keeps of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub chunk_id: Option<String>,
    pub version_id: Option<String>,
    pub vector: Vec<f32>,
    /// Searches find it.
    pub indexed: bool,
}

impl Point {
    pub(super) fn new(id: u64, chunk_id: Option<String>, version_id: Option<String>) -> Self {
        // Any two directions differ, so that every vector's nearest is itself.
        let vector = (1..=8_u64).map(|k| ((id + 1) as f32 * k as f32 * 0.37).sin()).collect();
        Self { chunk_id, version_id, vector, indexed: true }
    }
}

/// A node of the fake graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Sorted.
    pub labels: Vec<String>,
    pub properties: BTreeMap<String, CypherValue>,
}

impl Node {
    /// A node with an id of its kind: `chunk_id` for paragraphs, `id` for all others.
    pub(super) fn new(number: u32, label: &str, id: &str) -> Self {
        let key = if label == "Paragraph" { "chunk_id" } else { "id" };
        let properties = BTreeMap::from([
            ("number".to_owned(), CypherValue::from(i64::from(number))),
            (key.to_owned(), CypherValue::from(id)),
        ]);
        Self { labels: vec![label.to_owned()], properties }
    }

    fn staged(mut self) -> Self {
        self.labels.push("staging".to_owned());
        self.labels.sort();
        self
    }

    pub(super) fn is(&self, label: &str) -> bool {
        self.labels.iter().any(|l| l == label)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.properties.get(key).and_then(CypherValue::as_str)
    }

    pub(super) fn is_selected(&self, selector: &StagingSelector) -> bool {
        match selector {
            StagingSelector::Label(label) => self.is(label),
            StagingSelector::IdSuffix(suffix) => {
                ["id", "chunk_id", "paragraph_id"].iter().any(|k| self.text(k).is_some_and(|v| v.ends_with(suffix)))
            }
        }
    }

    pub(super) fn is_in(&self, scope: &GraphScope) -> bool {
        match scope {
            GraphScope::Production(staging) => !staging.iter().any(|s| self.is_selected(s)),
            GraphScope::Staging(selector) => self.is_selected(selector),
        }
    }
}

/// A relationship; in order of type, as an export writes them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub kind: String,
    pub from: u32,
    pub to: u32,
}

impl Edge {
    pub(super) fn new(kind: &str, from: u32, to: u32) -> Self {
        Self { kind: kind.to_owned(), from, to }
    }
}

pub(super) type Collection = BTreeMap<u64, Point>;

/// Everything the fake stores hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Data {
    pub layout: Layout,
    pub versions: BTreeMap<VersionId, (VersionState, Option<String>)>,
    /// When rows were written, of those that tell it.
    pub written: BTreeMap<VersionId, Timestamp>,
    pub operations: Vec<OperationRow>,
    pub chapters: BTreeMap<String, String>,
    /// Tables of safety backups.
    pub safety_chapters: BTreeMap<VersionId, BTreeMap<String, String>>,
    /// Rows of `chapter_metadata_staging` with the version they name.
    pub staged_chapters: Option<Vec<String>>,
    pub collections: BTreeMap<String, Collection>,
    pub aliases: BTreeMap<String, String>,
    /// The form that the vector store says its snapshots have.
    pub snapshot_form: SnapshotForm,
    pub nodes: BTreeMap<u32, Node>,
    pub relationships: BTreeSet<Edge>,
}

/// Paragraphs 1 to 30 of the book lie in chapters 1 to 12.
pub(super) fn chunk_id(paragraph: u32) -> String {
    format!("bailey:ch{}:{}", paragraph * 12 / 30 + 1, paragraph + 1)
}

fn version(id: &str, state: VersionState, message: Option<&str>) -> (VersionId, (VersionState, Option<String>)) {
    (VersionId::new(id), (state, message.map(str::to_owned)))
}

fn points(ids: impl Iterator<Item = (u64, String)>, version_id: Option<&str>) -> Collection {
    ids.map(|(id, chunk)| (id, Point::new(id, Some(chunk), version_id.map(str::to_owned)))).collect()
}

/// A whole book of a version: chapters, paragraphs in a chain, numbered from `first`.
fn book(nodes: &mut BTreeMap<u32, Node>, edges: &mut BTreeSet<Edge>, first: u32, paragraphs: u32, suffix: &str) {
    let chapter_node = |paragraph: u32| first + 50 + paragraph * 12 / 30;
    for i in 0..paragraphs {
        let chapter = chapter_node(i);
        let key = format!("bailey:ch{}{suffix}", i * 12 / 30 + 1);
        nodes.entry(chapter).or_insert_with(|| Node::new(chapter, "Chapter", &key));
        nodes.insert(first + i, Node::new(first + i, "Paragraph", &format!("{}{suffix}", chunk_id(i))));
        edges.insert(Edge::new("HAS_PARAGRAPH", chapter, first + i));
        if i > 0 {
            edges.insert(Edge::new("NEXT", first + i - 1, first + i));
            edges.insert(Edge::new("PREV", first + i, first + i - 1));
        }
    }
}

fn twelve_chapters() -> BTreeMap<String, String> {
    (1..=12).map(|i| (format!("bailey:ch{i}"), format!("hash{i}"))).collect()
}

impl Data {
    /// The specification's layout. What is staged is as wrong as its message says, and more.
    pub(super) fn shared() -> Self {
        let (mut nodes, mut relationships) = (BTreeMap::new(), BTreeSet::new());
        book(&mut nodes, &mut relationships, 0, 30, "");
        nodes.extend((0..23).map(|i| (100 + i, Node::new(100 + i, "Paragraph", &chunk_id(i)).staged())));
        relationships.extend((100..122).map(|i| Edge::new("NEXT", i, i + 1)));
        relationships.extend([Edge::new("REPLACED_BY", 0, 100), Edge::new("REPLACES", 101, 1)]);
        let staged = (0..23).map(|i: u32| {
            let chunk = if i < 20 { chunk_id(i) } else { format!("bailey:ch99:{i}") };
            (1_000 + u64::from(i), chunk)
        });
        Self {
            layout: Layout::Shared,
            versions: BTreeMap::from([
                version("v1_baseline", VersionState::Committed, None),
                version("v6_minor_20261101_101500", VersionState::Committed, None),
                version(FAILED, VersionState::ValidatingFailed, Some("Check 4: 3 chunk ids missing in Neo4j")),
            ]),
            operations: Vec::new(),
            chapters: twelve_chapters(),
            written: BTreeMap::new(),
            safety_chapters: BTreeMap::new(),
            staged_chapters: Some(vec![FAILED.to_owned(); 7]),
            collections: BTreeMap::from([
                ("textbook_chunks".into(), points((0..30).map(|i| (u64::from(i), chunk_id(i))), None)),
                ("textbook_chunks_staging".into(), points(staged, Some(FAILED))),
            ]),
            aliases: BTreeMap::from([("textbook_chunks_latest".into(), "textbook_chunks".into())]),
            snapshot_form: SnapshotForm::Embedded,
            nodes,
            relationships,
        }
    }

    /// The pipeline code's layout: no staging table and no message; each version's collection holds a copy of the one
    /// before and its own points; the committed version's collection is production. What is staged is sound.
    pub(super) fn per_version() -> Self {
        let suffix = |version: &str| format!("::{version}");
        let own = |first: u64, count: u32, version: &str| {
            points((0..count).map(|i| (first + u64::from(i), chunk_id(i) + &suffix(version))), Some(version))
        };
        let base = points((0..30).map(|i| (u64::from(i), chunk_id(i))), Some("production"));
        let mut production = base.clone();
        production.extend(own(500, 30, COMMITTED_PER_VERSION));
        let mut staging = production.clone();
        staging.extend(own(1_000, 23, FAILED_PER_VERSION));
        let (mut nodes, mut relationships) = (BTreeMap::new(), BTreeSet::new());
        book(&mut nodes, &mut relationships, 0, 30, "");
        book(&mut nodes, &mut relationships, 100, 30, &suffix(COMMITTED_PER_VERSION));
        book(&mut nodes, &mut relationships, 200, 23, &suffix(FAILED_PER_VERSION));
        Self {
            layout: Layout::PerVersion,
            versions: BTreeMap::from([
                version("v1_baseline_20261001_090000", VersionState::Committed, None),
                version(COMMITTED_PER_VERSION, VersionState::Committed, None),
                version("latest_copy20261122_231400", VersionState::Pending, None),
                version(FAILED_PER_VERSION, VersionState::Staging, None),
            ]),
            operations: Vec::new(),
            chapters: twelve_chapters(),
            written: BTreeMap::new(),
            safety_chapters: BTreeMap::new(),
            staged_chapters: None,
            collections: BTreeMap::from([
                ("textbook_chunks".into(), base),
                (format!("textbook_chunks_{COMMITTED_PER_VERSION}"), production),
                (format!("textbook_chunks_{FAILED_PER_VERSION}"), staging),
            ]),
            aliases: BTreeMap::from([
                ("textbook_chunks_latest".into(), format!("textbook_chunks_{COMMITTED_PER_VERSION}")),
                ("textbook_chunks_previous".into(), "textbook_chunks".into()),
            ]),
            snapshot_form: SnapshotForm::Embedded,
            nodes,
            relationships,
        }
    }

    /// The collection that the failed version is staged in.
    pub(super) fn staging_collection(&self) -> String {
        match self.layout {
            Layout::PerVersion => format!("textbook_chunks_{FAILED_PER_VERSION}"),
            Layout::Shared | Layout::Mixed => "textbook_chunks_staging".to_owned(),
        }
    }

    /// The collection that serves production.
    pub(super) fn production_collection(&self) -> String {
        self.aliases.get("textbook_chunks_latest").cloned().unwrap_or_else(|| "textbook_chunks".to_owned())
    }

    /// How the failed version's nodes are told.
    pub(super) fn selector(&self) -> StagingSelector {
        match self.layout {
            Layout::PerVersion => StagingSelector::IdSuffix(format!("::{FAILED_PER_VERSION}")),
            Layout::Shared | Layout::Mixed => StagingSelector::Label("staging".to_owned()),
        }
    }

    /// Sets a state with its message, for which only the specification's layout has a column.
    pub(super) fn set_version(&mut self, id: &VersionId, state: VersionState, message: String) {
        let message = (self.layout != Layout::PerVersion).then_some(message);
        self.versions.insert(id.clone(), (state, message));
    }

    /// Takes nodes out, with their relationships.
    pub(super) fn remove_nodes(&mut self, gone: &BTreeSet<u32>) {
        self.nodes.retain(|id, _| !gone.contains(id));
        self.relationships.retain(|e| !gone.contains(&e.from) && !gone.contains(&e.to));
    }
}
