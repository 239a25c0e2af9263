//! A run's report as Markdown, to be kept or sent. Whatever the report quotes stays text: a reason that looks like a
//! heading, a link or a table is shown as it was written.

use app::components::badge::{run_look, step_look};
use app::format;
use rollback_types::run_kind::subject_in_words;
use rollback_types::{
    AfterState, CheckOutcome, CheckSeverity, CheckState, CountChange, Decision, RunReport, StoreOutcome, Timestamp,
    ValidationReport, Wording, Written,
};

/// The whole document.
pub fn report_markdown(report: &RunReport) -> String {
    let mut page = Page::default();
    let run = &report.run;
    page.heading(1, &format!("Run #{}: {} {}", run.id, run.kind.verb(), subject_in_words(run.kind, &run.version_id)));
    facts(&mut page, report);
    outcomes(&mut page, report);
    before(&mut page, report);
    stores(&mut page, report);
    steps(&mut page, report);
    course(&mut page, report);
    if let Some(validation) = &report.validation {
        checks(&mut page, validation);
    }
    if let Some(saved) = &report.way_back {
        page.heading(2, "Way back");
        let stores: Vec<_> = saved.stores.iter().map(|s| s.title()).collect();
        let until = saved.kept_until.map(|at| format!(", kept until {}", format::utc(at))).unwrap_or_default();
        let said =
            format!("{}: {}{until}. The run can be undone with it.", stores.join(", "), format::bytes(saved.bytes));
        page.paragraph(&said);
    }
    written(&mut page, "Root cause", report.root_cause.as_ref());
    written(&mut page, "Lessons learned", report.lessons.as_ref());
    if !report.remarks.is_empty() {
        page.heading(2, "Remarks");
        report.remarks.iter().for_each(|remark| page.quote(remark));
    }
    checklist(&mut page, report);
    if !report.gaps.is_empty() {
        page.heading(2, "What this report could not tell");
        report.gaps.iter().for_each(|gap| page.item(gap));
    }
    page.paragraph(&format!("Made by Stepback from its journal, {}.", format::utc(report.made_at)));
    page.out
}

fn facts(page: &mut Page, report: &RunReport) {
    let run = &report.run;
    let (_, _, outcome) = run_look(run.state);
    let mut rows = vec![
        ("Outcome", outcome.to_owned()),
        ("Reason", run.reason.clone()),
        ("Started by", run.actor.clone()),
        ("Started", format::utc(run.started_at)),
    ];
    if !report.approved_by.is_empty() {
        rows.push(("Approved by", report.approved_by.join(", ")));
    }
    if let Some(at) = run.ended_at {
        rows.push(("Ended", format::utc(at)));
    }
    if let Some(ms) = run.duration_ms {
        rows.push(("Took", format::duration(ms)));
        if run.waited_ms > 0 {
            rows.push(("Waited for a decision", format::duration(run.waited_ms)));
        }
        if run.stood_still_ms > 0 && run.last_sign_at.is_none() {
            rows.push(("Stood still", format::duration(run.stood_still_ms)));
        }
    }
    if let Some(time) = &report.time {
        let median = time.median_ms.map(|ms| format!(", median here {} of {}", format::duration(ms), runs(time.runs)));
        let said = format!("the document: {}{}", format::duration(time.documented_ms), median.unwrap_or_default());
        rows.push(("Expected", said));
    }
    if let Some(source) = &report.source {
        rows.push(("Copy", source.name().into_owned()));
    }
    let taken_over = if report.take_over { ", took over an earlier rollback" } else { "" };
    rows.push(("Plan", format!("{}{taken_over}", run.plan_digest)));
    if let Some(summary) = &run.summary {
        rows.push(("Summary", summary.clone()));
    }
    page.table(&["What", "Which"], rows.into_iter().map(|(term, value)| vec![term.to_owned(), value]));
}

/// What was done to each store, in words.
fn outcomes(page: &mut Page, report: &RunReport) {
    if report.outcomes.is_empty() {
        return;
    }
    page.heading(2, "Store by store");
    let row = |o: &StoreOutcome| {
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        vec![o.store.title().to_owned(), told(&o.staged), told(&o.production)]
    };
    page.table(&["Store", "Staged data", "Production"], report.outcomes.iter().map(row));
}

fn runs(n: u64) -> String {
    format::counted(n, "runs")
}

