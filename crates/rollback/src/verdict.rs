//! The overview's answer to "can I roll back right now, and if not, why".

use rollback_types::civil::utc;
use rollback_types::quantity::counted;
use rollback_types::run_kind::subject_in_words;
use rollback_types::{
    BackupHealth, Layout, RunState, RunSummary, StagedInStore, StoreReport, StoreStatus, Verdict, VerdictLevel,
    VersionId, VersionRow, VersionState,
};

use crate::service::LastWord;

/// What the answer rests on.
pub(crate) struct Situation<'a> {
    pub active: Option<&'a RunSummary>,
    pub stores: &'a [StoreReport],
    pub latest_copy: &'a BackupHealth,
    /// The most urgent first.
    pub candidates: &'a [VersionRow],
    /// Those of them that a run of ours left half rolled back; no run is at work on them.
    pub unfinished: &'a [VersionId],
    pub staged: &'a [StagedInStore],
    pub layout: Option<Layout>,
    /// Where production differs from latest-copy, with the evidence.
    pub differing: &'a [String],
    /// What the newest run that looked at production found wrong with it.
    pub last_word: Option<&'a LastWord>,
    /// Whether there is such a run cannot be told: an earlier one cannot be read.
    pub last_word_unknown: bool,
    /// How many other people must approve a plan before it starts.
    pub approvals: u32,
    /// A run that a person has to resume or to abandon.
    pub interrupted: Option<&'a RunSummary>,
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
        format!("latest-copy: {}", s.latest_copy.verdict)
    };
    // While a run is interrupted it has the floor: other versions stand in the list.
    let first = s.candidates.first().filter(|_| s.interrupted.is_none());
    let urgent = first.filter(|first| urgency(first, s.layout) < NOT_URGENT);
    let unfinished = first.filter(|first| s.unfinished.contains(&first.version_id));
    let mut reasons: Vec<String> =
        first.map(|first| format!("{} is {}.", first.version_id, first.status)).into_iter().collect();
    reasons.extend(unfinished.map(|_| "No run is at work on it: it waits to be taken over.".to_owned()));
    let approval = match s.approvals {
        0 => None,
        1 => Some("Another person must approve the plan before it may start.".to_owned()),
        n => Some(format!("{n} other people must approve the plan before it may start.")),
    };
    reasons.extend(approval.filter(|_| urgent.is_some()));
    reasons.extend(["All stores answer.".to_owned(), copy]);
    reasons.extend(sick.iter().map(|r| format!("{}: {}", r.store, r.detail)));
    let doubt = doubt(s);
    reasons.extend(doubt.iter().flat_map(|d| d.reasons.clone()));
    // Before any other version: what it left half done has to come to its end first.
    if let Some(run) = s.interrupted {
        reasons.insert(
            0,
            format!(
                "It was {} {}: what it had begun is neither done nor undone until somebody decides.",
                run.kind.doing(),
                subject_in_words(run.kind, &run.version_id)
            ),
        );
        let headline = format!("Run #{} was interrupted and waits for you.", run.id);
        return said(
            VerdictLevel::Attention,
            &headline,
            reasons,
            Some(format!("Resume run #{}, or abandon it.", run.id)),
        );
    }
    if !s.latest_copy.intact {
        let headline = match first {
            Some(_) => "Look at latest-copy before you roll back.",
            None => "Nothing to roll back, but look at latest-copy.",
        };
        return said(VerdictLevel::Attention, headline, reasons, s.latest_copy.remedy.clone());
    }
    if let Some(first) = unfinished {
        let also = doubt.map(|d| format!(", and {}", d.what)).unwrap_or_default();
        let headline = format!("The rollback of {} is unfinished{also}.", first.version_id);
        let remedy = format!("Plan the take-over of {}.", first.version_id);
        return said(VerdictLevel::Attention, &headline, reasons, Some(remedy));
    }
    let plan_it = urgent.map(|first| format!("Plan the rollback of {}.", first.version_id));
    let may = match s.approvals {
        0 => "You can roll back now",
        1 => "You can roll back once another person has approved the plan",
        _ => "You can roll back once other people have approved the plan",
    };
    match (doubt, first, plan_it) {
        (Some(doubt), _, Some(plan_it)) => {
            let headline = format!("{may}, but {}.", doubt.what);
            said(VerdictLevel::Attention, &headline, reasons, Some(plan_it))
        }
        (Some(doubt), first, None) => {
            let start = if first.is_some() { "Nothing has failed" } else { "Nothing to roll back" };
            let headline = format!("{start}, but {}.", doubt.what);
            said(VerdictLevel::Attention, &headline, reasons, Some(doubt.remedy))
        }
        (None, _, Some(plan_it)) => said(VerdictLevel::Ready, &format!("{may}."), reasons, Some(plan_it)),
        (None, Some(_), None) => {
            said(VerdictLevel::Quiet, "You could roll back, but nothing has failed.", reasons, None)
        }
        (None, None, None) => {
            let headline = "Nothing to roll back: no version has failed or is under way.";
            said(VerdictLevel::Quiet, headline, reasons, s.latest_copy.remedy.clone())
        }
    }
}

/// What speaks against production as it is.
struct Doubt {
    /// After "but".
    what: String,
    reasons: Vec<String>,
    remedy: String,
}

fn doubt(s: &Situation<'_>) -> Option<Doubt> {
    let mut what = Vec::new();
    let mut reasons = Vec::new();
    let differs = !s.differing.is_empty();
    if differs {
        what.push("production differs from latest-copy".to_owned());
        reasons.push(
            "Production differs from latest-copy; a plan of a rollback proposes to restore what differs.".to_owned(),
        );
        reasons.extend_from_slice(s.differing);
        let unreadable = s.latest_copy.files.iter().filter(|file| file.lowest_failure().is_some());
        reasons.extend(unreadable.map(|file| format!("{}: not known, for its copy cannot be trusted.", file.store)));
    }
    let mut remedy =
        "Find out what changed production. If it was meant, make a new latest-copy; if not, restore production \
                      from latest-copy."
            .to_owned();
    if let Some(word) = s.last_word {
        let run = format!("Run #{} ({})", word.run, utc(word.at));
        if word.half_restored {
            what.push("a restore of production did not come to its end".to_owned());
            reasons
                .push(format!("{run} was ended in the middle of a restore: what it held before is in its way back."));
            remedy = format!(
                "Validate production. Then restore it from latest-copy, or undo run #{} to have back what was there.",
                word.run
            );
        } else {
            let whose = if differs { "its last validation" } else { "the last validation of production" };
            what.push(format!("{whose} failed"));
            let n = word.critical.len() as u64;
            reasons.push(format!("{run} found {} to have failed in production:", counted(n, "critical checks")));
            let shown = word.critical.iter().take(3).map(|c| format!("{}.", c.trim_end_matches('.')));
            reasons.extend(shown);
            remedy = if differs {
                format!("See run #{}. Restore production from latest-copy, then validate it again.", word.run)
            } else {
                format!(
                    "See run #{}. latest-copy does not differ, as far as can be told, so it would mend nothing: restore an older backup, \
                     or mend the data, then validate again.",
                    word.run
                )
            };
        }
    }
    if s.last_word_unknown {
        what.push("what earlier runs found in production cannot be told".to_owned());
        reasons.push("An earlier run cannot be read from the journal.".to_owned());
        if !differs {
            remedy = "Validate production. `stepback journal check` looks at all of the journal.".to_owned();
        }
    }
    (!what.is_empty()).then(|| Doubt { what: what.join(", and "), reasons, remedy })
}

#[cfg(test)]
mod tests;
