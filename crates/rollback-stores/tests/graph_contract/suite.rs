//! What every graph must do, whatever answers in its place.

use async_trait::async_trait;
use rollback::store::{Fault, GraphStore, StagingSelector};
use rollback_types::Inventory;
use serde_json::json;

use super::sample::{Names, Sample, textbook};

/// A graph that a test may fill.
#[async_trait]
pub trait Bench: Sync {
    fn store(&self) -> &dyn GraphStore;
    async fn load(&self, sample: Sample);
}

/// All of it, one after the other: some of it counts the whole database.
pub async fn run(bench: &dyn Bench) {
    an_absent_staging_is_empty(bench).await;
    for selector in [by_label, by_suffix] {
        counts_and_deletes(bench, selector).await;
    }
    several_selectors_are_left_out_together(bench).await;
    hostile_names_are_only_names(bench).await;
    selectors_of_production_are_refused(bench).await;
    a_dense_node_goes_with_its_relationships(bench).await;
    the_probe_tells_version_and_size(bench).await;
}

fn by_label(names: &Names) -> StagingSelector {
    StagingSelector::Label(names.of("staging"))
}

fn by_suffix(names: &Names) -> StagingSelector {
    StagingSelector::IdSuffix(format!("::{}", names.of("v2")))
}

pub async fn clean_up(bench: &dyn Bench, names: &Names) {
    let everything = StagingSelector::Label(names.everything());
    while bench.store().delete_batch(&everything, 1_000).await.unwrap() > 0 {}
}

/// How much more there is than before, and the counts under this test's names.
fn gained(before: &Inventory, now: &Inventory) -> (u64, u64) {
    (now.nodes.unwrap() - before.nodes.unwrap(), now.relationships.unwrap() - before.relationships.unwrap())
}

async fn an_absent_staging_is_empty(bench: &dyn Bench) {
    let names = Names::new();
    for selector in [by_label(&names), by_suffix(&names)] {
        let counts = bench.store().staging(&selector).await.unwrap();
        assert!(!counts.present);
        assert_eq!(counts.name, selector.to_string());
        assert_eq!((counts.nodes, counts.relationships, counts.crossing_relationships), (Some(0), Some(0), Some(0)));
        assert_eq!(bench.store().delete_batch(&selector, 10).await.unwrap(), 0);
    }
}

async fn counts_and_deletes(bench: &dyn Bench, selector: fn(&Names) -> StagingSelector) {
    let names = Names::new();
    let selector = selector(&names);
    let store = bench.store();
    let before = store.production(std::slice::from_ref(&selector)).await.unwrap();
    bench.load(textbook(&names)).await;

    let counts = store.staging(&selector).await.unwrap();
    assert!(counts.present);
    assert_eq!(counts.nodes, Some(5), "{selector}");
    assert_eq!(
        counts.relationships,
        Some(7),
        "five inside, the one from a node to itself among them, and two that cross"
    );
    assert_eq!(counts.crossing_relationships, Some(2));

    let production = store.production(std::slice::from_ref(&selector)).await.unwrap();
    assert_eq!(gained(&before, &production), (6, 4));
    for (label, nodes) in [("Chapter", 2), ("Paragraph", 3), ("Figure", 1), ("everything", 6)] {
        assert_eq!(production.labels.get(&names.of(label)), Some(&nodes), "{label}");
    }
    for absent in ["Table", "staging", "latest_copy"] {
        assert_eq!(production.labels.get(&names.of(absent)), None, "{absent}");
    }
    assert_eq!(production.types.get(&names.of("HAS_PARAGRAPH")), Some(&3));
    assert_eq!(production.types.get(&names.of("CONTAINS_FIGURE")), Some(&1));
    for absent in ["NEXT", "CONTAINS_TABLE", "SELF"] {
        assert_eq!(production.types.get(&names.of(absent)), None, "{absent}");
    }

    let mut batches = Vec::new();
    loop {
        batches.push(store.delete_batch(&selector, 2).await.unwrap());
        if batches.last() == Some(&0) {
            break;
        }
    }
    assert_eq!(batches, [2, 2, 1, 0]);
    let gone = store.staging(&selector).await.unwrap();
    assert_eq!((gone.present, gone.nodes, gone.relationships), (false, Some(0), Some(0)));
    assert_eq!(store.production(std::slice::from_ref(&selector)).await.unwrap(), production, "production is untouched");
    let whole = store.production(&[]).await.unwrap();
    assert_eq!(whole.types.get(&names.of("NEXT")), None, "crossing relationships went");
    assert_eq!(whole.types.get(&names.of("HAS_PARAGRAPH")), Some(&3));
    clean_up(bench, &names).await;
}

