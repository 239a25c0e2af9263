//! The one error of the xtask: what happened and what to do.

use std::{fmt::Display, io, path::Path};

/// A step that did not work. Shown to a person, never matched on: hence one type for all steps.
#[derive(Debug, thiserror::Error)]
#[error("{what}\n  What to do: {remedy}")]
pub struct Failure {
    /// What happened, in one sentence.
    pub what: String,
    /// What to install or do, best as a command.
    pub remedy: String,
}

/// Result of a step.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure with its remedy.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }

    /// A file or folder that could not be read or written.
    pub fn file(action: &str, path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => "check who owns it (`ls -ld`), then run the command again",
            io::ErrorKind::StorageFull => "make room on that disk, then run the command again",
            _ => "look at that path, then run the command again: it is safe to repeat",
        };
        Self::new(format!("could not {action} {}: {error}", path.display()), remedy)
    }

    /// A program that could not be started.
    pub fn start(program: &str, error: &io::Error) -> Self {
        Self::new(
            format!("could not start `{program}`: {error}"),
            format!("install `{program}` or put it on PATH, then run the command again"),
        )
    }
}

/// Turns an [`io::Error`] about a path into a [`Failure`].
pub trait FileContext<T> {
    /// `action` is a verb, for instance "read".
    fn file(self, action: &str, path: &Path) -> Outcome<T>;
}

impl<T> FileContext<T> for io::Result<T> {
    fn file(self, action: &str, path: &Path) -> Outcome<T> {
        self.map_err(|error| Failure::file(action, path, &error))
    }
}

/// Prints one progress line.
pub fn say(text: impl Display) {
    println!("xtask: {text}");
}
