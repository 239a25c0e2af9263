//! How far a step is, as its readers are told: what it counts, what it does beside that, and a beat while neither moves.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rollback_types::quantity::{bytes, count};
use rollback_types::{Progress, Step};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::context::{Halt, Message};
use crate::store::OnProgress;

/// A step at work is silent for no longer: its readers are told something at least once a second.
const BEAT: Duration = Duration::from_millis(900);

/// What the parts of a phase are. A phase is no part of the step's own count, and may be counted in something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    NodesAndRelationships,
}

/// The meter of one step: one denominator for all of it, of what the step is there for. What comes before that, or after it, is a
/// phase, told in words.
#[derive(Debug)]
pub(crate) struct Meter {
    step: Step,
    tx: mpsc::Sender<Message>,
    /// The least time between two reports.
    interval: Duration,
    told: Mutex<Told>,
}

#[derive(Debug)]
struct Told {
    /// When this try of the step began.
    began: Instant,
    /// The last word.
    at: Instant,
    counted: Option<Counted>,
    phase: Option<Phase>,
    /// Phases begun, those of earlier tries too: the number of the present one.
    phases: u64,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    done: u64,
    total: u64,
    /// When the count last moved.
    moved: Instant,
    /// When it was last told.
    told: Instant,
}

#[derive(Debug)]
struct Phase {
    words: String,
    began: Instant,
    /// How far, of how much.
    part: Option<(u64, u64, Unit)>,
}

impl Meter {
    pub(crate) fn new(step: Step, tx: mpsc::Sender<Message>, interval: Duration) -> Self {
        let now = Instant::now();
        let told = Told { began: now, at: now, counted: None, phase: None, phases: 0 };
        Self { step, tx, interval, told: Mutex::new(told) }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A try begins: what an earlier one did last is not what this one does.
    pub(crate) fn begin(&self) {
        let now = Instant::now();
        let mut told = self.told();
        *told = Told { began: now, at: now, counted: None, phase: None, phases: told.phases };
    }

    /// Units handled, and units in all. `None`: too soon after the last report; the first, and the one that all is done, never are.
    pub(crate) fn count(&self, done: u64, total: u64) -> Option<Progress> {
        let now = Instant::now();
        let mut told = self.told();
        let before = told.counted;
        let done = before.map_or(done, |b| b.done.max(done));
        let moved = before.filter(|b| b.done == done).map_or(now, |b| b.moved);
        // A count that stands still says nothing new: what was said to be done goes on.
        if done > before.map_or(0, |b| b.done) {
            told.phase = None;
        }
        let due =
            before.is_none_or(|b| now.duration_since(b.told) >= self.interval || (done >= total && b.done < done));
        let last = if due { now } else { before.map_or(now, |b| b.told) };
        told.counted = Some(Counted { done, total, moved, told: last });
        if !due {
            return None;
        }
        told.at = now;
        Some(told.progress(self.step, now))
    }

    /// What the step does now, in words, until the next of them or until its count moves.
    pub(crate) async fn phase(&self, words: impl Into<String>) -> Result<(), Halt> {
        let progress = self.begin_phase(words.into());
        self.tx.send(Message::Progress(progress)).await.map_err(|_| Halt::EngineGone)
    }

    /// The same from a thread that must not wait.
    pub(crate) fn phase_from_thread(&self, words: &str) {
        let progress = self.begin_phase(words.to_owned());
        // Full or closed: the next beat says the same.
        let _ = self.tx.try_send(Message::Progress(progress));
    }

    fn begin_phase(&self, words: String) -> Progress {
        let now = Instant::now();
        let mut told = self.told();
        told.phases += 1;
        told.phase = Some(Phase { words, began: now, part: None });
        told.at = now;
        told.progress(self.step, now)
    }

    /// How far the present phase is; from any thread. Once that is over, what is told of it is nobody's.
    pub(crate) fn parts_of_phase(self: &Arc<Self>, unit: Unit) -> OnProgress {
        let (meter, last, number) = (self.clone(), Mutex::new(None::<Instant>), self.told().phases);
        Arc::new(move |done, total| {
            let now = Instant::now();
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            let progress = {
                let mut told = meter.told();
                if told.phases != number {
                    return;
                }
                let Some(phase) = told.phase.as_mut() else { return };
                let done = phase.part.map_or(done, |(before, _, _)| before.max(done));
                phase.part = Some((done, total, unit));
                if last.is_some_and(|at| now.duration_since(at) < meter.interval) {
                    return;
                }
                told.at = now;
                told.progress(meter.step, now)
            };
            *last = Some(now);
            // Full or closed: the next beat says the same.
            let _ = meter.tx.try_send(Message::Progress(progress));
        })
    }

    /// Counts from a thread that must not wait: a report is dropped when the channel is full.
    pub(crate) fn count_from_thread(self: &Arc<Self>) -> OnProgress {
        let meter = self.clone();
        Arc::new(move |done, total| {
            if let Some(progress) = meter.count(done, total) {
                // Full or closed: progress may be lost, the step's result may not and goes another way.
                let _ = meter.tx.try_send(Message::Progress(progress));
            }
        })
    }

    /// Never ends: whenever the step was silent for a while, tells again what it does, and for how long it has done that.
    pub(crate) async fn beat(self: Arc<Self>) -> Infallible {
        loop {
            let due = self.told().at + BEAT;
            tokio::time::sleep_until(due).await;
            let now = Instant::now();
            let progress = {
                let mut told = self.told();
                if now.duration_since(told.at) < BEAT {
                    continue;
                }
                told.at = now;
                told.progress(self.step, now)
            };
            // Full: others are heard. Closed: the step ends at its next word.
            let _ = self.tx.try_send(Message::Progress(progress));
        }
    }
}

impl Told {
    fn progress(&self, step: Step, now: Instant) -> Progress {
        let (done, total) = self.counted.map_or((0, 0), |c| (c.done, c.total));
        Progress { step, done, total, doing: self.doing(now) }
    }