fn before(page: &mut Page, report: &RunReport) {
    page.heading(2, "Before");
    if let Some(version) = &report.version {
        let message = version.status_message.as_ref().map(|m| format!(": {m}")).unwrap_or_default();
        page.paragraph(&format!("The registry said {}{message}.", version.status));
    }
    for trigger in &report.triggers {
        page.item(&format!("{}: {}", trigger.title, trigger.evidence));
    }
    for text in &report.acknowledged {
        page.item(&format!("Acknowledged: {text}"));
    }
    for item in &report.before {
        let done = item.state == CheckState::Proven;
        let state = match item.state {
            CheckState::Proven => "",
            CheckState::Failed => "failed, ",
            CheckState::Warning => "acknowledged, ",
            CheckState::ForPerson => "for a person, ",
        };
        page.task(done, &format!("{}: {state}{}", item.title, item.detail));
    }
}

fn stores(page: &mut Page, report: &RunReport) {
    if report.stores.is_empty() {
        return;
    }
    page.heading(2, "Counts");
    let count = |n: Option<u64>| n.map_or_else(|| "not known".to_owned(), format::count);
    let row = |store: &str, c: &CountChange| vec![store.to_owned(), c.what.clone(), count(c.before), count(c.after)];
    let rows = report.stores.iter().flat_map(|s| s.counts.iter().map(|c| row(s.store.title(), c)));
    page.table(&["Store", "What", "Before", "After"], rows);
    for store in &report.stores {
        page.item(&format!("{}: {} {}.", store.store, store.proof, store.evidence.trim_end_matches('.')));
    }
}

fn steps(page: &mut Page, report: &RunReport) {
    page.heading(2, "Steps");
    let time = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), format::duration);
    let rows = report.steps.iter().map(|s| {
        let tries = if s.attempts > 1 { format!(" ({} tries)", s.attempts) } else { String::new() };
        let told = s.error.as_ref().map(|e| e.message.clone()).or_else(|| s.outcome.clone()).unwrap_or_default();
        vec![
            s.step.numbered_title(),
            format!("{}{tries}", step_look(s.state).2),
            time(s.took_ms),
            time(Some(s.documented_ms)),
            time(s.median_ms),
            told,
        ]
    });
    page.table(&["Step", "State", "Took", "The document", "Median here", "What was done"], rows);
}

/// What people decided, what was interrupted, what was found.
fn course(page: &mut Page, report: &RunReport) {
    if !report.decisions.is_empty() {
        page.heading(2, "Decisions");
        let rows = report.decisions.iter().map(|d| {
            let reason = d.reason.clone().unwrap_or_default();
            vec![format::utc(d.at), d.by.clone(), d.step.to_string(), decision(d.decision).to_owned(), reason]
        });
        page.table(&["When", "Who", "About", "Decided", "Why"], rows);
    }
    if !report.interruptions.is_empty() {
        page.heading(2, "Interruptions");
        for stop in &report.interruptions {
            let sign = stop.last_sign_at.filter(|sign| *sign != stop.at);
            let sign = sign.map(|sign| format!(" (last sign of the run {})", format::utc(sign))).unwrap_or_default();
            page.item(&format!("{}{sign}: {}", format::utc(stop.at), stop.message));
            if let Some(end) = &stop.ended {
                let what = if end.resumed { "resumed" } else { "abandoned" };
                let approved = if end.approved_by.is_empty() {
                    String::new()
                } else {
                    format!(", approved by {}", end.approved_by.join(", "))
                };
                page.item(&format!("{}: {what} by {}{approved}: {}", format::utc(end.at), end.by, end.reason));
            }
        }
    }
    if !report.findings.is_empty() {
        page.heading(2, "Findings");
        report.findings.iter().for_each(|finding| page.item(finding));
    }
}

/// The word for people.
fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Retry => "try again",
        Decision::Skip => "skip",
        Decision::WayBack => "put the way back in",
        Decision::Abort => "abort",
    }
}

fn checks(page: &mut Page, validation: &ValidationReport) {
    page.heading(2, "Validation");
    page.paragraph(&format!("{}, in {}.", validation.verdict.title(), format::duration(validation.took_ms)));
    let state = |state, severity| match (state, severity) {
        (CheckOutcome::Passed, _) => "passed",
        (CheckOutcome::Failed, CheckSeverity::Critical) => "failed",
        (CheckOutcome::Failed, CheckSeverity::Warning) => "warns",
        (CheckOutcome::NotChecked, _) => "not checked",
    };
    let mut rows: Vec<Vec<String>> = validation
        .checks
        .iter()
        .map(|c| vec![format!("{} {}", c.number, c.title), state(c.state, c.severity).to_owned(), c.detail.clone()])
        .collect();
    rows.extend(validation.search.iter().map(|s| {
        vec![
            "Search: stored vectors find themselves".to_owned(),
            state(s.state, s.severity).to_owned(),
            s.detail.clone(),
        ]
    }));
    rows.extend(validation.command.iter().map(|c| {
        vec![
            format!("Search command: {}", c.program),
            state(c.state, CheckSeverity::Critical).to_owned(),
            c.detail.clone(),
        ]
    }));
    page.table(&["Check", "State", "What was seen"], rows.into_iter());
}

