//! A run's stream: taken up at every number it is the same sequence.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::fake::Moment;
use rollback::store::Fault;
use rollback_types::{Decision, RunState, Step};
use support::{bench, events_after, tester};

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
