//! `stepback backup verify`: the whole ladder of every backup asked for, with an exit status that scripts can use. And
//! `stepback backup trust`: a person's word for files that took others' places.

mod meter;

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _, stderr, stdin};

use ::access::AccessError;
use rollback::{Actor, ServiceError};
use rollback_types::{
    AuditOutcome, BackupFile, BackupHealth, Page, Problem, Role, Rung, RungResult, RungState, Timestamp,
};

use self::meter::Meter;
use crate::account_commands::{self, AccountError};
use crate::config::Config;
use crate::wiring::{WiringError, wire, wire_beside};

/// Backups could not be looked at, or trusted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The service could not be put together.
    #[error("{0}. Nothing was changed.")]
    Wiring(#[from] WiringError),
    /// A trial beside a server: the two would take each other's scratch places for leftovers.
    #[error(
        "a server uses {folder}, and trial restores are its own business while it runs. Nothing was tried or changed."
    )]
    ServerRuns {
        /// Stepback's folder.
        folder: String,
    },
    /// No such backup, an active run, or the folder of the backups.
    #[error("{}. Nothing was changed.", .0.to_string().trim_end_matches('.'))]
    Service(#[from] ServiceError),
    /// Nothing to say anything about.
    #[error("No file of {name} waits to be trusted. {verdict} Nothing was changed.")]
    NothingWaits {
        /// The backup.
        name: String,
        /// How it stands.
        verdict: String,
    },
    /// Nobody said which files are meant, or why.
    #[error("nobody confirmed that these are the right files, or said why: {seen}. Nothing was changed.")]
    Unconfirmed {
        /// The backup.
        name: String,
        /// The files that wait to be trusted, as they are now.
        seen: String,
    },
    /// The audit could not be opened or written: without it nothing is trusted.
    #[error("{}. Nothing was changed.", .0.to_string().trim_end_matches(" Nothing was changed.").trim_end_matches('.'))]
    Audit(AccountError),
    /// It is trusted, and the audit does not say so.
    #[error("The backup is trusted now. That this was said could not be written into the audit: {0}.")]
    Unaudited(AccessError),
}

impl VerifyError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unconfirmed { name, seen } => format!(
                "Compare them with what was meant to be there. If they are, say so, and why: `stepback backup \
                 trust {name} --sha256 {seen} --reason \"…\"`."
            ),
            Self::NothingWaits { .. } => "Nothing is to be done.".to_owned(),
            Self::Wiring(_) => "`stepback doctor` checks settings, files and stores, and says what to do.".to_owned(),
            Self::ServerRuns { .. } => "Try the restore on the server's page of the backup, or POST \
                /api/v1/backups/NAME/verify with {\"trial\": true}; or stop the server first. Without --trial the files \
                are verified beside it."
                .to_owned(),
            Self::Service(ServiceError::NotFound(_)) => {
                "Name latest-copy or a folder in backups.dir; without a name all backups are looked at.".to_owned()
            }
            Self::Service(ServiceError::ActiveRun(run)) => {
                format!("Wait until run #{run} is over; backups are verified only while no run is active.")
            }
            Self::Service(ServiceError::InvalidField { .. }) => "Give another reason by --reason.".to_owned(),
            Self::Service(ServiceError::Conflict(_)) => {
                "`stepback backup verify` tells how each backup stands, and what to do.".to_owned()
            }
            Self::Service(_) => "`stepback doctor` checks settings, files and stores, and says what to do.".to_owned(),
            Self::Audit(error) => error.remedy(),
            Self::Unaudited(error) => error.remedy().to_owned(),
        }
    }
}

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All that was asked for is proven.
    Intact,
    /// Something asked for could not be tried; nothing was found wrong.
    NotTried,
    /// A rung failed.
    NotIntact,
}

impl Outcome {
    /// What the program ends with.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Intact => 0,
            Self::NotIntact => 1,
            Self::NotTried => 2,
        }
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    backups: Vec<BackupHealth>,
    /// When trials began, if they were asked for.
    trials_since: Option<Timestamp>,
}

