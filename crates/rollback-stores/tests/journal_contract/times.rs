//! How the time of a run and of its steps is counted: the journal's row says what the view of all its events says.

use rollback::journal::Journal;
use rollback_types::{
    Decision, Event, EventKind, PlanDigest, RunId, RunState, RunSummary, RunView, Step, StepDuration, StepError,
};

use crate::suite::{at, new_run};

/// A run whose step 4 fails twice: it waits, is killed while it waits, stopped in order while it waits, and completes.
fn story() -> Vec<(i64, RunState, EventKind)> {
    use RunState::{Completed, Interrupted, NeedsDecision, Running};
    let step = Step::DeletePoints;
    let error = |message: &str| StepError {
        code: "unreachable".into(),
        store: step.lane(),
        message: message.into(),
        safe: "s".into(),
        remedy: "r".into(),
    };
    let started = |attempt| EventKind::StepStarted { step, attempt };
    let failed = || EventKind::StepFailed { step, error: error("Qdrant does not answer") };
    let asked = || EventKind::DecisionNeeded { steps: vec![step] };
    let retry = || EventKind::DecisionMade { step, decision: Decision::Retry, reason: None, actor: "ada".into() };
    let interrupted = |stopped| EventKind::RunInterrupted { message: "cut off".into(), stopped };
    let resumed = || EventKind::RunResumed {
        plan_digest: PlanDigest("d".into()),
        again: vec![],
        reason: "it is back".into(),
        actor: "ada".into(),
        approved_by: vec![],
    };
    let done = EventKind::StepCompleted { step, found_absent: false, count: Some(3), outcome: "gone".into() };
    let ended = EventKind::RunEnded { state: Completed, summary: "done".into(), findings: vec![] };
    vec![
        (10, Running, started(1)),
        (110, Running, failed()),
        (110, NeedsDecision, asked()),
        // A minute of waiting.
        (60_110, Running, retry()),
        (60_110, Running, started(2)),
        (60_310, Running, failed()),
        (60_310, NeedsDecision, asked()),
        // Killed; found ten minutes later, resumed after ten more.
        (660_310, Interrupted, interrupted(false)),
        (1_260_310, Running, resumed()),
        (1_260_310, Running, started(3)),
        (1_260_610, Running, failed()),
        (1_260_610, NeedsDecision, asked()),
        // Stopped in order, half a minute after it had asked.
        (1_290_610, Interrupted, interrupted(true)),
        (1_300_610, Running, resumed()),
        (1_300_610, Running, started(4)),
        // Killed in the middle of it: 50 ms of work are known.
        (1_300_660, Running, EventKind::StepActs { step, units: 3 }),
        (1_400_000, Interrupted, interrupted(false)),
        (1_500_000, Running, resumed()),
        (1_500_000, Running, started(5)),
        (1_500_400, Running, done),
        (1_500_400, Completed, ended),
    ]
}

/// Tells the story to a journal, which after every event must say of the run what its view says.
pub async fn the_row_tells_what_the_view_tells(journal: &dyn Journal) -> (RunSummary, Vec<StepDuration>) {
    let opened = journal.open_run(&new_run("waits")).await.unwrap();
    let mut view = RunView::new(opened.clone());
    for ((ms, state, kind), number) in story().into_iter().zip(1..) {
        let event = Event { number, run_id: opened.id, at: at(ms), kind };
        journal.append(&event, state).await.unwrap();
        view.apply(&event);
        let row = journal.run(opened.id).await.unwrap().unwrap().summary;
        assert_eq!(row, view.run, "after event {number}, {:?}", event.kind);
    }
    let waited = 60_000 + 30_000;
    let worked = 100 + 200 + 300 + 50 + 400;
    // Ten milliseconds passed before the first step.
    assert_eq!((view.run.waited_ms, view.run.duration_ms), (waited, Some(10 + worked)));
    let learned = journal.step_durations().await.unwrap();
    assert_eq!(learned.iter().map(|d| (d.step, d.median_ms)).collect::<Vec<_>>(), [(Step::DeletePoints, worked)]);
    assert_eq!(
        view.step(Step::DeletePoints).unwrap().duration_ms(),
        Some(worked),
        "the same as the medians are made of"
    );
    let took = journal.completed_runs(view.run.kind, 9).await.unwrap();
    assert_eq!(took.iter().map(|run| run.took_ms).collect::<Vec<_>>(), [10 + worked]);
    (view.run, learned)
}

/// What is learned of the story where a journal's schema is brought up after its first events; `as_before` makes of it what
/// an earlier Stepback wrote, which kept a step's first start until the step was done.
pub async fn learned_after_an_upgrade<J: Journal>(
    first: usize,
    journal: J,
    as_before: impl AsyncFnOnce(J, i64) -> J,
) -> Vec<StepDuration> {
    let run = journal.open_run(&new_run("waits")).await.unwrap().id;
    let story: Vec<_> = story().into_iter().zip(1..).collect();
    let (before, after) = story.split_at(first);
    let append = async |journal: &J, ((ms, state, kind), number): &((i64, RunState, EventKind), u64)| {
        let event = Event { number: *number, run_id: run, at: at(*ms), kind: kind.clone() };
        journal.append(&event, *state).await.unwrap();
    };
    for event in before {
        append(&journal, event).await;
    }
    // Whoever resumed a run began a step's row anew.
    let since = before.iter().rposition(|((_, _, kind), _)| matches!(kind, EventKind::RunResumed { .. })).unwrap_or(0);
    let start = before[since..].iter().find(|((_, _, kind), _)| matches!(kind, EventKind::StepStarted { .. }));
    let journal = match start {
        Some(((ms, ..), _)) => as_before(journal, at(*ms).unix_ms()).await,
        None => journal,
    };
    for event in after {
        append(&journal, event).await;
    }
    journal.step_durations().await.unwrap()
}

/// How many events the story has.
pub fn length() -> usize {
    story().len()
}

/// A process that ended right after it had opened its run.
pub async fn a_run_that_only_was_opened_stood_still_from_then_on(journal: &dyn Journal) -> RunId {
    let opened = journal.open_run(&new_run("opened")).await.unwrap();
    let mut view = RunView::new(opened.clone());
    let kind = EventKind::RunInterrupted { message: "cut off".into(), stopped: false };
    let event = Event { number: 1, run_id: opened.id, at: at(3_600_000), kind };
    journal.append(&event, RunState::Interrupted).await.unwrap();
    view.apply(&event);
    let row = journal.run(opened.id).await.unwrap().unwrap().summary;
    assert_eq!((row.duration_ms, row.last_sign_at), (Some(0), Some(at(0))));
    assert_eq!(row, view.run);
    opened.id
}
