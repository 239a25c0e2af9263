//! By what versions are put in order: keys that compare alike whatever a registry holds.

use rollback_types::VersionSort;

use super::shape::Columns;

/// Bytes of a sort key that take part in the order; the row number decides between longer equals. Keeps cursors short
/// whatever a registry holds.
pub(super) const KEY_BYTES: usize = 256;

/// What an order compares first.
pub(super) fn sort_key(registry: &Columns, sort: VersionSort, local_offset_s: i32) -> String {
    let column = |sources: &[&str]| registry.first(sources).map(|c| format!("v.{c}"));
    let time = |sources: &[&str]| column(sources).map(|c| comparable_time(&c, local_offset_s));
    let number = |sources: &[&str]| column(sources).map(|c| comparable_number(&c, sort.is_descending()));
    bytes_key(match sort {
        VersionSort::CreatedDesc | VersionSort::CreatedAsc => time(CREATED),
        VersionSort::UpdatedDesc | VersionSort::UpdatedAsc => time(&["updated_at", "created_at", "timestamp"]),
        VersionSort::IdAsc | VersionSort::IdDesc => column(&["version_id"]),
        VersionSort::StatusAsc | VersionSort::StatusDesc => column(&["status"]),
        VersionSort::ChaptersDesc | VersionSort::ChaptersAsc => number(&["chapter_count", "chapters_count"]),
        VersionSort::ParagraphsDesc | VersionSort::ParagraphsAsc => number(&["paragraph_count"]),
    })
}

/// Where the moment stands at which a version was made.
pub(super) const CREATED: &[&str] = &["created_at", "timestamp"];

/// A value as bytes: compared the same way whatever its type, its collation and its encoding.
pub(super) fn bytes_key(expression: Option<String>) -> String {
    match expression {
        // `substr` of an empty blob is NULL, and NULL compares with nothing.
        Some(e) => format!("COALESCE(substr(CAST({e} AS BLOB), 1, {KEY_BYTES}), x'')"),
        None => "x''".to_owned(),
    }
}

/// Both spellings of a time as UTC with a space, so that they sort together: `2026-11-23T14:18:10.276785` is local
/// time, `2026-11-23 14:18:10` is UTC already.
fn comparable_time(column: &str, local_offset_s: i32) -> String {
    let shift = -i64::from(local_offset_s);
    format!(
        "CASE WHEN substr({column}, 11, 1) = 'T' THEN COALESCE(strftime('%Y-%m-%d %H:%M:%f', {column}, CASE WHEN \
         substr({column}, -1) = 'Z' OR substr({column}, -6, 1) IN ('+', '-') THEN '+0 seconds' ELSE '{shift:+} seconds' \
         END), {column}) ELSE {column} END"
    )
}

/// A whole number as text that sorts as the number does: a sign, then always as many digits. What is no whole number, and is
/// shown as none, comes last in either direction.
fn comparable_number(column: &str, descending: bool) -> String {
    let last = if descending { "" } else { "9" };
    format!(
        "CASE WHEN typeof({column}) <> 'integer' THEN '{last}' WHEN {column} < 0 THEN \
         printf('0%019lld', {column} + {max} + 1) ELSE printf('1%019lld', {column}) END",
        max = i64::MAX
    )
}
