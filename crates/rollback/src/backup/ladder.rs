//! The rungs of one file, put together from what was seen.

use rollback_types::{BackupFile, BackupHealth, BackupSource, Rung, RungResult, RungState, StoreKind, Timestamp};

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
        self.push(rung, RungState::Passed, detail.into(), Some(at), None);
    }

    pub(super) fn fail(&mut self, rung: Rung, detail: impl Into<String>, at: Timestamp) {
        self.push(rung, RungState::Failed, detail.into(), Some(at), None);
        self.broken = true;
    }

    /// Neither proven nor found wanting, and why.
    pub(super) fn leave_open(&mut self, rung: Rung, detail: impl Into<String>) {
        self.push(rung, RungState::NotProven, detail.into(), None, None);
    }

    /// The highest rung, with the time it took.
    pub(super) fn trial(&mut self, outcome: &Result<String, String>, at: Timestamp, took_ms: u64) {
        let (state, detail) = match outcome {
            Ok(said) => (RungState::Passed, said.clone()),
            Err(why) => (RungState::Failed, why.clone()),
        };
        self.broken |= outcome.is_err();
        self.push(Rung::TrialRestore, state, detail, Some(at), Some(took_ms));
    }

    /// All six rungs: what was not looked at is not proven, and says why.
    pub(super) fn finish(mut self) -> Vec<RungResult> {
        let lowest = self.rungs.iter().find(|r| r.state == RungState::Failed).map(|r| r.rung.title());
        for rung in Rung::ALL.into_iter().skip(self.rungs.len()) {
            let detail = match lowest {
                Some(title) => format!("not looked at, because “{title}” failed"),
                None if rung == Rung::TrialRestore => "never tried, or the file changed since".to_owned(),
                None => "not looked at".to_owned(),
            };
            self.push(rung, RungState::NotProven, detail, None, None);
        }
        self.rungs
    }

    fn push(
        &mut self,
        rung: Rung,
        state: RungState,
        detail: String,
        checked_at: Option<Timestamp>,
        took_ms: Option<u64>,
    ) {
        self.rungs.push(RungResult { rung, state, detail, checked_at, took_ms });
    }
}

/// With a full stop, once.
fn sentence(said: &str) -> String {
    if said.ends_with(['.', '!', '?']) { said.to_owned() } else { format!("{said}.") }
}

/// The verdict over all files. `replaced`: those that are not the ones proven before, with nothing that tells who wrote them.
pub(super) fn health(
    source: BackupSource,
    folder: String,
    files: Vec<BackupFile>,
    replaced: Vec<StoreKind>,
    checked_at: Timestamp,
    took_ms: u64,
) -> BackupHealth {
    // A sentence for each file, whether or not its rung speaks in whole ones.
    let told = |f: &BackupFile| Some(format!("{}: {}", f.store.title(), sentence(&f.lowest_failure()?.detail)));
    let broken: Vec<String> = files.iter().filter_map(told).collect();
    let intact = broken.is_empty()
        && files.iter().all(|f| f.highest_proven().is_some_and(|r| r >= Rung::Opens))
        && !files.is_empty();
    let mut health = BackupHealth {
        source,
        folder,
        intact,
        verdict: String::new(),
        remedy: None,
        files,
        checked_at,
        took_ms,
        history: Vec::new(),
        replaced,
    };
    // Trusting mends it only where nothing else is wrong.
    let by_a_person = health.waits_for_a_word();
    let files = &health.files;
    health.verdict = if intact {
        let reached = files.iter().filter_map(BackupFile::highest_proven).min().unwrap_or(Rung::Exists);
        let many = if files.len() == 3 { "All three files".to_owned() } else { format!("The {} files", files.len()) };
        let said = match reached {
            Rung::TrialRestore => ", match their checksums, open, agree with each other, and were restored on trial",
            Rung::Content => ", match their checksums, open, and agree with each other",
            _ => ", match their checksums and open",
        };
        format!("{many} exist{said}.")
    } else if by_a_person {
        format!("Replaced since it was last seen. {}", broken.join(" "))
    } else {
        format!("Not intact. {}", broken.join(" "))
    };
    health.remedy = (!intact).then(|| match health.source {
        BackupSource::Version(_) if by_a_person => format!(
            "Find out who replaced it: a kept version never changes, and no commit writes it anew. Put the old files back; the same \
             bytes need nobody’s word. Only if somebody replaced it on purpose, and it is a backup of that same version, trust \
             what is there now: on the page of backups, or by the command stepback backup trust {}. It is read again then, and every \
             proof made anew. Nothing is restored from it until then.",
            health.source.name()
        ),
        _ if by_a_person => format!(
            "Find out who replaced it. If it was meant, for example because the backup script ran after a commit, trust what is there \
             now: on the page of backups, or by the command stepback backup trust {}. It is read again then, and every proof made \
             anew. If it was not meant, put the old files back. Nothing is restored from it until then.",
            health.source.name()
        ),
        BackupSource::LatestCopy => {
            "Do not restore from it. Make a new latest-copy from production while production is \
            good, or use a kept version or v1_baseline."
                .to_owned()
        }
        BackupSource::Fresh(_) | BackupSource::FreshSafety(_) => {
            "It does not take its place. Look at the stores, then try again.".to_owned()
        }
        BackupSource::Version(_) | BackupSource::WayBack(_) => {
            "Do not restore from it; use another copy, and keep this one for finding the cause.".to_owned()
        }
    });
    health
}
