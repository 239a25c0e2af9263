//! Backups: the ladder, trials, and what runs have saved.

use std::time::SystemTime;

use futures::TryStreamExt;
use rollback_types::{
    BackupCheck, BackupHealth, BackupSource, Role, RunId, RunKind, RunQuery, RunState, Rung, StoreKind,
};

use super::start::checked_reason;
use super::{Answer, RollbackService};
use crate::Actor;
use crate::error::ServiceError;
use crate::journal_pages;
use crate::store::OnProgress;

/// What a run saved before it restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayBack {
    /// The stores it holds.
    pub stores: Vec<StoreKind>,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its folder.
    pub folder: std::path::PathBuf,
    /// When the retention ends.
    pub kept_until: Option<rollback_types::Timestamp>,
}

impl RollbackService {
    /// latest-copy on the ladder; `force` hashes and opens the files again even if they did not change.
    ///
    /// # Errors
    /// None now; kept for a verifier that needs a server.
    pub async fn latest_copy(&self, force: bool) -> Answer<BackupHealth> {
        Ok(self.verifier.examine(&BackupSource::LatestCopy, force, None).await.health)
    }

    /// latest-copy first, then every kept version, newest first.
    ///
    /// # Errors
    /// The backup folder cannot be listed.
    pub async fn backups(&self) -> Answer<Vec<BackupHealth>> {
        let mut all = Vec::new();
        for source in self.backup_sources().await? {
            all.push(self.verifier.examine(&source, false, None).await.health);
        }
        Ok(all)
    }

    /// latest-copy, or a kept version by its name. Files that did not change since they were proven are not read again.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the folder's.
    pub async fn backup(&self, name: &str) -> Answer<BackupHealth> {
        let source = self.source(name).await?;
        Ok(self.verifier.examine(&source, false, None).await.health)
    }

    async fn source(&self, name: &str) -> Answer<BackupSource> {
        let source = rollback_types::run_kind::backup_of_subject(name);
        if self.backup_sources().await?.contains(&source) {
            Ok(source)
        } else {
            Err(ServiceError::NotFound("There is no backup of that name.".into()))
        }
    }

    /// Which backups there are: latest-copy, then the kept versions, newest first.
    ///
    /// # Errors
    /// The backup folder cannot be listed.
    pub async fn backup_sources(&self) -> Answer<Vec<BackupSource>> {
        let folders = self.verifier.folders().clone();
        let listed = tokio::task::spawn_blocking(move || folders.kept_versions()).await;
        let kept = match listed {
            Ok(Ok(kept)) => kept,
            Ok(Err(e)) => return Err(self.backups_unreadable(&e.to_string())),
            Err(e) => return Err(self.backups_unreadable(&e.to_string())),
        };
        Ok(std::iter::once(BackupSource::LatestCopy).chain(kept.into_iter().map(BackupSource::Version)).collect())
    }

    pub(super) fn backups_unreadable(&self, why: &str) -> ServiceError {
        let root = self.verifier.folders().root().display();
        ServiceError::Conflict(format!("The folder of the backups, {root}, cannot be read: {why}."))
    }

    /// Reads every file of a backup again; with `trial` restores each into a scratch place too. Never while a run is
    /// active, and none starts meanwhile.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::NotFound`], [`ServiceError::ActiveRun`], or the folder's.
    pub async fn verify_backup(
        &self,
        name: &str,
        trial: bool,
        progress: Option<OnProgress>,
        actor: &Actor,
    ) -> Answer<BackupHealth> {
        actor.must_be(Role::Operator, "verify a backup")?;
        let source = self.source(name).await?;
        let _no_start = self.looking.lock().await;
        if let Some(active) = self.journal.active_run().await? {
            return Err(ServiceError::ActiveRun(active.id));
        }
        let read = self.verifier.examine(&source, true, progress.clone()).await;
        if !trial || !read.health.intact {
            return Ok(read.health);
        }
        Ok(self.verifier.try_restore(&source, progress).await.health)
    }

