//! How many chapters production should have: as the last restore from an older backup put in, else as the registry says.

use rollback_types::run_kind::run_of_subject;
use rollback_types::{
    BackupSource, EventKind, Layout, RollbackPlan, RunId, RunKind, RunQuery, Step, Timestamp, VersionQuery,
    VersionState,
};

use super::Planner;
use crate::journal::JournalError;
use crate::store::{CommittedBy, CommittedQuery};
use crate::validation::ExpectedChapters;

/// Runs that are looked through at most: the commit of a version ends what a restore lets expect, long before that.
const LATEST: u32 = 50;
const PAGE: u32 = 500;

/// What a run did to production's chapters.
enum Chapters {
    Untouched,
    /// It began to replace them, and did not prove what is there.
    Unproven,
    PutIn(Timestamp),
}

impl Planner<'_> {
    /// `from_latest_copy`: the planned run itself puts latest-copy's chapters in.
    pub(super) async fn chapters_in_production(&self, layout: Layout, from_latest_copy: bool) -> ExpectedChapters {
        match self.put_in_by_a_restore(from_latest_copy).await {
            Ok(Some(expected)) => expected,
            Ok(None) => self.by_the_registry(layout).await,
            Err(e) => {
                tracing::warn!(error = %e, "what earlier runs restored cannot be read; chapters are expected as the registry says");
                self.by_the_registry(layout).await
            }
        }
    }

    /// As the newest committed row says. In the per-version layout a row may count only what its update touched.
    async fn by_the_registry(&self, layout: Layout) -> ExpectedChapters {
        if layout == Layout::PerVersion {
            return ExpectedChapters::Unknown;
        }
        let status = vec![VersionState::Committed, VersionState::InUse, VersionState::Restored];
        let query = VersionQuery { status, limit: Some(1), ..VersionQuery::default() };
        let newest = self.stores.records.versions_read_anew(&query).await.ok();
        newest
            .and_then(|page| page.items.into_iter().next())
            .map_or(ExpectedChapters::Unknown, |row| ExpectedChapters::of_row(row.version_id, row.chapter_count))
    }

    /// What a restore from a kept version, or an undo, put in on purpose, unless something newer has come since.
    async fn put_in_by_a_restore(&self, from_latest_copy: bool) -> Result<Option<ExpectedChapters>, JournalError> {
        // A latest-copy that was made after such a restore holds what that put in; an older one does not.
        let mut older_than_latest_copy = from_latest_copy;
        for run in self.journal.runs(&RunQuery { limit: Some(LATEST), ..RunQuery::default() }).await?.items {
            match run.kind {
                RunKind::MakeBackup => {
                    let remade = run.state.ended_well() && run.version_id.as_str() == BackupSource::LATEST_COPY;
                    older_than_latest_copy &= !remade;
                    continue;
                }
                RunKind::Validate => continue,
                RunKind::Rollback | RunKind::RestoreProduction | RunKind::UndoRestore => {}
            }
            let at = match self.chapters_by(run.id).await? {
                Chapters::Untouched => continue,
                Chapters::Unproven => return Ok(None),
                Chapters::PutIn(at) => at,
            };
            let Some(record) = self.journal.run(run.id).await? else { return Ok(None) };
            let Ok(plan) = serde_json::from_str::<RollbackPlan>(&record.plan_json) else { return Ok(None) };
            let (why, except) = match plan.source {
                Some(BackupSource::LatestCopy) => {
                    older_than_latest_copy = true;
                    continue;
                }
                Some(BackupSource::Version(id)) => {
                    (format!("production was restored from {id} by run #{}", run.id), Some(id))
                }
                Some(BackupSource::WayBack(_)) => (put_back(run.id, run_of_subject(plan.version_id.as_str())), None),
                _ => return Ok(None),
            };
            let count = plan.stores.sqlite.latest_copy.and_then(|held| held.rows).filter(|_| !older_than_latest_copy);
            let query = CommittedQuery { since: Some(at), by: CommittedBy::Written, except };
            return Ok(match (count, self.stores.records.committed_since(&query).await) {
                (Some(count), Ok(committed)) if committed.count == 0 => Some(ExpectedChapters::Restored { count, why }),
                _ => None,
            });
        }
        Ok(None)
    }

    async fn chapters_by(&self, run: RunId) -> Result<Chapters, JournalError> {
        let (mut after, mut found) = (0, Chapters::Untouched);
        loop {
            let events = self.journal.events(run, after, PAGE).await?;
            for event in &events {
                match event.kind {
                    EventKind::StepActs { step: Step::RestoreSqlite, .. } => found = Chapters::Unproven,
                    EventKind::StepCompleted { step: Step::RestoreSqlite, .. } => found = Chapters::PutIn(event.at),
                    _ => {}
                }
            }
            match events.last() {
                Some(last) => after = last.number,
                None => return Ok(found),
            }
        }
    }
}

fn put_back(run: RunId, undone: Option<RunId>) -> String {
    match undone {
        Some(undone) => format!("run #{run} put back what was there before run #{undone}"),
        None => format!("run #{run} put an earlier run’s way back in again"),
    }
}
