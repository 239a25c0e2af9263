//! A release that serves a demo: how quick its longest list is, and how much memory it holds.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Figure, number_after};
use crate::{
    browser,
    failure::{Failure, FileContext, Outcome, say},
    process,
};

/// Requests that are timed, after some that are not.
const TIMED: usize = 300;
const WARM_UP: usize = 30;
const MOST_MS: f64 = 5.0;
const MOST_RESIDENT_KB: u64 = 40_000;
/// The kernel's unit of processor time, the same on every Linux.
const TICKS_A_SECOND: f64 = 100.0;
/// A server that has used no processor time for so long has come to rest.
const REST: Duration = Duration::from_secs(3);
/// After a minute connections that nobody needs go; they are looked for once a minute.
const IDLE: Duration = Duration::from_secs(130);
/// What it does after its start, the first trial of its backups among it, takes seconds.
const MOST_WORK: Duration = Duration::from_secs(120);

/// The first page of so many versions, as the server renders it.
pub fn pages(program: &Path, scratch: &Path, versions: u32) -> Outcome<Figure> {
    browser::ensure_sqlite()?;
    let demo = Demo::make(program, &scratch.join(format!("{versions}-versions")))?;
    demo.add_versions(versions)?;
    let server = demo.serve()?;
    server.come_to_rest()?;
    let mut client = server.client()?;
    for _ in 0..WARM_UP {
        client.get("/versions")?;
    }
    let before = server.processor_ms()?;
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        let start = Instant::now();
        client.get("/versions")?;
        times.push(start.elapsed());
    }
    let processor = (server.processor_ms()? - before) / TIMED as f64;
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1e3;
    let (p50, p95) = (ms(TIMED / 2), ms(TIMED * 95 / 100));
    Ok(Figure {
        what: format!("first page of {versions} versions"),
        wanted: format!("p50 < {MOST_MS} ms"),
        measured: format!("p50 {p50:.1} ms, p95 {p95:.1} ms; {processor:.1} ms of processor time each"),
        met: p50 < MOST_MS,
    })
}

/// What a server holds that has come to rest after its start and a look at every page.
pub fn resident(program: &Path, scratch: &Path) -> Outcome<Figure> {
    let demo = Demo::make(program, &scratch.join("idle"))?;
    let server = demo.serve()?;
    let mut client = server.client()?;
    for path in ["/", "/versions", "/runs", "/backups", "/people", "/audit"] {
        client.get(path)?;
    }
    drop(client);
    server.come_to_rest()?;
    say(format!("leaving the server alone for {} s", IDLE.as_secs()));
    thread::sleep(IDLE);
    let status = server.proc("status")?;
    let kb = |name| number_after(&status, name);
    let (all, own) = (kb("VmRSS:")?, kb("RssAnon:")?);
    Ok(Figure {
        what: "idle server".to_owned(),
        wanted: format!("≤ {} MB resident", MOST_RESIDENT_KB / 1000),
        measured: format!("{:.1} MB, {:.1} MB of it no file's", all as f64 / 1e3, own as f64 / 1e3),
        met: all <= MOST_RESIDENT_KB,
    })
}

/// A demo deployment that nobody else uses, removed in the end.
struct Demo<'a> {
    program: &'a Path,
    folder: PathBuf,
    token: String,
}

impl<'a> Demo<'a> {
    fn make(program: &'a Path, folder: &Path) -> Outcome<Self> {
        crate::cache::remove(folder)?;
        let stepback = || {
            let mut command = Command::new(program);
            command.env("STEPBACK_LOG", "error");
            command
        };
        process::capture(stepback().arg("demo").arg(folder), "run `stepback demo` by hand and look at its message")?;
        let token = process::capture(
            stepback()
                .args(["token", "create", "bench", "--role", "administrator", "--config"])
                .arg(folder.join("stepback.toml")),
            "run `stepback token create` by hand and look at its message",
        )?;
        Ok(Self { program, folder: folder.to_owned(), token: token.trim().to_owned() })
    }

