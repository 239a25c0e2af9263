//! Registry, log and chapters in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rollback_types::{
    Cursor, Inventory, Layout, OperationRow, Page, RollbackTarget, StagingCounts, StateCount, StoreKind, Timestamp,
    VersionCourse, VersionId, VersionQuery, VersionRow, VersionState,
};

use super::copies::{chapters_inventory, file_error, read_chapters, taken, write_chapters};
use super::data::Data;
use super::faults::{FaultPlan, Moment};
use crate::store::{
    AbortNoted, AbortRequest, CommittedQuery, CommittedVersions, CopyTaken, Engine, EvidenceCopy, Fault, FinishRequest,
    MarkRequest, Marked, Probe, RecordCopy, RecordStore, RegistrySchema, RegistryStamp, Removal, RunMark, StoreError,
};

#[derive(Debug)]
pub(super) struct FakeRecords {
    data: Arc<Mutex<Data>>,
    faults: Arc<FaultPlan>,
}

impl FakeRecords {
    pub(super) fn new(data: Arc<Mutex<Data>>, faults: Arc<FaultPlan>) -> Self {
        Self { data, faults }
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn check(&self, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        self.faults.pass(StoreKind::Sqlite, operation, moment).await
    }

    fn read(&self, path: &Path, operation: &str) -> Result<BTreeMap<String, String>, StoreError> {
        read_chapters(path).map_err(|e| file_error(StoreKind::Sqlite, operation, path, &e))
    }

    fn changed(&self, operation: &str, found: Option<&VersionState>) -> StoreError {
        StoreError {
            store: StoreKind::Sqlite,
            endpoint: "fake://sqlite".into(),
            operation: operation.into(),
            fault: Fault::Changed,
            detail: format!("the state is {found:?}"),
        }
    }
}

fn row(id: &VersionId, state: &VersionState, message: Option<&String>) -> VersionRow {
    VersionRow { status_message: message.cloned(), ..VersionRow::of(id.clone(), state.clone()) }
}

#[async_trait]
impl RecordStore for FakeRecords {
    fn engine(&self) -> Engine {
        Engine { name: "fake", location: "fake://sqlite".into() }
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        self.check("probe_records", Moment::Before).await?;
        Ok(Probe { version: None, detail: "in memory".into(), warning: None })
    }

    async fn schema(&self) -> Result<RegistrySchema, StoreError> {
        self.check("schema", Moment::Before).await?;
        Ok(RegistrySchema { layout: self.data().layout, findings: Vec::new(), writable_shape: true })
    }

    async fn versions(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError> {
        self.check("versions", Moment::Before).await?;
        let data = self.data();
        let items = data.versions.iter().filter(|(_, (s, _))| query.status.is_empty() || query.status.contains(s));
        let after = query.cursor.as_ref().and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0);
        let limit = query.limit.unwrap_or(VersionQuery::MAX_LIMIT).min(VersionQuery::MAX_LIMIT) as usize;
        let items: Vec<_> = items.skip(after).take(limit).map(|(id, (s, m))| row(id, s, m.as_ref())).collect();
        let next_cursor = (items.len() == limit).then(|| Cursor((after + limit).to_string()));
        Ok(Page { items, next_cursor })
    }

    async fn versions_read_anew(&self, query: &VersionQuery) -> Result<Page<VersionRow>, StoreError> {
        self.versions(query).await
    }

    async fn stamp(&self) -> Option<RegistryStamp> {
        None
    }

    async fn committed_since(&self, query: &CommittedQuery) -> Result<CommittedVersions, StoreError> {
        self.check("versions", Moment::Before).await?;
        let (states, mut found) = (query.states(), CommittedVersions::default());
        let data = self.data();
        for (id, (state, _)) in data.versions.iter().filter(|(_, (state, _))| states.contains(state)) {
            if query.takes(id, state, None, data.written.get(id).copied()) {
                found.add(id.clone());
            }
        }
        Ok(found)
    }

