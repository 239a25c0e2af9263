//! The story as a deployment of the specification's layout would tell it.

use super::story::{Plot, Story, Version, stamp};

/// Days before the end, type, state, what is kept (true: with the chapters of the last commit).
const PAST: &[(i64, &str, &str, Option<bool>)] = &[
    (105, "minor", "archived", Some(false)),
    (98, "minor", "rolled_back", None),
    (91, "minor", "archived", Some(false)),
    (84, "minor", "cancelled", None),
    (77, "major", "archived", None),
    (74, "minor", "skipped", None),
    (63, "minor", "restored", None),
    (56, "minor", "archived", Some(false)),
    (49, "minor", "quarantined", None),
    (45, "minor", "rolled_back", None),
    (42, "minor", "in_use", None),
    (35, "minor", "failed", None),
    (30, "minor", "archived", None),
    (28, "major", "archived", Some(true)),
    (21, "minor", "rollback_triggered", None),
    (17, "minor", "rolling_back", None),
    (14, "minor", "pending", None),
    (11, "minor", "committed", Some(true)),
    (8, "minor", "staging", None),
    (5, "minor", "validating", None),
    (3, "minor", "committing", None),
];
/// The row of which all is NULL that may be.
const BARE: i64 = 30;
/// The rolled-back version whose message goes on and on.
const TALKATIVE: i64 = 98;

/// The id of the version that failed, and of the one committed last.
pub(super) fn ids(plot: &Plot) -> (String, String) {
    let number = |days: i64| PAST.iter().position(|p| p.0 == days).map_or(PAST.len(), |i| i) + 2;
    (id(plot, number(0), "minor", 0), id(plot, number(11), "minor", 11))
}

fn id(plot: &Plot, number: usize, kind: &str, days: i64) -> String {
    format!("v{number}_{kind}_{}", stamp(plot.moment(days)))
}

/// Everything up to the last commit and beyond; `failure` is the last version's message.
pub(super) fn tell(plot: &Plot, failure: String, staged: (usize, usize)) -> Story {
    let mut versions = vec![baseline(plot)];
    for (i, (days, kind, status, kept)) in PAST.iter().enumerate() {
        versions.push(past(plot, id(plot, i + 2, kind, *days), *days, status, *kept));
    }
    // An id that fits no pattern, from a day when somebody was in a hurry.
    let mut odd = Version::new("hotfix ch. 12 (2nd try)".to_owned(), "cancelled", plot.moment(70));
    odd.notes = Some("Made by hand; see the ticket.".to_owned());
    odd.log(0, "ingest", "failed", Some("version id does not match v{N}_{type}_{YYYYMMDD}_{HHMMSS}".to_owned()));
    let place = versions.iter().position(|v| v.created > odd.created).unwrap_or(versions.len());
    versions.insert(place, odd);
    versions.push(failed(plot, failure, staged));
    Story { versions }
}

fn baseline(plot: &Plot) -> Version {
    let mut version = Version::new("v1_baseline".to_owned(), "committed", plot.moment(112));
    version.kept = Some(false);
    version.counts = Some(plot.count(false));
    version.validation_passed = Some(true);
    version.committed_by = Some("admin");
    version.notes = Some("Baseline from the data as it was. Immutable.".to_owned());
    version.log(0, "register_baseline", "completed", Some("Baseline registered".to_owned()));
    version
}

