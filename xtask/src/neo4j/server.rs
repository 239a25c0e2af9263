//! One running Neo4j with an empty database of its own, ended with the xtask whatever happens to it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use super::Distribution;
use crate::{
    failure::{Failure, FileContext, Outcome},
    process,
};

/// The login's name.
pub const USER: &str = "neo4j";
/// The login's password: no secret, the server listens on loopback and holds test data.
pub const PASSWORD: &str = "stepback-tests";

/// Started in 14 to 33 seconds on two busy cores.
const START_LIMIT: Duration = Duration::from_secs(240);
/// Enough for every test: with less than 1 GiB a large delete ends in OutOfMemory and a database that must be restarted.
const HEAP: &str = "-Xmx1g";
/// What Neo4j's own launcher opens to its network library.
const JVM: &[&str] = &[
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+DisableExplicitGC",
    "-Dfile.encoding=UTF-8",
    "-Dlog4j2.disable.jmx=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
];
/// Waits until its standard input closes, which the kernel does when the xtask ends in any way, then ends the server and
/// removes its data. The data go anyway, so the server gets no time for an orderly end, which takes it ten seconds.
const WATCHDOG: &str = r#"cat >/dev/null; kill -9 "$1" 2>/dev/null
n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done
rm -rf -- "$2""#;

/// A running server; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    java: Child,
    watchdog: Child,
    leash: Option<ChildStdin>,
    port: u16,
}

impl Server {
    /// Starts a server whose data live in a new folder below `scratch`. Port 0 takes a free one.
    pub fn start(distribution: &Distribution, scratch: &Path, port: u16) -> Outcome<Self> {
        fs::create_dir_all(scratch).file("create", scratch)?;
        let home = tempfile::Builder::new().prefix("neo4j-").tempdir_in(scratch).file("create a folder in", scratch)?;
        let port = if port == 0 { free_port()? } else { port };
        let conf = write_settings(distribution, home.path(), port)?;
        set_password(distribution, home.path(), &conf)?;

        let console = home.path().join("logs/console.log");
        let errors = File::create(&console).file("create", &console)?;
        let mut java = java(distribution, home.path(), &conf)
            .arg(HEAP)
            .args(JVM)
            .arg("org.neo4j.server.CommunityEntryPoint")
            .arg(format!("--home-dir={}", home.path().display()))
            .arg(format!("--config-dir={}", conf.display()))
            // Without it "Started." never reaches standard output.
            .arg("--console-mode")
            // Ctrl-C reaches the xtask only; the watchdog then ends the server.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| Failure::start("java", &error))?;
        let stdout = java.stdout.take();
        let home = home.keep();
        let mut watchdog = match watch(java.id(), &home) {
            Ok(watchdog) => watchdog,
            Err(failure) => {
                // Nobody else would end it.
                java.kill().map_err(|error| Failure::start("java", &error))?;
                return Err(failure);
            }
        };
        let leash = watchdog.stdin.take();
        let server = Self { java, watchdog, leash, port };
        wait_until_started(stdout, &console)?;
        Ok(server)
    }

    /// `bolt://127.0.0.1:port`
    pub fn uri(&self) -> String {
        format!("bolt://127.0.0.1:{}", self.port)
    }

    /// The variables by which the tests find it.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        [
            ("STEPBACK_TEST_NEO4J_URI", self.uri()),
            ("STEPBACK_TEST_NEO4J_USER", USER.to_owned()),
            ("STEPBACK_TEST_NEO4J_PASSWORD", PASSWORD.to_owned()),
        ]
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.java.id()
    }

    /// Blocks until the server ends by itself.
    pub fn wait(&mut self) -> Outcome {
        let status = self.java.wait().map_err(|error| Failure::start("java", &error))?;
        Err(Failure::new(
            format!("Neo4j ended by itself ({status})"),
            "free memory (it needs about 2 GB) and start it again",
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.leash.take());
        // Java is waited for first: as a zombie it would still look alive to the watchdog.
        for (name, child) in [("Neo4j", &mut self.java), ("Neo4j's watchdog", &mut self.watchdog)] {
            if let Err(error) = child.wait() {
                eprintln!("xtask: could not wait for the end of {name} (pid {}): {error}", child.id());
            }
        }
    }
}

fn watch(pid: u32, home: &Path) -> Outcome<Child> {
    Command::new("sh")
        .args(["-c", WATCHDOG, "stepback-neo4j-watchdog"])
        .arg(pid.to_string())
        .arg(home)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| Failure::start("sh", &error))
}

