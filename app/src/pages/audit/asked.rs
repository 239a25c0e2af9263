//! What the address of the audit asks for.

use rollback_types::{AuditOutcome, AuditQuery, Cursor, Timestamp};
use time::{Date, Duration, Month};

use crate::{address, format};

/// Rows of one page.
const ROWS: u32 = 50;

/// The filter, as the form wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub outcome: Option<AuditOutcome>,
    /// A day, `2026-11-23`.
    pub since: Option<String>,
    /// A day; all of it is shown.
    pub until: Option<String>,
    pub cursor: Option<String>,
    /// What stood in a day's place and is none: it narrows nothing, and the page says so.
    pub no_days: Vec<String>,
}

impl Asked {
    /// Unknown words and days that are none ask for nothing; the latter are kept apart, to be told.
    pub fn read(search: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in address::pairs(search) {
            let value = value.trim().to_owned();
            if value.is_empty() {
                continue;
            }
            match key.as_str() {
                "actor" => asked.actor = Some(value),
                "action" => asked.action = Some(value),
                "outcome" => asked.outcome = AuditOutcome::parse(&value),
                "since" if day(&value).is_some() => asked.since = Some(value),
                "until" if day(&value).is_some() => asked.until = Some(value),
                "since" | "until" => asked.no_days.push(value),
                "cursor" => asked.cursor = Some(value),
                _ => {}
            }
        }
        asked
    }

    pub fn is_filtered(&self) -> bool {
        *self != Self { cursor: self.cursor.clone(), no_days: self.no_days.clone(), ..Self::default() }
    }

    pub fn query(self) -> AuditQuery {
        let since = self.since();
        let until = self.until();
        AuditQuery {
            actor: self.actor,
            action: self.action,
            outcome: self.outcome,
            since,
            until,
            cursor: self.cursor.map(Cursor),
            limit: Some(ROWS),
        }
    }

    fn since(&self) -> Option<Timestamp> {
        self.since.as_deref().and_then(day).map(midnight)
    }

    /// The end of that day.
    fn until(&self) -> Option<Timestamp> {
        self.until.as_deref().and_then(day).and_then(Date::next_day).map(midnight)
    }

    /// The address of the same rows from their beginning, or further on.
    pub fn path(&self, cursor: Option<&str>) -> String {
        let text = |field: &'static str, value: &Option<String>| (field, value.clone().unwrap_or_default());
        let pairs = [
            text("actor", &self.actor),
            text("action", &self.action),
            ("outcome", self.outcome.map_or("", AuditOutcome::as_str).to_owned()),
            text("since", &self.since),
            text("until", &self.until),
            ("cursor", cursor.unwrap_or_default().to_owned()),
        ];
        format!("/audit{}", format::query(pairs.iter().map(|(key, value)| (*key, value.as_str()))))
    }

    /// All rows that fit, one JSON document a line.
    pub fn download(&self) -> String {
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let (since, until) = (moment(self.since()), moment(self.until()));
        let query = format::query([
            ("actor", self.actor.as_deref().unwrap_or_default()),
            ("action", self.action.as_deref().unwrap_or_default()),
            ("outcome", self.outcome.map_or("", AuditOutcome::as_str)),
            ("since", since.as_str()),
            ("until", until.as_str()),
        ]);
        format!("/api/v1/audit.ndjson{query}")
    }
}

/// Reads `2026-11-23`.
pub(in crate::pages) fn day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let year: i32 = year.parse().ok().filter(|y| (1970..=9998).contains(y))?;
    Date::from_calendar_date(year, month, day.parse().ok()?).ok()
}

pub(in crate::pages) fn midnight(day: Date) -> Timestamp {
    let since_1970: Duration = day.midnight().assume_utc() - time::OffsetDateTime::UNIX_EPOCH;
    Timestamp::from_unix_ms(since_1970.whole_seconds() * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_days_in_utc() {
        let query = Asked::read("?since=2026-11-23&until=2026-11-23").query();
        assert_eq!(query.since.map(|t| t.to_string()).as_deref(), Some("2026-11-23T00:00:00.000Z"));
        assert_eq!(query.until.map(|t| t.to_string()).as_deref(), Some("2026-11-24T00:00:00.000Z"));
        for odd in ["2026-02-30", "yesterday", "2026-11", "-1-1-1", "99999-01-01"] {
            let asked = Asked::read(&format!("?since={odd}"));
            assert_eq!((asked.since, asked.no_days), (None, vec![odd.to_owned()]), "told, not passed over");
        }
    }

    #[test]
    fn an_address_keeps_the_filter_and_a_download_has_it() {
        let search = "?actor=ada%40x&action=runs&outcome=refused&since=2026-11-23&cursor=c";
        let asked = Asked::read(search);
        assert!(asked.is_filtered());
        assert_eq!(asked.path(Some("c")), format!("/audit{search}"));
        assert_eq!(
            asked.download(),
            "/api/v1/audit.ndjson?actor=ada%40x&action=runs&outcome=refused&since=2026-11-23T00%3A00%3A00.000Z"
        );
        assert!(!Asked::read("?cursor=c&outcome=odd&actor=").is_filtered());
        assert_eq!(Asked::default().path(None), "/audit");
    }
}
