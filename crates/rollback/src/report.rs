//! Makes a run's report of what the journal has: pure, so that the same events always give the same report.

mod balance;
mod checklist;
mod compare;

use std::collections::BTreeMap;

use rollback_types::{
    DecisionTaken, Event, EventKind, Interruption, InterruptionEnd, Notes, RollbackPlan, RunKind, RunReport, RunView,
    SavedWayBack, Step, StepDuration, StepOutcome, StepState, TimeEstimate, Timestamp,
};

pub(crate) use self::compare::compare;

/// What a report is made of.
pub(crate) struct Sources<'a> {
    /// The run with all its events taken in.
    pub view: RunView,
    /// These events.
    pub events: &'a [Event],
    /// The plan that was confirmed, or why it cannot be read.
    pub plan: Result<RollbackPlan, String>,
    /// Of completed runs here.
    pub medians: &'a [StepDuration],
    /// What it saved, as it is now.
    pub way_back: Option<SavedWayBack>,
    /// Why that could not be looked at.
    pub gaps: Vec<String>,
    /// Now.
    pub made_at: Timestamp,
}

/// What the events tell beside the view.
#[derive(Debug, Default)]
struct Told {
    approved_by: Vec<String>,
    attempts: BTreeMap<Step, u32>,
    /// Whether a person chose that a step be skipped.
    skipped_by_decision: BTreeMap<Step, bool>,
    decisions: Vec<DecisionTaken>,
    interruptions: Vec<Interruption>,
    /// When the event before was.
    last_event_at: Option<Timestamp>,
    notes: Notes,
}

/// The report.
pub(crate) fn report(sources: Sources<'_>) -> RunReport {
    let Sources { view, events, plan, medians, way_back, mut gaps, made_at } = sources;
    let mut told = Told::default();
    events.iter().for_each(|event| told.take_in(event));
    let plan = plan.map_err(|why| gaps.push(why)).ok();
    let checklist = checklist::checklist(&view, &told);
    let stores = plan.as_ref().map(|plan| balance::stores(&view, &told, plan)).unwrap_or_default();
    let steps = view.steps.iter().map(|step| {
        let worked = step.state != StepState::Skipped;
        StepOutcome {
            step: step.step,
            number: step.number,
            title: step.title.clone(),
            state: step.state,
            outcome: step.outcome.clone(),
            error: step.error.clone(),
            attempts: told.attempts.get(&step.step).copied().unwrap_or(0),
            started_at: step.tries.first().map(|t| t.started_at).filter(|_| worked),
            took_ms: step.duration_ms().filter(|_| worked),
            documented_ms: u64::from(step.step.documented_seconds()) * 1_000,
            median_ms: medians.iter().find(|m| m.step == step.step && m.runs > 0).map(|m| m.median_ms),
        }
    });
    let acknowledged = plan.iter().flat_map(|p| &p.acknowledgements).filter(|a| a.given);
    RunReport {
        steps: steps.collect(),
        approved_by: told.approved_by,
        layout: plan.as_ref().and_then(|p| p.layout),
        take_over: plan.as_ref().is_some_and(|p| p.take_over),
        source: plan.as_ref().and_then(|p| p.source.clone()),
        acknowledged: acknowledged.map(|a| a.asked.message.clone()).collect(),
        time: plan.as_ref().and_then(expected),
        stores,
        outcomes: view.store_outcomes(),
        decisions: told.decisions,
        interruptions: told.interruptions,
        findings: view.findings,
        validation: view.validation,
        way_back,
        root_cause: told.notes.root_cause,
        lessons: told.notes.lessons,
        remarks: told.notes.remarks,
        checklist,
        gaps,
        made_at,
        run: view.run,
        version: plan.as_ref().and_then(|p| p.version.clone()),
        triggers: plan.as_ref().map(|p| p.triggers.clone()).unwrap_or_default(),
        before: plan.map(|p| p.checklist).unwrap_or_default(),
    }
}

/// What the document and earlier runs let expect: it speaks of rollbacks and restores, and earlier runs were rollbacks.
fn expected(plan: &RollbackPlan) -> Option<TimeEstimate> {
    match plan.kind {
        RunKind::Rollback => Some(plan.time.clone()),
        RunKind::RestoreProduction | RunKind::UndoRestore => {
            Some(TimeEstimate { median_ms: None, ..plan.time.clone() })
        }
        RunKind::Validate | RunKind::MakeBackup => None,
    }
}

impl Told {
    fn take_in(&mut self, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::RunStarted { approved_by, .. } => self.approved_by.clone_from(approved_by),
            EventKind::StepStarted { step, attempt } => {
                self.attempts.insert(*step, *attempt);
            }
            EventKind::StepSkipped { step, by_decision, .. } => {
                self.skipped_by_decision.insert(*step, *by_decision);
            }
            EventKind::DecisionMade { step, decision, reason, actor } => self.decisions.push(DecisionTaken {
                at,
                step: *step,
                decision: *decision,
                reason: reason.clone(),
                by: actor.clone(),
            }),
            EventKind::RunInterrupted { message, stopped } => {
                let last_sign_at = Some(self.last_event_at.filter(|_| !stopped).unwrap_or(at));
                self.interruptions.push(Interruption { last_sign_at, at, message: message.clone(), ended: None });
            }
            EventKind::RunResumed { reason, actor, approved_by, .. } => self.interruption_ended(InterruptionEnd {
                resumed: true,
                at,
                reason: reason.clone(),
                by: actor.clone(),
                approved_by: approved_by.clone(),
            }),
            EventKind::RunAbandoned { reason, actor, .. } => self.interruption_ended(InterruptionEnd {
                resumed: false,
                at,
                reason: reason.clone(),
                by: actor.clone(),
                approved_by: Vec::new(),
            }),
            EventKind::RunAnnotated { notes, actor } => {
                notes.iter().for_each(|note| self.notes.apply(note, actor, at));
            }
            _ => {}
        }
        self.last_event_at = Some(at);
    }

    fn interruption_ended(&mut self, end: InterruptionEnd) {
        if let Some(last) = self.interruptions.last_mut() {
            last.ended = Some(end);
        }
    }

    /// A person chose that the step be skipped.
    fn was_skipped_by_decision(&self, step: Step) -> bool {
        self.skipped_by_decision.get(&step).copied().unwrap_or(false)
    }
}
