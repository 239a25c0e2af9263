//! What a run's report says, what people may add to it, and what that does to the run: nothing.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use proptest::prelude::*;
use rollback::fake::Moment;
use rollback::store::Fault;
use rollback::{Actor, ServiceError};
use rollback_types::{
    AfterItem, AfterState, Decision, EventKind, Note, NoteRequest, Role, RunId, RunKind, RunReport, RunState, Step,
    StepState, StoreKind,
};
use support::{Bench, bench, contaminated, events_after, of, tester};

fn notes(notes: &[Note]) -> NoteRequest {
    NoteRequest { notes: notes.to_vec(), seen: None }
}

fn cause(text: &str) -> Note {
    Note::RootCause { text: text.into() }
}

fn ticked(item: AfterItem, done: bool) -> Note {
    Note::Ticked { item, done }
}

fn ada() -> Actor {
    Actor::new("ada", Role::Operator)
}

fn state(report: &RunReport, item: AfterItem) -> AfterState {
    report.checklist.iter().find(|c| c.item == item).unwrap().state
}

fn counts(report: &RunReport, store: StoreKind) -> Vec<(String, Option<u64>, Option<u64>)> {
    let balance = report.stores.iter().find(|s| s.store == store).unwrap();
    balance.counts.iter().map(|c| (c.what.clone(), c.before, c.after)).collect()
}

async fn ended(b: &Bench) -> RunId {
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::Completed);
    id
}

#[tokio::test]
async fn a_clean_rollback_proves_all_but_the_texts() {
    let b = bench();
    let plan = b.plan().await;
    let id = ended(&b).await;
    let report = b.service.report(id).await.unwrap();
    assert_eq!(
        (report.run.id, report.run.reason.as_str(), report.run.actor.as_str()),
        (id, "Check 4 failed", "tester")
    );
    for item in
        [AfterItem::StagingRemoved, AfterItem::ProductionIntact, AfterItem::ValidationPassed, AfterItem::StatusUpdated]
    {
        assert_eq!(state(&report, item), AfterState::Proven, "{item:?}: {:?}", report.checklist);
    }
    assert_eq!(state(&report, AfterItem::RootCause), AfterState::Open);
    for store in StoreKind::ALL {
        let (planned, counts) = (plan.stores.get(store), counts(&report, store));
        let staged = counts.iter().filter(|(what, ..)| what.starts_with("staged"));
        let staged: Vec<_> = staged.map(|(_, before, after)| (*before, *after)).collect();
        assert_eq!(staged[0], (Some(planned.staging.units()), Some(0)), "{counts:?}");
        let production: Vec<_> = counts.iter().filter(|(what, ..)| what.starts_with("production")).collect();
        assert!(!production.is_empty());
        assert!(production.iter().all(|(_, before, after)| before.is_some() && before == after), "{counts:?}");
    }
    assert_eq!(report.steps.len(), RunKind::Rollback.steps().len());
    let deleted = report.steps.iter().find(|s| s.step == Step::DeleteNodes).unwrap();
    assert_eq!((deleted.state, deleted.attempts, deleted.documented_ms), (StepState::Done, 1, 300_000));
    assert!(deleted.took_ms.is_some());
    let skipped = report.steps.iter().find(|s| s.step == Step::RestoreNeo4j).unwrap();
    assert_eq!((skipped.state, skipped.took_ms), (StepState::Skipped, None), "what did no work took no time");
    assert_eq!(report.before, plan.checklist);
    assert!(report.validation.is_some() && report.way_back.is_none() && report.gaps.is_empty());
}

#[tokio::test]
async fn a_restore_tells_its_counts_and_its_way_back() {
    let b = contaminated();
    let id = b.start().await;
    b.settle(id).await;
    let report = b.service.report(id).await.unwrap();
    let production = |store, what: &str| {
        counts(&report, store).into_iter().find(|(name, ..)| name == what).map(|(_, before, after)| (before, after))
    };
    // One foreign point and one foreign node; the foreign chapter took a real one's place.
    let points = production(StoreKind::Qdrant, "production points").unwrap();
    assert_eq!(points.0, points.1.map(|n| n + 1), "{points:?}");
    let nodes = production(StoreKind::Neo4j, "production nodes").unwrap();
    assert_eq!(nodes.0, nodes.1.map(|n| n + 1), "{nodes:?}");
    let chapters = production(StoreKind::Sqlite, "production chapters").unwrap();
    assert!(chapters.0.is_some() && chapters.0 == chapters.1, "{chapters:?}");
    let sqlite = report.stores.iter().find(|s| s.store == StoreKind::Sqlite).unwrap();
    assert!(sqlite.evidence.contains("content"), "what the counts do not show, the evidence does: {sqlite:?}");
    assert_eq!(report.way_back.as_ref().map(|w| w.stores.clone()), Some(StoreKind::ALL.to_vec()));
    assert_eq!(state(&report, AfterItem::ProductionIntact), AfterState::Proven);
    assert!(report.stores.iter().all(|s| s.restore_planned && s.proof.contains("counted again after the restore (")));
    assert!(sqlite.proof.contains("12 chapters, the copy's digest"), "what was counted after it: {}", sqlite.proof);
    assert!(report.stores.iter().all(|s| s.evidence.starts_with("Before it, the plan saw: ")), "{:?}", report.stores);
}

