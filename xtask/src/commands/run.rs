//! `cargo xtask run`: builds, makes a demo deployment if there is none, and serves it.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    build,
    failure::{Failure, Outcome, say},
    process,
    workspace::{Profile, Workspace},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Optimised and small
    #[arg(long)]
    release: bool,
    /// Address and port to listen on; the server says which it allows
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: String,
    /// Settings of a deployment of your own instead of the demo
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Replaces this process by the server, which prints its address as the last line.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let config = options.config.as_deref().map(given_config).transpose()?;
    let built = build::all(workspace, Profile::of(options.release))?;
    let config = match config {
        Some(config) => config,
        None => demo(workspace.root(), &built.program)?,
    };
    let mut server = Command::new(&built.program);
    server.arg("serve").arg("--config").arg(config).arg("--listen").arg(&options.listen);
    Err(Failure::start(&process::shown(&server), &server.exec()))
}

/// Checked before the build, which takes longer.
fn given_config(path: &Path) -> Outcome<PathBuf> {
    path.canonicalize().map_err(|error| {
        Failure::new(
            format!("there is no settings file {}: {error}", path.display()),
            "give the path of a stepback.toml, or leave --config away to serve the demo",
        )
    })
}

/// The settings of the demo deployment in `demo/`, made if missing.
fn demo(root: &Path, program: &Path) -> Outcome<PathBuf> {
    let config = root.join("demo/stepback.toml");
    if !config.is_file() {
        say("making a demo deployment in demo/");
        process::run(
            Command::new(program).args(["demo", "demo"]).current_dir(root),
            "if a folder demo/ was left half made, remove it and run the command again",
        )?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_demo_that_is_there_is_kept() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("demo")).unwrap();
        let config = root.path().join("demo/stepback.toml");
        fs::write(&config, "mine").unwrap();
        assert_eq!(demo(root.path(), Path::new("false")).unwrap(), config);
        assert_eq!(fs::read_to_string(config).unwrap(), "mine");
    }

    #[test]
    fn a_missing_demo_is_asked_of_the_program_in_the_workspace() {
        let root = tempfile::tempdir().unwrap();
        // `mkdir demo demo` makes the folder, and then fails because it is there.
        let failure = demo(root.path(), Path::new("mkdir")).unwrap_err();
        assert!(root.path().join("demo").is_dir());
        assert!(failure.remedy.contains("remove it"), "{failure}");
    }
}
