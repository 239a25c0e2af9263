//! The story as the pipeline's code would write it down: `staging…` versions, and a `latest_copy…` row before each.

use time::Duration;

use super::story::{Operation, Plot, Story, Version, local, stamp};

/// Days before the end, state, what is kept (true: with the chapters of the last commit).
const PAST: &[(i64, &str, Option<bool>)] = &[
    (105, "committed", Some(false)),
    (98, "rolled_back", None),
    (91, "committed", Some(false)),
    (77, "skipped", None),
    (70, "rolled_back", None),
    (56, "committed", Some(false)),
    (42, "quarantined", None),
    (28, "committed", Some(true)),
    (21, "cancelled", None),
    (11, "committed", Some(true)),
    (5, "pending", None),
];
/// The row of which all is NULL that may be.
const BARE: i64 = 21;
/// The rolled-back version whose error goes on and on.
const TALKATIVE: i64 = 98;

/// The id of the version that failed, and of the one committed last.
pub(super) fn ids(plot: &Plot) -> (String, String) {
    (staging_id(plot, 0), staging_id(plot, 11))
}

/// The safety backup that was made before the version that failed.
pub(super) fn safety_backup(plot: &Plot) -> String {
    safety_id(plot, 0)
}

/// The baseline.
pub(super) fn baseline_id(plot: &Plot) -> String {
    format!("v1_baseline_{}", stamp(local(plot.moment(112))))
}

fn staging_id(plot: &Plot, days: i64) -> String {
    format!("staging{}", stamp(local(plot.moment(days))))
}

fn safety_id(plot: &Plot, days: i64) -> String {
    format!("latest_copy{}", stamp(local(plot.moment(days) - Duration::seconds(3))))
}

/// Everything; `touched` are the chapters of the failed version.
pub(super) fn tell(plot: &Plot, failure: String, touched: &[String]) -> Story {
    let mut baseline = Version::new(baseline_id(plot), "committed", plot.moment(112));
    baseline.kept = Some(false);
    baseline.notes = Some("Initial baseline from existing data".to_owned());
    let mut versions = vec![baseline];
    for (days, status, kept) in PAST {
        if *status != "skipped" {
            versions.push(safety(plot, *days, "archived"));
        }
        versions.push(past(plot, *days, status, *kept, touched));
    }
    versions.push(safety(plot, 0, "pending"));
    versions.push(failed(plot, failure, touched));
    Story { versions }
}

fn safety(plot: &Plot, days: i64, status: &'static str) -> Version {
    let mut version = Version::new(safety_id(plot, days), status, plot.moment(days) - Duration::seconds(3));
    version.notes = Some("Safety backup before staging".to_owned());
    version
}

fn past(plot: &Plot, days: i64, status: &'static str, kept: Option<bool>, touched: &[String]) -> Version {
    let mut version = Version::new(staging_id(plot, days), status, plot.moment(days));
    version.bare = days == BARE;
    version.kept = kept;
    version.commit_hash = Some(plot.commit_hash(days));
    match status {
        "committed" => {
            version.counts = Some(plot.count(kept.unwrap_or(false)));
            version.notes = Some("Re-ingested".to_owned());
            ingest(&mut version, touched.iter().take(4));
            version.log(20, "validate", "pass", None);
            version.log(21, "commit", "success", None);
        }
        "rolled_back" => {
            version.notes = Some("Incremental update".to_owned());
            ingest(&mut version, touched.iter().take(2));
            let error = if days == TALKATIVE {
                let parts: Vec<_> = (1..=80).map(|i| format!("'Chunk {i} of 80: vector has 0 dimensions'")).collect();
                format!("[{}]", parts.join(", "))
            } else {
                "['Count mismatch: Qdrant versioned=51, Neo4j=50 (Qdrant staging total=651)']".to_owned()
            };
            version.log(20, "validate", "fail", Some(error.clone()));
            // The pipeline never closes this one.
            version.log(21, "rollback_start", "pending", Some(error));
            version.leave_open();
            version.log(23, "rollback_complete", "success", None);
        }
        "skipped" => version.notes = Some("Nothing to ingest".to_owned()),
        "quarantined" => {
            version.notes = Some("Set aside by the review board".to_owned());
            ingest(&mut version, touched.iter().take(1));
            version.log(20, "validate", "pass", None);
        }
        "cancelled" => {}
        _ => version.notes = Some("Registered; the source files never came".to_owned()),
    }
    version
}

fn failed(plot: &Plot, failure: String, touched: &[String]) -> Version {
    // A killed failure stays `staging`; the reason is in the log alone.
    let mut version = Version::new(staging_id(plot, 0), "staging", plot.moment(0));
    version.notes = Some("Incremental update, killed after its validation failed".to_owned());
    version.commit_hash = Some(plot.commit_hash(0));
    ingest(&mut version, touched.iter());
    version.log(60, "validate", "fail", Some(failure));
    version
}

fn ingest<'a>(version: &mut Version, chapters: impl Iterator<Item = &'a String>) {
    for (i, chapter) in chapters.enumerate() {
        let i = i as i64;
        let at = version.created + Duration::milliseconds(231 * (i + 1));
        version.operations.push(Operation {
            kind: "ingest_chapter",
            status: "success",
            details: None,
            entity: ("chapter", chapter.clone()),
            at,
            took_ms: Some(140 + i * 37 % 160),
        });
    }
}
