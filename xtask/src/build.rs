//! Program and page files. Never both in one cargo invocation: the features for server and browser would mix.

use std::path::PathBuf;

use crate::{
    debian,
    failure::{Failure, Outcome, say},
    process, site, wasm_std,
    workspace::{Profile, Workspace},
};

const COMPILE_REMEDY: &str = "mend what the compiler says above";

/// What a build made.
#[derive(Debug)]
pub struct Built {
    /// The program `stepback`.
    pub program: PathBuf,
    /// The WASM that the browser loads.
    pub wasm: PathBuf,
}

/// Builds both; what is up to date takes about a second.
pub fn all(workspace: &Workspace, profile: Profile) -> Outcome<Built> {
    debian::ensure_c_compiler()?;
    wasm_std::ensure(workspace)?;
    let program = server(workspace, profile)?;
    let frontend = frontend(workspace, profile)?;
    let wasm = site::assemble(workspace, profile, &frontend)?;
    Ok(Built { program, wasm })
}

/// The WASM as a release has it, without the rest of one: the frontend built, bound and made small.
pub fn release_wasm(workspace: &Workspace) -> Outcome<site::WasmSize> {
    debian::ensure_c_compiler()?;
    wasm_std::ensure(workspace)?;
    let frontend = frontend(workspace, Profile::Release)?;
    site::measure(workspace, &frontend)
}

fn server(workspace: &Workspace, profile: Profile) -> Outcome<PathBuf> {
    say(format!("building the server ({})", profile.folder()));
    let mut cargo = process::cargo(workspace.root());
    // They would replace the flags in `.cargo/config.toml`, which server and browser must share.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.args(["build", "--package", "server", "--bin", "stepback"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    process::run(&mut cargo, COMPILE_REMEDY)?;
    built(workspace.program(profile))
}

fn frontend(workspace: &Workspace, profile: Profile) -> Outcome<PathBuf> {
    say(format!("building the frontend ({})", profile.wasm()));
    let mut cargo = process::cargo(workspace.root());
    // They would replace the flags by which cargo finds the target's standard library.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.args(["build", "--package", "frontend", "--target", wasm_std::TARGET, "--profile", profile.wasm()]);
    process::run(&mut cargo, COMPILE_REMEDY)?;
    built(workspace.target().join(wasm_std::TARGET).join(profile.wasm()).join("frontend.wasm"))
}

fn built(path: PathBuf) -> Outcome<PathBuf> {
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure::new(
            format!("cargo built, but there is no {}", path.display()),
            "unset build.target-dir and build.target in your cargo settings: the xtask uses CARGO_TARGET_DIR or `target`",
        ))
    }
}
