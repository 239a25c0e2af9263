//! A run's stream: taken up at every number it is the same sequence.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::fake::{FAILED, JournalRead, Moment};
use rollback::store::Fault;
use rollback_types::{Decision, RunState, Step};
use support::{bench, events_after, request, tester};

#[tokio::test]
async fn taken_up_at_every_number_it_is_the_same() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), 1, Fault::Busy, Moment::Before);
    let id = b.start().await;
    let whole = events_after(&b.service, id, 0).await;
    assert!(whole.len() > 20);
    assert!(whole.iter().zip(1..).all(|(e, n)| e.number == n), "numbered from 1 without gaps");
    assert!(whole.last().unwrap().kind.is_terminal());
    for after in 0..=whole.len() {
        let rest = events_after(&b.service, id, after as u64).await;
        assert_eq!(rest, whole[after..], "after {after}");
    }
    assert!(events_after(&b.service, id, 1_000).await.is_empty(), "a number of the future ends at once");
}

#[tokio::test]
async fn a_hundred_readers_of_a_live_run_see_one_sequence() {
    let b = bench();
    b.deployment.faults.arm("drop_staging", Some(Step::DropChapters), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    let asked = b.settle(id).await;
    assert_eq!(asked.run.state, RunState::NeedsDecision);
    let mut readers = tokio::task::JoinSet::new();
    for i in 0..100u64 {
        let service = b.service.clone();
        let after = i % (asked.run.last_event + 1);
        readers.spawn(async move { (after, events_after(&service, id, after).await) });
    }
    b.deployment.faults.clear();
    b.service.decide(id, Step::DropChapters, Decision::Retry, None, &tester()).await.unwrap();
    let end = b.settle(id).await;
    assert_eq!(end.run.state, RunState::Completed);
    let whole = b.deployment.journal.all_events(id);
    while let Some(read) = readers.join_next().await {
        let (after, events) = read.unwrap();
        assert_eq!(events, whole[usize::try_from(after).unwrap()..]);
    }
}

#[tokio::test]
async fn the_view_made_of_the_stream_is_the_servers_view() {
    let b = bench();
    let id = b.start().await;
    let mut view = b.service.run(id).await.unwrap();
    for event in events_after(&b.service, id, 0).await {
        view.apply(&event);
    }
    let mut served = b.service.run(id).await.unwrap();
    // Progress is the stream's alone while it happens; at the end both agree.
    for (mine, theirs) in view.steps.iter().zip(&mut served.steps) {
        assert_eq!((mine.done, mine.total), (theirs.done, theirs.total));
    }
    assert_eq!(view.steps, served.steps);
    assert_eq!(view.log, served.log);
    assert_eq!(view.run.state, served.run.state);
}

/// Between what a reader read of the journal and the answer the run's last event is written, and its engine goes.
#[tokio::test]
async fn a_run_that_ends_while_it_is_looked_at_is_never_shown_as_interrupted() {
    for read in [JournalRead::NoMoreEvents, JournalRead::Run, JournalRead::Active] {
        let b = bench();
        b.deployment.faults.arm("drop_staging", Some(Step::DropChapters), u32::MAX, Fault::Refused, Moment::Before);
        let id = b.start().await;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
        let (reached, go) = b.deployment.journal.hold(read);
        let service = b.service.clone();
        let looking = tokio::spawn(async move {
            match read {
                JournalRead::NoMoreEvents => service.run(id).await.map(|view| view.run.state),
                JournalRead::Run => service.run_summary(id).await.map(|run| run.state),
                // What is asked for is whether that fails.
                JournalRead::Active => service.plan(&request(FAILED)).await.map(|_| RunState::Completed),
            }
        });
        reached.notified().await;
        b.deployment.faults.clear();
        b.service.decide(id, Step::DropChapters, Decision::Retry, None, &tester()).await.unwrap();
        assert!(events_after(&b.service, id, 0).await.last().unwrap().kind.is_terminal());
        // Returns when its engine is gone.
        b.service.stop(std::time::Duration::from_secs(60)).await;
        go.notify_one();
        let told = looking.await.unwrap().unwrap();
        assert!(matches!(told, RunState::NeedsDecision | RunState::Completed), "{read:?}: {told:?}");
        assert_eq!(b.service.run(id).await.unwrap().run.state, RunState::Completed, "{read:?}");
    }
}
