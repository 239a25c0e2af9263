//! Reading a backup's files: as quick as others, in little memory.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{Figure, megabytes, number_after};
use crate::{
    debian,
    failure::{Failure, FileContext, Outcome, say},
    process,
    workspace::Workspace,
};

/// Size of the export that is read, in megabytes.
const EXPORT_MB: u64 = 1_000;
/// Each is timed so often, by turns; the least time counts, because other work on the machine only adds to it.
const TURNS: usize = 3;
const LEAST_OF_OPENSSL: f64 = 0.95;
const MOST_HASHING_KB: u64 = 20_000;
const MOST_READING_KB: u64 = 64_000;
const LEAST_MB_A_SECOND: f64 = 100.0;

/// A large export, and the program that reads it. Removed in the end.
#[derive(Debug)]
pub struct Export {
    program: PathBuf,
    file: PathBuf,
}

/// Makes it.
pub fn export(workspace: &Workspace, scratch: &Path) -> Outcome<Export> {
    let mut cargo = process::cargo(workspace.root());
    cargo.args(["build", "--release", "--package", "backup-formats", "--example", "measure"]);
    process::run(&mut cargo, "mend what the compiler says above")?;
    let export =
        Export { program: workspace.target().join("release/examples/measure"), file: scratch.join("large.cypher") };
    say(format!("writing an export of {EXPORT_MB} MB"));
    export.run("generate", &[&EXPORT_MB.to_string()])?;
    Ok(export)
}

impl Export {
    fn run(&self, what: &str, more: &[&str]) -> Outcome<(String, f64)> {
        let mut command = Command::new("sh");
        command.args(["-c", TIMED, "sh"]).arg(&self.program).arg(what).args(more).arg(&self.file);
        timed(&mut command)
    }

    /// How quick the parser is, and in how much memory.
    pub fn parsing(&self) -> Outcome<Figure> {
        say("reading the export");
        let bytes = std::fs::metadata(&self.file).file("look at", &self.file)?.len();
        let (mut said, mut seconds) = self.run("parse", &[])?;
        for _ in 1..TURNS {
            let again = self.run("parse", &[])?;
            if again.1 < seconds {
                (said, seconds) = again;
            }
        }
        let (speed, peak) = (bytes as f64 / 1e6 / seconds, number_after(&said, "VmHWM:")?);
        Ok(Figure {
            what: format!("export of {} parsed and counted", megabytes(bytes)),
            wanted: format!("≥ {LEAST_MB_A_SECOND} MB/s in ≤ {} MB", MOST_READING_KB / 1000),
            measured: format!("{speed:.0} MB for each second of processor time, {:.1} MB at most", peak as f64 / 1e3),
            met: speed >= LEAST_MB_A_SECOND && peak <= MOST_READING_KB,
        })
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.file) {
            say(format!("{} could not be removed: {error}", self.file.display()));
        }
    }
}

/// SHA-256 beside OpenSSL's of the same file, by turns.
pub fn hashing(export: &Export) -> Outcome<Figure> {
    debian::ensure(&[("openssl", &["openssl"])])?;
    say("hashing the export, beside openssl");
    let (mut ours, mut theirs, mut peak) = (f64::MAX, f64::MAX, 0);
    for _ in 0..TURNS {
        let (said, seconds) = export.run("sha256", &[])?;
        let mut openssl = Command::new("sh");
        openssl.args(["-c", TIMED, "sh", "openssl", "dgst", "-sha256", "-r"]).arg(&export.file);
        let (digest, openssl_seconds) = timed(&mut openssl)?;
        if said.split_whitespace().next() != digest.split_whitespace().next() {
            return Err(Failure::new(format!("the hashes differ:\n{said}\n{digest}"), "see which one is wrong"));
        }
        (ours, theirs) = (ours.min(seconds), theirs.min(openssl_seconds));
        peak = peak.max(number_after(&said, "VmHWM:")?);
    }
    let ratio = theirs / ours;
    Ok(Figure {
        what: "SHA-256 beside openssl dgst".to_owned(),
        wanted: format!("≥ {LEAST_OF_OPENSSL} × as quick in ≤ {} MB", MOST_HASHING_KB / 1000),
        measured: format!(
            "{ratio:.2} × ({ours:.2} s and {theirs:.2} s of processor time), {:.1} MB at most",
            peak as f64 / 1e3
        ),
        met: ratio >= LEAST_OF_OPENSSL && peak <= MOST_HASHING_KB,
    })
}

/// Runs a program, then tells the processor time of what it has run, user's and system's.
const TIMED: &str = r#""$@" || exit; times"#;

/// What the program said, and its processor time in seconds.
fn timed(command: &mut Command) -> Outcome<(String, f64)> {
    let said = process::capture(command, "see its message above; the disk needs 2 GB")?;
    let seconds = said.lines().last().and_then(children_seconds);
    let seconds =
        seconds.ok_or_else(|| Failure::new(format!("the shell tells no times: {said}"), "measure on Linux"))?;
    Ok((said, seconds))
}

/// The shell's `0m1.250s 0m0.040s`.
fn children_seconds(line: &str) -> Option<f64> {
    let seconds = |text: &str| {
        let (minutes, seconds) = text.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    let (user, system) = line.split_once(' ')?;
    Some(seconds(user)? + seconds(system)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shells_times_are_added_up() {
        assert_eq!(children_seconds("1m1.250s 0m0.500s"), Some(61.75));
        assert_eq!(children_seconds("hashed: 3 MB"), None);
    }

    #[test]
    fn a_program_is_timed_with_what_it_says() {
        let (said, seconds) = timed(Command::new("sh").args(["-c", TIMED, "sh", "echo", "hello"])).unwrap();
        assert!(said.starts_with("hello\n") && seconds < 1.0, "{said}");
        assert!(timed(Command::new("sh").args(["-c", TIMED, "sh", "false"])).is_err());
    }
}
