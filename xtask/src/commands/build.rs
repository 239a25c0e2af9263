//! `cargo xtask build`: builds without serving.

use crate::{
    build,
    failure::{Outcome, say},
    site::WasmSize,
    workspace::{Profile, Workspace},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Optimised and small, with compressed page files
    #[arg(long)]
    release: bool,
}

/// Builds the program and its page files.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let profile = Profile::of(options.release);
    let built = build::all(workspace, profile)?;
    say(WasmSize::of(&built.wasm, profile)?);
    say(format!("built {} and its page files in {}", built.program.display(), workspace.site(profile).display()));
    Ok(())
}
