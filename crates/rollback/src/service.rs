//! The one service behind both doors: plan, start, decide, look, subscribe.

use futures::stream::BoxStream;
use rollback_types::{
    BackupHealth, Decision, Overview, Page, PlanRequest, RollbackPlan, RunId, RunQuery, RunSummary, RunView,
    StartRequest, StateCount, Step, StepDuration, StoreReport, StreamItem, VersionDetail, VersionQuery, VersionRow,
};

use crate::error::ServiceError;

/// Plans, starts and watches rollbacks of one deployment. Cheap to share in an `Arc`.
#[derive(Debug)]
pub struct RollbackService {}

type Answer<T> = Result<T, ServiceError>;

impl RollbackService {
    /// The first page. A store that is down is told inside, not as an error.
    pub async fn overview(&self) -> Answer<Overview> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// A page of versions.
    pub async fn versions(&self, _query: &VersionQuery) -> Answer<Page<VersionRow>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// How many versions have each state.
    pub async fn state_counts(&self) -> Answer<Vec<StateCount>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// Everything about one version.
    pub async fn version(&self, _id: &str) -> Answer<VersionDetail> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// How the three stores are, asked at the same time.
    pub async fn stores(&self) -> Vec<StoreReport> {
        Vec::new()
    }
    /// latest-copy on the ladder; `force` hashes and opens the files again even if they did not change.
    pub async fn latest_copy(&self, _force: bool) -> Answer<BackupHealth> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// latest-copy first, then every kept version, newest first.
    pub async fn backups(&self) -> Answer<Vec<BackupHealth>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// What a rollback would do; changes nothing.
    pub async fn plan(&self, _request: &PlanRequest) -> Answer<RollbackPlan> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// Plans again, compares, and starts the run, which then belongs to the service and not to the caller.
    pub async fn start(&self, _request: &StartRequest, _actor: &str) -> Answer<RunView> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// Runs, newest first.
    pub async fn runs(&self, _query: &RunQuery) -> Answer<Page<RunSummary>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// One run with its steps and log.
    pub async fn run(&self, _id: RunId) -> Answer<RunView> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// A person's decision about a failed step.
    pub async fn decide(
        &self,
        _id: RunId,
        _step: Step,
        _decision: Decision,
        _reason: Option<String>,
        _actor: &str,
    ) -> Answer<RunView> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// Everything after event `after`, then live, in order, without gaps or duplicates; ends after a terminal event.
    pub async fn subscribe(&self, _id: RunId, _after: u64) -> Answer<BoxStream<'static, StreamItem>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
    /// Median durations of the steps here, beside the document's.
    pub async fn step_durations(&self) -> Answer<Vec<StepDuration>> {
        Err(ServiceError::Conflict("not built yet".into()))
    }
}
