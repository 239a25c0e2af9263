//! Measures export and restore of a graph against a real Neo4j, and prints what it measured:
//!
//! ```text
//! cargo run --release -p rollback-stores --example graph_copies -- <export.cypher> [runs]
//! ```
//!
//! The server is the one of the tests (`cargo xtask neo4j` prints its variables). **What is in it is replaced.**

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use futures::TryStreamExt;
use rollback::store::{GraphCheck, GraphScope, GraphStore, OnProgress, ScratchGraph};
use rollback_stores::embedded_graph::ScratchGraphs;
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};
use rollback_stores::secret::Secret;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let export: PathBuf = arguments.next().ok_or("which export? See the first lines of this file")?.into();
    let runs: u32 = arguments.next().map_or(Ok(1), |runs| runs.parse())?;
    let read = |name: &str| std::env::var(format!("STEPBACK_TEST_NEO4J_{name}"));
    let graph = Neo4jGraph::new(Neo4jConfig::new(read("URI")?, read("USER")?, Secret::new(read("PASSWORD")?)));
    let quiet: OnProgress = Arc::new(|_, _| {});
    let folder = std::env::temp_dir().join(format!("graph-copies-{}", std::process::id()));
    std::fs::create_dir(&folder)?;

    for _ in 0..runs {
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
    let copy = folder.join("copy.cypher");
    let start = Instant::now();
    let taken = graph.export(&copy, quiet.clone()).await?;
    println!("export: {:?}, {} bytes", start.elapsed(), taken.bytes);
    let start = Instant::now();
    ScratchGraphs.try_export(&copy, &folder, quiet).await?;
    println!("trial in an embedded graph: {:?}", start.elapsed());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
