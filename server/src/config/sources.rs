//! Where values come from, and which one counts: flags before environment before file before defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Value;

use super::error::{ConfigError, Origin};
use super::keys::{KEYS, Key, OTHER_VARIABLES, find};

/// The name looked for in the working folder when no file is named.
pub const DEFAULT_FILE: &str = "stepback.toml";

/// Everything that may set something.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`, or `STEPBACK_CONFIG`: must exist. Without it `stepback.toml` in the working folder, if it is there.
    pub file: Option<PathBuf>,
    /// No file is looked for.
    pub without_file: bool,
    /// Values of flags: setting, flag, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
    /// The environment; only `STEPBACK_…` is looked at.
    pub environment: BTreeMap<OsString, OsString>,
    /// The folder that relative paths of flags and variables start from.
    pub working_dir: PathBuf,
}

impl Sources {
    /// The process's own environment and working folder.
    ///
    /// # Errors
    /// When the working folder is gone.
    pub fn of_process(file: Option<PathBuf>) -> std::io::Result<Self> {
        Ok(Self {
            file,
            without_file: false,
            flags: Vec::new(),
            environment: std::env::vars_os().collect(),
            working_dir: std::env::current_dir()?,
        })
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub value: Value,
    pub origin: Origin,
}

/// All values, looked up by key.
#[derive(Debug)]
pub(super) struct Values {
    flags: BTreeMap<&'static str, Found>,
    environment: BTreeMap<&'static str, Found>,
    file: BTreeMap<String, Found>,
    /// The configuration file read, if any.
    pub path: Option<PathBuf>,
    /// Relative paths of the file, and defaults, start here.
    pub base: PathBuf,
    pub working_dir: PathBuf,
}

impl Values {
    pub fn gather(sources: &Sources) -> Result<Self, ConfigError> {
        let path = config_path(sources);
        let file = match &path {
            Some(path) => read_file(path)?,
            None => BTreeMap::new(),
        };
        let base = path.as_deref().and_then(Path::parent).unwrap_or(&sources.working_dir).to_path_buf();
        let flags = sources
            .flags
            .iter()
            .map(|(key, flag, value)| (*key, Found { value: Value::String(value.clone()), origin: Origin::Flag(flag) }))
            .collect();
        Ok(Self {
            flags,
            environment: read_environment(&sources.environment)?,
            file,
            path,
            base,
            working_dir: sources.working_dir.clone(),
        })
    }

    /// The value that counts.
    pub fn get(&self, name: &str) -> Option<&Found> {
        self.flags.get(name).or_else(|| self.environment.get(name)).or_else(|| self.file.get(name))
    }

    /// Of two keys the one set by the stronger source; both by the same source is an error of the caller's making.
    pub fn stronger<'a>(&'a self, one: &str, other: &str) -> (Option<&'a Found>, Option<&'a Found>) {
        let pair = |map: &'a BTreeMap<&'static str, Found>| (map.get(one), map.get(other));
        let levels = [pair(&self.flags), pair(&self.environment), (self.file.get(one), self.file.get(other))];
        levels.into_iter().find(|(a, b)| a.is_some() || b.is_some()).unwrap_or((None, None))
    }
}

fn config_path(sources: &Sources) -> Option<PathBuf> {
    if sources.without_file {
        return None;
    }
    let named = sources.file.clone().or_else(|| {
        sources.environment.get(&OsString::from("STEPBACK_CONFIG")).filter(|v| !v.is_empty()).map(PathBuf::from)
    });
    match named {
        Some(path) => Some(sources.working_dir.join(path)),
        None => Some(sources.working_dir.join(DEFAULT_FILE)).filter(|path| path.exists()),
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, Found>, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { file: path.to_path_buf(), source })?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        file: path.to_path_buf(),
        detail: match error.span() {
            Some(span) => {
                let before = text.get(..span.start).unwrap_or(&text);
                format!("line {}: {}", before.matches('\n').count() + 1, error.message())
            }
            None => error.message().to_owned(),
        },
    })?;
    let origin = Origin::File(path.to_path_buf());
    let mut found = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::Table(section) if is_section(&name) => {
                for (key, value) in section {
                    let full = format!("{name}.{key}");
                    if find(&full).is_none() {
                        let allowed = keys_of(&name);
                        return Err(ConfigError::UnknownKey { origin, key: full, allowed });
                    }
                    found.insert(full, Found { value, origin: origin.clone() });
                }
            }
            value if find(&name).is_some() => {
                found.insert(name, Found { value, origin: origin.clone() });
            }
            _ => {
                let allowed = top_level();
                return Err(ConfigError::UnknownKey { origin, key: name, allowed });
            }
        }
    }
    Ok(found)
}

fn section_of(key: &Key) -> Option<&'static str> {
    key.name.split_once('.').map(|(section, _)| section)
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| section_of(key) == Some(name))
}

fn keys_of(section: &str) -> String {
    let names: Vec<_> = KEYS.iter().filter(|key| section_of(key) == Some(section)).map(|key| key.name).collect();
    names.join(", ")
}

fn top_level() -> String {
    let mut names: Vec<String> = Vec::new();
    for key in KEYS {
        let name = section_of(key).map_or_else(|| key.name.to_owned(), |section| format!("[{section}]"));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn read_environment(environment: &BTreeMap<OsString, OsString>) -> Result<BTreeMap<&'static str, Found>, ConfigError> {
    let mut found = BTreeMap::new();
    for (name, value) in environment {
        // A variable whose name is no text cannot be one of ours.
        let Some(name) = name.to_str().filter(|name| name.starts_with("STEPBACK_")) else { continue };
        // What the project's own tests use is not for the program.
        if OTHER_VARIABLES.contains(&name) || name.starts_with("STEPBACK_TEST_") {
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable == name) else {
            return Err(ConfigError::UnknownVariable { name: name.to_owned(), allowed: nearest_variables(name) });
        };
        let Some(text) = value.to_str() else {
            return Err(ConfigError::NotText { name: name.to_owned(), allowed: key.allowed });
        };
        // An empty variable counts as unset: compose files cannot leave one out.
        if !text.is_empty() {
            let origin = Origin::Variable(name.to_owned());
            found.insert(key.name, Found { value: Value::String(text.to_owned()), origin });
        }
    }
    Ok(found)
}

/// The variables of the same section, or all of them.
fn nearest_variables(name: &str) -> String {
    let section: Vec<&str> = name.split('_').take(2).collect();
    let prefix = format!("{}_", section.join("_"));
    let near: Vec<_> = KEYS.iter().map(|key| key.variable).filter(|v| v.starts_with(&prefix)).collect();
    if near.is_empty() { KEYS.iter().map(|key| key.variable).collect::<Vec<_>>().join(", ") } else { near.join(", ") }
}
