//! Checks 1 to 4: chapters, points and paragraphs in number and as sets.

use std::collections::BTreeSet;
use std::time::Instant;

use rollback_types::quantity::{count, counted};
use rollback_types::{CheckResult, Layout, OffenderKind, Offenders};

use super::offenders::Collector;
use super::sets::{self, Difference, MAX_HASHES};
use super::survey::{ParagraphSurvey, Paragraphs, PointSurvey, Points, Versions};
use super::{ExpectedChapters, Look, Subject, judged, not_checked};
use crate::store::{Fault, StoreError};

/// Chapters as they stand, or why there is none.
struct Chapters {
    keys: BTreeSet<String>,
    rows: u64,
    /// Where they are, for the sentences.
    place: String,
    /// There is no table for them.
    absent: bool,
}

/// Checks 1 to 4.
pub(super) async fn checks(look: &Look<'_>) -> Vec<CheckResult> {
    let started = Instant::now();
    let chapters = chapters(look).await;
    let first = first(look, &chapters, started);
    (look.done)();
    let none = BTreeSet::new();
    let keys = chapters.as_ref().map_or(&none, |c| &c.keys);
    let paragraphs = Paragraphs { graph: look.stores.graph.as_ref(), scope: &look.scope };
    let collection = look.collection.as_ref();
    let points = collection.map(|collection| Points {
        vectors: look.stores.vectors.as_ref(),
        collection: collection.is_there.then_some(collection.name.as_str()),
        layout: look.layout,
        only: look.subject.version().filter(|_| look.layout == Layout::PerVersion),
    });
    let surveys = async {
        match &points {
            Ok(points) => {
                let read = tokio::join!(points.survey(keys, look.sink), paragraphs.survey(look.layout, look.sink));
                (read.0, read.1)
            }
            Err(e) => (Err((*e).clone()), paragraphs.survey(look.layout, look.sink).await),
        }
    };
    let (of_points, of_paragraphs) = surveys.await;
    let second = second(look, &of_points, &of_paragraphs, started);
    (look.done)();
    let third = third(look, &chapters, &of_points, started);
    (look.done)();
    let fourth = match (points, of_points, of_paragraphs) {
        (Ok(points), Ok(of_points), Ok(of_paragraphs)) => {
            fourth(look, (&points, of_points), (&paragraphs, of_paragraphs), started).await
        }
        (_, Err(e), _) | (_, _, Err(e)) => not_checked(4, &e, started),
        (Err(e), ..) => not_checked(4, e, started),
    };
    (look.done)();
    vec![first, second, third, fourth]
}

async fn chapters(look: &Look<'_>) -> Result<Chapters, StoreError> {
    let records = &look.stores.records;
    let staged = match look.subject {
        Subject::Production { .. } => None,
        Subject::Staging(target) => {
            let staging = records.staging(target).await?;
            match (staging.present, look.layout) {
                (true, _) => Some((target, staging.name)),
                // Ingestion rewrites the chapters in place here: what stands there is what the version would have.
                (false, Layout::PerVersion) => None,
                (false, Layout::Shared | Layout::Mixed) => {
                    return Ok(Chapters { keys: BTreeSet::new(), rows: 0, place: staging.name, absent: true });
                }
            }
        }
    };
    let place = staged.as_ref().map_or_else(|| "chapter_metadata".to_owned(), |(_, name)| name.clone());
    let keys = match records.chapter_keys(staged.map(|(target, _)| target)).await {
        // A table that must be there and is not is an answer, and no failure of the store.
        Err(e) if e.fault == Fault::Missing => {
            return Ok(Chapters { keys: BTreeSet::new(), rows: 0, place, absent: true });
        }
        keys => keys?,
    };
    Ok(Chapters { rows: keys.len() as u64, keys: keys.into_iter().collect(), place, absent: false })
}

fn first(look: &Look<'_>, chapters: &Result<Chapters, StoreError>, started: Instant) -> CheckResult {
    let chapters = match chapters {
        Ok(chapters) => chapters,
        Err(e) => return not_checked(1, e, started),
    };
    let (rows, place) = (chapters.rows, &chapters.place);
    let told = |passed, detail| CheckResult { found: Some(rows), ..judged(1, passed, detail, Vec::new(), started) };
    if chapters.absent {
        return told(Some(false), format!("there is no table {place}, and so no chapter"));
    }
    let (expected, by) = match look.expected {
        ExpectedChapters::Registry { count, version } => (*count, format!(" by {version} in the registry")),
        ExpectedChapters::Restored { count, why } => (*count, format!(": {why}")),
        ExpectedChapters::Configured(n) => (*n, " by the configuration".to_owned()),
        ExpectedChapters::Copy(n) => (*n, " as in the copy that production is compared with".to_owned()),
        ExpectedChapters::Unknown => {
            return if rows == 0 {
                told(Some(false), format!("{place} is empty"))
            } else {
                let detail = format!(
                    "{place} has {}; how many are expected is neither in the registry nor in the \
                     configuration",
                    counted(rows, "chapters")
                );
                told(None, detail)
            };
        }
    };
    let detail = format!("{place} has {}, {} expected{by}", counted(rows, "chapters"), count(expected));
    CheckResult { expected: Some(expected), ..told(Some(expected == rows), detail) }
}

