//! Lists that were read and still hold: a long registry is not sorted anew for every look at it.
//!
//! Each list is kept beside the stamp of the file that it was read from. Pages that people look at may come from here; plans and
//! steps read the file.

use std::sync::{Mutex, PoisonError};

use rollback::store::RegistryStamp;
use rollback_types::{Page, StateCount, VersionCourse, VersionId, VersionQuery, VersionRow};

/// Lists that are kept: what a few people look at.
const MOST: usize = 8;

#[derive(Debug, Default)]
struct Held {
    stamp: Option<RegistryStamp>,
    pages: Vec<(VersionQuery, Page<VersionRow>)>,
    counts: Vec<(Option<String>, Vec<StateCount>)>,
    course: Option<(Vec<VersionId>, VersionCourse)>,
}

/// The lists of one state of the file.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<Held>);

impl Lists {
    /// The page, if the file is as it was when it was read.
    pub(super) fn page(&self, stamp: Option<&RegistryStamp>, query: &VersionQuery) -> Option<Page<VersionRow>> {
        self.held(stamp, |held| held.pages.iter().find(|(q, _)| q == query).map(|(_, page)| page.clone()))
    }

    /// The counts of a search, likewise.
    pub(super) fn counts(&self, stamp: Option<&RegistryStamp>, search: Option<&str>) -> Option<Vec<StateCount>> {
        self.held(stamp, |held| held.counts.iter().find(|(of, _)| of.as_deref() == search).map(|(_, n)| n.clone()))
    }

    /// The versions over time, likewise.
    pub(super) fn course(&self, stamp: Option<&RegistryStamp>, named: &[VersionId]) -> Option<VersionCourse> {
        self.held(stamp, |held| held.course.as_ref().filter(|(of, _)| of == named).map(|(_, course)| course.clone()))
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

    /// Keeps the counts of a search, likewise.
    pub(super) fn keep_counts(&self, stamp: Option<&RegistryStamp>, search: Option<&str>, counts: &[StateCount]) {
        self.keep(stamp, |held| {
            held.counts.retain(|(of, _)| of.as_deref() != search);
            if held.counts.len() >= MOST {
                held.counts.remove(0);
            }
            held.counts.push((search.map(str::to_owned), counts.to_vec()));
        });
    }

    /// Keeps the versions over time, likewise: the latest that were asked for.
    pub(super) fn keep_course(&self, stamp: Option<&RegistryStamp>, named: &[VersionId], course: &VersionCourse) {
        self.keep(stamp, |held| held.course = Some((named.to_vec(), course.clone())));
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
        let kept = |stamp: Option<&RegistryStamp>| lists.counts(stamp, None);
        assert_eq!(kept(Some(&first)), None);
        lists.keep_counts(Some(&first), None, &counts(1));
        assert_eq!(kept(Some(&first)), Some(counts(1)));
        assert_eq!((kept(Some(&second)), kept(None)), (None, None));
        // What is kept of the new state takes the old one's place.
        lists.keep_counts(Some(&second), None, &counts(2));
        assert_eq!((kept(Some(&second)), kept(Some(&first))), (Some(counts(2)), None));
        lists.keep_counts(None, None, &counts(3));
        assert_eq!((kept(Some(&second)), kept(None)), (Some(counts(2)), None));
    }

    #[test]
    fn counts_are_of_their_search_and_a_course_of_its_names() {
        let (lists, stamp) = (Lists::default(), RegistryStamp("one".to_owned()));
        let stamp = Some(&stamp);
        lists.keep_counts(stamp, Some("major"), &counts(1));
        lists.keep_counts(stamp, None, &counts(9));
        assert_eq!(lists.counts(stamp, Some("major")), Some(counts(1)));
        assert_eq!((lists.counts(stamp, None), lists.counts(stamp, Some("minor"))), (Some(counts(9)), None));
        let (none, one) = (VersionCourse::default(), [VersionId::new("v1")]);
        lists.keep_course(stamp, &one, &none);
        assert_eq!((lists.course(stamp, &one), lists.course(stamp, &[])), (Some(none), None));
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
