//! A run's story for one reader: the journal from a number on, then live, in order, without gaps or duplicates.
//!
//! It ends with the last event the journal has of a run that is over. Notes that people add to such a run later are part
//! of what a later reader gets; nobody waits for them, since they may never come.

use std::sync::Arc;

use rollback_types::{Event, EventKind, RunId, StreamItem};
use tokio::sync::{broadcast, mpsc};

use crate::journal::Journal;

/// Events read from the journal at once.
const PAGE: u32 = 500;

/// Feeds one reader until the run's last event, or until the reader leaves.
pub(crate) struct Subscription {
    pub journal: Arc<dyn Journal>,
    pub run: RunId,
    pub last: u64,
    /// The run's own last event was handed on.
    pub over: bool,
    pub tx: mpsc::Sender<StreamItem>,
}

/// What became of handing on.
enum Flow {
    Open,
    /// The reader left, or the journal failed.
    Ended,
}

impl Subscription {
    /// `live` must have been subscribed to before this is called, so that nothing falls between journal and stream.
    pub(crate) async fn feed(mut self, live: Option<broadcast::Receiver<StreamItem>>) {
        let mut flow = self.replay().await;
        let Some(mut live) = live else { return };
        while matches!(flow, Flow::Open) && !self.over {
            let item = tokio::select! {
                item = live.recv() => item,
                () = self.tx.closed() => return,
            };
            flow = match item {
                Ok(StreamItem::Event(event)) if event.number == self.last + 1 => self.hand_on(event).await,
                // Behind: a duplicate. Ahead: something was missed; the journal has it.
                Ok(StreamItem::Event(event)) if event.number <= self.last => Flow::Open,
                Ok(StreamItem::Event(_)) | Err(broadcast::error::RecvError::Lagged(_)) => self.replay().await,
                Ok(progress @ StreamItem::Progress(_)) => match self.tx.send(progress).await {
                    Ok(()) => Flow::Open,
                    Err(_) => Flow::Ended,
                },
                Err(broadcast::error::RecvError::Closed) => {
                    self.replay().await;
                    Flow::Ended
                }
            };
        }
    }

    async fn replay(&mut self) -> Flow {
        loop {
            let events = match self.journal.events(self.run, self.last, PAGE).await {
                Ok(events) => events,
                Err(e) => {
                    // The reader sees the stream end and comes back with its last number.
                    tracing::warn!(run = %self.run, error = %e, "events could not be read for a subscriber");
                    return Flow::Ended;
                }
            };
            if events.is_empty() {
                return Flow::Open;
            }
            for event in events {
                if let Flow::Ended = self.hand_on(event).await {
                    return Flow::Ended;
                }
            }
        }
    }

    async fn hand_on(&mut self, event: Event) -> Flow {
        self.last = event.number;
        // An interrupted run may be resumed: its later events are part of the story.
        self.over |= matches!(event.kind, EventKind::RunEnded { .. } | EventKind::RunAbandoned { .. });
        match self.tx.send(StreamItem::Event(event)).await {
            Ok(()) => Flow::Open,
            Err(_) => Flow::Ended,
        }
    }
}
