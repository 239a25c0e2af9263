//! What the server does by itself.

use std::time::Duration;

use rollback_stores::qdrant_double::Call;
use stepback_server::schedule::Schedule;
use stepback_server::wire;
use tokio::sync::watch;

use crate::app::App;
use crate::deployment::{Deployment, Layout};

const SOON: Duration = Duration::from_millis(5);

#[tokio::test]
async fn every_backup_is_proven_again_and_tried_and_the_schedule_ends_with_the_server() {
    let d = Deployment::new(Layout::Shared).await;
    let wired = wire(&d.config()).await.unwrap();
    let service = wired.service.clone();
    let (stop, stopping) = watch::channel(false);
    let day = Duration::from_secs(24 * 3_600);
    let schedule = Schedule { every: Some(day), trial_every: Some(day), look: SOON, retry: day, sweep: SOON };
    let keeping = tokio::spawn({
        let service = service.clone();
        async move { schedule.keep(&service, stopping).await }
    });
    let tried = async {
        loop {
            let looks = service.last_looks().await.unwrap();
            if looks.iter().all(|(_, read, tried)| read.is_some() && tried.is_some()) {
                return looks;
            }
            tokio::task::yield_now().await;
        }
    };
    let looks = tokio::time::timeout(Duration::from_secs(120), tried).await.expect("not every backup was tried");
    assert_eq!(looks.len(), 7);
    assert!(service.backups().await.unwrap().iter().all(|health| health.intact));
    stop.send_replace(true);
    keeping.await.unwrap();
}

#[tokio::test]
async fn nothing_is_verified_while_a_run_is_active() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let config = d.config_with(&double);
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&config).await;
    let run = app.begin(&d.failed, "a run that takes its time").await;
    let mut events = app.events(run).await;
    events.until("step_started").await;

    // A second service sees the run in the journal as the schedule of the server itself would.
    let beside = stepback_server::wire_beside(&config).await.unwrap();
    let (stop, stopping) = watch::channel(false);
    let day = Duration::from_secs(24 * 3_600);
    let schedule = Schedule { every: Some(day), trial_every: None, look: SOON, retry: SOON, sweep: SOON };
    let keeping = tokio::spawn({
        let beside = beside.clone();
        async move { schedule.keep(&beside, stopping).await }
    });
    let kept: Vec<_> = beside.backup_sources().await.unwrap();
    let before = app.get("/api/v1/runs").await.json(200)["items"][0]["state"].clone();
    assert_eq!(before, "running");
    gate.open();
    events.read_to_end().await;
    // Only now the schedule gets its turn.
    let ended = app.run(run).await["ended_at"].as_str().map(str::to_owned).expect("the run is over");
    let ended: jiff::Timestamp = ended.parse().unwrap();
    let looked = async {
        loop {
            let looks = beside.last_looks().await.unwrap();
            if looks.iter().all(|(_, read, _)| read.is_some()) {
                return looks;
            }
            tokio::task::yield_now().await;
        }
    };
    let looks = tokio::time::timeout(Duration::from_secs(120), looked).await.expect("not every backup was looked at");
    assert_eq!(looks.len(), kept.len());
    for (source, read, _) in looks.into_iter().skip(1) {
        let read = jiff::Timestamp::try_from(read.unwrap()).unwrap();
        assert!(read.as_millisecond() >= ended.as_millisecond(), "{source:?} was read during the run");
    }
    stop.send_replace(true);
    keeping.await.unwrap();
}
