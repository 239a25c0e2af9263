//! `stepback backup verify`: the whole ladder of every backup asked for, with an exit status that scripts can use.

mod meter;

use std::fmt::Write as _;

use rollback::ServiceError;
use rollback_types::{BackupFile, BackupHealth, Page, Problem, Rung, RungResult, RungState, Timestamp};

use self::meter::Meter;
use crate::config::Config;
use crate::wiring::{WiringError, wire, wire_beside};

/// Backups could not be looked at. Nothing was changed.
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
}

impl VerifyError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
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
            Self::Service(_) => "`stepback doctor` checks settings, files and stores, and says what to do.".to_owned(),
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
        let looked = service.verify_backup(&name, trial, meter.as_ref().map(Meter::on_progress)).await;
        if let Some(meter) = meter {
            meter.clear();
        }
        backups.push(looked?);
    }
    Ok(VerifyReport { backups, trials_since })
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
    let _ = writeln!(text, "  {} Took {} ms.", health.verdict, health.took_ms);
    if let Some(remedy) = &health.remedy {
        let _ = writeln!(text, "  → {remedy}");
    }
    text.push('\n');
}
