//! What an export is told to hold: the points its paragraphs ask for, its labels, and parameters in place of literal rows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use backup_formats::cypher_export::{
    CypherValue, ExportError, ExportNode, ExportReader, ExportWriter, Item, ParagraphPoints, summarize,
    summarize_content,
};
use backup_formats::qdrant_snapshot::{IdSetFingerprint, PointId, SnapshotPoint, inspect, write_embedded_snapshot};

const REAL: &str = include_str!("fixtures/neo4j-5.26-export-small.cypher");
const REAL_PLAIN: &str = include_str!("fixtures/neo4j-5.26-export-small-cypher-shell-plain.txt");

fn export(nodes: &[(&[&str], Option<CypherValue>)]) -> String {
    let mut writer = ExportWriter::new(Vec::new(), &[], vec![]).unwrap();
    for (id, (labels, chunk_id)) in (0_i64..).zip(nodes) {
        let properties: BTreeMap<_, _> = chunk_id.iter().map(|value| ("chunk_id".to_owned(), value.clone())).collect();
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        writer.node(&ExportNode { id, labels, properties }).unwrap();
    }
    String::from_utf8(writer.finish().unwrap().0).unwrap()
}

fn fingerprint<'a>(chunk_ids: impl IntoIterator<Item = &'a str>) -> IdSetFingerprint {
    let ids: Vec<_> = chunk_ids.into_iter().map(PointId::of_chunk).collect();
    ids.iter().collect()
}

fn items(text: &str) -> Result<Vec<Item>, ExportError> {
    ExportReader::new(text.as_bytes()).unwrap().collect()
}

/// The expected ids are what Python's `uuid.uuid5(uuid.NAMESPACE_DNS, chunk_id)` gives.
#[test]
fn a_points_id_is_made_from_the_chunk_id() {
    for (chunk_id, expected) in [
        ("bailey:ch60:2.1.1", "c2ed136a-74d8-5924-b008-d96530eff3e5"),
        ("bailey:ch60:2.1.1::v2_minor_20251226_143022", "399484ac-cf4b-545e-a07f-8fc6b183acef"),
    ] {
        assert_eq!(PointId::of_chunk(chunk_id).to_string(), expected);
    }
}

#[test]
fn the_paragraphs_of_every_form_are_the_points_of_the_snapshot() {
    let chunk_ids: Vec<String> = (0..50).map(|n| format!("c{n}")).collect();
    let expected =
        ParagraphPoints { ids: fingerprint(chunk_ids.iter().map(String::as_str)), without_chunk_id: 0, excluded: 0 };
    let script: String = REAL_PLAIN.split_inclusive('\n').skip(3).collect();
    for text in [REAL, REAL_PLAIN, &script] {
        assert_eq!(summarize(text.as_bytes(), |_| {}).unwrap().paragraphs, expected);
    }
    // In another order, as a snapshot holds them.
    let scratch = tempfile::tempdir().unwrap();
    let points = chunk_ids.iter().rev().map(|chunk_id| {
        Ok(SnapshotPoint { id: PointId::of_chunk(chunk_id), vector: vec![1.0], payload: serde_json::Value::Null })
    });
    let mut snapshot = Vec::new();
    write_embedded_snapshot(&mut snapshot, scratch.path(), 1, points).unwrap();
    assert_eq!(inspect(&snapshot[..], |_| {}).unwrap().ids, Some(expected.ids));
}

#[test]
fn staging_and_paragraphs_without_a_point_are_told_apart() {
    let text = export(&[
        (&["Paragraph"], Some("a".into())),
        (&["v1_baseline", "Paragraph"], Some("b".into())),
        (&["Paragraph", "staging"], Some("c".into())),
        (&["Paragraph", "staging"], None),
        (&["Paragraph"], None),
        (&["Paragraph"], Some(7.into())),
        (&["Figure"], Some("figure".into())),
        (&["staging"], Some("d".into())),
        (&[], Some("e".into())),
    ]);
    let content = |exclude| summarize_content(text.as_bytes(), exclude, |_| {}).unwrap();
    let expected = ParagraphPoints { ids: fingerprint(["b", "a"]), without_chunk_id: 2, excluded: 2 };
    assert_eq!(content(Some("staging")).paragraphs, expected);
    let all = ParagraphPoints { ids: fingerprint(["a", "b", "c"]), without_chunk_id: 3, excluded: 0 };
    assert_eq!(content(None).paragraphs, all);
    assert_eq!(content(Some("another")).paragraphs, all);
    assert_eq!(summarize(text.as_bytes(), |_| {}).unwrap(), content(None));
    // The other counts are of the whole file.
    assert_eq!((content(Some("staging")).nodes, content(Some("staging")).labels["Paragraph"]), (9, 6));
}

#[test]
fn a_chunk_id_that_comes_twice_equals_no_set() {
    let text = export(&[
        (&["Paragraph"], Some("a".into())),
        (&["Paragraph"], Some("a".into())),
        (&["Paragraph"], Some("b".into())),
    ]);
    let ids = summarize(text.as_bytes(), |_| {}).unwrap().paragraphs.ids;
    assert_eq!(ids.count, 3);
    for set in [&["a", "b"][..], &["b"], &["a", "b", "c"]] {
        assert_ne!(ids, fingerprint(set.iter().copied()));
    }
}

