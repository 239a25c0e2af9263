//! How many chapters production should have: as the last restore from an older backup put in, else as the registry says.

use futures::{StreamExt, TryStreamExt};
use rollback_types::run_kind::run_of_subject;
use rollback_types::{
    BackupSource, EventKind, Layout, RollbackPlan, RunId, RunKind, RunQuery, RunSummary, Step, Timestamp, VersionQuery,
    VersionState,
};

use super::Planner;
use crate::journal::JournalError;
use crate::journal_pages;
use crate::store::{CommittedBy, CommittedQuery};
use crate::validation::ExpectedChapters;

/// Restores of one kind that are looked through for one from an older backup.
const RESTORES: u32 = 50;
/// Runs of any kind that are looked through for what came after it: there may be a validation every night.
const SOUGHT: usize = 1_000;
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
        if !self.may_expect_what_was_restored().await? {
            return Ok(None);
        }
        // A latest-copy that was made after such a restore holds what that put in; an older one does not.
        let mut older_than_latest_copy = from_latest_copy;
        let query = RunQuery { limit: Some(PAGE), ..RunQuery::default() };
        let mut runs = journal_pages::runs(self.journal, query).take(SOUGHT);
        while let Some(run) = runs.try_next().await? {
            if run.kind == RunKind::MakeBackup {
                let remade = run.state.ended_well() && run.version_id.as_str() == BackupSource::LATEST_COPY;
                older_than_latest_copy &= !remade;
            }
            if !run.kind.changes_stores() {
                continue;
            }
            match (self.chapters_by(run.id).await?, is_from_latest_copy(&run)) {
                (Chapters::Untouched, _) => {}
                (Chapters::PutIn(_), true) => older_than_latest_copy = true,
                (Chapters::PutIn(at), false) if !older_than_latest_copy => return self.as_restored(&run, at).await,
                (Chapters::PutIn(_), false) | (Chapters::Unproven, _) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// There is a restore from an older backup, and nothing was committed after the newest one: only then all later runs are read.
    async fn may_expect_what_was_restored(&self) -> Result<bool, JournalError> {
        let mut newest: Option<RunSummary> = None;
        for kind in [RunKind::RestoreProduction, RunKind::UndoRestore] {
            let query = RunQuery { kind: Some(kind), limit: Some(RESTORES), ..RunQuery::default() };
            let found = self.journal.runs(&query).await?.items.into_iter().find(|run| !is_from_latest_copy(run));
            newest = newest.into_iter().chain(found).max_by_key(|run| run.id);
        }
        let Some(run) = newest else { return Ok(false) };
        Ok(!self.was_committed_since(&run, run.ended_at.unwrap_or(run.started_at)).await)
    }

    /// A registry that cannot be asked speaks for itself elsewhere.
    async fn was_committed_since(&self, restore: &RunSummary, at: Timestamp) -> bool {
        // Its own row may be marked as restored afterwards.
        let except = (restore.kind == RunKind::RestoreProduction).then(|| restore.version_id.clone());
        let query = CommittedQuery { since: Some(at), by: CommittedBy::Written, except };
        self.stores.records.committed_since(&query).await.map_or(true, |committed| committed.count > 0)
    }

    async fn as_restored(&self, run: &RunSummary, at: Timestamp) -> Result<Option<ExpectedChapters>, JournalError> {
        if self.was_committed_since(run, at).await {
            return Ok(None);
        }
        let Some(record) = self.journal.run(run.id).await? else { return Ok(None) };
        let plan = serde_json::from_str::<RollbackPlan>(&record.plan_json).ok();
        let count = plan.and_then(|plan| plan.stores.sqlite.latest_copy).and_then(|held| held.rows);
        let why = match (run.kind, run_of_subject(run.version_id.as_str())) {
            (RunKind::UndoRestore, Some(undone)) => {
                format!("run #{} put back what was there before run #{undone}", run.id)
            }
            _ => format!("production was restored from {} by run #{}", run.version_id, run.id),
        };
        Ok(count.map(|count| ExpectedChapters::Restored { count, why }))
    }

    async fn chapters_by(&self, run: RunId) -> Result<Chapters, JournalError> {
        let mut found = Chapters::Untouched;
        let mut events = journal_pages::events(self.journal, run);
        while let Some(event) = events.try_next().await? {
            match event.kind {
                EventKind::StepActs { step: Step::RestoreSqlite, .. } => found = Chapters::Unproven,
                EventKind::StepCompleted { step: Step::RestoreSqlite, .. } => found = Chapters::PutIn(event.at),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// A rollback restores from nothing else.
fn is_from_latest_copy(run: &RunSummary) -> bool {
    run.kind == RunKind::Rollback
        || (run.kind == RunKind::RestoreProduction && run.version_id.as_str() == BackupSource::LATEST_COPY)
}
