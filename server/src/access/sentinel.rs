//! Looks after open event streams: a user who is disabled or whose sign-in ran out, or a token that is revoked, reads no
//! longer than a few seconds.

use std::sync::Arc;
use std::time::Duration;

use access::{Access, Identity};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::streams::{Ended, Streams};

/// Between two looks. One look asks once for each holder, however many streams they have.
const LOOK: Duration = Duration::from_secs(2);

/// Ends the streams of those who may not read any more, until the server stops. What cannot be looked up may not be read.
pub async fn watch_streams(access: Arc<Access>, streams: Arc<Streams<Identity>>, mut stopping: watch::Receiver<bool>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        for (holder, identity) in streams.holders() {
            match access.still_valid(&identity).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    tracing::info!(who = %identity.name, "event streams end: their sign-in or token has ended");
                    // Why is said for the reader's sake only: they read no longer in any case.
                    let by = access.end_of_sign_in(&identity).await.ok().flatten();
                    streams.end(&holder, Ended::SignedOut(by));
                }
                Err(error) => {
                    tracing::error!(%error, who = %identity.name, "event streams end: their holder cannot be looked up");
                    streams.end(&holder, Ended::Unknown);
                }
            }
        }
    }
}
