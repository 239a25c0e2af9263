//! Progress over several files that are read side by side.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::proof::OnBytes;
use crate::store::OnProgress;

/// Adds up the bytes of several files that are read at the same time.
#[derive(Clone)]
pub(super) struct Counter {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    progress: Option<OnProgress>,
}

impl Counter {
    pub(super) fn new(progress: Option<OnProgress>) -> Self {
        Self { done: Arc::default(), total: Arc::default(), progress }
    }

    pub(super) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// For one pass over one file.
    pub(super) fn pass(&self) -> OnBytes {
        let counter = self.clone();
        let mut seen = 0;
        Box::new(move |bytes| {
            let more = bytes.saturating_sub(seen);
            seen = bytes;
            let done = counter.done.fetch_add(more, Ordering::Relaxed) + more;
            if let Some(progress) = &counter.progress {
                progress(done / 2, counter.total.load(Ordering::Relaxed));
            }
        })
    }
}
