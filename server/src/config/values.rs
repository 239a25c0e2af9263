//! From a found value to a typed one, or to an error that names key, value and what is allowed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

use super::error::{ConfigError, Origin};
use super::keys::{Key, find};
use super::sources::{Found, Values};
use super::{LayoutChoice, LocalOffset};
use rollback_stores::secret::Secret;

/// One key with its value, on the way to its type.
struct Entry<'a> {
    key: &'static Key,
    found: &'a Found,
}

impl Entry<'_> {
    fn wrong(&self, reason: Option<&'static str>) -> ConfigError {
        let value = match (&self.found.value, self.key.secret) {
            (_, true) => "(hidden)".to_owned(),
            (value, false) => shorten(&shown(value)),
        };
        ConfigError::WrongValue {
            origin: self.found.origin.clone(),
            key: self.key.name,
            value,
            reason,
            allowed: self.key.allowed,
        }
    }

    fn text(&self) -> Result<&str, ConfigError> {
        match self.found.value.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.wrong(None)),
        }
    }

    /// A number; as text only where there is nothing but text (flags, variables).
    fn integer(&self) -> Result<i64, ConfigError> {
        match &self.found.value {
            Value::Integer(number) => Ok(*number),
            Value::String(text) if !self.is_from_file() => text.trim().parse().map_err(|_| self.wrong(None)),
            _ => Err(self.wrong(None)),
        }
    }

    fn is_from_file(&self) -> bool {
        matches!(self.found.origin, Origin::File(_))
    }
}

/// The value as it would stand in the file.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        Value::Datetime(time) => time.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Table(_) => "a table".to_owned(),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 120 {
        return text.to_owned();
    }
    let start: String = text.chars().take(120).collect();
    format!("{start}…")
}

