//! The search smoke test: stored vectors are searched for and must find themselves, in the time it used to take.

use std::time::{Duration, Instant};

use rollback_types::quantity::counted;
use rollback_types::{CheckOutcome, CheckSeverity, SearchResult};

use super::offenders::sample;
use super::{Collection, Subject};
use crate::store::{StoreError, VectorStore};

const SAMPLES: u32 = 20;
const RESULTS: u32 = 10;

/// In a large collection more than ten equal vectors may stand before the one that is searched for.
const LARGE: u64 = 1_000;
const MORE_RESULTS: u32 = 100;

/// A difference below this bothers nobody, and a busy machine alone can make it.
const NOISE_US: u64 = 20_000;

/// A search that seems slower is timed this often in all, and judged by its best: a moment's load is not the search's.
const ROUNDS: u32 = 3;

/// Searches for a sample of the collection's own vectors.
pub(super) async fn smoke_test(
    vectors: &dyn VectorStore,
    collection: &Result<Collection, StoreError>,
    subject: &Subject,
    last_known_us: Option<u64>,
) -> SearchResult {
    let mut result = SearchResult {
        state: CheckOutcome::NotChecked,
        severity: CheckSeverity::Critical,
        detail: String::new(),
        sampled: 0,
        not_found: Vec::new(),
        too_few: 0,
        median_us: None,
        last_known_us,
        slower: false,
    };
    let collection = match collection {
        Ok(collection) => collection,
        Err(e) => {
            result.detail = told(e);
            return result;
        }
    };
    if collection.points == 0 {
        let staged = matches!(subject, Subject::Staging(_));
        result.state = if staged { CheckOutcome::NotChecked } else { CheckOutcome::Failed };
        result.detail = format!("{} returns nothing: it holds no points", collection.name);
        return result;
    }
    match search(vectors, collection, &mut result).await {
        Err(e) => result.detail = told(&e),
        Ok(median) => judge(collection, median, &mut result),
    }
    result
}

/// Returns the median time; `None` when there was nothing to search for.
async fn search(
    vectors: &dyn VectorStore,
    collection: &Collection,
    result: &mut SearchResult,
) -> Result<Option<u64>, StoreError> {
    let name = &collection.name;
    let expected = collection.points.min(u64::from(RESULTS));
    let mut times = Vec::new();
    let sampled = vectors.sample(name, SAMPLES).await?;
    for stored in &sampled {
        let started = Instant::now();
        let found = vectors.nearest(name, &stored.vector, RESULTS).await?;
        times.push(micros(started.elapsed()));
        result.sampled += 1;
        result.too_few += u32::from((found.len() as u64) < expected);
        let itself = |found: &[String]| found.contains(&stored.id);
        let mut is_found = itself(&found);
        if !is_found && collection.points > LARGE {
            is_found = itself(&vectors.nearest(name, &stored.vector, MORE_RESULTS).await?);
        }
        if !is_found {
            result.not_found.push(sample(&stored.id));
        }
    }
    let Some(first) = median(times) else { return Ok(None) };
    let mut measured = Measured { best: first, rounds: 1, last_known: result.last_known_us };
    while measured.wants_another() {
        let mut times = Vec::new();
        for stored in &sampled {
            let started = Instant::now();
            vectors.nearest(name, &stored.vector, RESULTS).await?;
            times.push(micros(started.elapsed()));
        }
        measured.add(median(times).unwrap_or(first));
    }
    Ok(Some(measured.best))
}

/// The median search, of the best round so far.
struct Measured {
    best: u64,
    rounds: u32,
    last_known: Option<u64>,
}

impl Measured {
    /// It seems slower than it was, and a moment's load may be why.
    fn wants_another(&self) -> bool {
        self.rounds < ROUNDS && self.last_known.is_some_and(|last| is_slower(self.best, last))
    }

    fn add(&mut self, median: u64) {
        self.best = self.best.min(median);
        self.rounds += 1;
    }
}

fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn judge(collection: &Collection, measured: Option<u64>, result: &mut SearchResult) {
    let name = &collection.name;
    if result.sampled == 0 {
        result.state = CheckOutcome::Failed;
        result.detail = format!("{name} counts {} and gave none to search for", counted(collection.points, "points"));
        return;
    }
    result.median_us = measured;
    let median = measured.unwrap_or(0);
    result.slower = result.last_known_us.is_some_and(|last| is_slower(median, last));
    let wrong = !result.not_found.is_empty() || result.too_few > 0;
    result.state = if wrong || result.slower { CheckOutcome::Failed } else { CheckOutcome::Passed };
    if !wrong {
        result.severity = CheckSeverity::Warning;
    }
    let found = result.sampled as usize - result.not_found.len();
    result.detail = format!("{found} of {} stored vectors of {name} found themselves", result.sampled);
    if result.too_few > 0 {
        result.detail.push_str(&format!("; {} returned too few results", counted(result.too_few.into(), "searches")));
    }
    let ms = |us: u64| format!("{:.1} ms", us as f64 / 1_000.0);
    result.detail.push_str(&format!("; the median search took {}", ms(median)));
    if let Some(last) = result.last_known_us {
        let than = if result.slower { ", more than 20 % slower than the" } else { ", after" };
        result.detail.push_str(&format!("{than} {} last known", ms(last)));
    }
}

/// More than 20 % slower, and by more than noise.
fn is_slower(median_us: u64, last_us: u64) -> bool {
    let more = median_us.saturating_sub(last_us);
    more > NOISE_US && u128::from(more) * 5 > u128::from(last_us)
}

fn told(e: &StoreError) -> String {
    format!("{e}. {}", e.remedy())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Measured, is_slower};

    #[test]
    fn slower_is_more_than_a_fifth_and_more_than_noise() {
        for (median, last, slower) in [
            (119_000, 100_000, false),
            (120_001, 100_000, true),
            (1_200_000, 1_000_000, false),
            (1_200_001, 1_000_000, true),
            (20_100, 100, false),
            (20_101, 100, true),
            (5_000, 10_000, false),
            (20_000, 0, false),
            (u64::MAX, u64::MAX, false),
            (u64::MAX, 1, true),
        ] {
            assert_eq!(is_slower(median, last), slower, "{median} µs after {last} µs");
        }
    }

    #[test]
    fn what_seems_slower_is_measured_again_and_judged_by_the_best() {
        let known = Some(100_000);
        for (medians, last_known, best, rounds) in [
            ([110_000, 1, 1], known, 110_000, 1),
            ([900_000, 1, 1], None, 900_000, 1),
            ([900_000, 100_000, 1], known, 100_000, 2),
            ([900_000, 800_000, 100_000], known, 100_000, 3),
            ([800_000, 900_000, 850_000], known, 800_000, 3),
        ] {
            let [first, later @ ..] = medians;
            let mut later = later.into_iter();
            let mut measured = Measured { best: first, rounds: 1, last_known };
            while measured.wants_another() {
                measured.add(later.next().unwrap());
            }
            assert_eq!((measured.best, measured.rounds), (best, rounds), "{medians:?}");
        }
    }
}
