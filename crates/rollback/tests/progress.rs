//! What a step at work tells: something at least once a second, one denominator, never back, and no count of what only prepares.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use rollback::fake::{FAILED, Moment};
use rollback::store::Fault;
use rollback_types::{
    Decision, EventKind, PlanRequest, Progress, RunId, RunKind, RunState, Step, StoreKind, StreamItem,
};
use support::{Bench, bench, contaminated, of, request, start_request, tester};
use tokio::time::Instant;

/// How long every call of a store takes, and tells nothing meanwhile.
const SLOW: Duration = Duration::from_secs(7);

/// What a reader of one run has seen of its steps.
#[derive(Default)]
struct Seen {
    /// Since when each step at work was silent.
    at_work: BTreeMap<Step, Instant>,
    /// The last count of each step, in this try.
    counts: BTreeMap<Step, (u64, u64)>,
    /// In which words each step told what it does.
    words: BTreeMap<Step, BTreeSet<String>>,
    /// Every step that was ever at work.
    worked: BTreeSet<Step>,
}

impl Seen {
    /// Reads the run's stream until it asks or ends.
    async fn follow(&mut self, b: &Bench, id: RunId, after: u64) {
        let mut stream = b.service.subscribe(id, after).await.unwrap();
        while let Some(item) = stream.next().await {
            match item {
                StreamItem::Progress(progress) => self.progress(progress),
                StreamItem::Event(event) => match event.kind {
                    EventKind::StepStarted { step, .. } => {
                        self.worked.insert(step);
                        self.at_work.insert(step, Instant::now());
                        self.counts.remove(&step);
                    }
                    EventKind::StepCompleted { step, .. }
                    | EventKind::StepSkipped { step, .. }
                    | EventKind::StepFailed { step, .. } => {
                        self.heard(step);
                        self.at_work.remove(&step);
                    }
                    // Other words are of the journal's pace, not of a beat: they count for nothing here.
                    EventKind::DecisionNeeded { .. } => return,
                    _ => {}
                },
            }
        }
    }

    /// The step was not silent for longer than a second.
    fn heard(&mut self, step: Step) {
        let Some(last) = self.at_work.insert(step, Instant::now()) else { return };
        assert!(last.elapsed() <= Duration::from_secs(1), "{step} was silent for {:?}", last.elapsed());
    }

    fn progress(&mut self, progress: Progress) {
        let Progress { step, done, total, doing } = progress;
        if self.at_work.contains_key(&step) {
            self.heard(step);
        }
        if let Some(words) = doing {
            let words = words.split([':', '·']).next().unwrap_or_default().trim().to_owned();
            self.words.entry(step).or_default().insert(words);
        }
        if total > 0 {
            let (before, of) = self.counts.insert(step, (done, total)).unwrap_or((0, total));
            assert!(done >= before, "{step} went back from {before} to {done}");
            assert_eq!(of, total, "{step} has one denominator");
        }
    }

    fn said(&self, step: Step, words: &str) -> bool {
        self.words.get(&step).is_some_and(|all| all.contains(words))
    }
}

async fn start(b: &Bench, wanted: PlanRequest) -> RunId {
    let plan = b.plan_all(wanted).await;
    assert!(plan.startable, "{:?}", plan.refusals);
    b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id
}

async fn carried_out(b: &Bench, wanted: PlanRequest) -> Seen {
    let mut seen = Seen::default();
    let id = start(b, wanted).await;
    seen.follow(b, id, 0).await;
    let state = b.service.run(id).await.unwrap().run.state;
    assert!(matches!(state, RunState::Completed | RunState::CompletedWithFindings), "{state:?}");
    seen
}

const TRIAL_POINTS: &str = "Trying the backup in a scratch collection";
const TRIAL_GRAPH: &str = "Trying the backup in a scratch graph";
const SAVING: &str = "Saving what is there now";

#[tokio::test(start_paused = true)]
async fn every_step_of_a_rollback_that_restores_is_heard_each_second() {
    let b = contaminated();
    b.deployment.faults.slow(SLOW);
    let seen = carried_out(&b, request(FAILED)).await;
    assert_eq!(seen.worked, RunKind::Rollback.steps().into_iter().collect());
    assert!(seen.said(Step::RestoreQdrant, TRIAL_POINTS) && seen.said(Step::RestoreNeo4j, TRIAL_GRAPH));
    for step in [Step::RestoreSqlite, Step::RestoreQdrant, Step::RestoreNeo4j] {
        assert!(seen.said(step, SAVING), "{step}: {:?}", seen.words.get(&step));
    }
    for step in seen.worked {
        assert!(seen.words.contains_key(&step), "{step} said nothing in seven seconds");
    }
}

