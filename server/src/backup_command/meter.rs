//! How far a look at a backup is: one line on standard error, and only where somebody watches.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::{Arc, Mutex, PoisonError};

use rollback::store::OnProgress;

/// A line that is written over while the files of one backup are read, and then restored on trial.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<Mutex<Shown>>);

#[derive(Debug)]
struct Shown {
    name: String,
    percent: Option<u64>,
    trying: bool,
}

impl Meter {
    /// `None` where standard error is no terminal: a log has no use for it.
    pub(super) fn for_terminal(name: &str) -> Option<Self> {
        let shown = Shown { name: name.to_owned(), percent: None, trying: false };
        stderr().is_terminal().then(|| Self(Arc::new(Mutex::new(shown))))
    }

    /// Told by the threads that read.
    pub(super) fn on_progress(&self) -> OnProgress {
        let shown = self.0.clone();
        Arc::new(move |done, total| {
            let line = shown.lock().unwrap_or_else(PoisonError::into_inner).line(done, total);
            if let Some(line) = line {
                // A terminal that went away is no reason to stop looking.
                let _ = write!(stderr().lock(), "\r{line}");
            }
        })
    }

    /// The line goes: what was seen is told on standard output.
    pub(super) fn clear(self) {
        let _ = write!(stderr().lock(), "\r\x1b[K");
    }
}

impl Shown {
    /// `None` while it would look the same.
    fn line(&mut self, done: u64, total: u64) -> Option<String> {
        let percent = u64::try_from(u128::from(done) * 100 / u128::from(total.max(1))).unwrap_or(100).min(100);
        // Reading tells its bytes in order; what begins anew is the trial.
        let before = self.percent.replace(percent);
        self.trying |= before.is_some_and(|before| before >= 99 && percent < before);
        let what = if self.trying { "restoring on trial" } else { "reading" };
        (before != Some(percent)).then(|| format!("{}: {what}, {percent} %\x1b[K", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn the_line_changes_with_each_percent_and_tells_the_trial_from_the_reading() {
        let mut shown = Shown { name: "latest-copy".to_owned(), percent: None, trying: false };
        let told = [(0, 1_000), (4, 1_000), (500, 1_000), (1_000, 1_000), (10, 1_000), (2_000, 1_000), (1, 0)]
            .map(|(done, total)| shown.line(done, total));
        let told = told.map(|line| line.map(|line| line.replace("\x1b[K", "")));
        assert_eq!(
            told.each_ref().map(Option::as_deref),
            [
                Some("latest-copy: reading, 0 %"),
                None,
                Some("latest-copy: reading, 50 %"),
                Some("latest-copy: reading, 100 %"),
                Some("latest-copy: restoring on trial, 1 %"),
                Some("latest-copy: restoring on trial, 100 %"),
                None,
            ]
        );
        assert!(shown.line(u64::MAX, u64::MAX).is_none());
    }
}
