//! The graph export: real files, what the writer gives, and every way to cut one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use backup_formats::cypher_export::{
    CypherValue, ExportCounts, ExportError, ExportForm, ExportNode, ExportReader, ExportRelationship, ExportSummary,
    ExportWriteError, ExportWriter, Item, UniqueKey, summarize,
};
use proptest::prelude::*;

const REAL: &str = include_str!("fixtures/neo4j-5.26-export-small.cypher");
const REAL_PLAIN: &str = include_str!("fixtures/neo4j-5.26-export-small-cypher-shell-plain.txt");

fn summary_of(text: &str) -> Result<ExportSummary, ExportError> {
    summarize(text.as_bytes(), |_| {})
}

/// What HybridFlow's backup script keeps of the plain output: `tail -n +4`.
fn hybridflow_script(plain: &str) -> String {
    plain.split_inclusive('\n').skip(3).collect()
}

fn items(text: &str) -> Vec<Item> {
    let reader = ExportReader::new(text.as_bytes()).unwrap();
    reader.collect::<Result<_, _>>().unwrap()
}

fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn a_real_export_is_counted_exactly() {
    let mut told = Vec::new();
    let summary = summarize(REAL.as_bytes(), |bytes| told.push(bytes)).unwrap();
    assert_eq!(summary.form, ExportForm::CypherShell);
    assert_eq!((summary.nodes, summary.relationships), (60, 148));
    assert_eq!(
        summary.labels,
        counts(&[("Book", 8), ("Loner", 1), ("Paragraph", 50), ("Section", 8), ("odd label", 8)])
    );
    assert_eq!(summary.relationship_types, counts(&[("HAS_PARAGRAPH", 50), ("NEXT", 49), ("PREV odd", 49)]));
    assert_eq!(
        summary.schema_statements,
        [
            "CREATE FULLTEXT INDEX small_ft FOR (n:Paragraph) ON EACH [n.`text`]",
            "CREATE RANGE INDEX FOR (n:Section) ON (n.title)",
            "CREATE CONSTRAINT small_chunk FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE",
        ]
    );
    assert_eq!((summary.other_statements, summary.bytes), (0, REAL.len() as u64));
    assert!(told.is_sorted());
    assert_eq!(told.last(), Some(&summary.bytes));
}

#[test]
fn every_form_of_the_real_export_says_the_same() {
    let whole = summary_of(REAL).unwrap();
    let headless = REAL_PLAIN.split_once('\n').unwrap().1;
    for text in [REAL_PLAIN, headless] {
        let plain = summary_of(text).unwrap();
        let expected = ExportSummary { form: ExportForm::PlainFormat, bytes: text.len() as u64, ..whole.clone() };
        assert_eq!(plain, expected);
    }
    assert_eq!(items(REAL_PLAIN), items(REAL));

    let script = hybridflow_script(REAL_PLAIN);
    let summary = summary_of(&script).unwrap();
    assert!(summary.form.lacks_a_schema_statement());
    let expected = ExportSummary {
        form: ExportForm::HybridFlowScript,
        bytes: script.len() as u64,
        schema_statements: whole.schema_statements[1..].to_vec(),
        ..whole
    };
    assert_eq!(summary, expected);
    let all = items(REAL);
    assert_eq!(items(&script), [&all[..1], &all[2..]].concat());
}

/// APOC streams an export in several rows once there are more than 20,000 nodes, and each is quoted
/// on its own.
#[test]
fn a_large_export_comes_in_several_rows() {
    let rows: Vec<_> =
        REAL.split_inclusive(":commit\n").map(|row| format!("\"{}\"\n", row.replace('"', "\\\""))).collect();
    let plain = format!("cypherStatements\n{}", rows.concat());
    assert!(rows.len() > 4 && plain != REAL_PLAIN);
    assert_eq!(items(&plain), items(REAL));
    let script = hybridflow_script(&plain);
    assert_eq!(summary_of(&script).unwrap().form, ExportForm::HybridFlowScript);
    assert_eq!(items(&script), items(&hybridflow_script(REAL_PLAIN)));
    // Cut between two rows nothing is open, but the clean-up is missing.
    let cut: String = rows[..3].concat();
    assert!(matches!(summary_of(&cut), Err(ExportError::Cut { .. })));
}