/// What comes before the restore is done long before it: the meter must not be full by then.
#[tokio::test(start_paused = true)]
async fn neither_the_way_back_nor_the_trial_moves_the_meter() {
    let b = contaminated();
    b.deployment.faults.slow(SLOW);
    let id = start(&b, request(FAILED)).await;
    let mut stream = b.service.subscribe(id, 0).await.unwrap();
    let mut acted = BTreeSet::new();
    while let Some(item) = stream.next().await {
        match item {
            StreamItem::Event(event) => {
                if let EventKind::StepActs { step, .. } = event.kind {
                    acted.insert(step);
                }
            }
            StreamItem::Progress(p) if p.step.is_restore() && !acted.contains(&p.step) => {
                assert_eq!((p.done, p.total), (0, 0), "{p:?}");
            }
            StreamItem::Progress(_) => {}
        }
    }
    assert_eq!(acted.iter().filter(|step| step.is_restore()).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn copies_restores_undos_and_validations_are_heard_each_second() {
    let b = contaminated();
    b.deployment.faults.slow(SLOW);
    let restored = carried_out(&b, of(RunKind::RestoreProduction, "latest-copy")).await;
    assert!(restored.worked.contains(&Step::VerifyCopy) && restored.worked.contains(&Step::RestoreNeo4j));
    let id = b.service.runs(&rollback_types::RunQuery::default()).await.unwrap().items[0].id;
    let undone = carried_out(&b, of(RunKind::UndoRestore, &format!("run-{id}"))).await;
    assert!(undone.said(Step::RestoreQdrant, TRIAL_POINTS));
    let validated = carried_out(&b, of(RunKind::Validate, "production")).await;
    assert_eq!(validated.worked, [Step::Validate].into());
    // A new copy must hold nothing that is staged.
    carried_out(&b, request(FAILED)).await;
    let copied = carried_out(&b, of(RunKind::MakeBackup, "latest-copy")).await;
    assert_eq!(copied.worked, RunKind::MakeBackup.steps().into_iter().collect());
    assert!(copied.said(Step::CopyNeo4j, "Copying what is there"), "{:?}", copied.words);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_is_put_in_again_is_heard_each_second() {
    let b = contaminated();
    let lane = Step::RestoreQdrant;
    b.deployment.faults.arm("id_fingerprint", Some(Step::RestoreQdrant), u32::MAX, Fault::Refused, Moment::Before);
    b.deployment.faults.arm("restore_export", Some(Step::RestoreNeo4j), 1, Fault::Refused, Moment::After);
    b.deployment.faults.slow(SLOW);
    let mut seen = Seen::default();
    let id = start(&b, request(FAILED)).await;
    seen.follow(&b, id, 0).await;
    b.deployment.faults.clear();
    let asked = b.service.run(id).await.unwrap();
    assert_eq!(asked.run.state, RunState::NeedsDecision);
    let failed: Vec<Step> = asked.steps.iter().filter(|s| !s.decisions.is_empty()).map(|s| s.step).collect();
    assert!(failed.contains(&lane) && failed.contains(&Step::RestoreNeo4j), "{failed:?}");
    for step in failed {
        let decision = if step == Step::RestoreNeo4j { Decision::WayBack } else { Decision::Retry };
        b.service.decide(id, step, decision, None, &tester()).await.unwrap();
    }
    seen.follow(&b, id, asked.run.last_event).await;
    assert!(seen.said(Step::RestoreNeo4j, "Reading what was saved before, to its end"), "{:?}", seen.words);
    assert!(b.service.run(id).await.unwrap().run.ended_at.is_some());
}

/// A quick deployment needs no beats: nothing is told twice that nobody could read.
#[tokio::test(start_paused = true)]
async fn who_is_quick_is_not_talked_over() {
    let b = bench();
    b.deployment.contaminate(StoreKind::Qdrant);
    let seen = carried_out(&b, request(FAILED)).await;
    assert!(seen.words.values().flatten().all(|words| words != "At work"), "{:?}", seen.words);
}
