//! The jars of server and shell, and the Java to run them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cache, debian,
    failure::{FileContext, Outcome, say},
    process,
};

/// Version of Neo4j.
pub const VERSION: &str = "5.26.30";
/// Version of APOC core, whose first two numbers are those of Neo4j.
const APOC: &str = "5.26.19";
const SERVER: &str = include_str!("../../neo4j/server-pom.xml");
const SHELL: &str = include_str!("../../neo4j/shell-pom.xml");

/// Neo4j laid out on disk.
#[derive(Debug)]
pub struct Distribution {
    folder: PathBuf,
}

impl Distribution {
    /// Installs Java and Maven where they are missing, and fetches the jars once.
    pub fn ensure() -> Outcome<Self> {
        ensure_java()?;
        let cache = cache::folder()?;
        let folder = cache::entry(&cache, &format!("neo4j-{VERSION}-apoc-{APOC}"), |folder| {
            say(format!("fetching Neo4j {VERSION} and APOC {APOC} by Maven (about 125 MB, once)"));
            lay_out(SERVER, folder)
        })?;
        Ok(Self { folder })
    }

    /// APOC's folder.
    pub fn plugins(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// Java's class path. APOC is on it as well as in the plugins folder: without, its classes are not found.
    pub fn class_path(&self, conf: &Path) -> String {
        format!("{}/*:{}:{}/lib/*", self.plugins().display(), conf.display(), self.folder.display())
    }
}

/// The variable by which the tests find the real cypher-shell: Java's class path, its main class is `org.neo4j.shell.Main`.
pub fn shell_variable() -> Outcome<(&'static str, String)> {
    ensure_java()?;
    let folder = cache::entry(&cache::folder()?, &format!("cypher-shell-{VERSION}"), |folder| {
        say(format!("fetching cypher-shell {VERSION} by Maven (about 45 MB, once)"));
        lay_out(SHELL, folder)
    })?;
    Ok(("STEPBACK_TEST_CYPHER_SHELL", format!("{}/lib/*", folder.display())))
}

/// Has Maven copy the jars that a project file names into `folder`.
fn lay_out(pom: &str, folder: &Path) -> Outcome {
    debian::ensure(&[("mvn", &["maven"])])?;
    let project = tempfile::tempdir().file("create", &std::env::temp_dir())?;
    let path = project.path().join("pom.xml");
    std::fs::write(&path, pom).file("write", &path)?;
    process::run(
        Command::new("mvn")
            .args(["--batch-mode", "--quiet", "--file"])
            .arg(&path)
            .arg(format!("-Dstepback.out={}", folder.display()))
            .arg(format!("-Dneo4j.version={VERSION}"))
            .arg(format!("-Dapoc.version={APOC}"))
            .arg("prepare-package"),
        "check that Maven reaches its repository (`mvn -version`, proxy, ~/.m2/settings.xml), then run the command again",
    )
}

/// Neo4j 5.26 runs on Java 17 and 21. What a distribution calls its default may be older or newer.
fn ensure_java() -> Outcome {
    if process::find("java").is_some() {
        return Ok(());
    }
    debian::install_first_of(&["openjdk-17-jre-headless", "openjdk-21-jre-headless"])
}
