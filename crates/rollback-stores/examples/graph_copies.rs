//! Measures export and restore of a graph against a real Neo4j, and prints what it measured:
//!
//! ```text
//! cargo run --release -p rollback-stores --example graph_copies -- make export.cypher        a graph of real size
//! cargo run --release -p rollback-stores --example graph_copies -- restore export.cypher     once, over what is there
//! cargo run --release -p rollback-stores --example graph_copies -- [export.cypher [copy.cypher]]
//! ```
//!
//! Leaves its own export at the second path, if there is one. Without a file it makes a graph of real size: 107,404 nodes, half of them staging. The server is the one of the tests
//! (`cargo xtask neo4j` prints its variables). **What is in it is replaced.**

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use backup_formats::cypher_export::{CypherValue, ExportNode, ExportRelationship, ExportWriter, UniqueKey};
use futures::TryStreamExt;
use rollback::store::{GraphCheck, GraphScope, GraphStore, OnProgress, ScratchGraph};
use rollback_stores::embedded_graph::ScratchGraphs;
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};
use rollback_stores::secret::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["make", path] => make(path.as_ref()),
        ["restore", path] => {
            let start = Instant::now();
            let inventory = server()?.restore_export(path.as_ref(), Arc::new(|_, _| {})).await?;
            println!("restore: {:?}; {:?} nodes", start.elapsed(), inventory.nodes);
            Ok(())
        }
        files => measure(files).await,
    }
}

/// The server that the variables name.
fn server() -> Result<Neo4jGraph, Box<dyn Error>> {
    let read = |name: &str| std::env::var(format!("STEPBACK_TEST_NEO4J_{name}"));
    Ok(Neo4jGraph::new(Neo4jConfig::new(read("URI")?, read("USER")?, Secret::new(read("PASSWORD")?))))
}

async fn measure(files: &[&str]) -> Result<(), Box<dyn Error>> {
    let graph = server()?;
    let quiet: OnProgress = Arc::new(|_, _| {});
    let folder = std::env::temp_dir().join(format!("graph-copies-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let export = match files.first() {
        Some(path) => PathBuf::from(path),
        None => {
            let path = folder.join("made.cypher");
            make(&path)?;
            path
        }
    };
    println!("export of {} bytes", std::fs::metadata(&export)?.len());

    // Into whatever is there, then over what it left: the second one wipes a graph of this size.
    for _ in 0..2 {
        let start = Instant::now();
        let began = Arc::new(std::sync::OnceLock::new());
        let progress: OnProgress = Arc::new({
            let began = began.clone();
            move |done, _| {
                if done > 0 {
                    began.get_or_init(|| start.elapsed());
                }
            }
        });
        let inventory = graph.restore_export(&export, progress).await?;
        println!(
            "restore: {:?}, of which check, wipe and the first rows {:?}; {:?} nodes, {:?} relationships",
            start.elapsed(),
            began.get(),
            inventory.nodes,
            inventory.relationships
        );
    }
    let scope = GraphScope::Production(Vec::new());
    let start = Instant::now();
    let paragraphs: Vec<String> = graph.paragraphs(&scope).try_collect().await?;
    println!("{} paragraphs: {:?}", paragraphs.len(), start.elapsed());
    for check in [
        GraphCheck::Orphans,
        GraphCheck::Unreachable,
        GraphCheck::ChainLeaves,
        GraphCheck::NextWithoutPrev,
        GraphCheck::CrossReferences,
    ] {
        let start = Instant::now();
        let found: Vec<String> = graph.offenders(check, &scope).try_collect().await?;
        println!("{check:?}: {} found, {:?}", found.len(), start.elapsed());
    }
    let copy = files.get(1).map_or_else(|| folder.join("copy.cypher"), PathBuf::from);
    let start = Instant::now();
    let taken = graph.export(&copy, quiet.clone()).await?;
    println!("export: {:?}, {} bytes", start.elapsed(), taken.bytes);
    let start = Instant::now();
    ScratchGraphs.try_export(&copy, &folder, quiet).await?;
    println!("trial in an embedded graph: {:?}", start.elapsed());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A graph as HybridFlow makes it, twice: in production and in staging.
fn make(path: &Path) -> Result<(), Box<dyn Error>> {
    let schema = [
        "CREATE CONSTRAINT FOR (n:Paragraph) REQUIRE (n.chunk_id) IS UNIQUE",
        "CREATE RANGE INDEX FOR (n:Section) ON (n.title)",
        "CREATE FULLTEXT INDEX paragraph_text FOR (n:Paragraph) ON EACH [n.text]",
    ];
    let keys = vec![UniqueKey { label: "Paragraph".to_owned(), property: "chunk_id".to_owned() }];
    let mut writer = ExportWriter::new(BufWriter::new(std::fs::File::create(path)?), &schema.map(str::to_owned), keys)?;
    let levels = [
        ("Textbook", 3, ""),
        ("Chapter", 269, "CONTAINS"),
        ("Section", 2_023, "HAS_SECTION"),
        ("Subsection", 7_788, "HAS_SUBSECTION"),
        ("Subsubsection", 1_413, "HAS_SUBSUBSECTION"),
        ("Paragraph", 36_301, "HAS_PARAGRAPH"),
        ("Figure", 4_649, "CONTAINS_FIGURE"),
        ("Table", 1_256, "CONTAINS_TABLE"),
    ];
    let sentence = "Treatment of the \"acute\" syndrome with β-blockers\n(p < 0.05) in patients ≥ 65 years. ";
    let mut relationships = Vec::new();
    let mut next_id = 0;
    for suffix in ["", "::staging20251227_140000"] {
        let mut above = 0..1;
        for (label, count, rel_type) in levels {
            let first = next_id;
            for number in 0..count {
                let name = if label == "Paragraph" { "chunk_id" } else { "id" };
                let mut properties: BTreeMap<String, CypherValue> = BTreeMap::new();
                properties.insert(name.to_owned(), format!("{label}:{number}{suffix}").into());
                properties.insert("title".to_owned(), format!("{label} {number}").into());
                if label == "Paragraph" {
                    properties.insert("text".to_owned(), sentence.repeat(5 + number as usize % 13).into());
                    properties.insert("page".to_owned(), i64::from(number / 30).into());
                    let bounds = [0.5, 1.0E-7, 120.25, f64::from(number)].map(CypherValue::from);
                    properties.insert("bounds".to_owned(), CypherValue::List(bounds.into()));
                }
                let mut labels = vec![label.to_owned()];
                if !suffix.is_empty() {
                    labels.push("staging".to_owned());
                }
                writer.node(&ExportNode { id: next_id, labels, properties })?;
                if !rel_type.is_empty() {
                    let parent = above.start + i64::from(number) % (above.end - above.start);
                    relationships.push((parent, rel_type, next_id));
                }
                if label == "Paragraph" && number > 0 && number % 3 == 0 {
                    relationships.push((next_id - 1, "NEXT", next_id));
                    relationships.push((next_id, "PREV", next_id - 1));
                }
                next_id += 1;
            }
            above = first..next_id;
        }
    }
    relationships.sort_by_key(|(_, rel_type, _)| *rel_type);
    for (start, rel_type, end) in relationships {
        let rel_type = rel_type.to_owned();
        writer.relationship(&ExportRelationship { start, end, rel_type, properties: BTreeMap::new() })?;
    }
    writer.finish()?;
    Ok(())
}
