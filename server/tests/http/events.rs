//! The event stream: from any number the same story, and always an end.

use rollback_stores::qdrant_double::Call;

use crate::app::App;
use crate::deployment::{Deployment, Layout};
use crate::event_stream::Stream;

#[tokio::test]
async fn resumed_at_every_number_the_story_is_the_same() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let run = app.begin(&d.failed, "resumed at every number").await;
    let (story, last) = app.events(run).await.read_to_end().await;
    let numbers: Vec<_> = story.iter().map(|m| m.id.unwrap()).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "without gap or duplicate");
    assert_eq!((story[0].kind(), story.last().unwrap().kind()), ("run_started", "run_ended"));
    assert!(story.iter().all(|m| m.data["number"] == m.id.unwrap() && m.data["run_id"] == run));
    assert_eq!(app.run(run).await["last_event"], last);

    for known in 0..=last {
        let rest = &story[usize::try_from(known).unwrap()..];
        let mut asked = Stream::open(app.client, run, &format!("?after={known}"), &[]).await;
        assert_eq!(asked.read_to_end().await, (rest.to_vec(), last), "after={known}");
        let header = known.to_string();
        let mut resumed = Stream::open(app.client, run, "", &[("last-event-id", &header)]).await;
        assert_eq!(resumed.read_to_end().await, (rest.to_vec(), last), "Last-Event-ID: {known}");
    }
    // A browser that takes a stream up again repeats its address and adds the newer number.
    let mut both = Stream::open(app.client, run, "?after=2", &[("last-event-id", "5")]).await;
    assert_eq!(both.read_to_end().await.0, story[5..]);
    let mut beyond = Stream::open(app.client, run, "?after=100000", &[]).await;
    assert_eq!(beyond.read_to_end().await, (vec![], last));

    for bad in ["?after=x", "?after=-1", "?after=1.5", "?after=", "?before=1"] {
        app.get(&format!("/api/v1/runs/{run}/events{bad}")).await.problem(400, "invalid-request");
    }
    let header = [("last-event-id", "one")];
    app.send("GET", &format!("/api/v1/runs/{run}/events"), &header, "").await.problem(400, "invalid-request");
    app.get("/api/v1/runs/999/events").await.problem(404, "not-found");
}

#[tokio::test]
async fn readers_of_a_run_at_work_see_what_later_readers_see() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "watched while it happens").await;
    let mut first = app.events(run).await;
    gate.reached().await;
    // In the middle: the steps before are known, this one is not through.
    let mut middle = Stream::open(app.client, run, "?after=3", &[]).await;
    let view = app.run(run).await;
    assert_eq!(view["state"], "running");
    assert_eq!(crate::app::step(&view, "delete_points")["state"], "running");
    assert_eq!(view["ended_at"], serde_json::Value::Null);

    gate.open();
    let (seen, last) = first.read_to_end().await;
    let (story, same) = app.events(run).await.read_to_end().await;
    assert_eq!((&seen, last), (&story, same));
    assert_eq!(middle.read_to_end().await, (story[3..].to_vec(), last));
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_without_an_end_of_the_run() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    let run = app.begin(&d.failed, "the server stops meanwhile").await;
    let mut stream = app.events(run).await;
    gate.reached().await;
    app.begin_to_stop();
    while let Some(message) = stream.next().await {
        assert_ne!(message.name, "end", "the run goes on: its reader must come back");
    }
    gate.open();
}
