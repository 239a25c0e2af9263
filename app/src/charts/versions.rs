//! How the versions of a list grew: chapters, paragraphs and the bytes of their backups, one bar a version.

use std::collections::HashMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::{VersionId, VersionRow, VersionState};

use super::{ChartError, ink, themed};
use crate::format;

const WIDTH: u32 = 720;
const PANEL: u32 = 92;
const TOP: u32 = 34;
const BOTTOM: u32 = 28;
const LEFT: i32 = 92;
const RIGHT: i32 = 12;
/// More bars than these cannot be told apart.
const MOST: usize = 120;

/// One figure of every version, oldest first; negative ones and missing ones have no bar.
struct Panel {
    title: &'static str,
    values: Vec<Option<u64>>,
    /// A figure in words.
    words: fn(u64) -> String,
}

/// Draws the rows that have a time and figures, oldest first. Solid bars are versions that were or are in production,
/// hollow ones all others. Nothing when fewer than two versions have a figure: one bar shows no growth.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn versions_chart(
    id: &str,
    rows: &[VersionRow],
    kept: &HashMap<VersionId, u64>,
) -> Result<Option<String>, ChartError> {
    let mut rows: Vec<&VersionRow> = rows.iter().filter(|r| r.created_at.is_some()).collect();
    rows.sort_by_key(|r| r.created_at);
    let rows = &rows[rows.len().saturating_sub(MOST)..];
    let panel = |title, of: fn(&VersionRow) -> Option<i64>| Panel {
        title,
        values: rows.iter().map(|r| of(r).and_then(|n| u64::try_from(n).ok())).collect(),
        words: format::count,
    };
    let sizes = rows.iter().map(|r| kept.get(&r.version_id).copied()).collect();
    let mut panels = vec![
        panel("Chapters", |r| r.chapter_count),
        panel("Paragraphs", |r| r.paragraph_count),
        Panel { title: "Backup", values: sizes, words: format::bytes },
    ];
    panels.retain(|p| p.values.iter().flatten().count() > 1);
    if panels.is_empty() {
        return Ok(None);
    }
    let size = (WIDTH, TOP + BOTTOM + PANEL * u32::try_from(panels.len()).unwrap_or(1));
    let mut drawing = String::new();
    draw(&mut drawing, size, rows, &panels)?;
    themed(&drawing, id, size, "Chapters, paragraphs and backups over the versions", &description(&panels)).map(Some)
}

/// What is or was production.
fn was_production(state: &VersionState) -> bool {
    matches!(state, VersionState::Committed | VersionState::InUse | VersionState::Archived | VersionState::Restored)
}

/// The chart in words, for those who do not see it.
fn description(panels: &[Panel]) -> String {
    let parts: Vec<String> = panels
        .iter()
        .map(|panel| {
            let mut known = panel.values.iter().flatten();
            let (first, last) = (known.next().copied().unwrap_or(0), known.next_back().copied().unwrap_or(0));
            let most = panel.values.iter().flatten().max().copied().unwrap_or(0);
            format!(
                "{}: from {} in the oldest version to {} in the newest, at most {}",
                panel.title,
                (panel.words)(first),
                (panel.words)(last),
                (panel.words)(most)
            )
        })
        .collect();
    format!("{}.", parts.join(". "))
}

fn draw(out: &mut String, size: (u32, u32), rows: &[&VersionRow], panels: &[Panel]) -> Result<(), ChartError> {
    let failed = |e: &dyn std::fmt::Display| ChartError(e.to_string());
    let root = SVGBackend::with_string(out, size).into_drawing_area();
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));
    let (top, panel_height) = (i32::try_from(TOP).unwrap_or(0), i32::try_from(PANEL).unwrap_or(0));
    let right = i32::try_from(WIDTH).unwrap_or(0) - RIGHT;
    let slot = f64::from(right - LEFT) / rows.len().max(1) as f64;
    let bar_width = (slot * 0.7).clamp(2.0, 26.0);

    // Truncation to whole pixels is what is wanted.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let edges = |index: usize| {
        let left = f64::from(LEFT) + slot * index as f64 + (slot - bar_width) / 2.0;
        (left as i32, (left + bar_width) as i32)
    };
    legend(&root).map_err(|e| failed(&e))?;
    for (number, panel) in panels.iter().enumerate() {
        let ceiling = top + panel_height * i32::try_from(number).unwrap_or(0) + 10;
        let floor = ceiling + panel_height - 24;
        let most = panel.values.iter().flatten().max().copied().unwrap_or(0).max(1);
        for y in [ceiling, floor] {
            root.draw(&PathElement::new(vec![(LEFT, y), (right, y)], ink::LINE)).map_err(|e| failed(&e))?;
        }
        let scale = style(&ink::MUTED, HPos::Right, VPos::Center);
        root.draw_text(panel.title, &style(&ink::TEXT, HPos::Right, VPos::Center), (LEFT - 8, (ceiling + floor) / 2))
            .map_err(|e| failed(&e))?;
        root.draw_text(&(panel.words)(most), &scale, (LEFT - 8, ceiling)).map_err(|e| failed(&e))?;
        root.draw_text("0", &scale, (LEFT - 8, floor)).map_err(|e| failed(&e))?;
        for (index, value) in panel.values.iter().enumerate() {
            let Some(value) = value else { continue };
            #[expect(clippy::cast_possible_truncation, reason = "a part of the panel's height")]
            let height = (*value as f64 / most as f64 * f64::from(floor - ceiling)) as i32;
            let (from, to) = edges(index);
            let corners = [(from, floor - height.max(1)), (to, floor)];
            let solid = rows.get(index).is_some_and(|row| was_production(&row.status));
            let bar = if solid { ink::ACCENT.filled() } else { ink::ACCENT.stroke_width(1) };
            root.draw(&Rectangle::new(corners, bar)).map_err(|e| failed(&e))?;
        }
    }
    let below = i32::try_from(size.1).unwrap_or(0) - 20;
    let date = |row: Option<&&VersionRow>, x, side| {
        let Some(at) = row.and_then(|r| r.created_at) else { return Ok(()) };
        let day = format::utc(at);
        let day = day.split(',').next().unwrap_or_default().to_owned();
        root.draw_text(&day, &style(&ink::MUTED, side, VPos::Top), (x, below)).map_err(|e| failed(&e))
    };
    date(rows.first(), LEFT, HPos::Left)?;
    date(rows.last(), right, HPos::Right)?;
    root.present().map_err(|e| failed(&e))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Solid: production. Hollow: the others.
