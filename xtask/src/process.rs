//! Starting other programs.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::failure::{Failure, Outcome};

/// The command as a person would type it, for messages: programs by their names, not their places.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command with its output shown as it comes.
pub fn run(command: &mut Command, remedy: &str) -> Outcome {
    let text = shown(command);
    let status = command.status().map_err(|error| Failure::start(&text, &error))?;
    check(&text, status, remedy)
}

/// Runs a command whose standard output is handed to `line` (without the line end) and printed as it comes.
pub fn run_lines(command: &mut Command, remedy: &str, mut line: impl FnMut(&str)) -> Outcome {
    let text = shown(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| Failure::start(&text, &error))?;
    if let Some(stdout) = child.stdout.take() {
        for read in BufReader::new(stdout).split(b'\n') {
            // Output that can't be read any more says nothing about the program: its exit status decides.
            let Ok(bytes) = read else { break };
            let printed = String::from_utf8_lossy(&bytes);
            println!("{printed}");
            line(printed.trim_end_matches('\r'));
        }
    }
    let status = child.wait().map_err(|error| Failure::start(&text, &error))?;
    check(&text, status, remedy)
}

/// Runs a command quietly and returns its standard output; its last lines of output are part of the failure.
pub fn capture(command: &mut Command, remedy: &str) -> Outcome<String> {
    capture_with(command, Stdio::null(), remedy)
}

/// As [`capture`], with a standard input.
pub fn capture_with(command: &mut Command, input: Stdio, remedy: &str) -> Outcome<String> {
    let text = shown(command);
    let output = command.stdin(input).output().map_err(|error| Failure::start(&text, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
    all.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(Failure::new(format!("`{text}` failed ({}):\n{}", output.status, last_lines(&all, 25)), remedy))
}

/// The last `count` lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn check(text: &str, status: ExitStatus, remedy: &str) -> Outcome {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{text}` failed ({status})"), remedy)) }
}

/// Where PATH has a program.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// From here on cargo builds for one run, not for the next edit: nothing incremental and no debug information, which is
/// most of the space that a full test run needs. What a person set stays.
pub fn build_once() {
    BUILD_ONCE.store(true, Ordering::Relaxed);
}

static BUILD_ONCE: AtomicBool = AtomicBool::new(false);

const ONE_RUN: [(&str, &str); 3] =
    [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_PROFILE_DEV_STRIP", "debuginfo")];

/// Cargo at the workspace's root, without the variables that `cargo run` gave to this process: with them, build scripts
/// that watch `CARGO_MANIFEST_DIR` and its like would run again after every plain `cargo build`.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        if is_set_by_cargo_run(&name) {
            command.env_remove(name);
        }
    }
    if BUILD_ONCE.load(Ordering::Relaxed) {
        command.envs(ONE_RUN.into_iter().filter(|(name, _)| env::var_os(name).is_none()));
    }
    command
}

fn is_set_by_cargo_run(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
        || matches!(&*name, "CARGO_PRIMARY_PACKAGE" | "OUT_DIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_keeps_the_end() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 5), "a");
        assert_eq!(last_lines("", 5), "");
    }

    #[test]
    fn a_failed_command_is_named_with_its_status_and_remedy() {
        let failure = capture(Command::new("sh").args(["-c", "echo broken >&2; exit 3"]), "mend it").unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("exit status: 3"), "{text}");
        assert!(text.contains("broken"), "{text}");
        assert!(text.contains("What to do: mend it"), "{text}");
    }

    #[test]
    fn a_command_is_shown_without_the_place_of_its_program() {
        assert_eq!(shown(Command::new("/opt/rust/bin/cargo").args(["fmt", "--all"])), "cargo fmt --all");
    }

    #[test]
    fn lines_are_handed_on_and_the_exit_status_decides() {
        let mut seen = Vec::new();
        let result =
            run_lines(Command::new("sh").args(["-c", "printf 'one\\ntwo'; exit 1"]), "", |l| seen.push(l.to_owned()));
        assert!(result.is_err());
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn settings_of_a_person_are_kept_and_those_of_cargo_run_are_not() {
        assert!(is_set_by_cargo_run(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(is_set_by_cargo_run(OsStr::new("CARGO_PKG_VERSION")));
        assert!(!is_set_by_cargo_run(OsStr::new("CARGO_TARGET_DIR")));
        assert!(!is_set_by_cargo_run(OsStr::new("CARGO_HOME")));
    }
}
