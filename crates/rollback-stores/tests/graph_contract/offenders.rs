//! The validation's questions: one planted fault of each kind, in production and in staging.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use rollback::store::{Fault, GraphCheck, GraphScope, StagingSelector};

use super::copies::{File, WholeGraph, quiet};

/// A healthy chapter of three paragraphs, and one paragraph for each fault. `labels` are those of every node,
/// `suffix` is the end of every id.
fn textbook(file: &mut File, labels: &[&str], suffix: &str) {
    let all = |label| -> Vec<&str> { [label].into_iter().chain(labels.iter().copied()).collect() };
    let id = |name: &str| format!("'{name}{suffix}'");
    let paragraph = |file: &mut File, name: &str, more: &[(&str, &str)]| {
        let chunk_id = id(name);
        let properties: Vec<_> = [("chunk_id", chunk_id.as_str())].into_iter().chain(more.iter().copied()).collect();
        file.node(&all("Paragraph"), &properties)
    };
    let chapter_id = id("chapter");
    let chapter = file.node(&all("Chapter"), &[("id", &chapter_id)]);
    let section = file.node(&all("Section"), &[]);
    let subsection = file.node(&all("Subsection"), &[]);
    file.relationship(chapter, "HAS_SECTION", section, &[]);
    file.relationship(section, "CONTAINS", subsection, &[]);
    let healthy = [
        paragraph(file, "first", &[("cross_references", "['a', 'b']")]),
        paragraph(file, "second", &[("cross_references", "'[{\"to\": 1}]'")]),
        paragraph(file, "third", &[("cross_references", "[]")]),
    ];
    for (parent, number) in [(chapter, 0), (section, 1), (subsection, 2)] {
        file.relationship(parent, "HAS_PARAGRAPH", healthy[number], &[]);
    }
    for pair in healthy.windows(2) {
        file.relationship(pair[0], "NEXT", pair[1], &[]);
        file.relationship(pair[1], "PREV", pair[0], &[]);
    }

    let orphan = paragraph(file, "orphan", &[]);
    file.relationship(chapter, "MENTIONS", orphan, &[]);
    // Parents of each other: neither is an orphan, and no chapter leads to them.
    let (left, right) = (paragraph(file, "left", &[]), paragraph(file, "right", &[]));
    file.relationship(left, "HAS_PARAGRAPH", right, &[]);
    file.relationship(right, "HAS_SUBSECTION", left, &[]);
    let one_way = paragraph(file, "one-way", &[]);
    file.relationship(one_way, "NEXT", healthy[0], &[]);
    file.relationship(one_way, "NEXT", healthy[1], &[]);
    for (name, value) in [("text", "'see above'"), ("empty", "''"), ("object", "'{\"a\": 1}'"), ("number", "7")] {
        let odd = paragraph(file, name, &[("cross_references", value)]);
        file.relationship(chapter, "HAS_PARAGRAPH", odd, &[]);
    }
    file.relationship(chapter, "HAS_PARAGRAPH", one_way, &[]);
    let nameless = file.node(&all("Paragraph"), &[("id", &id("nameless"))]);
    file.relationship(chapter, "HAS_PARAGRAPH", nameless, &[]);
}

pub async fn run(graph: &dyn WholeGraph) {
    let folder = tempfile::tempdir().unwrap();
    super::copies::empty(graph, &folder).await;
    let mut file = File::default();
    textbook(&mut file, &[], "");
    let staged = file.nodes.len() as i64;
    textbook(&mut file, &["staging"], "::v2");
    // Ids count from one, the chapter first: its first paragraph is the fourth node.
    file.relationship(4, "NEXT", staged + 4, &[]);
    file.relationship(staged + 4, "PREV", 4, &[]);
    let path = folder.path().join("faults.cypher");
    file.write(&path);
    graph.store().restore_export(&path, quiet()).await.unwrap();

    let by_label = || StagingSelector::Label("staging".to_owned());
    let by_suffix = || StagingSelector::IdSuffix("::v2".to_owned());
    for (scope, suffix) in [
        (GraphScope::Production(vec![by_label()]), ""),
        (GraphScope::Production(vec![by_suffix(), by_label()]), ""),
        (GraphScope::Staging(by_label()), "::v2"),
        (GraphScope::Staging(by_suffix()), "::v2"),
    ] {
        let expected = |names: &[&str]| -> Vec<String> {
            let names: BTreeSet<String> = names.iter().map(|name| format!("{name}{suffix}")).collect();
            names.into_iter().collect()
        };
        let found = async |check| {
            let mut found: Vec<String> = graph.store().offenders(check, &scope).try_collect().await.unwrap();
            found.sort();
            found
        };
        assert_eq!(found(GraphCheck::Orphans).await, expected(&["orphan"]), "{scope:?}");
        assert_eq!(found(GraphCheck::Unreachable).await, expected(&["left", "orphan", "right"]), "{scope:?}");
        assert_eq!(found(GraphCheck::NextWithoutPrev).await, expected(&["one-way"]), "{scope:?}");
        assert_eq!(
            found(GraphCheck::CrossReferences).await,
            expected(&["empty", "number", "object", "text"]),
            "{scope:?}"
        );
        assert_eq!(found(GraphCheck::ChainLeaves).await, expected(&["first"]), "{scope:?}");

        let mut paragraphs: Vec<String> = graph.store().paragraphs(&scope).try_collect().await.unwrap();
        paragraphs.sort();
        let mut all = expected(&[
            "first", "second", "third", "orphan", "left", "right", "one-way", "text", "empty", "object", "number",
        ]);
        all.push("(no chunk_id)".to_owned());
        all.sort();
        assert_eq!(paragraphs, all, "{scope:?}");
    }
    let nobody = GraphScope::Staging(StagingSelector::Label("nobody".to_owned()));
    assert_eq!(graph.store().paragraphs(&nobody).try_collect::<Vec<_>>().await.unwrap(), [""; 0]);
    let refused = GraphScope::Staging(StagingSelector::IdSuffix("::".to_owned()));
    let error = graph.store().offenders(GraphCheck::Orphans, &refused).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    let error = graph.store().paragraphs(&refused).try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.fault, Fault::Refused);
    super::copies::empty(graph, &folder).await;
}
