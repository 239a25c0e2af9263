//! The layout of the pipeline's code: no staging table, a collection a version, nodes told by the end of their ids.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use rollback::fake::{COMMITTED_PER_VERSION, FAILED_PER_VERSION, Moment};
use rollback::store::Fault;
use rollback_types::{Decision, RunId, RunState, Step, StepState, StoreKind, VersionState};
use support::{Bench, bench_per_version, request, start_request, tester};

const LANES: [Step; 3] = [Step::DropChapters, Step::DeletePoints, Step::DeleteNodes];

async fn start(b: &Bench) -> RunId {
    let plan = b.service.plan(&request(FAILED_PER_VERSION)).await.unwrap();
    // What must be acknowledged goes into the digest of the next plan.
    let mut acknowledged = request(FAILED_PER_VERSION);
    acknowledged.acknowledgements = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let plan = b.service.plan(&acknowledged).await.unwrap();
    assert!(plan.startable, "{:?}", plan.refusals);
    b.service.start(&start_request(&plan), &tester()).await.unwrap().run.id
}

#[tokio::test]
async fn only_the_versions_own_data_goes() {
    let b = bench_per_version();
    assert_eq!(b.deployment.staged(), (0, 83, 32));
    let stores = b.deployment.stores();
    let production = format!("textbook_chunks_{COMMITTED_PER_VERSION}");
    let before = stores.vectors.id_fingerprint(&production).await.unwrap();
    let id = start(&b).await;
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::Completed, "{view:?}");
    assert_eq!(b.deployment.staged(), (0, 0, 0));
    assert_eq!(view.step(Step::DropChapters).unwrap().state, StepState::FoundAbsent, "there is no staging table");
    assert_eq!(stores.vectors.id_fingerprint(&production).await.unwrap(), before);
    assert_eq!(stores.vectors.aliases().await.unwrap().len(), 2);
    assert_eq!(b.deployment.state_of(FAILED_PER_VERSION), Some(VersionState::RolledBack));
    assert_eq!(b.deployment.message_of(FAILED_PER_VERSION), None, "the layout has no column for it");
}

#[tokio::test]
async fn staging_that_an_alias_serves_meanwhile_is_deleted_in_no_store() {
    for alias in ["textbook_chunks_latest", "textbook_chunks_other"] {
        let b = bench_per_version();
        b.deployment.faults.arm("mark", Some(Step::Mark), u32::MAX, Fault::Refused, Moment::Before);
        let id = start(&b).await;
        assert_eq!(b.settle(id).await.run.state, RunState::NeedsDecision);
        // While the run waits for a person, another commits the version: the alias moves to its collection.
        let staged = b.deployment.staged();
        b.deployment.set_alias(alias, &format!("textbook_chunks_{FAILED_PER_VERSION}"));
        b.deployment.faults.clear();
        b.service.decide(id, Step::Mark, Decision::Retry, None, &tester()).await.unwrap();
        let view = b.settle(id).await;
        assert_eq!(view.run.state, RunState::NeedsDecision);
        for step in LANES {
            let view = view.step(step).unwrap();
            assert_eq!(view.state, StepState::Failed, "{step}");
            let error = view.error.as_ref().unwrap();
            assert_eq!(error.code, "changed", "{step}");
            assert!(error.message.contains(alias), "{step}: {}", error.message);
        }
        assert_eq!(b.deployment.staged(), staged, "nothing was deleted, in no store");
    }
}

#[tokio::test]
async fn aliases_that_cannot_be_read_stop_the_deletion_in_every_store() {
    let b = bench_per_version();
    for step in LANES {
        b.deployment.faults.arm("aliases", Some(step), u32::MAX, Fault::Refused, Moment::Before);
    }
    let id = start(&b).await;
    let view = b.settle(id).await;
    assert_eq!(view.run.state, RunState::NeedsDecision);
    for step in LANES {
        let error = view.step(step).unwrap().error.clone().unwrap();
        assert_eq!(error.store, Some(StoreKind::Qdrant), "{step}");
    }
    assert_eq!(b.deployment.staged(), (0, 83, 32));
}
