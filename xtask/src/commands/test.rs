//! `cargo xtask test`: sets up what the tests need, and runs everything.

use std::{
    env,
    process::{Command, ExitCode},
    time::Instant,
};

use clap::ValueEnum;

use crate::{
    browser, build, debian,
    failure::{Failure, Outcome, say},
    neo4j::{Distribution, Server, VERSION, shell_variable},
    process,
    report::{self, Row, Verdict},
    site::WasmSize,
    tally::Tally,
    wasm_std,
    workspace::{Profile, Workspace},
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Run this part only; may be given more than once
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Skip a part whose browser or database can't be set up, rather than fail (never in CI)
    #[arg(long)]
    allow_missing: bool,
}

/// The parts, in the order they run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Formatting of all crates
    Fmt,
    /// Clippy of the server side and of the browser side; warnings are errors
    Clippy,
    /// Unit and property tests of the crates without drivers
    Unit,
    /// The stores' contract suite, with a real Neo4j
    Contract,
    /// Tests of the server over HTTP, with a real Neo4j
    Http,
    /// The size of a release's WASM, held against its limit
    Size,
    /// The debug build with its page files
    Build,
    /// Browser tests of that build
    Browser,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Unit => "unit",
            Self::Contract => "contract",
            Self::Http => "http",
            Self::Size => "size",
            Self::Build => "build",
            Self::Browser => "browser",
        }
    }

    fn selected(only: &[Self]) -> Vec<Self> {
        Self::value_variants().iter().copied().filter(|part| only.is_empty() || only.contains(part)).collect()
    }
}

/// Why a part did not pass.
enum Trouble {
    /// What it needs could not be set up.
    Missing(Failure),
    /// It ran and failed.
    Failed(Failure),
}

