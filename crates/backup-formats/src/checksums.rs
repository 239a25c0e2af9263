//! `checksums.txt` as `shasum -a 256` and `sha256sum` write it, and SHA-256 of a stream.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// How much is read and hashed between two calls of the progress callback.
const CHUNK: usize = 256 * 1024;

/// A SHA-256 digest. Shown, parsed and serialised as 64 hexadecimal digits (written in lower case).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Digest(pub [u8; 32]);

impl Sha256Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: 64 hexadecimal digits are expected")]
pub struct NotADigest;

impl FromStr for Sha256Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(|_| NotADigest)?;
        Ok(Self(digest))
    }
}

impl Serialize for Sha256Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Hashes everything `reader` gives. `on_progress` is told the bytes hashed so far, after each
/// quarter of a megabyte or less. Blocks; memory stays constant.
///
/// # Errors
/// The reader's own, as it came.
pub fn sha256_reader(mut reader: impl Read, mut on_progress: impl FnMut(u64)) -> io::Result<Sha256Digest> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(Sha256Digest(hasher.finalize().into())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..read]);
        done += read as u64;
        on_progress(done);
    }
}

/// The digests a `checksums.txt` records, in the file's order. `Display` writes the file again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums {
    entries: Vec<(String, Sha256Digest)>,
}

/// A line of `checksums.txt` that cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "checksums.txt, line {line}: {reason}. Nothing was changed. Restore the file, or write it anew \
     with `shasum -a 256 *` once the copies are known to be good"
)]
pub struct MalformedLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl Checksums {
    /// The digest recorded for a file. `name` is the name in the file or, for an entry that was
    /// written with a path before it, the last part of that path; at last also of a path as Windows
    /// writes it.
    pub fn get(&self, name: &str) -> Option<Sha256Digest> {
        let find = |is_it: &dyn Fn(&str) -> bool| self.entries.iter().find(|(entry, _)| is_it(entry));
        let entry = find(&|entry| entry == name)
            .or_else(|| find(&|entry| file_name(entry) == name))
            .or_else(|| find(&|entry| entry.rsplit('\\').next() == Some(name)));
        entry.map(|(_, digest)| *digest)
    }

    /// Names, as written, and digests in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Sha256Digest)> {
        self.entries.iter().map(|(name, digest)| (name.as_str(), *digest))
    }

    /// Records a digest, in place of an earlier one of the same name, and of one of the same name behind
    /// a path that says otherwise: [`parse`] takes the two for one file and would refuse them.
    pub fn insert(&mut self, name: impl Into<String>, digest: Sha256Digest) {
        let name = name.into();
        let same_file = |entry: &str| file_name(entry) == file_name(&name);
        self.entries.retain(|(entry, other)| *entry == name || *other == digest || !same_file(entry));
        match self.entries.iter_mut().find(|(entry, _)| *entry == name) {
            Some(entry) => entry.1 = digest,
            None => self.entries.push((name, digest)),
        }
    }

    /// True when no file is recorded.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many files are recorded.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

impl fmt::Display for Checksums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, digest) in &self.entries {
            // Both tools mark a line whose name had to be escaped by a backslash in front.
            if name.contains(['\\', '\n', '\r']) {
                let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
                writeln!(f, "\\{digest}  {escaped}")?;
            } else {
                writeln!(f, "{digest}  {name}")?;
            }
        }
        Ok(())
    }
}

/// Reads a `checksums.txt`: text and binary mode (`*name`), the tagged form (`SHA256 (name) = digest`),
/// `\n` or `\r\n`, names with spaces or a path, names escaped behind a leading `\`, upper-case digits,
/// empty lines and lines that begin with `#`.
///
/// # Errors
/// The first line that is none of these, or that gives a file already named another digest: a
/// checksum that is silently left out would look like one never recorded.
pub fn parse(text: &str) -> Result<Checksums, MalformedLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut checksums = Checksums::default();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let malformed = |reason: String| MalformedLine { line: index + 1, reason };
        let (name, digest) = parse_line(line).map_err(|reason| malformed(reason.to_owned()))?;
        let own = file_name(&name);
        if checksums.iter().any(|(earlier, other)| file_name(earlier) == own && other != digest) {
            return Err(malformed(format!("{own:?} was named before with another digest")));
        }
        checksums.insert(name, digest);
    }
    Ok(checksums)
}