#[tokio::test]
async fn a_lane_that_had_begun_before_it_was_skipped_is_not_told_as_left_alone() {
    let b = bench();
    // The first batch goes, the second does not.
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), 1, Fault::Refused, Moment::After);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    let why = Some("done by hand".to_owned());
    b.service.decide(id, Step::DeleteNodes, Decision::Skip, why, &tester()).await.unwrap();
    b.settle(id).await;
    let report = b.service.report(id).await.unwrap();
    let proof = &report.stores.iter().find(|s| s.store == StoreKind::Neo4j).unwrap().proof;
    assert!(proof.contains("had begun to remove and was then skipped by decision"), "{proof}");
    let proof = &report.stores.iter().find(|s| s.store == StoreKind::Qdrant).unwrap().proof;
    assert!(!proof.contains("had begun"), "{proof}");
}

#[tokio::test]
async fn an_aborted_run_proves_only_what_it_did() {
    let b = bench();
    b.deployment.faults.arm("drop_staging", Some(Step::DropChapters), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    b.settle(id).await;
    let so_far = b.service.report(id).await.unwrap();
    assert!(!so_far.is_over());
    assert_eq!(state(&so_far, AfterItem::StatusUpdated), AfterState::Open);
    let early = b.service.annotate(id, &notes(&[cause("too early")]), &ada()).await;
    assert!(matches!(early, Err(ServiceError::Conflict(_))), "{early:?}");

    let why = Some("not tonight".to_owned());
    b.service.decide(id, Step::DropChapters, Decision::Abort, why.clone(), &tester()).await.unwrap();
    b.settle(id).await;
    let report = b.service.report(id).await.unwrap();
    assert_eq!((report.decisions[0].decision, &report.decisions[0].reason), (Decision::Abort, &why));
    assert_eq!(state(&report, AfterItem::StagingRemoved), AfterState::Open);
    assert_eq!(state(&report, AfterItem::ValidationPassed), AfterState::Open);
    assert_eq!(state(&report, AfterItem::StatusUpdated), AfterState::Disproven);
    let rows = counts(&report, StoreKind::Sqlite).into_iter().find(|(w, ..)| w.starts_with("staged")).unwrap();
    assert!(rows.1.is_some() && rows.2.is_none(), "what a failed step left is not known: {rows:?}");
    let points = counts(&report, StoreKind::Qdrant);
    assert!(points.iter().all(|(_, _, after)| after.is_some()), "its sibling proved both: {points:?}");

    // A person may say what the evidence does not tell, and not what it disproves.
    let said = b.service.annotate(id, &notes(&[ticked(AfterItem::StagingRemoved, true)]), &ada()).await.unwrap();
    let check = said.checklist.iter().find(|c| c.item == AfterItem::StagingRemoved).unwrap();
    assert_eq!((check.state, check.by.as_deref()), (AfterState::Ticked, Some("ada")));
    for item in [AfterItem::StatusUpdated, AfterItem::RootCause] {
        let refused = b.service.annotate(id, &notes(&[ticked(item, true)]), &ada()).await;
        assert!(matches!(refused, Err(ServiceError::Invalid(_))), "{item:?}: {refused:?}");
    }
    let back = b.service.annotate(id, &notes(&[ticked(AfterItem::StagingRemoved, false)]), &ada()).await.unwrap();
    assert_eq!(state(&back, AfterItem::StagingRemoved), AfterState::Open);
}

#[tokio::test]
async fn notes_leave_the_run_as_it_ended_and_are_part_of_its_stream() {
    let b = bench();
    let id = ended(&b).await;
    let before = b.service.run(id).await.unwrap();
    let whole = events_after(&b.service, id, 0).await;
    let first = b.service.annotate(id, &notes(&[cause("a full disk"), ticked_none()]), &ada()).await.unwrap();
    assert_eq!(
        first.root_cause.as_ref().map(|w| (w.now.text.as_str(), w.now.by.as_str())),
        Some(("a full disk", "ada"))
    );
    assert_eq!(state(&first, AfterItem::RootCause), AfterState::Proven);
    let second = Actor::new("bob", Role::Operator);
    let second = b.service.annotate(id, &notes(&[cause("a full disk, and no alarm")]), &second).await.unwrap();
    let wording = second.root_cause.unwrap();
    assert_eq!((wording.now.by.as_str(), wording.earlier.len()), ("bob", 1));
    assert_eq!((wording.earlier[0].text.as_str(), wording.earlier[0].by.as_str()), ("a full disk", "ada"));

    let after = b.service.run(id).await.unwrap();
    assert_eq!(after.run.last_event, before.run.last_event + 2);
    assert_eq!(
        (after.run.state, after.run.ended_at, after.run.duration_ms, &after.steps),
        (before.run.state, before.run.ended_at, before.run.duration_ms, &before.steps)
    );
    // Whatever number a reader comes with, the stream ends with the last note there is.
    let all = events_after(&b.service, id, 0).await;
    assert_eq!(all.len(), whole.len() + 2);
    assert!(matches!(all.last().unwrap().kind, EventKind::RunAnnotated { .. }));
    for known in 0..=all.len() {
        assert_eq!(events_after(&b.service, id, known as u64).await, all[known..], "after {known}");
    }
    // Nothing of it stands in the way of another run.
    b.carry_out(of(RunKind::Validate, "production")).await;
}

/// A tick of what is open and stays open: says nothing new.
fn ticked_none() -> Note {
    ticked(AfterItem::StagingRemoved, false)
}

#[tokio::test]
async fn what_says_nothing_new_writes_nothing() {
    let b = bench();
    let id = ended(&b).await;
    b.service.annotate(id, &notes(&[cause("a full disk")]), &ada()).await.unwrap();
    let last = b.service.run(id).await.unwrap().run.last_event;
    // A form gives everything back: texts with other line ends, empty fields, the same remark by a second click.
    let again = [cause(" a full disk\r\n"), Note::Lessons { text: "  ".into() }, ticked_none()];
    b.service.annotate(id, &notes(&again), &ada()).await.unwrap();
    assert_eq!(b.service.run(id).await.unwrap().run.last_event, last);

    // Bob looked before Ada wrote anew, and changed only the lessons: what he gives back of hers is not his word.
    b.service.annotate(id, &notes(&[cause("a full disk, and no alarm")]), &ada()).await.unwrap();
    let form = NoteRequest {
        notes: vec![cause("a full disk"), Note::Lessons { text: "alarm at 80 %".into() }],
        seen: Some(last),
    };
    let report = b.service.annotate(id, &form, &Actor::new("bob", Role::Operator)).await.unwrap();
    assert_eq!(report.root_cause.unwrap().now.text, "a full disk, and no alarm");
    assert_eq!(report.lessons.unwrap().now.by, "bob");
}

#[tokio::test]
async fn who_may_not_and_what_may_not_be_written_is_refused() {
    let b = bench();
    let id = ended(&b).await;
    let last = b.service.run(id).await.unwrap().run.last_event;
    let viewer = Actor::new("eve", Role::Viewer);
    let refused = b.service.annotate(id, &notes(&[cause("a full disk")]), &viewer).await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { least: Role::Operator, .. })), "{refused:?}");
    let nowhere = b.service.annotate(RunId(99), &notes(&[cause("a full disk")]), &ada()).await;
    assert!(matches!(nowhere, Err(ServiceError::NotFound(_))), "{nowhere:?}");
    b.service.annotate(id, &notes(&[Note::Lessons { text: "ä".repeat(3_000) }]), &ada()).await.unwrap();
    for bad in [
        vec![],
        vec![cause("no")],
        vec![cause(&"x".repeat(3_001))],
        vec![cause("bell\u{7}")],
        vec![Note::Lessons { text: String::new() }],
        vec![Note::Remark { text: "x".repeat(1_001) }],
        vec![ticked(AfterItem::ValidationPassed, true)],
        vec![cause("one is right"), Note::Remark { text: "a".into() }],
        vec![Note::Remark { text: "many".into() }; 21],
    ] {
        let refused = b.service.annotate(id, &notes(&bad), &ada()).await;
        assert!(
            matches!(refused, Err(ServiceError::Invalid(_) | ServiceError::InvalidField { .. })),
            "{bad:?}: {refused:?}"
        );
    }
    assert_eq!(b.service.run(id).await.unwrap().run.last_event, last + 1, "of a refused request nothing is kept");
    b.deployment.journal.fill_up_after(Some(0));
    let full = b.service.annotate(id, &notes(&[cause("a full disk")]), &ada()).await;
    assert!(matches!(full, Err(ServiceError::Journal(_))), "{full:?}");
    b.deployment.journal.fill_up_after(None);
    assert_eq!(b.service.report(id).await.unwrap().root_cause, None);
}

