//! The operator's own search test: a program, run without a shell.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rollback_types::{CheckOutcome, CommandResult};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

/// The most of the output that is kept: its end.
const MAX_OUTPUT: usize = 16 * 1024;

/// How long the outputs may stay open after the program has ended: another may have inherited them.
const LINGER: Duration = Duration::from_secs(1);

/// Our own settings and secrets: no business of the program's.
const OUR_PREFIX: &str = "STEPBACK_";

/// `[search] command = ["program", "argument", …]`.
#[derive(Clone, PartialEq, Eq)]
pub struct SearchCommand {
    /// The program and its arguments, as configured.
    pub argv: Vec<String>,
    /// It is ended after this time.
    pub limit: Duration,
}

impl SearchCommand {
    /// A command that may take a minute.
    pub fn new(argv: Vec<String>) -> Self {
        Self { argv, limit: Duration::from_secs(60) }
    }
}

/// Arguments may hold secrets.
impl std::fmt::Debug for SearchCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments = self.argv.len().saturating_sub(1);
        write!(f, "SearchCommand({:?} with {arguments} arguments, {:?})", self.argv.first(), self.limit)
    }
}

/// Runs it to its end or to its limit, and ends it when this future is dropped.
pub(super) async fn run(command: &SearchCommand) -> CommandResult {
    let started = Instant::now();
    let mut result = CommandResult {
        program: command.argv.first().cloned().unwrap_or_default(),
        state: CheckOutcome::NotChecked,
        detail: String::new(),
        exit_code: None,
        timed_out: false,
        output: String::new(),
        output_cut: false,
        took_ms: 0,
    };
    let mut tail = Tail::default();
    let ended = match spawn(command) {
        Ok((child, group)) => follow(child, group, command.limit, &mut tail).await,
        Err(e) => Err(e),
    };
    result.took_ms = super::millis(started);
    (result.output, result.output_cut) = tail.text();
    let program = &result.program;
    match ended {
        Err(e) => {
            result.detail = format!("{program} could not be run: {e}. Check [search] command in the configuration.");
        }
        Ok(None) => {
            (result.state, result.timed_out) = (CheckOutcome::Failed, true);
            let limit = command.limit.as_secs_f64();
            result.detail = format!("{program} had not ended after {limit} s and was killed");
        }
        Ok(Some(status)) => {
            result.exit_code = status.code();
            result.state = if status.success() { CheckOutcome::Passed } else { CheckOutcome::Failed };
            result.detail = format!("{program} ended with {status}");
        }
    }
    result
}

fn spawn(command: &SearchCommand) -> io::Result<(Child, Group)> {
    let (program, arguments) =
        command.argv.split_first().ok_or_else(|| io::Error::other("no program is configured"))?;
    let mut child = Command::new(program);
    child.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_uppercase().starts_with(OUR_PREFIX) {
            child.env_remove(name);
        }
    }
    #[cfg(unix)]
    child.process_group(0);
    let child = child.spawn()?;
    let group = Group::of(&child);
    Ok((child, group))
}

/// `None`: it did not end in time, and was killed with all that it had started.
async fn follow(
    mut child: Child,
    mut group: Group,
    limit: Duration,
    tail: &mut Tail,
) -> io::Result<Option<ExitStatus>> {
    let (mut out, mut err) = (Output::new(child.stdout.take()), Output::new(child.stderr.take()));
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let mut status = None;
    while status.is_none() || out.is_open() || err.is_open() {
        tokio::select! {
            read = out.read(), if out.is_open() => tail.push(read?),
            read = err.read(), if err.is_open() => tail.push(read?),
            ended = child.wait(), if status.is_none() => {
                status = Some(ended?);
                let linger = (tokio::time::Instant::now() + LINGER).min(deadline.deadline());
                deadline.as_mut().reset(linger);
            }
            () = &mut deadline => break,
        }
    }
    if status.is_some() && !out.is_open() && !err.is_open() {
        // All of it ended by itself. Its number may be another's from now on.
        group.0 = None;
    } else {
        group.kill();
    }
    if status.is_none() {
        child.kill().await?;
    }
    Ok(status)
}

/// One of the program's outputs.
struct Output<R> {
    pipe: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Output<R> {
    fn new(pipe: Option<R>) -> Self {
        Self { pipe, buffer: vec![0; 8 * 1024] }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// The next piece; none at its end.
    async fn read(&mut self) -> io::Result<&[u8]> {
        let Some(pipe) = &mut self.pipe else { return Ok(&[]) };
        let read = pipe.read(&mut self.buffer).await?;
        if read == 0 {
            self.pipe = None;
        }
        Ok(&self.buffer[..read])
    }
}

/// The program's process group: what it has started ends with it.
struct Group(Option<u32>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id())
    }

    #[cfg(unix)]
    fn kill(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let pid = self.0.take().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid
            && let Err(e) = kill_process_group(pid, Signal::KILL)
            && e != rustix::io::Errno::SRCH
        {
            tracing::warn!(error = %e, "what the search command had started could not be killed");
        }
    }