#[test]
fn nodes_of_every_kind_are_counted() {
    let kinds = ["Textbook", "Chapter", "Section", "Subsection", "Subsubsection", "Paragraph", "Figure", "Table"];
    let mut nodes: Vec<(&[&str], _)> = Vec::new();
    for (count, kind) in kinds.iter().enumerate() {
        nodes.extend(std::iter::repeat_n((std::slice::from_ref(kind), None), count + 1));
    }
    let summary = summarize(export(&nodes).as_bytes(), |_| {}).unwrap();
    for (count, kind) in (1..).zip(kinds) {
        assert_eq!(summary.labels[kind], count, "{kind}");
    }
    assert_eq!((summary.labels.len(), summary.nodes), (8, 36));
}

/// As APOC writes with `useOptimizations: {type: 'UNWIND_BATCH_PARAMS'}`.
fn with_parameters(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.strip_prefix("UNWIND ") {
        Some(rest) => format!(":param rows => {}\nUNWIND $rows AS row\n", rest.strip_suffix(" AS row\n").unwrap()),
        None => line.to_owned(),
    });
    lines.collect()
}

#[test]
fn rows_set_as_a_parameter_are_the_same() {
    let text = with_parameters(REAL);
    assert!(text.matches(":param rows").count() > 5);
    assert_eq!(items(&text).unwrap(), items(REAL).unwrap());
    let plain = format!("cypherStatements\n\"{}\"\n", text.replace('"', "\\\""));
    assert_eq!(items(&plain).unwrap(), items(REAL).unwrap());
}

#[test]
fn other_parameters_and_lists_nobody_uses_are_no_rows() {
    let text = "\
:param limit => 5
:param rows => [{_id:1, properties:{}}];
:param other: [1]
UNWIND $rows AS row
CREATE (n:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row._id});
UNWIND $nothing AS row CREATE (n:A{b: row.b});
MATCH (n:`UNIQUE IMPORT LABEL`) REMOVE n:`UNIQUE IMPORT LABEL` REMOVE n.`UNIQUE IMPORT ID`;
DROP CONSTRAINT UNIQUE_IMPORT_NAME;
";
    let items = items(text).unwrap();
    assert_eq!(items[0], Item::Other(":param limit => 5".to_owned()));
    assert_eq!(items[1], Item::Other(":param other: [1]".to_owned()));
    assert!(matches!(&items[2], Item::NodeBatch(batch) if batch.rows.len() == 1));
    assert!(matches!(&items[3], Item::Other(text) if text.contains("$nothing")));
    assert_eq!(summarize(text.as_bytes(), |_| {}).unwrap().other_statements, 1);
}

#[test]
fn damage_in_a_parameter_is_told_with_its_place() {
    let make = |list: &str| {
        let rest = "CREATE (n:`UNIQUE IMPORT LABEL`{`UNIQUE IMPORT ID`: row._id});";
        format!(":begin\n:param rows => {list}\nUNWIND $rows AS row\n{rest}\n:commit\n")
    };
    for (list, column) in [("[{_id:1x}]", 22), ("[{_id:1}] more", 26), ("[{_id:1, _id:2}]", 25), ("[{\"_id\":1}]", 18)]
    {
        match items(&make(list)).unwrap_err() {
            ExportError::Syntax { line, column: at, .. } => assert_eq!((line, at), (2, column), "{list}"),
            other => panic!("{other}"),
        }
    }
    // A row without its key: the list is named.
    assert!(matches!(items(&make("[{id:1}]")), Err(ExportError::Syntax { line: 2, column: 16, .. })));
    // Cut inside the list.
    let text = make("[{_id:1}]");
    assert!(matches!(items(&text[..30]), Err(ExportError::Cut { line: 2, .. })));
}