#[tokio::test]
async fn many_writers_at_a_time_lose_nothing() {
    let b = bench();
    let id = ended(&b).await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..20 {
        let service = b.service.clone();
        let note = Note::Remark { text: format!("remark {n}") };
        writers.spawn(async move { service.annotate(id, &notes(&[note]), &ada()).await.map(|_| ()) });
    }
    while let Some(written) = writers.join_next().await {
        written.unwrap().unwrap();
    }
    let report = b.service.report(id).await.unwrap();
    let mut remarks: Vec<_> = report.remarks.into_iter().map(|r| r.text).collect();
    remarks.sort();
    let mut expected: Vec<_> = (0..20).map(|n| format!("remark {n}")).collect();
    expected.sort();
    assert_eq!(remarks, expected);
}

#[tokio::test]
async fn an_interruption_and_its_end_are_told() {
    let b = bench();
    b.deployment.journal.fill_up_after(Some(8));
    let id = b.start().await;
    b.settle(id).await;
    b.deployment.journal.fill_up_after(None);
    let service = std::sync::Arc::new(b.deployment.service());
    service.recover().await.unwrap();
    let early = service.annotate(id, &notes(&[cause("too early")]), &ada()).await;
    assert!(matches!(early, Err(ServiceError::Conflict(_))), "an interrupted run may go on: {early:?}");
    service.abandon(id, "by hand instead", &ada()).await.unwrap();
    service.annotate(id, &notes(&[cause("a power cut")]), &ada()).await.unwrap();
    let report = service.report(id).await.unwrap();
    let end = report.interruptions[0].ended.as_ref().unwrap();
    assert_eq!((end.resumed, end.reason.as_str(), end.by.as_str()), (false, "by hand instead", "ada"));
    assert_eq!((report.run.state, report.root_cause.is_some()), (RunState::Aborted, true));
    let stream = events_after(&service, id, 0).await;
    assert!(matches!(stream.last().unwrap().kind, EventKind::RunAnnotated { .. }));
}

