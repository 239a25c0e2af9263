//! What the newest run that looked at production said of it. The overview tells of it until a later run says otherwise.

use std::time::{Duration, Instant};

use rollback_types::run_kind::PRODUCTION;
use rollback_types::{RunId, RunKind, RunQuery, RunState, RunSummary, RunView, StepState, Timestamp};

use super::{Answer, RollbackService};

/// Runs about production that are looked through for one that speaks of it.
const LATEST: usize = 50;
/// Runs of any kind among which those are sought.
const SOUGHT: usize = 1_000;
/// Runs read from the journal at once.
const PAGE: u32 = 200;
/// After this a look that failed is tried again.
const FAILED_AGE: Duration = Duration::from_secs(10);

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

/// The runs could not be read: whether one of them speaks against production cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CannotBeTold;

/// What was read last, while the newest run and its last event were these.
#[derive(Debug)]
pub(super) struct Kept {
    story: Option<(RunId, u64)>,
    word: Result<Option<LastWord>, CannotBeTold>,
    at: Instant,
}

impl RollbackService {
    /// `story`: the newest run and its last event. `None` when nothing speaks against production.
    pub(super) async fn last_word(&self, story: Option<(RunId, u64)>) -> Result<Option<LastWord>, CannotBeTold> {
        let mut kept = self.word_kept.lock().await;
        let still_right = |k: &&Kept| k.story == story && (k.word.is_ok() || k.at.elapsed() < FAILED_AGE);
        if let Some(known) = kept.as_ref().filter(still_right) {
            return known.word.clone();
        }
        let word = self.read_last_word().await.map_err(|e| {
            tracing::warn!(error = %e, "what earlier runs found in production cannot be told");
            CannotBeTold
        });
        *kept = Some(Kept { story, word: word.clone(), at: Instant::now() });
        word
    }

    async fn read_last_word(&self) -> Answer<Option<LastWord>> {
        let mut query = RunQuery { limit: Some(PAGE), ..RunQuery::default() };
        let (mut sought, mut looked_at) = (0, 0);
        loop {
            let page = self.journal.runs(&query).await?;
            sought += page.items.len();
            for run in page.items.iter().filter(|run| run.state.is_over() && is_about_production(run)) {
                looked_at += 1;
                match self.word_of(run).await? {
                    Said::Word(word) => return Ok(Some(word)),
                    Said::AllIsWell => return Ok(None),
                    Said::Nothing if looked_at >= LATEST => return Ok(None),
                    Said::Nothing => {}
                }
            }
            if page.next_cursor.is_none() || sought >= SOUGHT {
                return Ok(None);
            }
            query.cursor = page.next_cursor;
        }
    }

    /// What one run, which is over, says of production.
    async fn word_of(&self, run: &RunSummary) -> Answer<Said> {
        if run.state == RunState::Completed {
            return Ok(Said::AllIsWell);
        }
        let view = self.run_with_log(run.id, 0).await?;
        if run.state != RunState::CompletedWithFindings {
            // If it was ended before it touched production, an earlier run has the word.
            let begun = began_to_restore(&view);
            return Ok(if begun { Said::Word(word(run, Vec::new(), true)) } else { Said::Nothing });
        }
        Ok(match &view.validation {
            Some(report) => match report.critical_failures() {
                critical if critical.is_empty() => Said::AllIsWell,
                critical => Said::Word(word(run, critical, false)),
            },
            None if view.steps.iter().any(|s| s.step.is_restore() && s.was_left_begun()) => {
                Said::Word(word(run, Vec::new(), true))
            }
            // Its validation was skipped: it mends nothing of what an earlier run found.
            None => Said::Nothing,
        })
    }
}

/// What one run says of production.
enum Said {
    Word(LastWord),
    AllIsWell,
    /// An earlier run has the word.
    Nothing,
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
