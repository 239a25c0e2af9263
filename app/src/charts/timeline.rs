//! When each step of a run worked: a Gantt chart, steps that ran side by side above each other.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::{Pause, RunView, StepState, StepView, Timestamp};

use super::durations::label;
use super::{ChartError, ink, themed};
use crate::format;

const TOP: u32 = 10;
const BOTTOM: u32 = 30;
/// A bar that lasted no visible time is this wide, in pixels.
const LEAST: i32 = 3;
/// A mark's name reaches so far to each side of it.
const NAME: i32 = 24;

/// For how much room it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A step's name stands before its bar, what came of it behind.
    Wide,
    /// Both stand above the bar: for a phone.
    Narrow,
}

/// Its measures, in pixels.
struct Frame {
    width: u32,
    row: u32,
    left: u32,
    /// With room for what stands behind a bar that ends with the run.
    right: u32,
    /// About so many marks on the axis.
    marks: u64,
}

impl Room {
    fn frame(self) -> Frame {
        match self {
            Self::Wide => Frame { width: 720, row: 28, left: 172, right: 160, marks: 6 },
            Self::Narrow => Frame { width: 340, row: 46, left: 6, right: 6, marks: 4 },
        }
    }
}

/// One row, in milliseconds since the run began.
struct Bar<'a> {
    step: &'a StepView,
    /// Of each of its tries; none while it has not begun.
    tries: Vec<(u64, u64)>,
}

impl<'a> Bar<'a> {
    fn of(step: &'a StepView, run: &RunView, until: Timestamp) -> Self {
        let tries = step.tries.iter().filter(|_| step.state != StepState::Skipped).map(|one| {
            let end = one.ended_at.unwrap_or(until).max(one.started_at);
            (run.worked_ms_by(one.started_at), run.worked_ms_by(end))
        });
        Self { step, tries: tries.collect() }
    }

    /// How long all its tries were at work.
    fn took(&self) -> String {
        let took = format::duration(self.tries.iter().map(|(from, to)| to - from).sum());
        if self.tries.len() > 1 { format!("{took}, {} tries", self.tries.len()) } else { took }
    }
}

/// Draws the steps of a run over the time since it began, on a linear axis. A step that is at work reaches to `now`. The
/// time in which the run waited for a decision, or stood still after an interruption, is cut out, and a stroke stands in its
/// place.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn timeline_chart(id: &str, run: &RunView, now: Timestamp, room: Room) -> Result<String, ChartError> {
    // A step without an end is at work, or was until the run ended.
    let until = run.run.ended_at.unwrap_or(now);
    let bars: Vec<Bar<'_>> = run.steps.iter().map(|step| Bar::of(step, run, until)).collect();
    // How long a run that is interrupted now will have stood still nobody knows.
    let over = run.pauses.iter().filter(|pause| run.run.last_sign_at != Some(pause.from));
    let cuts: Vec<Cut> = over.map(|pause| Cut::of(run, *pause)).collect();
    let end = bars.iter().flat_map(|b| &b.tries).map(|(_, to)| *to).max().unwrap_or(0).max(1);
    let frame = room.frame();
    let size = (frame.width, TOP + BOTTOM + frame.row * u32::try_from(bars.len().max(1)).unwrap_or(1));
    let mut drawing = String::new();
    draw(&mut drawing, size, &bars, &cuts, end, room)?;
    themed(&drawing, id, size, &format!("Timeline of run #{}", run.run.id), &description(&bars, &cuts))
}

/// Where the run was not at work, and for how long, in milliseconds.
struct Cut {
    at: u64,
    lasted: u64,
    waited: bool,
}

impl Cut {
    fn of(run: &RunView, pause: Pause) -> Self {
        Self { at: run.worked_ms_by(pause.from), lasted: pause.until.since_ms(pause.from), waited: pause.waited }
    }

    fn in_words(&self) -> String {
        let (at, lasted) = (format::duration(self.at), format::duration(self.lasted));
        if self.waited {
            format!("After {at} it waited {lasted} for a decision")
        } else {
            format!("After {at} it stood still for {lasted}")
        }
    }
}

/// What stands behind the bar.
fn remark(bar: &Bar<'_>) -> String {
    match bar.step.state {
        StepState::Skipped => "skipped".to_owned(),
        _ if bar.tries.is_empty() => "not begun".to_owned(),
        // No more than fits behind the bar.
        StepState::Failed if bar.tries.len() > 1 => format!("{} tries · failed", bar.tries.len()),
        StepState::Failed => format!("{} · failed", bar.took()),
        StepState::Running => "at work".to_owned(),
        StepState::Interrupted => "interrupted".to_owned(),
        _ => bar.took(),
    }
}

