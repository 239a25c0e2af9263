//! Two streams of ids compared as sets, in bounded memory.
//!
//! The first look at each stream counts it, adds up a 256-bit fingerprint that knows no order, and keeps the ids'
//! 16-byte hashes as long as they are few enough. If both kept theirs, the differences are known. If not, and the fingerprints
//! are equal, so are the streams. Else the ids are looked at part by part, as many parts as it takes for a part's hashes
//! to fit. The ids of a difference are told by a last look at the streams, which knows them by their hashes.

use std::collections::HashSet;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use sha2::{Digest as _, Sha256};

use crate::store::StoreError;

/// Hashes held at the same time, at most, of both sides together: 16 MB.
pub(super) const MAX_HASHES: usize = 1_000_000;

/// Something that can tell its ids again and again.
pub(super) trait IdSource: Sync {
    /// All of them, in no order, with repetitions.
    fn ids(&self) -> BoxStream<'_, Result<String, StoreError>>;
}

/// What the first look at one side leaves.
#[derive(Debug)]
pub(super) struct Tally {
    count: u64,
    /// The sum of all hashes, modulo 2^256, least significant first. A sum, because the exclusive or of two equal ids is nothing.
    sum: [u64; 4],
    /// `None` once there were too many.
    hashes: Option<Vec<u128>>,
    keep: usize,
}

impl Tally {
    /// Keeps half of `max_hashes`: the other half is the other side's.
    pub(super) fn new(max_hashes: usize) -> Self {
        Self { count: 0, sum: [0; 4], hashes: Some(Vec::new()), keep: max_hashes / 2 }
    }

    pub(super) fn add(&mut self, id: &str) {
        let digest = digest(id);
        self.count += 1;
        let mut carry = false;
        for (sum, bytes) in self.sum.iter_mut().zip(digest.as_chunks::<8>().0) {
            let (with, over) = sum.overflowing_add(u64::from_le_bytes(*bytes));
            let (with, again) = with.overflowing_add(u64::from(carry));
            (*sum, carry) = (with, over || again);
        }
        match &mut self.hashes {
            Some(hashes) if hashes.len() < self.keep => hashes.push(short(&digest)),
            other => *other = None,
        }
    }
}

/// How an id differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Difference {
    OnlyInA,
    OnlyInB,
    RepeatedInA,
    RepeatedInB,
}

/// Numbers of different ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Overlap {
    pub both: u64,
    pub either: u64,
}

/// Compares two sources that were looked at once. Each difference is told once for each id. Equal fingerprints of two
/// sides that are too many to be kept end the comparison: ids that are repeated on both sides alike are not told then.
pub(super) async fn compare(
    (a, tally_a): (&dyn IdSource, Tally),
    (b, tally_b): (&dyn IdSource, Tally),
    max_hashes: usize,
    tell: &mut (dyn FnMut(Difference, &str) + Send),
) -> Result<Overlap, StoreError> {
    let equal = (tally_a.count, tally_a.sum) == (tally_b.count, tally_b.sum);
    if let (Some(hashes_a), Some(hashes_b)) = (tally_a.hashes, tally_b.hashes) {
        return settle(a, b, hashes_a, hashes_b, Part { number: 0, of: 1 }, tell).await;
    }
    if equal {
        return Ok(Overlap { both: tally_a.count, either: tally_a.count });
    }
    // Parts are never all of one size: a quarter more of them leaves room for that.
    let side = (max_hashes / 2).max(1) as u64;
    let most = tally_a.count.max(tally_b.count);
    let of = u128::from((most + most / 4).div_ceil(side).max(1));
    let mut overlap = Overlap::default();
    for number in 0..of {
        let part = Part { number, of };
        let (hashes_a, hashes_b) = tokio::try_join!(collect(a, part), collect(b, part))?;
        let of_part = settle(a, b, hashes_a, hashes_b, part, tell).await?;
        overlap = Overlap { both: overlap.both + of_part.both, either: overlap.either + of_part.either };
    }
    Ok(overlap)
}

/// The ids whose hash leaves this remainder.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: u128,
    of: u128,
}

