//! What a step may touch: the stores, the plan's facts, and a way to say how far it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rollback_types::{
    BackupSource, Inventory, Layout, Progress, RollbackTarget, RunId, RunKind, StagingCounts, Step, StepError,
    StoreKind, ValidationReport, VersionId, VersionState,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::backup::{BackupVerifier, VerifiedBackup};
use crate::journal::Journal;
use crate::meter::{Meter, Unit};
use crate::plan::Planned;
use crate::settings::Settings;
use crate::store::{OnProgress, StagingSelector, StoreError};
use crate::stores::Stores;
use crate::validation::ExpectedChapters;

/// What the confirmed plan fixed for a run.
#[derive(Clone, Debug)]
pub(crate) struct RunSpec {
    pub run_id: RunId,
    pub run_key: String,
    pub kind: RunKind,
    /// What the run is about; of a rollback the version.
    pub subject: VersionId,
    /// Only of a rollback.
    pub target: Option<RollbackTarget>,
    pub reason: String,
    pub layout: Layout,
    /// The state the plan saw.
    pub expected: VersionState,
    /// Staging as the plan counted it.
    pub planned: BTreeMap<StoreKind, StagingCounts>,
    /// Production as the plan counted it.
    pub production: BTreeMap<StoreKind, Inventory>,
    /// All other candidates the plan knew of.
    pub other_candidates: Vec<VersionId>,
    /// Codes of the acknowledgements given.
    pub acknowledged: Vec<String>,
    /// The backup that step 6 proves and step 7 restores from.
    pub source: BackupSource,
    /// Hashes of its files as the plan saw them.
    pub hashes: BTreeMap<StoreKind, String>,
    /// Stores to restore.
    pub restore: BTreeSet<StoreKind>,
    /// Nodes that are not production, as the plan told them apart.
    pub selectors: Vec<StagingSelector>,
    /// Chapters that production, or the staged version, should have.
    pub expected_chapters: ExpectedChapters,
}

impl RunSpec {
    pub(crate) fn new(run_id: RunId, run_key: String, reason: String, planned: &Planned) -> Self {
        let plan = &planned.plan;
        let given = plan.acknowledgements.iter().filter(|a| a.given);
        let files = plan.latest_copy.iter().flat_map(|copy| &copy.files);
        Self {
            run_id,
            run_key,
            kind: plan.kind,
            subject: plan.version_id.clone(),
            target: planned.target.clone(),
            reason,
            layout: plan.layout.unwrap_or(crate::plan::FALLBACK_LAYOUT),
            expected: plan.version.as_ref().map_or(VersionState::RollingBack, |v| v.status.clone()),
            planned: StoreKind::ALL.map(|s| (s, plan.stores.get(s).staging.clone())).into(),
            production: StoreKind::ALL
                .into_iter()
                .filter_map(|s| Some((s, plan.stores.get(s).production.clone()?)))
                .collect(),
            other_candidates: planned.other_candidates.clone(),
            acknowledged: given.map(|a| a.asked.code.clone()).collect(),
            source: plan.source.clone().unwrap_or(BackupSource::LatestCopy),
            hashes: files.filter_map(|f| Some((f.store, f.sha256.clone()?))).collect(),
            restore: StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect(),
            selectors: planned.selectors.clone(),
            expected_chapters: planned.expected_chapters.clone(),
        }
    }

    /// The acknowledgement was given.
    pub(crate) fn acknowledges(&self, code: &str) -> bool {
        self.acknowledged.iter().any(|a| a == code)
    }

    /// The units the plan counted in a store.
    pub(crate) fn planned_units(&self, store: StoreKind) -> u64 {
        self.planned.get(&store).map_or(0, StagingCounts::units)
    }
}

/// What a step tells the engine while it works.
#[derive(Debug)]
pub(crate) enum Message {
    Note {
        step: Step,
        message: String,
    },
    Finding {
        step: Step,
        message: String,
    },
    /// The step waits for `recorded`, which is dropped when the journal could not be written.
    Acts {
        step: Step,
        units: u64,
        recorded: oneshot::Sender<()>,
    },
    Retrying {
        step: Step,
        failures: u32,
        wait: Duration,
        error: StepError,
    },
    Progress(Progress),
    Validated(Box<ValidationReport>),
    Ended {
        step: Step,
        result: Result<Outcome, Halt>,
    },
}