/// Who calls the program on its own machine: who may write the files at hand may do anything with them.
fn at_hand() -> Actor {
    Actor::new(account_commands::actor(), Role::Administrator)
}

/// Reads every file of one backup, or of all, and restores them on trial if told.
///
/// # Errors
/// See [`VerifyError`].
pub async fn verify(config: &Config, name: Option<&str>, trial: bool) -> Result<VerifyReport, VerifyError> {
    // Held to the end of this function, where there was no server to hold it.
    let (service, _lock) = match wire(config).await {
        Ok(wired) => (wired.service, Some(wired.lock)),
        Err(WiringError::InUse { folder }) if trial => return Err(VerifyError::ServerRuns { folder }),
        Err(WiringError::InUse { .. }) => (wire_beside(config).await?, None),
        Err(other) => return Err(other.into()),
    };
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => service.backup_sources().await?.iter().map(|source| source.name().into_owned()).collect(),
    };
    let trials_since = trial.then(Timestamp::now);
    let mut backups = Vec::new();
    for name in names {
        let meter = Meter::for_terminal(&name);
        let looked = service.verify_backup(&name, trial, meter.as_ref().map(Meter::on_progress), &at_hand()).await;
        if let Some(meter) = meter {
            meter.clear();
        }
        backups.push(looked?);
    }
    Ok(VerifyReport { backups, trials_since })
}

/// A person at the command line says that what took the place of a backup's files is the right thing, and why: by the hashes
/// and the reason they give; for what they did not give they are asked on the terminal. Left in the audit.
///
/// # Errors
/// See [`VerifyError`].
pub async fn trust(
    config: &Config,
    name: &str,
    seen: Option<&str>,
    reason: Option<&str>,
) -> Result<VerifyReport, VerifyError> {
    let (service, _lock) = match wire(config).await {
        Ok(wired) => (wired.service, Some(wired.lock)),
        Err(WiringError::InUse { .. }) => (wire_beside(config).await?, None),
        Err(other) => return Err(other.into()),
    };
    let (seen, reason) = match (seen, reason) {
        (Some(seen), Some(reason)) => (seen.to_ascii_lowercase(), reason.to_owned()),
        (seen, reason) => asked(&service.verify_backup(name, false, None, &at_hand()).await?, seen, reason)?,
    };
    let audit = account_commands::open(config).await.map_err(VerifyError::Audit)?;
    let entry = account_commands::entry("stepback backup trust").about(name).because(reason.as_str());
    let begun = audit.audit_begin(&entry).await.map_err(|e| VerifyError::Audit(e.into()))?;
    let trusted = service.trust_backup(name, &seen, &reason, &at_hand()).await;
    let (outcome, detail) = match &trusted {
        Ok(health) => (AuditOutcome::Done, health.verdict.clone()),
        Err(ServiceError::Journal(e)) => (AuditOutcome::Failed, e.to_string()),
        Err(e) => (AuditOutcome::Refused, e.to_string()),
    };
    let audited = audit.audit_end(begun, outcome, None, Some(&detail)).await;
    audit.close().await;
    let backups = vec![trusted?];
    audited.map_err(VerifyError::Unaudited)?;
    Ok(VerifyReport { backups, trials_since: None })
}

/// Asks a person on the terminal for what was not given: whether these are the right files, and why.
fn asked(health: &BackupHealth, given: Option<&str>, reason: Option<&str>) -> Result<(String, String), VerifyError> {
    let name = health.source.name().into_owned();
    let seen = health.replaced_as_seen();
    if seen.is_empty() {
        return Err(VerifyError::NothingWaits { name, verdict: health.verdict.clone() });
    }
    let said = |answer: std::io::Result<String>| answer.ok().filter(|answer| !answer.is_empty());
    let answers = || {
        if !stdin().is_terminal() {
            return None;
        }
        let meant = match given {
            Some(given) => given.to_ascii_lowercase(),
            None => said(what_is_meant(health)).filter(|answer| answer == "yes").map(|_| seen.clone())?,
        };
        let reason = match reason {
            Some(reason) => reason.to_owned(),
            None => said(answer_to("Why are they the right ones? The journal and the audit keep it: "))?,
        };
        Some((meant, reason))
    };
    answers().ok_or_else(|| VerifyError::Unconfirmed { name, seen: seen.clone() })
}

