//! Every call of the network adapters in every kind of weather: refused, reset in the middle, silence, half an answer,
//! slow. Each ends in time with a fault that is worth trying again; the next call in clear weather succeeds; no task is
//! left over.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "clippy spares test functions, not what they share")]

mod neo4j;
mod proxy;
mod qdrant;

use std::future::Future;
use std::time::Duration;

use proxy::Weather;
use rollback::store::StoreError;

/// The faults that every call must come through.
const WEATHERS: [Weather; 9] = [
    Weather::Refused,
    Weather::ResetOnAnswer,
    Weather::ResetAfter(12),
    Weather::Silence,
    Weather::NoAnswer,
    Weather::HalfAnswer(12),
    Weather::HalfClosed(12),
    Weather::Slow(400),
    Weather::Late(Duration::from_millis(300)),
];

/// Slow weather alone may let a call through.
fn may_succeed(weather: Weather) -> bool {
    matches!(weather, Weather::Slow(_) | Weather::Late(_))
}

/// Far longer than any time-out here and far shorter than for ever: a hang fails the test and does not stop it.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(180);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("it hangs: {what}"))
}

/// A fault of the weather is one that is worth trying again.
#[track_caller]
fn is_weather(what: &str, weather: Weather, result: Result<(), StoreError>) {
    match result {
        Ok(()) => assert!(may_succeed(weather), "{what} in {weather:?} says that it was done"),
        Err(error) => assert!(error.fault.is_transient(), "{what} in {weather:?}: {:?}: {error}", error.fault),
    }
}

/// Waits until nothing runs but the test itself.
async fn no_task_is_left() {
    let tasks = tokio::runtime::Handle::current();
    in_time("a task is left over", async {
        while tasks.metrics().num_alive_tasks() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
