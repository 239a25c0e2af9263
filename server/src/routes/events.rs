//! A run's story, and changes of what pages say, as server-sent events.
//!
//! Numbered events are unnamed messages whose `id` is the event's number; progress is named `progress` and has no id;
//! `end` is sent after the last event, and the stream closes. A stream that closes without `end` is to be taken up again
//! with the last number. One that closes after `signed_out` is not: its reader's sign-in or token has ended, by which
//! time-out is said where it was one (`{"reason": "idle", "minutes": 30}`). What people add to a run that is over comes before `end` for those who read afterwards.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use access::Identity;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::future::{FutureExt as _, Shared};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use rollback_types::{Problem, RunId, StreamItem};
use tokio_stream::wrappers::WatchStream;
use utoipa::ToSchema;

use crate::access::Holder;
use crate::access::refusal::{Refusal, reason_and_minutes};
use crate::access::streams::{Ended, Pass};
use crate::problem::{ApiProblem, PathText, QueryPairs};
use crate::state::AppState;

/// Keeps proxies from closing a quiet stream, and tells its reader that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// What a browser waits before it takes a broken stream up again.
const RETRY: Duration = Duration::from_secs(1);

/// One message of a stream, as its fields name it.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what is written by hand")]
pub(crate) struct SentEvent {
    /// The number of a run's event; where a reader takes the stream up again.
    id: Option<String>,
    /// What it is: absent for an event of a run or a change of the overview, else `progress`, `beat`, `end` or `signed_out`.
    event: Option<String>,
    /// JSON.
    data: String,
}

/// Everything after an event, then live, without gap or duplicate.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", tag = "runs",
    params(
        ("id" = i64, Path, description = "the run's number"),
        ("after" = Option<u64>, Query, description = "the last event already known; `Last-Event-ID` does the same"),
        ("beats" = Option<String>, Query, description = "given: while there is nothing to tell `beat` comes in the place of a comment"),
    ),
    responses(
        (status = 200, content_type = "text/event-stream", body = SentEvent, description = "one such message after another"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "too many streams at a time"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn events(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(holder): Extension<Holder>,
    id: PathText,
    pairs: QueryPairs,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiProblem> {
    pairs.only(&["after", "beats"])?;
    let id = id.run_id()?;
    let number = |text: &str, name: &str| {
        text.trim().parse::<u64>().map_err(|_| ApiProblem::invalid(format!("{name}: allowed is an event's number")))
    };
    let after = pairs.last("after").map(|text| number(text, "after")).transpose()?;
    let resumed = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let resumed = resumed.filter(|t| !t.is_empty()).map(|text| number(text, "Last-Event-ID")).transpose()?;
    // A browser repeats the address it was given and adds the newer number as a header.
    let after = after.max(resumed).unwrap_or(0);

    let pass = enter(&state, &holder, &identity)?;
    let items = state.service.subscribe(id, after).await?;
    let stopped = stopped(&state, pass);
    let first = stream::once(async { Ok(Event::default().retry(RETRY).comment("events of one run")) });
    let sent = Arc::new(AtomicU64::new(0));
    let sending = Arc::clone(&sent);
    let rest = items.map(move |item| {
        if let StreamItem::Event(event) = &item {
            sending.store(event.number, Ordering::Relaxed);
        }
        Ok(to_sse(&item))
    });
    let end = async move { end_of(state, id, sent.load(Ordering::Relaxed), after).await };
    let end = stream::once(end).filter_map(|end| async move { end.map(Ok) });
    let stream = until(stopped, first.chain(rest).chain(end));
    let quiet = KeepAlive::new().interval(KEEP_ALIVE);
    Ok(Sse::new(stream).keep_alive(if pairs.last("beats").is_some() { beats() } else { quiet }))
}

/// Sent while nothing else is. Of a comment a browser's script hears nothing, and could not tell a quiet stream from a dead
/// line.
fn beats() -> KeepAlive {
    KeepAlive::new().interval(KEEP_ALIVE).event(Event::default().event("beat").data("1"))
}

/// A place for one more stream of this reader.
fn enter(state: &AppState, holder: &Holder, identity: &Identity) -> Result<Pass<Identity>, ApiProblem> {
    let too_many = "This sign-in or token holds as many event streams as it may.";
    state.streams.enter(&holder.0, identity).ok_or_else(|| Refusal::TooMany(too_many).into())
}

/// Resolves when the server stops, or when the reader may read no more.
fn stopped(state: &AppState, pass: Pass<Identity>) -> impl Future<Output = Option<Ended>> + Send + use<> {
    let mut stopping = state.stopping.clone();
    async move {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => None,
            // The place is given back when the stream ends, however it ends.
            ended = pass.ended() => Some(ended),
        }
    }
}

/// What is sent until the stream has to end, and then why if its reader may read no more.
fn until(
    stopped: impl Future<Output = Option<Ended>> + Send + 'static,
    told: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
) -> BoxStream<'static, Result<Event, Infallible>> {
    let stopped = stopped.boxed().shared();
    let why = Shared::clone(&stopped);
    // A stream that ended by itself has nothing to say here.
    let last = stream::once(async move { why.now_or_never().flatten() });
    let last = last.filter_map(|ended| async move { ended.and_then(signed_out).map(Ok) });
    told.take_until(stopped).chain(last).boxed()
}

/// Nothing where it is not known: the reader asks again, and is told by the answer.
fn signed_out(ended: Ended) -> Option<Event> {
    let Ended::SignedOut(by) = ended else { return None };
    let data = match by.map(reason_and_minutes) {
        Some((reason, minutes)) => format!("{{\"reason\":\"{reason}\",\"minutes\":{minutes}}}"),
        None => "{\"reason\":\"ended\"}".to_owned(),
    };
    Some(Event::default().event("signed_out").data(data))
}

/// What the overview and the other pages say, now and whenever one says something else. Each message stands for all before it.
#[utoipa::path(get, path = "/api/v1/changes", tag = "overview",
    responses(
        (status = 200, content_type = "text/event-stream", body = SentEvent, description = "one such message after another"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "too many streams at a time"),
    ))]
