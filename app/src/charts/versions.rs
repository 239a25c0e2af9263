//! How the versions grew: chapters, paragraphs and the bytes of their backups, one bar a version.

use std::collections::HashMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::{VersionId, VersionRow, VersionState};

use super::{ChartError, Room, ink, themed};
use crate::format;

const PANEL: u32 = 92;
const BOTTOM: u32 = 28;
const RIGHT: i32 = 12;
/// More bars than these cannot be told apart: of the versions without a backup every so-manieth is drawn.
const MOST: usize = 120;
/// What the legend says, and how far its names stand apart.
const LEGEND: [(&str, i32); 3] =
    [("is or was in production", 200), ("any other state", 150), ("backups are kept from here on", 0)];
/// Between the lines of the legend.
const LINE: i32 = 22;

/// Its measures, in pixels.
#[derive(Clone, Copy)]
struct Frame {
    width: u32,
    top: u32,
    left: i32,
    /// Each name of the legend has a line of its own.
    stacked: bool,
}

impl Frame {
    fn of(room: Room) -> Self {
        match room {
            Room::Wide => Self { width: 720, top: 34, left: 92, stacked: false },
            Room::Narrow => Self { width: 340, top: 78, left: 84, stacked: true },
        }
    }

    fn right(self) -> i32 {
        i32::try_from(self.width).unwrap_or(0) - RIGHT
    }
}

/// One figure of every version, oldest first; negative ones and missing ones have no bar.
struct Panel {
    title: &'static str,
    values: Vec<Option<u64>>,
    /// A figure in words.
    words: fn(u64) -> String,
}

/// Draws the rows that have a time and figures, oldest first. Solid bars are versions that were or are in production,
/// hollow ones all others; a line stands before `window`, where the kept backups begin. Nothing when fewer than two versions
/// have a figure: one bar shows no growth.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn versions_chart(
    id: &str,
    rows: &[VersionRow],
    kept: Option<&HashMap<VersionId, u64>>,
    window: Option<&VersionId>,
    room: Room,
) -> Result<Option<String>, ChartError> {
    let rows = drawn(rows, kept);
    let panel = |title, of: fn(&VersionRow) -> Option<i64>| Panel {
        title,
        values: rows.iter().map(|r| of(r).and_then(|n| u64::try_from(n).ok())).collect(),
        words: format::count,
    };
    let sizes: Vec<Option<u64>> = rows.iter().map(|r| kept?.get(&r.version_id).copied()).collect();
    let window = rows.iter().position(|row| Some(&row.version_id) == window);
    let mut panels = vec![
        panel("Chapters", |r| r.chapter_count),
        panel("Paragraphs", |r| r.paragraph_count),
        Panel { title: "Backup", values: sizes, words: format::bytes },
    ];
    panels.retain(|p| p.values.iter().flatten().count() > 1);
    if panels.is_empty() {
        return Ok(None);
    }
    let frame = Frame::of(room);
    let size = (frame.width, frame.top + BOTTOM + PANEL * u32::try_from(panels.len()).unwrap_or(1));
    let mut drawing = String::new();
    draw(&mut drawing, size, frame, &rows, &panels, window)?;
    let oldest = window.and_then(|at| rows.get(at)).map(|row| row.version_id.as_str());
    let description = description(&panels, oldest);
    themed(&drawing, id, size, "Chapters, paragraphs and backups over the versions", &description).map(Some)
}

/// What is drawn of these rows, oldest first: those of a known time, as many as can be told apart, spread evenly, and every one
/// that has a backup.
pub fn drawn<'a>(rows: &'a [VersionRow], kept: Option<&HashMap<VersionId, u64>>) -> Vec<&'a VersionRow> {
    let mut rows: Vec<&VersionRow> = rows.iter().filter(|r| r.created_at.is_some()).collect();
    rows.sort_by_key(|r| r.created_at);
    let most = MOST.min(rows.len());
    let part = |place: usize| place * most / rows.len().max(1);
    let has_backup = |row: &VersionRow| kept.is_some_and(|kept| kept.contains_key(&row.version_id));
    let shown = |(i, row): &(usize, &&VersionRow)| part(i + 1) > part(*i) || has_backup(row);
    rows.iter().enumerate().filter(shown).map(|(_, row)| *row).collect()
}

