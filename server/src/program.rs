//! From the command line to the work, and from an error to words and an exit code.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::account_commands::{self, AccountError, Done};
use crate::backup_command;
use crate::cli::{
    BackupCommand, Cli, Command, DemoArgs, DoctorArgs, JournalCheckArgs, JournalCommand, JournalExportArgs, ServeArgs,
    TokenArgs, TrustArgs, UserArgs, VerifyArgs,
};
use crate::config::{Config, ConfigError, Sources};
use crate::{demo, doctor, journal_command};

/// What went wrong, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    what: String,
    remedy: String,
    /// The exit status.
    code: u8,
}

impl Failure {
    fn new(what: impl Display, remedy: impl Into<String>) -> Self {
        Self { what: what.to_string(), remedy: remedy.into(), code: 1 }
    }

    /// For commands whose status 1 is an answer.
    fn exits_with(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(format!("{error}. Nothing was started or changed."), error.remedy())
    }
}

/// How long threads may go on once a command has ended.
const END_OF_THREADS: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs one command. Exit codes: 0 done, 1 failed (the doctor found a fault, a backup is not intact, the journal is not
/// sound), 2 wrong command line (clap's own), or backups or a journal that could not be looked at.
pub fn run(cli: Cli) -> ExitCode {
    log_to_standard_error();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return report(&Failure::new(
                format!("The program could not start its threads: {error}."),
                "Raise the limit of processes and open files (ulimit -u, ulimit -n).",
            ));
        }
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve(args).await,
            Command::Demo(args) => make_demo(&args).await,
            Command::Doctor(args) => examine(args).await,
            Command::Backup(BackupCommand::Verify(args)) => verify(args).await.map_err(|f| f.exits_with(2)),
            Command::Backup(BackupCommand::Trust(args)) => trust(args).await.map_err(|f| f.exits_with(2)),
            Command::Journal(JournalCommand::Check(args)) => check_journal(args).await.map_err(|f| f.exits_with(2)),
            Command::Journal(JournalCommand::Export(args)) => export_journal(args).await,
            Command::User(args) => users(args).await,
            Command::Token(args) => tokens(args).await,
        }
    });
    // A file being read or written on a thread of its own must not hold up the end: whatever it does is looked at again.
    runtime.shutdown_timeout(END_OF_THREADS);
    match result {
        Ok(code) => code,
        Err(failure) => report(&failure),
    }
}

/// What `STEPBACK_LOG` asks for. At the levels of every day the session layer is silent about cookies that are empty, odd or
/// over: anybody can send those, as many as they like, and they open nothing. And to count a real deployment takes a store some
/// seconds, at every look: that a statement was slow is no news, and would bury what is.
fn log_filter(asked: &str) -> EnvFilter {
    const QUIET: &str = "tower_sessions=error,tower_sessions_core=error,sqlx::query=error";
    let everyday = |level: &str| EnvFilter::new(format!("{level},{QUIET}"));
    match asked.trim() {
        "" => everyday("info"),
        level @ ("info" | "warn") => everyday(level),
        other => EnvFilter::try_new(other).unwrap_or_else(|_| everyday("info")),
    }
}

fn log_to_standard_error() {
    let filter = log_filter(&std::env::var("STEPBACK_LOG").unwrap_or_default());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

#[allow(clippy::print_stderr, reason = "the last word of a command that failed")]
fn report(failure: &Failure) -> ExitCode {
    eprintln!("error: {}\n  what to do: {}", failure.what, failure.remedy);
    ExitCode::from(failure.code)
}

/// Writes to standard output. A reader that has gone away (`stepback doctor | head`) is no fault.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "standard output is closed");
    }
}

fn load(sources: std::io::Result<Sources>) -> Result<Config, Failure> {
    let sources = sources.map_err(|error| {
        Failure::new(format!("The working folder cannot be read: {error}."), "Change to a folder that exists.")
    })?;
    Ok(Config::load(&sources)?)
}

async fn serve(args: ServeArgs) -> Result<ExitCode, Failure> {
    let mut sources = Sources::of_process(args.config);
    let flags = [
        ("server.listen", "--listen", args.listen),
        ("server.tls_cert", "--tls-cert", args.tls_cert),
        ("server.tls_key", "--tls-key", args.tls_key),
    ];
    if let Ok(sources) = &mut sources {
        sources.flags.extend(flags.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value?))));
    }
    let config = load(sources)?;
    let listener = tokio::net::TcpListener::bind(config.listen).await.map_err(|error| {
        Failure::new(
            format!("{} cannot be listened on: {error}. Nothing was started.", config.listen),
            "End the program that uses it (is Stepback running already?), or choose another by --listen, such as \
             127.0.0.1:0 for any free port.",
        )
    })?;
    crate::serve(config, listener, stop_signal()).await.map_err(|error| Failure::new(&error, error.remedy()))?;
    Ok(ExitCode::SUCCESS)
}

