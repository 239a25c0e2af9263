//! `stepback doctor`: what works, what does not, and what to do.

use std::fmt::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use backup_formats::qdrant_snapshot;
use rollback::store::{Host as _, Probe, RecordStore, Space, StoreError};
use rollback_stores::host::LocalHost;
use rollback_stores::sqlite::SqliteRecords;
use rollback_types::{BackupSource, StoreKind};

use crate::config::Config;
use crate::wiring;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but should be looked at.
    Warn,
    /// A rollback cannot work like this.
    Fail,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub subject: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do, when it is not as it should be.
    pub remedy: Option<String>,
}

impl Check {
    fn ok(subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Ok, seen: seen.into(), remedy: None }
    }

    fn warned(subject: impl Into<String>, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Warn, seen: seen.into(), remedy: Some(remedy.into()) }
    }

    /// A check that failed.
    pub fn failed(subject: impl Into<String>, seen: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: Verdict::Fail, seen: seen.into(), remedy: Some(remedy.into()) }
    }

    /// Counts for the exit code.
    pub fn is_failure(&self) -> bool {
        self.verdict == Verdict::Fail
    }
}

/// Looks at everything. Makes Stepback's own folder where there is none, as serving would; changes nothing else.
pub async fn examine(config: &Config) -> Vec<Check> {
    let mut checks = vec![Check::ok("settings", config.origin())];
    checks.extend(examine_records(config, &wiring::records(config)).await);
    checks.push(examine_data_dir(&config.data_dir));
    let (vectors, graph) = tokio::join!(examine_vectors(config), examine_graph(config));
    checks.extend([vectors, graph]);
    checks.extend(examine_backups(config));
    checks.extend(examine_disks(config));
    checks
}

/// Columns of equal width, each finding with its remedy below.
pub fn table(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.subject.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "OK  ",
            Verdict::Warn => "WARN",
            Verdict::Fail => "FAIL",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{verdict}  {:width$}  {}", check.subject, check.seen);
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "      {:width$}  → {remedy}", "");
        }
    }
    let count = |verdict: Verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let _ = write!(
        text,
        "\n{} checks: {} ok, {} to look at, {} failed",
        checks.len(),
        count(Verdict::Ok),
        count(Verdict::Warn),
        count(Verdict::Fail)
    );
    text
}

fn of_probe(subject: &str, engine: &rollback::store::Engine, answer: Result<Probe, StoreError>) -> Check {
    match answer {
        Err(error) => Check::failed(subject, error.to_string(), error.remedy()),
        Ok(probe) => {
            let version = probe.version.map(|v| format!(" {v}")).unwrap_or_default();
            let seen = format!("{}{version} at {}: {}", engine.name, engine.location, probe.detail);
            match probe.warning {
                None => Check::ok(subject, seen),
                Some(warning) => Check::warned(subject, seen, warning),
            }
        }
    }
}

/// The registry's file, its layout, its rights and its locks.
pub(crate) async fn examine_records(config: &Config, records: &SqliteRecords) -> Vec<Check> {
    let path = &config.sqlite.metadata;
    let probe = of_probe("metadata.db", &records.engine(), records.probe().await);
    if probe.is_failure() {
        return vec![probe];
    }
    let mut checks = vec![probe];
    match records.schema().await {
        Err(error) => checks.push(Check::failed("layout", error.to_string(), error.remedy())),
        Ok(schema) if !schema.writable_shape => checks.push(Check::failed(
            "layout",
            format!("{}: {}", schema.layout.title(), schema.findings.join("; ")),
            "Finish the deployment's set-up: versions can be looked at, but not rolled back.",
        )),
        Ok(schema) if schema.findings.is_empty() => checks.push(Check::ok("layout", schema.layout.title())),
        Ok(schema) => checks.push(Check::warned("layout", schema.layout.title(), schema.findings.join("; "))),
    }
    checks.push(match std::fs::OpenOptions::new().read(true).append(true).open(path) {
        Ok(_) => Check::ok("metadata.db rights", "readable and writable"),
        Err(error) => Check::failed(
            "metadata.db rights",
            format!("{} cannot be opened for writing: {error}", path.display()),
            "Give Stepback's user the right to write the file and its folder.",
        ),
    });
    match records.is_write_locked().await {
        Ok(false) => {}
        Ok(true) => checks.push(Check::warned(
            "metadata.db lock",
            "another program holds a write lock",
            "Let it finish (is an ingestion running?) before a rollback.",
        )),
        Err(error) => checks.push(Check::warned("metadata.db lock", error.to_string(), error.remedy())),
    }
    checks
}

fn examine_data_dir(dir: &Path) -> Check {
    // For its owner only, as the server makes it: the evidence of a rollback is a copy of data.
    let tried = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).and_then(|()| {
        let probe = dir.join(".doctor");
        std::fs::write(&probe, b"probe")?;
        std::fs::remove_file(&probe)
    });
    match tried {
        Ok(()) => Check::ok("journal", format!("{} is writable", dir.display())),
        Err(error) => Check::failed(
            "journal",
            format!("{} cannot be written: {error}", dir.display()),
            "Make the folder, or correct its rights, or set data.dir to another.",
        ),
    }
}