pub async fn changes(
    State(state): State<AppState>,
    Extension(identity): Extension<Identity>,
    Extension(holder): Extension<Holder>,
    pairs: QueryPairs,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiProblem> {
    pairs.only(&[])?;
    let pass = enter(&state, &holder, &identity)?;
    let stopped = stopped(&state, pass);
    let changes = WatchStream::new(state.changes.watch());
    let first = stream::once(async { Ok(Event::default().retry(RETRY).comment("changes of the overview")) });
    let rest = changes.filter_map(|change| async move {
        // Our own types always serialise.
        change.and_then(|change| Event::default().json_data(&change).ok()).map(Ok)
    });
    let stream = until(stopped, first.chain(rest));
    Ok(Sse::new(stream).keep_alive(beats()))
}

fn to_sse(item: &StreamItem) -> Event {
    let event = match item {
        StreamItem::Event(event) => Event::default().id(event.number.to_string()).json_data(event),
        StreamItem::Progress(progress) => Event::default().event("progress").json_data(progress),
    };
    // Our own types always serialise; were one not to, its reader takes the stream up again.
    event.unwrap_or_else(|_| Event::default().comment("an event could not be written"))
}

/// `end`, if the run is over; a stream that broke off has none.
async fn end_of(state: AppState, id: RunId, sent: u64, after: u64) -> Option<Event> {
    let run = state.service.run_summary(id).await.ok()?;
    let last = last_told(sent, after, run.last_event);
    (!run.state.is_active()).then(|| Event::default().event("end").data(format!("{{\"last_event\":{last}}}")))
}

/// The last event that the reader knows. A note that somebody adds while the stream ends was not sent, so it is not named:
/// its number is where the reader would go on.
fn last_told(sent: u64, after: u64, of_run: u64) -> u64 {
    if sent > 0 { sent } else { after.min(of_run) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_no_event_that_was_not_sent() {
        assert_eq!(last_told(9, 3, 10), 9, "a note came while the stream ended");
        assert_eq!(last_told(0, 9, 10), 9, "nothing was new to the reader, and then came a note");
        assert_eq!(last_told(0, 100, 10), 10, "the reader asked for what is not there yet");
    }
}