async fn collect(source: &dyn IdSource, part: Part) -> Result<Vec<u128>, StoreError> {
    let mut hashes = Vec::new();
    let mut ids = source.ids();
    while let Some(id) = ids.next().await {
        let hash = short(&digest(&id?));
        if hash % part.of == part.number {
            hashes.push(hash);
        }
    }
    Ok(hashes)
}

/// Compares the hashes of a part and tells the ids behind the differences.
async fn settle(
    a: &dyn IdSource,
    b: &dyn IdSource,
    hashes_a: Vec<u128>,
    hashes_b: Vec<u128>,
    part: Part,
    tell: &mut (dyn FnMut(Difference, &str) + Send),
) -> Result<Overlap, StoreError> {
    let (hashes_a, repeated_a) = different(hashes_a);
    let (hashes_b, repeated_b) = different(hashes_b);
    let missing_from = |other: &[u128], own: &[u128]| -> HashSet<u128> {
        own.iter().copied().filter(|hash| other.binary_search(hash).is_err()).collect()
    };
    let (only_a, only_b) = (missing_from(&hashes_b, &hashes_a), missing_from(&hashes_a, &hashes_b));
    let both = (hashes_a.len() - only_a.len()) as u64;
    let overlap = Overlap { both, either: both + (only_a.len() + only_b.len()) as u64 };
    drop((hashes_a, hashes_b));
    name(a, only_a, repeated_a, part, &mut |repeated, id| {
        tell(if repeated { Difference::RepeatedInA } else { Difference::OnlyInA }, id);
    })
    .await?;
    name(b, only_b, repeated_b, part, &mut |repeated, id| {
        tell(if repeated { Difference::RepeatedInB } else { Difference::OnlyInB }, id);
    })
    .await?;
    Ok(overlap)
}

/// Sorted, each once; and those that were there more than once.
fn different(mut hashes: Vec<u128>) -> (Vec<u128>, HashSet<u128>) {
    hashes.sort_unstable();
    let repeated = hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    hashes.dedup();
    (hashes, repeated)
}

