//! A run's log: one line an event.

use serde::{Deserialize, Serialize};

use crate::event::{Event, EventKind};
use crate::note::Note;
use crate::quantity::{count, counted};
use crate::run::RunState;
use crate::step::Step;
use crate::timestamp::Timestamp;

/// How loud a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Info,
    Warning,
    Error,
}

/// One line of a run's log, made from one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// The event's number.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Milliseconds since the run began.
    pub offset_ms: u64,
    /// How loud.
    pub level: LogLevel,
    /// The step it speaks of.
    pub step: Option<Step>,
    /// The line.
    pub text: String,
}

impl LogLine {
    /// The line that an event makes in the log of a run that started then; a few kinds make none.
    pub fn of(event: &Event, started_at: Timestamp) -> Option<Self> {
        let (level, text) = line_of(&event.kind)?;
        let (number, at) = (event.number, event.at);
        Some(Self { number, at, offset_ms: at.since_ms(started_at), level, step: event.kind.step(), text })
    }

    /// The line as text, without its end: when, since when, how loud, what. Line ends within it become spaces, and what
    /// would steer a terminal is left out.
    pub fn to_text(&self) -> String {
        let level = match self.level {
            LogLevel::Info => "info",
            LogLevel::Warning => "warning",
            LogLevel::Error => "error",
        };
        let offset = format!("+{}.{:02}s", self.offset_ms / 1_000, self.offset_ms % 1_000 / 10);
        let text: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{} {offset} {level} {text}", self.at)
    }
}

/// A part of a run's log, oldest line first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPart {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// There are older lines that fit.
    pub earlier: bool,
    /// There are newer lines that fit.
    pub later: bool,
}

/// Which part of a run's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only lines that hold this text, whatever its case.
    pub text: Option<String>,
    /// Only lines at least as loud as this.
    pub level: Option<LogLevel>,
    /// Only lines before the event of this number; the last of them.
    pub before: Option<u64>,
    /// Only lines after the event of this number; the first of them.
    pub after: Option<u64>,
    /// Lines at most; 1 to 1,000, 400 when absent.
    pub limit: Option<u32>,
}

fn line_of(kind: &EventKind) -> Option<(LogLevel, String)> {
    use LogLevel::{Error, Info, Warning};
    Some(match kind {
        EventKind::RunStarted { kind, version_id, plan_digest, actor, approved_by, .. } => {
            let approved = if approved_by.is_empty() {
                String::new()
            } else {
                format!(", approved by {}", approved_by.join(", "))
            };
            let plan = plan_digest.short();
            (Info, format!("run started by {actor}: {} {version_id}, plan {plan}{approved}", kind.verb()))
        }
        EventKind::StepStarted { step, attempt: 1 } => (Info, format!("{step}: {}", step.title())),
        EventKind::StepStarted { step, attempt } => (Info, format!("{step}: {}, attempt {attempt}", step.title())),
        EventKind::StepNote { step, message } => (Info, format!("{step}: {message}")),
        EventKind::StepActs { step, units } => {
            // A restore counts what it brings, every other step what it takes.
            let which = if step.is_restore() { "to come" } else { "counted before" };
            (Info, format!("{step}: acts now, {} {which}", count(*units)))
        }
        EventKind::StepFinding { step, message } => (Warning, format!("{step}: {message}")),
        EventKind::StepRetrying { step, failures, wait_ms, error } => {
            let times = counted(u64::from(*failures), "times");
            (Warning, format!("{step}: {error}; failed {times}, trying again in {wait_ms} ms"))
        }
        // Its verdict has made a line already.
        EventKind::StepCompleted { step: Step::Validate, .. } | EventKind::Unknown => return None,
        EventKind::StepCompleted { step, outcome, .. } => (Info, format!("{step}: {outcome}")),
        EventKind::StepSkipped { step, reason, .. } => (Info, format!("{step} skipped: {reason}")),
        EventKind::StepFailed { step, error } => (Error, format!("{step} failed: {error}")),
        EventKind::DecisionNeeded { steps } => {
            let names: Vec<_> = steps.iter().map(Step::to_string).collect();
            (Warning, format!("a decision is needed about {}", names.join(", ")))
        }
        EventKind::DecisionMade { step, decision, reason, actor } => {
            let why = reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
            let what = decision.as_str().replace('_', " ");
            (Info, format!("{step}: {actor} decided: {what}{why}"))
        }
        EventKind::Validated { report } => {
            let level = if report.is_sound() { Info } else { Warning };
            (level, format!("the validation: {}", report.verdict.title().to_lowercase()))
        }
        EventKind::RunInterrupted { message, .. } => (Error, message.clone()),
        EventKind::RunResumed { reason, actor, .. } => (Info, format!("run resumed by {actor}: {reason}")),
        EventKind::RunAbandoned { reason, actor, summary } => {
            (Warning, format!("run abandoned by {actor}: {reason}. {summary}"))
        }
        EventKind::RunEnded { state, summary, findings } => {
            let level = if *state == RunState::Completed { Info } else { Warning };
            let said = std::iter::once(summary).chain(findings).map(String::as_str).collect::<Vec<_>>().join(" ");
            (level, format!("run ended, {}: {said}", state.as_str().replace('_', " ")))
        }
        EventKind::RunAnnotated { notes, actor } => {
            let titles: Vec<String> = notes.iter().map(Note::title).collect();
            (Info, format!("{actor} added to the report: {}", titles.join(", ")))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RunId;

    fn line(kind: EventKind) -> Option<LogLine> {
        let at = Timestamp::from_unix_ms(0);
        LogLine::of(&Event { number: 1, run_id: RunId(7), at, kind }, at)
    }

    #[test]
    fn a_restore_tells_what_comes_and_a_removal_what_was_there() {
        let acts = |step| line(EventKind::StepActs { step, units: 21 }).unwrap().text;
        assert_eq!(acts(Step::RestoreSqlite), "step 7 (SQLite): acts now, 21 to come");
        assert_eq!(acts(Step::DeleteNodes), "step 5: acts now, 21 counted before");
    }

    #[test]
    fn the_verdict_of_a_validation_is_one_line() {
        let completed = |step| EventKind::StepCompleted {
            step,
            found_absent: false,
            count: Some(7),
            outcome: "All checks passed".into(),
        };
        assert_eq!(line(completed(Step::Validate)), None);
        assert!(line(completed(Step::VerifyCopy)).is_some());
    }

    #[test]
    fn a_line_as_text_is_one_line_whatever_it_says() {
        let kind = EventKind::StepNote { step: Step::Mark, message: "two\nlines\u{1b}[31m".into() };
        let event = Event { number: 3, run_id: RunId(7), at: Timestamp::from_unix_ms(1_234), kind };
        let text = LogLine::of(&event, Timestamp::from_unix_ms(0)).unwrap().to_text();
        assert!(
            text.starts_with("1970-01-01T00:00:01.234Z +1.23s info ") && text.ends_with("two lines [31m"),
            "{text}"
        );
        assert!(!text.contains(char::is_control), "{text}");
    }
}