#[test]
fn a_file_is_opened_by_its_path() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/neo4j-5.26-export-small-cypher-shell-plain.txt");
    let mut reader = ExportReader::open(&path).unwrap();
    assert_eq!(reader.form(), ExportForm::PlainFormat);
    assert_eq!(reader.next_item().unwrap(), Some(Item::Begin));
    assert!(matches!(ExportReader::open(Path::new("/does/not/exist")), Err(ExportError::Io(_))));
}

#[test]
fn real_values_are_typed() {
    let batches: Vec<_> = items(REAL)
        .into_iter()
        .filter_map(|item| match item {
            Item::NodeBatch(batch) => Some(batch),
            _ => None,
        })
        .collect();
    let paragraphs = &batches[0];
    assert_eq!(paragraphs.labels, ["Paragraph"]);
    assert_eq!((paragraphs.key.label.as_str(), paragraphs.key.is_import_id()), ("Paragraph", false));
    let first = &paragraphs.rows[0];
    assert_eq!(first.key, [CypherValue::from("c0")]);
    assert_eq!(first.properties["chunk_id"], CypherValue::from("c0"));
    assert_eq!(first.properties["flag"], CypherValue::Bool(true));
    assert_eq!(first.properties["bounds"], CypherValue::List(vec![1.0.into(), 2.5.into(), 1e-7.into(), 1e22.into()]));
    let text = |row: usize| paragraphs.rows[row].properties["text"].as_str().unwrap();
    assert_eq!(text(0), "plain \"double\" and 'single' quotes; semicolon; and // not a comment\nsecond line");
    assert_eq!(text(1), "back\\slash \\n not newline, \\\\ double, \\' quote, \\u0041 escape");
    assert_eq!(text(6), "ends with backslash \\");
    assert_eq!(text(8), "");

    let books = batches.iter().find(|batch| batch.key.is_import_id()).unwrap();
    assert_eq!(books.labels, ["Book", "odd label", "Section"]);
    let book = &books.rows[0];
    assert_eq!(book.key, [CypherValue::Integer(25053)]);
    assert_eq!(book.properties["d"], CypherValue::Call { name: "date".into(), args: vec!["2024-01-02".into()] });
    assert_eq!(book.properties["odd key"], CypherValue::from("v"));
    assert_eq!(book.properties["empty"], CypherValue::List(vec![]));
    assert_eq!(batches.last().unwrap().labels, [""; 0]);
}

#[test]
fn real_relationships_name_their_ends() {
    let first = items(REAL)
        .into_iter()
        .find_map(|item| match item {
            Item::RelationshipBatch(batch) => Some(batch),
            _ => None,
        })
        .unwrap();
    assert_eq!(first.rel_type, "HAS_PARAGRAPH");
    assert!(first.start.is_import_id() && !first.end.is_import_id());
    assert_eq!(first.rows[0].start, [CypherValue::Integer(25053)]);
    assert_eq!(first.rows[0].end, [CypherValue::from("c0")]);
    assert_eq!(first.rows[3].properties["order"], CypherValue::Integer(3));
}

#[test]
fn a_cut_anywhere_is_seen_in_every_form() {
    let script = hybridflow_script(REAL_PLAIN);
    for text in [REAL, REAL_PLAIN, script.as_str()] {
        // Without the last newline the text is still whole.
        let whole = text.trim_end().len();
        // Every place near the ends of the file and of each line, and a sample of the others.
        let cuts =
            (0..whole).filter(|&cut| cut < 700 || cut + 400 > whole || cut % 61 == 0 || text.as_bytes()[cut] == b'\n');
        for cut in cuts {
            match summarize(&text.as_bytes()[..cut], |_| {}) {
                Err(ExportError::Cut { line, .. }) => assert!(line >= 1),
                other => panic!("cut at {cut} of {whole}: {other:?}"),
            }
        }
        assert!(summary_of(&text[..whole]).is_ok());
    }
}

