//! Every method of the service that acts asks who acts, and looks at the role before anything else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeSet;

use rollback::{Actor, ServiceError};
use rollback_types::{Decision, NoteRequest, ResumeRequest, Role, RunId, RunKind, StartRequest, Step, VoteRequest};
use support::bench;

/// What changes nothing: whoever may see may ask for it.
const LOOKS: &[&str] = &[
    "approval",
    "approval_of",
    "approvals",
    "approvals_required",
    "backup",
    "backup_sources",
    "backups",
    "compare",
    "course",
    "differences_since",
    "durations_beside",
    "is_ready",
    "kept_sizes",
    "last_looks",
    "latest_copy",
    "log",
    "log_text",
    "offenders_file",
    "overview",
    "plan",
    "report",
    "resume_plan",
    "run",
    "run_counts",
    "run_since",
    "run_summary",
    "run_with_log",
    "runs",
    "seen",
    "seen_everywhere",
    "settings",
    "state_counts",
    "step_durations",
    "stores",
    "subscribe",
    "taken_over_by",
    "time_left",
    "version",
    "versions",
    "way_back",
];

/// Stepback's own business, at its start, by its schedule and at its end. No door leads there.
const ITS_OWN: &[&str] = &["new", "recover", "remove_leftovers", "remove_old_ways_back", "stop", "with_approvers"];

/// Public functions of the service's files, each with what it asks for.
fn functions() -> Vec<(String, String)> {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = std::fs::read_dir(src.join("service")).unwrap().map(|entry| entry.unwrap().path());
    let files = folder.chain([src.join("service.rs")]);
    files
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let public = |line: &str| {
                line.starts_with("    pub async fn ") || line.starts_with("    pub fn ") || line.starts_with("pub fn ")
            };
            let lines: Vec<&str> = text.lines().collect();
            let begun = lines.iter().enumerate().filter(|(_, line)| public(line)).map(|(at, _)| at);
            let found: Vec<_> = begun
                .map(|at| {
                    let (_, rest) = lines[at].split_once("fn ").unwrap();
                    let name = rest.split(['(', '<']).next().unwrap().to_owned();
                    let head = lines[at..]
                        .iter()
                        .take_while(|line| !line.ends_with('{'))
                        .chain(lines[at..].iter().find(|line| line.ends_with('{')));
                    (name, head.copied().collect::<Vec<_>>().join(" "))
                })
                .collect();
            found
        })
        .collect()
}

/// Asks for each thing that can be done; nothing of what it names is there.
async fn ask_for_everything(
    service: &std::sync::Arc<rollback::RollbackService>,
    actor: &Actor,
) -> Vec<(&'static str, ServiceError)> {
    let none = RunId(999);
    let start = StartRequest {
        kind: RunKind::Rollback,
        version_id: "none".into(),
        plan_digest: String::new(),
        confirm_version_id: String::new(),
        reason: String::new(),
        restore: None,
        acknowledgements: Vec::new(),
    };
    let resume = ResumeRequest { plan_digest: String::new(), reason: String::new(), acknowledgements: Vec::new() };
    let vote = VoteRequest { approves: false, reason: None };
    let notes = NoteRequest { notes: Vec::new(), seen: None };
    vec![
        ("start", service.start(&start, actor).await.unwrap_err()),
        ("decide", service.decide(none, Step::Mark, Decision::Skip, None, actor).await.unwrap_err()),
        ("decide_about", {
            let about = (Step::Mark, Some(1));
            service.decide_about(none, about, Decision::Skip, None, actor).await.unwrap_err()
        }),
        ("resume", service.resume(none, &resume, actor).await.unwrap_err()),
        ("abandon", service.abandon(none, "", actor).await.unwrap_err()),
        ("ask_approval", service.ask_approval(&start, actor).await.unwrap_err()),
        ("ask_resume_approval", service.ask_resume_approval(none, &resume, actor).await.unwrap_err()),
        ("vote", service.vote("none", &vote, actor).await.unwrap_err()),
        ("annotate", service.annotate(none, &notes, actor).await.unwrap_err()),
        ("verify_backup", service.verify_backup("none", true, None, actor).await.unwrap_err()),
        ("trust_backup", service.trust_backup("none", "", "", actor).await.unwrap_err()),
        ("remove_way_back", service.remove_way_back(none, actor).await.unwrap_err()),
    ]
}

#[test]
fn what_asks_nobody_who_acts_is_known_to_change_nothing() {
    let known: BTreeSet<&str> = LOOKS.iter().chain(ITS_OWN).copied().collect();
    let found = functions();
    let asks_nobody: BTreeSet<&str> =
        found.iter().filter(|(_, head)| !head.contains("actor: &Actor")).map(|(name, _)| name.as_str()).collect();
    assert_eq!(asks_nobody, known, "a function that acts takes an `actor: &Actor`; one that looks is named in LOOKS");
}

#[tokio::test]
async fn whoever_may_only_see_is_refused_before_anything_is_looked_at() {
    let b = bench();
    let refused = ask_for_everything(&b.service, &Actor::new("viewer", Role::Viewer)).await;
    for (what, error) in &refused {
        assert!(matches!(error, ServiceError::Forbidden { role: Role::Viewer, .. }), "{what}: {error:?}");
    }
    let tried: BTreeSet<&str> = refused.iter().map(|(what, _)| *what).collect();
    let found = functions();
    let acting: BTreeSet<&str> =
        found.iter().filter(|(_, head)| head.contains("actor: &Actor")).map(|(name, _)| name.as_str()).collect();
    assert_eq!(tried, acting, "each function that acts is asked for here");
}

#[tokio::test]
async fn what_is_an_administrators_is_no_operators() {
    let b = bench();
    let operator = Actor::new("operator", Role::Operator);
    let refused = ask_for_everything(&b.service, &operator).await;
    let forbidden: Vec<&str> =
        refused.iter().filter(|(_, e)| matches!(e, ServiceError::Forbidden { .. })).map(|(what, _)| *what).collect();
    assert_eq!(forbidden, ["remove_way_back"]);
    let recovery = StartRequest {
        kind: RunKind::RestoreProduction,
        version_id: "v1_baseline".into(),
        plan_digest: String::new(),
        confirm_version_id: "v1_baseline".into(),
        reason: "All is lost".into(),
        restore: None,
        acknowledgements: Vec::new(),
    };
    let refused = b.service.start(&recovery, &operator).await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { least: Role::Administrator, .. })), "{refused:?}");
}
