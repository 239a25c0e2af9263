use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};
use rollback_types::{
    AfterCheck, AfterItem, CountChange, DecisionTaken, Interruption, PlanDigest, RunId, RunKind, RunState, RunSummary,
    Step, StepOutcome, StepState, StoreBalance, StoreKind, VersionId,
};

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + ms)
}

/// A report that says the same foreign text wherever one can stand.
fn report(text: &str) -> RunReport {
    let text = || text.to_owned();
    let said = |at| Written { text: text(), by: text(), at };
    RunReport {
        run: RunSummary {
            id: RunId(7),
            kind: RunKind::Rollback,
            version_id: VersionId::new(text()),
            state: RunState::CompletedWithFindings,
            reason: text(),
            actor: text(),
            plan_digest: PlanDigest("ab12".into()),
            started_at: at(0),
            ended_at: Some(at(9_000)),
            duration_ms: Some(9_000),
            waited_ms: 0,
            stood_still_ms: 0,
            last_sign_at: None,
            summary: Some(text()),
            last_event: 30,
        },
        approved_by: vec![text()],
        version: None,
        layout: None,
        take_over: false,
        source: None,
        triggers: vec![rollback_types::Trigger { title: "Counts inconsistent".into(), evidence: text() }],
        acknowledged: vec![text()],
        before: Vec::new(),
        stores: vec![StoreBalance {
            store: StoreKind::Qdrant,
            counts: vec![CountChange { what: "staged points".into(), before: Some(1_200), after: Some(0) }],
            proof: text(),
            evidence: text(),
            restore_planned: false,
        }],
        steps: vec![StepOutcome {
            step: Step::DeletePoints,
            number: 4,
            title: Step::DeletePoints.title().to_owned(),
            state: StepState::Done,
            outcome: Some(text()),
            error: None,
            attempts: 2,
            started_at: Some(at(0)),
            took_ms: Some(40),
            documented_ms: 120_000,
            median_ms: Some(38),
        }],
        time: None,
        decisions: vec![DecisionTaken {
            at: at(1),
            step: Step::DeletePoints,
            decision: Decision::Retry,
            reason: Some(text()),
            by: text(),
        }],
        interruptions: vec![Interruption { last_sign_at: Some(at(1)), at: at(2), message: text(), ended: None }],
        findings: vec![text()],
        outcomes: vec![StoreOutcome { store: StoreKind::Sqlite, staged: Some(text()), production: Some(text()) }],
        validation: None,
        way_back: None,
        root_cause: Some(Wording { now: said(at(10_000)), earlier: vec![said(at(9_500))] }),
        lessons: None,
        remarks: vec![said(at(11_000))],
        checklist: vec![AfterCheck {
            item: AfterItem::StagingRemoved,
            title: AfterItem::StagingRemoved.title().to_owned(),
            state: AfterState::Ticked,
            detail: text(),
            by: Some(text()),
            at: Some(at(12_000)),
        }],
        gaps: vec![text()],
        made_at: at(20_000),
    }
}

fn parsed(markdown: &str) -> Vec<Event<'_>> {
    // The smart quotes would change what was written; every other extension is one more way to be misread.
    Parser::new_ext(markdown, Options::all() - Options::ENABLE_SMART_PUNCTUATION).collect()
}

/// How often each element occurs, and nothing of what stands in them.
fn shape(markdown: &str) -> Vec<String> {
    parsed(markdown)
        .iter()
        .filter_map(|event| match event {
            Event::Start(tag) => Some(format!("{:?}", tag).split(['(', ' ']).next().unwrap_or_default().to_owned()),
            Event::TaskListMarker(done) => Some(format!("task {done}")),
            Event::Text(_) | Event::End(_) | Event::HardBreak | Event::SoftBreak => None,
            other => Some(format!("{other:?}")),
        })
        .filter(|element| element != "Paragraph")
        .collect()
}