fn parse_line(line: &str) -> Result<(String, Sha256Digest), &'static str> {
    let (escaped, line) = match line.strip_prefix('\\') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (digest, name) = match line.strip_prefix("SHA256 (") {
        Some(rest) => {
            // A name may hold the same signs: the last ones count.
            let (name, digest) = rest.rsplit_once(") = ").ok_or("behind the name `) = ` and a digest are expected")?;
            (digest, name)
        }
        None => split_line(line)?,
    };
    let digest = digest.parse().map_err(|_| "a SHA-256 digest has 64 hexadecimal digits, and this one has not")?;
    if name.is_empty() {
        return Err("the file name is missing");
    }
    let name = if escaped { unescape(name)? } else { name.to_owned() };
    Ok((name, digest))
}

/// Digest and name of an untagged line.
fn split_line(line: &str) -> Result<(&str, &str), &'static str> {
    let (digest, rest) = line.split_once(' ').ok_or("a digest, two spaces and a file name are expected")?;
    if let Some(name) = rest.strip_prefix(' ').or_else(|| rest.strip_prefix('*')) {
        return Ok((digest, name));
    }
    if rest.starts_with(['^', '?']) {
        return Err("a digest of text with its line ends changed (`^` or `?`) says nothing about the file's bytes");
    }
    Err("between digest and name two spaces, or a space and `*`, are expected")
}

