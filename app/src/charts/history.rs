//! Runs over time: when each began, how long it took, and, by shape and colour, how it ended.

use plotters::coord::Shift;
use plotters::element::{Polygon, TriangleMarker};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::{RunState, RunSummary, Timestamp};

use super::{ChartError, Room, ink, themed};
use crate::format;

const BOTTOM: i32 = 34;
const RIGHT: i32 = 20;

/// Its measures, in pixels.
struct Frame {
    width: i32,
    height: i32,
    top: i32,
    left: i32,
    /// So many names of the legend stand in one line.
    in_a_line: usize,
}

impl Frame {
    fn of(room: Room) -> Self {
        match room {
            Room::Wide => Self { width: 720, height: 260, top: 40, left: 64, in_a_line: 4 },
            Room::Narrow => Self { width: 340, height: 280, top: 62, left: 58, in_a_line: 2 },
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.width.unsigned_abs(), self.height.unsigned_abs())
    }
}
/// The shortest time the axis spans, in milliseconds: runs of one afternoon do not fill it from end to end.
const SHORTEST: i64 = 3_600_000;
/// Half the size of a mark, in pixels.
const SIZE: i32 = 6;
/// Durations a person reads without calculating, in milliseconds.
const TICKS: [(u64, &str); 10] = [
    (1, "1 ms"),
    (10, "10 ms"),
    (100, "0.1 s"),
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (86_400_000, "1 d"),
    (864_000_000, "10 d"),
];

/// How a run ended, as far as the drawing tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Completed,
    WithFindings,
    Aborted,
    Interrupted,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Completed, Self::WithFindings, Self::Aborted, Self::Interrupted];

    /// Of a run that goes on there is none.
    fn of(state: RunState) -> Option<Self> {
        match state {
            RunState::Completed => Some(Self::Completed),
            RunState::CompletedWithFindings => Some(Self::WithFindings),
            RunState::Aborted => Some(Self::Aborted),
            RunState::Interrupted => Some(Self::Interrupted),
            RunState::Running | RunState::NeedsDecision => None,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::WithFindings => "with findings",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One mark.
struct Spot {
    outcome: Outcome,
    began_ms: i64,
    took_ms: u64,
}

/// Draws the runs that have ended or were interrupted, each once, durations on a logarithmic axis. Nothing when there is none.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn history_chart(id: &str, runs: &[RunSummary], room: Room) -> Result<Option<String>, ChartError> {
    let spot = |run: &RunSummary| {
        let (outcome, took_ms) = (Outcome::of(run.state)?, run.duration_ms?);
        Some(Spot { outcome, began_ms: run.started_at.unix_ms(), took_ms })
    };
    let spots: Vec<Spot> = runs.iter().filter_map(spot).collect();
    if spots.is_empty() {
        return Ok(None);
    }
    let mut drawing = String::new();
    let frame = Frame::of(room);
    draw(&mut drawing, &spots, &frame).map_err(|e| ChartError(e.to_string()))?;
    let title = "Runs by when they began and how long they took";
    themed(&drawing, id, frame.size(), title, &description(&spots)).map(Some)
}

/// The chart in words, for those who do not see it.
fn description(spots: &[Spot]) -> String {
    let times = || spots.iter().map(|s| Timestamp::from_unix_ms(s.began_ms));
    let day = |at: Option<Timestamp>| at.map(day_of).unwrap_or_default();
    let outcomes: Vec<String> = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| {
            let mut took: Vec<u64> = spots.iter().filter(|s| s.outcome == outcome).map(|s| s.took_ms).collect();
            took.sort_unstable();
            let (least, most) = (took.first()?, took.last()?);
            let span = if least == most {
                format::duration(*most)
            } else {
                format!("between {} and {}", format::duration(*least), format::duration(*most))
            };
            Some(format!("{} {}, in {span}", took.len(), outcome.title()))
        })
        .collect();
    format!(
        "{} between {} and {}: {}.",
        format::counted(spots.len() as u64, "runs"),
        day(times().min()),
        day(times().max()),
        outcomes.join("; ")
    )
}

/// `22 Nov 2026`
fn day_of(at: Timestamp) -> String {
    let text = format::utc(at);
    text.split(',').next().unwrap_or_default().to_owned()
}