/// All that a reader sees, with single spaces.
fn seen(markdown: &str) -> String {
    let text: String = parsed(markdown)
        .iter()
        .map(|event| match event {
            Event::Text(text) => text.to_string(),
            Event::Start(Tag::TableCell | Tag::Item | Tag::Paragraph | Tag::Heading { .. })
            | Event::HardBreak
            | Event::SoftBreak => " ".to_owned(),
            _ => String::new(),
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const HOSTILE: [&str; 28] = [
    "# no heading",
    "=====",
    "---",
    "- no item\n- nor this",
    "1. no list",
    "2) nor this",
    "+ 3",
    "| a | b |\n|---|---|\n| c | d |",
    "<script>alert(1)</script>",
    "<!-- -->",
    "&lt;b&gt; &#35;",
    "[text](javascript:alert(1))",
    "![](x)",
    "[^1] [1]: http://evil.example",
    "https://evil.example www.evil.example a@evil.example",
    "`code` ``` ~~~\nblock",
    "    four spaces\n\ttab",
    "*em* __strong__ ~~gone~~ $x$ ^up^",
    "ends in a backslash\\\nand goes on\\",
    "> a quote\n> of two lines",
    "{#id .class} :::note",
    "\u{202e}gnp.elbasrever\u{200b}",
    "two  \nspaces",
    "a\n\n\nb",
    ": a definition\n:: a container\n::: block",
    "term\n: meaning",
    "snake_case_ _and_ __more__ a__b",
    "#7 # 7 ## 8 #",
];

#[test]
fn hostile_text_changes_no_element_and_is_all_there() {
    let plain = shape(&report_markdown(&report("harmless")));
    for text in HOSTILE {
        let markdown = report_markdown(&report(text));
        assert_eq!(shape(&markdown), plain, "{text:?} became markup:\n{markdown}");
        let expected = format::visible_lines(text).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(seen(&markdown).contains(&expected), "{text:?} is not as it was:\n{markdown}");
        assert!(!markdown.contains('\u{202e}') && !markdown.contains("<script"), "{markdown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_changes_no_element(text in "[ -~\\n\\t]{3,40}|\\PC{3,20}|([-#>*+=|`~_\\[\\](){}!<&\\\\.1: \\n]){3,30}") {
        prop_assume!(!text.trim().is_empty());
        let plain = shape(&report_markdown(&report("harmless")));
        let markdown = report_markdown(&report(&text));
        prop_assert_eq!(shape(&markdown), plain, "{}", markdown);
        let expected = format::visible_lines(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assert!(seen(&markdown).contains(&expected), "{:?} is not in {}", expected, markdown);
    }
}

#[test]
fn a_report_reads_well_as_it_is() {
    let markdown = report_markdown(&report("Check 4 failed"));
    for line in [
        "# Run #7: roll back Check 4 failed",
        "| Outcome | completed with findings |",
        "| Qdrant | staged points | 1,200 | 0 |",
        "| 4 Delete the Qdrant staging collection | done (2 tries) | 40 ms | 2 min | 38 ms | Check 4 failed |",
        "> Check 4 failed",
        "## Lessons learned",
        "Not written yet.",
    ] {
        assert!(markdown.lines().any(|l| l == line), "{line} is missing in\n{markdown}");
    }
    assert!(markdown.contains("- [x] All staging data removed: Check 4 failed; ticked by Check 4 failed, "));
}

#[test]
fn what_was_not_at_work_and_what_no_mark_tells_is_said_in_words() {
    let mut report = report("x");
    (report.run.waited_ms, report.run.stood_still_ms, report.take_over) = (120_000, 3_600_000, true);
    let item = |state| rollback_types::CheckItem {
        code: "stakeholders".into(),
        title: "People know".into(),
        state,
        detail: "seen".into(),
    };
    report.before =
        [CheckState::Proven, CheckState::Failed, CheckState::Warning, CheckState::ForPerson].map(item).into();
    report.checklist[0].state = AfterState::Disproven;
    report.interruptions[0].ended = Some(rollback_types::InterruptionEnd {
        resumed: true,
        at: at(3),
        reason: "it is back".into(),
        by: "ada".into(),
        approved_by: vec!["otto".into()],
    });
    let seen = seen(&report_markdown(&report));
    for said in [
        "Waited for a decision 2 min",
        "Stood still 1 h",
        "took over an earlier rollback",
        "People know: seen",
        "People know: failed, seen",
        "People know: acknowledged, seen",
        "People know: for a person, seen",
        ": not so, x",
        "resumed by ada, approved by otto: it is back",
    ] {
        assert!(seen.contains(said), "{said} is missing: {seen}");
    }
}