    /// Fills the registry up.
    fn add_versions(&self, count: u32) -> Outcome {
        say(format!("adding {count} versions to a demo"));
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO version_registry (version_id, status, status_message, created_at, updated_at, chapter_count, paragraph_count)
             SELECT printf('v%d_minor_%s_%06d', i + 100, strftime('%Y%m%d', '2026-01-01', '-' || (i / 100) || ' days'), i),
                    iif(i % 9, 'archived', 'failed'), iif(i % 9, NULL, 'Check 4: chunk ids are in Qdrant but not in Neo4j'),
                    datetime('2026-01-01', '-' || i || ' minutes'), datetime('2026-01-01', '-' || i || ' minutes'), 220, 36216 FROM n;"
        );
        process::capture(
            Command::new("sqlite3").arg(self.folder.join("metadata.db")).arg(sql),
            "see that sqlite3 is 3.37 or newer",
        )?;
        Ok(())
    }

    fn serve(&self) -> Outcome<Served<'_>> {
        let mut command = Command::new(self.program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(self.folder.join("stepback.toml"));
        command.env("STEPBACK_LOG", "error").stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| Failure::start(&process::shown(&command), &error))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).file("read the output of", self.program)?;
        }
        let address = line.trim().strip_prefix("Stepback is ready: http://").map(|rest| rest.trim_end_matches('/'));
        let address = address.unwrap_or_default().to_owned();
        let served = Served { demo: self, child, address };
        if served.address.is_empty() {
            return Err(Failure::new(format!("the server did not say where it is: {line:?}"), "start it by hand"));
        }
        Ok(served)
    }
}

impl Drop for Demo<'_> {
    fn drop(&mut self) {
        if let Err(failure) = crate::cache::remove(&self.folder) {
            say(failure);
        }
    }
}

/// A server of a demo; dropping it ends it.
struct Served<'a> {
    demo: &'a Demo<'a>,
    child: Child,
    address: String,
}

impl Served<'_> {
    fn proc(&self, file: &str) -> Outcome<String> {
        let path = PathBuf::from(format!("/proc/{}/{file}", self.child.id()));
        fs::read_to_string(&path).file("read", &path)
    }

    /// Processor time that it has used so far.
    fn processor_ms(&self) -> Outcome<f64> {
        let stat = self.proc("stat")?;
        let ticks = |at: usize| -> Option<f64> {
            let (_, rest) = stat.rsplit_once(')')?;
            rest.split_whitespace().nth(at)?.parse().ok()
        };
        match (ticks(11), ticks(12)) {
            (Some(user), Some(system)) => Ok((user + system) / TICKS_A_SECOND * 1e3),
            _ => Err(Failure::new(format!("the kernel tells no times: {stat}"), "measure on Linux")),
        }
    }

    /// Waits until it uses no processor time any more.
    fn come_to_rest(&self) -> Outcome {
        let start = Instant::now();
        let (mut used, mut since) = (self.processor_ms()?, Instant::now());
        while since.elapsed() < REST {
            if start.elapsed() > MOST_WORK {
                return Err(Failure::new("the server does not come to rest", "look at its log"));
            }
            thread::sleep(Duration::from_millis(200));
            let now = self.processor_ms()?;
            // A tick now and then is its timers' own.
            if now > used + 20.0 {
                (used, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    fn client(&self) -> Outcome<Client> {
        let stream = TcpStream::connect(&self.address)
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| Failure::new(format!("{} cannot be reached: {error}", self.address), "run it again"))?;
        Ok(Client { stream: BufReader::new(stream), token: self.demo.token.clone() })
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            say(format!("the server (pid {}) could not be ended: {error}", self.child.id()));
        }
    }
}

/// One connection over which one page after the other is asked for.
struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    fn get(&mut self, path: &str) -> Outcome {
        let failed = |what: String| Failure::new(format!("{path}: {what}"), "ask for that page by hand");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        self.stream.get_mut().write_all(request.as_bytes()).map_err(|e| failed(e.to_string()))?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut head).map_err(|e| failed(e.to_string()))?;
            if read == 0 {
                return Err(failed(format!("the answer ends after {head:?}")));
            }
        }
        let length = head.to_lowercase().split_once("content-length:").map(|(_, rest)| rest.trim_start().to_owned());
        let length = length.and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
        let (true, Some(length)) = (head.starts_with("HTTP/1.1 200"), length) else {
            return Err(failed(format!("the answer is {head}")));
        };
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).map_err(|e| failed(e.to_string()))
    }
}
