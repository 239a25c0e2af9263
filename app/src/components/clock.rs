//! Moments in time: UTC from the server, the reader's zone once the page is alive (`alive/times.rs`).

use leptos::prelude::*;
use rollback_types::Timestamp;

use crate::format;

#[cfg(feature = "hydrate")]
fn browser_now() -> Timestamp {
    // Milliseconds since 1970 fit an f64 exactly.
    #[expect(clippy::cast_possible_truncation, reason = "see above")]
    Timestamp::from_unix_ms(js_sys::Date::now() as i64)
}

/// Now, by the clock of whoever renders.
pub fn first_now() -> Timestamp {
    #[cfg(feature = "hydrate")]
    return browser_now();
    #[cfg(all(feature = "ssr", not(feature = "hydrate")))]
    return Timestamp::now();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    Timestamp::from_unix_ms(0)
}

/// In the reader's zone.
#[cfg(feature = "hydrate")]
fn local(at: Timestamp) -> String {
    #[expect(clippy::cast_precision_loss, reason = "exact for every time that can be written")]
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at.unix_ms() as f64));
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    format::Civil {
        year: i32::try_from(date.get_full_year()).unwrap_or(0),
        month: small(date.get_month() + 1),
        day: small(date.get_date()),
        hour: small(date.get_hours()),
        minute: small(date.get_minutes()),
    }
    .text()
}

#[cfg(not(feature = "hydrate"))]
fn local(at: Timestamp) -> String {
    format::utc(at)
}

/// How much a [`Time`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// `22 Nov 2026, 22:58 · 38 minutes ago`.
    #[default]
    Both,
    /// `38 minutes ago`, the rest as a tool tip.
    Relative,
    /// `22 Nov 2026, 22:58`.
    Absolute,
    /// `22 Nov 2026, 22:58:41`, where the order of what happened within a minute matters.
    Exact,
}

impl TimeStyle {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Both, Self::Relative, Self::Absolute, Self::Exact];

    /// Its word in the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Relative => "relative",
            Self::Absolute => "absolute",
            Self::Exact => "exact",
        }
    }

    /// The style of a word in the page.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|style| style.as_str() == word)
    }

    /// What is said of a moment: on the server in UTC, in the browser in the reader's zone.
    pub fn text(self, at: Timestamp, now: Timestamp) -> String {
        match self {
            Self::Both => format!("{} · {}", local(at), format::relative(at, now)),
            Self::Relative => format::relative(at, now),
            Self::Absolute => local(at),
            Self::Exact => with_seconds(local(at), at),
        }
    }
}

/// Zones are whole minutes apart: the seconds are the same in each.
fn with_seconds(local: String, at: Timestamp) -> String {
    let seconds = at.unix_ms().rem_euclid(60_000) / 1_000;
    let (minute, zone) = local.strip_suffix(" UTC").map_or((local.as_str(), ""), |minute| (minute, " UTC"));
    format!("{minute}:{seconds:02}{zone}")
}

/// A moment.
#[component]
pub fn Time(
    /// When.
    at: Timestamp,
    /// How much to say.
    #[prop(optional)]
    style: TimeStyle,
) -> impl IntoView {
    view! {
        <time datetime=at.to_string() title=format::utc(at) data-style=style.as_str()>
            {style.text(at, first_now())}
        </time>
    }
}

/// A moment in a list: how long ago, and below it when.
#[component]
pub fn Moment(
    /// When.
    at: Timestamp,
) -> impl IntoView {
    view! {
        <span class="moment">
            <Time at=at style=TimeStyle::Relative />
            " "
            <span class="under">
                <Time at=at style=TimeStyle::Absolute />
            </span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_writes_the_browser_can_write_anew() {
        assert!(TimeStyle::ALL.into_iter().all(|style| TimeStyle::parse(style.as_str()) == Some(style)));
        let (at, now) = (Timestamp::from_unix_ms(0), Timestamp::from_unix_ms(60_000));
        assert_eq!(TimeStyle::Both.text(at, now), "1 Jan 1970, 00:00 UTC · 1 minute ago");
        assert_eq!(TimeStyle::Exact.text(Timestamp::from_unix_ms(-1), now), "31 Dec 1969, 23:59:59 UTC");
        assert_eq!(
            with_seconds("2 Jan 1970, 05:30".to_owned(), Timestamp::from_unix_ms(3_400)),
            "2 Jan 1970, 05:30:03"
        );
    }
}
