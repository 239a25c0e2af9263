//! What the journal tells of a run: where it stands, and what its steps have said. A run that goes on after an
//! interruption begins with it.

use std::collections::{BTreeMap, BTreeSet};

use rollback_types::{Decision, EventKind, RollbackPlan, RunId, Step};

use crate::error::ServiceError;
use crate::journal::{Journal, JournalError, RunRecord};
use crate::procedure::Procedure;

/// Events read from the journal at once.
const PAGE: u32 = 500;

/// Before the reason, in the event of a step that a person skipped.
pub(crate) const BY_DECISION: &str = "by decision: ";

/// Of a run that is given up, where it had begun to restore.
pub(crate) const RESTORE_BEGUN: &str = " A restore had begun: compare each store, and see this run's ways back.";

/// How what is said of a skipped step begins.
pub(crate) const SKIPPED: &str = "skipped";

/// A run as its events tell it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub record: RunRecord,
    pub procedure: Procedure,
    /// The number of the last event.
    pub last: u64,
    /// Units that steps were about to change when they last acted.
    pub attempted: BTreeMap<Step, u64>,
    /// What each step has really done.
    pub done: BTreeMap<Step, String>,
    /// What is worth telling at the end.
    pub findings: Vec<String>,
    /// Steps that a person skipped.
    pub skipped: Vec<Step>,
    /// Why steps are to be skipped that are not recorded as skipped yet.
    pub skip_reasons: BTreeMap<Step, String>,
    /// Lanes whose way back is to be put in again.
    pub way_back_wanted: BTreeSet<Step>,
}

impl Story {
    /// Reads a run from its beginning.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], the journal's, or events in an order that no run can have.
    pub(crate) async fn read(journal: &dyn Journal, id: RunId) -> Result<Self, ServiceError> {
        let record = journal.run(id).await?.ok_or_else(|| ServiceError::NotFound(format!("There is no run #{id}.")))?;
        let mut story = Self {
            procedure: Procedure::new(record.summary.kind),
            record,
            last: 0,
            attempted: BTreeMap::new(),
            done: BTreeMap::new(),
            findings: Vec::new(),
            skipped: Vec::new(),
            skip_reasons: BTreeMap::new(),
            way_back_wanted: BTreeSet::new(),
        };
        loop {
            let events = journal.events(id, story.last, PAGE).await?;
            if events.is_empty() {
                return Ok(story);
            }
            for event in events {
                story.procedure.apply(&event.kind).map_err(|e| JournalError::Unusable {
                    path: format!("run #{id}, event {}", event.number),
                    detail: format!("{e}; `stepback journal check` looks at all of it"),
                })?;
                story.last = event.number;
                story.take_in(event.kind);
            }
        }
    }

    fn take_in(&mut self, event: EventKind) {
        match event {
            EventKind::StepActs { step, units } => {
                self.attempted.insert(step, units);
            }
            EventKind::StepFinding { message, .. } if !self.findings.contains(&message) => self.findings.push(message),
            EventKind::StepCompleted { step, outcome, .. } => {
                self.done.insert(step, outcome);
            }
            EventKind::DecisionMade { step, decision, reason, .. } => {
                self.way_back_wanted.remove(&step);
                match decision {
                    Decision::Skip => drop(self.skip_reasons.insert(step, reason.unwrap_or_default())),
                    Decision::WayBack => drop(self.way_back_wanted.insert(step)),
                    Decision::Retry | Decision::Abort => {}
                }
            }
            EventKind::StepSkipped { step, reason, .. } => {
                self.skip_reasons.remove(&step);
                if reason.starts_with(BY_DECISION) {
                    self.skipped.push(step);
                }
                self.done.insert(step, skipped(&reason));
            }
            _ => {}
        }
    }

    /// The plan that was confirmed when the run began.
    ///
    /// # Errors
    /// It cannot be read: a newer Stepback wrote it.
    pub(crate) fn plan(&self) -> Result<RollbackPlan, ServiceError> {
        let id = self.record.summary.id;
        serde_json::from_str(&self.record.plan_json).map_err(|e| {
            ServiceError::Conflict(format!(
                "The plan of run #{id} cannot be read any more: {e}. Plan the version again."
            ))
        })
    }
}

/// What the log and the summary say of a skipped step.
pub(crate) fn skipped(reason: &str) -> String {
    let colon = if reason.starts_with(BY_DECISION) { "" } else { ":" };
    format!("{SKIPPED}{colon} {reason}")
}

