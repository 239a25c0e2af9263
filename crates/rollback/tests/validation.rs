//! The validation checklist on the fake deployment: what is right passes, what is planted is found, and what cannot be
//! looked at is never passed.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::{Arc, Mutex};

use rollback::fake::{COMMITTED_PER_VERSION, FAILED, FAILED_PER_VERSION, FakeDeployment, Moment};
use rollback::names::Names;
use rollback::store::{Fault, StagingSelector};
use rollback::validation::{DEFAULT_LIMIT, ExpectedChapters, FolderSink, NoSink, SearchCommand, Subject, Validation};
use rollback_types::{
    CheckOutcome, CheckSeverity, Layout, OffenderKind, RollbackTarget, StoreKind, ValidationReport, ValidationVerdict,
    VersionId,
};
use support::{bench, bench_per_version};

fn by_the_registry(count: u64) -> ExpectedChapters {
    ExpectedChapters::Registry { count, version: VersionId::new("v6") }
}

fn production(deployment: &FakeDeployment, layout: Layout) -> Validation {
    let staging = match layout {
        Layout::PerVersion => StagingSelector::IdSuffix(format!("::{FAILED_PER_VERSION}")),
        Layout::Shared | Layout::Mixed => StagingSelector::Label("staging".into()),
    };
    Validation {
        stores: deployment.stores(),
        names: Names::default(),
        layout,
        subject: Subject::Production { staging: vec![staging] },
        expected: by_the_registry(12),
        last_search_us: None,
        command: None,
        sink: Arc::new(NoSink),
        on_progress: Arc::new(|_, _| {}),
        limit: DEFAULT_LIMIT,
    }
}

fn staging(deployment: &FakeDeployment, layout: Layout, version: &str) -> Validation {
    let target = RollbackTarget::new(&VersionId::new(version)).unwrap();
    Validation { subject: Subject::Staging(target), ..production(deployment, layout) }
}