/// The chart in words, for those who do not see it.
fn description(bars: &[Bar<'_>], cuts: &[Cut]) -> String {
    let parts: Vec<String> = bars
        .iter()
        .map(|bar| match bar.tries.first() {
            Some((from, _)) => {
                format!("{}: began after {}, {}", label(bar.step.step), format::duration(*from), remark(bar))
            }
            None => format!("{}: {}", label(bar.step.step), remark(bar)),
        })
        .chain(cuts.iter().map(Cut::in_words))
        .collect();
    format!("{}.", parts.join(". "))
}

/// Distance of the axis' marks: 1, 2 or 5 times a power of ten below a minute, whole minutes and hours above.
fn mark_every(end: u64, marks: u64) -> u64 {
    const ROUND: [u64; 22] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        1_800_000, 3_600_000, 21_600_000, 86_400_000,
    ];
    ROUND.into_iter().find(|step| end / step <= marks).unwrap_or_else(|| (end / marks).max(1))
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

fn draw(
    out: &mut String,
    size: (u32, u32),
    bars: &[Bar<'_>],
    cuts: &[Cut],
    end: u64,
    room: Room,
) -> Result<(), ChartError> {
    let frame = room.frame();
    let failed = |e: &dyn std::fmt::Display| ChartError(e.to_string());
    let count = bars.len().max(1) as f64;
    let root = SVGBackend::with_string(out, size).into_drawing_area();
    let chart = ChartBuilder::on(&root)
        .margin_top(TOP)
        .margin_bottom(BOTTOM)
        .margin_left(frame.left)
        .margin_right(frame.right)
        .build_cartesian_2d(0.0..end as f64, 0.0..count)
        .map_err(|e| failed(&e))?;
    let area = chart.plotting_area();
    let at = |ms: u64, row: f64| area.map_coordinate(&(ms as f64, count - row));
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));

    let (left, right) = (i32::try_from(frame.left).unwrap_or(0), i32::try_from(frame.width - frame.right).unwrap_or(0));
    let every = mark_every(end, frame.marks);
    let mut mark = 0;
    while mark <= end {
        let (top, bottom) = (at(mark, 0.0), at(mark, count));
        root.draw(&PathElement::new(vec![top, bottom], ink::LINE)).map_err(|e| failed(&e))?;
        // Within a narrow frame the outermost names would be cut.
        let side = match room {
            Room::Narrow if bottom.0 < left + NAME => HPos::Left,
            Room::Narrow if bottom.0 > right - NAME => HPos::Right,
            _ => HPos::Center,
        };
        root.draw_text(&mark_name(mark), &style(&ink::MUTED, side, VPos::Top), (bottom.0, bottom.1 + 8))
            .map_err(|e| failed(&e))?;
        let Some(next) = mark.checked_add(every) else { break };
        mark = next;
    }
    for cut in cuts {
        root.draw(&PathElement::new(vec![at(cut.at, 0.0), at(cut.at, count)], ink::MUTED.stroke_width(2)))
            .map_err(|e| failed(&e))?;
    }
    for (index, bar) in bars.iter().enumerate() {
        let middle = index as f64 + 0.5;
        let row = at(0, middle);
        // Where the bar stands, and what is written.
        let (name_side, name_at, bar_at) = match room {
            Room::Wide => (HPos::Right, (left - 14, row.1), row.1),
            Room::Narrow => (HPos::Left, (left, row.1 - 10), row.1 + 9),
        };
        root.draw_text(&label(bar.step.step), &style(&ink::TEXT, name_side, VPos::Center), name_at)
            .map_err(|e| failed(&e))?;
        let mut after = row.0;
        for (from, to) in &bar.tries {
            let (from, to) = (at(*from, middle), at(*to, middle));
            after = to.0.max(from.0 + LEAST);
            let corners = [(from.0, bar_at - 8), (after, bar_at + 8)];
            root.draw(&Rectangle::new(corners, ink::of_step(bar.step.step).filled())).map_err(|e| failed(&e))?;
        }
        let colour = if bar.tries.is_empty() { ink::MUTED } else { ink::TEXT };
        let (remark_side, remark_at) = match room {
            Room::Wide => (HPos::Left, (after + 8, row.1)),
            Room::Narrow => (HPos::Right, (right, row.1 - 10)),
        };
        root.draw_text(&remark(bar), &style(&colour, remark_side, VPos::Center), remark_at).map_err(|e| failed(&e))?;
    }
    root.present().map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{PlanDigest, RunId, RunKind, RunState, RunSummary, Step, Try, VersionId};

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
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 0,
        });
        for (step, from, to, state) in spans {
            let row = view.steps.iter_mut().find(|s| s.step == *step).unwrap();
            row.tries.push(Try { started_at: at(*from), ended_at: to.map(at) });
            row.state = *state;
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
        let bars = bars(&timeline_chart("t", &view, at(9_000), Room::Wide).unwrap());
        assert_eq!(bars.len(), 4);
        assert!(bars[0].1 < bars[1].0 && bars[1].0 == bars[2].0 && bars[1].1 < bars[2].1, "{bars:?}");
        assert_eq!(bars[2].1, bars[3].0, "what begins when another ends stands behind it");
    }

    #[test]
    fn what_is_at_work_reaches_to_now_and_what_was_cut_off_to_the_end() {
        let mut view = run(&[(Step::Identify, 0, None, StepState::Running)]);
        let svg = timeline_chart("t", &view, at(60_000), Room::Wide).unwrap();
        assert!(svg.contains("at work"), "{svg}");
        assert!(svg.contains("+1 min"), "{svg}");
        view.run.ended_at = Some(at(2_000));
        view.steps[0].state = StepState::Interrupted;
        let svg = timeline_chart("t", &view, at(60_000_000), Room::Wide).unwrap();
        assert!(svg.contains("interrupted") && svg.contains("+2 s"), "{svg}");
    }

    #[test]
    fn the_time_in_which_the_run_stood_still_takes_no_room() {
        let mut view = run(&[
            (Step::Identify, 0, Some(1_000), StepState::Done),
            (Step::Mark, 7_201_000, Some(7_202_000), StepState::Done),
        ]);
        view.pauses = vec![Pause { from: at(1_000), until: at(7_201_000), waited: false }];
        let svg = timeline_chart("t", &view, at(9_000_000), Room::Wide).unwrap();
        let bars = bars(&svg);
        assert!((bars[0].1 - bars[0].0).abs_diff(bars[1].1 - bars[1].0) <= 1, "two bars of one second each: {bars:?}");
        assert!(svg.contains("After 1.0 s it stood still for 2 h.") && svg.contains("+2 s"), "{svg}");
    }

    #[test]
    fn every_try_has_its_bar_and_the_wait_between_them_takes_no_room() {
        let mut view = run(&[
            (Step::Identify, 0, Some(1_000), StepState::Failed),
            (Step::Identify, 61_000, Some(63_000), StepState::Done),
        ]);
        view.pauses = vec![Pause { from: at(1_000), until: at(61_000), waited: true }];
        let svg = timeline_chart("t", &view, at(9_000_000), Room::Wide).unwrap();
        let bars = bars(&svg);
        assert_eq!((bars.len(), bars[0].1), (2, bars[1].0), "one bar a try, one behind the other: {bars:?}");
        assert!(svg.contains("3.0 s, 2 tries") && svg.contains("After 1.0 s it waited 1 min for a decision."), "{svg}");
    }

    #[test]
    fn what_did_nothing_has_no_bar_and_says_so() {
        let view = run(&[(Step::RestoreQdrant, 5, Some(6), StepState::Skipped)]);
        let svg = timeline_chart("t", &view, at(10), Room::Wide).unwrap();
        assert!(bars(&svg).is_empty());
        assert!(svg.contains("7 Restore Qdrant: skipped") && svg.contains("1 Identify: not begun"));
    }

    #[test]
    fn marks_are_few_and_round() {
        for end in [1, 7, 99, 1_234, 65_000, 3_700_000, 400_000_000, u64::MAX] {
            let every = mark_every(end, 6);
            assert!(end / every <= 6, "{end}: every {every}");
        }
        assert_eq!((mark_every(1_200, 6), mark_every(65_000, 6)), (200, 10_000));
    }

    #[test]
    fn in_a_narrow_frame_everything_stands_within_it() {
        let view = run(&[
            (Step::Identify, 0, Some(100), StepState::Done),
            (Step::DeletePoints, 200, Some(7_800_000), StepState::Failed),
        ]);
        let svg = timeline_chart("t", &view, at(9_000), Room::Narrow).unwrap();
        assert!(svg.contains("viewBox=\"0 0 340 "), "{svg}");
        assert!(bars(&svg).iter().all(|(from, to)| *from >= 6 && *to <= 334), "{svg}");
        assert!(svg.contains("4 Qdrant staging") && svg.contains("failed"), "{svg}");
    }

    #[test]
    fn clocks_that_go_backwards_break_nothing() {
        let view = run(&[(Step::Identify, 500, Some(-500), StepState::Failed)]);
        assert!(timeline_chart("t", &view, at(-9_000), Room::Wide).unwrap().contains("failed"));
    }
}
