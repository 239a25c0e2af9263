//! `wasm-opt`, from npm's package `binaryen`: makes the release WASM smaller.

use std::{path::Path, process::Command};

use crate::{
    cache, debian,
    failure::{Outcome, say},
    process,
};

/// Version of the package.
pub const VERSION: &str = "132.0.0";

/// What rustc's target uses by default, and every browser of the last years knows. The section that tells them may be missing.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Optimises the file for size, in place.
pub fn shrink(wasm: &Path) -> Outcome {
    debian::ensure_node()?;
    let cache = cache::folder()?;
    let folder = cache::entry(&cache, &format!("binaryen-{VERSION}"), |folder| {
        say(format!("fetching wasm-opt (npm's binaryen {VERSION}, once)"));
        process::capture(
            Command::new("npm")
                .args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"])
                .arg(folder)
                .arg(format!("binaryen@{VERSION}")),
            "check that npm reaches its registry (`npm ping`), then run the command again",
        )?;
        Ok(())
    })?;
    say("optimising the WASM for size");
    process::run(
        Command::new("node")
            .arg(folder.join("node_modules/binaryen/bin/wasm-opt"))
            .args(["-O3", "-Oz"])
            .args(FEATURES)
            .arg(wasm)
            .arg("-o")
            .arg(wasm),
        "this is a fault of the build: look at wasm-opt's message",
    )
}
