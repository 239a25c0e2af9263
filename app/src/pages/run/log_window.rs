//! The lines of a log that stand in the page: never more than a thousand, wherever in the log they are.

use rollback_types::{LogLine, LogPart};

/// Lines of a window that follows the log's end.
const SHORT: usize = 400;
/// Lines of a window at most.
const LONG: usize = 1_000;

/// A window on the log, or what a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    lines: Vec<LogLine>,
    earlier: bool,
    later: bool,
    sought: Option<String>,
    grave: bool,
    waiting: bool,
    trouble: bool,
}

#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser moves the window"))]
impl Window {
    /// The end of the log, of which these are the last lines.
    pub fn at_end_of(log: &[LogLine]) -> Self {
        let lines = log[log.len().saturating_sub(SHORT)..].to_vec();
        // Events are numbered from 1, and the first makes a line.
        let earlier = lines.first().is_some_and(|line| line.number > 1);
        Self { lines, earlier, ..Self::default() }
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &[LogLine] {
        &self.lines
    }

    /// The number of the first line.
    pub fn first(&self) -> Option<u64> {
        self.lines.first().map(|line| line.number)
    }

    /// The number of the last line.
    pub fn last(&self) -> Option<u64> {
        self.lines.last().map(|line| line.number)
    }

    /// There are lines before these.
    pub fn has_earlier(&self) -> bool {
        self.earlier
    }

    /// There are lines after these.
    pub fn has_later(&self) -> bool {
        self.later
    }

    /// It shows the end of the whole log, and new lines as they come.
    pub fn is_at_end(&self) -> bool {
        !self.later && !self.is_narrowed()
    }

    /// It shows what was found, not where it stands in the log.
    pub fn is_narrowed(&self) -> bool {
        self.sought.is_some() || self.grave
    }

    /// Only warnings and errors are sought.
    pub fn is_grave(&self) -> bool {
        self.grave
    }

    /// What is being searched for.
    pub fn sought(&self) -> Option<&str> {
        self.sought.as_deref()
    }

    /// An answer is awaited.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The last question was not answered.
    pub fn trouble(&self) -> bool {
        self.trouble
    }

    /// New lines of the log, which may overlap with what is there.
    pub fn take_in(&mut self, log: &[LogLine]) {
        if !self.is_at_end() {
            return;
        }
        let known = self.last().unwrap_or(0);
        // A gap would be a lie: the log's end is shown instead.
        if log.first().is_some_and(|first| first.number > known + 1) && !self.lines.is_empty() {
            *self = Self::at_end_of(log);
            return;
        }
        let new = log.iter().filter(|line| line.number > known);
        self.lines.extend(new.cloned());
        self.shorten_front();
    }

    /// Searches for this text, if there is any, in all lines or only in the `grave` ones; the answer is
    /// [`put_found`](Self::put_found).
    pub fn search(&mut self, text: &str, grave: bool) {
        let sought = Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        *self = Self { sought, grave, ..Self::default() };
    }

    /// Waits for an answer.
    pub fn wait(&mut self) {
        (self.waiting, self.trouble) = (true, false);
    }

    /// No answer came; what is shown stays.
    pub fn fail(&mut self) {
        (self.waiting, self.trouble) = (false, true);
    }

    /// What was found.
    pub fn put_found(&mut self, part: LogPart) {
        (self.waiting, self.lines, self.earlier, self.later) = (false, part.lines, part.earlier, false);
    }

    /// Lines before the first.
    pub fn put_before(&mut self, part: LogPart) {
        let first = self.first().unwrap_or(u64::MAX);
        let mut lines: Vec<LogLine> = part.lines.into_iter().filter(|line| line.number < first).collect();
        lines.append(&mut self.lines);
        (self.waiting, self.earlier, self.lines) = (false, part.earlier, lines);
        if self.lines.len() > LONG {
            self.lines.truncate(LONG);
            self.later = true;
        }
    }

    /// Lines after the last.
    pub fn put_after(&mut self, part: LogPart) {
        let last = self.last().unwrap_or(0);
        self.lines.extend(part.lines.into_iter().filter(|line| line.number > last));
        (self.waiting, self.later) = (false, part.later);
        self.shorten_front();
    }

    fn shorten_front(&mut self) {
        let surplus = self.lines.len().saturating_sub(LONG);
        if surplus > 0 {
            self.lines.drain(..surplus);
            self.earlier = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::{LogLevel, Timestamp};

    fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<LogLine> {
        let line = |number| LogLine {
            number,
            at: Timestamp::from_unix_ms(0),
            offset_ms: 0,
            level: LogLevel::Info,
            step: None,
            text: String::new(),
        };
        numbers.map(line).collect()
    }

    fn part(numbers: std::ops::RangeInclusive<u64>, earlier: bool, later: bool) -> LogPart {
        LogPart { lines: lines(numbers), earlier, later }
    }

    fn span(window: &Window) -> (u64, u64, usize) {
        (window.first().unwrap(), window.last().unwrap(), window.lines().len())
    }

    #[test]
    fn it_follows_the_end_and_never_grows_beyond_its_bounds() {
        let mut window = Window::at_end_of(&lines(1..=500));
        assert_eq!(span(&window), (101, 500, 400));
        assert!(window.has_earlier() && !window.has_later());
        window.take_in(&lines(201..=1_400));
        assert_eq!(span(&window), (401, 1_400, 1_000));
        window.take_in(&lines(201..=1_400));
        assert_eq!(span(&window), (401, 1_400, 1_000), "what is known is not taken twice");
    }

    #[test]
    fn lines_that_were_missed_are_not_passed_over_in_silence() {
        let mut window = Window::at_end_of(&lines(1..=10));
        window.take_in(&lines(5_001..=6_000));
        assert_eq!(span(&window), (5_601, 6_000, 400));
        assert!(window.has_earlier());
    }

    #[test]
    fn it_moves_back_and_forth_without_gap_or_twice() {
        let mut window = Window::at_end_of(&lines(9_001..=10_000));
        window.put_before(part(9_201..=9_600, true, true));
        window.put_before(part(8_801..=9_200, true, true));
        assert_eq!(span(&window), (8_801, 9_800, 1_000));
        assert!(window.has_later() && !window.is_at_end());
        window.take_in(&lines(9_001..=10_001));
        assert_eq!(window.last(), Some(9_800), "what is far from the end takes nothing in");
        window.put_after(part(9_801..=10_001, true, false));
        assert_eq!(span(&window), (9_002, 10_001, 1_000));
        assert!(window.is_at_end() && window.has_earlier());
        let numbers: Vec<u64> = window.lines().iter().map(|line| line.number).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }

    #[test]
    fn what_was_found_stays_while_the_run_goes_on() {
        let mut window = Window::at_end_of(&lines(1..=10));
        window.search(" Failed ", false);
        assert_eq!(window.sought(), Some("Failed"));
        window.put_found(part(3..=3, false, false));
        window.take_in(&lines(1..=12));
        assert_eq!(span(&window), (3, 3, 1));
    }

    #[test]
    fn warnings_and_errors_alone_are_no_end_of_the_log() {
        let mut window = Window::at_end_of(&lines(1..=10));
        window.search("  ", true);
        assert!(window.sought().is_none() && window.is_grave() && !window.is_at_end());
        window.put_found(part(3..=3, false, false));
        window.take_in(&lines(1..=12));
        assert_eq!(span(&window), (3, 3, 1));
    }
}
