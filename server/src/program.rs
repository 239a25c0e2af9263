//! From the command line to the work, and from an error to words and an exit code.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::backup_command;
use crate::cli::{BackupCommand, Cli, Command, DemoArgs, DoctorArgs, ServeArgs, VerifyArgs};
use crate::config::{Config, ConfigError, Sources};
use crate::{demo, doctor};

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

/// Runs one command. Exit codes: 0 done, 1 failed (the doctor found a fault, a backup is not intact), 2 wrong command line
/// (clap's own), or backups that could not be looked at.
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
        }
    });
    match result {
        Ok(code) => code,
        Err(failure) => report(&failure),
    }
}

fn log_to_standard_error() {
    let filter = EnvFilter::try_from_env("STEPBACK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
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
    if let (Ok(sources), Some(listen)) = (&mut sources, args.listen) {
        sources.flags.push(("server.listen", "--listen", listen));
    }
    let config = load(sources)?;
    let listener = tokio::net::TcpListener::bind(config.listen).await.map_err(|error| {
        Failure::new(
            format!("{} cannot be listened on: {error}. Nothing was started.", config.listen),
            "End the program that uses it (is Stepback running already?), or choose another by --listen, such as \
             127.0.0.1:0 for any free port.",
        )
    })?;
    crate::serve(config, listener, stop_signal()).await.map_err(|error| {
        Failure::new(&error, "`stepback doctor` checks settings, files and stores, and says what to do.")
    })?;
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

async fn verify(args: VerifyArgs) -> Result<ExitCode, Failure> {
    let config = load(Sources::of_process(args.config))?;
    let report = backup_command::verify(&config, args.name.as_deref(), args.trial)
        .await
        .map_err(|error| Failure::new(&error, error.remedy()))?;
    say(&if args.json { report.json() } else { report.table() });
    Ok(ExitCode::from(report.outcome().exit_status()))
}