    #[cfg(not(unix))]
    fn kill(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The end of what was written.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    fn push(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
        // Not at every piece: moving the end to the front costs.
        if self.bytes.len() > 4 * MAX_OUTPUT {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let over = self.bytes.len().saturating_sub(MAX_OUTPUT);
        if over > 0 {
            self.bytes.drain(..over);
            self.cut = true;
        }
    }

    fn text(mut self) -> (String, bool) {
        self.trim();
        let mut start = 0;
        if self.cut {
            // A cut may fall inside a character.
            start = self.bytes.iter().take(3).take_while(|b| **b & 0xC0 == 0x80).count();
        }
        let text = String::from_utf8_lossy(&self.bytes[start..]);
        (text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect(), self.cut)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> SearchCommand {
        SearchCommand::new(["sh", "-c", script].map(str::to_owned).to_vec())
    }

    #[tokio::test]
    async fn its_exit_status_decides() {
        let good = run(&sh("echo found; echo '3 results' >&2")).await;
        assert_eq!((good.state, good.exit_code, good.timed_out), (CheckOutcome::Passed, Some(0), false));
        assert!(good.output.contains("found\n") && good.output.contains("3 results\n"), "{good:?}");
        let bad = run(&sh("printf 'no\\033[31m results\\000'; exit 3")).await;
        assert_eq!((bad.state, bad.exit_code), (CheckOutcome::Failed, Some(3)));
        assert_eq!(bad.output, "no[31m results", "no control characters");
        assert!(bad.detail.contains('3'), "{}", bad.detail);
        let killed = run(&sh("kill -9 $$")).await;
        assert_eq!((killed.state, killed.exit_code), (CheckOutcome::Failed, None));
    }

    #[tokio::test]
    async fn arguments_are_no_shells_and_input_is_empty() {
        let literal = SearchCommand::new(["echo", "$HOME; echo two", "*"].map(str::to_owned).to_vec());
        assert_eq!(run(&literal).await.output, "$HOME; echo two *\n");
        assert_eq!(run(&SearchCommand::new(vec!["cat".into()])).await.state, CheckOutcome::Passed);
    }

    #[tokio::test]
    async fn at_the_limit_it_is_killed_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; echo begun; wait", pids.display());
        let command = SearchCommand { limit: Duration::from_secs(2), ..sh(&script) };
        let result = run(&command).await;
        assert_eq!((result.state, result.timed_out, result.exit_code), (CheckOutcome::Failed, true, None));
        assert_eq!(result.output, "begun\n", "what it wrote until then is told");
        let sleeper = std::fs::read_to_string(pids).unwrap();
        // Killed, it is gone or waits to be buried by whoever inherited it.
        let lives = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", sleeper.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        let gone = async {
            while lives() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("the sleeper was left behind");
    }

    #[tokio::test]
    async fn one_that_leaves_something_behind_does_not_hold_us() {
        let result = run(&SearchCommand { limit: Duration::from_secs(600), ..sh("sleep 1000 & echo done") }).await;
        assert_eq!((result.state, result.output.as_str()), (CheckOutcome::Passed, "done\n"));
    }

    #[tokio::test]
    async fn of_much_output_the_end_is_kept() {
        let result = run(&sh("i=0; while [ $i -lt 20000 ]; do echo \"line $i ü\"; i=$((i+1)); done")).await;
        assert_eq!((result.state, result.output_cut), (CheckOutcome::Passed, true));
        assert!(result.output.len() <= MAX_OUTPUT && result.output.ends_with("line 19999 ü\n"));
        assert!(!result.output.starts_with('\u{fffd}'));
    }

    #[tokio::test]
    async fn a_missing_program_is_not_checked() {
        let missing = SearchCommand::new(vec!["/nowhere/search-test".into(), "--key=secret".into()]);
        let result = run(&missing).await;
        assert_eq!(result.state, CheckOutcome::NotChecked);
        assert!(result.detail.contains("/nowhere/search-test") && result.detail.contains("[search] command"));
        assert!(!format!("{missing:?} {result:?}").contains("secret"));
        assert_eq!(run(&SearchCommand::new(Vec::new())).await.state, CheckOutcome::NotChecked);
    }

    #[tokio::test]
    async fn our_own_environment_stays_ours() {
        // `cargo test` gives no such variable, and none may be set while other threads read them: the filter is looked at in a
        // program of its own, this test binary, called with one.
        if std::env::var_os("STEPBACK_TEST_CHILD").is_some() {
            let seen = run(&SearchCommand::new(vec!["env".into()])).await;
            assert!(!seen.output.contains("STEPBACK_"), "{}", seen.output);
            assert!(seen.output.contains("OTHER_VARIABLE=kept"), "{}", seen.output);
            return;
        }
        let own = std::env::current_exe().unwrap();
        let child = std::process::Command::new(own)
            .args(["our_own_environment_stays_ours", "--nocapture"])
            .envs([("STEPBACK_TEST_CHILD", "1"), ("STEPBACK_NEO4J_PASSWORD", "hidden"), ("OTHER_VARIABLE", "kept")])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && said.contains("1 passed"), "{said}");
    }
}