/// Numbers of the checks that ended so.
fn checks(report: &ValidationReport, outcome: CheckOutcome) -> Vec<u8> {
    assert_eq!(report.checks.iter().map(|c| c.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    report.checks.iter().filter(|c| c.state == outcome).map(|c| c.number).collect()
}

/// What offends: kinds with their first sample.
fn offenders(report: &ValidationReport) -> Vec<(OffenderKind, u64, &str)> {
    let groups = report.checks.iter().flat_map(|c| &c.offenders);
    groups.map(|o| (o.kind, o.count, o.samples[0].as_str())).collect()
}

#[tokio::test]
async fn good_data_passes_in_both_layouts() {
    let (shared, per_version) = (bench(), bench_per_version());
    let before = (shared.deployment.fingerprint(), per_version.deployment.fingerprint());
    for validation in [
        production(&shared.deployment, Layout::Shared),
        production(&per_version.deployment, Layout::PerVersion),
        staging(&per_version.deployment, Layout::PerVersion, FAILED_PER_VERSION),
    ] {
        // As the service does: the whole of it can move to another thread.
        let report = tokio::spawn(async move { validation.run().await }).await.unwrap();
        assert_eq!(report.verdict, ValidationVerdict::Sound, "{:#?}", report.findings());
        assert!(report.findings().is_empty() && report.is_sound());
        assert_eq!(report.checks.iter().map(|c| c.offending).sum::<u64>(), 0);
        let search = report.search.unwrap();
        assert_eq!((search.state, search.slower), (CheckOutcome::Passed, false));
        assert!(search.median_us.is_some() && search.sampled >= 15, "{search:?}");
    }
    assert_eq!(before, (shared.deployment.fingerprint(), per_version.deployment.fingerprint()), "nothing was changed");
}

#[tokio::test]
async fn each_planted_fault_fails_its_check_and_no_other() {
    type Row = (&'static str, fn(&FakeDeployment), &'static [u8], &'static [(OffenderKind, u64, &'static str)]);
    let table: [Row; 13] = [
        ("a chapter too few", |d| d.remove_chapter("bailey:ch12"), &[1], &[]),
        (
            "a chapter without points",
            |d| {
                d.remove_chapter("bailey:ch12");
                d.put_chapter("bailey:ch13");
            },
            &[3],
            &[(OffenderKind::ChaptersWithoutPoints, 1, "bailey:ch13")],
        ),
        (
            "a point too many",
            |d| d.put_point("textbook_chunks", 77, Some("bailey:ch1:77"), None),
            &[2, 4],
            &[(OffenderKind::MissingInNeo4j, 1, "bailey:ch1:77")],
        ),
        (
            "a paragraph too many",
            |d| {
                d.put_node(40, "Paragraph", "bailey:ch1:40");
                d.relate("HAS_PARAGRAPH", 50, 40);
            },
            &[2, 4],
            &[(OffenderKind::MissingInQdrant, 1, "bailey:ch1:40")],
        ),
        (
            "as many, but others",
            |d| d.put_point("textbook_chunks", 0, Some("bailey:ch1:other"), None),
            &[4],
            &[
                (OffenderKind::MissingInNeo4j, 1, "bailey:ch1:other"),
                (OffenderKind::MissingInQdrant, 1, "bailey:ch1:1"),
            ],
        ),
        (
            "the same chunk twice in both",
            |d| {
                d.put_point("textbook_chunks", 77, Some("bailey:ch1:1"), None);
                d.put_node(40, "Paragraph", "bailey:ch1:1");
                d.relate("HAS_PARAGRAPH", 50, 40);
            },
            &[4],
            &[
                (OffenderKind::DuplicatesInQdrant, 1, "bailey:ch1:1"),
                (OffenderKind::DuplicatesInNeo4j, 1, "bailey:ch1:1"),
            ],
        ),
        (
            "no chunk ids",
            |d| {
                d.put_point("textbook_chunks", 0, None, None);
                d.set_property(0, "chunk_id", None);
            },
            &[4],
            &[
                (OffenderKind::PointsWithoutChunkId, 1, "point 0"),
                (OffenderKind::ParagraphsWithoutChunkId, 1, "(no chunk_id)"),
            ],
        ),
        (
            "no parent",
            |d| d.cut_off("HAS_PARAGRAPH", 7),
            &[5],
            &[(OffenderKind::Orphans, 1, "bailey:ch3:8"), (OffenderKind::Unreachable, 1, "bailey:ch3:8")],
        ),
        (
            "a parent that no chapter has",
            |d| {
                d.cut_off("HAS_PARAGRAPH", 7);
                d.put_node(91, "Section", "adrift");
                d.relate("HAS_PARAGRAPH", 91, 7);
            },
            &[5],
            &[(OffenderKind::Unreachable, 1, "bailey:ch3:8")],
        ),
        (
            "a chain into staging",
            |d| {
                d.relate("NEXT", 3, 100);
                d.relate("PREV", 100, 3);
            },
            &[6],
            &[(OffenderKind::ChainLeaves, 1, "bailey:ch2:4")],
        ),
        ("no way back", |d| d.cut_off("PREV", 4), &[6], &[(OffenderKind::NextWithoutPrev, 1, "bailey:ch2:5")]),
        (
            "cross references that are none",
            |d| d.set_property(5, "cross_references", Some("see chapter 3")),
            &[7],
            &[(OffenderKind::CrossReferences, 1, "bailey:ch3:6")],
        ),
        (
            "cross references that are some",
            |d| d.set_property(5, "cross_references", Some("[\"bailey:ch3\"]")),
            &[],
            &[],
        ),
    ];
    for (name, plant, failing, offending) in table {
        let b = bench();
        plant(&b.deployment);
        let report = production(&b.deployment, Layout::Shared).run().await;
        assert_eq!(checks(&report, CheckOutcome::Failed), failing, "{name}: {:#?}", report.findings());
        assert!(checks(&report, CheckOutcome::NotChecked).is_empty(), "{name}");
        assert_eq!(offenders(&report), offending, "{name}");
        assert_eq!(report.findings().len(), failing.len(), "{name}");
        assert_eq!(report.is_sound(), failing.iter().all(|n| *n > 5), "{name}: 6 and 7 only warn");
    }
}

#[tokio::test]
async fn a_store_that_fails_passes_none_of_its_checks() {
    for moment in [Moment::Before, Moment::After] {
        for (operation, unchecked, search) in [
            ("chapter_keys", &[1, 3][..], CheckOutcome::Passed),
            ("points", &[2, 3, 4], CheckOutcome::Passed),
            ("paragraphs", &[2, 4], CheckOutcome::Passed),
            ("offenders", &[5, 6, 7], CheckOutcome::Passed),
            ("aliases", &[2, 3, 4], CheckOutcome::NotChecked),
            ("count", &[2, 3, 4], CheckOutcome::NotChecked),
            ("sample", &[], CheckOutcome::NotChecked),
            ("nearest", &[], CheckOutcome::NotChecked),
        ] {
            let is_stream = ["points", "paragraphs", "offenders"].contains(&operation);
            if moment == Moment::After && !is_stream {
                continue;
            }
            let b = bench();
            b.deployment.faults.arm(operation, None, u32::MAX, Fault::Unreachable, moment);
            let report = production(&b.deployment, Layout::Shared).run().await;
            assert_eq!(checks(&report, CheckOutcome::NotChecked), unchecked, "{operation} {moment:?}");
            assert!(checks(&report, CheckOutcome::Failed).is_empty(), "{operation} {moment:?}");
            assert_eq!(report.search.as_ref().unwrap().state, search, "{operation} {moment:?}");
            assert_eq!(report.verdict, ValidationVerdict::Incomplete, "{operation} {moment:?}");
            for finding in report.findings() {
                assert!(finding.contains("armed by the test"), "{operation}: says why: {finding}");
            }
            assert!(!report.findings().is_empty());
        }
    }
}

