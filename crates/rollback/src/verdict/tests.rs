use rollback_types::{
    BackupFile, BackupSource, RunId, RunKind, Rung, RungResult, RungState, StoreKind, Timestamp, VersionId,
};

use super::*;

const INTACT: fn() -> BackupHealth = || BackupHealth {
    source: BackupSource::LatestCopy,
    folder: String::new(),
    intact: true,
    verdict: "All three files exist.".into(),
    remedy: None,
    files: vec![],
    checked_at: Timestamp::from_unix_ms(0),
    took_ms: 0,
    history: vec![],
    replaced: vec![],
};

fn word(critical: &[&str], half_restored: bool) -> LastWord {
    LastWord {
        run: RunId(12),
        at: Timestamp::from_unix_ms(0),
        critical: critical.iter().map(|c| (*c).to_owned()).collect(),
        half_restored,
    }
}

fn failed() -> VersionRow {
    VersionRow::of(VersionId::new("v2"), VersionState::ValidatingFailed)
}

/// Everything answers, and nothing speaks against production.
fn calm<'a>(candidates: &'a [VersionRow], latest_copy: &'a BackupHealth) -> Situation<'a> {
    Situation {
        active: None,
        stores: &[],
        latest_copy,
        candidates,
        unfinished: &[],
        staged: &[],
        layout: Some(Layout::Shared),
        differing: &[],
        last_word: None,
        last_word_unknown: false,
        approvals: 0,
        interrupted: None,
        registry_problem: None,
        journal_problem: None,
    }
}

fn said(candidates: &[VersionRow], differing: &[&str], last_word: Option<&LastWord>) -> Verdict {
    let differing: Vec<String> = differing.iter().map(|d| (*d).to_owned()).collect();
    verdict(&Situation { differing: &differing, last_word, ..calm(candidates, &INTACT()) })
}

#[test]
fn where_others_must_approve_nobody_is_told_to_roll_back_alone() {
    let candidates = [failed()];
    let of = |approvals| verdict(&Situation { approvals, ..calm(&candidates, &INTACT()) });
    assert_eq!(of(0).headline, "You can roll back now.");
    let asked = of(1);
    assert_eq!(asked.headline, "You can roll back once another person has approved the plan.");
    assert!(
        asked.reasons.iter().any(|r| r == "Another person must approve the plan before it may start."),
        "{asked:?}"
    );
    assert!(of(2).reasons.iter().any(|r| r.starts_with("2 other people")), "{:?}", of(2));
    // Nor where something speaks against production.
    let copy = INTACT();
    let doubted = Situation { approvals: 1, last_word_unknown: true, ..calm(&candidates, &copy) };
    let headline = verdict(&doubted).headline;
    assert!(headline.starts_with("You can roll back once another person has approved the plan, but "), "{headline}");
}

#[test]
fn production_that_differs_is_told_also_when_there_is_nothing_to_roll_back() {
    assert_eq!(said(&[], &[], None).level, VerdictLevel::Quiet);
    let differs = said(&[], &["SQLite: 3 chapters in production, 2 in latest-copy."], None);
    assert_eq!(differs.level, VerdictLevel::Attention);
    assert_eq!(differs.headline, "Nothing to roll back, but production differs from latest-copy.");
    assert!(differs.reasons.iter().any(|r| r.contains("3 chapters")), "{differs:?}");
    assert!(differs.remedy.unwrap().contains("make a new latest-copy"));
}

#[test]
fn a_failed_validation_is_told_with_its_run_and_what_to_do() {
    let word = word(&["Check 2 failed: 5 points, 4 paragraphs", "Check 3 failed: 1 of 2"], false);
    let quiet = said(&[], &[], Some(&word));
    assert_eq!(quiet.headline, "Nothing to roll back, but the last validation of production failed.");
    assert!(quiet.reasons.iter().any(|r| r.contains("Run #12") && r.contains("2 critical checks")), "{quiet:?}");
    // A copy that holds the same cannot mend it.
    assert!(quiet.remedy.as_deref().unwrap().contains("would mend nothing"), "{quiet:?}");
    let both = said(&[], &["Neo4j: 4 nodes in production, 5 in latest-copy."], Some(&word));
    assert!(both.headline.contains("differs from latest-copy, and its last validation failed"), "{both:?}");
    assert!(both.remedy.unwrap().contains("Restore production from latest-copy"));
    let urgent = said(&[failed()], &[], Some(&word));
    assert_eq!(urgent.level, VerdictLevel::Attention, "not simply ready");
    assert_eq!(urgent.remedy.as_deref(), Some("Plan the rollback of v2."));
    assert_eq!(said(&[failed()], &[], None).level, VerdictLevel::Ready);
}

