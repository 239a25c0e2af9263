//! A run's log in parts: the same lines, whichever way they are asked for.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use futures::StreamExt as _;
use rollback::ServiceError;
use rollback::fake::Moment;
use rollback::store::Fault;
use rollback_types::{Decision, LogLevel, LogLine, LogQuery, RunId, RunState, Step};
use support::{bench, tester};

fn before(number: u64, limit: u32) -> LogQuery {
    LogQuery { before: Some(number), limit: Some(limit), ..LogQuery::default() }
}

fn after(number: u64, limit: u32) -> LogQuery {
    LogQuery { after: Some(number), limit: Some(limit), ..LogQuery::default() }
}

#[tokio::test]
async fn parts_put_together_are_the_whole_from_either_end() {
    let b = bench();
    let id = b.start().await;
    let view = b.settle(id).await;
    for size in [1, 3, 7, 1_000] {
        let mut from_end: Vec<LogLine> = Vec::new();
        let mut query = LogQuery { limit: Some(size), ..LogQuery::default() };
        loop {
            let mut part = b.service.log(id, &query).await.unwrap();
            assert_eq!(part.later, !from_end.is_empty(), "{size}");
            let first = part.lines.first().unwrap().number;
            part.lines.append(&mut from_end);
            from_end = part.lines;
            if !part.earlier {
                break;
            }
            query = before(first, size);
        }
        assert_eq!(from_end, view.log, "backwards by {size}");

        let mut from_start: Vec<LogLine> = Vec::new();
        loop {
            let last = from_start.last().map_or(0, |line| line.number);
            let part = b.service.log(id, &after(last, size)).await.unwrap();
            assert_eq!(part.earlier, last > 0);
            from_start.extend(part.lines);
            if !part.later {
                break;
            }
        }
        assert_eq!(from_start, view.log, "forwards by {size}");
    }
    // Asked for again, a view is continued where it was read to; it must be the one that is read from the beginning.
    for lines in [0, 2, 400, usize::MAX, 1, 400] {
        let mut whole = view.clone();
        whole.keep_last_lines(lines);
        assert_eq!(b.service.run_with_log(id, lines).await.unwrap(), whole, "{lines} lines");
    }
    let text: Vec<String> = b.service.log_text(id).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(text.concat().lines().count(), view.log.len());
    let short = b.service.run_with_log(id, 2).await.unwrap();
    assert_eq!((short.log.as_slice(), &short.steps), (&view.log[view.log.len() - 2..], &view.steps));
}

#[tokio::test]
async fn a_search_finds_every_line_that_holds_the_text_and_no_other() {
    let b = bench();
    let id = b.start().await;
    let view = b.settle(id).await;
    let search = |text: &str, limit| LogQuery { text: Some(text.into()), limit: Some(limit), ..LogQuery::default() };
    let found = b.service.log(id, &search(" STEP 5 ", 1_000)).await.unwrap();
    let wanted: Vec<&LogLine> = view.log.iter().filter(|line| line.text.to_lowercase().contains("step 5")).collect();
    assert!(wanted.len() > 2, "{view:?}");
    assert_eq!(found.lines.iter().collect::<Vec<_>>(), wanted);
    assert!(!found.earlier);
    let last = b.service.log(id, &search("step 5", 1)).await.unwrap();
    assert!(last.earlier && last.lines == [wanted[wanted.len() - 1].clone()]);
    assert_eq!(b.service.log(id, &search("no such words", 10)).await.unwrap().lines, []);
}

#[tokio::test]
async fn warnings_and_errors_are_found_alone_and_with_a_text() {
    let b = bench();
    let id = b.start().await;
    let view = b.settle(id).await;
    for level in [LogLevel::Info, LogLevel::Warning, LogLevel::Error] {
        for (text, after) in [(None, None), (Some("step"), None), (None, Some(0))] {
            let query = LogQuery { level: Some(level), text: text.map(str::to_owned), after, ..LogQuery::default() };
            let found = b.service.log(id, &query).await.unwrap();
            let fits =
                |line: &&LogLine| line.level >= level && line.text.to_lowercase().contains(text.unwrap_or_default());
            let wanted: Vec<LogLine> = view.log.iter().filter(fits).cloned().collect();
            assert_eq!(found.lines, wanted, "{query:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let b = bench();
    let id = b.start().await;
    b.settle(id).await;
    let both = LogQuery { before: Some(3), after: Some(1), ..LogQuery::default() };
    let long = LogQuery { text: Some("x".repeat(201)), ..LogQuery::default() };
    for query in [both, long, before(3, 0), before(3, 1_001)] {
        assert!(matches!(b.service.log(id, &query).await, Err(ServiceError::InvalidField { .. })), "{query:?}");
    }
    assert!(matches!(b.service.log(RunId(99), &LogQuery::default()).await, Err(ServiceError::NotFound(_))));
    let beyond = b.service.log(id, &before(u64::MAX, 5)).await.unwrap();
    assert!(beyond.lines.len() == 5 && !beyond.later);
    assert_eq!(b.service.log(id, &before(1, 5)).await.unwrap().lines, []);
}

#[tokio::test]
async fn a_view_that_was_looked_at_in_the_middle_tells_the_end_as_any_other() {
    let b = bench();
    b.deployment.faults.arm("delete_batch", Some(Step::DeleteNodes), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    b.settle(id).await;
    let middle = b.service.run_with_log(id, 400).await.unwrap();
    assert_eq!(middle.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    b.service.decide(id, Step::DeleteNodes, Decision::Retry, None, &tester()).await.unwrap();
    let end = b.settle(id).await;
    assert_eq!(b.service.run_with_log(id, 400).await.unwrap(), end);
    assert_eq!(b.deployment.service().run_with_log(id, 400).await.unwrap(), end, "read from the beginning");
}
