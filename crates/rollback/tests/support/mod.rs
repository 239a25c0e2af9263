//! Driving a service over the fake deployment.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use futures::StreamExt;
use rollback::RollbackService;
use rollback::fake::{FAILED, FakeDeployment, Moment};
use rollback::store::Fault;
use rollback_types::{
    Event, PlanRequest, RollbackPlan, RunId, RunKind, RunState, RunView, StartRequest, Step, StoreKind, StreamItem,
};

/// Who acts in the tests.
pub fn tester() -> rollback::Actor {
    rollback::Actor::new("tester", rollback_types::Role::Administrator)
}

pub struct Bench {
    pub deployment: FakeDeployment,
    pub service: Arc<RollbackService>,
    _folder: tempfile::TempDir,
}

pub fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let deployment = FakeDeployment::new(folder.path()).unwrap();
    let service = Arc::new(deployment.service());
    Bench { deployment, service, _folder: folder }
}

pub fn bench_per_version() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let deployment = FakeDeployment::per_version(folder.path()).unwrap();
    let service = Arc::new(deployment.service());
    Bench { deployment, service, _folder: folder }
}

/// All three stores differ from latest-copy.
pub fn contaminated() -> Bench {
    let b = bench();
    StoreKind::ALL.into_iter().for_each(|s| b.deployment.contaminate(s));
    b
}

pub fn of(kind: RunKind, subject: &str) -> PlanRequest {
    PlanRequest { kind, version_id: subject.into(), ..PlanRequest::default() }
}

pub fn request(version: &str) -> PlanRequest {
    PlanRequest { version_id: version.into(), ..PlanRequest::default() }
}

pub fn start_request(plan: &RollbackPlan) -> StartRequest {
    StartRequest {
        kind: plan.kind,
        version_id: plan.version_id.as_str().into(),
        plan_digest: plan.digest.0.clone(),
        confirm_version_id: plan.version_id.as_str().into(),
        reason: "Check 4 failed".into(),
        restore: Some(StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect()),
        acknowledgements: plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect(),
    }
}

impl Bench {
    pub async fn plan(&self) -> RollbackPlan {
        self.service.plan(&request(FAILED)).await.unwrap()
    }

    pub async fn start(&self) -> RunId {
        let plan = self.plan().await;
        self.service.start(&start_request(&plan), &tester()).await.unwrap().run.id
    }

    /// Plans with every acknowledgement given that the plan asks for.
    pub async fn plan_all(&self, mut request: PlanRequest) -> RollbackPlan {
        let plan = self.service.plan(&request).await.unwrap();
        request.acknowledgements = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
        self.service.plan(&request).await.unwrap()
    }

    /// Plans, starts and waits.
    pub async fn carry_out(&self, request: PlanRequest) -> RunView {
        let plan = self.plan_all(request).await;
        assert!(plan.startable, "{:?}", plan.refusals);
        let id = self.service.start(&start_request(&plan), &tester()).await.unwrap().run.id;
        self.settle(id).await
    }

    /// Waits, by the run's own stream, until it ends or asks.
    pub async fn settle(&self, id: RunId) -> RunView {
        loop {
            let view = self.service.run(id).await.unwrap();
            if view.run.state != RunState::Running {
                return view;
            }
            let mut stream = self.service.subscribe(id, view.run.last_event).await.unwrap();
            // Any further item, or the end of the stream, is a reason to look again.
            let _ = stream.next().await;
        }
    }
}

/// The whole stream from a number on, progress left out, until it ends.
pub async fn events_after(service: &RollbackService, id: RunId, after: u64) -> Vec<Event> {
    let stream = service.subscribe(id, after).await.unwrap();
    stream
        .filter_map(|item| async move {
            match item {
                StreamItem::Event(event) => Some(event),
                StreamItem::Progress(_) => None,
            }
        })
        .collect()
        .await
}

/// Another process over the same journal and stores.
pub async fn restarted(b: &Bench) -> Arc<RollbackService> {
    let service = Arc::new(b.deployment.service());
    service.recover().await.unwrap();
    service.remove_leftovers().await.unwrap();
    service
}

/// A rollback that waits for a decision about `step` when its process ends.
pub async fn stopped_at(b: &Bench, operation: &'static str, step: Step) -> RunId {
    b.deployment.faults.arm(operation, Some(step), u32::MAX, Fault::Refused, Moment::Before);
    let id = b.start().await;
    assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
    b.deployment.faults.clear();
    id
}