#[test]
fn a_cut_says_where_and_what() {
    let cut = REAL.find("end: {chunk_id:\"c3\"").unwrap() + "end: {chunk_id:\"c".len();
    let error = summary_of(&REAL[..cut]).unwrap_err();
    let line = REAL[..cut].matches('\n').count() as u64 + 1;
    match &error {
        ExportError::Cut { line: at, what, .. } => {
            assert_eq!(*at, line);
            assert!(what.contains("string"), "{what}");
        }
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("Nothing was changed"));

    let no_cleanup = &REAL[..REAL.find(":begin\nMATCH (n:`UNIQUE").unwrap()];
    assert!(summary_of(no_cleanup).unwrap_err().to_string().contains("clean-up"));
    let not_dropped = &REAL[..REAL.find(":begin\nDROP").unwrap()];
    assert!(summary_of(not_dropped).unwrap_err().to_string().contains("constraint"));
    let begin_lost = REAL.split_once('\n').unwrap().1;
    assert!(matches!(summary_of(begin_lost), Err(ExportError::Cut { .. })));
}

#[test]
fn damage_is_told_with_its_place() {
    let damaged = REAL.replacen("neg:-1,", "neg:-1x,", 1);
    match summary_of(&damaged).unwrap_err() {
        ExportError::Syntax { line, column, .. } => {
            let before = &damaged[..damaged.find("1x,").unwrap()];
            assert_eq!(line, 9);
            let expected = before.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
            assert_eq!(column, expected);
        }
        other => panic!("{other}"),
    }
    let foreign = summary_of("MATCH (n {a: \"x\"}) DETACH DELETE n;\n").unwrap();
    assert_eq!((foreign.nodes, foreign.other_statements), (0, 1));
}

fn write(
    schema: &[String],
    keys: Vec<UniqueKey>,
    nodes: &[ExportNode],
    relationships: &[ExportRelationship],
) -> (String, ExportCounts) {
    let mut writer = ExportWriter::new(Vec::new(), schema, keys).unwrap();
    for node in nodes {
        writer.node(node).unwrap();
    }
    for relationship in relationships {
        writer.relationship(relationship).unwrap();
    }
    let (out, counts) = writer.finish().unwrap();
    (String::from_utf8(out).unwrap(), counts)
}

type LabelsAndProperties = (Vec<String>, BTreeMap<String, CypherValue>);

/// Nodes and relationships of an export, the relationships' ends looked up by key.
fn read_back(text: &str) -> (Vec<LabelsAndProperties>, Vec<ExportRelationship>) {
    let mut nodes = Vec::new();
    let mut keys = Vec::new();
    let mut relationships = Vec::new();
    for item in items(text) {
        match item {
            Item::NodeBatch(batch) => {
                for row in batch.rows {
                    let mut labels = batch.labels.clone();
                    labels.sort();
                    keys.push((batch.key.clone(), row.key));
                    nodes.push((labels, row.properties));
                }
            }
            Item::RelationshipBatch(batch) => {
                let find = |key: &_, values: &_| keys.iter().position(|(k, v)| k == key && v == values).unwrap() as i64;
                for row in batch.rows {
                    relationships.push(ExportRelationship {
                        start: find(&batch.start, &row.start),
                        end: find(&batch.end, &row.end),
                        rel_type: batch.rel_type.clone(),
                        properties: row.properties,
                    });
                }
            }
            Item::Other(text) => panic!("not understood: {text}"),
            _ => {}
        }
    }
    (nodes, relationships)
}