    async fn ids_in(&self, states: &[VersionState]) -> Result<Vec<(VersionId, VersionState)>, StoreError> {
        self.check("versions", Moment::Before).await?;
        let data = self.data();
        let found = data.versions.iter().filter(|(_, (state, _))| states.contains(state));
        Ok(found.map(|(id, (state, _))| (id.clone(), state.clone())).collect())
    }

    async fn version(&self, id: &VersionId) -> Result<Option<VersionRow>, StoreError> {
        self.check("version", Moment::Before).await?;
        Ok(self.data().versions.get(id).map(|(s, m)| row(id, s, m.as_ref())))
    }

    async fn state_counts(&self, _search: Option<&str>) -> Result<Vec<StateCount>, StoreError> {
        self.check("state_counts", Moment::Before).await?;
        Ok(self.data().versions.values().map(|(s, _)| StateCount { status: s.clone(), count: 1 }).collect())
    }

    /// Its versions have no time.
    async fn course(&self, _named: &[VersionId]) -> Result<VersionCourse, StoreError> {
        self.check("course", Moment::Before).await?;
        Ok(VersionCourse::default())
    }

    async fn operations(&self, id: &VersionId, _limit: u32) -> Result<Vec<OperationRow>, StoreError> {
        self.check("operations", Moment::Before).await?;
        Ok(self.data().operations.iter().rev().filter(|o| o.version_id == *id).cloned().collect())
    }

    async fn open_operations(&self) -> Result<Vec<OperationRow>, StoreError> {
        self.check("open_operations", Moment::Before).await?;
        let data = self.data();
        Ok(data
            .operations
            .iter()
            .filter(|o| o.status == "in_progress" && o.operation_type != "rollback")
            .cloned()
            .collect())
    }

    async fn is_write_locked(&self) -> Result<bool, StoreError> {
        match self.check("is_write_locked", Moment::Before).await {
            Err(e) if e.fault == Fault::Busy => Ok(true),
            other => other.map(|()| false),
        }
    }

    async fn staging(&self, target: &RollbackTarget) -> Result<StagingCounts, StoreError> {
        self.check("staging_rows", Moment::Before).await?;
        let data = self.data();
        let rows = data.staged_chapters.clone();
        let mut counts = StagingCounts {
            present: rows.is_some(),
            name: match data.layout {
                Layout::PerVersion => format!("chapter_metadata_{target}"),
                Layout::Shared | Layout::Mixed => "chapter_metadata_staging".into(),
            },
            rows: Some(rows.as_ref().map_or(0, |r| r.len() as u64)),
            ..StagingCounts::default()
        };
        for version in rows.into_iter().flatten() {
            *counts.versions.entry(version).or_default() += 1;
        }
        Ok(counts)
    }

    async fn production(&self) -> Result<Inventory, StoreError> {
        self.check("production_rows", Moment::Before).await?;
        Ok(chapters_inventory("chapter_metadata", &self.data().chapters))
    }

    async fn inspect_copy(&self, path: &Path) -> Result<RecordCopy, StoreError> {
        self.check("inspect_copy", Moment::Before).await?;
        let chapters = self.read(path, "opening a copy")?;
        Ok(RecordCopy { faults: Vec::new(), chapters: Some(chapters_inventory("metadata.db", &chapters)) })
    }

    async fn chapter_keys(&self, staged: Option<&RollbackTarget>) -> Result<Vec<String>, StoreError> {
        self.check("chapter_keys", Moment::Before).await?;
        let data = self.data();
        Ok(match staged {
            None => data.chapters.keys().cloned().collect(),
            Some(_) => {
                // The first of the production chapters are staged anew.
                let rows = data.staged_chapters.as_ref().map_or(0, Vec::len);
                data.chapters.keys().take(rows).cloned().collect()
            }
        })
    }

    async fn shape_differences(&self, copy: &Path) -> Result<Vec<String>, StoreError> {
        self.check("shape_differences", Moment::Before).await?;
        self.read(copy, "comparing a copy's shape").map(|_| Vec::new())
    }