    /// Nothing where the count itself tells what the step does.
    fn doing(&self, now: Instant) -> Option<String> {
        let (words, since) = match (&self.phase, self.counted) {
            (Some(phase), _) => {
                let part = phase.part.filter(|(_, total, _)| *total > 0);
                (format!("{}{}", phase.words, part.map(in_words).unwrap_or_default()), phase.began)
            }
            (None, Some(c)) if c.total == 0 => ("At work".to_owned(), c.moved),
            (None, Some(c)) if c.done >= c.total => ("Being verified".to_owned(), c.moved),
            (None, Some(_)) => return None,
            (None, None) => ("At work".to_owned(), self.began),
        };
        let time = Some(now.duration_since(since)).filter(|t| t.as_secs() > 0).map(|t| format!(" · {}", in_time(t)));
        Some(format!("{words}{}", time.unwrap_or_default()))
    }
}

/// `: 4.0 MB of 40 MB`.
fn in_words((done, total, unit): (u64, u64, Unit)) -> String {
    match unit {
        Unit::Bytes => format!(": {} of {}", bytes(done.min(total)), bytes(total)),
        Unit::NodesAndRelationships => {
            format!(": {} of {} nodes and relationships", count(done.min(total)), count(total))
        }
    }
}

/// Whole seconds: it only shows that time passes.
fn in_time(time: Duration) -> String {
    match time.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s => format!("{} min {} s", s / 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> (Arc<Meter>, mpsc::Receiver<Message>) {
        let (tx, rx) = mpsc::channel(64);
        (Arc::new(Meter::new(Step::RestoreQdrant, tx, Duration::from_millis(150))), rx)
    }

    async fn next(rx: &mut mpsc::Receiver<Message>) -> (u64, u64, Option<String>) {
        match rx.recv().await {
            Some(Message::Progress(p)) => (p.done, p.total, p.doing),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_phase_is_told_in_words_and_leaves_the_count_alone() {
        let (meter, mut rx) = meter();
        meter.phase("Trying the copy").await.unwrap();
        assert_eq!(next(&mut rx).await, (0, 0, Some("Trying the copy".into())));
        let part = meter.parts_of_phase(Unit::Bytes);
        part(4_000_000, 40_000_000);
        assert_eq!(next(&mut rx).await, (0, 0, Some("Trying the copy: 4.0 MB of 40 MB".into())));
        tokio::time::advance(Duration::from_secs(75)).await;
        part(1, 40_000_000);
        let told = next(&mut rx).await.2.unwrap();
        assert_eq!(told, "Trying the copy: 4.0 MB of 40 MB · 1 min 15 s", "it never goes back");
        // The count begins: nothing is handled yet, so the phase is still what happens.
        meter.count_from_thread()(0, 500);
        assert!(next(&mut rx).await.2.is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        meter.count_from_thread()(20, 500);
        assert_eq!(next(&mut rx).await, (20, 500, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_silent_beats_and_says_for_how_long() {
        let (meter, mut rx) = meter();
        let beating = tokio::spawn(meter.clone().beat());
        let began = Instant::now();
        let mut last = began;
        for _ in 0..4 {
            next(&mut rx).await;
            assert!(last.elapsed() <= Duration::from_secs(1));
            last = Instant::now();
        }
        assert_eq!(next(&mut rx).await, (0, 0, Some("At work · 4 s".into())));
        meter.count_from_thread()(7, 7);
        assert_eq!(next(&mut rx).await, (7, 7, Some("Being verified".into())));
        next(&mut rx).await;
        assert_eq!(next(&mut rx).await, (7, 7, Some("Being verified · 1 s".into())));
        beating.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_count_that_moves_ends_a_phase_and_none_of_none_is_not_verified() {
        let (meter, mut rx) = meter();
        assert_eq!(meter.count(0, 0).unwrap().doing.as_deref(), Some("At work"));
        meter.begin();
        assert!(meter.count(9, 9).is_some());
        meter.phase("The store takes in what was handed over").await.unwrap();
        tokio::time::advance(Duration::from_millis(500)).await;
        let again = meter.count(9, 9).unwrap();
        assert_eq!(again.doing.as_deref(), Some("The store takes in what was handed over"));
        next(&mut rx).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_word_about_an_earlier_phase_is_none_about_the_next() {
        let (meter, mut rx) = meter();
        meter.phase("Trying the copy").await.unwrap();
        let late = meter.parts_of_phase(Unit::Bytes);
        meter.phase("Clearing the way").await.unwrap();
        late(4_000_000, 40_000_000);
        let earlier_try = meter.parts_of_phase(Unit::Bytes);
        meter.begin();
        meter.phase("Trying the copy").await.unwrap();
        earlier_try(5_000_000, 40_000_000);
        tokio::spawn(meter.beat());
        for words in ["Trying the copy", "Clearing the way", "Trying the copy", "Trying the copy"] {
            assert_eq!(next(&mut rx).await.2.as_deref(), Some(words));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_is_throttled_but_for_its_end_and_never_goes_back() {
        let (meter, _rx) = meter();
        assert!(meter.count(1, 10).is_some());
        assert!(meter.count(2, 10).is_none());
        assert_eq!(meter.count(10, 10).map(|p| p.done), Some(10));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(meter.count(3, 10).map(|p| p.done), Some(10));
        meter.begin();
        assert_eq!(meter.count(3, 10).map(|p| p.done), Some(3), "another try");
    }
}
