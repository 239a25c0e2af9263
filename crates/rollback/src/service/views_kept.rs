//! Runs as they were read last. Events never change, so whoever asks again reads only those that came since: a run's page
//! renews itself at every step, and a run may have a hundred thousand events.

use std::sync::{Mutex, PoisonError};

use rollback_types::{RunSummary, RunView};

/// Lines of a log that are kept with a view; who wants more reads all events.
const LINES: usize = 400;
/// Views that are kept; the one that was asked for longest ago goes first.
const RUNS: usize = 4;

/// The views, the latest last.
#[derive(Debug, Default)]
pub(super) struct ViewsKept(Mutex<Vec<RunView>>);

impl ViewsKept {
    /// The run as far as it was read, or from its beginning.
    pub(super) fn begin(&self, run: RunSummary, lines: usize) -> RunView {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|view| view.run.id == run.id);
        // A journal that has less than was read is another one.
        let known = known.filter(|view| lines <= LINES && view.run.last_event <= run.last_event);
        known.cloned().unwrap_or_else(|| RunView::new(run))
    }

    /// Lines that a view must not lose while it is read, if it is to be kept.
    pub(super) fn lines(lines: usize) -> usize {
        if lines <= LINES { LINES } else { lines }
    }

    /// Keeps a view of which [`lines`](Self::lines) were not cut off.
    pub(super) fn keep(&self, view: &RunView, lines: usize) {
        if lines > LINES {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.run.id != view.run.id);
        if kept.len() >= RUNS {
            kept.remove(0);
        }
        kept.push(view.clone());
    }
}