#[tokio::test]
async fn what_is_gone_or_empty_is_not_sound() {
    let b = bench();
    b.deployment.remove_collection("textbook_chunks");
    let report = production(&b.deployment, Layout::Shared).run().await;
    assert_eq!(checks(&report, CheckOutcome::Failed), [2, 3, 4]);
    assert!(report.check(2).unwrap().detail.contains("there is no collection textbook_chunks"));
    assert_eq!(report.search.unwrap().state, CheckOutcome::Failed);

    let b = bench();
    b.deployment.faults.arm("chapter_keys", None, u32::MAX, Fault::Missing, Moment::Before);
    let report = production(&b.deployment, Layout::Shared).run().await;
    assert_eq!(checks(&report, CheckOutcome::Failed), [1], "no table is no chapter");
    assert_eq!(checks(&report, CheckOutcome::NotChecked), [3]);

    // Nought equals nought in number and as a set, and is no production.
    let b = bench();
    b.deployment.remove_points("textbook_chunks", 0..1_000);
    for (number, chapter) in (0..30).map(|i| (i, i * 12 / 30 + 1)) {
        b.deployment.put_node(number, "Figure", "no paragraph any more");
        b.deployment.remove_chapter(&format!("bailey:ch{chapter}"));
    }
    let mut validation = production(&b.deployment, Layout::Shared);
    validation.expected = ExpectedChapters::Unknown;
    let report = validation.run().await;
    assert_eq!(checks(&report, CheckOutcome::Failed), [1, 2, 4], "{:#?}", report.findings());
}

#[tokio::test]
async fn the_expected_count_decides_check_one_and_without_it_nothing_does() {
    let b = bench();
    for (expected, state) in [
        (by_the_registry(12), CheckOutcome::Passed),
        (ExpectedChapters::Configured(12), CheckOutcome::Passed),
        (by_the_registry(220), CheckOutcome::Failed),
        (ExpectedChapters::Configured(11), CheckOutcome::Failed),
        (ExpectedChapters::Unknown, CheckOutcome::NotChecked),
    ] {
        let validation = Validation { expected: expected.clone(), ..production(&b.deployment, Layout::Shared) };
        let report = validation.run().await;
        let check = report.check(1).unwrap();
        assert_eq!((check.state, check.found), (state, Some(12)), "{expected:?}: {}", check.detail);
    }
}

#[tokio::test]
async fn a_failed_version_shows_what_its_message_says() {
    let b = bench();
    let report = staging(&b.deployment, Layout::Shared, FAILED).run().await;
    let fourth = report.check(4).unwrap();
    assert_eq!((fourth.state, fourth.found, fourth.expected), (CheckOutcome::Failed, Some(20), Some(26)));
    let counts: Vec<_> = fourth.offenders.iter().map(|o| (o.kind, o.count)).collect();
    assert_eq!(counts, [(OffenderKind::MissingInNeo4j, 3), (OffenderKind::MissingInQdrant, 3)]);
    assert_eq!(report.check(2).unwrap().state, CheckOutcome::Passed, "23 are 23");

    b.deployment.remove_staging(StoreKind::Sqlite);
    let report = staging(&b.deployment, Layout::Shared, FAILED).run().await;
    let first = report.check(1).unwrap();
    assert_eq!(first.state, CheckOutcome::Failed);
    assert!(first.detail.contains("no table chapter_metadata_staging"), "{}", first.detail);

    b.deployment.remove_staging(StoreKind::Qdrant);
    b.deployment.remove_staging(StoreKind::Neo4j);
    let report = staging(&b.deployment, Layout::Shared, FAILED).run().await;
    assert_eq!(checks(&report, CheckOutcome::NotChecked), [2, 3, 4], "nothing staged proves nothing");
}