/// Shows the files that wait to be trusted, and asks.
fn what_is_meant(health: &BackupHealth) -> std::io::Result<String> {
    let mut terminal = stderr();
    writeln!(terminal, "These files of {} are not the ones that were seen before:", health.source.name())?;
    for file in health.files.iter().filter(|file| health.replaced.contains(&file.store)) {
        writeln!(terminal, "  {}\n    sha256 {}", file.path, file.sha256.as_deref().unwrap_or("unread"))?;
    }
    answer_to("Are they the right ones? Type yes to trust them: ")
}

fn answer_to(question: &str) -> std::io::Result<String> {
    let mut terminal = stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

impl VerifyReport {
    /// The worst of all backups.
    pub fn outcome(&self) -> Outcome {
        self.backups.iter().map(|health| self.outcome_of(health)).max().unwrap_or(Outcome::NotTried)
    }

    fn outcome_of(&self, health: &BackupHealth) -> Outcome {
        // An earlier trial is no answer to the one asked for.
        let tried = |file: &BackupFile, since: Timestamp| {
            let is_new = |r: &RungResult| r.rung == Rung::TrialRestore && r.checked_at.is_some_and(|at| at >= since);
            file.rungs.iter().any(is_new)
        };
        if !health.intact || health.files.iter().any(|file| file.lowest_failure().is_some()) {
            Outcome::NotIntact
        } else if self.trials_since.is_some_and(|since| !health.files.iter().all(|file| tried(file, since))) {
            Outcome::NotTried
        } else {
            Outcome::Intact
        }
    }

    /// `{"items": […]}`, as `GET /api/v1/backups` answers.
    pub fn json(&self) -> String {
        let page = Page { items: self.backups.clone(), next_cursor: None };
        // Our own types always serialise; were one not to, its reader gets a problem document.
        serde_json::to_string_pretty(&page).unwrap_or_else(|error| {
            let problem = Problem::new(rollback_types::ProblemKind::Internal, error.to_string());
            serde_json::json!({ "detail": problem.detail }).to_string()
        })
    }

    /// File by rung, with what was seen and the time it took.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for health in &self.backups {
            tell(&mut text, health);
        }
        let count = |wanted: Outcome| self.backups.iter().filter(|h| self.outcome_of(h) == wanted).count();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{} backups: {} intact, {} not intact, {} not tried",
            self.backups.len(),
            count(Outcome::Intact),
            count(Outcome::NotIntact),
            count(Outcome::NotTried)
        );
        text
    }
}

fn tell(text: &mut String, health: &BackupHealth) {
    let _ = writeln!(text, "{}  {}", health.source.name(), health.folder);
    for file in &health.files {
        let size = file.bytes.map(|bytes| format!(" ({})", app::format::bytes(bytes))).unwrap_or_default();
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let _ = writeln!(text, "  {name}{size}");
        for rung in &file.rungs {
            let word = match rung.state {
                RungState::Passed => "OK  ",
                RungState::Failed => "FAIL",
                RungState::NotProven => "–   ",
            };
            let took = rung.took_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
            let _ = writeln!(text, "    {word}  {:13}  {took:>9}  {}", rung.rung.title(), rung.detail);
        }
    }
    let _ = writeln!(text, "  {} Reading the slowest file took {} ms.", health.verdict, health.took_ms);
    if let Some(remedy) = &health.remedy {
        let _ = writeln!(text, "  → {remedy}");
    }
    text.push('\n');
}