#[test]
fn a_restore_that_was_cut_short_is_told() {
    let half = said(&[], &[], Some(&word(&[], true)));
    assert!(half.headline.contains("did not come to its end"), "{half:?}");
    assert!(half.remedy.unwrap().contains("undo run #12"));
}

#[test]
fn an_interrupted_run_comes_before_the_version_that_it_holds() {
    let run = RunSummary {
        id: RunId(7),
        kind: RunKind::Rollback,
        version_id: VersionId::new("v2"),
        state: RunState::Interrupted,
        reason: String::new(),
        actor: String::new(),
        plan_digest: rollback_types::PlanDigest(String::new()),
        started_at: Timestamp::from_unix_ms(0),
        ended_at: None,
        duration_ms: None,
        waited_ms: 0,
        stood_still_ms: 0,
        last_sign_at: None,
        summary: None,
        last_event: 1,
    };
    let (candidates, copy) = ([failed()], INTACT());
    let told = verdict(&Situation { interrupted: Some(&run), ..calm(&candidates, &copy) });
    assert_eq!(told.headline, "Run #7 was interrupted and waits for you.");
    assert_eq!(told.level, VerdictLevel::Attention);
    assert!(told.reasons[0].starts_with("It was rolling back v2: "), "{told:?}");
    // Another version that failed is not this verdict's.
    let other = [VersionRow { version_id: VersionId::new("v3"), ..failed() }];
    let told = verdict(&Situation { interrupted: Some(&run), ..calm(&other, &copy) });
    assert!(!told.reasons.iter().any(|reason| reason.contains("v3")), "{told:?}");
}

#[test]
fn a_rollback_that_was_left_unfinished_comes_before_versions_that_failed() {
    let half = VersionRow::of(VersionId::new("v3"), VersionState::RollingBack);
    let (candidates, copy) = ([half, failed()], INTACT());
    let left = [VersionId::new("v3")];
    let told = verdict(&Situation { unfinished: &left, ..calm(&candidates, &copy) });
    assert_eq!(told.level, VerdictLevel::Attention, "not simply ready");
    assert_eq!(told.headline, "The rollback of v3 is unfinished.");
    assert_eq!(told.remedy.as_deref(), Some("Plan the take-over of v3."));
    let word = word(&["Check 2 failed"], false);
    let told = verdict(&Situation { unfinished: &left, last_word: Some(&word), ..calm(&candidates, &copy) });
    assert_eq!(told.headline, "The rollback of v3 is unfinished, and the last validation of production failed.");
}

#[test]
fn runs_that_cannot_be_read_are_told_and_leave_nothing_simply_ready() {
    let (candidates, copy) = ([failed()], INTACT());
    let told = verdict(&Situation { last_word_unknown: true, ..calm(&candidates, &copy) });
    assert_eq!(told.level, VerdictLevel::Attention);
    assert_eq!(told.headline, "You can roll back now, but what earlier runs found in production cannot be told.");
}

#[test]
fn a_store_whose_copy_cannot_be_trusted_is_named_beside_those_that_differ() {
    let fails = RungResult {
        rung: Rung::Sha256,
        state: RungState::Failed,
        detail: "another hash than the list has".into(),
        checked_at: Some(Timestamp::from_unix_ms(0)),
        took_ms: None,
    };
    let file = BackupFile {
        store: StoreKind::Qdrant,
        path: String::new(),
        bytes: None,
        modified_at: None,
        sha256: None,
        rungs: vec![fails],
    };
    let copy = BackupHealth { intact: false, files: vec![file], ..INTACT() };
    let differing = ["SQLite: 3 chapters in production, 2 in latest-copy.".to_owned()];
    let told = verdict(&Situation { differing: &differing, ..calm(&[], &copy) });
    assert!(told.reasons.iter().any(|r| r.starts_with("Qdrant: not known")), "{told:?}");
    let told = verdict(&calm(&[], &copy));
    assert!(!told.reasons.iter().any(|r| r.starts_with("Qdrant: not known")), "nothing differs: {told:?}");
}