fn legend(root: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let style = (ink::FAMILY, 15).into_font().color(&ink::MUTED).pos(Pos::new(HPos::Left, VPos::Center));
    let y = 14;
    let fail = |e: &dyn std::fmt::Display| e.to_string();
    for (x, text, solid) in [(LEFT, "is or was in production", true), (LEFT + 210, "any other state", false)] {
        let look = if solid { ink::ACCENT.filled() } else { ink::ACCENT.stroke_width(1) };
        root.draw(&Rectangle::new([(x, y - 6), (x + 12, y + 6)], look)).map_err(|e| fail(&e))?;
        root.draw_text(text, &style, (x + 20, y)).map_err(|e| fail(&e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{Timestamp, VersionId};

    fn row(n: i64, status: VersionState, chapters: Option<i64>, paragraphs: Option<i64>) -> VersionRow {
        let id = VersionId::new(format!("v{n}<b>"));
        VersionRow {
            candidacy: status.candidacy(&[]),
            version_id: id,
            status,
            status_message: None,
            created_at: Some(Timestamp::from_unix_ms(1_000_000 * n)),
            updated_at: None,
            sqlite_snapshot: None,
            qdrant_snapshot: None,
            neo4j_snapshot: None,
            chapter_count: chapters,
            paragraph_count: paragraphs,
            validation_passed: None,
            committed_by: None,
            notes: None,
            commit_hash: None,
            oddities: Vec::new(),
        }
    }

    /// Height of every bar in the order drawn, without the two of the legend.
    fn heights(svg: &str) -> Vec<i32> {
        let height = |l: &str| l.split(" height=\"").nth(1)?.split('"').next()?.parse().ok();
        svg.lines().filter(|l| l.starts_with("<rect")).skip(2).filter_map(height).collect()
    }

    #[test]
    fn bars_are_in_the_order_of_time_and_as_high_as_their_figures() {
        let rows = [
            row(3, VersionState::Failed, Some(20), None),
            row(1, VersionState::Committed, Some(10), None),
            row(2, VersionState::Committed, None, None),
        ];
        let svg = versions_chart("v", &rows, &HashMap::new()).unwrap().unwrap();
        let heights = heights(&svg);
        assert_eq!(heights.len(), 2, "no bar for what is not known");
        assert!((heights[1] - 2 * heights[0]).abs() <= 2, "{heights:?}");
        assert!(svg.contains("from 10 in the oldest version to 20 in the newest, at most 20"));
        assert!(!svg.contains("Paragraphs:"), "a figure that no version has is not drawn");
        assert!(!svg.contains("\"#"), "a colour is still fixed");
    }

    #[test]
    fn the_size_of_a_backup_stands_under_its_version() {
        let rows: Vec<_> = (1..=3).map(|n| row(n, VersionState::Committed, None, None)).collect();
        let kept = HashMap::from([(rows[0].version_id.clone(), 1_000_000), (rows[2].version_id.clone(), 2_000_000)]);
        let svg = versions_chart("v", &rows, &kept).unwrap().unwrap();
        assert!(
            svg.contains("Backup: from 1.0 MB in the oldest version to 2.0 MB in the newest, at most 2.0 MB"),
            "{svg}"
        );
        assert_eq!(heights(&svg).len(), 2);
    }

    #[test]
    fn one_figure_is_no_growth_and_nonsense_breaks_nothing() {
        assert_eq!(versions_chart("v", &[], &HashMap::new()), Ok(None));
        assert_eq!(versions_chart("v", &[row(1, VersionState::Failed, Some(3), Some(4))], &HashMap::new()), Ok(None));
        let odd: Vec<_> = (0..500).map(|n| row(n, VersionState::Pending, Some(i64::MAX), Some(-n))).collect();
        assert_eq!(heights(&versions_chart("v", &odd, &HashMap::new()).unwrap().unwrap()).len(), MOST);
    }
}
