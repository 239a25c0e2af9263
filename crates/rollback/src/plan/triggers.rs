//! The triggers the documents name, as far as the registry and the log suggest them.

use rollback_types::plan::Trigger;
use rollback_types::{OperationRow, VersionRow, VersionState};

/// Words in a message or a log entry, and the trigger they suggest.
const WORDS: [(&[&str], &str); 4] = [
    (&["mismatch", "inconsistent", "count"], "Counts inconsistent across the systems"),
    (&["label"], "Label addition incomplete"),
    (&["create table", "table creation", "no such table"], "Table creation failure"),
    (&["search"], "Search fails or returns nothing"),
];

/// What suggests a rollback of this version, with where it was seen.
pub(super) fn suggested(row: &VersionRow, operations: &[OperationRow]) -> Vec<Trigger> {
    let mut found: Vec<Trigger> = Vec::new();
    let mut add = |title: &str, evidence: String| {
        if !found.iter().any(|t| t.title == title) {
            found.push(Trigger { title: title.to_owned(), evidence });
        }
    };
    let message = row.status_message.as_deref().map(brief);
    match &row.status {
        VersionState::ValidatingFailed => {
            let said = message.as_ref().map(|m| format!(": {m}")).unwrap_or_default();
            add("Validation check failure", format!("the state is validating_failed{said}"));
        }
        VersionState::Failed => add("Ingestion pipeline error", "the state is failed".into()),
        VersionState::RollbackTriggered => add("A person asks", "the state is rollback_triggered".into()),
        VersionState::RollingBack => {
            add("An earlier rollback did not finish", "the state is rolling_back".into());
        }
        _ => {}
    }
    if row.validation_passed == Some(false) {
        add("Validation check failure", "validation_passed is false".into());
    }
    for op in operations {
        let failed = matches!(op.status.as_str(), "fail" | "failed" | "error");
        let details = op.details.as_deref().map(brief).unwrap_or_default();
        let seen = format!("log entry {}: {} {} {details}", op.id, op.operation_type, op.status);
        match op.operation_type.as_str() {
            "validate" if failed => add("Validation check failure", seen),
            "ingest" | "ingest_chapter" if failed => add("Ingestion pipeline error", seen),
            _ => {}
        }
    }
    if let Some(message) = message {
        let lower = message.to_lowercase();
        for (words, title) in WORDS {
            if words.iter().any(|w| lower.contains(w)) {
                add(title, format!("the message says: {message}"));
            }
        }
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
