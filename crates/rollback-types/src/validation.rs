//! The validation checklist: what was looked at, and what was found.

use serde::{Deserialize, Serialize};

pub use crate::offender::{OffenderKind, Offenders};
use crate::{Timestamp, VersionId};

/// What a validation is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ValidationScope {
    /// What serves searches.
    #[default]
    Production,
    /// What is staged for a version.
    Staging {
        /// The version.
        version_id: VersionId,
    },
}

/// How much a failure weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckSeverity {
    /// A reason to roll back, or to restore.
    Critical,
    /// To be looked into.
    Warning,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Looked at, and right.
    Passed,
    /// Looked at, and wrong.
    Failed,
    /// Could not be looked at to its end: nothing is known.
    NotChecked,
}

/// One of the seven checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckResult {
    /// 1 to 7, as HybridFlow's checklist numbers them.
    pub number: u8,
    /// What is checked.
    pub title: String,
    /// Critical for 1 to 5.
    pub severity: CheckSeverity,
    /// How it ended.
    pub state: CheckOutcome,
    /// What was seen, or why it could not be looked at; one sentence with counts.
    pub detail: String,
    /// Where two counts are compared: what should be there. 1: chapters; 2: points; 3: chapters; 4: ids in either store.
    pub expected: Option<u64>,
    /// Where two counts are compared: what is there. 1: chapters; 2: paragraphs; 3: chapters with points; 4: ids in both.
    pub found: Option<u64>,
    /// How many offenders there are, of all kinds together.
    pub offending: u64,
    /// Who they are, kind by kind.
    pub offenders: Vec<Offenders>,
    /// The time it took; checks run side by side.
    pub took_ms: u64,
}

impl CheckResult {
    /// What is checked, by number.
    pub fn title_of(number: u8) -> &'static str {
        match number {
            1 => "Chapters are as many as expected",
            2 => "Qdrant's points equal Neo4j's paragraphs in number",
            3 => "Every chapter has points",
            4 => "Qdrant and Neo4j hold the same chunk ids",
            5 => "Every paragraph has a parent and is reachable from a chapter",
            6 => "Chains stay in the version, and every NEXT has its PREV",
            _ => "Cross references are well formed",
        }
    }

    /// How much a failure weighs, by number.
    pub fn severity_of(number: u8) -> CheckSeverity {
        if number <= 5 { CheckSeverity::Critical } else { CheckSeverity::Warning }
    }
}

/// The built-in search smoke test: stored vectors must find themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchResult {
    /// How it ended.
    pub state: CheckOutcome,
    /// Critical when results are wrong or missing, a warning when they only came late.
    pub severity: CheckSeverity,
    /// What was seen, in one sentence.
    pub detail: String,
    /// Vectors searched for.
    pub sampled: u32,
    /// Ids of those that did not find themselves; long ones cut.
    pub not_found: Vec<String>,
    /// Searches that returned fewer results than there should be.
    pub too_few: u32,
    /// The median time of a search, in microseconds.
    pub median_us: Option<u64>,
    /// The median it was compared with, in microseconds.
    pub last_known_us: Option<u64>,
    /// More than 20 % slower than the last known.
    pub slower: bool,
}

/// The operator's own search test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandResult {
    /// The program; its arguments may hold secrets and are not told.
    pub program: String,
    /// Passed with exit status 0; not checked when it could not be started.
    pub state: CheckOutcome,
    /// What happened, in one sentence.
    pub detail: String,
    /// Its exit status, where it exited by itself.
    pub exit_code: Option<i32>,
    /// It was ended at the time limit.
    pub timed_out: bool,
    /// The end of what it wrote to both outputs; control characters but line ends and tabs left out.
    pub output: String,
    /// It wrote more than is shown.
    pub output_cut: bool,
    /// The time it took.
    pub took_ms: u64,
}

/// What all results together mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ValidationVerdict {
    /// Everything passed.
    Sound,
    /// Only warnings failed.
    SoundWithWarnings,
    /// Nothing critical failed, but something could not be checked.
    Incomplete,
    /// Something critical failed.
    Unsound,
}

impl ValidationVerdict {
    /// The words on the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sound => "All checks passed",
            Self::SoundWithWarnings => "Passed with warnings",
            Self::Incomplete => "Not everything could be checked",
            Self::Unsound => "Critical checks failed",
        }
    }
}

/// A whole validation. What was found is shown by the server: a browser reads the verdict alone, and the code that would read
/// the rest is no part of what it loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValidationReport {
    /// What it is about.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub scope: ValidationScope,
    /// The seven checks, in order.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub checks: Vec<CheckResult>,
    /// The search smoke test, when it was asked for.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub search: Option<SearchResult>,
    /// The operator's own command, when one is configured.
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub command: Option<CommandResult>,
    /// When it began.
    pub started_at: Timestamp,
    /// The time all of it took.
    pub took_ms: u64,
    /// What it means.
    pub verdict: ValidationVerdict,
}

