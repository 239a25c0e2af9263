//! How the versions grew: drawn over all of them, with the figures behind the drawing.

use std::collections::HashMap;

use leptos::prelude::*;
use rollback_types::{VersionCourse, VersionId};

use super::number;
use crate::api::runs::Drawings;
use crate::charts::drawn_versions;
use crate::components::{Card, Chart, Column, Figures};
use crate::format;

const TITLE: &str = "Growth";

/// The card. `narrowed`: the list above shows only a part of the versions.
pub(super) fn card(
    drawings: Drawings,
    course: &VersionCourse,
    kept: Option<&HashMap<VersionId, u64>>,
    narrowed: bool,
) -> impl IntoView + use<> {
    let shown = drawn_versions(&course.versions, kept);
    let footer = covers(shown.len() as u64, course, narrowed);
    let footer = view! { <p>{footer}</p> };
    let rows = shown
        .into_iter()
        .map(|v| {
            let backup = kept.and_then(|kept| kept.get(&v.version_id)).copied();
            view! {
                <tr>
                    <td class="id">{format::clip(&format::visible(v.version_id.as_str()), 120)}</td>
                    <td class="num">{v.chapter_count.map(number)}</td>
                    <td class="num">{v.paragraph_count.map(number)}</td>
                    <td class="num">{backup.map(format::bytes)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title=TITLE footer=footer.into_any()>
            <Chart title=TITLE drawings=drawings />
            <Figures
                title=TITLE
                columns=vec![
                    Column::text("Version"),
                    Column::number("Chapters"),
                    Column::number("Paragraphs"),
                    Column::number("Backup"),
                ]
            >
                {rows}
            </Figures>
        </Card>
    }
}

/// What the drawing shows, and what it leaves out.
fn covers(drawn: u64, course: &VersionCourse, narrowed: bool) -> String {
    let what = if drawn < course.total {
        format!(
            "{} of {}, spread evenly, and among them every version that has a backup of its own; the newest stands on the right.",
            format::count(drawn),
            format::counted(course.total, "versions")
        )
    } else {
        "Every version whose time is known, the newest on the right.".to_owned()
    };
    if narrowed { format!("{what} Search and filters do not narrow it.") } else { what }
}

#[cfg(test)]
mod tests {
    use rollback_types::{Timestamp, VersionRow, VersionState};

    use super::*;

    #[test]
    fn a_sample_is_called_one() {
        let row = |n: i64| VersionRow {
            created_at: Some(Timestamp::from_unix_ms(n)),
            ..VersionRow::of(VersionId::new(format!("v{n}")), VersionState::Archived)
        };
        let versions: Vec<VersionRow> = (0..3).map(row).collect();
        let all = covers(3, &VersionCourse { versions: versions.clone(), total: 3 }, true);
        assert_eq!(
            all,
            "Every version whose time is known, the newest on the right. Search and filters do not narrow it."
        );
        let sample = covers(3, &VersionCourse { versions, total: 100_000 }, false);
        assert!(sample.starts_with("3 of 100,000 versions, spread evenly"), "{sample}");
    }
}
