//! The standard library for `wasm32-unknown-unknown`, made usable for plain cargo too: `.cargo/config.toml` includes the
//! file `.cargo/wasm-std.toml` that is written here.

mod debian_source;

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    cache,
    failure::{Failure, FileContext, Outcome, say},
    process,
    workspace::Workspace,
};

/// The target's name.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The compiler in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rustc {
    /// For instance `1.95.0`.
    pub version: String,
    /// The whole commit hash, or `unknown`.
    pub commit: String,
}

/// How to come by the library.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    /// The toolchain has it.
    Toolchain,
    /// Made by an earlier run.
    Cache,
    /// `rustup target add`.
    Rustup,
    /// Built from Debian's `rust-src`, where no toolchain part may be downloaded.
    DebianSource,
}

fn route(toolchain: bool, cached: bool, rustup: bool, auto_install: Option<&str>) -> Route {
    if toolchain {
        Route::Toolchain
    } else if cached {
        Route::Cache
    } else if rustup && auto_install != Some("0") {
        Route::Rustup
    } else {
        Route::DebianSource
    }
}

/// Makes the target usable for cargo in this workspace.
pub fn ensure(workspace: &Workspace) -> Outcome {
    let rustc = rustc(workspace.root())?;
    let cache = cache::folder()?;
    let commit: String = rustc.commit.chars().take(9).collect();
    let name = format!("wasm-std-{}-{commit}", rustc.version);
    let cached = cache.join(&name);
    let route = route(
        usable(workspace.root(), None)?,
        cached.is_dir() && usable(workspace.root(), Some(&cached))?,
        process::find("rustup").is_some(),
        env::var("RUSTUP_AUTO_INSTALL").ok().as_deref(),
    );
    let folder = match route {
        Route::Toolchain => None,
        Route::Cache => Some(cached),
        Route::Rustup => {
            say(format!("adding the target {TARGET} by rustup"));
            process::run(
                Command::new("rustup").args(["target", "add", TARGET]).current_dir(workspace.root()),
                "see that rustup reaches its server; where it may not, set RUSTUP_AUTO_INSTALL=0: the library is then built from Debian's source",
            )?;
            None
        }
        Route::DebianSource => {
            // There, but not usable: made by hand or damaged.
            cache::remove(&cached)?;
            Some(cache::entry(&cache, &name, |out| debian_source::build(&rustc, out))?)
        }
    };
    write_config(workspace, folder.as_deref())?;
    if usable(workspace.root(), folder.as_deref())? {
        Ok(())
    } else {
        Err(Failure::new(
            format!("rustc {} can't use the standard library for {TARGET} that was set up", rustc.version),
            format!("remove {} and run the command again", cache.join(name).display()),
        ))
    }
}

fn rustc(root: &Path) -> Outcome<Rustc> {
    let text = process::capture(
        Command::new("rustc").arg("-vV").current_dir(root),
        "install Rust by rustup, in the version that rust-toolchain.toml names",
    )?;
    parse_version(&text).ok_or_else(|| {
        Failure::new(
            format!("`rustc -vV` printed no release:\n{text}"),
            "install Rust by rustup, in the version that rust-toolchain.toml names",
        )
    })
}

fn parse_version(text: &str) -> Option<Rustc> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    Some(Rustc { version: field("release: ")?, commit: field("commit-hash: ").unwrap_or_else(|| "unknown".to_owned()) })
}

/// Compiles one function for the target: sees also a half-filled folder and the library of another compiler.
fn usable(root: &Path, folder: Option<&Path>) -> Outcome<bool> {
    let scratch = tempfile::tempdir().file("create", &env::temp_dir())?;
    let mut command = Command::new("rustc");
    command
        .current_dir(root)
        .args(["--target", TARGET, "--crate-type", "lib", "--crate-name", "probe", "--emit", "metadata", "-"])
        .arg("-o")
        .arg(scratch.path().join("probe.rmeta"));
    if let Some(folder) = folder {
        command.arg("-L").arg(folder);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::start("rustc", &error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A compiler that ended before it read has failed: its status says so.
        stdin.write_all(b"pub fn text(number: u32) -> String { format!(\"{number}\") }\n").ok();
    }
    let status = child.wait().map_err(|error| Failure::start("rustc", &error))?;
    Ok(status.success())
}

/// Cargo's settings for the target; untouched when they are as wanted.
fn write_config(workspace: &Workspace, folder: Option<&Path>) -> Outcome {
    let path: PathBuf = workspace.root().join(".cargo/wasm-std.toml");
    let wanted = config(folder);
    if fs::read_to_string(&path).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let part = path.with_extension("toml.part");
    fs::write(&part, wanted).file("write", &part)?;
    fs::rename(&part, &path).file("write", &path)
}

fn config(folder: Option<&Path>) -> String {
    let mut text = String::from("# Written by `cargo xtask`; not for git.\n");
    if let Some(folder) = folder {
        // JSON's strings are strings of TOML.
        let quoted = serde_json::Value::from(folder.to_string_lossy());
        text.push_str(&format!("[target.{TARGET}]\nrustflags = [\"-L\", {quoted}]\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_taken_before_anything_is_fetched() {
        assert_eq!(route(true, true, true, None), Route::Toolchain);
        assert_eq!(route(false, true, true, None), Route::Cache);
        assert_eq!(route(false, true, false, Some("0")), Route::Cache);
    }

    #[test]
    fn rustup_is_never_asked_where_it_may_not_install() {
        assert_eq!(route(false, false, true, Some("0")), Route::DebianSource);
        assert_eq!(route(false, false, false, None), Route::DebianSource);
        assert_eq!(route(false, false, true, None), Route::Rustup);
        assert_eq!(route(false, false, true, Some("1")), Route::Rustup);
    }

    #[test]
    fn the_version_is_read_from_the_long_form() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: abc\nrelease: 1.95.0\n";
        let rustc = parse_version(text).unwrap();
        assert_eq!((rustc.version.as_str(), rustc.commit.as_str()), ("1.95.0", "abc"));
        assert_eq!(parse_version("error"), None);
    }

    #[test]
    fn a_folder_with_quotes_stays_one_string() {
        assert_eq!(
            config(Some(Path::new("/a \"b\""))),
            "# Written by `cargo xtask`; not for git.\n[target.wasm32-unknown-unknown]\nrustflags = [\"-L\", \"/a \\\"b\\\"\"]\n"
        );
        assert!(!config(None).contains("target"));
    }
}
