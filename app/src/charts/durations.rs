//! How long each step took, beside the document's estimate.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::Step;

use super::timeline::Room;
use super::{ChartError, ink, themed};
use crate::format;

/// One step of the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationRow {
    /// Which.
    pub step: Step,
    /// The time it took here, in milliseconds; absent when it did no work.
    pub measured_ms: Option<u64>,
    /// The document's estimate, in milliseconds.
    pub documented_ms: u64,
}

const TOP: u32 = 34;
const BOTTOM: u32 = 30;
/// A tick's name reaches so far to each side of it.
const NAME: i32 = 24;

/// Its measures, in pixels.
struct Frame {
    width: u32,
    row: u32,
    left: u32,
    /// With room for the label of a dot at the very end, where that stands beside it.
    right: u32,
    /// So many ticks of [`TICKS`] are left out between two.
    every: usize,
}

impl Frame {
    fn of(room: Room) -> Self {
        match room {
            Room::Wide => Self { width: 720, row: 30, left: 172, right: 96, every: 1 },
            Room::Narrow => Self { width: 340, row: 46, left: 6, right: 12, every: 2 },
        }
    }
}

/// Ticks a person reads without calculating, in milliseconds.
const TICKS: [(f64, &str); 9] = [
    (1.0, "1 ms"),
    (10.0, "10 ms"),
    (100.0, "0.1 s"),
    (1_000.0, "1 s"),
    (10_000.0, "10 s"),
    (60_000.0, "1 min"),
    (600_000.0, "10 min"),
    (3_600_000.0, "1 h"),
    (36_000_000.0, "10 h"),
];

/// Draws measured times as dots and the document's estimates as strokes, one row a step, on a logarithmic axis: they lie
/// apart by factors of a thousand. `measured` names what the dots are ("this run", "median here").
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn durations_chart(
    id: &str,
    title: &str,
    measured: &str,
    rows: &[DurationRow],
    room: Room,
) -> Result<String, ChartError> {
    let size =
        (Frame::of(room).width, TOP + BOTTOM + Frame::of(room).row * u32::try_from(rows.len().max(1)).unwrap_or(1));
    let mut drawing = String::new();
    draw(&mut drawing, size, measured, rows, room)?;
    themed(&drawing, id, size, title, &description(measured, rows))
}

/// The chart in words, for those who do not see it.
fn description(measured: &str, rows: &[DurationRow]) -> String {
    let parts: Vec<String> = rows
        .iter()
        .map(|row| {
            let took = row.measured_ms.map_or_else(|| "not measured".to_owned(), format::duration);
            format!(
                "{}: {took}, {measured}; the document's estimate {}",
                label(row.step),
                format::duration(row.documented_ms)
            )
        })
        .collect();
    format!("{}.", parts.join(". "))
}

/// The name of a row: short, with the step's number.
pub(super) fn label(step: Step) -> String {
    match step {
        Step::Identify => "1 Identify".to_owned(),
        Step::Mark => "2 Mark rolling_back".to_owned(),
        Step::DropChapters => "3 SQLite staging".to_owned(),
        Step::DeletePoints => "4 Qdrant staging".to_owned(),
        Step::DeleteNodes => "5 Neo4j staging".to_owned(),
        Step::VerifyCopy => "6 Verify the copy".to_owned(),
        Step::RestoreSqlite => "7 Restore SQLite".to_owned(),
        Step::RestoreQdrant => "7 Restore Qdrant".to_owned(),
        Step::RestoreNeo4j => "7 Restore Neo4j".to_owned(),
        Step::Finish => "8 Mark rolled_back".to_owned(),
        Step::Validate => "Validation".to_owned(),
        Step::CopySqlite => "1 Copy SQLite".to_owned(),
        Step::CopyQdrant => "1 Copy Qdrant".to_owned(),
        Step::CopyNeo4j => "1 Copy Neo4j".to_owned(),
        Step::ProveCopy => "2 Prove the copy".to_owned(),
        Step::SwapCopy => "3 Swap it in".to_owned(),
    }
}

/// A decimal logarithm; what took no measurable time stands at the axis' beginning.
fn place(ms: f64) -> f64 {
    ms.max(1.0).log10()
}

