//! Made-up data for the style guide.

use rollback_types::{
    BackupFile, BackupHealth, BackupSource, Rung, RungResult, RungState, StoreKind, Timestamp, Verdict, VerdictLevel,
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
