//! The triggers that the documents name, as far as registry, operation log and validation suggest them, each with where it
//! was seen. What nothing suggests is left out: a person who asks needs none of them.

use futures::TryStreamExt;
use rollback_types::plan::Trigger;
use rollback_types::validation::CheckOutcome;
use rollback_types::{
    EventKind, OperationRow, RunId, RunKind, RunQuery, ValidationReport, VersionId, VersionRow, VersionState,
};

use super::Planner;
use crate::journal_pages;

const TABLE: &str = "Table creation failure";
const BASELINE: &str = "Baseline registration failure";
const VALIDATION: &str = "Validation check failure";
const LABELS: &str = "Label addition incomplete";
const SEARCH: &str = "Search fails or returns nothing";
const SLOWER: &str = "Search answers more than 20 % slower than before";
const COUNTS: &str = "Counts inconsistent across the systems";
const LOGS: &str = "Errors in the logs of a store";
const PIPELINE: &str = "Ingestion pipeline error";
const PERSON: &str = "A person asks";
const UNFINISHED: &str = "An earlier rollback did not finish";

/// Places told for one trigger; of more only their number.
const PLACES: usize = 3;

/// What suggests a rollback of this version. `found`: what Stepback's own validation of its staging data found.
pub(crate) fn suggested(
    row: &VersionRow,
    operations: &[OperationRow],
    found: Option<&(RunId, ValidationReport)>,
) -> Vec<Trigger> {
    let mut seen = Seen::default();
    of_state(row, &mut seen);
    if let Some((run, report)) = found {
        of_validation(*run, report, &mut seen);
    }
    for op in operations.iter().filter(|op| has_failed(&op.status)) {
        let details = op.details.as_deref().map(brief).unwrap_or_default();
        let place = format!("log entry {}: {} {} {details}", op.id, op.operation_type, op.status);
        let place = place.trim_end();
        match op.operation_type.as_str() {
            "validate" => seen.add(VALIDATION, place),
            "ingest" | "ingest_chapter" => seen.add(PIPELINE, place),
            _ => {}
        }
        for title in of_words(&format!("{} {details}", op.operation_type)) {
            seen.add(title, place);
        }
    }
    if let Some(message) = row.status_message.as_deref().map(brief) {
        for title in of_words(&message) {
            seen.add(title, &format!("the message says: {message}"));
        }
    }
    seen.told()
}

/// The latest validation of what the version has staged, by a run of its own.
pub(crate) async fn own_validation(planner: &Planner<'_>, version: &VersionId) -> Option<(RunId, ValidationReport)> {
    let query = RunQuery {
        version_id: Some(version.as_str().to_owned()),
        kind: Some(RunKind::Validate),
        limit: Some(1),
        ..RunQuery::default()
    };
    // Told to help: a journal that cannot be read refuses the plan elsewhere.
    let run = planner.journal.runs(&query).await.ok()?.items.into_iter().next()?;
    let mut found = None;
    let mut events = journal_pages::events(planner.journal, run.id);
    while let Some(event) = events.try_next().await.ok()? {
        if let EventKind::Validated { report } = event.kind {
            found = Some((run.id, *report));
        }
    }
    found
}

