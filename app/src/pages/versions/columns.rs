//! Which columns the list of versions has: chosen once, remembered by the browser.

use leptos::prelude::*;
use rollback_types::VersionSort;

use crate::components::Column;

/// The cookie that remembers the choice: the words of the columns, joined by dots.
pub const COOKIE: &str = "__Host-stepback-columns";
/// The address that the choice is sent to.
pub const ADDRESS: &str = "/preferences/columns";

/// A column that may be left out. Version, state and action always stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optional {
    /// How many chapters.
    Chapters,
    /// How many paragraphs.
    Paragraphs,
    /// How large its backup is.
    Backup,
    /// Who committed it.
    CommittedBy,
    /// When it was made.
    Made,
    /// When it changed last.
    Changed,
}

impl Optional {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 6] =
        [Self::Chapters, Self::Paragraphs, Self::Backup, Self::CommittedBy, Self::Made, Self::Changed];
    /// Those of whoever has not chosen.
    const USUAL: [Self; 3] = [Self::Chapters, Self::Backup, Self::Made];

    /// Its word in form and cookie.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chapters => "chapters",
            Self::Paragraphs => "paragraphs",
            Self::Backup => "backup",
            Self::CommittedBy => "committed_by",
            Self::Made => "made",
            Self::Changed => "changed",
        }
    }

    /// The column of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.as_str() == word)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Chapters => "Chapters",
            Self::Paragraphs => "Paragraphs",
            Self::Backup => "Backup",
            Self::CommittedBy => "Committed by",
            Self::Made => "Made",
            Self::Changed => "Changed",
        }
    }

    /// The orders of its column: the one that its head asks for first, and the reverse. A backup's size is no matter of the
    /// registry, and who committed a version is searched for rather than sorted by.
    pub(super) fn orders(self) -> Option<(VersionSort, VersionSort)> {
        match self {
            Self::Chapters => Some((VersionSort::ChaptersDesc, VersionSort::ChaptersAsc)),
            Self::Paragraphs => Some((VersionSort::ParagraphsDesc, VersionSort::ParagraphsAsc)),
            Self::Made => Some((VersionSort::CreatedDesc, VersionSort::CreatedAsc)),
            Self::Changed => Some((VersionSort::UpdatedDesc, VersionSort::UpdatedAsc)),
            Self::Backup | Self::CommittedBy => None,
        }
    }

    pub(super) fn head(self) -> Column {
        match self {
            Self::CommittedBy => Column::text(self.title()),
            _ => Column::number(self.title()),
        }
    }
}

/// What a cookie's value remembers; whoever has none, or one of another time, has the usual columns.
fn remembered(value: Option<&str>) -> Vec<Optional> {
    match value {
        None => Optional::USUAL.to_vec(),
        Some(value) => Optional::ALL.into_iter().filter(|c| value.split('.').any(|word| word == c.as_str())).collect(),
    }
}

/// The columns that this page's reader has chosen.
pub(super) fn chosen() -> Vec<Optional> {
    let cookies = use_context::<http::request::Parts>().map(|parts| {
        let values = parts.headers.get_all(http::header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        values.collect::<Vec<_>>().join(";")
    });
    let cookies = cookies.unwrap_or_default();
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    remembered(pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value))
}

/// The choice: a form.
#[component]
pub(super) fn ColumnChoice(chosen: Vec<Optional>) -> impl IntoView {
    let boxes = Optional::ALL
        .into_iter()
        .map(|column| {
            view! {
                <label class="check-label">
                    <input type="checkbox" name="column" value=column.as_str() checked=chosen.contains(&column) />
                    <span>{column.title()}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <details class="columns">
            <summary class="btn small">"Columns"</summary>
            <form method="post" action=ADDRESS>
                <fieldset>
                    <legend class="small muted">"Shown beside version and state"</legend>
                    {boxes}
                </fieldset>
                <button class="btn small" type="submit">
                    "Show these"
                </button>
            </form>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_a_choice_even_of_nothing() {
        assert_eq!(remembered(None), Optional::USUAL);
        assert_eq!(remembered(Some("")), []);
        assert_eq!(remembered(Some("made.chapters.<script>")), [Optional::Chapters, Optional::Made]);
        assert!(Optional::ALL.into_iter().all(|c| Optional::parse(c.as_str()) == Some(c)));
    }
}
