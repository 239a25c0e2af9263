//! When each step of a run worked: a Gantt chart, steps that ran side by side above each other.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::{RunView, StepState, StepView, Timestamp};

use super::durations::label;
use super::{ChartError, ink, themed};
use crate::format;

const WIDTH: u32 = 720;
const ROW: u32 = 28;
const TOP: u32 = 10;
const BOTTOM: u32 = 30;
const LEFT: u32 = 172;
/// Room for the label of a bar that ends with the run.
const RIGHT: u32 = 160;
/// A bar that lasted no visible time is this wide, in pixels.
const LEAST: i32 = 3;
/// About so many marks on the axis.
const MARKS: u64 = 6;

/// One row, in milliseconds since the run began.
struct Bar<'a> {
    step: &'a StepView,
    /// Of its last try; absent while it has not begun.
    from_to: Option<(u64, u64)>,
}

/// Draws the steps of a run over the time since it began, on a linear axis. A step that is at work reaches to `now`.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn timeline_chart(id: &str, run: &RunView, now: Timestamp) -> Result<String, ChartError> {
    let begun = run.run.started_at;
    // A step without an end is at work, or was until the run ended.
    let until = run.run.ended_at.unwrap_or(now);
    let bars: Vec<Bar<'_>> = run.steps.iter().map(|step| Bar { step, from_to: from_to(step, begun, until) }).collect();
    let end = bars.iter().filter_map(|b| b.from_to).map(|(_, to)| to).max().unwrap_or(0).max(1);
    let size = (WIDTH, TOP + BOTTOM + ROW * u32::try_from(bars.len().max(1)).unwrap_or(1));
    let mut drawing = String::new();
    draw(&mut drawing, size, &bars, end)?;
    themed(&drawing, id, size, &format!("Timeline of run #{}", run.run.id), &description(&bars))
}

fn from_to(step: &StepView, begun: Timestamp, until: Timestamp) -> Option<(u64, u64)> {
    let from = step.started_at.filter(|_| step.state != StepState::Skipped)?;
    let until = step.ended_at.unwrap_or(until).max(from);
    Some((from.since_ms(begun), until.since_ms(begun)))
}

/// What stands behind the bar.
fn remark(bar: &Bar<'_>) -> String {
    match (bar.step.state, bar.from_to) {
        (StepState::Skipped, _) => "skipped".to_owned(),
        (_, None) => "not begun".to_owned(),
        (StepState::Failed, Some((from, to))) => format!("{} · failed", format::duration(to - from)),
        (StepState::Running, Some(_)) => "at work".to_owned(),
        (StepState::Interrupted, Some(_)) => "interrupted".to_owned(),
        (_, Some((from, to))) => format::duration(to - from),
    }
}

/// The chart in words, for those who do not see it.
fn description(bars: &[Bar<'_>]) -> String {
    let parts: Vec<String> = bars
        .iter()
        .map(|bar| match bar.from_to {
            Some((from, _)) => {
                format!("{}: began after {}, {}", label(bar.step.step), format::duration(from), remark(bar))
            }
            None => format!("{}: {}", label(bar.step.step), remark(bar)),
        })
        .collect();
    format!("{}.", parts.join(". "))
}

/// Distance of the axis' marks: 1, 2 or 5 times a power of ten below a minute, whole minutes and hours above.
fn mark_every(end: u64) -> u64 {
    const ROUND: [u64; 22] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        1_800_000, 3_600_000, 21_600_000, 86_400_000,
    ];
    ROUND.into_iter().find(|step| end / step <= MARKS).unwrap_or_else(|| (end / MARKS).max(1))
}

/// Short, for many stand in a row.
fn mark_name(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        _ if ms.is_multiple_of(86_400_000) => format!("+{} d", ms / 86_400_000),
        _ if ms.is_multiple_of(3_600_000) => format!("+{} h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("+{} min", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("+{} s", ms / 1_000),
        _ => format!("+{}", format::duration(ms)),
    }
}

