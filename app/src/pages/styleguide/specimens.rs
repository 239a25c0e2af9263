//! Made-up data for the style guide.

use rollback_types::{
    BackupFile, BackupHealth, BackupSource, Event, EventKind, PlanDigest, RunId, RunKind, RunState, RunSummary,
    RunView, Rung, RungResult, RungState, Step, StepError, StoreKind, Timestamp, Verdict, VerdictLevel, VersionId,
};

/// A version's id as the pipeline makes them.
pub const VERSION: &str = "v7_minor_20261122_231502";
/// One that is longer than any place for it.
pub const LONG_VERSION: &str =
    "v112_hotfix_of_a_hotfix_with_a_name_that_somebody_found_descriptive_20261122_231502_second_try";
/// A digest.
pub const SHA256: &str = "9f3c71ab54c07e7bd1f0a2c6f4b0f1c1f0c8a2f6d9be0a4c57c1de6f3a2b1c0d";

const MINUTE_MS: u64 = 60_000;

/// So many minutes before now.
pub fn ago(minutes: u64) -> Timestamp {
    let now = crate::components::clock::first_now();
    Timestamp::from_unix_ms(now.unix_ms() - (minutes * MINUTE_MS).cast_signed())
}

/// A backup with something on every rung: proven, proven long ago, failed, not looked at.
pub fn backup() -> BackupHealth {
    let file = |store, bytes, states: [(RungState, u64); 6]| BackupFile {
        store,
        path: format!("/srv/hybridflow/backups/latest-copy/{}", StoreKind::as_str(store)),
        bytes: Some(bytes),
        modified_at: Some(ago(2_900)),
        sha256: Some(SHA256.to_owned()),
        rungs: Rung::ALL
            .into_iter()
            .zip(states)
            .map(|(rung, (state, minutes))| RungResult {
                rung,
                state,
                detail: match state {
                    RungState::Failed => "its SHA-256 is another than recorded".to_owned(),
                    _ => String::new(),
                },
                checked_at: (state != RungState::NotProven).then(|| ago(minutes)),
                took_ms: None,
            })
            .collect(),
    };
    let (passed, failed, open) = (RungState::Passed, RungState::Failed, RungState::NotProven);
    BackupHealth {
        source: BackupSource::LatestCopy,
        folder: "/srv/hybridflow/backups/latest-copy".to_owned(),
        intact: false,
        verdict: "latest-copy is not intact: the copy of Qdrant is another file than the recorded one.".to_owned(),
        remedy: Some("Make a new latest-copy while production is known to be good.".to_owned()),
        files: vec![
            file(StoreKind::Sqlite, 3_812_000, [passed, passed, passed, passed, passed, passed].map(|s| (s, 42))),
            file(
                StoreKind::Qdrant,
                145_220_000,
                [(passed, 42), (passed, 42), (failed, 42), (open, 0), (open, 0), (open, 0)],
            ),
            file(
                StoreKind::Neo4j,
                21_400_000,
                [(passed, 42), (passed, 42), (passed, 42), (passed, 300), (passed, 20_000), (open, 0)],
            ),
        ],
        checked_at: ago(42),
        replaced: vec![],
        took_ms: 5_300,
        history: Vec::new(),
    }
}

/// A verdict of every level.
pub fn verdicts() -> [Verdict; 5] {
    let verdict = |level, headline: &str, reasons: &[&str], remedy: Option<&str>| Verdict {
        level,
        headline: headline.to_owned(),
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        remedy: remedy.map(str::to_owned),
    };
    [
        verdict(
            VerdictLevel::Ready,
            "You can roll back now.",
            &["v7_minor_20261122_231502 is validating_failed.", "All stores answer."],
            None,
        ),
        verdict(VerdictLevel::Quiet, "Nothing to roll back.", &["All stores answer."], None),
        verdict(VerdictLevel::Running, "Run #42 is rolling back v7.", &["One run at a time."], Some("Open run #42.")),
        verdict(
            VerdictLevel::Attention,
            "Look at latest-copy before you roll back.",
            &["The copy of Qdrant is another file than the recorded one."],
            Some("Make a new latest-copy."),
        ),
        verdict(
            VerdictLevel::Blocked,
            "No run can start: the journal cannot be written.",
            &["the disk of the journal /var/lib/stepback/journal.db is full"],
            Some("Free some space on that disk, then try again."),
        ),
    ]
}

/// A run that is over, with a line of every kind in its log.
pub fn run() -> RunView {
    const ID: RunId = RunId(42);
    let (began, took) = (ago(38), 9_400);
    let summary = RunSummary {
        id: ID,
        kind: RunKind::Rollback,
        version_id: VersionId::new(VERSION),
        state: RunState::Completed,
        reason: "Check 4 failed".to_owned(),
        actor: "ada".to_owned(),
        plan_digest: PlanDigest(SHA256.to_owned()),
        started_at: began,
        ended_at: Some(later(began, took)),
        duration_ms: Some(took),
        waited_ms: 0,
        stood_still_ms: 0,
        last_sign_at: None,
        summary: None,
        last_event: 0,
    };
    let busy = StepError {
        code: "busy".to_owned(),
        store: Some(StoreKind::Sqlite),
        message: "metadata.db is locked by another program".to_owned(),
        safe: "Nothing was changed.".to_owned(),
        remedy: "It is tried again.".to_owned(),
    };
    let refused = StepError { message: "the graph is out of order".to_owned(), ..busy.clone() };
    let begins = |step| EventKind::StepStarted { step, attempt: 1 };
    let done = |step, outcome: &str| EventKind::StepCompleted {
        step,
        found_absent: false,
        count: None,
        outcome: outcome.to_owned(),
    };
    let story = [
        (0, begins(Step::Identify)),
        (4, done(Step::Identify, "the registry has it once")),
        (5, begins(Step::DropChapters)),
        (6, begins(Step::DeletePoints)),
        (7, begins(Step::DeleteNodes)),
        (60, EventKind::StepRetrying { step: Step::DropChapters, failures: 1, wait_ms: 1_000, error: busy }),
        (1_100, done(Step::DropChapters, "18 rows and their table are gone")),
        (2_900, done(Step::DeletePoints, "1,204 points are gone")),
        (3_200, EventKind::StepFailed { step: Step::DeleteNodes, error: refused }),
        (4_000, EventKind::StepStarted { step: Step::DeleteNodes, attempt: 2 }),
        (8_700, done(Step::DeleteNodes, "1,100 nodes and 3,310 relationships are gone")),
    ];
    let mut view = RunView::new(summary);
    for ((after, kind), number) in story.into_iter().zip(1..) {
        view.apply(&Event { number, run_id: ID, at: later(began, after), kind });
    }
    view.run.state = RunState::Completed;
    view
}

fn later(at: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_unix_ms(at.unix_ms() + ms.cast_signed())
}