fn draw(
    out: &mut String,
    size: (u32, u32),
    measured: &str,
    rows: &[DurationRow],
    room: Room,
) -> Result<(), ChartError> {
    let frame = Frame::of(room);
    let left = i32::try_from(frame.left).unwrap_or(0);
    let right = i32::try_from(frame.width - frame.right).unwrap_or(0);
    let failed = |e: &dyn std::fmt::Display| ChartError(e.to_string());
    let longest = rows.iter().map(|r| r.documented_ms.max(r.measured_ms.unwrap_or(0))).max().unwrap_or(1);
    let end = place(longest as f64) + 0.15;
    let count = rows.len().max(1) as f64;

    let root = SVGBackend::with_string(out, size).into_drawing_area();
    let chart = ChartBuilder::on(&root)
        .margin_top(TOP)
        .margin_bottom(BOTTOM)
        .margin_left(frame.left)
        .margin_right(frame.right)
        .build_cartesian_2d(0.0..end.max(1.0), 0.0..count)
        .map_err(|e| failed(&e))?;
    let area = chart.plotting_area();
    let at = |ms: f64, row: f64| area.map_coordinate(&(place(ms), count - row));
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));

    for (index, (ms, name)) in TICKS.into_iter().enumerate().filter(|(_, (ms, _))| place(*ms) <= end) {
        let (top, bottom) = (at(ms, 0.0), at(ms, count));
        root.draw(&PathElement::new(vec![top, bottom], ink::LINE)).map_err(|e| failed(&e))?;
        if index % frame.every != 0 {
            continue;
        }
        // Within a narrow frame the outermost names would be cut.
        let side = match room {
            Room::Narrow if bottom.0 < left + NAME => HPos::Left,
            Room::Narrow if bottom.0 > right - NAME => HPos::Right,
            _ => HPos::Center,
        };
        root.draw_text(name, &style(&ink::MUTED, side, VPos::Top), (bottom.0, bottom.1 + 8)).map_err(|e| failed(&e))?;
    }
    for (index, row) in rows.iter().enumerate() {
        let middle = index as f64 + 0.5;
        // On a phone name and time stand above the stroke.
        let below = if room == Room::Narrow { 9 } else { 0 };
        let lowered = |(x, y): (i32, i32)| (x, y + below);
        let (start, documented) = (lowered(at(1.0, middle)), lowered(at(row.documented_ms as f64, middle)));
        let (side, name_at) = match room {
            Room::Wide => (HPos::Right, (left - 14, start.1)),
            Room::Narrow => (HPos::Left, (left, start.1 - 19)),
        };
        root.draw_text(&label(row.step), &style(&ink::TEXT, side, VPos::Center), name_at).map_err(|e| failed(&e))?;
        let estimate = vec![(documented.0, documented.1 - 9), (documented.0, documented.1 + 9)];
        root.draw(&PathElement::new(estimate, ink::MUTED.stroke_width(3))).map_err(|e| failed(&e))?;
        if let Some(ms) = row.measured_ms {
            let colour = ink::of_step(row.step);
            let spot = lowered(at(ms as f64, middle));
            root.draw(&PathElement::new(vec![start, spot], colour.stroke_width(3))).map_err(|e| failed(&e))?;
            root.draw(&Circle::new(spot, 6, colour.filled())).map_err(|e| failed(&e))?;
            let text = format::duration(ms);
            let (side, text_at) = match room {
                Room::Wide => (HPos::Left, (label_place(spot.0, documented.0, &text), spot.1)),
                Room::Narrow => (HPos::Right, (right, spot.1 - 19)),
            };
            root.draw_text(&text, &style(&ink::TEXT, side, VPos::Center), text_at).map_err(|e| failed(&e))?;
        }
    }
    legend(&root, measured, left).map_err(|e| failed(&e))?;
    root.present().map_err(|e| failed(&e))
}