fn java(distribution: &Distribution, home: &Path, conf: &Path) -> Command {
    let mut command = Command::new("java");
    command
        .env("NEO4J_HOME", home)
        // APOC looks for its own settings there.
        .env("NEO4J_CONF", conf)
        .env_remove("JAVA_TOOL_OPTIONS")
        .arg("-cp")
        .arg(distribution.class_path(conf));
    command
}

fn write_settings(distribution: &Distribution, home: &Path, port: u16) -> Outcome<PathBuf> {
    let conf = home.join("conf");
    for folder in ["conf", "data", "logs", "run", "import"] {
        let path = home.join(folder);
        fs::create_dir(&path).file("create", &path)?;
    }
    let settings = format!(
        "server.directories.plugins={plugins}\n\
         server.default_listen_address=127.0.0.1\n\
         server.default_advertised_address=127.0.0.1\n\
         server.bolt.enabled=true\n\
         server.bolt.listen_address=127.0.0.1:{port}\n\
         server.bolt.advertised_address=127.0.0.1:{port}\n\
         server.bolt.tls_level=DISABLED\n\
         server.http.enabled=false\n\
         server.https.enabled=false\n\
         dbms.security.auth_enabled=true\n\
         dbms.security.procedures.unrestricted=apoc.*\n\
         dbms.usage_report.enabled=false\n\
         server.memory.pagecache.size=128m\n\
         server.memory.heap.max_size=1g\n\
         db.tx_log.rotation.retention_policy=1 files\n",
        plugins = distribution.plugins().display(),
    );
    let apoc = "apoc.export.file.enabled=true\n\
                apoc.import.file.enabled=true\n\
                apoc.import.file.use_neo4j_config=true\n";
    for (name, text) in [("neo4j.conf", settings.as_str()), ("apoc.conf", apoc)] {
        let path = conf.join(name);
        fs::write(&path, text).file("write", &path)?;
    }
    Ok(conf)
}

fn set_password(distribution: &Distribution, home: &Path, conf: &Path) -> Outcome {
    process::capture(
        java(distribution, home, conf).arg("-Xmx128m").arg("org.neo4j.server.startup.Neo4jAdminCommand").args([
            "dbms",
            "set-initial-password",
            PASSWORD,
        ]),
        "Neo4j needs Java 17 or 21: `java -version` tells which one is there (apt-get install openjdk-17-jre-headless)",
    )?;
    Ok(())
}

/// Reads what the server prints until it says that it has started.
fn wait_until_started(stdout: Option<std::process::ChildStdout>, console: &Path) -> Outcome {
    let stdout = stdout.ok_or_else(|| Failure::new("Neo4j has no output", "run the command again"))?;
    let mut log = File::options().append(true).open(console).file("open", console)?;
    let (send, lines) = mpsc::channel();
    // Goes on reading after the start, or the server would block on a full pipe.
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { break };
            // A log that can't be written must not stop the reading.
            writeln!(log, "{line}").ok();
            // Nobody listens any more after the start.
            send.send(line).ok();
        }
    });
    let mut printed = String::new();
    loop {
        match lines.recv_timeout(START_LIMIT) {
            Ok(line) => {
                printed.push_str(&line);
                printed.push('\n');
                if line.contains("Started.") {
                    return Ok(());
                }
            }
            Err(RecvTimeoutError::Timeout) => return Err(not_started("it was silent for too long", &printed)),
            Err(RecvTimeoutError::Disconnected) => {
                let errors = fs::read_to_string(console).unwrap_or_default();
                return Err(not_started("it ended", &errors));
            }
        }
    }
}

fn not_started(why: &str, printed: &str) -> Failure {
    Failure::new(
        format!("Neo4j did not start: {why}. Its last lines:\n{}", process::last_lines(printed, 25)),
        "check memory (`free -g`: it needs about 2 GB) and Java (`java -version`: 17 or 21), then run the command again",
    )
}

/// Neo4j takes port 0 too, but never tells which port it got. Another process may take this one before Neo4j does:
/// then the start fails and says so.
fn free_port() -> Outcome<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("no free port on loopback: {error}"), "end some programs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_ends_the_server_and_removes_its_data() {
        let home = tempfile::tempdir().unwrap().keep();
        let mut server = Command::new("sleep").arg("600").spawn().unwrap();
        let mut watchdog = watch(server.id(), &home).unwrap();
        drop(watchdog.stdin.take());
        let ended = server.wait().unwrap();
        assert!(!ended.success());
        watchdog.wait().unwrap();
        assert!(!home.exists());
    }
}
