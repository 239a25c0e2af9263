//! What the newest run that looked at production said of it. The overview tells of it until a later run says otherwise.

use rollback_types::run_kind::PRODUCTION;
use rollback_types::{RunId, RunKind, RunQuery, RunState, RunSummary, RunView, StepState, Timestamp};

use super::{Answer, RollbackService};

/// Runs that are looked through for one that speaks of production.
const LATEST: u32 = 50;

/// What such a run found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastWord {
    pub run: RunId,
    pub at: Timestamp,
    /// Critical checks that failed, a sentence each.
    pub critical: Vec<String>,
    /// It was ended in the middle of a restore.
    pub half_restored: bool,
}

/// What was read last, while the newest run and its last event were these.
#[derive(Debug)]
pub(super) struct Kept {
    story: Option<(RunId, u64)>,
    word: Option<LastWord>,
}

impl RollbackService {
    /// `story`: the newest run and its last event. `None` when nothing speaks against production.
    pub(super) async fn last_word(&self, story: Option<(RunId, u64)>) -> Answer<Option<LastWord>> {
        let mut kept = self.word_kept.lock().await;
        if let Some(known) = kept.as_ref().filter(|k| k.story == story) {
            return Ok(known.word.clone());
        }
        let word = self.read_last_word().await?;
        *kept = Some(Kept { story, word: word.clone() });
        Ok(word)
    }

    async fn read_last_word(&self) -> Answer<Option<LastWord>> {
        let latest = self.journal.runs(&RunQuery { limit: Some(LATEST), ..RunQuery::default() }).await?;
        for run in latest.items.into_iter().filter(|run| run.state.is_over() && is_about_production(run)) {
            match run.state {
                RunState::Completed => return Ok(None),
                RunState::CompletedWithFindings => {
                    let view = self.run_with_log(run.id, 0).await?;
                    let critical = view.validation.as_ref().map(|report| report.critical_failures());
                    return Ok(critical.filter(|c| !c.is_empty()).map(|critical| word(&run, critical, false)));
                }
                _ => {
                    let view = self.run_with_log(run.id, 0).await?;
                    if began_to_restore(&view) {
                        return Ok(Some(word(&run, Vec::new(), true)));
                    }
                    // It was ended before it touched production: an earlier run has the word.
                }
            }
        }
        Ok(None)
    }
}

fn word(run: &RunSummary, critical: Vec<String>, half_restored: bool) -> LastWord {
    LastWord { run: run.id, at: run.ended_at.unwrap_or(run.started_at), critical, half_restored }
}

fn is_about_production(run: &RunSummary) -> bool {
    match run.kind {
        RunKind::Rollback | RunKind::RestoreProduction | RunKind::UndoRestore => true,
        RunKind::Validate => run.version_id.as_str() == PRODUCTION,
        RunKind::MakeBackup => false,
    }
}

fn began_to_restore(view: &RunView) -> bool {
    let begun = |state| matches!(state, StepState::Done | StepState::Failed | StepState::Interrupted);
    view.steps.iter().any(|s| s.step.is_restore() && begun(s.state))
}
