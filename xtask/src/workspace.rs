//! Where things are.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::failure::{Failure, Outcome};

/// The two ways to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Debug,
    /// Small and quick to run.
    Release,
}

impl Profile {
    /// `--release` or not.
    pub fn of(release: bool) -> Self {
        if release { Self::Release } else { Self::Debug }
    }

    /// The folder below `target/` with the program and its `site/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    /// The cargo profile of the frontend.
    pub fn wasm(self) -> &'static str {
        match self {
            Self::Debug => "wasm-dev",
            Self::Release => "wasm-release",
        }
    }
}

/// The checkout that the xtask works on.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Found at run time, by the variable that `cargo run` sets: the program may have been built in another checkout.
    pub fn find() -> Outcome<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map(PathBuf::from)
            .ok_or_else(|| Failure::new("the xtask was not started by cargo", "start it as `cargo xtask …`"))?;
        let root = manifest
            .parent()
            .ok_or_else(|| Failure::new("the xtask has no folder above it", "start it as `cargo xtask …`"))?
            .to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// The folder with the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's target folder.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The program `stepback` of a profile.
    pub fn program(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder()).join("stepback")
    }

    /// The page files of a profile, beside the program.
    pub fn site(&self, profile: Profile) -> PathBuf {
        self.target.join(profile.folder()).join("site")
    }

    /// The browser tests.
    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }
}
