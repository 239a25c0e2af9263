//! The program as a process of its own, and a client that bears its death.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than anything here takes, shorter than for ever: a hang fails the test and does not stop it.
const LIMIT: Duration = Duration::from_secs(120);

/// The program with no settings of this environment.
pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepback"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STEPBACK_") {
            command.env_remove(name);
        }
    }
    command.env("STEPBACK_ROLLBACK_MIN_FREE_BYTES", "1").env("STEPBACK_LOG", "warn");
    // All readers of a test are one client.
    command.env("STEPBACK_MAX_STREAMS_PER_CLIENT", "200").args(args);
    command
}

/// Runs a command to its end; its exit status and what it said.
pub fn run(args: &[&str]) -> (i32, String) {
    let output = program(args).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert!(code != 2 || said.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (code, if said.is_empty() { String::from_utf8(output.stderr).unwrap() } else { said })
}

/// `stepback serve` on a free port. Killed when it is dropped.
pub struct Server {
    process: Child,
    pub client: Client,
}

impl Server {
    /// Starts it on this folder and waits until it answers.
    pub fn start(folder: &Path, token: &str) -> Self {
        Self::start_with(&folder.join("stepback.toml"), token)
    }

    /// The same with these settings.
    pub fn start_with(config: &Path, token: &str) -> Self {
        let folder = config.parent().unwrap();
        let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()]);
        let site = folder.join("stepback-site");
        std::fs::create_dir_all(&site).unwrap();
        let names = json!({ "boot": "/b.js", "css": "/c.css", "js": "/j.js", "wasm": "/w.wasm" });
        std::fs::write(site.join("assets.json"), names.to_string()).unwrap();
        let mut process =
            command.env("STEPBACK_SITE", site).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| {
            let (_, url) = line.split_once("Stepback is ready: http://")?;
            url.trim_end_matches('/').parse().ok()
        });
        let Some(address) = address else {
            let _ = process.kill();
            let mut said = String::new();
            process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it did not start: {said}");
        };
        // Read to its end, or a full pipe stops the process.
        let mut errors = process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self { process, client: Client { address, token: token.to_owned() } }
    }

    /// SIGKILL: no signal handler runs, nothing is flushed or told.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Server {
    /// SIGTERM, as a service manager sends it; returns once the program has ended by itself, and well.
    pub fn terminate(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Speaks HTTP/1.0: one connection a request, the answer ends with it. `None`: the server died on the way.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    token: String,
}

impl Client {
    fn open(&self, method: &str, path: &str, body: &str) -> Option<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {}\r\nauthorization: Bearer {}\r\n{kind}content-length: {length}\r\n\r\n{body}",
            self.address, self.token
        );
        stream.write_all(request.as_bytes()).ok()?;
        Some(BufReader::new(stream))
    }

    fn head(answer: &mut BufReader<TcpStream>) -> Option<u16> {
        let mut status = String::new();
        answer.read_line(&mut status).ok()?;
        let status = status.split_whitespace().nth(1)?.parse().ok()?;
        loop {
            let mut line = String::new();
            if answer.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.trim().is_empty() {
                return Some(status);
            }
        }
    }

    /// Status and JSON.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut answer = self.open(method, path, &body.map(Value::to_string).unwrap_or_default())?;
        let status = Self::head(&mut answer)?;
        let mut text = String::new();
        answer.read_to_string(&mut text).ok()?;
        Some((status, serde_json::from_str(&text).ok()?))
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn ask(&self, status: u16, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (got, value) = self.send(method, path, body).expect("the server died");
        assert_eq!(got, status, "{method} {path}: {value}");
        value
    }

    /// Reads a run's events until one satisfies, or the stream ends; all that were read.
    pub fn events(&self, run: i64, enough: impl FnMut(&Value) -> bool) -> Vec<Value> {
        self.events_after(run, 0, enough)
    }

    /// The same, of events after this number. Empty too when the server holds as many streams as it may.
    pub fn events_after(&self, run: i64, after: u64, mut enough: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut events = Vec::new();
        let path = format!("/api/v1/runs/{run}/events?after={after}");
        let Some(mut answer) = self.open("GET", &path, "") else { return events };
        if Self::head(&mut answer) != Some(200) {
            return events;
        }
        // Only numbered events have an id.
        let mut numbered = false;
        for line in answer.lines().map_while(Result::ok) {
            if line.is_empty() {
                numbered = false;
            } else if line.starts_with("id:") {
                numbered = true;
            } else if let Some(data) = line.strip_prefix("data:") {
                let value: Value = serde_json::from_str(data.trim()).unwrap();
                if value["type"].is_string() {
                    let stop = enough(&value);
                    events.push(value);
                    if stop {
                        break;
                    }
                } else {
                    assert!(!numbered, "a numbered event without a type: {value}");
                }
            }
        }
        events
    }
}

/// A request to start what a plan describes, with all it asks to be acknowledged.
pub fn start_request(plan: &Value) -> Value {
    json!({
        "kind": plan["kind"], "version_id": plan["version_id"], "confirm_version_id": plan["version_id"],
        "plan_digest": plan["digest"], "restore": plan["chosen_restore"], "reason": "killed on purpose", "acknowledgements": asked(plan),
    })
}

/// The codes of all that a plan asks to be acknowledged.
pub fn asked(plan: &Value) -> Vec<Value> {
    plan["acknowledgements"].as_array().unwrap().iter().map(|a| a["code"].clone()).collect()
}
