//! What the address of the history asks for.

use rollback_types::{Cursor, RunKind, RunQuery, RunState};
use time::Date;

use crate::pages::audit::asked::{day, midnight};
use crate::{address, format};

/// Rows of one page.
const ROWS: u32 = 25;
/// The longest text that is searched for.
const SEARCH: usize = 200;

/// What the fields of the days are called on the page.
pub(super) const FROM: &str = "From (UTC)";
pub(super) const TO: &str = "To (UTC)";

/// The filters. Days are kept as the form wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub state: Option<RunState>,
    pub kind: Option<RunKind>,
    pub version: Option<String>,
    /// In reason, version or who.
    pub search: Option<String>,
    /// A day, `2026-11-23`.
    pub from: Option<String>,
    /// A day; all of it is shown.
    pub to: Option<String>,
    pub cursor: Option<String>,
    /// What stood in a day's place and is none, with its field's name: it narrows nothing, and the page says so.
    pub no_days: Vec<(&'static str, String)>,
}

impl Asked {
    /// Unknown words, and days that are none, ask for nothing; the latter are kept apart, to be told.
    pub fn read(search: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in address::pairs(search).filter(|(_, value)| !value.trim().is_empty()) {
            match key.as_str() {
                "state" => asked.state = RunState::parse(&value),
                "kind" => asked.kind = RunKind::parse(&value),
                "version" => asked.version = Some(value),
                "q" => asked.search = Some(value.trim().chars().take(SEARCH).collect()),
                "from" if day(&value).is_some() => asked.from = Some(value),
                "from" => asked.no_days.push((FROM, value)),
                "to" if day(&value).is_some() => asked.to = Some(value),
                "to" => asked.no_days.push((TO, value)),
                "cursor" => asked.cursor = Some(value),
                _ => {}
            }
        }
        asked
    }

    pub fn query(self) -> RunQuery {
        RunQuery {
            state: self.state,
            kind: self.kind,
            version_id: self.version,
            search: self.search,
            since: self.from.as_deref().and_then(day).map(midnight),
            until: self.to.as_deref().and_then(day).and_then(Date::next_day).map(midnight),
            cursor: self.cursor.map(Cursor),
            limit: Some(ROWS),
        }
    }

    /// The address of the same list from its beginning, or further on.
    pub fn path(&self, cursor: Option<&str>) -> String {
        let query = format::query([
            ("state", self.state.map_or("", RunState::as_str)),
            ("kind", self.kind.map_or("", RunKind::as_str)),
            ("version", self.version.as_deref().unwrap_or_default()),
            ("q", self.search.as_deref().unwrap_or_default()),
            ("from", self.from.as_deref().unwrap_or_default()),
            ("to", self.to.as_deref().unwrap_or_default()),
            ("cursor", cursor.unwrap_or_default()),
        ]);
        format!("/runs{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_filters() {
        let asked = Asked {
            state: Some(RunState::Aborted),
            kind: Some(RunKind::MakeBackup),
            version: Some("a&b".into()),
            search: Some("check 4".into()),
            from: Some("2026-11-01".into()),
            to: Some("2026-11-23".into()),
            cursor: Some("c".into()),
            no_days: Vec::new(),
        };
        let path = asked.path(Some("x="));
        let kept = "state=aborted&kind=make_backup&version=a%26b&q=check%204&from=2026-11-01&to=2026-11-23";
        assert_eq!(path, format!("/runs?{kept}&cursor=x%3D"));
        assert_eq!(Asked::read(&format!("?{kept}&cursor=c&other=x")), asked);
        let odd = Asked::read("?state=teleported&kind=odd&cursor=&q=+&from=yesterday&to=2026-02-30");
        let no_days = vec![(FROM, "yesterday".to_owned()), (TO, "2026-02-30".to_owned())];
        assert_eq!(odd, Asked { no_days, ..Asked::default() }, "told, not passed over");
        assert_eq!(odd.path(None), "/runs");
        assert_eq!(Asked::default().path(None), "/runs");
    }

    #[test]
    fn days_are_whole_days() {
        let query = Asked::read("?from=2026-11-23&to=2026-11-23").query();
        assert_eq!(query.since.map(|t| t.to_string()).as_deref(), Some("2026-11-23T00:00:00.000Z"));
        assert_eq!(query.until.map(|t| t.to_string()).as_deref(), Some("2026-11-24T00:00:00.000Z"));
    }
}