/// What is or was production.
fn was_production(state: &VersionState) -> bool {
    matches!(state, VersionState::Committed | VersionState::InUse | VersionState::Archived | VersionState::Restored)
}

/// The chart in words, for those who do not see it.
fn description(panels: &[Panel], oldest_kept: Option<&str>) -> String {
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
    let window =
        oldest_kept.map(|id| format!(" Backups are kept from {} on.", format::clip(&format::visible(id), 120)));
    format!("{}.{}", parts.join(". "), window.unwrap_or_default())
}

fn draw(
    out: &mut String,
    size: (u32, u32),
    frame: Frame,
    rows: &[&VersionRow],
    panels: &[Panel],
    window: Option<usize>,
) -> Result<(), ChartError> {
    let failed = |e: &dyn std::fmt::Display| ChartError(e.to_string());
    let root = SVGBackend::with_string(out, size).into_drawing_area();
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));
    let (top, panel_height) = (i32::try_from(frame.top).unwrap_or(0), i32::try_from(PANEL).unwrap_or(0));
    let (left, right) = (frame.left, frame.right());
    let slot = f64::from(right - left) / rows.len().max(1) as f64;
    let bar_width = (slot * 0.7).clamp(1.0, 26.0);

    // Truncation to whole pixels is what is wanted.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let edges = |index: usize| {
        let from = f64::from(left) + slot * index as f64 + (slot - bar_width) / 2.0;
        (from as i32, ((from + bar_width) as i32).max(from as i32 + 1))
    };
    legend(&root, frame, window.is_some()).map_err(|e| failed(&e))?;
    for (number, panel) in panels.iter().enumerate() {
        let ceiling = top + panel_height * i32::try_from(number).unwrap_or(0) + 10;
        let floor = ceiling + panel_height - 24;
        let most = panel.values.iter().flatten().max().copied().unwrap_or(0).max(1);
        for y in [ceiling, floor] {
            root.draw(&PathElement::new(vec![(left, y), (right, y)], ink::LINE)).map_err(|e| failed(&e))?;
        }
        let scale = style(&ink::MUTED, HPos::Right, VPos::Center);
        root.draw_text(panel.title, &style(&ink::TEXT, HPos::Right, VPos::Center), (left - 8, (ceiling + floor) / 2))
            .map_err(|e| failed(&e))?;
        root.draw_text(&(panel.words)(most), &scale, (left - 8, ceiling)).map_err(|e| failed(&e))?;
        root.draw_text("0", &scale, (left - 8, floor)).map_err(|e| failed(&e))?;
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
    if let Some(index) = window {
        // Half way between the bar and the one before it.
        #[expect(clippy::cast_possible_truncation, reason = "as above")]
        let half = ((slot - bar_width) / 2.0) as i32;
        let x = edges(index).0 - half.max(1);
        let through = vec![(x, top), (x, top + panel_height * i32::try_from(panels.len()).unwrap_or(0) - 14)];
        root.draw(&PathElement::new(through, ink::MUTED)).map_err(|e| failed(&e))?;
    }
    let below = i32::try_from(size.1).unwrap_or(0) - 20;
    let date = |row: Option<&&VersionRow>, x, side| {
        let Some(at) = row.and_then(|r| r.created_at) else { return Ok(()) };
        let day = format::utc(at);
        let day = day.split(',').next().unwrap_or_default().to_owned();
        root.draw_text(&day, &style(&ink::MUTED, side, VPos::Top), (x, below)).map_err(|e| failed(&e))
    };
    date(rows.first(), left, HPos::Left)?;
    date(rows.last(), right, HPos::Right)?;
    root.present().map_err(|e| failed(&e))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Solid: production. Hollow: the others. A line: where the kept backups begin.
fn legend(root: &Area<'_>, frame: Frame, window: bool) -> Result<(), Box<dyn std::error::Error>> {
    let style = (ink::FAMILY, 15).into_font().color(&ink::MUTED).pos(Pos::new(HPos::Left, VPos::Center));
    let fail = |e: &dyn std::fmt::Display| e.to_string();
    let (mut x, mut y) = (if frame.stacked { RIGHT } else { frame.left }, 14);
    for (index, (text, wide)) in LEGEND.into_iter().enumerate().take(if window { 3 } else { 2 }) {
        let corners = [(x, y - 6), (x + 12, y + 6)];
        match index {
            0 => root.draw(&Rectangle::new(corners, ink::ACCENT.filled())),
            1 => root.draw(&Rectangle::new(corners, ink::ACCENT.stroke_width(1))),
            _ => root.draw(&PathElement::new(vec![(x + 6, y - 7), (x + 6, y + 7)], ink::MUTED)),
        }
        .map_err(|e| fail(&e))?;
        root.draw_text(text, &style, (x + 20, y)).map_err(|e| fail(&e))?;
        if frame.stacked { y += LINE } else { x += wide }
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
        let svg = versions_chart("v", &rows, None, None, Room::Wide).unwrap().unwrap();
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
        let svg = versions_chart("v", &rows, Some(&kept), None, Room::Wide).unwrap().unwrap();
        assert!(
            svg.contains("Backup: from 1.0 MB in the oldest version to 2.0 MB in the newest, at most 2.0 MB"),
            "{svg}"
        );
        assert_eq!(heights(&svg).len(), 2);
    }

    #[test]
    fn one_figure_is_no_growth_and_nonsense_breaks_nothing() {
        assert_eq!(versions_chart("v", &[], None, None, Room::Wide), Ok(None));
        assert_eq!(
            versions_chart("v", &[row(1, VersionState::Failed, Some(3), Some(4))], None, None, Room::Wide),
            Ok(None)
        );
        let odd: Vec<_> = (0..500).map(|n| row(n, VersionState::Pending, Some(i64::MAX), Some(-n))).collect();
        assert_eq!(heights(&versions_chart("v", &odd, None, None, Room::Wide).unwrap().unwrap()).len(), MOST);
    }

    #[test]
    fn a_line_stands_before_the_oldest_that_has_a_backup() {
        let rows: Vec<_> = (1..=9).map(|n| row(n, VersionState::Committed, Some(n), None)).collect();
        let kept = HashMap::from([(rows[4].version_id.clone(), 5)]);
        let lines = |kept| {
            let svg = versions_chart("v", &rows, kept, kept.map(|_| &rows[4].version_id), Room::Wide).unwrap().unwrap();
            (svg.matches("<polyline").count(), svg.contains("Backups are kept from v5"))
        };
        let (without, with) = (lines(None), lines(Some(&kept)));
        assert_eq!((without.1, with), (false, (without.0 + 2, true)), "one in the legend, one in the drawing");
    }

    #[test]
    fn every_version_with_a_backup_is_drawn_however_many_there_are() {
        let rows: Vec<_> = (0..500).map(|n| row(n, VersionState::Archived, Some(1), None)).collect();
        let kept: HashMap<_, _> = rows.iter().step_by(3).map(|r| (r.version_id.clone(), 5)).collect();
        let shown = drawn(&rows, Some(&kept));
        assert_eq!(shown.iter().filter(|r| kept.contains_key(&r.version_id)).count(), kept.len());
        assert!(shown.len() <= kept.len() + MOST, "{}", shown.len());
        assert_eq!(drawn(&rows, None).len(), MOST);
    }

    #[test]
    fn in_a_narrow_frame_every_bar_stands_within_it() {
        let rows: Vec<_> = (0..300).map(|n| row(n, VersionState::Committed, Some(n), Some(n))).collect();
        let svg = versions_chart("v", &rows, None, None, Room::Narrow).unwrap().unwrap();
        assert!(svg.contains("viewBox=\"0 0 340 "), "{svg}");
        let number =
            |line: &str, name: &str| line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse::<i32>().ok();
        let rects = svg.lines().filter(|l| l.starts_with("<rect"));
        let ends: Vec<i32> = rects.filter_map(|l| Some(number(l, "x")? + number(l, "width")?)).collect();
        assert!(ends.len() > 2 * 100 && ends.iter().all(|end| *end <= 340), "{ends:?}");
    }
}
