//! A small HybridFlow graph with names of its own.

use std::sync::atomic::{AtomicU64, Ordering};

use rollback_stores::graph_data::{GraphNode, GraphRelationship};
use serde_json::{Value, json};

/// Names that nothing else in the database has.
pub struct Names {
    pub unique: String,
}

impl Names {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        Self { unique: format!("t{now}n{}", NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// `Paragraph` becomes a label of this test alone.
    pub fn of(&self, name: &str) -> String {
        format!("{name}_{}", self.unique)
    }

    /// Every node of the test carries it, so that the test can clean up.
    pub fn everything(&self) -> String {
        self.of("everything")
    }
}

/// What is loaded.
#[derive(Default)]
pub struct Sample {
    pub nodes: Vec<GraphNode>,
    pub relationships: Vec<GraphRelationship>,
}

impl Sample {
    /// Adds a node; `labels` are taken as they are.
    pub fn node(&mut self, names: &Names, labels: &[String], properties: Value) -> i64 {
        let id = self.nodes.len() as i64 + 1;
        let labels = labels.iter().cloned().chain([names.everything()]).collect();
        let properties = serde_json::from_value(properties).unwrap();
        self.nodes.push(GraphNode { id, labels, properties });
        id
    }

    pub fn relationship(&mut self, start: i64, rel_type: String, end: i64) {
        let properties = [("weight".to_owned(), json!(0.5))].into();
        self.relationships.push(GraphRelationship { start, end, rel_type, properties });
    }
}

/// Two chapters in production (one marked by the pipeline's safety backup) and one more, staged: by the label
/// `staging_…` and by ids that end in `::v2_…`.
///
/// | | production | staging |
/// |---|---|---|
/// | nodes | 2 Chapter, 3 Paragraph, 1 Figure | 1 Chapter, 2 Paragraph, 1 Figure, 1 Table |
/// | relationships | 3 HAS_PARAGRAPH, 1 CONTAINS_FIGURE | 2 HAS_PARAGRAPH, 1 CONTAINS_FIGURE, 1 CONTAINS_TABLE, 1 SELF |
/// | between them | 2 NEXT, one each way | |
pub fn textbook(names: &Names) -> Sample {
    let mut sample = Sample::default();
    let [chapter, paragraph, figure, table] = ["Chapter", "Paragraph", "Figure", "Table"].map(|name| names.of(name));
    let (backup, staging) = (names.of("latest_copy"), names.of("staging"));
    let (has, next) = (names.of("HAS_PARAGRAPH"), names.of("NEXT"));
    let version = |id: &str| format!("{id}::{}", names.of("v2"));

    let one = sample.node(names, &[chapter.clone(), backup.clone()], json!({"id": "bailey:ch1", "number": 1}));
    let two = sample.node(names, &[chapter.clone(), backup], json!({"id": 17, "title": "An id that is a number"}));
    let text =
        json!({"chunk_id": "bailey:ch1:1", "text": "Nasty: \" ' ` \\ \n ü 日本", "page": 3, "bounds": [0.5, 1.0]});
    let first = sample.node(names, std::slice::from_ref(&paragraph), text);
    let second = sample.node(names, std::slice::from_ref(&paragraph), json!({"chunk_id": ["a", "list"]}));
    let third = sample.node(names, std::slice::from_ref(&paragraph), json!({"chunk_id": "bailey:ch2:1", "gone": null}));
    let picture = sample.node(names, std::slice::from_ref(&figure), json!({"paragraph_id": "bailey:ch1:1"}));
    sample.relationship(one, has.clone(), first);
    sample.relationship(one, has.clone(), second);
    sample.relationship(two, has.clone(), third);
    sample.relationship(first, names.of("CONTAINS_FIGURE"), picture);

    let with = |label: &String| [label.clone(), staging.clone()];
    let staged = sample.node(names, &with(&chapter), json!({"id": version("bailey:ch3")}));
    let fourth = sample.node(names, &with(&paragraph), json!({"chunk_id": version("bailey:ch3:1")}));
    let fifth = sample.node(names, &with(&paragraph), json!({"chunk_id": version("bailey:ch3:2")}));
    let staged_figure = sample.node(names, &with(&figure), json!({"paragraph_id": version("bailey:ch3:1")}));
    let staged_table = sample.node(names, &with(&table), json!({"paragraph_id": version("bailey:ch3:2")}));
    sample.relationship(staged, has.clone(), fourth);
    sample.relationship(staged, has, fifth);
    sample.relationship(fourth, names.of("CONTAINS_FIGURE"), staged_figure);
    sample.relationship(fifth, names.of("CONTAINS_TABLE"), staged_table);
    sample.relationship(fifth, names.of("SELF"), fifth);

    sample.relationship(third, next.clone(), fourth);
    sample.relationship(fifth, next, first);
    sample
}
