//! How a run ends: what it says it has done, what it found, and what an abort leaves.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use rollback_types::quantity::counted;
use rollback_types::run_kind::{PRODUCTION, run_of_subject};
use rollback_types::{EventKind, RunKind, RunState, Step, StepError, ValidationReport};

use super::Engine;
use crate::recorder::RecordError;
use crate::store::{AbortNoted, AbortRequest};
use crate::story::{BY_DECISION, RESTORE_BEGUN, SKIPPED, skipped};

const REMOVALS: [Step; 3] = [Step::DropChapters, Step::DeletePoints, Step::DeleteNodes];
const RESTORES: [Step; 3] = [Step::RestoreSqlite, Step::RestoreQdrant, Step::RestoreNeo4j];
const COPIES: [Step; 3] = [Step::CopySqlite, Step::CopyQdrant, Step::CopyNeo4j];

impl Engine {
    /// All steps are through: says so, with what was found.
    pub(super) async fn complete(&mut self) -> Result<RunState, RecordError> {
        let findings = self.findings().await;
        let state = if findings.is_empty() { RunState::Completed } else { RunState::CompletedWithFindings };
        let mut summary = self.summary();
        if !findings.is_empty() {
            summary.push_str(&format!(" With {}.", counted_findings(&findings)));
        }
        self.recorder.record(EventKind::RunEnded { state, summary, findings }).await?;
        Ok(state)
    }

    /// Of a rollback: leaves the registry at `rolling_back` with a message that names the step and the error.
    pub(super) async fn abort(
        &mut self,
        step: Step,
        failed: &BTreeMap<Step, StepError>,
    ) -> Result<RunState, RecordError> {
        let error = failed.get(&step).map_or_else(String::new, |e| e.message.clone());
        let spec = &self.shared.spec;
        let message = format!("{} aborted at {step}: {error}", spec.kind.title());
        let marked = self.recorder.procedure.is_through(Step::Mark);
        let restored = if self.begun_to_restore() { RESTORE_BEGUN } else { "" };
        let said = match &spec.target {
            // Step 2 may have failed after its effect: then the row says so, and the note finds it by the run's key.
            Some(target) if marked || step == Step::Mark => {
                let request =
                    AbortRequest { target: target.clone(), run_key: spec.run_key.clone(), message: message.clone() };
                match self.shared.stores.records.note_abort(&request).await {
                    Ok(AbortNoted::NotHeld(why)) => {
                        format!("{message}.{restored} The version was left as it is: {why}.")
                    }
                    Ok(_) if !restored.is_empty() => {
                        format!("{message}.{restored} The version stays rolling_back and is offered as “take over”.")
                    }
                    Ok(_) if marked => {
                        format!("{message}. The version stays rolling_back and is offered as “take over”.")
                    }
                    Ok(_) => format!("{message}. Nothing was deleted."),
                    Err(e) => format!("{message}. The registry could not be told: {e}"),
                }
            }
            None if !restored.is_empty() => {
                format!("{message}.{restored}")
            }
            _ => format!("{message}. Nothing was changed in any store."),
        };
        self.recorder
            .record(EventKind::RunEnded { state: RunState::Aborted, summary: said, findings: Vec::new() })
            .await?;
        Ok(RunState::Aborted)
    }

    fn begun_to_restore(&self) -> bool {
        let attempted = self.shared.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        attempted.keys().any(|s| s.is_restore())
    }

