//! How the browser reads a run and its events: the same JSON, each into one flat structure.
//!
//! What `serde` derives for flattened and tagged types keeps everything in between and reads it a second time: a good part of
//! what browsers would load. The server reads its journal in that way, and a test holds both to the same values.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::event::{Decision, Event, EventKind, StepError};
use crate::run_view::{RunView, StepView};
use crate::validation::{ValidationReport, ValidationScope, ValidationVerdict};
use crate::{LogLine, PlanDigest, RunId, RunKind, RunState, RunSummary, Step, Timestamp, VersionId};

/// An event, with the fields of every kind. A field has one type, whichever kind it is of.
#[derive(Deserialize)]
struct FlatEvent {
    number: u64,
    run_id: RunId,
    at: Timestamp,
    #[serde(rename = "type")]
    word: String,
    #[serde(default)]
    kind: Option<RunKind>,
    #[serde(default)]
    version_id: Option<VersionId>,
    #[serde(default)]
    plan_digest: Option<PlanDigest>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    approved_by: Vec<String>,
    #[serde(default)]
    step: Option<Step>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    again: Vec<Step>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default)]
    failures: Option<u32>,
    #[serde(default)]
    units: Option<u64>,
    #[serde(default)]
    wait_ms: Option<u64>,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    error: Option<StepError>,
    #[serde(default)]
    found_absent: bool,
    #[serde(default)]
    by_decision: bool,
    #[serde(default)]
    stopped: bool,
    #[serde(default)]
    decision: Option<Decision>,
    #[serde(default)]
    state: Option<RunState>,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    report: Option<Verdict>,
}

/// Reads an event; one that lacks what its kind has is refused. Nobody follows a run that is over, so notes are of an unknown
/// kind here.
pub(crate) fn event<'de, D: Deserializer<'de>>(from: D) -> Result<Event, D::Error> {
    let flat = FlatEvent::deserialize(from)?;
    let (number, run_id, at) = (flat.number, flat.run_id, flat.at);
    match flat.kind() {
        Some(kind) => Ok(Event { number, run_id, at, kind }),
        None => Err(D::Error::custom("an event lacks a field of its kind")),
    }
}

/// What every event has.
#[derive(Deserialize)]
struct Head {
    number: u64,
    run_id: RunId,
    at: Timestamp,
    #[serde(rename = "type")]
    word: String,
}

/// The words of the kinds that are read here.
const WORDS: [&str; 16] = [
    "run_started",
    "step_started",
    "step_note",
    "step_acts",
    "step_finding",
    "step_retrying",
    "step_completed",
    "step_skipped",
    "step_failed",
    "decision_needed",
    "decision_made",
    "validated",
    "run_interrupted",
    "run_resumed",
    "run_abandoned",
    "run_ended",
];

impl Event {
    /// Reads an event that could not be read as one of a kind of ours: a kind of tomorrow may use the name of a field in another
    /// way, and is unknown like any other. Nothing of one that is of our kinds.
    #[must_use]
    pub fn of_tomorrow(text: &str) -> Option<Self> {
        let head: Head = serde_json::from_str(text).ok()?;
        let kind = EventKind::Unknown;
        (!WORDS.contains(&head.word.as_str())).then_some(Self {
            number: head.number,
            run_id: head.run_id,
            at: head.at,
            kind,
        })
    }
}