    /// A person says that files of a backup which took others' places are the right ones. They
    /// are read again first: what is trusted is what is there now, and only if that is `seen`, what the person was shown
    /// ([`BackupHealth::replaced_as_seen`]). The journal keeps the `reason`, and the rung tells it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::InvalidField`] for the reason, [`ServiceError::NotFound`], [`ServiceError::ActiveRun`] while a run is at work (one that
    /// waits for a decision may wait for this), the journal's, or [`ServiceError::Conflict`] when no file of it was replaced.
    pub async fn trust_backup(&self, name: &str, seen: &str, reason: &str, actor: &Actor) -> Answer<BackupHealth> {
        actor.must_be(Role::Operator, "trust a backup that was replaced")?;
        let reason = checked_reason(reason)?;
        let source = self.source(name).await?;
        let _no_start = self.looking.lock().await;
        if let Some(active) = self.journal.active_run().await?.filter(|run| run.state != RunState::NeedsDecision) {
            return Err(ServiceError::ActiveRun(active.id));
        }
        let read = self.verifier.examine(&source, true, None).await.health;
        if read.replaced.is_empty() {
            let said =
                format!("No file of {} waits to be trusted, and nothing was changed. {}", source.name(), read.verdict);
            return Err(ServiceError::Conflict(said));
        }
        if seen != read.replaced_as_seen() {
            let said = format!(
                "The files of {} that wait to be trusted are not the ones that were shown: there is {} now. Nothing was \
                 changed. Look at them once more.",
                source.name(),
                read.replaced_as_seen()
            );
            return Err(ServiceError::Conflict(said));
        }
        self.verifier.trust(&source, &read, actor.name(), &reason).await?;
        Ok(self.verifier.examine(&source, false, None).await.health)
    }

