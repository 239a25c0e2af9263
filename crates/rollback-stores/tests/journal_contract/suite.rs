//! The suite for any journal: each function takes an empty one.

use rollback::journal::{CompletedRun, Journal, JournalError, KnownHash, NewRun};
use rollback_types::{
    BackupCheck, Cursor, Event, EventKind, Note, PlanDigest, RunId, RunKind, RunQuery, RunState, RunSummary, Rung,
    Step, StepError, Timestamp, VersionId,
};

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_000_000 + ms)
}

pub fn new_run(key: &str) -> NewRun {
    NewRun {
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        plan_digest: PlanDigest("d".repeat(64)),
        plan_json: r#"{"stores":{"sqlite":1},"rest":"not read"}"#.into(),
        reason: "check 2 'failed'".into(),
        actor: "ops".into(),
        run_key: key.into(),
        at: at(0),
    }
}

pub fn event(run: RunId, number: u64, kind: EventKind) -> Event {
    Event { number, run_id: run, at: at(number as i64 * 10), kind }
}

pub fn note(run: RunId, number: u64) -> Event {
    event(run, number, EventKind::StepNote { step: Step::Mark, message: format!("note {number} — “ü”\u{1}") })
}

fn ended(run: RunId, number: u64, state: RunState) -> Event {
    event(run, number, EventKind::RunEnded { state, summary: "done".into(), findings: vec![] })
}

pub async fn one_run_at_a_time(journal: &dyn Journal) {
    assert_eq!(journal.active_run().await.unwrap(), None);
    let first = journal.open_run(&new_run("a")).await.unwrap();
    assert_eq!((first.state, first.last_event, first.ended_at), (RunState::Running, 0, None));
    assert_eq!((first.reason.as_str(), first.started_at), ("check 2 'failed'", at(0)));
    let taken = Err(JournalError::ActiveRun(first.id));
    assert_eq!(journal.open_run(&new_run("b")).await, taken);
    journal.append(&note(first.id, 1), RunState::NeedsDecision).await.unwrap();
    assert_eq!(journal.open_run(&new_run("b")).await, taken);
    let stop = event(first.id, 2, EventKind::RunInterrupted { message: "power".into(), stopped: false });
    journal.append(&stop, RunState::Interrupted).await.unwrap();
    assert_eq!(journal.active_run().await.unwrap(), None);

    let second = journal.open_run(&new_run("b")).await.unwrap();
    assert!(second.id > first.id);
    // The interrupted one cannot come back to life beside it.
    let back = journal.append(&note(first.id, 3), RunState::Running).await;
    assert_eq!(back, Err(JournalError::ActiveRun(second.id)));
    assert_eq!(journal.events(first.id, 0, 10).await.unwrap().len(), 2, "the event went with it");
    journal.append(&ended(second.id, 1, RunState::Aborted), RunState::Aborted).await.unwrap();
    journal.append(&note(first.id, 3), RunState::Running).await.unwrap();
    let resumed = journal.active_run().await.unwrap().unwrap();
    assert_eq!((resumed.id, resumed.ended_at, resumed.last_event), (first.id, None, 3));
}

pub async fn events_have_no_gap(journal: &dyn Journal) {
    assert_eq!(journal.append(&note(RunId(7), 1), RunState::Running).await, Err(JournalError::NoSuchRun(RunId(7))));
    let run = journal.open_run(&new_run("a")).await.unwrap().id;
    let gap = |last, got| Err(JournalError::Gap { run, last, got });
    assert_eq!(journal.append(&note(run, 0), RunState::Running).await, gap(0, 0));
    assert_eq!(journal.append(&note(run, 2), RunState::Running).await, gap(0, 2));
    for number in 1..=5 {
        journal.append(&note(run, number), RunState::Running).await.unwrap();
    }
    assert_eq!(journal.append(&note(run, 5), RunState::Aborted).await, gap(5, 5));
    assert_eq!(journal.append(&note(run, u64::MAX), RunState::Running).await, gap(5, u64::MAX));
    assert_eq!(journal.run(run).await.unwrap().unwrap().summary.state, RunState::Running, "nothing of it was kept");
    let all: Vec<_> = (1..=5).map(|n| note(run, n)).collect();
    assert_eq!(journal.events(run, 0, 100).await.unwrap(), all);
    assert_eq!(journal.events(run, 2, 2).await.unwrap(), all[2..4]);
    assert_eq!(journal.events(run, u64::MAX, 2).await.unwrap(), []);
    journal.append(&ended(run, 6, RunState::CompletedWithFindings), RunState::CompletedWithFindings).await.unwrap();
    let summary = journal.run(run).await.unwrap().unwrap().summary;
    assert_eq!(summary.state, RunState::CompletedWithFindings);
    assert_eq!((summary.summary.as_deref(), summary.duration_ms, summary.last_event), (Some("done"), Some(60), 6));
    assert_eq!(journal.run(RunId(99)).await.unwrap(), None);
}