/// The names of the axis' ends: days, or moments when all of it was one day, which is named once.
fn ends(first: Timestamp, last: Timestamp) -> (String, String) {
    if day_of(first) == day_of(last) {
        let hour = format::utc(first);
        let hour = hour.rsplit(", ").next().unwrap_or_default().trim_end_matches(" UTC").to_owned();
        return (hour, format::utc(last));
    }
    (day_of(first), format!("{} (UTC)", day_of(last)))
}

/// The time that the axis spans: that of the runs, or an hour around them.
fn spanned(first: i64, last: i64) -> (i64, i64) {
    let missing = (i128::from(SHORTEST) - (i128::from(last) - i128::from(first))).max(0);
    let half = i64::try_from(missing / 2).unwrap_or(0);
    (first.saturating_sub(half), last.saturating_add(half))
}

/// A decimal logarithm; what took no measurable time stands at the axis' beginning.
fn log(ms: u64) -> f64 {
    (ms.max(1) as f64).log10()
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

fn draw(out: &mut String, spots: &[Spot], frame: &Frame) -> Drawn {
    let root = SVGBackend::with_string(out, frame.size()).into_drawing_area();
    let (right, floor) = (frame.width - RIGHT, frame.height - BOTTOM);
    let (left, top) = (frame.left, frame.top);
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 15).into_font().color(colour).pos(Pos::new(h, v));

    let took = |pick: fn(u64, u64) -> u64| spots.iter().map(|s| s.took_ms).reduce(pick).unwrap_or(1);
    let (least, most) = (log(took(u64::min)), log(took(u64::max)));
    // Whole marks around all of them, so that a single duration does not fill the chart.
    let bottom = TICKS.iter().rev().map(|(ms, _)| log(*ms)).find(|t| *t <= least).unwrap_or(0.0);
    let ceiling = TICKS.iter().map(|(ms, _)| log(*ms)).find(|t| *t > most).unwrap_or(most + 0.1);
    let began = |pick: fn(i64, i64) -> i64| spots.iter().map(|s| s.began_ms).reduce(pick).unwrap_or(0);
    let (first, last) = spanned(began(i64::min), began(i64::max));
    let span = (i128::from(last) - i128::from(first)).max(1) as f64;

    // Truncation to whole pixels is what is wanted.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let y = |at: f64| floor - ((at - bottom) / (ceiling - bottom) * f64::from(floor - top)) as i32;
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let x = |ms: i64| {
        let part = (i128::from(ms) - i128::from(first)) as f64 / span;
        left + SIZE * 2 + (part * f64::from(right - left - SIZE * 4)) as i32
    };
    for (ms, name) in TICKS.iter().filter(|(ms, _)| (bottom..=ceiling).contains(&log(*ms))) {
        let height = y(log(*ms));
        root.draw(&PathElement::new(vec![(left, height), (right, height)], ink::LINE))?;
        root.draw_text(name, &style(&ink::MUTED, HPos::Right, VPos::Center), (left - 8, height))?;
    }
    root.draw(&PathElement::new(vec![(left, floor), (right, floor)], ink::LINE))?;
    let below = floor + 8;
    let (first_name, last_name) = ends(Timestamp::from_unix_ms(first), Timestamp::from_unix_ms(last));
    root.draw_text(&first_name, &style(&ink::MUTED, HPos::Left, VPos::Top), (left, below))?;
    root.draw_text(&last_name, &style(&ink::MUTED, HPos::Right, VPos::Top), (right, below))?;
    legend(&root, frame)?;
    for spot in spots {
        mark(&root, spot.outcome, (x(spot.began_ms), y(log(spot.took_ms))))?;
    }
    root.present()
}