#[tokio::test]
async fn two_runs_are_compared_step_by_step() {
    let b = contaminated();
    let first = b.start().await;
    b.settle(first).await;
    let second = b.carry_out(of(RunKind::Validate, "production")).await.run.id;
    let compared = b.service.compare(first, second).await.unwrap();
    assert_eq!((compared.a.run.id, compared.b.run.id), (first, second));
    assert_eq!((compared.a.restored.len(), compared.b.restored.len()), (3, 0));
    let step = |step| compared.steps.iter().find(|s| s.step == step).unwrap();
    assert!(step(Step::Mark).a.is_some() && step(Step::Mark).b.is_none() && step(Step::Mark).longer_ms.is_none());
    let both = step(Step::Validate);
    let took = |s: &Option<rollback_types::ComparedStep>| i64::try_from(s.as_ref().unwrap().took_ms.unwrap()).unwrap();
    assert_eq!(both.longer_ms, Some(took(&both.b) - took(&both.a)));
    assert_eq!(compared.steps.len(), RunKind::Rollback.steps().len(), "the validation is in both, and once here");
    assert!(compared.counts.iter().all(|c| c.a.is_some() && c.b.is_none()));
    let same = b.service.compare(first, first).await.unwrap();
    assert!(same.steps.iter().all(|s| s.a == s.b && s.longer_ms.is_none_or(|ms| ms == 0)));
    b.service.annotate(first, &notes(&[cause("a full disk")]), &ada()).await.unwrap();
    let told = b.service.compare(first, second).await.unwrap();
    assert_eq!((told.a.root_cause.as_deref(), told.b.root_cause), (Some("a full disk"), None));
    assert!(matches!(b.service.compare(first, RunId(99)).await, Err(ServiceError::NotFound(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever is written in whatever order, accepted or refused: the run stays as it ended, its numbers have no gap, and
    /// the report holds the last accepted text.
    #[test]
    fn any_notes_keep_the_story_whole(texts in proptest::collection::vec(".{0,12}", 1..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let b = bench();
            let id = ended(&b).await;
            let before = b.service.run(id).await.unwrap().run;
            let mut holds: Option<String> = None;
            for text in &texts {
                match b.service.annotate(id, &notes(&[cause(text)]), &ada()).await {
                    Ok(report) => {
                        if !text.trim().is_empty() { holds = Some(text.trim().to_owned()); }
                        assert_eq!(report.root_cause.map(|w| w.now.text), holds);
                    }
                    Err(ServiceError::Invalid(_) | ServiceError::InvalidField { .. }) => {}
                    Err(other) => panic!("{text:?}: {other}"),
                }
            }
            let events = b.deployment.journal.all_events(id);
            assert!(events.iter().zip(1..).all(|(e, n)| e.number == n));
            let after = b.service.run(id).await.unwrap().run;
            assert_eq!((after.state, after.ended_at, after.summary), (before.state, before.ended_at, before.summary));
        });
    }
}