async fn several_selectors_are_left_out_together(bench: &dyn Bench) {
    let names = Names::new();
    let mut sample = Sample::default();
    let (kind, staging) = (names.of("Kind"), names.of("staging"));
    let suffix = format!("::{}", names.of("v3"));
    let kept = sample.node(&names, std::slice::from_ref(&kind), json!({"id": "a"}));
    let labelled = sample.node(&names, &[kind.clone(), staging.clone()], json!({"id": "b"}));
    let suffixed = sample.node(&names, std::slice::from_ref(&kind), json!({"id": format!("c{suffix}")}));
    let other_case =
        sample.node(&names, std::slice::from_ref(&kind), json!({"id": format!("d{}", suffix.to_uppercase())}));
    sample.relationship(kept, names.of("LINK"), labelled);
    sample.relationship(suffixed, names.of("LINK"), kept);
    sample.relationship(kept, names.of("LINK"), other_case);
    bench.load(sample).await;
    let selectors = [StagingSelector::Label(staging.clone()), StagingSelector::IdSuffix(suffix)];
    let inventory = bench.store().production(&selectors).await.unwrap();
    assert_eq!(inventory.labels.get(&kind), Some(&2), "suffixes know upper and lower case");
    assert_eq!(inventory.types.get(&names.of("LINK")), Some(&1));
    let all = bench.store().production(&[]).await.unwrap();
    assert_eq!(all.labels.get(&kind), Some(&4));
    assert_eq!(all.labels.get(&staging), Some(&1), "without selectors nothing is staging");
    clean_up(bench, &names).await;
}

async fn hostile_names_are_only_names(bench: &dyn Bench) {
    for hostile in [
        "`) DETACH DELETE n //",
        "a'\" OR 1=1 --",
        "%_*",
        "größe 日本 🙂",
        "x` REMOVE n:y",
        "$suffix0",
        "]); DROP TABLE nodes",
    ] {
        let names = Names::new();
        let mut sample = Sample::default();
        let label = names.of(hostile);
        let suffix = format!("::{label}");
        let staged = sample.node(&names, std::slice::from_ref(&label), json!({"chunk_id": format!("a{suffix}")}));
        let kept = sample.node(&names, &[names.of("Kept")], json!({"chunk_id": "a"}));
        sample.relationship(staged, names.of(hostile), kept);
        bench.load(sample).await;
        for selector in [StagingSelector::Label(label.clone()), StagingSelector::IdSuffix(suffix.clone())] {
            let counts = bench.store().staging(&selector).await.unwrap();
            assert_eq!((counts.nodes, counts.crossing_relationships), (Some(1), Some(1)), "{selector}");
        }
        let production = bench.store().production(&[StagingSelector::Label(label.clone())]).await.unwrap();
        assert_eq!(production.labels.get(&names.of("Kept")), Some(&1));
        assert_eq!(bench.store().delete_batch(&StagingSelector::IdSuffix(suffix), 10).await.unwrap(), 1);
        let kept = bench.store().staging(&StagingSelector::Label(names.of("Kept"))).await.unwrap();
        assert_eq!(kept.nodes, Some(1), "{hostile}");
        clean_up(bench, &names).await;
    }
}

async fn selectors_of_production_are_refused(bench: &dyn Bench) {
    let store = bench.store();
    for selector in [
        StagingSelector::IdSuffix(String::new()),
        StagingSelector::IdSuffix("::".to_owned()),
        StagingSelector::Label(String::new()),
        StagingSelector::Label("latest_copy".to_owned()),
        StagingSelector::Label("v1_baseline".to_owned()),
        StagingSelector::Label("a\\u0060) DETACH DELETE n //".to_owned()),
    ] {
        assert_eq!(store.delete_batch(&selector, 1).await.unwrap_err().fault, Fault::Refused, "{selector}");
        assert_eq!(store.staging(&selector).await.unwrap_err().fault, Fault::Refused, "{selector}");
        assert_eq!(store.production(&[selector]).await.unwrap_err().fault, Fault::Refused);
    }
}

async fn a_dense_node_goes_with_its_relationships(bench: &dyn Bench) {
    let names = Names::new();
    let mut sample = Sample::default();
    let hub = sample.node(&names, &[names.of("staging")], json!({}));
    for number in 0..300 {
        let leaf = sample.node(&names, &[names.of("Leaf")], json!({"number": number}));
        let (start, end) = if number % 2 == 0 { (hub, leaf) } else { (leaf, hub) };
        sample.relationship(start, names.of("LINK"), end);
    }
    bench.load(sample).await;
    let counts = bench.store().staging(&by_label(&names)).await.unwrap();
    assert_eq!((counts.relationships, counts.crossing_relationships), (Some(300), Some(300)));
    assert_eq!(bench.store().delete_batch(&by_label(&names), 1).await.unwrap(), 1);
    let after = bench.store().production(&[]).await.unwrap();
    assert_eq!(after.labels.get(&names.of("Leaf")), Some(&300));
    assert_eq!(after.types.get(&names.of("LINK")), None);
    clean_up(bench, &names).await;
}

async fn the_probe_tells_version_and_size(bench: &dyn Bench) {
    let probe = bench.store().probe().await.unwrap();
    assert!(probe.version.is_some_and(|version| version.contains(|c: char| c.is_ascii_digit())));
    assert!(probe.detail.contains("nodes"), "{}", probe.detail);
    assert_eq!(probe.warning, None);
}