impl FlatEvent {
    fn kind(self) -> Option<EventKind> {
        let (actor, approved_by) = (self.actor, self.approved_by);
        Some(match self.word.as_str() {
            "run_started" => EventKind::RunStarted {
                kind: self.kind?,
                version_id: self.version_id?,
                plan_digest: self.plan_digest?,
                reason: self.reason?,
                actor: actor?,
                approved_by,
            },
            "step_started" => EventKind::StepStarted { step: self.step?, attempt: self.attempt? },
            "step_note" => EventKind::StepNote { step: self.step?, message: self.message? },
            "step_acts" => EventKind::StepActs { step: self.step?, units: self.units? },
            "step_finding" => EventKind::StepFinding { step: self.step?, message: self.message? },
            "step_retrying" => EventKind::StepRetrying {
                step: self.step?,
                failures: self.failures?,
                wait_ms: self.wait_ms?,
                error: self.error?,
            },
            "step_completed" => EventKind::StepCompleted {
                step: self.step?,
                found_absent: self.found_absent,
                count: self.count,
                outcome: self.outcome?,
            },
            "step_skipped" => {
                EventKind::StepSkipped { step: self.step?, reason: self.reason?, by_decision: self.by_decision }
            }
            "step_failed" => EventKind::StepFailed { step: self.step?, error: self.error? },
            "decision_needed" => EventKind::DecisionNeeded { steps: self.steps },
            "decision_made" => EventKind::DecisionMade {
                step: self.step?,
                decision: self.decision?,
                reason: self.reason,
                actor: actor?,
            },
            "validated" => EventKind::Validated { report: Box::new(self.report?.report(self.at)) },
            "run_interrupted" => EventKind::RunInterrupted { message: self.message?, stopped: self.stopped },
            "run_resumed" => EventKind::RunResumed {
                plan_digest: self.plan_digest?,
                again: self.again,
                reason: self.reason?,
                actor: actor?,
                approved_by,
            },
            "run_abandoned" => EventKind::RunAbandoned { reason: self.reason?, actor: actor?, summary: self.summary? },
            "run_ended" => EventKind::RunEnded { state: self.state?, summary: self.summary?, findings: self.findings },
            _ => EventKind::Unknown,
        })
    }
}

/// A run with its steps and its log, and the summary's fields beside them.
#[derive(Deserialize)]
struct FlatRun {
    id: RunId,
    kind: RunKind,
    version_id: VersionId,
    state: RunState,
    reason: String,
    actor: String,
    plan_digest: PlanDigest,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    duration_ms: Option<u64>,
    #[serde(default)]
    waited_ms: u64,
    #[serde(default)]
    stood_still_ms: u64,
    last_sign_at: Option<Timestamp>,
    summary: Option<String>,
    last_event: u64,
    steps: Vec<StepView>,
    validation: Option<Verdict>,
    #[serde(default)]
    findings: Vec<String>,
    log: Vec<LogLine>,
    last_event_at: Option<Timestamp>,
}

/// Reads a run.
pub(crate) fn run<'de, D: Deserializer<'de>>(from: D) -> Result<RunView, D::Error> {
    let flat = FlatRun::deserialize(from)?;
    let validation = flat.validation.map(|verdict| verdict.report(flat.started_at));
    let run = RunSummary {
        id: flat.id,
        kind: flat.kind,
        version_id: flat.version_id,
        state: flat.state,
        reason: flat.reason,
        actor: flat.actor,
        plan_digest: flat.plan_digest,
        started_at: flat.started_at,
        ended_at: flat.ended_at,
        duration_ms: flat.duration_ms,
        waited_ms: flat.waited_ms,
        stood_still_ms: flat.stood_still_ms,
        last_sign_at: flat.last_sign_at,
        summary: flat.summary,
        last_event: flat.last_event,
    };
    Ok(RunView {
        run,
        steps: flat.steps,
        validation,
        findings: flat.findings,
        log: flat.log,
        last_event_at: flat.last_event_at,
        pauses: Vec::new(),
        undecided: Vec::new(),
    })
}

/// All that the browser itself shows of a validation; its checks stand in the page as the server writes them.
#[derive(Deserialize)]
struct Verdict {
    verdict: ValidationVerdict,
}

impl Verdict {
    /// A report of no checks, with this verdict.
    fn report(self, at: Timestamp) -> ValidationReport {
        ValidationReport {
            scope: ValidationScope::Production,
            checks: Vec::new(),
            search: None,
            command: None,
            started_at: at,
            took_ms: 0,
            verdict: self.verdict,
        }
    }
}

#[cfg(test)]
mod tests;
