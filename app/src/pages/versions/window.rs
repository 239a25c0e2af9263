//! The retention window: which versions have a backup of their own, and where those end.

use std::collections::HashMap;

use leptos::prelude::*;
use rollback_types::{Timestamp, VersionCourse, VersionId, VersionQuery, VersionRow, VersionSort};

/// It begins with the oldest version that has a backup of its own. The baseline's is kept for ever, and is no part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetentionWindow {
    /// The oldest version in it.
    pub(crate) id: VersionId,
    made: Timestamp,
    /// The baseline, which is older, has a backup.
    baseline: bool,
}

impl RetentionWindow {
    /// Nothing where no backup is kept, where the backups cannot be listed, and where a version with a backup has no time: it
    /// might stand anywhere.
    pub(crate) fn of(course: &VersionCourse, kept: Option<&HashMap<VersionId, u64>>) -> Option<Self> {
        let kept = kept?;
        let has_backup = course.versions.iter().filter(|v| kept.contains_key(&v.version_id));
        let (baselines, others): (Vec<_>, Vec<_>) = has_backup.partition(|v| v.version_id.is_baseline());
        let times: Option<Vec<_>> = others.into_iter().map(|v| Some((v.created_at?, &v.version_id))).collect();
        let (made, id) = times?.into_iter().min()?;
        Some(Self { id: id.clone(), made, baseline: !baselines.is_empty() })
    }

    /// After how many of these rows it ends, where it does so on this page. Only the newest-first order has such a place.
    pub(super) fn ends_after(&self, rows: &[VersionRow], query: &VersionQuery) -> Option<usize> {
        if query.sort != VersionSort::CreatedDesc {
            return None;
        }
        let older = |row: &VersionRow| row.created_at.is_some_and(|at| at < self.made);
        match rows.iter().position(older) {
            // A page that begins beyond it, or whose filters leave out all that is within it.
            Some(0) => None,
            Some(after) => Some(after),
            None => rows.last().filter(|last| last.version_id == self.id).map(|_| rows.len()),
        }
    }
}

/// The row that says so.
pub(super) fn end(window: &RetentionWindow, columns: usize) -> AnyView {
    let older = if window.baseline { "of the older versions only the baseline has" } else { "no older version has" };
    view! {
        <tr class="window-end">
            <td colspan=columns.to_string()>{format!("The retention window ends here: {older} a backup of its own.")}</td>
        </tr>
    }
    .into_any()
}

/// The window in words.
pub(super) fn in_words(kept: Option<usize>) -> String {
    match kept {
        None => {
            "Which versions have a backup of their own cannot be told now; the page of the backups says why.".to_owned()
        }
        Some(0) => "No version has a backup of its own: only latest-copy can be restored from.".to_owned(),
        Some(1) => "Beside latest-copy, a backup of 1 version is kept.".to_owned(),
        Some(n) => format!("Beside latest-copy, backups of {n} versions are kept."),
    }
}

#[cfg(test)]
mod tests {
    use rollback_types::VersionState;

    use super::*;

    /// `v9` is the newest.
    fn rows(numbers: impl Iterator<Item = i64>) -> Vec<VersionRow> {
        let row = |n: i64| VersionRow {
            created_at: Some(Timestamp::from_unix_ms(n * 1_000)),
            ..VersionRow::of(VersionId::new(format!("v{n}")), VersionState::Archived)
        };
        numbers.map(row).collect()
    }

    fn kept(ids: &[&str]) -> HashMap<VersionId, u64> {
        ids.iter().map(|id| (VersionId::new(*id), 1)).collect()
    }

    #[test]
    fn it_ends_below_the_oldest_version_that_has_a_backup() {
        let course = VersionCourse { versions: rows(1..=9), total: 9 };
        let window = RetentionWindow::of(&course, Some(&kept(&["v7", "v5", "no version of ours"]))).unwrap();
        let newest = VersionQuery::default();
        assert_eq!(window.ends_after(&rows((1..=9).rev()), &newest), Some(5));
        assert_eq!(window.ends_after(&rows((5..=9).rev()), &newest), Some(5), "between two pages");
        assert_eq!(window.ends_after(&rows((6..=9).rev()), &newest), None, "further on");
        assert_eq!(window.ends_after(&rows((1..=4).rev()), &newest), None, "on the page before");
        let other = VersionQuery { sort: VersionSort::IdDesc, ..newest };
        assert_eq!(window.ends_after(&rows((1..=9).rev()), &other), None);
    }

    #[test]
    fn where_it_cannot_be_told_nothing_is_said() {
        let mut course = VersionCourse { versions: rows(1..=9), total: 9 };
        assert_eq!(RetentionWindow::of(&course, None), None);
        assert_eq!(RetentionWindow::of(&course, Some(&kept(&[]))), None);
        course.versions[2].created_at = None;
        assert_eq!(
            RetentionWindow::of(&course, Some(&kept(&["v3", "v7"]))),
            None,
            "a kept version that may stand anywhere"
        );
        course.versions[0].version_id = VersionId::new("v1_baseline");
        assert_eq!(
            RetentionWindow::of(&course, Some(&kept(&["v1_baseline"]))),
            None,
            "the baseline's is kept for ever"
        );
        let window = RetentionWindow::of(&course, Some(&kept(&["v1_baseline", "v7"]))).unwrap();
        assert_eq!((window.id.as_str(), window.baseline), ("v7", true));
        assert!(in_words(None).contains("cannot be told"));
    }
}
