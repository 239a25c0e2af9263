//! How numbers, times and foreign text become readable. Pure functions, the same on the server and in the browser.

pub use rollback_types::civil::{Civil, utc};
pub use rollback_types::quantity::{bytes, count, counted};
use rollback_types::{Step, Timestamp};

/// So many minutes as people say it: `1 hour`, `90 minutes`.
pub fn minutes_in_words(minutes: u64) -> String {
    if minutes > 0 && minutes.is_multiple_of(60) { counted(minutes / 60, "hours") } else { counted(minutes, "minutes") }
}

/// `4 ms`, `9.8 s`, `4 min 10 s`, `10 min`, `1 h 05 min`, `3 d 4 h`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    let (large, unit, small) = match ms {
        0..1_000 => return format!("{ms} ms"),
        1_000..60_000 => return format!("{}.{} s", seconds, ms % 1000 / 100),
        60_000..3_600_000 => (seconds / 60, "min", format!("{:02} s", seconds % 60)),
        3_600_000..86_400_000 => (seconds / 3600, "h", format!("{:02} min", seconds / 60 % 60)),
        _ => (seconds / 86_400, "d", format!("{} h", seconds / 3600 % 24)),
    };
    // Nothing of the smaller unit is not said.
    if small.trim_start_matches('0').starts_with(' ') {
        format!("{large} {unit}")
    } else {
        format!("{large} {unit} {small}")
    }
}

/// `+6.08s`, `+1:15`, `+1:02:03`: the time since the run began, for the log.
pub fn offset(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..60 => format!("+{s}.{:02}s", ms % 1000 / 10),
        s @ 60..3_600 => format!("+{}:{:02}", s / 60, s % 60),
        s => format!("+{}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60),
    }
}

/// `38 minutes ago`, `13 days ago`, `in 4 days`; `just now` below five seconds.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let past = now >= at;
    let seconds = (if past { now.since_ms(at) } else { at.since_ms(now) }) / 1000;
    let (n, unit) = match seconds {
        0..5 => return "just now".to_owned(),
        // The page's clock ticks every ten seconds: what happened since is not in the future.
        5..15 if !past => return "just now".to_owned(),
        5..60 => (seconds, "seconds"),
        60..3_600 => (seconds / 60, "minutes"),
        3_600..86_400 => (seconds / 3_600, "hours"),
        86_400..5_184_000 => (seconds / 86_400, "days"),
        5_184_000..63_072_000 => (seconds / 2_592_000, "months"),
        _ => (seconds / 31_536_000, "years"),
    };
    let text = counted(n, unit);
    if past { format!("{text} ago") } else { format!("in {text}") }
}

/// Foreign text on one line: whatever would be invisible, break the line or turn the direction is shown as a sign.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        push_visible(&mut out, c);
        out
    })
}

/// Like [`visible`], but keeps line ends and tabs: for messages and notes.
pub fn visible_lines(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '\n' | '\t') {
            out.push(c)
        } else {
            push_visible(&mut out, c)
        }
        out
    })
}

fn push_visible(out: &mut String, c: char) {
    match c {
        // Unicode has pictures of control characters, but few fonts do.
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => out.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
        _ => out.push(c),
    }
}

/// With a full stop, unless it ends in a sign of its own.
pub fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// The first `max` characters, with `…` in place of the rest.
pub fn clip(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// `v7_minor…231502`: beginning and end of an id, for buttons. The full id stands elsewhere on the page.
pub fn short_id(id: &str) -> String {
    let shown = visible(id);
    let chars: Vec<char> = shown.chars().collect();
    if chars.len() <= 18 {
        return shown;
    }
    let head: String = chars[..9].iter().collect();
    let tail: String = chars[chars.len() - 6..].iter().collect();
    format!("{}…{tail}", head.trim_end_matches(['_', '-', '.']))
}

/// `9f3c 71ab`: the beginning of a digest.
pub fn short_digest(hex: &str) -> String {
    match (hex.get(..4), hex.get(4..8)) {
        (Some(a), Some(b)) => format!("{a} {b}"),
        _ => hex.to_owned(),
    }
}

/// Percent-encodes one segment of a path or one value of a query.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
        out
    })
}

/// `?a=1&b=2` from the pairs whose value is not empty; nothing when there are none.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).fold(String::new(), |mut out, (key, value)| {
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(&encode(key));
        out.push('=');
        out.push_str(&encode(value));
        out
    })
}

/// The id of what a run's page tells of one of its steps.
pub fn step_anchor(step: Step) -> String {
    format!("step-{}", step.as_str())
}

/// The path of a version's page. `None` where no address can name the id: browsers resolve `.` and `..`, also encoded.
pub fn version_path(id: &str) -> Option<String> {
    (!matches!(id, "" | "." | "..")).then(|| format!("/versions/{}", encode(id)))
}

/// What stands for a name in an element's id and in an address that leads there: another for every other name. Letters,
/// digits, `-` and `_` stay; of all else each byte is a point and two hexadecimal digits.
pub fn anchor(name: &str) -> String {
    use std::fmt::Write as _;
    name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _written = write!(out, ".{byte:02x}");
        }
        out
    })
}