    /// What a run saved before it restored; `None` when it saved nothing, or it was removed.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn way_back(&self, run: RunId) -> Answer<Option<WayBack>> {
        let record = self.record(run).await?;
        let source = BackupSource::WayBack(record.run_key);
        let folders = self.verifier.folders();
        let stores = folders.stores(&source);
        if stores.is_empty() {
            return Ok(None);
        }
        let sizes = stores.iter().filter_map(|s| std::fs::metadata(folders.file(&source, *s)).ok());
        let retention = i64::try_from(self.settings.way_back_retention.as_millis()).unwrap_or(i64::MAX);
        let kept_until = record
            .summary
            .ended_at
            .map(|end| rollback_types::Timestamp::from_unix_ms(end.unix_ms().saturating_add(retention)));
        Ok(Some(WayBack { bytes: sizes.map(|m| m.len()).sum(), stores, folder: folders.folder(&source), kept_until }))
    }

    /// Removes what a run saved, by a person's decision.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`], [`ServiceError::NotFound`], [`ServiceError::ActiveRun`] while any run is active, or the folder's.
    pub async fn remove_way_back(&self, run: RunId, actor: &Actor) -> Answer<()> {
        actor.must_be(Role::Administrator, "remove a way back")?;
        let _no_start = self.starting.lock().await;
        if let Some(active) = self.journal.active_run().await? {
            return Err(ServiceError::ActiveRun(active.id));
        }
        let Some(there) = self.way_back(run).await? else {
            return Err(ServiceError::NotFound(format!("Run #{run} has no way back.")));
        };
        if self.record(run).await?.summary.state == RunState::Interrupted {
            let said = format!("Run #{run} is interrupted, and needs its way back. Resume or abandon it first.");
            return Err(ServiceError::Conflict(said));
        }
        remove(there.folder).await
    }

    /// Removes ways back whose time is over. Returns how many went.
    ///
    /// # Errors
    /// The journal's, or the folders'.
    pub async fn remove_old_ways_back(&self) -> Answer<u32> {
        let _no_start = self.starting.lock().await;
        if self.journal.active_run().await?.is_some() {
            return Ok(0);
        }
        let now = rollback_types::Timestamp::now();
        let (mut removed, mut later_ended_well) = (0, false);
        let mut runs = journal_pages::runs(self.journal.as_ref(), RunQuery { limit: Some(200), ..RunQuery::default() });
        while let Some(run) = runs.try_next().await? {
            let Some(there) = self.way_back(run.id).await? else { continue };
            let ended_well = run.state.ended_well();
            // After a restore that was cut short it holds what is nowhere else, until a later one ended well.
            let wanted = run.state == RunState::Interrupted || (!ended_well && !later_ended_well);
            later_ended_well |= ended_well;
            if !wanted && there.kept_until.is_some_and(|until| until <= now) {
                remove(there.folder).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The list of all ids that a run's validation found to offend in one way, as a file.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn offenders_file(
        &self,
        run: RunId,
        kind: rollback_types::validation::OffenderKind,
    ) -> Answer<std::path::PathBuf> {
        let record = self.record(run).await?;
        let path = self.verifier.folders().run_folder(&record.run_key).join("validation").join(kind.file_name());
        if tokio::fs::try_exists(&path).await.unwrap_or(false) {
            Ok(path)
        } else {
            Err(ServiceError::NotFound(format!("Run #{run} found no {}.", kind.title())))
        }
    }

    /// Scratch places that a crash left behind. Call it once at start-up, while nothing is active.
    ///
    /// # Errors
    /// The store's: it may be down; then the next trial removes them.
    pub async fn remove_leftovers(&self) -> Answer<()> {
        let _no_start = self.starting.lock().await;
        if self.journal.active_run().await?.is_some() {
            return Ok(());
        }
        let scratch = self.settings.scratch_dir();
        match tokio::fs::remove_dir_all(&scratch).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(folder = %scratch.display(), error = %e, "scratch files of an earlier process stay");
            }
            _ => {}
        }
        let runs = self.verifier.folders().runs().to_owned();
        let swept = tokio::task::spawn_blocking(move || remove_unfinished_ways_back(&runs)).await;
        if let Err(error) = swept.map_err(std::io::Error::other).and_then(|r| r) {
            tracing::warn!(%error, "an unfinished way back of an earlier process stays");
        }
        let root = self.verifier.folders().root().to_owned();
        let over = self.backups_that_are_over().await?;
        let cleared = tokio::task::spawn_blocking(move || crate::steps::clear_unfinished(&root, &over)).await;
        if let Err(error) = cleared.map_err(std::io::Error::other).and_then(|r| r) {
            tracing::warn!(%error, "an unfinished backup of an earlier process stays");
        }
        Ok(self.verifier.trials().remove_leftovers().await?)
    }

    /// The keys of runs that made, or were to make, a backup, and that can neither go on nor be resumed.
    async fn backups_that_are_over(&self) -> Answer<Vec<String>> {
        let kind = Some(RunKind::MakeBackup);
        let query = RunQuery { kind, limit: Some(200), ..RunQuery::default() };
        let mut runs = journal_pages::runs(self.journal.as_ref(), query);
        let mut keys = Vec::new();
        while let Some(run) = runs.try_next().await? {
            if !run.state.is_active() && run.state != RunState::Interrupted {
                keys.push(self.record(run.id).await?.run_key);
            }
        }
        Ok(keys)
    }

    /// How looks at every backup ended, newest first. What is kept of them; no file is read.
    pub(super) async fn looks(&self) -> Answer<Vec<(String, Vec<BackupCheck>)>> {
        let mut looks = Vec::new();
        for source in self.backup_sources().await? {
            let checks = self.verifier.history(&source).await;
            looks.push((source.name().into_owned(), checks));
        }
        Ok(looks)
    }

    /// The oldest look at any backup: when the schedule is to look next.
    ///
    /// # Errors
    /// The backup folder cannot be listed.
    pub async fn last_looks(&self) -> Answer<Vec<(BackupSource, Option<SystemTime>, Option<SystemTime>)>> {
        let mut looks = Vec::new();
        for source in self.backup_sources().await? {
            let health = self.verifier.examine(&source, false, None).await.health;
            let time = |at: rollback_types::Timestamp| {
                let ms = u64::try_from(at.unix_ms()).ok()?;
                Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(ms))
            };
            let look = health.history.first().and_then(|c| time(c.at));
            // By the rungs themselves, not by the trend, which keeps few looks: the file tried longest ago decides.
            let tried = |f: &rollback_types::BackupFile| {
                f.rungs.iter().find(|r| r.rung == Rung::TrialRestore).and_then(|r| r.checked_at)
            };
            let trials: Option<Vec<_>> = health.files.iter().map(tried).collect();
            let trial = trials.and_then(|all| all.into_iter().min()).and_then(time);
            looks.push((source, look, trial));
        }
        Ok(looks)
    }
}

async fn remove(folder: std::path::PathBuf) -> Answer<()> {
    tokio::fs::remove_dir_all(&folder)
        .await
        .map_err(|e| ServiceError::Conflict(format!("{} could not be removed: {e}.", folder.display())))
}

/// Stores write a copy under another name until it is whole: what a crash left of it is of no use.
fn remove_unfinished_ways_back(runs: &std::path::Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(runs) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for run in entries {
        let Ok(files) = std::fs::read_dir(run?.path().join("way-back")) else { continue };
        for file in files {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "part") {
                std::fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
