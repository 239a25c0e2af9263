//! The standard library, built from Debian's package `rust-src` of exactly the compiler's version.
//!
//! The package is downloaded by an apt with a state of its own, so that the machine's sources stay as they are, and
//! checked against Debian's keyring.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Rustc, TARGET};
use crate::{
    debian,
    failure::{Failure, FileContext, Outcome, say},
    process,
};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where newer Rust versions appear, the nearest to a stable release first.
const SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];
const ELSE: &str = "where rustup's server can be reached run `rustup target add wasm32-unknown-unknown`; else use a rustc whose source Debian has";

/// Fills `out` with the libraries.
pub fn build(rustc: &Rustc, out: &Path) -> Outcome {
    if process::find("apt-get").is_none() || process::find("dpkg-deb").is_none() {
        return Err(Failure::new(
            format!("the standard library for {TARGET} is missing, and only Debian's tools could build it here"),
            ELSE,
        ));
    }
    if !Path::new(KEYRING).is_file() {
        debian::install(&["debian-archive-keyring"])?;
    }
    let scratch = tempfile::tempdir_in(out.parent().unwrap_or(out)).file("create a folder beside", out)?;
    let apt = Apt::new(scratch.path())?;
    let package = find_package(&apt, rustc)?;
    say(format!("fetching Debian's rust-src {package} (about 45 MB, once)"));
    process::capture(
        apt.command("apt-get").current_dir(scratch.path()).arg("download").arg(format!("rust-src={package}")),
        "check the connection to Debian's mirror, then run the command again",
    )?;
    let library = unpack(scratch.path())?;
    say(format!("building the standard library for {TARGET} (about 40 s, once)"));
    compile(rustc, &library, &scratch.path().join("target"))?;
    keep(&scratch.path().join("target").join(TARGET).join("dist/deps"), out)
}

/// An apt with sources, lists and archives of its own.
struct Apt {
    folder: PathBuf,
    mirror: String,
}

impl Apt {
    fn new(scratch: &Path) -> Outcome<Self> {
        let folder = scratch.join("apt");
        for part in ["lists/partial", "archives/partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).file("create", &path)?;
        }
        let status = folder.join("status");
        fs::write(&status, "").file("write", &status)?;
        Ok(Self { folder, mirror: mirror()? })
    }

    fn command(&self, program: &str) -> Command {
        let at = |part: &str| self.folder.join(part).display().to_string();
        let mut command = Command::new(program);
        for setting in [
            format!("Dir::State={}", at("")),
            format!("Dir::State::lists={}", at("lists")),
            format!("Dir::State::status={}", at("status")),
            format!("Dir::Cache={}", at("")),
            format!("Dir::Cache::archives={}", at("archives")),
            format!("Dir::Etc::sourcelist={}", at("sources.list")),
            "Dir::Etc::sourceparts=-".to_owned(),
            "Dir::Etc::preferences=-".to_owned(),
            "Dir::Etc::preferencesparts=-".to_owned(),
            // The archive's user could not write into a private folder.
            "APT::Sandbox::User=".to_owned(),
            // `rust-src` is the same for all; Debian's indexes are not.
            "APT::Architecture=amd64".to_owned(),
            "APT::Architectures::=amd64".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=3".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false".to_owned(),
        ] {
            command.args(["-o", &setting]);
        }
        command
    }

    fn use_suite(&self, suite: &str) -> Outcome {
        let list = self.folder.join("sources.list");
        let line = format!("deb [signed-by={KEYRING}] {} {suite} main\n", self.mirror);
        fs::write(&list, line).file("write", &list)
    }
}

/// The mirror that this machine's apt uses for Debian, or the one that `XTASK_DEBIAN_MIRROR` names.
fn mirror() -> Outcome<String> {
    if let Ok(mirror) = env::var("XTASK_DEBIAN_MIRROR") {
        return Ok(mirror);
    }
    let sources = process::capture(
        Command::new("apt-get").args(["indextargets", "--no-release-info", "--format", "$(REPO_URI)"]),
        "check apt's sources (`apt-get update`)",
    )?;
    debian_archive(&sources).ok_or_else(|| {
        Failure::new(
            "this machine's apt has no Debian mirror to take rust-src from",
            format!("name one in XTASK_DEBIAN_MIRROR; or {ELSE}"),
        )
    })
}

fn debian_archive(sources: &str) -> Option<String> {
    let archive = sources.lines().map(str::trim).find(|uri| uri.trim_end_matches('/').ends_with("/debian"))?;
    Some(archive.to_owned())
}