/// Resolves on Ctrl-C or a termination signal.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            answer = tokio::signal::ctrl_c() => forever_unless(answer.is_ok()).await,
        },
        Err(error) => {
            tracing::warn!(%error, "the termination signal cannot be caught; Ctrl-C still works");
            let answer = tokio::signal::ctrl_c().await;
            forever_unless(answer.is_ok()).await;
        }
    }
}

/// A signal that cannot be caught is no request to stop.
async fn forever_unless(caught: bool) {
    if !caught {
        std::future::pending::<()>().await;
    }
}

async fn make_demo(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let report = demo::create(args).await.map_err(|error| Failure::new(&error, error.remedy()))?;
    say(&report.to_string());
    Ok(ExitCode::SUCCESS)
}

async fn examine(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let checks = match load(Sources::of_process(args.config)) {
        Ok(config) => doctor::examine(&config).await,
        Err(failure) => vec![doctor::Check::failed("settings", failure.what, failure.remedy)],
    };
    say(&doctor::table(&checks));
    Ok(if checks.iter().any(doctor::Check::is_failure) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn check_journal(args: JournalCheckArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    let report = journal_command::check(&config, args.head.as_ref())
        .await
        .map_err(|error| Failure::new(&error, error.remedy()))?;
    say(&if args.json { journal_command::json(&report) } else { journal_command::words(&report) });
    Ok(ExitCode::from(journal_command::exit_status(&report)))
}

async fn export_journal(args: JournalExportArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    journal_command::export(&config).await.map_err(|error| Failure::new(&error, error.remedy()))?;
    Ok(ExitCode::SUCCESS)
}

async fn users(args: UserArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    tell(account_commands::user(&config, args.command).await)
}

async fn tokens(args: TokenArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    tell(account_commands::token(&config, args.command).await)
}

/// The answer alone goes to standard output: a token is often caught by `$(…)`.
#[allow(clippy::print_stderr, reason = "what a command did")]
fn tell(done: Result<Done, AccountError>) -> Result<ExitCode, Failure> {
    let done = done.map_err(|error| Failure::new(&error, error.remedy()))?;
    if let Some(note) = done.note {
        eprintln!("{note}");
    }
    if let Some(answer) = done.answer {
        say(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(args: VerifyArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    let report = backup_command::verify(&config, args.name.as_deref(), args.trial)
        .await
        .map_err(|error| Failure::new(&error, error.remedy()))?;
    say(&if args.json { report.json() } else { report.table() });
    Ok(ExitCode::from(report.outcome().exit_status()))
}

async fn trust(args: TrustArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    let trusted = backup_command::trust(&config, &args.name, args.sha256.as_deref(), args.reason.as_deref());
    let report = trusted.await.map_err(|error| Failure::new(&error, error.remedy()))?;
    say(&if args.json { report.json() } else { report.table() });
    Ok(ExitCode::from(report.outcome().exit_status()))
}

#[cfg(test)]
mod tests {
    use tracing::{Level, enabled};

    use super::*;

    #[test]
    fn of_odd_cookies_nothing_is_said_unless_it_is_asked_for() {
        let is_silent = |asked: &str| log_filter(asked).to_string().contains("tower_sessions=error");
        for everyday in ["", "info", "warn", " info ", "rollback=loud"] {
            assert!(is_silent(everyday), "{everyday}");
        }
        for asked in ["debug", "info,rollback=debug", "error"] {
            assert!(!is_silent(asked), "{asked}");
        }
    }

    #[test]
    fn a_slow_statement_is_no_news_and_a_failed_one_is() {
        let subscriber = tracing_subscriber::fmt().with_env_filter(log_filter("")).finish();
        tracing::subscriber::with_default(subscriber, || {
            assert!(!enabled!(target: "sqlx::query", Level::WARN));
            assert!(enabled!(target: "sqlx::query", Level::ERROR));
            assert!(enabled!(target: "rollback::engine", Level::INFO) && enabled!(target: "sqlx::pool", Level::WARN));
        });
    }
}