/// The shapes differ as much as the colours do: a disc, a hollow triangle, a cross, a hollow square.
fn mark(root: &Area<'_>, outcome: Outcome, (x, y): (i32, i32)) -> Drawn {
    match outcome {
        Outcome::Completed => {
            root.draw(&Circle::new((x, y), SIZE - 1, ink::GOOD.filled()))?;
        }
        Outcome::WithFindings => {
            root.draw(&TriangleMarker::new((x, y), SIZE + 2, ink::SURFACE.filled()))?;
            let corners = vec![(x, y - SIZE - 1), (x + SIZE + 1, y + SIZE - 1), (x - SIZE - 1, y + SIZE - 1)];
            let outline = [corners.clone(), corners.first().copied().into_iter().collect()].concat();
            root.draw(&PathElement::new(outline, ink::WARN.stroke_width(2)))?;
        }
        Outcome::Aborted => {
            let arm = SIZE - 1;
            for line in [[(x - arm, y - arm), (x + arm, y + arm)], [(x - arm, y + arm), (x + arm, y - arm)]] {
                root.draw(&PathElement::new(line.to_vec(), ink::BAD.stroke_width(3)))?;
            }
        }
        Outcome::Interrupted => {
            let arm = SIZE - 1;
            let corners = vec![(x - arm, y - arm), (x + arm, y - arm), (x + arm, y + arm), (x - arm, y + arm)];
            root.draw(&Polygon::new(corners.clone(), ink::SURFACE.filled()))?;
            let outline = [corners.clone(), corners.first().copied().into_iter().collect()].concat();
            root.draw(&PathElement::new(outline, ink::MUTED.stroke_width(2)))?;
        }
    }
    Ok(())
}