fn second(
    look: &Look<'_>,
    points: &Result<PointSurvey<'_>, StoreError>,
    paragraphs: &Result<ParagraphSurvey<'_>, StoreError>,
    started: Instant,
) -> CheckResult {
    let (points, paragraphs) = match (points, paragraphs) {
        (Ok(points), Ok(paragraphs)) => (points, paragraphs),
        (Err(e), _) | (_, Err(e)) => return not_checked(2, e, started),
    };
    let (p, n) = (points.counted, paragraphs.counted);
    let place = look.place();
    let mut detail = format!("{place} has {}, Neo4j has {}", counted(p, "points"), counted(n, "paragraphs"));
    let mut passed = Some(p == n);
    if look.layout == Layout::PerVersion {
        let (told, equal) = by_version(&points.versions, &paragraphs.versions);
        detail.push_str(&told);
        passed = Some(p == n && equal);
    }
    if points.copied > 0 {
        let copied = counted(points.copied, "points");
        detail.push_str(&format!("; not counted: {copied} copied from other versions"));
    }
    if p == 0 && n == 0 {
        match look.subject {
            Subject::Production { .. } => passed = Some(false),
            Subject::Staging(_) => {
                passed = None;
                detail.push_str(": nothing is staged");
            }
        }
    }
    CheckResult { expected: Some(p), found: Some(n), ..judged(2, passed, detail, Vec::new(), started) }
}

/// Version by version: a whole compared with a whole can hide two differences that make up for each other.
fn by_version(points: &Versions, paragraphs: &Versions) -> (String, bool) {
    let versions: BTreeSet<&String> = points.keys().chain(paragraphs.keys()).collect();
    let of = |counts: &Versions, version: &String| counts.get(version).copied().unwrap_or(0);
    let pairs: Vec<_> = versions.into_iter().map(|v| (v, of(points, v), of(paragraphs, v))).collect();
    let unequal: Vec<_> = pairs.iter().filter(|(_, p, n)| p != n).collect();
    let told = match unequal.as_slice() {
        [] => format!(" ({} compared one by one)", counted(pairs.len() as u64, "versions")),
        some => {
            let told: Vec<String> = some
                .iter()
                .take(5)
                .map(|(v, p, n)| format!("{v}: {}, {}", counted(*p, "points"), counted(*n, "paragraphs")))
                .collect();
            let more = if some.len() > 5 { format!(", and {} more", some.len() - 5) } else { String::new() };
            format!(" (by version: {}{more})", told.join("; "))
        }
    };
    (told, unequal.is_empty())
}

fn third(
    look: &Look<'_>,
    chapters: &Result<Chapters, StoreError>,
    points: &Result<PointSurvey<'_>, StoreError>,
    started: Instant,
) -> CheckResult {
    let (chapters, points) = match (chapters, points) {
        (Ok(chapters), Ok(points)) => (chapters, points),
        (Err(e), _) | (_, Err(e)) => return not_checked(3, e, started),
    };
    let mut without = Collector::new(look.sink, OffenderKind::ChaptersWithoutPoints);
    for key in chapters.keys.difference(&points.chapters) {
        without.add(key);
    }
    let (all, covered) = (chapters.keys.len() as u64, points.chapters.len() as u64);
    let place = look.place();
    let (passed, detail) = match all {
        0 => (None, format!("there are no chapters in {} to look for", chapters.place)),
        _ => {
            let rest = all - covered;
            (
                Some(rest == 0),
                format!(
                    "{} of {} have points in {place}, {} have none",
                    count(covered),
                    counted(all, "chapters"),
                    count(rest)
                ),
            )
        }
    };
    let result = judged(3, passed, detail, without.finish().into_iter().collect(), started);
    CheckResult { expected: Some(all), found: Some(covered), ..result }
}

async fn fourth(
    look: &Look<'_>,
    (points, of_points): (&Points<'_>, PointSurvey<'_>),
    (paragraphs, of_paragraphs): (&Paragraphs<'_>, ParagraphSurvey<'_>),
    started: Instant,
) -> CheckResult {
    let list = |kind| Collector::new(look.sink, kind);
    let mut only_qdrant = list(OffenderKind::MissingInNeo4j);
    let mut only_neo4j = list(OffenderKind::MissingInQdrant);
    let mut twice_qdrant = list(OffenderKind::DuplicatesInQdrant);
    let mut twice_neo4j = list(OffenderKind::DuplicatesInNeo4j);
    let compared = sets::compare(
        (points, of_points.tally),
        (paragraphs, of_paragraphs.tally),
        MAX_HASHES,
        &mut |difference, id| match difference {
            Difference::OnlyInA => only_qdrant.add(id),
            Difference::OnlyInB => only_neo4j.add(id),
            Difference::RepeatedInA => twice_qdrant.add(id),
            Difference::RepeatedInB => twice_neo4j.add(id),
        },
    )
    .await;
    let offenders: Vec<Offenders> =
        [only_qdrant, only_neo4j, twice_qdrant, twice_neo4j, of_points.nameless, of_paragraphs.nameless]
            .into_iter()
            .filter_map(Collector::finish)
            .collect();
    let overlap = match compared {
        Ok(overlap) => overlap,
        Err(e) => return not_checked(4, &e, started),
    };
    let mut detail =
        format!("{} in both stores, {} in either", counted(overlap.both, "chunk ids"), count(overlap.either));
    for group in &offenders {
        detail.push_str(&format!("; {} {}", count(group.count), group.kind.title()));
    }
    if look.layout == Layout::PerVersion {
        detail.push_str("; compared version by version, ids with their version");
    }
    let nothing = of_points.counted == 0 && of_paragraphs.counted == 0;
    let passed = match (nothing, look.subject) {
        (true, Subject::Staging(_)) => None,
        (true, Subject::Production { .. }) => Some(false),
        (false, _) => Some(offenders.is_empty()),
    };
    let result = judged(4, passed, detail, offenders, started);
    CheckResult { expected: Some(overlap.either), found: Some(overlap.both), ..result }
}