fn unescape(name: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('\\') => out.push('\\'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            _ => return Err("the file name holds an unknown escape"),
        }
    }
    Ok(out)
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashes_a_stream_and_reports_progress_to_its_end() {
        let mut seen = Vec::new();
        let digest = sha256_reader(&b"abc"[..], |done| seen.push(done)).unwrap();
        assert_eq!(digest.to_string(), ABC);
        assert_eq!(seen, [3]);
        let long = vec![7_u8; CHUNK * 2 + 5];
        let mut last = 0;
        assert_eq!(sha256_reader(&long[..], |done| last = done).unwrap(), Sha256Digest::of(&long));
        assert_eq!(last, long.len() as u64);
    }

    #[test]
    fn reads_every_way_the_tools_write() {
        let upper = ABC.to_uppercase();
        let text = format!(
            "# made by hand\r\n{ABC}  metadata.db\r\n{upper} *textbook chunks.snapshot\n\n{ABC}  ./old/neo4j.cypher\n\\{ABC}  a\\\\b\\nc"
        );
        let checksums = parse(&text).unwrap();
        let digest = ABC.parse().unwrap();
        for name in ["metadata.db", "textbook chunks.snapshot", "neo4j.cypher", "./old/neo4j.cypher", "a\\b\nc"] {
            assert_eq!(checksums.get(name), Some(digest), "{name}");
        }
        assert_eq!(checksums.len(), 4);
        assert_eq!(checksums.get("metadata"), None);
    }

    /// What GNU's `sha256sum`, with and without `--binary` and `--tag`, and Perl's `shasum -a 256` printed for files
    /// holding `abc`, named with spaces, quotes, a backslash and a newline.
    #[test]
    fn reads_what_the_tools_printed() {
        let digest: Sha256Digest = ABC.parse().unwrap();
        let printed = format!(
            "{ABC}  metadata.db\n\\{ABC}  back\\\\slash and space.db\n\\{ABC} *line\\nend.db\n{ABC} *it's \"so\".db\n\
             SHA256 (a tagged (one) = two.db) = {ABC}\n\\SHA256 (tagged\\nline) = {ABC}\n{ABC}  ../v1/neo4j.cypher\n\
             {ABC} *backups\\latest-copy\\x.snapshot\n"
        );
        for text in [printed.clone(), printed.replace('\n', "\r\n"), format!("\u{feff}{printed}")] {
            let checksums = parse(&text).unwrap();
            let names: Vec<_> = checksums.iter().map(|(name, _)| name.to_owned()).collect();
            assert_eq!(
                names,
                [
                    "metadata.db",
                    "back\\slash and space.db",
                    "line\nend.db",
                    "it's \"so\".db",
                    "a tagged (one) = two.db",
                    "tagged\nline",
                    "../v1/neo4j.cypher",
                    "backups\\latest-copy\\x.snapshot",
                ]
            );
            assert!(checksums.iter().all(|(_, own)| own == digest));
            assert_eq!(checksums.get("neo4j.cypher"), Some(digest));
            assert_eq!(checksums.get("x.snapshot"), Some(digest));
            assert_eq!(checksums.get("v1/neo4j.cypher"), None);
        }
    }

    #[test]
    fn one_file_may_stand_with_and_without_a_path() {
        let same = parse(&format!("{ABC}  old/a.db\n{ABC}  a.db\n")).unwrap();
        assert_eq!((same.len(), same.get("a.db"), same.get("old/a.db")), (2, ABC.parse().ok(), ABC.parse().ok()));
    }

    #[test]
    fn a_new_digest_takes_the_place_of_the_one_behind_a_path() {
        let mut checksums = parse(&format!("{ABC}  ./a.db\n{ABC}  ./b.db\n{ABC}  a.db\n")).unwrap();
        let new = Sha256Digest([7; 32]);
        checksums.insert("a.db", new);
        assert_eq!(checksums.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["./b.db", "a.db"]);
        assert_eq!(checksums.get("a.db"), Some(new));
        assert_eq!(parse(&checksums.to_string()).as_ref(), Ok(&checksums));
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over_and_counted() {
        let text = format!("\n# one\r\n   \n\t# two\n{ABC}  a#b.db\nwrong\n");
        assert_eq!(parse(&text).unwrap_err().line, 6);
        let checksums = parse(text.trim_end().trim_end_matches("wrong")).unwrap();
        assert_eq!((checksums.len(), checksums.get("a#b.db").is_some()), (1, true));
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn names_the_line_that_is_malformed() {
        let bad = [
            "hello".to_owned(),
            format!("{}  short.db", &ABC[1..]),
            format!("{ABC} one-space.db"),
            format!("{ABC}  "),
            format!("{}  metadata.db", "0".repeat(64)),
            format!("\\{ABC}  a\\x"),
            format!("\\{ABC}  a\\"),
            ABC.to_owned(),
            format!("{ABC}\tmetadata.db"),
            format!(" {ABC}  metadata.db"),
            format!("{ABC}0  long.db"),
            format!("{}g  not-hex.db", &ABC[1..]),
            format!("{ABC} ^universal.db"),
            format!("SHA256 (metadata.db) = {}", &ABC[1..]),
            format!("SHA256 (metadata.db {ABC}"),
            format!("SHA256 () = {ABC}"),
            format!("MD5 (a.db) = {}", &ABC[..32]),
            "<html>".to_owned(),
        ];
        for line in bad {
            let error = parse(&format!("{ABC}  metadata.db\n\n{line}\n")).unwrap_err();
            assert_eq!(error.line, 3, "{line}");
        }
    }

    #[test]
    fn digest_is_serialised_as_hex() {
        let digest: Sha256Digest = ABC.parse().unwrap();
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{ABC}\""));
        assert_eq!(serde_json::from_str::<Sha256Digest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<Sha256Digest>("\"00\"").is_err());
    }

    proptest! {
        #[test]
        fn written_checksums_are_read_back(entries in prop::collection::btree_map("[^/]{1,20}", any::<[u8; 32]>(), 0..8)) {
            let mut checksums = Checksums::default();
            for (name, digest) in entries {
                checksums.insert(name, Sha256Digest(digest));
            }
            prop_assert_eq!(parse(&checksums.to_string()).unwrap(), checksums);
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