/// How a step ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done and proven: units handled, and what was really done in one sentence.
    Done { count: Option<u64>, said: String },
    /// There was nothing left to do.
    FoundAbsent { said: String },
    /// Only lanes of step 7: nothing to restore, with the proof.
    NothingToRestore { proof: String },
    /// Only lanes of step 7: the way back is in again, by decision.
    WayBackRestored { said: String },
}

/// Why a step stopped.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A fault: retried if it passes, else asked about.
    Failed { error: StepError, transient: bool },
    /// The journal cannot be written, or Stepback is stopping. Nothing more may be done.
    EngineGone,
}

impl Halt {
    /// A fault of the step's own judgement, not worth trying again by itself.
    pub(crate) fn refused(
        code: &str,
        store: Option<StoreKind>,
        message: impl Into<String>,
        safe: &str,
        remedy: &str,
    ) -> Self {
        let error = StepError {
            code: code.to_owned(),
            store,
            message: message.into(),
            safe: safe.to_owned(),
            remedy: remedy.to_owned(),
        };
        Self::Failed { error, transient: false }
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        let transient = error.fault.is_transient();
        let safe = "No production data was touched. Whatever this step may have done is looked at again before \
                    anything goes on.";
        Self::Failed { error: error.into_step_error(safe), transient }
    }
}

/// What all steps of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub stores: Stores,
    pub settings: Settings,
    pub verifier: Arc<BackupVerifier>,
    pub spec: RunSpec,
    /// Step 6 puts its proof here; step 7 takes it from here.
    pub verified: std::sync::Mutex<Option<VerifiedBackup>>,
    /// Units each step was about to remove when it last acted: what is gone afterwards, this run removed.
    pub attempted: std::sync::Mutex<BTreeMap<Step, u64>>,
    /// Steps that a process before this one had begun to carry out on production.
    pub begun_before: BTreeSet<Step>,
    /// What each step has really done, for the log row of step 8.
    pub done: std::sync::Mutex<BTreeMap<Step, String>>,
    /// What is worth telling at the end, though no step failed.
    pub findings: std::sync::Mutex<Vec<String>>,
    /// Constraints and indexes before the first try of a restore.
    pub schema_before: std::sync::Mutex<Option<Vec<String>>>,
    /// Lanes that a person told to put the way back in again.
    pub way_back_wanted: std::sync::Mutex<BTreeSet<Step>>,
    /// The median time of the last sound search test, in microseconds.
    pub last_search_us: Option<u64>,
    pub journal: Arc<dyn Journal>,
    /// One lane at a time writes the list of checksums beside the ways back, or beside a new backup.
    pub checksums: tokio::sync::Mutex<()>,
    /// Turns true when Stepback is to stop: steps end before their next effect.
    pub stopping: watch::Receiver<bool>,
}

impl Shared {
    /// The folder of this run's evidence.
    pub(crate) fn folder(&self) -> PathBuf {
        self.verifier.folders().run_folder(&self.spec.run_key)
    }

    /// The staging collection of the target.
    pub(crate) fn staging_collection(&self, target: &RollbackTarget) -> String {
        self.settings.names.staging_collection(self.spec.layout, target)
    }

    /// The backup that this run makes.
    pub(crate) fn fresh(&self) -> BackupSource {
        let key = self.spec.run_key.clone();
        if self.spec.subject.is_safety_backup() { BackupSource::FreshSafety(key) } else { BackupSource::Fresh(key) }
    }

    /// Something worth telling at the end.
    pub(crate) fn find(&self, finding: String) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        // A step that is tried again finds the same again.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }

    /// What an earlier try of this run was about to change, also of a process before this one.
    pub(crate) fn attempted(&self, step: Step) -> Option<u64> {
        self.attempted.lock().unwrap_or_else(PoisonError::into_inner).get(&step).copied()
    }

    /// How the target's staging nodes are told.
    pub(crate) fn staging_selector(&self, target: &RollbackTarget) -> StagingSelector {
        self.settings.names.staging_selector(self.spec.layout, target)
    }
}