/// What an interruption means: what is proven, what had failed and how far a decision about it had come, and what is not
/// known. The procedure is as it was before the interruption.
pub(crate) fn interruption(procedure: &Procedure, cause: &str) -> String {
    let list = |steps: Vec<Step>| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // What was not done by decision is through, and proves nothing.
    let given_up = procedure.given_up();
    let done: Vec<Step> = procedure.through().into_iter().filter(|step| !given_up.contains(step)).collect();
    let mut proven =
        if done.is_empty() { "No step was done".to_owned() } else { format!("Proven done: {}", list(done)) };
    if !given_up.is_empty() {
        proven.push_str(&format!("; skipped by decision: {}", list(given_up)));
    }
    let told = |steps: Vec<Step>, say: &dyn Fn(String) -> String| (!steps.is_empty()).then(|| say(list(steps)));
    // A run asks only once no step is at work: one that failed beside others waits for them first.
    let (failed, how) = if procedure.is_aborting() {
        // An abort overrules what was decided about other steps before it.
        let mut failed = [procedure.undecided(), procedure.to_retry(), procedure.to_skip()].concat();
        failed.sort_unstable();
        (failed, "and the run was being aborted")
    } else if procedure.is_asking() {
        (procedure.undecided(), "and the run waited for a decision")
    } else {
        (procedure.undecided(), "and nobody had been asked about it yet")
    };
    let had_failed = told(failed, &|steps| format!("{steps} had failed, {how}"));
    let decided = (!procedure.is_aborting()).then(|| {
        [
            told(procedure.to_retry(), &|steps| format!("{steps} was to be done again")),
            told(procedure.to_skip(), &|steps| format!("{steps} had failed and was to be skipped")),
        ]
    });
    let (anew, counted): (Vec<Step>, Vec<Step>) = procedure.in_hand().into_iter().partition(|s| s.begins_anew());
    let unknown = [
        told(counted, &|s| format!("what {s} did is counted again before anything goes on")),
        told(anew, &|s| format!("{s} is done again")),
    ];
    let open: Vec<String> =
        std::iter::once(had_failed).chain(decided.into_iter().flatten()).chain(unknown).flatten().collect();
    let open = if open.is_empty() { "no step was at work".to_owned() } else { open.join("; ") };
    let ways = if procedure.was_to_be_aborted() { "Abandon it" } else { "Resume it, or abandon it" };
    format!("The run was interrupted: {cause}. {proven}; {open}. {ways}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use rollback_types::{PlanDigest, RunKind, StepError, VersionId};

    use super::*;

    fn failed(step: Step) -> EventKind {
        let error = StepError {
            code: "timeout".into(),
            store: None,
            message: "m".into(),
            safe: "s".into(),
            remedy: "r".into(),
        };
        EventKind::StepFailed { step, error }
    }

    /// What is said where steps 3 and 5 are at work, and then these events come.
    fn said_after(events: &[EventKind]) -> String {
        let mut procedure = Procedure::new(RunKind::Rollback);
        let stages = RunKind::Rollback.stages();
        let before =
            stages.iter().take_while(|stage| !stage.contains(&Step::DeleteNodes)).flat_map(|stage| stage.iter());
        let done =
            |step: Step| EventKind::StepCompleted { step, found_absent: false, count: None, outcome: "o".into() };
        let start = |step: Step| EventKind::StepStarted { step, attempt: 1 };
        let began = EventKind::RunStarted {
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            plan_digest: PlanDigest("d".into()),
            reason: "why".into(),
            actor: "ada".into(),
            approved_by: vec![],
        };
        let story = std::iter::once(began)
            .chain(before.flat_map(|step| [start(*step), done(*step)]))
            .chain([Step::DropChapters, Step::DeleteNodes].map(start))
            .chain(events.iter().cloned());
        for event in story {
            procedure.apply(&event).unwrap();
        }
        interruption(&procedure, "the power failed")
    }

    fn decided(step: Step, decision: Decision) -> EventKind {
        EventKind::DecisionMade { step, decision, reason: Some("by hand".into()), actor: "ada".into() }
    }

    #[test]
    fn what_was_skipped_by_decision_is_not_told_as_done() {
        let (rows, nodes) = (Step::DropChapters, Step::DeleteNodes);
        let skipped =
            EventKind::StepSkipped { step: nodes, reason: format!("{BY_DECISION}by hand"), by_decision: true };
        let said = said_after(&[
            EventKind::StepCompleted { step: rows, found_absent: false, count: None, outcome: "o".into() },
            failed(nodes),
            EventKind::DecisionNeeded { steps: vec![nodes] },
            decided(nodes, Decision::Skip),
            skipped,
        ]);
        assert!(
            said.contains("Proven done: step 1, step 2, step 3; skipped by decision: step 5; no step was at work."),
            "{said}"
        );
    }

    #[test]
    fn a_failed_step_is_told_as_asked_about_only_once_somebody_was_asked() {
        let (rows, nodes) = (Step::DropChapters, Step::DeleteNodes);
        // Step 5 still deletes: the run has asked nobody about step 3.
        let said = said_after(&[failed(rows)]);
        assert!(
            said.contains("step 3 had failed, and nobody had been asked about it yet; what step 5 did is"),
            "{said}"
        );
        assert!(!said.contains("waited for a decision"), "{said}");

        let asked = [failed(rows), failed(nodes), EventKind::DecisionNeeded { steps: vec![rows, nodes] }];
        let said = said_after(&asked);
        assert!(said.contains("step 3, step 5 had failed, and the run waited for a decision. Resume it"), "{said}");

        let said = said_after(&[asked.as_slice(), &[decided(rows, Decision::Retry)]].concat());
        assert!(
            said.contains("step 5 had failed, and the run waited for a decision; step 3 was to be done again"),
            "{said}"
        );

        let aborted = [decided(rows, Decision::Retry), decided(nodes, Decision::Abort)];
        let said = said_after(&[asked.as_slice(), &aborted].concat());
        assert!(said.contains("step 3, step 5 had failed, and the run was being aborted. Abandon it."), "{said}");
        assert!(!said.contains("waited") && !said.contains("done again") && !said.contains("Resume"), "{said}");
    }
}
