//! Set-up, build, run, test.

// Progress and results are this program's output.
#![allow(clippy::print_stdout)]

mod browser;
mod build;
mod cache;
mod commands;
mod compress;
mod debian;
mod failure;
mod figures;
mod fingerprint;
mod neo4j;
mod process;
mod report;
mod site;
mod tally;
mod wasm_opt;
mod wasm_std;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use crate::{failure::Outcome, workspace::Workspace};

/// Set-up, build, run, test
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Command {
    /// Build, make a demo deployment if there is none, and serve it
    Run(commands::run::Options),
    /// Build the program and its page files
    Build(commands::build::Options),
    /// Set up what the tests need, and run everything
    Test(commands::test::Options),
    /// Start a Neo4j with an empty database, and print how to reach it
    Neo4j(commands::neo4j::Options),
    /// Feed the readers of a backup's files with damaged input
    Fuzz(commands::fuzz::Options),
    /// Measure a release against the figures that are wanted of it
    Bench(commands::bench::Options),
    /// Take pictures of every page
    Screenshots(commands::screenshots::Options),
    /// Make the WASM standard library usable for plain cargo and editors
    WasmStd,
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: FAILED: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome<ExitCode> {
    let workspace = Workspace::find()?;
    match command {
        Command::Test(options) => return commands::test::run(&workspace, &options),
        Command::Run(options) => commands::run::run(&workspace, &options)?,
        Command::Build(options) => commands::build::run(&workspace, &options)?,
        Command::Neo4j(options) => commands::neo4j::run(&workspace, &options)?,
        Command::Fuzz(options) => commands::fuzz::run(&workspace, &options)?,
        Command::Bench(options) => commands::bench::run(&workspace, &options)?,
        Command::Screenshots(options) => commands::screenshots::run(&workspace, &options)?,
        Command::WasmStd => wasm_std::ensure(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}
