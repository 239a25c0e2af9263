//! What was, and what is now, field by field.

use leptos::prelude::*;
use rollback_types::Difference;

use super::table::{Column, DataTable};
use crate::format;

/// No value is shown longer; what is cut stands in the problem document.
const LONGEST: usize = 400;

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What changed, in words.
    pub what: String,
    /// What it was; absent when it was not there, or is not known any more.
    pub before: Option<String>,
    /// What it is now; absent when it is gone.
    pub now: Option<String>,
}

impl From<Difference> for Change {
    fn from(difference: Difference) -> Self {
        Self { what: difference.field, before: difference.before, now: difference.now }
    }
}

/// Before → now, as a table; on a phone a list.
#[component]
pub fn Diff(
    /// What is compared, for assistive software.
    #[prop(into)]
    label: String,
    /// The changes.
    changes: Vec<Change>,
    /// The head of the older side.
    #[prop(default = "Before")]
    before: &'static str,
    /// The head of the newer side.
    #[prop(default = "Now")]
    now: &'static str,
) -> impl IntoView {
    let shown = |value: Option<String>| match value {
        // Not there, or not known any more.
        None => "–".to_owned(),
        Some(value) if value.is_empty() => "(empty)".to_owned(),
        Some(value) => format::clip(&format::visible(&value), LONGEST),
    };
    let rows = changes
        .into_iter()
        .map(|change| {
            view! {
                <tr>
                    <td class="wide foreign">{format::visible(&change.what)}</td>
                    <td data-label=before>
                        <del class="foreign">{shown(change.before)}</del>
                    </td>
                    <td data-label=now>
                        <ins class="foreign">{shown(change.now)}</ins>
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="diff">
            <DataTable label=label columns=vec![Column::text("What"), Column::text(before), Column::text(now)]>
                {rows}
            </DataTable>
        </div>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_is_empty() {
        let changes = vec![
            Change { what: "rows".into(), before: Some("12".into()), now: None },
            Change { what: "note".into(), before: Some(String::new()), now: Some("<b>".into()) },
        ];
        let html = Owner::new().with(|| view! { <Diff label="What changed" changes=changes /> }.to_html());
        for part in ["12", "–", "(empty)", "&lt;b&gt;", "data-label=\"Before\""] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}