fn find_package(apt: &Apt, rustc: &Rustc) -> Outcome<String> {
    let mut seen = Vec::new();
    for suite in SUITES {
        say(format!("looking for rust-src {} in Debian {suite}", rustc.version));
        apt.use_suite(suite)?;
        if let Err(failure) = process::capture(apt.command("apt-get").arg("update"), "") {
            say(format!("no index of {suite}: {}", failure.what));
            continue;
        }
        let listed = process::capture(apt.command("apt-cache").args(["madison", "rust-src"]), ELSE)?;
        if let Some(package) = matching_package(&listed, &rustc.version) {
            return Ok(package);
        }
        seen.extend(package_versions(&listed).map(str::to_owned));
    }
    let has = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
    Err(Failure::new(format!("Debian has no rust-src of rustc's version {} (it has: {has})", rustc.version), ELSE))
}

/// The second column of `apt-cache madison`: `rust-src | 1.95.0+dfsg1-1 | …`.
fn package_versions(madison: &str) -> impl Iterator<Item = &str> {
    madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim)
}

fn matching_package(madison: &str, version: &str) -> Option<String> {
    package_versions(madison).find(|package| package.split(['+', '~', '-']).next() == Some(version)).map(str::to_owned)
}

/// Unpacks the package's `library` folder, and returns it.
fn unpack(scratch: &Path) -> Outcome<PathBuf> {
    let package = entries(scratch)?
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .ok_or_else(|| Failure::new("apt-get downloaded no package", ELSE))?;
    let mut reader = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(&package)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::start("dpkg-deb", &error))?;
    let archive = reader.stdout.take().map_or_else(Stdio::null, Stdio::from);
    process::capture_with(
        Command::new("tar")
            // Before the pattern: it counts only for what follows it.
            .arg("--directory")
            .arg(scratch)
            .args(["--extract", "--wildcards", "./usr/src/*/library"]),
        archive,
        "make room on the disk and run the command again",
    )?;
    reader.wait().map_err(|error| Failure::start("dpkg-deb", &error))?;
    let sources = scratch.join("usr/src");
    entries(&sources)?
        .into_iter()
        .map(|folder| folder.join("library"))
        .find(|library| library.join("sysroot/Cargo.toml").is_file())
        .ok_or_else(|| Failure::new("rust-src has no library/sysroot: its layout changed", ELSE))
}

fn compile(rustc: &Rustc, library: &Path, target: &Path) -> Outcome {
    let source = library.parent().unwrap_or(library).display();
    let flags = format!(
        "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes --remap-path-prefix={source}=/rustc/{}",
        rustc.commit
    );
    let mut cargo = process::cargo(&library.join("sysroot"));
    for name in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS", "RUSTC_WRAPPER"] {
        cargo.env_remove(name);
    }
    process::run(
        cargo
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "")
            .env("RUSTC_BOOTSTRAP", "1")
            // Makes the crates' names differ from those of the same crates in a program.
            .env("__CARGO_DEFAULT_LIB_METADATA", "wasmstd")
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_INCREMENTAL", "0")
            .args(["build", "--locked", "--profile", "dist", "--features", "backtrace,panic-unwind"])
            .args(["--target", TARGET]),
        ELSE,
    )
}

/// Copies the libraries, but not the `sysroot` crate that only holds them together.
fn keep(built: &Path, out: &Path) -> Outcome {
    for library in entries(built)? {
        let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libsysroot") {
            fs::copy(&library, out.join(&name)).file("copy", &library)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    fs::read_dir(folder).and_then(|found| found.map(|entry| entry.map(|e| e.path())).collect()).file("read", folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADISON: &str = "  rust-src | 1.95.0+dfsg1-1~bpo13+1 | http://mirror/debian trixie-backports/main amd64 Packages\n  \
                           rust-src | 1.85.0+dfsg3-1 | http://mirror/debian trixie/main amd64 Packages\n";

    #[test]
    fn only_the_very_version_matches() {
        assert_eq!(matching_package(MADISON, "1.95.0").as_deref(), Some("1.95.0+dfsg1-1~bpo13+1"));
        assert_eq!(matching_package(MADISON, "1.9"), None);
        assert_eq!(matching_package(MADISON, "1.95.1"), None);
        assert_eq!(matching_package("", "1.95.0"), None);
    }

    #[test]
    fn the_security_archive_is_not_the_archive() {
        let sources = "http://mirror/debian-security/\nhttp://mirror/debian/\n";
        assert_eq!(debian_archive(sources).as_deref(), Some("http://mirror/debian/"));
        assert_eq!(debian_archive("http://archive.ubuntu.com/ubuntu/\n"), None);
    }
}