    /// What steps told, and what skipped ones have left undone, as far as it can be seen.
    async fn findings(&self) -> Vec<String> {
        let shared = &self.shared;
        let mut findings = shared.findings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for step in &self.skipped {
            let left = match (step, &shared.spec.target) {
                (Step::DropChapters, Some(target)) => shared.stores.records.staging(target).await.map(|s| s.units()),
                (Step::DeletePoints, Some(target)) => {
                    let name = shared.staging_collection(target);
                    shared.stores.vectors.count(&name).await.map(|n| n.unwrap_or(0))
                }
                (Step::DeleteNodes, Some(target)) => {
                    shared.stores.graph.staging(&shared.staging_selector(target)).await.map(|s| s.units())
                }
                (Step::Validate, _) => {
                    findings.push("The validation was skipped by decision: nothing was checked.".into());
                    continue;
                }
                _ if step.is_restore() && shared.attempted(*step).is_some() => {
                    findings.push(format!(
                        "{step} was begun and then left by decision: production may be restored in part; compare it with {}.",
                        shared.spec.source.name()
                    ));
                    continue;
                }
                _ => {
                    findings.push(format!("{step} was skipped by decision: production may differ from the copy."));
                    continue;
                }
            };
            let what = step.unit().unwrap_or("units");
            match left {
                Ok(0) => {}
                Ok(left) => {
                    let (what, are) = (counted(left, what), if left == 1 { "is" } else { "are" });
                    findings.push(format!(
                        "{step} was skipped by decision, and of what was staged {what} {are} still there."
                    ));
                }
                Err(e) => findings.push(format!("{step} was skipped by decision; what is left cannot be told: {e}.")),
            }
        }
        findings
    }

    /// One sentence. What was done to each store the steps themselves tell, so it is not said here again.
    fn summary(&self) -> String {
        let spec = &self.shared.spec;
        let done = self.shared.done.lock().unwrap_or_else(PoisonError::into_inner);
        let attempted = self.shared.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        let (source, subject) = (spec.source.name(), &spec.subject);
        let restored = worked(&done, RESTORES);
        let half_restored = left_begun(&done, &attempted, RESTORES).map(|lanes| lanes.restores(&source));
        match spec.kind {
            RunKind::Rollback => {
                let removed = removed(&done, &attempted);
                let restored = match (restored, half_restored) {
                    (Some(stores), None) => format!("production was restored from {source} in {stores}"),
                    (Some(stores), Some(half)) => {
                        format!("production was restored from {source} in {stores}, but {half}")
                    }
                    (None, Some(half)) => half,
                    (None, None) => "production was left as it was".to_owned(),
                };
                format!("{subject} is rolled back: {removed}, and {restored}.")
            }
            RunKind::RestoreProduction => match (restored, half_restored) {
                (Some(stores), None) => format!("Production was restored from {source} in {stores}."),
                (Some(stores), Some(half)) => {
                    format!("Production was restored from {source} in {stores}, but {half}.")
                }
                (None, Some(half)) => format!("No restore from {source} came to its end: {half}."),
                (None, None) => format!("Nothing was restored from {source}: production is as it was."),
            },
            RunKind::UndoRestore => {
                let of =
                    run_of_subject(subject.as_str()).map_or_else(|| subject.to_string(), |run| format!("run #{run}"));
                match (restored, half_restored) {
                    (Some(stores), None) => {
                        format!("The restore by {of} is undone in {stores}: production there is as it was before it.")
                    }
                    (Some(stores), Some(half)) => format!(
                        "The restore by {of} is undone in {stores}: production there is as it was before it; but {half}."
                    ),
                    (None, Some(half)) => format!("The undoing of {of} did not come to its end: {half}."),
                    (None, None) => format!("Nothing of {of} was undone: production is as it was."),
                }
            }
            RunKind::Validate => {
                let what = if subject.as_str() == PRODUCTION { "Production".to_owned() } else { subject.to_string() };
                match done.get(&Step::Validate).filter(|said| !said.starts_with(SKIPPED)) {
                    Some(said) => format!("{what} was validated. {said}."),
                    None => format!("{what} was not validated: nothing was checked."),
                }
            }
            RunKind::MakeBackup => {
                let copied = worked(&done, COPIES).map(|stores| format!(" of {stores}")).unwrap_or_default();
                format!("{subject} is a new copy{copied}, proven before it took its place.")
            }
        }
    }
}