/// Looks at one side again for the ids behind these hashes.
async fn name(
    source: &dyn IdSource,
    mut only: HashSet<u128>,
    mut repeated: HashSet<u128>,
    part: Part,
    tell: &mut (dyn FnMut(bool, &str) + Send),
) -> Result<(), StoreError> {
    if only.is_empty() && repeated.is_empty() {
        return Ok(());
    }
    let mut ids = source.ids();
    while let Some(id) = ids.next().await {
        let id = id?;
        let hash = short(&digest(&id));
        if hash % part.of != part.number {
            continue;
        }
        if only.remove(&hash) {
            tell(false, &id);
        }
        if repeated.remove(&hash) {
            tell(true, &id);
        }
    }
    Ok(())
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

/// Half of a SHA-256: two of a million ids are never told apart wrongly.
fn short(digest: &[u8; 32]) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(half)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::atomic::{AtomicU32, Ordering};

    use proptest::prelude::*;
    use rollback_types::StoreKind;

    use super::*;
    use crate::store::Fault;

    #[derive(Default)]
    struct Listed {
        ids: Vec<String>,
        looks: AtomicU32,
        /// The look that breaks in the middle, counted from 1.
        breaks: Option<u32>,
    }

    impl IdSource for Listed {
        fn ids(&self) -> BoxStream<'_, Result<String, StoreError>> {
            let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
            let broken = self.breaks == Some(look);
            let told = if broken { self.ids.len() / 2 } else { self.ids.len() };
            let end = broken.then(|| Err(lost()));
            Box::pin(futures::stream::iter(self.ids[..told].iter().cloned().map(Ok).chain(end)))
        }
    }

    fn lost() -> StoreError {
        StoreError {
            store: StoreKind::Qdrant,
            endpoint: "test".into(),
            operation: "telling ids".into(),
            fault: Fault::Unreachable,
            detail: "lost".into(),
        }
    }

    fn listed(ids: &[u8]) -> Listed {
        Listed { ids: ids.iter().map(|i| format!("bailey:ch1:{i}")).collect(), ..Listed::default() }
    }

    fn tally(source: &Listed, max: usize) -> Tally {
        let mut tally = Tally::new(max);
        for id in &source.ids {
            tally.add(id);
        }
        tally
    }

    type Told = BTreeMap<(Difference, String), u32>;

    fn compared(a: &Listed, b: &Listed, max: usize) -> Result<(Told, Overlap), StoreError> {
        let mut told = Told::new();
        let mut tell = |difference, id: &str| *told.entry((difference, id.to_owned())).or_default() += 1;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let overlap = runtime.block_on(compare((a, tally(a, max)), (b, tally(b, max)), max, &mut tell))?;
        Ok((told, overlap))
    }

    fn expected(a: &Listed, b: &Listed) -> (Told, Overlap) {
        let set = |s: &Listed| s.ids.iter().cloned().collect::<BTreeSet<_>>();
        let (set_a, set_b) = (set(a), set(b));
        let repeated = |s: &Listed, id: &String| s.ids.iter().filter(|i| *i == id).count() > 1;
        let mut told = Told::new();
        told.extend(set_a.difference(&set_b).map(|id| ((Difference::OnlyInA, id.clone()), 1)));
        told.extend(set_b.difference(&set_a).map(|id| ((Difference::OnlyInB, id.clone()), 1)));
        told.extend(set_a.iter().filter(|id| repeated(a, id)).map(|id| ((Difference::RepeatedInA, id.clone()), 1)));
        told.extend(set_b.iter().filter(|id| repeated(b, id)).map(|id| ((Difference::RepeatedInB, id.clone()), 1)));
        let overlap =
            Overlap { both: set_a.intersection(&set_b).count() as u64, either: set_a.union(&set_b).count() as u64 };
        (told, overlap)
    }

    proptest! {
        #[test]
        fn it_agrees_with_naive_sets(
            a in prop::collection::vec(0_u8..40, 0..60),
            b in prop::collection::vec(0_u8..40, 0..60),
            max in prop_oneof![Just(MAX_HASHES), 0_usize..30],
        ) {
            let (a, b) = (listed(&a), listed(&b));
            let (mut told, overlap) = compared(&a, &b, max).unwrap();
            let (mut naive, naive_overlap) = expected(&a, &b);
            let sorted = |s: &Listed| { let mut ids = s.ids.clone(); ids.sort(); ids };
            let too_many = a.ids.len().max(b.ids.len()) > max / 2;
            if too_many && sorted(&a) == sorted(&b) {
                // The one thing that fingerprints cannot tell: the same repetitions on both sides.
                naive.retain(|(d, _), _| matches!(d, Difference::OnlyInA | Difference::OnlyInB));
                prop_assert_eq!(std::mem::take(&mut told), naive);
            } else {
                prop_assert_eq!(told, naive);
                prop_assert_eq!(overlap, naive_overlap);
            }
        }

        #[test]
        fn a_fingerprint_tells_multisets_apart(
            a in prop::collection::vec(0_u8..6, 0..8),
            b in prop::collection::vec(0_u8..6, 0..8),
        ) {
            let (x, y) = (tally(&listed(&a), 0), tally(&listed(&b), 0));
            let (mut a, mut b) = (a, b);
            a.sort_unstable();
            b.sort_unstable();
            prop_assert_eq!((x.count, x.sum) == (y.count, y.sum), a == b);
        }
    }

    #[test]
    fn equal_sides_are_looked_at_no_second_time_however_many() {
        for max in [10, MAX_HASHES] {
            let (a, b) = (listed(&(0..200).collect::<Vec<_>>()), listed(&(0..200).rev().collect::<Vec<_>>()));
            let (told, overlap) = compared(&a, &b, max).unwrap();
            assert!(told.is_empty());
            assert_eq!(overlap, Overlap { both: 200, either: 200 });
            assert_eq!((a.looks.into_inner(), b.looks.into_inner()), (0, 0));
        }
    }

    #[test]
    fn a_side_that_breaks_at_any_look_is_an_error() {
        let (ids_a, ids_b) = ((0..50).collect::<Vec<u8>>(), (10..60).collect::<Vec<u8>>());
        let looks = {
            let a = listed(&ids_a);
            compared(&a, &listed(&ids_b), 20).unwrap();
            a.looks.into_inner()
        };
        assert!(looks > 5, "{looks} looks: several parts");
        for look in 1..=looks {
            let a = Listed { breaks: Some(look), ..listed(&ids_a) };
            assert!(compared(&a, &listed(&ids_b), 20).is_err(), "look {look}");
        }
    }
}
