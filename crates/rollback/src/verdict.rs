//! The overview's answer to "can I roll back right now, and if not, why".

use rollback_types::{
    BackupHealth, Layout, RunState, RunSummary, StagedInStore, StoreReport, StoreStatus, Verdict, VerdictLevel,
    VersionRow, VersionState,
};

/// What the answer rests on.
pub(crate) struct Situation<'a> {
    pub active: Option<&'a RunSummary>,
    pub stores: &'a [StoreReport],
    pub latest_copy: &'a BackupHealth,
    /// The most urgent first.
    pub candidates: &'a [VersionRow],
    pub staged: &'a [StagedInStore],
    pub layout: Option<Layout>,
    /// Where production differs from latest-copy, with the evidence.
    pub differing: &'a [String],
    /// The registry could not be read: why, and what to do.
    pub registry_problem: Option<&'a (String, String)>,
    /// The journal cannot be written: why, and what to do.
    pub journal_problem: Option<&'a (String, String)>,
}

const NOT_URGENT: u8 = 2;

/// How much a candidate needs a person, most first: one that failed, then a rollback that did not finish, then what is
/// merely under way. In the per-version layout a failure that was killed stays `staging`, with its error in the log.
pub(crate) fn urgency(version: &VersionRow, layout: Option<Layout>) -> u8 {
    match version.status {
        VersionState::ValidatingFailed | VersionState::RollbackTriggered | VersionState::Failed => 0,
        VersionState::Staging if layout == Some(Layout::PerVersion) && version.status_message.is_some() => 0,
        VersionState::RollingBack => 1,
        _ => NOT_URGENT,
    }
}

/// The answer, with its reasons and what to do next.
pub(crate) fn verdict(s: &Situation<'_>) -> Verdict {
    let said = |level, headline: &str, reasons: Vec<String>, remedy: Option<String>| Verdict {
        level,
        headline: headline.to_owned(),
        reasons,
        remedy,
    };
    if let Some(run) = s.active {
        let headline = match run.state {
            RunState::NeedsDecision => format!("Run #{} needs a decision.", run.id),
            _ => format!("Run #{} is {} {}.", run.id, run.kind.doing(), run.version_id),
        };
        let mut reasons = vec!["One run at a time: nothing else can start until it ends.".to_owned()];
        reasons.extend(s.journal_problem.map(|(problem, remedy)| format!("The run will halt: {problem}. {remedy}")));
        let level = if run.state == RunState::NeedsDecision { VerdictLevel::Attention } else { VerdictLevel::Running };
        return said(level, &headline, reasons, Some(format!("Open run #{}.", run.id)));
    }
    // Before the stores: whatever they say, nothing is done that cannot be journalled.
    if let Some((problem, remedy)) = s.journal_problem {
        let reasons = vec![
            format!("What happened: {problem}."),
            "What is safe: everything can still be read, and no store is changed. If a run was at work, it halted before its next \
             change and can be resumed."
                .to_owned(),
        ];
        let headline = "No run can start: the journal cannot be written.";
        return said(VerdictLevel::Blocked, headline, reasons, Some(remedy.clone()));
    }
    let down: Vec<&StoreReport> = s.stores.iter().filter(|r| r.status == StoreStatus::Down).collect();
    let sick: Vec<&StoreReport> = s.stores.iter().filter(|r| r.status == StoreStatus::Degraded).collect();
    if !down.is_empty() || s.staged.iter().any(|x| x.problem.is_some()) {
        let mut reasons: Vec<String> = down.iter().chain(&sick).map(|r| r.detail.clone()).collect();
        if reasons.is_empty() {
            reasons = s.staged.iter().filter_map(|x| x.problem.clone()).collect();
        }
        let remedy = down.iter().chain(&sick).find_map(|r| r.remedy.clone());
        return said(VerdictLevel::Blocked, "You cannot roll back now: not every store answers.", reasons, remedy);
    }
    if let Some((problem, remedy)) = s.registry_problem {
        let headline = "You cannot roll back now: the registry cannot be read.";
        return said(VerdictLevel::Blocked, headline, vec![problem.clone()], Some(remedy.clone()));
    }
    let copy = if s.latest_copy.intact {
        "latest-copy is intact: it exists, matches its checksums and opens.".to_owned()
    } else {
        s.latest_copy.verdict.clone()
    };
    let Some(first) = s.candidates.first() else {
        let level = if s.latest_copy.intact { VerdictLevel::Quiet } else { VerdictLevel::Attention };
        let headline = "Nothing to roll back: no version has failed or is under way.";
        return said(level, headline, vec!["All stores answer.".into(), copy], s.latest_copy.remedy.clone());
    };
    let urgent = urgency(first, s.layout) < NOT_URGENT;
    let about = format!("{} is {}.", first.version_id, first.status);
    let mut reasons = vec![about, "All stores answer.".to_owned(), copy];
    reasons.extend(sick.iter().map(|r| format!("{}: {}", r.store, r.detail)));
    if !s.latest_copy.intact {
        let headline = "Look at latest-copy before you roll back.";
        return said(VerdictLevel::Attention, headline, reasons, s.latest_copy.remedy.clone());
    }
    if urgent && !s.differing.is_empty() {
        reasons.push("Production differs from latest-copy; the plan restores what differs.".into());
        reasons.extend_from_slice(s.differing);
    }
    if urgent && !s.differing.is_empty() {
        let headline = "You can roll back now; production differs and is restored with it.";
        let remedy = Some(format!("Plan the rollback of {}.", first.version_id));
        return said(VerdictLevel::Attention, headline, reasons, remedy);
    }
    let headline = if urgent { "You can roll back now." } else { "You could roll back, but nothing has failed." };
    let remedy = urgent.then(|| format!("Plan the rollback of {}.", first.version_id));
    said(if urgent { VerdictLevel::Ready } else { VerdictLevel::Quiet }, headline, reasons, remedy)
}
