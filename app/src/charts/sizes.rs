//! How large backups are over time: a bar each, store upon store.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use rollback_types::StoreKind;

use super::{ChartError, Room, ink, themed};
use crate::api::backups::BackupSize;
use crate::format;

const HEIGHT: u32 = 236;
const TOP: i32 = 40;
const BOTTOM: i32 = 50;
const LEFT: i32 = 72;
const RIGHT: i32 = 12;
/// More bars than these cannot be told apart: the newest are drawn.
const MOST: usize = 60;
/// A bar's place must be this wide for its name and its date to stand below it.
const LABELLED: f64 = 86.0;
/// Characters of a name below a bar.
const LABEL: usize = 11;

/// Draws the backups in the order given, oldest first. Nothing when there are fewer than two: one bar shows no course.
///
/// # Errors
/// [`ChartError`] when plotters refuses to draw.
pub fn sizes_chart(id: &str, sizes: &[BackupSize], room: Room) -> Result<Option<String>, ChartError> {
    let sizes = &sizes[sizes.len().saturating_sub(MOST)..];
    if sizes.len() < 2 {
        return Ok(None);
    }
    let mut drawing = String::new();
    let size = (if room == Room::Wide { 720 } else { 340 }, HEIGHT);
    draw(&mut drawing, sizes, size).map_err(|e| ChartError(e.to_string()))?;
    themed(&drawing, id, size, "Sizes of the backups by the moment they were written", &description(sizes)).map(Some)
}

/// The chart in words, for those who do not see it.
fn description(sizes: &[BackupSize]) -> String {
    let said = |size: Option<&BackupSize>| {
        size.map(|s| format!("{}, {}, {}", format::visible(&s.name), day(s), format::bytes(s.total)))
            .unwrap_or_default()
    };
    let most = sizes.iter().max_by_key(|s| s.total);
    format!(
        "{}. The oldest: {}. The newest: {}. The largest: {}.",
        format::counted(sizes.len() as u64, "backups"),
        said(sizes.first()),
        said(sizes.last()),
        said(most)
    )
}

/// `v18_minor`: a name without the moment at its end, which the day below it tells. Several of one day are told apart by it.
fn label(size: &BackupSize) -> String {
    let name = format::visible(&size.name);
    let stamp = |at: &usize| *at > 0 && name[*at..].starts_with(['_', '-']) && name[*at + 1..].starts_with("20");
    let head = name.char_indices().map(|(at, _)| at).find(stamp).map_or(name.as_str(), |at| &name[..at]);
    format::clip(head, LABEL)
}

/// `22 Nov 2026`
fn day(size: &BackupSize) -> String {
    let text = format::utc(size.at);
    text.split(',').next().unwrap_or_default().to_owned()
}

type Drawn = Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

