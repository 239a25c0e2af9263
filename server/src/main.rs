//! The program `stepback`: reads the command line and hands over to the library.

use std::process::ExitCode;

use clap::Parser as _;
use stepback_server::cli::Cli;

fn main() -> ExitCode {
    stepback_server::memory::hold_little();
    stepback_server::program::run(Cli::parse())
}