#[derive(Default)]
struct Seen(Vec<(&'static str, Vec<String>)>);

impl Seen {
    fn add(&mut self, title: &'static str, place: &str) {
        match self.0.iter_mut().find(|(known, _)| *known == title) {
            Some((_, places)) if places.iter().any(|p| p == place) => {}
            Some((_, places)) => places.push(place.to_owned()),
            None => self.0.push((title, vec![place.to_owned()])),
        }
    }

    fn told(self) -> Vec<Trigger> {
        let tell = |(title, places): (&str, Vec<String>)| {
            let more = places.len().saturating_sub(PLACES);
            let mut evidence = places.into_iter().take(PLACES).collect::<Vec<_>>().join("; ");
            if more > 0 {
                evidence.push_str(&format!("; and {more} more"));
            }
            Trigger { title: title.to_owned(), evidence }
        };
        self.0.into_iter().map(tell).collect()
    }
}

fn of_state(row: &VersionRow, seen: &mut Seen) {
    match &row.status {
        VersionState::ValidatingFailed => {
            let said = row.status_message.as_deref().map(|m| format!(": {}", brief(m))).unwrap_or_default();
            seen.add(VALIDATION, &format!("the state is validating_failed{said}"));
        }
        VersionState::Failed => seen.add(PIPELINE, "the state is failed"),
        VersionState::RollbackTriggered => seen.add(PERSON, "the state is rollback_triggered"),
        VersionState::RollingBack => seen.add(UNFINISHED, "the state is rolling_back"),
        _ => {}
    }
    if row.validation_passed == Some(false) {
        seen.add(VALIDATION, "validation_passed is false");
    }
}

fn of_validation(run: RunId, report: &ValidationReport, seen: &mut Seen) {
    let failed = report.checks.iter().filter(|check| check.state == CheckOutcome::Failed);
    for check in failed.filter(|check| check.number <= 5) {
        let place = format!("run #{run}, check {}: {}", check.number, brief(&check.detail));
        seen.add(VALIDATION, &place);
        if matches!(check.number, 2 | 4) {
            seen.add(COUNTS, &place);
        }
    }
    if let Some(search) = &report.search {
        let place = format!("run #{run}: {}", brief(&search.detail));
        if search.slower {
            seen.add(SLOWER, &place);
        } else if search.state == CheckOutcome::Failed {
            seen.add(SEARCH, &place);
        }
    }
    if let Some(command) = report.command.as_ref().filter(|c| c.state == CheckOutcome::Failed) {
        seen.add(SEARCH, &format!("run #{run}, the operator's own test: {}", brief(&command.detail)));
    }
}

fn has_failed(status: &str) -> bool {
    matches!(status.to_lowercase().as_str(), "fail" | "failed" | "failure" | "error")
}

/// What a text about something that went wrong speaks of.
fn of_words(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut found = Vec::new();
    if says(&["create table", "table creation", "no such table"]) {
        found.push(TABLE);
    }
    if says(&["baseline"]) && says(&["regist"]) {
        found.push(BASELINE);
    }
    if says(&["label"]) {
        found.push(LABELS);
    }
    if says(&["search"]) {
        found.push(if says(&["slower", "too slow", "latency"]) { SLOWER } else { SEARCH });
    }
    if says(&["mismatch", "inconsistent", "differ"]) {
        found.push(COUNTS);
    }
    let trouble = ["error", "exception", "timed out", "timeout", "connection re", "unreachable", "out of memory"];
    if says(&["qdrant", "neo4j", "sqlite"]) && says(&trouble) {
        found.push(LOGS);
    }
    found
}

/// Messages can be megabytes long.
fn brief(text: &str) -> String {
    let mut short: String = text.chars().take(160).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::Timestamp;
    use rollback_types::validation::{CheckResult, SearchResult, ValidationScope};

    fn row(status: VersionState, message: Option<&str>) -> VersionRow {
        let id = VersionId::new("v2_minor_20251226_143022");
        VersionRow { status_message: message.map(str::to_owned), ..VersionRow::of(id, status) }
    }

    fn entry(kind: &str, status: &str, details: &str) -> OperationRow {
        OperationRow {
            id: 7,
            version_id: VersionId::new("v2_minor_20251226_143022"),
            operation_type: kind.into(),
            status: status.into(),
            details: Some(details.into()),
            created_at: None,
            completed_at: None,
        }
    }

    fn titles(found: &[Trigger]) -> Vec<&str> {
        found.iter().map(|t| t.title.as_str()).collect()
    }

    #[test]
    fn every_trigger_of_the_documents_is_found_in_the_log() {
        for (kind, details, title) in [
            ("ingest", "CREATE TABLE chapter_metadata_staging: disk I/O error", TABLE),
            ("register_baseline", "UNIQUE constraint failed", BASELINE),
            ("validate", "Check 5: 3 paragraphs without a parent", VALIDATION),
            ("add_labels", "40 of 90 nodes have the label", LABELS),
            ("search_check", "no result for 3 of 5 queries", SEARCH),
            ("search_check", "Search is 34 % slower than before", SLOWER),
            ("validate", "['Count mismatch: Qdrant versioned=51, Neo4j=50']", COUNTS),
            ("ingest", "Neo4j: connection reset", LOGS),
            ("ingest_chapter", "pipeline · chapter bailey:ch1 · Qdrant timed out", LOGS),
        ] {
            let found = suggested(&row(VersionState::Staging, None), &[entry(kind, "failed", details)], None);
            assert!(titles(&found).contains(&title), "{details}: {found:?}");
            let evidence = &found.iter().find(|t| t.title == title).unwrap().evidence;
            assert!(evidence.contains("log entry 7") && evidence.contains(details), "{evidence}");
            let passed = suggested(&row(VersionState::Staging, None), &[entry(kind, "completed", details)], None);
            assert_eq!(passed, [], "what went well suggests nothing: {details}");
        }
    }

    #[test]
    fn states_and_messages_suggest_too_and_many_places_are_counted() {
        let found = suggested(&row(VersionState::RollbackTriggered, Some("Search answers 34 % slower")), &[], None);
        assert_eq!(titles(&found), [PERSON, SLOWER]);
        let chapters: Vec<_> = (0..9).map(|n| entry("ingest_chapter", "fail", &format!("chapter {n}"))).collect();
        let found = suggested(&row(VersionState::Staging, None), &chapters, None);
        assert!(found[0].evidence.ends_with("; and 6 more"), "{}", found[0].evidence);
        assert_eq!(suggested(&row(VersionState::Pending, None), &[], None), []);
    }

    #[test]
    fn what_our_own_validation_found_is_evidence() {
        let check = |number: u8, state| CheckResult {
            number,
            title: CheckResult::title_of(number).to_owned(),
            severity: CheckResult::severity_of(number),
            state,
            detail: format!("of check {number}"),
            expected: None,
            found: None,
            offending: 0,
            offenders: Vec::new(),
            took_ms: 1,
        };
        let search = |slower, state| SearchResult {
            state,
            severity: CheckResult::severity_of(1),
            detail: "of the search".into(),
            sampled: 5,
            not_found: Vec::new(),
            too_few: 0,
            median_us: None,
            last_known_us: None,
            slower,
        };
        let report = |checks, search| {
            let id = VersionId::new("v2_minor_20251226_143022");
            let scope = ValidationScope::Staging { version_id: id };
            ValidationReport::new(scope, checks, Some(search), None, Timestamp::from_unix_ms(0), 1)
        };
        let checks =
            vec![check(2, CheckOutcome::Failed), check(3, CheckOutcome::NotChecked), check(6, CheckOutcome::Failed)];
        let found = Some((RunId(9), report(checks, search(true, CheckOutcome::Failed))));
        let told = suggested(&row(VersionState::Staging, None), &[], found.as_ref());
        assert_eq!(titles(&told), [VALIDATION, COUNTS, SLOWER], "a warning alone is no reason");
        assert!(told[0].evidence.contains("run #9, check 2"), "{}", told[0].evidence);
        let found = Some((RunId(9), report(Vec::new(), search(false, CheckOutcome::Failed))));
        let told = suggested(&row(VersionState::Staging, None), &[], found.as_ref());
        assert_eq!(titles(&told), [SEARCH]);
        let found = Some((RunId(9), report(vec![check(4, CheckOutcome::Passed)], search(false, CheckOutcome::Passed))));
        assert_eq!(suggested(&row(VersionState::Staging, None), &[], found.as_ref()), []);
    }
}