    async fn back_up(&self, to: &Path) -> Result<CopyTaken, StoreError> {
        self.check("back_up", Moment::Before).await?;
        let chapters = self.data().chapters.clone();
        let taken = write_chapters(to, &chapters)
            .and_then(|()| taken(to, chapters_inventory("chapter_metadata", &chapters)))
            .map_err(|e| file_error(StoreKind::Sqlite, "backing up", to, &e))?;
        self.check("back_up", Moment::After).await?;
        Ok(taken)
    }

    async fn back_up_safety(&self, backup: &VersionId, to: &Path) -> Result<CopyTaken, StoreError> {
        self.check("back_up_safety", Moment::Before).await?;
        let held = self.data().safety_chapters.get(backup).cloned();
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        held.ok_or_else(missing)
            .and_then(|held| {
                write_chapters(to, &held)?;
                taken(to, chapters_inventory("chapter_metadata", &held))
            })
            .map_err(|e| file_error(StoreKind::Sqlite, "backing up a safety backup", to, &e))
    }

    async fn restore(&self, copy: &Path) -> Result<Inventory, StoreError> {
        self.check("restore", Moment::Before).await?;
        let chapters = self.read(copy, "restoring a copy")?;
        let inventory = chapters_inventory("chapter_metadata", &chapters);
        self.data().chapters = chapters;
        self.check("restore", Moment::After).await?;
        Ok(inventory)
    }

    async fn trial_restore(&self, copy: &Path, scratch: &Path) -> Result<Inventory, StoreError> {
        self.check("trial_restore", Moment::Before).await?;
        let chapters = self.read(copy, "trying out a copy")?;
        let tried = write_chapters(scratch, &chapters)
            .and_then(|()| taken(scratch, chapters_inventory("chapter_metadata", &chapters)))
            .and_then(|taken| std::fs::remove_file(scratch).map(|()| taken.inventory))
            .map_err(|e| file_error(StoreKind::Sqlite, "trying out a copy", scratch, &e))?;
        self.check("trial_restore", Moment::After).await?;
        Ok(tried)
    }

    async fn mark_rolling_back(&self, request: &MarkRequest) -> Result<Marked, StoreError> {
        self.check("mark", Moment::Before).await?;
        let marked = {
            let mut data = self.data();
            let ours =
                data.operations.iter().find(|o| o.details.as_deref() == Some(request.run_key.as_str())).map(|o| o.id);
            if let Some(log_id) = ours {
                Marked { log_id, repeated: true }
            } else {
                let id = request.target.id().clone();
                let found = data.versions.get(&id).map(|(s, _)| s.clone());
                if found.as_ref() != Some(&request.expected) {
                    return Err(self.changed("marking", found.as_ref()));
                }
                let message = format!("Rollback initiated due to: {}", request.reason);
                data.set_version(&id, VersionState::RollingBack, message);
                // A take-over ends what an earlier run left open.
                for earlier in data.operations.iter_mut().filter(|o| o.version_id == id && o.status == "in_progress") {
                    earlier.status = "failed".into();
                }
                let log_id = data.operations.len() as i64 + 1;
                data.operations.push(operation(log_id, id, "in_progress", &request.run_key));
                Marked { log_id, repeated: false }
            }
        };
        self.check("mark", Moment::After).await?;
        Ok(marked)
    }

    async fn save_staging(&self, _target: &RollbackTarget, folder: &Path) -> Result<Option<EvidenceCopy>, StoreError> {
        self.check("save_staging", Moment::Before).await?;
        let rows = self.data().staged_chapters.as_ref().map(|r| r.len() as u64);
        Ok(rows.map(|rows| EvidenceCopy { path: folder.join("chapters_staging.db"), rows }))
    }

