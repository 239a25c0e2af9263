//! A run's log in parts: as long as it may be, no more of it is held than is asked for.

use futures::stream::{self, BoxStream, StreamExt};
use rollback_types::quantity::count;
use rollback_types::{Event, LogLine, LogPart, LogQuery, RunId, RunSummary, Timestamp};

use super::{Answer, RollbackService};
use crate::error::ServiceError;

/// Events read from the journal at once.
const PAGE: u32 = 500;
/// Lines of a part, where none are asked for.
const LINES: u32 = 400;
/// Lines of a part at most.
const MOST_LINES: u32 = 1_000;
/// Characters of a search at most.
const LONGEST_TEXT: usize = 200;

/// What is kept while the log is read from its beginning.
struct Collected {
    lines: std::collections::VecDeque<LogLine>,
    most: usize,
    /// The first lines are wanted, not the last.
    first: bool,
    dropped: bool,
}

impl Collected {
    /// Returns whether more are wanted.
    fn take(&mut self, line: LogLine) -> bool {
        if self.lines.len() < self.most {
            self.lines.push_back(line);
            return true;
        }
        self.dropped = true;
        if self.first {
            return false;
        }
        self.lines.pop_front();
        self.lines.push_back(line);
        true
    }
}

impl RollbackService {
    /// A part of a run's log: the last lines that fit, or with `after` the first.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`], [`ServiceError::NotFound`], or the journal's.
    pub async fn log(&self, id: RunId, query: &LogQuery) -> Answer<LogPart> {
        let limit = query.limit.unwrap_or(LINES);
        if !(1..=MOST_LINES).contains(&limit) {
            return Err(ServiceError::field(
                "?limit",
                format!("The lines to read must be 1 to {}.", count(MOST_LINES.into())),
            ));
        }
        let text = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_lowercase);
        if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err(ServiceError::field("?q", format!("The text to look for may have {LONGEST_TEXT} characters.")));
        }
        if query.before.is_some() && query.after.is_some() {
            return Err(ServiceError::field("?before", "Lines are read before an event or after one, not both."));
        }
        let record = self.record(id).await?;
        let end = query.before.unwrap_or(u64::MAX);
        let fits = |line: &LogLine| {
            query.level.is_none_or(|least| line.level >= least)
                && text.as_ref().is_none_or(|text| line.text.to_lowercase().contains(text))
        };
        if query.after.is_none() && (text.is_some() || query.level.is_some()) {
            return self.last_lines_that(&record.summary, fits, end, limit).await;
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Collected { lines: Default::default(), most, first: query.after.is_some(), dropped: false };
        // Nearly every event makes a line: what stands far before the end need not be read.
        let last_wanted = end.min(record.summary.last_event + 1);
        let mut from = query.after.unwrap_or_else(|| last_wanted.saturating_sub(2 * u64::from(limit) + 1));
        let began = from;
        'reading: loop {
            let events = self.journal.events(id, from, PAGE).await?;
            let Some(last) = events.last() else { break };
            from = last.number;
            for event in events {
                if event.number >= end {
                    break 'reading;
                }
                let line = LogLine::of(&event, record.summary.started_at).filter(fits);
                if line.is_some_and(|line| !found.take(line)) {
                    break 'reading;
                }
            }
        }
        let (earlier, later) = match query.after {
            Some(after) => (after > 0, found.dropped),
            None => {
                (found.dropped || began > 0, query.before.is_some_and(|before| before <= record.summary.last_event))
            }
        };
        Ok(LogPart { lines: found.lines.into(), earlier, later })
    }

    /// The last lines before `end` that fit; read from the end until there are enough.
    async fn last_lines_that(
        &self,
        run: &RunSummary,
        fits: impl Fn(&LogLine) -> bool,
        end: u64,
        limit: u32,
    ) -> Answer<LogPart> {
        let later = end <= run.last_event;
        let mut lines = std::collections::VecDeque::new();
        let mut before = end.min(run.last_event.saturating_add(1));
        while before > 1 {
            let from = before.saturating_sub(u64::from(PAGE) + 1);
            let events = self.journal.events(run.id, from, PAGE).await?;
            for event in events.iter().rev().filter(|event| event.number < before) {
                let Some(line) = LogLine::of(event, run.started_at).filter(&fits) else { continue };
                if lines.len() == limit as usize {
                    return Ok(LogPart { lines: lines.into(), earlier: true, later });
                }
                lines.push_front(line);
            }
            before = from + 1;
        }
        Ok(LogPart { lines: lines.into(), earlier: false, later })
    }

    /// The whole log as text, line by line.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or the journal's. What fails later ends the text with an error.
    pub async fn log_text(&self, id: RunId) -> Answer<BoxStream<'static, Result<String, ServiceError>>> {
        let started_at = self.record(id).await?.summary.started_at;
        let journal = self.journal.clone();
        let pages = stream::try_unfold(0, move |from| {
            let journal = journal.clone();
            async move {
                let events = journal.events(id, from, PAGE).await?;
                let Some(last) = events.last().map(|event| event.number) else { return Ok(None) };
                Ok::<_, ServiceError>(Some((text_of(&events, started_at), last)))
            }
        });
        Ok(pages.boxed())
    }
}

fn text_of(events: &[Event], started_at: Timestamp) -> String {
    events.iter().filter_map(|event| LogLine::of(event, started_at)).fold(String::new(), |mut text, line| {
        text.push_str(&line.to_text());
        text.push('\n');
        text
    })
}
