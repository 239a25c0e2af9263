//! Set-up, build, run, test.

// Progress and results are this program's output.
#![allow(clippy::print_stdout)]

mod cache;
mod commands;
mod debian;
mod failure;
mod neo4j;
mod process;
mod wasm_std;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::{failure::Outcome, workspace::Workspace};

/// Set-up, build, run, test
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Start a Neo4j with an empty database, and print how to reach it
    Neo4j(commands::neo4j::Options),
    /// Make the WASM standard library usable for plain cargo and editors
    WasmStd,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: FAILED: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome {
    let workspace = Workspace::find()?;
    match command {
        Command::Neo4j(options) => commands::neo4j::run(&workspace, &options),
        Command::WasmStd => wasm_std::ensure(&workspace),
    }
}
