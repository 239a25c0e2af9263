//! `cargo xtask fuzz`: feeds the readers of a backup's files, and of the settings, with damaged input, for a while.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    failure::{Failure, FileContext, Outcome, say},
    process,
    workspace::Workspace,
};

/// The cargo-fuzz that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.1";
/// The target that needs the program itself, and its feature.
const OF_THE_PROGRAM: &str = "configuration";
/// One input must be done in this many seconds.
const INPUT_SECONDS: u32 = 10;
/// Memory for one target, the address sanitizer's own among it.
const MEMORY_MB: u32 = 1024;
/// No single piece of memory of this size is needed for inputs of some kilobytes.
const PIECE_MB: u32 = 48;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long, for all targets together
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=7 * 24 * 60))]
    minutes: u32,
    /// Only this target (may be given several times)
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Run this one input instead, and show what happens
    #[arg(long, value_name = "FILE", requires = "target")]
    input: Option<PathBuf>,
}

/// Builds the targets, and runs one after the other; an input that breaks one does not stop the others.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let folder = workspace.root().join("fuzz");
    let targets = selected(targets(&folder)?, &options.target)?;
    ensure_cargo_fuzz(workspace)?;
    let fuzzer = Fuzzer { workspace, folder, sanitizer: sanitizer(workspace)? };
    for target in &targets {
        fuzzer.build(target)?;
    }
    if let Some(input) = &options.input {
        let input = input.canonicalize().file("find", input)?;
        return targets.iter().try_for_each(|target| fuzzer.repeat(target, &input));
    }
    let each = share(options.minutes, targets.len());
    let mut failed = Vec::new();
    for target in &targets {
        say(format!("{target}: {} s", each.as_secs()));
        if let Err(failure) = fuzzer.fuzz(target, each) {
            say(&failure);
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        say(format!("nothing found in {}", targets.join(", ")));
        return Ok(());
    }
    Err(Failure::new(
        format!("not all went well: {}", failed.join(", ")),
        "mend what broke (see above), keep the input as a unit test of the crate, then run the command again",
    ))
}

/// Every file in `fuzz_targets`, in order.
fn targets(folder: &Path) -> Outcome<Vec<String>> {
    let sources = folder.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&sources).file("read", &sources)? {
        let path = entry.file("read", &sources)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// The files of a folder, which need not be there yet.
fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.file("read", folder)?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::file("read", folder, &error)),
    }
}

fn selected(all: Vec<String>, wanted: &[String]) -> Outcome<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(Failure::new(
            format!("there is no fuzz target {unknown:?}"),
            format!("take one of: {}", all.join(", ")),
        ));
    }
    Ok(all.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name)).collect())
}

/// The time of one target.
fn share(minutes: u32, targets: usize) -> Duration {
    let seconds = u64::from(minutes) * 60 / (targets.max(1) as u64);
    Duration::from_secs(seconds.max(1))
}

fn ensure_cargo_fuzz(workspace: &Workspace) -> Outcome {
    let there = process::capture(process::cargo(workspace.root()).args(["fuzz", "--version"]), "");
    if there.is_ok() {
        return Ok(());
    }
    say(format!("installing cargo-fuzz {CARGO_FUZZ} (about a minute)"));
    process::run(
        process::cargo(workspace.root()).args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]),
        "see that crates.io can be reached and that cargo's `bin` folder is on PATH, then run the command again",
    )
}

/// The address sanitizer, where the toolchain has its runtime.
fn sanitizer(workspace: &Workspace) -> Outcome<&'static str> {
    let remedy = "install Rust by rustup, in the version that rust-toolchain.toml names";
    let mut rustc = Command::new("rustc");
    let libraries = process::capture(rustc.args(["--print", "target-libdir"]).current_dir(workspace.root()), remedy)?;
    let found = fs::read_dir(libraries.trim()).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().contains("rt.asan")))
    });
    if !found {
        say("the toolchain has no address sanitizer: panics, time and memory are still watched");
    }
    Ok(if found { "address" } else { "none" })
}

struct Fuzzer<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    sanitizer: &'static str,
}

impl Fuzzer<'_> {
    /// Instrumentation is a nightly option of the compiler; the variable lets the pinned one take it.
    fn command(&self, verb: &str, target: &str) -> Command {
        let mut command = process::cargo(self.workspace.root());
        command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", verb, "--fuzz-dir"]).arg(&self.folder);
        if target == OF_THE_PROGRAM {
            command.args(["--features", OF_THE_PROGRAM]);
        }
        command.args(["--sanitizer", self.sanitizer, target]);
        command
    }

    fn build(&self, target: &str) -> Outcome {
        process::run(
            &mut self.command("build", target),
            "a C++ compiler is needed for libFuzzer (Debian: `apt install g++`); for other errors see the output above",
        )
    }

    fn fuzz(&self, target: &str, time: Duration) -> Outcome {
        let found = self.folder.join("corpus").join(target);
        fs::create_dir_all(&found).file("create", &found)?;
        let artifacts = self.folder.join("artifacts").join(target);
        let mut command = self.command("run", target);
        // New inputs go to the first folder, the others are only read.
        command.arg(&found).arg(self.folder.join("seeds").join(target)).arg("--");
        command.args([
            format!("-max_total_time={}", time.as_secs()),
            format!("-timeout={INPUT_SECONDS}"),
            format!("-rss_limit_mb={MEMORY_MB}"),
            format!("-malloc_limit_mb={PIECE_MB}"),
            "-max_len=16384".to_owned(),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
        ]);
        let dictionary = self.folder.join("dictionaries").join(format!("{target}.dict"));
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let before = files(&artifacts)?;
        let run = process::run(&mut command, "see the output above: it did not come as far as an input");
        let found = files(&artifacts)?.into_iter().find(|file| !before.contains(file));
        match (run, found) {
            (Err(_), Some(input)) => Err(Failure::new(
                format!("an input broke {target}: {}", input.display()),
                format!("see it again with `cargo xtask fuzz --target {target} --input {}`", input.display()),
            )),
            (run, _) => run,
        }
    }

    fn repeat(&self, target: &str, input: &Path) -> Outcome {
        let mut command = self.command("run", target);
        command.arg(input).args(["--".to_owned(), format!("-timeout={INPUT_SECONDS}")]);
        process::run(&mut command, "mend what the output above names, and keep the input as a unit test of the crate")?;
        say(format!("{target} takes this input"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn all_targets_are_taken_unless_some_are_named() {
        let all = names(&["a", "b"]);
        assert_eq!(selected(all.clone(), &[]).unwrap(), all);
        assert_eq!(selected(all.clone(), &names(&["b"])).unwrap(), ["b"]);
        let failure = selected(all, &names(&["c"])).unwrap_err();
        assert!(failure.to_string().contains("a, b"), "{failure}");
    }

    #[test]
    fn the_time_is_shared_and_never_nothing() {
        assert_eq!(share(10, 5), Duration::from_secs(120));
        assert_eq!(share(1, 100), Duration::from_secs(1));
        assert_eq!(share(1, 0), Duration::from_secs(60));
    }

    /// A target that cargo does not know would never run, and one without a seed would learn slowly.
    #[test]
    fn every_target_is_in_the_manifest_and_has_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fuzz");
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let targets = targets(&folder).unwrap();
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
            assert!(fs::read_dir(folder.join("seeds").join(&target)).unwrap().count() > 0, "{target}");
        }
    }
}
