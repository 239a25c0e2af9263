//! A point in time, RFC 3339 in UTC with milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
#[cfg(not(target_arch = "wasm32"))]
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset, format_description::well_known::Rfc3339, macros::format_description,
};

use crate::civil;

/// Milliseconds since 1970-01-01 UTC; written as `2026-11-23T14:18:10.276Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest and earliest moments that can be written (years 0001 to 9999).
    const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

    /// From milliseconds since the epoch; a value outside the years 1 to 9999 is brought back to the nearest end.
    pub fn from_unix_ms(ms: i64) -> Self {
        Self(ms.clamp(*Self::RANGE.start(), *Self::RANGE.end()))
    }

    /// Milliseconds since the epoch.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// This very moment by the machine's clock. Not for the browser, which has no `std` clock.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn now() -> Self {
        let ns = OffsetDateTime::now_utc().unix_timestamp_nanos();
        Self::from_unix_ms(i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX))
    }

    /// Milliseconds from `earlier` to this, never negative.
    pub fn since_ms(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// Reads what HybridFlow writes into its registry, which only the server does: SQLite's `2026-11-23 14:18:10` (UTC), ISO with `T` and
    /// microseconds but no zone (local time of its machine: `local_offset_s`, seconds east of UTC), or RFC 3339.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn parse_registry(text: &str, local_offset_s: i32) -> Option<Self> {
        let text = text.trim();
        if let Ok(t) = OffsetDateTime::parse(text, &Rfc3339) {
            return Some(Self::from_offset(t));
        }
        let spaced =
            format_description!("[year]-[month]-[day][first [ ] [T]][hour]:[minute]:[second][optional [.[subsecond]]]");
        let naive = PrimitiveDateTime::parse(text, spaced).ok()?;
        let offset =
            if text.contains('T') { UtcOffset::from_whole_seconds(local_offset_s).ok()? } else { UtcOffset::UTC };
        Some(Self::from_offset(naive.assume_offset(offset)))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn from_offset(t: OffsetDateTime) -> Self {
        Self::from_unix_ms(i64::try_from(t.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = 86_400_000;
        let ((y, mo, d), ms) = (civil::date_of(self.0.div_euclid(day)), self.0.rem_euclid(day));
        let (h, mi, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        write!(f, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:03}Z", ms % 1_000)
    }
}

/// The text is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no RFC 3339 time, such as 2026-11-23T14:18:10Z")]
pub struct BadTimestamp(pub String);

impl FromStr for Timestamp {
    type Err = BadTimestamp;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        #[cfg(not(target_arch = "wasm32"))]
        let read = OffsetDateTime::parse(s, &Rfc3339).ok().map(Self::from_offset);
        #[cfg(target_arch = "wasm32")]
        let read = as_written(s);
        read.ok_or_else(|| BadTimestamp(s.chars().take(64).collect()))
    }
}

/// A time as [`Timestamp`] itself writes it, and in no other way: the browser reads none but its server's.
#[cfg(any(test, target_arch = "wasm32"))]
fn as_written(text: &str) -> Option<Timestamp> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000Z";
    let fits = |(c, shape): (u8, &u8)| if *shape == b'0' { c.is_ascii_digit() } else { c == *shape };
    if text.len() != SHAPE.len() || !text.bytes().zip(SHAPE).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let days = civil::days_to(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    Some(Timestamp::from_unix_ms(days * 86_400_000 + seconds * 1_000 + number(20, 23)?))
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_times_of_both_layouts_are_read() {
        let utc = Timestamp::parse_registry("2026-11-23 14:18:10", 3600).unwrap();
        assert_eq!(utc.to_string(), "2026-11-23T14:18:10.000Z");
        let local = Timestamp::parse_registry("2026-11-23T14:18:10.276785", 3600).unwrap();
        assert_eq!(local.to_string(), "2026-11-23T13:18:10.276Z");
        assert_eq!(Timestamp::parse_registry("yesterday", 0), None);
    }

    #[test]
    fn the_browser_reads_its_servers_times_alone() {
        for other in ["", "2026-11-23", "2026-11-23T14:18:10Z", "2026-11-23T14:18:10.2760", "2026-11-23T14:18:1é.276Z"]
        {
            assert_eq!(as_written(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_and_value_agree(ms in -62_135_596_800_000i64..=253_402_300_799_999) {
            let t = Timestamp::from_unix_ms(ms);
            proptest::prop_assert_eq!(t.to_string().parse::<Timestamp>().unwrap(), t);
            proptest::prop_assert_eq!(as_written(&t.to_string()), Some(t));
        }
    }
}