fn draw(out: &mut String, size: (u32, u32), bars: &[Bar<'_>], end: u64) -> Result<(), ChartError> {
    let failed = |e: &dyn std::fmt::Display| ChartError(e.to_string());
    let count = bars.len().max(1) as f64;
    let root = SVGBackend::with_string(out, size).into_drawing_area();
    let chart = ChartBuilder::on(&root)
        .margin_top(TOP)
        .margin_bottom(BOTTOM)
        .margin_left(LEFT)
        .margin_right(RIGHT)
        .build_cartesian_2d(0.0..end as f64, 0.0..count)
        .map_err(|e| failed(&e))?;
    let area = chart.plotting_area();
    let at = |ms: u64, row: f64| area.map_coordinate(&(ms as f64, count - row));
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));

    let every = mark_every(end);
    let mut mark = 0;
    while mark <= end {
        let (top, bottom) = (at(mark, 0.0), at(mark, count));
        root.draw(&PathElement::new(vec![top, bottom], ink::LINE)).map_err(|e| failed(&e))?;
        root.draw_text(&mark_name(mark), &style(&ink::MUTED, HPos::Center, VPos::Top), (bottom.0, bottom.1 + 8))
            .map_err(|e| failed(&e))?;
        let Some(next) = mark.checked_add(every) else { break };
        mark = next;
    }
    let left = i32::try_from(LEFT).unwrap_or(0);
    for (index, bar) in bars.iter().enumerate() {
        let middle = index as f64 + 0.5;
        let row = at(0, middle);
        root.draw_text(&label(bar.step.step), &style(&ink::TEXT, HPos::Right, VPos::Center), (left - 14, row.1))
            .map_err(|e| failed(&e))?;
        let mut after = row.0;
        if let Some((from, to)) = bar.from_to {
            let (from, to) = (at(from, middle), at(to, middle));
            after = to.0.max(from.0 + LEAST);
            let corners = [(from.0, from.1 - 8), (after, from.1 + 8)];
            root.draw(&Rectangle::new(corners, ink::of_step(bar.step.step).filled())).map_err(|e| failed(&e))?;
        }
        let colour = if bar.from_to.is_some() { ink::TEXT } else { ink::MUTED };
        let remark = remark(bar);
        root.draw_text(&remark, &style(&colour, HPos::Left, VPos::Center), (after + 8, row.1))
            .map_err(|e| failed(&e))?;
    }
    root.present().map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{PlanDigest, RunId, RunKind, RunState, RunSummary, Step, VersionId};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_000_000 + ms)
    }

    fn run(spans: &[(Step, i64, Option<i64>, StepState)]) -> RunView {
        let mut view = RunView::new(RunSummary {
            id: RunId(7),
            kind: RunKind::Rollback,
            version_id: VersionId::new("v2"),
            state: RunState::Running,
            reason: String::new(),
            actor: String::new(),
            plan_digest: PlanDigest("d".into()),
            started_at: at(0),
            ended_at: None,
            duration_ms: None,
            summary: None,
            last_event: 0,
        });
        for (step, from, to, state) in spans {
            let row = view.steps.iter_mut().find(|s| s.step == *step).unwrap();
            (row.started_at, row.ended_at, row.state) = (Some(at(*from)), to.map(at), *state);
        }
        view
    }

    /// Left and right edge of every bar, from the top.
    fn bars(svg: &str) -> Vec<(i32, i32)> {
        let number =
            |line: &str, name: &str| line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse::<i32>().ok();
        svg.lines()
            .filter(|line| line.starts_with("<rect"))
            .filter_map(|line| Some((number(line, "x")?, number(line, "x")? + number(line, "width")?)))
            .collect()
    }

    #[test]
    fn steps_side_by_side_lie_above_each_other_and_later_ones_behind() {
        let view = run(&[
            (Step::Identify, 0, Some(100), StepState::Done),
            (Step::DropChapters, 200, Some(400), StepState::Done),
            (Step::DeletePoints, 200, Some(800), StepState::Done),
            (Step::Finish, 800, Some(1_000), StepState::Done),
        ]);
        let bars = bars(&timeline_chart("t", &view, at(9_000)).unwrap());
        assert_eq!(bars.len(), 4);
        assert!(bars[0].1 < bars[1].0 && bars[1].0 == bars[2].0 && bars[1].1 < bars[2].1, "{bars:?}");
        assert_eq!(bars[2].1, bars[3].0, "what begins when another ends stands behind it");
    }

    #[test]
    fn what_is_at_work_reaches_to_now_and_what_was_cut_off_to_the_end() {
        let mut view = run(&[(Step::Identify, 0, None, StepState::Running)]);
        let svg = timeline_chart("t", &view, at(60_000)).unwrap();
        assert!(svg.contains("at work"), "{svg}");
        assert!(svg.contains("+1 min"), "{svg}");
        view.run.ended_at = Some(at(2_000));
        view.steps[0].state = StepState::Interrupted;
        let svg = timeline_chart("t", &view, at(60_000_000)).unwrap();
        assert!(svg.contains("interrupted") && svg.contains("+2 s"), "{svg}");
    }

    #[test]
    fn what_did_nothing_has_no_bar_and_says_so() {
        let view = run(&[(Step::RestoreQdrant, 5, Some(6), StepState::Skipped)]);
        let svg = timeline_chart("t", &view, at(10)).unwrap();
        assert!(bars(&svg).is_empty());
        assert!(svg.contains("7 Restore Qdrant: skipped") && svg.contains("1 Identify: not begun"));
    }

    #[test]
    fn marks_are_few_and_round() {
        for end in [1, 7, 99, 1_234, 65_000, 3_700_000, 400_000_000, u64::MAX] {
            let every = mark_every(end);
            assert!(end / every <= MARKS, "{end}: every {every}");
        }
        assert_eq!((mark_every(1_200), mark_every(65_000)), (200, 10_000));
    }

    #[test]
    fn clocks_that_go_backwards_break_nothing() {
        let view = run(&[(Step::Identify, 500, Some(-500), StepState::Failed)]);
        assert!(timeline_chart("t", &view, at(-9_000)).unwrap().contains("failed"));
    }
}
