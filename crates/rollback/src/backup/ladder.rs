//! The rungs of one file, put together from what was seen.

use rollback_types::{BackupFile, BackupHealth, BackupSource, Rung, RungResult, RungState, Timestamp};

/// Collects rungs from the lowest up; after a failure all above are not proven.
#[derive(Debug)]
pub(super) struct Ladder {
    rungs: Vec<RungResult>,
    broken: bool,
}

impl Ladder {
    pub(super) fn new() -> Self {
        Self { rungs: Vec::with_capacity(Rung::ALL.len()), broken: false }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn pass(&mut self, rung: Rung, detail: impl Into<String>, at: Timestamp) {
        self.push(rung, RungState::Passed, detail.into(), Some(at));
    }

    pub(super) fn fail(&mut self, rung: Rung, detail: impl Into<String>, at: Timestamp) {
        self.push(rung, RungState::Failed, detail.into(), Some(at));
        self.broken = true;
    }

    /// All six rungs: what was not looked at is not proven, and says why.
    pub(super) fn finish(mut self) -> Vec<RungResult> {
        let lowest = self.rungs.iter().find(|r| r.state == RungState::Failed).map(|r| r.rung.title());
        for rung in Rung::ALL.into_iter().skip(self.rungs.len()) {
            let detail = match lowest {
                Some(title) => format!("not looked at, because “{title}” failed"),
                None => "not proven by this version of Stepback".to_owned(),
            };
            self.push(rung, RungState::NotProven, detail, None);
        }
        self.rungs
    }

    fn push(&mut self, rung: Rung, state: RungState, detail: String, checked_at: Option<Timestamp>) {
        self.rungs.push(RungResult { rung, state, detail, checked_at });
    }
}

/// The verdict over all files.
pub(super) fn health(
    source: BackupSource,
    folder: String,
    files: Vec<BackupFile>,
    checked_at: Timestamp,
    took_ms: u64,
) -> BackupHealth {
    let broken: Vec<String> =
        files.iter().filter_map(|f| f.lowest_failure().map(|r| format!("{}: {}", f.store.title(), r.detail))).collect();
    let intact = broken.is_empty()
        && files.iter().all(|f| f.highest_proven().is_some_and(|r| r >= Rung::Opens))
        && !files.is_empty();
    let verdict = if intact {
        "All three files exist, match their checksums and open.".to_owned()
    } else {
        format!("Not intact. {}", broken.join(" "))
    };
    let remedy = (!intact).then(|| match source {
        BackupSource::LatestCopy => {
            "Do not restore from it. Make a new latest-copy from production while production is \
            good, or use a kept version or v1_baseline."
                .to_owned()
        }
        BackupSource::Version(_) => {
            "Do not restore from it; use another copy, and keep this one for finding the cause.".to_owned()
        }
    });
    BackupHealth { source, folder, intact, verdict, remedy, files, checked_at, took_ms }
}
