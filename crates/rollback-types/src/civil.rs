//! Moments as people read them.

use time::{Month, OffsetDateTime};

use crate::Timestamp;

/// A date and time of day in some zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl Civil {
    /// In UTC.
    pub fn utc(at: Timestamp) -> Self {
        let t =
            OffsetDateTime::from_unix_timestamp(at.unix_ms().div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self { year: t.year(), month: u8::from(t.month()), day: t.day(), hour: t.hour(), minute: t.minute() }
    }

    /// `22 Nov 2026, 22:58`.
    pub fn text(self) -> String {
        let month = Month::try_from(self.month).map_or("?", |m| match m {
            Month::January => "Jan",
            Month::February => "Feb",
            Month::March => "Mar",
            Month::April => "Apr",
            Month::May => "May",
            Month::June => "Jun",
            Month::July => "Jul",
            Month::August => "Aug",
            Month::September => "Sep",
            Month::October => "Oct",
            Month::November => "Nov",
            Month::December => "Dec",
        });
        format!("{} {month} {}, {:02}:{:02}", self.day, self.year, self.hour, self.minute)
    }
}

/// `22 Nov 2026, 22:58 UTC`.
pub fn utc(at: Timestamp) -> String {
    format!("{} UTC", Civil::utc(at).text())
}
