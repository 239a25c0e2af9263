//! What pages say, in one word each, so that a page can tell whether it still says the same.

use rollback_types::{Overview, RunQuery, RunSummary, Rung, Timestamp, VersionQuery, VersionSort};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::RollbackService;

/// How many of the versions that changed last, and of the newest runs, are looked at.
const LATEST: u32 = 50;

impl RollbackService {
    /// A checksum over the overview and what the other pages show beside it: the registry's states and the versions that
    /// changed last, the newest runs, the kept backups and how looks at them ended, the requests for approval.
    ///
    /// No file of a backup is read for it. What cannot be read counts as said by nobody: its own page says why.
    pub async fn seen_everywhere(&self, overview: &Overview) -> Option<String> {
        let latest = VersionQuery { sort: VersionSort::UpdatedDesc, limit: Some(LATEST), ..VersionQuery::default() };
        let newest = RunQuery { limit: Some(LATEST), ..RunQuery::default() };
        let (counts, versions, runs, kept, looks, approvals) = tokio::join!(
            self.state_counts(None),
            self.versions(&latest),
            self.runs(&newest),
            self.kept_sizes(),
            self.looks(),
            self.approvals(),
        );
        let mut runs = runs.map(|page| page.items).unwrap_or_default();
        runs.iter_mut().for_each(forget_its_story);
        let mut kept: Vec<_> = kept.unwrap_or_default().into_iter().collect();
        kept.sort();
        checksum(&(
            seen(overview)?,
            counts.unwrap_or_default(),
            versions.map(|page| page.items).unwrap_or_default(),
            runs,
            kept,
            looks.unwrap_or_default(),
            approvals.unwrap_or_default(),
        ))
    }
}

/// How far a run has come its own page tells, by its own stream.
fn forget_its_story(run: &mut RunSummary) {
    run.last_event = 0;
}

/// A rung that every look proves anew, at the time of the look. The others are proven by reading the file, which is done when
/// it changed or its time has come.
fn is_looked_at_each_time(rung: Rung) -> bool {
    match rung {
        Rung::Exists | Rung::Size | Rung::Content => true,
        Rung::Sha256 | Rung::Opens | Rung::TrialRestore => false,
    }
}

/// `None` where it cannot be written as JSON, which our types rule out.
fn checksum(said: &impl Serialize) -> Option<String> {
    let bytes = serde_json::to_vec(said).ok()?;
    Some(hex::encode(&Sha256::digest(bytes)[..12]))
}

/// A checksum over everything that an overview says, but for when it was looked at and how long that took.
///
/// `None` where it cannot be written as JSON, which its types rule out.
pub fn seen(overview: &Overview) -> Option<String> {
    let mut said = overview.clone();
    let never = Timestamp::from_unix_ms(0);
    said.at = never;
    for store in &mut said.stores {
        (store.checked_at, store.latency_ms) = (never, None);
    }
    if let Some(copy) = &mut said.latest_copy {
        // When it was proven is news; when it was looked at is none.
        (copy.checked_at, copy.took_ms) = (never, 0);
        let rungs = copy.files.iter_mut().flat_map(|file| &mut file.rungs);
        rungs.filter(|rung| is_looked_at_each_time(rung.rung)).for_each(|rung| rung.checked_at = None);
    }
    said.recent_runs.iter_mut().chain(&mut said.active_run).for_each(forget_its_story);
    checksum(&said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{StoreKind, StoreReport, StoreStatus, Verdict, VerdictLevel};

    fn overview(ms: i64, status: StoreStatus) -> Overview {
        let at = Timestamp::from_unix_ms(ms);
        let store = StoreReport {
            store: StoreKind::Neo4j,
            engine: "Neo4j".into(),
            version: None,
            location: String::new(),
            status,
            detail: String::new(),
            remedy: None,
            latency_ms: u64::try_from(ms).ok(),
            checked_at: at,
        };
        Overview {
            verdict: Verdict { level: VerdictLevel::Quiet, headline: String::new(), reasons: vec![], remedy: None },
            active_run: None,
            interrupted_run: None,
            interrupted_runs: vec![],
            stores: vec![store],
            latest_copy: None,
            candidates: vec![],
            candidate_count: 0,
            staged: vec![],
            staged_of: None,
            recent_runs: vec![],
            open_approvals: 0,
            layout: None,
            deployment: String::new(),
            at,
        }
    }

    #[test]
    fn only_what_changed_is_told_not_that_time_passed() {
        assert_eq!(seen(&overview(1, StoreStatus::Up)), seen(&overview(9, StoreStatus::Up)));
        assert_ne!(seen(&overview(1, StoreStatus::Up)), seen(&overview(1, StoreStatus::Down)));
    }
}
