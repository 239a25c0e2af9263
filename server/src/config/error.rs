//! What can be wrong with the settings.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "the flag {flag}"),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Default => f.write_str("the defaults"),
        }
    }
}

/// The settings cannot be used. Nothing was started or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or may not be read.
    #[error("the configuration file {} could not be read: {source}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration file {} is no valid TOML: {detail}", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line, column and reason.
        detail: String,
    },
    /// A key nobody knows.
    #[error("{origin} sets {key:?}, which is no setting; allowed: {allowed}")]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key with its section.
        key: String,
        /// The keys of that section.
        allowed: String,
    },
    /// A variable that looks like a setting's and is none.
    #[error("the variable {name} is no setting; allowed: {allowed}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The variables of that section, or all.
        allowed: String,
    },
    /// A value that cannot be.
    #[error("{origin} sets {key} to {value}{}; allowed: {allowed}", .reason.map(|r| format!(", {r}")).unwrap_or_default())]
    WrongValue {
        /// Where.
        origin: Origin,
        /// The key with its section.
        key: &'static str,
        /// The value as it was given; `(hidden)` for a secret.
        value: String,
        /// Why it cannot be, where that is more than "not allowed".
        reason: Option<&'static str>,
        /// What can be.
        allowed: &'static str,
    },
    /// A key that another one asks for is not set.
    #[error("{key} is not set, {reason}")]
    Missing {
        /// The key with its section.
        key: &'static str,
        /// What asks for it.
        reason: &'static str,
    },
    /// A key and its `_file` twin at one place: which one counts?
    #[error("{origin} sets both {key} and {key}_file; allowed: one of the two")]
    TwoSecrets {
        /// Where.
        origin: Origin,
        /// The key without `_file`.
        key: &'static str,
    },
    /// A file with a secret cannot be read, or is empty.
    #[error("{origin} sets {key} to {}, which cannot be used: {reason}", .file.display())]
    SecretFile {
        /// Where.
        origin: Origin,
        /// The key.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A variable that is no text.
    #[error("the variable {name} is no valid UTF-8; allowed: {allowed}")]
    NotText {
        /// The variable.
        name: String,
        /// What can be.
        allowed: &'static str,
    },
}

impl ConfigError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { file, .. } => format!(
                "Check the path and the rights of {}, give another by --config, or leave --config out to use \
                 ./stepback.toml or the defaults.",
                file.display()
            ),
            Self::Syntax { .. } => "Correct that line; docs/configuration.md has an example.".to_owned(),
            Self::UnknownKey { origin, .. } => {
                format!("Correct the spelling in {origin}, or remove it; docs/configuration.md lists every setting.")
            }
            Self::UnknownVariable { name, .. } => {
                format!("Correct the spelling of {name}, or unset it; docs/configuration.md lists every setting.")
            }
            Self::Missing { key, .. } => format!("Set {key}; docs/configuration.md lists every setting."),
            Self::WrongValue { origin, .. } | Self::TwoSecrets { origin, .. } => {
                format!("Correct it in {origin}; docs/configuration.md lists every setting.")
            }
            Self::SecretFile { file, .. } => {
                format!("Put the secret alone into {}, readable by Stepback's user only (chmod 600).", file.display())
            }
            Self::NotText { name, .. } => format!("Set {name} to plain text, or unset it."),
        }
    }
}
