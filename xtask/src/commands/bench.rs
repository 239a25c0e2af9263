//! `cargo xtask bench`: measures a release against the figures that are wanted of it.

use std::{fs, path::Path};

use clap::ValueEnum;

use crate::{
    build,
    failure::{FileContext, Outcome, say},
    figures::{self, Figure},
    site::WasmSize,
    workspace::{Profile, Workspace},
};

/// A release's program is at most so large.
const MOST_PROGRAM: u64 = 40_000_000;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Measure this only; may be given more than once
    #[arg(long, value_name = "WHAT")]
    only: Vec<What>,
    /// Load the graph by the real cypher-shell too, which takes more than ten minutes
    #[arg(long)]
    runbook: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Program and WASM of a release
    Size,
    /// The first page of 10,000 and of 100,000 versions
    Page,
    /// Memory of an idle server
    Memory,
    /// Hashing and parsing a large export
    Files,
    /// Restore of a graph of real size into a real Neo4j
    Restore,
}

/// Measures, and tells each figure beside what is wanted. A figure that is missed is no failure of the command: on a machine
/// with other work to do it says little.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let scratch = workspace.target().join("bench");
    fs::create_dir_all(&scratch).file("create", &scratch)?;
    let mut figures = Vec::new();
    for what in What::value_variants() {
        if options.only.is_empty() || options.only.contains(what) {
            figures.extend(measure(workspace, &scratch, *what, options.runbook)?);
        }
    }
    println!("\n{}", figures::table(&figures));
    Ok(())
}

fn measure(workspace: &Workspace, scratch: &Path, what: What, runbook: bool) -> Outcome<Vec<Figure>> {
    Ok(match what {
        What::Size => sizes(workspace)?,
        What::Page => {
            let built = build::all(workspace, Profile::Release)?;
            say("asking for the first page of many versions");
            vec![figures::pages(&built.program, scratch, 10_000)?, figures::pages(&built.program, scratch, 100_000)?]
        }
        What::Memory => {
            let built = build::all(workspace, Profile::Release)?;
            vec![figures::resident(&built.program, scratch)?]
        }
        What::Files => {
            let export = figures::export(workspace, scratch)?;
            vec![figures::hashing(&export)?, export.parsing()?]
        }
        What::Restore => vec![figures::restore(workspace, scratch, runbook)?],
    })
}

fn sizes(workspace: &Workspace) -> Outcome<Vec<Figure>> {
    let built = build::all(workspace, Profile::Release)?;
    let program = fs::metadata(&built.program).file("look at", &built.program)?.len();
    let wasm = WasmSize::of(&built.wasm, Profile::Release)?;
    Ok(vec![
        Figure {
            what: "program of a release".to_owned(),
            wanted: format!("≤ {} MB", MOST_PROGRAM / 1_000_000),
            measured: format!("{:.1} MB", program as f64 / 1e6),
            met: program <= MOST_PROGRAM,
        },
        Figure {
            what: "WASM of a release".to_owned(),
            wanted: format!("≤ {} kB brotli", WasmSize::LIMIT / 1000),
            measured: wasm.to_string(),
            met: wasm.is_within_limit(),
        },
    ])
}