/// Where the label of a dot begins: right of it, or right of the estimate's stroke when that would run through it.
fn label_place(dot: i32, stroke: i32, label: &str) -> i32 {
    let width = 8 * i32::try_from(label.chars().count()).unwrap_or(10) + 16;
    if (dot - 13..dot + width).contains(&stroke) { stroke.max(dot) + 12 } else { dot + 12 }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Dot: measured. Stroke: the document's estimate.
fn legend(root: &Area<'_>, measured: &str, left: i32) -> Result<(), Box<dyn std::error::Error>> {
    let style = (ink::FAMILY, 15).into_font().color(&ink::MUTED).pos(Pos::new(HPos::Left, VPos::Center));
    let y = 14;
    let fail = |e: &dyn std::fmt::Display| e.to_string();
    root.draw(&Circle::new((left + 6, y), 5, ink::ACCENT.filled())).map_err(|e| fail(&e))?;
    root.draw_text(measured, &style, (left + 18, y)).map_err(|e| fail(&e))?;
    let second = left + 40 + 8 * i32::try_from(measured.chars().count().min(30)).unwrap_or(30);
    let stroke = vec![(second, y - 7), (second, y + 7)];
    root.draw(&PathElement::new(stroke, ink::MUTED.stroke_width(3))).map_err(|e| fail(&e))?;
    root.draw_text("the document's estimate", &style, (second + 10, y)).map_err(|e| fail(&e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<DurationRow> {
        rollback_types::RunKind::Rollback
            .steps()
            .into_iter()
            .map(|step| DurationRow {
                step,
                measured_ms: (step != Step::RestoreNeo4j).then_some(12),
                documented_ms: u64::from(step.documented_seconds()) * 1_000,
            })
            .collect()
    }

    #[test]
    fn every_step_is_named_and_the_chart_has_a_name_and_a_description() {
        let svg = durations_chart("d", "Durations", "this run", &rows(), Room::Wide).unwrap();
        for step in rollback_types::RunKind::Rollback.steps() {
            assert!(svg.contains(&label(step)), "{step} is missing");
        }
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(svg.contains("role=\"img\" aria-labelledby=\"d-title d-desc\""));
        assert!(svg.contains("<title id=\"d-title\">Durations</title>"));
        assert!(svg.contains("7 Restore Neo4j: not measured"));
        assert!(svg.contains("10 min"), "the axis reaches the document's longest estimate");
    }

    #[test]
    fn no_colour_and_no_letter_is_fixed() {
        let svg = durations_chart("d", "Durations", "this run", &rows(), Room::Wide).unwrap();
        assert!(!svg.contains("\"#"), "a colour is still fixed");
        assert!(!svg.contains("font-family"));
        for property in ["--text", "--muted", "--line", "--accent", "--sqlite", "--qdrant", "--neo4j"] {
            assert!(svg.contains(&format!("var({property})")), "{property} is not used");
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let svg = durations_chart("d", "</title><script>x</script>", "a\"<b>&'", &rows(), Room::Wide).unwrap();
        assert!(!svg.contains("<script") && !svg.contains("<b>"));
        assert!(svg.contains("&lt;/title&gt;&lt;script&gt;"));
    }

    #[test]
    fn dots_lie_in_the_order_of_their_times() {
        let row = |ms| DurationRow { step: Step::Identify, measured_ms: Some(ms), documented_ms: 60_000 };
        let svg = durations_chart("d", "t", "m", &[row(5), row(500), row(50_000)], Room::Wide).unwrap();
        // The legend's dot has a smaller radius than those of the rows.
        let places: Vec<i32> = svg
            .lines()
            .filter(|l| l.starts_with("<circle") && l.contains("r=\"6\""))
            .filter_map(|l| l.split("cx=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(places.len(), 3);
        assert!(places.is_sorted() && places[0] < places[2], "{places:?}");
    }

    #[test]
    fn a_phones_drawing_needs_no_more_than_its_width() {
        let row = |ms| DurationRow { step: Step::DeletePoints, measured_ms: Some(ms), documented_ms: 600_000 };
        let svg = durations_chart("d", "t", "median here", &[row(1), row(600_000)], Room::Narrow).unwrap();
        assert!(svg.contains("viewBox=\"0 0 340 ") && svg.contains("4 Qdrant staging"), "{svg}");
        let edges = svg.lines().filter(|l| l.starts_with("<circle") && l.contains("r=\"6\""));
        let edges: Vec<i32> = edges.filter_map(|l| l.split("cx=\"").nth(1)?.split('"').next()?.parse().ok()).collect();
        assert!(edges.len() == 2 && edges.iter().all(|x| (0..=334).contains(x)), "{edges:?}");
    }

    #[test]
    fn a_label_avoids_the_estimates_stroke() {
        assert_eq!(label_place(100, 400, "6 ms"), 112, "far away: beside the dot");
        assert!(label_place(100, 130, "25.4 s") > 130, "in the way: behind the stroke");
        assert!(label_place(100, 95, "25.4 s") > 100);
    }

    #[test]
    fn extremes_are_drawn() {
        let row = |ms, doc| DurationRow { step: Step::Finish, measured_ms: Some(ms), documented_ms: doc };
        for rows in [vec![], vec![row(0, 0)], vec![row(u64::MAX, u64::MAX)]] {
            assert!(durations_chart("d", "t", "m", &rows, Room::Narrow).is_ok());
        }
    }
}
