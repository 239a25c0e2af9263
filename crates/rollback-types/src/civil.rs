//! Moments as people read them.

use crate::Timestamp;

/// Days of four hundred years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// From 1 March of the year 0, where an era begins, to 1 January 1970.
const TO_1970: i64 = 719_468;

/// Year, month and day, so many days after 1970-01-01. (A calendar of our own, as the browser would load that of a library
/// for this alone. Years begin in March here: the day that is now and then added is the last of one.)
pub(crate) fn date_of(days: i64) -> (i32, u8, u8) {
    let since = days + TO_1970;
    let day_of_era = since.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + since.div_euclid(ERA) * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(0), u8::try_from(month).unwrap_or(0), u8::try_from(day).unwrap_or(0))
}

/// Days from 1970-01-01 to that day.
#[cfg(any(test, target_arch = "wasm32"))]
pub(crate) fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * ERA + day_of_era - TO_1970
}

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
        let minutes = at.unix_ms().div_euclid(60_000);
        let (year, month, day) = date_of(minutes.div_euclid(1_440));
        let part = |minutes: i64| u8::try_from(minutes).unwrap_or(0);
        let of_day = minutes.rem_euclid(1_440);
        Self { year, month, day, hour: part(of_day / 60), minute: part(of_day % 60) }
    }

    /// `22 Nov 2026, 22:58`.
    pub fn text(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or("?");
        format!("{} {month} {}, {:02}:{:02}", self.day, self.year, self.hour, self.minute)
    }
}

/// `22 Nov 2026, 22:58 UTC`.
pub fn utc(at: Timestamp) -> String {
    format!("{} UTC", Civil::utc(at).text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;

    proptest::proptest! {
        #[test]
        fn the_calendar_is_everybodys(ms in -62_135_596_800_000i64..=253_402_300_799_999) {
            let t = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap();
            let expected =
                Civil { year: t.year(), month: t.month().into(), day: t.day(), hour: t.hour(), minute: t.minute() };
            proptest::prop_assert_eq!(Civil::utc(Timestamp::from_unix_ms(ms)), expected);
            let days = days_to(t.year().into(), u8::from(t.month()).into(), t.day().into());
            proptest::prop_assert_eq!(days, ms.div_euclid(86_400_000));
        }
    }

    #[test]
    fn a_month_that_is_none_is_no_panic() {
        let civil = Civil { year: 2026, month: 0, day: 1, hour: 2, minute: 3 };
        assert_eq!(civil.text(), "1 ? 2026, 02:03");
    }
}