    async fn drop_staging(&self, _target: &RollbackTarget, at_most: u64) -> Result<Removal, StoreError> {
        self.check("drop_staging", Moment::Before).await?;
        if self.data().staged_chapters.as_ref().is_some_and(|rows| rows.len() as u64 > at_most) {
            return Err(self.changed("dropping", None));
        }
        let gone = self.data().staged_chapters.take();
        self.check("drop_staging", Moment::After).await?;
        Ok(gone.map_or(Removal::Absent, |rows| Removal::Removed(rows.len() as u64)))
    }

    async fn mark_rolled_back(&self, request: &FinishRequest) -> Result<i64, StoreError> {
        self.check("finish", Moment::Before).await?;
        let id = {
            let mut data = self.data();
            let done = data
                .operations
                .iter()
                .find(|o| o.status == "completed" && o.details.as_deref().is_some_and(|d| d.contains(&request.run_key)))
                .map(|o| o.id);
            if let Some(done) = done {
                done
            } else {
                let id = request.target.id().clone();
                let found = data.versions.get(&id).map(|(s, _)| s.clone());
                if found != Some(VersionState::RollingBack) {
                    return Err(self.changed("finishing", found.as_ref()));
                }
                let message = format!("Rollback completed successfully. Reason: {}", request.reason);
                data.set_version(&id, VersionState::RolledBack, message);
                for first in
                    data.operations.iter_mut().filter(|o| o.details.as_deref() == Some(request.run_key.as_str()))
                {
                    first.completed_at = Some(Timestamp::now());
                }
                let log_id = data.operations.len() as i64 + 1;
                let mut row = operation(log_id, id, "completed", &format!("{} {}", request.run_key, request.details));
                row.completed_at = Some(Timestamp::now());
                data.operations.push(row);
                log_id
            }
        };
        self.check("finish", Moment::After).await?;
        Ok(id)
    }

    async fn note_abort(&self, request: &AbortRequest) -> Result<AbortNoted, StoreError> {
        self.check("note_abort", Moment::Before).await?;
        let mut data = self.data();
        let ours = data
            .operations
            .iter_mut()
            .find(|o| o.details.as_deref() == Some(request.run_key.as_str()) && o.status == "in_progress");
        let Some(row) = ours else { return Ok(AbortNoted::NothingOpen) };
        row.status = "failed".into();
        row.completed_at = Some(Timestamp::now());
        let id = request.target.id().clone();
        match data.versions.get(&id).map(|(state, _)| state.clone()) {
            Some(VersionState::RollingBack) => {
                data.set_version(&id, VersionState::RollingBack, request.message.clone());
                Ok(AbortNoted::Noted)
            }
            Some(state) => Ok(AbortNoted::NotHeld(format!("its state is {}", state.as_str()))),
            None => Ok(AbortNoted::NotHeld("the registry does not have it exactly once any more".to_owned())),
        }
    }

    async fn marks(&self, target: &RollbackTarget) -> Result<Vec<RunMark>, StoreError> {
        self.check("marks", Moment::Before).await?;
        let data = self.data();
        let own = data.operations.iter().filter(|o| o.version_id == *target.id());
        let mut marks: Vec<RunMark> = Vec::new();
        for row in own {
            let Some(key) = row.details.as_deref().and_then(|d| d.split(' ').next()) else { continue };
            let mark = RunMark {
                run_key: key.to_owned(),
                open: row.status == "in_progress",
                completed: row.status == "completed",
            };
            match marks.iter_mut().find(|m| m.run_key == key) {
                Some(known) => {
                    known.completed |= mark.completed;
                    known.open = !known.completed && (known.open || mark.open);
                }
                None => marks.push(mark),
            }
        }
        Ok(marks)
    }
}

fn operation(id: i64, version_id: VersionId, status: &str, details: &str) -> OperationRow {
    OperationRow {
        id,
        version_id,
        operation_type: "rollback".into(),
        status: status.into(),
        details: Some(details.into()),
        created_at: Some(Timestamp::now()),
        completed_at: None,
    }
}