/// Runs the selected parts, all of them even if some fail.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome<ExitCode> {
    debian::ensure_c_compiler()?;
    if options.only.is_empty() {
        process::build_once();
    }
    let ci = env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false");
    let allow_missing = options.allow_missing && !ci;
    let mut session = Session { workspace, neo4j: None, build_failed: false };
    let mut rows = Vec::new();
    for part in Part::selected(&options.only) {
        say(format!("==== {} ==== {}", part.name(), free_space(workspace)));
        if !matches!(part, Part::Contract | Part::Http) {
            // It takes a gigabyte of memory that a build and a browser can use.
            session.neo4j = None;
        }
        let start = Instant::now();
        let mut tally = Tally::default();
        let result = session.run(part, &mut tally);
        let (verdict, note) = verdict(&mut tally, result, allow_missing);
        rows.push(Row { part: part.name(), verdict, time: start.elapsed(), tally, note });
    }
    drop(session);
    println!("\n{}", report::report(&rows));
    Ok(if report::succeeded(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is left of the disk, because a full one shows as strange failures of compilers and browsers. Said only where
/// `df` tells.
fn free_space(workspace: &Workspace) -> String {
    let mut df = Command::new("df");
    df.args(["-P", "-B", "1000000000"]).arg(workspace.root());
    let told = process::capture(&mut df, "").ok();
    told.as_deref().and_then(available).map_or_else(String::new, |gigabytes| format!("({gigabytes} GB of disk free)"))
}

/// The fourth column of the second line, as POSIX lays down.
fn available(df: &str) -> Option<u64> {
    df.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// Completes the tally: every part counts at least once, and a failed part has a failure.
fn verdict(tally: &mut Tally, result: Result<String, Trouble>, allow_missing: bool) -> (Verdict, String) {
    match result {
        Ok(note) => {
            if tally.is_empty() {
                tally.add(Tally::one(true));
            }
            (Verdict::Passed, note)
        }
        Err(Trouble::Missing(failure)) if allow_missing => {
            eprintln!("xtask: skipped: {failure}");
            tally.skipped += 1;
            (Verdict::Skipped, first_line(&failure))
        }
        Err(Trouble::Missing(failure) | Trouble::Failed(failure)) => {
            eprintln!("xtask: FAILED: {failure}");
            let note = if tally.failed > 0 { tally.to_string() } else { first_line(&failure) };
            tally.failed = tally.failed.max(1);
            (Verdict::Failed, note)
        }
    }
}

/// Short enough for the table; the whole failure is printed above it.
fn first_line(failure: &Failure) -> String {
    let line = failure.what.lines().next().unwrap_or_default();
    let mut note: String = line.chars().take(NOTE_WIDTH).collect();
    if note.len() < line.len() {
        note.push('…');
    }
    note
}

const NOTE_WIDTH: usize = 100;

/// What lasts from part to part.
struct Session<'a> {
    workspace: &'a Workspace,
    neo4j: Option<Server>,
    build_failed: bool,
}

const TEST_REMEDY: &str = "look at the failed tests above";
/// The crates that cargo may build together: none of them hydrates.
const SERVER_SIDE: [&str; 8] =
    ["rollback-types", "access", "backup-formats", "rollback", "rollback-stores", "app", "server", "xtask"];

impl Session<'_> {
    /// Runs a part and returns a note for the table.
    fn run(&mut self, part: Part, tally: &mut Tally) -> Result<String, Trouble> {
        match part {
            Part::Fmt => self.fmt(),
            Part::Clippy => self.clippy(),
            Part::Unit => self.unit(tally),
            Part::Contract => self.with_neo4j(&["rollback-stores"], tally),
            Part::Http => self.with_neo4j(&["server"], tally),
            Part::Size => self.size(),
            Part::Build => self.build(),
            Part::Browser => self.browser(tally),
        }
    }

    fn fmt(&self) -> Result<String, Trouble> {
        let mut cargo = process::cargo(self.workspace.root());
        cargo.args(["fmt", "--all", "--check"]);
        process::run(&mut cargo, "run `cargo fmt --all`").map_err(Trouble::Failed)?;
        Ok(String::new())
    }

    /// Twice, because the features for server and browser must not mix; both, even if the first fails.
    fn clippy(&self) -> Result<String, Trouble> {
        wasm_std::ensure(self.workspace).map_err(Trouble::Missing)?;
        let remedy = "mend what clippy says above";
        let mut server = process::cargo(self.workspace.root());
        server.arg("clippy");
        for package in SERVER_SIDE {
            server.args(["--package", package]);
        }
        server.args(["--features", "app/ssr", "--all-targets", "--", "-D", "warnings"]);
        let server = process::run(&mut server, remedy);

        let mut browser = process::cargo(self.workspace.root());
        browser.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        browser.args(["clippy", "--package", "app", "--package", "frontend", "--features", "app/hydrate"]);
        browser.args(["--target", wasm_std::TARGET, "--", "-D", "warnings"]);
        let browser = process::run(&mut browser, remedy);
        server.and(browser).map_err(Trouble::Failed)?;
        Ok(String::new())
    }

    /// The pages' crate apart from the others: it needs a feature.
    fn unit(&self, tally: &mut Tally) -> Result<String, Trouble> {
        let domain = ["-p", "rollback-types", "-p", "access", "-p", "backup-formats", "-p", "rollback", "-p", "xtask"];
        let first = self.cargo_test(&domain, &[], tally);
        let second = self.cargo_test(&["-p", "app", "--features", "app/ssr"], &[], tally);
        first.and(second)?;
        some_ran(tally)
    }

    fn with_neo4j(&mut self, packages: &[&str], tally: &mut Tally) -> Result<String, Trouble> {
        let (variables, which) = self.neo4j().map_err(Trouble::Missing)?;
        let arguments: Vec<&str> = packages.iter().flat_map(|package| ["-p", package]).collect();
        self.cargo_test(&arguments, &variables, tally)?;
        Ok(format!("{}, {which}", some_ran(tally)?))
    }

    /// The variables by which tests find a Neo4j, one that was given or one that is started now, and cypher-shell.
    fn neo4j(&mut self) -> Outcome<(Vec<(&'static str, String)>, String)> {
        let shell = shell_variable()?;
        if let Ok(uri) = env::var("STEPBACK_TEST_NEO4J_URI") {
            return Ok((vec![shell], format!("Neo4j at {uri}")));
        }
        let server = match self.neo4j.take() {
            Some(server) => server,
            None => {
                let distribution = Distribution::ensure()?;
                say(format!("starting Neo4j {VERSION}"));
                Server::start(&distribution, self.workspace.target(), 0)?
            }
        };
        let variables = server.variables().into_iter().chain([shell]).collect();
        self.neo4j = Some(server);
        Ok((variables, format!("Neo4j {VERSION}")))
    }

    fn cargo_test(&self, packages: &[&str], variables: &[(&str, String)], tally: &mut Tally) -> Result<(), Trouble> {
        let mut cargo = process::cargo(self.workspace.root());
        cargo.arg("test").args(packages).arg("--no-fail-fast");
        for (name, value) in variables {
            cargo.env(name, value);
        }
        process::run_lines(&mut cargo, TEST_REMEDY, |line| tally.read_cargo(line)).map_err(Trouble::Failed)
    }

    fn size(&self) -> Result<String, Trouble> {
        let size = build::release_wasm(self.workspace).map_err(Trouble::Failed)?;
        if size.is_within_limit() {
            return Ok(size.to_string());
        }
        let what = format!("{size}; at most {} kB brotli are allowed", WasmSize::LIMIT / 1000);
        let remedy = "what only the server needs must not reach an island: look at what the change added to one";
        Err(Trouble::Failed(Failure::new(what, remedy)))
    }

    fn build(&mut self) -> Result<String, Trouble> {
        let built =
            build::all(self.workspace, Profile::Debug).and_then(|built| WasmSize::of(&built.wasm, Profile::Debug));
        self.build_failed = built.is_err();
        built.map(|size| size.to_string()).map_err(Trouble::Failed)
    }

    fn browser(&self, tally: &mut Tally) -> Result<String, Trouble> {
        if self.build_failed {
            return Err(Trouble::Failed(Failure::new("the build failed, there is nothing to open", "mend the build")));
        }
        let built = build::all(self.workspace, Profile::Debug).map_err(Trouble::Failed)?;
        browser::ensure_packages(self.workspace).map_err(Trouble::Missing)?;
        browser::ensure_sqlite().map_err(Trouble::Missing)?;
        let chromium = browser::ensure_chromium(self.workspace).map_err(Trouble::Missing)?;
        let mut npx = Command::new("npx");
        npx.args(["playwright", "test"]).current_dir(self.workspace.end2end()).env("STEPBACK_BIN", &built.program);
        if let Some(chromium) = chromium {
            npx.env("STEPBACK_CHROMIUM", chromium);
        }
        let remedy =
            "look at the failed tests above; traces are in end2end/test-results (npx playwright show-trace FILE)";
        process::run_lines(&mut npx, remedy, |line| tally.read_playwright(line)).map_err(Trouble::Failed)?;
        some_ran(tally)
    }
}

/// A part with tests in which none ran is no success.
fn some_ran(tally: &Tally) -> Result<String, Trouble> {
    if tally.is_empty() {
        return Err(Trouble::Failed(Failure::new("no test ran", "see that the part's crates have their tests")));
    }
    Ok(tally.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> Result<String, Trouble> {
        Err(Trouble::Missing(Failure::new("no Neo4j\nlog", "install Java")))
    }

    #[test]
    fn what_is_missing_fails_unless_allowed() {
        let mut tally = Tally::default();
        assert_eq!(verdict(&mut tally, missing(), false), (Verdict::Failed, "no Neo4j".to_owned()));
        assert_eq!(tally, Tally::one(false));
        let mut tally = Tally::default();
        assert_eq!(verdict(&mut tally, missing(), true).0, Verdict::Skipped);
        assert_eq!(tally, Tally { skipped: 1, ..Tally::default() });
    }

    #[test]
    fn a_failed_part_counts_its_failed_tests_or_one() {
        let failed = || Err(Trouble::Failed(Failure::new("does not compile", "")));
        let mut tally = Tally { passed: 5, failed: 2, skipped: 0 };
        assert_eq!(verdict(&mut tally, failed(), true).0, Verdict::Failed);
        assert_eq!(tally.failed, 2);
        let mut tally = Tally::default();
        assert_eq!(verdict(&mut tally, failed(), true).1, "does not compile");
        assert_eq!(tally.failed, 1);
    }

    #[test]
    fn free_space_is_the_fourth_column() {
        let df = "Filesystem 1000000000-blocks Used Available Capacity Mounted on\n/dev/vda 252 40 52 44% /\n";
        assert_eq!(available(df), Some(52));
        assert_eq!(available("df: no such file"), None);
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        assert!(some_ran(&Tally::default()).is_err());
        assert!(some_ran(&Tally { skipped: 3, ..Tally::default() }).is_err());
        assert!(some_ran(&Tally::one(true)).is_ok());
    }

    #[test]
    fn parts_run_in_their_order_whatever_the_order_asked() {
        assert_eq!(Part::selected(&[Part::Http, Part::Fmt]), [Part::Fmt, Part::Http]);
        assert_eq!(Part::selected(&[]).len(), 8);
    }
}