impl Values {
    fn entry(&self, name: &str) -> Option<Entry<'_>> {
        Some(Entry { key: find(name)?, found: self.get(name)? })
    }

    pub fn text(&self, name: &str, default: &str) -> Result<String, ConfigError> {
        Ok(self.optional_text(name)?.unwrap_or_else(|| default.to_owned()))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.entry(name).map(|entry| entry.text().map(str::to_owned)).transpose()
    }

    pub fn path(&self, name: &str, default: &str) -> Result<PathBuf, ConfigError> {
        match self.entry(name) {
            Some(entry) => Ok(self.absolute(entry.text()?, entry.found)),
            None => Ok(self.base.join(default)),
        }
    }

    /// A path of the file starts from the file's folder, any other from the working folder.
    fn absolute(&self, path: &str, found: &Found) -> PathBuf {
        match found.origin {
            Origin::File(_) => self.base.join(path),
            _ => self.working_dir.join(path),
        }
    }

    pub fn milliseconds(&self, name: &str, default: u64) -> Result<Duration, ConfigError> {
        Ok(Duration::from_millis(self.whole_number(name, default, 1..=3_600_000)?))
    }

    pub fn whole_number(
        &self,
        name: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(default) };
        match u64::try_from(entry.integer()?) {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(entry.wrong(None)),
        }
    }

    /// A number of that range, if one is set.
    pub fn optional_number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        match u64::try_from(entry.integer()?) {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(entry.wrong(None)),
        }
    }

    /// A time as people write it, of that range.
    pub fn duration(
        &self,
        name: &str,
        default: Duration,
        range: std::ops::RangeInclusive<Duration>,
    ) -> Result<Duration, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(default) };
        parse_duration(entry.text()?).filter(|time| range.contains(time)).ok_or_else(|| entry.wrong(None))
    }

    /// A time as people write it, or `off`.
    pub fn period(
        &self,
        name: &str,
        default: Duration,
        range: std::ops::RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, ConfigError> {
        match self.entry(name) {
            Some(entry) if entry.text()? == "off" => Ok(None),
            _ => self.duration(name, default, range).map(Some),
        }
    }

    /// A program with its arguments, which may be empty and hold anything but NUL.
    pub fn command(&self, name: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        let words: Option<Vec<String>> = match (&entry.found.value, entry.is_from_file()) {
            (Value::Array(items), _) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            (Value::String(text), false) => serde_json::from_str(text).ok(),
            _ => None,
        };
        let is_command = |words: &Vec<String>| {
            words.first().is_some_and(|program| !program.trim().is_empty()) && !words.iter().any(|w| w.contains('\0'))
        };
        words.filter(is_command).map(Some).ok_or_else(|| entry.wrong(None))
    }

    pub fn bool(&self, name: &str, default: bool) -> Result<bool, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(default) };
        match (&entry.found.value, entry.is_from_file()) {
            (Value::Boolean(value), _) => Ok(*value),
            (Value::String(text), false) => text.trim().parse().map_err(|_| entry.wrong(None)),
            _ => Err(entry.wrong(None)),
        }
    }

    pub fn bytes(&self, name: &str, default: u64) -> Result<u64, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(default) };
        if let Value::Integer(number) = entry.found.value {
            return u64::try_from(number).map_err(|_| entry.wrong(None));
        }
        parse_bytes(entry.text()?).ok_or_else(|| entry.wrong(None))
    }

    pub fn words(&self, name: &str) -> Result<Vec<String>, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(Vec::new()) };
        match (&entry.found.value, entry.is_from_file()) {
            (Value::Array(items), _) => items
                .iter()
                .map(|item| match item.as_str().map(str::trim) {
                    Some(word) if !word.is_empty() => Ok(word.to_owned()),
                    _ => Err(entry.wrong(None)),
                })
                .collect(),
            (Value::String(text), false) => {
                Ok(text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
            }
            _ => Err(entry.wrong(None)),
        }
    }

    /// An address to listen on, and what to say if it cannot be taken.
    pub fn listen(&self, name: &str) -> Result<SocketAddr, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok((Ipv4Addr::LOCALHOST, 3000).into()) };
        let text = entry.text()?;
        let address: Option<SocketAddr> = match text.strip_prefix("localhost:") {
            Some(port) => port.parse().ok().map(|port: u16| (Ipv4Addr::LOCALHOST, port).into()),
            None => text.parse().ok(),
        };
        address.ok_or_else(|| entry.wrong(None))
    }

    /// The refusal of a value that is well formed.
    pub fn refuse(&self, name: &'static str, reason: &'static str) -> ConfigError {
        match self.entry(name) {
            Some(entry) => entry.wrong(Some(reason)),
            None => ConfigError::Missing { key: name, reason },
        }
    }

    /// IP addresses, in the variable separated by commas.
    pub fn ip_addresses(&self, name: &str) -> Result<Vec<IpAddr>, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(Vec::new()) };
        self.words(name)?.iter().map(|word| word.parse().map_err(|_| entry.wrong(None))).collect()
    }

    /// A path, if one is set.
    pub fn optional_path(&self, name: &str) -> Result<Option<PathBuf>, ConfigError> {
        self.entry(name).map(|entry| Ok(self.absolute(entry.text()?, entry.found))).transpose()
    }

    /// An address with one of the schemes, a host, and no user or password (they would be shown).
    pub fn address(&self, name: &str, schemes: &[&str]) -> Result<Option<String>, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        let text = entry.text()?;
        // A password may hold a slash, or stand without a scheme: an '@' anywhere may mean one.
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if text.contains('@') {
            let mut error = entry.wrong(Some("which holds a user or password"));
            if let ConfigError::WrongValue { value, .. } = &mut error {
                *value = format!("{scheme}://(hidden)@…");
            }
            return Err(error);
        }
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let port_fits = match authority.rsplit_once(':') {
            Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok_and(|port| port > 0),
            _ => true,
        };
        let named = !authority.is_empty() && !authority.starts_with(':');
        let ends = matches!(&rest[authority.len()..], "" | "/");
        if schemes.contains(&scheme) && named && plain && port_fits && ends {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        } else {
            Err(entry.wrong(None))
        }
    }

    /// `name`, or the content of the file that `name_file` names.
    pub fn secret(&self, name: &'static str, file_key: &'static str) -> Result<Option<Secret>, ConfigError> {
        match self.stronger(name, file_key) {
            (Some(found), Some(_)) => Err(ConfigError::TwoSecrets { origin: found.origin.clone(), key: name }),
            (Some(_), None) => Ok(self.optional_text(name)?.map(Secret::new)),
            (None, Some(found)) => {
                let path = self.path(file_key, "")?;
                let refuse = |reason: String| ConfigError::SecretFile {
                    origin: found.origin.clone(),
                    key: file_key,
                    file: path.clone(),
                    reason,
                };
                let text = std::fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
                match text.trim_end_matches(['\r', '\n']) {
                    "" => Err(refuse("it is empty".to_owned())),
                    secret => Ok(Some(Secret::new(secret))),
                }
            }
            (None, None) => Ok(None),
        }
    }

    pub fn local_offset(&self, name: &str) -> Result<LocalOffset, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(LocalOffset::Local) };
        match entry.text()? {
            "local" => Ok(LocalOffset::Local),
            "utc" => Ok(LocalOffset::Seconds(0)),
            text => parse_offset(text).map(LocalOffset::Seconds).ok_or_else(|| entry.wrong(None)),
        }
    }

    pub fn layout(&self, name: &str) -> Result<LayoutChoice, ConfigError> {
        let Some(entry) = self.entry(name) else { return Ok(LayoutChoice::Auto) };
        match entry.text()? {
            "auto" => Ok(LayoutChoice::Auto),
            "shared" => Ok(LayoutChoice::Shared),
            "per-version" => Ok(LayoutChoice::PerVersion),
            _ => Err(entry.wrong(None)),
        }
    }
}

/// `6h`, `7d`, `1h 30m`, `90 minutes`; a day is 24 hours. Months and years have no one length.
fn parse_duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok()
}

/// `500 MB`, `2GiB`, `1000`.
fn parse_bytes(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// `+01:00`, `-05:30`: seconds east of UTC, at most a day's half and a bit, as on this planet.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |part: &str, most: i32| {
        let fits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<i32>().ok().filter(|n| fits && *n <= most)
    };
    Some(sign * (number(hours, 14)? * 3600 + number(minutes, 59)? * 60))
}
