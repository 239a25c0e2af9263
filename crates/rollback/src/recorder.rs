//! The one place where events are numbered, journalled and then shown, in this order.

use std::sync::Arc;

use rollback_types::{Event, EventKind, Progress, RunId, RunKind, StreamItem, Timestamp};
use tokio::sync::broadcast;

use crate::journal::{Journal, JournalError};
use crate::procedure::{IllegalTransition, Procedure};
use crate::story::Story;

/// Why an event could not be recorded. The run halts: nothing is done that is not in the journal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Not a fault: Stepback is to stop, and the steps have ended.
    #[error("Stepback is stopping")]
    Stopping,
    #[error("a defect in Stepback: {0}")]
    Illegal(#[from] IllegalTransition),
}

/// Numbers, journals and publishes the events of one run.
#[derive(Debug)]
pub(crate) struct Recorder {
    run: RunId,
    journal: Arc<dyn Journal>,
    tx: broadcast::Sender<StreamItem>,
    pub procedure: Procedure,
    last: u64,
}

impl Recorder {
    pub(crate) fn new(run: RunId, kind: RunKind, journal: Arc<dyn Journal>, tx: broadcast::Sender<StreamItem>) -> Self {
        Self { run, journal, tx, procedure: Procedure::new(kind), last: 0 }
    }

    /// Goes on where the journal ends.
    pub(crate) fn resumed(story: &Story, journal: Arc<dyn Journal>, tx: broadcast::Sender<StreamItem>) -> Self {
        let (run, last) = (story.record.summary.id, story.last);
        Self { run, journal, tx, procedure: story.procedure.clone(), last }
    }

    /// Takes the event into the state machine, appends it, then publishes it. After an error the state is as before.
    pub(crate) async fn record(&mut self, kind: EventKind) -> Result<(), RecordError> {
        let mut next = self.procedure.clone();
        next.apply(&kind)?;
        let state = next.run_state();
        let event = Event { number: self.last + 1, run_id: self.run, at: Timestamp::now(), kind };
        self.journal.append(&event, state).await?;
        self.last = event.number;
        self.procedure = next;
        // Nobody may be listening: that is fine, they read the journal when they come.
        let _ = self.tx.send(StreamItem::Event(event));
        Ok(())
    }

    /// Shows how far a step is; nothing is journalled.
    pub(crate) fn show(&self, progress: Progress) {
        let _ = self.tx.send(StreamItem::Progress(progress));
    }
}