fn legend(root: &Area<'_>, frame: &Frame) -> Drawn {
    let style = (ink::FAMILY, 15).into_font().color(&ink::MUTED).pos(Pos::new(HPos::Left, VPos::Center));
    let mut y = 16;
    for line in Outcome::ALL.chunks(frame.in_a_line) {
        let mut x = frame.left + SIZE;
        for outcome in line {
            mark(root, *outcome, (x, y))?;
            root.draw_text(outcome.title(), &style, (x + 14, y))?;
            x += 46 + 8 * i32::try_from(outcome.title().len()).unwrap_or(12);
        }
        y += 24;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rollback_types::{PlanDigest, RunId, RunKind, VersionId};

    fn run(id: i64, state: RunState, began_ms: i64, took_ms: Option<u64>) -> RunSummary {
        let started_at = Timestamp::from_unix_ms(began_ms);
        RunSummary {
            id: RunId(id),
            kind: RunKind::Rollback,
            version_id: VersionId::new("</svg><script>x</script>"),
            state,
            reason: "</svg><script>x</script>".into(),
            actor: "ada".into(),
            plan_digest: PlanDigest("d".into()),
            started_at,
            ended_at: None,
            duration_ms: took_ms,
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: None,
            last_event: 1,
        }
    }

    const DAY: i64 = 86_400_000;

    /// Centres of the discs, the legend's left out.
    fn discs(svg: &str) -> Vec<(i32, i32)> {
        let number =
            |line: &str, name: &str| line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok();
        let of = |line: &str| Some((number(line, "cx")?, number(line, "cy")?));
        svg.lines().filter(|l| l.starts_with("<circle")).skip(1).filter_map(of).collect()
    }

    #[test]
    fn later_runs_stand_further_right_and_longer_ones_higher() {
        let runs = [
            run(3, RunState::Completed, 20 * DAY, Some(90_000)),
            run(2, RunState::Completed, 10 * DAY, Some(3_000)),
            run(1, RunState::Completed, 0, Some(500)),
        ];
        let svg = history_chart("h", &runs, Room::Wide).unwrap().unwrap();
        let discs = discs(&svg);
        assert_eq!(discs.len(), 3);
        assert!(discs[0].0 > discs[1].0 && discs[1].0 > discs[2].0, "{discs:?}");
        assert!(discs[0].1 < discs[1].1 && discs[1].1 < discs[2].1, "{discs:?}");
        for text in ["1 Jan 1970", "21 Jan 1970", "1 min", "0.1 s"] {
            assert!(svg.contains(text), "{text} is missing: {svg}");
        }
        assert!(
            svg.contains("3 runs between 1 Jan 1970 and 21 Jan 1970: 3 completed, in between 500 ms and 1 min 30 s.")
        );
    }

    #[test]
    fn a_single_day_is_told_by_its_hours() {
        let at = |ms| Timestamp::from_unix_ms(ms);
        assert_eq!(ends(at(0), at(DAY)), ("1 Jan 1970".into(), "2 Jan 1970 (UTC)".into()));
        assert_eq!(ends(at(0), at(3_600_000)), ("00:00".into(), "1 Jan 1970, 01:00 UTC".into()));
    }

    #[test]
    fn runs_of_one_moment_stand_together_amid_an_hour() {
        assert_eq!(spanned(0, 0), (-SHORTEST / 2, SHORTEST / 2));
        assert_eq!(spanned(0, DAY), (0, DAY));
        assert_eq!(spanned(i64::MIN, i64::MAX), (i64::MIN, i64::MAX));
        let runs = [0, 30_000, 60_000].map(|ms| run(1, RunState::Completed, ms, Some(1_000)));
        let discs = discs(&history_chart("h", &runs, Room::Wide).unwrap().unwrap());
        assert!(discs.iter().all(|(x, _)| (x - discs[0].0).abs() < 20), "{discs:?}");
    }

    #[test]
    fn every_outcome_has_a_shape_of_its_own() {
        // Discs, corners of areas, and strokes: without the colours these are all that tells marks apart.
        let shape = |state| {
            let runs = [0, 1, 2].map(|day| run(day + 1, state, day * DAY, Some(1_000)));
            let svg = history_chart("h", &runs, Room::Wide).unwrap().unwrap();
            let of = |tag: &str| svg.lines().filter(|l| l.starts_with(tag)).map(str::to_owned).collect::<Vec<_>>();
            let corners: usize = of("<polygon").iter().map(|l| l.matches(',').count()).sum();
            (of("<circle").len(), corners, of("<polyline").len())
        };
        let shapes: std::collections::BTreeSet<_> =
            [RunState::Completed, RunState::CompletedWithFindings, RunState::Aborted, RunState::Interrupted]
                .map(shape)
                .into();
        assert_eq!(shapes.len(), 4, "{shapes:?}");
    }

    #[test]
    fn what_goes_on_is_not_drawn_and_one_that_ended_is() {
        assert_eq!(history_chart("h", &[], Room::Wide), Ok(None));
        let (one, goes_on) = (run(1, RunState::Aborted, 0, Some(5)), run(2, RunState::Running, DAY, None));
        assert_eq!(history_chart("h", &[goes_on], Room::Wide), Ok(None));
        let alone = history_chart("h", std::slice::from_ref(&one), Room::Narrow).unwrap().unwrap();
        assert!(alone.contains("1 run ") && alone.contains("1 aborted, in 5 ms."), "{alone}");
        let two = [one, run(2, RunState::Interrupted, DAY, Some(7))];
        let more = [two.as_slice(), &[run(3, RunState::Interrupted, 2 * DAY, Some(7))]].concat();
        let svg = history_chart("h", &more, Room::Wide).unwrap().unwrap();
        assert!(svg.contains("1 aborted, in 5 ms; 2 interrupted, in 7 ms."));
    }

    #[test]
    fn no_colour_and_no_letter_is_fixed_and_it_has_a_name() {
        let runs = [
            run(1, RunState::Completed, 0, Some(5)),
            run(2, RunState::CompletedWithFindings, DAY, Some(50)),
            run(3, RunState::Aborted, 2 * DAY, Some(500)),
            run(4, RunState::Interrupted, 3 * DAY, Some(5_000)),
        ];
        let svg = history_chart("h", &runs, Room::Wide).unwrap().unwrap();
        assert!(!svg.contains("\"#") && !svg.contains("font-family"), "{svg}");
        for property in ["--good", "--warn", "--bad", "--muted", "--line", "--surface"] {
            assert!(svg.contains(&format!("var({property})")), "{property} is not used");
        }
        assert!(svg.contains("role=\"img\" aria-labelledby=\"h-title h-desc\""));
        assert!(!svg.contains("<script"));
    }

    proptest! {
        /// Any times and durations are drawn, and every mark lies within the drawing.
        #[test]
        fn anything_is_drawn_within_the_frame(
            runs in prop::collection::vec((any::<i64>(), any::<u64>()), 1..40),
        ) {
            let runs: Vec<_> = runs.into_iter().zip(1..)
                .map(|((at, took), id)| run(id, RunState::Completed, at, Some(took))).collect();
            for room in [Room::Wide, Room::Narrow] {
                let svg = history_chart("h", &runs, room).unwrap().unwrap();
                let (discs, frame) = (discs(&svg), Frame::of(room));
                prop_assert_eq!(discs.len(), runs.len());
                for (x, y) in discs {
                    let within = (frame.left..=frame.width - RIGHT).contains(&x);
                    prop_assert!(within && (frame.top..=frame.height - BOTTOM).contains(&y), "{} {}", x, y);
                }
            }
        }
    }
}