fn past(plot: &Plot, id: String, days: i64, status: &'static str, kept: Option<bool>) -> Version {
    let mut version = Version::new(id, status, plot.moment(days));
    version.bare = days == BARE;
    version.kept = kept;
    let counts = plot.count(kept.unwrap_or(days < 20));
    let ingested = || Some(format!("{} chapters, {} paragraphs", counts.0, counts.1));
    let message = match status {
        "archived" | "committed" | "in_use" | "restored" => {
            version.counts = Some(counts);
            version.validation_passed = Some(true);
            version.committed_by = Some("nightly-ingest");
            version.log(0, "ingest", "completed", ingested());
            version.log(540, "validate", "completed", Some("7 of 7 checks passed".to_owned()));
            version.log(600, "commit", "completed", None);
            match status {
                "restored" => "Production restored from this version",
                "in_use" => "Serving search since the last maintenance",
                "archived" => "Superseded by a later version",
                _ => "Committed",
            }
            .to_owned()
        }
        "rolled_back" => {
            version.counts = Some(counts);
            version.validation_passed = Some(false);
            version.log(0, "ingest", "completed", ingested());
            version.log(500, "validate", "failed", Some("Check 2: points and paragraphs differ".to_owned()));
            version.log(900, "rollback", "completed", Some("Rollback completed successfully".to_owned()));
            if days == TALKATIVE {
                long_message()
            } else {
                "Rollback completed successfully. Reason: check 2".to_owned()
            }
        }
        "cancelled" => {
            version.log(0, "ingest", "failed", Some("Cancelled by the operator".to_owned()));
            "Cancelled before anything was staged".to_owned()
        }
        "skipped" => {
            version.log(0, "ingest", "completed", Some("No chapter has changed".to_owned()));
            "Nothing to ingest".to_owned()
        }
        "quarantined" => {
            version.log(0, "ingest", "completed", ingested());
            version.log(700, "quarantine", "completed", Some("Set aside by the review board".to_owned()));
            "Set aside until the review board has met".to_owned()
        }
        "failed" => {
            version.log(
                0,
                "ingest",
                "failed",
                Some("CREATE TABLE chapter_metadata_staging: disk I/O error".to_owned()),
            );
            "Table creation failed: disk I/O error".to_owned()
        }
        "rollback_triggered" => {
            version.log(0, "ingest", "completed", ingested());
            version.log(300, "search_check", "failed", Some("Search is 34 % slower than before".to_owned()));
            "Search answers 34 % slower than before".to_owned()
        }
        "rolling_back" => {
            version.log(0, "ingest", "failed", Some("Neo4j: connection reset".to_owned()));
            version.log(400, "rollback", "in_progress", Some("Starting rollback procedure".to_owned()));
            version.leave_open();
            "Rollback initiated due to: label addition incomplete".to_owned()
        }
        "pending" => {
            version.log(0, "register", "completed", None);
            "Waiting for the source files".to_owned()
        }
        "staging" => {
            version.log(0, "ingest", "failed", Some("Killed after 40 s".to_owned()));
            "Ingestion did not end".to_owned()
        }
        "validating" => {
            version.counts = Some(counts);
            version.log(0, "ingest", "completed", ingested());
            version.log(450, "validate", "failed", Some("The validator was stopped".to_owned()));
            "Validation did not end".to_owned()
        }
        _ => {
            version.counts = Some(counts);
            version.validation_passed = Some(true);
            version.log(0, "ingest", "completed", ingested());
            version.log(500, "validate", "completed", Some("7 of 7 checks passed".to_owned()));
            version.log(600, "commit", "failed", Some("Alias switch failed: deadline exceeded".to_owned()));
            "Commit did not end: alias switch failed".to_owned()
        }
    };
    version.message = Some(message);
    version.notes = Some(format!("Scheduled ingestion, {} days after the baseline", 112 - days));
    version
}

fn failed(plot: &Plot, failure: String, staged: (usize, usize)) -> Version {
    let (id, _) = ids(plot);
    let mut version = Version::new(id, "validating_failed", plot.moment(0));
    version.counts = Some(staged);
    version.validation_passed = Some(false);
    version.notes = Some("Re-ingestion with the new chunker".to_owned());
    version.log(0, "ingest", "completed", Some(format!("{} chapters, {} paragraphs", staged.0, staged.1)));
    version.log(460, "validate", "failed", Some(failure.clone()));
    version.message = Some(failure);
    version
}

/// Some four thousand characters: what a stack of nested errors looks like in a status column.
fn long_message() -> String {
    let mut text = "Rollback completed successfully. Reason: batch 17 failed".to_owned();
    for i in 1..=60 {
        text.push_str(&format!(
            "; caused by: write {i} of 60 to neo4j timed out after {} ms (attempt {})",
            i * 137 % 5_000,
            i % 3 + 1
        ));
    }
    text
}