/// A title as a word that can be an element's id; titles that differ in letters alone may share one.
pub fn slug(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// `part` of `whole` in percent, 0 to 100, and 100 only when nothing is missing.
pub fn percent(part: u64, whole: u64) -> u8 {
    if whole == 0 {
        return 0;
    }
    let p = (u128::from(part) * 100 / u128::from(whole)).min(100);
    u8::try_from(p).unwrap_or(100)
}

/// Text as it stands within a `<textarea>`, whose content Leptos writes into the page as it is given: without this a text
/// could end the field and go on as markup.
pub fn within_textarea(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_their_digits_at_the_borders() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_999, "10 kB"),
            (76_000, "76 kB"),
            (999_400, "999 kB"),
            (999_999, "1.0 MB"),
            (1_234_567, "1.2 MB"),
            (145_000_000, "145 MB"),
            (u64::MAX, "18 EB"),
        ];
        for (n, text) in cases {
            assert_eq!(bytes(n), text, "{n}");
        }
    }

    #[test]
    fn counts_are_grouped_and_agree_with_their_unit() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(35_118), "35,118");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(counted(1, "points"), "1 point");
        assert_eq!(counted(0, "points"), "0 points");
    }

    #[test]
    fn durations_say_two_units() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (9_870, "9.8 s"),
            (59_999, "59.9 s"),
            (60_000, "1 min"),
            (250_000, "4 min 10 s"),
            (600_000, "10 min"),
            (610_000, "10 min 10 s"),
            (7_200_000, "2 h"),
            (3_900_000, "1 h 05 min"),
            (90_000_000, "1 d 1 h"),
            (172_800_000, "2 d"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text, "{ms}");
        }
        assert_eq!(offset(6_089), "+6.08s");
        assert_eq!(offset(75_300), "+1:15");
        assert_eq!(offset(3_723_000), "+1:02:03");
    }

    #[test]
    fn times_are_absolute_and_relative() {
        let at: Timestamp = "2026-11-22T22:58:41.500Z".parse().unwrap();
        assert_eq!(utc(at), "22 Nov 2026, 22:58 UTC");
        let later = |s: i64| Timestamp::from_unix_ms(at.unix_ms() + s * 1000);
        assert_eq!(relative(at, later(1)), "just now");
        assert_eq!(relative(later(9), at), "just now", "newer than the page's last tick");
        assert_eq!(relative(at, later(38 * 60)), "38 minutes ago");
        assert_eq!(relative(at, later(3_600)), "1 hour ago");
        assert_eq!(relative(at, later(13 * 86_400)), "13 days ago");
        assert_eq!(relative(later(4 * 86_400), at), "in 4 days");
        assert_eq!(utc(Timestamp::from_unix_ms(-1)), "31 Dec 1969, 23:59 UTC");
    }

    #[test]
    fn what_hides_or_turns_text_is_shown() {
        assert_eq!(visible("a\0b\nc\u{7f}"), "a⟨U+0000⟩b⟨U+000A⟩c⟨U+007F⟩");
        assert_eq!(visible("v\u{202e}2"), "v⟨U+202E⟩2");
        assert_eq!(visible("<script>'`é日"), "<script>'`é日");
        assert_eq!(visible_lines("one\ntwo\u{1b}"), "one\ntwo⟨U+001B⟩");
    }

    #[test]
    fn ids_are_cut_by_characters_not_bytes() {
        assert_eq!(clip("日本語", 2), "日本…");
        assert_eq!(clip("日本", 2), "日本");
        assert_eq!(short_id("v7_minor_20261122_231502"), "v7_minor…231502");
        assert_eq!(short_id("v23_minor_20261122_231502"), "v23_minor…231502");
        assert_eq!(short_id("v1_baseline"), "v1_baseline");
        assert_eq!(short_id(&"日".repeat(10_000)).chars().count(), 16);
    }

    #[test]
    fn addresses_hold_any_id() {
        assert_eq!(version_path("../a b").as_deref(), Some("/versions/..%2Fa%20b"));
        assert_eq!(version_path(".."), None);
        assert_eq!(version_path("v2_minor").as_deref(), Some("/versions/v2_minor"));
        assert_eq!(query([("q", "a&b"), ("sort", ""), ("status", "é")]), "?q=a%26b&status=%C3%A9");
    }

    #[test]
    fn a_hundred_percent_means_all() {
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(1000, 1000), 100);
        assert_eq!(percent(5, 0), 0);
        assert_eq!(percent(u64::MAX, 1), 100);
    }

    #[test]
    fn titles_make_element_ids() {
        assert_eq!(anchor("v19_minor-1"), "v19_minor-1");
        assert_eq!(
            (anchor("v1.2"), anchor("v1-2"), anchor("ä b")),
            ("v1.2e2".into(), "v1-2".into(), ".c3.a4.20b".into())
        );
        assert_ne!(anchor("版本一"), anchor("版本二"));
        assert_ne!(anchor("v1"), anchor("V1"));
        assert_eq!(slug("Where the time goes"), "where-the-time-goes");
        assert_eq!(slug("  latest-copy!"), "latest-copy");
    }

    #[test]
    fn no_text_ends_the_field_it_stands_in() {
        assert_eq!(within_textarea("a</textarea><b>&"), "a&lt;/textarea&gt;&lt;b&gt;&amp;");
    }
}
