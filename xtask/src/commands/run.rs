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
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// A program that writes the demo's settings, or fails.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("stepback");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_demo_is_made_once_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let maker = program(root.path(), "test \"$*\" = 'demo demo' && mkdir demo && echo made >demo/stepback.toml");
        let config = demo(root.path(), &maker).unwrap();
        assert_eq!(fs::read_to_string(&config).unwrap(), "made\n");
        let never = program(root.path(), "exit 1");
        assert_eq!(demo(root.path(), &never).unwrap(), config);
    }

    #[test]
    fn a_failed_demo_says_how_to_begin_again() {
        let root = tempfile::tempdir().unwrap();
        let failure = demo(root.path(), &program(root.path(), "exit 1")).unwrap_err();
        assert!(failure.remedy.contains("remove it"), "{failure}");
    }
}
