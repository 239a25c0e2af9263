//! Lists that were read and still hold: a long registry is not sorted anew for every look at it.
//!
//! Each list is kept beside the stamp of the file that it was read from. Pages that people look at may come from here; plans and
//! steps read the file.

use std::sync::{Mutex, PoisonError};

use rollback::store::RegistryStamp;
use rollback_types::{Page, StateCount, VersionQuery, VersionRow};

/// Lists that are kept: what a few people look at.
const MOST: usize = 8;

#[derive(Debug, Default)]
struct Held {
    stamp: Option<RegistryStamp>,
    pages: Vec<(VersionQuery, Page<VersionRow>)>,
    counts: Option<Vec<StateCount>>,
}

/// The lists of one state of the file.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<Held>);

impl Lists {
    /// The page, if the file is as it was when it was read.
    pub(super) fn page(&self, stamp: Option<&RegistryStamp>, query: &VersionQuery) -> Option<Page<VersionRow>> {
        self.held(stamp, |held| held.pages.iter().find(|(q, _)| q == query).map(|(_, page)| page.clone()))
    }

    /// The counts, likewise.
    pub(super) fn counts(&self, stamp: Option<&RegistryStamp>) -> Option<Vec<StateCount>> {
        self.held(stamp, |held| held.counts.clone())
    }

    /// Keeps a page that was read after `stamp` was taken.
    pub(super) fn keep_page(&self, stamp: Option<&RegistryStamp>, query: &VersionQuery, page: &Page<VersionRow>) {
        self.keep(stamp, |held| {
            held.pages.retain(|(q, _)| q != query);
            if held.pages.len() >= MOST {
                held.pages.remove(0);
            }
            held.pages.push((query.clone(), page.clone()));
        });
    }

    /// Keeps counts, likewise.
    pub(super) fn keep_counts(&self, stamp: Option<&RegistryStamp>, counts: &[StateCount]) {
        self.keep(stamp, |held| held.counts = Some(counts.to_vec()));
    }

    fn held<T>(&self, stamp: Option<&RegistryStamp>, look: impl FnOnce(&Held) -> Option<T>) -> Option<T> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && held.stamp.as_ref() == stamp { look(&held) } else { None }
    }

    fn keep(&self, stamp: Option<&RegistryStamp>, put: impl FnOnce(&mut Held)) {
        let Some(stamp) = stamp else { return };
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.stamp.as_ref() != Some(stamp) {
            *held = Held { stamp: Some(stamp.clone()), ..Held::default() };
        }
        put(&mut held);
    }
}

#[cfg(test)]
mod tests {
    use rollback_types::VersionState;

    use super::*;

    fn counts(count: u64) -> Vec<StateCount> {
        vec![StateCount { status: VersionState::from("failed"), count }]
    }

    #[test]
    fn what_was_read_holds_for_its_own_stamp_alone() {
        let (first, second) = (RegistryStamp("one".to_owned()), RegistryStamp("two".to_owned()));
        let lists = Lists::default();
        assert_eq!(lists.counts(Some(&first)), None);
        lists.keep_counts(Some(&first), &counts(1));
        assert_eq!(lists.counts(Some(&first)), Some(counts(1)));
        assert_eq!((lists.counts(Some(&second)), lists.counts(None)), (None, None));
        // What is kept of the new state takes the old one's place.
        lists.keep_counts(Some(&second), &counts(2));
        assert_eq!((lists.counts(Some(&second)), lists.counts(Some(&first))), (Some(counts(2)), None));
        lists.keep_counts(None, &counts(3));
        assert_eq!((lists.counts(Some(&second)), lists.counts(None)), (Some(counts(2)), None));
    }

    #[test]
    fn only_so_many_pages_are_kept_and_each_is_its_querys() {
        let (lists, stamp) = (Lists::default(), RegistryStamp("one".to_owned()));
        let stamp = Some(&stamp);
        let query = |n: usize| VersionQuery { q: Some(n.to_string()), ..VersionQuery::default() };
        let page = Page { items: Vec::new(), next_cursor: None };
        for n in 0..=MOST {
            lists.keep_page(stamp, &query(n), &page);
        }
        assert_eq!(lists.page(stamp, &query(0)), None, "the oldest made room");
        assert!((1..=MOST).all(|n| lists.page(stamp, &query(n)).is_some()));
        assert_eq!(lists.page(stamp, &VersionQuery::default()), None);
    }
}