#[tokio::test]
async fn versions_are_compared_with_versions() {
    let collection = format!("textbook_chunks_{COMMITTED_PER_VERSION}");
    // As many in all; but one too few of one version, and one too many of the other.
    let b = bench_per_version();
    b.deployment.remove_points(&collection, 0..1);
    let foreign = format!("bailey:ch1:new::{COMMITTED_PER_VERSION}");
    b.deployment.put_point(&collection, 700, Some(&foreign), Some(COMMITTED_PER_VERSION));
    let report = production(&b.deployment, Layout::PerVersion).run().await;
    let second = report.check(2).unwrap();
    assert_eq!((second.state, second.expected, second.found), (CheckOutcome::Failed, Some(60), Some(60)));
    assert!(second.detail.contains("production: 29 points, 30 paragraphs"), "{}", second.detail);

    // Copies of other versions in a staging collection are no points of the version; all of them serve its chapters.
    let b = bench_per_version();
    let collection = format!("textbook_chunks_{FAILED_PER_VERSION}");
    let report = staging(&b.deployment, Layout::PerVersion, FAILED_PER_VERSION).run().await;
    let second = report.check(2).unwrap();
    assert_eq!((second.expected, second.found), (Some(23), Some(23)));
    assert!(second.detail.contains("60 points copied"), "{}", second.detail);
    assert_eq!(report.check(3).unwrap().found, Some(12));

    // Whether the payload writes the version into the chunk id or apart is all the same.
    b.deployment.put_point(&collection, 1_000, Some("bailey:ch1:1"), Some(FAILED_PER_VERSION));
    let report = staging(&b.deployment, Layout::PerVersion, FAILED_PER_VERSION).run().await;
    assert_eq!(report.verdict, ValidationVerdict::Sound, "{:#?}", report.findings());

    b.deployment.remove_points(&collection, 1_000..1_001);
    let report = staging(&b.deployment, Layout::PerVersion, FAILED_PER_VERSION).run().await;
    assert_eq!(checks(&report, CheckOutcome::Failed), [2, 4]);
    let missing = format!("bailey:ch1:1::{FAILED_PER_VERSION}");
    assert_eq!(offenders(&report), [(OffenderKind::MissingInQdrant, 1, missing.as_str())]);
}

#[tokio::test]
async fn all_offenders_go_into_the_lists() {
    let b = bench();
    let lists = b.deployment.folder().join("validation-1");
    b.deployment.remove_points("textbook_chunks", 0..28);
    let mut validation = production(&b.deployment, Layout::Shared);
    validation.sink = Arc::new(FolderSink::new(&lists));
    let report = validation.run().await;
    let fourth = report.check(4).unwrap();
    assert_eq!((fourth.offending, fourth.offenders[0].samples.len()), (28, 20));
    let list = std::fs::read_to_string(lists.join("check-4-missing-in-qdrant.txt")).unwrap();
    assert_eq!(list.lines().count(), 28);
    assert!(list.lines().any(|l| l == "bailey:ch11:28"));
    let chapters = std::fs::read_to_string(lists.join("check-3-chapters-without-points.txt")).unwrap();
    assert_eq!(chapters.lines().count() as u64, report.check(3).unwrap().offending);
    assert_eq!(std::fs::read_dir(&lists).unwrap().count(), 2, "no empty lists");
}

#[tokio::test]
async fn a_search_that_misses_or_returns_too_little_is_critical() {
    let b = bench();
    b.deployment.hide_from_search("textbook_chunks", 0..1);
    let report = production(&b.deployment, Layout::Shared).run().await;
    let search = report.search.clone().unwrap();
    assert_eq!((search.state, search.severity), (CheckOutcome::Failed, CheckSeverity::Critical));
    assert_eq!((search.not_found, search.too_few), (vec!["0".to_owned()], 0));
    assert!(!report.is_sound());

    b.deployment.hide_from_search("textbook_chunks", 0..25);
    let search = production(&b.deployment, Layout::Shared).run().await.search.unwrap();
    assert_eq!(search.too_few, search.sampled, "five results where ten should be");
    assert!(search.sampled > 0);
}

#[cfg(unix)]
#[tokio::test]
async fn the_operators_command_counts_and_progress_reaches_its_end() {
    let b = bench();
    for (program, verdict) in [
        ("true", ValidationVerdict::Sound),
        ("false", ValidationVerdict::Unsound),
        ("/nowhere/at-all", ValidationVerdict::Incomplete),
    ] {
        let told: Arc<Mutex<Vec<(u64, u64)>>> = Arc::default();
        let mut validation = production(&b.deployment, Layout::Shared);
        validation.command = Some(SearchCommand::new(vec![program.to_owned()]));
        validation.on_progress = {
            let told = told.clone();
            Arc::new(move |done, all| told.lock().unwrap().push((done, all)))
        };
        let report = validation.run().await;
        assert_eq!(report.verdict, verdict, "{program}: {:#?}", report.findings());
        assert_eq!(report.command.unwrap().program, program);
        assert_eq!(*told.lock().unwrap(), (1..=9).map(|done| (done, 9)).collect::<Vec<_>>());
    }
}
