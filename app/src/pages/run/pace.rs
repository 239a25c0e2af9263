//! How fast a step goes, by what this browser saw.

/// The latest samples of one step's progress. Knows no clock: the caller says what time it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// Milliseconds by the caller's clock, and units done by then; both rising.
    samples: Vec<(f64, u64)>,
}

impl Pace {
    /// Older samples say nothing about the pace of now.
    const WINDOW_MS: f64 = 15_000.0;
    /// Enough for the window at four samples a second.
    const MAX_SAMPLES: usize = 64;
    /// Below this span a rate would be noise.
    const MIN_SPAN_MS: f64 = 400.0;

    /// Takes a sample. A count that fell (the step began again) forgets what was before.
    pub fn push(&mut self, now_ms: f64, done: u64) {
        match self.samples.last() {
            Some((at, _)) if now_ms < *at => return,
            Some((_, last)) if done < *last => self.samples.clear(),
            _ => {}
        }
        self.samples.push((now_ms, done));
        while self.samples.len() > Self::MAX_SAMPLES
            || self.samples.first().is_some_and(|(at, _)| now_ms - at > Self::WINDOW_MS)
        {
            self.samples.remove(0);
        }
    }

    /// Units a second; `None` until two samples lie far enough apart.
    pub fn per_second(&self) -> Option<f64> {
        let ((from, a), (to, b)) = (self.samples.first()?, self.samples.last()?);
        let span = to - from;
        (span >= Self::MIN_SPAN_MS && b > a).then(|| (b - a) as f64 * 1_000.0 / span)
    }

    /// Milliseconds until `total` at this pace; `None` while that is not known.
    pub fn remaining_ms(&self, total: u64) -> Option<u64> {
        let rate = self.per_second()?;
        let (_, done) = self.samples.last()?;
        let left = total.saturating_sub(*done) as f64;
        Some((left / rate * 1_000.0).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    fn pace(samples: &[(f64, u64)]) -> Pace {
        let mut p = Pace::default();
        samples.iter().for_each(|(at, done)| p.push(*at, *done));
        p
    }

    #[test]
    fn a_steady_pace_tells_the_time_left() {
        let p = pace(&[(0.0, 0), (500.0, 500), (1_000.0, 1_000)]);
        assert_eq!(p.per_second(), Some(1_000.0));
        assert_eq!(p.remaining_ms(5_000), Some(4_000));
        assert_eq!(p.remaining_ms(1_000), Some(0));
        assert_eq!(p.remaining_ms(10), Some(0), "a total below what is done never underflows");
    }

    #[test]
    fn nothing_is_told_too_early_or_while_nothing_moves() {
        assert_eq!(pace(&[]).remaining_ms(10), None);
        assert_eq!(pace(&[(0.0, 5)]).per_second(), None);
        assert_eq!(pace(&[(0.0, 0), (100.0, 50)]).per_second(), None, "100 ms are noise");
        assert_eq!(pace(&[(0.0, 7), (5_000.0, 7)]).per_second(), None, "no progress, no promise");
    }

    #[test]
    fn the_old_pace_is_forgotten() {
        // Fast for a second, then a tenth of it for longer than the window.
        let mut p = pace(&[(0.0, 0), (1_000.0, 10_000)]);
        (2..40).for_each(|s| p.push(f64::from(s) * 1_000.0, 10_000 + u64::from(s as u32) * 1_000));
        assert_eq!(p.per_second(), Some(1_000.0));
    }

    #[test]
    fn a_step_that_begins_again_begins_its_pace_again() {
        let mut p = pace(&[(0.0, 0), (1_000.0, 1_000), (2_000.0, 100)]);
        assert_eq!(p.per_second(), None);
        p.push(3_000.0, 200);
        assert_eq!(p.per_second(), Some(100.0));
    }

    #[test]
    fn a_clock_that_goes_back_is_not_believed() {
        let p = pace(&[(0.0, 0), (1_000.0, 1_000), (500.0, 9_000)]);
        assert_eq!(p.per_second(), Some(1_000.0));
    }
}