/// The vectors.
pub(crate) async fn examine_vectors(config: &Config) -> Check {
    match wiring::vectors(config) {
        Ok(store) => of_probe("vectors", &store.engine(), store.probe().await),
        Err(error) => Check::failed("vectors", error.to_string(), "Correct the section [qdrant]."),
    }
}

/// The graph.
pub(crate) async fn examine_graph(config: &Config) -> Check {
    let store = wiring::graph(config);
    of_probe("graph", &store.engine(), store.probe().await)
}

/// latest-copy: its files are there.
pub(crate) fn examine_backups(config: &Config) -> Vec<Check> {
    let subject = BackupSource::LATEST_COPY;
    let remedy =
        "Make a new latest-copy, by Stepback's page or HybridFlow's backup script, before anything is rolled back.";
    let latest = config.latest_copy();
    if !latest.is_dir() {
        let seen = format!("{} is not there", latest.display());
        return vec![Check::failed(subject, seen, format!("{remedy} Or set backups.dir."))];
    }
    let folders = wiring::folders(config);
    let files = StoreKind::ALL.map(|store| folders.file(&BackupSource::LatestCopy, store));
    let mut checks: Vec<Check> = files
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().display();
            match std::fs::metadata(path) {
                Ok(file) if file.is_file() && file.len() > 0 => {
                    Check::ok(format!("{subject}/{name}"), megabytes(file.len()))
                }
                Ok(_) => Check::failed(format!("{subject}/{name}"), "it is empty, or no file", remedy),
                Err(error) => Check::failed(format!("{subject}/{name}"), error.to_string(), remedy),
            }
        })
        .collect();
    checks.extend(examine_form(config, &folders.file(&BackupSource::LatestCopy, StoreKind::Qdrant)));
    if !latest.join("checksums.txt").is_file() {
        checks.push(Check::warned(
            format!("{subject}/checksums.txt"),
            "not there: Stepback records its own checksums at the first look",
            "shasum -a 256 * > checksums.txt, once the copies are known to be good",
        ));
    }
    checks
}

/// A snapshot that the vector store in use cannot read is no way back, however whole it is.
fn examine_form(config: &Config, snapshot: &Path) -> Option<Check> {
    let file = std::fs::File::open(snapshot).ok()?;
    // One that does not open at all is a matter of `stepback backup verify`.
    let summary = qdrant_snapshot::inspect(std::io::BufReader::new(file), |_| {}).ok()?;
    let (made_by, here) = match (summary.is_embedded(), &config.qdrant.url) {
        (true, Some(_)) => ("the embedded store", "a Qdrant server"),
        (false, None) => ("a Qdrant server", "the embedded store"),
        _ => return None,
    };
    Some(Check::warned(
        format!("{} form", BackupSource::LATEST_COPY),
        format!("the snapshot was made by {made_by}; the vectors are in {here}, which cannot restore it"),
        "Make a new latest-copy while production is good (on the page of the backups).",
    ))
}

/// Always in MB, so that sizes can be compared at a glance.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

/// One line for each file system that Stepback writes to.
fn examine_disks(config: &Config) -> Vec<Check> {
    let need = config.rollback.min_free_bytes;
    let file = |path: &Path| path.parent().map(Path::to_owned);
    let vectors = config.qdrant.url.is_none().then(|| file(&config.embedded.vectors)).flatten();
    let graph = config.neo4j.uri.is_none().then(|| file(&config.embedded.graph)).flatten();
    let places = [
        Some(config.data_dir.clone()),
        Some(config.backups_dir.clone()),
        file(&config.sqlite.metadata),
        vectors,
        graph,
    ];
    let mut systems: Vec<(Space, Vec<PathBuf>)> = Vec::new();
    let mut checks = Vec::new();
    for place in places.into_iter().flatten() {
        match LocalHost.space(&place) {
            Ok(space) => match systems.iter_mut().find(|(known, _)| known.file_system == space.file_system) {
                Some((_, places)) if places.contains(&place) => {}
                Some((_, places)) => places.push(place),
                None => systems.push((space, vec![place])),
            },
            Err(error) => checks.push(Check::warned(
                "disk",
                format!("free space at {} cannot be found: {error}", place.display()),
                "Check that the folder is there, and the rights of the folders above it.",
            )),
        }
    }
    checks.extend(systems.into_iter().map(|(space, places)| {
        let places = places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ");
        let seen = format!("{} free for {places}", megabytes(space.free_bytes));
        if space.free_bytes >= need {
            return Check::ok("disk", seen);
        }
        Check::failed(
            "disk",
            format!("{seen}, {} asked for", megabytes(need)),
            "Free some space, or set data.dir or backups.dir to another disk, or lower rollback.min_free_bytes.",
        )
    }));
    checks
}
