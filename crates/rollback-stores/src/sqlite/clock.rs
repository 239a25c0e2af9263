//! Times as each layout writes them.

use rollback_types::Timestamp;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// `2026-11-23 14:18:10`, UTC: what `CURRENT_TIMESTAMP` gives.
pub(super) fn spaced_utc(at: Timestamp) -> String {
    let text = at.to_string();
    // `Timestamp` writes `2026-11-23T14:18:10.276Z`; the first 19 characters are the seconds.
    text.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// `2026-11-23T15:18:10.276000`, local time without a zone: what the pipeline's code writes.
pub(super) fn iso_local(at: Timestamp, local_offset_s: i32) -> String {
    let offset = UtcOffset::from_whole_seconds(local_offset_s).unwrap_or(UtcOffset::UTC);
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.unix_ms()) * 1_000_000)
        .ok()
        .and_then(|t| t.checked_to_offset(offset))
        .and_then(|t| t.format(form).ok())
        // Beyond the years that can be written there is no local form: UTC is the nearest true statement.
        .unwrap_or_else(|| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_back_as_the_same_moment() {
        let at: Timestamp = "2026-11-23T23:18:10.276Z".parse().unwrap();
        assert_eq!(spaced_utc(at), "2026-11-23 23:18:10");
        assert_eq!(iso_local(at, 3_600), "2026-11-24T00:18:10.276000");
        assert_eq!(Timestamp::parse_registry(&iso_local(at, -19_800), -19_800), Some(at));
    }
}