fn draw(out: &mut String, sizes: &[BackupSize], (width, height): (u32, u32)) -> Drawn {
    let root = SVGBackend::with_string(out, (width, height)).into_drawing_area();
    let (right, floor) = (i32::try_from(width).unwrap_or(0) - RIGHT, i32::try_from(height).unwrap_or(0) - BOTTOM);
    let style = |colour: &RGBColor, h, v| (ink::FAMILY, 14).into_font().color(colour).pos(Pos::new(h, v));
    let most = sizes.iter().map(|s| s.total).max().unwrap_or(0).max(1);
    // Truncation to whole pixels is what is wanted.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    let y = |bytes: u64| floor - (bytes as f64 / most as f64 * f64::from(floor - TOP)) as i32;

    for (bytes, words) in [(most, format::bytes(most)), (most / 2, format::bytes(most / 2)), (0, "0".to_owned())] {
        root.draw(&PathElement::new(vec![(LEFT, y(bytes)), (right, y(bytes))], ink::LINE))?;
        root.draw_text(&words, &style(&ink::MUTED, HPos::Right, VPos::Center), (LEFT - 8, y(bytes)))?;
    }
    let mut at = LEFT;
    for store in StoreKind::ALL {
        root.draw(&Rectangle::new([(at, 8), (at + 12, 20)], ink::of_store(store).filled()))?;
        root.draw_text(store.title(), &style(&ink::MUTED, HPos::Left, VPos::Center), (at + 20, 14))?;
        at += 90;
    }
    let slot = f64::from(right - LEFT) / sizes.len() as f64;
    let width = (slot * 0.6).clamp(3.0, 36.0);
    // The newest label ends at the frame and not below its bar's middle, where places are narrow.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the number of bars")]
    let labelled = if slot >= LABELLED { 1 } else { ((1.5 * LABELLED - slot / 2.0) / slot).ceil().max(1.0) as usize };
    for (index, size) in sizes.iter().enumerate() {
        let middle = f64::from(LEFT) + slot * (index as f64 + 0.5);
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        let (from, to, middle) = ((middle - width / 2.0) as i32, (middle + width / 2.0) as i32, middle as i32);
        let known: u64 = size.parts.iter().flatten().sum();
        let mut below = size.total.saturating_sub(known);
        if below > 0 {
            root.draw(&Rectangle::new([(from, y(below)), (to, floor)], ink::MUTED.filled()))?;
        }
        for (store, bytes) in StoreKind::ALL.into_iter().zip(size.parts) {
            let above = below + bytes.unwrap_or(0);
            if above > below {
                root.draw(&Rectangle::new([(from, y(above)), (to, y(below))], ink::of_store(store).filled()))?;
            }
            below = above;
        }
        // The newest always has its label, whatever its place is; before it, as many as have room.
        let newest = index + 1 == sizes.len();
        if (sizes.len() - 1 - index).is_multiple_of(labelled) {
            let (side, x) = if newest && slot < LABELLED { (HPos::Right, right) } else { (HPos::Center, middle) };
            let style = style(&ink::MUTED, side, VPos::Top);
            root.draw_text(&label(size), &style, (x, floor + 7))?;
            root.draw_text(&day(size), &style, (x, floor + 25))?;
        }
    }
    root.present()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rollback_types::Timestamp;

    fn size(day: i64, parts: [Option<u64>; 3], total: u64) -> BackupSize {
        BackupSize { name: "</svg><script>".into(), at: Timestamp::from_unix_ms(day * 86_400_000), parts, total }
    }

    /// Heights of the bars' parts, the legend's left out.
    fn heights(svg: &str) -> Vec<i64> {
        let of = |line: &str| line.split(" height=\"").nth(1)?.split('"').next()?.parse().ok();
        svg.lines().filter(|l| l.starts_with("<rect")).skip(3).filter_map(of).collect()
    }

    #[test]
    fn stores_stand_upon_each_other_and_a_sum_alone_is_grey() {
        let all = [size(0, [None; 3], 600), size(9, [Some(100), Some(200), Some(300)], 600)];
        let svg = sizes_chart("s", &all, Room::Wide).unwrap().unwrap();
        let heights = heights(&svg);
        assert_eq!(heights.len(), 4, "one grey bar, and one of three parts: {svg}");
        assert!(heights[1] < heights[2] && heights[2] < heights[3], "{heights:?}");
        assert!((heights[0] - heights[1..].iter().sum::<i64>()).abs() <= 3, "both are as high: {heights:?}");
        assert!(svg.contains("2 backups. The oldest:") && svg.contains("10 Jan 1970, 600 B"), "{svg}");
        assert!(!svg.contains("<script") && !svg.contains("\"#") && !svg.contains("font-family"), "{svg}");
        for property in ["--sqlite", "--qdrant", "--neo4j", "--muted"] {
            assert!(svg.contains(&format!("var({property})")), "{property} is not used");
        }
    }

    #[test]
    fn bars_of_one_day_are_told_apart_by_their_version() {
        let named = |name: &str| BackupSize { name: name.into(), ..size(3, [None; 3], 5) };
        let all = [named("v18_minor_20261023_101502"), named("v19_major_20261023_181502"), named("latest-copy")];
        let svg = sizes_chart("s", &all, Room::Wide).unwrap().unwrap();
        for name in ["v18_minor", "v19_major", "latest-copy"] {
            let below = svg.lines().filter(|line| line.trim() == name).count();
            assert_eq!(below, 1, "{name}: {svg}");
        }
        for (name, label_of) in [("staging20261109_103712", "staging2026…"), ("日本語_", "日本語_"), ("_20", "_20")]
        {
            assert_eq!(label(&named(name)), label_of);
        }
    }

    #[test]
    fn where_places_are_narrow_the_newest_and_some_before_it_are_labelled() {
        let all: Vec<_> = (0..20)
            .map(|day| BackupSize { name: format!("v{day}_minor_20261023_101502"), ..size(day, [None; 3], 5) })
            .collect();
        let svg = sizes_chart("s", &all, Room::Wide).unwrap().unwrap();
        let labels: Vec<_> = svg.lines().map(str::trim).filter(|line| line.ends_with("_minor")).collect();
        assert_eq!(labels.last(), Some(&"v19_minor"), "{svg}");
        assert!((3..8).contains(&labels.len()), "{labels:?}");
    }

    #[test]
    fn in_a_narrow_frame_bars_and_labels_stand_within_it() {
        let all: Vec<_> = (0..20)
            .map(|day| BackupSize { name: format!("v{day}_minor_20261023_101502"), ..size(day, [Some(9); 3], 27) })
            .collect();
        let svg = sizes_chart("s", &all, Room::Narrow).unwrap().unwrap();
        assert!(svg.contains("viewBox=\"0 0 340 "), "{svg}");
        let number =
            |line: &str, name: &str| line.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse::<i32>().ok();
        let rects = || svg.lines().filter(|l| l.starts_with("<rect"));
        let ends = rects().filter_map(|l| Some(number(l, "x")? + number(l, "width")?));
        assert!(rects().count() > 60 && ends.max().is_some_and(|end| end <= 340), "{svg}");
        let labels: Vec<_> = svg.lines().map(str::trim).filter(|line| line.ends_with("_minor")).collect();
        assert!((2..4).contains(&labels.len()) && labels.last() == Some(&"v19_minor"), "{labels:?}");
    }

    #[test]
    fn one_backup_shows_no_course() {
        assert_eq!(sizes_chart("s", &[size(0, [Some(1); 3], 3)], Room::Wide), Ok(None));
    }

    proptest! {
        /// Any sizes are drawn, and nothing stands above the drawing's frame.
        #[test]
        fn anything_is_drawn_within_the_frame(
            all in prop::collection::vec((any::<i32>(), prop::array::uniform3(prop::option::of(0..u64::MAX / 4))), 2..80),
        ) {
            let all: Vec<_> = all.into_iter().map(|(day, parts)| size(day.into(), parts, parts.iter().flatten().sum())).collect();
            let svg = sizes_chart("s", &all, Room::Wide).unwrap().unwrap();
            prop_assert!(heights(&svg).iter().all(|h| (0..=i64::from(HEIGHT)).contains(h)));
        }
    }
}