fn written(page: &mut Page, title: &str, wording: Option<&Wording>) {
    page.heading(2, title);
    let Some(wording) = wording else {
        page.paragraph("Not written yet.");
        return;
    };
    page.quote(&wording.now);
    if !wording.earlier.is_empty() {
        page.paragraph("It superseded:");
        wording.earlier.iter().for_each(|earlier| page.quote(earlier));
    }
}

fn checklist(page: &mut Page, report: &RunReport) {
    if report.checklist.is_empty() {
        return;
    }
    page.heading(2, "After");
    for check in &report.checklist {
        let done = matches!(check.state, AfterState::Proven | AfterState::Ticked);
        let state = if check.state == AfterState::Disproven { "not so, " } else { "" };
        let by = said_by(check.state, &check.by, check.at);
        page.task(done, &format!("{}: {state}{}{by}", check.title, check.detail));
    }
}

fn said_by(state: AfterState, by: &Option<String>, at: Option<Timestamp>) -> String {
    match (state, by, at) {
        (AfterState::Ticked, Some(by), Some(at)) => format!("; ticked by {by}, {}", format::utc(at)),
        _ => String::new(),
    }
}

/// Markdown as it grows. Every method takes text as it is and escapes it.
#[derive(Default)]
struct Page {
    out: String,
    in_list: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// An empty line after a list, so that what follows is no part of its last item.
    fn block(&mut self) {
        if std::mem::take(&mut self.in_list) {
            self.line("");
        }
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.block();
        self.line(&format!("{} {}", "#".repeat(level), inline(text)));
        self.line("");
    }

    fn paragraph(&mut self, text: &str) {
        self.block();
        self.line(&beginning(&inline(text)));
        self.line("");
    }

    fn item(&mut self, text: &str) {
        self.in_list = true;
        self.line(&format!("- {}", beginning(&inline(text))));
    }

    fn task(&mut self, done: bool, text: &str) {
        self.in_list = true;
        self.line(&format!("- [{}] {}", if done { 'x' } else { ' ' }, inline(text)));
    }

    fn table(&mut self, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        self.block();
        self.line(&format!("| {} |", heads.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(heads.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| inline(cell)).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }

    /// A person's text, line by line as it was written, with who wrote it.
    fn quote(&mut self, written: &Written) {
        self.block();
        let lines: Vec<String> = format::visible_lines(&written.text).split('\n').map(quoted_line).collect();
        let mut lines = lines.iter().peekable();
        while let Some(line) = lines.next() {
            // A backslash at the end keeps the line's end; before an empty line the paragraph ends anyway.
            let broken = !line.is_empty() && lines.peek().is_some_and(|next| !next.is_empty());
            self.line(format!("> {line}{}", if broken { "\\" } else { "" }).trim_end());
        }
        self.line(">");
        self.line(&format!("> — {}, {}", inline(&written.by), format::utc(written.at)));
        self.line("");
    }
}

/// One line of a person's text. Space at its beginning would make it code, or be lost.
fn quoted_line(line: &str) -> String {
    let text = line.trim_end();
    let indent: usize = text.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
    let text = inline(text.trim_start());
    if indent == 0 { beginning(&text) } else { "\u{a0}".repeat(indent) + &text }
}

/// Foreign text within a line: nothing in it means anything to Markdown, or to HTML inside Markdown. What cannot be
/// misread stays as it is, so that ids and numbers read well in the source too.
fn inline(text: &str) -> String {
    let one_line = format::visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut out = String::with_capacity(one_line.len());
    let mut chars = one_line.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // As an entity: how a backslash before it counts differs inside tables.
            '|' => out.push_str("&#124;"),
            '_' if in_word(before) && in_word(next) => out.push(c),
            '#' if next.is_some_and(|n| n.is_ascii_digit()) => out.push(c),
            // Addresses become links by themselves in some dialects, and a line that begins with it a definition.
            ':' if in_word(before) && next != Some('/') => out.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '~' | '#' | ':' | '@' | '$' | '^' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// Escaped text at the beginning of a line: no list, no rule, no underline of a heading.
fn beginning(text: &str) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let at = match text.chars().nth(digits) {
        Some('.' | ')') if digits > 0 => digits,
        Some('-' | '+' | '=') if digits == 0 => 0,
        _ => return text.to_owned(),
    };
    let (before, after) = text.split_at(at);
    format!("{before}\\{after}")
}

#[cfg(test)]
mod tests;