pub async fn runs_are_paged(journal: &dyn Journal) {
    for n in 0..7 {
        let version = VersionId::new(if n % 2 == 0 { "even" } else { "odd" });
        let run = journal.open_run(&NewRun { version_id: version, ..new_run(&n.to_string()) }).await.unwrap().id;
        let state = if n == 3 { RunState::Aborted } else { RunState::Completed };
        journal.append(&ended(run, 1, state), state).await.unwrap();
    }
    let mut walked = Vec::new();
    let mut query = RunQuery { limit: Some(3), ..RunQuery::default() };
    loop {
        let page = journal.runs(&query).await.unwrap();
        walked.extend(page.items.iter().map(|r| r.id));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(walked.len(), 7);
    assert!(walked.windows(2).all(|w| w[0] > w[1]), "newest first");
    let aborted = RunQuery { state: Some(RunState::Aborted), ..RunQuery::default() };
    assert_eq!(journal.runs(&aborted).await.unwrap().items.len(), 1);
    let odd = RunQuery { version_id: Some("odd".into()), ..RunQuery::default() };
    assert_eq!(journal.runs(&odd).await.unwrap().items.len(), 3);
    let found = |query: RunQuery| async move { journal.runs(&query).await.unwrap().items.len() };
    let searched = |text: &str| found(RunQuery { search: Some(text.into()), ..RunQuery::default() });
    assert_eq!((searched("ODD").await, searched("check 2 'FAILED'").await, searched("ops").await), (3, 7, 7));
    assert_eq!((searched("%").await, searched("").await, searched("nobody").await), (0, 7, 0), "text, not a pattern");
    let since = |ms| found(RunQuery { since: Some(at(ms)), ..RunQuery::default() });
    let until = |ms| found(RunQuery { until: Some(at(ms)), ..RunQuery::default() });
    assert_eq!((since(0).await, since(1).await, until(0).await, until(1).await), (7, 0, 0, 7));
    let counted = |search: &str, state: Option<RunState>| {
        let query = RunQuery { search: Some(search.into()), state, limit: Some(1), ..RunQuery::default() };
        async move {
            let counts = journal.run_counts(&query).await.unwrap().unwrap();
            let of = |state| counts.iter().filter(|c| c.state == state).map(|c| c.count).sum::<u64>();
            (of(RunState::Completed), of(RunState::Aborted))
        }
    };
    assert_eq!((counted("", None).await, counted("ODD", None).await), ((6, 1), (2, 1)));
    assert_eq!(counted("even", Some(RunState::Aborted)).await, (4, 0), "whatever state is asked for");
    // The keys were "0" to "6", in the order of the runs.
    assert_eq!(journal.run_with_key("6").await, Ok(walked.first().copied()));
    assert_eq!(journal.run_with_key("0").await, Ok(walked.last().copied()));
    assert_eq!(journal.run_with_key("another journal's").await, Ok(None));
    let bad = RunQuery { cursor: Some(Cursor("x".into())), ..RunQuery::default() };
    assert_eq!(journal.runs(&bad).await, Err(JournalError::BadCursor));
}

pub async fn a_search_knows_the_case_of_letters_beyond_ascii(journal: &dyn Journal) {
    for (key, reason) in [("a", "Prüfung schlug fehl"), ("b", "check 2"), ("c", "PRÜFUNG noch einmal")] {
        let run = journal.open_run(&NewRun { reason: reason.into(), ..new_run(key) }).await.unwrap().id;
        journal.append(&event(run, 1, note(run, 1).kind), RunState::Running).await.unwrap();
        journal.append(&ended(run, 2, RunState::Aborted), RunState::Aborted).await.unwrap();
    }
    let search = |limit, cursor| RunQuery { search: Some("prÜfung".into()), limit, cursor, ..RunQuery::default() };
    let found = journal.runs(&search(None, None)).await.unwrap();
    let reasons: Vec<&str> = found.items.iter().map(|run| run.reason.as_str()).collect();
    assert_eq!(reasons, ["PRÜFUNG noch einmal", "Prüfung schlug fehl"]);
    assert_eq!(found.next_cursor, None);
    let first = journal.runs(&search(Some(1), None)).await.unwrap();
    let second = journal.runs(&search(Some(1), first.next_cursor)).await.unwrap();
    assert_eq!(second.items.first().map(|run| run.reason.as_str()), Some("Prüfung schlug fehl"));
}

pub async fn durations_are_medians(journal: &dyn Journal) {
    assert_eq!(journal.completed_runs(RunKind::Rollback, 9).await.unwrap(), []);
    assert_eq!(journal.step_durations().await.unwrap(), []);
    // Marking takes 10, 20, 90 ms in two tries; the fourth run is aborted and counts nowhere.
    for (n, ms) in [10, 20, 90, 5_000].into_iter().enumerate() {
        let run = journal.open_run(&new_run(&n.to_string())).await.unwrap().id;
        let timed = |number, ms, kind| Event { at: at(ms), ..event(run, number, kind) };
        let state = if n == 3 { RunState::Aborted } else { RunState::Completed };
        let (code, message) = ("busy".to_owned(), "m".to_owned());
        let error = StepError { code, store: None, message, safe: "s".into(), remedy: "r".into() };
        let story = [
            (0, EventKind::StepStarted { step: Step::Mark, attempt: 1 }),
            (1, EventKind::StepStarted { step: Step::DropChapters, attempt: 1 }),
            (2, EventKind::StepFailed { step: Step::Mark, error: error.clone() }),
            (2, EventKind::StepStarted { step: Step::Mark, attempt: 2 }),
            (ms, EventKind::StepCompleted { step: Step::Mark, found_absent: n == 1, count: None, outcome: "o".into() }),
            (ms, EventKind::StepSkipped { step: Step::DropChapters, reason: "r".into(), by_decision: true }),
            (ms * 2, EventKind::RunEnded { state, summary: "s".into(), findings: vec![] }),
        ];
        for ((ms, kind), number) in story.into_iter().zip(1..) {
            let now = if number == 7 { state } else { RunState::Running };
            journal.append(&timed(number, ms, kind), now).await.unwrap();
        }
    }
    let durations = journal.step_durations().await.unwrap();
    assert_eq!(durations.len(), 1, "a skipped step is not counted");
    assert_eq!((durations[0].step, durations[0].median_ms, durations[0].runs), (Step::Mark, 20, 3));
    assert_eq!(durations[0].documented_ms, 30_000);
    let took = |runs: Vec<CompletedRun>| runs.into_iter().map(|run| run.took_ms).collect::<Vec<_>>();
    let all = journal.completed_runs(RunKind::Rollback, 9).await.unwrap();
    assert_eq!(all[0].stores_json, r#"{"sqlite":1}"#, "no more of the plan than its counts");
    assert_eq!(took(all), [180, 40, 20], "newest first; an aborted one is none");
    assert_eq!(took(journal.completed_runs(RunKind::Rollback, 1).await.unwrap()), [180]);
    assert_eq!(journal.completed_runs(RunKind::Validate, 9).await.unwrap(), [], "another kind is no measure");
}

pub async fn the_first_hash_stays(journal: &dyn Journal) {
    assert_eq!(journal.known_hash("/b/metadata.db").await.unwrap(), None);
    let first = KnownHash {
        path: "/b/metadata.db".into(),
        sha256: "aa".into(),
        bytes: 76_000,
        modified_ns: -5,
        inode: u64::MAX,
        hashed_at: at(1),
        first_sha256: "aa".into(),
        first_at: at(1),
    };
    journal.record_hash(&first).await.unwrap();
    assert_eq!(journal.known_hash(&first.path).await.unwrap().as_ref(), Some(&first));
    let later = KnownHash {
        sha256: "bb".into(),
        hashed_at: at(2),
        first_sha256: "bb".into(),
        first_at: at(2),
        ..first.clone()
    };
    journal.record_hash(&later).await.unwrap();
    let known = journal.known_hash(&first.path).await.unwrap().unwrap();
    assert_eq!((known.sha256.as_str(), known.first_sha256.as_str(), known.first_at), ("bb", "aa", at(1)));
}

pub async fn what_is_remembered_is_replaced_and_looks_are_newest_first(journal: &dyn Journal) {
    assert_eq!(journal.remembered("proof:/b/x").await.unwrap(), None);
    journal.remember("proof:/b/x", "{\"a\":1}").await.unwrap();
    journal.remember("proof:/b/x", "{\"a\":2}").await.unwrap();
    assert_eq!(journal.remembered("proof:/b/x").await.unwrap().as_deref(), Some("{\"a\":2}"));
    assert_eq!(journal.remembered("proof:/b/y").await.unwrap(), None);
    let look = |n: i64| BackupCheck {
        at: at(n),
        intact: n % 2 == 0,
        highest: Some(Rung::Opens),
        failure: (n % 2 != 0).then(|| "rots".to_owned()),
        bytes: 5,
        took_ms: 7,
        trial: false,
    };
    for n in 0..2_005 {
        journal.record_backup_check("/b/latest-copy", &look(n)).await.unwrap();
    }
    journal.record_backup_check("/b/v1", &look(9)).await.unwrap();
    assert_eq!(journal.backup_checks("/b/latest-copy", 2).await.unwrap(), [look(2_004), look(2_003)]);
    assert_eq!(journal.backup_checks("/b/v1", 10).await.unwrap(), [look(9)], "each backup has its own");
    assert_eq!(journal.backup_checks("/b/latest-copy", 5_000).await.unwrap().len(), 2_000, "it does not grow for ever");
}

pub async fn notes_leave_a_run_as_it_ended(journal: &dyn Journal) {
    let run = journal.open_run(&new_run("a")).await.unwrap().id;
    journal.append(&ended(run, 1, RunState::Aborted), RunState::Aborted).await.unwrap();
    let before = journal.run(run).await.unwrap().unwrap().summary;
    let notes = vec![Note::RootCause { text: "a full disk “ü”\nand no alarm".into() }];
    let annotated = event(run, 2, EventKind::RunAnnotated { notes, actor: "ada".into() });
    journal.append(&annotated, RunState::Aborted).await.unwrap();
    let after = journal.run(run).await.unwrap().unwrap().summary;
    assert_eq!(after, RunSummary { last_event: 2, ..before });
    assert_eq!(journal.events(run, 1, 10).await.unwrap(), [annotated]);
    assert_eq!(journal.active_run().await.unwrap(), None);
    // Also beside another run that is at work.
    journal.open_run(&new_run("b")).await.unwrap();
    let more = event(run, 3, EventKind::RunAnnotated { notes: Vec::new(), actor: "ada".into() });
    journal.append(&more, RunState::Aborted).await.unwrap();
}

/// A resumed run that is over, and one that is interrupted now.
pub async fn an_interrupted_run_and_a_resumed_one(journal: &dyn Journal) -> (RunSummary, RunSummary) {
    let over = journal.open_run(&new_run("over")).await.unwrap().id;
    let interrupted = |stopped| EventKind::RunInterrupted { message: "power".into(), stopped };
    let resumed = EventKind::RunResumed {
        plan_digest: PlanDigest("d".into()),
        again: vec![],
        reason: "it is back".into(),
        actor: "ada".into(),
        approved_by: vec![],
    };
    let later = |number, ms, kind| Event { at: at(ms), ..event(over, number, kind) };
    journal.append(&note(over, 1), RunState::Running).await.unwrap();
    journal.append(&later(2, 5_000, interrupted(false)), RunState::Interrupted).await.unwrap();
    journal.append(&later(3, 9_000, resumed), RunState::Running).await.unwrap();
    let end = EventKind::RunEnded { state: RunState::Completed, summary: "done".into(), findings: vec![] };
    journal.append(&later(4, 9_030, end), RunState::Completed).await.unwrap();
    let open = journal.open_run(&new_run("open")).await.unwrap().id;
    journal.append(&note(open, 1), RunState::Running).await.unwrap();
    let stop = Event { at: at(7_000), ..event(open, 2, interrupted(false)) };
    journal.append(&stop, RunState::Interrupted).await.unwrap();
    (journal.run(over).await.unwrap().unwrap().summary, journal.run(open).await.unwrap().unwrap().summary)
}

pub async fn the_time_of_an_interruption_is_no_duration(journal: &dyn Journal) {
    let (over, open) = an_interrupted_run_and_a_resumed_one(journal).await;
    // From its last sign, the note after 10 ms, until it was resumed.
    assert_eq!((over.stood_still_ms, over.duration_ms, over.last_sign_at), (8_990, Some(40), None));
    assert_eq!((open.ended_at, open.duration_ms, open.last_sign_at), (Some(at(7_000)), Some(10), Some(at(10))));
    let learned = journal.completed_runs(over.kind, 10).await.unwrap();
    assert_eq!(learned.iter().map(|run| run.took_ms).collect::<Vec<_>>(), [40], "what a plan learns from");
}