/// `4 findings, 3 of them failed critical checks`: whoever reads of checks elsewhere finds them here.
fn counted_findings(findings: &[String]) -> String {
    let all = findings.len();
    let failed = findings.iter().filter(|f| ValidationReport::tells_critical_failure(f)).count();
    let said = counted(all as u64, "findings");
    match failed {
        0 => said,
        1 if all == 1 => format!("{said}, a failed critical check"),
        _ if failed == all => format!("{said}, all of them failed critical checks"),
        1 => format!("{said}, 1 of them a failed critical check"),
        _ => format!("{said}, {failed} of them failed critical checks"),
    }
}

/// What became of what a rollback's version had staged.
fn removed(done: &BTreeMap<Step, String>, attempted: &BTreeMap<Step, u64>) -> String {
    let begun = left_begun(done, attempted, REMOVALS);
    let untouched = |step: &Step| is_skipped(done, *step) && !attempted.contains_key(step);
    let kept = listed(REMOVALS.iter().filter(|step| untouched(step)));
    let mut said = match (worked(done, REMOVALS), kept) {
        (Some(gone), None) => format!("what it had staged is gone from {gone}"),
        (Some(gone), Some(kept)) => format!("what it had staged is gone from {gone}, with {kept} left out by decision"),
        (None, Some(kept)) if begun.is_some() => format!("what it had staged in {kept} was left out by decision"),
        (None, None) if begun.is_some() => "what it had staged may be gone in part".to_owned(),
        (None, _) => "what it had staged was left out by decision".to_owned(),
    };
    if let Some(begun) = begun {
        said.push_str(&format!("; {}", begun.removals()));
    }
    said
}

/// Lanes that had begun to change their stores, and were then left by decision: what is there is not known.
struct LeftBegun {
    stores: String,
    many: bool,
}

impl LeftBegun {
    /// Said of restores, without a full stop.
    fn restores(&self, source: &str) -> String {
        let stores = &self.stores;
        if self.many {
            format!("the restores of {stores} were begun and then left by decision: compare them with {source}")
        } else {
            format!("{stores}'s restore was begun and then left by decision: compare it with {source}")
        }
    }

    /// Said of removals, without a full stop.
    fn removals(&self) -> String {
        let stores = &self.stores;
        if self.many {
            format!("the removals from {stores} were begun and then left by decision")
        } else {
            format!("the removal from {stores} was begun and then left by decision")
        }
    }
}

/// A lane whose way back is in again is none of these: that is no skip by decision in the words of its step.
fn left_begun(done: &BTreeMap<Step, String>, attempted: &BTreeMap<Step, u64>, lanes: [Step; 3]) -> Option<LeftBegun> {
    let by_decision = skipped(BY_DECISION);
    let left = |step: &&Step| {
        attempted.contains_key(*step) && done.get(*step).is_some_and(|said| said.starts_with(&by_decision))
    };
    let left: Vec<&Step> = lanes.iter().filter(left).collect();
    let many = left.len() > 1;
    listed(left.into_iter()).map(|stores| LeftBegun { stores, many })
}

/// The stores whose lanes did their work, as a list in words; `None` when none did.
fn worked(done: &BTreeMap<Step, String>, lanes: [Step; 3]) -> Option<String> {
    listed(lanes.iter().filter(|step| done.contains_key(step) && !is_skipped(done, **step)))
}

fn is_skipped(done: &BTreeMap<Step, String>, step: Step) -> bool {
    done.get(&step).is_some_and(|said| said.starts_with(SKIPPED))
}

fn listed<'a>(steps: impl Iterator<Item = &'a Step>) -> Option<String> {
    let names: Vec<&str> = steps.filter_map(|step| Some(step.lane()?.title())).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [start @ .., last] => Some(format!("{} and {last}", start.join(", "))),
    }
}
