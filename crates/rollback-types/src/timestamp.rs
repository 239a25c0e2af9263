//! A point in time, RFC 3339 in UTC with milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

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

    /// Reads what HybridFlow writes into its registry: SQLite's `2026-11-23 14:18:10` (UTC), ISO with `T` and
    /// microseconds but no zone (local time of its machine: `local_offset_s`, seconds east of UTC), or RFC 3339.
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

    fn from_offset(t: OffsetDateTime) -> Self {
        Self::from_unix_ms(i64::try_from(t.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).map_err(|_| fmt::Error)?;
        let (y, mo, d) = (t.year(), u8::from(t.month()), t.day());
        write!(f, "{y:04}-{mo:02}-{d:02}T{:02}:{:02}:{:02}.{:03}Z", t.hour(), t.minute(), t.second(), t.millisecond())
    }
}

/// The text is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no RFC 3339 time, such as 2026-11-23T14:18:10Z")]
pub struct BadTimestamp(pub String);

impl FromStr for Timestamp {
    type Err = BadTimestamp;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(s, &Rfc3339)
            .map(Self::from_offset)
            .map_err(|_| BadTimestamp(s.chars().take(64).collect()))
    }
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

    proptest::proptest! {
        #[test]
        fn text_and_value_agree(ms in -62_135_596_800_000i64..=253_402_300_799_999) {
            let t = Timestamp::from_unix_ms(ms);
            proptest::prop_assert_eq!(t.to_string().parse::<Timestamp>().unwrap(), t);
        }
    }
}
