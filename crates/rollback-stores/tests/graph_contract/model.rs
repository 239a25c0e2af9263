//! Small graphs of every form, counted by the store and by a few lines that cannot be wrong.

use proptest::prelude::*;
use rollback::store::{GraphStore, StagingSelector};
use rollback_stores::embedded_graph::EmbeddedGraph;
use rollback_stores::graph_data::{GraphNode, GraphRelationship};
use serde_json::json;

const SUFFIX: &str = "::v2";
const LABELS: [&str; 4] = ["staging", "Paragraph", "Figure", "latest_copy1"];

fn node() -> impl Strategy<Value = GraphNode> {
    let id_property = prop::sample::select(vec!["id", "chunk_id", "paragraph_id", "other"]);
    let value = prop::sample::select(vec!["a::v2", "::v2", "v2", "a::v2 ", "a::V2", "::v22", ""]);
    (prop::sample::subsequence(LABELS.to_vec(), 0..=4), id_property, value).prop_map(|(labels, property, value)| {
        GraphNode {
            id: 0,
            labels: labels.into_iter().map(str::to_owned).collect(),
            properties: [(property.to_owned(), json!(value))].into(),
        }
    })
}

fn graph() -> impl Strategy<Value = (Vec<GraphNode>, Vec<GraphRelationship>)> {
    prop::collection::vec(node(), 1..10).prop_flat_map(|mut nodes| {
        for (id, node) in (0i64..).zip(&mut nodes) {
            node.id = id;
        }
        let last = nodes.len() as i64;
        let ends = (0..last, 0..last, prop::sample::select(vec!["NEXT", "CONTAINS"]));
        let relationships = prop::collection::vec(
            ends.prop_map(|(start, end, rel_type)| GraphRelationship {
                start,
                end,
                rel_type: rel_type.to_owned(),
                properties: Default::default(),
            }),
            0..20,
        );
        (Just(nodes), relationships)
    })
}

fn is_staging(node: &GraphNode, selectors: &[StagingSelector]) -> bool {
    selectors.iter().any(|selector| match selector {
        StagingSelector::Label(label) => node.labels.contains(label),
        StagingSelector::IdSuffix(suffix) => ["id", "chunk_id", "paragraph_id"]
            .iter()
            .filter_map(|property| node.properties.get(*property)?.as_str())
            .any(|value| value.ends_with(suffix.as_str())),
    })
}

async fn check(
    nodes: Vec<GraphNode>,
    relationships: Vec<GraphRelationship>,
    selectors: Vec<StagingSelector>,
    batch: u32,
) {
    let folder = tempfile::tempdir().unwrap();
    let graph = EmbeddedGraph::open_or_create(folder.path().join("graph.db")).await.unwrap();
    graph.insert_nodes(nodes.clone()).await.unwrap();
    graph.insert_relationships(relationships.clone()).await.unwrap();

    let staged = |id: i64, selectors: &[StagingSelector]| is_staging(&nodes[id as usize], selectors);
    let production = graph.production(&selectors).await.unwrap();
    let kept: Vec<&GraphNode> = nodes.iter().filter(|node| !is_staging(node, &selectors)).collect();
    assert_eq!(production.nodes, Some(kept.len() as u64));
    for label in LABELS {
        let expected = kept.iter().filter(|node| node.labels.iter().any(|l| l == label)).count() as u64;
        let expected = (expected > 0 && label != "latest_copy1").then_some(expected);
        assert_eq!(production.labels.get(label).copied(), expected, "{label}");
    }
    let inside = relationships.iter().filter(|r| !staged(r.start, &selectors) && !staged(r.end, &selectors));
    assert_eq!(production.relationships, Some(inside.count() as u64));
    assert_eq!(production.types.values().sum::<u64>(), production.relationships.unwrap());

    for selector in &selectors {
        let one = std::slice::from_ref(selector);
        // Those that an earlier selector took are gone.
        let before = &selectors[..selectors.iter().position(|s| s == selector).unwrap()];
        let there = |id: i64| !staged(id, before);
        let going = nodes.iter().filter(|node| there(node.id) && is_staging(node, one)).count() as u64;
        let left: Vec<_> = relationships.iter().filter(|r| there(r.start) && there(r.end)).collect();
        let touching = left.iter().filter(|r| staged(r.start, one) || staged(r.end, one)).count() as u64;
        let crossing = left.iter().filter(|r| staged(r.start, one) != staged(r.end, one)).count() as u64;
        let counts = graph.staging(selector).await.unwrap();
        assert_eq!((counts.present, counts.nodes), (going > 0, Some(going)), "{selector}");
        assert_eq!(
            (counts.relationships, counts.crossing_relationships),
            (Some(touching), Some(crossing)),
            "{selector}"
        );

        let mut gone = 0;
        loop {
            let deleted = graph.delete_batch(selector, batch).await.unwrap();
            assert_eq!(deleted, u64::from(batch).min(going - gone), "{selector}");
            gone += deleted;
            if deleted == 0 {
                break;
            }
        }
    }
    assert_eq!(graph.production(&selectors).await.unwrap(), production, "production is untouched");
    let whole = graph.production(&[]).await.unwrap();
    assert_eq!(
        (whole.nodes, whole.relationships),
        (production.nodes, production.relationships),
        "and nothing else is left"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn the_embedded_graph_counts_and_deletes_as_the_model(
        (nodes, relationships) in graph(),
        selectors in prop::sample::subsequence(
            vec![StagingSelector::Label("staging".to_owned()), StagingSelector::IdSuffix(SUFFIX.to_owned())],
            1..=2,
        ),
        batch in 1u32..5,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(nodes, relationships, selectors, batch));
    }
}
