//! Looking at runs, and following them.

use futures::stream::{BoxStream, StreamExt};
use rollback_types::{Event, RunId, RunState, RunSummary, RunView, StepDuration, StreamItem};
use tokio_stream::wrappers::ReceiverStream;

use super::views_kept::ViewsKept;
use super::{Answer, RollbackService};
use crate::error::ServiceError;
use crate::journal::RunRecord;
use crate::plan::earlier_runs::taken_over_by;
use crate::subscription::Subscription;

/// Events read from the journal at once.
const PAGE: u32 = 500;

impl RollbackService {
    /// One run with its steps and log.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn run(&self, id: RunId) -> Answer<RunView> {
        self.run_with_log(id, usize::MAX).await
    }

    /// How one run stands, without its story.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_summary(&self, id: RunId) -> Answer<RunSummary> {
        let mut run = self.record(id).await?.summary;
        self.tell_orphan(&mut run).await;
        Ok(run)
    }

    /// The later run that took over the version of a rollback that did not come to its end, if one did.
    ///
    /// # Errors
    /// The journal's.
    pub async fn taken_over_by(&self, run: &RunSummary) -> Answer<Option<RunSummary>> {
        if !matches!(run.state, RunState::Interrupted | RunState::Aborted) {
            return Ok(None);
        }
        let mut later = taken_over_by(self.journal.as_ref(), run).await?;
        if let Some(later) = &mut later {
            self.tell_orphan(later).await;
        }
        Ok(later)
    }

    /// One run with its steps and the last lines of its log.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_with_log(&self, id: RunId, lines: usize) -> Answer<RunView> {
        let record = self.record(id).await?;
        let mut view = self.views_kept.begin(record.summary, lines);
        let left = self.read_on(&mut view, |view, _| view.keep_last_lines(ViewsKept::lines(lines))).await?;
        self.views_kept.keep(&view, lines);
        view.keep_last_lines(lines);
        Self::tell_orphan_view(&mut view, left);
        Ok(view)
    }

    /// Applies all events that the view does not know; `read` sees each page of them. Whether nobody carries the run out that
    /// was read.
    pub(super) async fn read_on(
        &self,
        view: &mut RunView,
        mut read: impl FnMut(&mut RunView, Vec<Event>),
    ) -> Answer<bool> {
        loop {
            // Looked at before the journal: what an engine that is gone said last is found there.
            let left = self.is_left(view.run.id);
            let events = self.journal.events(view.run.id, view.run.last_event, PAGE).await?;
            if events.is_empty() {
                return Ok(left);
            }
            for event in &events {
                view.apply(event);
            }
            read(view, events);
        }
    }

    /// A run that nobody carries out is shown as interrupted, with all its steps.
    pub(super) fn tell_orphan_view(view: &mut RunView, left: bool) {
        if left && view.run.state.is_active() {
            view.run.state = RunState::Interrupted;
        }
        if view.run.state == RunState::Interrupted {
            view.cut_off(None);
        }
    }

    /// The run as the journal has it.
    pub(super) async fn record(&self, id: RunId) -> Answer<RunRecord> {
        self.journal.run(id).await?.ok_or_else(|| ServiceError::NotFound(format!("There is no run #{id}.")))
    }

    /// Everything after event `after`, then live, in order, without gaps or duplicates; ends after the last event of a run
    /// that is over, with the notes that people have added to it by then.
    /// Progress is only part of it while it happens.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's.
    pub async fn subscribe(&self, id: RunId, after: u64) -> Answer<BoxStream<'static, StreamItem>> {
        // Subscribed to before the journal is read: nothing can fall between the two.
        let live = self.live(id).map(|l| l.events.subscribe());
        self.record(id).await?;
        let (tx, rx) = tokio::sync::mpsc::channel(256);
        let subscription = Subscription { journal: self.journal.clone(), run: id, last: after, over: false, tx };
        tokio::spawn(subscription.feed(live));
        Ok(ReceiverStream::new(rx).boxed())
    }

    /// Median durations of the steps here, beside the document's.
    ///
    /// # Errors
    /// The journal's.
    pub async fn step_durations(&self) -> Answer<Vec<StepDuration>> {
        Ok(self.journal.step_durations().await?)
    }
}