/// One step's view of its run. The channel is bounded: a step that talks faster than the journal writes waits.
#[derive(Debug)]
pub(crate) struct StepContext {
    pub shared: Arc<Shared>,
    step: Step,
    tx: mpsc::Sender<Message>,
    meter: Arc<Meter>,
}

impl StepContext {
    pub(crate) fn new(shared: Arc<Shared>, step: Step, tx: mpsc::Sender<Message>) -> Self {
        let meter = Arc::new(Meter::new(step, tx.clone(), shared.settings.progress_interval));
        Self { shared, step, tx, meter }
    }

    /// Something worth knowing, for the journal and the log. Also the place where a step stops when the engine is
    /// gone: call it, or [`checkpoint`](Self::checkpoint), before every effect.
    pub(crate) async fn note(&self, message: impl Into<String>) -> Result<(), Halt> {
        let note = Message::Note { step: self.step, message: message.into() };
        self.tx.send(note).await.map_err(|_| Halt::EngineGone)
    }

    /// Something worth telling at the end, though the step does not fail.
    pub(crate) async fn find(&self, message: impl Into<String>) -> Result<(), Halt> {
        let finding = Message::Finding { step: self.step, message: message.into() };
        self.tx.send(finding).await.map_err(|_| Halt::EngineGone)
    }

    /// The step is about to change so many units. Returns once that is in the journal; call it right before the effect.
    pub(crate) async fn acts(&self, units: u64) -> Result<(), Halt> {
        let (recorded, done) = oneshot::channel();
        let acts = Message::Acts { step: self.step, units, recorded };
        self.tx.send(acts).await.map_err(|_| Halt::EngineGone)?;
        done.await.map_err(|_| Halt::EngineGone)?;
        self.shared.attempted.lock().unwrap_or_else(PoisonError::into_inner).insert(self.step, units);
        self.checkpoint()
    }

    /// What the validation found, for the journal and the page.
    pub(crate) async fn validated(&self, report: ValidationReport) -> Result<(), Halt> {
        self.tx.send(Message::Validated(Box::new(report))).await.map_err(|_| Halt::EngineGone)
    }

    /// The step of this context.
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// Waits before another try, unless Stepback is to stop meanwhile.
    pub(crate) async fn pause(&self, wait: Duration) {
        let mut stopping = self.shared.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Ok(_) = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Stops the step when the engine is gone, or Stepback is to stop.
    pub(crate) fn checkpoint(&self) -> Result<(), Halt> {
        if self.tx.is_closed() || *self.shared.stopping.borrow() { Err(Halt::EngineGone) } else { Ok(()) }
    }

    /// How far the step is. Throttled; the first and the last report always go out.
    pub(crate) async fn progress(&self, done: u64, total: u64) -> Result<(), Halt> {
        self.checkpoint()?;
        match self.meter.count(done, total) {
            Some(progress) => self.tx.send(Message::Progress(progress)).await.map_err(|_| Halt::EngineGone),
            None => Ok(()),
        }
    }

    /// The same from a thread that must not wait: a report is dropped when the channel is full.
    pub(crate) fn progress_from_thread(&self) -> OnProgress {
        self.meter.count_from_thread()
    }

    /// What the step does beside what it counts, in words for its reader.
    pub(crate) async fn phase(&self, words: impl Into<String>) -> Result<(), Halt> {
        self.checkpoint()?;
        self.meter.phase(words).await
    }

    /// A phase that tells how far it is: no part of the step's own count.
    pub(crate) async fn phase_in_parts(&self, words: impl Into<String>, unit: Unit) -> Result<OnProgress, Halt> {
        self.phase(words).await?;
        Ok(self.meter.parts_of_phase(unit))
    }

    /// What tells how far this step is.
    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Tells that the step waits and tries again.
    pub(crate) async fn retrying(&self, failures: u32, wait: Duration, error: StepError) -> Result<(), Halt> {
        let message = Message::Retrying { step: self.step, failures, wait, error };
        self.tx.send(message).await.map_err(|_| Halt::EngineGone)
    }
}