#[test]
fn a_cut_is_told_to_the_column() {
    let whole = export(&[(&["Paragraph"], Some("é\"🙂".into()))]);
    let cut = whole.find("🙂").unwrap();
    let line_start = whole[..cut].rfind('\n').unwrap() + 1;
    let column = whole[line_start..cut].chars().count() as u64 + 1;
    let line = whole[..cut].matches('\n').count() as u64 + 1;
    match summarize(&whole.as_bytes()[..cut], |_| {}) {
        Err(ExportError::Cut { line: at_line, column: at_column, what }) => {
            assert_eq!((at_line, at_column), (line, column));
            assert!(what.contains("a string"), "{what}");
        }
        other => panic!("{other:?}"),
    }
    // Statements are whole, the import marks are left over: the place is the end of the text.
    let marks_left = &whole[..whole.find(":begin\nMATCH (n:`UNIQUE").unwrap()];
    match summarize(marks_left.as_bytes(), |_| {}) {
        Err(ExportError::Cut { line, column, what }) => {
            assert_eq!((line, column), (marks_left.matches('\n').count() as u64 + 1, 1));
            assert!(what.contains("clean-up"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_literal_is_typed() {
    let call = |name: &str, arg: CypherValue| CypherValue::Call { name: name.to_owned(), args: vec![arg] };
    let map = |pairs: &[(&str, CypherValue)]| {
        CypherValue::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let literals: Vec<(&str, CypherValue)> = vec![
        (r#""\t\b\n\r\f\'\"\\""#, "\t\u{8}\n\r\u{c}'\"\\".into()),
        (r#"'\u00e9\uD83D\uDE42 "q" // ; :begin `b`'"#, "é🙂 \"q\" // ; :begin `b`".into()),
        ("-0", 0.into()),
        ("9223372036854775807", i64::MAX.into()),
        ("-0x8000000000000000", i64::MIN.into()),
        ("-0o17", (-15).into()),
        (".5", 0.5.into()),
        ("-1.5E+3", (-1500.0).into()),
        ("6.022e23", 6.022e23.into()),
        ("4.9E-324", 4.9e-324.into()),
        ("Inf", f64::INFINITY.into()),
        ("TrUe", true.into()),
        ("NULL", CypherValue::Null),
        ("[ ]", CypherValue::List(vec![])),
        ("[[1],'a',null]", CypherValue::List(vec![CypherValue::List(vec![1.into()]), "a".into(), CypherValue::Null])),
        ("{}", map(&[])),
        ("{a:{`b c`:1}}", map(&[("a", map(&[("b c", 1.into())]))])),
        ("date('2024-01-02')", call("date", "2024-01-02".into())),
        ("time('03:04:05.6Z')", call("time", "03:04:05.6Z".into())),
        ("localtime('03:04')", call("localtime", "03:04".into())),
        (
            "datetime('2024-01-02T03:04:05[Europe/Berlin]')",
            call("datetime", "2024-01-02T03:04:05[Europe/Berlin]".into()),
        ),
        ("localdatetime('2024-01-02T03:04')", call("localdatetime", "2024-01-02T03:04".into())),
        ("duration('P1Y2M3DT4H5.6S')", call("duration", "P1Y2M3DT4H5.6S".into())),
        (
            "point({x: -1.5, y: 2.5, srid: 7203})",
            call("point", map(&[("x", (-1.5).into()), ("y", 2.5.into()), ("srid", 7203.into())])),
        ),
    ];
    let properties: Vec<_> = literals.iter().enumerate().map(|(n, (text, _))| format!("p{n}: {text}")).collect();
    let text = export(&[(&["A"], None)])
        .replace("properties:{}", &format!("properties:{{{}}}", properties.join(",\n /* ; */ ")));
    let items = items(&text).unwrap();
    let row = items.iter().find_map(|item| if let Item::NodeBatch(batch) = item { batch.rows.first() } else { None });
    for (n, (text, expected)) in literals.iter().enumerate() {
        assert_eq!(&row.unwrap().properties[&format!("p{n}")], expected, "{text}");
    }
}

#[test]
fn a_name_that_comes_twice_in_a_map_is_damage() {
    for twice in ["{a:1, a:2}", "{a:1, `a`:1}", "[{b:{a:1, a:1}}]"] {
        assert!(twice.parse::<CypherValue>().is_err(), "{twice}");
    }
    let text = export(&[(&["A"], None)]).replace("properties:{}", "properties:{}, _id:1");
    assert!(matches!(items(&text), Err(ExportError::Syntax { .. })));
}

/// A statement whose values would fill the memory is refused, however short its text.
#[test]
fn what_a_statement_may_hold_is_bounded() {
    for part in ["{a:1},", "0,", "[],"] {
        let values = part.repeat(1_000_000);
        let text = format!("UNWIND [{}] AS row CREATE (n);\n", values.trim_end_matches(','));
        assert!(matches!(items(&text), Err(ExportError::Syntax { .. })), "{part}");
    }
    let long = format!("CREATE (n {{a: \"{}\"}});\n", "x".repeat(13 * 1024 * 1024));
    assert!(matches!(items(&long), Err(ExportError::Syntax { line: 1, column: 1, .. })));
    let wide: Vec<_> = (0..300).map(|n| format!("f{n}:1")).collect();
    assert!(items(&format!("UNWIND [{{{}}}] AS row CREATE (n);\n", wide.join(","))).is_err());
}

#[test]
fn rows_of_long_texts_share_no_statement_that_is_too_long_to_be_read() {
    let nodes: Vec<_> =
        (0..25).map(|n| (&["Paragraph"][..], Some(CypherValue::from("x".repeat(700_000 + n))))).collect();
    let text = export(&nodes);
    let summary = summarize(text.as_bytes(), |_| {}).unwrap();
    assert_eq!((summary.nodes, summary.paragraphs.ids.count), (25, 25));
    // Short ones stand twenty together all the same.
    let short: Vec<_> = (0..40).map(|n| (&["Paragraph"][..], Some(CypherValue::from(format!("c{n}"))))).collect();
    assert_eq!(export(&short).matches("UNWIND").count(), 2);
}