impl ValidationReport {
    /// Judges the results.
    pub fn new(
        scope: ValidationScope,
        checks: Vec<CheckResult>,
        search: Option<SearchResult>,
        command: Option<CommandResult>,
        started_at: Timestamp,
        took_ms: u64,
    ) -> Self {
        let mut report =
            Self { scope, checks, search, command, started_at, took_ms, verdict: ValidationVerdict::Sound };
        let failed = |severity| report.parts().any(|p| p.state == CheckOutcome::Failed && p.severity == severity);
        report.verdict = if failed(CheckSeverity::Critical) {
            ValidationVerdict::Unsound
        } else if report.parts().any(|p| p.state == CheckOutcome::NotChecked) {
            ValidationVerdict::Incomplete
        } else if failed(CheckSeverity::Warning) {
            ValidationVerdict::SoundWithWarnings
        } else {
            ValidationVerdict::Sound
        };
        report
    }

    /// Nothing critical failed. Something may not have been checked: see [`verdict`](Self::verdict).
    pub fn is_sound(&self) -> bool {
        self.verdict != ValidationVerdict::Unsound
    }

    /// Everything that did not pass, a sentence each, in the order of the checks.
    pub fn findings(&self) -> Vec<String> {
        let sentence = |part: Part<'_>| match part.state {
            CheckOutcome::Passed => None,
            CheckOutcome::Failed if part.severity == CheckSeverity::Warning => {
                Some(format!("{} warns: {}", part.name, part.detail))
            }
            CheckOutcome::Failed => Some(format!("{} failed: {}", part.name, part.detail)),
            CheckOutcome::NotChecked => Some(format!("{} could not be checked: {}", part.name, part.detail)),
        };
        self.parts().filter_map(sentence).collect()
    }

    /// Whether a sentence of [`findings`](Self::findings) tells of something critical that failed.
    pub fn tells_critical_failure(finding: &str) -> bool {
        let named = ["Check ", "The search test ", "The configured search command "];
        let told = finding.split_once(": ").map_or(finding, |(told, _)| told);
        named.iter().any(|name| told.starts_with(name)) && told.ends_with(" failed")
    }

    /// What is wrong enough for a rollback or a restore, a sentence each.
    pub fn critical_failures(&self) -> Vec<String> {
        let failed = |part: &Part<'_>| part.state == CheckOutcome::Failed && part.severity == CheckSeverity::Critical;
        self.parts().filter(failed).map(|part| format!("{} failed: {}", part.name, part.detail)).collect()
    }

    /// One check by its number.
    pub fn check(&self, number: u8) -> Option<&CheckResult> {
        self.checks.iter().find(|c| c.number == number)
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let checks = self.checks.iter().map(|c| Part {
            name: format!("Check {} ({})", c.number, c.title),
            severity: c.severity,
            state: c.state,
            detail: &c.detail,
        });
        let search = self.search.iter().map(|s| Part {
            name: "The search test".to_owned(),
            severity: s.severity,
            state: s.state,
            detail: &s.detail,
        });
        // A search that fails is a trigger of its own in HybridFlow's documents.
        let command = self.command.iter().map(|c| Part {
            name: "The configured search command".to_owned(),
            severity: CheckSeverity::Critical,
            state: c.state,
            detail: &c.detail,
        });
        checks.chain(search).chain(command)
    }
}

/// What checks, search test and command have in common.
struct Part<'a> {
    name: String,
    severity: CheckSeverity,
    state: CheckOutcome,
    detail: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(states: [CheckOutcome; 7]) -> ValidationReport {
        let check = |number: u8| CheckResult {
            number,
            title: CheckResult::title_of(number).to_owned(),
            severity: CheckResult::severity_of(number),
            state: states[usize::from(number) - 1],
            detail: format!("detail of {number}"),
            expected: None,
            found: None,
            offending: 0,
            offenders: Vec::new(),
            took_ms: 0,
        };
        let scope = ValidationScope::Production;
        ValidationReport::new(scope, (1..=7).map(check).collect(), None, None, Timestamp::from_unix_ms(0), 0)
    }

    #[test]
    fn only_checks_one_to_five_make_it_unsound() {
        use CheckOutcome::{Failed, NotChecked, Passed};
        assert_eq!(report([Passed; 7]).verdict, ValidationVerdict::Sound);
        assert_eq!(report([Passed; 7]).findings(), Vec::<String>::new());
        for number in 1..=7 {
            let mut states = [Passed; 7];
            states[number - 1] = Failed;
            let failed = report(states);
            assert_eq!(failed.is_sound(), number > 5, "check {number}");
            assert_eq!(failed.findings().len(), 1);
            assert!(failed.findings()[0].contains(&format!("detail of {number}")));
            assert_eq!(ValidationReport::tells_critical_failure(&failed.findings()[0]), number <= 5, "check {number}");
            states[number - 1] = NotChecked;
            assert_eq!(report(states).verdict, ValidationVerdict::Incomplete, "check {number}");
            assert_eq!(report(states).findings().len(), 1, "what was not checked is told");
        }
        let mut states = [Passed; 7];
        (states[0], states[6]) = (NotChecked, Failed);
        assert_eq!(report(states).verdict, ValidationVerdict::Incomplete);
        states[1] = Failed;
        assert_eq!(report(states).verdict, ValidationVerdict::Unsound);
    }
}