#[test]
fn written_as_apoc_writes_it() {
    let schema = ["CREATE CONSTRAINT c FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE".to_owned()];
    let key = UniqueKey { label: "Paragraph".into(), property: "chunk_id".into() };
    let nodes = [
        ExportNode {
            id: 4,
            labels: vec!["Paragraph".into(), "v1 baseline".into()],
            properties: BTreeMap::from([("chunk_id".into(), "a".into()), ("page".into(), 1.into())]),
        },
        // Marks of an unfinished import are no data.
        ExportNode {
            id: 5,
            labels: vec!["UNIQUE IMPORT LABEL".into(), "Figure".into()],
            properties: BTreeMap::from([("UNIQUE IMPORT ID".into(), 9.into())]),
        },
    ];
    let relationships =
        [ExportRelationship { start: 4, end: 5, rel_type: "CONTAINS FIGURE".into(), properties: BTreeMap::new() }];
    let (text, counts) = write(&schema, vec![key], &nodes, &relationships);
    assert_eq!(counts, ExportCounts { nodes: 2, relationships: 1 });
    let expected = "\
:begin
CREATE CONSTRAINT c FOR (node:Paragraph) REQUIRE (node.chunk_id) IS UNIQUE;
CREATE CONSTRAINT UNIQUE_IMPORT_NAME FOR (node:`UNIQUE IMPORT LABEL`) REQUIRE (node.`UNIQUE IMPORT ID`) IS UNIQUE;
:commit
CALL db.awaitIndexes(300);
:begin
UNWIND [{chunk_id:\"a\", properties:{page:1}}] AS row
CREATE (n:Paragraph{chunk_id: row.chunk_id}) SET n += row.properties SET n:`v1 baseline`;
UNWIND [{_id:5, properties:{}}] AS row
CREATE (n:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row._id}) SET n += row.properties SET n:Figure;
:commit
:begin
UNWIND [{start: {chunk_id:\"a\"}, end: {_id:5}, properties:{}}] AS row
MATCH (start:Paragraph{chunk_id: row.start.chunk_id})
MATCH (end:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row.end._id})
CREATE (start)-[r:`CONTAINS FIGURE`]->(end) SET r += row.properties;
:commit
:begin
MATCH (n:`UNIQUE IMPORT LABEL`)  WITH n LIMIT 20000 REMOVE n:`UNIQUE IMPORT LABEL` REMOVE n.`UNIQUE IMPORT ID`;
:commit
:begin
DROP CONSTRAINT UNIQUE_IMPORT_NAME;
:commit
";
    assert_eq!(text, expected);
}

#[test]
fn large_exports_are_split_into_statements_and_transactions() {
    let nodes: Vec<_> =
        (0..40_010).map(|id| ExportNode { id, labels: vec!["Figure".into()], properties: BTreeMap::new() }).collect();
    let (text, _) = write(&[], vec![], &nodes, &[]);
    let items = items(&text);
    let sizes: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            Item::NodeBatch(batch) => Some(batch.rows.len()),
            _ => None,
        })
        .collect();
    assert_eq!((sizes.len(), sizes[0], sizes[2000]), (2001, 20, 10));
    let cleanups = items.iter().filter(|item| matches!(item, Item::Cleanup(_))).count();
    let transactions = items.iter().filter(|item| **item == Item::Begin).count();
    // Schema, three of nodes, three of clean-up, the constraint.
    assert_eq!((cleanups, transactions), (3, 8));
}

#[test]
fn the_writer_refuses_what_would_not_load() {
    for statement in ["", "CREATE INDEX a; DROP INDEX b", "CREATE INDEX `a", ":commit"] {
        let writer = ExportWriter::new(Vec::new(), &[statement.to_owned()], vec![]);
        assert!(matches!(writer, Err(ExportWriteError::NotOneStatement(_))), "{statement}");
    }
    let node = ExportNode { id: 1, labels: vec![], properties: BTreeMap::new() };
    let relationship = ExportRelationship { start: 1, end: 1, rel_type: "R".into(), properties: BTreeMap::new() };
    let mut writer = ExportWriter::new(Vec::new(), &[], vec![]).unwrap();
    writer.node(&node).unwrap();
    writer.relationship(&relationship).unwrap();
    assert!(matches!(writer.node(&node), Err(ExportWriteError::NodeAfterRelationship)));
}

fn any_name() -> impl Strategy<Value = String> {
    let names = prop_oneof!["[A-Za-z_]{1,6}", r"[`\\'/;:éu0 \n-]{1,8}", Just("properties".to_owned())];
    names.prop_filter("import marks are no data", |name| !name.starts_with("UNIQUE"))
}

fn any_value() -> impl Strategy<Value = CypherValue> {
    prop_oneof![
        any::<String>().prop_map(CypherValue::String),
        r#"["'`\\;:/*\n\r\tu0041{}$-]{0,12}"#.prop_map(CypherValue::String),
        any::<i64>().prop_map(CypherValue::Integer),
        prop::num::f64::NORMAL.prop_map(CypherValue::Float),
        any::<bool>().prop_map(CypherValue::Bool),
        prop::collection::vec(any::<String>().prop_map(CypherValue::String), 0..3).prop_map(CypherValue::List),
    ]
}

fn any_properties() -> impl Strategy<Value = BTreeMap<String, CypherValue>> {
    prop::collection::btree_map(any_name(), any_value(), 0..4)
}

#[derive(Debug, Clone)]
struct Graph {
    key: Option<UniqueKey>,
    nodes: Vec<ExportNode>,
    relationships: Vec<ExportRelationship>,
}

fn any_graph() -> impl Strategy<Value = Graph> {
    let key = prop::option::of((any_name(), any_name()))
        .prop_map(|key| key.map(|(label, property)| UniqueKey { label, property }));
    let nodes =
        prop::collection::vec((prop::collection::btree_set(any_name(), 0..3), any_properties(), any::<bool>()), 1..30);
    let ends = prop::collection::vec(
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any_name(), any_properties()),
        0..30,
    );
    (key, nodes, ends).prop_map(|(key, nodes, ends)| {
        let nodes: Vec<_> = (0_i64..)
            .zip(nodes)
            .map(|(id, (mut labels, mut properties, keyed))| {
                if let Some(key) = &key {
                    // The constraint's promise: no two nodes of the label share a value.
                    properties.remove(&key.property);
                    if keyed {
                        labels.insert(key.label.clone());
                        properties.insert(key.property.clone(), format!("\"{id}\\").into());
                    }
                }
                ExportNode { id, labels: labels.into_iter().collect(), properties }
            })
            .collect();
        let relationships = ends
            .into_iter()
            .map(|(start, end, rel_type, properties)| ExportRelationship {
                start: start.index(nodes.len()) as i64,
                end: end.index(nodes.len()) as i64,
                rel_type,
                properties,
            })
            .collect();
        Graph { key, nodes, relationships }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_written_graph_is_read_back_exactly(graph in any_graph()) {
        let keys = graph.key.clone().into_iter().collect();
        let (text, counts) = write(&[], keys, &graph.nodes, &graph.relationships);
        let (nodes, relationships) = read_back(&text);
        let expected: Vec<_> =
            graph.nodes.into_iter().map(|node| (node.labels, node.properties)).collect();
        prop_assert_eq!(nodes, expected);
        prop_assert_eq!(&relationships, &graph.relationships);
        let summary = summary_of(&text).unwrap();
        prop_assert_eq!((summary.nodes, summary.relationships), (counts.nodes, counts.relationships));
        prop_assert_eq!(summary.other_statements, 0);

        // Through the shell's plain output it is the same.
        let plain = format!("cypherStatements\n\"{}\"\n", text.replace('"', "\\\""));
        prop_assert_eq!(items(&plain), items(&text));
    }

    #[test]
    fn a_written_graph_cut_anywhere_is_never_whole(graph in any_graph(), at in any::<prop::sample::Index>()) {
        let keys = graph.key.clone().into_iter().collect();
        let (text, _) = write(&[], keys, &graph.nodes, &graph.relationships);
        let cut = at.index(text.trim_end().len());
        let result = summarize(&text.as_bytes()[..cut], |_| {});
        prop_assert!(matches!(result, Err(ExportError::Cut { .. })), "cut at {}: {:?}", cut, result);
    }

    #[test]
    fn a_flipped_byte_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = REAL.as_bytes()[..12_000].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = summarize(&bytes[..], |_| {});
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = summarize(&bytes[..], |_| {});
    }
}
